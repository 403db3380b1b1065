"""Datagrams to a meter with an IP stack of its own: UDP, one APDU in each."""

import asyncio
from typing import TYPE_CHECKING, cast

from ..errors import TransportError
from .endpoint import LineSettings, UdpEndpoint
from .reasons import describe

if TYPE_CHECKING:  # the package imports this module, so it cannot be imported here
    from . import Receiver

OPEN_TIMEOUT = 10.0  # seconds for the name lookup; nothing is sent yet


class Datagrams(asyncio.DatagramProtocol):
    """An open UDP socket that talks to one address only."""

    def __init__(self, endpoint: UdpEndpoint, receiver: Receiver) -> None:
        self._endpoint = endpoint
        self._receiver = receiver
        self._transport: asyncio.DatagramTransport
        self._told = False  # the receiver knows that the connection is gone
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport asyncio made for us."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Pass one datagram on."""
        if not self._told:
            self._receiver.data_received(data)

    def error_received(self, exc: Exception) -> None:
        """Take the network's word that nobody listens there."""
        self._tell(TransportError(f"{self._endpoint}: {describe(exc)}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is closed."""
        self._lost.set()
        self._tell(
            None
            if exc is None
            else TransportError(f"{self._endpoint}: {describe(exc)}")
        )

    def write(self, data: bytes) -> None:
        """Send one datagram; nothing is sent after the end."""
        if not self._told:
            self._transport.sendto(data)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        """Refuse: there is no serial line. Raises `TransportError`."""
        raise TransportError(
            f"{self._endpoint}: UDP has no serial line whose speed could change; switch the sign-on off."
        )

    async def close(self) -> None:
        """Close the socket. Safe to cancel and to repeat."""
        self._tell(None)
        self._transport.abort()
        await self._lost.wait()  # the loop's next turn

    def _tell(self, error: TransportError | None) -> None:
        if not self._told:
            self._told = True
            self._receiver.connection_lost(error)


async def open_udp(endpoint: UdpEndpoint, receiver: Receiver) -> Datagrams:
    """Open a socket for datagrams to `endpoint`.

    Raises `TransportError` when the host is unknown or unreachable. Whether anybody answers shows only later.
    """
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            _, datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: Datagrams(endpoint, receiver),
                remote_addr=(endpoint.host, endpoint.port),
            )
    except (OSError, ValueError) as error:
        raise TransportError(f"Cannot reach {endpoint}: {describe(error)}") from error
    return datagrams
