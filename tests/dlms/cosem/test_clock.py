"""What a meter's date-times mean: every rule meters were seen to follow, learned from one look at their clock."""

from datetime import UTC, date, datetime, time, timedelta, timezone
import json
from random import Random
from zoneinfo import ZoneInfo

import pytest

from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDate, DlmsDateTime
from custom_components.dlms_meter.dlms.cosem.clock import (
    DeviationRule,
    MeterClock,
    MomentReader,
)
from custom_components.dlms_meter.dlms.errors import DecodeError
from tests.harness import Vector, each, vectors

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")
SUMMER = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
WINTER = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
STANDARD, REVERSED = DeviationRule.STANDARD, DeviationRule.REVERSED
OF_WINTER, REVERSED_OF_WINTER = (
    DeviationRule.STANDARD_OF_WINTER,
    DeviationRule.REVERSED_OF_WINTER,
)


def stamp(local: str, deviation: int | None, status: int = 0) -> DlmsDateTime:
    """Make a date-time as a meter sends it."""
    moment = datetime.fromisoformat(local).replace(tzinfo=UTC)
    octets = DlmsDateTime.from_datetime(moment).encode()[:9]
    sent = -0x8000 if deviation is None else deviation
    return DlmsDateTime.decode(
        octets + sent.to_bytes(2, signed=True) + bytes((status,))
    )


def read(
    clock: MeterClock, *stamps: DlmsDateTime, zone: ZoneInfo | None = None
) -> list[str | None]:
    """Read date-times one after the other; show the UTC time of day."""
    reader = MomentReader(clock, zone)
    moments = [reader.read(each.encode()) for each in stamps]
    return [f"{moment:%H:%M}" if moment else None for moment in moments]


LOOKS = [
    # what the clock shows at 10:00 UTC, and what follows from it
    (SUMMER, stamp("2026-07-01T12:00", -120, 0x80), MeterClock(standard_offset=60, marks_summer=True)),
    (SUMMER, stamp("2026-07-01T12:04", -120, 0x80), MeterClock(standard_offset=60, marks_summer=True)),
    (WINTER, stamp("2026-12-01T11:00", -60), MeterClock(standard_offset=60)),
    (SUMMER, stamp("2026-07-01T12:00", 120, 0x80), MeterClock(deviation=REVERSED, standard_offset=60, marks_summer=True)),
    (WINTER, stamp("2026-12-01T15:30", 330), MeterClock(deviation=REVERSED, standard_offset=330)),
    (SUMMER, stamp("2026-07-01T12:00", -60, 0x80), MeterClock(deviation=OF_WINTER, standard_offset=60, marks_summer=True)),
    (SUMMER, stamp("2026-07-01T12:00", 60, 0x80), MeterClock(deviation=REVERSED_OF_WINTER, standard_offset=60, marks_summer=True)),
    (SUMMER, stamp("2026-07-01T12:00", 0, 0xFF), MeterClock(deviation=DeviationRule.USELESS, standard_offset=120)),
    (WINTER, stamp("2026-12-01T10:00", 0), MeterClock(standard_offset=0)),
    (WINTER, stamp("2026-12-01T11:00", None), MeterClock(standard_offset=60)),
    (SUMMER, stamp("2026-07-01T12:00", None, 0x80), MeterClock(standard_offset=60, marks_summer=True)),
    # a clock that is wrong tells nothing
    (WINTER, stamp("2026-12-01T11:17", None), MeterClock()),
    (WINTER, stamp("2000-01-01T00:00", -60), MeterClock()),
    (WINTER, DlmsDateTime.decode(b"\xff" * 12), MeterClock()),
]  # fmt: skip


@pytest.mark.parametrize(("now", "shown", "learned"), LOOKS)
def test_learned_from_one_look(
    now: datetime, shown: DlmsDateTime, learned: MeterClock
) -> None:
    clock = MeterClock().learn(shown, now)
    assert clock == learned
    moment = MomentReader(clock).read(shown.encode())
    if learned != MeterClock():
        assert moment is not None
        assert abs(moment - now) < timedelta(minutes=5)


def test_what_one_look_cannot_tell_is_kept() -> None:
    """In winter a deviation of winter looks like any other, and a deviation of 0 has no sign."""
    for known in (OF_WINTER, REVERSED_OF_WINTER):
        sign = -1 if known is OF_WINTER else 1
        clock = MeterClock(deviation=known, standard_offset=60)
        assert clock.learn(stamp("2026-12-01T11:00", sign * 60), WINTER) == clock
    reversed_ = MeterClock(deviation=REVERSED, standard_offset=0)
    assert reversed_.learn(stamp("2026-12-01T10:00", 0), WINTER) == reversed_
    useless = MeterClock(deviation=DeviationRule.USELESS, standard_offset=60)
    assert useless.learn(stamp("2026-12-01T11:00", 240), WINTER) == useless


