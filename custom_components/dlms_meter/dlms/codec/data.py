"""COSEM Data as values: the tag of a type and what it holds.

Source: DLMS UA Green Book, the ASN.1 of xDLMS (CHOICE Data, TypeDescription).
"""

from enum import IntEnum
from struct import calcsize
from typing import NamedTuple

MAX_DEPTH = 16
"""Arrays and structures inside each other: deeper ones are refused. The object list, the deepest we know, needs 6."""

VALUES_PER_OCTET = 4
"""Most values one octet of compact-array contents may stand for: null-data takes no octets, time and memory it does."""


class DataType(IntEnum):
    """Tags of the CHOICE Data."""

    NULL_DATA = 0
    ARRAY = 1
    STRUCTURE = 2
    BOOLEAN = 3
    BIT_STRING = 4
    DOUBLE_LONG = 5
    DOUBLE_LONG_UNSIGNED = 6
    FLOATING_POINT = 7
    """32 bits; withdrawn from the standard in favour of FLOAT32, still sent by old meters."""
    OCTET_STRING = 9
    VISIBLE_STRING = 10
    UTF8_STRING = 12
    BCD = 13
    INTEGER = 15
    LONG = 16
    UNSIGNED = 17
    LONG_UNSIGNED = 18
    COMPACT_ARRAY = 19
    LONG64 = 20
    LONG64_UNSIGNED = 21
    ENUM = 22
    FLOAT32 = 23
    FLOAT64 = 24
    DATE_TIME = 25
    DATE = 26
    TIME = 27
    DELTA_INTEGER = 28
    DELTA_LONG = 29
    DELTA_DOUBLE_LONG = 30
    DELTA_UNSIGNED = 31
    DELTA_LONG_UNSIGNED = 32
    DELTA_DOUBLE_LONG_UNSIGNED = 33
    DONT_CARE = 255


type FixedRow = tuple[str, type[bool | int | float | bytes]]
FIXED: dict[DataType, FixedRow] = {
    DataType.BOOLEAN: (">?", bool),
    DataType.DOUBLE_LONG: (">i", int),
    DataType.DOUBLE_LONG_UNSIGNED: (">I", int),
    DataType.FLOATING_POINT: (">f", float),
    DataType.BCD: (">B", int),
    DataType.INTEGER: (">b", int),
    DataType.LONG: (">h", int),
    DataType.UNSIGNED: (">B", int),
    DataType.LONG_UNSIGNED: (">H", int),
    DataType.LONG64: (">q", int),
    DataType.LONG64_UNSIGNED: (">Q", int),
    DataType.ENUM: (">B", int),
    DataType.FLOAT32: (">f", float),
    DataType.FLOAT64: (">d", float),
    DataType.DATE_TIME: (">12s", bytes),
    DataType.DATE: (">5s", bytes),
    DataType.TIME: (">4s", bytes),
    DataType.DELTA_INTEGER: (">b", int),
    DataType.DELTA_LONG: (">h", int),
    DataType.DELTA_DOUBLE_LONG: (">i", int),
    DataType.DELTA_UNSIGNED: (">B", int),
    DataType.DELTA_LONG_UNSIGNED: (">H", int),
    DataType.DELTA_DOUBLE_LONG_UNSIGNED: (">I", int),
}
"""Types of fixed size: how struct packs each, and the Python type it takes."""
EMPTY = (DataType.NULL_DATA, DataType.DONT_CARE)
"""Types that are their tag alone."""
SEQUENCES = (DataType.ARRAY, DataType.STRUCTURE)
"""Types made of other Data."""


class BitString(NamedTuple):
    """Bits, the first one the highest of the first octet; what pads the last octet is kept as it came."""

    octets: bytes
    bit_length: int

    def __str__(self) -> str:
        """Show the bits as 0 and 1, the first bit first."""
        return "".join(f"{octet:08b}" for octet in self.octets)[: self.bit_length]


class TypeDescription(NamedTuple):
    """What the elements of a compact-array are: their tags, sent once for all of them."""

    type: DataType
    elements: tuple[TypeDescription, ...] = ()
    """Of a structure one per element, of an array the one all its elements share, else none."""
    array_length: int = 0
    """Number of elements of an array; 0 for every other type."""

    def element_types(self) -> tuple[TypeDescription, ...]:
        """Return one description per element of an array or structure."""
        return (
            self.elements * self.array_length
            if self.type is DataType.ARRAY
            else self.elements
        )

    def least(self) -> tuple[int, int]:
        """Return the fewest octets such a value takes without its tags, and how many values it is made of."""
        if self.type in SEQUENCES:
            repeated = self.array_length if self.type is DataType.ARRAY else 1
            inner = [element.least() for element in self.elements]
            octets = repeated * sum(fewest for fewest, _ in inner)
            return octets, 1 + repeated * sum(values for _, values in inner)
        if self.type in FIXED:
            return calcsize(FIXED[self.type][0]), 1
        return int(self.type not in EMPTY), 1  # a string has at least its length octet

    def inflates(self) -> bool:
        """Whether few octets, or none, would make many values."""
        octets, values = self.least()
        return values > VALUES_PER_OCTET * octets


class CompactArray(NamedTuple):
    """An array whose elements share one type description; here each element carries its type again."""

    description: TypeDescription
    elements: tuple[Data, ...]


type DataValue = (
    bool
    | int
    | float
    | str
    | bytes
    | BitString
    | CompactArray
    | tuple[Data, ...]
    | None
)


_LONGEST_TEXT = 80  # characters


class Data(NamedTuple):
    """One COSEM value: the tag of the CHOICE and what it holds.

    ARRAY and STRUCTURE hold a tuple of Data. OCTET_STRING, DATE_TIME (12 octets), DATE (5) and TIME (4) hold bytes.
    VISIBLE_STRING holds str, one character per octet (latin-1: meters send any octet).
    UTF8_STRING holds str; octets that are not UTF-8 survive as surrogates (`surrogateescape`).
    BCD holds its octet as a number. NULL_DATA and DONT_CARE hold None.
    """

    type: DataType
    value: DataValue

    def __str__(self) -> str:
        """Show type and value; of a value made of others, how many they are: there may be thousands."""
        held = self.value
        if isinstance(held, CompactArray):
            held = held.elements
        if self.type in SEQUENCES or self.type is DataType.COMPACT_ARRAY:
            assert isinstance(held, tuple)
            return f"{self.type.name} of {len(held)}"
        shown = held.hex() if isinstance(held, bytes) else str(held)
        return f"{self.type.name} {shown[:_LONGEST_TEXT]}"
