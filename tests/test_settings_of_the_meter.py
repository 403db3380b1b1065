"""Numbers and choices that change settings of the meter: only where it says so, for those who asked."""

from collections.abc import Sequence
from typing import NamedTuple
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import CONF_CHANGE_SETTINGS, DOMAIN
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Data,
    DataAccessResult,
    Obis,
    SelectedAttribute,
    Unit,
)
from custom_components.dlms_meter.plan import _SETTINGS
from tests.home import UNIQUE_ID, WITH_PASSWORD, Line, set_up, value_of
from tests.models import (
    POWER,
    disconnector,
    identity,
    limiter,
    mbus_client,
    register,
)
from tests.simulator import Meter, MeterSettings
from tests.simulator.controls import _writable
from tests.simulator.household import HOUSEHOLD_METER
from tests.simulator.objects import (
    AssociationFacts,
    MeterObject,
    enum,
    int8,
    octets,
    structure,
    uint16,
    uint32,
)
from tests.simulator.settings import EVERY_SERVICE

pytestmark = pytest.mark.usefixtures("impatient", "everything_enabled")
LIMIT, EMERGENCY = "number.sim_l1_limit", "number.sim_l1_emergency_limit"
OVER, UNDER = "number.sim_l1_time_above_the_limit", "number.sim_l1_time_below_the_limit"
MODE = "select.sim_l1_disconnector_control_mode"


LIMITED: Sequence[MeterObject] = (
    *identity("L1", "1.0"),
    register(POWER, 412, -1, Unit.WATT),
    _writable(limiter(), 4, 6),
    _writable(disconnector("0-0:96.3.10", connected=True, state=1), 4),
)
EVERY_SETTING: Sequence[MeterObject] = (
    *(item for item in LIMITED if item.class_id != 71),
    _writable(limiter(), 4, 5, 6, 7),
    mbus_client(1, 0x12345678, 0x2324, 3),
    _writable(disconnector("0-1:24.4.0", connected=True, state=1), 4),
    *(
        _writable(item, 4)
        for item in HOUSEHOLD_METER
        if str(item.logical_name) == "1-0:99.1.0*255"
    ),
)


async def load(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    objects: Sequence[MeterObject] = LIMITED,
    *,
    asked: bool = True,
    kind: type[Meter] = Meter,
) -> Meter:
    line.meter = kind(
        MeterSettings(conformance=EVERY_SERVICE), now=line.meter.now, objects=objects
    )
    await set_up(hass, entry, WITH_PASSWORD, {CONF_CHANGE_SETTINGS: asked})
    # As when a user enables them: they are known, and read by the first poll.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    return line.meter


def told(meter: Meter) -> dict[str, object]:
    return {str(where): data.value for where, data in meter.written.items()}


async def set_number(hass: HomeAssistant, entity_id: str, value: float) -> None:
    where = {"entity_id": entity_id, "value": value}
    await hass.services.async_call("number", "set_value", where, blocking=True)
    await hass.async_block_till_done()


class Setting(NamedTuple):
    """One that can be changed: where it is shown, as what at first, what is chosen, and what the meter is then told."""

    kind: str
    entity_id: str
    attribute: AttributeDescriptor
    before: str
    choice: float | str
    after: str
    written: Data


def at(class_id: int, code: str, attribute_id: int) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse(code), attribute_id)


VALVE_MODE = "select.gas_meter_disconnector_control_mode"
INTERVAL = "number.sim_l1_load_profile_interval"
EACH_SETTING = [
    Setting("normal_threshold", LIMIT, at(71, "0-0:17.0.0", 4), "500.0", 230.5, "230.5", uint32(2305)),
    Setting("emergency_threshold", EMERGENCY, at(71, "0-0:17.0.0", 5), "150.0", 99.9, "99.9", uint32(999)),
    Setting("over_threshold_duration", OVER, at(71, "0-0:17.0.0", 6), "60.0", 90, "90.0", uint32(90)),
    Setting("under_threshold_duration", UNDER, at(71, "0-0:17.0.0", 7), "30.0", 45, "45.0", uint32(45)),
    Setting("capture_period", INTERVAL, at(7, "1-0:99.1.0", 4), "900.0", 3600, "3600.0", uint32(3600)),
    Setting("control_mode", MODE, at(70, "0-0:96.3.10", 4), "mode_2", "mode_4", "mode_4", enum(4)),
    Setting("control_mode", VALVE_MODE, at(70, "0-1:24.4.0", 4), "mode_2", "mode_0", "mode_0", enum(0)),
]  # fmt: skip
EACH = pytest.mark.parametrize("setting", EACH_SETTING, ids=lambda each: each.entity_id)


def test_each_setting_is_tried() -> None:
    assert {each.kind for each in EACH_SETTING} == {row.kind for row in _SETTINGS}


async def choose(hass: HomeAssistant, setting: Setting) -> None:
    """Choose a value as automations do."""
    platform = setting.entity_id.partition(".")[0]
    action, field = {
        "number": ("set_value", "value"),
        "select": ("select_option", "option"),
    }[platform]
    where = {"entity_id": setting.entity_id, field: setting.choice}
    await hass.services.async_call(platform, action, where, blocking=True)
    await hass.async_block_till_done()


@EACH
async def test_setting_is_written(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, setting: Setting
) -> None:
    """Shown after the first poll; written with the type and the scale of the meter; at once shown as the meter has it."""
    meter = await load(hass, line, entry, EVERY_SETTING)
    assert value_of(hass, setting.entity_id) == setting.before
    await choose(hass, setting)
    assert meter.written == {setting.attribute: setting.written}
    assert value_of(hass, setting.entity_id) == setting.after


class Stubborn(Meter):
    """A meter that lists rights to write, and then refuses."""

    def write(
        self,
        association: AssociationFacts,
        wanted: SelectedAttribute,
        value: Data,
    ) -> DataAccessResult:
        return DataAccessResult.READ_WRITE_DENIED


@EACH
async def test_setting_is_refused(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, setting: Setting
) -> None:
    """The user is told why, and the old value stays."""
    meter = await load(hass, line, entry, EVERY_SETTING, kind=Stubborn)
    with pytest.raises(HomeAssistantError) as refused:
        await choose(hass, setting)
    assert refused.value.translation_key == "refused_denied"
    assert "does not allow this" in str(refused.value)
    assert not meter.written
    assert value_of(hass, setting.entity_id) == setting.before
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert value_of(hass, setting.entity_id) == setting.before


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
    assert value_of(hass, MODE) == "mode_2"
    where = {"entity_id": MODE, "option": "mode_4"}
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
    assert value_of(hass, MODE) == "mode_4"


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


async def test_limit_of_what_nobody_looks_at(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """How what is watched is counted is read with the limit, though its sensor is disabled."""
    code = "1-0:9.7.0"
    watched = structure(uint16(3), octets(Obis.parse(code)), int8(2))
    others = [item for item in LIMITED if item.class_id != 71]
    objects = (
        *others,
        register(code, 1, 2, Unit.VOLT_AMPERE),
        _writable(limiter(watched), 4),
    )
    with patch.object(Entity, "entity_registry_enabled_default", False):
        registry = er.async_get(hass)
        limit = registry.async_get_or_create(
            "number",
            DOMAIN,
            f"{UNIQUE_ID}_71_0-0:17.0.0*255_4_normal_threshold",
            config_entry=entry,
        ).entity_id
        await load(hass, line, entry, objects)
    assert hass.states.async_entity_ids("sensor") == []
    state = hass.states.get(limit)
    assert state is not None
    assert (state.state, state.attributes["unit_of_measurement"]) == ("500000.0", "VA")


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
