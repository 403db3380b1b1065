"""COSEM Data in A-XDR: the tagged values every attribute is made of.

One value class and one table of types. Source: DLMS UA Green Book, the ASN.1 of xDLMS
(CHOICE Data, TypeDescription), encoded by IEC 61334-6.
"""

from collections.abc import Callable
from enum import IntEnum
from struct import Struct, error as StructError
from typing import NamedTuple

from ..errors import DecodeError, LocalProtocolError
from .cursor import Reader, encode_length

MAX_DEPTH = 16
"""Arrays and structures inside each other: deeper ones are refused. The object list, the deepest we know, needs 6."""

VALUES_PER_OCTET = 32
"""Most values one octet of compact-array contents may stand for: null-data takes no octets, memory it does."""


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


class Data(NamedTuple):
    """One COSEM value: the tag of the CHOICE and what it holds.

    ARRAY and STRUCTURE hold a tuple of Data. OCTET_STRING, DATE_TIME (12 octets), DATE (5) and TIME (4) hold bytes.
    VISIBLE_STRING holds str, one character per octet (latin-1: meters send any octet).
    UTF8_STRING holds str; octets that are not UTF-8 survive as surrogates (`surrogateescape`).
    BCD holds its octet as a number. NULL_DATA and DONT_CARE hold None.
    """

    type: DataType
    value: DataValue


type _Read = Callable[[Reader, int], Data]
type _Encode = Callable[[DataValue, int], bytes]


class _Fixed(NamedTuple):
    """A type of fixed size: how struct packs it and what Python value it takes."""

    format: str
    kind: type[bool | int | float | bytes]


_FIXED = {
    DataType.BOOLEAN: _Fixed(">?", bool),
    DataType.DOUBLE_LONG: _Fixed(">i", int),
    DataType.DOUBLE_LONG_UNSIGNED: _Fixed(">I", int),
    DataType.FLOATING_POINT: _Fixed(">f", float),
    DataType.BCD: _Fixed(">B", int),
    DataType.INTEGER: _Fixed(">b", int),
    DataType.LONG: _Fixed(">h", int),
    DataType.UNSIGNED: _Fixed(">B", int),
    DataType.LONG_UNSIGNED: _Fixed(">H", int),
    DataType.LONG64: _Fixed(">q", int),
    DataType.LONG64_UNSIGNED: _Fixed(">Q", int),
    DataType.ENUM: _Fixed(">B", int),
    DataType.FLOAT32: _Fixed(">f", float),
    DataType.FLOAT64: _Fixed(">d", float),
    DataType.DATE_TIME: _Fixed(">12s", bytes),
    DataType.DATE: _Fixed(">5s", bytes),
    DataType.TIME: _Fixed(">4s", bytes),
    DataType.DELTA_INTEGER: _Fixed(">b", int),
    DataType.DELTA_LONG: _Fixed(">h", int),
    DataType.DELTA_DOUBLE_LONG: _Fixed(">i", int),
    DataType.DELTA_UNSIGNED: _Fixed(">B", int),
    DataType.DELTA_LONG_UNSIGNED: _Fixed(">H", int),
    DataType.DELTA_DOUBLE_LONG_UNSIGNED: _Fixed(">I", int),
}
_EMPTY = (DataType.NULL_DATA, DataType.DONT_CARE)
_SEQUENCES = (DataType.ARRAY, DataType.STRUCTURE)


def decode_data(data: bytes) -> Data:
    """Decode octets that are one Data and nothing else.

    Raises `DecodeError` when they are cut short, go on after the value, or are not a Data.
    """
    reader = Reader(data)
    value = read_data(reader)
    reader.finish("the data")
    return value


def read_data(reader: Reader) -> Data:
    """Read one Data and leave the reader behind it.

    Raises `DecodeError` for an unknown tag, missing octets, and nesting deeper than `MAX_DEPTH`.
    """
    return _read(reader, MAX_DEPTH)


def encode_data(data: Data) -> bytes:
    """Encode one Data in the fewest octets.

    Raises `LocalProtocolError` when the value does not fit its type.
    """
    return _encode(data, MAX_DEPTH)


def _read(reader: Reader, depth: int) -> Data:
    tag = reader.uint8()
    read = _READERS.get(tag)
    if read is None:
        raise DecodeError(f"{tag:02X} is not the tag of a data type", reader.offset - 1)
    return read(reader, depth)


def _fixed_reader(data_type: DataType, row: _Fixed) -> _Read:
    packed = Struct(row.format)
    size, unpack_from = packed.size, packed.unpack_from

    def read(reader: Reader, _depth: int) -> Data:
        return Data(data_type, unpack_from(reader.data, reader.advance(size))[0])

    return read


def _empty_reader(data_type: DataType) -> _Read:
    empty = Data(data_type, None)
    return lambda _reader, _depth: empty


