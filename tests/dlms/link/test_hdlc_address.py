"""HDLC addresses of one, two and four octets."""

from collections.abc import Iterator

import pytest

from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from custom_components.dlms_meter.dlms.link.hdlc_address import (
    HdlcAddress,
    address_length,
)
from tests.harness import Json, check_codec, vectors

CASES = [
    (HdlcAddress.client(16), "21", "16"),
    (HdlcAddress(127), "ff", "127"),
    (HdlcAddress(1, 17, 2), "0223", "1/17"),
    (HdlcAddress(1, 0, 2), "0201", "1/0"),
    (HdlcAddress(1, 17, 4), "00020023", "1/17"),
    (HdlcAddress(1, 0x3FFE, 4), "0002fefd", "1/16382"),
    (HdlcAddress(0x3FFF, 0x3FFF, 4), "fefefeff", "16383/16383"),
    (HdlcAddress(1, 10326, 4), "0002a0ad", "1/10326"),
]


@pytest.mark.parametrize(("address", "octets", "text"), CASES)
def test_codec(address: HdlcAddress, octets: str, text: str) -> None:
    check_codec(address, bytes.fromhex(octets), HdlcAddress.decode, HdlcAddress.encode)
    assert str(address) == text


def test_addresses_of_all_frames_on_record() -> None:
    seen = {
        (end["size"], end["logical"], end["physical"], encoded)
        for vector in vectors("hdlc")
        for end, encoded in _ends(vector.octets, vector.decoded)
    }
    assert {size for size, *_ in seen} == {1, 2, 4}
    for size, logical, physical, encoded in seen:
        address = HdlcAddress(logical, physical, size)
        assert address.encode() == encoded
        assert HdlcAddress.decode(encoded) == address


def _ends(octets: bytes, decoded: Json) -> Iterator[tuple[Json, bytes]]:
    middle = 3 + decoded["dst"]["size"]
    yield decoded["dst"], octets[3:middle]
    yield decoded["src"], octets[middle : middle + decoded["src"]["size"]]


@pytest.mark.parametrize(
    "octets", ["", "02", "020002", "000203", "00020002", "0002000201", "2121"]
)
def test_what_is_no_address(octets: str) -> None:
    with pytest.raises(DecodeError, match="not one HDLC address"):
        HdlcAddress.decode(bytes.fromhex(octets))


def test_address_length_stays_within_its_bounds() -> None:
    assert address_length(bytes.fromhex("00020023"), 0, 4) == 4
    assert address_length(bytes.fromhex("00020023"), 0, 3) == 0
    assert address_length(bytes.fromhex("0002002221"), 0, 5) == 0
    assert address_length(bytes.fromhex("000221"), 0, 3) == 0


@pytest.mark.parametrize(
    ("logical", "physical", "length", "expected"),
    [
        (1, None, None, HdlcAddress(1)),
        (1, 17, None, HdlcAddress(1, 17, 2)),
        (1, 128, None, HdlcAddress(1, 128, 4)),
        (128, 1, None, HdlcAddress(128, 1, 4)),
        (1, 17, 4, HdlcAddress(1, 17, 4)),
    ],
)
def test_the_shortest_server_address_unless_told(
    logical: int, physical: int | None, length: int | None, expected: HdlcAddress
) -> None:
    assert HdlcAddress.server(logical, physical, length) == expected


@pytest.mark.parametrize(
    ("logical", "physical", "length", "message"),
    [
        (1, 1, 3, "1, 2 or 4 octets"),
        (1, None, 2, "needs it"),
        (1, 1, 1, "no physical device"),
        (128, None, 1, "does not fit"),
        (1, 128, 2, "does not fit"),
        (1, 16384, 4, "does not fit"),
        (-1, None, 1, "does not fit"),
        (1, -1, 2, "does not fit"),
    ],
)
def test_impossible_addresses(
    logical: int, physical: int | None, length: int, message: str
) -> None:
    with pytest.raises(LocalProtocolError, match=message):
        HdlcAddress(logical, physical, length)


@pytest.mark.parametrize(
    ("server", "source", "answers"),
    [
        (HdlcAddress(1), HdlcAddress(1), True),
        (HdlcAddress(1), HdlcAddress(2), False),
        (HdlcAddress(1), HdlcAddress(1, 17, 2), False),
        (HdlcAddress(1, 17, 4), HdlcAddress(1, 17, 2), True),
        (HdlcAddress(1, 17, 4), HdlcAddress(1, 18, 4), False),
        (HdlcAddress(1, 0x3FFF, 4), HdlcAddress(1, 18, 4), True),
        (HdlcAddress(1, 0x3FFE, 4), HdlcAddress(2, 18, 4), False),
        (HdlcAddress(1, 0x7E, 2), HdlcAddress(1, 18, 2), True),
        (HdlcAddress(1, 0x7E, 4), HdlcAddress(1, 18, 4), False),
    ],
)
def test_who_answers(server: HdlcAddress, source: HdlcAddress, answers: bool) -> None:
    assert server.is_answered_by(source) is answers
