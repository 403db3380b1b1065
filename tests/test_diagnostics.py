"""Diagnostics: all that helps, down to what was said, and nothing that tells whose meter it is."""

from base64 import b64encode
import json
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.dlms_meter.anonymity import Anonymiser
from custom_components.dlms_meter.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.dlms_meter.dlms import TransportError
from custom_components.dlms_meter.settings import from_input
from tests.home import PASSWORD, TITLE, UNIQUE_ID, WITH_PASSWORD, Line, altered
from tests.simulator import HdlcSession, MeterSettings
from tests.simulator.objects import cosem_object, octets, uint32
from tests.simulator.recording import RecordedMeter, read_recording

SERIAL_NUMBER = "40817263"
PLANTED = {
    "0-0:96.1.0*255": "40817263",
    "0-0:96.1.1*255": "OWNER-77310",
    "0-0:96.1.2*255": "IMEI356938035643809",
    "0-0:96.1.3*255": "+491701234567",
    "0-0:96.1.10*255": "DE0007212345600000000000000001234",
    "1-0:0.0.0*255": "1SIM0040817263",
    "1-0:0.0.1*255": "ACCOUNT 5512 0099",
    "1-0:0.0.2*255": "49.878651N8.640271E",
    "1-0:96.1.0*255": "MP-88123499",
    "0-0:96.13.0*255": "Dear Mrs Gruber of Elm Street 7",
    "0-0:199.1.1*255": "192.168.77.31",
    "0-0:199.1.2*255": "7KWQ2ZP5",
}
"""What a meter may tell of its owner, known to the catalogue or not."""
NUMBERS = {"0-0:199.1.3*255": 3105598877, "0-0:43.1.0*255": 1738223}
"""The same in figures: an unknown number, an invocation counter."""
SECRETS = [
    PASSWORD,
    "meter.example",
    TITLE,
    UNIQUE_ID,
    *PLANTED.values(),
    *map(str, NUMBERS.values()),
]
HARMLESS = "2.4.1"
"""The firmware: of many meters the same."""


def spellings(secret: str) -> set[str]:
    """Return all ways in which a secret may stand in a text."""
    raw = secret.encode()
    forms = {raw, raw[::-1]}
    if secret.isdecimal():
        number = int(secret)
        forms |= {number.to_bytes(8), number.to_bytes(8, "little")}
        if number < 1 << 32:
            forms |= {number.to_bytes(4), number.to_bytes(4, "little")}
        if len(secret) % 2 == 0:
            forms |= {bytes.fromhex(secret), bytes.fromhex(secret)[::-1]}
    texts = {secret, secret[::-1]}
    for form in forms:
        if len(form) > 4 or form.strip(b"\0") != form[-2:]:
            texts |= {form.hex(), form.hex().upper(), form.hex(" ")}
        texts.add(b64encode(form).decode())
    return texts


@pytest.fixture
async def secretive(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> MockConfigEntry:
    """An entry with all the secrets there are, some of them where nobody expects them."""
    freezer.move_to("2026-11-20T12:00:30Z")
    line.framing = HdlcSession
    line.meter = altered(line.meter, {"0-0:96.14.0*255": uint32(40817263)})
    data = from_input(WITH_PASSWORD | {"framing": "hdlc"})
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def test_diagnostics(
    hass: HomeAssistant, secretive: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)
    [trace] = diagnostics.pop("trace")
    assert diagnostics == snapshot
    assert trace["error"] is None
    assert len(trace["apdus"]) > 4


async def test_nothing_secret_is_told(
    hass: HomeAssistant, line: Line, secretive: MockConfigEntry
) -> None:
    """Also not in the text of an error."""
    line.broken = TransportError(f"meter.example: no route to {UNIQUE_ID}")
    await secretive.runtime_data.async_refresh()

    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)

    written = json.dumps(diagnostics)
    assert not [s for s in (PASSWORD, UNIQUE_ID, SERIAL_NUMBER, TITLE) if s in written]
    assert "no route to SIM0000000000002" in diagnostics["session"]["last_error"]
    assert "no route to SIM0000000000002" in diagnostics["trace"][-1]["error"]
    assert diagnostics["session"]["last_poll_succeeded"] is False


