"""How many attributes to name in one list: as many as the meter takes, unless shorter lists take fewer turns."""

from typing import Final, NamedTuple

from ..codec.cursor import encode_length
from .association import Association
from .enums import Conformance

MAX_ITEMS_PER_REQUEST: Final = 64
"""Beyond this, the values take so much longer than one more turn that a bigger list saves nothing."""

_ITEM_OCTETS: Final = 10
"""What a GetRequestWithList needs for each attribute: class, logical name, attribute, no access selection."""
_SHORT_NAME_ITEM_OCTETS: Final = 3
"""What a ReadRequest needs for each: CHOICE and short name."""
_VALUE_OCTETS: Final = 6
"""What most values take in an answer: CHOICE, tag, and a double-long-unsigned."""
_HEAD_OCTETS: Final = 3
"""Tag, choice, invoke-id-and-priority; with short names the tag alone."""
_LLC_OCTETS: Final = 3


class FrameLimits(NamedTuple):
    """What frames carry of a request, and of its answer: octets in each, and how many before the other side has its turn."""

    request_octets: int
    answer_octets: int
    request_window: int
    answer_window: int


def items_that_fit(octets: int, item_octets: int = _ITEM_OCTETS) -> int:
    """Return how many attributes a list request of at most so many octets can name."""
    items = max(octets - _HEAD_OCTETS - 1, 0) // item_octets
    while (
        items
        and _HEAD_OCTETS + len(encode_length(items)) + items * item_octets > octets
    ):
        items -= 1
    return items


def items_per_request(
    association: Association, count: int, frames: FrameLimits | None = None
) -> int:
    """Return how many of `count` attributes to name in each list, at least 1; with `frames` so that it takes few turns."""
    if Conformance.MULTIPLE_REFERENCES not in association.conformance:
        return 1
    most = association.memory.longest_list or MAX_ITEMS_PER_REQUEST
    items = max(min(count, most), 1)
    item_octets = (
        _SHORT_NAME_ITEM_OCTETS if association.uses_short_names else _ITEM_OCTETS
    )
    if association.request_capacity is not None:
        fitting = items_that_fit(association.request_capacity, item_octets)
        items = max(min(items, fitting), 1)
    if frames is None:
        return items
    overhead = association.protection.overhead + _LLC_OCTETS
    room = frames.request_octets * frames.request_window - overhead
    fewer = max(min(items, items_that_fit(room, item_octets)), 1)

    def turns(size: int) -> int:
        """Return how many turns it takes to ask for all in lists of that size: each request and each answer its own."""
        return sum(
            _turns(overhead + listed * item_octets, frames.request_octets, frames.request_window)
            + _turns(overhead + listed * _VALUE_OCTETS, frames.answer_octets, frames.answer_window)
            - 1
            for listed in _sizes(count, size)
        )  # fmt: skip

    return min(items, fewer, key=turns)


def _sizes(count: int, size: int) -> list[int]:
    """Return how long lists are of which none is longer than `size`."""
    whole, rest = divmod(count, size)
    return [size] * whole + [rest] * bool(rest)


def _turns(octets: int, room: int, window: int) -> int:
    """Return how often one side has to be given the word until it has said a list of so many octets."""
    frames = -(-(octets + _HEAD_OCTETS + 1) // room)
    return -(-frames // window)
