"""The envelopes of protected APDUs, as octets: glo-, ded- and the general ones (Green Book, COSEM APDUs).

What is inside is made and opened by `security.py`; nothing here knows a key.
"""

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, NamedTuple, Self

from ..codec.cursor import Reader, encode_length
from ..errors import DecodeError
from .envelope_tags import (
    GENERAL_CIPHERING,
    GENERAL_SIGNING,
    GENERAL_TAGS,
    SERVICE_TAGS,
    SERVICES,
    KeySet,
    is_envelope,
)
from .fields import read_presence
from .security_settings import SecurityPolicy, SecuritySuite

TAG_LENGTH = 12
"""Octets of the authentication tag, in all security suites."""

_HEADER = Struct(">BI")  # security control and invocation counter
_HEADER_LENGTH = _HEADER.size

# Bits of the security control octet.
_SUITE = 0x0F
_AUTHENTICATED = int(SecurityPolicy.AUTHENTICATED)
_ENCRYPTED = int(SecurityPolicy.ENCRYPTED)
_BROADCAST_KEY = 0x40
_COMPRESSED = 0x80


class SecurityControl(int):
    """The octet before each protected message: suite, what protects it, and with which of the global keys."""

    __slots__ = ()

    @classmethod
    def of(
        cls, suite: SecuritySuite, policy: SecurityPolicy, *, broadcast: bool = False
    ) -> Self:
        """Compose the octet."""
        return cls(suite | policy | _BROADCAST_KEY * broadcast)

    @property
    def suite(self) -> int:
        """The number of the security suite."""
        return self & _SUITE

    @property
    def policy(self) -> SecurityPolicy:
        """What protects the message; the two bits below tell it faster."""
        return SecurityPolicy(self & (_AUTHENTICATED | _ENCRYPTED))

    @property
    def authenticated(self) -> bool:
        """Whether a tag follows the message."""
        return self & _AUTHENTICATED != 0

    @property
    def encrypted(self) -> bool:
        """Whether the message is encrypted."""
        return self & _ENCRYPTED != 0

    @property
    def broadcast_key(self) -> bool:
        """Whether the global broadcast key is used, not the unicast key."""
        return self & _BROADCAST_KEY != 0

    @property
    def compressed(self) -> bool:
        """Whether the APDU was compressed before it was protected."""
        return self & _COMPRESSED != 0


