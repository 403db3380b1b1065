"""What entities tell beside their state, and that what one object does not tell concerns no other."""

from collections.abc import Sequence
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import (
    CONF_CHANGE_SETTINGS,
    CONF_SUPPLY_SWITCH,
    DOMAIN,
)
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Data,
    DataAccessResult,
    Obis,
    Unit,
)
from custom_components.dlms_meter.event_log import COVERS
from tests.home import DEVICE, WITH_PASSWORD, Line, altered, answer_of, set_up, value_of
from tests.models import INDUSTRIAL, PREPAID, SUB_METERS, demand, extended, identity
from tests.simulator import Meter
from tests.simulator.objects import (
    NULL,
    MeterObject,
    bits,
    boolean,
    octets,
    structure,
    uint8,
)

NOW = "2026-11-20T12:00:30Z"
MOMENT = "2026-11-10T14:30:00+00:00"
"""When the models' demands were captured."""
WHO_IT_IS = {Obis.parse("0-0:42.0.0"), Obis.parse("0-0:96.1.0")}

pytestmark = pytest.mark.usefixtures("everything_enabled")


@pytest.fixture
def now(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOW)


async def load(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    objects: Sequence[MeterObject],
) -> None:
    """Load a meter, and read everything of it."""
    line.meter = Meter(now=line.meter.now, objects=objects)
    await read(hass, entry)


async def read(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await set_up(
        hass,
        entry,
        WITH_PASSWORD,
        {CONF_CHANGE_SETTINGS: True, CONF_SUPPLY_SWITCH: True},
    )
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()


def attributes(hass: HomeAssistant, entity_id: str) -> dict[str, Any]:
    state = hass.states.get(entity_id)
    assert state is not None
    return dict(state.attributes)


@pytest.mark.parametrize("objects", [PREPAID, SUB_METERS, INDUSTRIAL])
async def test_each_entity_tells_its_object(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    objects: Sequence[MeterObject],
) -> None:
    """The OBIS code of the object it shows; buttons, the line and a log that told nothing yet show none."""
    await load(hass, line, entry, objects)
    coordinator = entry.runtime_data
    registry = er.async_get(hass)
    shown = 0
    for plan in coordinator.plans():
        if plan.platform in ("button", "event"):
            continue
        entity_id = registry.async_get_entity_id(
            plan.platform, DOMAIN, coordinator.entity_unique_id(plan)
        )
        assert entity_id is not None
        code = attributes(hass, entity_id)["obis_code"]
        assert code == str(plan.attributes[0].logical_name)
        shown += 1
    assert shown > 10


# What the attribute with the status holds, and what is shown of it.
STATUSES: dict[str, tuple[Data, object]] = {
    "number": (uint8(3), 3),
    "bits": (bits(0x2000, 16), "0010000000000000"),
    "octets": (octets(b"\x80\x01"), "8001"),
    "nothing": (NULL, None),
    "structure": (structure(uint8(1)), None),
    "boolean": (boolean(True), True),
}


@pytest.mark.parametrize("name", STATUSES)
async def test_status_and_time_of_a_maximum(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, name: str
) -> None:
    status, shown = STATUSES[name]
    maximum = extended("1-0:1.6.0", 4_870, 0, Unit.WATT, status)
    await load(hass, line, entry, (*identity("I5", "1"), maximum))
    told = attributes(hass, "sensor.sim_i5_maximum_demand_import")
    assert told["status"] == shown
    assert told["capture_time"].isoformat() == MOMENT
    time = value_of(hass, "sensor.sim_i5_time_of_peak_import")
    assert time == MOMENT


async def test_status_and_time_of_a_demand(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    objects = (*identity("I5", "1"), demand("1-0:1.4.0", 640, 812, Unit.WATT))
    await load(hass, line, entry, objects)
    told = attributes(hass, "sensor.sim_i5_last_demand_import")
    assert told["status"] == 0
    assert told["capture_time"].isoformat() == MOMENT


@pytest.mark.parametrize(
    "clock",
    [
        ("07EA0B14050D002300FFC400", 5, (-60, False, 0)),
        ("07EA0714010D001E00FF8881", -10_630_800, (-120, True, 0x81)),
        ("07EA0B14050C001E00800003", 0, (None, False, 3)),
        ("07EA0B14050C001E008000FF", 0, (None, None, None)),
    ],
    ids=["winter", "summer, invalid", "without deviation", "without status"],
)
@pytest.mark.usefixtures("now")
async def test_clock(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    clock: tuple[str, int, tuple[int | None, bool | None, int | None]],
) -> None:
    """Its time, deviation from UTC in minutes, daylight saving time, status; its state is the drift."""
    shown, drift, told = clock
    await hass.config.async_set_time_zone("UTC")
    line.meter = altered(line.meter, {"0-0:1.0.0*255": octets(bytes.fromhex(shown))})
    await read(hass, entry)
    entity_id = f"sensor.{DEVICE}_clock_drift"
    assert value_of(hass, entity_id) == str(drift)
    beside = attributes(hass, entity_id)
    keys = ("deviation", "daylight_saving", "status")
    assert tuple(beside[key] for key in keys) == told
    read_at = entry.runtime_data.data.read_at
    assert (beside["meter_time"] - read_at).total_seconds() == drift


@pytest.mark.usefixtures("now")
async def test_profile(hass: HomeAssistant, line: Line, entry: MockConfigEntry) -> None:
    """How often it captures, how many rows there are, and the newest one with its time."""
    await read(hass, entry)
    profile = f"sensor.{DEVICE}_load_profile_newest_row"
    told = attributes(hass, profile)
    newest = "2026-11-20T12:00:00+00:00"
    assert value_of(hass, profile) == newest
    assert told["time"] == newest
    assert told["obis_code"] == "1-0:99.1.0*255"
    assert told["capture_period"] == 900
    in_use = AttributeDescriptor(7, Obis.parse("1-0:99.1.0"), 7)
    assert told["entries"] == answer_of(line.meter, in_use).value
    assert set(told["values"]) == {
        "0-0:1.0.0*255",
        "0-0:96.10.1*255",
        "1-0:1.8.0*255",
        "1-0:2.8.0*255",
        "1-0:1.4.0*255",
    }


async def test_dead_object_takes_no_other_down(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """Each attribute in turn is refused: what shows it is unavailable, all else is there.

    Only who it is a meter must tell, or its readings might be another one's.
    """
    await read(hass, entry)
    coordinator = entry.runtime_data
    registry = er.async_get(hass)
    shown_by: dict[AttributeDescriptor, set[str]] = {}
    for plan in coordinator.plans():
        entity_id = registry.async_get_entity_id(
            plan.platform, DOMAIN, coordinator.entity_unique_id(plan)
        )
        assert entity_id is not None
        is_read = plan.platform != "button" and plan.kind not in COVERS
        if is_read and plan.attributes[0].logical_name not in WHO_IT_IS:
            shown_by.setdefault(plan.attributes[0], set()).add(entity_id)
    assert len(shown_by) > 40
    for attribute, entities in shown_by.items():
        line.meter.refusals = {attribute: DataAccessResult.HARDWARE_FAULT}
        await coordinator.async_refresh()
        await hass.async_block_till_done()
        silent = {
            state.entity_id
            for state in hass.states.async_all()
            if state.state == "unavailable"
        }
        assert silent == entities, attribute
