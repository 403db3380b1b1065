"""Writing by logical names: SET, in blocks where a request is too long."""

from collections.abc import Mapping

from ..codec.axdr import Data, encode_data
from ..cosem.descriptors import AttributeDescriptor, SelectedAttribute, SelectiveAccess
from .apdu import Apdu
from .association import Association
from .enums import Conformance, DataAccessResult
from .fields import DataBlock, encode_data_list
from .procedure import Procedure, check_invoke, refusal_or_fault, refused, send_blocks
from .set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)

_BLOCKS = Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE


def set_one(
    association: Association,
    attribute: AttributeDescriptor,
    value: Data,
    *,
    access: SelectiveAccess | None,
    confirmed: bool,
    high_priority: bool | None,
) -> Procedure[None]:
    """Write one attribute, or the part of it that `access` selects. Raises as `procedures.set_attribute` does."""
    needed = Conformance.SET
    if access is not None:
        needed |= Conformance.SELECTIVE_ACCESS
    if attribute.attribute_id == 0:
        needed |= Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET
    association.require(needed)
    what = str(attribute)
    invoke = association.next_invoke(confirmed=confirmed, high_priority=high_priority)
    request = SetRequestNormal(invoke, attribute, access, value)
    if association.fits(request) or not confirmed:
        answer = yield request
        if answer is None:
            return
    else:
        association.require(_BLOCKS)

        def in_blocks(block: DataBlock) -> Apdu:
            if block.number > 1:
                return SetRequestWithDatablock(invoke, block)
            return SetRequestWithFirstDatablock(invoke, attribute, access, block)

        raw = encode_data(value)
        answer = yield from send_blocks(association, what, raw, in_blocks, _arrived)
    if not isinstance(answer, SetResponseNormal | SetResponseLastDatablock):
        raise refusal_or_fault(what, answer)
    check_invoke(what, invoke, answer.invoke)
    if answer.result is not DataAccessResult.SUCCESS:
        raise refused(what, answer.result)


def set_list(
    association: Association,
    values: Mapping[AttributeDescriptor, Data],
    high_priority: bool | None,
) -> Procedure[tuple[DataAccessResult, ...]]:
    """Write attributes by one list; return as many results as the meter gives, none when it refuses the list as such.

    Raises `ServiceError` when it refuses with an exception, `RemoteProtocolError` when it answers out of turn.
    """
    what = f"a list of {len(values)} attributes"
    invoke = association.next_invoke(high_priority=high_priority)
    attributes = tuple([SelectedAttribute(attribute) for attribute in values])
    request = SetRequestWithList(invoke, attributes, tuple(values.values()))
    if association.fits(request):
        answer = yield request
    else:

        def in_blocks(block: DataBlock) -> Apdu:
            if block.number > 1:
                return SetRequestWithDatablock(invoke, block)
            return SetRequestWithListAndFirstDatablock(invoke, attributes, block)

        raw = encode_data_list(values.values())
        answer = yield from send_blocks(association, what, raw, in_blocks, _arrived)
    if isinstance(answer, SetResponseWithList | SetResponseLastDatablockWithList):
        check_invoke(what, invoke, answer.invoke)
        return answer.results
    if isinstance(answer, SetResponseNormal):
        check_invoke(what, invoke, answer.invoke)
        return ()  # one result for a whole list: a refusal
    raise refusal_or_fault(what, answer)


def _arrived(answer: Apdu | None) -> int | None:
    return answer.block_number if isinstance(answer, SetResponseDatablock) else None
