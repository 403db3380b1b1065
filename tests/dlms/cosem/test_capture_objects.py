"""Capture objects and selective access, against captured requests and answers."""

import json

import pytest

from custom_components.dlms_meter.dlms.application.get import GetRequestNormal
from custom_components.dlms_meter.dlms.codec.axdr import decode_data
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.capture_objects import (
    CaptureObject,
    decode_capture_objects,
)
from custom_components.dlms_meter.dlms.cosem.clock import CLOCK
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.selective_access import (
    EntryDescriptor,
    RangeDescriptor,
)
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import vectors

CLOCK_COLUMN = CaptureObject(*CLOCK)
ENERGY = CaptureObject(3, Obis.parse("1-0:1.8.0"), 2)


def octet_string(octets: str) -> Data:
    return Data(DataType.OCTET_STRING, bytes.fromhex(octets))


RANGES = {
    "v0231": ("07e10a010700000000ffc480", "07e10a010701000000ffc480"),
    "v0248": ("07e90a01ff00000000800000", "07e90a02ff00000000800000"),
}
ENTRIES = {"v0250": EntryDescriptor(1, 10)}


@pytest.mark.parametrize("number", [*RANGES, *ENTRIES])
def test_requests(number: str) -> None:
    (vector,) = [row for row in vectors("apdu", "ln-get") if row.id == number]
    request = GetRequestNormal.decode(Reader(vector.octets))
    if number in RANGES:
        since, until = (octet_string(end) for end in RANGES[number])
        assert request.access == RangeDescriptor(CLOCK_COLUMN, since, until).access
    else:
        assert request.access == ENTRIES[number].access


def test_range_of_chosen_columns() -> None:
    ends = (
        octet_string("07e90a01ff00000000800000"),
        octet_string("07e90a02ff00000000800000"),
    )
    access = RangeDescriptor(CLOCK_COLUMN, *ends, (CLOCK_COLUMN, ENERGY)).access
    assert isinstance(access.parameters.value, tuple)
    assert access.parameters.value[3] == Data(
        DataType.ARRAY, (CLOCK_COLUMN.encode(), ENERGY.encode())
    )


def test_entries_and_columns() -> None:
    access = EntryDescriptor(3, 0, 2, 4).access
    assert access.selector == 2
    assert access.parameters == decode_data(
        bytes.fromhex("0204 0600000003 0600000000 120002 120004")
    )


OWN = CaptureObject(3, Obis.parse("1-0:1.8.0"), -18, 1)


@pytest.mark.parametrize("column", [CLOCK_COLUMN, ENERGY, OWN])
def test_there_and_back(column: CaptureObject) -> None:
    assert CaptureObject.decode(column.encode()) == column
    stored = json.loads(json.dumps(column.to_storage()))
    assert CaptureObject.from_storage(stored) == column


def test_printed() -> None:
    assert str(ENERGY) == "3/1-0:1.8.0*255/2"
    assert str(OWN) == "3/1-0:1.8.0*255/-18/1"


@pytest.mark.parametrize(
    ("class_id", "name", "attribute_id", "tells_time"),
    [
        (8, "0-0:1.0.0", 2, True), (8, "0-1:1.0.0", 2, True), (8, "0-0:1.0.0", 4, False),
        (1, "0-0:1.1.0", 2, True), (1, "0-2:1.1.0", 2, True), (1, "0-0:1.2.0", 2, False),
        (3, "0-0:1.1.0", 2, False), (1, "1-0:1.1.0", 2, False),
    ],
)  # fmt: skip
def test_which_columns_tell_the_time(
    class_id: int, name: str, attribute_id: int, tells_time: bool
) -> None:
    column = CaptureObject(class_id, Obis.parse(name), attribute_id)
    assert column.is_time is tells_time


def test_a_list_of_them() -> None:
    columns = (CLOCK_COLUMN, ENERGY)
    data = Data(DataType.ARRAY, tuple(column.encode() for column in columns))
    assert decode_capture_objects(data) == columns
    assert decode_capture_objects(Data(DataType.ARRAY, ())) == ()


def test_more_than_four_elements() -> None:
    """Newer editions add a restriction."""
    value = ENERGY.encode().value
    assert isinstance(value, tuple)
    more = Data(DataType.STRUCTURE, (*value, Data(DataType.NULL_DATA, None)))
    assert CaptureObject.decode(more) == ENERGY


@pytest.mark.parametrize(
    "octets", ["00", "0200", "0204 1200 03 0906 0100010800ff 0f02 00", "0204 120003 0905 0100010800 0f02 120000", "0901 00"]
)  # fmt: skip
def test_no_capture_object(octets: str) -> None:
    with pytest.raises(DecodeError):
        CaptureObject.decode(decode_data(bytes.fromhex(octets)))


def test_no_list_of_them() -> None:
    with pytest.raises(DecodeError):
        decode_capture_objects(Data(DataType.NULL_DATA, None))


@pytest.mark.parametrize(
    "stored", [[], [3, "1-0:1.8.0", 2], [3, "x", 2, 0], [3, 1, 2, 0]]
)
def test_storage_of_something_else(stored: list[object]) -> None:
    with pytest.raises(DecodeError):
        CaptureObject.from_storage(stored)
