"""One Read, Write or UnconfirmedWrite by short names, in blocks where it or its answer is too long."""

from collections.abc import Callable

from ..codec.axdr import Data, DataType
from ..codec.cursor import Reader
from ..errors import RemoteProtocolError
from .apdu import Apdu
from .association import Association
from .enums import Conformance, DataAccessResult
from .fields import DataBlock
from .get import GetResult
from .procedure import (
    BlockCollector,
    Procedure,
    Progress,
    paused,
    refusal_of_blocks,
    refusal_or_fault,
    refused,
    send_blocks,
)
from .short_name import (
    BlockArrived,
    BlockNumberAccess,
    DataBlockResult,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    ReadResult,
    UnconfirmedWriteRequest,
    VariableName,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
    read_plain_results,
)

_ONE_VALUE, _ONE_ERROR = b"\1\0", b"\1\1"
"""How a list of one result begins: its count and its CHOICE."""

_ASSOCIATION_NAME = VariableName(0xFA00)
"""Where every meter has the logical name of its association."""

type NamedVariable = VariableName | ParameterizedAccess


def read_variable(
    association: Association,
    what: str,
    variable: NamedVariable,
    progress: Progress | None,
) -> Procedure[Data | bytes]:
    """Read one variable; a long value is left as the octets of its A-XDR. `what` names it in errors.

    Raises `ServiceError` when the meter refuses, `DecodeError` and `RemoteProtocolError` for answers that make no sense;
    the latter also when the request needs blocks that the meter does not agree to.
    """
    answer = yield from read_variables(association, what, (variable,), progress)
    if isinstance(answer, bytes):
        return _octets_in(what, answer)
    match answer:
        case (Data() as value,):
            return value
        case (DataAccessResult() as result,):
            raise refused(what, result)
    raise RemoteProtocolError(
        f"{what}: the meter answered {len(answer)} results, and not one value"
    )


def read_variables(
    association: Association,
    what: str,
    variables: tuple[NamedVariable, ...],
    progress: Progress | None,
) -> Procedure[tuple[ReadResult, ...] | bytes]:
    """Read variables by one request, in pieces if it is too long, and join the pieces of the answer, undecoded.

    Raises as `read_variable` does; what is refused of single variables stands among the results.
    """
    blocks = Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    request = ReadRequest(variables)
    answer = yield from _ask(association, what, request, blocks, _read_piece)
    if not isinstance(answer, ReadResponse):
        raise refusal_or_fault(what, answer)
    match answer.results:
        case bytes() as octets:
            return octets
        case (DataBlockResult() as block,):
            return (yield from _join_blocks(what, block, progress))
    return answer.results


def _join_blocks(
    what: str, block: DataBlockResult, progress: Progress | None
) -> Procedure[bytes]:
    """Ask for block after block, up to the last; return what they carry, in one piece."""
    blocks = BlockCollector(what, progress)
    while True:
        blocks.add(block.block_number, block.raw_data)
        if block.last_block:
            return blocks.joined()
        answer = yield ReadRequest((BlockNumberAccess(blocks.block_number),))
        match answer:
            case ReadResponse(results=(DataBlockResult() as block,)):
                continue
        raise refusal_of_blocks(what, answer)


def results_in(octets: bytes) -> Procedure[tuple[GetResult, ...]]:
    """Read a list of results that was long, or came in blocks. Raises `DecodeError`."""
    reader = Reader(octets)
    results = yield from paused(read_plain_results(reader))
    reader.finish("the results")
    return results


def _octets_in(what: str, octets: bytes) -> bytes:
    """Return the octets that came for one variable: a list of one result; or, as some have it, the value alone.

    An array of no elements begins like the former, and ends there.
    """
    if octets[:2] == _ONE_VALUE and len(octets) > len(_ONE_VALUE):
        return octets[len(_ONE_VALUE) :]
    if octets[:2] == _ONE_ERROR and len(octets) == len(_ONE_ERROR) + 1:
        raise refused(what, DataAccessResult(octets[-1]))
    return octets


def write_unconfirmed(
    association: Association, variable: NamedVariable, value: Data
) -> Procedure[None]:
    """Write one variable, to which there is no answer."""
    # Before, not after: nobody comes back here when it is broken off on its way.
    association.wrote_unconfirmed = True
    yield UnconfirmedWriteRequest((variable,), (value,))


def write_variables(
    association: Association,
    what: str,
    variables: tuple[NamedVariable, ...],
    values: tuple[Data, ...],
) -> Procedure[tuple[DataAccessResult, ...]]:
    """Write variables by one request, in pieces if it is too long; return the result of each.

    A meter that answers an UnconfirmedWrite does so before the next request; only where that is a Read, the two answers
    cannot be taken for each other. Raises `ServiceError` when the meter refuses the request, `RemoteProtocolError` for
    answers that make no sense, and when the request needs blocks that the meter does not agree to.
    """
    if association.wrote_unconfirmed:
        yield ReadRequest((_ASSOCIATION_NAME,))
        association.wrote_unconfirmed = False
    blocks = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    request = WriteRequest(variables, values)
    answer = yield from _ask(association, what, request, blocks, _write_piece)
    if not isinstance(answer, WriteResponse):
        raise refusal_or_fault(what, answer)
    results = [each for each in answer.results if isinstance(each, DataAccessResult)]
    if len(results) != len(answer.results):
        raise RemoteProtocolError(f"{what}: the meter waits for a block")
    return tuple(results)


def _ask(
    association: Association,
    what: str,
    request: ReadRequest | WriteRequest,
    blocks: Conformance,
    piece: Callable[[DataBlock], Apdu],
) -> Procedure[Apdu | None]:
    """Send a request and return the answer to it; in pieces, for which `blocks` are needed, if it is too long."""
    if association.fits(request):
        return (yield request)
    association.require(blocks)
    raw = request.encode()[1:]
    return (yield from send_blocks(association, what, raw, piece, _arrived))


def _read_piece(block: DataBlock) -> Apdu:
    return ReadRequest((ReadDataBlockAccess(*block),))


def _write_piece(block: DataBlock) -> Apdu:
    access = WriteDataBlockAccess(block.last, block.number)
    return WriteRequest((access,), (Data(DataType.OCTET_STRING, block.raw),))


def _arrived(answer: Apdu | None) -> int | None:
    match answer:
        case (
            ReadResponse(results=(BlockArrived(block_number=number),))
            | WriteResponse(results=(BlockArrived(block_number=number),))
        ):
            return number
    return None
