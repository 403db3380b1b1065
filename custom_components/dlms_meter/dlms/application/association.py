"""An application association: what was proposed, what was agreed, and whether it stands.

APDUs pass through `encode`, `unprotect` and `decode` on their way to and from the link; ciphering is done there.
"""

from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING

from ..cosem.meter_memory import MeterMemory
from ..errors import (
    AssociationRejected,
    AuthenticationFailed,
    DecodeError,
    LocalProtocolError,
    RemoteProtocolError,
    SecurityError,
)
from .acse import Aare, Aarq, Rlrq
from .apdu import Apdu, decode_apdu
from .association_settings import AssociationSettings
from .authentication import (
    Handshake,
    calling_authentication_value,
    is_hls,
    is_proven,
    proof,
)
from .enums import (
    ApplicationContext,
    AssociationResult,
    Conformance,
    UserDiagnostic,
)
from .failure import ConfirmedServiceError, ExceptionResponse
from .fields import InvokeIdAndPriority, LongInvokeIdAndPriority
from .initiate import InitiateRequest, InitiateResponse
from .invocation_counter import InvocationCounter
from .protection import Protection
from .refusal import rejection

if TYPE_CHECKING:
    from .security import SecurityContext

LEAST_PDU_SIZE = 13
"""Octets of the shortest useful request: GET for one attribute."""

LARGEST_PDU_SIZE = 0xFFFF
"""Octets of the largest APDU that a size can be told of, and that the wrapper carries."""

_CIPHERED: dict[ApplicationContext, ApplicationContext] = {
    ApplicationContext.LOGICAL_NAME: ApplicationContext.LOGICAL_NAME_CIPHERED,
    ApplicationContext.SHORT_NAME: ApplicationContext.SHORT_NAME_CIPHERED,
}


class AssociationState(Enum):
    """Where the association stands."""

    IDLE = auto()
    PENDING = auto()
    PROVING = auto()
    ASSOCIATED = auto()


class _Event(Enum):
    REQUESTED = auto()
    CHALLENGED = auto()
    GRANTED = auto()
    REFUSED = auto()
    RELEASED = auto()


_TRANSITIONS: dict[tuple[AssociationState, _Event], AssociationState] = {
    (AssociationState.IDLE, _Event.REQUESTED): AssociationState.PENDING,
    (AssociationState.PENDING, _Event.GRANTED): AssociationState.ASSOCIATED,
    (AssociationState.PENDING, _Event.REFUSED): AssociationState.IDLE,
    (AssociationState.PENDING, _Event.CHALLENGED): AssociationState.PROVING,
    (AssociationState.PROVING, _Event.GRANTED): AssociationState.ASSOCIATED,
    # Once release is asked for there is no way back, whatever the meter answers, or not. It is worth asking even
    # when no good answer came to the request: the meter may hold the association all the same.
    (AssociationState.PENDING, _Event.RELEASED): AssociationState.IDLE,
    (AssociationState.PROVING, _Event.RELEASED): AssociationState.IDLE,
    (AssociationState.ASSOCIATED, _Event.RELEASED): AssociationState.IDLE,
}


