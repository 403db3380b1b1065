"""The pump: bytes between transport and link, APDUs between link and procedures.

The only place where a procedure meets the network. Bytes are fed to the link as they arrive, and what the link
wants to say (acknowledgements, repetitions) leaves in the same call, and so does the request for the next block of a
long answer; the waiting task is woken once per any other APDU.
Everything it sends and receives goes to the log of the wire.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple, cast

from .answers import HARMLESS, UNNUMBERED, AnswerDoubtful
from .application.apdu import Apdu, wants_answer
from .application.association import Association, AssociationState
from .application.block_transfer import Blocks
from .application.failure import ConfirmedServiceError, ExceptionResponse
from .application.get import GetRequestNext, GetResponseWithDatablock
from .application.procedures import Pause, Procedure, release
from .application.readable import readable
from .application.secrecy import emptied, may_carry_secret
from .codec.slices import Slices
from .errors import (
    DecodeError,
    DlmsError,
    LinkError,
    LocalProtocolError,
    TransportError,
    TransportTimeout,
)
from .inbox import Inbox, NotificationCallback, Observer
from .link import ApduReceived, Link, LinkDown
from .link.mode_e import SignOnSettings
from .sign_on import Signer
from .timing import Patience, Timeouts
from .transport import Receiver, Transport, TransportOpener, open_transport
from .transport.endpoint import Endpoint, LineSettings, SerialEndpoint, UdpEndpoint
from .wire_log import WireLog

_TOO_LONG: Final = (
    "bytes came, but no complete answer in time; check the line for other senders, "
    "and the speed and format of the gateway's serial port"
)

_BROKEN_OFF: Final = "A request was broken off, and its answer would be taken for that to the next one. Connect again."

_CLOSED: Final = "the session is closed"

_LATEST: Final = 4
"""So many times the patience with a silent meter: later no datagram comes that was delayed on the way."""

_GATEWAY_BUFFER: Final = 512
"""Octets; some gateways collect as many before they pass them on."""

type SaveInvocationCounter = Callable[[int], Awaitable[None]]

_DEFAULT_TIMEOUTS: Final = Timeouts()


class _RequestLost(TransportTimeout):
    """Nothing came in answer to a question that may be asked again."""


class _Ahead(NamedTuple):
    """What a procedure said that was moved on without its task: what it wants next, or the exception it ended with."""

    said: Apdu | Pause | Exception


async def in_turns[T](slices: Slices[T]) -> T:
    """Do long work, and let the event loop serve others after each slice."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            return cast(T, done.value)
        await asyncio.sleep(0)


