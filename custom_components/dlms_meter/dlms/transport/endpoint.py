"""Where a meter is reached: plain data, one class per kind of connection."""

from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from ..errors import LocalProtocolError

SPEEDS = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
"""Speeds that meters and their adapters know, in baud."""


class CharacterFormat(Enum):
    """How one character travels on a serial line: data bits, parity, stop bits."""

    EIGHT_NONE_ONE = "8N1"
    EIGHT_EVEN_ONE = "8E1"
    SEVEN_EVEN_ONE = "7E1"
    SEVEN_EVEN_ONE_IN_SOFTWARE = "7E1 over 8N1"
    """7E1 as the meter sees it, made by this program; for ports and gateways that stay at 8N1."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Speed in baud (one of `SPEEDS`) and character format of a serial line.

    Raises `LocalProtocolError` for other speeds.
    """

    speed: int = 9600
    character: CharacterFormat = CharacterFormat.EIGHT_NONE_ONE

    def __post_init__(self) -> None:
        if self.speed not in SPEEDS:
            raise LocalProtocolError(
                f"{self.speed} baud is not a speed of meters: {', '.join(map(str, SPEEDS))}"
            )

    @property
    def octet_time(self) -> float:
        """Seconds that one character takes on the wire."""
        bits = 11 if self.character is CharacterFormat.EIGHT_EVEN_ONE else 10
        return bits / self.speed

    def __str__(self) -> str:
        """Show speed and format as a person would write them."""
        return f"{self.speed} baud {self.character.value}"


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A TCP server: a meter with its own IP stack, or a gateway that passes bytes through."""

    host: str
    port: int

    def __str__(self) -> str:
        """Show host and port as a person would write them."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UdpEndpoint:
    """A meter with its own IP stack that answers datagrams: one APDU in each."""

    host: str
    port: int

    def __str__(self) -> str:
        """Show that it is UDP, which the same host and port may answer otherwise by TCP."""
        return f"udp://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SerialEndpoint:
    """A serial port: a device of this machine, or one that a gateway lends.

    `url` is a path such as `/dev/serial/by-id/…`, or `socket://host:port` (bytes as they are), `rfc2217://host:port`,
    `esphome://…`, `esphome-hass://…`. It may hold a key, and is shown without.
    """

    url: str = field(repr=False)
    line: LineSettings = LineSettings()

    @property
    def is_local(self) -> bool:
        """The port is a device of this machine; anything else is reached over a network."""
        return "://" not in self.url or self.url.startswith("device://")

    @property
    def changes_speed(self) -> bool:
        """Whether line settings can be changed while the port is open: nobody tells a raw TCP gateway."""
        return urlsplit(self.url).scheme not in ("socket", "tcp")

    def __str__(self) -> str:
        """Show the port without user names, passwords and keys."""
        if self.is_local:
            return self.url
        base, _, query = self.url.partition("?")
        scheme, _, rest = base.partition("://")
        shown = f"{scheme}://{rest.rpartition('@')[2]}"
        ports = [pair for pair in query.split("&") if pair.startswith("port_")]
        return f"{shown}?{'&'.join(ports)}" if ports else shown


type Endpoint = TcpEndpoint | UdpEndpoint | SerialEndpoint
