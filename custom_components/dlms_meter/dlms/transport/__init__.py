"""The physical channel: bytes to and from the meter. asyncio lives here."""

from typing import Protocol

from ..errors import TransportError
from .endpoint import Endpoint
from .stream import open_tcp


class Receiver(Protocol):
    """Who gets the bytes: called from the event loop, must not block."""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the wire."""

    def connection_lost(self, error: TransportError | None) -> None:
        """The connection is gone; `error` is None after our own `close()`."""


class Transport(Protocol):
    """An open connection."""

    def write(self, data: bytes) -> None:
        """Send bytes soon; errors come through `Receiver.connection_lost`."""

    async def close(self) -> None:
        """Close the connection and wait until nothing of it is left. Never raises."""


async def open_transport(endpoint: Endpoint, receiver: Receiver) -> Transport:
    """Open the connection to `endpoint`.

    Raises `TransportError` when it cannot be opened (the message says why and names the endpoint).
    """
    return await open_tcp(endpoint, receiver)
