"""What a client does, request by request: associate, get, release.

Each procedure is a generator: it yields an APDU to be sent and is resumed with the APDU that answered it.
It knows no network and no time; whoever drives it closes it when the network fails, and throws in the `DecodeError`
of an answer that cannot be read.
"""

from collections.abc import Callable, Generator, Sequence
from itertools import batched

from ..codec.axdr import Data, DataType, read_data
from ..codec.cursor import Reader, encode_length
from ..cosem.descriptors import AttributeDescriptor, SelectedAttribute, SelectiveAccess
from ..errors import DecodeError, DlmsError, RemoteProtocolError, ServiceError
from .acse import Aare
from .apdu import Apdu
from .association import Association
from .enums import Conformance, DataAccessResult
from .failure import ConfirmedServiceError, ExceptionResponse
from .fields import InvokeIdAndPriority
from .get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponse,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    GetResult,
    read_results,
)
from .high_level_security import exchange_proofs

type Procedure[T] = Generator[Apdu, Apdu, T]
type Progress = Callable[[int], None]
"""Told after each block how many octets have arrived so far."""

MAX_VALUE_OCTETS = 16 * 1024 * 1024
"""A value in blocks that grows beyond this is not a meter's any more."""

MAX_ITEMS_PER_REQUEST = 64
"""Beyond this, the values take so much longer than one more turn that a bigger list saves nothing."""

_LIST_HEAD_OCTETS = 3  # tag, choice, invoke-id-and-priority
_LIST_ITEM_OCTETS = 10  # class, logical name, attribute, no access selection


def associate(association: Association) -> Procedure[None]:
    """Ask for the association and take what the meter agrees to.

    With HLS each side then proves who it is. Raises `AssociationRejected`, or `AuthenticationFailed`, with the meter's
    reason; `RemoteProtocolError` when it answers something else.
    """
    answer = yield association.request()
    if not isinstance(answer, (Aare, ExceptionResponse, ConfirmedServiceError)):
        raise RemoteProtocolError(
            f"The meter answered the association request with {type(answer).__name__}"
        )
    association.establish(answer)
    if association.is_challenged:
        yield from exchange_proofs(association)


def release(association: Association) -> Procedure[None]:
    """Ask for the release, unless there is nothing to release.

    Any answer will do: some meters refuse the release with an exception, in clear even after a ciphered association.
    """
    if association.is_open:
        yield association.release_request()


def get(
    association: Association,
    attribute: AttributeDescriptor,
    access: SelectiveAccess | None = None,
    progress: Progress | None = None,
) -> Procedure[Data]:
    """Read one attribute, or the part of it that `access` selects, following data blocks to the last.

    Raises `ServiceError` when the meter refuses this attribute, `RemoteProtocolError` when it does not offer GET (or
    selective access) or answers out of turn, `DecodeError` when the blocks do not make a value.
    """
    association.require(
        Conformance.GET
        if access is None
        else Conformance.GET | Conformance.SELECTIVE_ACCESS
    )
    invoke = association.next_invoke()
    answer = yield GetRequestNormal(invoke, attribute, access)
    if isinstance(answer, GetResponseWithDatablock):
        octets = yield from _join_blocks(str(attribute), invoke, answer, progress)
        return _value_in(octets)
    if not isinstance(answer, GetResponseNormal):
        raise _refusal_or_fault(str(attribute), answer)
    _check_invoke(str(attribute), invoke, answer)
    if isinstance(answer.result, DataAccessResult):
        raise _refused(str(attribute), answer.result)
    return answer.result


def get_many(
    association: Association,
    attributes: Sequence[AttributeDescriptor],
    items_per_request: int | None = None,
    progress: Progress | None = None,
) -> Procedure[dict[AttributeDescriptor, Data | DlmsError]]:
    """Read several attributes in as few requests as the meter allows.

    What it refuses, or sends so that it cannot be read, is in the result as the `ServiceError` or `DecodeError`.

    As many go into one request as the meter's PDU size lets in, or `items_per_request` if that is less. When the
    meter did not agree to lists, or refuses or garbles one (`association.refuses_lists` remembers), they are read
    one by one. `progress` counts the octets of one request at a time.

    Raises `RemoteProtocolError` when the meter does not offer GET, or answers out of turn.
    """
    association.require(Conformance.GET)
    results: dict[AttributeDescriptor, Data | DlmsError] = {}
    size = _items_per_request(association, items_per_request)
    for chunk in batched(dict.fromkeys(attributes), size, strict=False):
        listed = None
        if len(chunk) > 1 and not association.refuses_lists:
            listed = yield from _get_list(association, chunk, progress)
        if listed is None:
            listed = yield from _get_one_by_one(association, chunk, progress)
        results |= listed
    return results


def _items_per_request(association: Association, wanted: int | None) -> int:
    if Conformance.MULTIPLE_REFERENCES not in association.conformance:
        return 1
    limits = [MAX_ITEMS_PER_REQUEST if wanted is None else wanted]
    if association.request_capacity is not None:
        limits.append(items_that_fit(association.request_capacity))
    return max(min(limits), 1)


