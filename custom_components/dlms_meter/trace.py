"""What was said in the last sessions: kept in memory, for the diagnostics.

Only what came after the association: what goes before holds secrets. Actions of users are not kept either.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

SENT: Final = ">"
RECEIVED: Final = "<"
_SESSIONS: Final = 3
_MOST_OCTETS: Final = 256 * 1024
"""Of one session: an object list of 500 entries, and some."""
_ASSOCIATION_TAGS: Final = (b"\x60", b"\x61", b"\x62", b"\x63")
"""AARQ, AARE, RLRQ, RLRE."""


@dataclass(slots=True)
class SessionTrace:
    """The APDUs of one session, in clear."""

    begun: datetime
    apdus: list[tuple[str, bytes]] = field(default_factory=list)
    octets: int = 0
    is_cut: bool = False
    """There was more than is kept."""
    error: str | None = None
    """How it ended, if not well."""

    def add(self, sent: bool, apdu: bytes) -> None:
        """Keep one APDU."""
        if self.octets + len(apdu) > _MOST_OCTETS:
            self.is_cut = True
        elif apdu[:1] not in _ASSOCIATION_TAGS:
            self.octets += len(apdu)
            self.apdus.append((SENT if sent else RECEIVED, apdu))


class Trace:
    """Keeps the last sessions."""

    def __init__(self) -> None:
        self.sessions: deque[SessionTrace] = deque(maxlen=_SESSIONS)
        self._longest: SessionTrace | None = None
        self._running: SessionTrace | None = None

    def observe(self, sent: bool, apdu: bytes) -> None:
        """Keep one APDU, if this session is kept (`Observer`)."""
        if self._running is not None:
            self._running.add(sent, apdu)

    @contextmanager
    def session(self, begun: datetime) -> Iterator[None]:
        """Keep what is said until the end of the session."""
        self._running = session = SessionTrace(begun)
        self.sessions.append(session)
        try:
            yield
        except Exception as error:
            session.error = f"{type(error).__name__}: {error}"
            raise
        finally:
            self._running = None
            if self._longest is None or session.octets > self._longest.octets:
                self._longest = session

    def kept(self) -> list[SessionTrace]:
        """Return the last sessions, and before them the longest: it read the object list."""
        kept = list(self.sessions)
        if self._longest is not None and self._longest not in kept:
            kept.insert(0, self._longest)
        return kept
