"""The data link: frames in, APDUs out. Pure: it owns no socket and no clock.

A link is driven from outside. Whoever owns it feeds `receive_data()`, sends what `data_to_send()` returns,
acts on `events()`, and calls `on_timeout()` when `awaiting_response` has been true for too long without a byte.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import add, attrgetter
from typing import Final, Protocol, Self

from ..errors import DlmsError


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The link is established: APDUs may be sent."""


@dataclass(frozen=True, slots=True)
class ApduReceived:
    """A whole APDU arrived; `unsolicited` when it came in a UI frame, outside request and answer."""

    apdu: bytes
    unsolicited: bool = False


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link is gone; `error` says why, None when we asked for it."""

    error: DlmsError | None = None


_NOISY_SHARE: Final = 0.2
_NOISY_TIMEOUTS: Final = 2

type LinkEvent = LinkUp | ApduReceived | LinkDown


@dataclass(slots=True)
class LinkStatistics:
    """Counts of what the line carried since the link object was made."""

    frames_sent: int = 0
    frames_received: int = 0
    frames_repeated: int = (
        0  # sent again because the meter did not answer, or asked for it
    )
    bad_checks: int = 0  # frames dropped for a wrong HCS or FCS
    octets_discarded: int = 0  # octets that belonged to no frame
    timeouts: int = 0
    echoes: int = 0  # our own frames, heard back
    frames_ignored: int = 0  # sound frames for or from other addresses

    def copy(self) -> Self:
        """Return the counts as they are now, in an eighth of the time of `dataclasses.replace`."""
        return type(self)(*_counts(self))

    def __add__(self, other: Self) -> Self:
        """Return what two sessions count together."""
        return type(self)(*map(add, _counts(self), _counts(other), strict=True))

    @property
    def is_noisy(self) -> bool:
        """Tell whether damage was so frequent that shorter frames would have got through more often."""
        often = _NOISY_SHARE * (self.frames_received + self.bad_checks)
        return self.timeouts >= _NOISY_TIMEOUTS and self.bad_checks > often


_counts: Callable[[LinkStatistics], tuple[int, ...]] = attrgetter(
    *[field.name for field in fields(LinkStatistics)]
)


class Link(Protocol):
    """What a connection needs of a data link."""

    statistics: LinkStatistics

    @property
    def awaiting_response(self) -> bool:
        """The meter has the word: a response timer should run."""

    @property
    def answer_begun(self) -> bool:
        """A part of an answer came, or a damaged one: if more is to come, it comes soon."""

    def connect(self) -> None:
        """Begin to establish the link; `LinkUp` or `LinkDown` follows as an event."""

    def send_apdu(self, apdu: bytes, *, answered: bool = True) -> None:
        """Queue one whole APDU; not `answered`, nothing is awaited once it has arrived.

        Raises `LocalProtocolError` when the link is not up.
        """

    def await_more(self) -> None:
        """Wait on: what was received is not the answer, or not yet all of it."""

    def disconnect(self) -> None:
        """Begin to end the link; `LinkDown(None)` follows, also when the meter never answers."""

    def receive_data(self, data: bytes) -> bool:
        """Take bytes from the wire, any number, cut anywhere.

        True: they were one more segment of a long answer, and all there is to do is to send what there is to send.
        """

    def on_timeout(self) -> None:
        """Nothing came in time: repeat what was sent, or give up with `LinkDown`."""

    def data_to_send(self) -> bytes:
        """Return the bytes to put on the wire now, and forget them."""

    def events(self) -> list[LinkEvent]:
        """Return what happened since the last call, in order."""