class Ciphered(NamedTuple):
    """A protected APDU: security header, then cipher text (or the APDU in clear) and the tag, if there is one.

    The end of every envelope that has one.
    """

    control: SecurityControl
    invocation_counter: int
    body: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the length, and all that follows. Raises `DecodeError`."""
        length = reader.length()
        follow = reader.remaining
        if follow < _HEADER_LENGTH or (
            length != follow
            # MEL meters count the 12 octets of a tag that is not there when they only encrypt.
            and (length != follow + TAG_LENGTH or reader.peek() & _AUTHENTICATED)
        ):
            raise DecodeError(
                f"protected APDU of {length} octets where {follow} follow",
                reader.offset,
            )
        control, counter = _HEADER.unpack_from(
            reader.data, reader.advance(_HEADER_LENGTH)
        )
        return cls(SecurityControl(control), counter, reader.rest())

    def parts(self) -> tuple[bytes, bytes, bytes]:
        """Encode, in pieces for `join`: length, security header, body."""
        return (
            encode_length(_HEADER_LENGTH + len(self.body)),
            _HEADER.pack(self.control, self.invocation_counter),
            self.body,
        )


class ServiceCiphering(NamedTuple):
    """glo- or ded- and the name of a service: the tag tells the service and the key set."""

    tag: int
    content: Ciphered

    @classmethod
    def of(cls, plain_tag: int, key_set: KeySet, content: Ciphered) -> Self | None:
        """Make the envelope for an APDU with this tag; None when the standard has none for it."""
        tags = SERVICE_TAGS.get(plain_tag)
        return None if tags is None else cls(tags[key_set], content)

    @property
    def key_set(self) -> KeySet:
        """Whose key protects it."""
        return SERVICES[self.tag][0]

    @property
    def plain_tag(self) -> bytes:
        """The first octet of the APDU inside."""
        return SERVICES[self.tag][1]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        tag = reader.uint8()
        if tag not in SERVICES:
            raise DecodeError(f"{tag:02X} is no glo- or ded- APDU", reader.offset - 1)
        return cls(tag, Ciphered.decode(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        return b"".join((bytes((self.tag,)), *self.content.parts()))


class GeneralKeySetCiphering(NamedTuple):
    """general-glo-ciphering and general-ded-ciphering: any APDU, protected with the keys of a key set."""

    key_set: KeySet
    system_title: bytes
    """The sender's; empty where it is known."""
    content: Ciphered

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        key_set = GENERAL_TAGS.get(reader.uint8())
        if key_set is None:
            raise DecodeError(
                "neither general-glo- nor general-ded-ciphering", reader.offset - 1
            )
        return cls(key_set, reader.octets(), Ciphered.decode(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        tag = next(tag for tag, keys in GENERAL_TAGS.items() if keys is self.key_set)
        return b"".join(
            (bytes((tag,)), _octets(self.system_title), *self.content.parts())
        )


class GeneralHeader(NamedTuple):
    """From whom to whom a general-ciphering or general-signing message is; fields may be empty."""

    transaction_id: bytes
    originator_system_title: bytes
    recipient_system_title: bytes
    date_time: bytes = b""
    other_information: bytes = b""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the five fields. Raises `DecodeError`."""
        return cls(*[reader.octets() for _ in cls._fields])

    def encode(self) -> bytes:
        """Encode the five fields, each with its length."""
        return b"".join(map(_octets, self))


@dataclass(frozen=True, slots=True)
class IdentifiedKey:
    """The key is one both sides have: 0 the global unicast key, 1 the global broadcast key."""

    CHOICE: ClassVar = 0

    key_id: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(reader.uint8())

    def encode(self) -> bytes:
        """Encode what follows the CHOICE."""
        return bytes((self.key_id,))


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The key comes along, wrapped under a key both sides have: 0 the master key."""

    CHOICE: ClassVar = 1

    kek_id: int
    wrapped_key: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(reader.uint8(), reader.octets())

    def encode(self) -> bytes:
        """Encode what follows the CHOICE."""
        return bytes((self.kek_id,)) + _octets(self.wrapped_key)


@dataclass(frozen=True, slots=True)
class AgreedKey:
    """The key follows from key agreement: parameters 01 one-pass Diffie-Hellman, 02 static unified model."""

    CHOICE: ClassVar = 2

    parameters: bytes
    ciphered_data: bytes
    """With 01, the ephemeral public key and its signature."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read what follows the CHOICE. Raises `DecodeError`."""
        return cls(reader.octets(), reader.octets())

    def encode(self) -> bytes:
        """Encode what follows the CHOICE."""
        return _octets(self.parameters) + _octets(self.ciphered_data)


type KeyInfo = IdentifiedKey | WrappedKey | AgreedKey

_KEY_INFOS: dict[int, type[KeyInfo]] = {
    choice.CHOICE: choice for choice in (IdentifiedKey, WrappedKey, AgreedKey)
}


@dataclass(frozen=True, slots=True)
class GeneralCiphering:
    """Any APDU, for any recipient, with the key named, brought along or agreed upon."""

    TAG: ClassVar = GENERAL_CIPHERING

    header: GeneralHeader
    key_info: KeyInfo | None
    content: Ciphered

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "general-ciphering")
        header = GeneralHeader.decode(reader)
        key_info = (
            _read_key_info(reader) if read_presence(reader, "key information") else None
        )
        return cls(header, key_info, Ciphered.decode(reader))

    def encode(self) -> bytes:
        """Encode the APDU."""
        key_info = (
            b"\x00"
            if self.key_info is None
            else bytes((1, self.key_info.CHOICE)) + self.key_info.encode()
        )
        return b"".join(
            (bytes((self.TAG,)), self.header.encode(), key_info, *self.content.parts())
        )


@dataclass(frozen=True, slots=True)
class GeneralSigning:
    """Any APDU, plain or protected, with a signature: r and s, one after the other."""

    TAG: ClassVar = GENERAL_SIGNING

    header: GeneralHeader
    content: bytes
    signature: bytes

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "general-signing")
        return cls(GeneralHeader.decode(reader), reader.octets(), reader.octets())

    def encode(self) -> bytes:
        """Encode the APDU."""
        return b"".join(
            (
                bytes((self.TAG,)),
                self.header.encode(),
                _octets(self.content),
                _octets(self.signature),
            )
        )

    @property
    def signed(self) -> bytes:
        """The octets the signature is for: the header, and the content without its length."""
        return self.header.encode() + self.content


type Envelope = (
    ServiceCiphering | GeneralKeySetCiphering | GeneralCiphering | GeneralSigning
)

_ENVELOPES: dict[int, type[Envelope]] = {
    **dict.fromkeys(SERVICES, ServiceCiphering),
    **dict.fromkeys(GENERAL_TAGS, GeneralKeySetCiphering),
    GeneralCiphering.TAG: GeneralCiphering,
    GeneralSigning.TAG: GeneralSigning,
}


def decode_envelope(octets: bytes) -> Envelope:
    """Decode a protected or signed APDU. Raises `DecodeError`."""
    if not is_envelope(octets):
        raise DecodeError(f"{octets[:1].hex().upper() or 'nothing'} is no envelope", 0)
    reader = Reader(octets)
    envelope = _ENVELOPES[octets[0]].decode(reader)
    reader.finish(type(envelope).__name__)
    return envelope


def _read_key_info(reader: Reader) -> KeyInfo:
    choice = _KEY_INFOS.get(reader.uint8())
    if choice is None:
        raise DecodeError(
            "key information is neither identified, wrapped nor agreed",
            reader.offset - 1,
        )
    return choice.decode(reader)


def _octets(octets: bytes) -> bytes:
    return encode_length(len(octets)) + octets
