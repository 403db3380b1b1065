"""Which part of a profile's buffer is wanted. Source: DLMS UA Blue Book, Profile generic (class 7), selective access."""

from typing import Final, NamedTuple

from ..codec.data import Data, DataType
from .capture_objects import CaptureObject
from .descriptors import SelectiveAccess

BY_RANGE: Final = 1
BY_ENTRY: Final = 2


class RangeDescriptor(NamedTuple):
    """The entries whose value of one column lies in a range, both ends included."""

    restricting_object: CaptureObject
    from_value: Data
    to_value: Data
    selected_values: tuple[CaptureObject, ...] = ()
    """The columns wanted; none stands for all."""

    @property
    def access(self) -> SelectiveAccess:
        """The same as a request carries it."""
        columns = tuple([column.encode() for column in self.selected_values])
        parameters = (
            self.restricting_object.encode(),
            self.from_value,
            self.to_value,
            Data(DataType.ARRAY, columns),
        )
        return SelectiveAccess(BY_RANGE, Data(DataType.STRUCTURE, parameters))


class EntryDescriptor(NamedTuple):
    """The entries and columns in a range of numbers, counted from 1, both ends included; 0 as the end is the last one."""

    from_entry: int
    to_entry: int = 0
    from_selected_value: int = 1
    to_selected_value: int = 0

    @property
    def access(self) -> SelectiveAccess:
        """The same as a request carries it."""
        parameters = (
            Data(DataType.DOUBLE_LONG_UNSIGNED, self.from_entry),
            Data(DataType.DOUBLE_LONG_UNSIGNED, self.to_entry),
            Data(DataType.LONG_UNSIGNED, self.from_selected_value),
            Data(DataType.LONG_UNSIGNED, self.to_selected_value),
        )
        return SelectiveAccess(BY_ENTRY, Data(DataType.STRUCTURE, parameters))
