"""The security context of an association: it puts APDUs into envelopes and takes them out (Green Book, information security).

Imported where it is first needed: `cryptography` takes longer to load than all the rest of this client.
"""

from typing import NamedTuple

from ..codec.cursor import Reader
from ..errors import DecodeError, LocalProtocolError, MessageRepeated, SecurityError
from .aes_gcm import AesGcm, Sender, ShortWay
from .ciphering import (
    TAG_LENGTH,
    Ciphered,
    GeneralCiphering,
    GeneralHeader,
    GeneralKeySetCiphering,
    GeneralSigning,
    SecurityControl,
    ServiceCiphering,
    decode_envelope,
)
from .elliptic_curves import is_signed, sign
from .envelope_tags import KeySet, is_envelope
from .invocation_counter import InvocationCounter
from .message_keys import find_key, make_key
from .notification import NOTIFICATION_TAGS
from .security_settings import (
    SYSTEM_TITLE_LENGTH,
    Enveloping,
    SecurityPolicy,
    SecuritySettings,
    check_system_title,
    given,
)

# Octets that protection adds at most: titles, header, lengths, tag, and what tells the key.
_OVERHEADS = {
    Enveloping.SERVICE: 31,  # 22, but some services have no envelope of their own
    Enveloping.GENERAL: 31,
    Enveloping.IDENTIFIED_KEY: 54,
    Enveloping.WRAPPED_KEY: 95,
    Enveloping.ONE_PASS_DIFFIE_HELLMAN: 250,
    Enveloping.STATIC_UNIFIED_MODEL: 56,
}
_OVERHEAD_OF_SIGNING = 131

_new = tuple.__new__  # as in axdr
_NOT_WHAT_IT_SAYS = "What the meter sends does not decrypt to what its envelope says: check the encryption key"

_MOST_KEYS = 10_000
"""Keys one context may meet; only a meter that makes a new one for every message comes near."""

_MOST_SHORT_WAYS = 16
_ALL = SecurityPolicy.AUTHENTICATED | SecurityPolicy.ENCRYPTED
_BY_KEY_SET = (Enveloping.SERVICE, Enveloping.GENERAL)


class Opened(NamedTuple):
    """An APDU out of its envelopes."""

    apdu: bytes
    control: SecurityControl
    """What it was protected with."""
    authenticated: bool
    """Whether a tag or signature was checked: then it comes from the peer, and nobody has changed it."""


