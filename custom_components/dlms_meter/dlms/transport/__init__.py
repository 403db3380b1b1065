"""The physical channel: bytes to and from the meter. asyncio lives here."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Protocol

from ..errors import TransportError
from .datagram import open_udp
from .endpoint import Endpoint, LineSettings, SerialEndpoint, TcpEndpoint
from .stream import open_tcp


class Receiver(Protocol):
    """Who gets the bytes: called from the event loop, must not block."""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire; over UDP, one datagram."""

    def connection_lost(self, error: TransportError | None) -> None:
        """The connection is gone; `error` is None after our own `close()`."""


class Transport(Protocol):
    """An open connection."""

    def write(self, data: bytes) -> None:
        """Send bytes soon; errors come through `Receiver.connection_lost`."""

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        """Send `last`, wait until it has left the wire, then change the settings of the serial line.

        Raises `TransportError`; before anything is sent if the connection cannot do this at all.
        """

    async def close(self) -> None:
        """Close the connection and wait until nothing of it is left. Never raises."""


type TransportOpener = Callable[[Endpoint, Receiver], Awaitable[Transport]]


async def open_transport(endpoint: Endpoint, receiver: Receiver) -> Transport:
    """Open the connection to `endpoint`.

    Raises `TransportError` when it cannot be opened (the message says why and names the endpoint).
    """
    match endpoint:
        case TcpEndpoint():
            return await open_tcp(endpoint, receiver)
        case SerialEndpoint():
            # serialx takes longer to import than the whole client, and who reads over TCP needs none of it.
            await asyncio.to_thread(import_module, ".serial", __package__)
            from .serial import open_serial  # noqa: PLC0415

            return await open_serial(endpoint, receiver)
        case _:
            return await open_udp(endpoint, receiver)
