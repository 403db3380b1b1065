"""Entries come, go, come again and leave nothing behind."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import Data, DataType
from tests.home import (
    DEVICE,
    NOBODY,
    PUBLIC,
    UNIQUE_ID,
    Line,
    add_meter,
    altered,
    pass_time,
    silence,
    state_of,
    value_of,
)
from tests.simulator import Meter, MeterSettings
from tests.simulator.objects import text

ENERGY = f"sensor.{DEVICE}_energy_import"
OBJECT_LIST = bytes.fromhex("000F0000280000FF02")


async def test_unload_and_reload_leave_nothing(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """Neither a socket (checked by the line) nor a task or timer (checked by the test plugin)."""
    entities = set(hass.states.async_entity_ids())
    assert ENERGY in entities

    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()
    assert state_of(loaded) is ConfigEntryState.LOADED
    assert set(hass.states.async_entity_ids()) == entities

    assert await hass.config_entries.async_unload(loaded.entry_id)
    await hass.async_block_till_done()
    assert state_of(loaded) is ConfigEntryState.NOT_LOADED
    assert value_of(hass, ENERGY) == "unavailable"


async def test_meter_that_is_away_is_tried_again(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    line.broken = NOBODY
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"

    line.broken = None
    await hass.config_entries.async_reload(entry.entry_id)
    assert state_of(entry) is ConfigEntryState.LOADED


async def test_meter_that_refuses_is_left_alone_for_minutes(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """Home Assistant tries again after seconds, and some meters lock themselves for that."""
    welcoming, line.meter = line.meter, Meter(MeterSettings(clients=()))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.error_reason_translation_key == "association_rejected"
    asked = len(line.wires)
    for _ in range(6):
        await pass_time(hass, freezer, timedelta(seconds=45))
        assert state_of(entry) is ConfigEntryState.SETUP_RETRY
        assert entry.error_reason_translation_key == "association_rejected"
    assert len(line.wires) == asked
    for _ in range(2):
        await pass_time(hass, freezer, timedelta(minutes=15))
    assert len(line.wires) > asked

    line.meter = welcoming
    await pass_time(hass, freezer, timedelta(minutes=15))
    assert state_of(entry) is ConfigEntryState.LOADED


async def test_who_loads_it_again_does_not_wait(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    welcoming, line.meter = line.meter, Meter(MeterSettings(clients=()))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.SETUP_RETRY
    line.meter = welcoming
    await hass.config_entries.async_reload(entry.entry_id)
    assert state_of(entry) is ConfigEntryState.LOADED


async def test_meter_that_is_away_is_tried_at_the_pace_of_home_assistant(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """However seldom it is to be read: a gateway that starts late is there soon."""
    hass.config_entries.async_update_entry(entry, options={"poll_interval": 3600})
    line.broken = NOBODY
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.SETUP_RETRY
    line.broken = None
    await pass_time(hass, freezer, timedelta(seconds=10))
    assert state_of(entry) is ConfigEntryState.LOADED


async def test_another_meter_is_not_read(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    line.meter = Meter(MeterSettings(serial_number="99999999"))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "another_meter"
    assert not hass.states.async_entity_ids("sensor")


async def test_unload_while_the_meter_is_being_read(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """The poll is given up, and its connection closed."""
    line.answer = silence
    poll = loaded.async_create_background_task(
        hass, loaded.runtime_data.async_refresh(), "poll"
    )
    while len(line.wires) < 2:
        await hass.async_add_executor_job(int)  # anything that gives way to the poll
    assert line.wires[-1].open

    assert await hass.config_entries.async_unload(loaded.entry_id)

    assert poll.done()
    assert not line.wires[-1].open


async def test_object_list_is_read_once(
    hass: HomeAssistant, line: Line, hass_storage: dict[str, Any]
) -> None:
    """The dialog reads it; the entry takes it over, and keeps it for the next start."""
    result = await add_meter(hass, PUBLIC)
    entry = result["result"]
    stored = hass_storage[f"{DOMAIN}.{entry.entry_id}"]["data"]
    assert len(stored["objects"]) > 40
    assert [3, "0100010800ff", 3, 0, 30] in stored["scaler_units"]

    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()

    assert state_of(entry) is ConfigEntryState.LOADED
    asked = [OBJECT_LIST in wire.sent for wire in line.wires]
    assert asked == [True, False, False]


async def test_new_firmware_may_have_other_objects(
    hass: HomeAssistant,
    line: Line,
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    """The object list is read again at once, and the entry loaded anew with it."""
    assert value_of(hass, f"sensor.{DEVICE}_frequency") > "49"
    line.meter = altered(
        line.meter, {"1-0:0.2.0*255": text("3.0.0")}, without=["1-0:14.7.0*255"]
    )

    await loaded.runtime_data.async_refresh()
    await hass.async_block_till_done()

    assert state_of(loaded) is ConfigEntryState.LOADED
    assert hass.states.get(f"sensor.{DEVICE}_frequency") is None
    assert er.async_get(hass).async_get(f"sensor.{DEVICE}_frequency") is None
    identity = hass_storage[f"{DOMAIN}.{loaded.entry_id}"]["data"]["identity"]
    assert identity["firmware"] == "3.0.0"
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    assert device.sw_version == "3.0.0"


@pytest.mark.parametrize(
    "stored",
    [{}, {"identity": {}, "objects": [{}], "scaler_units": []}, {"identity": 5}],
)
@pytest.mark.usefixtures("line")
async def test_damaged_storage_is_replaced(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    stored: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    key = f"{DOMAIN}.{entry.entry_id}"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": stored}
    await hass.config_entries.async_setup(entry.entry_id)
    assert state_of(entry) is ConfigEntryState.LOADED
    assert "cannot be read" in caplog.text
    assert hass_storage[key]["data"]["objects"]


async def test_removed_entry_is_forgotten(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    hass_storage: dict[str, Any],
) -> None:
    key = f"{DOMAIN}.{loaded.entry_id}"
    assert key in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert key not in hass_storage
    assert not er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert not dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)


async def test_device(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    assert device.identifiers == {(DOMAIN, UNIQUE_ID)}
    assert device.name == "SIM H3P-100"
    assert device.manufacturer == "SIM"
    assert device.serial_number == "40817263"
    assert device.sw_version == "2.4.1"


@pytest.mark.parametrize(
    "name", ["SIM" + "4" * 3000, "SIM 1/2:3\\4\"5'6{7}", "СЧЁТЧИК 1234", "💡12345"]
)
async def test_odd_names(hass: HomeAssistant, line: Line, name: str) -> None:
    """Whatever a meter is called, it gets an entry, a device and entities, and keeps them."""
    named = {"0-0:42.0.0*255": Data(DataType.UTF8_STRING, name)}
    line.meter = altered(line.meter, named, without=("0-0:96.1.0*255", "1-0:0.0.0*255"))
    done = await add_meter(hass, PUBLIC)
    entry = done["result"]
    assert entry.unique_id == name[:64]
    assert state_of(entry) is ConfigEntryState.LOADED
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert len({entity.unique_id for entity in entities}) == len(entities) > 40
    assert all(len(entity.entity_id) < 128 for entity in entities)
    before = {entity.unique_id for entity in entities}
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.LOADED
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert {entity.unique_id for entity in entities} == before
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.identifiers == {(DOMAIN, name[:64])}
