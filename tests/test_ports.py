"""The port of a meter has a name that lasts, and is found again under another."""

from collections.abc import Iterator
from contextlib import contextmanager
import errno
import os
from pathlib import Path
import pty
from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.components.usb import SerialDevice, SerialPortConsumer
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter import ports
from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import TransportError
from custom_components.dlms_meter.failures import Failure
from custom_components.dlms_meter.ports import (
    async_find_moved_port,
    async_lasting_name,
    async_name_user,
)
from custom_components.dlms_meter.settings import from_input
from tests.home import (
    EXPERT,
    PUBLIC,
    TITLE,
    UNIQUE_ID,
    Line,
    answer_flow,
    begin_flow,
    choose,
    proposed,
)
from tests.simulator import HdlcSession

from .adapters import BY_ID, adapter, plugged_in

LOADED, SETUP_RETRY = ConfigEntryState.LOADED, ConfigEntryState.SETUP_RETRY
HEAD_ID = f"{BY_ID}usb-1a86_USB_Serial_A7-0012-if00-port0"
HEAD = adapter(HEAD_ID, "/dev/ttyUSB0", "A7-0012")
STICK = adapter(f"{BY_ID}usb-Silabs_Stick_0042-if00-port0", "/dev/ttyUSB1", "0042")
NATIVE = SerialDevice(
    device="/dev/ttyS0",
    resolved_device="/dev/ttyS0",
    serial_number=None,
    manufacturer=None,
    description=None,
)


@pytest.mark.parametrize(
    ("port", "name"),
    [
        ("/dev/ttyUSB0", HEAD_ID),
        (HEAD_ID, HEAD_ID),
        ("/dev/ttyS0", "/dev/ttyS0"),
        ("/dev/ttyUSB7", "/dev/ttyUSB7"),
        (f"{BY_ID}usb-unplugged", f"{BY_ID}usb-unplugged"),
        ("socket://gateway.example:8899", "socket://gateway.example:8899"),
    ],
)
async def test_lasting_name(hass: HomeAssistant, port: str, name: str) -> None:
    with plugged_in(HEAD, STICK, NATIVE):
        assert await async_lasting_name(hass, port) == name


