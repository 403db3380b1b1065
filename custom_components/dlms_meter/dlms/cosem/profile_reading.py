"""How a profile is read: which way to ask, and which next when the meter does not understand.

A reading is a generator: it yields what it wants to have read and is resumed with the answer; when there is none, the
error is thrown in. Between slices of long work it yields `Pause`, so that whoever drives it can serve others.
Sources: DLMS UA Blue Book, Profile generic (class 7); for the ways around it, public reports about meters.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from ..codec.data import Data
from ..errors import (
    DecodeError,
    DlmsError,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
)
from .descriptors import AttributeDescriptor
from .meter_memory import MeterMemory
from .obis import Obis
from .profile import CapturedRows, ProfileColumn, ProfileRows
from .profile_buffer import Columns, ProfileBuffer, Reading, read_many
from .profile_memory import Way
from .profile_selection import EntryRange, LastEntries, Selection, TimeRange
from .values import ScalerUnit, decode_scaler_unit, scaler_unit_of

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_LONGEST: Final = 30 * 365 * 86_400
"""Seconds of a span of time that no profile outlasts."""
_FIRST_GUESS: Final = 32
"""Entries to begin with where nobody knows how many a span of time holds."""
_FEW: Final = 3
"""Entries that show which way they are numbered."""
_PASSING: Final = frozenset({1, 2, 14, 15, 16, 17, 18, 19})
"""Data-access-results that tell of the moment, not of the meter: faults, busyness, an aborted block transfer."""

_CANNOT = (ServiceError, DecodeError, RemoteProtocolError)
"""Errors after which another way of asking may work."""


def read_profile(
    profile: Obis,
    selection: Selection,
    memory: MeterMemory,
    scaler_units: dict[AttributeDescriptor, ScalerUnit],
    *,
    now: datetime,
    columns: Collection[AttributeDescriptor] | None = None,
    time_zone: tzinfo | None = None,
) -> Reading[ProfileRows]:
    """Read the selected rows of a profile, and of its columns those that capture the given attributes; None for all.

    `now` (aware) is the host's time, `time_zone` the one of the meter's place, if known. What is learned on the way is
    added to `memory` and `scaler_units`. Raises `LocalProtocolError` for a selection the profile cannot serve,
    `ServiceError`, `RemoteProtocolError` or `DecodeError` when every way of asking fails.
    """
    buffer = ProfileBuffer(profile, memory, now, time_zone)
    yield from buffer.get_acquainted()
    buffer.choose(columns)
    reading = _ProfileReading(buffer)
    if isinstance(selection, TimeRange):
        rows = yield from reading.by_time(selection.since, selection.until)
    elif isinstance(selection, LastEntries):
        rows = yield from reading.newest(selection.count)
    elif isinstance(selection, EntryRange):
        rows = yield from reading.by_number(selection.first, selection.last)
    else:
        rows = yield from reading.everything()
    reading.remember()
    # Anew: the meter may capture something else than was remembered.
    wanted = buffer.choose(columns)
    scalers = yield from read_scaler_units(wanted, scaler_units)
    shown = [ProfileColumn(each, scalers.get(each.attribute)) for each in wanted]
    return ProfileRows(shown, rows)


def read_scaler_units(
    columns: Columns, known: dict[AttributeDescriptor, ScalerUnit]
) -> Reading[dict[AttributeDescriptor, ScalerUnit]]:
    """Return how to scale the columns that need it, reading what is not known; a column may do without."""
    sources = {
        column.attribute: source
        for column in columns
        if (source := scaler_unit_of(column.attribute)) is not None
    }
    missing = tuple(dict.fromkeys(s for s in sources.values() if s not in known))
    if missing:
        for attribute, answer in (yield from read_many(missing)).items():
            # The registers of a profile need not be readable on their own.
            with suppress(DecodeError):
                if isinstance(answer, Data):
                    known[attribute] = decode_scaler_unit(answer)
    return {
        column: known[source] for column, source in sources.items() if source in known
    }


class _ProfileReading:
    """The search for a way of asking that the meter understands."""

    def __init__(self, buffer: ProfileBuffer) -> None:
        self._buffer = buffer
        self._memory = buffer.memory
        self._newest_moment: datetime | None = None
        self._found: dict[Way, bool] = {}

    def remember(self) -> None:
        """Keep what was found out. To be called once something was read: else all failures may have one cause."""
        self._memory.works |= self._found
        self._buffer.remember()

    def by_time(self, since: datetime, until: datetime | None) -> Reading[CapturedRows]:
        """Read the rows captured in a span of time, by the best way that can be trusted."""
        if self._memory.time_column is None:
            raise LocalProtocolError(
                f"{self._buffer.profile} tells no time: ask for entries"
            )
        since = min(max(since, _EARLIEST), _LATEST)
        span = (
            since,
            min(until or max(self._buffer.now, since) + _DAY, _LATEST),
        )
        doubtful: dict[Way, CapturedRows] = {}
        failure: DlmsError | None = None
        for way in self._ways():
            try:
                found = yield from self._ask(way, *span)
            except _CANNOT as error:
                self._blame(way, error)
                failure = error
                continue
            self._check_times(found)
            trusted = yield from self._is_trusted(way, found, *span)
            rows = found.between(*span)
            if trusted:
                self._judge(doubtful, rows, limited=len(found) > len(rows))
                self._found[way] = True
                return rows
            if trusted is None:
                doubtful[way] = rows
            else:
                self._found[way] = False
        if doubtful:
            return max(doubtful.values(), key=len)
        assert failure is not None  # if not the rows, an error came of the last way
        raise failure

    def _ways(self) -> Iterator[Way]:
        """Yield the ways to try: ranges that work first, none that is known not to."""
        time = self._memory.time_column
        counts_seconds = time is not None and time.is_unix_time
        for way in sorted(Way, key=lambda way: not (way.is_range and self._works(way))):
            if way is Way.BUFFER or not (
                self._works(way) is False
                or (counts_seconds and (way.is_local or way.is_tagged))
                or (way is Way.ENTRY and self._buffer.is_sorted_by_value)
            ):
                yield way

    def _works(self, way: Way) -> bool | None:
        return self._found.get(way, self._memory.works.get(way))

    def _ask(self, way: Way, since: datetime, until: datetime) -> Reading[CapturedRows]:
        if way is Way.ENTRY:
            return (yield from self._newest_since(since))
        if way is Way.BUFFER:
            return (yield from self._buffer.everything())
        return (yield from self._buffer.range(way, since, until))

    def _check_times(self, rows: CapturedRows) -> None:
        if rows.cells and not any(rows.moments):
            raise RemoteProtocolError(
                f"{self._buffer.profile}: the times of the rows cannot be brought to UTC; the time zone of the meter may help"
            )

    def _blame(self, way: Way, error: DlmsError) -> None:
        """Note that the meter refuses a way, unless it may take it another time."""
        if isinstance(error, ServiceError) and int(error.result) not in _PASSING:
            self._found[way] = False

    def _judge(
        self, doubtful: Mapping[Way, CapturedRows], rows: CapturedRows, limited: bool
    ) -> None:
        """Decide on answers that could not be told right from wrong, now that the right rows are known.

        The same rows are no merit when every row there is was asked for, no rows are none either.
        """
        for way, answer in doubtful.items():
            if len(answer) != len(rows):
                self._found[way] = False
            elif rows.cells and limited:
                self._found[way] = True

    def _is_trusted(
        self, way: Way, rows: CapturedRows, since: datetime, until: datetime
    ) -> Reading[bool | None]:
        """Tell whether an answer to a range is what was asked for; None if it cannot be told.

        Some meters misread the ends of a range, or the range altogether: then rows come that nobody asked for, or
        those at the start are missing. Where that may be for want of rows, a small question with a known answer tells.
        """
        if not way.is_range or self._works(way):
            return True
        if self._has_strays(way, rows, since, until):
            return False
        if (
            rows.cells
            and self._buffer.period
            and rows.order[0] - since <= self._buffer.period
        ):
            return True
        return (yield from self._finds_newest(way))

    def _has_strays(
        self, way: Way, rows: CapturedRows, since: datetime, until: datetime
    ) -> bool:
        slack = max(self._buffer.period, _MINUTE) + (
            _HOUR if way.is_local else timedelta()
        )
        return bool(rows.cells) and (
            rows.order[0] < since - slack or rows.order[-1] > until + slack
        )

    def _finds_newest(self, way: Way) -> Reading[bool | None]:
        """Ask for the moment of the newest row, and see whether that row comes."""
        if self._buffer.is_sorted_by_value or self._works(Way.ENTRY) is False:
            return None
        if self._newest_moment is None:
            try:
                newest = yield from self._buffer.newest_entries(_FEW)
            except _CANNOT as error:
                self._blame(Way.ENTRY, error)
                return None
            if not any(newest.moments):
                return None
            self._newest_moment = newest.order[-1]
        moment = self._newest_moment
        try:
            rows = yield from self._ask(way, moment, moment)
        except _CANNOT:
            return False
        return moment in rows.order and not self._has_strays(way, rows, moment, moment)

    def newest(self, count: int) -> Reading[CapturedRows]:
        """Read the newest rows."""
        if self._works(Way.ENTRY) is not False and not self._buffer.is_sorted_by_value:
            try:
                rows = yield from self._buffer.newest_entries(max(count, _FEW))
            except _CANNOT as error:
                self._blame(Way.ENTRY, error)
            else:
                self._found[Way.ENTRY] = True
                return rows.part(-count, None)
        if self._memory.time_column is not None and self._buffer.period:
            back = min((count + 1) * self._memory.capture_period, _LONGEST)
            since = self._buffer.now - timedelta(seconds=back)
            rows = yield from self.by_time(since, None)
            if len(rows) >= count:
                return rows.part(-count, None)
        rows = yield from self._buffer.everything()
        return rows.part(-count, None)

    def _newest_since(self, since: datetime) -> Reading[CapturedRows]:
        """Read the newest entries by number, as many as it takes to get back to a time."""
        entries = yield from self._buffer.entries_in_use()
        count = _FIRST_GUESS
        if self._buffer.period:
            count = (
                max(self._buffer.now - since, timedelta()) // self._buffer.period + 2
            )
        while True:
            count = min(count, entries)
            rows = yield from self._buffer.newest_entries(count)
            if count == entries or (rows.cells and rows.order[0] <= since):
                return rows
            count *= 4

    def by_number(self, first: int, last: int) -> Reading[CapturedRows]:
        """Read the entries with these numbers."""
        try:
            rows = yield from self._buffer.entries(first, last)
        except _CANNOT as error:
            self._blame(Way.ENTRY, error)
            rows = yield from self._buffer.everything()
        else:
            if not (yield from self._is_everything(rows, first, last)):
                return rows
        end = last or len(rows)
        if rows.turned:
            first, end = len(rows) - end + 1, len(rows) - first + 1
        return rows.part(max(first, 1) - 1, max(end, 0))

    def _is_everything(
        self, rows: CapturedRows, first: int, last: int
    ) -> Reading[bool]:
        """Tell whether all rows came where only those with certain numbers were asked for: some do not look at them."""
        if last and len(rows) > last - first + 1:
            return True
        if first <= 1 or not rows.cells:
            return False
        try:
            return len(rows) >= (yield from self._buffer.entries_in_use())
        except _CANNOT:
            return False

    def everything(self) -> Reading[CapturedRows]:
        """Read every row; some meters that refuse it as such give all entries."""
        try:
            return (yield from self._buffer.everything())
        except _CANNOT as error:
            refusal = error
        try:
            return (yield from self._buffer.entries(1, 0))
        except _CANNOT:
            raise refusal from None
