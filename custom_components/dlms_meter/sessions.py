"""Sessions with the meter of one entry: in turns with others on its line, with one client, and never again after a refusal."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant
from homeassistant.util import dt as dt_util

from .channel import async_get_channel
from .const import CONF_KEEP_OPEN
from .counters import SavedCounter
from .dlms import ClientMemory, DlmsClient, DlmsError, Identity, KeptSession
from .failures import failure_of, secrets_are_wanted
from .settings import client_settings
from .trace import Occasion, Trace


class MeterSessions:
    """Leads the sessions of one entry, and keeps one open between two if the user wants that.

    `check` is told who answered in each new session; what it raises ends the session.
    """

    identity: Identity  # there from the first session on

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        trace: Trace,
        check: Callable[[Identity], None],
    ) -> None:
        self._trace = trace
        self._check = check
        self._settings = client_settings(entry.data)
        self._channel = async_get_channel(hass, self._settings.endpoint)
        self._counter = SavedCounter()
        self._reserved: int | None = None  # as we know the counter
        self._refusal: DlmsError | None = None
        self._kept = KeptSession(
            self._make_client(None),
            self._async_identify,
            keeps=bool(entry.options.get(CONF_KEEP_OPEN)),
        )
        # The last to be registered is the first to be called: the session ends while the port is still held.
        entry.async_on_unload(self._channel.async_hold())
        entry.async_on_unload(self._async_end)
        entry.async_on_unload(
            hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_end)
        )

    def begin_with(self, counter: SavedCounter, learned: ClientMemory | None) -> None:
        """Take what is known of the meter from before, prior to the first session."""
        self._counter = counter
        self._kept.client = self._make_client(learned)

    @property
    def client(self) -> DlmsClient:
        """The client that leads the sessions."""
        return self._kept.client

    @property
    def is_refused(self) -> bool:
        """The meter does not let us in with the secrets we have; nothing is tried before there are others."""
        return self._refusal is not None

    def refuse(self, error: DlmsError) -> None:
        """Try nothing any more: meters lock themselves after a few wrong passwords."""
        self._refusal = error

    @asynccontextmanager
    async def async_lead(self, occasion: Occasion) -> AsyncIterator[DlmsClient]:
        """Lead one session. Raises `DlmsError`, and what `check` raises."""
        async with self._async_turn(occasion), self._kept.lead():
            yield self.client

    async def async_run[T](
        self, occasion: Occasion, work: Callable[[], Awaitable[T]]
    ) -> T:
        """Do work in a session that may be done twice. Raises `DlmsError`, and what `check` and the work raise."""
        async with self._async_turn(occasion):
            return await self._kept.run(work)

    @asynccontextmanager
    async def _async_turn(self, occasion: Occasion) -> AsyncIterator[None]:
        """Take a turn on the line to the meter, unless it has refused us."""
        async with self._channel.turn(self._kept):
            if self._refusal is not None:
                raise self._refusal.with_traceback(None)
            if occasion is Occasion.RECORDING:  # it has the beginning of a session, too
                await self._kept.end()
            if self._counter.value != self._reserved:  # a dialog used our keys
                await self._kept.end()
                self._kept.client = self._make_client(self.client.memory)
            try:
                with self._trace.session(occasion, dt_util.utcnow()):
                    yield
            except DlmsError as error:
                key = failure_of(error, self.client).key
                if secrets_are_wanted(key, lasting=False):
                    self.refuse(error)
                raise

    async def _async_identify(self) -> None:
        """See who answers."""
        identity = await self.client.identity()
        self._check(identity)
        self.identity = identity

    async def _async_end(self, _: Event | None = None) -> None:
        """End a session that was kept open, and keep none from now on; one in use ends when its work is done."""
        self._kept.keeps = False
        await self._channel.async_end(self._kept)

    def _make_client(self, learned: ClientMemory | None) -> DlmsClient:
        """Make the client, which knows what was learned before, and goes on with the counter as it was saved."""
        self._reserved = self._counter.value
        return DlmsClient(
            self._settings,
            open_shared=self._channel.opener(self._settings.framing),
            observer=self._trace.observe,
            memory=learned,
            invocation_counter=self._reserved,
            save_invocation_counter=self._async_save_counter,
        )

    async def _async_save_counter(self, counter: int) -> None:
        """Keep an invocation counter before it is used: no second message may ever be ciphered with it."""
        await self._counter.async_save(counter)
        self._reserved = self._counter.value
