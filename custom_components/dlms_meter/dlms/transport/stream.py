"""One byte stream to a meter over TCP: to the meter itself, or to a gateway in front of it."""

import asyncio
from typing import TYPE_CHECKING, Final, cast

from ..errors import TransportError
from .endpoint import LineSettings, SerialEndpoint, TcpEndpoint
from .reasons import describe

if TYPE_CHECKING:  # the package imports this module, so it cannot be imported here
    from . import Receiver

OPEN_TIMEOUT = 10.0  # seconds for name lookup and TCP handshake together
READ_AT_ONCE = 4096  # octets
CLOSE_TIMEOUT = 1.0  # seconds for the last bytes to leave

FIXED_SPEED: Final = (
    "a plain TCP connection cannot change the speed of the serial port behind it, as the sign-on of IEC 62056-21 asks."
    " Use rfc2217://host:port if the gateway knows RFC 2217, an ESPHome serial proxy, an adapter on this machine, or the"
    " RS-485 port of the meter; or set gateway and meter to one speed and switch the sign-on off"
)


class Stream(asyncio.Protocol):
    """An open byte stream: hands what comes in to its receiver at once, keeps nothing."""

    def __init__(
        self, endpoint: TcpEndpoint | SerialEndpoint, receiver: Receiver
    ) -> None:
        self._endpoint = endpoint
        self._receiver = receiver
        self._transport: asyncio.Transport
        self._closing = False
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport asyncio made for us."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, unless the connection is being closed."""
        if not self._closing:
            self._receiver.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the receiver why the connection is gone."""
        self._lost.set()
        if self._closing:
            self._receiver.connection_lost(None)
            return
        reason = (
            "the other side closed the connection; it may serve one client at a time, or have given up on a silent one"
            if exc is None
            else describe(exc)
        )
        self._receiver.connection_lost(TransportError(f"{self._endpoint}: {reason}"))

    def write(self, data: bytes) -> None:
        """Send bytes soon; nothing is sent on a connection that is gone."""
        if not self._lost.is_set():
            self._transport.write(data)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        """Refuse: what is behind a TCP connection stays as it is. Raises `TransportError`."""
        raise TransportError(f"{self._endpoint}: {FIXED_SPEED}.")

    async def close(self) -> None:
        """Let the last bytes leave, at most `CLOSE_TIMEOUT` seconds, then close. Safe to cancel and to repeat."""
        self._closing = True
        self._transport.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self._lost.wait()
        except TimeoutError:
            self._transport.abort()
            await self._lost.wait()  # the loop's next turn, or the driver's word
        finally:
            if not self._lost.is_set():  # cancelled
                self._transport.abort()


class TcpStream(Stream, asyncio.BufferedProtocol):
    """An open TCP connection.

    It takes no more at a time than the layers above work off in a moment: asyncio would hand over 256 kB at once, and
    who wants to do harm can make work for 150 ms of that. The rest waits in the system's buffer.
    """

    def __init__(self, endpoint: TcpEndpoint, receiver: Receiver) -> None:
        super().__init__(endpoint, receiver)
        self._buffer = bytearray(READ_AT_ONCE)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Offer the buffer to be filled."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what is in the buffer."""
        self.data_received(bytes(self._buffer[:nbytes]))


async def open_tcp(endpoint: TcpEndpoint, receiver: Receiver) -> Stream:
    """Connect to `endpoint` within `OPEN_TIMEOUT` seconds.

    Raises `TransportError` when the host is unknown, unreachable, refuses or does not answer.
    """
    opened: tuple[asyncio.Transport, TcpStream]
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            opened = await asyncio.get_running_loop().create_connection(  # type: ignore[call-overload]  # typeshed lacks all_errors
                lambda: TcpStream(endpoint, receiver),
                endpoint.host,
                endpoint.port,
                all_errors=True,
            )
    except (OSError, ValueError, ExceptionGroup) as error:
        # Without the system's own words: they name the IP address, which the user may not want in a bug report.
        raise TransportError(
            f"Cannot connect to {endpoint}: {describe(error)}"
        ) from error
    return opened[1]
