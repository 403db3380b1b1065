"""The GET service: every request and response (Green Book, COSEM APDUs, GET-Request and GET-Response).

The tag and the CHOICE are the first two octets of each APDU; `decode` reads them too.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

from ..codec.axdr import Data, encode_data, read_data
from ..codec.cursor import Reader, encode_length
from ..cosem.descriptors import AttributeDescriptor, SelectedAttribute, SelectiveAccess
from ..errors import DecodeError
from .enums import DataAccessResult
from .fields import (
    InvokeIdAndPriority,
    encode_selected_attribute,
    read_flag,
    read_invoke,
    read_selected_attribute,
)

type GetResult = Data | DataAccessResult
"""Get-Data-Result: a value, or why there is none."""

_REQUEST_TAG = 0xC0
_RESPONSE_TAG = 0xC4
_DATA = 0
_ERROR = 1
_LEAST_OCTETS_OF_A_SELECTED_ATTRIBUTE = 10


@dataclass(frozen=True, slots=True)
class GetRequestNormal:
    """Ask for one attribute."""

    PREFIX: ClassVar = bytes((_REQUEST_TAG, 1))

    invoke: InvokeIdAndPriority
    attribute: AttributeDescriptor
    access: SelectiveAccess | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU."""
        _expect(reader, cls.PREFIX, "get-request-normal")
        return cls(read_invoke(reader), *read_selected_attribute(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        selected = SelectedAttribute(self.attribute, self.access)
        return self.PREFIX + bytes((self.invoke,)) + encode_selected_attribute(selected)


@dataclass(frozen=True, slots=True)
class GetRequestNext:
    """Ask for the block after `block_number`, the one just received."""

    PREFIX: ClassVar = bytes((_REQUEST_TAG, 2))

    invoke: InvokeIdAndPriority
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU."""
        _expect(reader, cls.PREFIX, "get-request-next")
        return cls(read_invoke(reader), reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        return self.PREFIX + bytes((self.invoke,)) + self.block_number.to_bytes(4)


@dataclass(frozen=True, slots=True)
class GetRequestWithList:
    """Ask for several attributes at once."""

    PREFIX: ClassVar = bytes((_REQUEST_TAG, 3))

    invoke: InvokeIdAndPriority
    attributes: tuple[SelectedAttribute, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU."""
        _expect(reader, cls.PREFIX, "get-request-with-list")
        invoke = read_invoke(reader)
        count = _read_count(reader, _LEAST_OCTETS_OF_A_SELECTED_ATTRIBUTE)
        return cls(
            invoke, tuple([read_selected_attribute(reader) for _ in range(count)])
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        items = [encode_selected_attribute(attribute) for attribute in self.attributes]
        return b"".join(
            (self.PREFIX, bytes((self.invoke,)), encode_length(len(items)), *items)
        )


@dataclass(frozen=True, slots=True)
class GetResponseNormal:
    """One attribute's value, or why there is none."""

    PREFIX: ClassVar = bytes((_RESPONSE_TAG, 1))

    invoke: InvokeIdAndPriority
    result: GetResult

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU; octets after the value are passed over."""
        _expect(reader, cls.PREFIX, "get-response-normal")
        invoke = read_invoke(reader)
        if not reader.remaining:
            # A meter was seen to cut the answer to `C4 01 C1` when it has nothing to say.
            return cls(invoke, DataAccessResult.OTHER_REASON)
        result = _read_result(reader)
        # A clock was seen to send its value twice: what follows a whole value says nothing more.
        reader.rest()
        return cls(invoke, result)

    def encode(self) -> bytes:
        """Encode the APDU."""
        return self.PREFIX + bytes((self.invoke,)) + _encode_result(self.result)


@dataclass(frozen=True, slots=True)
class GetResponseWithDatablock:
    """One block of a value, or of a list of results, too long for one APDU."""

    PREFIX: ClassVar = bytes((_RESPONSE_TAG, 2))

    invoke: InvokeIdAndPriority
    last_block: bool
    block_number: int
    result: bytes | DataAccessResult
    """Octets to be joined with those of the other blocks, or why the transfer ended."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU."""
        _expect(reader, cls.PREFIX, "get-response-with-datablock")
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
            self.PREFIX
            + bytes((self.invoke, self.last_block))
            + self.block_number.to_bytes(4)
        )
        if isinstance(self.result, DataAccessResult):
            return head + bytes((_ERROR, self.result))
        return head + bytes((_DATA,)) + encode_length(len(self.result)) + self.result


@dataclass(frozen=True, slots=True)
class GetResponseWithList:
    """The results of a GetRequestWithList, in its order."""

    PREFIX: ClassVar = bytes((_RESPONSE_TAG, 3))

    invoke: InvokeIdAndPriority
    results: tuple[GetResult, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU."""
        _expect(reader, cls.PREFIX, "get-response-with-list")
        return cls(read_invoke(reader), read_results(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return self.PREFIX + bytes((self.invoke,)) + encode_results(self.results)


def read_results(reader: Reader) -> tuple[GetResult, ...]:
    """Read a counted list of results; a list sent in blocks is this, cut into pieces."""
    count = _read_count(reader, 1)
    return tuple([_read_listed_result(reader) for _ in range(count)])


def encode_results(results: tuple[GetResult, ...]) -> bytes:
    """Encode a counted list of results."""
    return encode_length(len(results)) + b"".join(
        [_encode_result(result) for result in results]
    )


def _expect(reader: Reader, prefix: bytes, what: str) -> None:
    tag, choice = prefix
    reader.expect(tag, what)
    reader.expect(choice, what)


def _read_count(reader: Reader, least_octets: int) -> int:
    """Read a count that the octets left can bear out."""
    start = reader.offset
    count = reader.length()
    if count * least_octets > reader.remaining:
        raise DecodeError(f"a list of {count} in {reader.remaining} octets", start)
    return count


def _read_result(reader: Reader) -> GetResult:
    choice = reader.uint8()
    if choice == _DATA:
        return read_data(reader)
    if choice == _ERROR:
        return DataAccessResult(reader.uint8())
    raise DecodeError(
        f"result {choice:02X} is neither data nor an error", reader.offset - 1
    )


def _read_listed_result(reader: Reader) -> GetResult:
    # A meter was seen to leave out the choice 01 before the errors in a list: an octet that is no choice is the error.
    if reader.peek() > _ERROR:
        return DataAccessResult(reader.uint8())
    return _read_result(reader)


def _encode_result(result: GetResult) -> bytes:
    if isinstance(result, DataAccessResult):
        return bytes((_ERROR, result))
    return bytes((_DATA,)) + encode_data(result)
