"""The simulated meter on TCP: HDLC on one port, the wrapper on another."""

import asyncio
from collections.abc import Callable
from typing import Protocol, Self, cast

from .hdlc import HdlcSession
from .meter import Meter
from .wrapper import WrapperSession

INTER_OCTET_TIMEOUT = 0.1
"""Seconds; a real line has 25 ms, but TCP may pause where a line does not."""


class MeterSession(Protocol):
    """One client's connection to the meter: bytes in, bytes out, no sockets."""

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes from the client and return what the meter says to them."""

    def line_idle(self) -> bytes:
        """Hear that the client pauses, and return what the meter says to that."""

    def close(self) -> None:
        """The connection is gone."""


class _TcpConnection(asyncio.Protocol):
    def __init__(
        self, session: MeterSession, open_connections: set[asyncio.Transport]
    ) -> None:
        self._session = session
        self._open = open_connections
        self._transport: asyncio.Transport | None = None
        self._silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._open.add(self._transport)

    def data_received(self, data: bytes) -> None:
        self._answer(self._session.receive_data(data))
        self._stop_timer()
        self._silence = asyncio.get_running_loop().call_later(
            INTER_OCTET_TIMEOUT, lambda: self._answer(self._session.line_idle())
        )

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._transport is not None
        self._open.discard(self._transport)
        self._stop_timer()
        self._session.close()

    def _answer(self, octets: bytes) -> None:
        if octets and self._transport is not None:
            self._transport.write(octets)

    def _stop_timer(self) -> None:
        if self._silence is not None:
            self._silence.cancel()


class SimulatorServer:
    """A meter listening on loopback while its context is entered. Port 0 takes any free one, None none."""

    def __init__(
        self,
        meter: Meter,
        *,
        hdlc_port: int | None = 0,
        wrapper_port: int | None = 0,
        host: str = "127.0.0.1",
    ) -> None:
        self.meter = meter
        self.hdlc_port = hdlc_port
        self.wrapper_port = wrapper_port
        self.connections: set[asyncio.Transport] = set()
        """The TCP connections open now."""
        self._host = host
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        self.hdlc_port = await self._listen(self.hdlc_port, HdlcSession)
        self.wrapper_port = await self._listen(self.wrapper_port, WrapperSession)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        self.drop_connections()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    def drop_connections(self) -> None:
        """Cut off every client, as a gateway does that loses power."""
        for transport in tuple(self.connections):
            transport.abort()

    async def _listen(
        self, port: int | None, session: Callable[[Meter], MeterSession]
    ) -> int | None:
        if port is None:
            return None
        server = await asyncio.get_running_loop().create_server(
            lambda: _TcpConnection(session(self.meter), self.connections),
            self._host,
            port,
        )
        self._servers.append(server)
        bound: int = server.sockets[0].getsockname()[1]
        return bound
