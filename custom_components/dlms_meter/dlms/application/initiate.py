"""xDLMS-Initiate: what the two sides agree on when an association begins (Green Book, COSEM APDUs)."""

from dataclasses import dataclass, field
from typing import ClassVar, Self

from ..codec.cursor import Reader, encode_length
from .enums import Conformance
from .fields import read_flag, read_presence

DLMS_VERSION = 6
LOGICAL_NAME_VAA = 0x0007
SHORT_NAME_VAA = 0xFA00

_CONFORMANCE_TAG = 0x5F  # [APPLICATION 31]: the number does not fit the tag octet,
_CONFORMANCE_TAG_NUMBER = (
    0x1F  # so it follows in one more, which older meters leave out.
)
_CONFORMANCE_LENGTH = 4
_NO_UNUSED_BITS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateRequest:
    """What the client proposes."""

    TAG: ClassVar = 0x01

    conformance: Conformance
    max_receive_pdu_size: int = 0xFFFF
    """Octets of the largest APDU the client takes; 0 means any."""
    dedicated_key: bytes | None = field(default=None, repr=False)
    response_allowed: bool = True
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION
    short_conformance_tag: bool = False
    """Write the conformance block as `5F 04`, as some older meters want, not as `5F 1F 04`."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "initiate-request")
        dedicated_key = (
            reader.octets() if read_presence(reader, "dedicated key") else None
        )
        response_allowed = (
            read_flag(reader) if read_presence(reader, "response allowed") else True
        )
        quality_of_service = (
            reader.uint8() if read_presence(reader, "quality of service") else None
        )
        dlms_version = reader.uint8()
        conformance, short_tag = _read_conformance(reader)
        return cls(
            conformance=conformance,
            max_receive_pdu_size=reader.uint16(),
            dedicated_key=dedicated_key,
            response_allowed=response_allowed,
            quality_of_service=quality_of_service,
            dlms_version=dlms_version,
            short_conformance_tag=short_tag,
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        key = self.dedicated_key
        return b"".join(
            (
                bytes((self.TAG,)),
                b"\x00" if key is None else b"\x01" + encode_length(len(key)) + key,
                b"\x00" if self.response_allowed else b"\x01\x00",
                _encode_quality_of_service(self.quality_of_service),
                bytes((self.dlms_version,)),
                _encode_conformance(
                    self.conformance, short_tag=self.short_conformance_tag
                ),
                self.max_receive_pdu_size.to_bytes(2),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiateResponse:
    """What the meter agreed to."""

    TAG: ClassVar = 0x08

    conformance: Conformance
    max_receive_pdu_size: int
    """Octets of the largest APDU the meter takes; 0 means any."""
    vaa_name: int = LOGICAL_NAME_VAA
    """0x0007 with logical names, 0xFA00 with short names; some meters always say 0x0007."""
    quality_of_service: int | None = None
    dlms_version: int = DLMS_VERSION
    short_conformance_tag: bool = False

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "initiate-response")
        quality_of_service = (
            reader.uint8() if read_presence(reader, "quality of service") else None
        )
        dlms_version = reader.uint8()
        conformance, short_tag = _read_conformance(reader)
        return cls(
            conformance=conformance,
            max_receive_pdu_size=reader.uint16(),
            vaa_name=reader.uint16(),
            quality_of_service=quality_of_service,
            dlms_version=dlms_version,
            short_conformance_tag=short_tag,
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        return b"".join(
            (
                bytes((self.TAG,)),
                _encode_quality_of_service(self.quality_of_service),
                bytes((self.dlms_version,)),
                _encode_conformance(
                    self.conformance, short_tag=self.short_conformance_tag
                ),
                self.max_receive_pdu_size.to_bytes(2),
                self.vaa_name.to_bytes(2),
            )
        )


def _read_conformance(reader: Reader) -> tuple[Conformance, bool]:
    """Read the block; also tell whether its tag came in the short form."""
    reader.expect(_CONFORMANCE_TAG, "conformance")
    # Older meters write `5F 04` where the standard has `5F 1F 04`, in requests and in responses.
    short_tag = reader.peek() != _CONFORMANCE_TAG_NUMBER
    if not short_tag:
        reader.advance(1)
    reader.expect(_CONFORMANCE_LENGTH, "length of the conformance block")
    reader.expect(_NO_UNUSED_BITS, "unused bits of the conformance block")
    return Conformance(int.from_bytes(reader.take(3))), short_tag


def _encode_conformance(conformance: Conformance, *, short_tag: bool) -> bytes:
    tag = (
        (_CONFORMANCE_TAG,)
        if short_tag
        else (_CONFORMANCE_TAG, _CONFORMANCE_TAG_NUMBER)
    )
    return bytes((*tag, _CONFORMANCE_LENGTH, _NO_UNUSED_BITS)) + conformance.to_bytes(3)


def _encode_quality_of_service(quality_of_service: int | None) -> bytes:
    return b"\x00" if quality_of_service is None else bytes((1, quality_of_service))