class Connection:
    """One connection to one logical device of a meter: one request at a time, one timer, no task of its own.

    `repeats` is how often a question is asked again where the link cannot do it (UDP): GET only, which does no harm twice.
    `line` is the serial line the octets travel on, None when they take no time worth counting. With `sign_on`, meter and
    line are first brought to HDLC by the text of IEC 62056-21. `open_shared` hands out a connection shared with others.
    `on_notification` gets what the meter sends on its own, whenever it does; it must not raise.
    `save_invocation_counter` is awaited before a message goes out with a counter that is not saved yet; what it raises
    keeps the message back.
    `observer` is shown, while the association stands, each APDU in clear and whether it was sent; it must not raise.
    """

    rested = False
    """The meter was left alone since the last answer: when it refuses the next request as a whole, it has ended the
    association meanwhile. Set by whoever keeps a session open."""

    _transport: Transport | None = None
    _error: DlmsError | None = None  # why nothing more can be sent
    _request: Apdu | None = None  # what an answer is awaited to
    _procedure: Procedure[object] | None = None  # what is being carried out
    _waiter: asyncio.Future[Apdu | _Ahead | DlmsError | None] | None = None
    _limit = 0.0  # seconds for the request in flight and its answer
    _timer: asyncio.TimerHandle
    _hears: Receiver | None = None  # who, in the place of the link
    _repeats_left = 0
    _uncounted = 0  # octets received since the last sound frame
    _used_at = 0.0  # loop time at which the meter was last asked something
    _closing = False

    def __init__(
        self,
        endpoint: Endpoint,
        link: Link,
        association: Association,
        *,
        timeouts: Timeouts = _DEFAULT_TIMEOUTS,
        sign_on: SignOnSettings | None = None,
        line: LineSettings | None = None,
        open_shared: TransportOpener | None = None,
        repeats: int = 0,
        on_notification: NotificationCallback | None = None,
        save_invocation_counter: SaveInvocationCounter | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._link = link
        self._association = association
        self._timeouts = timeouts
        self._open_shared = open_shared
        self._log = WireLog(endpoint, link)
        self._signer = (
            None
            if sign_on is None
            else Signer(sign_on, line or LineSettings(), self._log.text)
        )
        self._patience = Patience(
            timeouts,
            line.octet_time if line else 0.0,
            0 if _is_local(endpoint) else _GATEWAY_BUFFER,
        )
        self._save_invocation_counter = save_invocation_counter
        self._observer = observer
        self._repeats = repeats
        self._blocks = Blocks(max(association.settings.block_transfer_window, 1))
        over_udp = isinstance(endpoint, UdpEndpoint)
        self._inbox = Inbox(
            association,
            self._blocks,
            self._log,
            longest_delay=_LATEST * timeouts.response if over_udp else None,
            on_notification=on_notification,
            observer=observer,
        )
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Open the transport, sign on if asked to, and establish the link. Whatever happens, `close()` must follow.

        Raises `TransportError` (`TransportTimeout` when the connection opens, but the meter does not answer)
        and `LinkError`.
        """
        async with self._lock:
            opener = self._open_shared or open_transport
            self._transport = await opener(self._endpoint, self)
            if self._error is not None:
                raise self._error
            if self._signer is not None:
                await self._sign_on(self._signer, self._transport)
            self._link.connect()
            try:
                await self._wait(self._timeouts.request)
            except (TransportTimeout, LinkError) as error:
                if self._signer is None:
                    raise
                raise type(error)(f"{self._signer.outcome} {error}") from error

    @property
    def hdlc_line(self) -> LineSettings | None:
        """How the line was set when the meter signed on; None without a sign-on that it answered."""
        signer = self._signer
        return signer.line if signer is not None and signer.identification else None

    @property
    def maker(self) -> str | None:
        """The letters by which the meter's maker is known, as it signed on; None without a sign-on that it answered."""
        identification = self._signer and self._signer.identification
        return identification.manufacturer if identification else None

    async def _sign_on(self, signer: Signer, transport: Transport) -> None:
        """Bring meter and line to HDLC."""
        self._hears = signer
        try:
            await signer.run(transport)
        finally:
            self._hears = None
        self._patience.octet_time = signer.line.octet_time

    @property
    def is_usable(self) -> bool:
        """Whether there is still a session, as far as one can tell without asking the meter."""
        if self._transport is None or self._closing:
            return False
        self._give_up_if_idle()
        return self._error is None

    async def run[T](self, procedure: Procedure[T]) -> T:
        """Carry out a procedure and return its result; further callers wait their turn.

        Raises what the procedure raises, `TransportError` and `LinkError` when the connection is lost (it must then
        be closed and opened anew), `TransportTimeout` when an exchange takes longer than the request timeout. A request by
        short names that is cancelled costs the connection as well: nothing tells its answer from that to the next one.
        """
        async with self._lock:
            if self._closing:
                procedure.close()
                raise LocalProtocolError(_CLOSED)
            return await self._drive(procedure, self._timeouts.request)

    async def close(self) -> None:
        """Release the association, disconnect the link, close the transport: each in its own short time, whatever fails.

        A request still running elsewhere ends with `LocalProtocolError`. Cancelling cuts a farewell short, but
        every later one is still sent, and neither task, timer nor socket stays behind.
        """
        self._closing = True
        self._wake(
            LocalProtocolError("the session was closed while a request was running")
        )
        if self._hears is not None:
            self._hears.connection_lost(None)
        try:
            async with self._lock:
                await self._say_farewell()
        finally:
            if self._transport is not None:
                await self._transport.close()
            # What holds us in turn: the transport, and an error by the frames it came through.
            self._transport, self._error = None, LocalProtocolError(_CLOSED)

    async def _say_farewell(self) -> None:
        """Send RLRQ if there is an association, then DISC, as long as there is someone to send them to."""
        if isinstance(self._error, TransportTimeout):
            self._error = None  # a meter that fell silent may hear all the same
        try:
            if self._error is None:
                await self._drive(release(self._association), self._timeouts.closing)
        except DlmsError as error:  # many meters never answer RLRQ; DISC ends the association all the same
            self._log.failed("release", error)
        finally:
            if self._error is None:
                self._link.disconnect()
                try:
                    await self._wait(self._timeouts.closing)
                except DlmsError as error:
                    self._log.failed("disconnect", error)

    async def _drive[T](self, procedure: Procedure[T], patience: float) -> T:
        """Exchange what the procedure yields until it returns."""
        self._procedure = procedure
        answer: Apdu | _Ahead | None = None
        try:
            request = next(procedure)
            while True:
                if isinstance(request, Pause):
                    await asyncio.sleep(0)
                    request = next(procedure)
                    continue
                try:
                    answer = await self._exchange(request, patience)
                except DecodeError as error:  # a procedure may know another way, such as to ask one by one
                    request = procedure.throw(error)
                else:
                    request = _following(procedure, answer)
        except StopIteration as done:
            return cast(T, done.value)
        finally:
            self._procedure = answer = None  # an error holds this frame
            procedure.close()

    async def _exchange(self, request: Apdu, limit: float) -> Apdu | _Ahead | None:
        """Send one APDU and wait for the answer to it; ask again where that does no harm and nobody else does it."""
        self._give_up_if_idle()
        if pause := self._inbox.pause(request):
            await self._let_late_answers_come(pause)
        self._repeats_left = self._repeats if isinstance(request, HARMLESS) else 0
        while True:
            try:
                return await self._ask(request, limit)
            except AnswerDoubtful:
                self._link.statistics.frames_repeated += 1
            except _RequestLost:
                self._repeats_left -= 1
                self._link.statistics.timeouts += 1
                self._link.statistics.frames_repeated += 1

    async def _let_late_answers_come(self, pause: float) -> None:
        """Wait for some seconds, or until the connection ends."""
        self._repeats_left = 0
        with suppress(TransportTimeout):
            await self._wait(pause)

    def _give_up_if_idle(self) -> None:
        """Give the session up that the meter has given up: it does so after a while without requests."""
        idle = asyncio.get_running_loop().time() - self._used_at
        if self._error is None and idle > self._timeouts.inactivity:
            self._error = LinkError(
                f"The session was idle for {idle:.0f} s, so the meter has ended it. Connect again."
            )

    async def _ask(self, request: Apdu, limit: float) -> Apdu | _Ahead | None:
        """Send one APDU and wait for the answer to it, or, if it wants none, until it is gone."""
        await self._save_counter()
        if self._error is not None:
            raise self._error
        self._send(request)
        try:
            answer = await self._wait(limit)
        except (asyncio.CancelledError, TransportTimeout) as error:
            self._beware_of_late_answer(request)
            if wants_answer(request) and not isinstance(error, _RequestLost):
                self._inbox.owe_answer()
            raise
        finally:
            self._request = None
        if answer is not None and not isinstance(answer, _Ahead):
            self._refuse_if_ended(answer)
        return answer

    def _send(self, request: Apdu) -> None:
        """Hand one APDU to the link, and await the answer to it."""
        self._log.hides_octets = is_secret = may_carry_secret(request)
        shown = emptied(request) if is_secret else request
        self._log.apdu(">", partial(readable, shown))
        stands = self._association.state is AssociationState.ASSOCIATED
        if self._observer is not None and stands:
            self._observer(True, request.encode())
        octets = self._association.encode(request)
        capacity, answered = self._association.block_capacity, wants_answer(request)
        for apdu in self._blocks.outgoing(octets, capacity, answered=answered):
            self._link.send_apdu(apdu, answered=answered)
        self._request = request
        self._inbox.await_answer(request)

    def _beware_of_late_answer(self, request: Apdu) -> None:
        """See to it that an answer which may still come is not taken for that to another request."""
        if isinstance(request, UNNUMBERED):
            self._error = self._error or TransportTimeout(_BROKEN_OFF)
        self._inbox.expect_late_answers()

    def _refuse_if_ended(self, answer: Apdu) -> None:
        """Take the refusal of a whole request that comes first after a rest for the end of the association."""
        rested, self.rested = self.rested, False
        if rested and isinstance(answer, ExceptionResponse | ConfirmedServiceError):
            raise LinkError(
                f"The meter has ended the association while it was left alone ({answer.reason}). Connect again."
            )

    async def _save_counter(self) -> None:
        """Have enough invocation counters saved for what comes next."""
        end = self._association.counter_to_save
        if end is not None:
            if self._save_invocation_counter is not None:
                await self._save_invocation_counter(end)
            self._association.counter_saved(end)

    async def _wait(self, limit: float) -> Apdu | _Ahead | None:
        """Send what the link has to say and wait until it is up, down, or has an answer; raise what goes wrong."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._limit = limit
        self._patience.begin(loop.time(), limit)
        self._set_timer()
        try:
            self._pump()
            outcome = await self._waiter
        finally:
            self._waiter = None
            self._timer.cancel()
            self._used_at = loop.time()
        if isinstance(outcome, DlmsError):
            try:
                raise outcome
            finally:
                # The error holds this frame, which must not hold it in turn.
                del outcome
        return outcome

    def _wake(self, outcome: Apdu | _Ahead | DlmsError | None) -> None:
        """Give the waiting task, if there is one, what it waits for."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(outcome)

    def _set_timer(self) -> None:
        """Set the one timer to the end of patience with silence, or of the exchange, whichever comes first."""
        due = self._patience.due(self._link.answer_begun)
        self._timer = asyncio.get_running_loop().call_at(due, self._on_timer, due)

    def _on_timer(self, due: float) -> None:
        """Let the link repeat itself or give up after silence; end an exchange that takes too long."""
        if self._patience.is_exhausted(due):
            self._wake(TransportTimeout(f"{self._endpoint}: {_TOO_LONG}"))
        elif self._patience.is_silent(due, self._link.answer_begun):
            self._patience.heard(due)
            if self._repeats_left:
                self._wake(_RequestLost())
            elif not self._repeat_blocks():
                self._link.on_timeout()
                self._pump()
        if self._is_waiting:
            self._set_timer()

    def _repeat_blocks(self) -> bool:
        """Ask for blocks that got lost; tell whether the link had something to send therefore."""
        if self._request is None or self._error is not None:
            return False
        for apdu in self._blocks.repeat():
            self._link.send_apdu(apdu)
        return self._write()

    def data_received(self, data: bytes) -> None:
        """Feed the link and answer for it at once (`Receiver`)."""
        if self._transport is None:
            return  # nothing can be for us before we have asked
        if self._hears is not None:
            self._log.text("<", data)
            self._hears.data_received(data)
            return
        self._log.octets("<", data)
        link = self._link
        sound_frames = link.statistics.frames_received
        is_segment = link.receive_data(data)
        self._uncounted += len(data)
        if link.statistics.frames_received > sound_frames:
            self._patience.progressed(self._uncounted)
            self._uncounted = 0
        if is_segment:
            self._write()
            return
        self._patience.heard(asyncio.get_running_loop().time())
        self._pump()
        if self._link.answer_begun and self._is_waiting:
            due = self._patience.due(answer_begun=True)
            if due < self._timer.when():
                self._timer.cancel()
                self._set_timer()

    def connection_lost(self, error: TransportError | None) -> None:
        """End what is running (`Receiver`)."""
        self._error = error or LocalProtocolError(_CLOSED)
        self._wake(self._error)
        if self._hears is not None:
            self._hears.connection_lost(error)

    @property
    def _is_waiting(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _write(self) -> bool:
        """Send what the link wants to say; tell whether there was anything."""
        octets = self._link.data_to_send()
        if octets and self._transport is not None:
            self._log.octets(">", octets)
            self._transport.write(octets)
            self._patience.sent(asyncio.get_running_loop().time(), len(octets))
        return bool(octets)

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
                self._error = event.error or LocalProtocolError("the link is closed")
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
        """Wake the waiting task if this is what it waits for, unless the next block can be asked for without it."""
        outcome = self._inbox.take(
            event.apdu,
            self._request,
            self._link.send_apdu,
            unsolicited=event.unsolicited,
        )
        if outcome is None:
            return
        if alone and isinstance(outcome, GetResponseWithDatablock):
            self._take_block(outcome)
        else:
            self._wake(outcome)

    def _take_block(self, block: GetResponseWithDatablock) -> None:
        """Ask for the next block at once: waking the task for each takes as long as all the rest that is done about it.

        All else is the task's: the last block, counters to be saved before, requests that it would have to repeat. What
        comes in one handful with others is so too, that a meter which sends ahead does not keep the event loop.
        """
        procedure = self._procedure
        if (
            procedure is None
            or block.last_block
            or self._repeats
            or self._error is not None
            or self._association.counter_to_save is not None
            or not self._is_waiting
        ):
            self._wake(block)
            return
        self.rested = False
        self._used_at = asyncio.get_running_loop().time()
        try:
            said = procedure.send(block)
            if isinstance(said, GetRequestNext):
                self._patience.begin(self._used_at, self._limit)
                self._send(said)
            else:
                self._wake(_Ahead(said))
        except Exception as error:  # noqa: BLE001  the task raises it
            self._wake(_Ahead(error))


def _following[T](
    procedure: Procedure[T], answer: Apdu | _Ahead | None
) -> Apdu | Pause:
    """Return what a procedure wants after an answer, or raise what it ends with."""
    if not isinstance(answer, _Ahead):
        return procedure.send(answer)
    if not isinstance(answer.said, Exception):
        return answer.said
    try:
        raise answer.said
    finally:
        del answer  # which the error, that holds this frame, must not hold in turn


def _is_local(endpoint: Endpoint) -> bool:
    return isinstance(endpoint, SerialEndpoint) and endpoint.is_local
