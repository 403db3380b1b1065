"""An entry whose connection stays open between readings: what that saves, and who else gets the line."""

import asyncio
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.control import async_acting
from custom_components.dlms_meter.dlms import AttributeDescriptor, Mechanism, Obis
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameDecoder, FrameType
from custom_components.dlms_meter.settings import from_input
from custom_components.dlms_meter.trace import Occasion
from tests.home import (
    DEVICE,
    EVENING,
    PUBLIC,
    TITLE,
    UNIQUE_ID,
    WITH_PASSWORD,
    Line,
    pass_time,
    state_of,
    value_of,
    walk,
)
from tests.simulator import (
    ClientRule,
    HdlcSession,
    Meter,
    MeterSettings,
    WrapperSession,
)
from tests.test_shared_line import (
    GATEWAY,
    PORT,
    BusLine,
    bus,
    entry_of,
    succeeded,
    unload,
)

__all__ = ["bus"]

pytestmark = pytest.mark.usefixtures("impatient")

ENERGY = f"sensor.{DEVICE}_energy_import"
CLOCK = AttributeDescriptor(8, Obis.parse("0-0:1.0.0*255"), 2)
RELEASE = bytes.fromhex("62 03 80 01 00")
NAME = bytes.fromhex("0001 00002a0000ff 02 00")
"""A request for the logical device name, one of several."""
KEPT_OPEN = {"keep_open": True}


def sessions_of(line: Line) -> list[WrapperSession]:
    """Return the list that each session with the meter from now on is noted in."""
    sessions: list[WrapperSession] = []

    def begin(meter: Meter) -> WrapperSession:
        sessions.append(WrapperSession(meter))
        return sessions[-1]

    line.framing = begin  # type: ignore[assignment]
    return sessions


