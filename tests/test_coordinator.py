"""Polling: what stands when the meter fails, wholly or in part, and what is back when it is back."""

from collections.abc import Callable
import logging
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)

from custom_components.dlms_meter.const import (
    CONF_SUPPLY_SWITCH,
    DOMAIN,
)
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    DataAccessResult,
    LocalProtocolError,
    Mechanism,
    Obis,
)
from custom_components.dlms_meter.plan import plan_entities
from custom_components.dlms_meter.settings import from_input
from tests.home import (
    DEVICE,
    EVENING,
    NOBODY,
    TITLE,
    WITH_PASSWORD,
    Line,
    altered,
    pass_time,
    silence,
    state_of,
    value_of,
)
from tests.simulator import ClientRule, Meter, MeterSettings
from tests.simulator.objects import octets

ENERGY = f"sensor.{DEVICE}_energy_import"
POWER = f"sensor.{DEVICE}_power_import"
ENERGY_VALUE = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
ENERGY_SCALER = ENERGY_VALUE._replace(attribute_id=3)
NAME = AttributeDescriptor(1, Obis.parse("0-0:42.0.0*255"), 2)

pytestmark = pytest.mark.usefixtures("impatient")


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "dlms_meter" in record.name
    ]


@pytest.mark.freeze_time(EVENING)
async def test_values_follow_the_meter(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    """One session a poll, and a complete one: opened, released, closed."""
    before = float(value_of(hass, ENERGY))
    for polls in range(1, 16):
        await pass_time(hass, freezer)
        assert len(line.wires) == 1 + polls
    assert float(value_of(hass, ENERGY)) > before


async def test_polls_think_nothing_over_again(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, loaded: MockConfigEntry
) -> None:
    """Planning takes longer than all the rest of a poll: it is done when something has changed."""
    with patch(
        "custom_components.dlms_meter.coordinator.plan_entities", wraps=plan_entities
    ) as planning:
        for _ in range(65):
            await pass_time(hass, freezer)
        assert not planning.called, "not even once an hour, when the channels are read"
        meter = loaded.runtime_data
        plans = meter.plans()
        hass.config_entries.async_update_entry(
            loaded, options={CONF_SUPPLY_SWITCH: True}
        )
        assert len(meter.plans()) == len(plans) + 1
        assert meter.plans() is meter.plans()
        meter.memory.objects = meter.memory.objects[:-1]
        assert len(meter.plans()) < len(plans)
        assert planning.call_count == 2


def break_line(line: Line) -> None:
    line.broken = NOBODY


def answer_nothing(line: Line) -> None:
    line.answer = silence


def answer_nonsense(line: Line) -> None:
    line.answer = lambda _: bytes.fromhex("0001000100100002FFFF")


def close_the_door(line: Line) -> None:
    line.meter = Meter(MeterSettings(clients=()), now=line.meter.now)


@pytest.mark.parametrize(
    "fail", [break_line, answer_nonsense, close_the_door], ids=lambda f: f.__name__
)
@pytest.mark.usefixtures("loaded")
async def test_failing_meter_is_unavailable_until_it_recovers(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[Line], None],
) -> None:
    """Never a 0, never an old value; logged once down and once up."""
    meter, before = line.meter, float(value_of(hass, ENERGY))
    caplog.clear()
    fail(line)
    for _ in range(3):
        await pass_time(hass, freezer)
        states = {
            hass.states.get(entity) for entity in hass.states.async_entity_ids("sensor")
        }
        assert {state.state for state in states if state} == {"unavailable"}
    assert len(warnings(caplog)) == 1
    assert TITLE in warnings(caplog)[0]

    line.broken, line.answer, line.meter = None, None, meter
    for _ in range(5):  # after a refusal it is left alone for so many minutes
        await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) >= before
    assert len(warnings(caplog)) == 1
    assert caplog.text.count("recovered") == 1


async def test_silent_meter_is_unavailable(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    line.answer = silence
    await loaded.runtime_data.async_refresh()
    assert value_of(hass, ENERGY) == "unavailable"
    assert value_of(hass, POWER) == "unavailable"


@pytest.mark.parametrize(
    "attribute", [ENERGY_VALUE, ENERGY_SCALER], ids=["value", "scaler"]
)
@pytest.mark.freeze_time(EVENING)
@pytest.mark.usefixtures("entry")
async def test_refused_attribute_spoils_no_other(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    caplog: pytest.LogCaptureFixture,
    attribute: AttributeDescriptor,
) -> None:
    """Nobody can say how many powers of ten a value is off whose scaler is not told: it is not shown either."""
    line.meter.refusals[attribute] = DataAccessResult.TEMPORARY_FAILURE
    await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    for _ in range(2):
        await pass_time(hass, freezer)
        assert value_of(hass, ENERGY) == "unavailable"
        assert float(value_of(hass, POWER)) > 0
    [warning] = warnings(caplog)
    assert "3/1-0:1.8.0*255/2 cannot be read" in warning

    line.meter.refusals.clear()
    await pass_time(hass, freezer)
    await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) > 1000  # kWh
    assert caplog.text.count("3/1-0:1.8.0*255/2 is read again") == 1
    assert len(warnings(caplog)) == 1


