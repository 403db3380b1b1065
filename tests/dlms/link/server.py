"""A small HDLC server to talk to: correct by default, with the deviations of real meters as switches.

It shares the frame codec with the product and nothing else: its counting is its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from custom_components.dlms_meter.dlms.link.hdlc import HdlcLimits, HdlcLink
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)

CLIENT = HdlcAddress.client(16)
SERVER = HdlcAddress.server(1)


def to_client(
    kind: FrameType,
    information: bytes = b"",
    *,
    segmented: bool = False,
    final: bool = True,
    ns: int = 0,
    nr: int = 0,
) -> bytes:
    """Encode one frame from the server to the client."""
    frame = Frame(CLIENT, SERVER, kind, information, segmented, final, ns, nr)
    return frame.encode()


def sent(link: HdlcLink) -> list[Frame]:
    """Take what the link sends, as frames."""
    return FrameDecoder().feed(link.data_to_send())


def answer_to(request: bytes) -> bytes:
    """Make an answer that belongs to this request and to no other; requests begin with their answer's length."""
    length = int.from_bytes(request[:4])
    pattern = bytes((17 * place + sum(request)) % 251 for place in range(251))
    return request[:5] + (pattern * (length // 251 + 1))[:length]


@dataclass
class Server:
    """One server address with one link."""

    limits: HdlcLimits = field(default_factory=HdlcLimits)
    answer: Callable[[bytes], bytes] = answer_to
    client: HdlcAddress = CLIENT
    server: HdlcAddress = SERVER
    header: bytes = b"\xe6\xe7\x00"
    final_on_segments: bool = True
    counts: bool = True  # False: every I frame carries control octet 10
    acknowledges: bool = True  # False: N(R) is 0 for ever
    counts_ready_frames: bool = False  # N(R) counts RR frames too
    not_ready: int = 0  # so many answers are RNR before anything else
    slow: int = 0  # so many answers are RR before the answer to each request

    connected: bool = False
    requests: list[bytes] = field(default_factory=list)
    _limits: HdlcLimits = field(default_factory=HdlcLimits)
    _decoder: FrameDecoder = field(default_factory=FrameDecoder)

    def receive(self, data: bytes) -> list[Frame]:
        """Take octets and return the frames that answer them."""
        return [
            reply
            for frame in self._decoder.feed(data)
            if frame.destination == self.server and frame.source == self.client
            for reply in self._react(frame)
        ]

    def _react(self, frame: Frame) -> list[Frame]:
        match frame.type:
            case FrameType.SNRM:
                return self._connect(frame)
            case FrameType.DISC:
                was_connected, self.connected = self.connected, False
                return [self._frame(FrameType.UA if was_connected else FrameType.DM)]
            case _ if not self.connected:
                return [self._frame(FrameType.DM)]
            case FrameType.I:
                self._acknowledged(frame)
                self._take(frame)
            case FrameType.RR:
                self._acknowledged(frame)
                self._extra += 1
        return self._speak() if frame.poll_final else []

    def _connect(self, frame: Frame) -> list[Frame]:
        offer = HdlcLimits.decode(frame.information)
        self._limits = self.limits.agreed_with(offer)
        self.connected = True
        self._next = self._expected = self._extra = 0
        self._collected = b""
        self._waiting: list[Frame] = []
        self._unacknowledged: list[Frame] = []
        self._delay = self.slow
        return [self._frame(FrameType.UA, self._limits.encode())]

    def _acknowledged(self, frame: Frame) -> None:
        numbers = [sent.send_sequence for sent in self._unacknowledged]
        if not self.counts:  # knows no more than that somebody asked for more
            self._unacknowledged = []
        elif frame.receive_sequence in numbers:
            del self._unacknowledged[: numbers.index(frame.receive_sequence)]
        elif frame.receive_sequence == self._next:
            self._unacknowledged = []

    def _take(self, frame: Frame) -> None:
        if frame.send_sequence != self._expected:
            return
        self._expected = (self._expected + 1) % 8
        self._collected += frame.information
        if frame.segmented:
            return
        assert self._collected.startswith(b"\xe6\xe6\x00")
        request, self._collected = self._collected[3:], b""
        self.requests.append(request)
        reply = self.header + self.answer(request)
        size = self._limits.max_information_transmit
        parts = [reply[start : start + size] for start in range(0, len(reply), size)]
        self._delay = self.slow
        self._waiting = [
            self._frame(FrameType.I, part, segmented=place < len(parts))
            for place, part in enumerate(parts, 1)
        ]

    def _speak(self) -> list[Frame]:
        if self.not_ready:
            self.not_ready -= 1
            return [self._frame(FrameType.RNR)]
        if self._waiting and self._delay:
            self._delay -= 1
            return [self._frame(FrameType.RR)]
        room = self._limits.window_transmit - len(self._unacknowledged)
        for frame in self._waiting[:room]:
            self._unacknowledged.append(frame._replace(send_sequence=self._next))
            self._next = (self._next + 1) % 8
        del self._waiting[:room]
        burst = [self._number(frame) for frame in self._unacknowledged]
        if not burst:
            return [self._frame(FrameType.RR)]
        final = self.final_on_segments or not burst[-1].segmented
        return [*burst[:-1], burst[-1]._replace(poll_final=final)]

    def _number(self, frame: Frame) -> Frame:
        if not self.counts:
            return frame._replace(send_sequence=0, receive_sequence=0)
        received = self._received()
        return frame._replace(receive_sequence=received, poll_final=False)

    def _received(self) -> int:
        if not self.acknowledges:
            return 0
        return (self._expected + self._extra * self.counts_ready_frames) % 8

    def _frame(
        self, kind: FrameType, information: bytes = b"", *, segmented: bool = False
    ) -> Frame:
        numbered = kind in (FrameType.RR, FrameType.RNR)
        return Frame(
            self.client,
            self.server,
            kind,
            information,
            segmented=segmented,
            receive_sequence=self._received() if numbered else 0,
        )
