"""Values: what a real meter said, exactly; then every type of data and everything that is not what it should be."""

from decimal import Decimal, localcontext

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import decode_data
from custom_components.dlms_meter.dlms.codec.data import BitString, Data, DataType
from custom_components.dlms_meter.dlms.codec.datetimes import (
    ClockStatus,
    DlmsDate,
    DlmsDateTime,
    DlmsTime,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.units import Unit
from custom_components.dlms_meter.dlms.cosem.values import (
    Quantity,
    ScalerUnit,
    Value,
    decode_scaler_unit,
    has_more_elements,
    interpret,
    plain,
    scaler_attribute,
    scaler_unit_of,
)
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import Vector, check_damage, each, vectors

WATT_HOURS = ScalerUnit(0, Unit.WATT_HOUR)
MOMENT = bytes.fromhex("07e0090804130d1900ffc480")
DECODED_MOMENT = DlmsDateTime.decode(MOMENT)


def attribute(text: str) -> AttributeDescriptor:
    class_id, name, attribute_id = text.split("/")
    return AttributeDescriptor(int(class_id), Obis.parse(name), int(attribute_id))


REGISTER = attribute("3/1-0:1.8.0*255/2")


# --- A session with a real three-phase meter --------------------------------------------------------------------------

READINGS = {
    "1/0-0:42.0.0*255/2": "ADX0011588840",
    "3/1-0:1.8.0*255/2": "91097 Wh",
    "3/1-0:1.8.1*255/2": "64282 Wh",
    "3/1-0:1.8.2*255/2": "26815 Wh",
    "3/1-0:2.8.0*255/2": "4400 Wh",
    "3/1-0:31.7.0*255/2": "0.0 A",
    "3/1-0:51.7.0*255/2": "0.0 A",
    "3/1-0:71.7.0*255/2": "0.0 A",
    "3/1-0:32.7.0*255/2": "235 V",
    "3/1-0:52.7.0*255/2": "0 V",
    "3/1-0:72.7.0*255/2": "0 V",
}


def answers(vector: Vector, header: int) -> dict[AttributeDescriptor, Data]:
    """Pair the GET requests and responses of a recorded session, behind a header of so many octets."""
    apdus = [bytes.fromhex(frame["hex"])[header:] for frame in vector.decoded["frames"]]
    read = {}
    for request, response in zip(apdus[::2], apdus[1::2], strict=True):
        if request[0] == 0xC0 and request[1] == 1:
            name = Obis(request[5:11])
            what = AttributeDescriptor(int.from_bytes(request[3:5]), name, request[11])
            read[what] = decode_data(response[4:])
    return read


def test_a_recorded_session() -> None:
    (session,) = (v for v in vectors(layer="session") if "three-phase" in v.name)
    read = answers(session, header=8)
    assert {str(what) for what in read if what.attribute_id == 2} == set(READINGS)
    for what, expected in READINGS.items():
        descriptor = attribute(what)
        scaler = read.get(descriptor._replace(attribute_id=3))
        value = interpret(
            descriptor, read[descriptor], scaler and decode_scaler_unit(scaler)
        )
        assert str(value) == expected, what


@each([v for v in vectors(layer="axdr", category="axdr-data") if v.expect is None])
def test_plain_values_of_every_type(vector: Vector) -> None:
    """Nothing that can be decoded fails to be a value, and scalars are what the vector says."""
    value = plain(decode_data(vector.octets))
    expected = vector.decoded.get("value")
    if isinstance(value, Decimal):
        assert value == Decimal(repr(expected))
    elif isinstance(value, (bool, int, str)) or value is None:
        assert value == expected


PLACES = [
    "1/0-0:42.0.0*255/2",
    "1/0-0:96.2.12*255/2",
    "3/1-0:1.8.0*255/2",
    "3/1-0:1.8.0*255/3",
    "4/1-0:1.6.0*255/5",
    "8/0-0:1.0.0*255/2",
]


@each(vectors(layer="axdr", category="axdr-data"))
def test_any_data_anywhere_is_some_value(vector: Vector) -> None:
    """A register that answers with a table, a clock with a float, …: what was sent survives, nothing raises."""

    def interpret_everywhere(octets: bytes) -> None:
        data = decode_data(octets)
        for what in PLACES:
            interpret(attribute(what), data, ScalerUnit(-1, Unit.WATT))

    check_damage(vector.octets, interpret_everywhere, count=30)


# --- Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "scaler", "text"),
    [
        ("060001e241", -1, "12345.7"),
        ("060001e240", -3, "123.456"),
        ("05fffffff6", -2, "-0.10"),
        ("120005", 0, "5"),
        ("120005", 3, "5000"),
        ("120000", 3, "0"),
        ("1100", -1, "0.0"),
        ("0f80", 1, "-1280"),
        ("15ffffffffffffffff", -3, "18446744073709551.615"),
        ("15ffffffffffffffff", 12, "18446744073709551615000000000000"),
        ("1480000000000000 00", -9, "-9223372036.854775808"),
        ("173fc00000", 0, "1.5"),
        ("173dcccccd", 0, "0.1"),  # 32 bits: what is nearest to 0.1
        ("173dcccccd", 1, "1"),
        ("1740490fdb", 0, "3.1415927"),
        ("177f7fffff", 0, "3.4028235E+38"),
        ("073e800000", 0, "0.25"),
        ("183fb999999999999a", 0, "0.1"),
        ("0d42", 0, "42"),  # BCD
        ("16fe", 0, "254"),
    ],
)
def test_registers_are_exact(octets: str, scaler: int, text: str) -> None:
    scaler_unit = ScalerUnit(scaler, Unit.WATT_HOUR)
    with localcontext(prec=3):  # whatever arithmetic the application uses elsewhere
        value = interpret(REGISTER, decode_data(bytes.fromhex(octets)), scaler_unit)
    assert isinstance(value, Quantity)
    assert str(value) == f"{text} Wh"
    assert (value.unit, value.symbol) == (30, "Wh")