@pytest.mark.usefixtures("entry")
async def test_what_is_missing_beside_a_value_is_no_warning(
    hass: HomeAssistant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """Many meters do not tell the status of a maximum, and nobody can do anything about it."""
    status = AttributeDescriptor(4, Obis.parse("1-0:1.6.0"), 4)
    line.meter.refusals[status] = DataAccessResult.OBJECT_UNDEFINED
    await async_setup_component(hass, DOMAIN, {})
    await hass.async_block_till_done()
    assert float(value_of(hass, f"sensor.{DEVICE}_maximum_demand_import")) > 0
    assert "4/1-0:1.6.0*255/4 cannot be read" in caplog.text
    assert not warnings(caplog)


async def test_refused_password_is_tried_once(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """Many meters lock themselves after a few wrong passwords: no poll until somebody entered the right one."""
    data = from_input(WITH_PASSWORD)
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert float(value_of(hass, ENERGY)) > 0

    other_password = MeterSettings(clients=(ClientRule(1, Mechanism.LLS, b"new"),))
    line.meter = Meter(other_password, now=line.meter.now)
    for _ in range(5):
        await pass_time(hass, freezer)

    assert len(line.wires) == 2
    assert value_of(hass, ENERGY) == "unavailable"
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_another_meter_at_the_address_is_not_read(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    mine = line.meter
    line.meter = Meter(MeterSettings(serial_number="99999999"), now=mine.now)
    await pass_time(hass, freezer)
    assert value_of(hass, ENERGY) == "unavailable"

    line.meter = mine
    await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) > 0


async def test_meter_known_by_its_serial_number_alone(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """A meter that does not tell its name this time is not taken for another one."""
    hass.config_entries.async_update_entry(entry, unique_id="SIM40817263")
    line.meter = altered(line.meter, {"0-0:42.0.0*255": octets(b"SIM")})
    await hass.config_entries.async_setup(entry.entry_id)
    assert state_of(entry) is ConfigEntryState.LOADED

    line.meter.refusals[NAME] = DataAccessResult.TEMPORARY_FAILURE
    await pass_time(hass, freezer)
    assert value_of(hass, ENERGY) == "unavailable"
    assert entry.runtime_data.last_exception.translation_key == "identity_incomplete"

    line.meter.refusals.clear()
    await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) > 0


async def test_fault_of_ours_is_logged_with_its_traceback(
    hass: HomeAssistant,
    line: Line,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    line.broken = LocalProtocolError("a fault")
    await loaded.runtime_data.async_refresh()
    assert value_of(hass, ENERGY) == "unavailable"
    assert "LocalProtocolError: a fault" in caplog.text
    assert "Traceback" in caplog.text


async def test_only_what_is_shown_is_read(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    """An entity that somebody disabled costs no time on the line, one that somebody enabled is read at once."""
    unknown = "SIM0000040817263_1_0-0:97.97.0*255_2"
    entity_registry.async_get_or_create(
        "sensor", "dlms_meter", unknown, config_entry=entry
    )
    energy = entity_registry.async_get_or_create(
        "sensor",
        "dlms_meter",
        "SIM0000040817263_3_1-0:1.8.0*255_2",
        config_entry=entry,
        disabled_by=er.RegistryEntryDisabler.USER,
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    values = entry.runtime_data.data.values
    assert ENERGY_VALUE not in values
    assert AttributeDescriptor(1, Obis.parse("0-0:97.97.0*255"), 2) in values
    assert hass.states.get(energy.entity_id) is None

    power = entity_registry.async_get(POWER)
    assert power is not None
    entity_registry.async_update_entity(
        POWER, disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.async_block_till_done()
    await pass_time(hass, freezer)
    shown = AttributeDescriptor(3, Obis.parse("1-0:1.7.0*255"), 2)
    assert shown not in entry.runtime_data.data.values


async def test_two_entries_take_turns_on_one_channel(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """Behind one gateway, the second waits until the first has hung up."""
    coordinator = loaded.runtime_data
    async with coordinator._sessions._channel:
        waiting = hass.async_create_task(coordinator.async_refresh())
        for _ in range(10):
            await hass.async_add_executor_job(int)
        assert len(line.wires) == 1
    await waiting
    assert len(line.wires) == 2
