"""Meters unlike each other, as Home Assistant shows them: devices, entities, names, classes, states."""

from collections.abc import Sequence
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.dlms_meter.const import (
    CONF_CHANGE_SETTINGS,
    CONF_REFERENCING,
    CONF_SUPPLY_SWITCH,
    DOMAIN,
    PLATFORMS,
    REFERENCING_SHORT,
)
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    DataAccessResult,
    Obis,
)
from custom_components.dlms_meter.settings import from_input
from tests.home import (
    NOBODY,
    UNIQUE_ID,
    WITH_PASSWORD,
    Line,
    set_up,
    value_of,
)
from tests.models import INDUSTRIAL, PREPAID, SHORT_NAMED, SUB_METERS, mbus_client
from tests.simulator import Meter, MeterSettings
from tests.simulator.household import HOUSEHOLD_METER
from tests.simulator.objects import (
    MeterObject,
    array,
    cosem_object,
    enum,
    int8,
    octets,
    structure,
    uint8,
    uint16,
)
from tests.simulator.settings import SHORT_NAME_SERVICES

METERS: dict[str, Sequence[MeterObject]] = {
    "household three-phase": HOUSEHOLD_METER,
    "with short names": SHORT_NAMED,
    "single-phase prepaid with disconnector": PREPAID,
    "with gas, water and heat": SUB_METERS,
    "industrial": INDUSTRIAL,
}
NOW = "2026-11-20T12:00:30Z"
EVERYTHING_ALLOWED = {CONF_SUPPLY_SWITCH: True, CONF_CHANGE_SETTINGS: True}
EACH_METER = pytest.mark.parametrize("name", METERS)


async def load(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    objects: Sequence[MeterObject],
) -> None:
    settings = None
    if objects is SHORT_NAMED:
        settings = MeterSettings(short_names=True, conformance=SHORT_NAME_SERVICES)
        data = {**entry.data, CONF_REFERENCING: REFERENCING_SHORT}
        hass.config_entries.async_update_entry(entry, data=data)
    line.meter = Meter(settings, now=line.meter.now, objects=objects)
    await set_up(hass, entry)


