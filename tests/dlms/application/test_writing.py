"""SET, ACTION and ACCESS by logical names: single, in lists, in blocks both ways, and what meters say against it."""

from collections.abc import Callable

import pytest

from custom_components.dlms_meter.dlms.application.access import (
    AccessKind,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessSpecification,
)
from custom_components.dlms_meter.dlms.application.action import (
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
    encode_outcome,
    encode_outcomes,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.association import Association
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    Conformance,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.fields import (
    DataBlock,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
)
from custom_components.dlms_meter.dlms.application.procedures import (
    AccessItem,
    AccessOutcome,
    Procedure,
    access,
    get,
    invoke,
    invoke_many,
    set_attribute,
    set_many,
)
from custom_components.dlms_meter.dlms.application.set import (
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
from custom_components.dlms_meter.dlms.codec.axdr import (
    Data,
    DataType,
    encode_data,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
)

from .conversation import (
    BUSY,
    DENIED,
    ENERGY,
    EVERYTHING,
    FIRST,
    SECOND,
    associated,
    converse,
    normal,
    number,
    registers,
)

OK = DataAccessResult.SUCCESS
NO = DataAccessResult.READ_WRITE_DENIED
DONE = ActionOutcome(ActionResult.SUCCESS)
TEXT = Data(DataType.OCTET_STRING, bytes(range(60)))
LATEST = SelectiveAccess(2, Data(DataType.UNSIGNED, 1))
WHOLE = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 0)
RELAY = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 1)
CONNECT = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 2)
ZERO = Data(DataType.INTEGER, 0)
NULL = Data(DataType.NULL_DATA, None)
SMALL = 40
"""Octets of the largest APDU of a meter to which nothing long can be written but in blocks."""


def small(conformance: Conformance = EVERYTHING) -> Association:
    return associated(conformance, SMALL)


def refused(procedure: Procedure[object], *answers: Apdu) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        converse(procedure, *answers)
    return caught.value


# SET


def test_set() -> None:
    _, asked = converse(
        set_attribute(associated(), ENERGY, number(7)), SetResponseNormal(FIRST, OK)
    )
    assert asked == [SetRequestNormal(FIRST, ENERGY, None, number(7))]


def test_set_a_part() -> None:
    _, asked = converse(
        set_attribute(associated(), ENERGY, number(7), access=LATEST),
        SetResponseNormal(FIRST, OK),
    )
    assert asked == [SetRequestNormal(FIRST, ENERGY, LATEST, number(7))]


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (SetResponseNormal(FIRST, NO), NO),
        (SetResponseLastDatablock(FIRST, NO, 1), NO),
        (BUSY, BUSY.code),
        (DENIED, DENIED.code),
    ],
)
def test_set_refused(answer: Apdu, result: int) -> None:
    error = refused(set_attribute(associated(), ENERGY, number(7)), answer)
    assert error.result is result
    assert str(ENERGY) in str(error)


@pytest.mark.parametrize(
    "answer",
    [SetResponseNormal(SECOND, OK), SetResponseDatablock(FIRST, 1), normal(NO)],
)
def test_set_answered_out_of_turn(answer: Apdu) -> None:
    with pytest.raises((RemoteProtocolError, ServiceError)):
        converse(set_attribute(associated(), ENERGY, number(7)), answer)


@pytest.mark.parametrize(
    ("missing", "procedure"),
    [
        (Conformance.SET, lambda a: set_attribute(a, ENERGY, number(7))),
        (
            Conformance.SELECTIVE_ACCESS,
            lambda a: set_attribute(a, ENERGY, number(7), access=LATEST),
        ),
        (
            Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET,
            lambda a: set_attribute(a, WHOLE, number(7)),
        ),
        (Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET, lambda a: get(a, WHOLE)),
        (Conformance.SET, lambda a: set_many(a, {ENERGY: number(7)})),
        (Conformance.ACTION, lambda a: invoke(a, RELAY)),
        (Conformance.ACTION, lambda a: invoke_many(a, [(RELAY, None), (RELAY, None)])),
        (Conformance.ACCESS, lambda a: access(a, [AccessItem.get(ENERGY)])),
    ],
)
def test_what_the_meter_does_not_offer_is_not_tried(
    missing: Conformance, procedure: Callable[[Association], Procedure[object]]
) -> None:
    with pytest.raises(RemoteProtocolError, match="does not offer"):
        next(procedure(associated(EVERYTHING & ~missing)))


