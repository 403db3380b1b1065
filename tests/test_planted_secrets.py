"""Secrets planted wherever there is a place for one: the diagnostics tell none of them in any spelling, nor does the log."""

from base64 import b64encode
from collections.abc import Callable, Iterator
import json
import logging
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Data,
    DataType,
    Mechanism,
    MethodDescriptor,
    Obis,
    SecuritySettings,
    ServiceError,
    TransportError,
)
from custom_components.dlms_meter.settings import from_input
from tests.home import EXPERT, Line
from tests.simulator import ClientRule, HdlcSession, Meter, MeterSettings
from tests.simulator.controls import CONTROLLABLE_METER
from tests.simulator.objects import (
    MeterObject,
    cosem_object,
    octets,
    structure,
    text,
    uint32,
)
from tests.simulator.settings import EVERY_SERVICE

NAMES = {
    "password": "Wiesengrund9!",
    "new password": "Hollerbusch.22",
    "title": "Gruber, Elm Street 7",
    "host": "meter-elm7.example",
    "address": "192.168.77.31",
    "serial number": "40817263",
    "logical device name": "SIM0000040817263",
    "meter number": "1SIM0040817263",
    "metering point": "DE0007212345600000000000000001234",
    "customer": "ACCOUNT 5512 0099",
    "owner": "OWNER-77310",
    "location": "49.878651N8.640271E",
    "telephone": "+491701234567",
    "modem": "IMEI356938035643809",
    "message": "Dear Mrs Gruber of Elm Street 7",
    "access point": "apn.elmstreet.example",
    "invocation counter": "1738223",
    "sub-meter": "77310442",
    "port": "usb-FTDI_FT232R_USB_UART_AL01ABCD-if00-port0",
    "gateway user": "elmgruber",
}
"""What people can read."""
OCTETS = {
    "encryption key": "5B8D3E91C40A7F2666D1E85302B9FA77",
    "authentication key": "E1720C6F95B34AD80D5CF7E62A99134B",
    "master key": "90A7C3D51E6F28B4437D0EF6A98C5B12",
    "signing key": "2C7E91D5A06B38F44F1D9AC3E7708B65D2460FB98A13CE57F15E8B90276DAC34",
    "dedicated key": "7719E2B6D3A4085CFE61904B2D8FC537",
    "new key": "C8142F9B70E6AD5337B9E0814CD26F9A",
    "client's system title": "4841537F2B91C6D4",
    "meter's system title": "53494D9A40817263",
    "packet address": "C0A84D1F",
}
"""What machines use, in hexadecimal digits."""
KEYS = {
    name: OCTETS[name] for name in OCTETS if name.endswith("key") and name != "new key"
}


def spellings(raw: bytes) -> Iterator[str]:
    """Yield all ways in which octets may stand in a text."""
    for form in (raw, raw[::-1]):
        digits = form.hex()
        yield from (digits, digits.upper(), digits[::-1], digits[::-1].upper())
        yield from (form.hex(" "), form.hex(" ").upper(), form.hex(":"))
        yield b64encode(form).decode().rstrip("=")


def all_spellings(name: str) -> set[str]:
    """Return all ways in which a secret may stand in a text."""
    if name in OCTETS:
        return {*spellings(bytes.fromhex(OCTETS[name]))}
    readable = NAMES[name]
    found = {readable, readable[::-1], *spellings(readable.encode())}
    if readable.isdecimal():
        found |= {*spellings(int(readable).to_bytes(8))}
        if len(readable) % 2 == 0:
            found |= {*spellings(bytes.fromhex(readable))}
    return found


def told(written: str, *names: str) -> dict[str, list[str]]:
    """Return which secrets a text tells, and how."""
    found = {
        name: [spelling for spelling in all_spellings(name) if spelling in written]
        for name in names
    }
    return {name: how for name, how in found.items() if how}


def fact(code: str, name: str) -> MeterObject:
    return cosem_object(1, code, octets(NAMES[name].encode()))


SECURITY_SETUP = Obis.parse("0-0:43.0.0")
PACKETS = Obis.parse("0-0:25.1.0")
MODEM = Obis.parse("0-0:25.4.0")
ASSOCIATION = Obis.parse("0-0:40.0.0")
PLANTED = (
    fact("0-0:96.1.1", "owner"),
    fact("0-0:96.1.2", "modem"),
    fact("0-0:96.1.3", "telephone"),
    fact("0-0:96.1.10", "metering point"),
    fact("1-0:0.0.1", "customer"),
    fact("1-0:0.0.2", "location"),
    fact("0-0:199.1.1", "address"),
    cosem_object(1, "0-0:199.1.2", uint32(int(NAMES["sub-meter"], 16))),
    cosem_object(1, "0-0:199.1.3", structure(text(NAMES["message"]), uint32(5))),
    cosem_object(
        64,
        "0-0:43.0.0",
        Data(DataType.ENUM, 3),
        Data(DataType.ENUM, 0),
        octets(bytes.fromhex(OCTETS["client's system title"])),
        octets(bytes.fromhex(OCTETS["meter's system title"])),
        methods=8,
    ),
    cosem_object(
        42, "0-0:25.1.0", octets(bytes(6)), uint32(int(OCTETS["packet address"], 16))
    ),
    cosem_object(45, "0-0:25.4.0", text(NAMES["access point"])),
)
ON_REQUEST = (
    AttributeDescriptor(64, SECURITY_SETUP, 4),
    AttributeDescriptor(64, SECURITY_SETUP, 5),
    AttributeDescriptor(42, PACKETS, 3),
    AttributeDescriptor(45, MODEM, 2),
)
"""What only users ask for."""