@pytest.mark.parametrize(
    ("now", "shown", "keeps"),
    [
        (SUMMER, "2026-07-01T11:00", True),
        (SUMMER, "2026-07-01T12:00", False),
        (SUMMER, "2026-07-01T15:30", False),  # some other zone: no opinion
        (WINTER, "2026-12-01T11:00", False),
    ],
)
def test_meters_that_know_no_summer_time(
    now: datetime, shown: str, keeps: bool
) -> None:
    clock = MeterClock().learn(stamp(shown, None), now, BERLIN)
    assert clock.keeps_winter_time is keeps
    assert read(clock, stamp("2026-07-02T12:00", None), zone=BERLIN) == [
        "11:00" if keeps else "10:00"
    ]
    assert clock.learn(stamp("2026-12-01T11:00", None), WINTER, BERLIN).keeps_winter_time is keeps  # fmt: skip


@pytest.mark.parametrize("hours", [-1, 1, 2])
@pytest.mark.parametrize(("now", "status"), [(SUMMER, 0x80), (WINTER, 0)])
def test_clock_that_is_wrong_by_hours_is_wrong_where_the_place_is_known(
    now: datetime, status: int, hours: int
) -> None:
    """It is not taken for one that means something else by its deviation."""
    shown = (now + timedelta(hours=hours)).astimezone(BERLIN)
    offset = shown.utcoffset()
    assert offset is not None
    deviation = -(offset // timedelta(minutes=1))
    wrong = stamp(shown.replace(tzinfo=None).isoformat(), deviation, status)
    clock = MeterClock().learn(wrong, now, BERLIN)
    assert clock.moment(wrong, BERLIN, now=now) == now + timedelta(hours=hours)
    before = MeterClock(deviation=REVERSED, standard_offset=60)
    assert before.learn(wrong, now, BERLIN).deviation in (
        REVERSED,
        DeviationRule.USELESS,
    )


SENT = [row for row in vectors("date-time") if "utc_if_standard_sign" in row.decoded]


@each(SENT)
def test_captured_date_times(vector: Vector) -> None:
    for rule, key in (
        (STANDARD, "utc_if_standard_sign"),
        (REVERSED, "utc_if_reversed_sign"),
    ):
        moment = MomentReader(MeterClock(deviation=rule)).read(vector.octets)
        assert moment is not None
        moment = moment.replace(microsecond=0)
        assert moment == datetime.fromisoformat(vector.decoded[key])


def test_the_vectors_are_there() -> None:
    assert len(SENT) >= 5


@each(vectors("date-time"))
def test_reads_as_its_plain_twin(vector: Vector) -> None:
    """`MomentReader` reads octets by itself, to be fast."""
    plain = DlmsDateTime.decode(vector.octets)
    assert MomentReader(MeterClock()).read(vector.octets) == plain.as_utc()


@pytest.mark.parametrize(
    "octets",
    [
        "07ea0c01020a0000ffffc400",  # hundredths unspecified
        "07ea0c01020a000032ffc400",  # half a second
        "ffff0c01020a000000ffc400", "07eaff01020a000000ffc400", "07ea0cff020a000000ffc400",
        "07ea0c0102ff000000ffc400", "07ea0c01020aff0000ffc400", "07ea0c01020a00ff00ffc400",
        "07eafe01020a000000ffc400", "07ea0cfe020a000000ffc400", "07ea0200020a000000ffc400",
        "000101010100000000ffc400", "270f0c1f0517000000fc1800", "07ea0c01020a000000800000",
    ],
)  # fmt: skip
def test_odd_date_times_read_as_their_plain_twin(octets: str) -> None:
    plain = DlmsDateTime.decode(bytes.fromhex(octets))
    assert MomentReader(MeterClock()).read(bytes.fromhex(octets)) == plain.as_utc()


@pytest.mark.parametrize("zone", [None, BERLIN])
def test_what_is_remembered_of_the_stamps_before_changes_nothing(
    zone: ZoneInfo | None,
) -> None:
    """A day and its times are read once, and read again as by a reader that never saw them."""
    random = Random(1)
    dates = [date(2026, 10, 24) + timedelta(days=day) for day in range(4)]
    dates += [date.min, date.max]
    remembers = MomentReader(MeterClock(), zone)
    for _ in range(3000):
        octets = bytearray(
            DlmsDateTime.from_datetime(
                datetime.combine(
                    random.choice(dates),
                    time(random.randrange(24), random.choice((0, 30))),
                    UTC,
                )
            ).encode()
        )
        octets[7:9] = random.choice(
            (b"\x00\x00", b"\x00\xff", b"\x0f\x32", b"\x3c\x00")
        )
        octets[9:] = random.choice(
            (b"\xff\xc4\x00", b"\xff\x88\x80", b"\x00\x00\xff", b"\x03\x48\x00")
        )
        alone = MomentReader(MeterClock(), zone)
        assert remembers.read(bytes(octets)) == alone.read(bytes(octets)), octets.hex()


def test_more_times_of_the_day_than_are_remembered() -> None:
    """Every second of an hour."""
    reader, noon = MomentReader(MeterClock()), datetime(2026, 7, 1, 12, tzinfo=UTC)
    for second in range(3600):
        moment = noon + timedelta(seconds=second)
        octets = DlmsDateTime.from_datetime(moment).encode()
        assert reader.read(octets) == moment


@pytest.mark.parametrize(
    "stamp_", [None, b"", bytes(11), "2026", 1.5, 10**20, -(10**20)]
)
def test_what_is_no_time(stamp_: bytes | str | float | None) -> None:
    assert MomentReader(MeterClock()).read(stamp_) is None


def test_unix_time() -> None:
    moment = MomentReader(MeterClock()).read(1_782_900_000)
    assert moment == datetime.fromtimestamp(1_782_900_000, UTC)


NIGHT = ["2026-10-25T01:30", "2026-10-25T02:00", "2026-10-25T02:30"]
SECOND_NIGHT = ["2026-10-25T02:00", "2026-10-25T02:30", "2026-10-25T03:00"]
ONE_AFTER_ANOTHER = ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"]


@pytest.mark.parametrize(
    ("deviations", "statuses", "clock", "zone"),
    [
        ((-120, -60), (0x80, 0), MeterClock(), None),
        ((120, 60), (0x80, 0), MeterClock(deviation=REVERSED), None),
        ((-60, -60), (0x80, 0), MeterClock(deviation=OF_WINTER), None),
        ((-60, -60), (0x80, 0), MeterClock(), BERLIN),  # seen through without having seen the clock in summer
        ((None, None), (0x80, 0), MeterClock(standard_offset=60), None),
        ((None, None), (0x80, 0), MeterClock(), BERLIN),
        ((None, None), (0xFF, 0xFF), MeterClock(), BERLIN),  # by their order alone
        ((0, 0), (0, 0), MeterClock(deviation=DeviationRule.USELESS), BERLIN),
    ],
)  # fmt: skip
def test_the_hour_that_comes_twice(
    deviations: tuple[int | None, int | None],
    statuses: tuple[int, int],
    clock: MeterClock,
    zone: ZoneInfo | None,
) -> None:
    stamps = [stamp(each, deviations[0], statuses[0]) for each in NIGHT]
    stamps += [stamp(each, deviations[1], statuses[1]) for each in SECOND_NIGHT]
    assert read(clock, *stamps, zone=zone) == ONE_AFTER_ANOTHER


def test_the_second_hour_alone_is_known_where_summer_is_marked() -> None:
    marked = stamp("2026-10-24T12:00", None, 0x80)
    twice = stamp("2026-10-25T02:30", None)
    assert read(MeterClock(), marked, twice, zone=BERLIN) == ["10:00", "01:30"]
    assert read(MeterClock(), twice, zone=BERLIN) == ["00:30"]


def test_the_second_hour_is_known_of_a_clock_that_was_seen_to_mark_summer() -> None:
    clock = MeterClock().learn(stamp("2026-07-01T12:00", None, 0x80), SUMMER, BERLIN)
    for shown, status, moment in (
        ("2026-10-25T02:30", 0, "01:30"),
        ("2026-10-25T02:30", 0x80, "00:30"),
        ("2026-10-25T03:00", 0, "02:00"),
    ):
        assert read(clock, stamp(shown, None, status), zone=BERLIN) == [moment]


@pytest.mark.parametrize("seconds_off", [-300, 0, 300])
def test_what_the_clock_shows_now_is_the_nearer_of_both_hours(seconds_off: int) -> None:
    """All through the night, of a clock that says neither deviation nor summer time."""
    midnight = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)
    for minutes in range(0, 300, 15):
        now = midnight + timedelta(minutes=minutes)
        off = timedelta(seconds=seconds_off)
        local = (now + off).astimezone(BERLIN).replace(tzinfo=None).isoformat()
        shown = stamp(local, None, 0xFF)
        assert MeterClock().moment(shown, BERLIN, now=now) == now + off


