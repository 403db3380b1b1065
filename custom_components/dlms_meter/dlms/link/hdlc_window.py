"""The numbered side of HDLC: what was sent and not yet acknowledged, what came and is not yet whole.

Sequence numbers count modulo 8. Both windows are plain state, told what happened by the link.
"""

from collections import deque
from enum import Enum, auto
from typing import NamedTuple

from ..errors import LinkError
from .hdlc_frame import Frame
from .llc import has_llc

MAX_APDU_LENGTH = 4 * 1024 * 1024
"""Segments of one APDU may add up to this; the longest APDU a meter may announce is far shorter."""

_MODULUS = 8
_BLOCK_TAG = b"\xe0"


class Segment(NamedTuple):
    """One information field, with the number its I frame carries."""

    send_sequence: int
    information: bytes
    segmented: bool


class SendWindow:
    """I frames to send: those waiting, and those sent but not acknowledged."""

    def __init__(self, information_length: int, window: int) -> None:
        self.information_length = information_length
        self.window = window
        self._next = 0
        self.unacknowledged: deque[Segment] = deque()
        """What was sent and is not acknowledged."""
        self._waiting: deque[Segment] = deque()

    @property
    def waiting(self) -> bool:
        """There are segments that were never sent."""
        return bool(self._waiting)

    def queue(self, information: bytes) -> None:
        """Cut `information` into segments and queue them."""
        size = self.information_length
        for start in range(0, len(information), size):
            end = start + size
            more = end < len(information)
            self._waiting.append(Segment(self._next, information[start:end], more))
            self._next = (self._next + 1) % _MODULUS

    def take(self) -> list[Segment]:
        """Return the segments the window has room for; they count as sent."""
        room = min(self.window - len(self.unacknowledged), len(self._waiting))
        segments = [self._waiting.popleft() for _ in range(room)]
        self.unacknowledged.extend(segments)
        return segments

    def repeat(self) -> list[Segment]:
        """Return the segments to send again: all that are not acknowledged."""
        return list(self.unacknowledged)

    def acknowledge(self, receive_sequence: int) -> int:
        """Forget the segments before N(R) and return how many they were.

        A number that acknowledges what was never sent is ignored: meters are on record that count our RR frames too.
        """
        if not self.unacknowledged:
            return 0
        count = (receive_sequence - self.unacknowledged[0].send_sequence) % _MODULUS
        if count > len(self.unacknowledged):
            return 0
        for _ in range(count):
            self.unacknowledged.popleft()
        return count

    def acknowledge_all(self) -> None:
        """Forget everything that was sent: the answer to it is here."""
        self.unacknowledged.clear()


class Verdict(Enum):
    """What an I frame turned out to be."""

    SEGMENT = auto()  # the next one, and more segments follow
    COMPLETE = auto()  # the next one, and the last of its APDU
    REPEATED = auto()  # here already
    MISSING = auto()  # one before it is missing


class ReceiveWindow:
    """I frames received: the number expected next, and the APDU under assembly."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.expected = 0
        self._assembly = bytearray()
        self._last: bytes | None = None
        self._counts = False

    def accept(self, frame: Frame, *, undisturbed: bool) -> Verdict:
        """Judge an I frame, and keep its information if it is the next one.

        `undisturbed`: nothing was repeated since the frame before. Raises `LinkError` when the APDU grows beyond
        `MAX_APDU_LENGTH`, or when a meter that does not number its frames leaves open whether this one is new.
        """
        distance = (frame.send_sequence - self.expected) % _MODULUS
        if not self._counts and self._seems_unnumbered(frame):
            if not self._is_new(frame, undisturbed):
                return Verdict.REPEATED
        elif distance:
            return Verdict.MISSING if distance < self.window else Verdict.REPEATED
        if len(self._assembly) + len(frame.information) > MAX_APDU_LENGTH:
            raise LinkError(
                f"The meter sends segments without end: more than {MAX_APDU_LENGTH} octets in one answer."
            )
        if frame.send_sequence or frame.receive_sequence:
            self._counts = True
        self.add(frame.information)
        return Verdict.SEGMENT if frame.segmented else Verdict.COMPLETE

    def has_room(self, information: bytes) -> bool:
        """Tell whether the next segment may be added as it is: the meter numbers its frames, and the APDU is not too long."""
        return self._counts and len(information) <= MAX_APDU_LENGTH - len(
            self._assembly
        )

    def add(self, information: bytes) -> None:
        """Keep the information of the next frame."""
        self._last = information
        self.expected = (self.expected + 1) % _MODULUS
        self._assembly += information

    def apdu(self) -> bytes:
        """Return the information fields since the last call, joined."""
        information = bytes(self._assembly)
        self._assembly.clear()
        return information

    def _seems_unnumbered(self, frame: Frame) -> bool:
        """Tell whether the meter seems to send the control octet 10 for ever, without counting.

        One that counts acknowledges our first I frame in its first answer, so its first control octet is hardly ever 10.
        """
        numbers = frame.send_sequence, frame.receive_sequence
        return self.window == 1 and numbers == (0, 0)

    def _is_new(self, frame: Frame, undisturbed: bool) -> bool:
        """Tell an unnumbered frame from a repetition of the one before, as far as anyone can."""
        new = frame.information != self._last
        begins = not self._assembly
        if begins and not new and not frame.segmented:
            return False
        if new and (undisturbed or (begins and has_llc(frame.information))):
            return True
        raise LinkError(
            "The meter does not number its frames, and one was lost or repeated within a long answer. Read again;"
            " if it happens often, improve the line."
        )


class Notifications:
    """UI frames, which carry no numbers: whatever may have a hole is dropped."""

    def __init__(self) -> None:
        self._assembly = bytearray()
        self._damage = 0

    def accept(self, frame: Frame, damage: int) -> bytes | None:
        """Take a UI frame and return its whole information field, LLC header included, once the last segment is here.

        `damage` counts what the line has spoilt so far: when it grows between two segments, one may be missing.
        """
        # An L+G E450 pushes by general block transfer, and has the LLC header in the first block only.
        if has_llc(frame.information) or frame.information[:1] == _BLOCK_TAG:
            self._assembly.clear()
        elif not self._assembly or damage != self._damage:
            self._assembly.clear()
            return None
        self._damage = damage
        self._assembly += frame.information
        if frame.segmented and len(self._assembly) <= MAX_APDU_LENGTH:
            return None
        information = bytes(self._assembly)
        self._assembly.clear()
        return None if frame.segmented else information
