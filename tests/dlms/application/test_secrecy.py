"""Which requests carry passwords and keys, by where they go, and what is left without them."""

import pytest

from custom_components.dlms_meter.dlms.application.access import (
    AccessKind,
    AccessRequest,
    AccessSpecification,
)
from custom_components.dlms_meter.dlms.application.acse import Aarq
from custom_components.dlms_meter.dlms.application.action import (
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    Mechanism,
)
from custom_components.dlms_meter.dlms.application.fields import (
    DataBlock,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
)
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
)
from custom_components.dlms_meter.dlms.application.secrecy import (
    asks_for_secret,
    may_carry_secret,
    without_values,
)
from custom_components.dlms_meter.dlms.application.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
)
from custom_components.dlms_meter.dlms.application.short_name import (
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    UnconfirmedWriteRequest,
    VariableName,
    WriteDataBlockAccess,
    WriteRequest,
)
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError

INVOKE = InvokeIdAndPriority(0xC1)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
METHOD = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 1)
SECRET = Data(DataType.OCTET_STRING, b"top secret")
SEVEN = Data(DataType.UNSIGNED, 7)
NULL = Data(DataType.NULL_DATA, None)


FIRST = DataBlock(False, 1, b"top secret")
WRITING: list[Apdu] = [
    SetRequestNormal(INVOKE, ENERGY, None, SECRET),
    SetRequestWithList(INVOKE, (SelectedAttribute(ENERGY),), (SECRET,)),
    SetRequestWithFirstDatablock(INVOKE, ENERGY, None, FIRST),
    SetRequestWithListAndFirstDatablock(INVOKE, (SelectedAttribute(ENERGY),), FIRST),
    SetRequestWithDatablock(INVOKE, FIRST),
    ActionRequestNormal(INVOKE, METHOD, SECRET),
    ActionRequestWithList(INVOKE, (METHOD,), (SECRET,)),
    ActionRequestWithFirstPblock(INVOKE, METHOD, FIRST),
    ActionRequestWithListAndFirstPblock(INVOKE, (METHOD,), FIRST),
    ActionRequestWithPblock(INVOKE, FIRST),
    AccessRequest(
        LongInvokeIdAndPriority(0x40000001),
        b"",
        (AccessSpecification(AccessKind.SET, ENERGY),),
        (SECRET,),
    ),
    WriteRequest((VariableName(0x7000),), (SECRET,)),
    WriteRequest((WriteDataBlockAccess(False, 1),), (SECRET,)),
    UnconfirmedWriteRequest((VariableName(0x7000),), (SECRET,)),
    ReadRequest((ParameterizedAccess(0x7000, SelectiveAccess(0, SECRET)),)),
    ReadRequest((ReadDataBlockAccess(False, 1, b"top secret"),)),
]


@pytest.mark.parametrize("request_", WRITING, ids=lambda apdu: type(apdu).__name__)
def test_what_is_written_is_taken_out(request_: Apdu) -> None:
    octets = request_.encode()
    assert b"top secret" in octets
    emptied = without_values(octets)
    assert b"top secret" not in emptied
    assert emptied[:3] == octets[:3]
    assert without_values(emptied) == emptied


READING: list[Apdu] = [
    GetRequestNormal(INVOKE, ENERGY, SelectiveAccess(1, SECRET)),
    ActionRequestNormal(INVOKE, METHOD),
    ReadRequest((VariableName(0x7000),)),
    ReadRequest((ParameterizedAccess(0x7000, SelectiveAccess(1, SECRET)),)),
]


@pytest.mark.parametrize("request_", READING, ids=lambda apdu: type(apdu).__name__)
def test_what_is_asked_for_stays(request_: Apdu) -> None:
    assert without_values(request_.encode()) == request_.encode()