def test_attribute_0_is_all_attributes() -> None:
    whole = Data(DataType.STRUCTURE, (TEXT, number(7)))
    value, _ = converse(get(associated(), WHOLE), normal(whole))
    assert value == whole
    converse(set_attribute(associated(), WHOLE, whole), SetResponseNormal(FIRST, OK))


def test_set_unconfirmed_wants_no_answer() -> None:
    procedure = set_attribute(associated(), ENERGY, number(7), confirmed=False)
    request = next(procedure)
    assert isinstance(request, SetRequestNormal)
    assert not request.invoke.confirmed
    with pytest.raises(StopIteration):
        procedure.send(None)


@pytest.mark.parametrize(
    ("offers", "wanted", "high"),
    [
        (True, None, True),
        (True, True, True),
        (True, False, False),
        (False, None, False),
        (False, True, False),
    ],
)
def test_priority(offers: bool, wanted: bool | None, high: bool) -> None:
    without = Conformance(0) if offers else Conformance.PRIORITY_MGMT_SUPPORTED
    procedures = (
        lambda a: get(a, ENERGY, high_priority=wanted),
        lambda a: set_attribute(a, ENERGY, number(7), high_priority=wanted),
        lambda a: set_many(a, dict.fromkeys(registers(2), number(7)), wanted),
        lambda a: invoke(a, RELAY, high_priority=wanted),
        lambda a: invoke_many(a, [(RELAY, None)] * 2, wanted),
        lambda a: access(a, [AccessItem.get(ENERGY)], high_priority=wanted),
    )
    for procedure in procedures:
        request = next(procedure(associated(EVERYTHING & ~without)))
        invoke_id = getattr(request, "invoke", None)
        assert isinstance(invoke_id, InvokeIdAndPriority | LongInvokeIdAndPriority)
        assert invoke_id.high_priority is high
        assert invoke_id.confirmed


def test_set_in_blocks() -> None:
    procedure = set_attribute(small(), ENERGY, TEXT, access=LATEST)
    request = next(procedure)
    assert isinstance(request, SetRequestWithFirstDatablock)
    assert (request.attribute, request.access) == (ENERGY, LATEST)
    blocks = [request.block]
    while not blocks[-1].last:
        request = procedure.send(SetResponseDatablock(FIRST, blocks[-1].number))
        assert isinstance(request, SetRequestWithDatablock)
        assert len(request.encode()) <= SMALL
        blocks.append(request.block)
    with pytest.raises(StopIteration):
        procedure.send(SetResponseLastDatablock(FIRST, OK, blocks[-1].number))
    assert b"".join(block.raw for block in blocks) == encode_data(TEXT)
    assert [block.number for block in blocks] == [1, 2, 3]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (SetResponseNormal(FIRST, NO), ServiceError),
        (SetResponseLastDatablock(FIRST, NO, 1), ServiceError),
        (BUSY, ServiceError),
        (SetResponseDatablock(FIRST, 2), RemoteProtocolError),
        (SetResponseNormal(FIRST, OK), RemoteProtocolError),
    ],
)
def test_set_in_blocks_broken_off(answer: Apdu, error: type[Exception]) -> None:
    with pytest.raises(error):
        converse(set_attribute(small(), ENERGY, TEXT), answer)


def test_set_in_blocks_to_a_meter_without_them() -> None:
    association = small(EVERYTHING & ~Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE)
    with pytest.raises(RemoteProtocolError, match="block transfer with set"):
        next(set_attribute(association, ENERGY, TEXT))


def test_apdus_too_small_for_blocks() -> None:
    with pytest.raises(RemoteProtocolError, match="no room for blocks"):
        next(set_attribute(associated(EVERYTHING, 21), ENERGY, TEXT))


