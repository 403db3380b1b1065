"""The buffer of a profile: what has to be known before its rows are asked for, and how they are asked for.

Questions are about attributes, not APDUs: how those are referenced and carried is the business of whoever answers.
Source: DLMS UA Blue Book, Profile generic (class 7).
"""

from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import Final, NamedTuple

from ..codec.data import Data, DataType
from ..codec.datetimes import DlmsDateTime
from ..errors import (
    DecodeError,
    DlmsError,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
)
from .capture_objects import CaptureObject, SortMethod, decode_capture_objects
from .clock import CLOCK, MeterClock, MomentReader
from .descriptors import AttributeDescriptor, SelectiveAccess
from .meter_memory import MeterMemory
from .obis import Obis
from .profile import CapturedRows, cells_in_first_row, collect_rows
from .profile_memory import ProfileMemory, Way
from .selective_access import EntryDescriptor, RangeDescriptor
from .values import interpret

_PROFILE_GENERIC: Final = 7
_BUFFER: Final = 2
_CAPTURE_OBJECTS: Final = 3
_CAPTURE_PERIOD: Final = 4
_SORT_METHOD: Final = 5
_SORT_OBJECT: Final = 6
_ENTRIES_IN_USE: Final = 7
_HOUR: Final = timedelta(hours=1)


class ReadMany(NamedTuple):
    """Read attributes; the answer has a value or the reason against it for each."""

    attributes: tuple[AttributeDescriptor, ...]


class ReadPart(NamedTuple):
    """Read one attribute, or with `access` a part of it; the answer is its Data, or the A-XDR octets of that."""

    attribute: AttributeDescriptor
    access: SelectiveAccess | None


class Pause(NamedTuple):
    """Let others have their turn; the answer is None."""


type Step = ReadMany | ReadPart | Pause
type Answer = Mapping[AttributeDescriptor, Data | DlmsError] | Data | bytes | None
type Reading[T] = Generator[Step, Answer, T]
type Columns = tuple[CaptureObject, ...]


class _Request(NamedTuple):
    """What is asked of the buffer, and which columns that should bring."""

    access: SelectiveAccess | None
    columns: Columns


