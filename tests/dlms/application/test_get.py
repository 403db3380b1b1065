"""GET beyond the vectors: every choice, and what meters leave out."""

from contextlib import suppress

import pytest

from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    decode_number,
)
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import FIXED
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import Vector, check_codec, damaged, each, vectors

INVOKE = InvokeIdAndPriority(0xC1)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
PROFILE = AttributeDescriptor(7, Obis.parse("1-0:99.1.0*255"), 2)
FIRST = SelectiveAccess(2, Data(DataType.UNSIGNED, 1))
SEVEN = Data(DataType.UNSIGNED, 7)


@pytest.mark.parametrize(
    ("apdu", "octets"),
    [
        (GetRequestNormal(INVOKE, ENERGY), "c001c1 0003 0100010800ff 02 00"),
        (GetRequestNormal(INVOKE, PROFILE, FIRST), "c001c1 0007 0100630100ff 02 01 02 1101"),
        (GetRequestNext(INVOKE, 0x01020304), "c002c1 01020304"),
        (GetRequestWithList(INVOKE, ()), "c003c1 00"),
        (
            GetRequestWithList(INVOKE, (SelectedAttribute(ENERGY), SelectedAttribute(PROFILE, FIRST))),
            "c003c1 02 0003 0100010800ff 02 00 0007 0100630100ff 02 01 02 1101",
        ),
        (GetResponseWithDatablock(INVOKE, False, 1, b""), "c402c1 00 00000001 00 00"),
        (GetResponseWithDatablock(INVOKE, True, 2, b"\x11\x07"), "c402c1 01 00000002 00 02 1107"),
        (
            GetResponseWithDatablock(INVOKE, True, 2, DataAccessResult.LONG_GET_ABORTED),
            "c402c1 01 00000002 01 0f",
        ),
        (GetResponseWithList(INVOKE, ()), "c403c1 00"),
        (
            GetResponseWithList(INVOKE, (SEVEN, DataAccessResult.HARDWARE_FAULT, SEVEN)),
            "c403c1 03 00 1107 01 01 00 1107",
        ),
    ],
)  # fmt: skip
def test_codec(apdu: Apdu, octets: str) -> None:
    check_codec(apdu, bytes.fromhex(octets), decode_apdu, lambda value: value.encode())


@pytest.mark.parametrize(
    ("apdu", "octets"),
    [
        (GetResponseNormal(INVOKE, SEVEN), "c401c1 00 1107"),
        (GetResponseNormal(INVOKE, DataAccessResult.OBJECT_UNDEFINED), "c401c1 01 04"),
    ],
)
def test_normal_response(apdu: GetResponseNormal, octets: str) -> None:
    assert decode_apdu(bytes.fromhex(octets)) == apdu
    assert apdu.encode() == bytes.fromhex(octets)


def test_a_clock_that_sends_its_time_twice() -> None:
    time = bytes.fromhex("090c07ea04040604042b00fe9801")
    response = decode_apdu(bytes.fromhex("c401c100") + time + b"\x00\x00" + time)
    assert response == GetResponseNormal(INVOKE, Data(DataType.OCTET_STRING, time[2:]))


def test_an_answer_without_any_result() -> None:
    response = decode_apdu(bytes.fromhex("c401c1"))
    assert response == GetResponseNormal(INVOKE, DataAccessResult.OTHER_REASON)


def test_a_result_with_a_number_nobody_knows() -> None:
    response = decode_apdu(bytes.fromhex("c401c1 01 4d"))
    assert isinstance(response, GetResponseNormal)
    assert isinstance(response.result, DataAccessResult)
    assert response.result == 77


def test_errors_in_a_list_without_their_choice() -> None:
    response = decode_apdu(bytes.fromhex("c403c1 04 00 1107 04 fa 00 1107"))
    undefined, other = DataAccessResult.OBJECT_UNDEFINED, DataAccessResult.OTHER_REASON
    assert response == GetResponseWithList(INVOKE, (SEVEN, undefined, other, SEVEN))


def test_block_with_a_length_longer_than_needed() -> None:
    # As in the captures: 82 00 88 for 136 octets.
    block = decode_apdu(bytes.fromhex("c402c1 01 00000001 00 820002 1107"))
    assert block == GetResponseWithDatablock(INVOKE, True, 1, b"\x11\x07")


@pytest.mark.parametrize(
    "octets",
    [
        "c401c1 02 1107",
        "c402c1 01 00000001 02 1107",
        "c403c1 01 00 77",
        "c403c1 05 00 00 00 00",
        "c003c1 02 0003 0100010800ff 02 00",
        "c003c1 84ffffffff 0003 0100010800ff 02 00",
        "c403c1 84ffffffff 00 00",
    ],
    ids=[
        "normal: no choice",
        "block: no choice",
        "list: no data",
        "list: fewer than announced",
        "request: fewer than announced",
        "request: a list beyond all bounds",
        "response: a list beyond all bounds",
    ],
)
def test_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_apdu(bytes.fromhex(octets))


@each(vectors("axdr", "axdr-data"))
def test_numbers_are_decoded_as_all_others_are(vector: Vector) -> None:
    """The quick way knows its limits, and finds the same; compared in words, since NaN equals nothing."""
    whole = b"\xc4\x01\xc1\x00" + vector.octets
    assert (decode_number(whole) is not None) is (whole[4] in FIXED)
    for octets in (whole, *damaged(whole, seed=1, count=200)):
        with suppress(DecodeError):
            found = decode_number(octets)
            if found is not None:
                assert repr(found) == repr(GetResponseNormal.decode(Reader(octets)))