def test_a_moment_by_itself() -> None:
    moment = MeterClock(deviation=REVERSED).moment(stamp("2026-07-01T12:00", 120))
    assert moment == SUMMER
    assert MeterClock().moment(DlmsDateTime.decode(b"\xff" * 12), BERLIN) is None
    day = DlmsDate(2026, 7, 1, None)
    midnight = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)
    assert MeterClock().moment(day, BERLIN) == midnight
    assert MeterClock().moment(int(SUMMER.timestamp()), BERLIN) == SUMMER


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("octets", "zone", "moment"),
    [
        ("07EA0714020D001E00FF8880", NEW_YORK, "2026-07-20T11:00:30+00:00"),
        ("07EA0714020D001E00800080", BERLIN, "2026-07-20T11:00:30+00:00"),
        ("07EA0714020D001E00800080", NEW_YORK, "2026-07-20T17:00:30+00:00"),
        ("07EAFF14FF0D001E00800000", BERLIN, None),
        # A day that means "never" may be out of the calendar in UTC.
        ("270F0C1F05173B3B00800000", BERLIN, "9999-12-31T22:59:59+00:00"),
        ("270F0C1F05173B3B00800000", NEW_YORK, None),
        ("000101010100000000800000", BERLIN, None),
    ],
)
def test_moments_wherever_the_calendar_ends(
    octets: str, zone: ZoneInfo, moment: str | None
) -> None:
    meant = MeterClock().moment(DlmsDateTime.decode(bytes.fromhex(octets)), zone)
    assert (meant and meant.isoformat()) == moment