def test_an_unconfirmed_request_never_goes_in_blocks() -> None:
    association = small()
    request = next(set_attribute(association, ENERGY, TEXT, confirmed=False))
    assert isinstance(request, SetRequestNormal)
    with pytest.raises(LocalProtocolError, match="takes 40 at most"):
        association.encode(request)


# SET with lists


def values(count: int) -> dict[AttributeDescriptor, Data]:
    return {each: number(n) for n, each in enumerate(registers(count))}


def test_set_many() -> None:
    association, wanted = associated(), values(3)
    results, asked = converse(
        set_many(association, wanted), SetResponseWithList(FIRST, (OK, NO, OK))
    )
    first, second, third = wanted
    assert asked == [
        SetRequestWithList(
            FIRST,
            tuple(SelectedAttribute(each) for each in wanted),
            tuple(wanted.values()),
        )
    ]
    assert results[first] is results[third] is None
    error = results[second]
    assert isinstance(error, ServiceError)
    assert error.result is NO
    assert association.memory.refuses_write_lists is False


def test_set_many_in_blocks() -> None:
    wanted = dict.fromkeys(registers(2), number(7))
    results, asked = converse(
        set_many(associated(EVERYTHING, 34), wanted),
        SetResponseDatablock(FIRST, 1),
        SetResponseLastDatablockWithList(FIRST, (OK, OK), 2),
    )
    first, second = asked
    assert isinstance(first, SetRequestWithListAndFirstDatablock)
    assert [each.attribute for each in first.attributes] == list(wanted)
    assert isinstance(second, SetRequestWithDatablock)
    values_octets = b"".join(map(encode_data, wanted.values()))
    assert first.block.raw + second.block.raw == b"\x02" + values_octets
    assert list(results.values()) == [None, None]


@pytest.mark.parametrize(
    "answer",
    [BUSY, DENIED, SetResponseNormal(FIRST, NO), SetResponseWithList(FIRST, (OK,))],
    ids=lambda answer: type(answer).__name__,
)
def test_set_many_to_a_meter_that_refuses_lists(answer: Apdu) -> None:
    """It is asked one by one, then and ever after."""
    association = associated()
    third = InvokeIdAndPriority(0xC3)
    results, asked = converse(
        set_many(association, values(2)),
        answer,
        SetResponseNormal(SECOND, OK),
        SetResponseNormal(third, NO),
    )
    assert [type(request) for request in asked[1:]] == [SetRequestNormal] * 2
    accepted, denied = results.values()
    assert accepted is None
    assert isinstance(denied, ServiceError)
    assert association.memory.refuses_write_lists
    _, asked = converse(
        set_many(association, values(1) | values(2)),
        SetResponseNormal(InvokeIdAndPriority(4), OK),
        SetResponseNormal(InvokeIdAndPriority(5), OK),
    )
    assert [type(request) for request in asked] == [SetRequestNormal] * 2


def test_set_many_to_a_meter_without_lists() -> None:
    association = associated(EVERYTHING & ~Conformance.MULTIPLE_REFERENCES)
    _, asked = converse(set_many(association, values(1)), SetResponseNormal(FIRST, OK))
    assert isinstance(asked[0], SetRequestNormal)
    assert association.memory.refuses_write_lists is None


def test_a_list_answered_with_something_else() -> None:
    with pytest.raises(RemoteProtocolError, match="SetResponseDatablock"):
        converse(set_many(associated(), values(2)), SetResponseDatablock(FIRST, 1))


