"""The services of short name referencing: Read, Write and UnconfirmedWrite (Green Book, COSEM APDUs).

A short name is a number of 16 bits: attribute n of an object is 8 * (n - 1) after its base name.
"""

from collections.abc import Callable
from typing import NamedTuple, Self

from ..codec.axdr import Data, encode_data, read_data
from ..codec.cursor import Reader, encode_length
from ..codec.slices import OCTETS_AT_ONCE, Slices
from ..cosem.descriptors import SelectiveAccess
from ..errors import DecodeError
from .enums import DataAccessResult
from .fields import (
    encode_data_list,
    encode_list,
    read_data_list,
    read_flag,
    read_list,
    read_list_in_slices,
)
from .get import GetResult, encode_result, read_result, read_result_in_slices

_LEAST_OCTETS_OF_A_VARIABLE = 3
_DATA = 0
_ERROR = 1

_READ_REQUEST = 0x05
_READ_RESPONSE = 0x0C
_WRITE_REQUEST = 0x06
_WRITE_RESPONSE = 0x0D
_UNCONFIRMED_WRITE_REQUEST = 0x16
_VARIABLE_NAME = 2
_PARAMETERIZED_ACCESS = 4
_BLOCK_NUMBER_ACCESS = 5
_READ_DATA_BLOCK_ACCESS = 6
_WRITE_DATA_BLOCK_ACCESS = 7
_DATA_BLOCK_RESULT = 2

METHOD_CALL = 0
"""The selector of parameterised access that invokes a method."""

NOT_THERE = {
    DataAccessResult.OBJECT_UNDEFINED,
    DataAccessResult.OBJECT_CLASS_INCONSISTENT,
    DataAccessResult.OBJECT_UNAVAILABLE,
    DataAccessResult.TYPE_UNMATCHED,
    DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
}
"""Results by which a meter tells that it does not know a method where we looked for it, and not that it failed."""


class VariableName(NamedTuple):
    """A whole attribute."""

    name: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(reader.uint16())

    def encode(self) -> bytes:
        """Encode the CHOICE and what follows."""
        return bytes((_VARIABLE_NAME,)) + self.name.to_bytes(2)


class ParameterizedAccess(NamedTuple):
    """A part of an attribute; or, with selector 0, a method and its parameters."""

    name: int
    access: SelectiveAccess

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(reader.uint16(), SelectiveAccess(reader.uint8(), read_data(reader)))

    def encode(self) -> bytes:
        """Encode the CHOICE and what follows. Raises `LocalProtocolError` for a value that does not fit its type."""
        selector, parameters = self.access
        head = bytes((_PARAMETERIZED_ACCESS,)) + self.name.to_bytes(2)
        return head + bytes((selector,)) + encode_data(parameters)


class BlockNumberAccess(NamedTuple):
    """The block after `block_number`, the one just received, of an answer."""

    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(reader.uint16())

    def encode(self) -> bytes:
        """Encode the CHOICE and what follows."""
        return bytes((_BLOCK_NUMBER_ACCESS,)) + self.block_number.to_bytes(2)


class ReadDataBlockAccess(NamedTuple):
    """A piece of a ReadRequest too long for one APDU; the pieces are what follows its tag."""

    last_block: bool
    block_number: int
    raw_data: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(read_flag(reader), reader.uint16(), reader.octets())

    def encode(self) -> bytes:
        """Encode the CHOICE and what follows."""
        head = bytes(
            (_READ_DATA_BLOCK_ACCESS, self.last_block)
        ) + self.block_number.to_bytes(2)
        return head + encode_length(len(self.raw_data)) + self.raw_data


class WriteDataBlockAccess(NamedTuple):
    """A piece of a WriteRequest too long for one APDU; the piece is the request's only value, an octet-string."""

    last_block: bool
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(read_flag(reader), reader.uint16())

    def encode(self) -> bytes:
        """Encode the CHOICE and what follows."""
        head = bytes((_WRITE_DATA_BLOCK_ACCESS, self.last_block))
        return head + self.block_number.to_bytes(2)


type Variable = (
    VariableName
    | ParameterizedAccess
    | BlockNumberAccess
    | ReadDataBlockAccess
    | WriteDataBlockAccess
)
"""Variable-Access-Specification."""

_VARIABLES: dict[int, type[Variable]] = {
    _VARIABLE_NAME: VariableName,
    _PARAMETERIZED_ACCESS: ParameterizedAccess,
    _BLOCK_NUMBER_ACCESS: BlockNumberAccess,
    _READ_DATA_BLOCK_ACCESS: ReadDataBlockAccess,
    _WRITE_DATA_BLOCK_ACCESS: WriteDataBlockAccess,
}


class DataBlockResult(NamedTuple):
    """A piece of an answer too long for one APDU; the pieces are what follows the tag of the ReadResponse."""

    last_block: bool
    block_number: int
    raw_data: bytes

    def encode(self) -> bytes:
        """Encode the CHOICE and what follows."""
        head = bytes(
            (_DATA_BLOCK_RESULT, self.last_block)
        ) + self.block_number.to_bytes(2)
        return head + encode_length(len(self.raw_data)) + self.raw_data


class BlockArrived(NamedTuple):
    """A piece of a long request has arrived, and the next one may come."""

    block_number: int


_READ_BLOCK_ARRIVED = 3
_WRITE_BLOCK_ARRIVED = 2

type ReadResult = GetResult | DataBlockResult | BlockArrived
type WriteResult = DataAccessResult | BlockArrived
"""How writing ended: `DataAccessResult.SUCCESS`, or why not."""


