"""A serial line on virtual time: octets take as long as they would, echo comes back, noise hits bits by seed."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import log
from random import Random

from custom_components.dlms_meter.dlms import (
    Endpoint,
    LineSettings,
    Receiver,
    SerialEndpoint,
    TransportError,
)
from tests.transports import Fault, faultless

from .optical import LineMeter, Saying, as_heard

_LATENCY = 0.016
"""Seconds for which an adapter collects octets before it passes them on."""
_IDLE = 0.1
"""Seconds of silence after which a meter gives up a frame that was begun."""
_LAG = 0.02
"""Seconds that changing the line settings takes."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a line does to what it carries. `error_rate` is the share of bits that flip, in both directions."""

    to_meter: Fault = faultless
    to_client: Fault = faultless
    echo: Fault | None = None
    error_rate: float = 0.0
    inactivity: float = 120.0
    """Seconds after which the meter gives up a session."""
    seed: int = 0


@dataclass
class Traffic:
    """What a line carried."""

    to_meter: int = 0
    to_client: int = 0
    turns: int = 0
    """How often the meter had to think."""
    on_wire: float = 0.0
    thinking: float = 0.0
    pauses: float = 0.0
    """Seconds: what octets take, what the meter takes, and what a standard asks of the client."""

    @property
    def seconds(self) -> float:
        """What the session would have taken at best."""
        return self.on_wire + self.thinking + self.pauses


class Noise:
    """Flips bits, each with the same small probability."""

    def __init__(self, random: Random, error_rate: float) -> None:
        self._random = random
        self._rate = error_rate
        self._until_next = self._draw()

    def __call__(self, data: bytes) -> bytes:
        bits = 8 * len(data)
        if self._until_next >= bits:
            self._until_next -= bits
            return data
        octets = bytearray(data)
        while self._until_next < bits:
            octets[self._until_next // 8] ^= 1 << self._until_next % 8
            self._until_next += self._draw()
        self._until_next -= bits
        return bytes(octets)

    def _draw(self) -> int:
        if not self._rate:
            return 1 << 60
        return 1 + int(log(1 - self._random.random()) / log(1 - self._rate))


class Wire:
    """One direction: what is put on it comes out in pieces, in order, no faster than the speed allows."""

    def __init__(self, noise: Noise) -> None:
        self.free_at = 0.0
        self._noise = noise
        self._under_way: list[asyncio.TimerHandle] = []

    def carry(
        self,
        data: bytes,
        line: LineSettings,
        arrive: Callable[[bytes, LineSettings], None],
        after: float = 0.0,
    ) -> None:
        loop = asyncio.get_running_loop()
        due = max(self.free_at, loop.time() + after)
        size = max(1, int(_LATENCY / line.octet_time))
        for start in range(0, len(data), size):
            piece = self._noise(data[start : start + size])
            due += len(piece) * line.octet_time
            self._under_way.append(loop.call_at(due, arrive, piece, line))
        self.free_at = due

    def cut(self) -> None:
        for timer in self._under_way:
            timer.cancel()


class PacedLine:
    """An open serial port (a `Transport`) with a meter at its far end."""

    def __init__(
        self,
        receiver: Receiver,
        line: LineSettings,
        meter: LineMeter,
        conditions: Conditions,
        traffic: Traffic,
    ) -> None:
        self.open = True
        self.line = line
        self._receiver = receiver
        self._meter = meter
        self._conditions = conditions
        self._random = Random(conditions.seed)
        self._traffic = traffic
        noise = Noise(self._random, conditions.error_rate)
        self._out, self._in = Wire(noise), Wire(noise)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def write(self, data: bytes) -> None:
        if not (self.open and data):
            return
        self._traffic.to_meter += len(data)
        self._traffic.on_wire += len(data) * self.line.octet_time
        conditions = self._conditions
        if conditions.echo is not None:
            for pause, piece in conditions.echo(self._random, data):
                self._in.carry(piece, self.line, self._at_client, pause)
        for pause, piece in conditions.to_meter(self._random, data):
            self._out.carry(piece, self.line, self._at_meter, pause)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        self.write(last)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(self._out.free_at - loop.time(), 0) + _LAG)
        self.line = line

    def lose(self, error: TransportError) -> None:
        """Break the connection."""
        if self.open:
            self._cut()
            self._receiver.connection_lost(error)

    async def close(self) -> None:
        if self.open:
            self._cut()
            await asyncio.sleep(0)
            self._receiver.connection_lost(None)

    def _cut(self) -> None:
        self.open = False
        self._out.cut()
        self._in.cut()
        for timer in self._timers.values():
            timer.cancel()
        self._meter.close()

    def _at_meter(self, data: bytes, line: LineSettings) -> None:
        self._say(self._meter.hear(data, line))
        self._again("idle", _IDLE, lambda: self._say(self._meter.idle()))
        self._again("inactive", self._conditions.inactivity, self._meter.expire)

    def _say(self, sayings: Iterable[Saying]) -> None:
        for saying in sayings:
            traffic, octets = self._traffic, saying.octets
            traffic.turns += 1
            traffic.to_client += len(octets)
            traffic.thinking += saying.delay
            traffic.on_wire += len(octets) * saying.line.octet_time
            for pause, piece in self._conditions.to_client(self._random, octets):
                self._in.carry(
                    piece, saying.line, self._at_client, saying.delay + pause
                )

    def _at_client(self, data: bytes, line: LineSettings) -> None:
        self._receiver.data_received(as_heard(data, line, self.line))

    def _again(self, name: str, seconds: float, what: Callable[[], None]) -> None:
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, what)


@dataclass
class Port:
    """The port that leads to a meter: opens the line (a `TransportOpener`), again and again."""

    meter: LineMeter
    conditions: Conditions = field(default_factory=Conditions)
    opened: list[PacedLine] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)

    async def open_transport(self, endpoint: Endpoint, receiver: Receiver) -> PacedLine:
        assert isinstance(endpoint, SerialEndpoint)
        await asyncio.sleep(0)
        self.opened.append(
            PacedLine(
                receiver, endpoint.line, self.meter, self.conditions, self.traffic
            )
        )
        return self.opened[-1]
