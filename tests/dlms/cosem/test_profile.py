"""The rows of a profile: filled in, told their times, put in order, given their meaning."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
import tracemalloc

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.data import BitString, Data, DataType
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime
from custom_components.dlms_meter.dlms.codec.rows import ROWS_AT_ONCE
from custom_components.dlms_meter.dlms.cosem.capture_objects import CaptureObject
from custom_components.dlms_meter.dlms.cosem.clock import MeterClock, MomentReader
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.profile import (
    CapturedRows,
    ProfileColumn,
    ProfileRow,
    ProfileRows,
    cells_in_first_row,
    collect_rows,
)
from custom_components.dlms_meter.dlms.cosem.values import (
    Quantity,
    ScalerUnit,
    interpret,
)
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import check_damage, vectors

T = DataType
CLOCK = CaptureObject(8, Obis.parse("0-0:1.0.0"), 2)
UNIX = CaptureObject(1, Obis.parse("0-0:1.1.0"), 2)
STATUS = CaptureObject(1, Obis.parse("0-0:96.10.1"), 2)
ENERGY = CaptureObject(3, Obis.parse("1-0:1.8.0"), 2)
DEMAND = CaptureObject(4, Obis.parse("1-0:1.6.0"), 2)
DEMAND_TIME = CaptureObject(4, Obis.parse("1-0:1.6.0"), 5)
START = datetime(2026, 3, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
NULL = Data(T.NULL_DATA, None)


def at(quarters: float) -> datetime:
    return START + quarters * QUARTER


def stamp(quarters: float) -> Data:
    return Data(T.OCTET_STRING, DlmsDateTime.from_datetime(at(quarters)).encode())


def uint32(number: int) -> Data:
    return Data(T.DOUBLE_LONG_UNSIGNED, number)


def buffer(*rows: Sequence[Data]) -> bytes:
    return encode_data(
        Data(T.ARRAY, tuple(Data(T.STRUCTURE, tuple(row)) for row in rows))
    )


def collect(
    octets: bytes,
    columns: tuple[CaptureObject, ...] = (CLOCK, ENERGY),
    period: timedelta = QUARTER,
    *,
    newest_first: bool = False,
    clock: MeterClock | None = None,
) -> CapturedRows:
    reader = MomentReader(clock or MeterClock())
    time = next((column for column in columns if column.is_time), None)
    slices = collect_rows(
        octets, columns, time, period, reader, newest_first=newest_first
    )
    try:
        while True:
            next(slices)
    except StopIteration as done:
        rows: CapturedRows = done.value
        return rows


def check(captured: CapturedRows, *expected: tuple[float | None, int | None]) -> None:
    """Check quarter and value of each row."""
    assert captured.moments == [
        None if quarter is None else at(quarter) for quarter, _ in expected
    ]
    rows = ProfileRows([ProfileColumn(ENERGY)], captured)
    assert [row.values[0] for row in rows] == [value for _, value in expected]


def test_captured_with_times_left_out() -> None:
    """Three of four rows leave out their time, and the meter sends the deviation of Central Europe."""
    columns = (
        CLOCK,
        STATUS,
        ENERGY,
        ENERGY._replace(logical_name=Obis.parse("1-0:2.8.0")),
    )
    rows = collect(
        vectors("axdr", "profile-buffer")[0].octets, columns, timedelta(hours=1)
    )
    first = datetime(2019, 12, 31, 22, tzinfo=UTC)
    assert rows.moments == [first + n * timedelta(hours=1) for n in range(4)]
    shown = ProfileRows([ProfileColumn(each) for each in columns[1:]], rows)
    assert list(shown) == [
        ProfileRow(moment, (6, Decimal(1517), Decimal(1620))) for moment in rows.moments
    ]


def test_captured_without_deviation() -> None:
    octets = vectors("axdr", "profile-buffer")[1].octets
    clock = MeterClock(standard_offset=60)
    captured = collect(octets, (CLOCK, STATUS, ENERGY), clock=clock)
    assert len(captured) == 24
    assert captured.moments[0] == datetime(2018, 2, 11, 23, tzinfo=UTC)
    assert captured.moments[-1] == datetime(2018, 2, 12, 22, tzinfo=UTC)
    assert captured.cells[-1][2] == 109568


def test_null_is_the_value_before() -> None:
    rows = [
        (stamp(0), uint32(5)),
        (stamp(1), NULL),
        (NULL, NULL),
        (NULL, uint32(6)),
        (NULL, NULL),
    ]
    check(collect(buffer(*rows)), (0, 5), (1, 5), (2, 5), (3, 6), (4, 6))


def test_null_before_any_value_is_none() -> None:
    check(
        collect(buffer((stamp(0), NULL), (stamp(1), NULL), (stamp(2), uint32(1)))),
        (0, None),
        (1, None),
        (2, 1),
    )


def test_differences() -> None:
    """Newer meters send the difference from the row before."""
    rows = [
        (stamp(0), uint32(1000)),
        (NULL, Data(T.DELTA_UNSIGNED, 5)),
        (NULL, Data(T.DELTA_UNSIGNED, 6)),
        (NULL, Data(T.DELTA_INTEGER, -1)),
        (NULL, NULL),
        (NULL, uint32(2000)),
        (NULL, Data(T.DELTA_LONG, -300)),
    ]
    check(
        collect(buffer(*rows)),
        (0, 1000), (1, 1005), (2, 1011), (3, 1010), (4, 1010), (5, 2000), (6, 1700),
    )  # fmt: skip


def test_seconds_as_differences() -> None:
    start = int(START.timestamp())
    rows = [
        (uint32(start), uint32(1)),
        (Data(T.DELTA_LONG_UNSIGNED, 900), uint32(2)),
        (Data(T.DELTA_LONG_UNSIGNED, 1800), uint32(3)),
        (NULL, uint32(4)),
    ]
    check(collect(buffer(*rows), (UNIX, ENERGY)), (0, 1), (1, 2), (3, 3), (4, 4))


def test_a_second_time_left_out_is_not_that_of_the_row_before() -> None:
    """Both follow from the capture period; what is not there is not shown."""
    start = int(START.timestamp())
    rows = [(stamp(0), uint32(start), uint32(1)), (NULL, NULL, NULL)]
    captured = collect(buffer(*rows), (CLOCK, UNIX, ENERGY))
    check(captured, (0, 1), (1, 1))
    shown = ProfileRows([ProfileColumn(UNIX)], captured)
    assert [row.values[0] for row in shown] == [start, None]


@pytest.mark.parametrize(
    "first",
    [
        NULL,
        Data(T.FLOAT32, 1.5),
        Data(T.VISIBLE_STRING, "x"),
        Data(T.BIT_STRING, BitString(b"\x80", 1)),
    ],
)
def test_a_difference_from_what_is_no_number_is_none(first: Data) -> None:
    rows = [
        (stamp(0), first),
        (stamp(1), Data(T.DELTA_LONG, 5)),
        (stamp(2), Data(T.DELTA_LONG, 5)),
    ]
    captured = collect(buffer(*rows))
    shown = ProfileRows([ProfileColumn(ENERGY, ScalerUnit(0, 30))], captured)
    assert [row.values[0] for row in shown[1:]] == [None, None]


def test_missing_times_before_the_first() -> None:
    rows = [(NULL, uint32(n)) for n in range(2)] + [
        (stamp(2), uint32(2)),
        (NULL, uint32(3)),
    ]
    check(collect(buffer(*rows)), (0, 0), (1, 1), (2, 2), (3, 3))


def test_missing_times_with_the_newest_first() -> None:
    rows = [
        (NULL, uint32(9)), (stamp(8), uint32(8)), (NULL, uint32(7)),
        (stamp(4), uint32(4)), (stamp(3), uint32(3)), (stamp(2), uint32(2)),
    ]  # fmt: skip
    check(collect(buffer(*rows)), (2, 2), (3, 3), (4, 4), (7, 7), (8, 8), (9, 9))


def test_one_time_does_not_show_the_order() -> None:
    rows = [(stamp(5), uint32(5)), (NULL, uint32(4)), (NULL, uint32(3))]
    check(collect(buffer(*rows), newest_first=True), (3, 3), (4, 4), (5, 5))
    check(collect(buffer(*rows)), (5, 5), (6, 4), (7, 3))


def test_missing_times_without_a_period() -> None:
    rows = [(stamp(0), uint32(0)), (NULL, uint32(1)), (stamp(2), uint32(2))]
    check(collect(buffer(*rows), period=timedelta()), (0, 0), (None, 1), (2, 2))


def test_no_time_at_all() -> None:
    check(collect(buffer((NULL, uint32(1)), (NULL, uint32(2)))), (None, 1), (None, 2))


def test_times_that_leave_the_calendar() -> None:
    last = Data(T.OCTET_STRING, bytes.fromhex("270f0c1fff173b00000000 00"))
    captured = collect(
        buffer((last, uint32(1)), (NULL, uint32(2))), period=timedelta(days=1)
    )
    assert captured.moments == [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), None]


@pytest.mark.parametrize("unknown", [bytes(11), b"\xff" * 12])
def test_a_time_that_cannot_be_read_is_no_reason_to_guess(unknown: bytes) -> None:
    broken = Data(T.OCTET_STRING, unknown)
    rows = [
        (stamp(0), uint32(0)),
        (broken, uint32(1)),
        (NULL, uint32(2)),
        (stamp(3), uint32(3)),
    ]
    check(collect(buffer(*rows)), (0, 0), (None, 1), (2, 2), (3, 3))


def test_a_ring_that_begins_in_the_middle() -> None:
    quarters = [7, 8, 9, 3, 4, 5, 6]
    rows = [(stamp(n), uint32(n)) for n in quarters]
    check(collect(buffer(*rows)), *((n, n) for n in range(3, 10)))


@pytest.mark.parametrize("newest_first", [False, True])
def test_the_meter_shows_its_order(newest_first: bool) -> None:
    rows = [(stamp(n), uint32(n)) for n in range(500)]
    captured = collect(buffer(*(reversed(rows) if newest_first else rows)))
    assert captured.newest_first is newest_first
    check(captured, *((n, n) for n in range(500)))


def test_two_rows_show_no_order() -> None:
    for quarters in ((0, 1), (1, 0)):
        captured = collect(buffer(*((stamp(n), uint32(n)) for n in quarters)))
        assert captured.newest_first is None
        check(captured, (0, 0), (1, 1))


def test_rows_of_a_span() -> None:
    captured = collect(buffer(*((stamp(n), uint32(n)) for n in range(10))))
    check(captured.between(at(2), at(4)), (2, 2), (3, 3), (4, 4))
    check(captured.between(at(2.5), at(2.6)))
    check(captured.part(-2, None), (8, 8), (9, 9))


def test_work_is_done_in_slices() -> None:
    octets = buffer(*((stamp(n), uint32(n)) for n in range(5 * ROWS_AT_ONCE)))
    reader = MomentReader(MeterClock())
    assert (
        len(list(collect_rows(octets, (CLOCK, ENERGY), CLOCK, QUARTER, reader))) >= 10
    )


def test_rows_of_another_length() -> None:
    rows = [(stamp(0), uint32(0)), (stamp(1), uint32(1), uint32(1))]
    with pytest.raises(DecodeError, match="a row of 3 cells among rows of 2"):
        collect(buffer(*rows))


def test_cells_in_the_first_row() -> None:
    assert cells_in_first_row(buffer()) is None
    assert cells_in_first_row(b"\0") is None
    assert cells_in_first_row(buffer((NULL,) * 7, (NULL,))) == 7


CELLS = [
    (ENERGY, uint32(1234), ScalerUnit(-1, 30)),
    (ENERGY, uint32(1234), ScalerUnit(3, 30)),
    (ENERGY, uint32(1234), ScalerUnit(0, 30)),
    (ENERGY, uint32(1234), None),
    (ENERGY, Data(T.LONG64_UNSIGNED, 2**64 - 1), ScalerUnit(-7, 30)),
    (ENERGY, Data(T.LONG64, -(2**63)), ScalerUnit(-128, 30)),
    (ENERGY, Data(T.LONG64_UNSIGNED, 2**64 - 1), ScalerUnit(127, 30)),
    (ENERGY, Data(T.FLOAT32, 0.10000000149011612), ScalerUnit(2, 30)),
    (ENERGY, Data(T.BCD, 0x42), ScalerUnit(1, 30)),
    (ENERGY, Data(T.BCD, 0xFF), ScalerUnit(1, 30)),
    (ENERGY, Data(T.STRUCTURE, (uint32(5), Data(T.ENUM, 1))), ScalerUnit(1, 30)),
    (ENERGY, NULL, ScalerUnit(1, 30)),
    (STATUS, Data(T.UNSIGNED, 8), None),
    (STATUS, Data(T.BIT_STRING, BitString(b"\x80", 3)), None),
    (STATUS, Data(T.BOOLEAN, True), None),
    (CLOCK, stamp(3), None),
    (DEMAND, Data(T.LONG, -5), ScalerUnit(-3, 27)),
    (DEMAND_TIME, stamp(2), None),
    (DEMAND_TIME, Data(T.DATE_TIME, bytes(12)), None),
    (CaptureObject(3, ENERGY.logical_name, 18), uint32(7), None),  # an attribute of the maker's own
    (CaptureObject(3, ENERGY.logical_name, 0), Data(T.STRUCTURE, (uint32(1),)), None),
]  # fmt: skip


@pytest.mark.parametrize(("column", "cell", "scaler_unit"), CELLS)
def test_values_are_those_of_interpret(
    column: CaptureObject, cell: Data, scaler_unit: ScalerUnit | None
) -> None:
    captured = collect(buffer((cell,)), (column,))
    rows = ProfileRows([ProfileColumn(column, scaler_unit)], captured)
    expected = interpret(column.attribute, cell, scaler_unit)
    if isinstance(expected, Quantity):
        expected = expected.value
    assert rows[0].values == (expected,)
    assert repr(rows[0].values[0]) == repr(expected)  # 5000 is not 5E+3


def test_rows_are_a_sequence() -> None:
    captured = collect(buffer(*((stamp(n), uint32(n)) for n in range(5))))
    column = ProfileColumn(ENERGY, ScalerUnit(-1, 30))
    rows = ProfileRows([column], captured)
    assert (len(rows), rows.columns, column.symbol) == (5, (column,), "Wh")
    assert rows[-1] == ProfileRow(at(4), (Decimal("0.4"),))
    assert rows[1:3] == [rows[1], rows[2]]
    assert rows[::-2] == [rows[4], rows[2], rows[0]]
    assert next(reversed(rows)) == rows[4]
    assert rows.moments == tuple(at(n) for n in range(5))
    assert [len(part) for part in rows.slices(2)] == [2, 2, 1]
    assert [row for part in rows.slices() for row in part] == list(rows)
    assert repr(rows) == "<ProfileRows: 5 rows of 1>"
    with pytest.raises(IndexError):
        rows[5]


def test_moments_alone() -> None:
    rows = ProfileRows([], collect(buffer((stamp(0), NULL), (stamp(1), NULL))))
    assert list(rows) == [ProfileRow(at(0), ()), ProfileRow(at(1), ())]


def test_damaged_buffers() -> None:
    rows = [
        (stamp(n) if n % 4 else NULL, uint32(n) if n % 3 else NULL) for n in range(12)
    ]

    def read(octets: bytes) -> object:
        captured = collect(octets)
        column = ProfileColumn(ENERGY, ScalerUnit(-1, 30))
        return list(ProfileRows([column, ProfileColumn(CLOCK)], captured))

    check_damage(buffer(*rows), read, count=2000)


def test_many_rows_take_little_memory() -> None:
    """A year of quarter-hours with six columns."""
    count = 35_040
    numbers = tuple(
        CaptureObject(3, Obis.parse(f"1-0:{n}.8.0"), 2) for n in range(1, 6)
    )
    octets = buffer(
        *(
            (stamp(n), *(uint32(100_000 + n + k) for k in range(5)))
            for n in range(count)
        )
    )
    tracemalloc.start()
    try:
        captured = collect(octets, (CLOCK, *numbers))
        rows = ProfileRows([ProfileColumn(each) for each in numbers], captured)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(rows) == count
    assert peak < count * 440
