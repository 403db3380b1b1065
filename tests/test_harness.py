"""The harness must be able to fail: each of its checks meets a codec with one fault."""

from collections.abc import Callable, Iterable

import pytest

from custom_components.dlms_meter.dlms.codec.cursor import Reader
from tests.harness import (
    check_codec,
    check_damage,
    check_stream,
    damaged,
    feed_by_bytes,
    vectors,
)

OCTETS = b"\x02\xaa\xbb"


def _decode(octets: bytes) -> bytes:
    reader = Reader(octets)
    value = reader.octets()
    reader.finish("the value")
    return value


def _encode(value: bytes) -> bytes:
    return bytes((len(value),)) + value


def _accepts_prefixes(octets: bytes) -> bytes:
    return octets[1:] if len(octets) < 3 else _decode(octets)


def _accepts_more(octets: bytes) -> bytes:
    return Reader(octets).octets()


def test_a_sound_codec_passes() -> None:
    check_codec(b"\xaa\xbb", OCTETS, _decode, _encode)
    check_codec(b"\xaa\xbb", b"\x81\x02\xaa\xbb", _decode, _encode, canonical=False)
    check_damage(OCTETS, _decode)


@pytest.mark.parametrize("decode", [_accepts_prefixes, _accepts_more])
def test_an_unsound_decoder_fails(decode: Callable[[bytes], bytes]) -> None:
    with pytest.raises(pytest.fail.Exception):
        check_codec(b"\xaa\xbb", OCTETS, decode, _encode)


@pytest.mark.parametrize("value", [b"", b"\xaa\xbc"])
def test_another_value_fails(value: bytes) -> None:
    with pytest.raises(AssertionError):
        check_codec(value, OCTETS, _decode, _encode)


def test_another_encoding_fails() -> None:
    with pytest.raises(AssertionError):
        check_codec(
            b"\xaa\xbb", OCTETS, _decode, lambda value: b"\x81" + _encode(value)
        )
    with pytest.raises(AssertionError):
        check_codec(b"\xaa\xbb", OCTETS, _decode, _encode, canonical=False)


def test_another_exception_fails() -> None:
    def decode(octets: bytes) -> int:
        return octets[octets[0]]

    with pytest.raises(AssertionError, match="IndexError from"):
        check_damage(OCTETS, decode)


class _Lines:
    """Cut a stream at zeros; the faulty kind forgets what came before a piece."""

    def __init__(self, *, forgets: bool) -> None:
        self.forgets = forgets
        self.buffer = b""

    def receive(self, octets: bytes) -> Iterable[bytes]:
        self.buffer = octets if self.forgets else self.buffer + octets
        *lines, self.buffer = self.buffer.split(b"\x00")
        return lines


def test_streams() -> None:
    octets = b"ab\x00c\x00"
    assert feed_by_bytes(_Lines(forgets=False).receive, octets) == [b"ab", b"c"]
    whole = check_stream(lambda: _Lines(forgets=False).receive, octets)
    assert whole == [b"ab", b"c"]
    with pytest.raises(AssertionError):
        check_stream(lambda: _Lines(forgets=True).receive, octets)


def test_damage_is_the_same_for_the_same_seed() -> None:
    copies = list(damaged(OCTETS, seed=7, count=50))
    assert copies == list(damaged(OCTETS, seed=7, count=50))
    assert copies != list(damaged(OCTETS, seed=8, count=50))
    assert sum(copy != OCTETS for copy in copies) > 40
    assert list(damaged(b"", seed=1, count=3))


def test_vectors_are_found_by_layer_and_category() -> None:
    everything = vectors()
    assert len(everything) == len({vector.id for vector in everything}) == 355
    gets = vectors("apdu", "ln-get")
    assert gets
    assert {(vector.layer, vector.category) for vector in gets} == {("apdu", "ln-get")}
    assert len(gets) < len(vectors("apdu"))