def test_the_hour_that_never_comes() -> None:
    """A meter that changes its clock late shows times in March that its country skips."""
    skipped = stamp("2026-03-29T02:30", None)
    assert read(MeterClock(), skipped, skipped, zone=BERLIN) == ["01:30", "01:30"]


def test_without_deviation_zone_or_clock_nobody_knows() -> None:
    assert read(MeterClock(), stamp("2026-07-01T12:00", None)) == [None]


MOMENT = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("clock", "zone", "written"),
    [
        (MeterClock(), BERLIN, stamp("2026-07-01T12:00", -120, 0x80)),
        (MeterClock(deviation=REVERSED), BERLIN, stamp("2026-07-01T12:00", 120, 0x80)),
        (MeterClock(deviation=OF_WINTER), BERLIN, stamp("2026-07-01T12:00", -60, 0x80)),
        (MeterClock(deviation=REVERSED_OF_WINTER), BERLIN, stamp("2026-07-01T12:00", 60, 0x80)),
        (MeterClock(standard_offset=330), None, stamp("2026-07-01T15:30", -330)),
        (MeterClock(standard_offset=60, keeps_winter_time=True), BERLIN, stamp("2026-07-01T11:00", -60)),
        (MeterClock(), None, stamp("2026-07-01T10:00", 0)),
    ],
)  # fmt: skip
def test_written_as_the_meter_would(
    clock: MeterClock, zone: ZoneInfo | None, written: DlmsDateTime
) -> None:
    assert clock.write(MOMENT, zone) == written
    assert MomentReader(clock, zone).read(written.encode()) == MOMENT
    bare = clock.write(MOMENT, zone, with_deviation=False)
    assert (bare.deviation, bare.local()) == (None, written.local())


def test_written_in_its_own_zone_when_the_meters_is_not_known() -> None:
    moment = MOMENT.astimezone(timezone(timedelta(hours=3)))
    assert MeterClock().write(moment) == stamp("2026-07-01T13:00", -180)


@pytest.mark.parametrize(
    "clock",
    [
        MeterClock(),
        MeterClock(deviation=REVERSED, keeps_winter_time=True, standard_offset=-90),
        MeterClock(marks_summer=True),
    ],
)
def test_survives_storage(clock: MeterClock) -> None:
    assert MeterClock.from_storage(json.loads(json.dumps(clock.to_storage()))) == clock


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"deviation": "odd", "keeps_winter_time": False, "standard_offset": None},
        {"deviation": "standard", "keeps_winter_time": False, "standard_offset": "x"},
        {"deviation": "standard", "keeps_winter_time": False, "standard_offset": []},
    ],
)
def test_storage_of_something_else(stored: dict[str, object]) -> None:
    with pytest.raises(DecodeError, match="not a stored meter clock"):
        MeterClock.from_storage(stored)
