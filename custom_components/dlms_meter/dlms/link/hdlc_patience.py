"""How much a link puts up with: silence, damage and noise since the meter last brought something new."""

from . import LinkStatistics
from .silence import describe_silence

MAX_OCTETS_WITHOUT_PROGRESS = 256 * 1024
"""So much may come while a frame is awaited and none is of use; then the link gives up."""

_DAMAGES_PER_ATTEMPT = 3
"""A meter whose answers come damaged is at least there: it is asked again so much more often than a silent one."""

_PROMPT_TURNS = 3
"""Polls and repetitions in direct answer to frames that brought nothing new; after them the timer decides."""


class Patience:
    """Counts what came to nothing, afresh with every wait and with all that is new."""

    __slots__ = (
        "_attempts",
        "_bad_checks",
        "_before",
        "_damages",
        "_discarded",
        "_statistics",
        "_turns",
        "octets",
        "progress",
        "silences",
    )

    octets: int
    """Received without progress."""
    silences: int
    """Timeouts without progress."""
    progress: int
    """Frames that brought something new, since the link was begun."""
    _before: LinkStatistics  # when the present wait began
    _damages: int  # timeouts without progress in which a damaged answer came
    _turns: int  # prompt polls and repetitions since progress or timeout
    _bad_checks: int  # in the statistics when the last frame was sent
    _discarded: int  # octets, likewise

    def __init__(self, attempts: int, statistics: LinkStatistics) -> None:
        self._attempts = attempts
        self._statistics = statistics
        self.progress = 0
        self.note_damage()
        self.wait()

    def note_damage(self) -> None:
        """Begin to look for damage in what comes."""
        self._bad_checks = self._statistics.bad_checks
        self._discarded = self._statistics.octets_discarded

    def wait(self) -> None:
        """Begin to wait for something new: count afresh."""
        self._before = self._statistics.copy()
        self.silences = self._damages = self._turns = self.octets = 0

    def progressed(self) -> None:
        """Note that the meter brought something new."""
        self.progress += 1
        self.silences = self._damages = self._turns = self.octets = 0

    @property
    def frame_damaged(self) -> bool:
        """A frame with a wrong check came since the last one sent."""
        return self._statistics.bad_checks > self._bad_checks

    @property
    def is_silent(self) -> bool:
        """The meter kept silent as often as it is to be tried."""
        return self.silences >= self._attempts

    @property
    def is_noisy(self) -> bool:
        """So many octets came to nothing that no answer is to be hoped for."""
        return self.octets > MAX_OCTETS_WITHOUT_PROGRESS

    def takes_turn(self) -> bool:
        """Tell whether a frame that brought nothing new is answered; after a few the timer decides, or it would never end."""
        if self._turns >= _PROMPT_TURNS:
            return False
        self._turns += 1
        return True

    def takes_damage(self, *, begun: bool) -> bool:
        """Count a timeout, as damage or as silence, and tell whether it was damage: of an answer `begun`, or octets of no use."""
        damaged = begun or self._statistics.octets_discarded > self._discarded
        self._turns = 0
        if damaged and self._damages < _DAMAGES_PER_ATTEMPT * self._attempts:
            self._damages += 1
            return True
        self.silences += 1
        return False

    def describe(self) -> str:
        """Say what came instead of an answer since the wait began, and what the user can do."""
        return describe_silence(self._before, self._statistics)
