"""AES-GCM as DLMS uses it: a tag of 12 octets, and an authentication key that only takes part in it (Green Book).

`AESGCM` knows tags of 16 octets only. But counter mode is its own inverse: encrypting the cipher text gives the plain
text, and encrypting that again gives the tag that should be there. This is also how a message is read whose tag nobody
can check. On 128 octets both passes together take a third of the time of `Cipher(AES, GCM)`, on 16 kB as long.
"""

from collections.abc import Callable
from functools import lru_cache
from hmac import compare_digest

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..errors import DecodeError, SecurityError
from .ciphering import TAG_LENGTH, SecurityControl
from .security_settings import given

_FULL_TAG_LENGTH = 16
_COUNTER_LENGTH = 4
_KEYS_AT_HAND = 8

type Sender = tuple[bytes, bytes, bool]
"""System title, key, and whether it is something said without being asked."""
type ShortWay = Callable[[bytes], bytes | None]
"""A whole message → the APDU in it; None for anything that has to be looked at more closely."""


class AesGcm:
    """Seals and unseals bodies of protected APDUs; keys in use are kept ready."""

    def __init__(self, authentication_key: bytes | None) -> None:
        """Without authentication key, nothing can be authenticated, but anything read."""
        self._authentication_key = authentication_key
        self._heads: dict[int, bytes] = {}
        self._cipher: Callable[[bytes], AESGCM] = lru_cache(_KEYS_AT_HAND)(AESGCM)

    def seal(
        self,
        key: bytes,
        control: SecurityControl,
        iv: bytes,
        apdu: bytes,
        extra: bytes = b"",
    ) -> bytes:
        """Encrypt, authenticate, or both, as `control` says; `extra` is authenticated besides. Return the body, with its tag.

        Raises `LocalProtocolError` when there is no authentication key.
        """
        encrypt = self._cipher(key).encrypt
        if control.authenticated:
            head = self._authenticated_head(control, extra)
            if control.encrypted:
                return encrypt(iv, apdu, head)[: TAG_LENGTH - _FULL_TAG_LENGTH]
            return apdu + encrypt(iv, b"", head + apdu)[:TAG_LENGTH]
        return (
            encrypt(iv, apdu, None)[:-_FULL_TAG_LENGTH] if control.encrypted else apdu
        )

    def unseal(
        self,
        key: bytes,
        control: SecurityControl,
        iv: bytes,
        body: bytes | memoryview,
        extra: bytes = b"",
    ) -> tuple[bytes, bool]:
        """Undo `seal`: return the APDU, and whether a tag was checked.

        Raises `SecurityError` when the tag is wrong, `DecodeError` when it is cut off.
        """
        encrypt = self._cipher(key).encrypt
        authenticated, encrypted = control.authenticated, control.encrypted
        length = len(body) - TAG_LENGTH * authenticated
        if length < 0:
            raise DecodeError(f"a tag of {len(body)} octets, not {TAG_LENGTH}")
        # The tag is decrypted along with the rest, and cut off then: one copy less.
        apdu = encrypt(iv, body, None)[:length] if encrypted else bytes(body[:length])
        if not authenticated or self._authentication_key is None:
            return apdu, False
        head = self._heads.get(control)
        if head is None or extra:
            head = self._authenticated_head(control, extra)
        again = encrypt(iv, apdu, head) if encrypted else encrypt(iv, b"", head + apdu)
        tag = again[-_FULL_TAG_LENGTH : TAG_LENGTH - _FULL_TAG_LENGTH]
        if not compare_digest(body[length:], tag):
            raise SecurityError(
                "What the meter sends fails its check: check the encryption key, the authentication key and the "
                f"meter's system title ({iv[:-4].hex(' ').upper()})"
            )
        return apdu, True

    def short_way(
        self,
        octets: bytes,
        apdu: bytes,
        control: SecurityControl,
        sender: Sender,
        received: dict[Sender, bytes],
    ) -> ShortWay:
        """Return what opens more messages like `octets`, which is encrypted, has a tag, and was opened the plain way.

        They are as long and begin alike, up to the invocation counter; so do their APDUs, up to the service. `received`
        has the last counter of each sender, and is kept so. On 128 octets 2.1 µs in place of 5.4, on 16 kB 5.8 of 9.8.
        """
        title, key, _ = sender
        cipher, head = self._cipher(key), self._authenticated_head(control, b"")
        encrypt, encrypt_into = cipher.encrypt, cipher.encrypt_into
        length, service = len(apdu), apdu[:1]
        end = len(octets) - TAG_LENGTH
        body = end - length
        start = body - _COUNTER_LENGTH
        beginning = octets[:start]
        again = bytearray(length + _FULL_TAG_LENGTH)
        tag = memoryview(again)[length : length + TAG_LENGTH]

        def open_(octets: bytes) -> bytes | None:
            if not octets.startswith(beginning):
                return None
            counter = octets[start:body]
            iv = title + counter
            apdu = encrypt(iv, memoryview(octets)[body:], None)[:length]
            encrypt_into(iv, apdu, head, again)
            if (
                compare_digest(octets[end:], tag)
                and apdu.startswith(service)
                and counter > received[sender]
            ):
                received[sender] = counter
                return apdu
            return None

        return open_

    def _authenticated_head(self, control: SecurityControl, extra: bytes) -> bytes:
        head = self._heads.get(control)
        if head is None:
            key = given(self._authentication_key, "authentication key")
            head = self._heads[control] = bytes((control,)) + key
        return head + extra
