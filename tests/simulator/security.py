"""Ciphering and HLS of the simulated meter: what stands between the line and its application.

`SecureServer` takes protection off what the client sends and puts it on what the application answers, and lets nobody
in who has not answered the challenge. The application sees plain APDUs only.
"""

from dataclasses import replace
from random import Random
from typing import Protocol

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.action import (
    ActionOutcome,
    ActionRequestNormal,
    ActionResponseNormal,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.authentication import (
    Handshake,
    challenge_length,
    is_hls,
    is_proven,
    proof,
)
from custom_components.dlms_meter.dlms.application.ciphering import (
    GeneralSigning,
    decode_envelope,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    ApplicationContext,
    AssociationResult,
    DataAccessResult,
    ExceptionServiceError,
    ExceptionStateError,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.envelope_tags import (
    KeySet,
    is_envelope,
)
from custom_components.dlms_meter.dlms.application.failure import ExceptionResponse
from custom_components.dlms_meter.dlms.application.high_level_security import (
    REPLY_TO_HLS,
    REPLY_TO_HLS_NAME,
)
from custom_components.dlms_meter.dlms.application.initiate import InitiateRequest
from custom_components.dlms_meter.dlms.application.security import SecurityContext
from custom_components.dlms_meter.dlms.application.short_name import (
    ParameterizedAccess,
    ReadRequest,
    ReadResponse,
    VariableName,
    WriteRequest,
    WriteResponse,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.errors import DecodeError, DlmsError

from .meter import Meter
from .settings import ClientRule

_IN_CLEAR = {
    ApplicationContext.LOGICAL_NAME_CIPHERED: ApplicationContext.LOGICAL_NAME,
    ApplicationContext.SHORT_NAME_CIPHERED: ApplicationContext.SHORT_NAME,
}
_ONE_TIME_KEY_LENGTH = 48
_READS_PROOF = ReadRequest((VariableName(REPLY_TO_HLS_NAME),)).encode()
_CONTEXT_REFUSED = Aare(
    application_context=ApplicationContext.LOGICAL_NAME,
    result=AssociationResult.REJECTED_PERMANENT,
    diagnostic=UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
).encode()


def _exception(error: ExceptionServiceError, counter: int | None = None) -> bytes:
    state = ExceptionStateError.SERVICE_NOT_ALLOWED
    return ExceptionResponse(state, error, counter).encode()


class _Refused(Exception):
    """A message is not opened; what the meter says to it, None for nothing."""

    def __init__(self, answer: bytes | None) -> None:
        super().__init__(answer)
        self.answer = answer


class Application(Protocol):
    """What is behind: plain APDUs in, plain APDUs out."""

    @property
    def client_sap(self) -> int: ...

    @property
    def associated(self) -> bool: ...

    def handle(self, apdu: bytes) -> bytes | None: ...


class SecureServer:
    """What one client talks to: an APDU in, at most one out."""

    def __init__(self, application: Application, meter: Meter) -> None:
        self._application = application
        self._meter = meter
        self._random = Random(meter.settings.seed)
        self._rule: ClientRule | None = None
        self._security: SecurityContext | None = None
        self._ciphered = False
        self._handshake: Handshake | None = None
        self._own_proof: Data | None = None
        """Our answer to the client's challenge, where it has to be read."""

    @property
    def client_sap(self) -> int:
        """Who the client is."""
        return self._application.client_sap

    @property
    def associated(self) -> bool:
        """Whether an association stands, or is about to."""
        return self._application.associated

    def handle(self, octets: bytes) -> bytes | None:
        """Answer one APDU; None where the meter stays silent."""
        try:
            if octets[:1] == bytes((Aarq.TAG,)):
                return self._associate(octets)
            if octets[:1] == bytes((Rlrq.TAG,)):
                return self._release(octets)
            plain = self._open(octets)
        except _Refused as refused:
            return refused.answer
        except DecodeError:
            return _exception(ExceptionServiceError.OTHER_REASON)
        if self._handshake is not None:
            return self.protect(self._prove(plain, self._handshake))
        if plain == _READS_PROOF and self._own_proof is not None:
            return self.protect(ReadResponse((self._own_proof,)).encode())
        answer = self._application.handle(plain)
        return None if answer is None else self.protect(answer)

    def protect(self, apdu: bytes) -> bytes:
        """Protect what the meter says in a ciphered association; exceptions go in clear."""
        if not self._ciphered or self._security is None:
            return apdu
        if apdu[0] == ExceptionResponse.TAG:
            return apdu
        return self._security.protect(apdu)

    def _open(self, octets: bytes) -> bytes:
        """Take protection off. What is protected too little, too much or wrongly is refused in clear."""
        if not self._ciphered or self._security is None:
            if is_envelope(octets):
                raise _Refused(_exception(ExceptionServiceError.DECIPHERING_ERROR))
            return octets
        if not is_envelope(octets):
            raise _Refused(_exception(ExceptionServiceError.OPERATION_NOT_POSSIBLE))
        self._check_counter(octets)
        try:
            return self._security.unprotect(octets).apdu
        except DlmsError:
            raise _Refused(
                _exception(ExceptionServiceError.DECIPHERING_ERROR)
            ) from None

    def _check_counter(self, octets: bytes) -> None:
        """Refuse a counter of the global key that is not higher than all before, in this association or another."""
        envelope = decode_envelope(octets)
        if isinstance(envelope, GeneralSigning):
            return
        if getattr(envelope, "key_set", KeySet.GLOBAL) is KeySet.DEDICATED:
            return
        counter = envelope.content.invocation_counter
        if counter <= self._meter.last_counter:
            wanted = self._meter.last_counter + 1
            raise _Refused(
                None
                if self._rule is not None and self._rule.ignores_old_counters
                else _exception(ExceptionServiceError.INVOCATION_COUNTER_ERROR, wanted)
            )
        self._meter.last_counter = counter

    def _associate(self, octets: bytes) -> bytes | None:
        aarq = decode_apdu(octets)
        assert isinstance(aarq, Aarq)
        self._begin(aarq)
        if self._must_cipher and not self._ciphered:
            return _CONTEXT_REFUSED
        information = aarq.user_information
        if self._ciphered:
            information = self._take_request(self._open(information or b""))
        plain = replace(
            aarq,
            application_context=_IN_CLEAR[aarq.application_context]
            if self._ciphered
            else aarq.application_context,
            user_information=information,
        )
        answer = self._application.handle(plain.encode())
        if answer is None:
            return None
        aare = decode_apdu(answer)
        return self._grant(aarq, aare).encode() if isinstance(aare, Aare) else answer

    def _begin(self, aarq: Aarq) -> None:
        """Forget the association before, and get the keys out."""
        rules = {rule.client_sap: rule for rule in self._meter.settings.clients}
        self._rule = rules.get(self.client_sap)
        self._handshake = None
        self._own_proof = None
        self._security = None
        keys = None if self._rule is None else self._rule.security
        if keys is not None:
            self._security = SecurityContext(
                keys,
                self._meter.settings.system_title,
                self._meter.counter,
                one_time_key=self._random.randbytes(_ONE_TIME_KEY_LENGTH),
            )
            try:
                self._security.meet(aarq.calling_ap_title)
            except DlmsError:
                self._security = None
        self._ciphered = (
            self._must_cipher
            and self._security is not None
            and aarq.application_context in _IN_CLEAR
        )

    @property
    def _must_cipher(self) -> bool:
        keys = None if self._rule is None else self._rule.security
        return keys is not None and bool(keys.policy)

    def _take_request(self, information: bytes) -> bytes:
        """Take the dedicated key, and leave room for protection."""
        assert self._security is not None
        request = InitiateRequest.decode(Reader(information))
        self._security.dedicated_key = request.dedicated_key
        size = request.max_receive_pdu_size
        return replace(
            request,
            dedicated_key=None,
            max_receive_pdu_size=max(size - self._security.overhead, 0),
        ).encode()

    def _grant(self, aarq: Aarq, aare: Aare) -> Aare:
        """Say in the AARE what the application does not know of: keys, titles, the challenge."""
        title = self._meter.settings.system_title if aarq.calling_ap_title else None
        information = aare.user_information
        if self._ciphered and information is not None:
            assert self._security is not None
            information = self._security.protect_initiate(information)
        aare = replace(
            aare,
            application_context=aarq.application_context,
            responding_ap_title=title,
            user_information=information,
        )
        if aare.result is not AssociationResult.ACCEPTED:
            return aare
        if not is_hls(aarq.mechanism):
            self._use_dedicated_key()
            return aare
        challenge = self._random.randbytes(challenge_length(aarq.mechanism))
        self._handshake = Handshake(
            self._meter.settings.system_title,
            aarq.calling_ap_title or b"",
            challenge,
            aarq.authentication_value or b"",
        )
        return replace(
            aare,
            diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED,
            mechanism=aarq.mechanism,
            authentication_value=challenge,
        )

    def _use_dedicated_key(self) -> None:
        if self._security is not None:
            self._security.sends_dedicated = self._security.dedicated_key is not None

    def _prove(self, plain: bytes, handshake: Handshake) -> bytes:
        """Take the client's proof, and nothing else, and answer with the meter's."""
        match decode_apdu(plain):
            case ActionRequestNormal(invoke, method, parameters) if (
                method == REPLY_TO_HLS
            ):
                returned = self._check(parameters, handshake)
                denied = ActionOutcome(ActionResult.READ_WRITE_DENIED)
                proven = ActionOutcome(ActionResult.SUCCESS, returned)
                outcome = denied if returned is None else proven
                return ActionResponseNormal(invoke, outcome).encode()
            case ReadRequest((ParameterizedAccess(name, (0, parameters)),)) if (
                name == REPLY_TO_HLS_NAME
            ):
                if self._called_by_write:
                    unavailable = DataAccessResult.OBJECT_UNAVAILABLE
                    return ReadResponse((unavailable,)).encode()
                returned = self._check(parameters, handshake)
                result = returned or DataAccessResult.READ_WRITE_DENIED
                return ReadResponse((result,)).encode()
            case WriteRequest((VariableName(name),), (parameters,)) if (
                name == REPLY_TO_HLS_NAME and self._called_by_write
            ):
                self._own_proof = self._check(parameters, handshake)
                written = DataAccessResult.SUCCESS
                denied_write = DataAccessResult.READ_WRITE_DENIED
                results = (written if self._own_proof else denied_write,)
                return WriteResponse(results).encode()
            case _:
                return _exception(ExceptionServiceError.OPERATION_NOT_POSSIBLE)

    @property
    def _called_by_write(self) -> bool:
        return self._meter.settings.service_quirks.calls_by_write

    def _check(self, parameters: Data | None, handshake: Handshake) -> Data | None:
        """Check the client's proof; a wrong one ends the association."""
        assert self._rule is not None
        answer = None if parameters is None else parameters.value
        facts = (self._rule.mechanism, handshake, self._rule.secret, self._security)
        self._handshake = None
        if not isinstance(answer, bytes) or not is_proven(*facts, answer=answer):
            self._application.handle(Rlrq().encode())
            return None
        returned = Data(DataType.OCTET_STRING, proof(*facts))
        self._use_dedicated_key()
        return returned

    def _release(self, octets: bytes) -> bytes | None:
        """Release; the RLRE is protected like the RLRQ, in which some clients leave the InitiateRequest out."""
        request = decode_apdu(octets)
        assert isinstance(request, Rlrq)
        information = None
        if self._ciphered and self._security is not None and request.user_information:
            opened = self._open(request.user_information)
            information = self._security.protect_initiate(opened)
        answer = self._application.handle(
            replace(request, user_information=None).encode()
        )
        self._handshake = None
        self._ciphered = False
        if answer is None:
            return None
        released: Apdu = decode_apdu(answer)
        if isinstance(released, Rlre):
            return replace(released, user_information=information).encode()
        return answer
