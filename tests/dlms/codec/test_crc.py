"""The frame check against a slow reading of the standard and against real frames."""

from random import Random

import pytest

from custom_components.dlms_meter.dlms.codec.crc import are_good, fcs16, is_good
from tests.harness import Vector, each, vectors


def _bit_by_bit(data: bytes) -> int:
    """Divide by x^16 + x^12 + x^5 + 1, lowest bit first, as the definition says."""
    register = 0xFFFF
    for octet in data:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
    return register ^ 0xFFFF


def test_check_value_of_the_catalogue() -> None:
    # CRC-16/X-25 of the nine digits, as catalogues of CRC algorithms give it.
    assert fcs16(b"123456789") == bytes.fromhex("6e 90")


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 128, 2041])
def test_against_the_definition(length: int) -> None:
    data = Random(length).randbytes(length)
    assert fcs16(data) == _bit_by_bit(data).to_bytes(2, "little")
    assert is_good(data + fcs16(data))


@each(vectors("hdlc"))
def test_real_frames(vector: Vector) -> None:
    assert is_good(vector.octets[1:-1])


def test_every_single_and_double_bit_error_is_found() -> None:
    data = bytes.fromhex("a0190321107fda")
    frame = data + fcs16(data)
    bits = len(frame) * 8
    number = int.from_bytes(frame)
    for first in range(bits):
        for second in range(first, bits):
            damaged = number ^ (1 << first | 1 << second)
            assert not is_good(damaged.to_bytes(len(frame)))


def test_a_good_header_check_needs_no_care() -> None:
    header = bytes.fromhex("a019032110")
    with_check = header + fcs16(header)
    frame = with_check + b"information"
    assert is_good(with_check)
    assert is_good(frame + fcs16(frame))
    assert not is_good(b"")


def test_both_checks_at_once_are_each_check_on_its_own() -> None:
    header = bytes.fromhex("a019032110")
    header += fcs16(header)
    frame = header + b"information"
    frame += fcs16(frame)
    for place in range(len(frame)):
        damaged = bytearray(frame)
        damaged[place] ^= 1
        # The frame's check made good again, whatever the header's is.
        mended = bytes(damaged[:-2]) + fcs16(bytes(damaged[:-2]))
        for data in (frame, bytes(damaged), mended):
            both = is_good(data[: len(header)]) and is_good(data)
            assert are_good(data, len(header)) == both
