"""The one tree of errors: everything the client can raise on purpose.

DlmsError
├── DecodeError              bytes are not what the standard says
├── LocalProtocolError       we were asked for something illegal now: a bug in the caller
├── RemoteProtocolError      the meter did something the protocol forbids
├── TransportError           the connection could not be opened, or was lost
│   └── TransportTimeout     it is open, but nothing (more) came in time
├── LinkError                the data link broke
│   ├── LinkBusy             … refused by DM: wrong address, or the meter serves another client
│   └── FrameRejected        … the meter rejects a frame (FRMR)
├── AssociationRejected      the meter refused the application association
│   └── AuthenticationFailed … because of the password or key
├── SecurityError            a ciphered message cannot be trusted or read
│   ├── InvocationCounterRefused … the meter wants a higher counter
│   ├── MessageRepeated      … it came before
│   └── NotDeciphered        … the meter says so of ours
└── ServiceError             the meter refused one attribute or method
"""

from enum import IntEnum


class DlmsError(Exception):
    """Root of every error raised by this client."""


class DecodeError(DlmsError):
    """Bytes that are not what the standard says; `offset` is the octet where it showed, if known."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(
            message if offset is None else f"{message} (at octet {offset})"
        )
        self.offset = offset


class LocalProtocolError(DlmsError):
    """The caller asked for something that is illegal in the present state."""


class RemoteProtocolError(DlmsError):
    """The meter answered with something the protocol forbids here."""


class TransportError(DlmsError):
    """The connection could not be opened, or was lost."""


class TransportTimeout(TransportError, TimeoutError):
    """The connection is open, but nothing (more) came in time."""


class LinkError(DlmsError):
    """The meter refused the data link (DM), rejected a frame (FRMR), or the link broke."""


class LinkBusy(LinkError):
    """DM in answer to SNRM: wrong address, or the meter is busy with another session."""


class FrameRejected(LinkError):
    """FRMR: the meter cannot make anything of a frame of ours."""


class AssociationRejected(DlmsError):
    """The meter refused the association; `result`, `diagnostic` and `initiate_error` are its own codes."""

    def __init__(
        self,
        message: str,
        result: IntEnum | None = None,
        diagnostic: IntEnum | None = None,
        initiate_error: IntEnum | None = None,
    ) -> None:
        super().__init__(message)
        self.result = result
        self.diagnostic = diagnostic
        self.initiate_error = initiate_error


class AuthenticationFailed(AssociationRejected):
    """The meter refused the password or key."""


class SecurityError(DlmsError):
    """A ciphered message cannot be trusted or read: wrong key, bad tag, replayed counter."""


class InvocationCounterRefused(SecurityError):
    """The meter has seen our invocation counter before; `expected` is what it wants."""

    def __init__(self, message: str, expected: int) -> None:
        super().__init__(message)
        self.expected = expected


class MessageRepeated(SecurityError):
    """A message with an invocation counter that was seen before: an old one, sent again by the network or by somebody."""


class NotDeciphered(SecurityError):
    """The meter says that it cannot decipher what we send: other keys, or no association that they belong to."""


class ServiceError(DlmsError):
    """The meter refused one attribute or method; `result` is its DataAccessResult or ActionResult."""

    def __init__(self, message: str, result: IntEnum) -> None:
        super().__init__(message)
        self.result = result
