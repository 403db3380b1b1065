"""One open port, several meters: what a channel needs of a transport, and of clients that borrow it in turn."""

import asyncio

from custom_components.dlms_meter.dlms import (
    DlmsClient,
    Endpoint,
    LineSettings,
    Receiver,
    SerialEndpoint,
    SignOnSettings,
    Transport,
    TransportError,
)
from tests.simulator import HdlcSession
from tests.transports import run_virtually

from .optical import DirectMeter, LineMeter, OpticalMeter, Saying
from .paced import Port
from .sessions import household, poll, settings

FAST = SerialEndpoint("/dev/ttyBus", LineSettings(19200))
SLOW = SerialEndpoint("/dev/ttyBus", LineSettings(2400))


class Bus:
    """Several meters on one pair of wires: all hear everything."""

    line = LineSettings()

    def __init__(self, *meters: LineMeter) -> None:
        self._meters = meters

    def hear(self, data: bytes, line: LineSettings) -> list[Saying]:
        return [saying for meter in self._meters for saying in meter.hear(data, line)]

    def idle(self) -> list[Saying]:
        return [saying for meter in self._meters for saying in meter.idle()]

    def expire(self) -> None:
        for meter in self._meters:
            meter.expire()

    def close(self) -> None:
        for meter in self._meters:
            meter.close()


class Borrowed:
    """An open port for one session (a `Transport`): closing gives it back."""

    def __init__(self, transport: Transport) -> None:
        self.write = transport.write
        self.set_line = transport.set_line

    async def close(self) -> None:
        pass


class Lender:
    """Keeps the port open and hands it to one client after another."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._transport: Transport | None = None
        self._receiver: Receiver | None = None

    async def lend(self, endpoint: Endpoint, receiver: Receiver) -> Transport:
        assert isinstance(endpoint, SerialEndpoint)
        self._receiver = receiver
        if self._transport is None:
            self._transport = await self._port.open_transport(endpoint, self)
        await self._transport.set_line(endpoint.line)
        return Borrowed(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._receiver is not None:
            self._receiver.data_received(data)

    def connection_lost(self, error: TransportError | None) -> None:
        if self._receiver is not None:
            self._receiver.connection_lost(error)

    async def close(self) -> None:
        self._receiver = None
        if self._transport is not None:
            await self._transport.close()


def test_meters_take_turns_on_one_open_port() -> None:
    """One at 19200 baud, one at 2400, one behind a sign-on at 300: sessions in turn, the port opened once."""
    optical = OpticalMeter(HdlcSession(household()))
    bus = Bus(
        DirectMeter(HdlcSession(household()), FAST.line),
        DirectMeter(HdlcSession(household()), SLOW.line),
        optical,
    )
    port = Port(bus)

    async def main() -> None:
        lender = Lender(port)
        clients = [
            DlmsClient(settings(endpoint, sign_on), open_shared=lender.lend)
            for endpoint, sign_on in (
                (FAST, None),
                (SLOW, None),
                (SerialEndpoint("/dev/ttyBus"), SignOnSettings()),
            )
        ]
        for _ in range(2):
            for client in clients:
                async with client:
                    assert len((await poll(client)).values) == 20
                    assert client.statistics.timeouts == 0
            optical.expire()
            await asyncio.sleep(1)
        await lender.close()

    run_virtually(main())
    assert len(port.opened) == 1
    assert optical.log == ["/?!", "\x06252"] * 2
