"""Date, time, date-time: blanks, rules, deviations of either sign."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from custom_components.dlms_meter.dlms.codec.datetimes import (
    DAY_LAST,
    DAY_SECOND_LAST,
    MONTH_DST_BEGIN,
    MONTH_DST_END,
    ClockStatus,
    DlmsDate,
    DlmsDateTime,
    DlmsTime,
)
from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from tests.harness import (
    Json,
    Vector,
    check_codec,
    check_damage,
    date_of,
    date_time_of,
    each,
    time_of,
    vectors,
)


@each(vectors("date-time"))
def test_vector(vector: Vector) -> None:
    date_time = date_time_of(vector.decoded)
    check_codec(date_time, vector.octets, DlmsDateTime.decode, DlmsDateTime.encode)
    check_damage(vector.octets, DlmsDateTime.decode)


@each(vectors("date-time"))
def test_vector_in_utc(vector: Vector) -> None:
    date_time = DlmsDateTime.decode(vector.octets)
    assert _shown(date_time.as_utc()) == vector.decoded.get("utc_if_standard_sign")
    reversed_sign = date_time.as_utc(reversed_deviation=True)
    assert _shown(reversed_sign) == vector.decoded.get("utc_if_reversed_sign")


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("octets", "printed"),
    [
        ("07ea0b14050d001e00ffc400", "2026-11-20 13:00:30"),
        ("07ea0b14050d001e32ffc400", "2026-11-20 13:00:30.50"),
        ("07ea0b14ff0d001effffc400", "2026-11-20 13:00:30"),
        ("fffffdfe0703000000800000", "*-winter-last 7 03:00:00"),
        ("07eafefd07ff00ffff800000", "2026-summer-last but one 7 *:00:*"),
        ("ffffff01ffffffffff8000ff", "*-*-01 *:*:*"),
    ],
)
def test_printed(octets: str, printed: str) -> None:
    assert str(DlmsDateTime.decode(bytes.fromhex(octets))) == printed


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("2026-11-20 13:00:30", "07ea0b14050d001e008000ff"),
        ("2026-11-20 13:00:30.50", "07ea0b14050d001e328000ff"),
        ("*-03-last 7 02:00:00", "ffff03fe07020000008000ff"),
        ("*-winter-last 7 03:00:00", "fffffdfe07030000008000ff"),
        ("2026-summer-last but one 7 *:00:*", "07eafefd07ff00ffff8000ff"),
        ("2026-03-last 02:00:00", "07ea03feff020000008000ff"),
        ("*-*-01 *:*:*", "ffffff01ffffffffff8000ff"),
    ],
)
def test_read_as_printed(text: str, octets: str) -> None:
    """The day of the week follows from a day in a calendar; a deviation and a status are not printed."""
    parsed = DlmsDateTime.parse(text)
    assert parsed.encode().hex() == octets
    assert str(parsed) == text
    assert DlmsDate.parse(text.rpartition(" ")[0]) == parsed.date
    assert DlmsTime.parse(text.rpartition(" ")[2]) == parsed.time


@pytest.mark.parametrize(
    "text", ["", "2026-11-20", "13:00:30", "x 13:00:30", "2026-11-20 13:00", "*-03-final 7 02:00:00", "2026-11-20 13:00:30\n", "2026-02-30 13:00:30",
     "2026-11-20 24:00:00", "2026-11-20 13:60:00", "*-03-last 8 02:00:00"]
)  # fmt: skip
def test_not_as_printed(text: str) -> None:
    with pytest.raises(DecodeError):
        DlmsDateTime.parse(text)


def _described(decoded: Json) -> Iterator[tuple[str, Json]]:
    """Find the date-times of a vector: their octets and their fields."""
    if isinstance(decoded, dict):
        fields = decoded.get("date_time") or decoded.get("value")
        octets = decoded.get("date_time_hex") or decoded.get("hex")
        if octets and isinstance(fields, dict) and "year" in fields:
            yield octets, fields
        decoded = list(decoded.values())
    if isinstance(decoded, list):
        for value in decoded:
            yield from _described(value)


OTHERS = [
    row
    for row in vectors()
    if row.layer != "date-time" and any(_described(row.decoded))
]


@each(OTHERS)
def test_times_inside_other_vectors(vector: Vector) -> None:
    for octets, fields in _described(vector.decoded):
        data = bytes.fromhex(octets)
        if "deviation" in fields:
            value = date_time_of(fields)
            check_codec(value, data, DlmsDateTime.decode, DlmsDateTime.encode)
        elif "day" in fields:
            check_codec(date_of(fields), data, DlmsDate.decode, DlmsDate.encode)


def test_date_and_time_vectors() -> None:
    rows = {row.decoded.get("type"): row for row in vectors("axdr")}
    fields = rows["time"].decoded["value"]
    octets = rows["time"].octets[1:]
    check_codec(time_of(fields), octets, DlmsTime.decode, DlmsTime.encode)
    fields = rows["date"].decoded["value"]
    octets = rows["date"].octets[1:]
    check_codec(date_of(fields), octets, DlmsDate.decode, DlmsDate.encode)


PARTS = [
    ("17003b63", DlmsTime(23, 0, 59, 99)),
    ("ff00ffff", DlmsTime(None, 0, None, None)),
    ("ff0a00ff", DlmsTime(None, 10, 0, None)),
]


@pytest.mark.parametrize(("octets", "value"), PARTS)
def test_time(octets: str, value: DlmsTime) -> None:
    check_codec(value, bytes.fromhex(octets), DlmsTime.decode, DlmsTime.encode)


RULES = [
    ("fffffefe07", DlmsDate(None, MONTH_DST_BEGIN, DAY_LAST, 7)),
    ("07eafdfdff", DlmsDate(2026, MONTH_DST_END, DAY_SECOND_LAST, None)),
]


@pytest.mark.parametrize(("octets", "value"), RULES)
def test_rules_are_kept(octets: str, value: DlmsDate) -> None:
    check_codec(value, bytes.fromhex(octets), DlmsDate.decode, DlmsDate.encode)
    assert DlmsDateTime(value, DlmsTime(2, 0, 0, 0), -60, None).local() is None


def test_status_keeps_reserved_bits() -> None:
    octets = bytes.fromhex("07e80a1b0702000000ffc4f3")
    status = DlmsDateTime.decode(octets).status
    assert status is not None
    assert (
        ClockStatus.DAYLIGHT_SAVING | ClockStatus.INVALID | ClockStatus.DOUBTFUL
        in status
    )
    assert status == 0xF3
    assert DlmsDateTime.decode(octets).encode() == octets


NOT_A_MOMENT = [
    "ffff0a1b0702000000ffc480",
    "07e8ff1b0702000000ffc480",
    "07e80affff02000000ffc480",
    "07e80a1b07ff000000ffc480",
    "07e80a1b0702ff0000ffc480",
    "07e80a1b070200ff00ffc480",
    "000000000000000000000000",
    "07e90d010000000000000000",
    "07e9021d0000000000000000",
    "07e902010018000000000000",
    "07e902010000003c00000000",
    "07e902010000000064000000",
    "ffffffffffffffffff8000ff",
]


@pytest.mark.parametrize("octets", NOT_A_MOMENT)
def test_what_no_clock_shows_is_kept_but_is_no_moment(octets: str) -> None:
    value = DlmsDateTime.decode(bytes.fromhex(octets))
    assert value.local() is None
    assert value.as_utc() is None
    assert value.encode().hex() == octets


def test_unspecified_hundredths_count_as_none() -> None:
    value = DlmsDateTime.decode(bytes.fromhex("07e80a1bff023b05ff800000"))
    assert value.local() == datetime(2024, 10, 27, 2, 59, 5)  # noqa: DTZ001
    assert value.as_utc() is None
    value = DlmsDateTime.decode(bytes.fromhex("07e80a1bff023b050c000000"))
    assert value.as_utc() == datetime(2024, 10, 27, 2, 59, 5, 120_000, UTC)


@pytest.mark.parametrize(
    "octets", ["000101010000000000ffc400", "270f0c1f05173b3b63003c00"]
)
def test_ends_of_the_calendar(octets: str) -> None:
    value = DlmsDateTime.decode(bytes.fromhex(octets))
    assert value.local() is not None
    assert value.as_utc() is None
    assert value.as_utc(reversed_deviation=True) is not None


MOMENTS = [
    (
        datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")),
        "07e80a1b07021e0000ff8880",
    ),
    (
        datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
        "07e80a1b07021e0000ffc400",
    ),
    (datetime(2026, 1, 1, 12, 0, 0, 990_000, UTC), "07ea010104 0c000063 0000 00"),
    (
        datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        "07ea010104 0c000000 feb6 00",
    ),
    (
        datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("America/St_Johns")),
        "07ea070103 0c000000 0096 80",
    ),
]


@pytest.mark.parametrize(("moment", "octets"), MOMENTS)
def test_from_datetime(moment: datetime, octets: str) -> None:
    value = DlmsDateTime.from_datetime(moment)
    assert value.encode() == bytes.fromhex(octets)
    assert value.as_utc() == moment.astimezone(UTC)
    assert value.local() == moment.replace(tzinfo=None)


def test_from_datetime_wants_a_zone() -> None:
    with pytest.raises(LocalProtocolError, match="time zone"):
        DlmsDateTime.from_datetime(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("decode", "right"),
    [(DlmsDate.decode, 5), (DlmsTime.decode, 4), (DlmsDateTime.decode, 12)],
)
def test_other_sizes_are_refused(decode: object, right: int) -> None:
    assert callable(decode)
    for size in set(range(20)) - {right}:
        with pytest.raises(DecodeError, match=f"{size} octets are not a"):
            decode(bytes(size))


MIDNIGHT = DlmsTime(0, 0, 0, 0)
NEW_YEAR = DlmsDate(2026, 1, 1, 4)


@pytest.mark.parametrize(
    "value",
    [
        DlmsDate(65536, 1, 1, 1),
        DlmsDate(2026, -1, 1, 1),
        DlmsTime(256, 0, 0, 0),
        DlmsDateTime(NEW_YEAR, MIDNIGHT, 32768, None),
        DlmsDateTime(NEW_YEAR, MIDNIGHT, 0, ClockStatus(0x100)),
    ],
)
def test_what_does_not_fit_is_not_sent(
    value: DlmsDate | DlmsTime | DlmsDateTime,
) -> None:
    with pytest.raises(LocalProtocolError):
        value.encode()