def _sequence_reader(data_type: DataType) -> _Read:
    def read(reader: Reader, depth: int) -> Data:
        inner = _step_inside(reader, depth)
        start = reader.offset
        count = reader.length()
        if count > reader.remaining:  # each element has at least its tag
            raise DecodeError(
                f"{count} elements announced, {reader.remaining} octets left", start
            )
        return Data(data_type, tuple([_read(reader, inner) for _ in range(count)]))

    return read


def _step_inside(reader: Reader, depth: int) -> int:
    if depth == 0:
        raise DecodeError(f"data nested more than {MAX_DEPTH} deep", reader.offset)
    return depth - 1


def _read_octet_string(reader: Reader, _depth: int) -> Data:
    return Data(DataType.OCTET_STRING, reader.octets())


def _read_visible_string(reader: Reader, _depth: int) -> Data:
    return Data(DataType.VISIBLE_STRING, reader.octets().decode("latin-1"))


def _read_utf8_string(reader: Reader, _depth: int) -> Data:
    return Data(DataType.UTF8_STRING, reader.octets().decode(errors="surrogateescape"))


def _read_bit_string(reader: Reader, _depth: int) -> Data:
    bit_length = reader.length()
    return Data(
        DataType.BIT_STRING, BitString(reader.take((bit_length + 7) // 8), bit_length)
    )


def _read_compact_array(reader: Reader, depth: int) -> Data:
    description = _read_description(reader, depth)
    start = reader.offset
    length = reader.length()
    contents = Reader(reader.data, reader.advance(length), reader.offset)
    _refuse_inflation(description, start)
    elements: list[Data] = []
    while contents.remaining:
        elements.append(_read_described(contents, description, depth))
    return Data(DataType.COMPACT_ARRAY, CompactArray(description, tuple(elements)))


def _read_description(reader: Reader, depth: int) -> TypeDescription:
    tag = reader.uint8()
    if tag == DataType.ARRAY:
        inner = _step_inside(reader, depth)
        array_length = reader.uint16()
        return TypeDescription(
            DataType.ARRAY, (_read_description(reader, inner),), array_length
        )
    if tag == DataType.STRUCTURE:
        inner = _step_inside(reader, depth)
        start = reader.offset
        count = reader.length()
        if count > reader.remaining:
            raise DecodeError(
                f"{count} type descriptions announced, {reader.remaining} octets left",
                start,
            )
        return TypeDescription(
            DataType.STRUCTURE,
            tuple([_read_description(reader, inner) for _ in range(count)]),
        )
    if tag not in _READERS or tag == DataType.COMPACT_ARRAY:
        raise DecodeError(
            f"{tag:02X} is not the tag of a type description", reader.offset - 1
        )
    return TypeDescription(DataType(tag))


def _read_described(contents: Reader, description: TypeDescription, depth: int) -> Data:
    if description.type not in _SEQUENCES:
        return _READERS[description.type](contents, depth)
    types = _element_types(description)
    return Data(
        description.type,
        tuple([_read_described(contents, each, depth) for each in types]),
    )


def _element_types(description: TypeDescription) -> tuple[TypeDescription, ...]:
    if description.type is DataType.ARRAY:
        return description.elements * description.array_length
    return description.elements


def _refuse_inflation(description: TypeDescription, start: int) -> None:
    octets, values = _least(description)
    if values > VALUES_PER_OCTET * octets:
        raise DecodeError(
            f"compact-array elements of at least {octets} octets for {values} values",
            start,
        )


def _least(description: TypeDescription) -> tuple[int, int]:
    """Fewest octets and number of values of one element."""
    if description.type in _EMPTY:
        return 0, 1
    row = _FIXED.get(description.type)
    if row is not None:
        return Struct(row.format).size, 1
    inner = [_least(each) for each in description.elements]
    repeated = description.array_length if description.type is DataType.ARRAY else 1
    if description.type in _SEQUENCES:
        return repeated * sum(octets for octets, _ in inner), 1 + repeated * sum(
            values for _, values in inner
        )
    return 1, 1  # strings have at least their length octet


_READERS: dict[int, _Read] = {
    **{data_type: _empty_reader(data_type) for data_type in _EMPTY},
    **{data_type: _fixed_reader(data_type, row) for data_type, row in _FIXED.items()},
    DataType.ARRAY: _sequence_reader(DataType.ARRAY),
    DataType.STRUCTURE: _sequence_reader(DataType.STRUCTURE),
    DataType.BIT_STRING: _read_bit_string,
    DataType.OCTET_STRING: _read_octet_string,
    DataType.VISIBLE_STRING: _read_visible_string,
    DataType.UTF8_STRING: _read_utf8_string,
    DataType.COMPACT_ARRAY: _read_compact_array,
}


def _encode(data: Data, depth: int) -> bytes:
    return bytes((data.type,)) + _encode_contents(data, depth)


def _encode_contents(data: Data, depth: int) -> bytes:
    return _ENCODERS[data.type](data.value, depth)


def _refusal(data_type: DataType, value: object) -> LocalProtocolError:
    # Type and size only: a value to be written may be a key or a password.
    return LocalProtocolError(
        f"a {type(value).__name__} like this cannot be sent as {data_type.name}"
    )


def _fixed_encoder(data_type: DataType, row: _Fixed) -> _Encode:
    packed = Struct(row.format)

    def encode(value: DataValue, _depth: int) -> bytes:
        if not isinstance(value, row.kind) or (
            isinstance(value, bytes) and len(value) != packed.size
        ):
            raise _refusal(data_type, value)
        try:
            return packed.pack(value)
        except StructError, OverflowError:
            raise _refusal(data_type, value) from None

    return encode


def _empty_encoder(data_type: DataType) -> _Encode:
    def encode(value: DataValue, _depth: int) -> bytes:
        if value is not None:
            raise _refusal(data_type, value)
        return b""

    return encode


def _sequence_encoder(data_type: DataType) -> _Encode:
    def encode(value: DataValue, depth: int) -> bytes:
        elements = _elements_of(data_type, value, depth)
        return encode_length(len(elements)) + b"".join(
            [_encode(each, depth - 1) for each in elements]
        )

    return encode


def _elements_of(data_type: DataType, value: DataValue, depth: int) -> tuple[Data, ...]:
    # A Data or a BitString is a tuple too, but not one of Data.
    if type(value) is not tuple or not all(isinstance(each, Data) for each in value):
        raise _refusal(data_type, value)
    if depth == 0:
        raise LocalProtocolError(f"data nested more than {MAX_DEPTH} deep")
    return value


def _encode_octet_string(value: DataValue, _depth: int) -> bytes:
    if not isinstance(value, bytes):
        raise _refusal(DataType.OCTET_STRING, value)
    return encode_length(len(value)) + value


def _text_encoder(data_type: DataType, encoding: str, errors: str) -> _Encode:
    def encode(value: DataValue, _depth: int) -> bytes:
        if not isinstance(value, str):
            raise _refusal(data_type, value)
        try:
            octets = value.encode(encoding, errors)
        except UnicodeEncodeError:
            raise _refusal(data_type, value) from None
        return encode_length(len(octets)) + octets

    return encode


def _encode_bit_string(value: DataValue, _depth: int) -> bytes:
    if (
        not isinstance(value, BitString)
        or len(value.octets) != (value.bit_length + 7) // 8
    ):
        raise _refusal(DataType.BIT_STRING, value)
    return encode_length(value.bit_length) + value.octets


def _encode_compact_array(value: DataValue, depth: int) -> bytes:
    if not isinstance(value, CompactArray):
        raise _refusal(DataType.COMPACT_ARRAY, value)
    description = _encode_description(value.description, depth)
    contents = b"".join(
        [_encode_described(each, value.description, depth) for each in value.elements]
    )
    return description + encode_length(len(contents)) + contents


def _encode_description(description: TypeDescription, depth: int) -> bytes:
    tag = bytes((description.type,))
    match description:
        case TypeDescription(DataType.ARRAY, (element,), array_length) if (
            array_length <= 0xFFFF and depth
        ):
            return (
                tag + array_length.to_bytes(2) + _encode_description(element, depth - 1)
            )
        case TypeDescription(DataType.STRUCTURE, elements) if depth:
            return (
                tag
                + encode_length(len(elements))
                + b"".join([_encode_description(each, depth - 1) for each in elements])
            )
        case TypeDescription(
            DataType.ARRAY | DataType.STRUCTURE | DataType.COMPACT_ARRAY
        ):
            raise LocalProtocolError(
                f"{description.type.name} as described cannot be the element of a compact-array"
            )
    return tag


def _encode_described(data: Data, description: TypeDescription, depth: int) -> bytes:
    if data.type is not description.type:
        raise LocalProtocolError(
            f"a compact-array of {description.type.name} cannot hold {data.type.name}"
        )
    if data.type not in _SEQUENCES:
        return _ENCODERS[data.type](data.value, depth)
    types = _element_types(description)
    elements = _elements_of(data.type, data.value, depth)
    if len(elements) != len(types):
        raise LocalProtocolError(
            f"{len(elements)} elements where the compact-array describes {len(types)}"
        )
    return b"".join(
        [
            _encode_described(each, inner, depth - 1)
            for each, inner in zip(elements, types, strict=True)
        ]
    )


_ENCODERS: dict[DataType, _Encode] = {
    **{data_type: _empty_encoder(data_type) for data_type in _EMPTY},
    **{data_type: _fixed_encoder(data_type, row) for data_type, row in _FIXED.items()},
    DataType.ARRAY: _sequence_encoder(DataType.ARRAY),
    DataType.STRUCTURE: _sequence_encoder(DataType.STRUCTURE),
    DataType.BIT_STRING: _encode_bit_string,
    DataType.OCTET_STRING: _encode_octet_string,
    DataType.VISIBLE_STRING: _text_encoder(
        DataType.VISIBLE_STRING, "latin-1", "strict"
    ),
    DataType.UTF8_STRING: _text_encoder(
        DataType.UTF8_STRING, "utf-8", "surrogateescape"
    ),
    DataType.COMPACT_ARRAY: _encode_compact_array,
}
