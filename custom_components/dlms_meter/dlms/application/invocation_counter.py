"""The invocation counter of a key: no value may ever be used twice, not even after a crash.

Two messages under one key and one counter give the key away, and a meter refuses a counter it has seen. So values
are handed out only from a block whose end has been saved: whoever drives the association asks `to_reserve` before
each message, saves that number, and says so with `reserve`. After a restart, counting goes on from the saved number.
"""

from ..errors import LocalProtocolError, SecurityError

BLOCK = 1000
"""Values reserved at a time: so many messages go out between two savings, and at most so many are lost by a crash."""

_IN_HAND = 4
"""Values to have before each message: one exchange of HLS takes two."""

_LAST = 0xFFFFFFFF
_LAST_BELIEVED = 0xFEFFFFFF  # leaves enough for some years


class InvocationCounter:
    """Counts the messages sent with one key; `following` is the value for the next one."""

    __slots__ = ("_reserved", "following")

    def __init__(self, following: int = 1, *, reserved: int | None = None) -> None:
        """Go on from `following`; values below `reserved` need no saving."""
        self.following = following
        self._reserved = following if reserved is None else reserved

    @property
    def to_reserve(self) -> int | None:
        """What must be saved, and reported with `reserve`, before the next message; None when nothing must."""
        if self.following + _IN_HAND <= self._reserved:
            return None
        return min(self.following + BLOCK, _LAST + 1)

    def reserve(self, end: int) -> None:
        """Learn that `end` is saved: values below it may be used."""
        self._reserved = end

    def advance(self, following: int) -> None:
        """Go on from a later value, such as one the meter asks for.

        One that lies behind is passed over, and so is one near the end: meters ask in clear, where anybody could use
        up a key for good with one message.
        """
        if following <= _LAST_BELIEVED:
            self.following = max(self.following, following)

    def take(self) -> int:
        """Return the next value, never to be returned again.

        Raises `LocalProtocolError` when it has not been reserved, `SecurityError` when there is none left.
        """
        value = self.following
        if value > _LAST:
            raise SecurityError(
                "The invocation counter is used up: the key must be replaced in the meter"
            )
        if value >= self._reserved:
            raise LocalProtocolError(
                f"invocation counter {value} was not saved before use"
            )
        self.following += 1
        return value
