"""One physical channel: entries and dialogs behind one port or gateway take turns, on one open connection.

    channel = async_get_channel(hass, settings.endpoint)
    client = DlmsClient(settings, open_shared=channel.opener(settings.framing))
    async with channel, client:  # a turn, and the session in it

Many meters serve one association at a time, and a bus or gateway mixes the octets of two. Who wants to keep a session
open between his turns takes them with `turn(kept)`: it lasts until somebody else takes one.
"""

from asyncio import Lock
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self
from weakref import WeakValueDictionary

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .dlms import (
    Endpoint,
    Framing,
    KeptSession,
    LineSettings,
    LocalProtocolError,
    Receiver,
    SerialEndpoint,
    Transport,
    TransportError,
    TransportOpener,
    open_transport,
)

_GATEWAY_SCHEMES: Final = ("socket", "tcp", "rfc2217")
"""Kinds of ports that are a TCP connection to a host and port, and nothing else."""


class Channel:
    """The way to one meter or several. `async with` is one turn; who waits gets his in the order of coming.

    The connection stays open from turn to turn as long as somebody waits for his, or a session rests on it; that of a
    local port as long as somebody holds the channel (`async_hold`): to open it again would switch the supply of an optical head.
    After a turn that failed it is closed, so that the next one begins afresh: the adapter may have been
    plugged in again, and what is late cannot disturb.
    """

    def __init__(self) -> None:
        self._turn = Lock()
        self._queue = 0  # who has the turn, and who waits for it
        self._holders = 0
        self._transport: Transport | None = None
        self._endpoint: Endpoint | None = (
            None  # where the connection leads, while it is whole
        )
        self._receiver: Receiver | None = None
        self._kept: KeptSession | None = None  # rests on the line

    @asynccontextmanager
    async def turn(self, kept: KeptSession) -> AsyncIterator[None]:
        """Take a turn, after which a session may rest on the line."""
        await self._begin(kept)
        try:
            yield
        except BaseException:
            try:
                await kept.end()
            finally:
                await self._finish(failed=True)
            raise
        self._kept = kept if kept.is_resting else None
        await self._finish(failed=False)

    async def async_end(self, kept: KeptSession) -> None:
        """End a session that rests on the line; one in use is left alone."""
        if self._kept is kept:
            async with self:
                pass  # whose turn it is ends what rests

    async def __aenter__(self) -> Self:
        """Wait for a turn."""
        await self._begin(None)
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the turn to who waits longest."""
        await self._finish(failed=error_type is not None)

    async def _begin(self, kept: KeptSession | None) -> None:
        """Wait for a turn, and end what rests on the line, unless it is one's own."""
        self._queue += 1
        try:
            await self._turn.acquire()
        except BaseException:
            self._queue -= 1
            await self._close_if_idle()  # it may have stayed open only for us
            raise
        resting, self._kept = self._kept, None
        if resting is not None and resting is not kept:
            try:
                await resting.end()
            except BaseException:
                await self._finish(failed=True)
                raise

    async def _finish(self, *, failed: bool) -> None:
        """Give the turn to who waits longest."""
        self._queue -= 1
        try:
            if failed or not self._is_wanted:
                await self.async_close()
        finally:
            self._turn.release()

    @callback
    def async_hold(self) -> Callable[[], Coroutine[object, object, None]]:
        """Keep a local port open between turns, until what is returned is called."""
        self._holders += 1

        async def release() -> None:
            self._holders -= 1
            await self._close_if_idle()

        return release

    def opener(self, framing: Framing) -> TransportOpener:
        """Return what opens the connection of clients with this framing, each within a turn.

        A meter with its own IP stack takes the end of an association for the end of the connection, too: only HDLC
        shares one.
        """
        return self._lend if framing is Framing.HDLC else self._open_afresh

    async def async_close(self) -> None:
        """Close the connection, in a turn: it is opened again when needed, or by others, such as a scan."""
        transport, self._transport, self._endpoint = self._transport, None, None
        if transport is not None:
            await transport.close()

    @property
    def _is_wanted(self) -> bool:
        """The connection has a use after this turn."""
        if self._kept is not None:
            return True
        endpoint = self._endpoint
        if isinstance(endpoint, SerialEndpoint) and endpoint.is_local:
            return bool(self._queue or self._holders)
        return bool(self._queue)

    async def _close_if_idle(self) -> None:
        """Close a connection that nobody wants any more, and nobody has the turn to close."""
        if not self._turn.locked() and not self._is_wanted:
            async with self._turn:
                await self.async_close()

    async def _open_afresh(self, endpoint: Endpoint, receiver: Receiver) -> Transport:
        """Open a connection that is not shared, after closing any other (`TransportOpener`)."""
        await self.async_close()
        return await open_transport(endpoint, receiver)

    async def _lend(self, endpoint: Endpoint, receiver: Receiver) -> Transport:
        """Lend the open connection, set to the line of `endpoint`, or open it first (`TransportOpener`)."""
        if self._receiver is not None or not self._turn.locked():
            raise LocalProtocolError(f"{endpoint}: one session at a time, in its turn")
        self._receiver = receiver
        try:
            transport = await self._open(endpoint)
        except BaseException:
            self._receiver = None
            raise
        return _Loan(transport, self._give_back)

    async def _open(self, endpoint: Endpoint) -> Transport:
        """Have the connection open, and its line set."""
        if self._transport is not None and _leads_to(self._endpoint, endpoint):
            if isinstance(endpoint, SerialEndpoint):
                await self._transport.set_line(endpoint.line)
            return self._transport
        await self.async_close()
        self._endpoint = (
            endpoint  # before: the connection can be lost while it is opened
        )
        self._transport = await open_transport(endpoint, self)
        return self._transport

    def _give_back(self) -> None:
        self._receiver = None

    def data_received(self, data: bytes) -> None:
        """Pass octets to the session; those that come between two belong to nobody (`Receiver`)."""
        if self._receiver is not None:
            self._receiver.data_received(data)

    def connection_lost(self, error: TransportError | None) -> None:
        """Tell the session, and open the connection anew for the next one (`Receiver`)."""
        self._endpoint = None
        if self._receiver is not None:
            self._receiver.connection_lost(error)


