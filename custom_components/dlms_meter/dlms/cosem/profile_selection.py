"""Which rows of a profile are wanted."""

from dataclasses import dataclass
from datetime import datetime

from ..errors import LocalProtocolError


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The rows captured from `since` to `until`, both included; without `until`, up to the newest.

    Raises `LocalProtocolError` when these are not datetimes with a time zone.
    """

    since: datetime
    until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse times that could be any."""
        for end in (self.since, self.until or self.since):
            if end.utcoffset() is None:
                raise LocalProtocolError(f"{end} has no time zone")


@dataclass(frozen=True, slots=True)
class LastEntries:
    """The newest rows, so many. Raises `LocalProtocolError` for less than one."""

    count: int

    def __post_init__(self) -> None:
        """Refuse what is no number of rows."""
        if self.count < 1:
            raise LocalProtocolError(f"the last {self.count} rows make no sense")


@dataclass(frozen=True, slots=True)
class EntryRange:
    """The entries with these numbers, from 1 as the meter counts them, both included; 0 as `last` is the last one.

    Raises `LocalProtocolError` for numbers that are none.
    """

    first: int
    last: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers no entry has."""
        if self.first < 1 or (self.last and self.last < self.first):
            raise LocalProtocolError(
                f"entries {self.first} to {self.last} make no sense"
            )


@dataclass(frozen=True, slots=True)
class WholeBuffer:
    """Every row there is."""


type Selection = TimeRange | LastEntries | EntryRange | WholeBuffer
