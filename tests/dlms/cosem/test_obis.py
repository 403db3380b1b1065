"""Logical names: six octets that print and read as people write them."""

import pytest

from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError

ENERGY = Obis(bytes.fromhex("0100010800ff"))


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("1-0:1.8.0*255", "0100010800ff"),
        ("1.0.1.8.0.255", "0100010800ff"),
        ("1.8.0", "0100010800ff"),
        ("1.8", "0100010800ff"),
        ("1-1:1.8.2", "0101010802ff"),
        ("0:96.1.0", "0100600100ff"),
        ("0-0:96.1.0.255", "0000600100ff"),
        ("0-0:98.1.0*126", "00006201007e"),
    ],
)
def test_written_forms(text: str, octets: str) -> None:
    assert Obis.parse(text) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "energy",
        "1-0:1.8.0*256",
        "1.2.3.4.5.6.7",
        "1-0:1.8.0*255 ",
        "1-0:1.8.٣",
        pytest.param("1.0.1.8.0." + "9" * 5000, id="endless"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        Obis.parse(text)


@pytest.mark.parametrize("length", [0, 5, 7])
def test_only_six_octets_are_a_name(length: int) -> None:
    with pytest.raises(DecodeError):
        Obis(bytes(length))


def test_value_groups_and_prints() -> None:
    name = Obis(bytes((1, 2, 3, 4, 5, 6)))
    assert (name.a, name.b, name.c, name.d, name.e, name.f) == (1, 2, 3, 4, 5, 6)
    assert str(name) == "1-2:3.4.5*6"
    assert repr(name) == "Obis('1-2:3.4.5*6')"
    assert Obis.parse(str(name)) == name
    assert len({name, bytes(name)}) == 1


def test_descriptors_print_as_paths() -> None:
    assert str(AttributeDescriptor(3, ENERGY, 2)) == "3/1-0:1.8.0*255/2"
    relay = Obis.parse("0-0:96.3.10*255")
    assert str(MethodDescriptor(70, relay, 1)) == "70/0-0:96.3.10*255/m1"
