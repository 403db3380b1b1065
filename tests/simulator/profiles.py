"""The profiles of the simulated meter: load profile and event log, and selective access to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from itertools import chain, pairwise
from random import Random

from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.codec.data import (
    CompactArray,
    Data,
    DataType,
    TypeDescription,
)
from custom_components.dlms_meter.dlms.codec.datetimes import (
    ClockStatus,
    DlmsDateTime,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError

from .house import BUILT, QUARTER
from .objects import (
    NULL,
    Attribute,
    MeterObject,
    Query,
    Readers,
    array,
    cosem_object,
    enum,
    int8,
    octets,
    structure,
    uint8,
    uint16,
    uint32,
)
from .settings import ColumnChoice, Quirks, RangeAnswer, RangeForm, SentDeviation

PROFILE_GENERIC = 7
BY_RANGE, BY_ENTRY = 1, 2
FIFO, LIFO, LARGEST = 1, 2, 3
ENTRIES_IN_USE = 7


NO_OBJECT = structure(uint16(0), octets(bytes(6)), int8(0), uint16(0))


class Refused(Exception):
    """The meter does not give this attribute."""

    def __init__(self, result: DataAccessResult) -> None:
        super().__init__(result.name)
        self.result = result


@dataclass(frozen=True, slots=True)
class Column:
    """One capture object, and what stood in it when a row was captured."""

    class_id: int
    code: str
    attribute_id: int
    value: Callable[[Query, datetime], Data]

    @property
    def tells_time(self) -> bool:
        """Whether it captures the time of the row."""
        return self.value in (date_time, unix_time)

    @property
    def counts_seconds(self) -> bool:
        """Whether it captures UNIX time."""
        return self.value is unix_time

    @property
    def definition(self) -> Data:
        """The capture object as attribute 3 shows it."""
        return structure(
            uint16(self.class_id),
            octets(Obis.parse(self.code)),
            int8(self.attribute_id),
            uint16(0),
        )


type Times = Callable[[Query], Sequence[datetime]]
"""When the rows in the buffer were captured, oldest first."""


def date_time(query: Query, moment: datetime) -> Data:
    """Return a moment as the meter writes it: its own local time, with deviation and daylight saving."""
    settings = query.settings
    # What the clock shows comes only once; the times of rows come again and again.
    stamp = _stamp if moment == query.moment else _remembered_stamp
    return octets(stamp(settings.quirks, settings.time_zone, moment.astimezone(UTC)))


def _stamp(quirks: Quirks, time_zone: tzinfo, moment: datetime) -> bytes:
    local = moment.astimezone(_zone(quirks, time_zone, moment))
    offset, summer = local.utcoffset(), local.dst() or timedelta()
    assert offset is not None
    minutes = timedelta(minutes=1)
    deviation = {
        SentDeviation.STANDARD: -offset // minutes,
        SentDeviation.REVERSED: offset // minutes,
        SentDeviation.OF_WINTER: (summer - offset) // minutes,
        SentDeviation.NONE: None,
    }[quirks.sent_deviation]
    status = ClockStatus.DAYLIGHT_SAVING if summer else ClockStatus(0)
    stamp = replace(
        DlmsDateTime.from_datetime(local),
        deviation=deviation,
        status=status if quirks.marks_summer else None,
    )
    return stamp.encode()


_remembered_stamp = cache(_stamp)


def unix_time(_query: Query, moment: datetime) -> Data:
    return uint32(int(moment.timestamp()))


def _zone(quirks: Quirks, time_zone: tzinfo, moment: datetime) -> tzinfo:
    """Return the zone that the meter's clock keeps."""
    if not quirks.keeps_winter_time:
        return time_zone
    winter = datetime(moment.year, 1, 1, tzinfo=time_zone).utcoffset()
    return timezone(winter or timedelta())


def profile(
    code: str,
    columns: tuple[Column, ...],
    times: Times,
    *,
    period: timedelta,
    entries: int,
    readers: Readers = Readers.EVERYONE,
    sort_object: Data | None = None,
    restricted_by: Column | None = None,
) -> MeterObject:
    """Make a Profile generic object (version 1).

    Its first column that tells the time restricts ranges, unless `restricted_by` another one, and is its sort object, unless
    it says otherwise (`sort_object`).
    """

    def attribute(value: Callable[[Query], Data] | Data, *selectors: int) -> Attribute:
        source = value if not isinstance(value, Data) else lambda _: value
        return Attribute(source, readers, selectors)

    def refusable(number: int, value: Data) -> Attribute:
        def source(query: Query) -> Data:
            if number in query.settings.quirks.refused_attributes:
                raise Refused(DataAccessResult.READ_WRITE_DENIED)
            return value

        return attribute(source)

    def entries_in_use(query: Query) -> Data:
        if ENTRIES_IN_USE in query.settings.quirks.refused_attributes:
            raise Refused(DataAccessResult.OBJECT_UNDEFINED)
        return uint32(len(times(query)))

    if restricted_by is None:
        restricted_by = next((each for each in columns if each.tells_time), None)
    if sort_object is None:
        sort_object = restricted_by.definition if restricted_by else NO_OBJECT

    return cosem_object(
        PROFILE_GENERIC,
        code,
        attribute(
            lambda query: _buffer(query, columns, times, restricted_by),
            BY_RANGE,
            BY_ENTRY,
        ),
        refusable(3, array([column.definition for column in columns])),
        refusable(4, uint32(int(period.total_seconds()))),
        attribute(_sort_method),
        refusable(6, sort_object),
        attribute(entries_in_use),
        attribute(uint32(entries)),
        version=1,
        methods=2,
    )


