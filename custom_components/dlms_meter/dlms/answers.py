"""Which answer belongs to which request, and which request may be sent twice."""

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
from .application.short_name import ReadRequest, WriteRequest

HARMLESS: Final = (GetRequestNormal, GetRequestNext, GetRequestWithList)
"""Requests that may reach the meter twice."""

UNNUMBERED: Final = (ReadRequest, WriteRequest)
"""Requests without invoke id: an answer that comes late looks like that to the next one."""


def belongs(request: Apdu, answer: Apdu) -> bool:
    """Tell whether an answer belongs to a request: the invoke ids agree, or one of them has none."""
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
