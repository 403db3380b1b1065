"""Which answers are taken over UDP, and which came for an earlier request."""

import pytest

from custom_components.dlms_meter.dlms.answers import LateAnswers, belongs, is_stale
from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    DataAccessResult,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetResponseNormal,
    GetResponseWithDatablock,
)
from custom_components.dlms_meter.dlms.application.short_name import (
    ReadRequest,
    ReadResponse,
    VariableName,
    WriteRequest,
    WriteResponse,
)
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from custom_components.dlms_meter.dlms.cosem.obis import Obis

ONE, TWO = InvokeIdAndPriority(0xC1), InvokeIdAndPriority(0xC2)
ATTRIBUTE = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
AARQ = Aarq(application_context=ApplicationContext.LOGICAL_NAME)
AARE = Aare(
    application_context=ApplicationContext.LOGICAL_NAME,
    result=AssociationResult.ACCEPTED,
    diagnostic=UserDiagnostic.NULL,
)
GET = GetRequestNormal(ONE, ATTRIBUTE)
VALUE = Data(DataType.UNSIGNED, 7)
SEVEN = GetResponseNormal(ONE, VALUE)
NEXT = GetRequestNext(ONE, 4)
READ = ReadRequest((VariableName(0xFA00),))
WRITE = WriteRequest((VariableName(0xFA08),), (VALUE,))
LONGEST_DELAY = 20.0


def block(number: int, result: bytes | DataAccessResult = b"") -> Apdu:
    return GetResponseWithDatablock(ONE, False, number, result)


@pytest.mark.parametrize(
    ("request_", "answer", "expected"),
    [
        (GET, SEVEN, True),
        (GetRequestNormal(TWO, ATTRIBUTE), SEVEN, False),
        (GET, AARE, True),
        (AARQ, AARE, True),
        (READ, ReadResponse((VALUE,)), True),
        (READ, WriteResponse((DataAccessResult.SUCCESS,)), False),
        (WRITE, WriteResponse((DataAccessResult.SUCCESS,)), True),
        (WRITE, ReadResponse((VALUE,)), False),
        (READ, AARE, True),
    ],
)
def test_invoke_ids(request_: Apdu, answer: Apdu, expected: bool) -> None:
    assert belongs(request_, answer) is expected


@pytest.mark.parametrize(
    ("request_", "answer", "expected"),
    [
        (AARQ, AARE, False),
        (GET, AARE, True),
        (GET, SEVEN, False),
        (GET, block(1), False),
        (NEXT, block(5), False),
        (NEXT, block(4), True),
        (NEXT, block(1), True),
        (NEXT, block(0, DataAccessResult.LONG_GET_ABORTED), False),
    ],
)
def test_stale(request_: Apdu, answer: Apdu, expected: bool) -> None:
    assert is_stale(request_, answer, ()) is expected


def test_the_same_answer_once_more_is_stale() -> None:
    assert is_stale(GET, SEVEN, [block(1), SEVEN])


def test_invoke_ids_rest_once_late_answers_are_expected() -> None:
    late = LateAnswers(LONGEST_DELAY)
    other = GetRequestNormal(TWO, ATTRIBUTE)
    late.ask(AARQ, 0)
    late.ask(GET, 1)
    late.ask(other, 2)
    assert late.pause(GET, 3) == 0
    late.expect()
    assert late.pause(GET, 3) == 18
    assert late.pause(other, 3) == 0, "it is the present one"
    assert late.pause(GetRequestNormal(InvokeIdAndPriority(0xC3), ATTRIBUTE), 3) == 0
    assert late.pause(READ, 3) == 0
    assert late.pause(GET, 21) == 0
    assert late.pause(GET, 60) == 0


def test_an_answer_equal_to_an_earlier_one_is_doubted_once() -> None:
    late = LateAnswers(LONGEST_DELAY)
    octets = SEVEN.encode()
    assert not late.is_doubtful(GET, octets, 0)
    late.take(GET, SEVEN, octets, 0)
    assert not late.is_doubtful(NEXT, octets, 1), "it cannot be asked for once more"
    assert not late.is_doubtful(GET, SEVEN._replace(invoke=TWO).encode(), 1)
    assert late.is_doubtful(GET, octets, 1)
    assert not late.is_doubtful(GET, octets, 1)


def test_what_was_doubted_long_ago_is_doubted_again() -> None:
    """And not remembered as long as the session lasts."""
    late = LateAnswers(LONGEST_DELAY)
    octets = SEVEN.encode()
    for now in (0, LONGEST_DELAY + 1):
        late.take(GET, SEVEN, octets, now)
        assert late.is_doubtful(GET, octets, now + 1)
        assert not late.is_doubtful(GET, octets, now + 2)


def test_an_answer_equal_to_one_long_ago_is_not_doubted() -> None:
    late = LateAnswers(LONGEST_DELAY)
    octets = SEVEN.encode()
    late.take(GET, SEVEN, octets, 0)
    late.take(NEXT, block(5), block(5).encode(), 15)
    assert not late.is_doubtful(GET, octets, LONGEST_DELAY + 1)


def test_within_one_transfer_the_same_answer_is_late() -> None:
    late = LateAnswers(LONGEST_DELAY)
    late.ask(GET, 0)
    late.take(GET, SEVEN, SEVEN.encode(), 0)
    assert late.is_late(GET, SEVEN)
    late.ask(GetRequestNormal(TWO, ATTRIBUTE), 1)
    late.ask(GET, 2)
    assert not late.is_late(GET, SEVEN), "the meter may say it again"
