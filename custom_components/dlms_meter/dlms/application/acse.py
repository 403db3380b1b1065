"""ACSE: the request and the answer that begin an association, and those that end it.

BER, fields in the order of the standard (Green Book, COSEM APDUs, ACSE-APDU; ISO/IEC 8650). Fields that say
nothing to DLMS (protocol version, which L+G meters send first, and the invocation identifiers) are passed over.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Self

from ..codec.ber import (
    encode_integer,
    encode_object_identifier,
    read_integer,
    read_object_identifier,
    read_tlv,
    tlv,
)
from ..codec.cursor import Reader
from ..errors import DecodeError
from .enums import (
    ApplicationContext,
    AssociationResult,
    Code,
    Mechanism,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)

type Diagnostic = UserDiagnostic | ProviderDiagnostic
type _Fields = dict[int, Reader]

# Context-specific tags of the fields: the number in the low five bits, 0x20 for contents that are tagged again.
_REASON = 0x80
_CALLED_ACSE_REQUIREMENTS = 0x88
_CALLED_MECHANISM_NAME = 0x89
_CALLING_ACSE_REQUIREMENTS = 0x8A
_CALLING_MECHANISM_NAME = 0x8B
_APPLICATION_CONTEXT_NAME = 0xA1
_RESULT = 0xA2
_RESULT_SOURCE_DIAGNOSTIC = 0xA3
_RESPONDING_AP_TITLE = 0xA4
_CALLING_AP_TITLE = 0xA6
_RESPONDING_AUTHENTICATION_VALUE = 0xAA
_CALLING_AUTHENTICATION_VALUE = 0xAC
_USER_INFORMATION = 0xBE

# Tags inside those fields.
_INTEGER = 0x02
_OCTET_STRING = 0x04
_OBJECT_IDENTIFIER = 0x06
_CHARSTRING = 0x80
_DIAGNOSTICS: dict[int, type[UserDiagnostic | ProviderDiagnostic]] = {
    0xA1: UserDiagnostic,
    0xA2: ProviderDiagnostic,
}

_DLMS_UA = (2, 16, 756, 5, 8)  # the arcs above all names DLMS UA gives
_CONTEXT_NAMES = 1
_MECHANISM_NAMES = 2
_AUTHENTICATION_FUNCTIONAL_UNIT = b"\x07\x80"  # bit-string of one bit, set

_RESPONSE_LLC = b"\xe6\xe7\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aarq:
    """The client asks for an association."""

    TAG: ClassVar = 0x60

    application_context: ApplicationContext
    calling_ap_title: bytes | None = None
    """The client's system title."""
    mechanism: Mechanism = Mechanism.NONE
    authentication_value: bytes | None = field(default=None, repr=False)
    """The password of LLS, the challenge (CtoS) of HLS."""
    user_information: bytes | None = field(default=None, repr=False)
    """The InitiateRequest, encoded, perhaps ciphered; a dedicated key may be in it."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "AARQ")
        fields = _read_sound_fields(reader)
        return cls(
            application_context=_read_application_context(fields),
            calling_ap_title=_octets(fields, _CALLING_AP_TITLE),
            mechanism=_read_mechanism(fields, _CALLING_MECHANISM_NAME),
            authentication_value=_octets(fields, _CALLING_AUTHENTICATION_VALUE),
            user_information=_octets(fields, _USER_INFORMATION),
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        fields = _encode_application_context(self.application_context)
        fields += _optional(_CALLING_AP_TITLE, _OCTET_STRING, self.calling_ap_title)
        fields += _encode_mechanism(
            _CALLING_ACSE_REQUIREMENTS, _CALLING_MECHANISM_NAME, self.mechanism
        )
        fields += _optional(
            _CALLING_AUTHENTICATION_VALUE, _CHARSTRING, self.authentication_value
        )
        fields += _optional(_USER_INFORMATION, _OCTET_STRING, self.user_information)
        return tlv(self.TAG, fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aare:
    """The meter grants the association or refuses it."""

    TAG: ClassVar = 0x61

    application_context: ApplicationContext
    result: AssociationResult
    diagnostic: Diagnostic
    responding_ap_title: bytes | None = None
    """The meter's system title."""
    mechanism: Mechanism = Mechanism.NONE
    authentication_value: bytes | None = field(default=None, repr=False)
    """The meter's challenge (StoC) of HLS."""
    user_information: bytes | None = None
    """The InitiateResponse or a ConfirmedServiceError, encoded, perhaps ciphered; L+G meters refuse without any."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included, to the last octet.

        A refusal is taken for what it says even where its lengths are wrong or its end is missing. Raises `DecodeError`.
        """
        reader.expect(cls.TAG, "AARE")
        fields, fault = _read_fields(_skip_broken_start(reader))
        result = _read_code(fields, _RESULT, AssociationResult)
        if fault is not None and result is AssociationResult.ACCEPTED:
            raise fault
        return cls(
            application_context=_read_application_context(fields),
            result=result,
            diagnostic=_read_diagnostic(fields),
            responding_ap_title=_octets(fields, _RESPONDING_AP_TITLE),
            mechanism=_read_mechanism(fields, _CALLED_MECHANISM_NAME),
            authentication_value=_octets(fields, _RESPONDING_AUTHENTICATION_VALUE),
            user_information=_octets(fields, _USER_INFORMATION),
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        source = next(
            tag
            for tag, codes in _DIAGNOSTICS.items()
            if isinstance(self.diagnostic, codes)
        )
        fields = _encode_application_context(self.application_context)
        fields += tlv(_RESULT, _encode_code(self.result))
        fields += tlv(
            _RESULT_SOURCE_DIAGNOSTIC, tlv(source, _encode_code(self.diagnostic))
        )
        fields += _optional(
            _RESPONDING_AP_TITLE, _OCTET_STRING, self.responding_ap_title
        )
        fields += _encode_mechanism(
            _CALLED_ACSE_REQUIREMENTS, _CALLED_MECHANISM_NAME, self.mechanism
        )
        fields += _optional(
            _RESPONDING_AUTHENTICATION_VALUE, _CHARSTRING, self.authentication_value
        )
        fields += _optional(_USER_INFORMATION, _OCTET_STRING, self.user_information)
        return tlv(self.TAG, fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlrq:
    """The client asks for the end of the association."""

    TAG: ClassVar = 0x62

    reason: ReleaseRequestReason | None = ReleaseRequestReason.NORMAL
    user_information: bytes | None = field(default=None, repr=False)
    """In a ciphered association the InitiateRequest again, ciphered."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "RLRQ")
        fields = _read_sound_fields(reader)
        reason = (
            ReleaseRequestReason(_code(fields[_REASON])) if _REASON in fields else None
        )
        return cls(reason=reason, user_information=_octets(fields, _USER_INFORMATION))

    def encode(self) -> bytes:
        """Encode the APDU."""
        reason = (
            b"" if self.reason is None else tlv(_REASON, encode_integer(self.reason))
        )
        return tlv(
            self.TAG,
            reason + _optional(_USER_INFORMATION, _OCTET_STRING, self.user_information),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rlre:
    """The meter grants the end of the association."""

    TAG: ClassVar = 0x63

    reason: ReleaseResponseReason | None = ReleaseResponseReason.NORMAL
    user_information: bytes | None = None

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included, to the last octet.

        The tag says all: servers were seen to send a wrong length (Gurux counts only the user information), and
        fields that cannot be read are taken as absent. Raises `DecodeError`.
        """
        reader.expect(cls.TAG, "RLRE")
        fields, _ = _read_fields(reader)
        try:
            reason = (
                ReleaseResponseReason(_code(fields[_REASON]))
                if _REASON in fields
                else None
            )
            return cls(
                reason=reason, user_information=_octets(fields, _USER_INFORMATION)
            )
        except DecodeError:
            return cls(reason=None)

    def encode(self) -> bytes:
        """Encode the APDU."""
        reason = (
            b"" if self.reason is None else tlv(_REASON, encode_integer(self.reason))
        )
        return tlv(
            self.TAG,
            reason + _optional(_USER_INFORMATION, _OCTET_STRING, self.user_information),
        )


def _skip_broken_start(reader: Reader) -> Reader:
    """Step over an AARE that was begun, given up, and begun again.

    A Gurux server over HDLC, when it refuses: length 00, some fields, then a second LLC and the whole AARE.
    """
    again = reader.data.find(
        _RESPONSE_LLC + bytes((Aare.TAG,)), reader.offset, reader.end
    )
    if reader.remaining and reader.peek() == 0 and again >= 0:
        reader.advance(again + len(_RESPONSE_LLC) + 1 - reader.offset)
    return reader


def _read_sound_fields(reader: Reader) -> _Fields:
    fields, fault = _read_fields(reader)
    if fault is not None:
        raise fault
    return fields


def _read_fields(reader: Reader) -> tuple[_Fields, DecodeError | None]:
    """Read a length and the fields up to the last octet; also return the first thing wrong with them."""
    fields: _Fields = {}
    try:
        length = reader.length()
        start = reader.offset
        while reader.remaining:
            tag, contents = read_tlv(reader)
            fields.setdefault(tag, contents)
    except DecodeError as fault:
        reader.rest()
        return fields, fault
    if length != reader.offset - start:
        return fields, DecodeError(
            f"length {length} where {reader.offset - start} octets follow", start
        )
    return fields, None


def _inner(contents: Reader, tag: int | None = None) -> tuple[int, Reader]:
    """Read the one element inside a field."""
    found, inner = read_tlv(contents)
    if tag is not None and found != tag:
        raise DecodeError(f"{tag:02X} expected, {found:02X} found", contents.offset)
    return found, inner


def _octets(fields: _Fields, tag: int) -> bytes | None:
    """Return what is inside a field, whatever kind of string it is said to be."""
    return _inner(fields[tag])[1].rest() if tag in fields else None


def _optional(tag: int, inner_tag: int, octets: bytes | None) -> bytes:
    return b"" if octets is None else tlv(tag, tlv(inner_tag, octets))


def _code(contents: Reader) -> int:
    value = read_integer(contents)
    if not 0 <= value <= 0xFF:
        raise DecodeError(f"{value} is no code of one octet", contents.offset)
    return value


def _read_code[C: Code](fields: _Fields, tag: int, codes: type[C]) -> C:
    if tag not in fields:
        raise DecodeError(f"AARE without {codes.__name__}")
    return codes(_code(_inner(fields[tag], _INTEGER)[1]))


def _encode_code(code: Code) -> bytes:
    return tlv(_INTEGER, encode_integer(code))


def _read_diagnostic(fields: _Fields) -> Diagnostic:
    if _RESULT_SOURCE_DIAGNOSTIC not in fields:
        return UserDiagnostic.NULL
    source, contents = _inner(fields[_RESULT_SOURCE_DIAGNOSTIC])
    codes = _DIAGNOSTICS.get(source)
    if codes is None:
        raise DecodeError(f"{source:02X} is no source of a diagnostic", contents.offset)
    return codes(_code(_inner(contents, _INTEGER)[1]))


def _read_application_context(fields: _Fields) -> ApplicationContext:
    if _APPLICATION_CONTEXT_NAME not in fields:
        return ApplicationContext.OTHER
    contents = _inner(fields[_APPLICATION_CONTEXT_NAME], _OBJECT_IDENTIFIER)[1]
    return _named(
        contents, _CONTEXT_NAMES, ApplicationContext, ApplicationContext.OTHER
    )


def _encode_application_context(context: ApplicationContext) -> bytes:
    name = encode_object_identifier((*_DLMS_UA, _CONTEXT_NAMES, context))
    return tlv(_APPLICATION_CONTEXT_NAME, tlv(_OBJECT_IDENTIFIER, name))


def _read_mechanism(fields: _Fields, tag: int) -> Mechanism:
    if tag not in fields:
        return Mechanism.NONE
    return _named(fields[tag], _MECHANISM_NAMES, Mechanism, Mechanism.OTHER)


def _encode_mechanism(
    requirements_tag: int, name_tag: int, mechanism: Mechanism
) -> bytes:
    if mechanism is Mechanism.NONE:
        return b""
    name = encode_object_identifier((*_DLMS_UA, _MECHANISM_NAMES, mechanism))
    return tlv(requirements_tag, _AUTHENTICATION_FUNCTIONAL_UNIT) + tlv(name_tag, name)


def _named[C: Code](contents: Reader, names: int, codes: type[C], other: C) -> C:
    """Return the code an object identifier of DLMS UA ends with; `other` for any other object identifier."""
    *arcs, last = read_object_identifier(contents)
    return codes(last) if tuple(arcs) == (*_DLMS_UA, names) and last <= 0xFF else other
