"""Signatures, key agreement and key wrapping: the published examples, and keys that are none."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
import pytest

from custom_components.dlms_meter.dlms.application.ciphering import (
    AgreedKey,
    GeneralHeader,
    IdentifiedKey,
    KeyInfo,
    WrappedKey,
)
from custom_components.dlms_meter.dlms.application.elliptic_curves import (
    derive_key,
    is_signed,
    public_key_of,
    shared_secret,
    sign,
)
from custom_components.dlms_meter.dlms.application.message_keys import (
    find_key,
    make_key,
    unwrap,
    wrap,
)
from custom_components.dlms_meter.dlms.application.security_settings import (
    Enveloping,
    SecuritySettings,
    SecuritySuite,
)
from custom_components.dlms_meter.dlms.errors import (
    LocalProtocolError,
    SecurityError,
)
from tests.harness import vectors

from .secured import (
    CLIENT_TITLE,
    ONE_TIME_KEY,
    SERVER_TITLE,
    as_server,
    private_key,
    settings,
)

SUITE_1 = SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256
SUITE_2 = SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384
SUITES = [SUITE_1, SUITE_2]
HEADER = GeneralHeader(bytes(range(1, 9)), CLIENT_TITLE, SERVER_TITLE)
MESSAGE = b"Any meter will do."

(SIGNED,) = vectors(layer="crypto", category="ecdsa")
KEY_AGREEMENT = vectors(layer="crypto", category="key-agreement")
(WRAPPED,) = vectors(layer="crypto", category="key-wrap")

# The signature over the ephemeral key of the Green Book's example of general-ciphering with C(1e, 1s, ECC CDH):
# the key is that of v0433, the signer that of v0430 (quoted in public tests of dlms-cosem).
EPHEMERAL_KEY_SIGNATURE = bytes.fromhex(
    "b51be089d0b682863b2217201e73a1a9031968a9b4121dcbc3281a69739af874"
    "29f5b3ac5471e7b6a04a2c0f2f8a25fd772a317df97fc5463feac248eb8ab8be"
)


def test_published_signature() -> None:
    public_key = bytes.fromhex(SIGNED.inputs["public_key"])
    message = bytes.fromhex(SIGNED.inputs["message"])
    signature = bytes.fromhex(SIGNED.decoded["signature_r_s"])
    assert public_key_of(bytes.fromhex(SIGNED.inputs["private_key"])) == public_key
    assert is_signed(public_key, message, signature)
    assert not is_signed(public_key, message + b"\0", signature)
    assert not is_signed(public_key, message, signature[:-1])
    assert not is_signed(public_key, message, signature + b"\0")
    assert not is_signed(public_key, message, bytes(64))


def test_published_signature_of_an_ephemeral_key() -> None:
    (agreed,) = (row for row in KEY_AGREEMENT if "pub_ephemeral" in row.inputs)
    signer = bytes.fromhex(SIGNED.inputs["public_key"])
    ephemeral = bytes.fromhex(agreed.inputs["pub_ephemeral"])
    assert is_signed(signer, ephemeral, EPHEMERAL_KEY_SIGNATURE)


def test_published_key_agreement() -> None:
    (agreed,) = (row for row in KEY_AGREEMENT if "pub_ephemeral" in row.inputs)
    inputs = {name: bytes.fromhex(value) for name, value in agreed.inputs.items()}
    assert public_key_of(inputs["d_ephemeral"]) == inputs["pub_ephemeral"]
    for private, public in (
        ("d_ephemeral", "pub_static"),
        ("d_static", "pub_ephemeral"),
    ):
        secret = shared_secret(inputs[private], inputs[public])
        assert secret.hex() == agreed.decoded["z"]


def test_published_key_derivation() -> None:
    (row,) = (row for row in KEY_AGREEMENT if "z" in row.inputs)
    parties = row.inputs["party_u_originator"] + row.inputs["party_v_recipient"]
    key = derive_key(SUITE_1, bytes.fromhex(row.inputs["z"]), bytes.fromhex(parties))
    assert key.hex() == row.decoded["aes_128_key"]


def test_published_key_wrap() -> None:
    keys = settings(master_key=bytes.fromhex(WRAPPED.inputs["kek"]))
    key = bytes.fromhex(WRAPPED.inputs["key"])
    assert wrap(keys, key).hex() == WRAPPED.decoded["wrapped"]
    assert unwrap(keys, bytes.fromhex(WRAPPED.decoded["wrapped"])) == key


@pytest.mark.parametrize("suite", SUITES)
def test_sign(suite: SecuritySuite) -> None:
    own = private_key(1, suite)
    signature = sign(own, MESSAGE)
    assert signature == sign(own, MESSAGE)
    assert is_signed(public_key_of(own), MESSAGE, signature)
    assert not is_signed(public_key_of(private_key(2, suite)), MESSAGE, signature)


def test_signature_on_p384_is_one_of_sha384() -> None:
    own = private_key(1, SUITE_2)
    octets = sign(own, MESSAGE)
    key = ec.derive_private_key(int.from_bytes(own), ec.SECP384R1()).public_key()
    r, s = int.from_bytes(octets[:48]), int.from_bytes(octets[48:])
    key.verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(SHA384()))


def test_key_derivation_of_suite_2() -> None:
    key = derive_key(SUITE_2, bytes(48), CLIENT_TITLE + SERVER_TITLE)
    assert len(key) == 32
    assert key[:16] != derive_key(SUITE_1, bytes(48), CLIENT_TITLE + SERVER_TITLE)
    with pytest.raises(LocalProtocolError, match="suite 0"):
        derive_key(SecuritySuite.AES_GCM_128, bytes(32), b"")


@pytest.mark.parametrize("octets", [b"", bytes(31), bytes(32), b"\xff" * 48])
def test_no_private_key(octets: bytes) -> None:
    for use in (public_key_of, lambda key: sign(key, MESSAGE)):
        with pytest.raises(LocalProtocolError, match="not one of P-256 or P-384"):
            use(octets)


@pytest.mark.parametrize("octets", [b"", bytes(63), bytes(64), b"\xff" * 96])
def test_no_public_key(octets: bytes) -> None:
    with pytest.raises(SecurityError, match="not a point"):
        is_signed(octets, MESSAGE, bytes(len(octets)))
    with pytest.raises(SecurityError, match="not a point"):
        shared_secret(private_key(1, SUITE_1), octets)


def test_keys_on_different_curves() -> None:
    with pytest.raises(SecurityError, match="different curves"):
        shared_secret(private_key(1, SUITE_1), public_key_of(private_key(1, SUITE_2)))


AGREED = [Enveloping.ONE_PASS_DIFFIE_HELLMAN, Enveloping.STATIC_UNIFIED_MODEL]
MESSAGE_KEYS = [Enveloping.IDENTIFIED_KEY, Enveloping.WRAPPED_KEY, *AGREED]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("enveloping", MESSAGE_KEYS)
def test_both_sides_have_the_same_key(
    suite: SecuritySuite, enveloping: Enveloping
) -> None:
    client = settings(suite, enveloping=enveloping)
    key_info, key = make_key(client, HEADER, ONE_TIME_KEY)
    assert len(key) == suite.key_length
    assert find_key(as_server(client), HEADER, key_info) == key
    if enveloping in AGREED:
        other = HEADER._replace(recipient_system_title=b"ANOTHER.")
        assert find_key(as_server(client), other, key_info) != key


def test_the_key_of_the_static_model_belongs_to_the_transaction() -> None:
    keys = settings(SUITE_1, enveloping=Enveloping.STATIC_UNIFIED_MODEL)
    other = HEADER._replace(transaction_id=b"OTHER...")
    assert make_key(keys, HEADER, b"")[1] != make_key(keys, other, b"")[1]


def test_any_random_octets_make_an_ephemeral_key() -> None:
    for suite in SUITES:
        keys = settings(suite, enveloping=Enveloping.ONE_PASS_DIFFIE_HELLMAN)
        key_info, key = make_key(keys, HEADER, b"\xff" * 48)
        assert find_key(as_server(keys), HEADER, key_info) == key


def test_keys_without_key_information_are_the_global_ones() -> None:
    keys = settings()
    assert find_key(keys, HEADER, None) == keys.global_unicast_key
    assert find_key(keys, HEADER, IdentifiedKey(0)) == keys.global_unicast_key
    assert find_key(keys, HEADER, IdentifiedKey(1)) == keys.broadcast_key


@pytest.mark.parametrize(
    ("changes", "key_info", "words"),
    [
        ({}, IdentifiedKey(2), "not known"),
        ({}, WrappedKey(1, bytes(24)), "not known"),
        ({}, WrappedKey(0, bytes(24)), "does not unwrap"),
        ({}, WrappedKey(0, b""), "does not unwrap"),
        ({}, AgreedKey(b"\x03", b""), "in a way that is not known"),
        ({}, AgreedKey(b"\x01", bytes(128)), "not signed by it"),
        ({}, AgreedKey(b"\x01", b""), "not signed by it"),
        ({"master_key": None}, WrappedKey(0, bytes(24)), "master key is needed"),
        ({"broadcast_key": None}, IdentifiedKey(1), "broadcast key is needed"),
        ({"agreement_key": None}, AgreedKey(b"\x02", b""), "for key agreement"),
        ({"server_agreement_key": None}, AgreedKey(b"\x02", b""), "key agreement key"),
        ({"server_signing_key": None}, AgreedKey(b"\x01", b""), "signing key"),
    ],
)
def test_keys_that_cannot_be_had(
    changes: dict[str, bytes | None], key_info: KeyInfo, words: str
) -> None:
    keys = settings(SUITE_1, **changes)
    with pytest.raises(SecurityError, match=words):
        find_key(keys, HEADER, key_info)


def test_a_signed_key_that_is_no_point() -> None:
    keys = settings(SUITE_1)
    nonsense = bytes(64)
    signature = sign(private_key(3, SUITE_1), nonsense)
    with pytest.raises(SecurityError, match="not a point"):
        find_key(keys, HEADER, AgreedKey(b"\x01", nonsense + signature))


def test_a_wrapped_key_of_another_length() -> None:
    longer = replace(settings(SUITE_2), master_key=bytes(32))
    shorter: SecuritySettings = replace(settings(SUITE_1), master_key=bytes(16))
    wrapped = wrap(shorter, bytes(24))
    with pytest.raises(SecurityError, match="key of 24 octets, not 16"):
        unwrap(shorter, wrapped)
    with pytest.raises(SecurityError, match="does not unwrap"):
        unwrap(longer, wrapped)
