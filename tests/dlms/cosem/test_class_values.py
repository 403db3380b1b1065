"""What attributes are made of: every row there and back, real values, and what is not as it should be."""

from decimal import Decimal
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import decode_data
from custom_components.dlms_meter.dlms.codec.data import (
    BitString,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
)
from custom_components.dlms_meter.dlms.codec.datetimes import (
    DlmsDate,
    DlmsTime,
)
from custom_components.dlms_meter.dlms.cosem.capture_objects import CaptureObject
from custom_components.dlms_meter.dlms.cosem.class_values import to_data, to_value
from custom_components.dlms_meter.dlms.cosem.compact_data import decode_compact_buffer
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from custom_components.dlms_meter.dlms.cosem.interface_classes import INTERFACE_CLASSES
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.values import (
    Quantity,
    ScalerUnit,
    Value,
    interpret,
)
from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from tests.harness import vectors

from .object_values import (
    CLASSES,
    ENERGY,
    ENERGY_COLUMN,
    MOMENT,
    OF_THE_METERS_CHOICE,
    SAMPLES,
    TITLE_OCTETS,
    WHEN,
    WITH_A_DECODER,
    Sample,
    shown,
)

T = DataType
NAME = "1-0:1.8.0"


def at(class_id: int, attribute_id: int) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse(NAME), attribute_id)


def data(octets: str) -> Data:
    return decode_data(bytes.fromhex(octets))


MAY_BE_ANYTHING: dict[tuple[int, int], object] = {
    (9, 2): ((1, (("execute_method", 70, "0-0:96.3.10", 2, data("0f00")),)),),
    (12, 3): ((-0x600, ((2, 1, None),), ((8, data("0301")),)),),
    (40, 10): (
        (2, (b"\1\2", TITLE_OCTETS, TITLE_OCTETS, b"", (0, data("0201 1600")))),
    ),
}
"""How the samples are written in which a part may be of any type."""


def unnamed(says: object) -> object:
    """Return the values of a sample without the names of its fields."""
    match says:
        case dict():
            return tuple(map(unnamed, says.values()))
        case list():
            return tuple(map(unnamed, says))
        case _:
            return says


@pytest.mark.parametrize("sample", SAMPLES, ids=Sample.label)
def test_there_and_back(sample: Sample) -> None:
    where, sent = at(sample.class_id, sample.attribute_id), data(sample.octets)
    says = shown(to_value(where, sent))
    assert says == sample.says
    assert type(says) is type(sample.says)
    written = MAY_BE_ANYTHING.get(where[::2], unnamed(sample.says))
    assert to_data(where, written) == sent  # type: ignore[arg-type]


def test_every_attribute_has_a_sample() -> None:
    """Attribute 1 is the logical name of the object, by which it is asked for."""
    for class_id in CLASSES:
        count = len(INTERFACE_CLASSES[class_id].attributes)
        wanted = {(class_id, number) for number in range(2, count + 1)}
        samples = {sample[:2] for sample in SAMPLES if sample.class_id == class_id}
        assert wanted == samples | (wanted & (OF_THE_METERS_CHOICE | WITH_A_DECODER)), (
            class_id
        )


def test_names_of_structures_and_members() -> None:
    season: Any = to_value(at(20, 3), data(f"0101 0203 0901 31 {MOMENT} 0901 32"))
    assert type(season[0]).__name__ == "SeasonProfile"
    assert (season[0].name, season[0].start, season[0].week_name) == ("1", WHEN, "2")
    state: Any = to_value(at(70, 3), data("1602"))
    assert (state, state.name) == (2, "READY_FOR_RECONNECTION")
    with pytest.raises(LocalProtocolError):
        to_data(at(70, 3), "neither")
    assert to_value(at(70, 3), data("1609")) == 9  # of the maker's own
    assert to_value(at(7, 5), data("1600")) == 0


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "first", "names"),
    [
        (7, 5, 1, "FIFO LIFO LARGEST SMALLEST NEAREST_TO_ZERO FARTHEST_FROM_ZERO"),
        (8, 9, 0, "NOT_DEFINED INTERNAL_CRYSTAL MAINS_50_HZ MAINS_60_HZ GPS RADIO"),
        (15, 8, 0, "NON_ASSOCIATED ASSOCIATION_PENDING ASSOCIATED"),
        (70, 3, 0, "DISCONNECTED CONNECTED READY_FOR_RECONNECTION"),
    ],
)
def test_every_member_has_the_number_of_the_standard(
    class_id: int, attribute_id: int, first: int, names: str
) -> None:
    for number, name in enumerate(names.split(), first):
        state: Any = to_value(at(class_id, attribute_id), data(f"16{number:02x}"))
        assert (state, state.name) == (number, name)


