"""Everything a line, a gateway or a meter does to spoil a session, as rows."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from random import Random

from custom_components.dlms_meter.dlms import Framing, Symptom, TransportError
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)
from tests.transports import Fault, Meter, faultless

from .paced import Conditions, PacedLine


def partial(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    """Lose the beginning or the end, as an echo that blinds its own receiver."""
    cut = random.randint(0, len(data))
    yield 0, data[cut:] if random.random() < 0.5 else data[:cut]


def damaged(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    octets = bytearray(data)
    for _ in range(random.randint(1, 5)):
        octets[random.randrange(len(octets))] = random.randrange(256)
    yield 0, bytes(octets)


def garbage_before(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield 0, random.choice((b"\0", b"\x7e", b"\x7e\x7e\x7e", b"\xff" * 9)) + data


def garbage_between(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield 0, data
    if random.random() < 0.5:
        yield 0.05, random.randbytes(random.randint(1, 30))


def lost_octets(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    if random.random() < 0.1:
        start = random.randrange(len(data))
        data = data[:start] + data[start + random.randint(1, 8) :]
    yield 0, data


def lost_frames(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    if random.random() > 0.05:
        yield 0, data


def flipped_bits(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    octets = bytearray(data)
    if random.random() < 0.1:
        octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
    yield 0, bytes(octets)


def doubled_octets(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    if random.random() < 0.1:
        start = random.randrange(len(data))
        data = data[:start] + data[start : start + random.randint(1, 8)] + data[start:]
    yield 0, data


def doubled_frames(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield 0, data
    if random.random() < 0.3:
        yield 0.01, data


def late(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    """Come some seconds late, within the patience of the client."""
    yield random.random() * 4 if random.random() < 0.3 else 0, data


def too_late(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    """Come later than the client waits, now and then."""
    yield random.uniform(5, 12) if random.random() < 0.05 else 0, data


def stalled(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    """Stop in the middle for longer than a frame may pause, as a radio link does."""
    cut = random.randrange(len(data))
    yield 0, data[:cut]
    yield random.uniform(0, 3) if random.random() < 0.2 else 0, data[cut:]


class FaultyMeter:
    """A meter with a fault of its own, around a sound one. Time is the loop's."""

    def __init__(self, session: Meter, random: Random) -> None:
        self._session = session
        self._random = random
        self._began = asyncio.get_running_loop().time()

    def receive_data(self, data: bytes) -> bytes:
        return self._session.receive_data(data)

    def line_idle(self) -> bytes:
        return self._session.line_idle()

    def close(self) -> None:
        self._session.close()

    @property
    def age(self) -> float:
        return asyncio.get_running_loop().time() - self._began


class Busy(FaultyMeter):
    """Answers its first frames with DM: it serves another client."""

    def __init__(self, session: Meter, random: Random) -> None:
        super().__init__(session, random)
        self._refusals = random.randint(1, 4)
        self._decoder = FrameDecoder()

    def receive_data(self, data: bytes) -> bytes:
        if self._refusals == 0:
            return super().receive_data(data)
        answers = b""
        for frame in self._decoder.feed(data):
            self._refusals = max(self._refusals - 1, 0)
            answers += Frame(frame.source, frame.destination, FrameType.DM).encode()
        return answers


class Silent(FaultyMeter):
    """Holds an old session for a while, and says nothing to a new one meanwhile."""

    def __init__(self, session: Meter, random: Random) -> None:
        super().__init__(session, random)
        self._until = random.uniform(1, 30)

    def receive_data(self, data: bytes) -> bytes:
        return super().receive_data(data) if self.age > self._until else b""


class ShortSession(FaultyMeter):
    """Ends every session some seconds after it began, whatever goes on (Kamstrup Omnipower: ten)."""

    def __init__(self, session: Meter, random: Random) -> None:
        super().__init__(session, random)
        self._seconds = random.uniform(1, 10)
        self._ended = False

    def receive_data(self, data: bytes) -> bytes:
        if not self._ended and self.age > self._seconds:
            self._ended = True
            self._session.close()
        return super().receive_data(data)


