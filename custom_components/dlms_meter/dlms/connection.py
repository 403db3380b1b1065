"""The pump: bytes between transport and link, APDUs between link and procedures.

The only place where a procedure meets the network. Bytes are fed to the link as they arrive, and what the link
wants to say (acknowledgements, repetitions) leaves in the same call; the waiting task is woken once per APDU.
It is also the only module that logs the wire, on level DEBUG: `>` is sent, `<` is received. Messages that carry
a secret are shown by their size only, in both directions, since an optical head sends ours back as an echo.
"""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from typing import Final, cast

from .application.acse import Aarq
from .application.apdu import Apdu
from .application.association import Association
from .application.fields import InvokeIdAndPriority
from .application.procedures import Procedure, release
from .errors import (
    DecodeError,
    DlmsError,
    LocalProtocolError,
    TransportError,
    TransportTimeout,
)
from .link import ApduReceived, Link, LinkDown
from .transport import Transport, open_transport
from .transport.endpoint import Endpoint

_LOGGER = logging.getLogger(__name__)

# Seconds: of silence, before the link repeats itself or gives up; for one APDU and its answer, however much is
# repeated in between; and for each farewell, release and DISC.
RESPONSE_TIMEOUT: Final = 5.0
REQUEST_TIMEOUT: Final = 120.0
CLOSING_TIMEOUT: Final = 3.0

_LONGEST_LOG_LINE: Final = 400  # characters

# Tags of APDUs a meter sends on its own: InformationReport, EventNotification, DataNotification.
_NOTIFICATIONS: Final = (b"\x18", b"\xc2", b"\x0f")

_HIDDEN: Final = "%d octets, not shown: a secret may be in them"
_TOO_LONG: Final = (
    "bytes came, but no complete answer in time; check the line for other senders, "
    "and the speed and format of the gateway's serial port"
)
_SILENT: Final = "the meter did not answer; check the client and server addresses"

type NotificationCallback = Callable[[bytes], None]
type SaveInvocationCounter = Callable[[int], Awaitable[None]]


