"""What the services of logical name referencing have in common: invoke-id-and-priority, attribute, access selection."""

from struct import Struct
from typing import Self

from ..codec.axdr import encode_data, read_data
from ..codec.cursor import Reader
from ..cosem.descriptors import AttributeDescriptor, SelectedAttribute, SelectiveAccess
from ..cosem.obis import Obis
from ..errors import DecodeError, LocalProtocolError

_ATTRIBUTE = Struct(">H6sB")
_CONFIRMED = 0x40
_HIGH_PRIORITY = 0x80


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


def read_invoke(reader: Reader) -> InvokeIdAndPriority:
    """Read the octet."""
    return InvokeIdAndPriority(reader.uint8())


def read_flag(reader: Reader) -> bool:
    """Read a BOOLEAN: any octet but 0 is true."""
    return reader.uint8() != 0


def read_presence(reader: Reader, what: str) -> bool:
    """Read the octet that says whether an OPTIONAL or DEFAULT field follows; only 0 and 1 are legal."""
    octet = reader.uint8()
    if octet > 1:
        raise DecodeError(
            f"{what}: 00 or 01 expected, {octet:02X} found", reader.offset - 1
        )
    return octet == 1


def read_attribute(reader: Reader) -> AttributeDescriptor:
    """Read a Cosem-Attribute-Descriptor; the attribute id is taken as unsigned."""
    class_id, logical_name, attribute_id = _ATTRIBUTE.unpack_from(
        reader.data, reader.advance(_ATTRIBUTE.size)
    )
    return AttributeDescriptor(class_id, Obis(logical_name), attribute_id)


def encode_attribute(attribute: AttributeDescriptor) -> bytes:
    """Encode a Cosem-Attribute-Descriptor. Raises `LocalProtocolError` when a number does not fit."""
    class_id, logical_name, attribute_id = attribute
    if not (0 <= class_id <= 0xFFFF and 0 <= attribute_id <= 0xFF):
        raise LocalProtocolError(
            f"{attribute} is not an attribute: its numbers are out of range"
        )
    return _ATTRIBUTE.pack(class_id, logical_name, attribute_id)


def read_selected_attribute(reader: Reader) -> SelectedAttribute:
    """Read an attribute descriptor and its optional access selection."""
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
