"""Identity: names, numbers and firmware in the forms real meters write them."""

import pytest

from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.flag_ids import MANUFACTURERS
from custom_components.dlms_meter.dlms.cosem.identity import (
    IDENTITY_ATTRIBUTES,
    Identity,
)
from custom_components.dlms_meter.dlms.errors import DecodeError

NAME, SERIAL, METER_ID, FIRMWARE, _, TYPE, _ = IDENTITY_ATTRIBUTES


def octets(value: bytes) -> Data:
    return Data(DataType.OCTET_STRING, value)


@pytest.mark.parametrize(
    ("data", "name", "flag", "manufacturer"),
    [
        # public captures: ADDAX over TCP, Kaifa, Iskraemeco, Vektor
        (octets(b"ADX0011588840"), "ADX0011588840", "ADX", "ADDAX"),
        (octets(b"KFM1000100000002"), "KFM1000100000002", "KFM", "Kaifa"),
        (octets(b"ISK1030777764366"), "ISK1030777764366", "ISK", "Iskraemeco"),
        (Data(DataType.VISIBLE_STRING, "ZIP01769326"), "ZIP01769326", "ZIP", "SPb ZIP"),
        # the system title of an MEL session, as a name: letters, then octets
        (octets(bytes.fromhex("4D454C6470B71B11")), "MEL6470b71b11", "MEL", "MEL"),
        (octets(b"XYZ12345678\0\0\0\0\0"), "XYZ12345678", "XYZ", "XYZ"),
        (octets(b"  XYZ12345678  "), "XYZ12345678", "XYZ", "XYZ"),
        (octets(bytes.fromhex("0011588840")), "0011588840", None, None),
        (octets(b"12345678"), "12345678", None, None),
        (Data(DataType.UTF8_STRING, "XYZ\udcff1"), "XYZ\ufffd1", "XYZ", "XYZ"),
        (Data(DataType.UTF8_STRING, "XYZ\r\n\x0012345\t"), "XYZ12345", "XYZ", "XYZ"),
        (octets(b"XYZ" + b"7" * 5000), "XYZ" + "7" * 61, "XYZ", "XYZ"),
        (
            octets(b"XYZ" + bytes(range(200))),
            "XYZ" + bytes(range(31)).hex()[:61],
            "XYZ",
            "XYZ",
        ),
    ],
)
def test_logical_device_names(
    data: Data, name: str, flag: str | None, manufacturer: str | None
) -> None:
    identity = Identity.from_answers({NAME: data})
    assert identity.logical_device_name == name
    assert identity.manufacturer_flag == flag
    assert identity.manufacturer == manufacturer
    assert identity.unique_id == name
    assert identity.title == f"{manufacturer or ''} …{name[-4:]}".strip()


@pytest.mark.parametrize(
    ("data", "serial"),
    [
        (octets(bytes.fromhex("3130333339353631")), "10339561"),  # public LLS capture
        (octets(b"16820005"), "16820005"),
        (octets(bytes.fromhex("16820005")), "16820005"),  # BCD
        (octets(bytes.fromhex("00A1B2FF")), "00a1b2ff"),
        (Data(DataType.DOUBLE_LONG_UNSIGNED, 10339561), "10339561"),
        (Data(DataType.VISIBLE_STRING, "10339561 \0"), "10339561"),
        (octets("Счётчик 7".encode("cp1251")), "Счётчик 7"),
    ],
)
def test_serial_numbers(data: Data, serial: str) -> None:
    identity = Identity.from_answers({SERIAL: data})
    assert identity.serial_number == serial
    assert identity.unique_id == serial


@pytest.mark.parametrize(
    "nothing",
    [octets(b""), octets(b"\0\0\0"), Data(DataType.NULL_DATA, None), octets(b"  ")],
)
def test_the_next_answer_that_says_something_counts(nothing: Data) -> None:
    answers = {SERIAL: nothing, METER_ID: octets(b"10339561")}
    assert Identity.from_answers(answers).serial_number == "10339561"
    with pytest.raises(DecodeError, match="neither"):
        Identity.from_answers({NAME: nothing, SERIAL: nothing})


def test_who_tells_nothing_is_nobody() -> None:
    with pytest.raises(DecodeError, match="neither"):
        Identity.from_answers({FIRMWARE: octets(b"1.2.3")})


def test_firmware_and_type() -> None:
    answers = {
        NAME: octets(b"ADX0011588840"),
        FIRMWARE: octets(b"5.05.1"),
        TYPE: octets(b"NP73E"),
    }
    identity = Identity.from_answers(answers)
    assert (identity.firmware, identity.device_type) == ("5.05.1", "NP73E")


@pytest.mark.parametrize(
    ("name", "serial", "unique_ids"),
    [
        ("ADX0011588840", None, ("ADX0011588840",)),
        ("ADX0011588840", "11588840", ("ADX0011588840", "ADX11588840")),
        ("ADX0011588840", "ADX0011588840", ("ADX0011588840",)),
        # a name that is the same in every meter of its kind says less than the serial number
        ("KFM_001", "10339561", ("KFM10339561", "KFM_001")),
        ("XYZ0000000000000", "10339561", ("XYZ10339561", "XYZ0000000000000")),
        ("XYZ LD1", None, ("XYZ LD1",)),
        ("Meter", "10339561", ("10339561", "Meter")),
        (None, "10339561", ("10339561",)),
    ],
)
def test_unique_ids(
    name: str | None, serial: str | None, unique_ids: tuple[str, ...]
) -> None:
    identity = Identity(logical_device_name=name, serial_number=serial)
    assert identity.unique_ids == unique_ids
    assert identity.unique_id == unique_ids[0]


@pytest.mark.parametrize(
    ("serial", "device_type", "title"),
    [
        ("77764366", None, "Iskraemeco …4366"),
        ("77764366", "MT174", "Iskraemeco MT174 …4366"),
        ("4366", "MT174", "Iskraemeco MT174 4366"),
    ],
)
def test_title_is_maker_model_and_the_end_of_the_number(
    serial: str, device_type: str | None, title: str
) -> None:
    identity = Identity(
        logical_device_name="ISK1030777764366",
        serial_number=serial,
        device_type=device_type,
    )
    assert identity.title == title


def test_flag_ids_are_three_letters() -> None:
    for flag, name in MANUFACTURERS.items():
        assert len(flag) == 3
        assert flag.isalpha()
        assert flag.isupper()
        assert name.strip() == name != ""