@pytest.fixture
async def kept(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> MockConfigEntry:
    """The simulated meter's config entry, set up to keep its connection open."""
    hass.config_entries.async_update_entry(entry, options=KEPT_OPEN)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@pytest.mark.freeze_time(EVENING)
async def test_one_session_for_many_readings(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    kept: MockConfigEntry,
) -> None:
    """A reading takes one request and one answer; unloaded, the entry takes its leave."""
    [wire] = line.wires
    before = float(value_of(hass, ENERGY))
    for _ in range(5):
        sent = len(wire.sent)
        await pass_time(hass, freezer)
        asked = wire.sent[sent:]
        assert asked[:2] == b"\x00\x01"
        assert len(asked) == 8 + int.from_bytes(asked[6:8])  # one APDU
    assert line.wires == [wire]
    assert float(value_of(hass, ENERGY)) > before
    assert await hass.config_entries.async_unload(kept.entry_id)
    assert wire.sent.endswith(RELEASE)
    assert not wire.open


async def test_meter_hears_from_us_between_rare_readings(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    options = KEPT_OPEN | {"poll_interval": 300}
    hass.config_entries.async_update_entry(entry, options=options)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    [wire] = line.wires
    for _ in range(2):
        sent = len(wire.sent)
        await pass_time(hass, freezer, timedelta(seconds=91))
        for _ in range(10):  # the question is no task of Home Assistant's
            await asyncio.sleep(0)
        assert len(wire.sent) > sent
    assert line.wires == [wire]
    assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("how", ["connection", "association"])
async def test_dropped_session_is_not_noticed(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    how: str,
) -> None:
    """It is begun anew within the same reading: nothing is unavailable, nothing is logged."""
    sessions = sessions_of(line)
    hass.config_entries.async_update_entry(entry, options=KEPT_OPEN)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for dropped in range(1, 4):
        if how == "connection":
            await line.wires[-1].close()
        else:
            sessions[-1].close()
        await pass_time(hass, freezer)
        assert entry.runtime_data.last_update_success
        assert len(sessions) == 1 + dropped
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_another_meter_after_a_drop_is_not_read(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    kept: MockConfigEntry,
) -> None:
    line.meter = Meter(MeterSettings(serial_number="99999999"), now=line.meter.now)
    await line.wires[-1].close()
    await pass_time(hass, freezer)
    assert value_of(hass, ENERGY) == "unavailable"
    assert not any(wire.open for wire in line.wires)
    assert await hass.config_entries.async_unload(kept.entry_id)


async def test_refused_after_a_drop_is_not_tried_again(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """Many meters lock themselves after a few wrong passwords."""
    data = from_input(WITH_PASSWORD)
    hass.config_entries.async_update_entry(entry, data=data, options=KEPT_OPEN)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    other = MeterSettings(clients=(ClientRule(1, Mechanism.LLS, b"new"),))
    line.meter = Meter(other, now=line.meter.now)
    await line.wires[-1].close()
    for _ in range(3):
        await pass_time(hass, freezer)
    assert len(line.wires) == 2
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_action_uses_the_session(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    kept: MockConfigEntry,
) -> None:
    """After a question whether the meter still has it; a meter that has not is associated with first."""
    async with async_acting(kept.runtime_data) as client:
        await client.get(CLOCK)
    assert len(line.wires) == 1
    await line.wires[-1].close()
    async with async_acting(kept.runtime_data) as client:
        await client.get(CLOCK)
    assert len(line.wires) == 2
    await pass_time(hass, freezer)
    assert len(line.wires) == 2
    assert await hass.config_entries.async_unload(kept.entry_id)


async def test_dialog_that_used_the_keys_elsewhere(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    kept: MockConfigEntry,
) -> None:
    """By another way to the same meter: the session ends, and the next goes on with the counter."""
    coordinator = kept.runtime_data
    await coordinator._sessions._counter.async_save(1000)
    await pass_time(hass, freezer)
    assert coordinator.last_update_success
    assert [wire.open for wire in line.wires] == [False, True]
    assert line.wires[0].sent.endswith(RELEASE)
    assert await hass.config_entries.async_unload(kept.entry_id)


async def test_recording_has_the_beginning_of_a_session(
    hass: HomeAssistant, line: Line, kept: MockConfigEntry
) -> None:
    """Who wants to replay it needs to know who the meter is; what was open is ended, and a session kept again."""
    coordinator = kept.runtime_data
    await coordinator.async_record()
    assert [wire.open for wire in line.wires] == [False, True]
    [recorded] = [
        session
        for session in coordinator.trace.kept()
        if session.occasion is Occasion.RECORDING
    ]
    assert any(NAME in apdu for sent, apdu in recorded.apdus if sent)
    assert await hass.config_entries.async_unload(kept.entry_id)


async def test_home_assistant_stops(
    hass: HomeAssistant, line: Line, kept: MockConfigEntry
) -> None:
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert line.wires[0].sent.endswith(RELEASE)
    assert not line.wires[0].open


async def test_reload_begins_anew(
    hass: HomeAssistant, line: Line, kept: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_reload(kept.entry_id)
    await hass.async_block_till_done()
    assert [wire.open for wire in line.wires] == [False, True]
    assert line.wires[0].sent.endswith(RELEASE)
    assert await hass.config_entries.async_unload(kept.entry_id)


async def choose_options(
    hass: HomeAssistant, entry: MockConfigEntry, **given: bool
) -> None:
    form = await hass.config_entries.options.async_init(entry.entry_id)
    schema = form["data_schema"]
    assert schema is not None
    assert "keep_open" in schema.schema
    entered = {"poll_interval": 60, "supply_switch": False} | given
    groups: dict[str, Any] = {
        str(group): {}
        for group in schema.schema
        if str(group) not in {*entered, "keep_open"}
    }
    done = await hass.config_entries.options.async_configure(
        form["flow_id"], entered | groups
    )
    assert done["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def test_option(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    """Off unless somebody asks for it, and off again."""
    assert not any(wire.open for wire in line.wires)
    await choose_options(hass, loaded)
    assert loaded.options["keep_open"] is False
    assert not any(wire.open for wire in line.wires)

    await choose_options(hass, loaded, keep_open=True)
    assert dict(loaded.options)["keep_open"] is True
    assert line.wires[-1].open
    sessions = len(line.wires)
    await pass_time(hass, freezer)
    assert len(line.wires) == sessions

    await choose_options(hass, loaded, keep_open=False)
    assert not any(wire.open for wire in line.wires)


async def test_dialog_gets_the_line(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    kept: MockConfigEntry,
) -> None:
    """The session ends as it should before the dialog begins its own, and is begun anew after it."""
    menu = await kept.start_reconfigure_flow(hass)
    result = await walk(hass, menu, PUBLIC)
    assert result["reason"] == "reconfigure_successful"
    assert line.wires[0].sent.endswith(RELEASE)
    await hass.async_block_till_done()
    assert state_of(kept) is ConfigEntryState.LOADED
    await pass_time(hass, freezer)
    assert [wire.open for wire in line.wires] == [False] * (len(line.wires) - 1) + [
        True
    ]
    assert await hass.config_entries.async_unload(kept.entry_id)


@pytest.mark.parametrize(
    "place", [{"serial_port": PORT}, GATEWAY], ids=["port", "gateway"]
)
async def test_entries_on_one_line_give_way_to_each_other(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    bus: BusLine,
    place: dict[str, object],
) -> None:
    """Each would keep its session; each ends it for the other, with release and DISC."""
    entries = [entry_of(hass, physical, place) for physical in (17, 18)]
    for entry in entries:
        hass.config_entries.async_update_entry(entry, options=KEPT_OPEN)
    assert await hass.config_entries.async_setup(entries[0].entry_id)
    await hass.async_block_till_done()
    for _ in range(3):
        await pass_time(hass, freezer)
        assert succeeded(entries) == [True, True]
        assert bus.opened[-1].open
    sent = bus.opened[-1].sent
    assert sent.count(RELEASE) >= 3
    await unload(hass, entries)
    assert sum(wire.sent.count(RELEASE) for wire in bus.opened) == sum(
        wire.sent.count(b"\xe6\xe6\x00\x60") for wire in bus.opened
    )
    assert not any(wire.open for wire in bus.opened)


async def test_entry_alone_on_a_port(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    bus: BusLine,
) -> None:
    """Unplugged and plugged in again between two readings, too."""
    entry = entry_of(hass, 17, {"serial_port": PORT})
    hass.config_entries.async_update_entry(entry, options=KEPT_OPEN)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for _ in range(3):
        await pass_time(hass, freezer)
    [wire] = bus.opened
    assert wire.sent.count(b"\xe6\xe6\x00\x60") == 1
    bus.unplug()
    bus.broken = None
    await pass_time(hass, freezer)
    assert succeeded([entry]) == [True]
    await unload(hass, [entry])


async def test_nothing_is_kept_of_a_meter_that_is_not_ours(
    hass: HomeAssistant, line: Line
) -> None:
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=TITLE,
        unique_id="SIM0000099999999",
        data=from_input(PUBLIC),
        options=KEPT_OPEN,
    )
    entry.add_to_hass(hass)
    assert entry.unique_id != UNIQUE_ID
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert not any(wire.open for wire in line.wires)
    assert await hass.config_entries.async_remove(entry.entry_id)


async def test_over_hdlc(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """The link is left as well."""
    line.framing = HdlcSession
    data = from_input(PUBLIC | {"framing": "hdlc", "physical_device": 17})
    hass.config_entries.async_update_entry(entry, data=data, options=KEPT_OPEN)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for _ in range(3):
        await pass_time(hass, freezer)
    [wire] = line.wires
    assert await hass.config_entries.async_unload(entry.entry_id)
    [last] = FrameDecoder().feed(wire.sent)[-1:]
    assert last.type is FrameType.DISC
    assert RELEASE in wire.sent
