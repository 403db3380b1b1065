"""Values as JSON without types, and back in the form in which they were shown."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    BitString,
    DlmsDate,
    DlmsDateTime,
    DlmsTime,
    MeterClock,
    Obis,
    Quantity,
    Unit,
    Value,
    decode_data,
    encode_data,
    to_data,
    to_value,
)
from custom_components.dlms_meter.plain_data import from_plain, plain
from custom_components.dlms_meter.typed_data import InvalidData

BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = DlmsDateTime.decode(bytes.fromhex("07ea0b14050d001e00ffc400"))


def stamp(moment: datetime) -> DlmsDateTime:
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=BERLIN)
    return MeterClock().write(zoned, BERLIN)


def test_values_without_types() -> None:
    assert plain(Quantity(Decimal("230.4"), Unit.VOLT)) == 230.4
    assert plain(Decimal(5)) == 5
    assert isinstance(plain(Decimal(5)), int)
    assert plain(Decimal("NaN")) is None
    assert plain(BitString(b"\xa0", 3)) == "101"
    assert plain((b"\x01", None, "x", True)) == ["01", None, "x", True]
    assert plain(MOMENT) == "2026-11-20T13:00:30"
    in_utc = plain(MOMENT, MeterClock().moment)
    assert in_utc == datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC).isoformat()
    assert plain(DlmsDateTime.decode(b"\xff" * 12)) == "*-*-* *:*:*"


# An attribute as it is shown, what is given instead, and what the meter is sent.
WRITTEN: dict[str, tuple[tuple[int, int], str, Any, str]] = {
    "boolean": ((1, 2), "0301", False, "0300"),
    "number": ((1, 2), "1200e6", 231, "1200e7"),
    "number as text": ((1, 2), "1200e6", "231", "1200e7"),
    "float": ((1, 2), "173f000000", 0.25, "173e800000"),
    "octets": ((1, 2), "09020aff", "0x0bfe", "09020bfe"),
    "text": ((1, 2), "0a03616263", "xyz", "0a0378797a"),
    "bits": ((1, 2), "0403a0", "110", "0403c0"),
    "choice": ((7, 5), "1601", "lifo", "1602"),
    "number of a choice": ((7, 5), "1601", 2, "1602"),
    "moment": ((8, 2), "090c07ea0b14050d001e00ffc400", "2026-07-20T15:00:00", "090c07ea0714010f000000ff8880"),
    "moment in UTC": ((8, 2), "090c07ea0b14050d001e00ffc400", "2026-11-20T12:00:31Z", "090c07ea0b14050d001f00ffc400"),
    "rule": ((8, 5), "090cffff03fe0702000000800000", "*-10-last 7 03:00:00", "090cffff0afe0703000000800000"),
    "rule without a day of the week": ((8, 5), "090cffff03fe0702000000ffc480", "*-*-01 00:00:00", "090cffffff01ff00000000ffc480"),
    "moment in the place of a rule": ((8, 5), "090cffff03fe0702000000800000", "2026-07-20T15:00:00", "090c07ea0714010f000000ff8880"),
    "any date": ((1, 2), "1a07ea0b1405", "*-12-24", "1affff0c18ff"),
    "any hour": ((1, 2), "1b0d001e00", "*:15:00", "1bff0f00ff"),
    "date": ((1, 2), "1a07ea0b1405", "2026-11-21", "1a07ea0b1506"),
    "time": ((1, 2), "1b0d001e00", "13:00:31.5", "1b0d001f32"),
    "name": ((12, 4), "09060000010000ff", "0-0:1.0.1", "09060000010001ff"),
    "fields": ((71, 8), "0203120001090c07ea0b14050d001e00ffc4000600000e10", {"duration": 60}, "0203120001090c07ea0b14050d001e00ffc400060000003c"),
    "fields in their order": ((3, 3), "02020f00161e", [-1, 30], "02020fff161e"),
    "list": ((71, 9), "0101120001", [2, 3], "0102120002120003"),
}  # fmt: skip


def place(class_id: int, attribute_id: int) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse("0-0:96.128.0"), attribute_id)


@pytest.mark.parametrize("name", WRITTEN)
def test_way_back(name: str) -> None:
    where, octets, given, written = WRITTEN[name]
    attribute, like = place(*where), decode_data(bytes.fromhex(octets))
    shown = to_value(attribute, like)
    unchanged = from_plain(plain(shown), shown, stamp)
    assert encode_data(to_data(attribute, unchanged, like=like)).hex() == octets
    value = from_plain(given, shown, stamp)
    assert encode_data(to_data(attribute, value, like=like)).hex() == written


@pytest.mark.parametrize(
    ("shown", "given"),
    [
        (True, 1),
        ("text", 5),
        (5, True),
        (5, "five"),
        (5, [5]),
        (MOMENT, "tomorrow"),
        (MOMENT, 5),
        (MOMENT.date, "2026-13-01"),
        (MOMENT.time, None),
        (BitString(b"\xa0", 3), "102"),
        (b"\x01", "1"),
        (b"\x01", 1),
        ((1, 2), {"a": 1}),
        ((1, 2), 5),
        (to_value(place(3, 3), decode_data(bytes.fromhex("02020f00161e"))), [1]),
        (to_value(place(3, 3), decode_data(bytes.fromhex("02020f00161e"))), {"size": 1}),
        (to_value(place(7, 5), decode_data(bytes.fromhex("1601"))), "sorted"),
        (Obis.parse("0-0:1.0.0"), "nonsense"),
    ],
)  # fmt: skip
def test_what_is_of_another_form(shown: Value, given: object) -> None:
    with pytest.raises(InvalidData, match="which it is now"):
        from_plain(given, shown, stamp)


def test_what_was_nothing_is_taken_as_it_is() -> None:
    assert from_plain("text", None, stamp) == "text"
    assert from_plain(0.1, None, stamp) == Decimal("0.1")
    assert from_plain([7], (), stamp) == (7,)


def test_dates_and_times_are_read_as_they_are_printed() -> None:
    assert plain(DlmsDate(2026, 11, 20, 5)) == "2026-11-20"
    assert plain(DlmsTime(7, 5, 0, 0)) == "07:05:00"
