"""The pump: bytes between transport and link, APDUs between link and whoever waits for them.

Bytes are fed to the link as they arrive, and what the link wants to say (acknowledgements, repetitions) leaves in the
same call; the waiting task is woken once per APDU, unless somebody asks for what follows in its place.
All bytes go to the log of the wire.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from .application.apdu import Apdu, wants_answer
from .application.block_transfer import Blocks
from .errors import (
    DlmsError,
    LinkError,
    LocalProtocolError,
    TransportError,
    TransportTimeout,
)
from .inbox import Inbox
from .link import ApduReceived, Link, LinkDown
from .timing import Patience
from .transport import Receiver, Transport, TransportOpener
from .transport.endpoint import Endpoint
from .wire_log import WireLog

CLOSED: Final = "the session is closed"

_TOO_LONG: Final = (
    "bytes came, but no complete answer in time; check the line for other senders, "
    "and the speed and format of the gateway's serial port"
)
_ENDLESS: Final = (
    "the answer went on and on without an end in time; ask for less at once"
)

type MovesOn = Callable[[Apdu | DlmsError], bool]
"""Is shown an answer, and tells whether it has sent the request that follows, so that the wait goes on."""


class RequestLost(TransportTimeout):
    """Nothing came in answer to a question that may be asked again."""


class Pump:
    """Keeps one transport and one link going, by what comes and by one timer; implements `Receiver`."""

    transport: Transport | None = None
    error: DlmsError | None = None
    """Why nothing more can be sent."""
    hears: Receiver | None = None
    """Who hears what comes, in the place of the link."""

    _request: Apdu | None = None  # what an answer is awaited to
    _waiter: asyncio.Future[Apdu | DlmsError | None] | None = None
    _limit = 0.0  # seconds for the request in flight and its answer
    _repeatable = False  # whoever waits repeats the request in flight
    _moves_on: MovesOn | None = None
    _timer: asyncio.TimerHandle
    _now: Callable[[], float]  # the time of the loop it was opened in
    _uncounted = 0  # octets received since the last sound frame
    _used_at = 0.0  # loop time at which the meter was last asked something

    def __init__(
        self,
        link: Link,
        blocks: Blocks,
        inbox: Inbox,
        log: WireLog,
        *,
        endpoint: Endpoint,
        patience: Patience,
    ) -> None:
        self._link = link
        self._blocks = blocks
        self._inbox = inbox
        self._log = log
        self._endpoint = endpoint
        self.patience = patience

    async def open(self, opener: TransportOpener) -> Transport:
        """Open the transport. Raises `TransportError`, also when it is lost at once."""
        self._now = asyncio.get_running_loop().time
        self.transport = await opener(self._endpoint, self)
        if self.error is not None:
            raise self.error
        return self.transport

    async def close(self) -> None:
        """Close the transport."""
        if self.transport is not None:
            await self.transport.close()
        # What holds us in turn: the transport, and an error by the frames it came through.
        self.transport, self.error = None, LocalProtocolError(CLOSED)

    def send(self, request: Apdu, octets: bytes, block_capacity: int | None) -> None:
        """Hand one APDU to the link, in blocks if it has more octets than `block_capacity`, and await the answer to it.

        Raises `LocalProtocolError` when it cannot be cut into such blocks, or the link is not up.
        """
        answered = wants_answer(request)
        for apdu in self._blocks.outgoing(octets, block_capacity, answered=answered):
            self._link.send_apdu(apdu, answered=answered)
        self._request = request
        self._inbox.await_answer(request)

    async def wait(
        self,
        limit: float,
        *,
        repeatable: bool = False,
        moves_on: MovesOn | None = None,
    ) -> Apdu | None:
        """Send what the link has to say and wait until it is up, down, or has an answer; raise what goes wrong.

        Raises `TransportTimeout` after `limit` seconds; `RequestLost`, if `repeatable`, as soon as the meter was silent
        for too long. `moves_on` is shown each answer that comes alone.
        """
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._repeatable, self._moves_on = repeatable, moves_on
        self._limit = limit
        self._log.look()
        self.patience.begin(loop.time(), limit)
        self._set_timer()
        try:
            self._pump()
            outcome = await self._waiter
        finally:
            self._waiter = self._request = self._moves_on = None
            self._timer.cancel()
            self._used_at = loop.time()
        if isinstance(outcome, DlmsError):
            try:
                raise outcome
            finally:
                # The error holds this frame, which must not hold it in turn.
                del outcome
        return outcome

    def wait_afresh(self) -> None:
        """Wait once more as long as for the answer that came: another request follows it."""
        self._log.look()
        self._used_at = self._now()
        self.patience.begin(self._used_at, self._limit)

    def give_up_if_idle(self, limit: float) -> None:
        """Give the session up that the meter has given up: it does so after so many seconds without requests."""
        idle = self._now() - self._used_at
        if self.error is None and idle > limit:
            self.error = LinkError(
                f"The session was idle for {idle:.0f} s, so the meter has ended it. Connect again."
            )

    def break_off(self, error: DlmsError) -> None:
        """End what is running, by an error or by the end of a sign-on; the transport stays open."""
        self._wake(error)
        if self.hears is not None:
            self.hears.connection_lost(None)

    # What comes

    def data_received(self, data: bytes) -> None:
        """Feed the link and answer for it at once (`Receiver`)."""
        if self.transport is None:
            return  # nothing can be for us before we have asked
        if self.hears is not None:
            self._log.text("<", data)
            self.hears.data_received(data)
            return
        if self._log.is_read:
            self._log.octets("<", data)
        link = self._link
        sound_frames = link.statistics.frames_received
        is_segment = link.receive_data(data)
        self._uncounted += len(data)
        if link.statistics.frames_received > sound_frames:
            self.patience.progressed(self._uncounted)
            self._uncounted = 0
        if is_segment:
            self._write()
            return
        self.patience.heard(self._now())
        self._pump()
        if self._link.answer_begun and self._is_waiting:
            due = self.patience.due(answer_begun=True)
            if due < self._timer.when():
                self._timer.cancel()
                self._set_timer()

    def connection_lost(self, error: TransportError | None) -> None:
        """End what is running (`Receiver`)."""
        self.error = error or LocalProtocolError(CLOSED)
        self._wake(self.error)
        if self.hears is not None:
            self.hears.connection_lost(error)

    def _pump(self) -> None:
        """Send what the link wants to say, act on what happened, and see to it that what is awaited can come."""
        self._write()
        events = self._link.events()
        if not events and self._link.awaiting_response:
            return  # no more than a part of what is awaited
        for event in events:
            if isinstance(event, ApduReceived):
                self._apdu_received(event, alone=len(events) == 1)
            elif isinstance(event, LinkDown):
                self.error = event.error or LocalProtocolError("the link is closed")
                self._wake(event.error)
            else:  # LinkUp
                self._wake(None)
        if self._request is None or not self._is_waiting:
            return
        if not self._link.awaiting_response:
            if wants_answer(self._request):
                self._link.await_more()  # a notification came, or a part of the answer
            else:
                self._wake(None)
        self._write()

    def _apdu_received(self, event: ApduReceived, *, alone: bool) -> None:
        """Wake the waiting task if this is what it waits for, unless somebody moves on without it.

        What comes in one handful with others is always the task's, that a meter which sends ahead does not keep the event loop.
        """
        outcome = self._inbox.take(
            event.apdu,
            self._request,
            self._link.send_apdu,
            unsolicited=event.unsolicited,
        )
        if outcome is None:
            return
        moves_on = self._moves_on if alone and self._is_waiting else None
        if moves_on is None or not moves_on(outcome):
            self._wake(outcome)

    def _wake(self, outcome: Apdu | DlmsError | None) -> None:
        """Give the waiting task, if there is one, what it waits for."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(outcome)

    @property
    def _is_waiting(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    # What does not come

    def _set_timer(self) -> None:
        """Set the one timer to the end of patience with silence, or of the exchange, whichever comes first."""
        due = self.patience.due(self._link.answer_begun)
        self._timer = asyncio.get_running_loop().call_at(due, self._on_timer, due)

    def _on_timer(self, due: float) -> None:
        """Let the link repeat itself or give up after silence; end an exchange that takes too long."""
        if self.patience.is_exhausted(due):
            endless = self.patience.transfer_is_exhausted(due)
            reason = _ENDLESS if endless else _TOO_LONG
            self._wake(TransportTimeout(f"{self._endpoint}: {reason}"))
        elif self.patience.is_silent(due, self._link.answer_begun):
            self.patience.heard(due)
            if self._repeatable:
                self._wake(RequestLost())
            elif not self._repeat_blocks():
                self._link.on_timeout()
                self._pump()
        if self._is_waiting:
            self._set_timer()

    def _repeat_blocks(self) -> bool:
        """Ask for blocks that got lost; tell whether the link had something to send therefore."""
        if self._request is None or self.error is not None:
            return False
        for apdu in self._blocks.repeat():
            self._link.send_apdu(apdu)
        return self._write()

    # What goes

    def _write(self) -> bool:
        """Send what the link wants to say; tell whether there was anything."""
        octets = self._link.data_to_send()
        if octets and self.transport is not None:
            if self._log.is_read:
                self._log.octets(">", octets)
            self.transport.write(octets)
            self.patience.sent(self._now(), len(octets))
        return bool(octets)
