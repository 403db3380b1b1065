"""Transports without a network: a meter in the same process, at the end of a line that may be as bad as we like.

Time is virtual (`run_virtually`), so that whole sessions with all their timeouts take milliseconds, and a session
that would wait for ever ends at once with `Hang`.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from random import Random
import selectors
from typing import Protocol
from unittest.mock import patch

from custom_components.dlms_meter.dlms import connection
from custom_components.dlms_meter.dlms.errors import TransportError
from custom_components.dlms_meter.dlms.transport import Receiver
from custom_components.dlms_meter.dlms.transport.endpoint import (
    Endpoint,
    LineSettings,
)

INTER_OCTET_TIMEOUT = (
    0.1  # seconds without a byte, after which a meter gives up a frame
)


class Meter(Protocol):
    """What is at the other end: bytes in, bytes out."""

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes and return what the meter says to them."""

    def line_idle(self) -> bytes:
        """Hear that the client pauses, and return what the meter says to that."""

    def close(self) -> None:
        """The connection is gone."""


type Fault = Callable[[Random, bytes], Iterator[tuple[float, bytes]]]
"""What a line makes of the bytes of one write: pieces, each so many seconds after the one before."""

SHORT, LONG = (
    0.5,
    8.0,
)  # seconds: less, and more, than the 5 s the client waits for an answer


class Hang(Exception):
    """Everybody waits for somebody else, for ever."""


class _ImpatientSelector(selectors.SelectSelector):
    """Never waits: moves the clock instead."""

    now = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise Hang
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer."""

    def __init__(self) -> None:
        self.selector = _ImpatientSelector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now

    def pending_timers(self) -> list[asyncio.TimerHandle]:
        """Return the timers that would still go off."""
        scheduled: list[asyncio.TimerHandle] = vars(self)["_scheduled"]
        return [timer for timer in scheduled if not timer.cancelled()]


def run_virtually[T](main: Coroutine[object, object, T]) -> T:
    """Run a coroutine in virtual time; it must leave neither task nor timer. Raises `Hang` when it would wait for ever."""

    async def run_and_look_back(loop: VirtualTimeLoop) -> T:
        result = await main
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not loop.pending_timers()
        return result

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        return runner.run(run_and_look_back(loop))


def faultless(_: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield 0, data


def one_by_one(_: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    for octet in data:
        yield 0.001, bytes((octet,))


def split(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    while data:
        size = random.randint(1, 40)
        yield random.choice((0, 0.01, INTER_OCTET_TIMEOUT / 2)), data[:size]
        data = data[size:]


def delay(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield random.random() * SHORT, data


def delay_beyond_patience(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield LONG if random.random() < 0.05 else 0, data


def drop(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    if random.random() > 0.05:
        yield 0, data


def drop_octets(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    if random.random() < 0.1:
        start = random.randrange(len(data))
        data = data[:start] + data[start + random.randint(1, 8) :]
    yield 0, data


def flip(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    octets = bytearray(data)
    if random.random() < 0.1:
        octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)
    yield 0, bytes(octets)


def duplicate(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield 0, data
    if random.random() < 0.3:
        yield 0.01, data


def garbage_before(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    yield 0, random.choice((b"\x00", b"\x7e", b"\x7e\x7e\x7e", b"\xff" * 9)) + data


def garbage_between(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
    if random.random() < 0.5:
        yield 0, b"\x7e\xa0" + random.randbytes(random.randint(0, 30))
    yield 0.1, data
    if random.random() < 0.5:
        yield 0.1, random.randbytes(random.randint(1, 30))


# What must not hurt: on TCP, which loses and adds nothing, and on a serial line. And what may end a session with an error.
HARMLESS: dict[str, Fault] = {
    fault.__name__: fault for fault in (faultless, one_by_one, split, delay)
}
HARMLESS_TO_HDLC: dict[str, Fault] = HARMLESS | {
    fault.__name__: fault for fault in (duplicate, garbage_before, garbage_between)
}
HARMFUL_TO_HDLC: dict[str, Fault] = {
    fault.__name__: fault for fault in (drop, drop_octets, flip, delay_beyond_patience)
}


class Line:
    """One direction of a connection. Bytes keep their order, whatever happens to them on the way."""

    def __init__(self, arrive: Callable[[bytes], None], random: Random) -> None:
        self._arrive = arrive
        self._random = random
        self._busy_until = 0.0
        self._under_way: set[asyncio.TimerHandle] = set()

    def carry(self, data: bytes, fault: Fault) -> None:
        loop = asyncio.get_running_loop()
        due = max(self._busy_until, loop.time())
        for pause, piece in fault(self._random, data):
            due += pause + 1e-6  # timers of the same time would come in any order
            if piece:
                self._under_way.add(loop.call_at(due, self._arrive, piece))
        self._busy_until = due

    def cut(self) -> None:
        for timer in self._under_way:
            timer.cancel()


class MemoryTransport:
    """A transport with a meter at its other end. With `echo`, what is sent comes back first, as from an optical head."""

    def __init__(
        self,
        receiver: Receiver,
        meter: Meter,
        *,
        fault: Fault = faultless,
        seed: int = 0,
        echo: bool = False,
    ) -> None:
        random = Random(seed)
        self.receiver = receiver
        self.meter = meter
        self.sent: list[bytes] = []
        self.open = True
        self._fault = fault
        self._echo = echo
        self._to_meter = Line(self._at_meter, random)
        self._to_client = Line(receiver.data_received, random)
        self._silence: asyncio.TimerHandle | None = None

    def write(self, data: bytes) -> None:
        if not self.open:
            return
        self.sent.append(data)
        if self._echo:
            self._to_client.carry(data, faultless)
        self._to_meter.carry(data, self._fault)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        raise TransportError(f"cannot be set to {line}")

    def say(self, data: bytes) -> None:
        """Let the meter speak, asked or unasked."""
        if data:
            self._to_client.carry(data, self._fault)

    def lose(self, reason: str) -> None:
        """Break the connection."""
        self._cut()
        self.receiver.connection_lost(TransportError(reason))

    async def close(self) -> None:
        if self.open:
            self._cut()
            await asyncio.sleep(0)  # a socket needs the loop's next turn too
            self.receiver.connection_lost(None)

    def _cut(self) -> None:
        self.open = False
        self._to_meter.cut()
        self._to_client.cut()
        if self._silence is not None:
            self._silence.cancel()
        self.meter.close()

    def _at_meter(self, data: bytes) -> None:
        self.say(self.meter.receive_data(data))
        if self._silence is not None:
            self._silence.cancel()
        self._silence = asyncio.get_running_loop().call_later(
            INTER_OCTET_TIMEOUT, lambda: self.say(self.meter.line_idle())
        )


@contextmanager
def memory_transports(
    connect: Callable[[], Meter],
    *,
    fault: Fault = faultless,
    seed: int = 0,
    echo: bool = False,
) -> Iterator[list[MemoryTransport]]:
    """Let every connection end at what `connect` returns; yields the transports opened so far."""
    opened: list[MemoryTransport] = []

    async def open_transport(_: Endpoint, receiver: Receiver) -> MemoryTransport:
        await asyncio.sleep(0)
        opened.append(
            MemoryTransport(
                receiver, connect(), fault=fault, seed=seed + len(opened), echo=echo
            )
        )
        return opened[-1]

    with patch.object(connection, "open_transport", open_transport):
        yield opened