class ProfileBuffer:
    """One profile of one meter, for the time of one reading."""

    def __init__(
        self,
        profile: Obis,
        memory: MeterMemory,
        now: datetime,
        time_zone: tzinfo | None,
    ) -> None:
        """Begin with what is remembered; `now` is the host's time, `time_zone` the one of the meter's place."""
        self.profile = profile
        self.memory = memory.profiles.get(profile, ProfileMemory())
        self.now = now
        self._meter = memory
        self._time_zone = time_zone
        self._chosen: Collection[AttributeDescriptor] | None = None
        self._selected: Columns = ()
        self._entries: int | None = None

    @property
    def period(self) -> timedelta:
        """The time between two rows; zero if there is no such rule."""
        return timedelta(seconds=self.memory.capture_period)

    @property
    def is_sorted_by_value(self) -> bool:
        """Whether its entries are in no order of time."""
        method = self.memory.sort_method
        return method is not None and method > SortMethod.LIFO

    def get_acquainted(self) -> Reading[None]:
        """Read what is not known yet of the profile and of the meter's clock.

        Raises what the meter refuses the capture objects with, `DecodeError` where they are none, `RemoteProtocolError`
        where there is not one.
        """
        wanted: list[AttributeDescriptor] = []
        if not self.memory.capture_objects:
            numbers = range(_CAPTURE_OBJECTS, _ENTRIES_IN_USE + 1)
            wanted += [self._attribute(number) for number in numbers]
        if self._meter.clock is None:
            wanted.append(CLOCK)
        if not wanted:
            return
        answers = yield from read_many(tuple(wanted))
        if CLOCK in wanted:
            self._learn_clock(answers[CLOCK])
        if not self.memory.capture_objects:
            self._learn_profile(answers)

    def _attribute(self, number: int) -> AttributeDescriptor:
        return AttributeDescriptor(_PROFILE_GENERIC, self.profile, number)

    def _learn_clock(self, answer: Data | DlmsError) -> None:
        reading = None if isinstance(answer, DlmsError) else interpret(CLOCK, answer)
        clock = MeterClock()
        if isinstance(reading, DlmsDateTime):
            clock = clock.learn(reading, self.now, self._time_zone)
        self._meter.clock = clock

    @property
    def _clock(self) -> MeterClock:
        return self._meter.clock or MeterClock()

    def _learn_profile(
        self, answers: Mapping[AttributeDescriptor, Data | DlmsError]
    ) -> None:
        captured = answers[self._attribute(_CAPTURE_OBJECTS)]
        if isinstance(captured, DlmsError):
            raise captured
        memory = self.memory
        memory.capture_objects = decode_capture_objects(captured)
        if not memory.capture_objects:
            raise RemoteProtocolError(f"{self.profile} captures nothing")
        memory.capture_period = self._number(answers, _CAPTURE_PERIOD) or 0
        memory.sort_method = self._number(answers, _SORT_METHOD)
        self._entries = self._number(answers, _ENTRIES_IN_USE)
        sort_object = answers[self._attribute(_SORT_OBJECT)]
        if isinstance(sort_object, Data):
            # Without one, meters send a class of 0, or null-data.
            with suppress(DecodeError):
                memory.sort_object = CaptureObject.decode(sort_object)

    def _number(
        self, answers: Mapping[AttributeDescriptor, Data | DlmsError], number: int
    ) -> int | None:
        answer = answers[self._attribute(number)]
        if isinstance(answer, Data) and isinstance(answer.value, int):
            return answer.value
        return None

    def choose(self, columns: Collection[AttributeDescriptor] | None) -> Columns:
        """Choose columns; return them as the profile has them. Raises `LocalProtocolError` when it has not all."""
        captured, time = self.memory.capture_objects, self.memory.time_column
        unknown = set(columns or ()) - {column.attribute for column in captured}
        if unknown:
            raise LocalProtocolError(
                f"{self.profile} does not capture {', '.join(map(str, unknown))}"
            )
        wanted = tuple(
            [each for each in captured if columns is None or each.attribute in columns]
        )
        self._chosen = columns
        self._selected = tuple(
            [each for each in captured if each in wanted or each == time]
        )
        return wanted

    def remember(self) -> None:
        """Keep what was learned for the next reading."""
        self._meter.profiles[self.profile] = self.memory

    def everything(self) -> Reading[CapturedRows]:
        """Read all rows and columns. Raises what is thrown in, `DecodeError` or `RemoteProtocolError` for what are no rows."""
        return (
            yield from self._rows(lambda _: _Request(None, self.memory.capture_objects))
        )

    def entries(self, first: int, last: int) -> Reading[CapturedRows]:
        """Read the entries with these numbers; 0 as `last` is the last one. Raises as `everything` does."""
        return (yield from self._rows(partial(self._entry, first, last)))

    def range(
        self, way: Way, since: datetime, until: datetime
    ) -> Reading[CapturedRows]:
        """Read what the meter takes for the rows of a span of time. Raises as `everything` does."""
        clock = self._clock
        rows = yield from self._rows(partial(self._range, way, since, until))
        if self._clock != clock:
            # Had this been known before, the question would have been another one.
            rows = yield from self._rows(partial(self._range, way, since, until))
        return rows

    def _entry(self, first: int, last: int, selected: Columns) -> _Request:
        """Ask for entries; columns have numbers too, and only neighbours can be had."""
        captured = self.memory.capture_objects
        places = [captured.index(column) for column in selected or captured]
        columns = captured[min(places) : max(places) + 1]
        if columns == captured:
            return _Request(EntryDescriptor(first, last).access, captured)
        numbers = EntryDescriptor(first, last, min(places) + 1, max(places) + 1)
        return _Request(numbers.access, columns)

    def _range(
        self, way: Way, since: datetime, until: datetime, selected: Columns
    ) -> _Request:
        """Ask for a range of the time column."""
        captured, column = self.memory.capture_objects, self.memory.time_column
        assert column is not None
        # Without deviation an hour more at both ends: the meter may have changed its clock since, or in between.
        margin = _HOUR if way.is_local else timedelta()
        descriptor = RangeDescriptor(
            column,
            self._time(way, column, since - margin),
            self._time(way, column, until + margin),
            () if selected == captured else selected,
        )
        return _Request(descriptor.access, selected or captured)

    def _time(self, way: Way, column: CaptureObject, moment: datetime) -> Data:
        if column.is_unix_time:
            seconds = max(int(moment.timestamp()), 0)
            return Data(DataType.DOUBLE_LONG_UNSIGNED, min(seconds, 0xFFFF_FFFF))
        stamp = self._clock.write(
            moment, self._time_zone, with_deviation=not way.is_local
        )
        data_type = DataType.DATE_TIME if way.is_tagged else DataType.OCTET_STRING
        return Data(data_type, stamp.encode())

    def _rows(self, ask: Callable[[Columns], _Request]) -> Reading[CapturedRows]:
        """Read rows, of the chosen columns only if the meter can do that."""
        memory = self.memory
        request = ask(() if memory.selects_columns is False else self._selected)
        if some := len(request.columns) < len(memory.capture_objects):
            rows = yield from self._some_columns(request)
            if rows is not None:
                return rows
            request = ask(())
        buffer = yield from _read_part(self._attribute(_BUFFER), request.access)
        if some:
            memory.selects_columns = False
        cells = cells_in_first_row(buffer)
        if cells not in (None, len(request.columns)):
            yield from self._look_again()
            request = ask(())
            if cells != len(request.columns):
                raise RemoteProtocolError(
                    f"{self.profile}: rows of {cells} where {len(request.columns)} are captured"
                )
        return (yield from self._collect(buffer, request.columns))

    def _look_again(self) -> Reading[None]:
        """Read anew what the columns are."""
        known = self.memory.capture_objects
        self.memory.capture_objects = ()
        try:
            yield from self.get_acquainted()
            self.choose(self._chosen)
        except DlmsError:
            self.memory.capture_objects = known
            raise

    def _some_columns(self, request: _Request) -> Reading[CapturedRows | None]:
        """Read rows with some of the columns; None when it looks as if the meter could not do that.

        Some ignore the selection and send all columns: what counts is how many cells there are.
        """
        memory = self.memory
        try:
            buffer = yield from _read_part(self._attribute(_BUFFER), request.access)
        except ServiceError:
            if memory.selects_columns:
                raise
            return None
        cells = cells_in_first_row(buffer)
        if cells is None:
            return CapturedRows(request.columns)
        for columns, selects in (
            (request.columns, True),
            (memory.capture_objects, False),
        ):
            if cells == len(columns):
                memory.selects_columns = selects
                return (yield from self._collect(buffer, columns))
        return None

    def _collect(self, buffer: bytes | Data, columns: Columns) -> Reading[CapturedRows]:
        """Make rows of a buffer, with a pause after each slice of them."""
        clock = MomentReader(self._clock, self._time_zone)
        time = self.memory.time_column
        slices = collect_rows(
            buffer, columns, time, self.period, clock, newest_first=self._newest_first
        )
        while True:
            try:
                next(slices)
            except StopIteration as done:
                self._meter.clock = clock.clock
                rows: CapturedRows = done.value
                return rows
            yield Pause()

    def newest_entries(self, count: int) -> Reading[CapturedRows]:
        """Read the newest entries by number: the last ones, or, where they are sorted so, the first ones.

        Raises as `everything` does.
        """
        entries = yield from self.entries_in_use()
        count = min(count, entries)
        if not count:
            return CapturedRows(self.memory.capture_objects)
        assumed = self._newest_first
        rows = yield from self._from_end(count, entries, assumed)
        shown = rows.newest_first
        if self.memory.newest_first is None and shown is not None and count < entries:
            self.memory.newest_first = assumed
            if shown is not assumed:
                # The rows are in another order than the sort method says: the newest may be at the other end.
                others = yield from self._from_end(count, entries, shown)
                if others.order[-1] > rows.order[-1]:
                    self.memory.newest_first = shown
                    return others
        return rows

    def _from_end(
        self, count: int, entries: int, is_first: bool
    ) -> Reading[CapturedRows]:
        first = 1 if is_first else entries - count + 1
        return (yield from self.entries(first, first + count - 1))

    @property
    def _newest_first(self) -> bool:
        if self.memory.newest_first is None:
            return self.memory.sort_method == SortMethod.LIFO
        return self.memory.newest_first

    def entries_in_use(self) -> Reading[int]:
        """Return how many rows there are. Raises `RemoteProtocolError` when the meter does not tell."""
        if self._entries is None:
            attribute = self._attribute(_ENTRIES_IN_USE)
            answers = yield from read_many((attribute,))
            self._entries = self._number(answers, _ENTRIES_IN_USE)
        if self._entries is None:
            raise RemoteProtocolError(
                f"{self.profile} does not tell its number of entries"
            )
        return self._entries


def read_many(
    attributes: tuple[AttributeDescriptor, ...],
) -> Reading[Mapping[AttributeDescriptor, Data | DlmsError]]:
    """Ask for attributes; return what was read of each, or the error."""
    answer = yield ReadMany(attributes)
    assert isinstance(answer, Mapping)
    return answer


def _read_part(
    attribute: AttributeDescriptor, access: SelectiveAccess | None
) -> Reading[bytes | Data]:
    """Ask for one attribute, or a part of it."""
    answer = yield ReadPart(attribute, access)
    assert isinstance(answer, bytes | Data)
    return answer
