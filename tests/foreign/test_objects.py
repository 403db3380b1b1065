"""Interface classes as others know them: names, short names of methods, and what the octets of attributes mean."""

from enum import IntEnum
from functools import cache
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import decode_data
from custom_components.dlms_meter.dlms.codec.data import BitString
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime, DlmsTime
from custom_components.dlms_meter.dlms.cosem.class_values import to_value
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
)
from custom_components.dlms_meter.dlms.cosem.interface_classes import INTERFACE_CLASSES
from custom_components.dlms_meter.dlms.cosem.meter_memory import ShortName
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.short_names import (
    attribute_name,
    method_name,
)
from custom_components.dlms_meter.dlms.cosem.values import Value
from tests.dlms.cosem.object_values import CLASSES, SAMPLES

HERE = Obis.parse("0-0:1.2.3")
BASE_NAME = 0x1000

PUSH_SETUP = 40

type Place = tuple[int, int, int]  # class, attribute, version

GURUX_FAULTS: dict[Place, str] = {
    (5, 4, 0): "keeps a power of ten and cuts its logarithm off: scaler 3 becomes 2",
    (12, 3, 0): "gives back a base name of another type, and no rights",
    (12, 4, 0): "keeps octets, and fails to take them for text",
    (12, 5, 3): "does not know the type of attributes beyond 4",
    (12, 6, 3): "does not know the type of attributes beyond 4",
    (20, 6, 0): "takes the octet FF for the text FF",
    (23, 5, 0): "cuts the length to 8 bits",
    (23, 6, 0): "cuts the length to 8 bits",
    (40, 8, 1): "knows only ports among its own objects",
    (40, 12, 2): "keeps the octets of the date-time, and fails to take them for text",
    (40, 13, 2): "keeps the octets of the date-time, and fails to take them for text",
    (62, 2, 0): "has no class 62",
    (62, 3, 0): "has no class 62",
    (62, 4, 0): "has no class 62",
    (62, 5, 0): "has no class 62",
    (62, 6, 0): "has no class 62",
    (63, 3, 0): "has no class 63",
    (64, 6, 1): "writes certificates of its own server only",
    (71, 2, 0): "knows only monitored objects among its own",
    (72, 3, 0): "cannot write a capture definition",
}
"""Where gurux-dlms gives back other octets, or none."""

PYDLMS_FAULTS: dict[Place, str] = {
    (40, 2, 1): "knows push objects of version 0 only",
    (40, 2, 2): "knows push objects of version 0 only",
}

NOBODYS: set[Place] = {(12, 3, 0), (12, 5, 3), (12, 6, 3), (40, 12, 2), (63, 3, 0)}  # fmt: skip
"""What neither has an opinion on, or only one that fails: these rest on the Blue Book alone."""

OTHER_NAMES = {
    "get_buffer_by_range": "reserved_3",
    "get_buffer_by_index": "reserved_4",
    "getlist_by_classid": "reserved_1",
    "getobj_by_logicalname": "reserved_2",
    "get_attributes&methods": "get_attributes_and_methods",
    "get_hls_challenge": "reserved_7",
}
"""Names that pydlms-client has otherwise: obsolete methods have none there."""


def ask(script: str, order: object) -> Any:  # noqa: ANN401  JSON
    finished = subprocess.run(
        [sys.executable, Path(__file__).with_name(script), json.dumps(order)],
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert finished.returncode == 0, finished.stderr.decode()
    return json.loads(finished.stdout)


VALUES = [
    (sample.class_id, sample.attribute_id, sample.version, sample.octets.replace(" ", ""))
    for sample in SAMPLES
]  # fmt: skip


@cache
def pydlms() -> Any:  # noqa: ANN401  JSON
    return ask("pydlms_objects.py", {"classes": CLASSES, "values": VALUES})


@cache
def gurux() -> Any:  # noqa: ANN401  JSON
    return ask("gurux_objects.py", VALUES)


def leaves(value: Value) -> list[Any]:
    """Return what a value is made of, as pydlms_objects.py does."""
    match value:
        case BitString(octets, bit_length):
            return [bool(octets[n // 8] >> 7 - n % 8 & 1) for n in range(bit_length)]
        case DlmsDateTime() | DlmsTime():
            return [value.encode().hex()]
        case IntEnum():
            return [int(value)]
        case tuple():
            return [leaf for part in value for leaf in leaves(part)]
        case bytes():
            return [value.hex()]
        case str():
            return [value.encode().hex()]
        case _:
            return [value]


EACH = pytest.mark.parametrize(
    "number", range(len(SAMPLES)), ids=[sample.label() for sample in SAMPLES]
)


@EACH
def test_pydlms_reads_and_writes_the_same(number: int) -> None:
    place, octets = VALUES[number][:3], VALUES[number][3]
    where = AttributeDescriptor(place[0], HERE, place[1])
    ours = to_value(where, decode_data(bytes.fromhex(octets)))
    theirs = pydlms()["values"][number]
    if place in PYDLMS_FAULTS:
        assert "error" in theirs
    elif place == (9, 2, 0):  # whose parameters it leaves undecoded
        assert theirs["octets"] == octets
    elif theirs:
        assert theirs == {"octets": octets, "leaves": leaves(ours)}


@EACH
def test_gurux_gives_back_the_same(number: int) -> None:
    place, octets = VALUES[number][:3], VALUES[number][3]
    same = gurux()[number] == {"octets": octets}
    assert same is (place not in GURUX_FAULTS)


def test_what_nobody_else_confirms_is_known() -> None:
    unsure = {
        place[:3]
        for place, theirs in zip(VALUES, pydlms()["values"], strict=True)
        if "octets" not in theirs and place[:3] in GURUX_FAULTS
    }
    assert unsure == NOBODYS


@pytest.mark.parametrize("class_id", CLASSES)
def test_names_and_short_names(class_id: int) -> None:
    """Each attribute is 8 after the one before it; where the methods are, pydlms-client knows, and has from two others."""
    row, theirs = INTERFACE_CLASSES[class_id], pydlms()["classes"][str(class_id)]
    attributes = [name.lower() for name in row.attributes]
    methods = [name.lower() for name in row.methods]
    assert attributes == theirs["attributes"]
    known = len(theirs["methods"])
    assert [OTHER_NAMES.get(name, name) for name in methods[:known]] == theirs[
        "methods"
    ]
    for version, places in theirs["short_names"].items():
        names = {(class_id, HERE): ShortName(BASE_NAME, int(version))}
        assert [
            attribute_name(names, AttributeDescriptor(class_id, HERE, n))
            for n in range(1, len(attributes) + 1)
        ] == list(range(BASE_NAME, BASE_NAME + 8 * len(attributes), 8))
        ours = [
            method_name(names, MethodDescriptor(class_id, HERE, n))
            for n in range(1, known + 1)
        ]
        if class_id == PUSH_SETUP:  # as of version 0, where the others have attributes
            assert (version, ours) == ("2", [None, None])
        elif places is not None:
            assert ours == places
