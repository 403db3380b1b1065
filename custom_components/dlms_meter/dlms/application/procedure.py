"""What procedures are made of: their type, and what those of all services do alike."""

from collections.abc import Callable, Generator
from typing import NamedTuple

from ..codec.axdr import Data
from ..codec.cursor import Reader
from ..codec.slices import Slices, read_data_in_slices
from ..errors import RemoteProtocolError, ServiceError
from .action import ActionResponseNormal
from .apdu import Apdu
from .association import Association
from .enums import ActionResult, Code, DataAccessResult
from .failure import ConfirmedServiceError, ExceptionResponse
from .fields import DataBlock, InvokeIdAndPriority
from .get import GetResponseNormal, GetResponseWithDatablock
from .set import SetResponseLastDatablock, SetResponseNormal
from .short_name import ReadResponse, WriteResponse


class Pause(NamedTuple):
    """A stop in the middle of long work: others may have their turn."""


type Procedure[T] = Generator[Apdu | Pause, Apdu | None, T]
"""Yields an APDU to be sent, and is resumed with the APDU that answered it; with None where no answer was wanted.

After a `Pause` it is resumed with None as well.
"""

type Progress = Callable[[int], None]
"""Told after each block how many octets have arrived so far."""


class BlocksRefused(ServiceError):
    """The meter began an answer in blocks, and refuses to go on with it."""


MAX_VALUE_OCTETS = 4 * 1024 * 1024
"""A value in blocks that grows beyond this is not a meter's any more: a year of quarter-hours with ten columns has half."""

_LENGTH_GROWTH = 2
"""Octets by which the length of a block may grow, against that of an empty one."""


class BlockCollector:
    """Puts together the blocks of a long answer."""

    def __init__(self, what: str, progress: Progress | None = None) -> None:
        self._what = what
        self._progress = progress
        self._parts: list[bytes] = []
        self._octets = 0

    @property
    def block_number(self) -> int:
        """The number of the block that came last; the first one has number 1."""
        return len(self._parts)

    def add(self, block_number: int, raw: bytes) -> None:
        """Take the next block. Raises `RemoteProtocolError` when it is another one, or the value has no end."""
        due = len(self._parts) + 1
        if block_number != due:
            raise RemoteProtocolError(
                f"{self._what}: the meter sent block {block_number} where block {due} is due"
            )
        self._parts.append(raw)
        self._octets += len(raw)
        if self._octets > MAX_VALUE_OCTETS:
            raise RemoteProtocolError(
                f"{self._what}: more than {MAX_VALUE_OCTETS} octets, and no end"
            )
        if self._progress is not None:
            self._progress(self._octets)

    def joined(self) -> bytes:
        """Return what all blocks carry, in one piece."""
        return b"".join(self._parts)


def send_blocks(
    association: Association,
    what: str,
    raw: bytes,
    request: Callable[[DataBlock], Apdu],
    arrived: Callable[[Apdu | None], int | None],
) -> Procedure[Apdu | None]:
    """Send what is too long for one request block by block; return the answer to the last one.

    `request` makes the APDU for a block. `arrived` returns which block an answer says has arrived, None if it does not
    say so. Raises `ServiceError` when the meter refuses on the way, `RemoteProtocolError` when it answers out of turn.
    """
    number = 1
    while True:
        size = _room(association, what, request(DataBlock(False, number, b"")))
        block = DataBlock(len(raw) <= size, number, raw[:size])
        answer = yield request(block)
        if block.last:
            return answer
        if arrived(answer) != number:
            raise refusal_or_fault(what, answer)
        raw = raw[size:]
        number += 1


def _room(association: Association, what: str, empty: Apdu) -> int:
    """Return how many octets of data fit beside what an empty block takes."""
    capacity = association.request_capacity
    assert capacity is not None  # or everything would fit into one request
    room = capacity - len(empty.encode()) - _LENGTH_GROWTH
    if room < 1:
        raise RemoteProtocolError(
            f"{what}: the meter takes APDUs of at most {capacity} octets, which leaves no room for blocks"
        )
    return room


def paused[T](slices: Slices[T]) -> Procedure[T]:
    """Do long work with a pause after each slice; return, or raise, what it does."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            result: T = done.value
            return result
        yield Pause()


def decoded(value: Data | bytes) -> Procedure[Data]:
    """Decode a value that was long; octets after it are passed over, as after one that was not.

    Raises `DecodeError` when the octets do not make a value.
    """
    if isinstance(value, Data):
        return value
    return (yield from paused(read_data_in_slices(Reader(value))))


def check_invoke(
    what: str, invoke: InvokeIdAndPriority, answer_invoke: InvokeIdAndPriority
) -> None:
    """Refuse an answer to another request, with `RemoteProtocolError`."""
    if not answer_invoke.answers(invoke):
        raise RemoteProtocolError(
            f"{what}: the meter answered request {answer_invoke.invoke_id}, not {invoke.invoke_id}"
        )


def refused(what: str, result: Code) -> ServiceError:
    """Make the error for what the meter refused."""
    return ServiceError(f"{what}: {result.label}", result)


def refusal_of_blocks(
    what: str, answer: Apdu | None
) -> BlocksRefused | RemoteProtocolError:
    """Make the error for an answer that is not the block expected."""
    error = refusal_or_fault(what, answer)
    if isinstance(error, ServiceError):
        return BlocksRefused(str(error), error.result)
    return error


def refusal_or_fault(
    what: str, answer: Apdu | None
) -> ServiceError | RemoteProtocolError:
    """Make the error for an answer that is not the one expected."""
    match answer:
        case ExceptionResponse() | ConfirmedServiceError():
            return ServiceError(f"{what}: {answer.reason}", answer.code)
        case (
            GetResponseNormal(result=DataAccessResult() as result)
            | GetResponseWithDatablock(result=DataAccessResult() as result)
            | SetResponseNormal(result=result)
            | SetResponseLastDatablock(result=result)
        ) if result is not DataAccessResult.SUCCESS:
            return refused(what, result)
        case ActionResponseNormal(outcome=(result, _)) if (
            result is not ActionResult.SUCCESS
        ):
            return refused(what, result)
        case (
            ReadResponse(results=(DataAccessResult() as result,))
            | WriteResponse(results=(DataAccessResult() as result,))
        ) if result is not DataAccessResult.SUCCESS:
            return refused(what, result)
        case _:
            return RemoteProtocolError(
                f"{what}: the meter answered with {type(answer).__name__}"
            )