def with_keys() -> tuple[ClientRule, dict[str, Any]]:
    """Return how a meter lets in who has the keys, and what its entry has."""
    encryption_key, authentication_key = (
        bytes.fromhex(OCTETS[name]) for name in ("encryption key", "authentication key")
    )
    security = SecuritySettings(
        global_unicast_key=encryption_key, authentication_key=authentication_key
    )
    entered = {
        "mechanism": "hls_gmac",
        "encryption_key": OCTETS["encryption key"],
        "authentication_key": OCTETS["authentication key"].lower(),
        "system_title": OCTETS["client's system title"],
        "expert": EXPERT | {"client_sap": 1},
    }
    return ClientRule(1, Mechanism.HLS_GMAC, security=security), entered


def with_password() -> tuple[ClientRule, dict[str, Any]]:
    password = NAMES["password"]
    entered = {
        "mechanism": "lls",
        "password": password,
        "expert": EXPERT | {"client_sap": 1},
    }
    return ClientRule(1, Mechanism.LLS, password.encode()), entered


def with_password_in_hex() -> tuple[ClientRule, dict[str, Any]]:
    rule, entered = with_password()
    entered["password"] = NAMES["password"].encode().hex().upper()
    entered["expert"] |= {"password_is_hex": True}
    return rule, entered


type Way = Callable[[], tuple[ClientRule, dict[str, Any]]]


@pytest.mark.parametrize("way", [with_keys, with_password, with_password_in_hex])
@pytest.mark.parametrize(
    ("framing", "max_pdu_size"),
    [("hdlc", 0), ("wrapper", 0), ("wrapper", 128)],
    ids=["HDLC", "wrapper", "blocks"],
)
@pytest.mark.usefixtures("everything_enabled")
async def test_a_meter_full_of_secrets(  # noqa: PLR0917  fixtures and what is tried
    hass: HomeAssistant,
    line: Line,
    caplog: pytest.LogCaptureFixture,
    way: Way,
    framing: str,
    max_pdu_size: int,
) -> None:
    """In the diagnostics none of them is told; in the log of a whole session, with all its octets, no password and no key."""
    caplog.set_level(logging.DEBUG, logger=f"custom_components.{DOMAIN}")
    rule, entered = way()
    settings = MeterSettings(
        clients=(rule,), max_pdu_size=max_pdu_size, conformance=EVERY_SERVICE
    )
    known = {item.logical_name for item in PLANTED}
    objects = [o for o in CONTROLLABLE_METER if o.logical_name not in known]
    line.meter = Meter(settings, now=dt_util.utcnow, objects=(*objects, *PLANTED))
    line.meter.last_counter = int(NAMES["invocation counter"])
    if framing == "hdlc":
        line.framing = HdlcSession
    connection = {"host": NAMES["host"], "port": 4059, "framing": framing}
    data = from_input(connection | entered)
    others = {f"old_{name.replace(' ', '_')}": value for name, value in KEYS.items()}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=NAMES["title"],
        unique_id=NAMES["logical device name"],
        data=others | data,
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    coordinator = entry.runtime_data
    await coordinator.async_refresh()
    async with coordinator.async_session() as client:
        for attribute in ON_REQUEST:
            await client.get(attribute)
        new_password = octets(NAMES["new password"].encode())
        with pytest.raises(ServiceError):
            await client.set(AttributeDescriptor(15, ASSOCIATION, 7), new_password)
        new_key = structure(
            Data(DataType.ENUM, 0), octets(bytes.fromhex(OCTETS["new key"]))
        )
        with pytest.raises(ServiceError):
            await client.invoke(MethodDescriptor(64, SECURITY_SETUP, 2), new_key)
    line.broken = TransportError(
        f"{NAMES['host']} ({NAMES['address']}): no route to {NAMES['serial number']}"
    )
    await coordinator.async_refresh()

    log = caplog.text
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)

    written = json.dumps(diagnostics, ensure_ascii=False)
    assert not told(written, *NAMES, *OCTETS)
    assert len(NAMES) + len(OCTETS) >= 20
    assert not told(log, "password", "new password", "new key", *KEYS)
    assert NAMES["serial number"].encode().hex(" ") in log or way is with_keys
    assert "ActionRequestNormal" in log


async def test_a_port_full_of_secrets(hass: HomeAssistant) -> None:
    """The name of an adapter has its serial number, the address of a gateway may have a user and a password."""
    adapter, user, host = NAMES["port"], NAMES["gateway user"], NAMES["host"]
    key, password = OCTETS["encryption key"], NAMES["password"]
    for port, parts in (
        (f"/dev/serial/by-id/{adapter}", adapter),
        (f"rfc2217://{user}:{password}@{host}:4001/", f"{host} {user}"),
        (f"esphome://{host}:6053/?key={key}", f"{host} {key}"),
    ):
        rule, entered = with_password()
        data = from_input({"serial_port": port, "framing": "hdlc"} | entered)
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=NAMES["title"],
            unique_id=NAMES["logical device name"],
            data=data,
            reason=f"cannot open {port}, that is {parts} or {NAMES['address']}",
        )
        entry.add_to_hass(hass)
        diagnostics = await async_get_config_entry_diagnostics(hass, entry)
        assert not told(json.dumps(diagnostics), *NAMES, *OCTETS)
        assert rule.secret
        await hass.config_entries.async_remove(entry.entry_id)
