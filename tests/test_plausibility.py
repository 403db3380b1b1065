"""Counting registers: what cannot be true is held back, what the meter insists on is believed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
import logging

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.dlms import AttributeDescriptor, Obis, Quantity, Unit
from custom_components.dlms_meter.plausibility import (
    HELD_POLLS,
    Accepted,
    PlausibilityGuard,
)
from tests.home import DEVICE, Line, altered, value_of
from tests.simulator.objects import uint32

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
POWER = AttributeDescriptor(3, Obis.parse("1-0:1.7.0*255"), 2)
NET = AttributeDescriptor(3, Obis.parse("1-0:16.8.0*255"), 2)
LAST_MONTH = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*1"), 2)


def believed(
    values: list[int],
    attribute: AttributeDescriptor = ENERGY,
    unit: int = Unit.WATT_HOUR,
) -> list[int]:
    """Return what is shown of readings a minute apart."""
    guard = PlausibilityGuard({})
    shown = []
    for minute, value in enumerate(values):
        now = START + timedelta(minutes=minute)
        quantity = Quantity(Decimal(value), unit)
        believed = guard.believe("meter", attribute, quantity, now)
        assert isinstance(believed, Quantity)
        assert believed.unit == unit
        shown.append(int(believed.value))
    return shown


T = 16_532_694


@pytest.mark.parametrize(
    ("read", "shown"),
    [
        ([T, T, T + 5, T + 90], [T, T, T + 5, T + 90]),
        ([T, 0, T + 1], [T, T, T + 1]),
        ([T, T - 1, T + 1], [T, T, T + 1]),
        ([T, 10 * T, T + 1], [T, T, T + 1]),
        ([T, 0, 0, 0, 0, 5], [T, T, T, T, 0, 5]),
        ([T, 0, 3 * T, 0, 4, 5], [T, T, T, T, 4, 5]),
        ([T, 0, T, 0, 0, 0, T], [T, T, T, T, T, T, T]),
        ([T, 10 * T, 10 * T, 10 * T, 10 * T], [T, T, T, T, 10 * T]),
        ([0, 5, 200_000, 200_001], [0, 5, 200_000, 200_001]),
    ],
)
def test_energy(read: list[int], shown: list[int]) -> None:
    assert believed(read) == shown
    assert HELD_POLLS == 3


@pytest.mark.parametrize(
    ("reading", "reason"),
    [(0, "fell from 16532694 Wh to 0 Wh"), (9 * T, "jumped from 16532694 Wh to 148794246 Wh")],
)  # fmt: skip
def test_reason_is_logged(
    caplog: pytest.LogCaptureFixture, reading: int, reason: str
) -> None:
    """Once when it is not believed, and once when it is, in a form that can be looked for."""
    assert believed([T, *[reading] * (HELD_POLLS + 2)])[-1] == reading
    told = [record.getMessage() for record in caplog.records]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert told == [
        f"meter: 3/1-0:1.8.0*255/2 {reason}; not believed until it was read 4 times",
        f"meter: 3/1-0:1.8.0*255/2 {reason}; accepted, since the meter insists",
    ]


@pytest.mark.parametrize(
    ("unit", "possible"),
    [
        (Unit.WATT_HOUR, 300_000),
        (Unit.VAR_HOUR, 300_000),
        (Unit.VOLT_AMPERE_HOUR, 300_000),
        (Unit.JOULE, 1_000_000_000),
        (Unit.CUBIC_METRE, 160),
        (Unit.CUBIC_METRE_CORRECTED, 160),
        (Unit.LITRE, 160_000),
    ],
)
def test_no_house_uses_more_in_two_minutes(unit: int, possible: int) -> None:
    """Whatever is counted: so much more may be, twice as much is a fault of the line."""
    assert believed([0, possible], unit=unit) == [0, possible]
    assert believed([0, 3 * possible], unit=unit) == [0, 0]


@pytest.mark.parametrize(
    ("attribute", "unit"),
    [(POWER, Unit.WATT), (NET, Unit.WATT_HOUR), (LAST_MONTH, Unit.WATT_HOUR)],
)
def test_what_does_not_count_up_may_do_as_it_likes(
    attribute: AttributeDescriptor, unit: int
) -> None:
    assert believed([T, 0, 9 * T, 3], attribute, unit) == [T, 0, 9 * T, 3]


def test_new_unit_is_a_new_beginning() -> None:
    guard = PlausibilityGuard({ENERGY: Accepted(Decimal(T), Unit.WATT_HOUR, START)})
    joules = Quantity(Decimal(5), Unit.JOULE)
    assert guard.believe("meter", ENERGY, joules, START) == joules
    assert guard.believe("meter", ENERGY, None, START) is None


def test_after_a_long_time_more_is_possible() -> None:
    guard = PlausibilityGuard({ENERGY: Accepted(Decimal(1000), Unit.WATT_HOUR, START)})
    much = Quantity(Decimal(50_000_000), Unit.WATT_HOUR)
    assert guard.believe("meter", ENERGY, much, START) != much
    assert guard.believe("meter", ENERGY, much, START + timedelta(days=1)) == much


async def test_wrong_reading_is_not_shown_even_right_after_a_restart(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The last good reading is kept with the meter."""
    energy = f"sensor.{DEVICE}_energy_import"
    before, right = value_of(hass, energy), line.meter
    line.meter = altered(right, {"1-0:1.8.0*255": uint32(0)})
    freezer.tick(700)
    await hass.config_entries.async_unload(loaded.entry_id)
    await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, energy) == before
    [warning] = [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and "dlms_meter" in record.name
    ]
    assert "3/1-0:1.8.0*255/2 fell from" in warning

    line.meter = right
    await loaded.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert float(value_of(hass, energy)) >= float(before)
    assert "is plausible again" in caplog.text
