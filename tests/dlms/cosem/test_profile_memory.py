"""What is known of a profile survives storage as JSON."""

import json
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.cosem.capture_objects import CaptureObject
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.profile_memory import ProfileMemory, Way
from custom_components.dlms_meter.dlms.errors import DecodeError

CLOCK = CaptureObject(8, Obis.parse("0-0:1.0.0"), 2)
UNIX = CaptureObject(1, Obis.parse("0-0:1.1.0"), 2)
ENERGY = CaptureObject(3, Obis.parse("1-0:1.8.0"), 2)
KNOWN = ProfileMemory(
    capture_objects=(ENERGY, CLOCK),
    capture_period=900,
    sort_method=1,
    sort_object=CLOCK,
    works={Way.RANGE: False, Way.RANGE_TAGGED_LOCAL: True, Way.ENTRY: True},
    selects_columns=True,
    newest_first=False,
)


@pytest.mark.parametrize("memory", [ProfileMemory(), KNOWN])
def test_survives_storage(memory: ProfileMemory) -> None:
    stored = json.loads(json.dumps(memory.to_storage()))
    assert ProfileMemory.from_storage(stored) == memory


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("capture_objects", 5), ("capture_objects", [[1]]), ("capture_period", "x"), ("capture_period", None),
        ("sort_object", 3), ("works", {"guess": True}), ("works", None),
    ],
)  # fmt: skip
def test_storage_of_something_else(key: str, value: Any) -> None:  # noqa: ANN401  JSON may be anything
    with pytest.raises(DecodeError):
        ProfileMemory.from_storage(KNOWN.to_storage() | {key: value})
    with pytest.raises(DecodeError):
        ProfileMemory.from_storage({})


@pytest.mark.parametrize(
    ("columns", "sort_object", "time"),
    [
        ((ENERGY, CLOCK), None, CLOCK),
        ((ENERGY, CLOCK, UNIX), UNIX, UNIX),
        ((ENERGY, UNIX, CLOCK), ENERGY, UNIX),
        ((ENERGY, CLOCK), UNIX, CLOCK),  # sorted by what it does not capture
        ((ENERGY,), None, None),
    ],
)
def test_the_column_that_tells_the_time(
    columns: tuple[CaptureObject, ...],
    sort_object: CaptureObject | None,
    time: CaptureObject | None,
) -> None:
    memory = ProfileMemory(capture_objects=columns, sort_object=sort_object)
    assert memory.time_column == time
