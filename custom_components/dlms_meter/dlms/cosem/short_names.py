"""Where attributes and methods are in short name referencing (DLMS UA Blue Book and Green Book, short names).

Attribute n of an object is 8 * (n - 1) after its base name. Where its methods begin depends on the class, and where a
class has grown, on its version. A few objects have the same base name in every meter.
"""

from collections.abc import Iterable, Mapping

from .descriptors import AttributeDescriptor, MethodDescriptor
from .interface_classes import INTERFACE_CLASSES
from .meter_memory import ShortName
from .obis import Obis
from .object_list import CosemObject

OBJECT_LIST_NAME = 0xFA08

type ShortNames = Mapping[tuple[int, Obis], ShortName]

RESERVED_NAMES: ShortNames = {
    (17, Obis.parse("0-0:41.0.0*255")): ShortName(0xFC00, 0),
    (1, Obis.parse("0-0:42.0.0*255")): ShortName(0xFD00, 0),
}
"""SAP assignment and logical device name: the standard says where, which most meters heed."""

_ASSOCIATION_LN = 15
_ASSOCIATION_SN = 12
_CURRENT_ASSOCIATION = Obis.parse("0-0:40.0.0*255")
_ASSOCIATION_NAME = ShortName(0xFA00, 0)

# A meter with short names has an Association SN where others have an Association LN: what is the same in both.
_ASSOCIATION_ATTRIBUTES = {1: 1, 2: 2, 9: 4, 10: 5, 11: 6}
_ASSOCIATION_METHODS = {1: 8, 2: 6, 5: 9, 6: 10}

# Offset of method 1 by version of the class; later versions have the last. Security setup and M-Bus client have got
# one and two attributes more (as jDLMS and pydlms-client have it; Gurux knows the later Security setup only). Push setup
# has got attributes where its methods were, and nobody tells where those went.
_OFFSETS_BY_VERSION = {40: (0x38, None), 64: (0x28, 0x30), 72: (0x60, 0x70)}


def names_of(objects: Iterable[CosemObject]) -> dict[tuple[int, Obis], ShortName]:
    """Return the short names of objects, as far as they have any."""
    return {
        (item.class_id, item.logical_name): ShortName(item.base_name, item.version)
        for item in objects
        if item.base_name is not None
    }


def attribute_name(names: ShortNames, attribute: AttributeDescriptor) -> int | None:
    """Return the short name of an attribute; None if `names` has not the object, or there cannot be such an attribute."""
    class_id, logical_name, attribute_id = attribute
    if logical_name == _CURRENT_ASSOCIATION and class_id == _ASSOCIATION_LN:
        class_id = _ASSOCIATION_SN
        attribute_id = _ASSOCIATION_ATTRIBUTES.get(attribute_id, 0)
    found = _find(names, class_id, logical_name)
    if found is None or attribute_id < 1:
        return None
    return found.base_name + 8 * (attribute_id - 1) & 0xFFFF


def method_name(names: ShortNames, method: MethodDescriptor) -> int | None:
    """Return the short name of a method; None if `names` has not the object, or nobody knows where it has its methods."""
    class_id, logical_name, method_id = method
    if logical_name == _CURRENT_ASSOCIATION and class_id == _ASSOCIATION_LN:
        class_id = _ASSOCIATION_SN
        method_id = _ASSOCIATION_METHODS.get(method_id, 0)
    found = _find(names, class_id, logical_name)
    if found is None or method_id < 1:
        return None
    offset = _first_method_offset(class_id, found.version)
    return (
        None
        if offset is None
        else found.base_name + offset + 8 * (method_id - 1) & 0xFFFF
    )


def _find(names: ShortNames, class_id: int, logical_name: Obis) -> ShortName | None:
    if class_id == _ASSOCIATION_SN and logical_name == _CURRENT_ASSOCIATION:
        return _ASSOCIATION_NAME
    return names.get((class_id, logical_name))


def _first_method_offset(class_id: int, version: int) -> int | None:
    by_version = _OFFSETS_BY_VERSION.get(class_id)
    if by_version is not None:
        return by_version[min(version, len(by_version) - 1)]
    row = INTERFACE_CLASSES.get(class_id)
    return None if row is None else row.first_method_offset
