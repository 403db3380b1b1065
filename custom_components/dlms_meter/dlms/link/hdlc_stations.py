"""Who speaks on the line: our client, our server, their echoes, and everybody else."""

from collections import deque

from .hdlc_address import ALL_STATION, HdlcAddress, decode_address
from .hdlc_frame import Frame, FrameType

_REMEMBERED = 14  # frames: two full windows


class Stations:
    """The two ends of one link; tells their frames from echoes and from the frames of others."""

    def __init__(self, client: HdlcAddress, server: HdlcAddress) -> None:
        # The very objects that decoded frames have.
        self.client = decode_address(client.encode())
        self.server = decode_address(server.encode())
        self.alike = client == server
        """Both ends have the same number."""
        self._ready: dict[int, tuple[Frame, bytes]] = {}
        self._sent: deque[Frame] = deque(maxlen=_REMEMBERED)
        self._echoing = False

    def frame(
        self,
        kind: FrameType,
        information: bytes = b"",
        receive_sequence: int = 0,
        *,
        segmented: bool = False,
        poll_final: bool = True,
        send_sequence: int = 0,
    ) -> Frame:
        """Make a frame from the client to the server."""
        return Frame(
            self.server,
            self.client,
            kind,
            information,
            segmented,
            poll_final,
            send_sequence,
            receive_sequence,
        )

    def ready(self, receive_sequence: int) -> tuple[Frame, bytes]:
        """Return RR with this number, and its octets.

        There are eight. Every second frame of a long answer is one of them, and making it takes half as long as all the
        rest that is done about a frame received.
        """
        ready = self._ready.get(receive_sequence)
        if ready is None:
            frame = self.frame(FrameType.RR, receive_sequence=receive_sequence)
            ready = self._ready[receive_sequence] = frame, frame.encode()
        return ready

    def sent(self, frame: Frame) -> None:
        """Remember a frame the client sent, since it may be heard again."""
        self._sent.append(frame)

    def is_clearly_answer(self, frame: Frame) -> bool:
        """Tell, in no time, of most answers that they are no echo, for our client, and from our server."""
        return (
            frame.destination is self.client
            and frame.source is self.server
            and not self.alike
        )

    def is_echo(self, frame: Frame) -> bool:
        """Recognise a frame of our own: optical heads return what they send, before any answer.

        Where client and server have the same number, an echo shows by being what was sent. No meter sends SNRM, DISC
        or our I frames; an RR it may, so that counts as an echo only on a line that has returned SNRM or DISC.
        """
        if frame.destination != self.server or frame.source != self.client:
            self._sent.clear()
            return False
        if self.server != self.client:
            return True
        if frame.type in (FrameType.SNRM, FrameType.DISC):
            self._echoing = True
            return True
        if not self._echoing and frame.type is not FrameType.I:
            return False
        if frame not in self._sent:
            return False
        while self._sent.popleft() != frame:
            pass
        return True

    def is_answer(self, frame: Frame) -> bool:
        """Tell whether the frame is for our client, from our server.

        A client has one octet, yet the Landis+Gyr E450 adds a second one; UI frames may be for all.
        """
        client = frame.destination.logical_device
        return self.server.is_answered_by(frame.source) and (
            client == self.client.logical_device
            or (frame.type is FrameType.UI and client == ALL_STATION)
        )