class ReadRequest(NamedTuple):
    """Read variables."""

    variables: tuple[Variable, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_READ_REQUEST, "read-request")
        return cls(read_variables(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return bytes((_READ_REQUEST,)) + encode_variables(self.variables)


class ReadResponse(NamedTuple):
    """The results of a ReadRequest, in its order; or one piece of them."""

    results: tuple[ReadResult, ...] | bytes
    """Many octets of results are left as they were sent, to be read in slices, unless they are one block."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_READ_RESPONSE, "read-response")
        if reader.remaining > OCTETS_AT_ONCE and not _is_block(reader):
            return cls(reader.rest())
        results = read_list(reader, _read_read_result, 2)
        # To reply_to_HLS_authentication a meter was seen to answer both a ReadResponse and a WriteResponse, in one APDU.
        if reader.remaining and reader.peek() == _WRITE_RESPONSE:
            WriteResponse.decode(reader)
        return cls(results)

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        tag = bytes((_READ_RESPONSE,))
        if isinstance(self.results, bytes):
            return tag + self.results
        return tag + encode_list(map(_encode_read_result, self.results))


class WriteRequest(NamedTuple):
    """Write variables: as many values as variables, in the same order."""

    variables: tuple[Variable, ...]
    values: tuple[Data, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_WRITE_REQUEST, "write-request")
        return cls(read_variables(reader), read_data_list(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        variables = encode_variables(self.variables)
        return bytes((_WRITE_REQUEST,)) + variables + encode_data_list(self.values)


class UnconfirmedWriteRequest(NamedTuple):
    """Write variables and want no answer."""

    variables: tuple[Variable, ...]
    values: tuple[Data, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_UNCONFIRMED_WRITE_REQUEST, "unconfirmed-write-request")
        return cls(read_variables(reader), read_data_list(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        variables = encode_variables(self.variables)
        return (
            bytes((_UNCONFIRMED_WRITE_REQUEST,))
            + variables
            + encode_data_list(self.values)
        )


class WriteResponse(NamedTuple):
    """How writing each variable ended, in the order of the request."""

    results: tuple[WriteResult, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_WRITE_RESPONSE, "write-response")
        return cls(read_list(reader, _read_write_result, 1))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return bytes((_WRITE_RESPONSE,)) + encode_list(
            map(_encode_write_result, self.results)
        )


def read_variables(reader: Reader) -> tuple[Variable, ...]:
    """Read a counted list of Variable-Access-Specifications. Raises `DecodeError`."""
    return read_list(reader, _read_variable, _LEAST_OCTETS_OF_A_VARIABLE)


def encode_variables(variables: tuple[Variable, ...]) -> bytes:
    """Encode a counted list of Variable-Access-Specifications."""
    return encode_list([variable.encode() for variable in variables])


def read_plain_results(reader: Reader) -> Slices[tuple[GetResult, ...]]:
    """Read a counted list of results of which none is a block. Raises `DecodeError`."""
    return read_list_in_slices(reader, read_result_in_slices, 2)


def _read_variable(reader: Reader) -> Variable:
    choice = reader.uint8()
    variable = _VARIABLES.get(choice)
    if variable is None:
        raise DecodeError(
            f"variable access specification {choice:02X} is not known",
            reader.offset - 1,
        )
    return variable.decode(reader)


def _read_read_result(reader: Reader) -> ReadResult:
    choice = reader.peek()
    if choice == _DATA_BLOCK_RESULT:
        reader.advance(1)
        return DataBlockResult(read_flag(reader), reader.uint16(), reader.octets())
    if choice == _READ_BLOCK_ARRIVED:
        reader.advance(1)
        return BlockArrived(reader.uint16())
    return read_result(reader)


def _is_block(reader: Reader) -> bool:
    """Tell whether what follows is a list of one block."""
    return reader.data.startswith(bytes((1, _DATA_BLOCK_RESULT)), reader.offset)


def _encode_read_result(result: ReadResult) -> bytes:
    if isinstance(result, DataBlockResult):
        return result.encode()
    if isinstance(result, BlockArrived):
        return bytes((_READ_BLOCK_ARRIVED,)) + result.block_number.to_bytes(2)
    return encode_result(result)


def _read_write_result(reader: Reader) -> WriteResult:
    choice = reader.uint8()
    if choice == _DATA:
        return DataAccessResult.SUCCESS
    if choice == _ERROR:
        return DataAccessResult(reader.uint8())
    if choice == _WRITE_BLOCK_ARRIVED:
        return BlockArrived(reader.uint16())
    raise DecodeError(
        f"result {choice:02X} is neither success nor an error", reader.offset - 1
    )


def _encode_write_result(result: WriteResult) -> bytes:
    if isinstance(result, BlockArrived):
        return bytes((_WRITE_BLOCK_ARRIVED,)) + result.block_number.to_bytes(2)
    if result is DataAccessResult.SUCCESS:
        return bytes((_DATA,))
    return bytes((_ERROR, result))


type ShortNameRequest = ReadRequest | WriteRequest | UnconfirmedWriteRequest

type ShortNameResponse = ReadResponse | WriteResponse

SHORT_NAME_DECODERS: dict[
    bytes, Callable[[Reader], ShortNameRequest | ShortNameResponse]
] = {
    bytes((_READ_REQUEST,)): ReadRequest.decode,
    bytes((_READ_RESPONSE,)): ReadResponse.decode,
    bytes((_WRITE_REQUEST,)): WriteRequest.decode,
    bytes((_WRITE_RESPONSE,)): WriteResponse.decode,
    bytes((_UNCONFIRMED_WRITE_REQUEST,)): UnconfirmedWriteRequest.decode,
}
"""By the first octets of an APDU."""