@pytest.mark.parametrize("scaler", [-128, 127])
@pytest.mark.parametrize(
    "octets", ["187fefffffffffffff", "180000000000000001", "15" + "ff" * 8]
)
def test_the_largest_scalers_lose_nothing(octets: str, scaler: int) -> None:
    data = decode_data(bytes.fromhex(octets))
    unscaled = interpret(REGISTER, data)
    value = interpret(REGISTER, data, ScalerUnit(scaler, 27))
    assert isinstance(unscaled, Decimal)
    assert isinstance(value, Quantity)
    assert value.value.as_integer_ratio()[0] != 0
    with localcontext(prec=1000):
        assert value.value == unscaled * Decimal(10) ** scaler


def test_without_scaler_a_number_is_just_that() -> None:
    assert interpret(REGISTER, Data(DataType.LONG_UNSIGNED, 7)) == Decimal(7)


def test_a_unit_without_symbol_prints_nothing() -> None:
    assert str(Quantity(Decimal("0.98"), Unit.COUNT)) == "0.98"


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("00", None),
        ("ff", None),
        ("177fc00000", None),  # NaN
        ("17ff800000", None),  # minus infinity
        ("187ff0000000000000", None),
        ("0301", True),
        ("0da1", 0xA1),  # not BCD
        ("0903010203", b"\x01\x02\x03"),
        ("0a026f6b", "ok"),
        ("0404a0", BitString(b"\xa0", 4)),
        ("0202110112 0002", (1, 2)),
        ("1303020001", (False, True)),  # compact-array
    ],
)
def test_registers_that_are_no_numbers(octets: str, value: Value) -> None:
    assert interpret(REGISTER, decode_data(bytes.fromhex(octets)), WATT_HOURS) == value


# --- Scaler and unit --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "scaler_unit"),
    [
        ("02020fff161e", (-1, 30)),
        ("02020f001623", (0, 35)),
        ("02020f0316ff", (3, 255)),
        ("01020fff161e", (-1, 30)),
        ("020211011200 1e", (1, 30)),
    ],
)
def test_scaler_units(octets: str, scaler_unit: tuple[int, int]) -> None:
    assert decode_scaler_unit(decode_data(bytes.fromhex(octets))) == scaler_unit


