"""Object lists: four real ones, every way rights are written, and lists that are broken."""

from contextlib import suppress
import json

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import decode_data, encode_data
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.object_list import (
    AccessMode,
    CosemObject,
    decode_object_list,
)
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import Vector, check_damage, damaged, each, vectors

READ, WRITE = AccessMode.READ, AccessMode.WRITE
AUTHENTICATED = AccessMode.AUTHENTICATED_REQUEST
ENERGY = Obis.parse("1-0:1.8.0*255")
ASSOCIATION = Obis.parse("0-0:40.0.0*255")
NULL = Data(DataType.NULL_DATA, None)


def structure(*elements: Data) -> Data:
    return Data(DataType.STRUCTURE, elements)


def array(*elements: Data) -> Data:
    return Data(DataType.ARRAY, elements)


def number(value: int, data_type: DataType = DataType.LONG_UNSIGNED) -> Data:
    return Data(data_type, value)


def octets(value: bytes) -> Data:
    return Data(DataType.OCTET_STRING, value)


def right(index: int, mode: int, *selectors: Data) -> Data:
    return structure(
        number(index, DataType.INTEGER), number(mode, DataType.ENUM), *selectors
    )


def entry(
    class_id: int,
    version: int,
    name: bytes,
    attributes: Data = NULL,
    methods: Data = NULL,
) -> Data:
    head = number(class_id), number(version, DataType.UNSIGNED), octets(name)
    return structure(*head, structure(attributes, methods))


OLD_ASSOCIATION = entry(15, 2, ASSOCIATION)
NEW_ASSOCIATION = entry(15, 3, ASSOCIATION)
ONLY_NAMED = CosemObject(class_id=3, version=0, logical_name=ENERGY)


@each(vectors(layer="object-list"))
def test_real_lists(vector: Vector) -> None:
    objects = decode_object_list(vector.octets)
    found = [
        {
            "class_id": item.class_id,
            "version": item.version,
            "obis": str(item.logical_name).replace("*", "."),
            "attributes": [
                [index, int(mode)] for index, mode in item.attribute_access.items()
            ],
            "methods": [
                [index, int(mode)] for index, mode in item.method_access.items()
            ],
        }
        for item in objects
    ]
    assert found == vector.decoded["objects"]
    assert len(objects) == vector.decoded["count"]


@each(vectors(layer="object-list"))
def test_storage_keeps_all_of_it(vector: Vector) -> None:
    objects = decode_object_list(decode_data(vector.octets))
    stored = json.loads(json.dumps([item.to_storage() for item in objects]))
    assert tuple(map(CosemObject.from_storage, stored)) == objects


@each(vectors(layer="object-list"))
def test_damaged_lists_are_read_or_refused(vector: Vector) -> None:
    check_damage(vector.octets, decode_object_list, count=50)


def by_way_of_data(octets: bytes) -> tuple[CosemObject, ...] | None:
    with suppress(DecodeError):
        return decode_object_list(decode_data(octets))
    return None


def from_octets(octets: bytes) -> tuple[CosemObject, ...] | None:
    with suppress(DecodeError):
        return decode_object_list(octets)
    return None


@each(vectors(layer="object-list"))
def test_octets_are_read_as_their_data_is(vector: Vector) -> None:
    for octets in (vector.octets, *damaged(vector.octets, seed=2, count=100)):
        assert from_octets(octets) == by_way_of_data(octets)


def test_rights_in_more_ways_than_are_remembered() -> None:
    entries = [
        entry(3, 0, ENERGY, array(right(2, number % 4, *[NULL] * (number % 13))))
        for number in range(60)
    ]
    octets = encode_data(array(*entries))
    objects = decode_object_list(octets)
    assert objects == decode_object_list(decode_data(octets))
    assert [item.attribute_access[2] for item in objects[:4]] == [0, 1, 2, 3]


def test_a_real_meter_hides_energy_from_the_public() -> None:
    (vector,) = (v for v in vectors(layer="object-list") if "M203" in v.name)
    objects = {item.logical_name: item for item in decode_object_list(vector.octets)}
    assert objects[Obis.parse("1-0:32.7.0*255")].readable(2)
    assert not objects[ENERGY].readable(2)
    assert objects[ENERGY].readable(3)


