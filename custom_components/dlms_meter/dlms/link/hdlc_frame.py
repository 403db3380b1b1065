"""HDLC frames, format type 3: frame to bytes and back, and a stream decoder (IEC 62056-46, ISO/IEC 13239).

    7E | format, length (2) | destination (1, 2, 4) | source (1, 2, 4) | control (1) | HCS (2) | information | FCS (2) | 7E

The length counts everything between the flags. HCS is there only before information. Nothing is escaped: 7E may
stand anywhere inside, so a frame is cut by its length and never by a flag. One flag may end a frame and begin the next.
"""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple, Self

from ..codec.crc import are_good, fcs16, is_good
from ..errors import DecodeError, LocalProtocolError
from . import LinkStatistics
from .hdlc_address import HdlcAddress, address_length, decode_address

FLAG = 0x7E
FORMAT_TYPE = 0xA0
SEGMENTED = 0x08
POLL_FINAL = 0x10
MAX_LENGTH = 0x7FF  # eleven bits
MAX_INFORMATION_LENGTH = 2030  # what SNRM and UA may agree on at most

_CHECK = 2
_MIN_LENGTH = 2 + 1 + 1 + 1 + _CHECK  # format, two addresses, control, FCS
_ENOUGH = 1 + 2 + 4 + 4 + 1 + _CHECK  # a flag, the longest header and its check
_FLAG_OCTET = bytes((FLAG,))
_NOTHING = (b"", _FLAG_OCTET)


class FrameType(IntEnum):
    """Kinds of frames; the value is the control octet without its numbers and its P/F bit."""

    I = 0x00  # noqa: E741
    RR = 0x01
    RNR = 0x05
    REJ = 0x09  # DLMS does not use it; tolerated
    UI = 0x03
    DM = 0x0F
    DISC = 0x43
    UA = 0x63
    SNRM = 0x83
    FRMR = 0x87


NUMBERED = frozenset((FrameType.I, FrameType.RR, FrameType.RNR, FrameType.REJ))


_SHORTEST_USUAL = 2 + _MIN_LENGTH + _CHECK + 1  # flags, header check, one octet
_FORMAT_LENGTH = (FORMAT_TYPE << 8) - 2  # of a frame with no octets but its flags
_SEGMENTED_LENGTH = SEGMENTED << 8

_new = tuple.__new__
"""Makes a frame in half the time of its own constructor: 80 against 180 ns."""