@pytest.mark.parametrize(
    "octets",
    [
        "00",
        "0fff",
        "0200",
        "02010fff",
        "02030fff161e1100",
        "0202 00 161e",
        "020211ff161e",
        "02020fff120100",
        "02020fff09011e",
        "02020fff0fff",
    ],
)
def test_no_guess_at_a_scaler(octets: str) -> None:
    with pytest.raises(DecodeError, match="no scaler and unit"):
        decode_scaler_unit(decode_data(bytes.fromhex(octets)))


def test_which_attribute_holds_the_scaler() -> None:
    assert {n: scaler_attribute(n) for n in (1, 3, 4, 5, 8)} == {
        1: None,
        3: 3,
        4: 3,
        5: 4,
        8: None,
    }


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("3/1-0:1.8.0*255/2", "3/1-0:1.8.0*255/3"),
        ("4/1-0:1.6.0*255/2", "4/1-0:1.6.0*255/3"),
        ("4/1-0:1.6.0*255/5", None),
        ("5/1-0:1.4.0*255/3", "5/1-0:1.4.0*255/4"),
        ("8/0-0:1.0.0*255/2", None),
    ],
)
def test_where_the_scaler_of_an_attribute_is(what: str, where: str | None) -> None:
    assert scaler_unit_of(attribute(what)) == (where and attribute(where))


# --- Other classes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "data", "value"),
    [
        (
            "4/1-0:1.6.0*255/2",
            Data(DataType.LONG_UNSIGNED, 42),
            Quantity(Decimal("4.2"), 27),
        ),
        ("4/1-0:1.6.0*255/4", Data(DataType.UNSIGNED, 8), 8),
        ("4/1-0:1.6.0*255/5", Data(DataType.OCTET_STRING, MOMENT), DECODED_MOMENT),
        ("4/1-0:1.6.0*255/5", Data(DataType.OCTET_STRING, b""), None),
        ("4/1-0:1.6.0*255/5", Data(DataType.NULL_DATA, None), None),
        (
            "5/1-0:1.4.0*255/2",
            Data(DataType.LONG_UNSIGNED, 42),
            Quantity(Decimal("4.2"), 27),
        ),
        (
            "5/1-0:1.4.0*255/3",
            Data(DataType.LONG_UNSIGNED, 42),
            Quantity(Decimal("4.2"), 27),
        ),
        ("5/1-0:1.4.0*255/6", Data(DataType.OCTET_STRING, MOMENT), DECODED_MOMENT),
        ("5/1-0:1.4.0*255/7", Data(DataType.OCTET_STRING, MOMENT), DECODED_MOMENT),
        ("5/1-0:1.4.0*255/8", Data(DataType.DOUBLE_LONG_UNSIGNED, 900), 900),
        ("8/0-0:1.0.0*255/2", Data(DataType.OCTET_STRING, MOMENT), DECODED_MOMENT),
        ("8/0-0:1.0.0*255/2", Data(DataType.DATE_TIME, MOMENT), DECODED_MOMENT),
        ("8/0-0:1.0.0*255/2", Data(DataType.OCTET_STRING, MOMENT[:11]), MOMENT[:11]),
        ("8/0-0:1.0.0*255/2", Data(DataType.DOUBLE_LONG_UNSIGNED, 1), 1),
        ("8/0-0:1.0.0*255/3", Data(DataType.LONG, -60), -60),
        ("8/0-0:1.0.0*255/5", Data(DataType.OCTET_STRING, MOMENT), DECODED_MOMENT),
        ("1/0-0:96.2.12*255/2", Data(DataType.OCTET_STRING, MOMENT), DECODED_MOMENT),
        ("1/0-0:96.7.21*255/2", Data(DataType.LONG_UNSIGNED, 3), 3),
        ("1/0-0:42.0.0*255/2", Data(DataType.OCTET_STRING, b"XYZ1"), "XYZ1"),
        ("1/1-0:0.2.0*255/2", Data(DataType.OCTET_STRING, b"\x01\x02"), b"\x01\x02"),
        ("1/1-0:0.2.8*255/2", Data(DataType.OCTET_STRING, b"abcd"), b"abcd"),
        ("1/0-0:96.50.0*255/2", Data(DataType.OCTET_STRING, b"abcd"), b"abcd"),
        ("3/0-0:42.0.0*255/2", Data(DataType.OCTET_STRING, b"XYZ1"), "XYZ1"),
        ("70/0-0:96.3.10*255/2", Data(DataType.BOOLEAN, True), True),
        ("70/0-0:96.3.10*255/3", Data(DataType.ENUM, 1), 1),
        ("20/0-0:13.0.0*255/2", Data(DataType.OCTET_STRING, b"summer"), b"summer"),
    ],
)
def test_by_class_and_name(what: str, data: Data, value: Value) -> None:
    assert interpret(attribute(what), data, ScalerUnit(-1, Unit.WATT)) == value