@pytest.mark.parametrize(
    ("association", "mode", "attribute", "method"),
    [
        (OLD_ASSOCIATION, 0, AccessMode.NONE, AccessMode.NONE),
        (OLD_ASSOCIATION, 1, READ, READ),
        (OLD_ASSOCIATION, 2, WRITE, READ | AUTHENTICATED),
        (OLD_ASSOCIATION, 3, READ | WRITE, None),
        (OLD_ASSOCIATION, 4, READ | AUTHENTICATED, None),
        (OLD_ASSOCIATION, 5, WRITE | AUTHENTICATED, None),
        (OLD_ASSOCIATION, 6, READ | WRITE | AUTHENTICATED, None),
        (OLD_ASSOCIATION, 7, None, None),
        (NEW_ASSOCIATION, 1, READ, READ),
        (NEW_ASSOCIATION, 0x05, READ | AUTHENTICATED, READ | AUTHENTICATED),
        (NEW_ASSOCIATION, 0x4B, AccessMode(0x4B), AccessMode(0x4B)),
        (entry(15, 3, Obis.parse("0-0:40.0.1*255")), 5, WRITE | AUTHENTICATED, None),
    ],
)
def test_access_modes(
    association: Data,
    mode: int,
    attribute: AccessMode | None,
    method: AccessMode | None,
) -> None:
    """The version of the current association says how modes are written, wherever it stands in the list."""
    rights = array(right(2, mode, NULL))
    methods = array(right(1, mode))
    found, _ = decode_object_list(
        array(entry(3, 0, ENERGY, rights, methods), association)
    )
    assert found.attribute_access == ({} if attribute is None else {2: attribute})
    assert found.method_access == ({} if method is None else {1: method})


def test_methods_of_the_first_version_are_booleans() -> None:
    methods = array(
        *(structure(number(i), Data(DataType.BOOLEAN, bool(i))) for i in (0, 1))
    )
    (found,) = decode_object_list(array(entry(15, 0, ASSOCIATION, array(), methods)))
    assert [found.invocable(index) for index in (0, 1, 2)] == [False, True, False]


def test_rights_are_a_hint() -> None:
    rights = array(right(1, 1, NULL), right(2, 0, NULL), right(3, 3, NULL))
    (found,) = decode_object_list(array(entry(3, 0, ENERGY, rights)))
    assert [found.readable(index) for index in (1, 2, 3, 4)] == [
        True,
        False,
        True,
        True,
    ]
    assert [found.writable(index) for index in (1, 2, 3, 4)] == [
        False,
        False,
        True,
        False,
    ]
    assert ONLY_NAMED.readable(2)


@pytest.mark.parametrize(
    "rights",
    [
        (),
        (NULL,),
        (structure(),),
        (structure(NULL),),
        (structure(NULL, NULL),),
        (structure(array(), array(), array()),),
        (structure(number(1), octets(b"rights")),),
        (
            structure(
                array(NULL, structure(), right(1, 9)), array(structure(number(1)))
            ),
        ),
        (structure(array(structure(octets(b"1"), number(1))), array(right(1, -1))),),
        (array(), array()),
    ],
)
def test_broken_rights_count_as_not_said(rights: tuple[Data, ...]) -> None:
    broken = structure(number(3), number(0, DataType.UNSIGNED), octets(ENERGY), *rights)
    assert decode_object_list(array(broken)) == (ONLY_NAMED,)


@pytest.mark.parametrize(
    "stranger",
    [
        NULL,
        structure(),
        structure(number(3), number(0)),
        structure(octets(b"\x00\x03"), number(0), octets(ENERGY)),
        structure(
            number(3), number(0), octets(ENERGY[:5]), structure(array(), array())
        ),
        array(number(3), number(0), number(0)),
    ],
)
def test_entries_that_name_no_object_are_left_out(stranger: Data) -> None:
    assert decode_object_list(array(stranger, entry(3, 0, ENERGY))) == (ONLY_NAMED,)
    with pytest.raises(DecodeError, match="without a single object"):
        decode_object_list(array(stranger))


@pytest.mark.parametrize("data", [NULL, structure(), octets(b""), number(7)])
def test_only_an_array_is_a_list(data: Data) -> None:
    with pytest.raises(DecodeError, match="an object list is an array"):
        decode_object_list(encode_data(data))


def test_short_names_are_sent_signed() -> None:
    """The standard has a long for what is counted from 0 to FFFF."""
    sent = structure(
        number(-0x0600, DataType.LONG),
        number(12),
        number(2, DataType.UNSIGNED),
        octets(ASSOCIATION),
    )
    (item,) = decode_object_list(array(sent))
    assert (item.class_id, item.version, item.base_name) == (12, 2, 0xFA00)


def test_storage_of_a_short_name() -> None:
    item = CosemObject(class_id=3, version=0, logical_name=ENERGY, base_name=0x2A00)
    assert CosemObject.from_storage(item.to_storage()) == item
    assert len({item, ONLY_NAMED}) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"logical_name": "energy"},
        {"logical_name": None},
        {"class_id": "three"},
        {"attributes": [[1]]},
        {"attributes": None},
        {"methods": {"1": 1}},
    ],
)
def test_other_storage_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(DecodeError):
        CosemObject.from_storage(ONLY_NAMED.to_storage() | change)
    with pytest.raises(DecodeError):
        CosemObject.from_storage({})


def test_any_number_of_rights() -> None:
    """They are read in slices, so that a list that never ends holds nothing up."""
    rights = array(*[right(index % 100, 1) for index in range(2500)])
    [found] = decode_object_list(array(entry(3, 0, ENERGY, rights)))
    assert found.readable(99)
