"""Reading by logical names: GET, following data blocks to the last."""

from ..codec.axdr import Data, DataType, encode_data
from ..codec.cursor import Reader
from ..cosem.descriptors import AttributeDescriptor, SelectedAttribute, SelectiveAccess
from .apdu import Apdu
from .association import Association
from .enums import Conformance, DataAccessResult
from .fields import InvokeIdAndPriority
from .get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    GetResult,
    read_results,
)
from .procedure import (
    BlockCollector,
    Procedure,
    Progress,
    check_invoke,
    paused,
    refusal_of_blocks,
    refusal_or_fault,
    refused,
)


def get_one(
    association: Association,
    attribute: AttributeDescriptor,
    access: SelectiveAccess | None,
    progress: Progress | None,
    high_priority: bool | None,
) -> Procedure[Data | bytes]:
    """Read one attribute, or the part of it that `access` selects; what came in blocks is left as octets.

    Raises as `procedures.get` does.
    """
    needed = Conformance.GET
    if access is not None:
        needed |= Conformance.SELECTIVE_ACCESS
    if attribute.attribute_id == 0:
        needed |= Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET
    association.require(needed)
    what, invoke = str(attribute), association.next_invoke(high_priority=high_priority)
    answer = yield GetRequestNormal(invoke, attribute, access)
    if isinstance(answer, GetResponseWithDatablock):
        octets = yield from _join_blocks(what, invoke, answer, progress)
        return octets or encode_data(Data(DataType.NULL_DATA, None))
    if not isinstance(answer, GetResponseNormal):
        raise refusal_or_fault(what, answer)
    check_invoke(what, invoke, answer.invoke)
    if isinstance(answer.result, DataAccessResult):
        raise refused(what, answer.result)
    return answer.result


def get_list(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
    high_priority: bool | None,
) -> Procedure[tuple[GetResult, ...]]:
    """Read attributes by one list; return as many results as the meter gives, none when it refuses the list as such.

    Raises `ServiceError` when it refuses with an exception or within blocks, `DecodeError` and `RemoteProtocolError` for
    answers that make no sense.
    """
    what = f"a list of {len(attributes)} attributes"
    invoke = association.next_invoke(high_priority=high_priority)
    answer = yield GetRequestWithList(
        invoke, tuple([SelectedAttribute(attribute) for attribute in attributes])
    )
    if isinstance(answer, GetResponseWithDatablock):
        octets = yield from _join_blocks(what, invoke, answer, progress)
        return (yield from _results_in(what, octets))
    if isinstance(answer, GetResponseWithList):
        check_invoke(what, invoke, answer.invoke)
        if isinstance(answer.results, bytes):
            return (yield from _results_in(what, answer.results))
        return answer.results
    if isinstance(answer, GetResponseNormal):
        check_invoke(what, invoke, answer.invoke)
        return ()  # one result for a whole list: a refusal
    raise refusal_or_fault(what, answer)


def _results_in(what: str, octets: bytes) -> Procedure[tuple[GetResult, ...]]:
    reader = Reader(octets)
    results = yield from paused(read_results(reader))
    reader.finish(what)
    return results


def _join_blocks(
    what: str,
    invoke: InvokeIdAndPriority,
    block: GetResponseWithDatablock,
    progress: Progress | None,
) -> Procedure[bytes]:
    """Ask for block after block, up to the last; return what they carry, in one piece."""
    blocks = BlockCollector(what, progress)
    while True:
        check_invoke(what, invoke, block.invoke)
        if isinstance(block.result, DataAccessResult):
            raise refused(what, block.result)
        blocks.add(block.block_number, block.result)
        # An empty profile was seen to come as one empty block that claims not to be the last: an empty block ends it.
        if block.last_block or not block.result:
            return blocks.joined()
        answer: Apdu | None = yield GetRequestNext(invoke, blocks.block_number)
        if not isinstance(answer, GetResponseWithDatablock) or isinstance(
            answer.result, DataAccessResult
        ):
            raise refusal_of_blocks(what, answer)
        block = answer
