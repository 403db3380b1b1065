"""The GET service: every request and response (Green Book, COSEM APDUs, GET-Request and GET-Response).

The tag and the CHOICE are the first two octets of each APDU; `decode` reads them too.
"""

from collections.abc import Callable
from struct import Struct, error as StructError
from typing import NamedTuple, Self

from ..codec.axdr import Data, encode_data, read_data
from ..codec.cursor import Reader, encode_length
from ..codec.data import FIXED
from ..codec.slices import OCTETS_AT_ONCE, Slices, finish, read_data_in_slices
from ..cosem.descriptors import AttributeDescriptor, SelectedAttribute, SelectiveAccess
from ..errors import DecodeError
from .enums import DataAccessResult
from .fields import (
    INVOKES,
    LEAST_OCTETS_OF_A_SELECTED_ATTRIBUTE,
    InvokeIdAndPriority,
    encode_list,
    encode_selected_attribute,
    expect_prefix,
    read_flag,
    read_invoke,
    read_list,
    read_list_in_slices,
    read_selected_attribute,
)

type GetResult = Data | DataAccessResult
"""Get-Data-Result: a value, or why there is none."""

_DATA = 0
_ERROR = 1

_RESPONSE_TAG = 0xC4
_NORMAL = 1

_REQUEST_NORMAL = b"\xc0\x01"
_REQUEST_NEXT = b"\xc0\x02"
_REQUEST_WITH_LIST = b"\xc0\x03"
_RESPONSE_NORMAL = b"\xc4\x01"
_RESPONSE_WITH_DATABLOCK = b"\xc4\x02"
_RESPONSE_WITH_LIST = b"\xc4\x03"


