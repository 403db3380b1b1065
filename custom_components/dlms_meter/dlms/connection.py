"""A connection to a meter: where a procedure meets the network.

Requests go out and answers come in through the `pump`. The task of a procedure is woken for each answer, but not for
the blocks of a long one: the next is asked for as soon as one is here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, cast

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
    NotDeciphered,
    TransportTimeout,
)
from .inbox import Inbox, NotificationCallback, Observer
from .link import Link
from .link.mode_e import SignOnSettings
from .pump import CLOSED, Pump, RequestLost
from .sign_on import Signer
from .timing import Patience, Timeouts
from .transport import Transport, TransportOpener, open_transport
from .transport.endpoint import Endpoint, LineSettings, SerialEndpoint, UdpEndpoint
from .wire_log import WireLog

_BROKEN_OFF: Final = "A request was broken off, and its answer would be taken for that to the next one. Connect again."

_LATEST: Final = 4
"""So many times the patience with a silent meter: later no datagram comes that was delayed on the way."""

_GATEWAY_BUFFER: Final = 512
"""Octets; some gateways collect as many before they pass them on."""

type SaveInvocationCounter = Callable[[int], Awaitable[None]]

_DEFAULT_TIMEOUTS: Final = Timeouts()


async def in_turns[T](slices: Slices[T]) -> T:
    """Do long work, and let the event loop serve others after each slice; return, or raise, what it does."""
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

    _procedure: Procedure[object] | None = None  # what is being carried out
    _ahead: Apdu | Pause | Exception | None = None
    """What it said to a block without its task: what it wants next, or what it ended with."""
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
        self._save_invocation_counter = save_invocation_counter
        self._observer = observer
        self._repeats = repeats
        over_udp = isinstance(endpoint, UdpEndpoint)
        window = max(association.settings.block_transfer_window, 1)
        blocks = Blocks(window, loses=over_udp)
        self._inbox = Inbox(
            association,
            blocks,
            self._log,
            longest_delay=_LATEST * timeouts.response if over_udp else None,
            on_notification=on_notification,
            observer=observer,
        )
        patience = _patience(endpoint, timeouts, line)
        self._pump = Pump(
            link, blocks, self._inbox, self._log, endpoint=endpoint, patience=patience
        )
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Open the transport, sign on if asked to, and establish the link. Whatever happens, `close()` must follow.

        Raises `TransportError` (`TransportTimeout` when the connection opens, but the meter does not answer)
        and `LinkError`.
        """
        async with self._lock:
            opener = self._open_shared or open_transport
            transport = await self._pump.open(opener)
            if self._signer is not None:
                await self._sign_on(self._signer, transport)
            self._link.connect()
            try:
                await self._pump.wait(self._timeouts.request)
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
        self._pump.hears = signer
        try:
            await signer.run(transport)
        finally:
            self._pump.hears = None
        self._pump.patience.octet_time = signer.line.octet_time

    @property
    def is_usable(self) -> bool:
        """Whether there is still a session, as far as one can tell without asking the meter."""
        if self._pump.transport is None or self._closing:
            return False
        self._pump.give_up_if_idle(self._timeouts.inactivity)
        return self._pump.error is None

    async def run[T](self, procedure: Procedure[T]) -> T:
        """Carry out a procedure and return its result; further callers wait their turn.

        Raises what the procedure raises, `TransportError` and `LinkError` when the connection is lost (it must then
        be closed and opened anew), `TransportTimeout` when an exchange takes longer than the request timeout, or all of
        them together longer than the transfer timeout; `LocalProtocolError` while or after it is closed. A request by short
        names, or with general block transfer agreed, that is cancelled before its answer has come costs the connection as
        well: nothing tells that answer from the next one.
        """
        async with self._lock:
            if self._closing:
                procedure.close()
                raise LocalProtocolError(CLOSED)
            return await self._drive(procedure, self._timeouts.request)

    async def close(self) -> None:
        """Release the association, disconnect the link, close the transport: each in its own short time, whatever fails.

        A request still running elsewhere ends with `LocalProtocolError`. Cancelling cuts a farewell short, but
        every later one is still sent, and neither task, timer nor socket stays behind.
        """
        self._closing = True
        self._pump.break_off(
            LocalProtocolError("the session was closed while a request was running")
        )
        try:
            async with self._lock:
                await self._say_farewell()
        finally:
            await self._pump.close()

    async def _say_farewell(self) -> None:
        """Send RLRQ if there is an association, then DISC, as long as there is someone to send them to."""
        pump = self._pump
        if isinstance(pump.error, TransportTimeout):
            pump.error = None  # a meter that fell silent may hear all the same
        try:
            if pump.error is None:
                await self._drive(release(self._association), self._timeouts.closing)
        except DlmsError as error:  # many meters never answer RLRQ; DISC ends the association all the same
            self._log.failed("release", error)
        finally:
            if pump.error is None:
                self._link.disconnect()
                try:
                    await pump.wait(self._timeouts.closing)
                except DlmsError as error:
                    self._log.failed("disconnect", error)

    async def _drive[T](self, procedure: Procedure[T], patience: float) -> T:
        """Exchange what the procedure yields until it returns."""
        self._pump.patience.begin_transfer(asyncio.get_running_loop().time())
        self._procedure = procedure
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
                    request = self._following(procedure, answer)
        except StopIteration as done:
            return cast(T, done.value)
        finally:
            self._procedure = self._ahead = None
            self._pump.patience.end_transfer()
            procedure.close()

    async def _exchange(self, request: Apdu, limit: float) -> Apdu | None:
        """Send one APDU and wait for the answer to it; ask again where that does no harm and nobody else does it."""
        self._pump.give_up_if_idle(self._timeouts.inactivity)
        if pause := self._inbox.pause(request):
            await self._let_late_answers_come(pause)
        repeats = self._repeats if isinstance(request, HARMLESS) else 0
        while True:
            try:
                return await self._ask(request, limit, repeatable=repeats > 0)
            except AnswerDoubtful:
                self._link.statistics.frames_repeated += 1
            except RequestLost:
                repeats -= 1
                self._link.statistics.timeouts += 1
                self._link.statistics.frames_repeated += 1

    async def _let_late_answers_come(self, pause: float) -> None:
        """Wait for some seconds, or until the connection ends."""
        with suppress(TransportTimeout):
            await self._pump.wait(pause)

    async def _ask(
        self, request: Apdu, limit: float, *, repeatable: bool
    ) -> Apdu | None:
        """Send one APDU and wait for the answer to it, or, if it wants none, until it is gone."""
        await self._save_counter()
        if self._pump.error is not None:
            raise self._pump.error
        self._send(request)
        try:
            answer = await self._pump.wait(
                limit, repeatable=repeatable, moves_on=self._moves_on
            )
        except (asyncio.CancelledError, TransportTimeout) as error:
            if not self._inbox.has_answer:
                asked_again = isinstance(error, RequestLost)
                self._beware_of_late_answer(request, asked_again=asked_again)
            raise
        except NotDeciphered as error:
            self._refuse_if_ended(str(error))
            raise
        if isinstance(answer, ExceptionResponse | ConfirmedServiceError):
            self._refuse_if_ended(answer.reason)
        if answer is not None:
            self.rested = False
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
        self._pump.send(request, octets, self._association.block_capacity)

    def _beware_of_late_answer(self, request: Apdu, *, asked_again: bool) -> None:
        """See to it that an answer which may still come is not taken for that to another request.

        Neither what names no request, nor blocks and what acknowledges them, can be told from those of the next one.
        """
        self._inbox.expect_late_answers()
        if asked_again:
            return
        if isinstance(request, UNNUMBERED) or self._association.uses_block_transfer:
            self._pump.error = self._pump.error or TransportTimeout(_BROKEN_OFF)
        if wants_answer(request):
            self._inbox.owe_answer()

    def _refuse_if_ended(self, reason: str) -> None:
        """Take the refusal of a whole request that comes first after a rest for the end of the association.

        Without one, some meters have no keys to decipher the request with.
        """
        rested, self.rested = self.rested, False
        if rested:
            raise LinkError(
                f"The meter has ended the association while it was left alone ({reason}). Connect again."
            )

    async def _save_counter(self) -> None:
        """Have enough invocation counters saved for what comes next."""
        end = self._association.counter_to_save
        if end is not None:
            if self._save_invocation_counter is not None:
                await self._save_invocation_counter(end)
            self._association.counter_saved(end)

    def _moves_on(self, answer: Apdu | DlmsError) -> bool:
        """Ask for the next block at once, if that is all: waking the task for each takes as long as all else done about it.

        The rest is the task's: the last block, counters to be saved before, requests that it would have to repeat.
        """
        procedure = self._procedure
        if (
            not isinstance(answer, GetResponseWithDatablock)
            or procedure is None
            or answer.last_block
            or self._repeats
            or self._pump.error is not None
            or self._association.counter_to_save is not None
        ):
            return False
        self.rested = False
        try:
            said = procedure.send(answer)
            if isinstance(said, GetRequestNext):
                self._pump.wait_afresh()
                self._send(said)
                return True
            self._ahead = said
        except Exception as error:  # noqa: BLE001  the task raises it
            self._ahead = error
        return False

    def _following[T](
        self, procedure: Procedure[T], answer: Apdu | None
    ) -> Apdu | Pause:
        """Return what a procedure wants after an answer, or raise what it ends with."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return procedure.send(answer)
        if isinstance(ahead, Exception):
            try:
                raise ahead
            finally:
                # The error holds this frame, which must not hold it in turn.
                del ahead
        return ahead


def _patience(
    endpoint: Endpoint, timeouts: Timeouts, line: LineSettings | None
) -> Patience:
    """Allow for what lies between us and the meter."""
    is_local = isinstance(endpoint, SerialEndpoint) and endpoint.is_local
    return Patience(
        timeouts,
        line.octet_time if line else 0.0,
        0 if is_local else _GATEWAY_BUFFER,
    )
