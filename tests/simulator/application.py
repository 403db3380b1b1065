"""The application layer of the simulated meter: who may associate, and which service an APDU asks for."""

from collections.abc import Callable
from hmac import compare_digest

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    ConfirmedService,
    Conformance,
    ErrorClass,
    ExceptionServiceError,
    ExceptionStateError,
    InitiateError,
    Mechanism,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.failure import (
    ConfirmedServiceError,
    ExceptionResponse,
)
from custom_components.dlms_meter.dlms.application.initiate import (
    DLMS_VERSION,
    InitiateRequest,
    InitiateResponse,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.errors import DecodeError

from .get_service import GetService
from .meter import Meter
from .objects import AssociationFacts
from .settings import ClientRule

_LEAST_PDU_SIZE = 12
_GET_REQUEST = 0xC0

_NOT_NOW = ExceptionResponse(
    ExceptionStateError.SERVICE_NOT_ALLOWED,
    ExceptionServiceError.OPERATION_NOT_POSSIBLE,
)
_UNKNOWN = ExceptionResponse(
    ExceptionStateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED
)
_GARBLED = ExceptionResponse(
    ExceptionStateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.OTHER_REASON
)
_TOO_LONG = ExceptionResponse(
    ExceptionStateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.PDU_TOO_LONG
)


class _Refused(Exception):
    """The association is refused; what the AARE says."""

    def __init__(
        self,
        diagnostic: UserDiagnostic,
        result: AssociationResult = AssociationResult.REJECTED_PERMANENT,
        error: InitiateError | None = None,
    ) -> None:
        super().__init__(diagnostic.name)
        self.diagnostic = diagnostic
        self.result = result
        self.user_information = (
            None
            if error is None
            else ConfirmedServiceError(
                ConfirmedService.INITIATE_ERROR, ErrorClass.INITIATE, error
            ).encode()
        )


class ApplicationServer:
    """What one client talks to: an APDU in, at most one out. `holder` is the connection it comes by."""

    def __init__(self, meter: Meter, client_sap: int, holder: object) -> None:
        self.client_sap = client_sap
        self._meter = meter
        self._holder = holder
        self._get: GetService | None = None
        self._services = {
            Aarq.TAG: self._associate,
            Rlrq.TAG: self._release,
            _GET_REQUEST: self._get_service,
        }

    @property
    def associated(self) -> bool:
        """Whether an association stands."""
        return self._get is not None

    def handle(self, apdu: bytes) -> bytes | None:
        """Answer one APDU; None where the meter stays silent."""
        if not apdu:
            return None
        limit = self._meter.settings.max_pdu_size
        if limit and len(apdu) > limit:
            return _TOO_LONG.encode()
        service = self._services.get(apdu[0])
        if service is None:
            return (_UNKNOWN if self.associated else _NOT_NOW).encode()
        try:
            return service(apdu)
        except DecodeError:
            return _GARBLED.encode()

    def _associate(self, apdu: bytes) -> bytes:
        aarq = decode_whole(Aarq.decode, apdu)
        self._get = None
        try:
            rule = self._authenticate(aarq)
            association, answer = self._initiate(rule, aarq)
            self._occupy()
        except _Refused as refused:
            return Aare(
                application_context=ApplicationContext.LOGICAL_NAME,
                result=refused.result,
                diagnostic=refused.diagnostic,
                user_information=refused.user_information,
            ).encode()
        self._get = GetService(association, self._meter.read)
        return Aare(
            application_context=ApplicationContext.LOGICAL_NAME,
            result=AssociationResult.ACCEPTED,
            diagnostic=UserDiagnostic.NULL,
            user_information=answer.encode(),
        ).encode()

    def _authenticate(self, aarq: Aarq) -> ClientRule:
        """Find the client's rule and hold the request against it."""
        rules = {rule.client_sap: rule for rule in self._meter.settings.clients}
        rule = rules.get(self.client_sap)
        if rule is None:
            raise _Refused(UserDiagnostic.NO_REASON_GIVEN)
        if aarq.application_context is not ApplicationContext.LOGICAL_NAME:
            raise _Refused(UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
        if aarq.mechanism is not rule.mechanism:
            raise _Refused(
                UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED
                if aarq.mechanism is Mechanism.NONE
                else UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
            )
        if rule.mechanism is Mechanism.LLS and not compare_digest(
            aarq.authentication_value or b"", rule.secret
        ):
            raise _Refused(UserDiagnostic.AUTHENTICATION_FAILURE)
        return rule

    def _initiate(
        self, rule: ClientRule, aarq: Aarq
    ) -> tuple[AssociationFacts, InitiateResponse]:
        """Agree on services and sizes."""
        settings = self._meter.settings
        if aarq.user_information is None:
            raise _Refused(UserDiagnostic.NO_REASON_GIVEN, error=InitiateError.OTHER)
        request = decode_whole(InitiateRequest.decode, aarq.user_information)
        conformance = request.conformance & settings.conformance
        size = request.max_receive_pdu_size
        faults = {
            InitiateError.DLMS_VERSION_TOO_LOW: request.dlms_version < DLMS_VERSION,
            InitiateError.INCOMPATIBLE_CONFORMANCE: Conformance.GET not in conformance,
            InitiateError.PDU_SIZE_TOO_SHORT: 0 < size < _LEAST_PDU_SIZE,
        }
        for error, found in faults.items():
            if found:
                raise _Refused(UserDiagnostic.NO_REASON_GIVEN, error=error)
        limits = [limit for limit in (size, settings.max_pdu_size) if limit]
        response = InitiateResponse(
            conformance=conformance,
            max_receive_pdu_size=settings.max_pdu_size,
            short_conformance_tag=request.short_conformance_tag,
        )
        facts = AssociationFacts(
            self.client_sap, rule.mechanism, conformance, min(limits, default=0)
        )
        return facts, response

    def _occupy(self) -> None:
        if not self._meter.occupy(self._holder):
            raise _Refused(
                UserDiagnostic.NO_REASON_GIVEN, AssociationResult.REJECTED_TRANSIENT
            )

    def _release(self, apdu: bytes) -> bytes:
        decode_whole(Rlrq.decode, apdu)
        if self._get is None:
            return _NOT_NOW.encode()
        self._get = None
        return Rlre().encode()

    def _get_service(self, apdu: bytes) -> bytes:
        return _NOT_NOW.encode() if self._get is None else self._get.handle(apdu)


def decode_whole[T](decode: Callable[[Reader], T], octets: bytes) -> T:
    """Decode what fills `octets`. Raises `DecodeError`, also for octets left over."""
    reader = Reader(octets)
    value = decode(reader)
    reader.finish("what was asked")
    return value
