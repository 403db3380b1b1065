"""What services have in common: invoke-id-and-priority, attribute, method, access selection, block, list (Green Book, COSEM APDUs)."""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import NamedTuple, Self

from ..codec.axdr import Data, encode_data, read_data
from ..codec.cursor import Reader, encode_length
from ..codec.slices import Slices
from ..cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from ..cosem.obis import Obis
from ..errors import DecodeError, LocalProtocolError

LEAST_OCTETS_OF_A_DESCRIPTOR = 9
LEAST_OCTETS_OF_A_SELECTED_ATTRIBUTE = 10

_DESCRIPTOR = Struct(">H6sB")
_CONFIRMED = 0x40
_HIGH_PRIORITY = 0x80
_LONG_INVOKE_ID = 0xFFFFFF
_BREAK_ON_ERROR = 1 << 29
_LONG_CONFIRMED = 1 << 30
_LONG_HIGH_PRIORITY = 1 << 31


def expect_prefix(reader: Reader, prefix: bytes, what: str) -> None:
    """Read the tag and the CHOICE an APDU begins with. Raises `DecodeError`."""
    tag, choice = prefix
    reader.expect(tag, what)
    reader.expect(choice, what)


class InvokeIdAndPriority(int):
    """The octet that ties an answer to its request: an id of 0 to 15, and two flags."""

    __slots__ = ()

    @classmethod
    def of(
        cls, invoke_id: int, *, confirmed: bool = True, high_priority: bool = True
    ) -> Self:
        """Compose the octet; the id is taken modulo 16."""
        return cls(
            invoke_id & 0x0F | _CONFIRMED * confirmed | _HIGH_PRIORITY * high_priority
        )

    @property
    def invoke_id(self) -> int:
        """The id alone."""
        return self & 0x0F

    @property
    def confirmed(self) -> bool:
        """Whether an answer is wanted."""
        return bool(self & _CONFIRMED)

    @property
    def high_priority(self) -> bool:
        """Whether it should overtake others."""
        return bool(self & _HIGH_PRIORITY)

    def answers(self, request: int) -> bool:
        """Tell whether an answer with this octet belongs to the request with that one.

        Only the ids are compared: Mercury and Kaifa meters do not echo the flags.
        """
        return (self ^ request) & 0x0F == 0


INVOKES = tuple(map(InvokeIdAndPriority, range(256)))
"""What each octet means."""


def read_invoke(reader: Reader) -> InvokeIdAndPriority:
    """Read the octet. Raises `DecodeError`."""
    return INVOKES[reader.uint8()]


class LongInvokeIdAndPriority(int):
    """The four octets that do the same for ACCESS and DataNotification: an id of 24 bits, and flags."""

    __slots__ = ()

    @classmethod
    def of(
        cls,
        invoke_id: int,
        *,
        confirmed: bool = True,
        high_priority: bool = True,
        break_on_error: bool = False,
    ) -> Self:
        """Compose the octets; the id is taken modulo 2 to the 24th."""
        return cls(
            invoke_id & _LONG_INVOKE_ID
            | _BREAK_ON_ERROR * break_on_error
            | _LONG_CONFIRMED * confirmed
            | _LONG_HIGH_PRIORITY * high_priority
        )

    @property
    def invoke_id(self) -> int:
        """The id alone."""
        return self & _LONG_INVOKE_ID

    @property
    def confirmed(self) -> bool:
        """Whether an answer is wanted."""
        return bool(self & _LONG_CONFIRMED)

    @property
    def high_priority(self) -> bool:
        """Whether it should overtake others."""
        return bool(self & _LONG_HIGH_PRIORITY)

    @property
    def break_on_error(self) -> bool:
        """Whether what follows a failure is left undone."""
        return bool(self & _BREAK_ON_ERROR)

    def answers(self, request: int) -> bool:
        """Tell whether an answer with these octets belongs to the request with those: only the ids are compared."""
        return (self ^ request) & _LONG_INVOKE_ID == 0


def read_long_invoke(reader: Reader) -> LongInvokeIdAndPriority:
    """Read the four octets. Raises `DecodeError`."""
    return LongInvokeIdAndPriority(reader.uint32())


def read_flag(reader: Reader) -> bool:
    """Read a BOOLEAN: any octet but 0 is true. Raises `DecodeError`."""
    return reader.uint8() != 0


def read_presence(reader: Reader, what: str) -> bool:
    """Read the octet that says whether an OPTIONAL or DEFAULT field follows. Raises `DecodeError` for any but 0 and 1."""
    octet = reader.uint8()
    if octet > 1:
        raise DecodeError(
            f"{what}: 00 or 01 expected, {octet:02X} found", reader.offset - 1
        )
    return octet == 1


def read_attribute(reader: Reader) -> AttributeDescriptor:
    """Read a Cosem-Attribute-Descriptor; the attribute id is taken as unsigned. Raises `DecodeError`."""
    class_id, logical_name, attribute_id = _read_descriptor(reader)
    return AttributeDescriptor(class_id, logical_name, attribute_id)


