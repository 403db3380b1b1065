"""The envelopes of protected APDUs: every vector, five ways, and what is malformed."""

from dataclasses import replace

import pytest

from custom_components.dlms_meter.dlms.application.ciphering import (
    TAG_LENGTH,
    AgreedKey,
    Ciphered,
    Envelope,
    GeneralCiphering,
    GeneralHeader,
    GeneralKeySetCiphering,
    GeneralSigning,
    IdentifiedKey,
    KeyInfo,
    SecurityControl,
    ServiceCiphering,
    WrappedKey,
    decode_envelope,
)
from custom_components.dlms_meter.dlms.application.envelope_tags import (
    KeySet,
    is_envelope,
)
from custom_components.dlms_meter.dlms.application.security_settings import (
    SecurityPolicy,
    SecuritySuite,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import Json, Vector, check_codec, check_damage, each, vectors

MISCOUNTED = {"v0409", "v0411"}  # 12 octets more than there are

ENVELOPES = [
    vector
    for category in ("ciphered", "general-ciphering", "general-signing")
    for vector in vectors(layer="apdu", category=category)
]
SERVICE_TAGS = {
    "glo-initiate-request": 0x21,
    "glo-initiate-response": 0x28,
    "glo-get-request": 0xC8,
    "glo-get-response": 0xCC,
    "glo-action-request": 0xCB,
    "glo-action-response": 0xCF,
}
GENERAL_TAGS = {
    "general-glo-ciphering": KeySet.GLOBAL,
    "general-ded-ciphering": KeySet.DEDICATED,
}


def content(vector: Vector) -> Ciphered:
    """Build the content from what the vector tells; a body that is not encrypted stands in clear."""
    decoded = vector.decoded
    clear = decoded.get("plaintext_hex", "")
    body = decoded.get("ciphertext", clear) + decoded.get("tag", "")
    control = SecurityControl(bytes.fromhex(decoded["security_control"]["hex"])[0])
    return Ciphered(control, decoded["invocation_counter"], bytes.fromhex(body))


def header(decoded: Json) -> GeneralHeader:
    return GeneralHeader(
        bytes.fromhex(decoded["transaction_id"]),
        bytes.fromhex(decoded["originator_system_title"]),
        bytes.fromhex(decoded["recipient_system_title"]),
        bytes.fromhex(decoded["date_time_hex"]),
        bytes.fromhex(decoded["other_information"]),
    )


def envelope(vector: Vector) -> Envelope:
    decoded = vector.decoded
    match decoded["apdu"]:
        case "general-signing":
            return GeneralSigning(
                header(decoded),
                bytes.fromhex(decoded["content"]),
                bytes.fromhex(decoded["signature"]),
            )
        case "general-ciphering":
            agreed = decoded["key_info"]["agreed_key"]
            key_info = AgreedKey(
                bytes.fromhex(agreed["key_parameters"]),
                bytes.fromhex(agreed["key_ciphered_data"]),
            )
            return GeneralCiphering(header(decoded), key_info, content(vector))
        case name if name in GENERAL_TAGS:
            title = bytes.fromhex(decoded["system_title"])
            return GeneralKeySetCiphering(GENERAL_TAGS[name], title, content(vector))
        case name:
            return ServiceCiphering(SERVICE_TAGS[name], content(vector))


def encode(value: Envelope) -> bytes:
    return value.encode()


def only_encrypted(value: Envelope) -> bool:
    return not isinstance(value, GeneralSigning) and (
        SecurityPolicy.AUTHENTICATED not in value.content.control.policy
    )


@each(row for row in ENVELOPES if row.expect != "reject")
def test_vector(vector: Vector) -> None:
    value = envelope(vector)
    assert is_envelope(vector.octets)
    if only_encrypted(value):
        check_with_tolerance(vector, value)
    else:
        check_codec(value, vector.octets, decode_envelope, encode)
    check_damage(vector.octets, decode_envelope)


def check_with_tolerance(vector: Vector, value: Envelope) -> None:
    """Check what is only encrypted: it may end 12 octets earlier than it says, or 12 earlier than it should."""
    assert decode_envelope(vector.octets) == value
    if vector.id in MISCOUNTED:
        assert len(value.encode()) == len(vector.octets)
        assert value.encode()[2:] == vector.octets[2:]
    else:
        assert value.encode() == vector.octets
    sound = value.encode()
    for length in range(len(sound)):
        if length != len(sound) - TAG_LENGTH:
            with pytest.raises(DecodeError):
                decode_envelope(sound[:length])
    for extra in (b"\x00", b"\xff", sound):
        with pytest.raises(DecodeError):
            decode_envelope(sound + extra)


@each(row for row in ENVELOPES if row.expect == "reject")
def test_a_wrong_tag_is_not_seen_by_the_envelope(vector: Vector) -> None:
    """It takes keys to see it: `test_security` refuses these."""
    assert isinstance(decode_envelope(vector.octets), ServiceCiphering)


@pytest.mark.parametrize(
    ("key_info", "octets"),
    [
        (None, "00"),
        (IdentifiedKey(1), "01 00 01"),
        (WrappedKey(0, b"\xab" * 24), "01 01 00 18" + "ab" * 24),
        (AgreedKey(b"\x02", b""), "01 02 01 02 00"),
    ],
)
def test_key_information(key_info: KeyInfo | None, octets: str) -> None:
    title = GeneralHeader(b"\x01" * 8, b"FROM....", b"TO......")
    sealed = Ciphered(SecurityControl(0x31), 7, b"sealed, and a tag")
    value: Envelope = GeneralCiphering(title, key_info, sealed)
    expected = b"".join(
        (
            bytes.fromhex("dd 08 0101010101010101 08"),
            b"FROM....\x08TO......\0\0",
            bytes.fromhex(octets),
            bytes.fromhex("16 31 00000007"),
            b"sealed, and a tag",
        )
    )
    check_codec(value, expected, decode_envelope, encode)


def test_security_control() -> None:
    control = SecurityControl.of(
        SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384,
        SecurityPolicy.AUTHENTICATED | SecurityPolicy.ENCRYPTED,
        broadcast=True,
    )
    assert control == 0x72
    assert control.suite == 2
    assert control.policy == SecurityPolicy.AUTHENTICATED | SecurityPolicy.ENCRYPTED
    assert control.broadcast_key
    assert not control.compressed
    assert SecurityControl(0x80).compressed
    assert SecurityControl(0x80).policy is SecurityPolicy.NONE


@pytest.mark.parametrize(
    ("plain", "glo", "ded"),
    [(0x01, 0x21, 0x41), (0x05, 0x25, 0x45), (0x18, 0x38, 0x58), (0xC7, 0xCF, 0xD7)],
)
def test_tags(plain: int, glo: int, ded: int) -> None:
    sealed = Ciphered(SecurityControl(0x20), 1, b"")
    for tag, key_set in ((glo, KeySet.GLOBAL), (ded, KeySet.DEDICATED)):
        value = ServiceCiphering.of(plain, key_set, sealed)
        assert value is not None
        assert (value.tag, value.key_set, value.plain_tag) == (
            tag,
            key_set,
            bytes((plain,)),
        )
        assert value.encode() == bytes((tag, 5, 0x20, 0, 0, 0, 1))


def test_a_service_without_an_envelope_of_its_own() -> None:
    sealed = Ciphered(SecurityControl(0x20), 1, b"")
    assert ServiceCiphering.of(0x0F, KeySet.GLOBAL, sealed) is None


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "c4 01",  # a plain APDU
        "c8 04 30 00 00 00",  # less than a header
        "c8 06 30 00 00 00 01",  # shorter than it says
        "c8 12 30 00 00 00 01 00",  # 12 too many, but with a tag
        "dd 00 00 00 00 00 01 03 05 20 00 00 00 01",  # key information of an unknown kind
        "dd 00 00 00 00 00 01",
        "df 00 00 00 00 00",
        "db 05 01 02",
    ],
)
def test_malformed(octets: str) -> None:
    with pytest.raises(DecodeError):
        decode_envelope(bytes.fromhex(octets))


@pytest.mark.parametrize("kind", [ServiceCiphering, GeneralKeySetCiphering])
def test_the_tag_of_another_apdu(
    kind: type[ServiceCiphering | GeneralKeySetCiphering],
) -> None:
    with pytest.raises(DecodeError):
        kind.decode(Reader(bytes.fromhex("c4 05 20 00 00 00 01")))


def test_the_signature_is_not_signed() -> None:
    (vector,) = vectors(layer="apdu", category="general-signing")
    value = decode_envelope(vector.octets)
    assert isinstance(value, GeneralSigning)
    assert value.signed == replace(value, signature=b"").signed
    assert value.signed == vector.octets[1:30] + value.content
