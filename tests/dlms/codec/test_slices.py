"""Reading in slices against reading at once: the same values, the same refusals, and never much work at a time."""

from collections.abc import Iterator

import pytest

from custom_components.dlms_meter.dlms.codec import slices
from custom_components.dlms_meter.dlms.codec.axdr import Data, encode_data, read_data
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import DataType as T
from custom_components.dlms_meter.dlms.codec.slices import finish, read_data_in_slices
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import Vector, damaged, each, vectors
from tests.hostile import VALUES


@pytest.fixture(params=[1, 5, 40])
def small_slices(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make every value a long one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "OCTETS_AT_ONCE", request.param)
        yield


def at_once(octets: bytes) -> tuple[Data, int] | None:
    reader = Reader(octets)
    try:
        return read_data(reader), reader.offset
    except DecodeError:
        return None


def in_slices(octets: bytes) -> tuple[Data, int] | None:
    reader = Reader(octets)
    try:
        return finish(read_data_in_slices(reader)), reader.offset
    except DecodeError:
        return None


@pytest.mark.usefixtures("small_slices")
@each([*vectors("axdr"), *vectors("object-list")])
def test_the_same_is_found(vector: Vector) -> None:
    for octets in (
        vector.octets,
        vector.octets + b"\x00",
        *damaged(vector.octets, 3, 20),
    ):
        assert repr(in_slices(octets)) == repr(at_once(octets))


@pytest.mark.parametrize("name", VALUES)
def test_long_values(name: str) -> None:
    assert in_slices(VALUES[name]) == at_once(VALUES[name])
    assert in_slices(VALUES[name][:-1]) is None


def test_an_error_is_told_as_if_all_was_read_at_once() -> None:
    row = Data(T.STRUCTURE, (Data(T.OCTET_STRING, bytes(20)), Data(T.UNSIGNED, 1)))
    octets = bytearray(encode_data(Data(T.ARRAY, (row,) * 1000)))
    octets[20_001] = 0xEE  # where the tag of the last cell of a row was
    messages = []
    for read in (read_data, lambda reader: finish(read_data_in_slices(reader))):
        with pytest.raises(DecodeError) as caught:
            read(Reader(bytes(octets)))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_it_stops_after_every_few_kilobytes() -> None:
    octets = encode_data(Data(T.ARRAY, (Data(T.OCTET_STRING, bytes(98)),) * 1000))
    assert len(octets) > 100_000
    stops = sum(1 for _ in read_data_in_slices(Reader(octets)))
    assert 24 <= stops <= 26


def test_it_stays_within_its_reader() -> None:
    octets = encode_data(Data(T.ARRAY, (Data(T.UNSIGNED, 7),) * 4000))
    reader = Reader(b"\xff" + octets + b"\xff", 1, 1 + len(octets))
    assert finish(read_data_in_slices(reader)) == read_data(Reader(octets))
    assert not reader.remaining
    with pytest.raises(DecodeError, match=f"at octet {len(octets)}"):
        finish(read_data_in_slices(Reader(b"\xff" + octets + b"\xff", 1, len(octets))))


def test_long_array_within_a_long_element_of_a_compact_array() -> None:
    octets = bytes.fromhex("13 02 02 01 1388 11 11 82 1389") + bytes(5001)
    assert finish(read_data_in_slices(Reader(octets))) == read_data(Reader(octets))
