"""SET, ACTION, ACCESS, Read, Write and notifications beyond the vectors: every choice, and what meters do to them."""

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
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseWithList,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.fields import (
    DataBlock,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
)
from custom_components.dlms_meter.dlms.application.notification import (
    DataNotification,
    EventNotification,
    InformationReport,
)
from custom_components.dlms_meter.dlms.application.set import (
    SetRequestNormal,
    SetRequestWithListAndFirstDatablock,
)
from custom_components.dlms_meter.dlms.application.short_name import (
    BlockArrived,
    DataBlockResult,
    ParameterizedAccess,
    ReadResponse,
    VariableName,
    WriteRequest,
    WriteResponse,
)
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import check_codec, check_damage

INVOKE = InvokeIdAndPriority(0xC1)
LONG_INVOKE = LongInvokeIdAndPriority(0x40000007)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
PROFILE = AttributeDescriptor(7, Obis.parse("1-0:99.1.0*255"), 2)
RESET = MethodDescriptor(3, Obis.parse("1-0:1.8.0*255"), 1)
LATEST = SelectiveAccess(2, Data(DataType.UNSIGNED, 1))
SEVEN = Data(DataType.UNSIGNED, 7)
NULL = Data(DataType.NULL_DATA, None)
TIME = bytes.fromhex("07ea0b16ff0c0000ff800000")
DENIED = DataAccessResult.READ_WRITE_DENIED

APDUS: list[tuple[Apdu, str]] = [
    (SetRequestNormal(INVOKE, PROFILE, LATEST, SEVEN), "c101c1 0007 0100630100ff 02 01 02 1101 1107"),
    (
        SetRequestWithListAndFirstDatablock(
            INVOKE, (SelectedAttribute(ENERGY), SelectedAttribute(PROFILE, LATEST)), DataBlock(False, 1, b"\x02\x11")
        ),
        "c105c1 02 0003 0100010800ff 02 00 0007 0100630100ff 02 01 02 1101 00 00000001 02 0211",
    ),
    (ActionRequestWithPblock(INVOKE, DataBlock(True, 2, b"\x07")), "c306c1 01 00000002 01 07"),
    (
        ActionResponseWithList(
            INVOKE,
            (
                ActionOutcome(ActionResult.SUCCESS, SEVEN),
                ActionOutcome(ActionResult.SUCCESS, DENIED),
                ActionOutcome(ActionResult.TYPE_UNMATCHED),
            ),
        ),
        "c703c1 03 00 01 00 1107 00 01 01 03 0c 00",
    ),
    (ActionResponseNextPblock(INVOKE, 1), "c704c1 00000001"),
    (
        AccessRequest(
            LONG_INVOKE,
            TIME,
            (
                AccessSpecification(AccessKind.GET, PROFILE, LATEST),
                AccessSpecification(AccessKind.SET, ENERGY),
                AccessSpecification(AccessKind.SET, PROFILE, LATEST),
                AccessSpecification(AccessKind.ACTION, RESET),
            ),
            (NULL, SEVEN, SEVEN, NULL),
        ),
        "d9 40000007 0c 07ea0b16ff0c0000ff800000"
        "04 04 0007 0100630100ff 02 02 1101 02 0003 0100010800ff 02 05 0007 0100630100ff 02 02 1101 03 0003 0100010800ff 01"
        "04 00 1107 1107 00",
    ),
    (
        AccessResponse(
            LONG_INVOKE,
            b"",
            None,
            (SEVEN, NULL, NULL),
            (
                AccessResult(AccessKind.GET, DataAccessResult.SUCCESS),
                AccessResult(AccessKind.SET, DENIED),
                AccessResult(AccessKind.ACTION, ActionResult.LONG_ACTION_ABORTED),
            ),
        ),
        "da 40000007 00 00 03 1107 00 00 03 01 00 02 03 03 0f",
    ),
    (
        AccessResponse(
            LONG_INVOKE,
            b"",
            (AccessSpecification(AccessKind.ACTION, RESET),),
            (NULL,),
            (AccessResult(AccessKind.ACTION, ActionResult.SUCCESS),),
        ),
        "da 40000007 00 01 01 03 0003 0100010800ff 01 01 00 01 03 00",
    ),
    (
        ReadResponse((SEVEN, DENIED, DataBlockResult(True, 2, b"\x07"), BlockArrived(3))),
        "0c 04 00 1107 01 03 02 01 0002 01 07 03 0003",
    ),
    (
        WriteRequest((VariableName(0xFA08), ParameterizedAccess(0x1508, LATEST)), (SEVEN, NULL)),
        "06 02 02 fa08 04 1508 02 1101 02 1107 00",
    ),
    (
        WriteResponse((DataAccessResult.SUCCESS, DENIED, BlockArrived(3))),
        "0d 03 00 01 03 02 0003",
    ),
    (EventNotification(TIME, ENERGY, SEVEN), "c2 01 0c 07ea0b16ff0c0000ff800000 0003 0100010800ff 02 1107"),
    (InformationReport(TIME, (VariableName(0x1508),), (SEVEN,)), "18 01 0c 07ea0b16ff0c0000ff800000 01 02 1508 01 1107"),
    (DataNotification(LONG_INVOKE, b"", SEVEN), "0f 40000007 00 1107"),
]  # fmt: skip


@pytest.mark.parametrize(("apdu", "octets"), APDUS)
def test_codec(apdu: Apdu, octets: str) -> None:
    encoded = bytes.fromhex(octets)
    check_codec(apdu, encoded, decode_apdu, lambda value: value.encode())
    check_damage(encoded, decode_apdu)


def test_read_and_write_answered_at_once() -> None:
    """A meter with short names answers reply_to_HLS_authentication by a ReadResponse and a WriteResponse in one APDU."""
    both = bytes.fromhex("0c 01 00 1107 0d 01 00")
    assert decode_apdu(both) == ReadResponse((SEVEN,))
    for length in range(len(both)):
        if both[:length] != ReadResponse((SEVEN,)).encode():
            with pytest.raises(DecodeError):
                decode_apdu(both[:length])
    with pytest.raises(DecodeError):
        decode_apdu(both + b"\x0d")


def test_date_time_with_a_tag() -> None:
    """Kaifa meters push so."""
    pushed = bytes.fromhex("0f 40000000 09 0c 07ea0b16ff0c0000ff800000 1107")
    notification = DataNotification(LongInvokeIdAndPriority(1 << 30), TIME, SEVEN)
    assert decode_apdu(pushed) == notification


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("05 01 01 fa08", "variable access specification 01"),
        ("05 7f 02 fa08", "a list of 127"),
        ("0c 01 04 1107", "result 04"),
        ("0d 01 03 0001", "result 03"),
        ("d9 40000007 00 01 06 0003 0100010800ff 01 01 00", "access specification 06"),
        ("d9 40000007 00 01 00 0003 0100010800ff 01 01 00", "access specification 00"),
        ("da 40000007 00 00 01 00 01 04 00", "access response specification 04"),
        ("da 40000007 00 02 01 00 01 01 00", "access request specification"),
        ("c701c1 00 02", "return parameters"),
        ("c101c1 0003 0100010800ff 02 02 1107", "access selection"),
    ],
)
def test_refused(octets: str, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_apdu(bytes.fromhex(octets))
