"""AARQ, AARE, RLRQ, RLRE beyond the vectors: options, secrets, and what meters make of them."""

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    Mechanism,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import check_codec

LN = "a109 0607 60857405080101"
REFUSED = "a203 0201 01"
WRONG_PASSWORD = "a305 a103 0201 0d"
INITIATE = bytes.fromhex("01000000065f1f0400001e1dffff")
TITLE = bytes.fromhex("4d4d4d0000bc614e")


@pytest.mark.parametrize(
    ("apdu", "octets"),
    [
        (
            Aarq(
                application_context=ApplicationContext.LOGICAL_NAME_CIPHERED,
                calling_ap_title=TITLE,
                mechanism=Mechanism.HLS_GMAC,
                authentication_value=b"K56iVagY",
                user_information=INITIATE,
            ),
            "6042 a1090607 60857405080103 a60a0408 4d4d4d0000bc614e 8a020780 8b07 60857405080205"
            "ac0a8008 4b35366956616759 be10040e 01000000065f1f0400001e1dffff",
        ),
        (
            Aarq(application_context=ApplicationContext.SHORT_NAME),
            "600b a1090607 60857405080102",
        ),
        (
            Aarq(
                application_context=ApplicationContext.LOGICAL_NAME,
                mechanism=Mechanism.LLS,
                authentication_value=b"",
            ),
            "601c a1090607 60857405080101 8a020780 8b07 60857405080201 ac028000",
        ),
        (
            Aare(
                application_context=ApplicationContext.LOGICAL_NAME_CIPHERED,
                result=AssociationResult.ACCEPTED,
                diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED,
                responding_ap_title=TITLE,
                mechanism=Mechanism.HLS_GMAC,
                authentication_value=b"(G3cnP~s",
            ),
            "613c a1090607 60857405080103 a203020100 a305a10302010e a40a0408 4d4d4d0000bc614e"
            "88020780 8907 60857405080205 aa0a8008 284733636e507e73",
        ),
        (
            Aare(
                application_context=ApplicationContext.LOGICAL_NAME,
                result=AssociationResult.ACCEPTED,
                diagnostic=ProviderDiagnostic.NULL,
            ),
            "6117 a1090607 60857405080101 a203020100 a305a203020100",
        ),
        (Rlrq(), "6203 800100"),
        (Rlrq(reason=ReleaseRequestReason.URGENT), "6203 800101"),
        (Rlrq(reason=None, user_information=INITIATE), "6212 be10040e 01000000065f1f0400001e1dffff"),
    ],
)  # fmt: skip
def test_codec(apdu: Apdu, octets: str) -> None:
    check_codec(apdu, bytes.fromhex(octets), decode_apdu, lambda value: value.encode())


def test_secrets_are_not_shown() -> None:
    aarq = Aarq(
        application_context=ApplicationContext.LOGICAL_NAME,
        mechanism=Mechanism.LLS,
        authentication_value=b"open sesame",
        user_information=b"with a dedicated key",
    )
    assert "sesame" not in repr(aarq)
    assert "dedicated" not in repr(aarq)


def test_fields_that_say_nothing_to_dlms_are_passed_over() -> None:
    # Landis+Gyr meters send the protocol version first, and accept it.
    octets = bytes.fromhex(
        f"6126 80020780 {LN} {REFUSED} {WRONG_PASSWORD} a203020100 be0604040e010601"
    )
    aare = decode_apdu(octets)
    assert isinstance(aare, Aare)
    assert (
        aare.result is AssociationResult.REJECTED_PERMANENT
    )  # of two results, the first
    assert aare.diagnostic is UserDiagnostic.AUTHENTICATION_FAILURE


@pytest.mark.parametrize("name", ["60857505080101", "608574050801 8200", "2a"])
def test_a_context_name_of_someone_else(name: str) -> None:
    contents = bytes.fromhex(name)
    field = bytes((0xA1, len(contents) + 2, 0x06, len(contents))) + contents
    aarq = decode_apdu(bytes((0x60, len(field))) + field)
    assert aarq == Aarq(application_context=ApplicationContext.OTHER)


