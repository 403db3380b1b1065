"""OBIS: the six value groups that name an object (IEC 62056-61)."""

import re
from typing import Self

from ..errors import DecodeError

_GROUP = "([0-9]{1,3})"
_DOTTED = re.compile(r"\.".join([_GROUP] * 6))
_REDUCED = re.compile(
    rf"(?:{_GROUP}-)?(?:{_GROUP}:)?{_GROUP}\.{_GROUP}(?:\.{_GROUP})?(?:[*.]{_GROUP})?"
)
_LENGTH = 6


class Obis(bytes):
    """A logical name: six octets A to F. Equal to, and hashed as, its bytes; prints as `1-0:1.8.0*255`."""

    __slots__ = ()

    def __new__(cls, octets: bytes) -> Self:
        """Take the six octets. Raises `DecodeError` for any other number."""
        if len(octets) != _LENGTH:
            raise DecodeError(f"a logical name has 6 octets, not {len(octets)}")
        return super().__new__(cls, octets)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `1-0:1.8.0*255`, `1.0.1.8.0.255` or a reduced form; A, B, E, F default to 1, 0, 0, 255.

        Raises `DecodeError` when the text is neither.
        """
        match = _DOTTED.fullmatch(text) or _REDUCED.fullmatch(text)
        if match is None:
            raise DecodeError(f"{text!r} is not an OBIS code such as 1-0:1.8.0*255")
        defaults = (1, 0, 0, 0, 0, 255)
        groups = [
            default if group is None else int(group)
            for group, default in zip(match.groups(), defaults, strict=True)
        ]
        if max(groups) > 0xFF:
            raise DecodeError(f"{text!r}: an OBIS value group is at most 255")
        return cls(bytes(groups))

    @property
    def a(self) -> int:
        """Medium: 0 abstract, 1 electricity, 6 heat, 7 gas, 8 and 9 water."""
        return self[0]

    @property
    def b(self) -> int:
        """Channel."""
        return self[1]

    @property
    def c(self) -> int:
        """Physical quantity."""
        return self[2]

    @property
    def d(self) -> int:
        """Way of processing, or country."""
        return self[3]

    @property
    def e(self) -> int:
        """Rate (tariff), or other classification."""
        return self[4]

    @property
    def f(self) -> int:
        """Billing period; 255 is the present one."""
        return self[5]

    def __str__(self) -> str:
        """Print as `A-B:C.D.E*F`."""
        a, b, c, d, e, f = self
        return f"{a}-{b}:{c}.{d}.{e}*{f}"

    def __repr__(self) -> str:
        """Show the printed form."""
        return f"Obis({str(self)!r})"
