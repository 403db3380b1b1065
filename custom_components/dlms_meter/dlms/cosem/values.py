"""What attributes hold, as values with a meaning: numbers with their unit, moments, texts. Source: DLMS UA Blue Book, interface classes."""

from decimal import Context, Decimal
import math
import re
from struct import Struct
from typing import NamedTuple

from ..codec.data import BitString, CompactArray, Data, DataType
from ..codec.datetimes import DlmsDate, DlmsDateTime, DlmsTime
from ..errors import DecodeError
from .catalogue import describe
from .descriptors import AttributeDescriptor
from .meaning import Kind
from .units import unit_symbol


class ScalerUnit(NamedTuple):
    """How to read the numbers of a register: times 10 to the power of `scaler`, in `unit`."""

    scaler: int
    unit: int
    """Code of the unit, see `Unit`."""


class Quantity(NamedTuple):
    """A number with its unit."""

    value: Decimal
    unit: int
    """Code of the unit, see `Unit`."""

    @property
    def symbol(self) -> str:
        """Return the symbol of the unit; "" where it has none."""
        return unit_symbol(self.unit)

    def __str__(self) -> str:
        """Print as `12345.7 Wh`."""
        return f"{self.value} {self.symbol}".rstrip()


type Value = (
    bool
    | int
    | str
    | bytes
    | Decimal
    | Quantity
    | BitString
    | DlmsDateTime
    | DlmsDate
    | DlmsTime
    | tuple[Value, ...]
    | None
)

_SCALER_ATTRIBUTES = {3: 3, 4: 3, 5: 4}
_SCALED = {(3, 2), (4, 2), (5, 2), (5, 3)}
_MOMENTS = {(4, 5), (5, 6), (5, 7), (8, 2), (8, 5), (8, 6)}
"""Capture and start times, the clock, its change to and from summer time."""

_NUMBERS = {
    DataType.DOUBLE_LONG,
    DataType.DOUBLE_LONG_UNSIGNED,
    DataType.INTEGER,
    DataType.LONG,
    DataType.UNSIGNED,
    DataType.LONG_UNSIGNED,
    DataType.LONG64,
    DataType.LONG64_UNSIGNED,
    DataType.ENUM,
}
_FLOATS = {DataType.FLOATING_POINT, DataType.FLOAT32, DataType.FLOAT64}
_LISTS = {DataType.ARRAY, DataType.STRUCTURE}
_STRINGS = {DataType.OCTET_STRING, DataType.VISIBLE_STRING, DataType.UTF8_STRING}
_MOMENT_LENGTHS: dict[int, type[DlmsDateTime | DlmsDate | DlmsTime]] = {
    12: DlmsDateTime,
    5: DlmsDate,
    4: DlmsTime,
}
_EXACT = Context(prec=800)
"""More digits than a 64-bit float with the largest scaler has: nothing is ever rounded."""
_FLOAT32 = Struct(">f")
_CYRILLIC = re.compile(
    rb"[ -~\xA8\xB8\xB9\xC0-\xFF]*[\xC0-\xFF]{2}[ -~\xA8\xB8\xB9\xC0-\xFF]*"
)
"""Printable cp1251 with at least two Russian letters side by side."""


def scaler_attribute(class_id: int) -> int | None:
    """Return which attribute of an interface class holds scaler and unit; None if it has none."""
    return _SCALER_ATTRIBUTES.get(class_id)


def scaler_unit_of(attribute: AttributeDescriptor) -> AttributeDescriptor | None:
    """Return the attribute that tells scaler and unit of this one; None if it needs none."""
    number = scaler_attribute(attribute.class_id)
    if number is None or (attribute.class_id, attribute.attribute_id) not in _SCALED:
        return None
    return attribute._replace(attribute_id=number)


def decode_scaler_unit(data: Data) -> ScalerUnit:
    """Read a scaler_unit attribute. Raises `DecodeError` for anything but two numbers in their range.

    No guess is made: a wrong scaler makes every value wrong by powers of ten.
    """
    if data.type in _LISTS:
        match [element.value for element in elements(data)]:
            case [int(scaler), int(unit)] if -128 <= scaler <= 127 and 0 <= unit <= 255:
                return ScalerUnit(scaler, unit)
    raise DecodeError(f"{data} is no scaler and unit")


