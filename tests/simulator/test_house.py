"""The house behind the simulated meter, and whether its readings belong together."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter

import pytest

from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectiveAccess
from custom_components.dlms_meter.dlms.cosem.obis import Obis

from . import House
from .clients import (
    EVENT_LOG,
    LOAD_PROFILE,
    NOW,
    by_entry,
    date_time,
    date_time_of,
    elements,
    load_profile,
    make_meter,
    number,
    read,
    register,
    structure,
)
from .house import BUILT, QUARTER

MIDNIGHT_IN_BERLIN = datetime(2026, 10, 31, 23, tzinfo=UTC)  # 1 November begins


def test_energy_is_the_integral_of_power() -> None:
    """Summed second by second, over quarters in which the house both draws and feeds in."""
    house = House(seed=3)
    begin = datetime(2026, 6, 21, 4, 3, 20, tzinfo=UTC)
    hours = 5
    drawn = fed = reactive = 0.0
    for second in range(hours * 3600):
        middle = begin + timedelta(seconds=second + 0.5)
        power = house.power(middle)
        drawn += max(power, 0) / 3600
        fed += max(-power, 0) / 3600
        reactive += house.reactive_power(middle) / 3600
    then, now = house.energies(begin), house.energies(begin + timedelta(hours=hours))
    imported = now.import_day + now.import_night - then.import_day - then.import_night
    exported = now.export_day + now.export_night - then.export_day - then.export_night
    assert min(drawn, fed) > 100
    assert imported == pytest.approx(drawn, rel=1e-4)
    assert exported == pytest.approx(fed, rel=1e-4)
    assert now.reactive_import - then.reactive_import == pytest.approx(
        reactive, rel=1e-4
    )
    assert now.reactive_export - then.reactive_export == pytest.approx(12 * hours)


def test_a_seed_decides_everything_in_any_order() -> None:
    forwards, backwards = House(seed=5), House(seed=5)
    moments = [BUILT + timedelta(days=days, minutes=13) for days in (3, 90, 200)]
    ahead = [forwards.energies(moment) for moment in moments]
    back = [backwards.energies(moment) for moment in reversed(moments)]
    assert ahead == back[::-1]
    assert House(seed=6).energies(moments[0]) != ahead[0]


def test_no_time_before_the_house() -> None:
    with pytest.raises(ValueError, match="no time before 2026-01-01"):
        House(seed=1).power(BUILT - timedelta(seconds=1))


@pytest.mark.parametrize("code", ["1.8.0", "1.8.1", "1.8.2", "2.8.0", "3.8.0", "4.8.0"])
def test_registers_never_run_backwards(code: str) -> None:
    moments = [NOW + timedelta(seconds=97 * step) for step in range(1000)]
    readings = [register(make_meter(now=moment), code) for moment in moments]
    assert readings == sorted(readings)
    assert readings[0] < readings[-1]


@pytest.mark.parametrize("hour", range(24))
def test_readings_agree_with_each_other(hour: int) -> None:
    """Tariffs add up to the total, phases to the power, and nothing is out of the ordinary."""
    meter = make_meter(now=NOW.replace(hour=hour, month=5))

    def total(*codes: str) -> int:
        return sum(register(meter, code) for code in codes)

    assert total("1.8.0") == total("1.8.1", "1.8.2")
    assert total("2.8.0") == total("2.8.1", "2.8.2")
    drawn, fed = total("1.7.0"), total("2.7.0")
    assert drawn - fed == total("16.7.0")
    assert not (drawn and fed)
    assert total("21.7.0", "41.7.0", "61.7.0") == pytest.approx(drawn, abs=1)
    assert total("22.7.0", "42.7.0", "62.7.0") == pytest.approx(fed, abs=1)
    assert all(2200 < total(code) < 2450 for code in ("32.7.0", "52.7.0", "72.7.0"))
    assert 4990 < total("14.7.0") < 5010
    assert -1000 <= total("13.7.0") <= 1000
    tariff_1 = 5 <= hour < 21  # 6 to 22 in standard time, one hour ahead of UTC
    assert number(meter, 1, "0-0:96.14.0") == (1 if tariff_1 else 2)


def test_demand_is_the_mean_of_a_quarter_and_its_maximum_the_greatest_of_the_month() -> (
    None
):
    demands = {
        row.moment: row.demand
        for row in load_profile(make_meter())
        if row.moment > MIDNIGHT_IN_BERLIN
    }
    meter = make_meter()
    assert number(meter, 5, "1-0:1.4.0", 3) == demands[NOW.replace(minute=0, second=0)]
    highest = number(meter, 4, "1-0:1.6.0")
    captured = date_time(meter, 4, "1-0:1.6.0", 5).as_utc()
    assert captured is not None
    assert highest == max(demands.values()) == demands[captured]


def test_demand_of_a_month_just_begun_is_zero() -> None:
    meter = make_meter(now=MIDNIGHT_IN_BERLIN + timedelta(minutes=5))
    assert number(meter, 4, "1-0:1.6.0") == 0
    assert date_time(meter, 4, "1-0:1.6.0", 5).as_utc() == MIDNIGHT_IN_BERLIN


def test_demand_so_far_grows_to_the_last_demand() -> None:
    over = NOW.replace(hour=20, minute=15, second=0)
    almost = make_meter(now=over - timedelta(seconds=1))
    last = number(make_meter(now=over), 5, "1-0:1.4.0", 3)
    assert last > 100
    assert number(almost, 5, "1-0:1.4.0") == pytest.approx(last, rel=0.01)
    assert number(make_meter(now=over), 5, "1-0:1.4.0") == 0


def test_a_new_meter_has_no_last_demand() -> None:
    assert number(make_meter(now=BUILT), 5, "1-0:1.4.0", 3) == 0


def test_clock_says_its_deviation_and_daylight_saving() -> None:
    winter, summer = make_meter(), make_meter(now=NOW.replace(month=7))
    shown = date_time(winter, 8, "0-0:1.0.0", 2)
    assert str(shown.local()) == "2026-11-23 13:07:11"
    assert shown.deviation == number(winter, 8, "0-0:1.0.0", 3) == -60
    assert number(winter, 8, "0-0:1.0.0", 4) == 0
    shown = date_time(summer, 8, "0-0:1.0.0", 2)
    assert str(shown.local()) == "2026-07-23 14:07:11"
    assert shown.deviation == -120
    assert number(summer, 8, "0-0:1.0.0", 4) == 0x80


# Profiles.


def test_load_profile_has_sixty_days_that_add_up() -> None:
    rows = load_profile(make_meter())
    newest = NOW.replace(minute=0, second=0)
    ages = reversed(range(60 * 96))
    assert [row.moment for row in rows] == [newest - QUARTER * age for age in ages]
    for earlier, later in pairwise(rows):
        drawn = later.imported - earlier.imported
        # The registers show whole Wh of two tariffs, the demand whole W.
        assert drawn * 4 == pytest.approx(later.demand, abs=9)
        assert not (drawn > 1 and later.exported - earlier.exported > 1)


def moment_of(day: int, deviation: str) -> Data:
    """Midnight of a day of November in the meter's own time."""
    octets = bytes.fromhex(f"07EA0B{day:02X}FF00000000{deviation}00")
    return Data(DataType.OCTET_STRING, octets)


