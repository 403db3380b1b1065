"""A byte stream over real TCP on this machine: bytes both ways, every way to fail, nothing left behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import socket

import pytest

from custom_components.dlms_meter.dlms.errors import TransportError, TransportTimeout
from custom_components.dlms_meter.dlms.transport import open_transport, stream
from custom_components.dlms_meter.dlms.transport.endpoint import TcpEndpoint

ENDPOINT = TcpEndpoint("meter.example", 4059)


class Recorder:
    """A receiver that remembers what it was told."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.received = asyncio.Event()
        self.losses: list[TransportError | None] = []
        self.lost = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.octets += data
        self.received.set()

    def connection_lost(self, error: TransportError | None) -> None:
        self.losses.append(error)
        self.lost.set()


class Peer(asyncio.Protocol):
    """The other end."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self.made = asyncio.Event()
        self.received = asyncio.Event()
        self.lost = asyncio.Event()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.made.set()

    def data_received(self, data: bytes) -> None:
        self.octets += data
        self.received.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@asynccontextmanager
async def listening(peer: Peer) -> AsyncIterator[TcpEndpoint]:
    """Listen for one client on a free port of this machine."""
    server = await asyncio.get_running_loop().create_server(
        lambda: peer, "127.0.0.1", 0
    )
    try:
        yield TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        if peer.made.is_set():
            peer.transport.abort()
        await server.wait_closed()


@pytest.mark.usefixtures("socket_enabled")
async def test_bytes_both_ways_and_close() -> None:
    peer, recorder = Peer(), Recorder()
    async with listening(peer) as endpoint, asyncio.timeout(5):
        transport = await open_transport(endpoint, recorder)
        transport.write(b"\x7e\xa0")
        await peer.received.wait()
        assert peer.octets == b"\x7e\xa0"
        peer.transport.write(b"\x7e\xa1")
        await recorder.received.wait()
        assert recorder.octets == b"\x7e\xa1"

        transport.write(b"farewell")
        await transport.close()
        await peer.lost.wait()
        assert peer.octets == b"\x7e\xa0farewell", "the last bytes leave before the end"
        assert recorder.losses == [None]

        await transport.close()
        transport.write(b"nobody there")
        assert recorder.losses == [None]


@pytest.mark.usefixtures("socket_enabled")
async def test_other_side_closes() -> None:
    peer, recorder = Peer(), Recorder()
    async with listening(peer) as endpoint, asyncio.timeout(5):
        transport = await open_transport(endpoint, recorder)
        await peer.made.wait()
        peer.transport.close()
        await recorder.lost.wait()
        transport.write(b"nobody there")
        await transport.close()
    [error] = recorder.losses
    assert str(endpoint) in str(error)
    assert "the other side closed the connection" in str(error)


@pytest.mark.usefixtures("socket_enabled")
async def test_connection_reset() -> None:
    peer, recorder = Peer(), Recorder()
    async with listening(peer) as endpoint, asyncio.timeout(5):
        transport = await open_transport(endpoint, recorder)
        await peer.made.wait()
        peer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        peer.transport.abort()
        await recorder.lost.wait()
        await transport.close()
    [error] = recorder.losses
    assert str(endpoint) in str(error)
    assert "the connection was reset" in str(error)


@pytest.mark.usefixtures("socket_enabled")
async def test_nothing_is_passed_on_while_closing() -> None:
    peer, recorder = Peer(), Recorder()
    async with listening(peer) as endpoint, asyncio.timeout(5):
        transport = await stream.open_tcp(endpoint, recorder)
        closing = asyncio.create_task(transport.close())
        asyncio.get_running_loop().call_soon(transport.data_received, b"late")
        await closing
    assert not recorder.octets


@pytest.mark.usefixtures("socket_enabled")
async def test_close_does_not_wait_for_a_peer_that_does_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "CLOSE_TIMEOUT", 0.01)
    peer, recorder = Peer(), Recorder()
    async with listening(peer) as endpoint, asyncio.timeout(5):
        transport = await open_transport(endpoint, recorder)
        await peer.made.wait()
        peer.transport.pause_reading()
        transport.write(bytes(16 << 20))  # more than any socket buffer holds
        await transport.close()
        assert recorder.losses == [None]


@pytest.mark.usefixtures("socket_enabled")
async def test_cancelled_close_leaves_no_socket() -> None:
    peer, recorder = Peer(), Recorder()
    async with listening(peer) as endpoint, asyncio.timeout(5):
        transport = await open_transport(endpoint, recorder)
        await peer.made.wait()
        peer.transport.pause_reading()
        transport.write(bytes(16 << 20))
        closing = asyncio.create_task(transport.close())
        asyncio.get_running_loop().call_soon(closing.cancel)
        with pytest.raises(asyncio.CancelledError):
            await closing
        await recorder.lost.wait()
        assert recorder.losses == [None]


@pytest.mark.usefixtures("socket_enabled")
async def test_refused() -> None:
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        endpoint = TcpEndpoint("127.0.0.1", unused.getsockname()[1])
        with pytest.raises(TransportError, match="another program holds") as caught:
            await open_transport(endpoint, Recorder())
    assert str(endpoint) in str(caught.value)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (TimeoutError(), "nothing answers"),
        (TimeoutError(110, "Connect call failed"), "nothing answers"),
        (socket.gaierror(-2, "Name or service not known"), "host name is not known"),
        (socket.gaierror(socket.EAI_AGAIN, "Try again"), "no name server answers"),
        (UnicodeError("label too long"), "not a host name"),
        (ValueError("embedded null character"), "not a host name"),
        (ConnectionResetError(104, "reset by peer"), "the connection was reset"),
        (OSError(113, "No route to host"), "no way there"),
        (
            ExceptionGroup(
                "create_connection failed",
                [OSError(101, "Network is unreachable"), ConnectionRefusedError()],
            ),
            "the connection was refused",
        ),
    ],
)
async def test_cannot_open(
    monkeypatch: pytest.MonkeyPatch, error: Exception, advice: str
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", fail)
    with pytest.raises(TransportError, match=advice) as caught:
        await open_transport(ENDPOINT, Recorder())
    assert "meter.example:4059" in str(caught.value)
    assert not isinstance(caught.value, TransportTimeout), "that one means: it is open"
    assert caught.value.__cause__ is error


@pytest.mark.usefixtures("socket_enabled")
async def test_ip_address_of_a_named_host_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The text ends up in diagnostics, where the name can be taken out and the address is not known."""

    async def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        address = unused.getsockname()
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        with pytest.raises(TransportError, match="refused") as caught:
            await open_transport(ENDPOINT, Recorder())
    assert "127.0.0.1" not in str(caught.value)


async def test_opening_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Future()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", hang)
    monkeypatch.setattr(stream, "OPEN_TIMEOUT", 0.01)
    with pytest.raises(TransportError, match="nothing answers"):
        await open_transport(ENDPOINT, Recorder())