def interpret(
    attribute: AttributeDescriptor, data: Data, scaler_unit: ScalerUnit | None = None
) -> Value:
    """Give the value of an attribute its meaning; what is not understood comes out as it was sent.

    Numbers of registers become `Quantity`, or `Decimal` without a `scaler_unit`, exact to the last digit.
    Moments become `DlmsDateTime`, `DlmsDate` or `DlmsTime`. Octet-strings become text where the catalogue says so.
    Null-data, a register that is not a number (NaN) and an empty moment become None.
    """
    place = (attribute.class_id, attribute.attribute_id)
    if place in _SCALED and (number := _number(data)) is not None:
        return (
            number
            if scaler_unit is None
            else Quantity(_scaled(number, scaler_unit.scaler), scaler_unit.unit)
        )
    if place in _MOMENTS:
        return _moment(data)
    if (
        data.type in _STRINGS
        and (meaning := describe(attribute.logical_name, *place)) is not None
    ):
        if meaning.text:
            return decode_text(data)
        if meaning.kind is Kind.TIME:
            return _moment(data)
    return plain(data)


def plain(data: Data) -> Value:
    """Give a value the Python type of its tag: tuples for arrays and structures, `Decimal` for floats, dates and times."""
    if data.type in _LISTS or data.type is DataType.COMPACT_ARRAY:
        return tuple(plain(element) for element in elements(data))
    if data.type in _FLOATS:
        return _number(data)
    if isinstance(data.value, str):
        return _whole(data.value)
    if isinstance(data.value, bytes) and data.type is not DataType.OCTET_STRING:
        return _MOMENT_LENGTHS[len(data.value)].decode(data.value)
    assert not isinstance(data.value, (float, tuple)) or isinstance(
        data.value, BitString
    )
    return data.value


def elements(data: Data) -> tuple[Data, ...]:
    """Return what an array, structure or compact-array holds; nothing for any other type."""
    if isinstance(data.value, CompactArray):
        return data.value.elements
    if data.type in _LISTS:
        assert isinstance(data.value, tuple)
        return data.value
    return ()


def has_more_elements(data: Data, limit: int) -> bool:
    """Tell whether a value is made of more than so many others, whatever holds which."""
    holders, count = [data], 0
    while holders and count <= limit:
        held = elements(holders.pop())
        count += len(held)
        if count <= limit:
            holders += [element for element in held if elements(element)]
    return count > limit


def decode_text(data: Data) -> str | bytes | None:
    """Read a text sent as any kind of string or number; octets that are no text stay octets, null-data is None."""
    match data.value:
        case bytes(octets):
            return octets if (text := _text(octets)) is None else text
        case str(text) if data.type is DataType.VISIBLE_STRING:
            return _text(text.encode("latin-1")) or text.rstrip("\0 ")
        case str(text):
            return _whole(text).rstrip("\0 ")
        case int() | float() as number:
            return str(number)
    return None


def _text(octets: bytes) -> str | None:
    """Read printable text; None if it is not. Meters pad with zeros and spaces."""
    octets = octets.rstrip(b"\0 ")
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        # Nartis and RiM send Russian in cp1251
        return octets.decode("cp1251") if _CYRILLIC.fullmatch(octets) else None
    return text.lstrip() if text.isprintable() else None


def _whole(text: str) -> str:
    """Replace the surrogates that stand for octets that are not UTF-8: no file, database or JSON takes them."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _number(data: Data) -> Decimal | None:
    """Return the number sent, exactly; None if it is none, infinite or NaN."""
    value = data.value
    if data.type in _NUMBERS:
        assert isinstance(value, int)
        return Decimal(value)
    if data.type in _FLOATS:
        assert isinstance(value, float)
        return Decimal(_shortest(value, data.type)) if math.isfinite(value) else None
    if data.type is DataType.BCD:
        assert isinstance(value, int)
        tens, units = divmod(value, 16)
        return Decimal(10 * tens + units) if max(tens, units) <= 9 else None
    return None


def _shortest(value: float, data_type: DataType) -> str:
    """Print a float with the fewest digits that still tell it from its neighbours: what the meter had in mind."""
    if data_type is DataType.FLOAT64:
        return repr(value)
    sent = _FLOAT32.pack(value)
    return next(
        text
        for digits in range(6, 10)
        if _FLOAT32.pack(float(text := f"{value:.{digits}g}")) == sent
    )


def _scaled(number: Decimal, scaler: int) -> Decimal:
    """Multiply by a power of ten; whole numbers stay printed as such (5000, not 5E+3)."""
    scaled = number.scaleb(scaler, _EXACT)
    return (
        scaled.quantize(Decimal(1), context=_EXACT)
        if scaled == scaled.to_integral_value() and scaler > 0
        else scaled
    )


def _moment(data: Data) -> Value:
    """Read a date-time, date or time, tagged as such or as octet-string; an empty one is None, any other value as sent."""
    value = data.value
    if not isinstance(value, bytes) or (value and len(value) not in _MOMENT_LENGTHS):
        return plain(data)
    return _MOMENT_LENGTHS[len(value)].decode(value) if value else None
