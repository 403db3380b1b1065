"""Real ports of this machine that lead to a meter: a pty whose speed counts, and a serialx backend that sees parity."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
import os
import pty
import termios
import tty
from typing import Any, override

import serialx
from serialx.common import PortSettingsUpdate

from custom_components.dlms_meter.dlms import CharacterFormat, LineSettings

from .optical import LineMeter, Saying, as_heard

_SPEEDS = {
    getattr(termios, f"B{speed}"): speed
    for speed in (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}
_FORMATS = {
    (8, serialx.Parity.NONE): CharacterFormat.EIGHT_NONE_ONE,
    (8, serialx.Parity.EVEN): CharacterFormat.EIGHT_EVEN_ONE,
    (7, serialx.Parity.EVEN): CharacterFormat.SEVEN_EVEN_ONE,
}


_SOON = 0.01
"""Seconds."""


@dataclass
class PtyMeter:
    """A meter at the far end of a pty. The speed is what the near end is set to; parity a pty does not have.

    It answers almost at once, or `in_time`: as long after it was asked as a meter would.
    """

    path: str
    meter: LineMeter
    near: int
    far: int
    in_time: bool = False

    @property
    def speed(self) -> int:
        """What the near end is set to now."""
        return _SPEEDS[termios.tcgetattr(self.near)[5]]

    def readable(self) -> None:
        line = LineSettings(self.speed, self.meter.line.character)
        for saying in self.meter.hear(os.read(self.far, 4096), line):
            pause = saying.delay if self.in_time else _SOON
            asyncio.get_running_loop().call_later(pause, self.say, saying)

    def say(self, saying: Saying) -> None:
        """Speak; at another speed than the near end's nothing of use arrives."""
        wrong = saying.line.speed != self.speed
        os.write(self.far, bytes(len(saying.octets)) if wrong else saying.octets)


@asynccontextmanager
async def pty_meter(
    meter: LineMeter, *, in_time: bool = False
) -> AsyncIterator[PtyMeter]:
    far, near = pty.openpty()
    tty.setraw(near)
    at_pty = PtyMeter(os.ttyname(near), meter, near, far, in_time)
    asyncio.get_running_loop().add_reader(far, at_pty.readable)
    try:
        yield at_pty
    finally:
        asyncio.get_running_loop().remove_reader(far)
        os.close(far)
        os.close(near)


class BackendPort(serialx.BaseSerial):
    """What serialx asks of the blocking side of a backend; only the settings are used."""

    @property
    @override
    def is_open(self) -> bool:
        return True

    def _nothing(self, *_: object, **__: object) -> Any:  # noqa: ANN401  many roles
        return None

    _open = _close = _flush = _reconfigure_port = _nothing
    _get_modem_pins = _set_modem_pins = _readinto = _write = _nothing
    _reset_read_buffer = _reset_write_buffer = _nothing
    num_unread_bytes = num_unwritten_bytes = _nothing


class BackendTransport(serialx.BaseSerialTransport):
    """A serial port of serialx's with a meter at its far end, which sees the parity too."""

    meter: LineMeter
    refusal: Exception | None = None
    """What the next change of settings fails with."""
    flushed_at: float | None = None
    changed_at: float | None = None
    """Loop times at which the port was last waited for, and set anew."""

    @property
    def line(self) -> LineSettings:
        return LineSettings(self.baudrate, _FORMATS[self.byte_size, self.parity])

    @override
    async def _connect(self, *, path: str | None = None, **kwargs: Any) -> None:
        self._serial = BackendPort(path=path, **kwargs)
        self._call_protocol_connection_made()

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._check_broken()
        for saying in self.meter.hear(bytes(data), self.line):
            self._loop.call_later(0.001, self._say, saying)

    def _say(self, saying: Saying) -> None:
        if not self._closing:
            self._protocol.data_received(
                as_heard(saying.octets, saying.line, self.line)
            )

    def unplug(self) -> None:
        """Break as a USB adapter does that is pulled out."""
        error = OSError(5, "device disconnected")
        self._mark_broken(error)
        self._loop.call_soon(self._call_protocol_connection_lost, error)

    @override
    def close(self) -> None:
        self._closing = True
        self._loop.call_soon(self._call_protocol_connection_lost, None)

    @override
    def abort(self) -> None:
        self.close()

    @override
    async def _flush(self) -> None:
        assert not self._closing, "as a port of serialx has it that was closed"
        self.flushed_at = self._loop.time()

    @override
    async def _get_modem_pins(self) -> serialx.ModemPins:
        return serialx.ModemPins()

    @override
    async def _set_modem_pins(self, modem_pins: serialx.ModemPins) -> None:
        pass

    @override
    async def _reconfigure_port(self, update: PortSettingsUpdate) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.changed_at = self._loop.time()


@contextmanager
def backend(
    meter: LineMeter, scheme: str = "meter"
) -> Iterator[list[BackendTransport]]:
    """Let `meter://` lead to a meter; yields the ports opened so far."""
    opened: list[BackendTransport] = []

    class Transport(BackendTransport):
        def __init__(
            self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol
        ) -> None:
            super().__init__(loop, protocol)
            self.meter = meter
            opened.append(self)

    unregister = serialx.register_uri_handler(
        scheme=f"{scheme}://",
        unique_scheme=f"{scheme}-test://",
        sync_cls=BackendPort,
        async_transport_cls=Transport,
    )
    try:
        yield opened
    finally:
        unregister()
