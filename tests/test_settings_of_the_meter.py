"""Numbers and choices that change settings of the meter: only where it says so, for those who asked."""

from collections.abc import Sequence

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import CONF_CHANGE_SETTINGS
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Data,
    DataAccessResult,
    Obis,
    Unit,
)
from custom_components.dlms_meter.settings import from_input
from tests.home import WITH_PASSWORD, Line, value_of
from tests.models import disconnector, identity, register
from tests.simulator import Meter, MeterSettings
from tests.simulator.controls import _writable
from tests.simulator.objects import (
    MeterObject,
    array,
    boolean,
    cosem_object,
    int8,
    octets,
    structure,
    uint16,
    uint32,
)
from tests.simulator.settings import EVERY_SERVICE

pytestmark = pytest.mark.usefixtures("impatient", "everything_enabled")
POWER = "1-0:1.7.0"
LIMIT, EMERGENCY = "number.sim_l1_limit", "number.sim_l1_emergency_limit"
OVER, UNDER = "number.sim_l1_time_above_the_limit", "number.sim_l1_time_below_the_limit"
MODE = "select.sim_l1_disconnector_control_mode"


def limiter(watched: Data) -> MeterObject:
    nothing = structure(octets(bytes(6)), uint16(0))
    return cosem_object(
        71,
        "0-0:17.0.0",
        watched,
        uint32(0),
        uint32(5000),
        uint32(1500),
        uint32(60),
        uint32(30),
        structure(uint16(0), octets(bytes(12)), uint32(0)),
        array(()),
        boolean(False),
        structure(nothing, nothing),
    )


WATCHED = structure(uint16(3), octets(Obis.parse(POWER)), int8(2))
LIMITED: Sequence[MeterObject] = (
    *identity("L1", "1.0"),
    register(POWER, 412, -1, Unit.WATT),
    _writable(limiter(WATCHED), 4, 6),
    _writable(disconnector("0-0:96.3.10", connected=True, state=1), 4),
)


async def load(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    objects: Sequence[MeterObject] = LIMITED,
    *,
    asked: bool = True,
) -> Meter:
    line.meter = Meter(
        MeterSettings(conformance=EVERY_SERVICE), now=line.meter.now, objects=objects
    )
    hass.config_entries.async_update_entry(
        entry, data=from_input(WITH_PASSWORD), options={CONF_CHANGE_SETTINGS: asked}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    await entry.runtime_data.async_refresh()
    return line.meter


def told(meter: Meter) -> dict[str, object]:
    return {str(where): data.value for where, data in meter.written.items()}


async def set_number(hass: HomeAssistant, entity_id: str, value: float) -> None:
    where = {"entity_id": entity_id, "value": value}
    await hass.services.async_call("number", "set_value", where, blocking=True)
    await hass.async_block_till_done()


async def test_settings_are_shown_and_written(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """Limits in the unit of what is watched; only what the meter lets us write is there."""
    meter = await load(hass, line, entry)
    assert (value_of(hass, LIMIT), value_of(hass, OVER)) == ("500.0", "60.0")
    state = hass.states.get(LIMIT)
    assert state is not None
    assert state.attributes["unit_of_measurement"] == "W"
    for entity_id in (EMERGENCY, UNDER):
        assert hass.states.get(entity_id) is None
    await set_number(hass, LIMIT, 230.5)
    await set_number(hass, OVER, 90)
    assert value_of(hass, MODE) == "2"
    where = {"entity_id": MODE, "option": "4"}
    await hass.services.async_call("select", "select_option", where, blocking=True)
    await hass.async_block_till_done()
    assert told(meter) == {
        "71/0-0:17.0.0*255/4": 2305,
        "71/0-0:17.0.0*255/6": 90,
        "70/0-0:96.3.10*255/4": 4,
    }
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert (value_of(hass, LIMIT), value_of(hass, OVER)) == ("230.5", "90.0")
    assert value_of(hass, MODE) == "4"


async def test_they_are_there_for_those_who_asked_only(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    await load(hass, line, entry)
    registry = er.async_get(hass)
    assert registry.async_get(LIMIT) is not None
    hass.config_entries.async_update_entry(entry, options={})
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    for entity_id in (LIMIT, OVER, MODE):
        assert registry.async_get(entity_id) is None


async def test_what_does_not_fit_or_is_refused(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    meter = await load(hass, line, entry)
    with pytest.raises(ServiceValidationError):
        await set_number(hass, LIMIT, 230.55)  # the meter counts in tenths
    limit = AttributeDescriptor(71, Obis.parse("0-0:17.0.0"), 4)
    meter.refusals[limit] = DataAccessResult.READ_WRITE_DENIED
    with pytest.raises(HomeAssistantError):
        await set_number(hass, LIMIT, 230.5)
    assert not meter.written


@pytest.mark.parametrize(
    ("watched", "shown"),
    [
        (structure(uint16(3), octets(Obis.parse("1-0:2.7.0")), int8(2)), "unavailable"),
        (uint16(0), "unavailable"),
        (structure(uint16(1), octets(Obis.parse("0-0:96.14.0")), int8(2)), "5000.0"),
    ],
)
async def test_limit_of_what_is_not_read(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, watched: Data, shown: str
) -> None:
    """Without its scaler nobody knows what the number means."""
    others = [item for item in LIMITED if item.class_id != 71]
    await load(hass, line, entry, (*others, _writable(limiter(watched), 4)))
    assert value_of(hass, LIMIT) == shown


@pytest.mark.parametrize(("attribute_id", "entity_id"), [(4, LIMIT), (6, OVER)])
async def test_what_is_no_number(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    attribute_id: int,
    entity_id: str,
) -> None:
    meter = await load(hass, line, entry)
    where = AttributeDescriptor(71, Obis.parse("0-0:17.0.0"), attribute_id)
    meter.written[where] = octets(b"much")
    mode = AttributeDescriptor(70, Obis.parse("0-0:96.3.10"), 4)
    meter.written[mode] = uint16(77)
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert value_of(hass, entity_id) == "unknown"
    assert value_of(hass, MODE) == "unknown"