@pytest.mark.parametrize("max_pdu_size", [0, 128, 61], ids=lambda size: f"PDU {size}")
@pytest.mark.usefixtures("everything_enabled")
async def test_planted_secrets_are_not_told_in_any_spelling(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, max_pdu_size: int
) -> None:
    """Also not where a block of a long answer ends in the middle of one."""
    known = {str(item.logical_name) for item in line.meter.objects}
    planted = {code: octets(value.encode()) for code, value in PLANTED.items()}
    planted |= {code: uint32(number) for code, number in NUMBERS.items()}
    line.meter.objects += tuple(
        cosem_object(1, code, value)
        for code, value in planted.items()
        if code not in known
    )
    line.meter.settings = MeterSettings(max_pdu_size=max_pdu_size)
    line.meter = altered(line.meter, planted)
    data = from_input(WITH_PASSWORD)
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await entry.runtime_data.async_refresh()

    values = entry.runtime_data.data.values
    shown = {str(attribute.logical_name) for attribute in values}
    assert planted.keys() <= shown
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)

    written = json.dumps(diagnostics)
    told = {
        secret: [spelling for spelling in spellings(secret) if spelling in written]
        for secret in SECRETS
    }
    assert not {secret: found for secret, found in told.items() if found}
    assert HARMLESS.encode().hex() in written
    assert HARMLESS in written


def described(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the state of each entity by what it shows; identities are others."""
    registry = er.async_get(hass)
    return {
        entity.unique_id.split("_", 1)[1]: state.state
        for entity in er.async_entries_for_config_entry(registry, entry.entry_id)
        if (state := hass.states.get(entity.entity_id)) is not None
    }


async def test_a_stranger_sees_the_same_meter(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    secretive: MockConfigEntry,
) -> None:
    """What the diagnostics tell is enough to serve the meter again: same objects, same values, another identity."""
    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)
    file = json.dumps({"home_assistant": {}, "data": diagnostics})
    before = described(hass, secretive)
    assert await hass.config_entries.async_remove(secretive.entry_id)

    recording = read_recording(json.loads(file))
    line.meter = RecordedMeter(recording, now=dt_util.utcnow)
    stranger = MockConfigEntry(
        domain="dlms_meter",
        unique_id=diagnostics["entry"]["unique_id"],
        data=recording.entry_data,
    )
    stranger.add_to_hass(hass)
    await hass.config_entries.async_setup(stranger.entry_id)
    await hass.async_block_till_done()

    after = described(hass, stranger)
    tariff = "1_0-0:96.14.0*255_2"  # was planted the serial number
    assert after.pop(tariff) != before.pop(tariff)
    assert after == before


def test_replay_is_a_program() -> None:
    script = Path(__file__).parents[1] / "scripts" / "replay"
    assert script.stat().st_mode & 0o111


def test_stand_ins_are_the_same_everywhere() -> None:
    anonymiser = Anonymiser({"40817263", "SIM0000040817263", "Gruber"})
    [first, second] = anonymiser.octets([b"x40817263y", b"40817263"])
    assert first[1:-1] == second == anonymiser.text("40817263").encode()
    assert anonymiser.text("SIM0000040817263")[:3] == "SIM"
    assert (
        anonymiser.text("Mrs Gruber") == anonymiser.json({"a": ["Mrs Gruber"]})["a"][0]
    )
    assert len(anonymiser.text("Gruber")) == 6
    assert anonymiser.json({"n": 5, "Gruber": None}) != {"n": 5, "Gruber": None}


def test_text_of_other_scripts_is_taken_out() -> None:
    anonymiser = Anonymiser({"Ёлкина"})
    assert "Ёлк" not in anonymiser.text("Ёлкина 5")
    assert anonymiser.octets(["Ёлкина".encode()]) == [bytes(12)]


def test_what_is_cut_by_the_end_of_a_block_is_taken_out() -> None:
    """The next block begins with its header."""
    header = bytes.fromhex("C402C1010000000200820004")
    for cut in range(1, 8):
        parts = [b"name: " + b"40817263"[:cut], header + b"40817263"[cut:] + b" end"]
        first, second = Anonymiser({"40817263"}).octets(parts)
        joined = first.removeprefix(b"name: ") + second.removeprefix(header)
        assert joined == b"00000001 end"
