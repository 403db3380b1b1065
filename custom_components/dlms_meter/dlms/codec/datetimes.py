"""Date, time and date-time of COSEM: calendars with blanks.

Any field may be unspecified, here None. The months and days that are rules rather than numbers keep their code:
`MONTH_DST_BEGIN` and `MONTH_DST_END`, `DAY_LAST` and `DAY_SECOND_LAST`.
Source: DLMS UA Blue Book, date and time notations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import IntFlag
import re
from struct import Struct, error as StructError
from typing import Self

from ..errors import DecodeError, LocalProtocolError

MONTH_DST_END = 0xFD
MONTH_DST_BEGIN = 0xFE
DAY_SECOND_LAST = 0xFD
DAY_LAST = 0xFE

_MONTHS = {MONTH_DST_BEGIN: "summer", MONTH_DST_END: "winter"}
"""Months in which summer and winter time begin."""
_DAYS = {DAY_LAST: "last", DAY_SECOND_LAST: "last but one"}

_NAMED = {name: code for names in (_MONTHS, _DAYS) for code, name in names.items()}
_DATE_PRINTED = re.compile(
    r"(\*|\d{4})-(\*|\d\d|summer|winter)-(\*|\d\d|last but one|last)(?: ([1-7]))?"
)
_TIME_PRINTED = re.compile(r"(\*|\d\d):(\*|\d\d):(\*|\d\d)(?:\.(\d\d))?")

_DATE = Struct(">HBBB")
_TIME = Struct(">BBBB")
_ZONE = Struct(">hB")
_ANY_YEAR = 0xFFFF
_ANY = 0xFF
_ANY_DEVIATION = -0x8000


class ClockStatus(IntFlag):
    """What the meter thinks of its own clock; reserved bits are kept."""

    INVALID = 0x01
    DOUBTFUL = 0x02
    DIFFERENT_CLOCK_BASE = 0x04
    INVALID_CLOCK_STATUS = 0x08
    DAYLIGHT_SAVING = 0x80


@dataclass(frozen=True, slots=True)
class DlmsDate:
    """A date of 5 octets; what cannot be in a calendar (month 0) is kept as it came."""

    year: int | None
    month: int | None
    day: int | None
    day_of_week: int | None
    """1 Monday … 7 Sunday."""

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Decode 5 octets; raises `DecodeError` for any other number."""
        year, month, day, day_of_week = _unpack(_DATE, octets, "a date")
        return cls(
            _specified(year, _ANY_YEAR),
            _specified(month),
            _specified(day),
            _specified(day_of_week),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a date as `str` prints it; raises `DecodeError` for anything else, and for a day that is in no calendar.

        The day of the week, where it is not printed, is that of the calendar, or open.
        """
        found = _DATE_PRINTED.fullmatch(text)
        if found is None:
            raise DecodeError(f"{text!r} is not a date")
        year, month, day, weekday = map(_parsed, found.groups())
        parsed = cls(year, month, day, weekday)
        if weekday is not None or year is None or month is None or day is None:
            return parsed
        if month in _MONTHS or day in _DAYS:
            return parsed
        try:
            return replace(parsed, day_of_week=date(year, month, day).isoweekday())
        except ValueError:
            raise DecodeError(f"{text!r} is in no calendar") from None

    def encode(self) -> bytes:
        """Encode to 5 octets; raises `LocalProtocolError` when a field does not fit."""
        year = _ANY_YEAR if self.year is None else self.year
        return _pack(
            _DATE, year, _sent(self.month), _sent(self.day), _sent(self.day_of_week)
        )

    def __str__(self) -> str:
        """Print as `2026-11-20`; a field that is open as `*`, and then the day of the week too: `*-10-last 7`."""
        year = "*" if self.year is None else f"{self.year:04}"
        text = f"{year}-{_shown(self.month, _MONTHS)}-{_shown(self.day, _DAYS)}"
        return f"{text} {self.day_of_week}" if self._is_rule else text

    @property
    def _is_rule(self) -> bool:
        """The day of the week tells more than the calendar would."""
        is_open = self.year is None or self.month is None or self.day is None
        named = self.month in _MONTHS or self.day in _DAYS
        return self.day_of_week is not None and (is_open or named)


@dataclass(frozen=True, slots=True)
class DlmsTime:
    """A time of day of 4 octets; what no clock shows (hour 25) is kept as it came."""

    hour: int | None
    minute: int | None
    second: int | None
    hundredths: int | None

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Decode 4 octets; raises `DecodeError` for any other number."""
        hour, minute, second, hundredths = _unpack(_TIME, octets, "a time")
        return cls(
            _specified(hour),
            _specified(minute),
            _specified(second),
            _specified(hundredths),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a time as `str` prints it; raises `DecodeError` for anything else, and for one that no clock shows."""
        found = _TIME_PRINTED.fullmatch(text)
        if found is None:
            raise DecodeError(f"{text!r} is not a time")
        hour, minute, second, hundredths = map(_parsed, found.groups())
        if (hour or 0) > 23 or max(minute or 0, second or 0) > 59:
            raise DecodeError(f"{text!r} is on no clock")
        if hundredths is None and None not in (hour, minute, second):
            hundredths = 0
        return cls(hour, minute, second, hundredths)

    def encode(self) -> bytes:
        """Encode to 4 octets; raises `LocalProtocolError` when a field does not fit."""
        return _pack(
            _TIME,
            _sent(self.hour),
            _sent(self.minute),
            _sent(self.second),
            _sent(self.hundredths),
        )

    def __str__(self) -> str:
        """Print as `14:30:00`, with hundredths where there are any; a field that is open as `*`."""
        text = ":".join(map(_shown, (self.hour, self.minute, self.second)))
        return f"{text}.{self.hundredths:02}" if self.hundredths else text


@dataclass(frozen=True, slots=True)
class DlmsDateTime:
    """A date-time of 12 octets: local date and time, the way to UTC, and the state of the clock."""

    date: DlmsDate
    time: DlmsTime
    deviation: int | None
    """Minutes, as sent. The standard adds them to local time to get UTC: -60 is Central European winter time.

    Meters of several countries send the opposite sign; only a look at the meter's clock can tell.
    """
    status: ClockStatus | None

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Decode 12 octets; raises `DecodeError` for any other number."""
        if len(octets) != 12:
            raise DecodeError(f"{len(octets)} octets are not a date-time")
        deviation, status = _ZONE.unpack(octets[9:])
        return cls(
            DlmsDate.decode(octets[:5]),
            DlmsTime.decode(octets[5:9]),
            _specified(deviation, _ANY_DEVIATION),
            None if status == _ANY else ClockStatus(status),
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read date and time as `str` prints them, without deviation and status; raises `DecodeError` for anything else."""
        day, _, time = text.rpartition(" ")
        return cls(DlmsDate.parse(day), DlmsTime.parse(time), None, None)

    @classmethod
    def from_datetime(cls, moment: datetime) -> Self:
        """Make the date-time of an aware datetime, in its own zone, with deviation, and status for summer time.

        Raises `LocalProtocolError` when `moment` is naive.
        """
        offset = moment.utcoffset()
        if offset is None:
            raise LocalProtocolError("a date-time needs a datetime with a time zone")
        return cls(
            DlmsDate(moment.year, moment.month, moment.day, moment.isoweekday()),
            DlmsTime(
                moment.hour, moment.minute, moment.second, moment.microsecond // 10_000
            ),
            -(offset // timedelta(minutes=1)),
            ClockStatus.DAYLIGHT_SAVING if moment.dst() else ClockStatus(0),
        )

    def encode(self) -> bytes:
        """Encode to 12 octets; raises `LocalProtocolError` when a field does not fit."""
        deviation = _ANY_DEVIATION if self.deviation is None else self.deviation
        return (
            self.date.encode()
            + self.time.encode()
            + _pack(_ZONE, deviation, _sent(self.status))
        )

    def __str__(self) -> str:
        """Print date and time as they are shown, without the way to UTC."""
        return f"{self.date} {self.time}"

    def local(self) -> datetime | None:
        """Return the local time without a zone, or None when a field is unspecified, a rule, or impossible.

        Unspecified hundredths count as 0: most meters send none.
        """
        year, month, day = self.date.year, self.date.month, self.date.day
        hour, minute, second = self.time.hour, self.time.minute, self.time.second
        if (
            year is None
            or month is None
            or day is None
            or hour is None
            or minute is None
            or second is None
        ):
            return None
        microsecond = (self.time.hundredths or 0) * 10_000
        try:
            return datetime(year, month, day, hour, minute, second, microsecond)  # noqa: DTZ001  the zone is the meter's
        except ValueError:
            return None

    def as_utc(self, *, reversed_deviation: bool = False) -> datetime | None:
        """Return the moment in UTC, or None without a deviation or where `local()` has nothing.

        `reversed_deviation` is for meters that send the minutes from UTC to local time.
        """
        local = self.local()
        if local is None or self.deviation is None:
            return None
        minutes = -self.deviation if reversed_deviation else self.deviation
        try:
            return (local + timedelta(minutes=minutes)).replace(tzinfo=UTC)
        except OverflowError:
            return None


def _specified(value: int, unspecified: int = _ANY) -> int | None:
    return None if value == unspecified else value


def _sent(value: int | None) -> int:
    return _ANY if value is None else value


def _shown(value: int | None, named: Mapping[int, str] | None = None) -> str:
    return "*" if value is None else (named or {}).get(value, f"{value:02}")


def _parsed(text: str | None) -> int | None:
    if text is None or text == "*":
        return None
    return _NAMED[text] if text in _NAMED else int(text)


def _unpack(layout: Struct, octets: bytes, what: str) -> tuple[int, ...]:
    try:
        return layout.unpack(octets)
    except StructError:
        raise DecodeError(f"{len(octets)} octets are not {what}") from None


def _pack(layout: Struct, *fields: int) -> bytes:
    try:
        return layout.pack(*fields)
    except StructError:
        raise LocalProtocolError(f"{fields} does not fit a date-time") from None
