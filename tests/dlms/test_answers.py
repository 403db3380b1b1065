"""Which answers are taken over UDP, and which came for an earlier request."""

import pytest

from custom_components.dlms_meter.dlms.answers import belongs, is_stale
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
SEVEN = GetResponseNormal(ONE, Data(DataType.UNSIGNED, 7))
NEXT = GetRequestNext(ONE, 4)


def block(number: int, result: bytes | DataAccessResult = b"") -> Apdu:
    return GetResponseWithDatablock(ONE, False, number, result)


@pytest.mark.parametrize(
    ("request_", "answer", "expected"),
    [
        (GET, SEVEN, True),
        (GetRequestNormal(TWO, ATTRIBUTE), SEVEN, False),
        (GET, AARE, True),
        (AARQ, AARE, True),
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
