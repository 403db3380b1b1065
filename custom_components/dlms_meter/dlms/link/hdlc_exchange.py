"""The exchange on an HDLC link that is up: segments, acknowledgements, polls and repetitions (I, RR, RNR, REJ).

Whatever is lost on the way is found out by polling with RR: N(R) of the answer tells what the server has, N(R) of ours
what it must send again.
"""

from collections.abc import Callable

from . import LinkStatistics
from .hdlc_frame import Frame, FrameType
from .hdlc_outbox import Outbox
from .hdlc_parameters import HdlcLimits
from .hdlc_patience import Patience
from .hdlc_stations import Stations
from .hdlc_window import ReceiveWindow, Segment, SendWindow, Verdict
from .llc import COMMAND, strip_llc


class Exchange:
    """Both windows of a link, and whose turn it is; begun by UA, with the limits agreed on."""

    sender: SendWindow
    receiver: ReceiveWindow
    undisturbed: bool
    """No timeout since the last I frame."""
    _answered: bool  # the last APDU sent wants an answer
    _has_word: bool  # the meter gave us the word with the last I frame
    _burst: int  # I frames since the meter got the word

    def __init__(
        self,
        stations: Stations,
        patience: Patience,
        statistics: LinkStatistics,
        outbox: Outbox,
    ) -> None:
        self._stations = stations
        self._patience = patience
        self._statistics = statistics
        self._outbox = outbox
        self.undisturbed = self._answered = self._has_word = True
        self._burst = 0
        self.begin(HdlcLimits())

    def begin(self, limits: HdlcLimits) -> None:
        """Begin to count."""
        self.sender = SendWindow(
            limits.max_information_transmit, limits.window_transmit
        )
        self.receiver = ReceiveWindow(limits.window_receive)

    def adjust(self, limits: HdlcLimits) -> None:
        """Keep to other limits from now on."""
        self.sender.information_length = limits.max_information_transmit
        self.sender.window = limits.window_transmit
        self.receiver.window = limits.window_receive

    def send_apdu(self, apdu: bytes, *, answered: bool) -> None:
        """Send an APDU, or queue it until the answer is in; not `answered`, the meter has but to acknowledge it."""
        self.sender.queue(COMMAND + apdu)
        self._answered = answered
        if not self._outbox.awaiting:
            self._send_waiting()

    def await_more(self) -> None:
        """Wait for more than what was received. Gives the meter the word if we have it."""
        self._patience.wait()
        self._outbox.awaiting = True
        if self._has_word:
            self.poll()

    # What comes

    def take_due(self, information: bytes) -> None:
        """Do what `take_numbered` does about the segment that is due, gives us the word and is not the last."""
        if self.sender.unacknowledged:
            self.sender.acknowledge_all()
        self.receiver.add(information)
        self.undisturbed = self._has_word = True
        self._patience.progressed()
        self.poll()

    def take_numbered(self, frame: Frame) -> bytes:
        """Take an I frame, a segment of the answer or the whole, and return the APDU that is complete with it, if one is.

        Raises `LinkError` when the APDU gets too long, or nobody can tell whether the segment is new.
        """
        sender = self.sender
        if sender.unacknowledged and sender.acknowledge(frame.receive_sequence):
            self._patience.progressed()
        verdict = self.receiver.accept(frame, undisturbed=self.undisturbed)
        if verdict is Verdict.REPEATED:
            return b""
        if verdict is Verdict.MISSING:
            if frame.poll_final:
                self._take_turn(self.poll)
            return b""
        # Whatever its N(R) says (0 for ever from some meters), an answer proves that the request arrived.
        if sender.unacknowledged:
            sender.acknowledge_all()
        self.undisturbed = True
        if frame.information:
            self._patience.progressed()
        self._burst += 1
        self._has_word = frame.poll_final or self._burst >= self.receiver.window
        if verdict is Verdict.COMPLETE:
            return self._completed()
        if self._has_word:
            self.poll()  # the full window counts because some meters leave F at 0 on segments
        return b""

    def _completed(self) -> bytes:
        """Return the APDU that is complete, and send what was queued meanwhile, unless the meter goes on speaking."""
        apdu = strip_llc(self.receiver.apdu())
        if not apdu:  # no more than an acknowledgement
            self._take_turn(self.poll)
            return b""
        self._outbox.awaiting = False
        if self.sender.waiting and self._has_word:
            self._send_waiting()
        return apdu

    def take_ready(self, frame: Frame) -> None:
        """RR, RNR or REJ: go on from N(R), if it is our turn."""
        outbox, sender = self._outbox, self.sender
        acknowledged = sender.acknowledge(frame.receive_sequence)
        if acknowledged:
            self._patience.progressed()
        if not outbox.awaiting:
            return
        lost = len(sender.unacknowledged)
        polled = outbox.last.type is FrameType.RR
        if not (lost or sender.waiting or self._answered):
            outbox.awaiting = False  # it has arrived, and that is all
        elif frame.type is FrameType.RNR or not (lost or sender.waiting):
            self._take_turn(self.poll)
        elif not lost:
            self._send_segments(sender.take())
        elif acknowledged or lost > 1 or polled or frame.type is FrameType.REJ:
            self._take_turn(self._repeat)
        # else it is an RR that came twice: our only frame is still on its way

    # What goes

    def recover(self) -> None:
        """Find out by RR what got lost; every second time send again, for meters that do not answer RR."""
        self.undisturbed = False
        if self._patience.silences % 2 or not self.sender.unacknowledged:
            self.poll()
        else:
            self._repeat()

    def poll(self) -> None:
        """Give the meter the word; N(R) tells it what is here."""
        self._burst = 0
        frame, octets = self._stations.ready(self.receiver.expected)
        self._outbox.send(frame, octets)

    def _take_turn(self, action: Callable[[], None]) -> None:
        """Answer a frame that brought nothing new; after a few of these wait for the timer, or it would never end."""
        if self._patience.takes_turn():
            action()

    def _repeat(self) -> None:
        """Send again what is not acknowledged."""
        segments = self.sender.repeat()
        self._statistics.frames_repeated += len(segments)
        self._send_segments(segments)

    def _send_waiting(self) -> None:
        """Begin to send what waits, and to wait for what comes of it."""
        self._patience.wait()
        self._send_segments(self.sender.take())

    def _send_segments(self, segments: list[Segment]) -> None:
        """Send I frames; the last one gives the meter the word."""
        self._burst = 0
        for position, (sequence, information, segmented) in enumerate(segments, 1):
            self._outbox.send(
                self._stations.frame(
                    FrameType.I,
                    information,
                    self.receiver.expected,
                    segmented=segmented,
                    send_sequence=sequence,
                    poll_final=position == len(segments),
                )
            )
