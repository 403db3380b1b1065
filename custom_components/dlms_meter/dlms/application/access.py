"""The ACCESS service: several attributes read and written and methods invoked by one request (Green Book, COSEM APDUs)."""

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, Self

from ..codec.axdr import Data, encode_data, read_data
from ..codec.cursor import Reader, encode_length
from ..cosem.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from ..errors import DecodeError
from .enums import ActionResult, DataAccessResult
from .fields import (
    LEAST_OCTETS_OF_A_DESCRIPTOR,
    LongInvokeIdAndPriority,
    encode_attribute,
    encode_data_list,
    encode_list,
    encode_method,
    read_attribute,
    read_data_list,
    read_list,
    read_long_invoke,
    read_method,
    read_presence,
)

_WITH_SELECTION = 3  # added to the CHOICE of GET and SET: 4 and 5
_LARGEST_CHOICE = 5

_ACCESS_REQUEST = 0xD9
_ACCESS_RESPONSE = 0xDA


class AccessKind(IntEnum):
    """What is done with an attribute or method: the CHOICE of both Access-Request- and Access-Response-Specification."""

    GET = 1
    SET = 2
    ACTION = 3


class AccessSpecification(NamedTuple):
    """What is done, and with what; `access` selects a part of an attribute."""

    kind: AccessKind
    target: AttributeDescriptor | MethodDescriptor
    access: SelectiveAccess | None = None


class AccessResult(NamedTuple):
    """What was done, and how it ended."""

    kind: AccessKind
    result: DataAccessResult | ActionResult


class AccessRequest(NamedTuple):
    """Do all this: as many values as specifications, in the same order, null-data where there is nothing to hand over."""

    invoke: LongInvokeIdAndPriority
    date_time: bytes
    specifications: tuple[AccessSpecification, ...]
    values: tuple[Data, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_ACCESS_REQUEST, "access-request")
        invoke, date_time = read_long_invoke(reader), reader.octets()
        specifications = _read_specifications(reader)
        return cls(invoke, date_time, specifications, read_data_list(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                bytes((_ACCESS_REQUEST,)),
                self.invoke.to_bytes(4),
                encode_length(len(self.date_time)),
                self.date_time,
                encode_list(map(_encode_specification, self.specifications)),
                encode_data_list(self.values),
            )
        )


class AccessResponse(NamedTuple):
    """What came of it: as many values and results as there were specifications, in the same order."""

    invoke: LongInvokeIdAndPriority
    date_time: bytes
    specifications: tuple[AccessSpecification, ...] | None
    """Those of the request, if the meter repeats them."""
    values: tuple[Data, ...]
    results: tuple[AccessResult, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_ACCESS_RESPONSE, "access-response")
        invoke, date_time = read_long_invoke(reader), reader.octets()
        repeated = read_presence(reader, "access request specification")
        return cls(
            invoke,
            date_time,
            _read_specifications(reader) if repeated else None,
            read_data_list(reader),
            read_list(reader, _read_result, 2),
        )

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                bytes((_ACCESS_RESPONSE,)),
                self.invoke.to_bytes(4),
                encode_length(len(self.date_time)),
                self.date_time,
                b"\x00"
                if self.specifications is None
                else b"\x01"
                + encode_list(map(_encode_specification, self.specifications)),
                encode_data_list(self.values),
                encode_list([bytes(result) for result in self.results]),
            )
        )


def _read_specifications(reader: Reader) -> tuple[AccessSpecification, ...]:
    return read_list(reader, _read_specification, 1 + LEAST_OCTETS_OF_A_DESCRIPTOR)


def _read_specification(reader: Reader) -> AccessSpecification:
    choice = reader.uint8()
    if not 1 <= choice <= _LARGEST_CHOICE:
        raise DecodeError(
            f"access specification {choice:02X} is not known", reader.offset - 1
        )
    if choice == AccessKind.ACTION:
        return AccessSpecification(AccessKind.ACTION, read_method(reader))
    if choice < AccessKind.ACTION:
        return AccessSpecification(AccessKind(choice), read_attribute(reader))
    return AccessSpecification(
        AccessKind(choice - _WITH_SELECTION),
        read_attribute(reader),
        SelectiveAccess(reader.uint8(), read_data(reader)),
    )


def _encode_specification(specification: AccessSpecification) -> bytes:
    kind, target, access = specification
    if isinstance(target, MethodDescriptor):
        return bytes((kind,)) + encode_method(target)
    if access is None:
        return bytes((kind,)) + encode_attribute(target)
    head = bytes((kind + _WITH_SELECTION,)) + encode_attribute(target)
    return head + bytes((access.selector,)) + encode_data(access.parameters)


def _read_result(reader: Reader) -> AccessResult:
    choice, code = reader.uint8(), reader.uint8()
    if choice == AccessKind.ACTION:
        return AccessResult(AccessKind.ACTION, ActionResult(code))
    if choice in (AccessKind.GET, AccessKind.SET):
        return AccessResult(AccessKind(choice), DataAccessResult(code))
    raise DecodeError(
        f"access response specification {choice:02X} is not known", reader.offset - 2
    )


type AccessApdu = AccessRequest | AccessResponse

ACCESS_DECODERS: dict[bytes, Callable[[Reader], AccessApdu]] = {
    bytes((_ACCESS_REQUEST,)): AccessRequest.decode,
    bytes((_ACCESS_RESPONSE,)): AccessResponse.decode,
}
"""By the first octets of an APDU."""
