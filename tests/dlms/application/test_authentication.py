"""What each mechanism puts into the AARQ, and how the two sides prove who they are."""

import pytest

from custom_components.dlms_meter.dlms.application.authentication import (
    Handshake,
    calling_authentication_value,
    challenge_length,
    is_hls,
    is_proven,
    proof,
)
from custom_components.dlms_meter.dlms.application.ciphering import SecurityControl
from custom_components.dlms_meter.dlms.application.enums import Mechanism
from custom_components.dlms_meter.dlms.application.security_settings import (
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
)
from custom_components.dlms_meter.dlms.errors import LocalProtocolError
from tests.harness import Vector, each, vectors

from .secured import (
    BOOK,
    CLIENT_TITLE,
    GLOBAL_KEY,
    SERVER_TITLE,
    context,
    pair,
    settings,
)

SECRET = b"00000001"
CTOS, STOC = b"from the client!", b"from the server!"
CLIENT = Handshake(CLIENT_TITLE, SERVER_TITLE, CTOS, STOC)
SERVER = CLIENT.as_peer_sees()

MECHANISMS = list(Mechanism)[:-1]
HLS = [mechanism for mechanism in MECHANISMS if mechanism >= Mechanism.HLS_VENDOR]
WITH_A_SECRET = [
    Mechanism.HLS_VENDOR,
    Mechanism.HLS_MD5,
    Mechanism.HLS_SHA1,
    Mechanism.HLS_SHA256,
]
HASHES = {3, 4}


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_value(mechanism: Mechanism) -> None:
    expected = {Mechanism.NONE: None, Mechanism.LLS: SECRET}.get(mechanism, CTOS)
    assert calling_authentication_value(mechanism, SECRET, CTOS) == expected
    assert is_hls(mechanism) == (mechanism in HLS)


@pytest.mark.parametrize("mechanism", [Mechanism.OTHER, Mechanism(8)])
def test_a_mechanism_we_cannot_do(mechanism: Mechanism) -> None:
    assert not is_hls(mechanism)
    with pytest.raises(LocalProtocolError, match="not supported") as raised:
        calling_authentication_value(mechanism, SECRET, CTOS)
    assert SECRET.decode() not in str(raised.value)


@pytest.mark.parametrize("mechanism", HLS)
def test_length_of_a_challenge(mechanism: Mechanism) -> None:
    for length in (7, 65):
        with pytest.raises(LocalProtocolError, match="8 to 64"):
            calling_authentication_value(mechanism, SECRET, bytes(length))
    longer = mechanism is Mechanism.HLS_ECDSA  # as many as SHA-384 has
    challenge = bytes(challenge_length(mechanism))
    assert len(challenge) == (48 if longer else 16)
    assert calling_authentication_value(mechanism, SECRET, challenge) == challenge


HLS_VECTORS = vectors(layer="crypto", category="hls")


@each(row for row in HLS_VECTORS if row.inputs["mechanism"] in HASHES)
def test_hash_of_challenge_and_secret(vector: Vector) -> None:
    inputs = vector.inputs
    handshake = Handshake(b"", b"", b"", bytes.fromhex(inputs["challenge"]))
    secret = inputs["secret_ascii"].encode()
    expected = bytes.fromhex(vector.decoded["result"])
    mechanism = Mechanism(inputs["mechanism"])
    assert proof(mechanism, handshake, secret, None) == expected
    seen = handshake.as_peer_sees()
    assert is_proven(mechanism, seen, secret, None, expected)


@each(row for row in HLS_VECTORS if row.inputs["mechanism"] == 6)
def test_sha256(vector: Vector) -> None:
    """The vector is the server's answer."""
    inputs = vector.inputs
    client = Handshake(
        bytes.fromhex(inputs["st_client"]),
        bytes.fromhex(inputs["st_server"]),
        bytes.fromhex(inputs["ctos"]),
        bytes.fromhex(inputs["stoc"]),
    )
    secret = inputs["secret_ascii"].encode()
    expected = bytes.fromhex(vector.decoded["result"])
    server = client.as_peer_sees()
    assert proof(Mechanism.HLS_SHA256, server, secret, None) == expected
    assert is_proven(Mechanism.HLS_SHA256, client, secret, None, expected)
    assert not is_proven(Mechanism.HLS_SHA256, server, secret, None, expected)


@each(row for row in HLS_VECTORS if row.inputs["mechanism"] == 5)
def test_gmac(vector: Vector) -> None:
    inputs = vector.inputs
    keys = SecuritySettings(
        global_unicast_key=bytes.fromhex(inputs["ek"]),
        authentication_key=bytes.fromhex(inputs["ak"]),
    )
    title = bytes.fromhex(inputs["system_title_of_sender"])
    challenge = bytes.fromhex(inputs["challenge"])
    counter = int(inputs["invocation_counter"], 16)
    expected = bytes.fromhex(vector.decoded["result"])
    prover = context(keys, title, b"STRANGER", counter)
    assert prover.token(challenge) == expected
    assert prover.counter.following == counter + 1
    verifier = context(keys, b"STRANGER", title)
    assert verifier.is_token(expected, challenge)
    for changed in range(len(expected)):
        damaged = bytearray(expected)
        damaged[changed] ^= 1
        assert not verifier.is_token(bytes(damaged), challenge)
    assert not verifier.is_token(expected[:-1], challenge)
    assert not verifier.is_token(expected + b"\0", challenge)
    assert not verifier.is_token(expected, challenge + b"\0")
    assert not verifier.is_token(b"\x30" + expected[1:], challenge)