class _Loan:
    """An open connection for one session (a `Transport`); to close it is to give it back."""

    def __init__(self, transport: Transport, give_back: Callable[[], None]) -> None:
        self._transport = transport
        self._give_back = give_back

    def write(self, data: bytes) -> None:
        """Send octets soon."""
        self._transport.write(data)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        """Send `last`, then change the line settings. Raises `TransportError`."""
        await self._transport.set_line(line, last)

    async def close(self) -> None:
        """Give the connection back."""
        self._give_back()


def _leads_to(opened: Endpoint | None, wanted: Endpoint) -> bool:
    """Tell whether an open connection is the wanted one, or can be made so by changing the line settings.

    A gateway that nobody can tell the speed is connected to anew: the speed is only what we believe of it.
    """
    if opened == wanted:
        return True
    return (
        isinstance(opened, SerialEndpoint)
        and isinstance(wanted, SerialEndpoint)
        and opened.url == wanted.url
        and opened.changes_speed
    )


_CHANNELS: HassKey[WeakValueDictionary[str, Channel]] = HassKey(f"{DOMAIN}_channels")


@callback
def async_get_channel(hass: HomeAssistant, endpoint: Endpoint) -> Channel:
    """Return the channel to `endpoint`; it lives as long as somebody keeps it, or its connection is open."""
    channels = hass.data.setdefault(_CHANNELS, WeakValueDictionary())
    return channels.setdefault(_physical(endpoint), Channel())


def _physical(endpoint: Endpoint) -> str:
    """Name what is one line, however it is written: speeds, users and keys make no difference."""
    if not isinstance(endpoint, SerialEndpoint):
        return str(endpoint).lower()
    scheme, _, place = str(endpoint).partition("://")
    if scheme in _GATEWAY_SCHEMES:
        return place.partition("/")[0].partition("?")[0].lower()
    return str(endpoint).removeprefix("device://")
