"""Signatures and key agreement of security suites 1 and 2, on P-256 and P-384 (FIPS 186, NIST SP 800-56A).

Keys are octets as DLMS carries them: a private key is a number of 32 or 48 octets, a public key its point x, y, a
signature r, s. Their length tells the curve. Imported where it is first needed: most meters need none of it.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, Hash, HashAlgorithm

from ..errors import LocalProtocolError, SecurityError
from .security_settings import SecuritySuite

_UNCOMPRESSED_POINT = b"\x04"
_ROUND_ONE = (1).to_bytes(4)

# Octets of a coordinate: what goes with it.
_CURVES: dict[int, tuple[ec.EllipticCurve, HashAlgorithm]] = {
    32: (ec.SECP256R1(), SHA256()),
    48: (ec.SECP384R1(), SHA384()),
}

# How keys are derived: the hash, and the object identifier of AES-GCM-128 or AES-GCM-256.
_DERIVATIONS: dict[SecuritySuite, tuple[HashAlgorithm, bytes]] = {
    SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256: (
        SHA256(),
        bytes.fromhex("60857405080300"),
    ),
    SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384: (
        SHA384(),
        bytes.fromhex("60857405080301"),
    ),
}


def sign(private_key: bytes, message: bytes) -> bytes:
    """Sign with ECDSA, deterministically (RFC 6979). Raises `LocalProtocolError` for a key that is none."""
    key = _private_key(private_key)
    _, algorithm = _CURVES[len(private_key)]
    signature = key.sign(message, ec.ECDSA(algorithm, deterministic_signing=True))
    return _join(len(private_key), *decode_dss_signature(signature))


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the owner of a public key signed the message. Raises `SecurityError` for a key that is none."""
    key = _public_key(public_key)
    size = len(public_key) // 2
    _, algorithm = _CURVES[size]
    if len(signature) != 2 * size:
        return False
    r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(algorithm))
    except InvalidSignature:
        return False
    return True


def public_key_of(private_key: bytes) -> bytes:
    """Return the public key that belongs to a private one. Raises `LocalProtocolError` for a key that is none."""
    point = _private_key(private_key).public_key().public_numbers()
    return _join(len(private_key), point.x, point.y)


def shared_secret(private_key: bytes, public_key: bytes) -> bytes:
    """Return what the owners of both key pairs can compute, and nobody else.

    Raises `LocalProtocolError` for a private key that is none, `SecurityError` for a public key that does not go with it.
    """
    own, peer = _private_key(private_key), _public_key(public_key)
    if len(public_key) != 2 * len(private_key):
        raise SecurityError("the two keys are on different curves")
    return own.exchange(ec.ECDH(), peer)


def derive_key(suite: SecuritySuite, secret: bytes, parties: bytes) -> bytes:
    """Make a key for AES-GCM from a shared secret and the names of the two parties (one-step concatenation KDF).

    Raises `LocalProtocolError` for suite 0, which has no key agreement.
    """
    if suite not in _DERIVATIONS:
        raise LocalProtocolError("security suite 0 has no key agreement")
    algorithm, algorithm_id = _DERIVATIONS[suite]
    digest = Hash(algorithm)
    digest.update(_ROUND_ONE + secret + algorithm_id + parties)
    return digest.finalize()[: suite.key_length]


def _private_key(octets: bytes) -> ec.EllipticCurvePrivateKey:
    if len(octets) in _CURVES:
        curve, _ = _CURVES[len(octets)]
        try:
            return ec.derive_private_key(int.from_bytes(octets), curve)
        except ValueError:
            pass  # and neither its message nor its cause, which may tell of the key
    raise LocalProtocolError("a private key is not one of P-256 or P-384")


def _public_key(octets: bytes) -> ec.EllipticCurvePublicKey:
    curve, _ = _CURVES.get(len(octets) // 2, (None, None))
    if curve is not None:
        try:
            return ec.EllipticCurvePublicKey.from_encoded_point(
                curve, _UNCOMPRESSED_POINT + octets
            )
        except ValueError:
            pass
    raise SecurityError("a public key is not a point of P-256 or P-384")


def _join(size: int, *numbers: int) -> bytes:
    return b"".join([number.to_bytes(size) for number in numbers])