def test_a_mechanism_name_of_someone_else() -> None:
    aarq = decode_apdu(bytes.fromhex(f"6014 {LN} 8b07 60857405080301"))
    assert aarq == Aarq(
        application_context=ApplicationContext.LOGICAL_NAME, mechanism=Mechanism.OTHER
    )


@pytest.mark.parametrize(
    "octets",
    [
        f"61 17 {LN} {REFUSED} {WRONG_PASSWORD}",
        f"61 82 00 17 {LN} {REFUSED} {WRONG_PASSWORD}",
        f"61 29 {LN} {REFUSED} {WRONG_PASSWORD}",
        f"61 05 {LN} {REFUSED} {WRONG_PASSWORD}",
        f"61 00 {LN} {REFUSED} {WRONG_PASSWORD}",
        f"61 17 {LN} {REFUSED} {WRONG_PASSWORD} ff ff ff",
        f"61 00 {LN} a203 0201 02 e6e700 61 17 {LN} {REFUSED} {WRONG_PASSWORD}",
        f"61 00 e6e700 61 17 {LN} {REFUSED} {WRONG_PASSWORD}",
        f"61 0e {REFUSED} {WRONG_PASSWORD}",
    ],
    ids=[
        "without user information (Landis+Gyr)",
        "length of three octets",
        "length too long",
        "length too short",
        "no length",
        "octets after the end",
        "begun, given up, and begun again after a second LLC (Gurux)",
        "begun again at once",
        "no application context, wrong length",
    ],
)
def test_a_refusal_is_understood_however_it_is_written(octets: str) -> None:
    aare = decode_apdu(bytes.fromhex(octets))
    assert isinstance(aare, Aare)
    assert aare.result is AssociationResult.REJECTED_PERMANENT
    assert aare.diagnostic is UserDiagnostic.AUTHENTICATION_FAILURE


def test_an_llc_inside_a_sound_aare_is_contents() -> None:
    aare = Aare(
        application_context=ApplicationContext.LOGICAL_NAME,
        result=AssociationResult.REJECTED_TRANSIENT,
        diagnostic=UserDiagnostic.NULL,
        user_information=bytes.fromhex("e6e7006100"),
    )
    assert decode_apdu(aare.encode()) == aare


@pytest.mark.parametrize(
    "octets",
    [
        f"6110 {LN} {WRONG_PASSWORD[:4]} 03 a101 00",
        f"6117 {LN} a203 0401 01 {WRONG_PASSWORD}",
        f"6117 {LN} a203 0201 ff {WRONG_PASSWORD}",
        f"6118 {LN} a204 0202 0100 {WRONG_PASSWORD}",
        f"6117 {LN} {REFUSED} a305 a403 0201 0d",
        f"6117 {LN} {REFUSED} a305 a103 0401 0d",
        f"6117 a109 0407 60857405080101 {REFUSED} {WRONG_PASSWORD}",
        "61",
        "61 00",
    ],
    ids=[
        "no result",
        "result that is no integer",
        "negative result",
        "result of two octets",
        "diagnostic of an unknown source",
        "diagnostic that is no integer",
        "context name that is no object identifier",
        "nothing but the tag",
        "nothing but the tag and length 0",
    ],
)
def test_an_aare_that_says_nothing_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_apdu(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("octets", "rlre"),
    [
        ("6303 800100", Rlre()),
        ("6303 800101", Rlre(reason=ReleaseResponseReason.NOT_FINISHED)),
        ("630e 800100 be10040e 0800065f1f0400001e1d04c80007", Rlre(user_information=bytes.fromhex("0800065f1f0400001e1d04c80007"))),
        ("6303 800200", Rlre(reason=None)),
        ("6303 80020100", Rlre(reason=None)),
        ("63", Rlre(reason=None)),
        ("6380", Rlre(reason=None)),
    ],
    ids=["sound", "not finished", "length of the user information only (Gurux)", "cut", "two octets", "bare", "no length"],
)  # fmt: skip
def test_an_rlre_is_a_release_whatever_is_in_it(octets: str, rlre: Rlre) -> None:
    assert decode_apdu(bytes.fromhex(octets)) == rlre
