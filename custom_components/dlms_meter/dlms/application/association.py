"""An application association: what was proposed, what was agreed, and whether it stands.

APDUs pass through `encode` and `decode` on their way to and from the link; ciphering will be done there.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count

from ..errors import (
    AssociationRejected,
    AuthenticationFailed,
    DecodeError,
    LocalProtocolError,
    RemoteProtocolError,
)
from .acse import Aare, Aarq, Rlrq
from .apdu import Apdu, decode_apdu
from .authentication import calling_authentication_value
from .enums import (
    ApplicationContext,
    AssociationResult,
    Conformance,
    Mechanism,
    UserDiagnostic,
)
from .failure import ConfirmedServiceError, ExceptionResponse
from .fields import InvokeIdAndPriority
from .initiate import InitiateRequest, InitiateResponse

PROPOSED_CONFORMANCE = (
    Conformance.PRIORITY_MGMT_SUPPORTED
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.GET
    | Conformance.SELECTIVE_ACCESS
)
"""What this client can do with logical names."""

LEAST_PDU_SIZE = 13
"""Octets of the shortest useful request: GET for one attribute."""

_ADVICE: dict[UserDiagnostic, str] = {
    UserDiagnostic.NO_REASON_GIVEN: (
        "check the client address and the password; after failed attempts many meters refuse everyone for some minutes"
    ),
    UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: "it may want ciphering, or short names",
    UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED: "it wants a system title it knows",
    UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED: "this client address wants another authentication",
    UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED: "this client address wants an authentication",
    UserDiagnostic.AUTHENTICATION_FAILURE: "check the password, and the client address it belongs to",
    UserDiagnostic.AUTHENTICATION_REQUIRED: "this client address wants another authentication",
}


class AssociationState(Enum):
    """Where the association stands."""

    IDLE = auto()
    PENDING = auto()
    ASSOCIATED = auto()


class _Event(Enum):
    REQUESTED = auto()
    GRANTED = auto()
    REFUSED = auto()
    RELEASED = auto()


_TRANSITIONS: dict[tuple[AssociationState, _Event], AssociationState] = {
    (AssociationState.IDLE, _Event.REQUESTED): AssociationState.PENDING,
    (AssociationState.PENDING, _Event.GRANTED): AssociationState.ASSOCIATED,
    (AssociationState.PENDING, _Event.REFUSED): AssociationState.IDLE,
    # Once release is asked for there is no way back, whatever the meter answers, or not. It is worth asking even
    # when no good answer came to the request: the meter may hold the association all the same.
    (AssociationState.PENDING, _Event.RELEASED): AssociationState.IDLE,
    (AssociationState.ASSOCIATED, _Event.RELEASED): AssociationState.IDLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationSettings:
    """What the client asks for."""

    context: ApplicationContext = ApplicationContext.LOGICAL_NAME
    mechanism: Mechanism = Mechanism.NONE
    secret: bytes = field(default=b"", repr=False)
    """The password of LLS."""
    conformance: Conformance = PROPOSED_CONFORMANCE
    max_receive_pdu_size: int = 0xFFFF
    """Octets of the largest APDU we take; 0 means any (the only value an L+G ZMD accepts)."""
    short_conformance_tag: bool = False
    """For older meters that know the conformance block only as `5F 04`."""


class Association:
    """One application association, from its request to its release; not to be used again after that."""

    def __init__(self, settings: AssociationSettings) -> None:
        """Begin idle, with nothing agreed."""
        self.settings = settings
        self.state = AssociationState.IDLE
        self.conformance = Conformance(0)
        """What both sides can do; empty until associated."""
        self.server_max_receive_pdu_size = 0
        """Octets of the largest APDU the meter takes; 0 means any."""
        self.refuses_lists: bool | None = None
        """The meter agreed to multiple references, and yet refused, or garbled, a list; None until one was tried."""
        self._invoke_ids = count(1)

    @property
    def is_open(self) -> bool:
        """Whether the meter may hold an association that wants a release."""
        return self.state is not AssociationState.IDLE

    def request(self) -> Aarq:
        """Make the association request. Raises `LocalProtocolError` when the association is not idle."""
        settings = self.settings
        initiate = InitiateRequest(
            conformance=settings.conformance,
            max_receive_pdu_size=settings.max_receive_pdu_size,
            short_conformance_tag=settings.short_conformance_tag,
        )
        aarq = Aarq(
            application_context=settings.context,
            mechanism=settings.mechanism,
            authentication_value=calling_authentication_value(
                settings.mechanism, settings.secret
            ),
            user_information=initiate.encode(),
        )
        self._step(_Event.REQUESTED)
        return aarq

    def establish(
        self, answer: Aare | ExceptionResponse | ConfirmedServiceError
    ) -> None:
        """Take the meter's answer to the association request.

        Raises `AssociationRejected` when it is a refusal, `AuthenticationFailed` when the password is the reason,
        `RemoteProtocolError` or `DecodeError` when it accepts without telling what it agrees to.
        """
        if not isinstance(answer, Aare):
            self._step(_Event.REFUSED)
            raise AssociationRejected(
                f"The meter refused the association: {answer.reason}",
                diagnostic=answer.code,
            )
        information = _user_information(answer)
        if answer.result is not AssociationResult.ACCEPTED:
            self._step(_Event.REFUSED)
            raise _rejection(answer, information)
        # "Accepted, authentication required" asks us to go on with HLS, which we did not offer.
        if answer.diagnostic is UserDiagnostic.AUTHENTICATION_REQUIRED or isinstance(
            information, ConfirmedServiceError
        ):
            raise _rejection(answer, information)
        if not isinstance(information, InitiateResponse):
            raise RemoteProtocolError(
                "The meter accepted the association without saying what it can do"
            )
        if 0 < information.max_receive_pdu_size < LEAST_PDU_SIZE:
            raise RemoteProtocolError(
                f"The meter takes APDUs of at most {information.max_receive_pdu_size} octets: too few for any request"
            )
        # Not looked at: the application context and the VAA name. Some meters answer the ciphered context to LLS,
        # or the one for logical names, 0x0007 and 65535 to everyone.
        self._step(_Event.GRANTED)
        self.conformance = information.conformance & self.settings.conformance
        self.server_max_receive_pdu_size = information.max_receive_pdu_size

    def release_request(self) -> Rlrq:
        """Make the release request; from here on the association is gone."""
        self._step(_Event.RELEASED)
        return Rlrq()

    def require(self, needed: Conformance) -> None:
        """Refuse to go on without these services.

        Raises `LocalProtocolError` when there is no association, `RemoteProtocolError` when the meter does not agree to them.
        """
        if self.state is not AssociationState.ASSOCIATED:
            raise LocalProtocolError(f"no association: it is {self.state.name.lower()}")
        missing = needed & ~self.conformance
        if missing:
            names = ", ".join(
                bit.name.lower().replace("_", " ") for bit in missing if bit.name
            )
            raise RemoteProtocolError(f"The meter does not offer this client: {names}")

    def next_invoke(self) -> InvokeIdAndPriority:
        """Return the next invoke-id, with high priority where the meter knows priorities."""
        return InvokeIdAndPriority.of(
            next(self._invoke_ids),
            high_priority=Conformance.PRIORITY_MGMT_SUPPORTED in self.conformance,
        )

    @property
    def request_capacity(self) -> int | None:
        """Octets a request may have before protection; None when there is no limit."""
        return self.server_max_receive_pdu_size or None

    def encode(self, apdu: Apdu) -> bytes:
        """Encode an APDU to be sent. Raises `LocalProtocolError` when the meter takes no APDU that long."""
        octets = apdu.encode()
        capacity = self.request_capacity
        if capacity is not None and len(octets) > capacity:
            raise LocalProtocolError(
                f"{type(apdu).__name__} of {len(octets)} octets, but the meter takes {capacity} at most"
            )
        return octets

    def decode(self, octets: bytes) -> Apdu:
        """Decode an APDU received. Raises `DecodeError`."""
        return decode_apdu(octets)

    def _step(self, event: _Event) -> None:
        following = _TRANSITIONS.get((self.state, event))
        if following is None:
            raise LocalProtocolError(
                f"an association that is {self.state.name.lower()} cannot be {event.name.lower()}"
            )
        self.state = following


def _user_information(aare: Aare) -> Apdu | None:
    if aare.user_information is None:
        return None
    try:
        return decode_apdu(aare.user_information)
    except DecodeError:
        if aare.result is AssociationResult.ACCEPTED:
            raise
        return None  # A refusal stands without its reasons.


def _rejection(aare: Aare, information: Apdu | None) -> AssociationRejected:
    reasons = [f"{aare.result.label}, {aare.diagnostic.label}"]
    if isinstance(information, ConfirmedServiceError):
        reasons.append(information.reason)
    if isinstance(aare.diagnostic, UserDiagnostic) and aare.diagnostic in _ADVICE:
        reasons.append(_ADVICE[aare.diagnostic])
    wrong_secret = aare.diagnostic is UserDiagnostic.AUTHENTICATION_FAILURE
    error = AuthenticationFailed if wrong_secret else AssociationRejected
    return error(
        f"The meter refused the association: {'; '.join(reasons)}",
        aare.result,
        aare.diagnostic,
    )