CHOICES = [
    (1, 2, "12 00e6", None, 230),
    (3, 2, "06 0001e241", ScalerUnit(-1, 30), Quantity(Decimal("12345.7"), 30)),
    (4, 2, "06 00001388", ScalerUnit(-3, 27), Quantity(Decimal("5.000"), 27)),
    (4, 4, "0408 80", None, BitString(b"\x80", 8)),
    (5, 2, "10 ff9c", ScalerUnit(-1, 27), Quantity(Decimal("-10.0"), 27)),
    (5, 3, "10 0064", ScalerUnit(0, 27), Quantity(Decimal(100), 27)),
    (5, 5, "11 04", None, 4),
    (63, 2, "0408 81", None, BitString(b"\x81", 8)),
    (71, 3, "06 00001770", None, 6000),
    (71, 4, "06 00001770", None, 6000),
    (71, 5, "06 00000bb8", None, 3000),
]


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "octets", "scaler_unit", "value"), CHOICES
)
def test_what_is_of_the_type_the_meter_chose(
    class_id: int,
    attribute_id: int,
    octets: str,
    scaler_unit: ScalerUnit | None,
    value: Value,
) -> None:
    where, sent = at(class_id, attribute_id), data(octets)
    assert where[::2] in OF_THE_METERS_CHOICE
    assert to_value(where, sent, scaler_unit) == value
    assert to_data(where, value, scaler_unit=scaler_unit, like=sent) == sent


def test_every_choice_has_an_example() -> None:
    assert {choice[:2] for choice in CHOICES} == OF_THE_METERS_CHOICE


ODD = [
    (8, 2, "19 07ea0b0302141e0000ffc400", WHEN),  # under its own tag
    (8, 2, "00", None),
    (8, 2, "0900", None),
    (8, 2, "0905 07ea0b0302", DlmsDate(2026, 11, 3, 2)),  # a date: as interpret reads it
    (8, 3, "0f c4", -60),  # a smaller number
    (8, 8, "11 01", True),  # a number for a boolean
    (8, 8, "0901 01", b"\1"),
    (8, 9, "11 05", 5),
    (8, 9, "0901 05", b"\5"),
    (17, 2, "00", None),
    (17, 2, "0101 0201 120001", ((1,),)),  # an element is missing
    (17, 2, "0101 1101", (1,)),
    (71, 2, "0203 120003 0902 0102 0f02", (3, b"\1\2", 2)),
    (71, 2, "0203 120003 0f01 0f02", (3, 1, 2)),
    (64, 4, "0a03 414243", "ABC"),
    (62, 3, f"0101 0205 120003 {ENERGY} 0f02 120000 00", (CaptureObject(3, Obis.parse(NAME), 2),)),
    (63, 2, "0408 81", BitString(b"\x81", 8)),
    (63, 3, "0202 1101 0102 120001 120002", (1, (1, 2))),
    (63, 3, "0202 1101 120001", (1, 1)),
    (40, 2, f"0101 0205 {ENERGY_COLUMN} 00", (CaptureObject(3, Obis.parse(NAME), 2),)),
    (40, 7, "0901 05", b"\5"),
]  # fmt: skip


@pytest.mark.parametrize(("class_id", "attribute_id", "octets", "value"), ODD)
def test_odd_values_survive(
    class_id: int, attribute_id: int, octets: str, value: Value
) -> None:
    assert to_value(at(class_id, attribute_id), data(octets)) == value


def test_arrays_may_be_compact() -> None:
    elements = tuple(Data(T.LONG_UNSIGNED, n) for n in (1, 2))
    compact = CompactArray(TypeDescription(T.LONG_UNSIGNED), elements)
    assert to_value(at(71, 9), Data(T.COMPACT_ARRAY, compact)) == (1, 2)


def test_captured_special_days_are_no_row_and_come_as_sent() -> None:
    (vector,) = [row for row in vectors("axdr") if row.id == "v0442"]
    sent = decode_data(vector.octets)
    assert to_value(at(11, 2), sent) == interpret(at(11, 2), sent)


LIKE = [
    ("06 00000001", 12345, "06 00003039"),
    ("06 00000001", Decimal(5), "06 00000005"),
    ("17 3f800000", Decimal("1.5"), "17 3fc00000"),
    ("18 3ff0000000000000", 2, "18 4000000000000000"),
    ("0903 414243", b"\1\2", "0902 0102"),
    ("0903 414243", "ab", "0902 6162"),
    ("0a03 414243", "ab", "0a02 6162"),
    ("0c03 414243", "ä", "0c02 c3a4"),
    ("0301", False, "0300"),
    ("0408 81", BitString(b"\x80", 1), "0401 80"),
    ("0904 01020304", DlmsTime(1, 2, 3, 4), "0904 01020304"),
    (MOMENT, WHEN, MOMENT),
    ("0906 0100010800ff", Obis.parse(NAME), "0906 0100010800ff"),
    ("00", None, "00"),
]


