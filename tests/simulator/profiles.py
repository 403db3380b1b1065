"""The profiles of the simulated meter: load profile and event log, and selective access to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from random import Random

from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError

from .house import BUILT, QUARTER
from .objects import (
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

PROFILE_GENERIC = 7
BY_RANGE, BY_ENTRY = 1, 2
FIFO = 1


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
    local = moment.astimezone(query.settings.time_zone)
    return octets(DlmsDateTime.from_datetime(local).encode())


def profile(
    code: str,
    columns: tuple[Column, ...],
    times: Times,
    *,
    period: timedelta,
    entries: int,
    readers: Readers = Readers.EVERYONE,
) -> MeterObject:
    """Make a Profile generic object (version 1) whose first column is the clock."""

    def attribute(value: Callable[[Query], Data] | Data, *selectors: int) -> Attribute:
        source = value if not isinstance(value, Data) else lambda _: value
        return Attribute(source, readers, selectors)

    return cosem_object(
        PROFILE_GENERIC,
        code,
        attribute(lambda query: _buffer(query, columns, times), BY_RANGE, BY_ENTRY),
        attribute(array([column.definition for column in columns])),
        attribute(uint32(int(period.total_seconds()))),
        attribute(enum(FIFO)),
        attribute(columns[0].definition),
        attribute(lambda query: uint32(len(times(query)))),
        attribute(uint32(entries)),
        version=1,
        methods=2,
    )


def _buffer(query: Query, columns: tuple[Column, ...], times: Times) -> Data:
    moments = times(query)
    if query.access is not None:
        select = {BY_RANGE: _by_range, BY_ENTRY: _by_entry}[query.access.selector]
        try:
            columns, moments = select(query, columns, moments)
        except (DecodeError, TypeError, ValueError) as error:
            raise Refused(DataAccessResult.TYPE_UNMATCHED) from error
    return array(
        [
            structure(*(column.value(query, moment) for column in columns))
            for moment in moments
        ]
    )


type _Selection = tuple[tuple[Column, ...], Sequence[datetime]]


def _by_range(
    query: Query, columns: tuple[Column, ...], moments: Sequence[datetime]
) -> _Selection:
    """Obey a range descriptor: {restricting object, from, to, selected columns}; the clock restricts."""
    assert query.access is not None
    restricting, first, last, selected = _elements(query.access.parameters, 4)
    if restricting != columns[0].definition:
        raise ValueError("only the clock restricts")
    since, until = _moment(query, first), _moment(query, last)
    by_definition = {column.definition: column for column in columns}
    wanted = _elements(selected)
    if not all(definition in by_definition for definition in wanted):
        raise ValueError("no such column")
    return (
        tuple(by_definition[definition] for definition in wanted) or columns,
        [moment for moment in moments if since <= moment <= until],
    )


def _by_entry(
    query: Query, columns: tuple[Column, ...], moments: Sequence[datetime]
) -> _Selection:
    """Obey an entry descriptor: {from entry, to entry, from column, to column}, from 1; as `to` 0 is the last."""
    assert query.access is not None
    numbers = [element.value for element in _elements(query.access.parameters, 4)]
    from_entry, to_entry, from_column, to_column = (
        number if isinstance(number, int) else -1 for number in numbers
    )
    if min(from_entry, from_column) < 1 or min(to_entry, to_column) < 0:
        raise ValueError("entries and columns count from 1")
    return (
        columns[from_column - 1 : to_column or None],
        moments[from_entry - 1 : to_entry or None],
    )


def _elements(data: Data, count: int | None = None) -> tuple[Data, ...]:
    if not isinstance(data.value, tuple) or count not in {None, len(data.value)}:
        raise TypeError("a structure expected")
    return tuple(element for element in data.value if isinstance(element, Data))


def _moment(query: Query, data: Data) -> datetime:
    """Read a boundary: with deviation, or without it in the meter's own time."""
    if not isinstance(data.value, bytes):
        raise TypeError("a date-time expected")
    stamp = DlmsDateTime.decode(data.value)
    if (moment := stamp.as_utc()) is not None:
        return moment
    local = stamp.local()
    if local is None:
        raise ValueError("a date-time without wildcards expected")
    return local.replace(tzinfo=query.settings.time_zone).astimezone(UTC)


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