def _sort_method(query: Query) -> Data:
    quirks = query.settings.quirks
    if quirks.sorted_by_value:
        return enum(LARGEST)
    claimed = quirks.claims_newest_first
    return enum(LIFO if (quirks.newest_first if claimed is None else claimed) else FIFO)


def _buffer(
    query: Query,
    columns: tuple[Column, ...],
    times: Times,
    restricted_by: Column | None,
) -> Data:
    quirks = query.settings.quirks
    moments = _in_order(query, columns, times(query))
    if query.access is not None:
        try:
            columns, moments = (
                _by_range(query, columns, moments, restricted_by)
                if query.access.selector == BY_RANGE
                else _by_entry(query, columns, moments)
            )
        except (DecodeError, TypeError, ValueError) as error:
            raise Refused(DataAccessResult.TYPE_UNMATCHED) from error
    elif not quirks.gives_whole_buffer:
        raise Refused(DataAccessResult.OTHER_REASON)
    if quirks.answers_backwards:
        moments = moments[::-1]
    rows = [[column.value(query, each) for column in columns] for each in moments]
    if quirks.compressed:
        rows = _compress(rows, columns)
    if quirks.compact and rows:
        cells = tuple(TypeDescription(cell.type) for cell in rows[0])
        element = TypeDescription(DataType.STRUCTURE, cells)
        elements = tuple(structure(*row) for row in rows)
        return Data(DataType.COMPACT_ARRAY, CompactArray(element, elements))
    return array([structure(*row) for row in rows])


def _in_order(
    query: Query, columns: tuple[Column, ...], moments: Sequence[datetime]
) -> Sequence[datetime]:
    quirks = query.settings.quirks
    if quirks.sorted_by_value:

        def value(moment: datetime) -> int:
            number = columns[-1].value(query, moment).value
            assert isinstance(number, int)
            return -number

        return sorted(moments, key=value)
    return moments[::-1] if quirks.newest_first else moments


def _compress(rows: list[list[Data]], columns: tuple[Column, ...]) -> list[list[Data]]:
    """Leave out what follows from the row before: every time, and values that are the same."""
    compressed = rows[:1]
    for last, row in pairwise(rows):
        cells = zip(columns, last, row, strict=True)
        compressed.append(
            [
                NULL if column.tells_time or cell == before else cell
                for column, before, cell in cells
            ]
        )
    return compressed


type _Selection = tuple[tuple[Column, ...], Sequence[datetime]]


def _by_range(
    query: Query,
    columns: tuple[Column, ...],
    moments: Sequence[datetime],
    restricted_by: Column | None,
) -> _Selection:
    """Obey a range descriptor: {restricting object, from, to, selected columns}; one column restricts, and no other."""
    assert query.access is not None
    restricting, first, last, selected = _elements(query.access.parameters, 4)
    if restricted_by is None or restricting != restricted_by.definition:
        raise ValueError("another column restricts")
    end = _unix_moment if restricted_by.counts_seconds else _moment
    since, until = end(query, first), end(query, last)
    if until - since < query.settings.quirks.least_range:
        raise ValueError("too short a range")
    by_definition = {column.definition: column for column in columns}
    wanted = _elements(selected)
    if not all(definition in by_definition for definition in wanted):
        raise ValueError("no such column")
    chosen = tuple(by_definition[definition] for definition in wanted)
    answer = query.settings.quirks.range_answer
    if answer is RangeAnswer.NOTHING:
        moments = []
    elif answer is not RangeAnswer.IGNORE:
        moments = [moment for moment in moments if since <= moment <= until]
    return _choose(query, columns, chosen or columns), moments