def column(class_id: int, code: str) -> Data:
    return structure(
        Data(DataType.LONG_UNSIGNED, class_id),
        Data(DataType.OCTET_STRING, bytes(Obis.parse(code))),
        Data(DataType.INTEGER, 2),
        Data(DataType.LONG_UNSIGNED, 0),
    )


CLOCK = column(8, "0-0:1.0.0")
IMPORTED = column(3, "1-0:1.8.0")
BEGIN, END = moment_of(3, "FFC4"), moment_of(4, "FFC4")


def by_range(
    restricting: Data, first: Data, last: Data, *columns: Data
) -> SelectiveAccess:
    selected = Data(DataType.ARRAY, columns)
    return SelectiveAccess(1, structure(restricting, first, last, selected))


def select(access: SelectiveAccess) -> list[tuple[Data, ...]]:
    return [elements(row) for row in elements(read(make_meter(), LOAD_PROFILE, access))]


@pytest.mark.parametrize("deviation", ["FFC4", "8000"])
def test_profile_by_range(deviation: str) -> None:
    """One day of the meter's own time, both ends included, with a deviation or without."""
    access = by_range(CLOCK, moment_of(3, deviation), moment_of(4, deviation))
    rows = select(access)
    first, last = (date_time_of(row[0]).as_utc() for row in (rows[0], rows[-1]))
    assert first == datetime(2026, 11, 2, 23, tzinfo=UTC)
    assert last == datetime(2026, 11, 3, 23, tzinfo=UTC)
    assert len(rows) == 97


