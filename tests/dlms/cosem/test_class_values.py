"""What attributes are made of: every row there and back, real values, and what is not as it should be."""

from decimal import Decimal
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import decode_data, encode_data
from custom_components.dlms_meter.dlms.codec.data import (
    BitString,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
)
from custom_components.dlms_meter.dlms.codec.datetimes import (
    DlmsDate,
    DlmsDateTime,
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

T = DataType
NAME = "1-0:1.8.0"


def at(class_id: int, attribute_id: int) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse(NAME), attribute_id)


def data(octets: str) -> Data:
    return decode_data(bytes.fromhex(octets))


MOMENT = "090c 07ea0b030214 1e00 00 ffc400"
CLOCK = "0906 0000010000ff"
SCRIPT = "0906 00000a0064ff"
ENERGY = "0906 0100010800ff"
WHEN = DlmsDateTime.decode(bytes.fromhex("07ea0b030214 1e0000ffc400"))
CLOCK_NAME, SCRIPT_NAME = Obis.parse("0-0:1.0.0"), Obis.parse("0-0:10.0.100")

# class, attribute, octets, value
THERE_AND_BACK: list[tuple[int, int, str, object]] = [
    (3, 3, "0202 0fff 161e", ScalerUnit(-1, 30)),
    (4, 3, "0202 0f00 161b", ScalerUnit(0, 27)),
    (4, 5, MOMENT, WHEN),
    (5, 4, "0202 0f03 161b", ScalerUnit(3, 27)),
    (5, 7, MOMENT, WHEN),
    (5, 8, "06 00000384", 900),
    (5, 9, "12 0001", 1),
    (7, 3, f"0101 0204 120003 {ENERGY} 0f02 120000", (CaptureObject(3, Obis.parse(NAME), 2),)),
    (7, 4, "06 00000384", 900),
    (7, 5, "1602", 2),
    (7, 6, f"0204 120008 {CLOCK} 0f02 120000", CaptureObject(8, CLOCK_NAME, 2)),
    (7, 7, "06 00001234", 0x1234),
    (8, 2, MOMENT, WHEN),
    (8, 3, "10 ffc4", -60),
    (8, 4, "11 80", 0x80),
    (8, 5, "090c ffff03fe0702000000800000", DlmsDateTime.decode(bytes.fromhex("ffff03fe0702000000800000"))),
    (8, 7, "0f 3c", 60),
    (8, 8, "03 01", True),
    (8, 9, "16 05", 5),
    (9, 2, "0101 0202 120001 0101 0205 1602 120046 0906 000060030aff 0f02 0f00",
     ((1, ((2, 70, Obis.parse("0-0:96.3.10"), 2, 0),)),)),
    (12, 4, "0906 00002b0000ff", Obis.parse("0-0:43.0.0")),
    (15, 3, "0202 0f10 120001", (16, 1)),
    (15, 5, "0206 0418 001e1d 120400 120200 1106 0f00 0900", (BitString(b"\0\x1e\x1d", 24), 1024, 512, 6, 0, b"")),
    (15, 8, "1602", 2),
    (15, 9, "0906 00002b0000ff", Obis.parse("0-0:43.0.0")),
    (17, 2, "0101 0202 120001 0903 414243", ((1, "ABC"),)),
    (18, 2, "06 00000400", 1024),
    (18, 3, "0403 a0", BitString(b"\xa0", 3)),
    (18, 5, "0300", False),
    (18, 6, "1606", 6),
    (18, 7, "0101 0203 0600001000 0902 4142 0900", ((4096, b"AB", b""),)),
    (20, 2, "0906 57494e544552", "WINTER"),
    (20, 3, f"0101 0203 0901 31 {MOMENT} 0901 32", (("1", WHEN, "2"),)),
    (20, 4, "0101 0208 0901 31 1101 1102 1103 1104 1105 1106 1107", (("1", 1, 2, 3, 4, 5, 6, 7),)),
    (20, 5, f"0101 0202 1101 0101 0203 0904 06000000 {SCRIPT} 120001",
     ((1, ((DlmsTime(6, 0, 0, 0), SCRIPT_NAME, 1),)),)),
    (20, 10, MOMENT, WHEN),
    (23, 2, "1605", 5),
    (23, 3, "1101", 1),
    (23, 9, "12 0011", 17),
    (40, 2, f"0101 0204 120003 {ENERGY} 0f02 120000", (CaptureObject(3, Obis.parse(NAME), 2),)),
    (40, 3, "0203 1600 0905 312e322e33 1600", (0, b"1.2.3", 0)),
    (40, 4, f"0101 0202 {MOMENT} {MOMENT}", ((WHEN, WHEN),)),
    (40, 5, "12 003c", 60),
    (40, 6, "11 03", 3),
    (62, 4, "11 01", 1),
    (62, 6, "16 01", 1),
    (64, 2, "16 03", 3),
    (64, 4, "0908 4d4d4d0000000001", b"MMM\0\0\0\0\1"),
    (64, 6, "0101 0206 1600 1601 0901 01 0901 02 0901 03 0900", ((0, 1, b"\1", b"\2", b"\3", b""),)),
    (70, 2, "0301", True),
    (70, 3, "1602", 2),
    (70, 4, "1602", 2),
    (71, 2, f"0203 120003 {ENERGY} 0f02", (3, Obis.parse(NAME), 2)),
    (71, 6, "06 0000003c", 60),
    (71, 8, f"0203 120001 {MOMENT} 0600000e10", (1, WHEN, 3600)),
    (71, 9, "0102 120001 120002", (1, 2)),
    (71, 10, "0300", False),
    (71, 11, f"0202 0202 {SCRIPT} 120001 0202 {SCRIPT} 120002", ((SCRIPT_NAME, 1), (SCRIPT_NAME, 2))),
    (72, 2, "0906 0000180100ff", Obis.parse("0-0:24.1.0")),
    (72, 3, "0101 0202 0901 04 0901 13", ((b"\4", b"\x13"),)),
    (72, 6, "06 12345678", 0x12345678),
    (72, 7, "12 2c2d", 0x2C2D),
    (72, 9, "11 03", 3),
    (72, 14, "1603", 3),
]  # fmt: skip


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "octets", "value"), THERE_AND_BACK
)
def test_there_and_back(
    class_id: int, attribute_id: int, octets: str, value: Value
) -> None:
    sent = data(octets)
    assert to_value(at(class_id, attribute_id), sent) == value
    written: Value | Data = value
    if (class_id, attribute_id) == (9, 2):  # what may be of any type is written as Data
        assert isinstance(value, tuple)
        written = ((1, ((2, 70, Obis.parse("0-0:96.3.10"), 2, Data(T.INTEGER, 0)),)),)  # type: ignore[assignment]
    assert to_data(at(class_id, attribute_id), written) == sent


