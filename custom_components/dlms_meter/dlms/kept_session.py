"""A session that stays open from one use to the next: for who reads a meter often, and has its line to himself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from .client import DlmsClient
from .errors import DlmsError, LinkError, TransportError

_SHARE: Final = 0.75
"""Of the time after which the meter ends an idle session: so long it is left alone."""
_LEAST_PAUSE: Final = 5.0
"""Seconds: to be asked more often costs more than to begin anew."""


class KeptSession:
    """Leads the sessions of one client, one use at a time; while it `keeps`, the session stays open after its use.

    Nobody using it, the meter is asked for something short in time before it would end the session. What it has ended
    all the same (silence, DM, a refusal, a closed connection) is begun anew within the same use, once: so a use associates
    once at most, and never again after a refusal. `on_begin` is awaited in each new session before it is used; what it
    raises ends it.
    """

    def __init__(
        self,
        client: DlmsClient,
        on_begin: Callable[[], Awaitable[None]],
        *,
        keeps: bool,
    ) -> None:
        self.keeps = keeps
        self.client = client
        """May be replaced while no session rests."""
        self._on_begin = on_begin
        self._keeper: asyncio.Task[None] | None = None
        self._asking = asyncio.Lock()

    @property
    def is_resting(self) -> bool:
        """Whether a session was left open, which `end` must end, or the next use takes up."""
        return self._keeper is not None

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[None]:
        """Lead a session for work that must not be done twice: the meter is asked first whether it has the session still.

        An error of the work ends the session. Raises what `Session` raises, and what `on_begin` raises.
        """
        if not await self._resumed(ask=True):
            await self._begin()
        try:
            yield
        except BaseException:
            await self.end()
            raise
        await self._leave()

    async def run[T](self, work: Callable[[], Awaitable[T]]) -> T:
        """Do work in a session that may be done twice, such as reading, and return its result: that costs no turn for asking.

        Raises what `Session` raises, and what `on_begin` and the work raise.
        """
        try:
            result = await self._run(work)
        except BaseException:
            await self.end()
            raise
        await self._leave()
        return result

    async def end(self) -> None:
        """End the session, if there is one; never raises for what goes wrong with that on the line."""
        keeper, self._keeper = self._keeper, None
        try:
            if keeper is not None:
                keeper.cancel()
                await asyncio.wait({keeper})
        finally:
            await self.client.end()

    async def _run[T](self, work: Callable[[], Awaitable[T]]) -> T:
        if await self._resumed(ask=False):
            with suppress(LinkError, TransportError):
                return await work()
        await self._begin()
        return await work()

    async def _resumed(self, *, ask: bool) -> bool:
        """Go on with the session that was left open; tell whether there is one."""
        keeper = self._keeper
        if keeper is None:
            return False
        # What is asked just now is answered first: without invoke ids nobody could tell its answer from the next one.
        async with self._asking:
            keeper.cancel()
        await asyncio.wait({keeper})
        self._keeper = None
        if not self.client.is_open:
            return False
        self.client.resume()
        if ask:
            try:
                await self.client.keep_alive()
            except LinkError, TransportError:
                return False
        return True

    async def _begin(self) -> None:
        """Begin a new session in the place of any other."""
        await self.end()
        await self.client.begin()
        try:
            await self._on_begin()
            if self.keeps:
                await self.client.learn_inactivity_timeout()
        except BaseException:
            await self.end()
            raise

    async def _leave(self) -> None:
        """Leave the session open, or end it."""
        if self.keeps and self.client.is_open:
            self.client.rest()
            self._keeper = asyncio.create_task(self._keep_alive())
        else:
            await self.end()

    async def _keep_alive(self) -> None:
        """Let the meter hear from us in time. When it has ended the session, the next use will see."""
        pause = max(_SHARE * self.client.inactivity_timeout, _LEAST_PAUSE)
        with suppress(DlmsError):
            while True:
                await asyncio.sleep(pause)
                async with self._asking:
                    await self.client.keep_alive()