@pytest.mark.parametrize(
    "answer",
    [
        SetResponseWithList(SECOND, (OK, OK)),
        SetResponseLastDatablockWithList(SECOND, (OK, OK), 1),
        SetResponseNormal(SECOND, NO),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_a_list_answered_with_the_answer_to_another_request(answer: Apdu) -> None:
    with pytest.raises(RemoteProtocolError, match="answered request 2, not 1"):
        converse(set_many(associated(), values(2)), answer)


# ACTION


def test_invoke() -> None:
    returned, asked = converse(
        invoke(associated(), RELAY, ZERO), ActionResponseNormal(FIRST, DONE)
    )
    assert returned is None
    assert asked == [ActionRequestNormal(FIRST, RELAY, ZERO)]


def test_invoke_returns() -> None:
    outcome = ActionOutcome(ActionResult.SUCCESS, TEXT)
    returned, _ = converse(
        invoke(associated(), RELAY), ActionResponseNormal(FIRST, outcome)
    )
    assert returned == TEXT


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (
            ActionResponseNormal(FIRST, ActionOutcome(ActionResult.TYPE_UNMATCHED)),
            ActionResult.TYPE_UNMATCHED,
        ),
        (ActionResponseNormal(FIRST, ActionOutcome(ActionResult.SUCCESS, NO)), NO),
        (BUSY, BUSY.code),
        (DENIED, DENIED.code),
    ],
)
def test_invoke_refused(answer: Apdu, result: int) -> None:
    error = refused(invoke(associated(), RELAY), answer)
    assert error.result is result
    assert "70/0-0:96.3.10*255/m1" in str(error)


@pytest.mark.parametrize(
    "answer",
    [
        ActionResponseNormal(SECOND, DONE),
        ActionResponseWithList(FIRST, (DONE,)),
        ActionResponseNextPblock(FIRST, 1),
        SetResponseNormal(FIRST, OK),
    ],
)
def test_invoke_answered_out_of_turn(answer: Apdu) -> None:
    with pytest.raises(RemoteProtocolError):
        converse(invoke(associated(), RELAY), answer)


def test_invoke_unconfirmed_wants_no_answer() -> None:
    procedure = invoke(associated(), RELAY, confirmed=False)
    request = next(procedure)
    assert isinstance(request, ActionRequestNormal)
    assert not request.invoke.confirmed
    with pytest.raises(StopIteration) as done:
        procedure.send(None)
    assert done.value.value is None


@pytest.mark.parametrize("parameters", [TEXT, None])
def test_invoke_in_blocks(parameters: Data | None) -> None:
    association = associated(EVERYTHING, SMALL if parameters else 24)
    raw = encode_data(parameters or NULL)
    procedure = invoke(association, RELAY, parameters)
    request = next(procedure)
    if parameters is None:  # fits: there is nothing to be cut
        assert isinstance(request, ActionRequestNormal)
        return
    assert isinstance(request, ActionRequestWithFirstPblock)
    assert request.method == RELAY
    blocks = [request.block]
    while not blocks[-1].last:
        request = procedure.send(ActionResponseNextPblock(FIRST, blocks[-1].number))
        assert isinstance(request, ActionRequestWithPblock)
        assert len(request.encode()) <= SMALL
        blocks.append(request.block)
    with pytest.raises(StopIteration):
        procedure.send(ActionResponseNormal(FIRST, DONE))
    assert b"".join(block.raw for block in blocks) == raw
    assert [block.number for block in blocks] == [1, 2, 3]


def test_an_unconfirmed_call_never_goes_in_blocks() -> None:
    association = small()
    request = next(invoke(association, RELAY, TEXT, confirmed=False))
    assert isinstance(request, ActionRequestNormal)
    with pytest.raises(LocalProtocolError, match="takes 40 at most"):
        association.encode(request)


def test_invoke_in_blocks_at_a_meter_without_them() -> None:
    association = small(EVERYTHING & ~Conformance.BLOCK_TRANSFER_WITH_ACTION)
    with pytest.raises(RemoteProtocolError, match="block transfer with action"):
        next(invoke(association, RELAY, TEXT))


def in_blocks(octets: bytes, size: int = 20) -> list[ActionResponseWithPblock]:
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    return [
        ActionResponseWithPblock(FIRST, DataBlock(n == len(pieces), n, piece))
        for n, piece in enumerate(pieces, 1)
    ]


