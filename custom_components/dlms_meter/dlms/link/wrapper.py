"""The wrapper: what stands before each APDU over TCP and UDP (IEC 62056-47).

    version 0001 (2) | source wPort (2) | destination wPort (2) | length of the APDU (2) | APDU

The wPorts are the SAPs of client and server. There is no check: TCP delivers whole and in order, or not at all.
"""

from struct import Struct
from typing import NamedTuple, Self

from ..errors import DecodeError, LinkError, LocalProtocolError, TransportTimeout
from . import ApduReceived, LinkDown, LinkEvent, LinkStatistics, LinkUp
from .silence import describe_silence

VERSION = 1
HEADER_LENGTH = 8
MAX_APDU_LENGTH = 0xFFFF

MAX_OCTETS_WITHOUT_PROGRESS = 1024 * 1024
"""So much may come while an answer is awaited and none is of use; then the link gives up."""

_HEADER = Struct(">HHHH")
_VERSION_OCTETS = VERSION.to_bytes(2)


class WrapperFrame(NamedTuple):
    """One APDU in its wrapper, in either direction."""

    source_wport: int
    destination_wport: int
    apdu: bytes

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode one whole frame. Raises `DecodeError` when anything is wrong, missing, or left over."""
        if len(data) < HEADER_LENGTH:
            raise DecodeError(
                f"a wrapper header has {HEADER_LENGTH} octets, {len(data)} present", 0
            )
        version, source, destination, length = _HEADER.unpack_from(data)
        if version != VERSION:
            raise DecodeError(f"wrapper version {version} is unknown", 0)
        if len(data) != HEADER_LENGTH + length:
            raise DecodeError(
                f"APDU of {length} octets announced, {len(data) - HEADER_LENGTH} present",
                6,
            )
        return cls(source, destination, data[HEADER_LENGTH:])

    def encode(self) -> bytes:
        """Encode the frame. Raises `LocalProtocolError` when the APDU is too long for it."""
        if len(self.apdu) > MAX_APDU_LENGTH:
            raise LocalProtocolError(
                f"an APDU of {len(self.apdu)} octets does not fit into the wrapper"
            )
        ports = self.source_wport, self.destination_wport
        return _HEADER.pack(VERSION, *ports, len(self.apdu)) + self.apdu

    def __str__(self) -> str:
        """Show the frame on one line, for logs: addresses and size; never the APDU."""
        return f"wPort {self.source_wport} → {self.destination_wport} [{len(self.apdu)} octets]"


class WrapperDecoder:
    """Cuts a stream of octets into wrapper frames, however TCP splits or joins them.

    Octets in front of a version 0001 are given up one at a time. What is held back never exceeds one frame.
    `beginning` is how the frames we wait for begin: what to look for after a frame that never came to its end.
    """

    def __init__(
        self,
        statistics: LinkStatistics | None = None,
        beginning: bytes = _VERSION_OCTETS,
    ) -> None:
        self.statistics = statistics or LinkStatistics()
        self._beginning = beginning
        self._buffer = bytearray()
        self._needed = 0

    def feed(self, data: bytes) -> list[WrapperFrame]:
        """Take octets from the wire and return the frames they complete, in order."""
        self._buffer += data
        if len(self._buffer) < self._needed:
            return []
        frames: list[WrapperFrame] = []
        self._needed = position = 0
        while (start := self._find_version(position)) < len(self._buffer):
            end = self._end(start)
            if end > len(self._buffer):
                self._needed = end - start
                break
            frames.append(WrapperFrame.decode(bytes(self._buffer[start:end])))
            position = end
        del self._buffer[:start]
        return frames

    def flush(self) -> list[WrapperFrame]:
        """Give up the frame that never came to its end; return the frames found behind its beginning."""
        frames: list[WrapperFrame] = []
        while self._buffer and not frames:
            start = self._buffer.find(self._beginning, 1)
            lost = start if start > 0 else len(self._buffer)
            self.statistics.octets_discarded += lost
            del self._buffer[:lost]
            self._needed = 0
            frames = self.feed(b"")
        return frames

    def _find_version(self, position: int) -> int:
        """Return where the next frame may begin, and count what lies before."""
        start = self._buffer.find(_VERSION_OCTETS, position)
        if start < 0:
            start = len(self._buffer) - self._buffer.endswith(_VERSION_OCTETS[:1])
            start = max(start, position)
        self.statistics.octets_discarded += start - position
        return start

    def _end(self, start: int) -> int:
        """Return where the frame at `start` ends, or where its header does when that is not here yet."""
        header = start + HEADER_LENGTH
        if header > len(self._buffer):
            return header
        return header + int.from_bytes(self._buffer[header - 2 : header])


class WrapperLink:
    """One link over the wrapper; implements `Link`. It is up at once, and repeats nothing: TCP does.

    It gives up after `patience` timeouts in a row. With `datagrams`, every call of `receive_data` brings one whole frame, or nothing of use.
    Raises `LocalProtocolError` for SAPs that are no wPorts.
    """

    def __init__(
        self,
        client_sap: int,
        server_sap: int,
        *,
        datagrams: bool = False,
        patience: int = 1,
    ) -> None:
        for sap in (client_sap, server_sap):
            if not 0 <= sap <= 0xFFFF:
                raise LocalProtocolError(f"{sap} is not a wPort (0 to 65535)")
        self.client_sap = client_sap
        self.server_sap = server_sap
        self.statistics = LinkStatistics()
        self._datagrams = datagrams
        self._patience = patience
        self._silences = 0
        self._decoder = self._new_decoder()
        self._before = self.statistics.copy()
        self._up = False
        self._awaiting = False
        self._octets = 0
        self._sent = WrapperFrame(client_sap, server_sap, b"")
        self._outbox = bytearray()
        self._events: list[LinkEvent] = []

    @property
    def awaiting_response(self) -> bool:
        """An answer is expected: a response timer should run."""
        return self._awaiting

    @property
    def answer_begun(self) -> bool:
        """Nothing to know: when TCP pauses, the network is to blame, and may take its time."""
        return False

    def connect(self) -> None:
        """Be up at once. Raises `LocalProtocolError` when it is up already."""
        if self._up:
            raise LocalProtocolError("the wrapper link is up already")
        self._up = True
        self._decoder = self._new_decoder()
        self._events.append(LinkUp())

    def send_apdu(self, apdu: bytes, *, answered: bool = True) -> None:
        """Send one APDU, to be `answered` or not. Raises `LocalProtocolError` when the link is not up, or the APDU is too long."""
        if not self._up:
            raise LocalProtocolError("the wrapper link is not up: no APDU can be sent")
        self._sent = WrapperFrame(self.client_sap, self.server_sap, apdu)
        self._outbox += self._sent.encode()
        self.statistics.frames_sent += 1
        self._before = self.statistics.copy()
        self._octets = self._silences = 0
        self._awaiting = answered

    def await_more(self) -> None:
        """Wait on: what was received is not the answer, or not yet all of it."""
        self._octets = self._silences = 0
        self._awaiting = self._up

    def disconnect(self) -> None:
        """Be down at once: the wrapper has no farewell."""
        self._end(LinkDown())

    def receive_data(self, data: bytes) -> bool:
        """Take bytes from the wire, any number, cut anywhere; there are no segments, so False."""
        self._octets += len(data)
        self._silences = 0
        self._receive(
            self._datagram(data) if self._datagrams else self._decoder.feed(data)
        )
        if self._awaiting and self._octets > MAX_OCTETS_WITHOUT_PROGRESS:
            self._end(
                LinkDown(LinkError(f"The meter sends without end: {self._reason()}"))
            )
        return False

    def on_timeout(self) -> None:
        """Nothing came in time: in the end give up with `LinkDown`. Does nothing when nothing is awaited."""
        if not self._awaiting:
            return
        self.statistics.timeouts += 1
        self._silences += 1
        if self._silences < self._patience:
            return
        self._receive(self._decoder.flush())
        if self._awaiting:
            self._awaiting = False  # the link itself stays up, for a release
            error = TransportTimeout(f"The meter did not answer: {self._reason()}")
            self._events.append(LinkDown(error))

    def data_to_send(self) -> bytes:
        """Return the bytes to put on the wire now, and forget them."""
        data = bytes(self._outbox)
        self._outbox.clear()
        return data

    def events(self) -> list[LinkEvent]:
        """Return what happened since the last call, in order."""
        events, self._events = self._events, []
        return events

    def _new_decoder(self) -> WrapperDecoder:
        """Make a decoder that knows how answers begin."""
        header = _HEADER.pack(VERSION, self.server_sap, self.client_sap, 0)
        return WrapperDecoder(self.statistics, header[:-2])

    def _datagram(self, data: bytes) -> list[WrapperFrame]:
        """Return the frame that fills one datagram; anything else has no business here."""
        try:
            return [WrapperFrame.decode(data)]
        except DecodeError:
            self.statistics.octets_discarded += len(data)
            return []

    def _receive(self, frames: list[WrapperFrame]) -> None:
        """Hand out the APDUs that are for us and from our meter."""
        for frame in frames:
            if frame == self._sent:  # client and server may have the same number
                self.statistics.echoes += 1
            elif frame[:2] != (self.server_sap, self.client_sap):
                self.statistics.frames_ignored += 1
            elif frame.apdu and self._up:
                self.statistics.frames_received += 1
                self._events.append(ApduReceived(frame.apdu))
                self._awaiting = False

    def _reason(self) -> str:
        """Say what came instead of an answer."""
        return describe_silence(self._before, self.statistics)

    def _end(self, event: LinkDown) -> None:
        """The link is gone."""
        self._up = self._awaiting = False
        self._events.append(event)