class Reset(FaultyMeter):
    """Loses its power in the middle, and is back after some seconds, knowing nothing."""

    def __init__(self, session: Meter, random: Random) -> None:
        super().__init__(session, random)
        self._at = random.uniform(0, 6)
        self._back_at = self._at + random.uniform(0, 8)

    def receive_data(self, data: bytes) -> bytes:
        if self._at < self.age < self._back_at:
            self._session.close()
            return b""
        return super().receive_data(data)


_CLEAN = Conditions()


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One way to spoil a session.

    `least` is the share of sessions that must come through all the same, on HDLC and on the wrapper; None where the
    fault does not exist: TCP loses and alters nothing, and the wrapper has neither echo nor DM.
    `within` is how many seconds a session may last, whatever comes of it, and `told` what a user may read of one that
    failed; the README has both.
    """

    line: Conditions = _CLEAN
    meter: type[FaultyMeter] = FaultyMeter
    cut: Callable[[PacedLine, Random], None] | None = None
    hdlc: float = 0.0
    wrapper: float | None = None
    within: float
    told: Collection[Symptom] = ()

    def applies(self, framing: Framing) -> bool:
        return framing is Framing.HDLC or self.wrapper is not None

    def least(self, framing: Framing) -> float:
        return self.hdlc if framing is Framing.HDLC else self.wrapper or 0.0

    def conditions(self, seed: int) -> Conditions:
        return replace(self.line, seed=seed)


def both(fault: Fault) -> Conditions:
    return Conditions(to_meter=fault, to_client=fault)


def close_gateway(line: PacedLine, random: Random) -> None:
    loop = asyncio.get_running_loop()
    error = TransportError("gateway.example:8899: the other side closed the connection")
    loop.call_later(random.uniform(0, 6), line.lose, error)


_INCOMPLETE = (Symptom.ANSWER_INCOMPLETE,)
_INCOMPLETE_OR_NOT_BEGUN = (Symptom.ANSWER_INCOMPLETE, Symptom.NO_ANSWER)
_BROKEN_OFF = (Symptom.LINK_FAILED,)

TROUBLES = {
    "nothing": Trouble(hdlc=1, wrapper=1, within=10),
    "echo": Trouble(line=Conditions(echo=faultless), hdlc=1, within=15),
    "echo, partial": Trouble(line=Conditions(echo=partial), hdlc=1, within=15),
    "echo, damaged": Trouble(line=Conditions(echo=damaged), hdlc=1, within=15),
    "garbage before frames": Trouble(line=both(garbage_before), hdlc=1, within=15),
    "garbage between frames": Trouble(line=both(garbage_between), hdlc=0.95, within=15),
    "octets lost": Trouble(line=both(lost_octets), hdlc=0.9, within=90, told=_INCOMPLETE),
    "frames lost": Trouble(line=both(lost_frames), hdlc=0.9, within=90, told=_INCOMPLETE),
    "bits flipped": Trouble(line=both(flipped_bits), hdlc=0.9, within=90, told=_INCOMPLETE),
    "octets doubled": Trouble(line=both(doubled_octets), hdlc=0.9, within=90, told=_INCOMPLETE),
    "frames doubled": Trouble(line=both(doubled_frames), hdlc=1, within=15),
    "late": Trouble(line=both(late), hdlc=1, wrapper=0.9, within=90),
    "too late": Trouble(line=both(too_late), hdlc=0.9, wrapper=0.2, within=120, told=_INCOMPLETE),
    "stalled": Trouble(
        line=both(stalled), hdlc=0.95, wrapper=1, within=120, told=_INCOMPLETE_OR_NOT_BEGUN
    ),
    "busy (DM)": Trouble(meter=Busy, hdlc=0.5, within=15, told=(Symptom.BUSY,)),
    "silent: old session": Trouble(
        meter=Silent, hdlc=0.3, wrapper=0.0, within=30, told=_INCOMPLETE_OR_NOT_BEGUN
    ),
    "session ends early": Trouble(meter=ShortSession, wrapper=0.0, within=30, told=_BROKEN_OFF),
    "meter resets": Trouble(
        meter=Reset, wrapper=0.0, within=30, told=(*_INCOMPLETE, *_BROKEN_OFF)
    ),
    "gateway closes": Trouble(
        cut=close_gateway, wrapper=0.0, within=10, told=(Symptom.CONNECTION_LOST,)
    ),
}  # fmt: skip