class Frame(NamedTuple):
    """One HDLC frame, in either direction.

    `segmented` says that more segments of the same APDU follow. `poll_final` hands over the word: P from the client,
    F from the server. `send_sequence` is N(S) of an I frame, `receive_sequence` N(R) of I, RR, RNR and REJ, else 0.
    """

    destination: HdlcAddress
    source: HdlcAddress
    type: FrameType
    information: bytes = b""
    segmented: bool = False
    poll_final: bool = True
    send_sequence: int = 0
    receive_sequence: int = 0

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode one whole frame, from its opening to its closing flag.

        Raises `DecodeError` when anything is missing, left over, or damaged.
        """
        header = _check(data)
        return _new(cls, _fields(data, header, _decode_header(data[3:header])))

    def encode(self) -> bytes:
        """Encode the frame with its flags and checks.

        Raises `LocalProtocolError` when the information does not fit into one frame.
        """
        addresses = self.destination.encode() + self.source.encode()
        checks = 2 * _CHECK if self.information else _CHECK
        length = 2 + len(addresses) + 1 + checks + len(self.information)
        if length > MAX_LENGTH:
            raise LocalProtocolError(
                f"{len(self.information)} octets of information do not fit into one HDLC frame"
            )
        first = FORMAT_TYPE | (SEGMENTED if self.segmented else 0) | length >> 8
        contents = bytes((first, length & 0xFF)) + addresses + bytes((self.control,))
        if self.information:
            contents += fcs16(contents) + self.information
        check = fcs16(contents)
        return b"".join((_FLAG_OCTET, contents, check, _FLAG_OCTET))

    @property
    def control(self) -> int:
        """The control octet."""
        control = self.type | (POLL_FINAL if self.poll_final else 0)
        if self.type in NUMBERED:
            control |= self.receive_sequence << 5
        if self.type is FrameType.I:
            control |= self.send_sequence << 1
        return control

    def __str__(self) -> str:
        """Show the frame on one line, for logs: kind, numbers, addresses, size; never the information."""
        words = [self.type.name]
        if self.type is FrameType.I:
            words.append(f"N(S){self.send_sequence}")
        if self.type in NUMBERED:
            words.append(f"N(R){self.receive_sequence}")
        if self.poll_final:
            words.append("P/F")
        words.append(f"{self.source} → {self.destination}")
        if self.information:
            words.append(f"[{len(self.information)} octets]")
        if self.segmented:
            words.append("more follows")
        return " ".join(words)


class _Header(NamedTuple):
    """What addresses and control octet say."""

    destination: HdlcAddress
    source: HdlcAddress
    type: FrameType
    poll_final: bool
    send_sequence: int
    receive_sequence: int


@lru_cache(maxsize=256)
def _decode_header(octets: bytes) -> _Header:
    """Decode addresses and control octet, remembering the few that a line carries. Raises `DecodeError`."""
    source = address_length(octets, 0, len(octets))
    control = octets[-1]
    kind = control & ~POLL_FINAL
    if not control & 1:
        kind = FrameType.I
    elif control & 3 == 1:
        kind = control & 0x0F
    if kind not in FrameType:
        raise DecodeError(f"control octet {control:02X} is unknown", 2 + len(octets))
    return _Header(
        decode_address(octets[:source]),
        decode_address(octets[source:-1]),
        FrameType(kind),
        bool(control & POLL_FINAL),
        control >> 1 & 7 if kind == FrameType.I else 0,
        control >> 5 if kind in NUMBERED else 0,
    )


def _fields(data: bytes, end: int, header: _Header) -> tuple[object, ...]:
    """Return the fields of the frame that fills `data`, whose header ends at `end`."""
    destination, source, kind, poll_final, send_sequence, receive_sequence = header
    information = data[end + _CHECK : -_CHECK - 1]
    segmented = data[1] & SEGMENTED != 0
    return (
        destination, source, kind, information,
        segmented, poll_final, send_sequence, receive_sequence,
    )  # fmt: skip


def _decode_usual(data: bytes) -> Frame | None:
    """Decode a whole and sound frame with information from a server to a client, as most are; None for anything else.

    It finds what the decoder of streams finds, in less time: 1.4 in place of 2.2 µs for 128 octets.
    """
    size = len(data)
    if (
        not _SHORTEST_USUAL <= size <= MAX_LENGTH + 2
        or data[0] != FLAG
        or data[-1] != FLAG
        or (data[1] << 8 | data[2]) & ~_SEGMENTED_LENGTH != _FORMAT_LENGTH + size
        or not data[3] & 1
    ):
        return None
    end = 6 if data[4] & 1 else 7 if data[5] & 1 else 9
    if size <= end + 2 * _CHECK + 1 or not are_good(data[1:-1], end + _CHECK - 1):
        return None
    try:
        return _new(Frame, _fields(data, end, _decode_header(data[3:end])))
    except DecodeError:
        return None


def _check(data: bytes) -> int:
    """Return the index after the control octet of the frame that fills `data`; raise `DecodeError` if it is damaged."""
    if len(data) < 3 or data[0] != FLAG:
        raise DecodeError("an HDLC frame begins with 7E and two octets of format", 0)
    if data[1] & 0xF0 != FORMAT_TYPE:
        raise DecodeError(f"frame format {data[1]:02X} is not type 3", 1)
    length = _length(data, 0)
    if len(data) != length + 2:
        raise DecodeError(
            f"frame of {length} octets announced, {len(data) - 2} present", 1
        )
    if data[-1] != FLAG:
        raise DecodeError("no flag where the frame should end", len(data) - 1)
    header = _header_end(data, 0, length + 2) if length >= _MIN_LENGTH else 0
    if not header:
        raise DecodeError("no valid HDLC addresses", 3)
    contents = data[1:-1]
    if header == len(contents) - 1:
        if not is_good(contents):
            raise DecodeError("wrong frame check", header)
    elif not are_good(contents, header + 1):
        wrong = "frame" if is_good(contents[: header + 1]) else "header"
        raise DecodeError(f"wrong {wrong} check", header)
    return header


def _length(data: bytes, flag: int) -> int:
    """Return the length field of the frame whose opening flag is at `flag`."""
    return (data[flag + 1] & 7) << 8 | data[flag + 2]


def _header_end(data: bytes, flag: int, size: int) -> int:
    """Return the index after the control octet of a frame of `size` octets, 0 when the addresses leave no valid frame."""
    end = flag + size - _CHECK - 1
    control = flag + 5
    if not data[flag + 3] & data[flag + 4] & 1:  # not one octet each, as mostly
        destination = flag + 3
        source = destination + address_length(data, destination, end)
        control = source + address_length(data, source, end)
        if not destination < source < control < end:
            return 0
    # Between header and FCS there is nothing, or an HCS and at least one octet of information.
    return control + 1 if control + 1 == end or control + 1 + _CHECK < end else 0


class FrameDecoder:
    """Cuts a stream of octets into frames, and finds back after garbage and damage.

    Octets that cannot be a frame are given up one at a time, from the earliest flag on. What is held back never
    exceeds one frame of the greatest length.
    """

    def __init__(self, statistics: LinkStatistics | None = None) -> None:
        self.statistics = statistics or LinkStatistics()
        self._buffer = b""
        self._needed = 0

    @property
    def frame_begun(self) -> bool:
        """The header of a frame is here, as its check tells, and more is to come."""
        return len(self._buffer) >= _ENOUGH

    def feed(self, data: bytes) -> list[Frame]:
        """Take octets from the wire and return the frames they complete, in order."""
        if self._buffer in _NOTHING and data.startswith(_FLAG_OCTET):
            frame = _decode_usual(data)
            if frame is not None:
                self._buffer = _FLAG_OCTET  # its closing flag may open the next
                return [frame]
            self._buffer = data  # most frames bring a flag of their own
        else:
            self._buffer += data
        if len(self._buffer) < self._needed:
            return []
        return self._cut(final=False)

    def skip_frame(self) -> bool:
        """Let a frame pass that somebody else decoded, flags and all; False, and nothing done, when another is begun."""
        if self._buffer not in _NOTHING:
            return False
        self._buffer = _FLAG_OCTET
        return True

    def flush(self) -> list[Frame]:
        """Give up the frame that never came to its end; return the frames found behind its beginning."""
        return self._cut(final=True)

    def _cut(self, *, final: bool) -> list[Frame]:
        """Return the complete frames in the buffer; keep what may become one, unless this is the end."""
        buffer = self._buffer
        frames: list[Frame] = []
        self._needed = position = 0
        while (flag := buffer.find(FLAG, position)) >= 0:
            if flag > position:
                self.statistics.octets_discarded += flag - position
            size = self._size(flag)
            end = flag + size
            if end <= len(buffer):
                frame = self._decode(flag, end) if size else None
            elif final and flag + 1 < len(buffer):
                frame = None
            else:
                self._needed = size
                position = flag
                break
            if frame is None:
                position = flag + 1
            else:
                frames.append(frame)
                position = end - 1  # its closing flag may open the next
        else:
            self.statistics.octets_discarded += len(buffer) - position
            position = len(buffer)
        self._buffer = buffer[position:]
        return frames

    def _size(self, flag: int) -> int:
        """Return the octets, both flags included, that the frame at `flag` has, or that must be here to tell; 0: no frame.

        The header check is looked at as soon as it is here: a damaged length, or a 7E within garbage, must not make
        us wait for two thousand octets that will never come.
        """
        buffer = self._buffer
        present = len(buffer) - flag
        if present > 1 and buffer[flag + 1] & 0xF0 != FORMAT_TYPE:
            return 0
        if present < 3:
            return 3
        size = _length(buffer, flag) + 2
        if size < _MIN_LENGTH + 2:
            return 0
        if present >= size:
            return size
        if present < _ENOUGH:
            return min(size, _ENOUGH)
        header = _header_end(buffer, flag, size)
        if header and is_good(buffer[flag + 1 : header + _CHECK]):
            return size
        self.statistics.bad_checks += 1
        return 0

    def _decode(self, flag: int, end: int) -> Frame | None:
        """Decode the frame from `flag` to `end`; count it and return None when it is damaged."""
        try:
            return Frame.decode(self._buffer[flag:end])
        except DecodeError:
            self.statistics.bad_checks += 1
            return None