@pytest.mark.parametrize(("like", "value", "octets"), LIKE)
def test_written_in_the_type_that_was_read(
    like: str, value: Value, octets: str
) -> None:
    assert to_data(at(1, 2), value, like=data(like)) == data(octets)


@pytest.mark.parametrize(
    ("like", "value", "scaler", "octets"),
    [
        ("06 00000001", Decimal("12.3"), -1, "06 0000007b"),
        ("06 00000001", Quantity(Decimal(5000), 30), 3, "06 00000005"),
        ("12 0001", 7, 0, "12 0007"),
        ("17 00000000", Decimal("0.5"), 0, "17 3f000000"),
    ],
)
def test_registers(like: str, value: Value, scaler: int, octets: str) -> None:
    written = to_data(
        at(3, 2), value, like=data(like), scaler_unit=ScalerUnit(scaler, 30)
    )
    assert written == data(octets)
    back = to_value(at(3, 2), written, ScalerUnit(scaler, 30))
    number = value.value if isinstance(value, Quantity) else value
    assert isinstance(back, Quantity)
    assert back.value == number


def test_logical_names_may_be_written_as_text() -> None:
    assert to_data(at(72, 2), "0-0:24.1.0") == data("0906 0000180100ff")


def test_data_is_written_as_it_is() -> None:
    assert to_data(at(8, 2), data("1105")) == data("1105")


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "value", "like", "scaler_unit"),
    [
        (1, 2, 5, None, None),  # of which type?
        (3, 2, 5, "06 00000001", None),  # scaled how?
        (3, 2, "5", "06 00000001", ScalerUnit(0, 30)),
        (3, 2, Decimal("0.5"), "06 00000001", ScalerUnit(0, 30)),
        (3, 2, Decimal("1e999999"), "06 00000001", ScalerUnit(-1, 30)),
        (1, 2, 300, "11 01", None),
        (1, 2, Decimal("Infinity"), "11 01", None),
        (1, 2, Decimal("1e999999999"), "11 01", None),
        (1, 2, Decimal("sNaN"), "17 3f800000", None),
        (1, 2, 10**400, "17 3f800000", None),
        (1, 2, True, "11 01", None),
        (1, 2, "x", "11 01", None),
        (1, 2, (1, 2), "0900", None),
        (1, 2, 5, "0900", None),
        (1, 2, (1, 2), "0201 1101", None),
        (8, 2, "noon", None, None),
        (8, 2, DlmsTime(1, 2, 3, 4), None, None),
        (8, 8, "yes", None, None),
        (15, 9, b"123456", None, None),
        (15, 9, "no name", None, None),
        (17, 2, 5, None, None),
        (17, 2, (5,), None, None),
        (17, 2, ((1, "a", 3),), None, None),
        (63, 2, 5, None, None),
        (40, 7, (1, 2), None, None),
        (9, 2, ((1, ((2, 70, "0-0:96.3.10", 1, 5),)),), None, None),  # of which type?
    ],
)
def test_what_cannot_be_written(
    class_id: int,
    attribute_id: int,
    value: Value,
    like: str | None,
    scaler_unit: ScalerUnit | None,
) -> None:
    with pytest.raises(LocalProtocolError):
        to_data(
            at(class_id, attribute_id),
            value,
            like=None if like is None else data(like),
            scaler_unit=scaler_unit,
        )


# Compact data

TEMPLATE = bytes.fromhex("02 03 11 06 09")
BUFFER = bytes.fromhex("05 00000a00 02 4142")


def test_compact_buffer() -> None:
    values = (
        Data(T.UNSIGNED, 5),
        Data(T.DOUBLE_LONG_UNSIGNED, 2560),
        Data(T.OCTET_STRING, b"AB"),
    )
    assert decode_compact_buffer(BUFFER, TEMPLATE) == values
    assert decode_compact_buffer(b"\5", b"\x11") == values[:1]


@pytest.mark.parametrize(
    ("buffer", "template"),
    [(BUFFER[:-1], TEMPLATE), (BUFFER * 2, TEMPLATE), (b"", TEMPLATE), (BUFFER, b""), (BUFFER, b"\x02\x03\x11")],
)  # fmt: skip
def test_compact_buffer_and_template_that_do_not_fit(
    buffer: bytes, template: bytes
) -> None:
    with pytest.raises(DecodeError):
        decode_compact_buffer(buffer, template)
