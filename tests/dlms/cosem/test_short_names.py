"""Where attributes and methods are in short name referencing."""

import pytest

from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
)
from custom_components.dlms_meter.dlms.cosem.interface_classes import INTERFACE_CLASSES
from custom_components.dlms_meter.dlms.cosem.meter_memory import ShortName
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.object_list import CosemObject
from custom_components.dlms_meter.dlms.cosem.short_names import (
    RESERVED_NAMES,
    attribute_name,
    method_name,
    names_of,
)

PROFILE = Obis.parse("1-0:99.1.0")
ASSOCIATION = Obis.parse("0-0:40.0.0")
HERE = Obis.parse("0-0:1.0.0")


def test_only_objects_with_a_base_name_have_a_short_name() -> None:
    def item(class_id: int, base_name: int | None) -> CosemObject:
        return CosemObject(
            class_id=class_id, version=1, logical_name=HERE, base_name=base_name
        )

    assert names_of([item(1, 0x100), item(3, None)]) == {(1, HERE): ShortName(0x100, 1)}


@pytest.mark.parametrize(
    ("attribute_id", "name"),
    [(1, 0x60E0), (2, 0x60E8), (4, 0x60F8), (5, 0x6100), (6, 0x6108)],
)
def test_attributes_of_a_recorded_profile(attribute_id: int, name: int) -> None:
    """As its reader asked for them: capture_period at 60F8, sort_method at 6100, sort_object at 6108."""
    names = {(7, PROFILE): ShortName(0x60E0, 1)}
    attribute = AttributeDescriptor(7, PROFILE, attribute_id)
    assert attribute_name(names, attribute) == name


def test_names_go_round_after_16_bits() -> None:
    names = {(7, PROFILE): ShortName(0xFFF8, 1)}
    assert attribute_name(names, AttributeDescriptor(7, PROFILE, 2)) == 0


@pytest.mark.parametrize("attribute_id", [0, -1])
def test_no_such_attribute(attribute_id: int) -> None:
    names = {(7, PROFILE): ShortName(0x60E0, 1)}
    assert attribute_name(names, AttributeDescriptor(7, PROFILE, attribute_id)) is None


def test_unknown_object() -> None:
    assert attribute_name({}, AttributeDescriptor(7, PROFILE, 2)) is None
    assert method_name({}, MethodDescriptor(7, PROFILE, 1)) is None


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "name"),
    [
        (12, 2, 0xFA08), (12, 3, 0xFA10), (15, 1, 0xFA00), (15, 2, 0xFA08),
        (15, 3, None), (15, 8, None), (15, 9, 0xFA18), (15, 10, 0xFA20), (15, 11, 0xFA28),
    ],
)  # fmt: skip
def test_attributes_of_the_association(
    class_id: int, attribute_id: int, name: int | None
) -> None:
    attribute = AttributeDescriptor(class_id, ASSOCIATION, attribute_id)
    assert attribute_name({}, attribute) == name


@pytest.mark.parametrize(
    ("class_id", "method_id", "name"),
    [
        (12, 1, 0xFA20), (12, 3, 0xFA30), (12, 8, 0xFA58), (12, 0, None),
        (15, 1, 0xFA58), (15, 2, 0xFA48), (15, 3, None), (15, 5, 0xFA60), (15, 6, 0xFA68),
    ],
)  # fmt: skip
def test_methods_of_the_association(
    class_id: int, method_id: int, name: int | None
) -> None:
    """reply_to_HLS_authentication is at FA58, whichever association it is called of; the HLS secret, not the LLS one, is changed at FA48."""
    assert method_name({}, MethodDescriptor(class_id, ASSOCIATION, method_id)) == name


def test_names_that_are_the_same_in_every_meter() -> None:
    """SAP assignment at FC00, logical device name at FD00."""
    sap_assignment = AttributeDescriptor(17, Obis.parse("0-0:41.0.0"), 2)
    device_name = AttributeDescriptor(1, Obis.parse("0-0:42.0.0"), 2)
    assert attribute_name(RESERVED_NAMES, sap_assignment) == 0xFC08
    assert attribute_name(RESERVED_NAMES, device_name) == 0xFD08


@pytest.mark.parametrize(
    ("class_id", "version", "offset"),
    [
        (3, 0, 0x28), (4, 0, 0x38), (5, 0, 0x48), (7, 1, 0x58), (8, 0, 0x60), (9, 0, 0x20), (40, 0, 0x38), (70, 0, 0x20),
        (64, 0, 0x28), (64, 1, 0x30), (64, 2, 0x30), (72, 0, 0x60), (72, 1, 0x70),
        (6, 0, 0x30), (10, 0, 0x20), (11, 0, 0x10), (17, 0, 0x20), (18, 0, 0x40), (20, 0, 0x50),
    ],
)  # fmt: skip
def test_methods(class_id: int, version: int, offset: int) -> None:
    names = {(class_id, HERE): ShortName(0x1000, version)}
    first = MethodDescriptor(class_id, HERE, 1)
    assert method_name(names, first) == 0x1000 + offset
    assert method_name(names, first._replace(method_id=3)) == 0x1000 + offset + 16


@pytest.mark.parametrize("class_id", INTERFACE_CLASSES)
def test_no_method_is_where_an_attribute_is(class_id: int) -> None:
    """A call would be taken for a value to be written. Two obsolete methods of the association are where it now has users."""
    row, newest = INTERFACE_CLASSES[class_id], ShortName(0x1000, 99)
    names = {(class_id, HERE): newest}
    attributes = {
        attribute_name(names, AttributeDescriptor(class_id, HERE, number))
        for number in range(1, len(row.attributes) + 1)
    }
    methods = {
        number: method_name(names, MethodDescriptor(class_id, HERE, number))
        for number in range(1, len(row.methods) + 1)
    }
    obsolete = (1, 2) if class_id == 12 else ()
    for number, name in methods.items():
        assert name is None or (name in attributes) is (number in obsolete)


@pytest.mark.parametrize("version", [1, 2])
def test_pushing_is_where_nobody_knows_once_the_class_has_grown(version: int) -> None:
    """Where version 0 has it, these have their port_reference."""
    names = {(40, HERE): ShortName(0x1000, version)}
    assert attribute_name(names, AttributeDescriptor(40, HERE, 8)) == 0x1038
    assert method_name(names, MethodDescriptor(40, HERE, 1)) is None


@pytest.mark.parametrize("class_id", [1, 4711])
def test_methods_nobody_knows_the_place_of(class_id: int) -> None:
    names = {(class_id, HERE): ShortName(0x1000, 0)}
    assert method_name(names, MethodDescriptor(class_id, HERE, 1)) is None
