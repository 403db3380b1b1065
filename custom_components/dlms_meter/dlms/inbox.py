"""What becomes of an APDU that came: the answer to the request in flight, something the meter says on its own, or nothing."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from .answers import AnswerDoubtful, LateAnswers, belongs
from .application.apdu import Apdu, decode_apdu
from .application.association import Association, AssociationState
from .application.block_transfer import GENERAL_BLOCK_TRANSFER, Blocks
from .application.envelope_tags import SERVICE_TAGS
from .application.failure import ConfirmedServiceError, ExceptionResponse
from .application.notification import (
    NOTIFICATION_TAGS,
    DataNotification,
    EventNotification,
    InformationReport,
    Notification,
)
from .application.readable import readable
from .application.secrecy import asks_for_secret
from .errors import DlmsError, MessageRepeated, RemoteProtocolError
from .wire_log import WireLog

_CIPHERED_NOTIFICATIONS: Final = tuple(
    bytes((envelope,))
    for tag in NOTIFICATION_TAGS
    for envelope in SERVICE_TAGS.get(tag[0], ())
)

_BLOCK: Final = bytes((GENERAL_BLOCK_TRANSFER,))

_MOST_STRAYS: Final = 500
"""APDUs that may come while an answer is awaited, and are not it: a meter may have saved up a day's events, not more."""

type NotificationCallback = Callable[[Notification], None]
type Observer = Callable[[bool, bytes], None]


class Inbox:
    """Sorts the APDUs of one association: joins blocks, deciphers, decodes, and tells whose they are.

    With a `longest_delay` in seconds, as over UDP, an answer may come twice, in any order, and so late. `on_notification`
    gets what the meter sends on its own, `observer` each answer in clear while the association stands; neither may raise.
    """

    def __init__(
        self,
        association: Association,
        blocks: Blocks,
        log: WireLog,
        *,
        longest_delay: float | None,
        on_notification: NotificationCallback | None,
        observer: Observer | None,
    ) -> None:
        self._association = association
        self._blocks = blocks
        self._log = log
        self._late = None if longest_delay is None else LateAnswers(longest_delay)
        self._on_notification = on_notification
        self._observer = observer
        self._strays = 0
        self._owed = 0  # answers to requests that nobody waits for any more
        self.has_answer = False
        """Whether the answer to the request in flight was taken, even if nobody has seen it yet."""

    def pause(self, request: Apdu) -> float:
        """Return how many seconds to wait before a request, so that no old answer looks like that to it."""
        return 0.0 if self._late is None else self._late.pause(request, _now())

    def await_answer(self, request: Apdu) -> None:
        """Begin to count what comes in the place of an answer."""
        self._strays = 0
        self.has_answer = False
        if self._late is not None:
            self._late.ask(request, _now())

    def expect_late_answers(self) -> None:
        """Note that an answer did not come in time, or one that nobody waited for."""
        if self._late is not None:
            self._late.expect()

    def owe_answer(self) -> None:
        """Note that a request was broken off: its answer may still come, and then before that to the next one."""
        self._owed += 1

    def _settle(self) -> bool:
        """Take what came for an answer that is owed, if there is one."""
        owed, self._owed = self._owed, max(self._owed - 1, 0)
        return bool(owed)

    def _pass_over(self) -> None:
        """Take what came for an answer to an earlier request."""
        self._settle()
        self.expect_late_answers()

    def take(
        self,
        octets: bytes,
        request: Apdu | None,
        send: Callable[[bytes], None],
        *,
        unsolicited: bool,
    ) -> Apdu | DlmsError | None:
        """Return the answer to `request`, or the error that came in its place; None for anything else.

        `send` is asked to send what acknowledges blocks. `unsolicited`: the APDU came outside request and answer.
        """
        awaited = request is not None and not unsolicited
        self._strays += octets[:1] != _BLOCK
        if request is not None and self._strays > _MOST_STRAYS:
            return RemoteProtocolError(
                f"The meter said {_MOST_STRAYS} things that nobody asked for, and did not answer. Check what it is set to"
                " push on this line."
            )
        try:
            whole = self._join_blocks(octets, awaited, send)
            if whole is None:
                return None
            octets = whole
            plain = self._association.unprotect(octets)
            if unsolicited or plain[:1] in NOTIFICATION_TAGS:
                self._notify(plain)
                return None
            answer = self._association.decode(plain) if awaited else None
        except DlmsError as error:
            self._log.passed_over(octets, str(error))
            harmless = (
                isinstance(error, MessageRepeated)
                or octets[:1] in NOTIFICATION_TAGS + _CIPHERED_NOTIFICATIONS
            )
            if not awaited or harmless or self._settle():
                return None
            self.has_answer = True
            return error.with_traceback(None)  # which would hold whoever hands it on
        if request is None or answer is None:
            self._pass_over()
            self._log.passed_over(octets, "too late")
            return None
        self._show(request, answer, plain)
        return self._judge(request, answer, plain)

    def _show(self, request: Apdu, answer: Apdu, plain: bytes) -> None:
        """Write an answer down and let the observer see it, unless a secret may be in it.

        Those that make and end the association are no business of his, either.
        """
        if self._log.hides_octets and asks_for_secret(request):
            kind = type(answer).__name__
            self._log.apdu("<", lambda: f"{kind}, not shown: a secret may be in it")
            return
        self._log.apdu("<", partial(readable, answer))
        stands = self._association.state is AssociationState.ASSOCIATED
        if self._observer is not None and stands:
            self._observer(False, plain)

    def _judge(
        self, request: Apdu, answer: Apdu, plain: bytes
    ) -> Apdu | AnswerDoubtful | None:
        """Return an answer if it is the one awaited."""
        late = self._late
        old = late is not None and late.is_late(request, answer)
        unnumbered = isinstance(answer, ExceptionResponse | ConfirmedServiceError)
        if old or not belongs(request, answer) or (unnumbered and self._owed):
            self._pass_over()
            return None
        self.has_answer = True
        if late is not None and late.is_doubtful(request, plain, _now()):
            return AnswerDoubtful("an answer equal to an earlier one")
        if late is not None:
            late.take(request, answer, plain, _now())
        # A meter answers in the order it is asked: if after a while, then also what asked for blocks that there were none of.
        self._owed = self._blocks.asked_in_vain
        return answer

    def _join_blocks(
        self, octets: bytes, awaited: bool, send: Callable[[bytes], None]
    ) -> bytes | None:
        """Return the APDU itself, or that which a block of general block transfer completes, if it does."""
        if octets[:1] != _BLOCK:
            return octets
        replies, apdu = self._blocks.incoming(octets, awaited)
        for reply in replies:
            send(reply)
        return apdu

    def _notify(self, plain: bytes) -> None:
        """Pass on what the meter sends on its own. Raises `DecodeError`."""
        notification = decode_apdu(plain)
        self._log.apdu("<", partial(readable, notification), "on its own: ")
        if self._on_notification is not None and isinstance(
            notification, DataNotification | EventNotification | InformationReport
        ):
            self._on_notification(notification)


def _now() -> float:
    return asyncio.get_running_loop().time()