def _by_entry(
    query: Query, columns: tuple[Column, ...], moments: Sequence[datetime]
) -> _Selection:
    """Obey an entry descriptor: {from entry, to entry, from column, to column}, from 1; as `to` 0 is the last."""
    assert query.access is not None
    if not query.settings.quirks.takes_entries:
        raise Refused(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
    numbers = [element.value for element in _elements(query.access.parameters, 4)]
    from_entry, to_entry, from_column, to_column = (
        number if isinstance(number, int) else -1 for number in numbers
    )
    if min(from_entry, from_column) < 1 or min(to_entry, to_column) < 0:
        raise ValueError("entries and columns count from 1")
    if query.settings.quirks.ignores_entries:
        return columns, moments
    return (
        _choose(query, columns, columns[from_column - 1 : to_column or None]),
        moments[from_entry - 1 : to_entry or None],
    )


def _choose(
    query: Query, columns: tuple[Column, ...], chosen: tuple[Column, ...]
) -> tuple[Column, ...]:
    choice = query.settings.quirks.column_choice
    if choice is ColumnChoice.REFUSE and chosen != columns:
        raise ValueError("columns cannot be chosen")
    return columns if choice is ColumnChoice.IGNORE else chosen


def _elements(data: Data, count: int | None = None) -> tuple[Data, ...]:
    if not isinstance(data.value, tuple) or count not in {None, len(data.value)}:
        raise TypeError("a structure expected")
    return tuple(element for element in data.value if isinstance(element, Data))


def _unix_moment(_query: Query, data: Data) -> datetime:
    if data.type is not DataType.DOUBLE_LONG_UNSIGNED or not isinstance(
        data.value, int
    ):
        raise TypeError("seconds since 1970 expected")
    return datetime.fromtimestamp(data.value, UTC)


def _moment(query: Query, data: Data) -> datetime:
    """Read a boundary: with deviation, or without it in the meter's own time."""
    quirks = query.settings.quirks
    if not isinstance(data.value, bytes):
        raise TypeError("a date-time expected")
    stamp = DlmsDateTime.decode(data.value)
    form = RangeForm(data.type is DataType.DATE_TIME, stamp.deviation is not None)
    if form not in quirks.range_forms:
        raise ValueError("not in this form")
    local = stamp.local()
    if local is None:
        raise ValueError("a date-time without wildcards expected")
    if stamp.deviation is None:
        zone = _zone(quirks, query.settings.time_zone, query.moment)
        return local.replace(tzinfo=zone).astimezone(UTC)
    minutes = stamp.deviation
    if quirks.sent_deviation is SentDeviation.REVERSED:
        minutes = -minutes
    if quirks.sent_deviation is SentDeviation.OF_WINTER and stamp.status:
        minutes -= 60
    if quirks.range_answer is RangeAnswer.MISREAD:
        minutes = -minutes
    return (local + timedelta(minutes=minutes)).replace(tzinfo=UTC)


# The load profile: the registers every quarter of an hour, for 60 days.

LOAD_PROFILE_ENTRIES = 60 * 96


def load_profile_times(query: Query) -> Sequence[datetime]:
    """Return the ends of the last quarters that are over."""
    captured = query.house.quarter_of(query.moment)
    first = max(captured - LOAD_PROFILE_ENTRIES, 0)
    return [BUILT + quarter * QUARTER for quarter in range(first + 1, captured + 1)]


# The event log.

EVENT_LOG_ENTRIES = 100
POWER_DOWN, POWER_UP, CLOCK_ADJUSTED, COVER_OPENED, COVER_CLOSED = 1, 2, 4, 44, 45
_HAPPENINGS = (  # (share of the days it happens on, events with their delay in seconds)
    (0.04, ((POWER_DOWN, 0), (POWER_UP, 97))),
    (0.12, ((CLOCK_ADJUSTED, 0),)),
    (0.01, ((COVER_OPENED, 0), (COVER_CLOSED, 240))),
)


@cache
def _events_of_day(seed: int, day: int) -> tuple[tuple[datetime, int], ...]:
    random = Random(f"events of day {day}, house {seed}")
    log: list[tuple[datetime, int]] = []
    for share, happening in _HAPPENINGS:
        begun = BUILT + timedelta(days=day, seconds=random.randrange(80_000))
        if random.random() < share:
            log += (
                (begun + timedelta(seconds=delay), code) for code, delay in happening
            )
    return tuple(sorted(log))


def events(query: Query) -> list[tuple[datetime, int]]:
    """Return all events since the meter was built with their times, oldest first."""
    days = range((query.moment - BUILT).days + 1)
    log = chain.from_iterable(_events_of_day(query.settings.seed, day) for day in days)
    return [event for event in log if event[0] <= query.moment]


def event_times(query: Query) -> Sequence[datetime]:
    return [moment for moment, _ in events(query)[-EVENT_LOG_ENTRIES:]]


def event_code(query: Query, moment: datetime) -> Data:
    """Return the code of the event logged at `moment`."""
    return uint8(dict(events(query))[moment])
