"""COSEM Data to A-XDR: tagged values to the octets `axdr` reads.

One row or one function per type. Source: DLMS UA Green Book, the ASN.1 of xDLMS
(CHOICE Data, TypeDescription), encoded by IEC 61334-6.
"""

from collections.abc import Callable
from struct import Struct, error as StructError

from ..errors import LocalProtocolError
from .cursor import encode_length
from .data import (
    EMPTY,
    FIXED,
    MAX_DEPTH,
    SEQUENCES,
    BitString,
    CompactArray,
    Data,
    DataType,
    DataValue,
    FixedRow,
    TypeDescription,
)

type _Encode = Callable[[DataValue, int], bytes]


def encode_data(data: Data) -> bytes:
    """Encode one Data in the fewest octets.

    Raises `LocalProtocolError` when the value does not fit its type.
    """
    return _encode(data, MAX_DEPTH)


def _encode(data: Data, depth: int) -> bytes:
    return bytes((data.type,)) + _ENCODERS[data.type](data.value, depth)


def _refusal(data_type: DataType, value: object) -> LocalProtocolError:
    # Type and size only: a value to be written may be a key or a password.
    return LocalProtocolError(
        f"a {type(value).__name__} like this cannot be sent as {data_type.name}"
    )


def _fixed_encoder(data_type: DataType, row: FixedRow) -> _Encode:
    packed, kind = Struct(row[0]), row[1]

    def encode(value: DataValue, _depth: int) -> bytes:
        if not isinstance(value, kind):
            raise _refusal(data_type, value)
        if isinstance(value, bytes) and len(value) != packed.size:
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
        raise _too_deep_to_send()
    return value


def _too_deep_to_send() -> LocalProtocolError:
    return LocalProtocolError(f"data nested more than {MAX_DEPTH} deep")


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
    if not isinstance(value, BitString):
        raise _refusal(DataType.BIT_STRING, value)
    if len(value.octets) != (value.bit_length + 7) // 8:
        raise _refusal(DataType.BIT_STRING, value)
    return encode_length(value.bit_length) + value.octets


def _encode_compact_array(value: DataValue, depth: int) -> bytes:
    if not isinstance(value, CompactArray):
        raise _refusal(DataType.COMPACT_ARRAY, value)
    description = _encode_description(value.description, depth)
    if value.elements and value.description.inflates():
        raise LocalProtocolError("the elements of a compact-array must take octets")
    contents = b"".join(
        [_encode_described(each, value.description, depth) for each in value.elements]
    )
    return description + encode_length(len(contents)) + contents


def _encode_description(description: TypeDescription, depth: int) -> bytes:
    data_type, elements, array_length = description
    if data_type is DataType.COMPACT_ARRAY:
        raise LocalProtocolError("a compact-array cannot hold compact-arrays")
    tag = bytes((data_type,))
    if data_type not in SEQUENCES:
        return tag
    if depth == 0:
        raise _too_deep_to_send()
    inner = b"".join([_encode_description(each, depth - 1) for each in elements])
    if data_type is DataType.STRUCTURE:
        return tag + encode_length(len(elements)) + inner
    if len(elements) != 1 or not 0 <= array_length <= 0xFFFF:
        raise LocalProtocolError(
            "an array is described by one type and up to 65535 elements"
        )
    return tag + array_length.to_bytes(2) + inner


def _encode_described(data: Data, description: TypeDescription, depth: int) -> bytes:
    if data.type is not description.type:
        raise LocalProtocolError(
            f"a compact-array of {description.type.name} cannot hold {data.type.name}"
        )
    if data.type not in SEQUENCES:
        return _ENCODERS[data.type](data.value, depth)
    types = description.element_types()
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
    **{data_type: _empty_encoder(data_type) for data_type in EMPTY},
    **{data_type: _fixed_encoder(data_type, row) for data_type, row in FIXED.items()},
    **{data_type: _sequence_encoder(data_type) for data_type in SEQUENCES},
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
