"""What was asked and answered, out of the APDUs of a session. Whole sessions: tests/simulator/test_recording.py."""

import pytest

from custom_components.dlms_meter.dlms.application.action import (
    ActionOutcome,
    ActionRequestNormal,
    ActionResponseWithPblock,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.fields import (
    DataBlock,
    InvokeIdAndPriority,
)
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    encode_results,
)
from custom_components.dlms_meter.dlms.application.short_name import (
    DataBlockResult,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    VariableName,
)
from custom_components.dlms_meter.dlms.application.transcript import (
    Asked,
    Exchange,
    Service,
    ShortTarget,
    exchanges,
)
from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

INVOKE = InvokeIdAndPriority(0xC1)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
POWER = AttributeDescriptor(3, Obis.parse("1-0:1.7.0"), 2)
METHOD = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 1)
SECRET = Data(DataType.OCTET_STRING, b"top secret")
LONG = Data(DataType.OCTET_STRING, b"long " * 2000)
SEVEN = Data(DataType.UNSIGNED, 7)
NULL = Data(DataType.NULL_DATA, None)
READ_ENERGY = Asked(Service.READ, SelectedAttribute(ENERGY))
READ_POWER = Asked(Service.READ, SelectedAttribute(POWER))
BY_NAME = Asked(Service.READ, ShortTarget(0x7000))


def heard(*apdus: Apdu | bytes) -> list[Exchange]:
    """Return what was asked and answered; APDUs alternate, unless two answers follow each other."""
    answers = ("Response",)
    messages = []
    for apdu in apdus:
        is_sent = not isinstance(apdu, bytes) and not any(
            word in type(apdu).__name__ for word in answers
        )
        messages.append((is_sent, apdu if isinstance(apdu, bytes) else apdu.encode()))
    return list(exchanges(messages))


def block(last: bool, number: int, raw: bytes) -> GetResponseWithDatablock:
    return GetResponseWithDatablock(INVOKE, last, number, raw)


def test_long_values_and_long_lists() -> None:
    normal, listed = (
        heard(GetRequestNormal(INVOKE, ENERGY), GetResponseNormal(INVOKE, LONG)),
        heard(
            GetRequestWithList(INVOKE, (READ_ENERGY.target, READ_POWER.target)),  # type: ignore[arg-type]
            GetResponseWithList(INVOKE, (LONG, SEVEN)),
        ),
    )
    assert normal == [Exchange(READ_ENERGY, LONG, (1,))]
    assert listed == [
        Exchange(READ_ENERGY, LONG, (1,)),
        Exchange(READ_POWER, SEVEN, (1,)),
    ]
    by_name = heard(ReadRequest((VariableName(0x7000),)), ReadResponse((LONG,)))
    assert by_name == [Exchange(BY_NAME, LONG, (1,))]


def test_blocks_of_a_list_of_one() -> None:
    raw = encode_results((SEVEN,))
    [found] = heard(
        GetRequestWithList(INVOKE, (SelectedAttribute(ENERGY),)),
        block(False, 1, raw[:2]),
        GetRequestNext(INVOKE, 1),
        block(True, 2, raw[2:]),
    )
    assert found == Exchange(READ_ENERGY, SEVEN, (1, 3))


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (bytes.fromhex("01001107"), SEVEN),
        (bytes.fromhex("1107"), SEVEN),
        (bytes.fromhex("0100"), Data(DataType.ARRAY, ())),
    ],
    ids=["a list", "a value alone", "an empty array alone"],
)
def test_a_value_by_short_name_in_one_block(raw: bytes, answer: Data) -> None:
    request = ReadRequest((VariableName(0x7000),))
    response = ReadResponse((DataBlockResult(True, 1, raw),))
    assert heard(request, response) == [Exchange(BY_NAME, answer, (1,))]


def test_a_part_of_what_has_a_short_name() -> None:
    access = SelectiveAccess(1, SEVEN)
    request = ReadRequest((ParameterizedAccess(0x7000, access),))
    [found] = heard(request, ReadResponse((SEVEN,)))
    assert found.asked == Asked(Service.READ, ShortTarget(0x7000, access))


def test_a_transfer_that_the_meter_ends() -> None:
    error = DataAccessResult.LONG_GET_ABORTED
    [found] = heard(
        GetRequestNormal(INVOKE, ENERGY),
        block(False, 1, b"\x09"),
        GetRequestNext(INVOKE, 1),
        GetResponseWithDatablock(INVOKE, True, 2, error),
    )
    assert found == Exchange(READ_ENERGY, error, (1, 3))


def test_what_makes_no_sense_is_left_out() -> None:
    request, response = (
        GetRequestNormal(INVOKE, ENERGY),
        GetResponseNormal(INVOKE, SEVEN),
    )
    assert heard(response, request, b"\xff", response) == [
        Exchange(READ_ENERGY, SEVEN, (3,))
    ]
    assert not heard(block(True, 1, encode_data(SEVEN)))
    assert not heard(request, block(True, 1, b"\x12\x00"))


def test_pieces_of_a_request_that_were_emptied() -> None:
    """The next request is heard all the same."""
    pieces = [
        ReadRequest((ReadDataBlockAccess(False, 1, bytes(5)),)),
        ReadRequest((ReadDataBlockAccess(True, 2, bytes(5)),)),
    ]
    again = [
        ReadRequest((ReadDataBlockAccess(False, 1, b"\x01\x02"),)),
        ReadRequest((ReadDataBlockAccess(True, 2, b"\x70\x00"),)),
    ]
    assert heard(*pieces, *again, ReadResponse((SEVEN,))) == [
        Exchange(BY_NAME, SEVEN, (4,))
    ]


def test_what_a_method_returned_in_blocks() -> None:
    raw = encode_data(SECRET)
    [found] = heard(
        ActionRequestNormal(INVOKE, METHOD),
        ActionResponseWithPblock(INVOKE, DataBlock(True, 1, raw)),
    )
    assert found.asked == Asked(Service.INVOKE, METHOD)
    assert found.answer == ActionOutcome(ActionResult.SUCCESS, SECRET)
