"""The rows of a profile: from the octets of its buffer to moments and values.

Rows are kept as captured, and get their meaning when they are looked at: a year of quarter-hours takes 12 MB, not 23.
Source: DLMS UA Blue Book, Profile generic (class 7).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import partial
from itertools import accumulate, chain, pairwise, starmap
from operator import gt, lt
from typing import NamedTuple, overload

from ..codec.data import FIXED, Data, DataType, DataValue
from ..codec.rows import ROWS_AT_ONCE, Row, RowRun, read_rows
from ..errors import DecodeError
from .capture_objects import CaptureObject
from .clock import MomentReader
from .units import unit_symbol
from .values import Quantity, ScalerUnit, Value, interpret, scaler_unit_of

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ENOUGH = 1000
"""Rows that show which way the times run."""
_CLEAR = 2
"""Steps in one direction, more than in the other, that show it."""
_EXACT = Context(prec=150)
"""More digits than the largest whole number with the largest scaler has."""

_DELTAS = {
    DataType.DELTA_INTEGER,
    DataType.DELTA_LONG,
    DataType.DELTA_DOUBLE_LONG,
    DataType.DELTA_UNSIGNED,
    DataType.DELTA_LONG_UNSIGNED,
    DataType.DELTA_DOUBLE_LONG_UNSIGNED,
}
_COMPRESSED = {DataType.NULL_DATA, *_DELTAS}
_WHOLE_NUMBERS = {
    data_type
    for data_type, (_, kind) in FIXED.items()
    if kind is int and data_type is not DataType.BCD and data_type not in _DELTAS
}

type Slices[T] = Generator[None, None, T]
"""Long work that stops after every few rows, so that others can be served in between."""


class ProfileColumn(NamedTuple):
    """What one value of each row is."""

    capture_object: CaptureObject
    scaler_unit: ScalerUnit | None = None
    """How its numbers were scaled; None if they have no scaler, or the meter did not tell it: then they are as sent."""

    @property
    def symbol(self) -> str:
        """Return the symbol of its unit; "" if it has none."""
        return "" if self.scaler_unit is None else unit_symbol(self.scaler_unit.unit)


class ProfileRow(NamedTuple):
    """What was captured at one moment."""

    moment: datetime | None
    """In UTC; the end of the capture period. None if the profile does not tell, or not so that it can be understood."""
    values: tuple[Value, ...]
    """One per column: numbers as exact `Decimal` in the unit of the column, the clock as the meter wrote it."""


@dataclass(slots=True)
class CapturedRows:
    """Rows as captured, oldest first, with compressed cells filled in. The lists have one item per row."""

    columns: tuple[CaptureObject, ...]
    moments: list[datetime | None] = field(default_factory=list)
    order: list[datetime] = field(default_factory=list)
    """The moments again, where there is none that of the row before: what the rows are sorted by."""
    types: list[tuple[DataType, ...]] = field(default_factory=list)
    cells: list[Row] = field(default_factory=list)
    newest_first: bool | None = None
    """Whether the meter sent them newest first; None if they do not show."""
    turned: bool = False
    """Whether they stand here the other way round than the meter sent them, as far as is known."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.cells)

    def part(self, first: int | None, last: int | None) -> CapturedRows:
        """Return the rows from index `first` to before `last`, as a slice does."""
        return replace(
            self,
            moments=self.moments[first:last],
            order=self.order[first:last],
            types=self.types[first:last],
            cells=self.cells[first:last],
        )

    def between(self, since: datetime, until: datetime) -> CapturedRows:
        """Return the rows captured in that time, both ends included."""
        return self.part(
            bisect_left(self.order, since), bisect_right(self.order, until)
        )


