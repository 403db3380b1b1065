"""What a client does, request by request: associate, read, write, invoke, release.

Each procedure is a generator: it yields an APDU to be sent and is resumed with the APDU that answered it.
It knows no network and no time; whoever drives it closes it when the network fails, and throws in the `DecodeError`
of an answer that cannot be read.

Attributes and methods are named by class and logical name, whether the meter knows them by those or by short names.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from ..codec.axdr import Data
from ..cosem.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from ..errors import DecodeError, DlmsError, RemoteProtocolError, ServiceError
from . import action_procedure, get_procedure, set_procedure, short_name_procedure
from .access_procedure import AccessItem, AccessOutcome, access
from .acse import Aare
from .action import ActionOutcome
from .association import Association
from .ended_association import refuses_request
from .enums import Conformance, DataAccessResult
from .failure import ConfirmedServiceError, ExceptionResponse
from .get import GetResult
from .high_level_security import exchange_proofs
from .packing import FrameLimits, items_per_request
from .procedure import (
    MAX_VALUE_OCTETS,
    BlocksRefused,
    Pause,
    Procedure,
    Progress,
    decoded,
    refused,
)

__all__ = [
    "MAX_VALUE_OCTETS",
    "AccessItem",
    "AccessOutcome",
    "Pause",
    "Procedure",
    "Progress",
    "access",
    "associate",
    "get",
    "get_many",
    "get_undecoded",
    "invoke",
    "invoke_many",
    "release",
    "set_attribute",
    "set_many",
]


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
    high_priority: bool | None = None,
) -> Procedure[Data]:
    """Read one attribute, or the part of it that `access` selects, following data blocks to the last.

    Attribute 0 stands for all attributes at once, in a structure. With short names the object list is read first if it
    was not yet. `high_priority` is None for what the meter knows.

    Raises `ServiceError` when the meter refuses this attribute, `RemoteProtocolError` when it does not offer reading (or
    selective access) or answers out of turn, `DecodeError` when the blocks do not make a value.
    """
    value = yield from get_undecoded(
        association, attribute, access, progress, high_priority
    )
    return (yield from decoded(value))


def get_undecoded(
    association: Association,
    attribute: AttributeDescriptor,
    access: SelectiveAccess | None = None,
    progress: Progress | None = None,
    high_priority: bool | None = None,
) -> Procedure[Data | bytes]:
    """Do as `get` does, but return a value that is long, or came in blocks, in the octets of its A-XDR.

    Raises as `get` does, but for those octets.
    """
    if association.uses_short_names:
        return short_name_procedure.read_one(association, attribute, access, progress)
    return get_procedure.get_one(
        association, attribute, access, progress, high_priority
    )


def get_many(
    association: Association,
    attributes: Sequence[AttributeDescriptor],
    frames: FrameLimits | None = None,
    progress: Progress | None = None,
    high_priority: bool | None = None,
) -> Procedure[dict[AttributeDescriptor, Data | DlmsError]]:
    """Read several attributes in as few requests as the meter allows, or with `frames` in as few turns as they take.

    What it refuses, or sends so that it cannot be read, is in the result as the `ServiceError` or `DecodeError`.

    When the meter did not agree to lists, or refuses or garbles one (`association.memory` remembers), they are read
    one by one. `progress` counts the octets of one request at a time.

    Raises `RemoteProtocolError` when the meter does not offer reading, or answers out of turn.
    """
    association.require(
        Conformance.READ if association.uses_short_names else Conformance.GET
    )
    results: dict[AttributeDescriptor, Data | DlmsError] = {}
    wanted = tuple(dict.fromkeys(attributes))
    while wanted:
        size = items_per_request(association, len(wanted), frames)
        chunk, wanted = wanted[:size], wanted[size:]
        in_list = len(chunk) > 1 and not association.memory.refuses_lists
        reads = _get_list if in_list else _get_one_by_one
        results |= yield from reads(association, chunk, progress, high_priority)
    return results


def _learned(known: bool | None, singly: Collection[object]) -> bool | None:
    """Return whether the meter refuses lists, now that it refused one and was asked for everything in it one by one.

    Who does nothing, and refuses requests as such, may have ended the association: that tells nothing about lists.
    """
    is_alive = not all(isinstance(outcome, ServiceError) for outcome in singly)
    return True if is_alive or not any(map(refuses_request, singly)) else known


def _get_list(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
    high_priority: bool | None,
) -> Procedure[dict[AttributeDescriptor, Data | DlmsError]]:
    """Read attributes by one list, or one by one when the meter does not do that."""
    memory = association.memory
    results: tuple[GetResult, ...] = ()
    fewer = 0  # that a list may have
    try:
        results = yield from _results_of_list(
            association, attributes, progress, high_priority
        )
    except BlocksRefused:
        fewer = len(attributes) // 2
    except DecodeError, ServiceError:
        pass  # a refusal as well
    if len(results) != len(attributes):
        # Meters were seen to refuse every list to the public client although they had agreed to them.
        singly = yield from _get_one_by_one(
            association, attributes, progress, high_priority
        )
        if fewer > 1 and _learned(None, singly.values()):
            memory.longest_list = fewer
        else:
            memory.refuses_lists = _learned(memory.refuses_lists, singly.values())
        return singly
    if memory.refuses_lists is None and not any(
        isinstance(result, Data) for result in results
    ):
        # Nothing but errors may be a way to refuse the list itself: ask again, one by one.
        singly = yield from _get_one_by_one(
            association, attributes, progress, high_priority
        )
        if any(isinstance(value, Data) for value in singly.values()):
            memory.refuses_lists = True
        return singly
    memory.refuses_lists = False
    return {
        attribute: refused(str(attribute), result)
        if isinstance(result, DataAccessResult)
        else result
        for attribute, result in zip(attributes, results, strict=True)
    }


def _results_of_list(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
    high_priority: bool | None,
) -> Procedure[tuple[GetResult, ...]]:
    if association.uses_short_names:
        return short_name_procedure.read_list(association, attributes, progress)
    return get_procedure.get_list(association, attributes, progress, high_priority)


def _get_one_by_one(
    association: Association,
    attributes: tuple[AttributeDescriptor, ...],
    progress: Progress | None,
    high_priority: bool | None,
) -> Procedure[dict[AttributeDescriptor, Data | DlmsError]]:
    results: dict[AttributeDescriptor, Data | DlmsError] = {}
    for attribute in attributes:
        try:
            results[attribute] = yield from get(
                association, attribute, None, progress, high_priority
            )
        except (ServiceError, DecodeError) as error:
            results[attribute] = error.with_traceback(None)  # it would hold us
    return results


def set_attribute(
    association: Association,
    attribute: AttributeDescriptor,
    value: Data,
    *,
    access: SelectiveAccess | None = None,
    confirmed: bool = True,
    high_priority: bool | None = None,
) -> Procedure[None]:
    """Write one attribute, or the part of it that `access` selects, in blocks where one request cannot hold it.

    Attribute 0 stands for all attributes at once, in a structure. Not `confirmed`, nobody knows whether it was written.

    Raises `ServiceError` when the meter refuses, `RemoteProtocolError` when it does not offer writing (selective access,
    blocks) or answers out of turn, `LocalProtocolError` when what cannot go in blocks is too long for it.
    """
    if association.uses_short_names:
        return short_name_procedure.write_one(
            association, attribute, value, access, confirmed
        )
    return set_procedure.set_one(
        association,
        attribute,
        value,
        access=access,
        confirmed=confirmed,
        high_priority=high_priority,
    )


def set_many(
    association: Association,
    values: Mapping[AttributeDescriptor, Data],
    high_priority: bool | None = None,
) -> Procedure[dict[AttributeDescriptor, ServiceError | None]]:
    """Write several attributes by one request if the meter can do that, else one by one.

    Returns for each None, or the `ServiceError` the meter refused it with. Raises `RemoteProtocolError` when the meter
    does not offer writing, or answers out of turn.
    """
    short, memory = association.uses_short_names, association.memory
    association.require(Conformance.WRITE if short else Conformance.SET)
    lists = Conformance.MULTIPLE_REFERENCES in association.conformance
    tries_list = lists and len(values) > 1 and not memory.refuses_write_lists
    if tries_list:
        results: tuple[DataAccessResult, ...] = ()
        with suppress(ServiceError):
            results = yield from (
                short_name_procedure.write_list(association, values)
                if short
                else set_procedure.set_list(association, values, high_priority)
            )
        if len(results) == len(values):
            memory.refuses_write_lists = False
            return {
                attribute: None
                if result is DataAccessResult.SUCCESS
                else refused(str(attribute), result)
                for attribute, result in zip(values, results, strict=True)
            }
    outcomes: dict[AttributeDescriptor, ServiceError | None] = {}
    for attribute, value in values.items():
        try:
            yield from set_attribute(
                association, attribute, value, high_priority=high_priority
            )
            outcomes[attribute] = None
        except ServiceError as error:
            outcomes[attribute] = error.with_traceback(None)  # it would hold us
    if tries_list:
        memory.refuses_write_lists = _learned(
            memory.refuses_write_lists, outcomes.values()
        )
    return outcomes


def invoke(
    association: Association,
    method: MethodDescriptor,
    parameters: Data | None = None,
    confirmed: bool = True,
    high_priority: bool | None = None,
) -> Procedure[Data | None]:
    """Invoke one method; return what it returns, if anything. Not `confirmed`, nobody knows whether it was done.

    Raises `ServiceError` when the meter refuses, `RemoteProtocolError` when it does not offer invoking or answers out of
    turn, `DecodeError` when what it returns in blocks is no value.
    """
    if association.uses_short_names:
        return short_name_procedure.invoke_one(
            association, method, parameters, confirmed
        )
    return action_procedure.invoke_one(
        association, method, parameters, confirmed, high_priority
    )


def invoke_many(
    association: Association,
    calls: Sequence[tuple[MethodDescriptor, Data | None]],
    high_priority: bool | None = None,
) -> Procedure[tuple[Data | ServiceError | None, ...]]:
    """Invoke several methods in their order, by one request if the meter can do that, else one by one.

    Returns for each what it returned, if anything, or the `ServiceError` the meter refused it with. Raises
    `RemoteProtocolError` when the meter does not offer invoking, or answers out of turn.
    """
    memory = association.memory
    lists = Conformance.MULTIPLE_REFERENCES in association.conformance
    short = association.uses_short_names
    tries_list = (
        lists and not short and len(calls) > 1 and not memory.refuses_write_lists
    )
    if tries_list:
        association.require(Conformance.ACTION)
        try:
            outcomes = yield from action_procedure.invoke_list(
                association, calls, high_priority
            )
        except ServiceError:
            outcomes = ()
        if outcomes:
            memory.refuses_write_lists = False
            return _values_of(calls, outcomes)
    returned: list[Data | ServiceError | None] = []
    for method, parameters in calls:
        try:
            returned.append(
                (
                    yield from invoke(
                        association, method, parameters, high_priority=high_priority
                    )
                )
            )
        except ServiceError as error:
            returned.append(error.with_traceback(None))  # it would hold us
    if tries_list:
        memory.refuses_write_lists = _learned(memory.refuses_write_lists, returned)
    return tuple(returned)


def _values_of(
    calls: Sequence[tuple[MethodDescriptor, Data | None]],
    outcomes: Sequence[ActionOutcome],
) -> tuple[Data | ServiceError | None, ...]:
    """Return what methods of a list returned; never is one of them invoked a second time."""
    if len(outcomes) != len(calls):
        raise RemoteProtocolError(
            f"{len(calls)} methods were invoked, and the meter answered for {len(outcomes)}"
        )
    returned: list[Data | ServiceError | None] = []
    for (method, _), outcome in zip(calls, outcomes, strict=True):
        try:
            returned.append(action_procedure.value_of(str(method), outcome))
        except ServiceError as error:
            returned.append(error)
    return tuple(returned)
