"""What mutation begins with: all octets of all vectors, and how they are mutated."""

from collections.abc import Iterator
from functools import cache
from random import Random
import re

from tests.harness import Json, vectors

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_INTERESTING = (
    b"\x00", b"\x01", b"\x7e", b"\x7f", b"\x80", b"\x81\xff", b"\x82\xff\xff", b"\x84\xff\xff\xff\xff",
    b"\xff", b"\xff\xff", b"\x00\x00", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\x01\x01", b"\x02\x02", b"\x13",
)  # fmt: skip
"""Lengths, counts and limits at which decoders have to decide something."""
_MOST_CHANGES = 6


@cache
def octets_of_vectors() -> tuple[bytes, ...]:
    """Return every run of octets that stands anywhere in a vector."""
    found = {
        bytes.fromhex(text)
        for vector in vectors()
        for part in (vector.hex, vector.decoded, vector.inputs)
        for text in _hexadecimals(part)
    }
    return tuple(sorted(found))


def _hexadecimals(part: Json) -> Iterator[str]:
    if isinstance(part, str):
        if _HEX.fullmatch(part):
            yield part
    elif isinstance(part, dict):
        for each in part.values():
            yield from _hexadecimals(each)
    elif isinstance(part, list):
        for each in part:
            yield from _hexadecimals(each)


def mutated(octets: bytes, others: tuple[bytes, ...], random: Random) -> bytes:
    """Return a copy with a few changes, some of them pieces of the others."""
    copy = bytearray(octets)
    for _ in range(random.randint(1, _MOST_CHANGES)):
        place = random.randrange(len(copy) + 1)
        end = place + random.randint(1, 16)
        match random.randrange(8):
            case 0:
                del copy[place:end]
            case 1:
                del copy[place:]
            case 2:
                copy[place:place] = copy[place:end]
            case 3:
                copy[place:place] = random.choice(_INTERESTING)
            case 4:
                new = random.choice(_INTERESTING)
                copy[place : place + len(new)] = new
            case 5:
                other = random.choice(others)
                start = random.randrange(len(other))
                copy[place:end] = other[start : start + random.randint(1, 64)]
            case 6:
                copy[place:end] = random.randbytes(random.randint(1, 4))
            case _ if place < len(copy):
                copy[place] ^= 1 << random.randrange(8)
    return bytes(copy)
