"""Invoking methods by logical names: ACTION, in blocks where a request or what is returned is too long."""

from collections.abc import Callable, Sequence

from ..codec.axdr import Data, DataType, encode_data, read_data
from ..codec.cursor import Reader
from ..cosem.descriptors import MethodDescriptor
from ..errors import DecodeError
from .action import (
    ActionOutcome,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    read_outcome,
    read_outcomes,
)
from .apdu import Apdu
from .association import Association
from .enums import ActionResult, Conformance, DataAccessResult
from .fields import DataBlock, InvokeIdAndPriority, encode_data_list
from .get import read_result
from .procedure import (
    BlockCollector,
    Procedure,
    check_invoke,
    refusal_or_fault,
    refused,
    send_blocks,
)

NOTHING = Data(DataType.NULL_DATA, None)
"""What a list of parameters has for a method without any."""

_BLOCKS = Conformance.BLOCK_TRANSFER_WITH_ACTION


def invoke_one(
    association: Association,
    method: MethodDescriptor,
    parameters: Data | None,
    confirmed: bool,
    high_priority: bool | None,
) -> Procedure[Data | None]:
    """Invoke one method; return what it returns, if anything. Raises as `procedures.invoke` does."""
    association.require(Conformance.ACTION)
    what = str(method)
    invoke = association.next_invoke(confirmed=confirmed, high_priority=high_priority)
    request = ActionRequestNormal(invoke, method, parameters)
    if association.fits(request) or not confirmed:
        answer = yield request
        if answer is None:
            return None
    else:
        association.require(_BLOCKS)

        def in_blocks(block: DataBlock) -> Apdu:
            if block.number > 1:
                return ActionRequestWithPblock(invoke, block)
            return ActionRequestWithFirstPblock(invoke, method, block)

        raw = encode_data(NOTHING if parameters is None else parameters)
        answer = yield from send_blocks(association, what, raw, in_blocks, _arrived)
    if isinstance(answer, ActionResponseWithPblock):
        returned = yield from _join_blocks(what, invoke, answer)
        return value_of(what, _outcome_in(returned))
    if not isinstance(answer, ActionResponseNormal):
        raise refusal_or_fault(what, answer)
    check_invoke(what, invoke, answer.invoke)
    return value_of(what, answer.outcome)


def invoke_list(
    association: Association,
    calls: Sequence[tuple[MethodDescriptor, Data | None]],
    high_priority: bool | None,
) -> Procedure[tuple[ActionOutcome, ...]]:
    """Invoke methods by one list; return as many outcomes as the meter gives, none when it refuses the list as a whole.

    Raises `ServiceError` when it refuses to go on with blocks, `RemoteProtocolError` when it answers out of turn.
    """
    what = f"a list of {len(calls)} methods"
    invoke = association.next_invoke(high_priority=high_priority)
    methods = tuple([method for method, _ in calls])
    parameters = tuple([NOTHING if given is None else given for _, given in calls])
    request = ActionRequestWithList(invoke, methods, parameters)
    if association.fits(request):
        answer = yield request
    else:

        def in_blocks(block: DataBlock) -> Apdu:
            if block.number > 1:
                return ActionRequestWithPblock(invoke, block)
            return ActionRequestWithListAndFirstPblock(invoke, methods, block)

        raw = encode_data_list(parameters)
        answer = yield from send_blocks(association, what, raw, in_blocks, _arrived)
    if isinstance(answer, ActionResponseWithPblock):
        reader = Reader((yield from _join_blocks(what, invoke, answer)))
        outcomes = read_outcomes(reader)
        reader.finish(what)
        return outcomes
    if isinstance(answer, ActionResponseWithList):
        check_invoke(what, invoke, answer.invoke)
        return answer.outcomes
    if isinstance(answer, ActionResponseNormal):
        check_invoke(what, invoke, answer.invoke)
        return ()  # one outcome for a whole list: a refusal
    raise refusal_or_fault(what, answer)


def value_of(what: str, outcome: ActionOutcome) -> Data | None:
    """Return what a method returned. Raises `ServiceError` when it failed, or could not return it."""
    if outcome.result is not ActionResult.SUCCESS:
        raise refused(what, outcome.result)
    if isinstance(outcome.returned, DataAccessResult):
        raise refused(f"{what} was done, but returns nothing", outcome.returned)
    return outcome.returned


def _join_blocks(
    what: str, invoke: InvokeIdAndPriority, answer: ActionResponseWithPblock
) -> Procedure[bytes]:
    """Ask for block after block, up to the last; return what they carry, in one piece."""
    blocks = BlockCollector(what)
    while True:
        check_invoke(what, invoke, answer.invoke)
        blocks.add(answer.block.number, answer.block.raw)
        if answer.block.last:
            return blocks.joined()
        following: Apdu | None = yield ActionRequestNextPblock(
            invoke, blocks.block_number
        )
        if not isinstance(following, ActionResponseWithPblock):
            raise refusal_or_fault(what, following)
        answer = following


_RETURNED: tuple[Callable[[Reader], ActionOutcome], ...] = (
    lambda reader: ActionOutcome(ActionResult.SUCCESS, read_data(reader)),
    lambda reader: ActionOutcome(ActionResult.SUCCESS, read_result(reader)),
    read_outcome,
)
"""What blocks may carry: the value alone, with its CHOICE, or with the result of the action. Implementations differ."""


def _outcome_in(octets: bytes) -> ActionOutcome:
    """Read what a method returned in blocks, whichever way fills them exactly."""
    for read in _RETURNED:
        reader = Reader(octets)
        try:
            outcome = read(reader)
            reader.finish("what the method returned")
        except DecodeError:
            continue
        return outcome
    raise DecodeError(f"what the method returned is no value: {octets[:8].hex(' ')} …")


def _arrived(answer: Apdu | None) -> int | None:
    return answer.block_number if isinstance(answer, ActionResponseNextPblock) else None
