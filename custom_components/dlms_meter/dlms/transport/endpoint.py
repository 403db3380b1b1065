"""Where a meter is reached: plain data, one class per kind of connection."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A TCP server: a meter with its own IP stack, or a gateway that passes bytes through."""

    host: str
    port: int

    def __str__(self) -> str:
        """Show host and port as a person would write them."""
        return f"{self.host}:{self.port}"


type Endpoint = TcpEndpoint