def items_that_fit(octets: int) -> int:
    """Return how many attributes a GetRequestWithList of at most so many octets can name."""
    items = max(octets - _LIST_HEAD_OCTETS - 1, 0) // _LIST_ITEM_OCTETS
    while (
        items
        and _LIST_HEAD_OCTETS + len(encode_length(items)) + items * _LIST_ITEM_OCTETS
        > octets
    ):
        items -= 1
    return items


def _get_list(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
) -> Procedure[dict[AttributeDescriptor, Data | DlmsError] | None]:
    """Read attributes by one list; None when the meter does not do that."""
    invoke = association.next_invoke()
    selected = tuple([SelectedAttribute(attribute) for attribute in attributes])
    what = f"a list of {len(attributes)} attributes"
    try:
        answer = yield GetRequestWithList(invoke, selected)
        results = yield from _list_results(what, invoke, answer, progress)
    except DecodeError, ServiceError:
        results = ()
    if len(results) != len(attributes):
        # Meters were seen to refuse every list to the public client although they had agreed to them.
        association.refuses_lists = True
        return None
    if association.refuses_lists is None and not any(
        isinstance(result, Data) for result in results
    ):
        # Nothing but errors may be a way to refuse the list itself: ask again, one by one.
        singly = yield from _get_one_by_one(association, attributes, progress)
        if any(isinstance(value, Data) for value in singly.values()):
            association.refuses_lists = True
        return singly
    association.refuses_lists = False
    return {
        attribute: _refused(str(attribute), result)
        if isinstance(result, DataAccessResult)
        else result
        for attribute, result in zip(attributes, results, strict=True)
    }


def _list_results(
    what: str, invoke: InvokeIdAndPriority, answer: Apdu, progress: Progress | None
) -> Procedure[tuple[GetResult, ...]]:
    if isinstance(answer, GetResponseWithDatablock):
        reader = Reader((yield from _join_blocks(what, invoke, answer, progress)))
        results = read_results(reader)
        reader.finish(what)
        return results
    if isinstance(answer, GetResponseWithList):
        _check_invoke(what, invoke, answer)
        return answer.results
    if isinstance(answer, GetResponseNormal):
        _check_invoke(what, invoke, answer)
        return ()  # one result for a whole list: a refusal
    raise _refusal_or_fault(what, answer)


def _get_one_by_one(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
) -> Procedure[dict[AttributeDescriptor, Data | DlmsError]]:
    results: dict[AttributeDescriptor, Data | DlmsError] = {}
    for attribute in attributes:
        try:
            results[attribute] = yield from get(
                association, attribute, progress=progress
            )
        except (ServiceError, DecodeError) as error:
            results[attribute] = error
    return results


def _join_blocks(
    what: str,
    invoke: InvokeIdAndPriority,
    block: GetResponseWithDatablock,
    progress: Progress | None,
) -> Procedure[bytes]:
    """Ask for block after block, up to the last; return what they carry, in one piece."""
    parts: list[bytes] = []
    octets = 0
    while True:
        _check_invoke(what, invoke, block)
        if isinstance(block.result, DataAccessResult):
            raise _refused(what, block.result)
        number = len(parts) + 1
        if block.block_number != number:
            raise RemoteProtocolError(
                f"{what}: the meter sent block {block.block_number} where block {number} is due"
            )
        parts.append(block.result)
        octets += len(block.result)
        if octets > MAX_VALUE_OCTETS:
            raise RemoteProtocolError(
                f"{what}: more than {MAX_VALUE_OCTETS} octets, and no end"
            )
        if progress is not None:
            progress(octets)
        # An empty profile was seen to come as one empty block that claims not to be the last: an empty block ends it.
        if block.last_block or not block.result:
            return b"".join(parts)
        answer = yield GetRequestNext(invoke, number)
        if not isinstance(answer, GetResponseWithDatablock):
            raise _refusal_or_fault(what, answer)
        block = answer


def _value_in(octets: bytes) -> Data:
    """Decode a value that came in blocks; as with `GetResponseNormal`, octets after it are passed over."""
    if not octets:
        return Data(DataType.NULL_DATA, None)  # the empty profile of `_join_blocks`
    return read_data(Reader(octets))


def _check_invoke(what: str, invoke: InvokeIdAndPriority, answer: GetResponse) -> None:
    if not answer.invoke.answers(invoke):
        raise RemoteProtocolError(
            f"{what}: the meter answered request {answer.invoke.invoke_id}, not {invoke.invoke_id}"
        )


def _refused(what: str, result: DataAccessResult) -> ServiceError:
    return ServiceError(f"{what}: {result.label}", result)


def _refusal_or_fault(what: str, answer: Apdu) -> ServiceError | RemoteProtocolError:
    match answer:
        case ExceptionResponse() | ConfirmedServiceError():
            return ServiceError(f"{what}: {answer.reason}", answer.code)
        case GetResponseNormal(result=DataAccessResult() as result):
            return _refused(what, result)
        case _:
            return RemoteProtocolError(
                f"{what}: the meter answered with {type(answer).__name__}"
            )