async def test_twins_are_told_apart_by_their_sockets(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cheap adapters have no number of their own: the id of two leads to that which was plugged in last."""
    ends = [pty.openpty() for _ in range(2)]
    near = [os.ttyname(end) for _, end in ends]
    shared = f"{BY_ID}usb-1a86_USB_Serial-if00-port0"
    twins = adapter(shared, near[0]), adapter(near[1], near[1])
    with plugged_in(*twins):
        assert await async_lasting_name(hass, near[0]) == near[0], "nothing better"
        monkeypatch.setattr(ports, "_BY_PATH", str(tmp_path))
        (tmp_path / "usb-0:1.2").symlink_to(near[0])
        (tmp_path / "usb-0:1.3").symlink_to(near[1])
        for port, name in ((near[0], "1.2"), (shared, "1.2"), (near[1], "1.3")):
            assert await async_lasting_name(hass, port) == f"{tmp_path}/usb-0:{name}"
    with plugged_in(twins[0]):
        assert await async_lasting_name(hass, near[0]) == shared
    for pair in ends:
        for end in pair:
            os.close(end)


@pytest.mark.parametrize(
    ("port", "plugged", "found"),
    [
        (HEAD_ID, (HEAD,), None),
        ("/dev/ttyUSB0", (HEAD,), None),
        # Without udev's links, as in some containers, the number still tells.
        (
            HEAD_ID,
            (STICK, adapter("/dev/ttyUSB3", "/dev/ttyUSB3", "A7-0012")),
            "/dev/ttyUSB3",
        ),
        (HEAD_ID, (STICK, NATIVE), None),
        (HEAD_ID, (adapter("/dev/ttyUSB3", "/dev/ttyUSB3", "0012"),), None),
        (HEAD_ID, (adapter("/dev/ttyUSB3", "/dev/ttyUSB3"),), None),
        # Plugged into a proxy that names what it lends, and back.
        (
            HEAD_ID,
            (
                SerialDevice(
                    device=f"esphome-hass://1/?port_udev_id={HEAD_ID.removeprefix(BY_ID)}",
                    serial_number=None,
                    manufacturer=None,
                    description=None,
                ),
            ),
            f"esphome-hass://1/?port_udev_id={HEAD_ID.removeprefix(BY_ID)}",
        ),
        (
            f"esphome-hass://1/?port_udev_id={HEAD_ID.removeprefix(BY_ID)}",
            (HEAD,),
            HEAD_ID,
        ),
        # A name that tells nothing: the only adapter there is.
        ("/dev/ttyUSB7", (HEAD, NATIVE), HEAD_ID),
        ("/dev/ttyUSB7", (HEAD, STICK), None),
        ("/dev/ttyUSB7", (), None),
        ("rfc2217://gateway.example:2217", (HEAD,), None),
    ],
)
async def test_moved_port(
    hass: HomeAssistant, port: str, plugged: tuple[SerialDevice, ...], found: str | None
) -> None:
    with plugged_in(*plugged):
        assert await async_find_moved_port(hass, port) == found


async def test_an_adapter_that_somebody_uses_is_not_ours(hass: HomeAssistant) -> None:
    stick = MockConfigEntry(domain="zha", data={"device": {"path": STICK.device}})
    stick.add_to_hass(hass)
    with plugged_in(HEAD, STICK):
        assert await async_find_moved_port(hass, "/dev/ttyUSB7") == HEAD_ID


def in_use() -> TransportError:
    error = TransportError("Cannot open the port")
    error.__cause__ = OSError(errno.EBUSY, "locked")
    return error


@contextmanager
def somebody(
    hass: HomeAssistant, domain: str, data: dict[str, Any], state: ConfigEntryState
) -> Iterator[None]:
    """Have another entry, which Home Assistant does not really load."""
    entry = MockConfigEntry(domain=domain, title="My Zigbee", data=data)
    entry.add_to_hass(hass)
    entry.mock_state(hass, state)
    yield
    entry.mock_state(hass, ConfigEntryState.NOT_LOADED)


@pytest.mark.parametrize(
    ("domain", "data", "state", "user"),
    [
        ("zha", {"device": {"path": STICK.device}}, LOADED, "My Zigbee"),
        # It waits for the port as we do.
        ("zha", {"device": {"path": STICK.device}}, SETUP_RETRY, None),
        ("zha", {"device": {"path": HEAD.device}}, LOADED, None),
        # Entries of ours take turns on a port …
        (DOMAIN, {"serial_port": STICK.device}, LOADED, None),
    ],
)
async def test_user_of_a_port_is_named(
    hass: HomeAssistant,
    domain: str,
    data: dict[str, Any],
    state: ConfigEntryState,
    user: str | None,
) -> None:
    with plugged_in(HEAD, STICK), somebody(hass, domain, data, state):
        failure = await async_name_user(hass, Failure("port_in_use"), STICK.device)
    if user is None:
        assert failure == Failure("port_in_use")
    else:
        assert failure.sentence == "port_in_use_by"
        assert failure.placeholders == {"user": user}


async def test_entry_of_ours_is_named_that_knows_the_port_by_another_name(
    hass: HomeAssistant,
) -> None:
    """… if they know it by one name."""
    with somebody(hass, DOMAIN, {"serial_port": "/dev/ttyUSB1"}, LOADED):
        [entry] = hass.config_entries.async_entries(DOMAIN)
        user = SerialPortConsumer(
            kind="config_entry",
            title="Garage",
            active=True,
            domain=DOMAIN,
            config_entry_id=entry.entry_id,
        )
        users = AsyncMock(return_value={STICK.device: [user]})
        with (
            plugged_in(STICK),
            patch.object(ports, "async_get_serial_port_consumers", users),
        ):
            failure = await async_name_user(hass, Failure("port_in_use"), STICK.device)
    assert failure.placeholders == {"user": "Garage"}


@pytest.mark.parametrize("active", [True, False])
async def test_app_that_uses_a_port_is_named(hass: HomeAssistant, active: bool) -> None:
    app = SerialPortConsumer(kind="app", title="Z" * 100, active=active, slug="z")
    users = AsyncMock(return_value={HEAD_ID: [app]})
    with (
        plugged_in(HEAD),
        patch.object(ports, "async_get_serial_port_consumers", users),
    ):
        failure = await async_name_user(hass, Failure("port_in_use"), HEAD_ID)
    assert failure.placeholders == ({"user": f"{'Z' * 59}…"} if active else {})


async def test_user_of_the_port_is_named_in_dialog_and_entry(
    hass: HomeAssistant, line: Line
) -> None:
    """By the scan, by who knows the settings, and at the entry; once the port is free, all goes on."""
    line.framing = HdlcSession
    line.broken = in_use()
    stick = {"device": {"path": HEAD_ID}}
    with plugged_in(HEAD, STICK), somebody(hass, "zha", stick, LOADED):
        form = await choose(hass, await begin_flow(hass), "serial")
        which = await answer_flow(hass, form, {"serial_port": HEAD_ID})
        form = await choose(hass, which, "find")
        result = await answer_flow(hass, form, {})
        assert result["step_id"] == "serial"
        assert result["errors"] == {"serial_port": "port_in_use_by"}
        assert result["description_placeholders"] == {"user": "My Zigbee"}
        hass.config_entries.flow.async_abort(result["flow_id"])

        form = await choose(hass, await begin_flow(hass), "serial")
        which = await answer_flow(hass, form, {"serial_port": HEAD_ID})
        form = await choose(hass, which, "line")
        levels = await answer_flow(hass, form, {"sign_on": False, "speed": "9600"})
        form = await choose(hass, levels, "access_open")
        entered = {"expert": EXPERT | {"physical_device": 17}}
        entered["expert"].pop("password_is_hex")
        result = await answer_flow(hass, form, entered)
        assert result["errors"] == {"serial_port": "port_in_use_by"}
        assert result["description_placeholders"] == {"user": "My Zigbee"}

        line.broken = None
        result = await answer_flow(hass, result, {"serial_port": HEAD_ID})
        done = await answer_flow(hass, result, proposed(result))
        assert done["type"] is FlowResultType.CREATE_ENTRY
        entry = done["result"]
        line.broken = in_use()
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.error_reason_translation_key == "port_in_use_by"
        assert entry.error_reason_translation_placeholders == {"user": "My Zigbee"}
        assert "My Zigbee is using this port" in str(entry.reason)


@pytest.mark.parametrize("port", ["/dev/ttyUSB0", HEAD_ID])
async def test_lasting_name_is_kept_once_the_meter_was_read(
    hass: HomeAssistant, line: Line, port: str
) -> None:
    line.framing = HdlcSession
    data = {key: PUBLIC[key] for key in PUBLIC if key not in ("host", "port")}
    connection = {"serial_port": port, "speed": 9600, "framing": "hdlc"}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=TITLE,
        unique_id=UNIQUE_ID,
        data=from_input(data | connection),
    )
    entry.add_to_hass(hass)
    with plugged_in(HEAD, STICK):
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert entry.data["serial_port"] == HEAD_ID
    assert entry.runtime_data.last_update_success
    assert await hass.config_entries.async_unload(entry.entry_id)
