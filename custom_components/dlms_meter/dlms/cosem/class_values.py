"""Values of the attributes of interface classes, read and written as `attribute_types` says what they are made of."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from enum import IntEnum
from functools import cache, partial
import re
from typing import NamedTuple, cast

from ..codec.axdr import encode_data
from ..codec.data import FIXED, BitString, Data, DataType
from ..codec.datetimes import DlmsDate, DlmsDateTime, DlmsTime
from ..errors import DecodeError, LocalProtocolError
from .attribute_types import ATTRIBUTE_TYPES
from .capture_objects import CaptureObject
from .descriptors import AttributeDescriptor
from .obis import Obis
from .values import (
    Quantity,
    ScalerUnit,
    Value,
    decode_text,
    elements,
    interpret,
    plain,
    scaler_unit_of,
)


class Conversion(NamedTuple):
    """How the values of one type are read and written."""

    read: Callable[[Data], Value]
    """Raises `DecodeError` for anything else."""
    write: Callable[[object], Data]
    """Raises `LocalProtocolError` for a value that does not fit."""


def to_value(
    attribute: AttributeDescriptor, data: Data, scaler_unit: ScalerUnit | None = None
) -> Value:
    """Give the value of any attribute its meaning: what `interpret` does, and names for what structures are made of.

    Structures become named tuples, and known enumerations members of an `IntEnum`. What is not as the interface class
    has it comes out as it was sent.
    """
    conversion = _conversions().get((attribute.class_id, attribute.attribute_id))
    if conversion is not None:
        with suppress(DecodeError):
            return conversion.read(data)
    return interpret(attribute, data, scaler_unit)


def to_data(
    attribute: AttributeDescriptor,
    value: Value | Data,
    *,
    scaler_unit: ScalerUnit | None = None,
    like: Data | None = None,
) -> Data:
    """Make the Data to be written into an attribute; the way back from `to_value`.

    Attributes whose type is the meter's choice, as those of Data and Register, need `like`: what was read from them.
    Numbers of registers are divided by their scaler. Structures may be any tuple, enumerations also the name of a member.
    Raises `LocalProtocolError` when the value does not fit.
    """
    if isinstance(value, Data):
        data = value
    elif conversion := _conversions().get((attribute.class_id, attribute.attribute_id)):
        data = conversion.write(value)
    elif like is None:
        raise LocalProtocolError(f"{attribute}: read it first, to see what type it is")
    else:
        if scaler_unit_of(attribute) is not None and like.type in _NUMBERS:
            value = _unscaled(attribute, value, scaler_unit)
        data = _leaf(like.type).write(value)
    encode_data(data)  # refuses what does not fit its type
    return data


def _unscaled(
    attribute: AttributeDescriptor, value: Value, scaler_unit: ScalerUnit | None
) -> Value:
    number = value.value if isinstance(value, Quantity) else value
    if scaler_unit is None or not isinstance(number, int | Decimal):
        raise LocalProtocolError(f"{attribute}: a number, and its scaler, are needed")
    try:
        return Decimal(number).scaleb(-scaler_unit.scaler)
    except ArithmeticError as error:
        raise LocalProtocolError(f"{attribute}: no meter counts that far") from error


_KNOWN: dict[str, Callable[..., tuple[Value, ...]]] = {
    "CaptureObject": CaptureObject,
    "ScalerUnit": ScalerUnit,
}
"""Structures that have a class of their own."""
_TOKEN = re.compile(r"[\w/-]+|[][{}:]")
_FLOATS = {DataType.FLOATING_POINT, DataType.FLOAT32, DataType.FLOAT64}
_NUMBERS = {
    data_type for data_type, (_, kind) in FIXED.items() if kind is int
} | _FLOATS
_MOST_DIGITS = 20
"""Of a whole number of 64 bits."""
_MOMENTS: dict[str, tuple[type[DlmsDateTime | DlmsDate | DlmsTime], int]] = {
    "date_time": (DlmsDateTime, 12),
    "date": (DlmsDate, 5),
    "time": (DlmsTime, 4),
}


# Their fields and members are in the rows, where type checkers do not look.
_new_structure = cast(
    "Callable[[str, Iterable[str]], Callable[..., tuple[Value, ...]]]", namedtuple
)
_new_enumeration = cast("Callable[[str, dict[str, int]], type[IntEnum]]", IntEnum)


@cache
def _conversions() -> dict[tuple[int, int], Conversion]:
    """Read the rows; done once, when the first attribute is looked up."""
    conversions: dict[tuple[int, int], Conversion] = {}
    for row in (
        ATTRIBUTE_TYPES.replace("\n    ", " ").replace(" /", "/").strip().splitlines()
    ):
        places, _, written = row.partition(" | ")
        conversion = _first_that_fits(
            [_parse(iter(_TOKEN.findall(each))) for each in written.split(" or ")]
        )
        for place in places.split():
            class_id, _, attribute_id = place.partition(".")
            conversions[int(class_id), int(attribute_id)] = conversion
    return conversions


def _first_that_fits(conversions: list[Conversion]) -> Conversion:
    """Return the conversion of a type that has grown with the version of its class; the newest comes first."""
    if len(conversions) == 1:
        return conversions[0]

    def read(data: Data) -> Value:
        for conversion in conversions[:-1]:
            with suppress(DecodeError):
                return conversion.read(data)
        return conversions[-1].read(data)

    def write(value: object) -> Data:
        for conversion in conversions[:-1]:
            with suppress(LocalProtocolError):
                return conversion.write(value)
        return conversions[-1].write(value)

    return Conversion(read, write)


def _parse(tokens: Iterator[str]) -> Conversion:
    """Read one type."""
    token = next(tokens)
    if token == "[":
        element = _parse(tokens)
        next(tokens)  # the closing bracket
        return Conversion(partial(_read_array, element), partial(_write_array, element))
    if token[0].isupper():
        next(tokens)  # the opening brace
        fields: dict[str, Conversion] = {}
        while (name := next(tokens)) != "}":
            next(tokens)  # the colon
            fields[name] = _parse(tokens)
        return _structure(token, fields)
    if "/" in token:
        return _enumeration(token.split("/"))
    if token in _MOMENTS:
        return _moment(*_MOMENTS[token])
    return _LEAVES[token] if token in _LEAVES else _leaf(DataType[token.upper()])


def _read_array(element: Conversion, data: Data) -> Value:
    if data.type not in (DataType.ARRAY, DataType.COMPACT_ARRAY):
        raise DecodeError(f"an array, not {data.type.name}")
    return tuple([element.read(each) for each in elements(data)])


def _write_array(element: Conversion, value: object) -> Data:
    if not isinstance(value, tuple | list):
        raise _misfit(value, DataType.ARRAY)
    return Data(DataType.ARRAY, tuple([element.write(each) for each in value]))


def _structure(name: str, fields: dict[str, Conversion]) -> Conversion:
    make = _KNOWN.get(name) or _new_structure(name, fields)

    def read(data: Data) -> Value:
        found = elements(data)
        if data.type is not DataType.STRUCTURE or len(found) < len(fields):
            raise DecodeError(f"a {name}, not {data.type.name} of {len(found)}")
        # Newer editions add elements at the end.
        return make(
            *(f.read(each) for f, each in zip(fields.values(), found, strict=False))
        )

    def write(value: object) -> Data:
        if not isinstance(value, tuple | list) or len(value) != len(fields):
            raise _misfit(value, DataType.STRUCTURE)
        written = [
            f.write(each) for f, each in zip(fields.values(), value, strict=True)
        ]
        return Data(DataType.STRUCTURE, tuple(written))

    return Conversion(read, write)


def _enumeration(names: list[str]) -> Conversion:
    members = {name.upper(): number for number, name in enumerate(names) if name != "-"}
    kind = _new_enumeration("Choice", members)

    def read(data: Data) -> Value:
        number = _read_whole(data)
        return kind(number) if number in members.values() else number

    def write(value: object) -> Data:
        if isinstance(value, str):
            value = members.get(value.upper())
        return _write_whole(DataType.ENUM, value)

    return Conversion(read, write)


def _moment(kind: type[DlmsDateTime | DlmsDate | DlmsTime], length: int) -> Conversion:
    def read(data: Data) -> Value:
        if data.type is DataType.NULL_DATA or data.value == b"":
            return None
        if not isinstance(data.value, bytes) or len(data.value) != length:
            raise DecodeError(f"a {kind.__name__}, not {data.type.name}")
        return kind.decode(data.value)

    def write(value: object) -> Data:
        if not isinstance(value, kind):
            raise _misfit(value, DataType.OCTET_STRING)
        return Data(DataType.OCTET_STRING, value.encode())

    return Conversion(read, write)


@cache
def _leaf(data_type: DataType) -> Conversion:
    """Return the conversion of a type of the standard that holds no others."""
    if data_type in _NUMBERS and data_type not in _FLOATS:
        return Conversion(_read_whole, partial(_write_whole, data_type))
    return Conversion(partial(_read_leaf, data_type), partial(_write_leaf, data_type))


def _read_whole(data: Data) -> int:
    """Read a whole number; meters are not particular about its size."""
    if data.type not in _NUMBERS or not isinstance(data.value, int):
        raise DecodeError(f"a number, not {data.type.name}")
    return data.value


def _write_whole(data_type: DataType, value: object) -> Data:
    if isinstance(value, Decimal) and _is_whole(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _misfit(value, data_type)
    return Data(data_type, int(value))


def _is_whole(value: Decimal) -> bool:
    """Tell whether a number is whole, and no longer than any type holds: of others an int would fill the memory."""
    return (
        value.is_finite()
        and value.adjusted() < _MOST_DIGITS
        and value == value.to_integral_value()
    )


def _read_leaf(data_type: DataType, data: Data) -> Value:
    if data.type is not data_type:
        raise DecodeError(f"{data_type.name}, not {data.type.name}")
    return plain(data)


def _write_leaf(data_type: DataType, value: object) -> Data:
    if data_type in _FLOATS and isinstance(value, int | Decimal):
        try:
            return Data(data_type, float(value))
        except (OverflowError, ValueError) as error:
            raise _misfit(value, data_type) from error
    if isinstance(value, DlmsDateTime | DlmsDate | DlmsTime):
        return Data(data_type, value.encode())
    if data_type is DataType.OCTET_STRING and isinstance(value, str):
        return Data(data_type, value.encode())
    if value is not None and not isinstance(value, bool | bytes | str | BitString):
        raise _misfit(value, data_type)
    return Data(data_type, bytes(value) if isinstance(value, bytes) else value)


def _read_boolean(data: Data) -> Value:
    if not isinstance(data.value, int):
        raise DecodeError(f"a boolean, not {data.type.name}")
    return bool(data.value)  # some meters send a number


def _read_name(data: Data) -> Value:
    if not isinstance(data.value, bytes):
        raise DecodeError(f"a logical name, not {data.type.name}")
    return Obis(data.value)


def _write_name(value: object) -> Data:
    if isinstance(value, str):
        try:
            value = Obis.parse(value)
        except DecodeError as error:
            raise LocalProtocolError(str(error)) from None
    if not isinstance(value, Obis):
        raise _misfit(value, DataType.OCTET_STRING)
    return Data(DataType.OCTET_STRING, bytes(value))


def _write_any(value: object) -> Data:
    if value is None:
        return Data(DataType.NULL_DATA, None)
    if not isinstance(value, Data):
        raise LocalProtocolError("what may be of any type is written as Data")
    return value


_LEAVES = {
    "any": Conversion(plain, _write_any),
    "boolean": Conversion(_read_boolean, partial(_write_leaf, DataType.BOOLEAN)),
    "name": Conversion(_read_name, _write_name),
    "text": Conversion(decode_text, partial(_write_leaf, DataType.OCTET_STRING)),
    "visible_text": Conversion(
        decode_text, partial(_write_leaf, DataType.VISIBLE_STRING)
    ),
}


def _misfit(value: object, data_type: DataType) -> LocalProtocolError:
    # The kind only: what is to be written may be a secret.
    return LocalProtocolError(
        f"a {type(value).__name__} cannot be sent as {data_type.name}"
    )
