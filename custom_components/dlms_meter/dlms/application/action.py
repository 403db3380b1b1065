"""The ACTION service: every request and response (Green Book, COSEM APDUs, ACTION-Request and ACTION-Response).

The tag and the CHOICE are the first two octets of each APDU; `decode` reads them too.
"""

from collections.abc import Callable
from typing import NamedTuple, Self

from ..codec.axdr import Data
from ..codec.cursor import Reader
from ..cosem.descriptors import MethodDescriptor
from .enums import ActionResult
from .fields import (
    LEAST_OCTETS_OF_A_DESCRIPTOR,
    DataBlock,
    InvokeIdAndPriority,
    encode_block,
    encode_data_list,
    encode_list,
    encode_method,
    encode_optional_data,
    expect_prefix,
    read_block,
    read_data_list,
    read_invoke,
    read_list,
    read_method,
    read_optional_data,
    read_presence,
)
from .get import GetResult, encode_result, read_result

_REQUEST_NORMAL = b"\xc3\x01"
_REQUEST_NEXT_PBLOCK = b"\xc3\x02"
_REQUEST_WITH_LIST = b"\xc3\x03"
_REQUEST_WITH_FIRST_PBLOCK = b"\xc3\x04"
_REQUEST_WITH_LIST_AND_FIRST_PBLOCK = b"\xc3\x05"
_REQUEST_WITH_PBLOCK = b"\xc3\x06"
_RESPONSE_NORMAL = b"\xc7\x01"
_RESPONSE_WITH_PBLOCK = b"\xc7\x02"
_RESPONSE_WITH_LIST = b"\xc7\x03"
_RESPONSE_NEXT_PBLOCK = b"\xc7\x04"


class ActionOutcome(NamedTuple):
    """How invoking one method ended, and what it returned, or why it could not return it."""

    result: ActionResult
    returned: GetResult | None = None


class ActionRequestNormal(NamedTuple):
    """Invoke one method."""

    invoke: InvokeIdAndPriority
    method: MethodDescriptor
    parameters: Data | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_NORMAL, "action-request-normal")
        invoke, method = read_invoke(reader), read_method(reader)
        return cls(invoke, method, read_optional_data(reader, "method parameters"))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                _REQUEST_NORMAL,
                bytes((self.invoke,)),
                encode_method(self.method),
                encode_optional_data(self.parameters),
            )
        )


