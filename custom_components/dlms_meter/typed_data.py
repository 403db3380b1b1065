"""COSEM data as JSON with types, so that it can be written back exactly."""

from base64 import b16encode
from collections.abc import Mapping
from typing import Any, Final

from .dlms import (
    BitString,
    CompactArray,
    Data,
    DataType,
    LocalProtocolError,
    encode_data,
)

_LISTS: Final = {DataType.ARRAY, DataType.STRUCTURE}
_TEXTS: Final = {DataType.VISIBLE_STRING, DataType.UTF8_STRING}
_OCTETS: Final = {
    DataType.OCTET_STRING,
    DataType.DATE_TIME,
    DataType.DATE,
    DataType.TIME,
}
_EMPTY: Final = {DataType.NULL_DATA, DataType.DONT_CARE}
_FLOATS: Final = {DataType.FLOATING_POINT, DataType.FLOAT32, DataType.FLOAT64}
_DEEPEST: Final = 16
"""Levels of lists within lists, as many as meters may send."""
WRITABLE_TYPES: Final = [
    data_type.name.lower()
    for data_type in DataType
    if data_type is not DataType.COMPACT_ARRAY
]


class InvalidData(ValueError):
    """Typed data that is none; the text says where and why."""


def from_json(typed: object) -> Data:
    """Make Data of `{"type": "long_unsigned", "value": 230}`; lists hold such pairs, octets are hex digits, bits 0 and 1.

    Raises `InvalidData`.
    """
    return _from_json(typed, "data", _DEEPEST)


def _from_json(typed: object, place: str, deepest: int) -> Data:
    if not isinstance(typed, Mapping) or not isinstance(typed.get("type"), str):
        raise InvalidData(f"{place} must have a type and a value")
    name, value = typed["type"], typed.get("value")
    if name not in WRITABLE_TYPES:
        raise InvalidData(
            f"{place}: {name} is no type; types are {', '.join(WRITABLE_TYPES)}"
        )
    data_type = DataType[name.upper()]
    if data_type in _LISTS:
        if not isinstance(value, list) or not deepest:
            raise InvalidData(f"{place}: a {name} needs a list of typed values")
        return Data(
            data_type,
            tuple(
                _from_json(element, f"{place}[{number}]", deepest - 1)
                for number, element in enumerate(value)
            ),
        )
    try:
        data = Data(data_type, _simple(data_type, value))
        encode_data(data)
    except (LocalProtocolError, OverflowError, TypeError, ValueError) as error:
        raise InvalidData(f"{place}: {value!r} is no {name}") from error
    return data


def _simple(data_type: DataType, value: Any) -> Any:  # noqa: ANN401  any JSON
    """Turn the JSON of a value without parts into what Data holds; raises `OverflowError`, `TypeError` or `ValueError`."""
    if data_type in _EMPTY:
        if value is not None:
            raise ValueError
        return None
    if data_type in _OCTETS:
        return bytes.fromhex(_of_type(value, str).removeprefix("0x"))
    if data_type in _TEXTS:
        return _of_type(value, str)
    if data_type is DataType.BIT_STRING:
        bits = _of_type(value, str)
        if set(bits) - {"0", "1"}:  # int() takes signs and spaces
            raise ValueError
        padded = bits.ljust(-len(bits) % 8 + len(bits), "0")
        octets = int(padded or "0", 2).to_bytes(len(padded) // 8)
        return BitString(octets, len(bits))
    if data_type is DataType.BOOLEAN:
        return _of_type(value, bool)
    if data_type in _FLOATS:
        return float(value)
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError
    return int(value)


def _of_type[T](value: object, wanted: type[T]) -> T:
    if not isinstance(value, wanted):
        raise TypeError
    return value


def to_json(data: Data) -> dict[str, Any]:
    """Return typed data for `from_json`."""
    value: Any = data.value
    if isinstance(value, CompactArray):
        value = [to_json(element) for element in value.elements]
    elif isinstance(value, BitString):
        value = str(value)
    elif isinstance(value, tuple):
        value = [to_json(element) for element in value]
    elif isinstance(value, bytes):
        value = b16encode(value).decode().lower()
    elif isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()
    return {"type": data.type.name.lower(), "value": value}