def test_dates_and_times() -> None:
    date, time = bytes.fromhex("07e80b15ff"), bytes.fromhex("0c1e00ff")
    assert plain(Data(DataType.DATE, date)) == DlmsDate(2024, 11, 21, None)
    assert plain(Data(DataType.TIME, time)) == DlmsTime(12, 30, 0, None)
    local_date = attribute("1/0-0:0.9.2*255/2")
    assert interpret(local_date, Data(DataType.OCTET_STRING, date)) == DlmsDate(
        2024, 11, 21, None
    )
    clock = interpret(attribute("8/0-0:1.0.0*255/2"), Data(DataType.DATE_TIME, MOMENT))
    assert isinstance(clock, DlmsDateTime)
    assert clock.status is ClockStatus.DAYLIGHT_SAVING


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (Data(DataType.OCTET_STRING, b"V1.02\0\0"), "V1.02"),
        (Data(DataType.OCTET_STRING, b" V1.02 "), "V1.02"),
        (Data(DataType.OCTET_STRING, b""), ""),
        (Data(DataType.OCTET_STRING, "Zähler".encode()), "Zähler"),
        (Data(DataType.OCTET_STRING, "НАРТИС-И300".encode("cp1251")), "НАРТИС-И300"),
        (Data(DataType.OCTET_STRING, b"V\x01"), b"V\x01"),
        (Data(DataType.OCTET_STRING, b"\x87\x65\x43"), b"\x87\x65\x43"),
        (Data(DataType.VISIBLE_STRING, "V1.02\0"), "V1.02"),
        (
            Data(DataType.VISIBLE_STRING, "НАРТИС".encode("cp1251").decode("latin-1")),
            "НАРТИС",
        ),
        (Data(DataType.VISIBLE_STRING, "V\x01 "), "V\x01"),
        (Data(DataType.UTF8_STRING, "Zähler "), "Zähler"),
        (Data(DataType.UTF8_STRING, "V\udcff"), "V\ufffd"),
    ],
)
def test_texts(data: Data, text: str | bytes) -> None:
    assert interpret(attribute("1/1-0:0.2.0*255/2"), data) == text


@pytest.mark.parametrize("data_type", [DataType.UTF8_STRING, DataType.VISIBLE_STRING])
def test_every_text_can_be_stored(data_type: DataType) -> None:
    """Octets that are no text must not end up as something no file or JSON takes."""
    octets = bytes((data_type, 3, 0x56, 0xFF, 0x41))
    unknown = AttributeDescriptor(1, Obis.parse("0-0:199.1.2"), 2)
    value = interpret(unknown, decode_data(octets))
    assert isinstance(value, str)
    assert value.encode()[:1] == b"V"
    assert value.encode()[-1:] == b"A"


def test_elements_are_counted_up_to_a_limit() -> None:
    leaf = Data(DataType.UNSIGNED, 1)
    pair = Data(DataType.STRUCTURE, (leaf, leaf))
    rows = Data(DataType.ARRAY, (pair, pair, pair))
    assert has_more_elements(rows, 8)
    assert not has_more_elements(rows, 9)
    assert has_more_elements(rows, 2)
    assert not has_more_elements(leaf, 0)