class Connection:
    """One connection to one logical device of a meter: one request at a time, one timer, no task of its own.

    `response_timeout` counts seconds without a received byte, `request_timeout` the seconds of a whole exchange.
    `on_notification` gets each APDU the meter sends on its own, deciphered but undecoded; it must not raise.
    `save_invocation_counter` is awaited before a message goes out with a counter that is not saved yet; what it raises
    keeps the message back.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        link: Link,
        association: Association,
        *,
        response_timeout: float = RESPONSE_TIMEOUT,
        request_timeout: float = REQUEST_TIMEOUT,
        on_notification: NotificationCallback | None = None,
        save_invocation_counter: SaveInvocationCounter | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._link = link
        self._association = association
        self._response_timeout = response_timeout
        self._request_timeout = request_timeout
        self._on_notification = on_notification
        self._save_invocation_counter = save_invocation_counter
        self._lock = asyncio.Lock()
        self._transport: Transport | None = None
        self._error: DlmsError | None = None  # why nothing more can be sent
        self._request: Apdu | None = None  # what an answer is awaited to
        self._waiter: asyncio.Future[Apdu | DlmsError | None] | None = None
        self._timer: asyncio.TimerHandle
        self._heard = 0.0  # loop time of the last received byte
        self._deadline = 0.0  # loop time at which the exchange ends
        self._secret_on_wire = False
        self._closing = False

    async def open(self) -> None:
        """Open the transport and establish the link. Whatever happens, `close()` must follow.

        Raises `TransportError` (`TransportTimeout` when the connection opens, but the meter does not answer)
        and `LinkError`.
        """
        async with self._lock:
            self._transport = await open_transport(self._endpoint, self)
            if self._error is not None:
                raise self._error
            self._link.connect()
            await self._wait(self._request_timeout)

    async def run[T](self, procedure: Procedure[T]) -> T:
        """Carry out a procedure and return its result; further callers wait their turn.

        Raises what the procedure raises, `TransportError` and `LinkError` when the connection is lost (it must then
        be closed and opened anew), `TransportTimeout` when an exchange takes longer than the request timeout.
        """
        async with self._lock:
            if self._closing:
                procedure.close()
                raise LocalProtocolError("the session is closed")
            return await self._drive(procedure, self._request_timeout)

    async def close(self) -> None:
        """Release the association, disconnect the link, close the transport: each in its own short time, whatever fails.

        A request still running elsewhere ends with `LocalProtocolError`. Cancelling cuts a farewell short, but
        every later one is still sent, and neither task, timer nor socket stays behind.
        """
        self._closing = True
        self._wake(
            LocalProtocolError("the session was closed while a request was running")
        )
        try:
            async with self._lock:
                await self._say_farewell()
        finally:
            if self._transport is not None:
                await self._transport.close()

    async def _say_farewell(self) -> None:
        """Send RLRQ if there is an association, then DISC, as long as there is someone to send them to."""
        try:
            if self._error is None:
                await self._drive(release(self._association), CLOSING_TIMEOUT)
        except DlmsError as error:  # many meters never answer RLRQ; DISC ends the association all the same
            _LOGGER.debug("%s release: %s", self._endpoint, error)
        finally:
            if self._error is None:
                self._link.disconnect()
                try:
                    await self._wait(CLOSING_TIMEOUT)
                except DlmsError as error:
                    _LOGGER.debug("%s disconnect: %s", self._endpoint, error)

    async def _drive[T](self, procedure: Procedure[T], patience: float) -> T:
        """Exchange what the procedure yields until it returns."""
        try:
            request = next(procedure)
            while True:
                try:
                    answer = await self._exchange(request, patience)
                except DecodeError as error:  # a procedure may know another way, such as to ask one by one
                    request = procedure.throw(error)
                else:
                    request = procedure.send(answer)
        except StopIteration as done:
            return cast(T, done.value)
        finally:
            procedure.close()

    async def _exchange(self, request: Apdu, patience: float) -> Apdu:
        """Send one APDU and wait for the answer to it."""
        await self._save_counter()
        if self._error is not None:
            raise self._error
        self._secret_on_wire = (
            isinstance(request, Aarq) and request.authentication_value is not None
        )
        _LOGGER.debug("%s > %s", self._endpoint, _Elided(request.__str__))
        self._link.send_apdu(self._association.encode(request))
        self._request = request
        try:
            answer = await self._wait(patience)
        finally:
            self._request = None
        assert answer is not None  # only an APDU wakes us while a request is out
        return answer

    async def _save_counter(self) -> None:
        """Have enough invocation counters saved for what comes next."""
        end = self._association.counter_to_save
        if end is not None:
            if self._save_invocation_counter is not None:
                await self._save_invocation_counter(end)
            self._association.counter_saved(end)

    async def _wait(self, patience: float) -> Apdu | None:
        """Send what the link has to say and wait until it is up, down, or has an answer; raise what goes wrong."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._heard = loop.time()
        self._deadline = self._heard + patience
        self._set_timer()
        try:
            self._pump()
            outcome = await self._waiter
        finally:
            self._waiter = None
            self._timer.cancel()
        if isinstance(outcome, DlmsError):
            raise outcome
        return outcome

    def _wake(self, outcome: Apdu | DlmsError | None) -> None:
        """Give the waiting task, if there is one, what it waits for."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(outcome)

    def _set_timer(self) -> None:
        """Set the one timer to the end of patience with silence, or of the exchange, whichever comes first."""
        due = min(self._deadline, self._heard + self._response_timeout)
        self._timer = asyncio.get_running_loop().call_at(due, self._on_timer, due)

    def _on_timer(self, due: float) -> None:
        """Let the link repeat itself or give up after silence; end an exchange that takes too long."""
        if due >= self._deadline:
            self._wake(TransportTimeout(f"{self._endpoint}: {_TOO_LONG}"))
        elif due >= self._heard + self._response_timeout:
            self._heard = due
            if self._link.awaiting_response:
                self._link.on_timeout()
                self._pump()
            else:
                self._wake(TransportTimeout(f"{self._endpoint}: {_SILENT}"))
        if self._waiter is not None and not self._waiter.done():
            self._set_timer()

    def data_received(self, data: bytes) -> None:
        """Feed the link and answer for it at once (`Receiver`)."""
        if self._transport is None:
            return  # nothing can be for us before we have asked
        self._heard = asyncio.get_running_loop().time()
        self._log_octets("<", data)
        self._link.receive_data(data)
        self._pump()

    def connection_lost(self, error: TransportError | None) -> None:
        """End what is running (`Receiver`)."""
        self._error = error or LocalProtocolError("the session is closed")
        self._wake(self._error)

    def _pump(self) -> None:
        """Send what the link wants to say, and act on what happened."""
        if (octets := self._link.data_to_send()) and self._transport is not None:
            self._log_octets(">", octets)
            self._transport.write(octets)
        for event in self._link.events():
            if isinstance(event, ApduReceived):
                self._apdu_received(event.apdu, event.unsolicited)
            elif isinstance(event, LinkDown):
                self._error = event.error or LocalProtocolError("the link is closed")
                self._wake(event.error)
            else:  # LinkUp
                self._wake(None)

    def _apdu_received(self, octets: bytes, unsolicited: bool) -> None:
        """Give an answer to whom it belongs; drop one that comes too late for anybody."""
        awaited = self._request is not None and not unsolicited
        try:
            plain = self._association.unprotect(octets)
            if unsolicited or plain[:1] in _NOTIFICATIONS:
                self._notify(plain)
                return
            answer = self._association.decode(plain) if awaited else None
        except DlmsError as error:
            _LOGGER.debug("%s < %s: %s", self._endpoint, error, _Elided(octets.hex))
            if awaited and octets[:1] not in _NOTIFICATIONS:
                self._wake(error)
            return
        if self._request is None or answer is None:
            _LOGGER.debug("%s < too late: %s", self._endpoint, _Elided(octets.hex))
            return
        _LOGGER.debug("%s < %s", self._endpoint, _Elided(answer.__str__))
        if _answers(self._request, answer):
            self._wake(answer)

    def _notify(self, apdu: bytes) -> None:
        """Pass on what the meter sends on its own."""
        _LOGGER.debug("%s < notification %s", self._endpoint, _Elided(apdu.hex))
        if self._on_notification is not None:
            self._on_notification(apdu)

    def _log_octets(self, direction: str, octets: bytes) -> None:
        """Log what goes over the wire; the size alone where a secret may be in it."""
        if _LOGGER.isEnabledFor(logging.DEBUG):
            shown = _HIDDEN % len(octets) if self._secret_on_wire else octets.hex(" ")
            _LOGGER.debug("%s %s %s", self._endpoint, direction, shown)


def _answers(request: Apdu, answer: Apdu) -> bool:
    """Tell whether an answer belongs to a request: the invoke ids agree, or one of them has none."""
    sent: InvokeIdAndPriority | None = getattr(request, "invoke", None)
    received: InvokeIdAndPriority | None = getattr(answer, "invoke", None)
    return sent is None or received is None or received.answers(sent)


class _Elided:
    """Text for the log, made only when it is written, and cut to a bearable length."""

    def __init__(self, make: Callable[[], str]) -> None:
        self._make = make

    def __str__(self) -> str:
        """Return the text, or its beginning and its length."""
        text = self._make()
        if len(text) > _LONGEST_LOG_LINE:
            return f"{text[:_LONGEST_LOG_LINE]}… ({len(text)} characters)"
        return text
