"""The part of BER that ACSE needs."""

from collections.abc import Callable

import pytest

from custom_components.dlms_meter.dlms.codec.ber import (
    encode_bit_string,
    encode_integer,
    encode_object_identifier,
    read_bit_string,
    read_integer,
    read_object_identifier,
    read_tlv,
    tlv,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import BitString
from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from tests.harness import Json, Vector, check_codec, check_damage, each, vectors


def _contents[T](read: Callable[[Reader], T]) -> Callable[[bytes], T]:
    """Read contents that come in a tag and length of their own, with nothing after them."""

    def decode(octets: bytes) -> T:
        outer = Reader(octets)
        _, contents = read_tlv(outer)
        outer.finish("the value")
        value = read(contents)
        contents.finish("the contents")
        return value

    return decode


INTEGERS = [
    (0, "020100"),
    (1, "020101"),
    (127, "02017f"),
    (128, "02020080"),
    (-1, "0201ff"),
    (-128, "020180"),
    (-129, "0202ff7f"),
    (2**63 - 1, "02087fffffffffffffff"),
    (-(2**63), "02088000000000000000"),
]


@pytest.mark.parametrize(("value", "octets"), INTEGERS)
def test_integer(value: int, octets: str) -> None:
    check_codec(
        value,
        bytes.fromhex(octets),
        _contents(read_integer),
        lambda number: tlv(0x02, encode_integer(number)),
    )


@pytest.mark.parametrize("octets", ["0200", "0209010000000000000000"])
def test_integer_of_too_few_or_too_many_octets(octets: str) -> None:
    with pytest.raises(DecodeError, match=r"an integer of \d octets"):
        _contents(read_integer)(bytes.fromhex(octets))


def test_padded_integer_is_accepted() -> None:
    assert _contents(read_integer)(bytes.fromhex("02020001")) == 1


IDENTIFIERS = [
    ((2, 16, 756, 5, 8, 1, 1), "060760857405080101"),
    ((2, 16, 756, 5, 8, 2, 7), "060760857405080207"),
    ((2, 15, 757, 4, 7, 2, 3), "06075f857504070203"),
    ((0, 0), "060100"),
    ((0, 39, 128), "0603278100"),
    ((1, 39), "06014f"),
    ((2, 999, 3), "0603883703"),
    ((2, 0, 2**35 - 1), "060650ffffffff7f"),
]


@pytest.mark.parametrize(("arcs", "octets"), IDENTIFIERS)
def test_object_identifier(arcs: tuple[int, ...], octets: str) -> None:
    check_codec(
        arcs,
        bytes.fromhex(octets),
        _contents(read_object_identifier),
        lambda value: tlv(0x06, encode_object_identifier(value)),
    )


@pytest.mark.parametrize("octets", ["0600", "060185", "0606ffffffffff7f"])
def test_object_identifier_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        _contents(read_object_identifier)(bytes.fromhex(octets))


@pytest.mark.parametrize("arcs", [(), (1,), (1, 40), (3, 1), (1, -1)])
def test_impossible_object_identifier(arcs: tuple[int, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_object_identifier(arcs)


def _identifiers(decoded: Json) -> list[str]:
    fields = ("application_context", "mechanism")
    return [decoded[name]["oid"] for name in fields if name in decoded]


@each([row for row in vectors("apdu", "acse") if _identifiers(row.decoded)])
def test_object_identifiers_of_associations(vector: Vector) -> None:
    for oid in _identifiers(vector.decoded):
        contents = encode_object_identifier(tuple(map(int, oid.split("."))))
        assert contents in vector.octets
        found = read_object_identifier(Reader(contents))
        assert ".".join(map(str, found)) == oid


BIT_STRINGS = [
    (BitString(b"\x80", 1), "80020780"),
    (BitString(b"\x00\x7e\x1f", 24), "030400007e1f"),
    (BitString(b"", 0), "030100"),
]


@pytest.mark.parametrize(("value", "octets"), BIT_STRINGS)
def test_bit_string(value: BitString, octets: str) -> None:
    check_codec(
        value,
        bytes.fromhex(octets),
        _contents(read_bit_string),
        lambda bits: tlv(int(octets[:2], 16), encode_bit_string(bits)),
    )


@pytest.mark.parametrize("octets", ["0300", "03020880", "030101"])
def test_bit_string_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        _contents(read_bit_string)(bytes.fromhex(octets))


@pytest.mark.parametrize("bits", [BitString(b"\x00", 9), BitString(b"\x00\x00", 8)])
def test_impossible_bit_string(bits: BitString) -> None:
    with pytest.raises(LocalProtocolError):
        encode_bit_string(bits)


def test_reading_steps_over_contents_and_bounds_them() -> None:
    reader = Reader(bytes.fromhex("a203020101 be00"))
    tag, contents = read_tlv(reader)
    assert (tag, contents.offset, contents.end, reader.offset) == (0xA2, 2, 5, 5)
    assert contents.rest() == b"\x02\x01\x01"
    assert read_tlv(reader)[0] == 0xBE
    with pytest.raises(DecodeError, match="0 left"):
        read_tlv(reader)


@pytest.mark.parametrize("length", ["81 03", "82 0003", "83 000003", "84 00000003"])
def test_long_lengths_are_accepted(length: str) -> None:
    # A Kamstrup meter sends its AARE as 61 82 00 29.
    tag, contents = read_tlv(Reader(bytes.fromhex(f"61 {length} 010203")))
    assert (tag, contents.rest()) == (0x61, b"\x01\x02\x03")


@pytest.mark.parametrize("octets", ["bf1f00", "3080", "3085", "300201", "30"])
def test_tag_or_length_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        read_tlv(Reader(bytes.fromhex(octets)))


def test_tlv_takes_the_shortest_length() -> None:
    assert tlv(0xBE, bytes(127))[:2] == b"\xbe\x7f"
    assert tlv(0xBE, bytes(128))[:3] == b"\xbe\x81\x80"
    assert tlv(0xBE, bytes(256))[:4] == b"\xbe\x82\x01\x00"


def _walk(octets: bytes) -> None:
    """Read every value there is, constructed ones to the bottom."""
    waiting = [Reader(octets)]
    while waiting:
        reader = waiting.pop()
        while reader.remaining:
            tag, contents = read_tlv(reader)
            if tag & 0x20:
                waiting.append(contents)
            elif tag == 0x06:
                read_object_identifier(contents)
            elif tag == 0x02:
                read_integer(contents)


@each(vectors("apdu", "acse"))
def test_damaged_associations(vector: Vector) -> None:
    _walk(vector.octets)
    check_damage(vector.octets, _walk)
