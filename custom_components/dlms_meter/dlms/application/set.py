"""The SET service: every request and response (Green Book, COSEM APDUs, SET-Request and SET-Response).

The tag and the CHOICE are the first two octets of each APDU; `decode` reads them too.
"""

from collections.abc import Callable
from typing import NamedTuple, Self

from ..codec.axdr import Data, encode_data, read_data
from ..codec.cursor import Reader
from ..cosem.descriptors import AttributeDescriptor, SelectedAttribute, SelectiveAccess
from .enums import DataAccessResult
from .fields import (
    LEAST_OCTETS_OF_A_SELECTED_ATTRIBUTE,
    DataBlock,
    InvokeIdAndPriority,
    encode_block,
    encode_data_list,
    encode_list,
    encode_selected_attribute,
    expect_prefix,
    read_block,
    read_data_list,
    read_invoke,
    read_list,
    read_selected_attribute,
)

_REQUEST_NORMAL = b"\xc1\x01"
_REQUEST_WITH_FIRST_DATABLOCK = b"\xc1\x02"
_REQUEST_WITH_DATABLOCK = b"\xc1\x03"
_REQUEST_WITH_LIST = b"\xc1\x04"
_REQUEST_WITH_LIST_AND_FIRST_DATABLOCK = b"\xc1\x05"
_RESPONSE_NORMAL = b"\xc5\x01"
_RESPONSE_DATABLOCK = b"\xc5\x02"
_RESPONSE_LAST_DATABLOCK = b"\xc5\x03"
_RESPONSE_LAST_DATABLOCK_WITH_LIST = b"\xc5\x04"
_RESPONSE_WITH_LIST = b"\xc5\x05"


