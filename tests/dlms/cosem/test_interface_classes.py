"""Interface classes: the numbers of attributes and methods are the standard's."""

import pytest

from custom_components.dlms_meter.dlms.cosem.interface_classes import INTERFACE_CLASSES
from tests.harness import Vector, each, vectors


def test_every_row_is_whole() -> None:
    assert len(INTERFACE_CLASSES) == 94
    for class_id, row in INTERFACE_CLASSES.items():
        assert row.class_id == class_id
        assert row.name
        assert row.attributes[0] == "logical_name"
        assert len(set(row.attributes)) == len(row.attributes)
        assert len(set(row.methods)) == len(row.methods)


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "name"),
    [
        (1, 2, "value"),
        (3, 3, "scaler_unit"),
        (4, 5, "capture_time"),
        (5, 4, "scaler_unit"),
        (7, 8, "profile_entries"),
        (8, 9, "clock_base"),
        (15, 8, "association_status"),
        (23, 9, "device_address"),
        (70, 3, "control_state"),
        (72, 9, "device_type"),
    ],
)
def test_attributes(class_id: int, attribute_id: int, name: str) -> None:
    assert INTERFACE_CLASSES[class_id].attributes[attribute_id - 1] == name


@pytest.mark.parametrize(
    ("class_id", "method_id", "name", "offset"),
    [
        (3, 1, "reset", 0x28),
        (7, 2, "capture", 0x58),
        (8, 6, "shift_time", 0x60),
        (12, 8, "reply_to_HLS_authentication", 0x20),
        (15, 1, "reply_to_HLS_authentication", 0x60),
        (70, 2, "remote_reconnect", 0x20),
        (64, 2, "key_transfer", None),
    ],
)
def test_methods(class_id: int, method_id: int, name: str, offset: int | None) -> None:
    row = INTERFACE_CLASSES[class_id]
    assert row.methods[method_id - 1] == name
    assert row.first_method_offset == offset


@each(vectors(layer="object-list"))
def test_meters_list_no_more_attributes_than_there_are(vector: Vector) -> None:
    for entry in vector.decoded["objects"]:
        if row := INTERFACE_CLASSES.get(entry["class_id"]):
            assert max(index for index, _ in entry["attributes"]) <= len(row.attributes)
            assert max((index for index, _ in entry["methods"]), default=0) <= len(
                row.methods
            )