@pytest.mark.parametrize(
    "octets",
    [
        encode_data(TEXT),
        b"\x00" + encode_data(TEXT),
        encode_outcome(ActionOutcome(ActionResult.SUCCESS, TEXT)),
    ],
    ids=["the value alone", "with its choice", "with the result"],
)
def test_what_a_method_returns_in_blocks(octets: bytes) -> None:
    """The Green Book is not clear about what the blocks carry, and implementations differ."""
    answers = in_blocks(octets)
    returned, asked = converse(invoke(associated(), RELAY), *answers)
    assert returned == TEXT
    assert asked[1:] == [
        ActionRequestNextPblock(FIRST, n) for n in range(1, len(answers))
    ]


def test_a_refusal_in_a_block() -> None:
    outcome = ActionOutcome(ActionResult.HARDWARE_FAULT, NO)
    error = refused(invoke(associated(), RELAY), *in_blocks(encode_outcome(outcome)))
    assert error.result is ActionResult.HARDWARE_FAULT


def test_blocks_that_make_no_value() -> None:
    with pytest.raises(DecodeError, match="no value: ff 01"):
        converse(invoke(associated(), RELAY), *in_blocks(b"\xff\x01\x02\x03"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ActionResponseNormal(FIRST, ActionOutcome(ActionResult.LONG_ACTION_ABORTED)), ServiceError),
        (BUSY, ServiceError),
        (ActionResponseWithPblock(FIRST, DataBlock(True, 3, b"")), RemoteProtocolError),
        (ActionResponseWithPblock(SECOND, DataBlock(True, 2, b"")), RemoteProtocolError),
        (ActionResponseNormal(FIRST, DONE), RemoteProtocolError),
    ],
)  # fmt: skip
def test_blocks_broken_off(answer: Apdu, error: type[Exception]) -> None:
    first = in_blocks(encode_data(TEXT))[0]
    with pytest.raises(error):
        converse(invoke(associated(), RELAY), first, answer)


# ACTION with lists

CALLS: list[tuple[MethodDescriptor, Data | None]] = [(RELAY, ZERO), (CONNECT, None)]
DENIED_METHOD = ActionOutcome(ActionResult.READ_WRITE_DENIED)


def test_invoke_many() -> None:
    association = associated()
    outcomes = (ActionOutcome(ActionResult.SUCCESS, TEXT), DENIED_METHOD)
    returned, asked = converse(
        invoke_many(association, CALLS), ActionResponseWithList(FIRST, outcomes)
    )
    assert asked == [ActionRequestWithList(FIRST, (RELAY, CONNECT), (ZERO, NULL))]
    value, error = returned
    assert value == TEXT
    assert isinstance(error, ServiceError)
    assert error.result is ActionResult.READ_WRITE_DENIED
    assert association.memory.refuses_write_lists is False


def test_invoke_many_in_blocks_both_ways() -> None:
    calls = [(RELAY, TEXT), (CONNECT, ZERO)]
    outcomes = (DONE, ActionOutcome(ActionResult.SUCCESS, TEXT))
    procedure = invoke_many(small(), calls)
    request = next(procedure)
    assert isinstance(request, ActionRequestWithListAndFirstPblock)
    assert request.methods == (RELAY, CONNECT)
    blocks = [request.block]
    while not blocks[-1].last:
        request = procedure.send(ActionResponseNextPblock(FIRST, blocks[-1].number))
        assert isinstance(request, ActionRequestWithPblock)
        blocks.append(request.block)
    assert b"".join(block.raw for block in blocks) == (
        b"\x02" + encode_data(TEXT) + encode_data(ZERO)
    )
    answers = in_blocks(encode_outcomes(outcomes))
    for answer in answers[:-1]:
        request = procedure.send(answer)
        assert request == ActionRequestNextPblock(FIRST, answer.block.number)
    with pytest.raises(StopIteration) as done:
        procedure.send(answers[-1])
    assert done.value.value == (None, TEXT)


@pytest.mark.parametrize(
    "answer",
    [BUSY, DENIED, ActionResponseNormal(FIRST, DENIED_METHOD)],
    ids=lambda answer: type(answer).__name__,
)
def test_invoke_many_at_a_meter_that_refuses_lists(answer: Apdu) -> None:
    association = associated()
    returned, asked = converse(
        invoke_many(association, CALLS),
        answer,
        ActionResponseNormal(SECOND, DENIED_METHOD),
        ActionResponseNormal(InvokeIdAndPriority(0xC3), DONE),
    )
    assert [type(request) for request in asked[1:]] == [ActionRequestNormal] * 2
    error, nothing = returned
    assert isinstance(error, ServiceError)
    assert nothing is None
    assert association.memory.refuses_write_lists


