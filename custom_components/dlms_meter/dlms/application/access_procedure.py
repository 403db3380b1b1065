"""Doing many things by one request: ACCESS."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from ..codec.axdr import Data, DataType
from ..cosem.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from ..errors import RemoteProtocolError
from .access import AccessKind, AccessRequest, AccessResponse, AccessSpecification
from .association import Association
from .enums import ActionResult, Conformance, DataAccessResult
from .procedure import Procedure, refusal_or_fault

_NOTHING = Data(DataType.NULL_DATA, None)


class AccessItem(NamedTuple):
    """One thing to be done by ACCESS: made by `get`, `set` or `action`."""

    specification: AccessSpecification
    value: Data = _NOTHING

    @classmethod
    def get(
        cls, attribute: AttributeDescriptor, access: SelectiveAccess | None = None
    ) -> Self:
        """Make the item that reads an attribute, or the part of it that `access` selects."""
        return cls(AccessSpecification(AccessKind.GET, attribute, access))

    @classmethod
    def set(
        cls,
        attribute: AttributeDescriptor,
        value: Data,
        access: SelectiveAccess | None = None,
    ) -> Self:
        """Make the item that writes an attribute, or the part of it that `access` selects."""
        return cls(AccessSpecification(AccessKind.SET, attribute, access), value)

    @classmethod
    def action(cls, method: MethodDescriptor, parameters: Data = _NOTHING) -> Self:
        """Make the item that invokes a method."""
        return cls(AccessSpecification(AccessKind.ACTION, method), parameters)


class AccessOutcome(NamedTuple):
    """How one thing ended, and what was read or returned: null-data if nothing."""

    result: DataAccessResult | ActionResult
    value: Data


def access(
    association: Association,
    items: Sequence[AccessItem],
    break_on_error: bool = False,
    confirmed: bool = True,
    high_priority: bool | None = None,
) -> Procedure[tuple[AccessOutcome, ...]]:
    """Do several things in their order by one request; with `break_on_error`, none after one that fails.

    Returns an outcome for each, none at all when not `confirmed`. Raises `ServiceError` when the meter refuses the
    request as a whole, `RemoteProtocolError` when it does not offer ACCESS, or answers out of turn.
    """
    association.require(Conformance.ACCESS)
    what = f"ACCESS to {len(items)} attributes and methods"
    invoke = association.next_long_invoke(
        confirmed=confirmed, high_priority=high_priority, break_on_error=break_on_error
    )
    specifications = tuple([item.specification for item in items])
    values = tuple([item.value for item in items])
    answer = yield AccessRequest(invoke, b"", specifications, values)
    if answer is None:
        return ()
    if not isinstance(answer, AccessResponse):
        raise refusal_or_fault(what, answer)
    if not answer.invoke.answers(invoke):
        raise RemoteProtocolError(
            f"{what}: the meter answered request {answer.invoke.invoke_id}, not {invoke.invoke_id}"
        )
    if not len(answer.values) == len(answer.results) == len(items):
        raise RemoteProtocolError(
            f"{what}: the meter answered {len(answer.results)} results and {len(answer.values)} values"
        )
    return tuple(
        [
            AccessOutcome(result.result, value)
            for result, value in zip(answer.results, answer.values, strict=True)
        ]
    )