class SetRequestNormal(NamedTuple):
    """Write one attribute."""

    invoke: InvokeIdAndPriority
    attribute: AttributeDescriptor
    access: SelectiveAccess | None
    value: Data

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_NORMAL, "set-request-normal")
        invoke = read_invoke(reader)
        return cls(invoke, *read_selected_attribute(reader), read_data(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        selected = SelectedAttribute(self.attribute, self.access)
        return b"".join(
            (
                _REQUEST_NORMAL,
                bytes((self.invoke,)),
                encode_selected_attribute(selected),
                encode_data(self.value),
            )
        )


class SetRequestWithFirstDatablock(NamedTuple):
    """Begin to write one attribute, whose value is too long for one APDU."""

    invoke: InvokeIdAndPriority
    attribute: AttributeDescriptor
    access: SelectiveAccess | None
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(
            reader, _REQUEST_WITH_FIRST_DATABLOCK, "set-request-with-first-datablock"
        )
        invoke = read_invoke(reader)
        return cls(invoke, *read_selected_attribute(reader), read_block(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        selected = SelectedAttribute(self.attribute, self.access)
        return b"".join(
            (
                _REQUEST_WITH_FIRST_DATABLOCK,
                bytes((self.invoke,)),
                encode_selected_attribute(selected),
                encode_block(self.block),
            )
        )


class SetRequestWithDatablock(NamedTuple):
    """Go on with the next block of what is to be written."""

    invoke: InvokeIdAndPriority
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_WITH_DATABLOCK, "set-request-with-datablock")
        return cls(read_invoke(reader), read_block(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return (
            _REQUEST_WITH_DATABLOCK + bytes((self.invoke,)) + encode_block(self.block)
        )


class SetRequestWithList(NamedTuple):
    """Write several attributes at once: as many values as attributes, in the same order."""

    invoke: InvokeIdAndPriority
    attributes: tuple[SelectedAttribute, ...]
    values: tuple[Data, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_WITH_LIST, "set-request-with-list")
        invoke = read_invoke(reader)
        return cls(invoke, _read_attributes(reader), read_data_list(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                _REQUEST_WITH_LIST,
                bytes((self.invoke,)),
                _encode_attributes(self.attributes),
                encode_data_list(self.values),
            )
        )


class SetRequestWithListAndFirstDatablock(NamedTuple):
    """Begin to write several attributes, whose values, as a counted list, are too long for one APDU."""

    invoke: InvokeIdAndPriority
    attributes: tuple[SelectedAttribute, ...]
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(
            reader,
            _REQUEST_WITH_LIST_AND_FIRST_DATABLOCK,
            "set-request-with-list-and-first-datablock",
        )
        invoke = read_invoke(reader)
        return cls(invoke, _read_attributes(reader), read_block(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return b"".join(
            (
                _REQUEST_WITH_LIST_AND_FIRST_DATABLOCK,
                bytes((self.invoke,)),
                _encode_attributes(self.attributes),
                encode_block(self.block),
            )
        )


class SetResponseNormal(NamedTuple):
    """How writing one attribute ended."""

    invoke: InvokeIdAndPriority
    result: DataAccessResult

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_NORMAL, "set-response-normal")
        return cls(read_invoke(reader), _read_result(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return _RESPONSE_NORMAL + bytes((self.invoke, self.result))


class SetResponseDatablock(NamedTuple):
    """A block has arrived, and the next one may come."""

    invoke: InvokeIdAndPriority
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_DATABLOCK, "set-response-datablock")
        return cls(read_invoke(reader), reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        return (
            _RESPONSE_DATABLOCK + bytes((self.invoke,)) + self.block_number.to_bytes(4)
        )


class SetResponseLastDatablock(NamedTuple):
    """The last block has arrived, and this is how writing ended."""

    invoke: InvokeIdAndPriority
    result: DataAccessResult
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_LAST_DATABLOCK, "set-response-last-datablock")
        return cls(read_invoke(reader), _read_result(reader), reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        head = _RESPONSE_LAST_DATABLOCK + bytes((self.invoke, self.result))
        return head + self.block_number.to_bytes(4)


class SetResponseLastDatablockWithList(NamedTuple):
    """The last block has arrived, and this is how writing each of the attributes ended."""

    invoke: InvokeIdAndPriority
    results: tuple[DataAccessResult, ...]
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(
            reader,
            _RESPONSE_LAST_DATABLOCK_WITH_LIST,
            "set-response-last-datablock-with-list",
        )
        invoke = read_invoke(reader)
        return cls(invoke, read_list(reader, _read_result, 1), reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        head = _RESPONSE_LAST_DATABLOCK_WITH_LIST + bytes((self.invoke,))
        return head + _encode_results(self.results) + self.block_number.to_bytes(4)


class SetResponseWithList(NamedTuple):
    """How writing each of several attributes ended, in the order of the request."""

    invoke: InvokeIdAndPriority
    results: tuple[DataAccessResult, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_WITH_LIST, "set-response-with-list")
        return cls(read_invoke(reader), read_list(reader, _read_result, 1))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return (
            _RESPONSE_WITH_LIST + bytes((self.invoke,)) + _encode_results(self.results)
        )


def _read_attributes(reader: Reader) -> tuple[SelectedAttribute, ...]:
    return read_list(
        reader, read_selected_attribute, LEAST_OCTETS_OF_A_SELECTED_ATTRIBUTE
    )


def _encode_attributes(attributes: tuple[SelectedAttribute, ...]) -> bytes:
    return encode_list(map(encode_selected_attribute, attributes))


def _read_result(reader: Reader) -> DataAccessResult:
    return DataAccessResult(reader.uint8())


def _encode_results(results: tuple[DataAccessResult, ...]) -> bytes:
    return encode_list([bytes((result,)) for result in results])


type SetRequest = (
    SetRequestNormal
    | SetRequestWithFirstDatablock
    | SetRequestWithDatablock
    | SetRequestWithList
    | SetRequestWithListAndFirstDatablock
)

type SetResponse = (
    SetResponseNormal
    | SetResponseDatablock
    | SetResponseLastDatablock
    | SetResponseLastDatablockWithList
    | SetResponseWithList
)

SET_DECODERS: dict[bytes, Callable[[Reader], SetRequest | SetResponse]] = {
    _REQUEST_NORMAL: SetRequestNormal.decode,
    _REQUEST_WITH_FIRST_DATABLOCK: SetRequestWithFirstDatablock.decode,
    _REQUEST_WITH_DATABLOCK: SetRequestWithDatablock.decode,
    _REQUEST_WITH_LIST: SetRequestWithList.decode,
    _REQUEST_WITH_LIST_AND_FIRST_DATABLOCK: SetRequestWithListAndFirstDatablock.decode,
    _RESPONSE_NORMAL: SetResponseNormal.decode,
    _RESPONSE_DATABLOCK: SetResponseDatablock.decode,
    _RESPONSE_LAST_DATABLOCK: SetResponseLastDatablock.decode,
    _RESPONSE_LAST_DATABLOCK_WITH_LIST: SetResponseLastDatablockWithList.decode,
    _RESPONSE_WITH_LIST: SetResponseWithList.decode,
}
"""By the first octets of an APDU."""