def test_a_message_is_no_token() -> None:
    """Whoever answers a challenge authenticates it; a cipher text that happens to equal it is something else."""
    prover, verifier = pair(BOOK)
    challenge, counter = bytes(range(16)), bytes(4)
    gcm, key, iv = prover._gcm, GLOBAL_KEY, CLIENT_TITLE + counter
    text, _ = gcm.unseal(key, SecurityControl(0x20), iv, challenge)
    sealed = gcm.seal(key, SecurityControl(0x30), iv, text)
    assert sealed[: len(challenge)] == challenge
    assert not verifier.is_token(
        b"\x30" + counter + sealed[len(challenge) :], challenge
    )


def test_no_vector_is_left_out() -> None:
    assert {row.inputs["mechanism"] for row in HLS_VECTORS} == {3, 4, 5, 6}


@pytest.mark.parametrize("mechanism", WITH_A_SECRET)
def test_both_sides_share_a_secret(mechanism: Mechanism) -> None:
    from_client = proof(mechanism, CLIENT, SECRET, None)
    from_server = proof(mechanism, SERVER, SECRET, None)
    assert from_client != from_server
    assert is_proven(mechanism, SERVER, SECRET, None, from_client)
    assert is_proven(mechanism, CLIENT, SECRET, None, from_server)
    assert not is_proven(mechanism, CLIENT, SECRET, None, from_client)
    assert not is_proven(mechanism, CLIENT, b"00000002", None, from_server)
    assert not is_proven(mechanism, CLIENT, SECRET, None, b"")


def test_vendor_mechanism_encrypts_block_by_block() -> None:
    """AES-128 test vector of FIPS 197, appendix C.1; the short challenge is filled with zeros."""
    secret = bytes(range(16))
    block = bytes.fromhex("00112233445566778899aabbccddeeff")
    expected = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
    for challenge, answer in ((block, expected), (block * 2, expected * 2)):
        handshake = Handshake(b"", b"", b"", challenge)
        assert proof(Mechanism.HLS_VENDOR, handshake, secret, None) == answer
    short = Handshake(b"", b"", b"", b"12345678")
    filled = Handshake(b"", b"", b"", b"12345678" + bytes(8))
    assert proof(Mechanism.HLS_VENDOR, short, SECRET, None) == proof(
        Mechanism.HLS_VENDOR, filled, SECRET + bytes(8), None
    )
    with pytest.raises(LocalProtocolError, match="at most 16 octets, not 17"):
        proof(Mechanism.HLS_VENDOR, short, bytes(17), None)


@pytest.mark.parametrize("suite", SecuritySuite)
def test_both_sides_share_keys(suite: SecuritySuite) -> None:
    client, server = pair(settings(suite))
    from_client = proof(Mechanism.HLS_GMAC, CLIENT, b"", client)
    assert from_client[0] == 0x10 | suite
    assert len(from_client) == 17
    assert is_proven(Mechanism.HLS_GMAC, SERVER, b"", server, from_client)
    assert not is_proven(Mechanism.HLS_GMAC, CLIENT, b"", client, from_client)


@pytest.mark.parametrize("suite", list(SecuritySuite)[1:])
def test_both_sides_know_each_others_public_keys(suite: SecuritySuite) -> None:
    client, server = pair(settings(suite))
    from_client = proof(Mechanism.HLS_ECDSA, CLIENT, b"", client)
    assert len(from_client) == {1: 64, 2: 96}[suite]
    assert is_proven(Mechanism.HLS_ECDSA, SERVER, b"", server, from_client)
    assert not is_proven(Mechanism.HLS_ECDSA, CLIENT, b"", client, from_client)
    assert not is_proven(Mechanism.HLS_ECDSA, SERVER, b"", client, from_client)


@pytest.mark.parametrize("mechanism", [Mechanism.HLS_GMAC, Mechanism.HLS_ECDSA])
def test_keys_are_needed(mechanism: Mechanism) -> None:
    with pytest.raises(LocalProtocolError, match="needs keys"):
        proof(mechanism, CLIENT, SECRET, None)
    with pytest.raises(LocalProtocolError, match="needs keys"):
        is_proven(mechanism, CLIENT, SECRET, None, b"")


def test_signing_keys_are_needed() -> None:
    keyless = context(BOOK, CLIENT_TITLE)
    with pytest.raises(LocalProtocolError, match="the signing key is needed"):
        proof(Mechanism.HLS_ECDSA, CLIENT, b"", keyless)
    with pytest.raises(LocalProtocolError, match="meter's signing key is needed"):
        is_proven(Mechanism.HLS_ECDSA, CLIENT, b"", keyless, b"")


def test_gmac_needs_both_keys() -> None:
    for keys, words in (
        (SecuritySettings(policy=SecurityPolicy.NONE), "global unicast key"),
        (
            SecuritySettings(
                policy=SecurityPolicy.ENCRYPTED, global_unicast_key=bytes(16)
            ),
            "authentication key",
        ),
    ):
        with pytest.raises(LocalProtocolError, match=words):
            proof(Mechanism.HLS_GMAC, CLIENT, b"", context(keys, CLIENT_TITLE))
