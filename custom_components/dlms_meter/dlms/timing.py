"""How long to wait: what the meter may take, and what the line takes to carry octets. Seconds throughout; no clock."""

from dataclasses import dataclass
from math import inf
from typing import Final

RESPONSE_TIMEOUT: Final = 5.0
INTER_OCTET_TIMEOUT: Final = 1.0
REQUEST_TIMEOUT: Final = 120.0
TRANSFER_TIMEOUT: Final = 1800.0
INACTIVITY_TIMEOUT: Final = 120.0
CLOSING_TIMEOUT: Final = 3.0

_OCTETS_AS_ONE: Final = 20
"""A USB adapter passes octets on in handfuls: a pause is one only when it is longer than these take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """What is waited for; the time that octets take on the line comes on top of each.

    `response`: silence after a request, until the link repeats itself or gives up. `inter_octet`: silence within an
    answer; a meter pauses 25 ms at most, adapters and networks for much longer. `request`: one request and its answer,
    with all repetitions. `transfer`: all of a long one, that no meter goes on for ever by a little of it at a time.
    `inactivity`: after so long without a request the meter ends the session by itself.
    `closing`: each farewell, release and DISC.
    """

    response: float = RESPONSE_TIMEOUT
    inter_octet: float = INTER_OCTET_TIMEOUT
    request: float = REQUEST_TIMEOUT
    transfer: float = TRANSFER_TIMEOUT
    inactivity: float = INACTIVITY_TIMEOUT
    closing: float = CLOSING_TIMEOUT


class Patience:
    """When a wait is over, as far as the line tells. `octet_time` may change with the speed of the line.

    `octets_held_back` is what a gateway may collect before it passes anything on.
    """

    def __init__(
        self, timeouts: Timeouts, octet_time: float, octets_held_back: int = 0
    ) -> None:
        self.octet_time = octet_time
        self._timeouts = timeouts
        self._held_back = octets_held_back
        self._since = 0.0  # begin of the present silence
        self._end = 0.0  # of the whole wait
        self._last = inf  # end of all waits of a transfer

    def begin_transfer(self, now: float) -> None:
        """Begin what may take many waits."""
        self._last = now + self._timeouts.transfer

    def end_transfer(self) -> None:
        """Have no more waits belong together."""
        self._last = inf

    def begin(self, now: float, limit: float) -> None:
        """Begin to wait, for `limit` seconds at most."""
        self._since = now
        self._end = now + limit

    def sent(self, now: float, octets: int) -> None:
        """Count silence, and the wait, from when these octets have left the wire."""
        on_wire = octets * self.octet_time
        self._since = now + on_wire
        self._end += on_wire
        self._last += on_wire

    def heard(self, now: float) -> None:
        """Count silence from now."""
        self._since = now

    def progressed(self, octets: int) -> None:
        """Do not count the time these took on the wire: they were part of what is waited for."""
        self._end += octets * self.octet_time
        self._last += octets * self.octet_time

    def is_exhausted(self, now: float) -> bool:
        """Tell whether the whole wait is over."""
        return now >= min(self._end, self._last)

    def transfer_is_exhausted(self, now: float) -> bool:
        """Tell whether all waits of a transfer together are over."""
        return now >= self._last

    def is_silent(self, now: float, answer_begun: bool) -> bool:
        """Tell whether nothing came for too long."""
        return now >= self._since + self._silence(answer_begun)

    def due(self, answer_begun: bool) -> float:
        """Return the loop time in seconds at which to look again, if nothing happens before."""
        return min(self._end, self._last, self._since + self._silence(answer_begun))

    def _silence(self, answer_begun: bool) -> float:
        if answer_begun:
            return self._timeouts.inter_octet + _OCTETS_AS_ONE * self.octet_time
        return self._timeouts.response + self._held_back * self.octet_time
