"""xDLMS-Initiate: options, and the old form of the conformance block."""

import pytest

from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import Conformance
from custom_components.dlms_meter.dlms.application.initiate import (
    SHORT_NAME_VAA,
    InitiateRequest,
    InitiateResponse,
)
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import check_codec

KEY = bytes(range(16))


@pytest.mark.parametrize(
    ("apdu", "octets"),
    [
        (InitiateRequest(conformance=Conformance.GET), "01 00 00 00 06 5f1f0400 000010 ffff"),
        (
            InitiateRequest(conformance=Conformance.GET, short_conformance_tag=True),
            "01 00 00 00 06 5f0400 000010 ffff",
        ),
        (
            InitiateRequest(
                conformance=Conformance.GET | Conformance.ACTION,
                max_receive_pdu_size=1024,
                dedicated_key=KEY,
                response_allowed=False,
                quality_of_service=3,
                dlms_version=5,
            ),
            f"01 01 10 {KEY.hex()} 01 00 01 03 05 5f1f0400 000011 0400",
        ),
        (
            InitiateResponse(conformance=Conformance.GET, max_receive_pdu_size=0),
            "08 00 06 5f1f0400 000010 0000 0007",
        ),
        (
            InitiateResponse(
                conformance=Conformance.READ,
                max_receive_pdu_size=0xFFFF,
                vaa_name=SHORT_NAME_VAA,
                quality_of_service=0,
                short_conformance_tag=True,
            ),
            "08 01 00 06 5f0400 100000 ffff fa00",
        ),
    ],
)  # fmt: skip
def test_codec(apdu: Apdu, octets: str) -> None:
    check_codec(apdu, bytes.fromhex(octets), decode_apdu, lambda value: value.encode())


def test_response_allowed_said_in_full() -> None:
    request = decode_apdu(bytes.fromhex("01 00 01 01 00 06 5f1f0400 000010 ffff"))
    assert request == InitiateRequest(conformance=Conformance.GET)


@pytest.mark.parametrize(
    "octets",
    [
        "01 02 00 00 06 5f1f0400 000010 ffff",
        "01 00 00 00 06 5e1f0400 000010 ffff",
        "01 00 00 00 06 5f1f0500 000010 ffff",
        "01 00 00 00 06 5f1f0401 000010 ffff",
        "08 02 06 5f1f0400 000010 0000 0007",
    ],
    ids=["optional", "tag", "length", "unused bits", "quality of service"],
)
def test_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_apdu(bytes.fromhex(octets))


def test_the_dedicated_key_is_not_shown() -> None:
    request = InitiateRequest(conformance=Conformance.GET, dedicated_key=KEY)
    assert KEY.hex() not in repr(request)
    assert repr(KEY) not in repr(request)
