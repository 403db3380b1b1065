"""The key of one message in general-ciphering: named, sent along wrapped, or agreed upon (Green Book, key information).

The layouts of Diffie-Hellman C(1e, 1s) follow the published examples. What is mixed into the key of the static unified
model C(0e, 2s) follows Gurux, since its example does not tell; no meter has been seen to use it.
"""

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)

from ..codec.cursor import encode_length
from ..errors import LocalProtocolError, SecurityError
from .ciphering import AgreedKey, GeneralHeader, IdentifiedKey, KeyInfo, WrappedKey
from .elliptic_curves import (
    derive_key,
    is_signed,
    public_key_of,
    shared_secret,
    sign,
)
from .security_settings import Enveloping, SecuritySettings, given

_UNICAST_KEY_ID = 0
_BROADCAST_KEY_ID = 1
_MASTER_KEY_ID = 0
_ONE_PASS_DIFFIE_HELLMAN = b"\x01"
_STATIC_UNIFIED_MODEL = b"\x02"


def make_key(
    settings: SecuritySettings, header: GeneralHeader, one_time_key: bytes
) -> tuple[KeyInfo, bytes]:
    """Return the key for a message of ours, and what tells it to the peer.

    `one_time_key` is 48 random octets, or nothing where none are needed. Raises `LocalProtocolError` when the settings
    lack a key for it.
    """
    suite = settings.suite
    if settings.enveloping is Enveloping.IDENTIFIED_KEY:
        key = given(settings.global_unicast_key, "global unicast key")
        return IdentifiedKey(_UNICAST_KEY_ID), key
    if settings.enveloping is Enveloping.WRAPPED_KEY:
        key = one_time_key[: suite.key_length]
        return WrappedKey(_MASTER_KEY_ID, wrap(settings, key)), key
    peer = given(settings.server_agreement_key, "meter's key agreement key")
    if settings.enveloping is Enveloping.STATIC_UNIFIED_MODEL:
        secret = shared_secret(_agreement_key(settings), peer)
        key = derive_key(suite, secret, _parties_and_transaction(header))
        return AgreedKey(_STATIC_UNIFIED_MODEL, b""), key
    # The highest bit is cleared so that the number is a private key on either curve.
    size = len(peer) // 2
    ephemeral = bytes((one_time_key[0] & 0x7F,)) + one_time_key[1:size]
    public_key = public_key_of(ephemeral)
    signature = sign(given(settings.signing_key, "signing key"), public_key)
    key = derive_key(suite, shared_secret(ephemeral, peer), _parties(header))
    return AgreedKey(_ONE_PASS_DIFFIE_HELLMAN, public_key + signature), key


def find_key(
    settings: SecuritySettings, header: GeneralHeader, key_info: KeyInfo | None
) -> bytes:
    """Return the key of a message we got. Raises `SecurityError` when it cannot be had."""
    try:
        match key_info:
            case None | IdentifiedKey(key_id=0):
                return given(settings.global_unicast_key, "global unicast key")
            case IdentifiedKey(key_id=1):
                return given(settings.broadcast_key, "broadcast key")
            case WrappedKey(kek_id=0, wrapped_key=wrapped_key):
                return unwrap(settings, wrapped_key)
            case AgreedKey():
                return _agree(settings, header, key_info)
            case _:
                raise SecurityError("The meter names a key that is not known")
    except LocalProtocolError as error:
        raise SecurityError(f"To read what the meter sends, {error}") from None


def wrap(settings: SecuritySettings, key: bytes) -> bytes:
    """Wrap a key under the master key (RFC 3394), as the method for key transfer wants it.

    Raises `LocalProtocolError` when the settings have no master key.
    """
    return aes_key_wrap(given(settings.master_key, "master key"), key)


def unwrap(settings: SecuritySettings, wrapped_key: bytes) -> bytes:
    """Unwrap a key.

    Raises `SecurityError` when the master key is not the one it was wrapped with, `LocalProtocolError` when there is none.
    """
    try:
        key = aes_key_unwrap(given(settings.master_key, "master key"), wrapped_key)
    except InvalidUnwrap:
        raise SecurityError(
            "The key the meter sends does not unwrap: check the master key"
        ) from None
    if len(key) != settings.suite.key_length:
        raise SecurityError(
            f"The meter sends a key of {len(key)} octets, not {settings.suite.key_length}"
        )
    return key


def _agree(
    settings: SecuritySettings, header: GeneralHeader, agreed: AgreedKey
) -> bytes:
    own, suite = _agreement_key(settings), settings.suite
    if agreed.parameters == _STATIC_UNIFIED_MODEL:
        peer = given(settings.server_agreement_key, "meter's key agreement key")
        secret = shared_secret(own, peer)
        return derive_key(suite, secret, _parties_and_transaction(header))
    if agreed.parameters != _ONE_PASS_DIFFIE_HELLMAN:
        raise SecurityError("The meter agrees on a key in a way that is not known")
    size = 2 * len(own)
    public_key, signature = agreed.ciphered_data[:size], agreed.ciphered_data[size:]
    signing_key = given(settings.server_signing_key, "meter's signing key")
    if not is_signed(signing_key, public_key, signature):
        raise SecurityError(
            "The key the meter offers is not signed by it: check the meter's signing key"
        )
    return derive_key(suite, shared_secret(own, public_key), _parties(header))


def _agreement_key(settings: SecuritySettings) -> bytes:
    return given(settings.agreement_key, "private key for key agreement")


def _parties(header: GeneralHeader) -> bytes:
    return header.originator_system_title + header.recipient_system_title


def _parties_and_transaction(header: GeneralHeader) -> bytes:
    return b"".join(
        (
            header.originator_system_title,
            encode_length(len(header.transaction_id)),
            header.transaction_id,
            header.recipient_system_title,
        )
    )
