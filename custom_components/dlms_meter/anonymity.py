"""Take identities and secrets out of texts and octets, each replaced by the same stand-in wherever it stands.

A stand-in has the length of what it stands for, so that messages still make sense. It is numbered, not computed: nobody
can calculate back from it.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any, Final

_SHORTEST: Final = 4
"""Anything shorter is not told from chance where it turns up inside something else."""
_SHORTEST_NUMBER: Final = 1 << 16
_LETTERS_KEPT: Final = 3
"""Of a logical device name: they tell the maker."""


class Anonymiser:
    """Knows what to take out, and puts the same in its place every time."""

    def __init__(self, texts: Iterable[str], octets: Iterable[bytes] = ()) -> None:
        """Take the texts and octets that must not be told; longer ones are replaced first."""
        found = sorted({t for t in texts if len(t) >= _SHORTEST}, key=_longest_first)
        self._texts = {text: _stand_in(text, n) for n, text in enumerate(found, 1)}
        self._octets: dict[bytes, bytes] = {}
        for text, other in self._texts.items():
            for secret, replacement in _forms(text, other):
                if len(secret) >= _SHORTEST:
                    self._octets.setdefault(secret, replacement)
        for secret in octets:
            if len(secret) >= _SHORTEST:
                self._octets.setdefault(secret, bytes(len(secret)))
                self._octets.setdefault(secret[::-1], bytes(len(secret)))
        self._octets = dict(
            sorted(self._octets.items(), key=lambda item: -len(item[0]))
        )
        self._spelled = dict(self._spellings())

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

    def octets(self, parts: list[bytes]) -> list[bytes]:
        """Return octets that belong together without what must not be told, even where it goes on in the next part."""
        clean = [bytearray(part) for part in parts]
        for secret, other in self._octets.items():
            for number, part in enumerate(clean):
                if secret in part:
                    part[:] = part.replace(secret, other)
                if number + 1 < len(clean):
                    _replace_across(part, clean[number + 1], secret, other)
        return [bytes(part) for part in clean]


_LONGEST_HEADER: Final = 24
"""Octets before the data in a message that carries one block of many."""


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