class Association:
    """One application association, from its request to its release; not to be used again after that.

    `counter` counts the messages sent under the global unicast key, over all associations; before each message
    `counter_to_save` wants to be saved.
    """

    def __init__(
        self,
        settings: AssociationSettings,
        counter: InvocationCounter | None = None,
        memory: MeterMemory | None = None,
    ) -> None:
        """Begin idle, with nothing agreed."""
        self.settings = settings
        self.security = _security_context(settings, counter)
        """What protects messages, or answers challenges by GMAC; None without keys."""
        self.protection = Protection(self.security if settings.is_ciphered else None)
        self._handshake: Handshake | None = None
        self.state = AssociationState.IDLE
        self.conformance = Conformance(0)
        """What both sides can do; empty until associated."""
        self.server_max_receive_pdu_size = 0
        """Octets of the largest APDU the meter takes; 0 means any."""
        self.memory = MeterMemory() if memory is None else memory
        """What was learned about the meter; the caller's to keep."""
        self.wrote_unconfirmed = False
        """An UnconfirmedWrite went out, and no Write since. Some meters answer it all the same."""
        self._invoke_ids = count(1)

    @property
    def is_open(self) -> bool:
        """Whether the meter may hold an association that wants a release."""
        return self.state is not AssociationState.IDLE

    def request(self) -> Aarq:
        """Make the association request. Raises `LocalProtocolError` when the association is not idle."""
        settings = self.settings
        initiate = InitiateRequest(
            conformance=settings.proposal,
            max_receive_pdu_size=settings.max_receive_pdu_size,
            short_conformance_tag=settings.short_conformance_tag,
            dedicated_key=settings.dedicated_key,
        )
        self._initiate_request = initiate.encode()
        context = settings.context
        aarq = Aarq(
            application_context=_CIPHERED[context] if settings.is_ciphered else context,
            calling_ap_title=settings.system_title or None,
            mechanism=settings.mechanism,
            authentication_value=calling_authentication_value(
                settings.mechanism, settings.secret, settings.challenge
            ),
            user_information=self._initiate_request,
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
            # Some meters have nothing else to say to a message they cannot decipher.
            advice = "; check the keys" if self.settings.is_ciphered else ""
            raise AssociationRejected(
                f"The meter refused the association: {answer.reason}{advice}",
                diagnostic=answer.code,
            )
        information = _user_information(answer)
        if answer.result is not AssociationResult.ACCEPTED:
            self._step(_Event.REFUSED)
            raise rejection(answer, information)
        # "Accepted, authentication required" asks us to go on with HLS, which we may not have offered.
        hls = is_hls(self.settings.mechanism)
        if isinstance(information, ConfirmedServiceError) or (
            answer.diagnostic is UserDiagnostic.AUTHENTICATION_REQUIRED and not hls
        ):
            raise rejection(answer, information)
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
        if hls:
            self._handshake = self._begin_handshake(answer)
        self._step(_Event.CHALLENGED if hls else _Event.GRANTED)
        self.conformance = information.conformance & self.settings.proposal
        self.server_max_receive_pdu_size = information.max_receive_pdu_size
        if not hls:
            self._use_dedicated_key()

    def _begin_handshake(self, answer: Aare) -> Handshake:
        """Take the meter's challenge."""
        challenge = answer.authentication_value
        if not challenge:
            raise RemoteProtocolError(
                "The meter accepted the association without challenging us"
            )
        # Who sends our challenge back wants to hear from us what it should tell us itself.
        if challenge == self.settings.challenge:
            raise SecurityError("The meter challenges us with our own challenge")
        if self.security is not None:
            self.security.meet(answer.responding_ap_title)
        return Handshake(
            own_system_title=self.settings.system_title,
            peer_system_title=answer.responding_ap_title or b"",
            own_challenge=self.settings.challenge,
            peer_challenge=challenge,
        )

    @property
    def is_challenged(self) -> bool:
        """Whether the meter waits for our proof, before the association stands."""
        return self.state is AssociationState.PROVING

    def proof(self) -> bytes:
        """Answer the meter's challenge: f(StoC).

        Raises `LocalProtocolError` when the secret or the keys it takes are not there, or nobody has challenged us.
        """
        return proof(
            self.settings.mechanism,
            self._challenged,
            self.settings.secret,
            self.security,
        )

    def accept_proof(self, answer: bytes) -> None:
        """Take the meter's answer to our challenge, f(CtoS): now the association stands.

        Raises `AuthenticationFailed` when it is wrong.
        """
        settings = self.settings
        if not is_proven(
            settings.mechanism,
            self._challenged,
            settings.secret,
            self.security,
            answer,
        ):
            raise AuthenticationFailed(
                "The meter does not prove that it shares the secret or the keys with us: check them"
            )
        self._step(_Event.GRANTED)
        self._use_dedicated_key()

    @property
    def _challenged(self) -> Handshake:
        if self._handshake is None:
            raise LocalProtocolError("the meter has not challenged us")
        return self._handshake

    def _use_dedicated_key(self) -> None:
        if self.security is not None:
            self.security.sends_dedicated = self.settings.dedicated_key is not None

    def release_request(self) -> Rlrq:
        """Make the release request; from here on the association is gone. Raises `LocalProtocolError` when there is none."""
        self._step(_Event.RELEASED)
        # In a ciphered association the InitiateRequest, ciphered, shows that it is us who wants the release.
        return Rlrq(
            user_information=self._initiate_request
            if self.settings.is_ciphered
            else None
        )

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

    @property
    def uses_short_names(self) -> bool:
        """Whether the meter is spoken to by short names."""
        return self.settings.uses_short_names

    @property
    def uses_block_transfer(self) -> bool:
        """Whether general block transfer carries what is too long for one APDU."""
        return (
            self.settings.block_transfer_window > 0
            and Conformance.GENERAL_BLOCK_TRANSFER in self.conformance
        )

    def next_invoke(
        self, *, confirmed: bool = True, high_priority: bool | None = None
    ) -> InvokeIdAndPriority:
        """Return the next invoke-id; unless told otherwise, with high priority where the meter knows priorities."""
        return InvokeIdAndPriority.of(
            next(self._invoke_ids),
            confirmed=confirmed,
            high_priority=self._priority(high_priority),
        )

    def next_long_invoke(
        self,
        *,
        confirmed: bool = True,
        high_priority: bool | None = None,
        break_on_error: bool = False,
    ) -> LongInvokeIdAndPriority:
        """Return the next invoke-id for ACCESS."""
        return LongInvokeIdAndPriority.of(
            next(self._invoke_ids),
            confirmed=confirmed,
            high_priority=self._priority(high_priority),
            break_on_error=break_on_error,
        )

    def _priority(self, wanted: bool | None) -> bool:
        managed = Conformance.PRIORITY_MGMT_SUPPORTED in self.conformance
        return managed and wanted is not False

    @property
    def request_capacity(self) -> int | None:
        """Octets a request may have before protection; None when there is no limit, or general block transfer lifts it."""
        if not self.server_max_receive_pdu_size or self.uses_block_transfer:
            return None
        return max(self.server_max_receive_pdu_size - self.protection.overhead, 0)

    @property
    def block_capacity(self) -> int | None:
        """Octets an APDU may have after protection, if general block transfer carries what is longer; None if not."""
        if not self.uses_block_transfer:
            return None
        return self.server_max_receive_pdu_size or LARGEST_PDU_SIZE

    def fits(self, request: Apdu) -> bool:
        """Tell whether a request can be sent as one APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        capacity = self.request_capacity
        return capacity is None or len(request.encode()) <= capacity

    @property
    def counter_to_save(self) -> int | None:
        """The invocation counter to be saved before the next message, and then told to `counter_saved`; or None."""
        return None if self.security is None else self.security.counter.to_reserve

    def counter_saved(self, end: int) -> None:
        """Learn that `counter_to_save` is saved."""
        if self.security is not None:
            self.security.counter.reserve(end)

    def encode(self, apdu: Apdu) -> bytes:
        """Encode an APDU to be sent, and protect it.

        Raises `LocalProtocolError` when the meter takes no APDU that long, and no general block transfer carries it; when
        a key is missing, or no invocation counter was saved for it. Raises `SecurityError` when the counter is used up.
        """
        octets = self.protection.encode(apdu)
        limit = self.server_max_receive_pdu_size
        if limit and len(octets) > limit and not self.uses_block_transfer:
            raise LocalProtocolError(
                f"{type(apdu).__name__} of {len(octets)} octets, but the meter takes {limit} at most"
            )
        return octets

    def unprotect(self, octets: bytes) -> bytes:
        """Take an APDU received out of its envelopes; what comes without them must be allowed to.

        Raises `SecurityError` when it cannot be opened or trusted, `DecodeError` when an envelope is malformed.
        """
        return self.protection.unprotect(octets)

    def decode(self, octets: bytes) -> Apdu:
        """Decode an APDU received, out of its envelopes.

        Raises `DecodeError`, and `SecurityError` when the APDU tells that the meter cannot read what we send.
        """
        return self.protection.decode(octets)

    def _step(self, event: _Event) -> None:
        following = _TRANSITIONS.get((self.state, event))
        if following is None:
            raise LocalProtocolError(
                f"an association that is {self.state.name.lower()} cannot be {event.name.lower()}"
            )
        self.state = following


def _security_context(
    settings: AssociationSettings, counter: InvocationCounter | None
) -> SecurityContext | None:
    if settings.security is None:
        return None
    from .security import SecurityContext  # noqa: PLC0415 - loads cryptography

    return SecurityContext(
        settings.security,
        settings.system_title,
        InvocationCounter() if counter is None else counter,
        dedicated_key=settings.dedicated_key,
        one_time_key=settings.one_time_key,
    )


def _user_information(aare: Aare) -> Apdu | None:
    if aare.user_information is None:
        return None
    try:
        return decode_apdu(aare.user_information)
    except DecodeError:
        if aare.result is AssociationResult.ACCEPTED:
            raise
        return None  # A refusal stands without its reasons.