def shown(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return devices and entities, in words that are the same in all releases of Home Assistant."""
    entities = er.async_get(hass)
    return {
        f"{device.name} ({device.manufacturer}, {device.serial_number})": {
            entity.entity_id: described(hass, entity)
            for entity in er.async_entries_for_device(
                entities, device.id, include_disabled_entities=True
            )
        }
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
    }


def described(hass: HomeAssistant, entity: er.RegistryEntry) -> str:
    state = hass.states.get(entity.entity_id)
    if state is None:
        return f"disabled: {entity.original_name}"
    attributes = state.attributes
    is_of_real_time = entity.translation_key == "session_time"
    value = "real time" if is_of_real_time else state.state
    facts = (
        entity.original_name,
        f"{value} {attributes.get('unit_of_measurement', '')}".rstrip(),
        attributes.get("device_class"),
        attributes.get("state_class"),
        entity.entity_category,
        *(attributes[key] for key in ("min", "max", "step") if key in attributes),
        attributes.get("options"),
    )
    return " | ".join(str(fact) for fact in facts if fact is not None)


@pytest.fixture
def time_stands_still(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


@EACH_METER
@pytest.mark.usefixtures("time_stands_still")
async def test_meter(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    snapshot: SnapshotAssertion,
    name: str,
) -> None:
    """As it is when the user allowed everything and enabled nothing."""
    hass.config_entries.async_update_entry(
        entry, data=from_input(WITH_PASSWORD), options=EVERYTHING_ALLOWED
    )
    await load(hass, line, entry, METERS[name])
    assert shown(hass, entry) == snapshot


async def load_everything(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, name: str
) -> None:
    """Load a meter with all its entities, and read it until all is there that may be."""
    hass.config_entries.async_update_entry(
        entry, data=from_input(WITH_PASSWORD), options=EVERYTHING_ALLOWED
    )
    await load(hass, line, entry, METERS[name])
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()


@EACH_METER
@pytest.mark.usefixtures("everything_enabled", "time_stands_still")
async def test_meter_with_everything_enabled(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    snapshot: SnapshotAssertion,
    name: str,
) -> None:
    await load_everything(hass, line, entry, name)
    assert shown(hass, entry) == snapshot


@pytest.mark.usefixtures("everything_enabled", "time_stands_still")
async def test_every_platform_is_among_them(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """The snapshots show at least one entity of each, with a state."""
    seen: set[str] = set()
    for name in METERS:
        await load_everything(hass, line, entry, name)
        states = hass.states.async_all()
        seen |= {each.domain for each in states if each.state != "unavailable"}
        await hass.config_entries.async_unload(entry.entry_id)
        await hass.config_entries.async_remove(entry.entry_id)
        entry = MockConfigEntry(domain=DOMAIN, unique_id=UNIQUE_ID, data=entry.data)
        entry.add_to_hass(hass)
    assert seen == set(PLATFORMS)


@pytest.mark.usefixtures("everything_enabled", "time_stands_still")
async def test_dates_times_and_compact_data(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """In words that people and automations understand."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    await load(hass, line, entry, INDUSTRIAL)
    await entry.runtime_data.async_refresh()
    captured = "2026-11-10T14:30:00+00:00"
    assert value_of(hass, "sensor.sim_i5_last_configuration_change") == captured
    assert (
        value_of(hass, "sensor.sim_i5_date_of_last_billing_reset")
        == "2026-11-09T23:00:00+00:00"
    )
    assert value_of(hass, "sensor.sim_i5_local_time") == "15:30:00"
    assert value_of(hass, "sensor.sim_i5_local_date") == "2026-11-10"
    assert value_of(hass, "sensor.sim_i5_unix_clock") == captured
    compact = hass.states.get("sensor.sim_i5_compact_data")
    assert compact is not None
    assert compact.state == captured
    assert compact.attributes["values"] == {
        "0-0:1.0.0*255": "2026-11-10T15:30:00",
        "1-0:1.8.0*255": 7000,
        "1-0:13.7.0*255": -0.982,
    }
    profile = hass.states.get("sensor.sim_i5_load_profile_newest_row")
    assert profile is not None
    assert profile.attributes["capture_period"] == 900
    assert profile.attributes["entries"] > 100


@pytest.mark.usefixtures("everything_enabled", "time_stands_still")
async def test_compact_data_without_a_time(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """It is of the moment in which it was read."""
    others = [item for item in INDUSTRIAL if item.class_id != 62]
    energy = octets(Obis.parse("1-0:1.8.0"))
    captured = array([structure(uint16(3), energy, int8(2), uint16(0))])
    compact = cosem_object(
        62,
        "0-0:66.0.0",
        octets(bytes(3) + b"\x07"),
        captured,
        uint8(1),
        octets(bytes.fromhex("020106")),
        enum(1),
        version=1,
    )
    await load(hass, line, entry, (*others, compact))
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    shown = hass.states.get("sensor.sim_i5_compact_data")
    assert shown is not None
    assert shown.state == "2026-11-20T12:00:30+00:00"
    assert shown.attributes["time"] is None
    assert shown.attributes["values"] == {"1-0:1.8.0*255": 7000}


async def test_compact_data_that_does_not_fit_its_template(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    everything_enabled: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It takes nothing else down."""
    others = [item for item in INDUSTRIAL if item.class_id != 62]
    spoilt = cosem_object(
        62, "0-0:66.0.0", octets(b"\1"), array(()), uint8(1), octets(b"\x12"), enum(1)
    )
    await load(hass, line, entry, (*others, spoilt))
    await entry.runtime_data.async_refresh()
    assert value_of(hass, "sensor.sim_i5_compact_data") == "unavailable"
    assert value_of(hass, "sensor.sim_i5_frequency") == "50.01"
    assert "62/0-0:66.0.0*255/2 cannot be read" in caplog.text


async def test_switch_is_there_for_those_who_asked(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """And even then it is disabled until it is enabled by hand."""
    hass.config_entries.async_update_entry(entry, options={CONF_SUPPLY_SWITCH: True})
    await load(hass, line, entry, PREPAID)
    registry = er.async_get(hass)
    unique_id = f"{UNIQUE_ID}_70_0-0:96.3.10*255_2_supply_switch"
    entity_id = registry.async_get_entity_id("switch", DOMAIN, unique_id)
    assert entity_id is not None
    entity = registry.async_get(entity_id)
    assert entity is not None
    assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION

    hass.config_entries.async_update_entry(entry, options={})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert registry.async_get_entity_id("switch", DOMAIN, unique_id) is None


async def test_exchanged_sub_meter_is_another_device(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """Its readings do not go on where those of the old one ended; the old one is cleaned up."""
    await load(hass, line, entry, SUB_METERS)
    registry = dr.async_get(hass)
    names = {
        device.serial_number: device.name
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
    }
    assert names == {
        "40817263": "SIM D4",
        "12345678": "Gas meter",
        "87654321": "Water meter",
        "33445566": "Heat meter",
    }
    others = [i for i in line.meter.objects if str(i.logical_name) != "0-1:24.1.0*255"]
    line.meter = Meter(
        now=line.meter.now, objects=(*others, mbus_client(1, 0x99990000, 0x2324, 3))
    )
    freezer.tick(3700)
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()

    devices = dr.async_entries_for_config_entry(registry, entry.entry_id)
    assert {device.serial_number for device in devices} == {
        "40817263",
        "99990000",
        "87654321",
        "33445566",
    }
    gas = registry.async_get_device_by_identifier(
        (DOMAIN, f"{UNIQUE_ID}_99990000"), entry.entry_id
    )
    assert gas is not None
    meter = registry.async_get_device_by_identifier((DOMAIN, UNIQUE_ID), entry.entry_id)
    assert meter is not None
    assert gas.via_device_id == meter.id


async def test_sub_meter_that_is_not_told_stays(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """The meter would not say for once who is connected: nobody is taken for gone, with all his history."""
    await load(hass, line, entry, SUB_METERS)
    registry = dr.async_get(hass)
    before = dr.async_entries_for_config_entry(registry, entry.entry_id)
    for number in (6, 7, 9):
        attribute = AttributeDescriptor(72, Obis.parse("0-1:24.1.0"), number)
        line.meter.refusals[attribute] = DataAccessResult.TEMPORARY_FAILURE
    freezer.tick(3700)
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert dr.async_entries_for_config_entry(registry, entry.entry_id) == before
    assert len(before) == 4
    assert value_of(hass, "sensor.gas_meter_gas_volume") == "1234.567"


@pytest.mark.parametrize("silent", [False, True], ids=["loaded", "not reached"])
async def test_devices_that_may_be_removed(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    line: Line,
    entry: MockConfigEntry,
    silent: bool,
) -> None:
    """By the user: what is there is not removed, nor the meter; of who is behind a meter nobody reaches he knows more."""
    assert await async_setup_component(hass, "config", {})
    await load(hass, line, entry, SUB_METERS)
    registry = dr.async_get(hass)
    gone = registry.async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={(DOMAIN, f"{UNIQUE_ID}_1111")}
    )
    if silent:
        line.broken = NOBODY
        await hass.config_entries.async_reload(entry.entry_id)
    devices = {
        device.serial_number: device.id
        for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
    }
    client = await hass_ws_client(hass)
    removed = {
        number
        for number, device_id in devices.items()
        if (await client.remove_device(device_id))["success"]
    }
    assert gone.serial_number is None
    behind = {"12345678", "87654321", "33445566"}
    assert removed == ({None, *behind} if silent else {None})
    assert "40817263" in devices


async def test_new_object_appears_and_vanished_one_goes(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """The list of objects is read once a day."""
    await load(hass, line, entry, PREPAID)
    before = set(er.async_get(hass).entities)
    without = [i for i in PREPAID if str(i.logical_name) != "1-0:12.7.0*255"]
    frequency = [i for i in INDUSTRIAL if str(i.logical_name) == "1-0:14.7.0*255"]
    line.meter = Meter(now=line.meter.now, objects=(*without, *frequency))
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert set(er.async_get(hass).entities) == before

    freezer.tick(86_400)
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    after = set(er.async_get(hass).entities)
    assert before - after == {"sensor.sim_p1_voltage"}
    assert after - before == {"sensor.sim_p1_frequency"}
    assert value_of(hass, "sensor.sim_p1_frequency") == "50.01"
