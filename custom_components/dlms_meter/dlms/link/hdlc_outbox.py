"""What goes to the meter over HDLC, and the word with it."""

from . import LinkStatistics
from .hdlc_frame import Frame
from .hdlc_patience import Patience
from .hdlc_stations import Stations


class Outbox:
    """The frames sent: their octets until they are fetched, the last of them, and whether it is the meter's turn."""

    __slots__ = (
        "_patience",
        "_stations",
        "_statistics",
        "awaiting",
        "last",
        "octets",
    )

    octets: bytes
    """Not yet on the wire."""
    awaiting: bool
    """The meter has the word."""
    last: Frame
    """The last frame sent."""

    def __init__(
        self, stations: Stations, patience: Patience, statistics: LinkStatistics
    ) -> None:
        self._stations = stations
        self._patience = patience
        self._statistics = statistics
        self.octets = b""
        self.awaiting = False

    def send(self, frame: Frame, octets: bytes | None = None) -> None:
        """Send a frame, and give the meter the word, at the latest with the next one; `octets` if it is encoded already."""
        self.octets += octets or frame.encode()
        if self._stations.alike:
            self._stations.sent(frame)
        self._statistics.frames_sent += 1
        self._patience.note_damage()
        self.last = frame
        self.awaiting = True
