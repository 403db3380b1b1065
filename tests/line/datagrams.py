"""UDP between client and meter: datagrams that get lost, come twice, late, or in another order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from custom_components.dlms_meter.dlms import (
    Endpoint,
    LineSettings,
    Receiver,
    TransportError,
    UdpEndpoint,
)
from tests.transports import Meter


@dataclass(frozen=True, kw_only=True)
class Network:
    """Shares of datagrams, in each direction, and seconds."""

    lost: float = 0.0
    doubled: float = 0.0
    late: float = 0.0
    delay: float = 0.01
    long_delay: float = 8.0
    seed: int = 0


class Datagrams:
    """An open UDP socket on virtual time (a `Transport`)."""

    def __init__(self, receiver: Receiver, meter: Meter, network: Network) -> None:
        self.open = True
        self.sent: list[bytes] = []
        self._receiver = receiver
        self._meter = meter
        self._network = network
        self._random = Random(network.seed)
        self._under_way: list[asyncio.TimerHandle] = []

    def write(self, data: bytes) -> None:
        if self.open:
            self.sent.append(data)
            self._carry(data, self._at_meter)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        raise TransportError("no line")

    async def close(self) -> None:
        if self.open:
            self.open = False
            for timer in self._under_way:
                timer.cancel()
            self._meter.close()
            self._receiver.connection_lost(None)

    def _at_meter(self, data: bytes) -> None:
        if answer := self._meter.receive_data(data):
            self._carry(answer, self._receiver.data_received)

    def _carry(self, data: bytes, arrive: Callable[[bytes], None]) -> None:
        random, network = self._random, self._network
        if random.random() < network.lost:
            return
        copies = 2 if random.random() < network.doubled else 1
        for _ in range(copies):
            late = random.random() < network.late
            delay = network.long_delay if late else network.delay * random.random()
            loop = asyncio.get_running_loop()
            self._under_way.append(loop.call_later(delay, arrive, data))


@dataclass
class Internet:
    """Opens sockets to a meter (a `TransportOpener`)."""

    meter: Callable[[], Meter]
    network: Network
    opened: list[Datagrams] = field(default_factory=list)

    async def open_transport(self, endpoint: Endpoint, receiver: Receiver) -> Datagrams:
        assert isinstance(endpoint, UdpEndpoint)
        await asyncio.sleep(0)
        self.opened.append(Datagrams(receiver, self.meter(), self.network))
        return self.opened[-1]


class UdpMeter(asyncio.DatagramProtocol):
    """A meter on a real socket; `lose` says which datagrams it never saw."""

    def __init__(
        self, meter: Meter, lose: Callable[[int], bool], copies: int = 1
    ) -> None:
        self._meter = meter
        self._lose = lose
        self._copies = copies
        self._count = 0
        self._transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._count += 1
        if self._lose(self._count):
            return
        answer = self._meter.receive_data(data)
        for _ in range(self._copies if answer else 0):
            self._transport.sendto(answer, addr)