def encode_attribute(attribute: AttributeDescriptor) -> bytes:
    """Encode a Cosem-Attribute-Descriptor. Raises `LocalProtocolError` when a number does not fit."""
    return _encode_descriptor(attribute, "an attribute")


def read_method(reader: Reader) -> MethodDescriptor:
    """Read a Cosem-Method-Descriptor; the method id is taken as unsigned. Raises `DecodeError`."""
    class_id, logical_name, method_id = _read_descriptor(reader)
    return MethodDescriptor(class_id, logical_name, method_id)


def encode_method(method: MethodDescriptor) -> bytes:
    """Encode a Cosem-Method-Descriptor. Raises `LocalProtocolError` when a number does not fit."""
    return _encode_descriptor(method, "a method")


def _read_descriptor(reader: Reader) -> tuple[int, Obis, int]:
    class_id, logical_name, index = _DESCRIPTOR.unpack_from(
        reader.data, reader.advance(_DESCRIPTOR.size)
    )
    return class_id, Obis(logical_name), index


def _encode_descriptor(
    descriptor: AttributeDescriptor | MethodDescriptor, what: str
) -> bytes:
    class_id, logical_name, index = descriptor
    if not (0 <= class_id <= 0xFFFF and -0x80 <= index <= 0xFF):
        raise LocalProtocolError(
            f"{descriptor} is not {what}: its numbers are out of range"
        )
    # What is the manufacturer's own has negative numbers; they share their octets with those beyond 127.
    return _DESCRIPTOR.pack(class_id, logical_name, index & 0xFF)


def read_selected_attribute(reader: Reader) -> SelectedAttribute:
    """Read an attribute descriptor and its optional access selection. Raises `DecodeError`."""
    attribute = read_attribute(reader)
    if not read_presence(reader, "access selection"):
        return SelectedAttribute(attribute)
    return SelectedAttribute(
        attribute, SelectiveAccess(reader.uint8(), read_data(reader))
    )


def encode_selected_attribute(selected: SelectedAttribute) -> bytes:
    """Encode an attribute descriptor and its optional access selection.

    Raises `LocalProtocolError` when a number does not fit.
    """
    octets = encode_attribute(selected.attribute)
    if selected.access is None:
        return octets + b"\x00"
    selector, parameters = selected.access
    if not 0 <= selector <= 0xFF:
        raise LocalProtocolError(
            f"{selected.attribute}: access selector {selector} is out of range"
        )
    return octets + bytes((1, selector)) + encode_data(parameters)


def read_list[T](
    reader: Reader, read: Callable[[Reader], T], least_octets: int
) -> tuple[T, ...]:
    """Read a count and so many items, of `least_octets` each or more.

    Raises `DecodeError`, also for a count that the octets left cannot bear out.
    """
    return tuple([read(reader) for _ in range(_read_count(reader, least_octets))])


_ITEMS_AT_ONCE = 200


def read_list_in_slices[T](
    reader: Reader, read: Callable[[Reader], Slices[T]], least_octets: int
) -> Slices[tuple[T, ...]]:
    """Do what `read_list` does, in slices. Raises `DecodeError`."""
    items: list[T] = []
    for number in range(1, _read_count(reader, least_octets) + 1):
        items.append((yield from read(reader)))
        if not number % _ITEMS_AT_ONCE:
            yield
    return tuple(items)


def _read_count(reader: Reader, least_octets: int) -> int:
    start = reader.offset
    count = reader.length()
    if count * least_octets > reader.remaining:
        raise DecodeError(f"a list of {count} in {reader.remaining} octets", start)
    return count


def encode_list(items: Iterable[bytes]) -> bytes:
    """Encode a count and the items."""
    encoded = list(items)
    return encode_length(len(encoded)) + b"".join(encoded)


def read_data_list(reader: Reader) -> tuple[Data, ...]:
    """Read a counted list of values. Raises `DecodeError`."""
    return read_list(reader, read_data, 1)


def encode_data_list(values: Iterable[Data]) -> bytes:
    """Encode a counted list of values. Raises `LocalProtocolError` for a value that does not fit its type."""
    return encode_list([encode_data(value) for value in values])


def read_optional_data(reader: Reader, what: str) -> Data | None:
    """Read a value that may be absent. Raises `DecodeError`."""
    return read_data(reader) if read_presence(reader, what) else None


def encode_optional_data(value: Data | None) -> bytes:
    """Encode a value that may be absent. Raises `LocalProtocolError` for a value that does not fit its type."""
    return b"\x00" if value is None else b"\x01" + encode_data(value)


class DataBlock(NamedTuple):
    """A piece of something too long for one APDU; the first one has number 1 (DataBlock-SA)."""

    last: bool
    number: int
    raw: bytes


def read_block(reader: Reader) -> DataBlock:
    """Read a block. Raises `DecodeError`."""
    return DataBlock(read_flag(reader), reader.uint32(), reader.octets())


def encode_block(block: DataBlock) -> bytes:
    """Encode a block."""
    head = bytes((block.last,)) + block.number.to_bytes(4)
    return head + encode_length(len(block.raw)) + block.raw