def test_profile_by_range_with_columns() -> None:
    whole = select(by_range(CLOCK, BEGIN, END))
    assert select(by_range(CLOCK, BEGIN, END, IMPORTED)) == [(row[2],) for row in whole]
    both = by_range(CLOCK, BEGIN, END, IMPORTED, CLOCK)
    assert select(both) == [(row[2], row[0]) for row in whole]


@pytest.mark.parametrize(
    ("access", "rows", "columns"),
    [
        (by_entry(1, 3), slice(0, 3), slice(0, 5)),
        (by_entry(5759, 0, 2, 3), slice(5758, 5760), slice(1, 3)),
        (by_entry(6000, 0), slice(0, 0), slice(0, 5)),
    ],
)
def test_profile_by_entry(access: SelectiveAccess, rows: slice, columns: slice) -> None:
    whole = [elements(row) for row in elements(read(make_meter(), LOAD_PROFILE))]
    assert select(access) == [row[columns] for row in whole[rows]]


NULL = Data(DataType.NULL_DATA, None)


@pytest.mark.parametrize(
    "access",
    [
        by_range(IMPORTED, BEGIN, END),
        by_range(CLOCK, BEGIN, END, column(3, "1-0:9.8.0")),
        by_range(CLOCK, Data(DataType.UNSIGNED, 1), END),
        by_range(CLOCK, moment_of(0xFF, "8000"), END),
        by_range(CLOCK, Data(DataType.OCTET_STRING, b"short"), END),
        by_entry(0, 0),
        SelectiveAccess(2, structure(NULL, NULL, NULL, NULL)),
        SelectiveAccess(2, structure()),
        SelectiveAccess(1, NULL),
    ],
)
def test_profile_refuses_what_it_cannot_select(access: SelectiveAccess) -> None:
    assert read(make_meter(), LOAD_PROFILE, access) is DataAccessResult.TYPE_UNMATCHED


def test_event_log_is_in_order_and_matches_its_counters() -> None:
    meter = make_meter()
    rows = [elements(row) for row in elements(read(meter, EVENT_LOG))]
    log = [
        (date_time_of(moment).as_utc() or BUILT, code.value) for moment, code in rows
    ]
    assert log == sorted(log, key=lambda event: event[0])
    assert len(log) == number(meter, 7, "0-0:99.98.0", 7) > 20
    assert number(meter, 1, "0-0:96.7.0") == [code for _, code in log].count(1)
    assert number(meter, 1, "0-0:96.11.0") == log[-1][1]


def test_event_log_of_a_new_meter_is_empty() -> None:
    meter = make_meter(now=BUILT)
    assert elements(read(meter, EVENT_LOG)) == ()
    assert number(meter, 1, "0-0:96.11.0") == 0


def test_rows_stay_what_they_were() -> None:
    """Tomorrow's load profile shows today's rows again."""
    today = load_profile(make_meter())
    tomorrow = load_profile(make_meter(now=NOW + timedelta(days=1)))
    assert tomorrow[:-96] == today[96:]
    assert max(map(attrgetter("status"), today)) == 8
