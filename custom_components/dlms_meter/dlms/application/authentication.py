"""Authentication: what each mechanism puts into the association request, and how HLS proves who is who.

With HLS each side sends a challenge, CtoS and StoC, and answers that of the other with f(challenge), which takes the
secret or key they share (Green Book, authentication mechanisms). One row for each mechanism.
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5, sha1, sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Self

from ..errors import LocalProtocolError
from .enums import Mechanism
from .security_settings import given

if TYPE_CHECKING:
    from .security import SecurityContext

LONGEST_CHALLENGE = 64
SHORTEST_CHALLENGE = 8

_AES_BLOCK = 16


@dataclass(frozen=True, slots=True)
class Handshake:
    """What HLS takes into account, as one side sees it."""

    own_system_title: bytes
    peer_system_title: bytes
    own_challenge: bytes
    peer_challenge: bytes

    def as_peer_sees(self) -> Self:
        """Return the same from the other side."""
        return type(self)(
            self.peer_system_title,
            self.own_system_title,
            self.peer_challenge,
            self.own_challenge,
        )

    @property
    def everything(self) -> bytes:
        """Both titles, and the challenge that is answered before the one that was sent."""
        return b"".join(
            (
                self.own_system_title,
                self.peer_system_title,
                self.peer_challenge,
                self.own_challenge,
            )
        )


def is_hls(mechanism: Mechanism) -> bool:
    """Tell whether both sides prove who they are, by challenges."""
    return mechanism in _CALLING_VALUES and mechanism > Mechanism.LLS


def challenge_length(mechanism: Mechanism) -> int:
    """Return how many random octets to challenge with: for signatures as many as the longest hash has."""
    return 48 if mechanism is Mechanism.HLS_ECDSA else 16


def calling_authentication_value(
    mechanism: Mechanism, secret: bytes, challenge: bytes
) -> bytes | None:
    """Return what the AARQ carries: the password, or our challenge; None when it carries nothing.

    Raises `LocalProtocolError` for a mechanism this client cannot do, and for a challenge too short or too long.
    """
    value = _CALLING_VALUES.get(mechanism)
    if value is None:
        raise LocalProtocolError(
            f"authentication by {mechanism.label} is not supported"
        )
    return value(secret, challenge)


def proof(
    mechanism: Mechanism,
    handshake: Handshake,
    secret: bytes,
    security: SecurityContext | None,
) -> bytes:
    """Answer the peer's challenge: f(StoC) for a client.

    Raises `LocalProtocolError` when the secret or the keys it takes are not there.
    """
    digest = _DIGESTS.get(mechanism)
    if digest is not None:
        return digest(secret, handshake)
    if mechanism is Mechanism.HLS_GMAC:
        return _keys(security).token(handshake.peer_challenge)
    from .elliptic_curves import sign  # noqa: PLC0415 - few need it

    key = given(_keys(security).settings.signing_key, "signing key")
    return sign(key, handshake.everything)


def is_proven(
    mechanism: Mechanism,
    handshake: Handshake,
    secret: bytes,
    security: SecurityContext | None,
    answer: bytes,
) -> bool:
    """Tell whether the peer answered our challenge rightly: f(CtoS) for a client.

    Raises `LocalProtocolError` when the secret or the keys it takes are not there.
    """
    peers = handshake.as_peer_sees()
    digest = _DIGESTS.get(mechanism)
    if digest is not None:
        return compare_digest(digest(secret, peers), answer)
    if mechanism is Mechanism.HLS_GMAC:
        return _keys(security).is_token(answer, handshake.own_challenge)
    from .elliptic_curves import is_signed  # noqa: PLC0415 - few need it

    key = given(_keys(security).settings.server_signing_key, "meter's signing key")
    return is_signed(key, peers.everything, answer)


def _challenge(_secret: bytes, challenge: bytes) -> bytes:
    if not SHORTEST_CHALLENGE <= len(challenge) <= LONGEST_CHALLENGE:
        raise LocalProtocolError(
            f"a challenge of {len(challenge)} octets: {SHORTEST_CHALLENGE} to {LONGEST_CHALLENGE} are possible"
        )
    return challenge


def _keys(security: SecurityContext | None) -> SecurityContext:
    if security is None:
        raise LocalProtocolError("this authentication needs keys and a system title")
    return security


def _encrypt(secret: bytes, handshake: Handshake) -> bytes:
    """Encrypt the challenge block by block, as M203 meters and Gurux do for the mechanism each maker defines alone."""
    from cryptography.hazmat.primitives.ciphers import Cipher  # noqa: PLC0415 - few need it
    from cryptography.hazmat.primitives.ciphers.algorithms import AES  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.modes import ECB  # noqa: PLC0415

    if len(secret) > _AES_BLOCK:
        raise LocalProtocolError(
            f"the secret of this authentication has at most {_AES_BLOCK} octets, not {len(secret)}"
        )
    challenge = handshake.peer_challenge
    blocks = challenge + bytes(-len(challenge) % _AES_BLOCK)
    encryptor = Cipher(AES(secret.ljust(_AES_BLOCK, b"\0")), ECB()).encryptor()
    return encryptor.update(blocks) + encryptor.finalize()


_CALLING_VALUES: dict[Mechanism, Callable[[bytes, bytes], bytes | None]] = {
    Mechanism.NONE: lambda _secret, _challenge: None,
    Mechanism.LLS: lambda secret, _challenge: secret,
    Mechanism.HLS_VENDOR: _challenge,
    Mechanism.HLS_MD5: _challenge,
    Mechanism.HLS_SHA1: _challenge,
    Mechanism.HLS_GMAC: _challenge,
    Mechanism.HLS_SHA256: _challenge,
    Mechanism.HLS_ECDSA: _challenge,
}

# f(challenge) of the mechanisms that take nothing but a secret.
_DIGESTS: dict[Mechanism, Callable[[bytes, Handshake], bytes]] = {
    Mechanism.HLS_VENDOR: _encrypt,
    Mechanism.HLS_MD5: lambda secret, handshake: md5(
        handshake.peer_challenge + secret, usedforsecurity=False
    ).digest(),
    Mechanism.HLS_SHA1: lambda secret, handshake: sha1(
        handshake.peer_challenge + secret, usedforsecurity=False
    ).digest(),
    Mechanism.HLS_SHA256: lambda secret, handshake: sha256(
        secret + handshake.everything
    ).digest(),
}
