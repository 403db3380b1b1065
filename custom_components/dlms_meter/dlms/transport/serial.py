"""A serial port as one byte stream: devices of this machine, and ports lent by gateways (serialx URLs)."""

import asyncio
from contextlib import suppress
import errno
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

import serialx

from ..errors import TransportError
from .endpoint import CharacterFormat, LineSettings, SerialEndpoint
from .reasons import describe
from .rfc2217 import Rfc2217Transport
from .stream import FIXED_SPEED, Stream

if TYPE_CHECKING:  # the package imports this module, so it cannot be imported here
    from . import Receiver

OPEN_TIMEOUT = (
    15.0  # seconds; gateways negotiate, and serialx itself allows 10 for the network
)
LINE_TIMEOUT = (
    10.0  # seconds to change the line settings, besides what the last octets take
)

# Seconds that octets may stay in an adapter, or on the way to a gateway, after the system says that they have left.
_ADAPTER_LAG: Final = 0.03
_GATEWAY_LAG: Final = 0.15

_PORT_FORMATS: Final = {
    CharacterFormat.EIGHT_NONE_ONE: (8, serialx.Parity.NONE),
    CharacterFormat.EIGHT_EVEN_ONE: (8, serialx.Parity.EVEN),
    CharacterFormat.SEVEN_EVEN_ONE: (7, serialx.Parity.EVEN),
    CharacterFormat.SEVEN_EVEN_ONE_IN_SOFTWARE: (8, serialx.Parity.NONE),
}

_TRANSPORTS: Final = {"rfc2217": Rfc2217Transport}
"""In the place of serialx's own."""

_SEVEN_BITS: Final = bytes(octet & 0x7F for octet in range(256))
_EVEN_PARITY: Final = bytes(
    octet & 0x7F | (octet & 0x7F).bit_count() % 2 << 7 for octet in range(256)
)

# What serialx raises beside OSError.
_REASONS: Final = (
    (
        serialx.UnsupportedSetting,
        "the port cannot do these settings; choose another speed or character format",
    ),
    (
        serialx.common.UnknownUriScheme,
        "there is no such kind of port; known are paths (/dev/…), socket://, rfc2217:// and, with the ESPHome integration,"
        " esphome://",
    ),
    (
        ValueError,
        "this is not the address of a port, or the gateway has no port of that name; write for instance"
        " /dev/serial/by-id/…, socket://192.0.2.7:8899 or rfc2217://192.0.2.7:2217",
    ),
    (
        serialx.SerialException,
        "the gateway refused; check that it speaks this protocol, and that the port it lends is there and free",
    ),
)
_FAILURES: Final = (OSError, EOFError, ValueError, serialx.SerialException)


class SerialStream(Stream):
    """An open serial port."""

    _transport: serialx.BaseSerialTransport

    def __init__(self, endpoint: SerialEndpoint, receiver: Receiver) -> None:
        super().__init__(endpoint, receiver)
        self._port = endpoint
        self._line = endpoint.line
        self._left_at = 0.0  # loop time at which the last octet has left the wire

    def data_received(self, data: bytes) -> None:
        """Pass bytes on, without their parity bit where it is made in software."""
        if self._parity_in_software:
            data = data.translate(_SEVEN_BITS)
        super().data_received(data)

    def write(self, data: bytes) -> None:
        """Send bytes soon; nothing is sent on a connection that is gone."""
        if self._lost.is_set() or not data:
            return
        begin = max(self._left_at, asyncio.get_running_loop().time())
        self._left_at = begin + len(data) * self._line.octet_time
        if self._parity_in_software:
            data = data.translate(_EVEN_PARITY)
        # A broken port raises; connection_lost() is on its way.
        with suppress(OSError, serialx.SerialException):
            self._transport.write(data)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        """Send `last`, wait until it has left the wire, then change the line settings.

        What came in before is not kept back. Raises `TransportError`, before anything is sent if the connection cannot
        do this at all.
        """
        change = _port_settings(line) != _port_settings(self._line)
        if change and not self._port.changes_speed:
            raise TransportError(f"{self._port}: {FIXED_SPEED}.")
        self.write(last)
        try:
            self._check_there()
            await self._drain()
            if change:
                self._check_there()
                async with asyncio.timeout(LINE_TIMEOUT):
                    speed, bits, parity = _port_settings(line)
                    await self._transport.reconfigure_port(
                        baudrate=speed, byte_size=bits, parity=parity
                    )
        except _FAILURES as error:
            raise _transport_error(
                f"Cannot set {self._port} to {line}", error
            ) from None
        self._line = line

    def _check_there(self) -> None:
        """Say so where the port is gone: serialx would find a closed descriptor, or nothing wrong at all."""
        if self._lost.is_set():
            raise OSError(errno.ENODEV, "the port is gone")

    @property
    def _parity_in_software(self) -> bool:
        return self._line.character is CharacterFormat.SEVEN_EVEN_ONE_IN_SOFTWARE

    async def _drain(self) -> None:
        """Wait until everything written has left the wire: the system's buffer, then the adapter's."""
        now = asyncio.get_running_loop().time
        if self._left_at <= now():
            return
        async with asyncio.timeout(self._left_at - now() + LINE_TIMEOUT):
            await self._transport.flush()
        lag = _ADAPTER_LAG if self._port.is_local else _GATEWAY_LAG
        await asyncio.sleep(self._left_at - now() + lag)


async def open_serial(endpoint: SerialEndpoint, receiver: Receiver) -> SerialStream:
    """Open the port with the line settings of `endpoint` within `OPEN_TIMEOUT` seconds.

    Raises `TransportError`. What Home Assistant raises for a port that is not ready yet passes through.
    """
    speed, bits, parity = _port_settings(endpoint.line)
    try:
        async with asyncio.timeout(OPEN_TIMEOUT):
            _, stream = await serialx.create_serial_connection(
                asyncio.get_running_loop(),
                lambda: SerialStream(endpoint, receiver),
                endpoint.url,
                baudrate=speed,
                byte_size=bits,
                parity=parity,
                transport_cls=_TRANSPORTS.get(urlsplit(endpoint.url).scheme),
            )
    except _FAILURES as error:
        raise _transport_error(f"Cannot open {endpoint}", error) from None
    return cast(SerialStream, stream)


def _port_settings(line: LineSettings) -> tuple[int, int, serialx.Parity]:
    """Return speed, data bits and parity as the port has to be set."""
    return (line.speed, *_PORT_FORMATS[line.character])


def _transport_error(what: str, error: Exception) -> TransportError:
    """Say what an exception of serialx or the system means.

    Not in its own words: they may name a key of the URL, or the IP address of a host. Kind and number are enough.
    """
    reasons = (words for kind, words in _REASONS if isinstance(error, kind))
    reason = next(reasons, None) or describe(error)
    number = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    kind = f"{type(error).__name__} {number}".rstrip()
    return TransportError(f"{what}: {reason} ({kind})")
