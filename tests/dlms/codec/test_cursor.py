"""The reader: it never leaves its bounds, and says where it stopped."""

from collections.abc import Callable

import pytest

from custom_components.dlms_meter.dlms.codec.cursor import Reader, encode_length
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import check_codec


def test_reads_from_left_to_right() -> None:
    reader = Reader(bytes.fromhex("01 0203 04050607 02aabb 03 cc dd"))
    assert reader.uint8() == 1
    assert reader.uint16() == 0x0203
    assert reader.uint32() == 0x04050607
    assert reader.octets() == b"\xaa\xbb"
    assert reader.peek() == 3
    assert reader.uint8() == 3
    assert reader.remaining == 2
    assert reader.take(1) == b"\xcc"
    assert reader.rest() == b"\xdd"
    reader.finish("the test")


BEYOND: list[tuple[str, Callable[[Reader], object]]] = [
    ("uint8", Reader.uint8),
    ("uint16", Reader.uint16),
    ("uint32", Reader.uint32),
    ("peek", Reader.peek),
    ("length", Reader.length),
    ("octets", Reader.octets),
    ("take", lambda reader: reader.take(1)),
    ("expect", lambda reader: reader.expect(0, "a zero")),
]


@pytest.mark.parametrize(("name", "read"), BEYOND)
def test_bounds_hold_inside_a_larger_buffer(
    name: str, read: Callable[[Reader], object]
) -> None:
    reader = Reader(bytes(16), 4, 4)
    with pytest.raises(DecodeError) as caught:
        read(reader)
    assert caught.value.offset == 4
    assert "(at octet 4)" in str(caught.value)
    assert reader.offset == 4
    assert reader.rest() == b""


LENGTHS = [
    (0, "00"),
    (127, "7f"),
    (128, "8180"),
    (255, "81ff"),
    (256, "820100"),
    (65536, "83010000"),
    (2**32 - 1, "84ffffffff"),
]


def _length(octets: bytes) -> int:
    reader = Reader(octets)
    length = reader.length()
    reader.finish("the length")
    return length


@pytest.mark.parametrize(("length", "octets"), LENGTHS)
def test_length(length: int, octets: str) -> None:
    check_codec(length, bytes.fromhex(octets), _length, encode_length)


@pytest.mark.parametrize(
    ("value", "octets"),
    [(127, "817f"), (136, "820088"), (127, "8300007f"), (0, "8400000000")],
)
def test_length_in_more_octets_than_needed(value: int, octets: str) -> None:
    check_codec(value, bytes.fromhex(octets), _length, encode_length, canonical=False)


@pytest.mark.parametrize("first", [0x80, 0x85, 0xFF])
def test_length_of_another_form(first: int) -> None:
    with pytest.raises(DecodeError, match=f"length octet {first:02X}"):
        Reader(bytes((first,)) + bytes(8)).length()


def test_expect_says_what_it_found() -> None:
    reader = Reader(b"\xc4\x01")
    reader.expect(0xC4, "GET response")
    with pytest.raises(
        DecodeError, match=r"GET response: 02 expected, 01 found \(at octet 1\)"
    ):
        reader.expect(0x02, "GET response")


def test_finish_says_what_is_left() -> None:
    with pytest.raises(
        DecodeError, match=r"2 octets after the end of the data \(at octet 1\)"
    ):
        Reader(b"abc", 1).finish("the data")