class ActionRequestNextPblock(NamedTuple):
    """Ask for the block after `block_number`, the one just received, of what a method returned."""

    invoke: InvokeIdAndPriority
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_NEXT_PBLOCK, "action-request-next-pblock")
        return cls(read_invoke(reader), reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        return (
            _REQUEST_NEXT_PBLOCK + bytes((self.invoke,)) + self.block_number.to_bytes(4)
        )


class ActionRequestWithList(NamedTuple):
    """Invoke several methods: as many parameters as methods, in the same order."""

    invoke: InvokeIdAndPriority
    methods: tuple[MethodDescriptor, ...]
    parameters: tuple[Data, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_WITH_LIST, "action-request-with-list")
        invoke = read_invoke(reader)
        return cls(invoke, _read_methods(reader), read_data_list(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                _REQUEST_WITH_LIST,
                bytes((self.invoke,)),
                _encode_methods(self.methods),
                encode_data_list(self.parameters),
            )
        )


class ActionRequestWithFirstPblock(NamedTuple):
    """Begin to invoke one method, whose parameters are too long for one APDU."""

    invoke: InvokeIdAndPriority
    method: MethodDescriptor
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(
            reader, _REQUEST_WITH_FIRST_PBLOCK, "action-request-with-first-pblock"
        )
        return cls(read_invoke(reader), read_method(reader), read_block(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                _REQUEST_WITH_FIRST_PBLOCK,
                bytes((self.invoke,)),
                encode_method(self.method),
                encode_block(self.block),
            )
        )


class ActionRequestWithListAndFirstPblock(NamedTuple):
    """Begin to invoke several methods, whose parameters, as a counted list, are too long for one APDU."""

    invoke: InvokeIdAndPriority
    methods: tuple[MethodDescriptor, ...]
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(
            reader,
            _REQUEST_WITH_LIST_AND_FIRST_PBLOCK,
            "action-request-with-list-and-first-pblock",
        )
        return cls(read_invoke(reader), _read_methods(reader), read_block(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return b"".join(
            (
                _REQUEST_WITH_LIST_AND_FIRST_PBLOCK,
                bytes((self.invoke,)),
                _encode_methods(self.methods),
                encode_block(self.block),
            )
        )


class ActionRequestWithPblock(NamedTuple):
    """Go on with the next block of the parameters."""

    invoke: InvokeIdAndPriority
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _REQUEST_WITH_PBLOCK, "action-request-with-pblock")
        return cls(read_invoke(reader), read_block(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return _REQUEST_WITH_PBLOCK + bytes((self.invoke,)) + encode_block(self.block)


class ActionResponseNormal(NamedTuple):
    """How invoking one method ended."""

    invoke: InvokeIdAndPriority
    outcome: ActionOutcome

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_NORMAL, "action-response-normal")
        return cls(read_invoke(reader), read_outcome(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return _RESPONSE_NORMAL + bytes((self.invoke,)) + encode_outcome(self.outcome)


class ActionResponseWithPblock(NamedTuple):
    """One block of what a method returned, or of a list of outcomes, too long for one APDU."""

    invoke: InvokeIdAndPriority
    block: DataBlock

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_WITH_PBLOCK, "action-response-with-pblock")
        return cls(read_invoke(reader), read_block(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return _RESPONSE_WITH_PBLOCK + bytes((self.invoke,)) + encode_block(self.block)


class ActionResponseWithList(NamedTuple):
    """How invoking each of several methods ended, in the order of the request."""

    invoke: InvokeIdAndPriority
    outcomes: tuple[ActionOutcome, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_WITH_LIST, "action-response-with-list")
        return cls(read_invoke(reader), read_outcomes(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return (
            _RESPONSE_WITH_LIST + bytes((self.invoke,)) + encode_outcomes(self.outcomes)
        )


class ActionResponseNextPblock(NamedTuple):
    """A block of the parameters has arrived, and the next one may come."""

    invoke: InvokeIdAndPriority
    block_number: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU. Raises `DecodeError`."""
        expect_prefix(reader, _RESPONSE_NEXT_PBLOCK, "action-response-next-pblock")
        return cls(read_invoke(reader), reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        return (
            _RESPONSE_NEXT_PBLOCK
            + bytes((self.invoke,))
            + self.block_number.to_bytes(4)
        )


def read_outcome(reader: Reader) -> ActionOutcome:
    """Read how one invocation ended (Action-Response-With-Optional-Data). Raises `DecodeError`."""
    result = ActionResult(reader.uint8())
    if not read_presence(reader, "return parameters"):
        return ActionOutcome(result)
    return ActionOutcome(result, read_result(reader))


def encode_outcome(outcome: ActionOutcome) -> bytes:
    """Encode how one invocation ended. Raises `LocalProtocolError` for a value that does not fit its type."""
    head = bytes((outcome.result, outcome.returned is not None))
    return head if outcome.returned is None else head + encode_result(outcome.returned)


def read_outcomes(reader: Reader) -> tuple[ActionOutcome, ...]:
    """Read a counted list of outcomes; a list sent in blocks is this, cut into pieces. Raises `DecodeError`."""
    return read_list(reader, read_outcome, 2)


def encode_outcomes(outcomes: tuple[ActionOutcome, ...]) -> bytes:
    """Encode a counted list of outcomes. Raises `LocalProtocolError` for a value that does not fit its type."""
    return encode_list(map(encode_outcome, outcomes))


def _read_methods(reader: Reader) -> tuple[MethodDescriptor, ...]:
    return read_list(reader, read_method, LEAST_OCTETS_OF_A_DESCRIPTOR)


def _encode_methods(methods: tuple[MethodDescriptor, ...]) -> bytes:
    return encode_list(map(encode_method, methods))


type ActionRequest = (
    ActionRequestNormal
    | ActionRequestNextPblock
    | ActionRequestWithList
    | ActionRequestWithFirstPblock
    | ActionRequestWithListAndFirstPblock
    | ActionRequestWithPblock
)

type ActionResponse = (
    ActionResponseNormal
    | ActionResponseWithPblock
    | ActionResponseWithList
    | ActionResponseNextPblock
)

ACTION_DECODERS: dict[bytes, Callable[[Reader], ActionRequest | ActionResponse]] = {
    _REQUEST_NORMAL: ActionRequestNormal.decode,
    _REQUEST_NEXT_PBLOCK: ActionRequestNextPblock.decode,
    _REQUEST_WITH_LIST: ActionRequestWithList.decode,
    _REQUEST_WITH_FIRST_PBLOCK: ActionRequestWithFirstPblock.decode,
    _REQUEST_WITH_LIST_AND_FIRST_PBLOCK: ActionRequestWithListAndFirstPblock.decode,
    _REQUEST_WITH_PBLOCK: ActionRequestWithPblock.decode,
    _RESPONSE_NORMAL: ActionResponseNormal.decode,
    _RESPONSE_WITH_PBLOCK: ActionResponseWithPblock.decode,
    _RESPONSE_WITH_LIST: ActionResponseWithList.decode,
    _RESPONSE_NEXT_PBLOCK: ActionResponseNextPblock.decode,
}
"""By the first octets of an APDU."""