class GetRequestNormal(NamedTuple):
    """Ask for one attribute."""

    invoke: InvokeIdAndPriority
    attribute: AttributeDescriptor
    access: SelectiveAccess | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_NORMAL, "get-request-normal")
        return cls(read_invoke(reader), *read_selected_attribute(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        selected = SelectedAttribute(self.attribute, self.access)
        return (
            _REQUEST_NORMAL
            + bytes((self.invoke,))
            + encode_selected_attribute(selected)
        )


class GetRequestNext(NamedTuple):
    """Ask for the block after `block_number`, the one just received."""

    invoke: InvokeIdAndPriority
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_NEXT, "get-request-next")
        return cls(read_invoke(reader), reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        return _REQUEST_NEXT + bytes((self.invoke,)) + self.block_number.to_bytes(4)


class GetRequestWithList(NamedTuple):
    """Ask for several attributes at once."""

    invoke: InvokeIdAndPriority
    attributes: tuple[SelectedAttribute, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_WITH_LIST, "get-request-with-list")
        return cls(
            read_invoke(reader),
            read_list(
                reader, read_selected_attribute, LEAST_OCTETS_OF_A_SELECTED_ATTRIBUTE
            ),
        )

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        items = [encode_selected_attribute(attribute) for attribute in self.attributes]
        return _REQUEST_WITH_LIST + bytes((self.invoke,)) + encode_list(items)


class GetResponseNormal(NamedTuple):
    """One attribute's value, or why there is none."""

    invoke: InvokeIdAndPriority
    result: GetResult | bytes
    """A long value is left as the octets of its A-XDR, and what may follow it, to be read in slices."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU; octets after the value are passed over. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_NORMAL, "get-response-normal")
        invoke = read_invoke(reader)
        if not reader.remaining:
            # A meter was seen to cut the answer to `C4 01 C1` when it has nothing to say.
            return cls(invoke, DataAccessResult.OTHER_REASON)
        if reader.remaining > OCTETS_AT_ONCE and reader.peek() == _DATA:
            reader.advance(1)
            return cls(invoke, reader.rest())
        result = read_result(reader)
        # A clock was seen to send its value twice: what follows a whole value says nothing more.
        reader.rest()
        return cls(invoke, result)

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return _RESPONSE_NORMAL + bytes((self.invoke,)) + encode_result(self.result)


class GetResponseWithDatablock(NamedTuple):
    """One block of a value, or of a list of results, too long for one APDU."""

    invoke: InvokeIdAndPriority
    last_block: bool
    block_number: int
    result: bytes | DataAccessResult
    """Octets to be joined with those of the other blocks, or why the transfer ended."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_WITH_DATABLOCK, "get-response-with-datablock")
        invoke = read_invoke(reader)
        last_block = read_flag(reader)
        block_number = reader.uint32()
        choice = reader.uint8()
        if choice == _DATA:
            return cls(invoke, last_block, block_number, reader.octets())
        if choice == _ERROR:
            return cls(
                invoke, last_block, block_number, DataAccessResult(reader.uint8())
            )
        raise DecodeError(
            f"data block result {choice:02X} is neither raw data nor an error",
            reader.offset - 1,
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        head = (
            _RESPONSE_WITH_DATABLOCK
            + bytes((self.invoke, self.last_block))
            + self.block_number.to_bytes(4)
        )
        if isinstance(self.result, DataAccessResult):
            return head + bytes((_ERROR, self.result))
        return head + bytes((_DATA,)) + encode_length(len(self.result)) + self.result


class GetResponseWithList(NamedTuple):
    """The results of a GetRequestWithList, in its order."""

    invoke: InvokeIdAndPriority
    results: tuple[GetResult, ...] | bytes
    """Many octets of results are left as they were sent, to be read in slices."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_WITH_LIST, "get-response-with-list")
        invoke = read_invoke(reader)
        if reader.remaining > OCTETS_AT_ONCE:
            return cls(invoke, reader.rest())
        return cls(invoke, finish(read_results(reader)))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        head = _RESPONSE_WITH_LIST + bytes((self.invoke,))
        if isinstance(self.results, bytes):
            return head + self.results
        return head + encode_results(self.results)


_new = tuple.__new__  # as in axdr

_NUMBERS = {
    int(data_type): (data_type, Struct(f">5B{form.removeprefix('>')}").unpack)
    for data_type, (form, _) in FIXED.items()
}
"""By type, how a whole answer with one value of it is unpacked: tag, CHOICE, invoke-id, CHOICE, type, value."""


def decode_number(data: bytes) -> GetResponseNormal | None:
    """Decode a GetResponseNormal that is a number, or a time, and nothing else, as most APDUs are; None for anything else.

    It finds what `GetResponseNormal.decode` finds, in a fifth of the time: 0.3 against 1.4 µs for a register.
    """
    try:
        row = _NUMBERS.get(data[4])
        if row is None:
            return None
        data_type, unpack = row
        tag, choice, invoke, result, _, value = unpack(data)
    except IndexError, StructError:  # octets are missing, or follow
        return None
    if tag != _RESPONSE_TAG or choice != _NORMAL or result != _DATA:
        return None
    number = _new(Data, (data_type, value))
    return _new(GetResponseNormal, (INVOKES[invoke], number))


def read_results(reader: Reader) -> Slices[tuple[GetResult, ...]]:
    """Read a counted list of results; a list sent in blocks is this, cut into pieces. Raises `DecodeError`."""
    return read_list_in_slices(reader, _read_listed_result, 1)


def _read_listed_result(reader: Reader) -> Slices[GetResult]:
    # A meter was seen to leave out the choice 01 before the errors in a list: an octet that is no choice is the error.
    if reader.peek() > _ERROR:
        return DataAccessResult(reader.uint8())
    return (yield from read_result_in_slices(reader))


def encode_results(results: tuple[GetResult, ...]) -> bytes:
    """Encode a counted list of results. Raises `LocalProtocolError` for a value that does not fit its type."""
    return encode_list([encode_result(result) for result in results])


def read_result(reader: Reader) -> GetResult:
    """Read one result. Raises `DecodeError`."""
    choice = reader.uint8()
    if choice == _DATA:
        return read_data(reader)
    if choice == _ERROR:
        return DataAccessResult(reader.uint8())
    raise DecodeError(
        f"result {choice:02X} is neither data nor an error", reader.offset - 1
    )


def read_result_in_slices(reader: Reader) -> Slices[GetResult]:
    """Read one result, which may be long. Raises `DecodeError`."""
    if reader.peek() != _DATA:
        return read_result(reader)
    reader.advance(1)
    return (yield from read_data_in_slices(reader))


def encode_result(result: GetResult | bytes) -> bytes:
    """Encode one result. Raises `LocalProtocolError` for a value that does not fit its type."""
    if isinstance(result, bytes):
        return bytes((_DATA,)) + result
    if isinstance(result, DataAccessResult):
        return bytes((_ERROR, result))
    return bytes((_DATA,)) + encode_data(result)


type GetRequest = GetRequestNormal | GetRequestNext | GetRequestWithList

type GetResponse = GetResponseNormal | GetResponseWithDatablock | GetResponseWithList

GET_DECODERS: dict[bytes, Callable[[Reader], GetRequest | GetResponse]] = {
    _REQUEST_NORMAL: GetRequestNormal.decode,
    _REQUEST_NEXT: GetRequestNext.decode,
    _REQUEST_WITH_LIST: GetRequestWithList.decode,
    _RESPONSE_NORMAL: GetResponseNormal.decode,
    _RESPONSE_WITH_DATABLOCK: GetResponseWithDatablock.decode,
    _RESPONSE_WITH_LIST: GetResponseWithList.decode,
}
"""By the first octets of an APDU."""
