"""Which answer belongs to which request, which is an old one that comes late, and which request may be sent twice."""

from collections import deque
from collections.abc import Collection
from typing import Final

from .application.acse import Aare, Aarq
from .application.apdu import Apdu
from .application.fields import InvokeIdAndPriority
from .application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseWithDatablock,
)
from .application.short_name import (
    ReadRequest,
    ReadResponse,
    WriteRequest,
    WriteResponse,
)
from .errors import DlmsError

HARMLESS: Final = (GetRequestNormal, GetRequestNext, GetRequestWithList)
"""Requests that may reach the meter twice."""

UNNUMBERED: Final = (ReadRequest, WriteRequest)
"""Requests without invoke id: an answer that comes late looks like that to the next one."""

_OF_OTHER_SERVICE: Final[dict[type[Apdu], type[Apdu]]] = {
    ReadRequest: WriteResponse,
    WriteRequest: ReadResponse,
}

_REPEATABLE_AS_A_WHOLE: Final = (GetRequestNormal, GetRequestWithList)

_ANSWERS_REMEMBERED: Final = 8
"""So far back a datagram of one transfer in blocks may come again."""

_BEFORE_CONTENT: Final = 3
"""Octets of an answer before what it says: tag, CHOICE, invoke id."""


class AnswerDoubtful(DlmsError):
    """What came equals an earlier answer with the same invoke id: the meter should be asked once more."""


def belongs(request: Apdu, answer: Apdu) -> bool:
    """Tell whether an answer belongs to a request: the invoke ids agree, or one of them has none.

    Those to short names have none, but tell the service: a meter that answers an UnconfirmedWrite, to which there is no
    answer, has this one come in the place of that to the next request.
    """
    if type(answer) is _OF_OTHER_SERVICE.get(type(request)):
        return False
    sent: InvokeIdAndPriority | None = getattr(request, "invoke", None)
    received: InvokeIdAndPriority | None = getattr(answer, "invoke", None)
    return sent is None or received is None or received.answers(sent)


def is_stale(request: Apdu, answer: Apdu, answered: Collection[Apdu]) -> bool:
    """Tell whether an answer is to an earlier request: datagrams come twice, late, and in any order.

    `answered` are the last answers that were taken. Those to short names have no invoke id: equal ones may be new. One that says no is never stale: it ends the transfer of blocks.
    """
    if isinstance(request, GetRequestNext) and isinstance(
        answer, GetResponseWithDatablock
    ):
        due = request.block_number + 1
        return isinstance(answer.result, bytes) and answer.block_number != due
    strange = isinstance(answer, Aare) and not isinstance(request, Aarq)
    return strange or (hasattr(answer, "invoke") and answer in answered)


class LateAnswers:
    """Tells answers from old ones that come twice, late, and in any order, as over UDP. Times are seconds of one clock.

    Invoke ids do most of it, but there are only sixteen. So once a datagram was seen to come late, twice, or not at all,
    an id rests for `longest_delay` after its use. The first that comes late may do so in the place of another answer:
    so what equals an earlier answer with its id is asked for once more, unless the same was found right before.
    """

    def __init__(self, longest_delay: float) -> None:
        self._longest_delay = longest_delay
        self._are_expected = False
        self._invoke: InvokeIdAndPriority | None = None  # of the present request
        self._answered: deque[Apdu] = deque(maxlen=_ANSWERS_REMEMBERED)  # with it
        self._asked: dict[int, float] = {}  # when, by invoke id
        self._taken: dict[int, float] = {}  # when, by the hash of octets; oldest first
        self._doubted: dict[int, float] = {}  # when, by the hash of what they said

    def expect(self) -> None:
        """Learn that answers come twice, late or not at all."""
        self._are_expected = True

    def pause(self, request: Apdu, now: float) -> float:
        """Return for how many seconds the invoke id of a request must still rest."""
        invoke = _short_invoke(request)
        if not self._are_expected or invoke is None or invoke == self._invoke:
            return 0.0
        asked = self._asked.get(invoke.invoke_id, now - self._longest_delay)
        return max(asked + self._longest_delay - now, 0.0)

    def ask(self, request: Apdu, now: float) -> None:
        """Learn what is asked now, for the first time or again."""
        invoke = _short_invoke(request)
        if invoke != self._invoke:
            self._invoke = invoke
            self._answered.clear()
        if invoke is not None:
            self._asked[invoke.invoke_id] = now

    def is_late(self, request: Apdu, answer: Apdu) -> bool:
        """Tell whether an answer is certainly an old one."""
        return is_stale(request, answer, self._answered)

    def is_doubtful(self, request: Apdu, octets: bytes, now: float) -> bool:
        """Tell whether an answer may be an old one; in `longest_delay` once for each thing it may say."""
        if not isinstance(request, _REPEATABLE_AS_A_WHOLE):
            return False
        for remembered in (self._taken, self._doubted):
            _forget(remembered, now - self._longest_delay)
        content = hash(octets[_BEFORE_CONTENT:])
        if hash(octets) not in self._taken or content in self._doubted:
            return False
        self._doubted[content] = now
        return True

    def take(self, request: Apdu, answer: Apdu, octets: bytes, now: float) -> None:
        """Learn which answer was taken."""
        self._answered.append(answer)
        if isinstance(request, _REPEATABLE_AS_A_WHOLE):
            self._taken.pop(hash(octets), None)
            self._taken[hash(octets)] = now


def _forget(times: dict[int, float], moment: float) -> None:
    """Forget what was before a moment; the oldest are first."""
    while times:
        oldest = next(iter(times))
        if times[oldest] >= moment:
            break
        del times[oldest]


def _short_invoke(apdu: Apdu) -> InvokeIdAndPriority | None:
    """Return the invoke id of an APDU, if it is one of the sixteen."""
    invoke = getattr(apdu, "invoke", None)
    return invoke if isinstance(invoke, InvokeIdAndPriority) else None
