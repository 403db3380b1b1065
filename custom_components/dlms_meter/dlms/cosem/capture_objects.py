"""What a profile captures: the attributes in its columns. Source: DLMS UA Blue Book, Profile generic (class 7)."""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple, Self

from ..codec.data import Data, DataType
from ..errors import DecodeError
from .clock import CLOCK
from .descriptors import AttributeDescriptor
from .obis import Obis
from .values import elements


class SortMethod(IntEnum):
    """In which order a profile keeps its entries."""

    FIFO = 1
    LIFO = 2
    LARGEST = 3
    SMALLEST = 4
    NEAREST_TO_ZERO = 5
    FARTHEST_FROM_ZERO = 6


class CaptureObject(NamedTuple):
    """One column of a profile: an attribute, or with `data_index` one element of it, counted from 1."""

    class_id: int
    logical_name: Obis
    attribute_id: int
    """As sent, -128 to 127: attributes of the manufacturer's own are negative. 0 stands for all attributes."""
    data_index: int = 0

    @property
    def attribute(self) -> AttributeDescriptor:
        """The attribute it captures, or captures from."""
        return AttributeDescriptor(self.class_id, self.logical_name, self.attribute_id)

    @property
    def is_date_time(self) -> bool:
        """Whether it captures the time of a clock."""
        return (self.class_id, self.attribute_id) == (
            CLOCK.class_id,
            CLOCK.attribute_id,
        )

    @property
    def is_unix_time(self) -> bool:
        """Whether it captures seconds since 1970 (0-b:1.1.0)."""
        name = self.logical_name
        place = (self.class_id, name.a, name.c, name.d, name.e, self.attribute_id)
        return place == (1, 0, 1, 1, 0, 2)

    @property
    def is_time(self) -> bool:
        """Whether it tells when a row was captured."""
        return self.is_date_time or self.is_unix_time

    def __str__(self) -> str:
        """Print as class, OBIS code, attribute and, if any, data index: `3/1-0:1.8.0*255/2`."""
        index = f"/{self.data_index}" if self.data_index else ""
        return f"{self.attribute}{index}"

    def encode(self) -> Data:
        """Return the capture_object_definition."""
        fields = (
            Data(DataType.LONG_UNSIGNED, self.class_id),
            Data(DataType.OCTET_STRING, bytes(self.logical_name)),
            Data(DataType.INTEGER, self.attribute_id),
            Data(DataType.LONG_UNSIGNED, self.data_index),
        )
        return Data(DataType.STRUCTURE, fields)

    @classmethod
    def decode(cls, data: Data) -> Self:
        """Read a capture_object_definition; elements after its four are passed over. Raises `DecodeError`."""
        match [element.value for element in elements(data)[:4]]:
            case [int(class_id), bytes(name), int(attribute_id), int(data_index)]:
                return cls(class_id, Obis(name), attribute_id, data_index)
        raise DecodeError(f"{data} defines no capture object")

    def to_storage(self) -> list[Any]:
        """Return the same as JSON-able values, for `from_storage`."""
        return [
            self.class_id,
            str(self.logical_name),
            self.attribute_id,
            self.data_index,
        ]

    @classmethod
    def from_storage(cls, stored: Sequence[Any]) -> Self:
        """Make the capture object `to_storage` was called on. Raises `DecodeError` for anything else."""
        match stored:
            case [int(class_id), str(name), int(attribute_id), int(data_index)]:
                return cls(class_id, Obis.parse(name), attribute_id, data_index)
        raise DecodeError(f"{stored!r} is no stored capture object")


def decode_capture_objects(data: Data) -> tuple[CaptureObject, ...]:
    """Read a capture_objects attribute. Raises `DecodeError` when it is no list of them."""
    if data.type is not DataType.ARRAY:
        raise DecodeError(f"capture objects are an array, not {data.type.name}")
    return tuple([CaptureObject.decode(element) for element in elements(data)])