def test_fields_have_names() -> None:
    season: Any = to_value(at(20, 3), data(f"0101 0203 0901 31 {MOMENT} 0901 32"))
    assert (season[0].name, season[0].start, season[0].week_name) == ("1", WHEN, "2")
    assert type(season[0]).__name__ == "SeasonProfile"


def test_members_have_names() -> None:
    state: Any = to_value(at(70, 3), data("1602"))
    assert state.name == "READY_FOR_RECONNECTION"
    assert to_data(at(70, 3), "connected") == data("1601")
    with pytest.raises(LocalProtocolError):
        to_data(at(70, 3), "neither")
    assert to_value(at(70, 3), data("1609")) == 9  # of the maker's own
    assert to_value(at(7, 5), data("1600")) == 0


def test_every_row_is_an_attribute_of_its_class() -> None:
    classes = {class_id for class_id, *_ in THERE_AND_BACK}
    assert classes >= {3, 4, 5, 7, 8, 9, 12, 15, 17, 18, 20, 23, 40, 62, 64, 70, 71, 72}
    for class_id, attribute_id, *_ in THERE_AND_BACK:
        assert attribute_id <= len(INTERFACE_CLASSES[class_id].attributes)


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


def test_what_is_written_can_be_sent() -> None:
    for class_id, attribute_id, octets, _ in THERE_AND_BACK:
        assert encode_data(to_data(at(class_id, attribute_id), data(octets)))