class SecurityContext:
    """Protects what one side of an association sends to the other, and opens what comes back.

    Serves both sides: for a meter, `server_…` in the settings means its peer, the client. `one_time_key` is 48 random
    octets; only enveloping with a wrapped or one-pass agreed key needs it.
    """

    def __init__(
        self,
        settings: SecuritySettings,
        system_title: bytes,
        counter: InvocationCounter,
        *,
        dedicated_key: bytes | None = None,
        one_time_key: bytes = b"",
    ) -> None:
        """Begin with the global keys; the peer's system title may follow with `meet`.

        Raises `LocalProtocolError` when ours is no system title.
        """
        check_system_title(system_title)
        self.settings = settings
        self.system_title = system_title
        self.peer_system_title = settings.server_system_title
        self.counter = counter
        """Counts our messages under the global unicast key, and under one-time keys."""
        self._dedicated_key = dedicated_key
        self.sends_dedicated = False
        """Whether we use the dedicated key too, not only understand it: from the moment the association stands."""
        self._one_time_key = one_time_key
        self._dedicated_counter = InvocationCounter(1, reserved=1 << 32)
        self._control = SecurityControl.of(settings.suite, settings.policy)
        self._demanded = int(settings.policy)
        self._gcm = AesGcm(settings.authentication_key)
        self._received: dict[Sender, bytes] = {}
        self._short_ways: dict[int, ShortWay] = {}
        """By the length of the messages they open."""

    def meet(self, system_title: bytes | None) -> None:
        """Learn the peer's system title, if it tells one.

        Raises `SecurityError` when it is none, or ours: the peer's messages could not be told from our own.
        """
        title = system_title or self.settings.server_system_title
        if title:
            self._check_title(title)
        self.peer_system_title = title
        self._short_ways.clear()

    @property
    def dedicated_key(self) -> bytes | None:
        """The key made for this association, if there is one."""
        return self._dedicated_key

    @dedicated_key.setter
    def dedicated_key(self, key: bytes | None) -> None:
        self._dedicated_key = key
        self._short_ways.clear()

    @property
    def overhead(self) -> int:
        """Octets that protection adds to an APDU at most."""
        signing = _OVERHEAD_OF_SIGNING if self.settings.signs else 0
        return _OVERHEADS[self.settings.enveloping] + signing

    def protect(self, apdu: bytes) -> bytes:
        """Put an APDU into its envelopes.

        Raises `LocalProtocolError` when a key is missing or no invocation counter was saved, `SecurityError` when the
        counter is used up.
        """
        settings = self.settings
        if settings.enveloping in _BY_KEY_SET:
            octets = self._protect_with_key_set(apdu)
        else:
            octets = self._protect_with_message_key(apdu)
        if not settings.signs:
            return octets
        unsigned = GeneralSigning(self._header(self.counter.take()), octets, b"")
        signature = sign(given(settings.signing_key, "signing key"), unsigned.signed)
        return GeneralSigning(unsigned.header, octets, signature).encode()

    def protect_initiate(self, apdu: bytes) -> bytes:
        """Put what an association begins or ends with into its envelope: always the glo- one, which all meters know.

        It is authenticated if possible, whatever the policy, as in the recorded session of a MEL meter that else only
        encrypts, and encrypted if there may be a key in it. Raises `LocalProtocolError` for anything else, and when no
        invocation counter was saved for it.
        """
        policy = self.settings.policy
        if self.settings.authentication_key is not None:
            policy |= SecurityPolicy.AUTHENTICATED
        if self.settings.use_dedicated_key:
            policy |= SecurityPolicy.ENCRYPTED
        control = SecurityControl.of(self.settings.suite, policy)
        content = self._seal(self._key(KeySet.GLOBAL), control, self.counter, apdu)
        envelope = ServiceCiphering.of(apdu[0], KeySet.GLOBAL, content)
        if envelope is None:
            raise LocalProtocolError(f"{apdu[:1].hex()} begins no association")
        return envelope.encode()

    def unprotect(self, octets: bytes) -> Opened:
        """Take an APDU out of its envelopes.

        Raises `SecurityError` when it cannot be opened or trusted: wrong key, wrong tag, less protected than the policy
        asks for, `MessageRepeated` when it came before; `DecodeError` when an envelope is malformed.
        """
        short_way = self._short_ways.get(len(octets))
        if short_way is not None and (apdu := short_way(octets)) is not None:
            return _new(Opened, (apdu, self._control, True))
        envelope = decode_envelope(octets)
        if not isinstance(envelope, GeneralSigning):
            return self._open(envelope, octets)
        signed = self._is_signed(envelope)
        if not is_envelope(envelope.content):
            self._demand(0)
            return Opened(envelope.content, SecurityControl(0), signed)
        inner = decode_envelope(envelope.content)
        if isinstance(inner, GeneralSigning):
            raise DecodeError("a signed message in a signed message")
        opened = self._open(inner, envelope.content)
        return opened._replace(authenticated=signed or opened.authenticated)

    def token(self, challenge: bytes) -> bytes:
        """Answer a challenge by GMAC: security header and tag.

        Raises `LocalProtocolError` when a key is missing.
        """
        key = given(self.settings.global_unicast_key, "global unicast key")
        control = SecurityControl.of(self.settings.suite, SecurityPolicy.AUTHENTICATED)
        sealed = self._seal(key, control, self.counter, challenge)
        _, header, body = sealed.parts()
        return header + body[-TAG_LENGTH:]

    def is_token(self, token: bytes, challenge: bytes) -> bool:
        """Tell whether the peer made this answer to our challenge.

        Its counter is not held against those of messages: the message it comes in has a later one. Raises
        `LocalProtocolError` when a key is missing, `SecurityError` when the peer's system title is.
        """
        key = given(self.settings.global_unicast_key, "global unicast key")
        given(self.settings.authentication_key, "authentication key")
        self._check_title(self.peer_system_title)
        reader = Reader(token)
        title = self.peer_system_title
        try:
            control = SecurityControl(reader.uint8())
            counter, tag = reader.take(4), reader.rest()
            _, authenticated = self._gcm.unseal(
                key, control, title + counter, challenge + tag
            )
        except DecodeError, SecurityError:
            return False
        return (
            authenticated
            and control.policy is SecurityPolicy.AUTHENTICATED
            and len(tag) == TAG_LENGTH
        )

    def _protect_with_key_set(self, apdu: bytes) -> bytes:
        key_set = KeySet.DEDICATED if self.sends_dedicated else KeySet.GLOBAL
        counter = self._dedicated_counter if self.sends_dedicated else self.counter
        content = self._seal(self._key(key_set), self._control, counter, apdu)
        if self.settings.enveloping is Enveloping.SERVICE:
            envelope = ServiceCiphering.of(apdu[0], key_set, content)
            if envelope is not None:  # some services have none of their own
                return envelope.encode()
        return GeneralKeySetCiphering(key_set, self.system_title, content).encode()

    def _protect_with_message_key(self, apdu: bytes) -> bytes:
        counter = self.counter.take()
        header = self._header(counter)
        key_info, key = make_key(self.settings, header, self._one_time_key)
        extra = self._authenticated_part(header)
        iv = self.system_title + counter.to_bytes(4)
        body = self._gcm.seal(key, self._control, iv, apdu, extra)
        content = Ciphered(self._control, counter, body)
        return GeneralCiphering(header, key_info, content).encode()

    def _seal(
        self,
        key: bytes,
        control: SecurityControl,
        counter: InvocationCounter,
        apdu: bytes,
    ) -> Ciphered:
        value = counter.take()
        iv = self.system_title + value.to_bytes(4)
        return Ciphered(control, value, self._gcm.seal(key, control, iv, apdu))

    def _header(self, transaction: int) -> GeneralHeader:
        return GeneralHeader(
            transaction.to_bytes(8), self.system_title, self.peer_system_title
        )

    def _authenticated_part(self, header: GeneralHeader) -> bytes:
        return header.encode() if self.settings.authenticates_general_header else b""

    def _open(
        self,
        envelope: ServiceCiphering | GeneralKeySetCiphering | GeneralCiphering,
        octets: bytes,
    ) -> Opened:
        title, extra = self.peer_system_title, b""
        if isinstance(envelope, GeneralCiphering):
            key = find_key(self.settings, envelope.header, envelope.key_info)
            title = envelope.header.originator_system_title or title
            extra = self._authenticated_part(envelope.header)
        else:
            key = self._key(envelope.key_set, envelope.content.control)
        if isinstance(envelope, GeneralKeySetCiphering):
            # Some meters leave their title out of what they push.
            title = envelope.system_title or title
        control = envelope.content.control
        self._demand(control)
        if control.compressed:
            raise SecurityError("The meter compresses its messages: not supported")
        counter = envelope.content.invocation_counter.to_bytes(4)
        self._check_title(title)
        apdu, authenticated = self._gcm.unseal(
            key, control, title + counter, envelope.content.body, extra
        )
        if isinstance(envelope, ServiceCiphering) and apdu[:1] != envelope.plain_tag:
            raise SecurityError(_NOT_WHAT_IT_SAYS)
        # What is said without being asked may overtake an answer of many segments or blocks that was protected before.
        sender = (title, key, apdu[:1] in NOTIFICATION_TAGS)
        self._refuse_replay(sender, counter)
        if (
            self._demanded == _ALL
            and control == self._control
            and not isinstance(envelope, GeneralCiphering)  # no two begin alike
        ):
            self._keep_short_way(octets, apdu, sender)
        return Opened(apdu, control, authenticated)

    def _keep_short_way(self, octets: bytes, apdu: bytes, sender: Sender) -> None:
        """Keep how to open what nearly all meters send: messages in glo- envelopes, protected as ours are."""
        if len(self._short_ways) >= _MOST_SHORT_WAYS:
            self._short_ways.clear()
        self._short_ways[len(octets)] = self._gcm.short_way(
            octets, apdu, self._control, sender, self._received
        )

    def _key(self, key_set: KeySet, control: SecurityControl | None = None) -> bytes:
        if key_set is KeySet.DEDICATED:
            key, name = self.dedicated_key, "dedicated key"
        elif control is not None and control.broadcast_key:
            key, name = self.settings.broadcast_key, "broadcast key"
        else:
            key, name = self.settings.global_unicast_key, "global unicast key"
        if key is None:
            raise SecurityError(f"The {name} is needed, but there is none")
        return key

    def _is_signed(self, envelope: GeneralSigning) -> bool:
        """Check a signature; without the meter's public key, its messages are taken as unsigned."""
        self._check_title(envelope.header.originator_system_title)
        key = self.settings.server_signing_key
        if key is None:
            return False
        if not is_signed(key, envelope.signed, envelope.signature):
            raise SecurityError(
                "What the meter sends is not signed by it: check the meter's signing key"
            )
        return True

    def _demand(self, control: int) -> None:
        missing = self._demanded & ~control
        if missing:
            raise SecurityError(
                f"The meter answers without what the security policy asks for: {SecurityPolicy(missing).name}"
            )

    def _check_title(self, title: bytes) -> None:
        if len(title) != SYSTEM_TITLE_LENGTH:
            raise SecurityError(
                f"The meter tells no system title of {SYSTEM_TITLE_LENGTH} octets: give it in the settings"
            )
        if title == self.system_title:
            raise SecurityError(
                f"The meter uses our own system title, {title.hex(' ').upper()}: choose another for this client"
            )

    def _refuse_replay(self, sender: Sender, counter: bytes) -> None:
        """Take each counter of a sender once, and only in rising order."""
        received = self._received
        last = received.get(sender)
        if last is None:
            if len(received) >= _MOST_KEYS:
                raise SecurityError(
                    f"The meter has used {_MOST_KEYS} keys: a new association is needed"
                )
        elif counter <= last:
            raise MessageRepeated(
                f"A message with invocation counter {int.from_bytes(counter)} came after the one with {int.from_bytes(last)}: "
                "somebody repeats old messages"
            )
        received[sender] = counter