class ProfileRows(Sequence[ProfileRow]):
    """What was read from a profile: a sequence of `ProfileRow`, oldest first, and what its columns are.

    Values get their meaning each time a row is looked at. Thousands of them are best taken in slices.
    """

    def __init__(
        self, columns: Sequence[ProfileColumn], captured: CapturedRows
    ) -> None:
        """Show those columns of the captured rows."""
        self.columns = tuple(columns)
        self._captured = captured
        self._readers: dict[bytes, list[tuple[int, _ReadCell]]] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._captured)

    @overload
    def __getitem__(self, index: int) -> ProfileRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ProfileRow]: ...
    def __getitem__(self, index: int | slice) -> ProfileRow | Sequence[ProfileRow]:
        """Return one row, or a list of rows."""
        if isinstance(index, slice):
            first, last, step = index.indices(len(self))
            if step == 1:
                return self._meanings(first, last)
            return [self[number] for number in range(first, last, step)]
        number = range(len(self))[index]
        return self._meanings(number, number + 1)[0]

    def __iter__(self) -> Iterator[ProfileRow]:
        """Return the rows one after the other."""
        return chain.from_iterable(self.slices())

    def _meanings(self, first: int, last: int) -> list[ProfileRow]:
        """Give rows their meaning: column by column, as long as they have the same types."""
        captured, rows = self._captured, list[ProfileRow]()
        while first < last:
            types, end = captured.types[first], first + 1
            while end < last and captured.types[end] is types:
                end += 1
            cells = list(zip(*captured.cells[first:end], strict=True))
            columns = [map(read, cells[at]) for at, read in self._readers_of(types)]
            moments = captured.moments[first:end]
            values = zip(*columns, strict=True) if columns else [()] * len(moments)
            rows += map(_new_row, zip(moments, values, strict=True))
            first = end
        return rows

    def __repr__(self) -> str:
        """Show the size, not thousands of rows."""
        return f"<ProfileRows: {len(self)} rows of {len(self.columns)}>"

    @property
    def moments(self) -> Sequence[datetime | None]:
        """When each row was captured; without any work on the values."""
        return tuple(self._captured.moments)

    def slices(self, size: int = ROWS_AT_ONCE) -> Iterator[Sequence[ProfileRow]]:
        """Return the rows a few at a time, for whoever has others to serve in between."""
        return (self[start : start + size] for start in range(0, len(self), size))

    def _readers_of(self, types: tuple[DataType, ...]) -> list[tuple[int, _ReadCell]]:
        """Return where the value of each column stands in a row of these types, and what makes sense of it."""
        key = bytes(types)
        if key not in self._readers:
            places = [
                self._captured.columns.index(c.capture_object) for c in self.columns
            ]
            self._readers[key] = [
                (place, _cell_reader(column, types[place]))
                for place, column in zip(places, self.columns, strict=True)
            ]
        return self._readers[key]


_new_row = partial(tuple.__new__, ProfileRow)
"""Makes a row in a third of the time of its own constructor."""

type _ReadCell = Callable[[DataValue], Value]


def _cell_reader(column: ProfileColumn, data_type: DataType) -> _ReadCell:
    """Return what gives the cells of a column their meaning: `interpret`, and for whole numbers something faster."""
    attribute, scaler_unit = column.capture_object.attribute, column.scaler_unit
    if data_type in _WHOLE_NUMBERS:
        if scaler_unit_of(attribute) is None:
            return _as_it_is
        scaler = scaler_unit.scaler if scaler_unit else 0
        factor = Decimal(10**scaler) if scaler > 0 else Decimal(1).scaleb(scaler)
        return partial(_EXACT.multiply, factor)

    def read(value: DataValue) -> Value:
        meaning = interpret(attribute, Data(data_type, value), scaler_unit)
        return meaning.value if isinstance(meaning, Quantity) else meaning

    return read


def _as_it_is(value: DataValue) -> Value:
    assert isinstance(value, int)
    return value


def cells_in_first_row(buffer: bytes | Data) -> int | None:
    """Return how many cells the first row of a buffer has; None without rows. Raises `DecodeError`."""
    for run in read_rows(buffer, 1):
        return len(run.types)
    return None


def collect_rows(
    buffer: bytes | Data,
    columns: tuple[CaptureObject, ...],
    time_column: CaptureObject | None,
    period: timedelta,
    clock: MomentReader,
    *,
    newest_first: bool = False,
) -> Slices[CapturedRows]:
    """Read a buffer whose rows have these columns; `newest_first` counts if they do not show in which order they are.

    What is null because it is as in the row before, or sent as the difference from it, is filled in; but for columns that
    tell the time, which never is as before. A missing moment is that of the row before plus the capture `period`, unless
    that is zero. The rows come out oldest first.
    Raises `DecodeError`, also when a row has not as many cells as there are columns.
    """
    captured = CapturedRows(columns)
    place = None if time_column is None else columns.index(time_column)
    times = {index for index, column in enumerate(columns) if column.is_time}
    last = _Last((DataType.NULL_DATA,) * len(columns), (None,) * len(columns))
    done = 0
    for run in read_rows(buffer):
        if len(run.types) != len(columns):
            raise DecodeError(
                f"a row of {len(run.types)} cells among rows of {len(columns)}"
            )
        types, rows = _filled_in(run, last, times)
        captured.types += [types] * len(rows)
        captured.cells += rows
        last = _Last(types, rows[-1])
        if len(captured) - done >= ROWS_AT_ONCE:
            done = len(captured)
            yield
    if place is None:
        captured.moments = [None] * len(captured)
        captured.order = [_LONG_AGO] * len(captured)
    else:
        yield from _tell_times(captured, place, period, clock, newest_first)
    return captured


