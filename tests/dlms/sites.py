"""Meters as they are found in cellars: on a line with a speed, at an address, behind a sign-on, or not quite connected.

Octets take their time on the line, in virtual time. A client that talks at a wrong speed gets garbage, or nothing.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from custom_components.dlms_meter.dlms import connection
from custom_components.dlms_meter.dlms.application.acse import Aarq
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.cosem.meters import ServerAddress
from custom_components.dlms_meter.dlms.errors import TransportError
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)
from custom_components.dlms_meter.dlms.transport import Receiver
from custom_components.dlms_meter.dlms.transport.endpoint import (
    CharacterFormat,
    Endpoint,
    LineSettings,
    SerialEndpoint,
)
from tests.simulator import HdlcSession, Meter, WrapperSession

METER_DELAY = 0.2
"""Seconds that a meter thinks."""
SIGN_ON_LINE = LineSettings(300, CharacterFormat.SEVEN_EVEN_ONE)
NETWORK_LINE = LineSettings(115200)
_USUAL_ADDRESS = ServerAddress(1, 17)
_USUAL_LINE = LineSettings()
_LLC_LENGTH = 3
_WRAPPER_HEADER = 8
_WRAPPER_VERSION = b"\x00\x01"


class StrictSession(HdlcSession):
    """A meter that listens to one address of one length, and on the link to the clients it knows."""

    def __init__(self, meter: Meter, address: ServerAddress) -> None:
        super().__init__(meter)
        self._address = HdlcAddress.server(*address)

    def _is_for_us(self, frame: Frame) -> bool:
        return frame.destination == self._address


@dataclass
class Site:
    """One installation. `broken` is raised instead of connecting; `answer` speaks in the meter's place."""

    meter: Meter
    address: ServerAddress = _USUAL_ADDRESS
    line: LineSettings = _USUAL_LINE
    sign_on: str = ""
    """What the meter says when it is signed on to; empty: it speaks HDLC at once."""
    wrapper: bool = False
    echo: bool = False
    hangs_up: bool = False
    broken: Exception | None = None
    answer: Callable[[bytes], bytes] | None = None
    sent: list[bytes] = field(default_factory=list)
    """What the client sent, by connection."""
    open_connections: int = 0

    async def open_transport(
        self, endpoint: Endpoint, receiver: Receiver
    ) -> Connection:
        await asyncio.sleep(0)
        if self.broken is not None:
            raise self.broken
        line = endpoint.line if isinstance(endpoint, SerialEndpoint) else None
        self.sent.append(b"")
        self.open_connections += 1
        return Connection(self, receiver, line)

    @property
    def requests(self) -> list[Aarq]:
        """Every association request that was sent, by either framing."""
        found = list[bytes]()
        for sent in self.sent:
            octets = sent
            found += [
                frame.information[_LLC_LENGTH:]
                for frame in FrameDecoder().feed(octets)
                if frame.type is FrameType.I
            ]
            while octets.startswith(_WRAPPER_VERSION):
                end = _WRAPPER_HEADER + int.from_bytes(octets[6:_WRAPPER_HEADER])
                found.append(octets[_WRAPPER_HEADER:end])
                octets = octets[end:]
        return [
            Aarq.decode(Reader(apdu))
            for apdu in found
            if apdu[:1] == bytes((Aarq.TAG,))
        ]


class Connection:
    """The way to a site: a transport that paces octets, and spoils them when the speeds differ."""

    def __init__(
        self, site: Site, receiver: Receiver, line: LineSettings | None
    ) -> None:
        self._site = site
        self._receiver = receiver
        self._line = line or NETWORK_LINE
        self._has_speed = line is not None
        self._meter_line = SIGN_ON_LINE if site.sign_on else site.line
        self._signed_on = not site.sign_on
        self._text = b""
        self._session: HdlcSession | WrapperSession = (
            WrapperSession(site.meter)
            if site.wrapper
            else StrictSession(site.meter, site.address)
        )
        self._under_way: set[asyncio.TimerHandle] = set()
        self._busy_until = 0.0
        self._open = True

    def write(self, data: bytes) -> None:
        self._site.sent[-1] += data
        if self._site.echo:
            self._deliver(data)
        self._later(len(data), lambda: self._at_meter(data))

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        self.write(last)
        await asyncio.sleep(
            max(0, self._busy_until - asyncio.get_running_loop().time())
        )
        self._line = line

    async def close(self) -> None:
        if self._open:
            self._cut()
            await asyncio.sleep(0)
            self._receiver.connection_lost(None)

    def _cut(self) -> None:
        self._open = False
        self._site.open_connections -= 1
        self._session.close()
        for timer in self._under_way:
            timer.cancel()

    def _later(self, octets: int, act: Callable[[], None], delay: float = 0.0) -> None:
        """Act when so many octets have passed the line."""
        loop = asyncio.get_running_loop()
        begin = max(loop.time(), self._busy_until)
        self._busy_until = begin + octets * self._line.octet_time + delay
        self._under_way.add(loop.call_at(self._busy_until, act))

    def _deliver(self, data: bytes) -> None:
        self._later(len(data), lambda: self._receiver.data_received(data), METER_DELAY)

    def _at_meter(self, data: bytes) -> None:
        if self._site.hangs_up:
            self._cut()
            self._receiver.connection_lost(TransportError("gone"))
        elif self._site.answer is not None:
            if answer := self._site.answer(data):
                self._deliver(answer)
        elif self._has_speed and self._line != self._meter_line:
            return  # the meter hears garbage, and says nothing
        elif not self._signed_on:
            self._sign_on(data)
        elif answer := self._session.receive_data(data):
            self._deliver(answer)

    def _sign_on(self, data: bytes) -> None:
        """Speak IEC 62056-21 until the client chooses HDLC."""
        self._text += data
        if self._text.endswith(b"!\r\n"):
            self._text = b""
            self._deliver(self._site.sign_on.encode())
        elif self._text.startswith(b"\x062") and self._text.endswith(b"2\r\n"):
            self._signed_on = True
            self._meter_line = self._site.line


@contextmanager
def connected(site: Site) -> Iterator[Site]:
    """Let every connection end at this site; none may be left open."""
    with patch.object(connection, "open_transport", site.open_transport):
        yield site
    assert site.open_connections == 0