ASSOCIATION = Obis.parse("0-0:40.0.0")
OF_ASSOCIATION = AttributeDescriptor(15, ASSOCIATION, 7)
SECURITY = Obis.parse("0-0:43.0.0")
TRANSFER_OF_KEYS = MethodDescriptor(64, SECURITY, 2)
KEY_OF_SUB_METER = MethodDescriptor(72, Obis.parse("0-1:24.1.0"), 7)
LONG_INVOKE = LongInvokeIdAndPriority(0x40000001)
SECRETIVE: list[Apdu] = [
    Aarq(
        application_context=ApplicationContext.LOGICAL_NAME,
        mechanism=Mechanism.LLS,
        authentication_value=b"top secret",
    ),
    SetRequestNormal(INVOKE, OF_ASSOCIATION, None, SECRET),
    SetRequestWithList(
        INVOKE,
        (SelectedAttribute(ENERGY), SelectedAttribute(OF_ASSOCIATION)),
        (SEVEN, SECRET),
    ),
    ActionRequestNormal(INVOKE, MethodDescriptor(15, ASSOCIATION, 2), SECRET),
    ActionRequestNormal(INVOKE, KEY_OF_SUB_METER, SECRET),
    ActionRequestWithFirstPblock(
        INVOKE, TRANSFER_OF_KEYS, DataBlock(False, 1, b"top secret")
    ),
    ActionRequestWithPblock(INVOKE, DataBlock(True, 2, b"top secret")),  # of what?
    SetRequestWithDatablock(INVOKE, DataBlock(True, 2, b"top secret")),
    AccessRequest(
        LONG_INVOKE,
        b"",
        (AccessSpecification(AccessKind.SET, OF_ASSOCIATION),),
        (SECRET,),
    ),
    AccessRequest(
        LONG_INVOKE,
        b"",
        (AccessSpecification(AccessKind.ACTION, TRANSFER_OF_KEYS),),
        (SECRET,),
    ),
    WriteRequest((VariableName(0xFA28),), (SECRET,)),
    WriteRequest((VariableName(0x7028),), (SECRET,)),  # whose?
    UnconfirmedWriteRequest((VariableName(0xFA28),), (SECRET,)),
    ReadRequest((ParameterizedAccess(0xFA40, SelectiveAccess(0, SECRET)),)),
    ReadRequest((ReadDataBlockAccess(True, 2, b"top secret"),)),
]


@pytest.mark.parametrize("request_", SECRETIVE, ids=lambda apdu: type(apdu).__name__)
def test_passwords_and_keys_are_known_by_where_they_go(request_: Apdu) -> None:
    assert may_carry_secret(request_)
    assert not asks_for_secret(request_)


ASKING: list[Apdu] = [
    GetRequestNormal(INVOKE, OF_ASSOCIATION),
    GetRequestNormal(INVOKE, OF_ASSOCIATION._replace(attribute_id=0)),
    GetRequestWithList(
        INVOKE, (SelectedAttribute(ENERGY), SelectedAttribute(OF_ASSOCIATION))
    ),
    AccessRequest(
        LONG_INVOKE,
        b"",
        (AccessSpecification(AccessKind.GET, OF_ASSOCIATION),),
        (NULL,),
    ),
]


@pytest.mark.parametrize("request_", ASKING, ids=lambda apdu: type(apdu).__name__)
def test_answers_with_a_password_are_known_by_what_was_asked(request_: Apdu) -> None:
    assert may_carry_secret(request_)
    assert asks_for_secret(request_)


HARMLESS: list[Apdu] = [
    Aarq(application_context=ApplicationContext.LOGICAL_NAME),
    GetRequestNormal(INVOKE, OF_ASSOCIATION._replace(attribute_id=2)),
    GetRequestNormal(INVOKE, ENERGY._replace(attribute_id=0)),
    GetRequestNext(INVOKE, 1),
    SetRequestNormal(INVOKE, ENERGY, None, SEVEN),
    ActionRequestNormal(INVOKE, METHOD, SEVEN),
    ReadRequest((VariableName(0xFA08),)),
    ReadRequest((ParameterizedAccess(0x7000, SelectiveAccess(1, SEVEN)),)),
]


@pytest.mark.parametrize("request_", HARMLESS, ids=lambda apdu: type(apdu).__name__)
def test_other_requests_carry_no_secret(request_: Apdu) -> None:
    assert not may_carry_secret(request_)
    assert not asks_for_secret(request_)


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(DecodeError):
        without_values(b"\xff")
