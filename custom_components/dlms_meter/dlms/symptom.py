"""What is wrong with a conversation, told by the highest layer that worked: one ladder for all who must say it."""

from enum import StrEnum
import errno
import socket
from typing import Final

from .application.enums import (
    ApplicationReferenceError,
    UserDiagnostic,
)
from .errors import (
    AssociationRejected,
    AuthenticationFailed,
    DlmsError,
    InvocationCounterRefused,
    LinkBusy,
    LinkError,
    SecurityError,
    ServiceError,
    TransportError,
    TransportTimeout,
)
from .link import LinkStatistics
from .transport.stream import FIXED_SPEED


class Symptom(StrEnum):
    """One rung of the ladder; the later in this list, the further the conversation came."""

    PORT_MISSING = "port_missing"
    PORT_DENIED = "port_denied"
    PORT_IN_USE = "port_in_use"
    PORT_UNUSABLE = "port_unusable"
    HOST_UNKNOWN = "host_unknown"
    CONNECTION_REFUSED = "connection_refused"
    CANNOT_CONNECT = "cannot_connect"
    SPEED_FIXED = "speed_fixed"
    CONNECTION_LOST = "connection_lost"
    NO_ANSWER = "no_answer"
    ECHO_ONLY = "echo_only"
    NO_VALID_FRAME = "no_valid_frame"
    SIGNED_ON = "signed_on"
    OTHER_ADDRESSES = "other_addresses"
    BUSY = "wrong_address_or_busy"
    LINK_FAILED = "link_failed"
    ANSWER_INCOMPLETE = "answer_incomplete"
    COUNTER_UNANSWERED = "counter_unanswered"
    ASSOCIATION_REJECTED = "association_rejected"
    CONTEXT_REFUSED = "context_refused"
    AUTHENTICATION_WANTED = "authentication_wanted"
    WRONG_PASSWORD = "invalid_auth"
    WRONG_KEY = "invalid_key"
    COUNTER_REFUSED = "counter_refused"
    PROTOCOL_ERROR = "protocol_error"
    NOTHING_READABLE = "nothing_readable"

    @property
    def rung(self) -> int:
        """How far the conversation came; higher is further."""
        return _RUNGS[self]

    @property
    def is_connected(self) -> bool:
        """The connection was opened: it is worth while to try other addresses on it."""
        return self.rung > Symptom.SPEED_FIXED.rung

    @property
    def is_answered(self) -> bool:
        """Sound frames came, or an answer to the sign-on: line, speed and format are right."""
        return self.rung >= Symptom.SIGNED_ON.rung

    @property
    def is_linked(self) -> bool:
        """The meter took the link: its address is right too."""
        return self.rung >= Symptom.ANSWER_INCOMPLETE.rung


_RUNGS: Final = {symptom: number for number, symptom in enumerate(Symptom)}

# The first row that fits is taken.
_ERRORS: Final[tuple[tuple[type[DlmsError], Symptom], ...]] = (
    (InvocationCounterRefused, Symptom.COUNTER_REFUSED),
    (SecurityError, Symptom.WRONG_KEY),
    (AuthenticationFailed, Symptom.WRONG_PASSWORD),
    (AssociationRejected, Symptom.ASSOCIATION_REJECTED),
    (ServiceError, Symptom.NOTHING_READABLE),
    (LinkBusy, Symptom.BUSY),
    (LinkError, Symptom.LINK_FAILED),
    (TransportError, Symptom.CONNECTION_LOST),
    (DlmsError, Symptom.PROTOCOL_ERROR),
)
# Codes of different enumerations with one number are equal: their types tell them apart.
_DIAGNOSTICS: Final = {
    (type(code), code): symptom
    for code, symptom in (
        (
            UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
            Symptom.CONTEXT_REFUSED,
        ),
        (
            UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
            Symptom.AUTHENTICATION_WANTED,
        ),
        (
            UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED,
            Symptom.AUTHENTICATION_WANTED,
        ),
        (UserDiagnostic.AUTHENTICATION_REQUIRED, Symptom.AUTHENTICATION_WANTED),
        (
            ApplicationReferenceError.APPLICATION_CONTEXT_UNSUPPORTED,
            Symptom.CONTEXT_REFUSED,
        ),
        (ApplicationReferenceError.DECIPHERING_ERROR, Symptom.WRONG_KEY),
    )
}
_CAUSES: Final[tuple[tuple[type[Exception], Symptom], ...]] = (
    (FileNotFoundError, Symptom.PORT_MISSING),
    (PermissionError, Symptom.PORT_DENIED),
    (ConnectionRefusedError, Symptom.CONNECTION_REFUSED),
    (socket.gaierror, Symptom.HOST_UNKNOWN),
    (UnicodeError, Symptom.HOST_UNKNOWN),
)
_SYSTEM_ERRORS: Final = {
    errno.EBUSY: Symptom.PORT_IN_USE,
    errno.EIO: Symptom.PORT_UNUSABLE,
    errno.ENXIO: Symptom.PORT_UNUSABLE,
    errno.ENODEV: Symptom.PORT_UNUSABLE,
    errno.ENOTTY: Symptom.PORT_UNUSABLE,
    errno.EISDIR: Symptom.PORT_UNUSABLE,
}
# What came instead of an answer, by the counter that tells.
_HEARD: Final = (
    ("frames_received", Symptom.ANSWER_INCOMPLETE),
    ("frames_ignored", Symptom.OTHER_ADDRESSES),
    ("bad_checks", Symptom.NO_VALID_FRAME),
    ("octets_discarded", Symptom.NO_VALID_FRAME),
    ("echoes", Symptom.ECHO_ONLY),
)


def symptom_of(
    error: DlmsError, heard: LinkStatistics, *, signed_on: bool = False
) -> Symptom:
    """Tell how far the conversation came that ended with `error`; `heard` is what its line carried.

    `signed_on` says that the meter answered the sign-on before it.
    """
    if isinstance(error, TransportTimeout):
        symptom = _silence(heard)
        # An optical head brings back all that is sent, whether or not the meter answers.
        is_silent = symptom in (Symptom.NO_ANSWER, Symptom.ECHO_ONLY)
        return Symptom.SIGNED_ON if signed_on and is_silent else symptom
    if isinstance(error, TransportError) and not heard.frames_sent:
        return _connection(error)
    if isinstance(error, AssociationRejected):
        diagnostic = (type(error.diagnostic), error.diagnostic)
        if diagnostic in _DIAGNOSTICS:
            return _DIAGNOSTICS[diagnostic]
    return next(symptom for kind, symptom in _ERRORS if isinstance(error, kind))


def _silence(heard: LinkStatistics) -> Symptom:
    """Tell what came instead of an answer."""
    for counter, symptom in _HEARD:
        if getattr(heard, counter):
            return symptom
    return Symptom.NO_ANSWER


def _connection(error: TransportError) -> Symptom:
    """Tell why there is no connection. The system's own exception stands behind ours, even where it is not shown."""
    if FIXED_SPEED in str(error):
        return Symptom.SPEED_FIXED
    cause = error.__cause__ or error.__context__
    # A host with several addresses fails with one exception for each, and so does one with a single address.
    causes = cause.exceptions if isinstance(cause, ExceptionGroup) else (cause,)
    for kind, symptom in _CAUSES:
        if any(isinstance(one, kind) for one in causes):
            return symptom
    for one in causes:
        if isinstance(one, OSError) and one.errno in _SYSTEM_ERRORS:
            return _SYSTEM_ERRORS[one.errno]
    return Symptom.CANNOT_CONNECT