def test_no_method_is_invoked_twice_because_an_answer_is_short() -> None:
    with pytest.raises(RemoteProtocolError, match="2 methods were invoked"):
        converse(
            invoke_many(associated(), CALLS), ActionResponseWithList(FIRST, (DONE,))
        )


def test_methods_answered_with_something_else() -> None:
    with pytest.raises(RemoteProtocolError, match="ActionResponseNextPblock"):
        converse(invoke_many(associated(), CALLS), ActionResponseNextPblock(FIRST, 1))


@pytest.mark.parametrize(
    "answer",
    [
        ActionResponseWithList(SECOND, (DONE, DONE)),
        ActionResponseWithPblock(SECOND, DataBlock(True, 1, encode_outcomes((DONE,)))),
        ActionResponseNormal(SECOND, DENIED_METHOD),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_methods_answered_with_the_answer_to_another_request(answer: Apdu) -> None:
    with pytest.raises(RemoteProtocolError, match="answered request 2, not 1"):
        converse(invoke_many(associated(), CALLS), answer)


# ACCESS

ITEMS = [
    AccessItem.get(ENERGY, LATEST),
    AccessItem.set(ENERGY, number(7)),
    AccessItem.action(RELAY, ZERO),
    AccessItem.action(CONNECT),
]
RESULTS = (
    AccessResult(AccessKind.GET, OK),
    AccessResult(AccessKind.SET, NO),
    AccessResult(AccessKind.ACTION, ActionResult.SUCCESS),
    AccessResult(AccessKind.ACTION, ActionResult.OTHER_REASON),
)
LONG_INVOKE = LongInvokeIdAndPriority(0xC0000001)


def access_response(
    invoke_id: int = 1,
    values: tuple[Data, ...] = (number(1), NULL, TEXT, NULL),
    results: tuple[AccessResult, ...] = RESULTS,
) -> AccessResponse:
    return AccessResponse(
        LongInvokeIdAndPriority(invoke_id), b"", None, values, results
    )


def test_access() -> None:
    outcomes, asked = converse(access(associated(), ITEMS), access_response())
    assert asked == [
        AccessRequest(
            LONG_INVOKE,
            b"",
            (
                AccessSpecification(AccessKind.GET, ENERGY, LATEST),
                AccessSpecification(AccessKind.SET, ENERGY),
                AccessSpecification(AccessKind.ACTION, RELAY),
                AccessSpecification(AccessKind.ACTION, CONNECT),
            ),
            (NULL, number(7), ZERO, NULL),
        )
    ]
    assert outcomes == (
        AccessOutcome(OK, number(1)),
        AccessOutcome(NO, NULL),
        AccessOutcome(ActionResult.SUCCESS, TEXT),
        AccessOutcome(ActionResult.OTHER_REASON, NULL),
    )


def test_access_that_ends_with_the_first_failure() -> None:
    request = next(access(associated(), ITEMS, break_on_error=True))
    assert isinstance(request, AccessRequest)
    assert request.invoke.break_on_error


def test_access_unconfirmed_wants_no_answer() -> None:
    procedure = access(associated(), ITEMS, confirmed=False)
    request = next(procedure)
    assert isinstance(request, AccessRequest)
    assert not request.invoke.confirmed
    with pytest.raises(StopIteration) as done:
        procedure.send(None)
    assert done.value.value == ()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (BUSY, ServiceError),
        (access_response(invoke_id=2), RemoteProtocolError),
        (access_response(values=(NULL,)), RemoteProtocolError),
        (access_response(results=RESULTS[:1]), RemoteProtocolError),
        (normal(number(7)), RemoteProtocolError),
    ],
)
def test_access_refused_or_garbled(answer: Apdu, error: type[Exception]) -> None:
    with pytest.raises(error):
        converse(access(associated(), ITEMS), answer)
