"""What was said in the last sessions: kept in memory, for the diagnostics.

Only what came after the association: what goes before holds secrets. So may what users write: it is not kept either.
"""

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from .dlms import DecodeError, without_values

_MOST_OCTETS: Final = 256 * 1024
"""Of one session: an object list of 500 entries, and some."""
_ASSOCIATION_TAGS: Final = (b"\x60", b"\x61", b"\x62", b"\x63")
"""AARQ, AARE, RLRQ, RLRE."""


class Occasion(StrEnum):
    """What a session is held for."""

    POLL = "poll"
    ACTION = "action"
    RECORDING = "recording"
    """Everything is read anew, for the diagnostics."""


_KEPT: Final = {Occasion.POLL: 3, Occasion.ACTION: 3, Occasion.RECORDING: 1}
"""Sessions."""


@dataclass(slots=True)
class SessionTrace:
    """The APDUs of one session, in clear."""

    occasion: Occasion
    begun: datetime
    apdus: list[tuple[bool, bytes]] = field(default_factory=list)
    """Each with whether we sent it."""
    octets: int = 0
    is_cut: bool = False
    """There was more than is kept."""
    error: str | None = None
    """How it ended, if not well."""

    def add(self, sent: bool, apdu: bytes) -> None:
        """Keep one APDU."""
        if self.is_cut or apdu[:1] in _ASSOCIATION_TAGS:
            return
        if self.octets + len(apdu) > _MOST_OCTETS:
            self.is_cut = True
            return
        if sent:
            try:
                apdu = without_values(apdu)
            except DecodeError:  # nothing that we send
                return
        self.octets += len(apdu)
        self.apdus.append((sent, apdu))


class Trace:
    """Keeps the last sessions, and counts all of them."""

    def __init__(self) -> None:
        self.sessions = Counter[str]()
        """How many there were, by occasion."""
        self.errors = Counter[str]()
        """How they ended that did not end well, by the name of the error."""
        self._last = {
            occasion: deque[SessionTrace](maxlen=most)
            for occasion, most in _KEPT.items()
        }
        self._longest: SessionTrace | None = None
        self._running: SessionTrace | None = None

    def observe(self, sent: bool, apdu: bytes) -> None:
        """Keep one APDU, if this session is kept (`Observer`)."""
        if self._running is not None:
            self._running.add(sent, apdu)

    @contextmanager
    def session(self, occasion: Occasion, begun: datetime) -> Iterator[None]:
        """Keep what is said until the end of the session."""
        self._running = session = SessionTrace(occasion, begun)
        self._last[occasion].append(session)
        self.sessions[occasion] += 1
        try:
            yield
        except Exception as error:
            session.error = f"{type(error).__name__}: {error}"
            self.errors[type(error).__name__] += 1
            raise
        finally:
            self._running = None
            if self._longest is None or session.octets > self._longest.octets:
                self._longest = session

    def kept(self) -> list[SessionTrace]:
        """Return the last sessions in their order, and the longest: it read the object list."""
        kept = [session for sessions in self._last.values() for session in sessions]
        if self._longest is not None and self._longest not in kept:
            kept.append(self._longest)
        return sorted(kept, key=lambda session: session.begun)
