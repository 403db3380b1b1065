"""COSEM data as JSON and back, for actions."""

from typing import Any

import pytest

from custom_components.dlms_meter.dlms import (
    Data,
    DataType,
    decode_data,
    encode_data,
)
from custom_components.dlms_meter.typed_data import (
    InvalidData,
    from_json,
    to_json,
)

CASES: dict[str, tuple[Any, str]] = {
    "null_data": (None, "00"),
    "boolean": (True, "0301"),
    "bit_string": ("101", "0403a0"),
    "double_long": (-5, "05fffffffb"),
    "double_long_unsigned": (5, "0600000005"),
    "octet_string": ("0aff", "09020aff"),
    "visible_string": ("abc", "0a03616263"),
    "utf8_string": ("ü", "0c02c3bc"),
    "bcd": (18, "0d12"),
    "integer": (-1, "0fff"),
    "long": (-1, "10ffff"),
    "unsigned": (1, "1101"),
    "long_unsigned": (230, "1200e6"),
    "long64": (-1, "14ffffffffffffffff"),
    "long64_unsigned": (1, "150000000000000001"),
    "enum": (4, "1604"),
    "float32": (0.5, "173f000000"),
    "float64": (0.5, "183fe0000000000000"),
    "date_time": ("07ea0b14050d001e00ffc400", "1907ea0b14050d001e00ffc400"),
    "array": ([{"type": "unsigned", "value": 7}], "01011107"),
    "structure": ([], "0200"),
}


@pytest.mark.parametrize("name", CASES)
def test_types(name: str) -> None:
    value, octets = CASES[name]
    typed = {"type": name, "value": value}
    assert encode_data(from_json(typed)).hex() == octets
    assert to_json(decode_data(bytes.fromhex(octets))) == typed


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (None, "data must have a type and a value"),
        ({"value": 5}, "data must have a type and a value"),
        ({"type": "word", "value": 5}, "word is no type"),
        ({"type": "compact_array", "value": []}, "compact_array is no type"),
        ({"type": "unsigned"}, "None is no unsigned"),
        ({"type": "unsigned", "value": True}, "True is no unsigned"),
        ({"type": "unsigned", "value": 1.5}, "1.5 is no unsigned"),
        ({"type": "unsigned", "value": 256}, "256 is no unsigned"),
        ({"type": "boolean", "value": 1}, "1 is no boolean"),
        ({"type": "octet_string", "value": "0"}, "'0' is no octet_string"),
        ({"type": "octet_string", "value": 5}, "5 is no octet_string"),
        ({"type": "bit_string", "value": "12"}, "'12' is no bit_string"),
        ({"type": "bit_string", "value": "-1000000"}, "is no bit_string"),
        ({"type": "bit_string", "value": "1_1"}, "'1_1' is no bit_string"),
        ({"type": "float64", "value": 10**400}, "is no float64"),
        ({"type": "null_data", "value": 0}, "0 is no null_data"),
        ({"type": "array", "value": 5}, "a array needs a list"),
        ({"type": "array", "value": [{"type": "enum", "value": "x"}]}, "data[0]: 'x' is no enum"),
    ],
)  # fmt: skip
def test_what_is_no_data(typed: object, says: str) -> None:
    with pytest.raises(InvalidData) as caught:
        from_json(typed)
    assert says in str(caught.value)


def test_lists_within_lists_have_an_end() -> None:
    typed: dict[str, Any] = {"type": "unsigned", "value": 1}
    for _ in range(40):
        typed = {"type": "array", "value": [typed]}
    with pytest.raises(InvalidData):
        from_json(typed)


def test_elements_of_a_compact_array() -> None:
    compact = Data(
        DataType.COMPACT_ARRAY, decode_data(bytes.fromhex("1311020102")).value
    )
    assert to_json(compact)["value"] == [
        {"type": "unsigned", "value": 1},
        {"type": "unsigned", "value": 2},
    ]