class _Last(NamedTuple):
    types: tuple[DataType, ...]
    cells: Row


def _filled_in(run: RowRun, last: _Last, times: Collection[int]) -> RowRun:
    """Replace null-data and differences by what they stand for; where nothing goes before, by null-data.

    In the columns of `times` null-data stays.
    """
    compressed = [
        index
        for index, data_type in enumerate(run.types)
        if data_type in (_DELTAS if index in times else _COMPRESSED)
    ]
    if not compressed:
        return run
    types = list(run.types)
    cells: list[tuple[DataValue, ...]] = list(zip(*run.rows, strict=True))
    for index in compressed:
        before = last.cells[index]
        if types[index] is DataType.NULL_DATA:
            types[index] = last.types[index]
            cells[index] = (before,) * len(run.rows)
        elif last.types[index] in _WHOLE_NUMBERS:
            types[index] = last.types[index]
            cells[index] = tuple(accumulate((before, *cells[index]), _sum))[1:]
        else:
            types[index] = DataType.NULL_DATA
            cells[index] = (None,) * len(run.rows)
    return RowRun(tuple(types), list(zip(*cells, strict=True)))


def _sum(value: DataValue, difference: DataValue) -> DataValue:
    assert isinstance(value, int)
    assert isinstance(difference, int)
    return value + difference


def _tell_times(
    captured: CapturedRows,
    place: int,
    period: timedelta,
    clock: MomentReader,
    newest_first: bool,
) -> Slices[None]:
    """Find out when the rows were captured, and bring them in that order."""
    stamps = [row[place] for row in captured.cells]
    captured.newest_first = _newest_first(stamps)
    if captured.newest_first is not None:
        newest_first = captured.newest_first
    captured.turned = newest_first
    if newest_first:
        for rows in (stamps, captured.types, captured.cells):
            rows.reverse()
    yield
    moments = captured.moments
    for start in range(0, len(stamps), ROWS_AT_ONCE):
        moments += map(clock.read, stamps[start : start + ROWS_AT_ONCE])
        yield
    if period and None in stamps:
        missing = [index for index, stamp in enumerate(stamps) if stamp is None]
        # As sent, a missing time follows the one before it; what is missing at the start precedes the first one.
        directions = [(missing, period), (missing[::-1], -period)]
        for indexes, step in reversed(directions) if newest_first else directions:
            _infer(moments, indexes, step)
            yield
    captured.order = order = _without_gaps(moments)
    yield
    if any(starmap(gt, pairwise(order))):
        yield
        places = sorted(range(len(order)), key=order.__getitem__)
        captured.moments = [moments[place] for place in places]
        captured.order = [order[place] for place in places]
        captured.types = [captured.types[place] for place in places]
        captured.cells = [captured.cells[place] for place in places]


def _newest_first(stamps: list[DataValue]) -> bool | None:
    """Tell which way the times run, whatever they mean; None if they do not show.

    Date-times sort as their octets do. One step back shows nothing: that may be a change of the clocks, or where the
    meter's ring of entries begins anew.
    """
    known = [stamp for stamp in stamps[:_ENOUGH] if isinstance(stamp, bytes)]
    counted = [stamp for stamp in stamps[:_ENOUGH] if isinstance(stamp, int)]
    pairs = [*pairwise(known), *pairwise(counted)]
    balance = sum(starmap(lt, pairs)) - sum(starmap(gt, pairs))
    return None if -_CLEAR < balance < _CLEAR else balance < 0


def _infer(
    moments: list[datetime | None], missing: Sequence[int], step: timedelta
) -> None:
    """Fill in the moments at these places, each a step after its neighbour."""
    aside = -1 if step > timedelta() else 1
    for index in missing:
        if moments[index] is None and 0 <= index + aside < len(moments):
            neighbour = moments[index + aside]
            if neighbour is not None:
                with suppress(OverflowError):
                    moments[index] = neighbour + step


def _without_gaps(moments: list[datetime | None]) -> list[datetime]:
    """Return moments, where there is none that of the row before."""
    known = [moment for moment in moments if moment is not None]
    if len(known) == len(moments):
        return known
    return list(accumulate(moments, _known, initial=_LONG_AGO))[1:]


def _known(before: datetime, moment: datetime | None) -> datetime:
    return before if moment is None else moment
