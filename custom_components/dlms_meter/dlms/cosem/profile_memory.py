"""What is worth keeping of a profile from one reading to the next: what it captures, and which ways of asking it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

from ..errors import DecodeError
from .capture_objects import CaptureObject


class Way(Enum):
    """A way to ask for the rows of a span of time, from the best to the last."""

    RANGE = "range"
    """By range, date-times as octet-strings; seconds where the profile has those."""
    RANGE_LOCAL = "range_local"
    """The same, without deviation."""
    RANGE_TAGGED = "range_tagged"
    """By range, date-times under their own tag."""
    RANGE_TAGGED_LOCAL = "range_tagged_local"
    """The same, without deviation."""
    ENTRY = "entry"
    """By entry: the newest ones, as many as the time can hold."""
    BUFFER = "buffer"
    """Everything."""

    @property
    def is_range(self) -> bool:
        """Whether the meter does the selecting by time."""
        return self not in (Way.ENTRY, Way.BUFFER)

    @property
    def is_local(self) -> bool:
        """Whether times are sent without deviation."""
        return self in (Way.RANGE_LOCAL, Way.RANGE_TAGGED_LOCAL)

    @property
    def is_tagged(self) -> bool:
        """Whether times are sent under the tag of date-time."""
        return self in (Way.RANGE_TAGGED, Way.RANGE_TAGGED_LOCAL)


@dataclass(slots=True, kw_only=True)
class ProfileMemory:
    """One profile of one meter. Give the same memory to every reading: it spares turns, and wrong turns."""

    capture_objects: tuple[CaptureObject, ...] = ()
    """What its columns are; empty until it was read."""
    capture_period: int = 0
    """Seconds between two rows; 0 when rows are captured by events, or it is not known."""
    sort_method: int | None = None
    """See `SortMethod`."""
    sort_object: CaptureObject | None = None
    """The column the entries are sorted by."""
    works: dict[Way, bool] = field(default_factory=dict)
    """Which ways of asking were found to work, or not to."""
    selects_columns: bool | None = None
    """Whether it can send some of the columns only."""
    newest_first: bool | None = None
    """Whether entry 1 is the newest one, as its entries showed."""

    @property
    def time_column(self) -> CaptureObject | None:
        """Return the column that tells the time of a row: the sort object if it does, else the first one that does."""
        candidates = (self.sort_object, *self.capture_objects)
        return next(
            (
                column
                for column in candidates
                if column in self.capture_objects and column.is_time
            ),
            None,
        )

    def to_storage(self) -> dict[str, Any]:
        """Return the same as JSON-able values, for `from_storage`."""
        return {
            "capture_objects": [each.to_storage() for each in self.capture_objects],
            "capture_period": self.capture_period,
            "sort_method": self.sort_method,
            "sort_object": self.sort_object and self.sort_object.to_storage(),
            "works": {way.value: works for way, works in self.works.items()},
            "selects_columns": self.selects_columns,
            "newest_first": self.newest_first,
        }

    @classmethod
    def from_storage(cls, stored: Mapping[str, Any]) -> Self:
        """Make the memory `to_storage` was called on. Raises `DecodeError` for anything else."""
        read = CaptureObject.from_storage
        try:
            sort_object = stored["sort_object"]
            return cls(
                capture_objects=tuple(
                    [read(each) for each in stored["capture_objects"]]
                ),
                capture_period=int(stored["capture_period"]),
                sort_method=stored["sort_method"],
                sort_object=None if sort_object is None else read(sort_object),
                works={Way(way): bool(works) for way, works in stored["works"].items()},
                selects_columns=stored["selects_columns"],
                newest_first=stored["newest_first"],
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DecodeError(f"not a stored profile memory: {error!r}") from error
