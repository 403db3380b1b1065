"""Take identities and secrets out of texts and octets, each replaced by the same stand-in wherever it stands.

A stand-in has the length of what it stands for, so that messages still make sense. It is numbered, not computed: nobody
can calculate back from it.
"""

from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
import re
from typing import Any, Final

_SHORTEST: Final = 4
"""Anything shorter is not told from chance where it turns up inside something else."""
_LEAST_DISTINCT: Final = 3
"""Octets, of which fewer are not zero, turn up anywhere."""
_SHORTEST_NUMBER: Final = 1 << 16
_LETTERS_KEPT: Final = 3
"""Of a logical device name: they tell the maker."""
_ADDRESSES: Final = (
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "0.0.0.0"),
    (re.compile(r"\b(?:[0-9A-Fa-f]{1,4}:){3,}[0-9A-Fa-f:]*"), "::"),
    (re.compile(r"\b[0-9A-Fa-f]{1,4}::[0-9A-Fa-f:]*"), "::"),
)
"""Of the Internet protocol, 4 and 6, and of network adapters."""

type Pairs = Collection[tuple[int, int]]
"""Numbers of messages of which the second goes on with what the first began."""


class Anonymiser:
    """Knows what to take out, and puts the same in its place every time."""

    def __init__(self, texts: Iterable[str], octets: Iterable[bytes] = ()) -> None:
        """Take the texts and octets that must not be told; longer ones are replaced first."""
        found = sorted({t for t in texts if len(t) >= _SHORTEST}, key=_longest_first)
        self._texts = {text: _stand_in(text, n) for n, text in enumerate(found, 1)}
        self._octets: dict[bytes, bytes] = {}
        for text, other in self._texts.items():
            for secret, replacement in _forms(text, other):
                self._add(secret, replacement)
        for number, secret in enumerate(sorted(set(octets)), 1):
            replacement = number.to_bytes(2).rjust(len(secret), b"\0")
            self._add(secret, replacement)
            self._add(secret[::-1], replacement[::-1])
        self._octets = dict(
            sorted(self._octets.items(), key=lambda item: -len(item[0]))
        )
        self._spelled: dict[str, str] = {}
        for spelling, other in self._spellings():
            self._spelled.setdefault(spelling, other)

    def _add(self, secret: bytes, replacement: bytes) -> None:
        telling = len(secret) - secret.count(0)
        if len(secret) >= _SHORTEST and telling >= _LEAST_DISTINCT:
            self._octets.setdefault(secret, replacement[-len(secret) :])

    def _spellings(self) -> Iterator[tuple[str, str]]:
        """Yield all texts that spell a secret: itself, backwards, in hex and in base64."""
        yield from self._texts.items()
        for text, other in self._texts.items():
            yield text[::-1], other[::-1]
        for secret, replacement in self._octets.items():
            if len(secret) > _SHORTEST:
                yield secret.hex(), replacement.hex()
                yield secret.hex().upper(), replacement.hex().upper()
                yield secret.hex(" "), replacement.hex(" ")
            yield b64encode(secret).decode(), b64encode(replacement).decode()
            yield (
                b64encode(secret).decode().rstrip("="),
                b64encode(replacement).decode().rstrip("="),
            )

    def text(self, text: str) -> str:
        """Return a text without what must not be told."""
        for secret, other in self._spelled.items():
            if secret in text:
                text = text.replace(secret, other)
        for pattern, other in _ADDRESSES:
            text = pattern.sub(other, text)
        return text

    def json(self, data: Any) -> Any:  # noqa: ANN401  any JSON
        """Return JSON without what must not be told, keys included."""
        if isinstance(data, dict):
            return {
                self.text(str(key)): self.json(value) for key, value in data.items()
            }
        if isinstance(data, list | tuple):
            return [self.json(value) for value in data]
        return self.text(data) if isinstance(data, str) else data

    def octets(self, messages: Sequence[bytes], pairs: Pairs = ()) -> list[bytes]:
        """Return messages without what must not be told, even where it goes on in the second of a pair of them."""
        clean = [bytearray(message) for message in messages]
        everywhere = range(len(clean))
        for secret, other in self._octets.items():
            _replace(clean, everywhere, pairs, secret, other)
        return [bytes(message) for message in clean]


def replace_there(
    messages: Sequence[bytes], there: Sequence[int], secret: bytes, other: bytes
) -> list[bytes]:
    """Return messages in some of which, that go on with each other, something is replaced."""
    clean = [bytearray(message) for message in messages]
    _replace(clean, there, list(pairwise(there)), secret, other)
    return [bytes(message) for message in clean]


def without_words(message: bytes) -> bytes:
    """Return a message that nobody understands without what looks like words in it; what may be its head stays."""
    head, rest = message[:_HEAD], message[_HEAD:]
    return head + _WORD.sub(lambda word: b"X" * len(word[0]), rest)


_HEAD: Final = 8
_WORD: Final = re.compile(rb"[ -~]{4,}")
_LONGEST_HEADER: Final = 24
"""Octets before the data in a message that carries one block of many."""


def _replace(
    messages: list[bytearray],
    numbers: Iterable[int],
    pairs: Pairs,
    secret: bytes,
    other: bytes,
) -> None:
    for number in numbers:
        message = messages[number]
        if secret in message:
            message[:] = message.replace(secret, other)
    for first, second in pairs:
        _replace_across(messages[first], messages[second], secret, other)


def _replace_across(
    part: bytearray, following: bytearray, secret: bytes, other: bytes
) -> None:
    """Replace what begins at the end of one block and ends at the beginning of the next."""
    for cut in range(1, len(secret)):
        if part[-cut:] == secret[:cut]:
            place = following.find(secret[cut:], 0, _LONGEST_HEADER + len(secret))
            if place >= 0 and len(secret) > _SHORTEST:
                part[-cut:] = other[:cut]
                following[place : place + len(secret) - cut] = other[cut:]


def _longest_first(text: str) -> tuple[int, str]:
    return -len(text), text


def _stand_in(text: str, number: int) -> str:
    """Return a text of the same shape with a number at its end: a maker's three letters are kept, the rest crossed out."""
    begins, rest = text[:_LETTERS_KEPT], text[_LETTERS_KEPT:]
    kept = begins if begins.isalpha() and rest.isdigit() else ""
    crossed = "".join(
        "0" if sign.isdecimal() else "X" if sign.isalpha() else sign
        for sign in text[len(kept) :]
    )
    tail = str(number)
    return kept + crossed[: -len(tail)] + tail[-len(crossed) :]


def _forms(text: str, other: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield how a text may stand in a message, each with its stand-in: characters, and digits also as a number."""
    characters, replacement = (
        t.encode("utf-8", "surrogateescape") for t in (text, other)
    )
    if len(characters) != len(replacement):
        replacement = bytes(len(characters))
    yield characters, replacement
    yield characters[::-1], replacement[::-1]
    if not (text.isdecimal() and text.isascii()):
        return
    packed, packed_other = (
        bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))
        for digits in (text, other)
    )
    yield packed, packed_other
    yield packed[::-1], packed_other[::-1]
    number = int(text)
    if number >= _SHORTEST_NUMBER:
        for width in (4, 5, 8):
            if number < 1 << 8 * width:
                yield number.to_bytes(width), int(other).to_bytes(width)
                yield (
                    number.to_bytes(width, "little"),
                    int(other).to_bytes(width, "little"),
                )
