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
    LOGICAL_NAME_VAA,
    SHORT_NAME_VAA,
    InitiateRequest,
    InitiateResponse,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.errors import DecodeError

from .get_service import GetService
from .ln_services import LogicalNameServices
from .meter import Meter
from .objects import AssociationFacts
from .settings import (
    EVERY_SERVICE,
    SHORT_NAME_SERVICES,
    ClientRule,
    LogicalNames,
)
from .sn_service import ShortNameService

_LEAST_PDU_SIZE = 12
_GET_REQUEST = 0xC0
_OTHER_REQUESTS = (0xC1, 0xC3, 0xD9)  # SET, ACTION, ACCESS
_SHORT_NAME_REQUESTS = (0x05, 0x06, 0x16)  # Read, Write, UnconfirmedWrite

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


_REFUSALS = {
    LogicalNames.REFUSE: UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
    LogicalNames.REFUSE_SILENTLY: UserDiagnostic.NO_REASON_GIVEN,
}

type Service = Callable[[bytes], bytes | None]


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
        self._services: dict[int, Service] = {}  # by the tags of their requests
        self.block_size = 0
        """Octets of a block of general block transfer; 0 without it."""

    @property
    def associated(self) -> bool:
        """Whether an association stands."""
        return bool(self._services)

    def handle(self, apdu: bytes) -> bytes | None:
        """Answer one APDU; None where the meter stays silent."""
        if not apdu:
            return None
        limit = self._meter.settings.max_pdu_size
        if limit and len(apdu) > limit and not self.block_size:
            return _TOO_LONG.encode()
        association = {Aarq.TAG: self._associate, Rlrq.TAG: self._release}
        service = association.get(apdu[0]) or self._services.get(apdu[0])
        if service is None:
            return (_UNKNOWN if self.associated else _NOT_NOW).encode()
        try:
            return service(apdu)
        except DecodeError:
            return _GARBLED.encode()

    def _associate(self, apdu: bytes) -> bytes:
        aarq = decode_whole(Aarq.decode, apdu)
        self._services = {}
        context = aarq.application_context
        try:
            rule = self._authenticate(aarq)
            association, answer = self._initiate(rule, aarq)
            self._occupy()
        except _Refused as refused:
            return Aare(
                application_context=context,
                result=refused.result,
                diagnostic=refused.diagnostic,
                user_information=refused.user_information,
            ).encode()
        self.block_size = association.block_size
        self._services = self._make_services(context, association)
        return Aare(
            application_context=context,
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
        short = self._meter.settings.short_names and (
            aarq.application_context is ApplicationContext.SHORT_NAME
        )
        if (
            not short
            and aarq.application_context is not ApplicationContext.LOGICAL_NAME
        ):
            raise _Refused(UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
        refusal = _REFUSALS.get(self._meter.settings.service_quirks.logical_names)
        if refusal is not None and not short:
            raise _Refused(refusal)
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
        short = aarq.application_context is ApplicationContext.SHORT_NAME
        conformance = request.conformance & settings.conformance
        if settings.service_quirks.logical_names is LogicalNames.MISTAKE:
            short, conformance = True, settings.conformance
        conformance &= SHORT_NAME_SERVICES if short else EVERY_SERVICE
        size = request.max_receive_pdu_size
        any_size_only = settings.service_quirks.takes_any_pdu_size_only
        needed = Conformance.READ if short else Conformance.GET
        faults = {
            InitiateError.DLMS_VERSION_TOO_LOW: request.dlms_version < DLMS_VERSION,
            InitiateError.INCOMPATIBLE_CONFORMANCE: needed not in conformance,
            InitiateError.PDU_SIZE_TOO_SHORT: 0 < size < _LEAST_PDU_SIZE
            or (size > 0 and any_size_only),
        }
        for error, found in faults.items():
            if found:
                raise _Refused(UserDiagnostic.NO_REASON_GIVEN, error=error)
        limits = [limit for limit in (size, settings.max_pdu_size) if limit]
        limit = min(limits, default=0)
        response = InitiateResponse(
            conformance=conformance,
            max_receive_pdu_size=settings.max_pdu_size,
            vaa_name=SHORT_NAME_VAA if short else LOGICAL_NAME_VAA,
            short_conformance_tag=request.short_conformance_tag,
        )
        blocks = Conformance.GENERAL_BLOCK_TRANSFER in conformance
        facts = AssociationFacts(
            self.client_sap,
            rule.mechanism,
            conformance,
            max_response_size=0 if blocks else limit,
            block_size=limit if blocks else 0,
        )
        return facts, response

    def _make_services(
        self, context: ApplicationContext, association: AssociationFacts
    ) -> dict[int, Service]:
        if context is ApplicationContext.SHORT_NAME:
            short_names = ShortNameService(association, self._meter)
            return dict.fromkeys(_SHORT_NAME_REQUESTS, short_names.handle)
        others = LogicalNameServices(association, self._meter)
        get = GetService(association, self._meter.read)
        quirks = self._meter.settings.service_quirks
        get.refuses_lists = quirks.refuses_lists
        get.refuses_blocks = quirks.refuses_blocks
        return {_GET_REQUEST: get.handle} | dict.fromkeys(
            _OTHER_REQUESTS, others.handle
        )

    def _occupy(self) -> None:
        if not self._meter.occupy(self._holder):
            raise _Refused(
                UserDiagnostic.NO_REASON_GIVEN, AssociationResult.REJECTED_TRANSIENT
            )

    def _release(self, apdu: bytes) -> bytes:
        decode_whole(Rlrq.decode, apdu)
        if not self.associated:
            return _NOT_NOW.encode()
        self._services = {}
        return Rlre().encode()


def decode_whole[T](decode: Callable[[Reader], T], octets: bytes) -> T:
    """Decode what fills `octets`. Raises `DecodeError`, also for octets left over."""
    reader = Reader(octets)
    value = decode(reader)
    reader.finish("what was asked")
    return value
