"""Reading profiles: right rows from every meter there is, in as few turns as it allows, and fewer the next time."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
import json
from typing import override
from zoneinfo import ZoneInfo

import pytest

from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.clock import CLOCK, DeviationRule
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.meter_memory import MeterMemory
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.profile import ProfileRows
from custom_components.dlms_meter.dlms.cosem.profile_buffer import ReadMany
from custom_components.dlms_meter.dlms.cosem.profile_memory import Way
from custom_components.dlms_meter.dlms.cosem.profile_reading import read_profile
from custom_components.dlms_meter.dlms.cosem.profile_selection import (
    EntryRange,
    LastEntries,
    Selection,
    TimeRange,
    WholeBuffer,
)
from custom_components.dlms_meter.dlms.cosem.selective_access import BY_RANGE
from custom_components.dlms_meter.dlms.errors import (
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
)
from tests.simulator.objects import MeterObject, Query
from tests.simulator.profiles import NO_OBJECT
from tests.simulator.settings import (
    ColumnChoice,
    Quirks,
    RangeAnswer,
    RangeForm,
    SentDeviation,
)

from .profiled import (
    BUFFER,
    CLOCK_COLUMN,
    COUNT,
    ENERGY,
    ENERGY_COLUMN,
    FIRST,
    NOW,
    PROFILE,
    QUARTER,
    STATUS,
    STATUS_COLUMN,
    UNIX_COLUMN,
    VOLTAGE,
    VOLTAGE_COLUMN,
    Caller,
    energy_at,
    make_meter,
    objects,
)

BERLIN = ZoneInfo("Europe/Berlin")
ALL = [FIRST + n * QUARTER for n in range(1, COUNT + 1)]
SINCE = FIRST + timedelta(days=1)
"""From before the end of summer time to this day."""
FORMS = {
    Way.RANGE: RangeForm(tagged=False, with_deviation=True),
    Way.RANGE_LOCAL: RangeForm(tagged=False, with_deviation=False),
    Way.RANGE_TAGGED: RangeForm(tagged=True, with_deviation=True),
    Way.RANGE_TAGGED_LOCAL: RangeForm(tagged=True, with_deviation=False),
}
NO_RANGE = Quirks(range_forms=frozenset())


def read(
    caller: Caller,
    selection: Selection,
    *,
    columns: Collection[AttributeDescriptor] | None = None,
    time_zone: tzinfo | None = BERLIN,
) -> ProfileRows:
    reading = read_profile(
        PROFILE,
        selection,
        caller.memory,
        caller.scaler_units,
        now=caller.meter.now(),
        columns=columns,
        time_zone=time_zone,
    )
    return caller.drive(reading)


def check(rows: ProfileRows, moments: Iterable[datetime]) -> None:
    """Check the moments of rows with all columns, and that the values belong to them."""
    assert list(rows.moments) == list(moments)
    places = [column.capture_object.attribute for column in rows.columns]
    energy, voltage = places.index(ENERGY), places.index(VOLTAGE)
    for row in rows:
        assert row.moment is not None
        assert row.values[energy] == Decimal(energy_at(row.moment) * 10)
        assert row.values[voltage] == Decimal(2300 + row.moment.hour) / 10


def since(moment: datetime) -> list[datetime]:
    return [each for each in ALL if each >= moment]


SELECTIONS: list[tuple[Selection, list[datetime]]] = [
    (WholeBuffer(), ALL),
    (TimeRange(SINCE), since(SINCE)),
    (
        TimeRange(SINCE.astimezone(BERLIN), SINCE + timedelta(hours=6)),
        since(SINCE)[:25],
    ),
    (TimeRange(NOW - timedelta(minutes=20)), ALL[-1:]),
    (TimeRange(NOW), []),
    (TimeRange(datetime.max.replace(tzinfo=UTC)), []),
    (
        TimeRange(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        ALL,
    ),
    (LastEntries(1), ALL[-1:]),
    (LastEntries(10**12), ALL),
    (LastEntries(100), ALL[-100:]),
    (EntryRange(1), ALL),
]
QUIRKS = {
    "none": Quirks(),
    "reversed deviation": Quirks(sent_deviation=SentDeviation.REVERSED),
    "deviation of winter": Quirks(sent_deviation=SentDeviation.OF_WINTER),
    "no deviation": Quirks(sent_deviation=SentDeviation.NONE),
    "no deviation, no status": Quirks(sent_deviation=SentDeviation.NONE, marks_summer=False),
    "winter time all year": Quirks(keeps_winter_time=True),
    **{
        f"only {way.value}": Quirks(range_forms=frozenset({form}))
        for way, form in FORMS.items()
    },
    "no range": NO_RANGE,
    "no range, no entries": replace(NO_RANGE, takes_entries=False),
    "no entries": Quirks(takes_entries=False),
    "range ignored": Quirks(range_answer=RangeAnswer.IGNORE),
    "entries ignored": Quirks(ignores_entries=True),
    "entries ignored, no range": replace(NO_RANGE, ignores_entries=True),
    "entries ignored, newest first": Quirks(ignores_entries=True, newest_first=True),
    "range and entries ignored": Quirks(range_answer=RangeAnswer.IGNORE, ignores_entries=True),
    "range finds nothing": Quirks(range_answer=RangeAnswer.NOTHING),
    "range finds nothing, no entries": Quirks(range_answer=RangeAnswer.NOTHING, takes_entries=False),
    "range misread": Quirks(range_answer=RangeAnswer.MISREAD),
    "range misread, no entries": Quirks(range_answer=RangeAnswer.MISREAD, takes_entries=False),
    "newest first": Quirks(newest_first=True),
    "newest first, no range": replace(NO_RANGE, newest_first=True),
    "newest first, says otherwise": replace(NO_RANGE, newest_first=True, claims_newest_first=False),
    "oldest first, says otherwise": replace(NO_RANGE, newest_first=False, claims_newest_first=True),
    "answers backwards": Quirks(answers_backwards=True),
    "answers backwards, no range": replace(NO_RANGE, answers_backwards=True),
    "sorted by value": replace(NO_RANGE, sorted_by_value=True),
    "compressed": Quirks(compressed=True),
    "compressed, newest first": Quirks(compressed=True, newest_first=True),
    "compressed, no range": replace(NO_RANGE, compressed=True),
    "compact": Quirks(compact=True),
    "no whole buffer": Quirks(gives_whole_buffer=False),
    "period not told": Quirks(refused_attributes=frozenset({4})),
    "period not told, no range": replace(NO_RANGE, refused_attributes=frozenset({4})),
    "sort object not told": Quirks(refused_attributes=frozenset({6})),
    "entries in use not told": Quirks(refused_attributes=frozenset({7})),
    "entries in use not told, no range": replace(NO_RANGE, refused_attributes=frozenset({7})),
}  # fmt: skip


@pytest.mark.parametrize("quirks", QUIRKS.values(), ids=QUIRKS.keys())
@pytest.mark.parametrize(("selection", "moments"), SELECTIONS)
def test_every_selection_from_every_meter(
    quirks: Quirks, selection: Selection, moments: list[datetime]
) -> None:
    """Right the first time, right again with what was learned, and then in at most as many turns."""
    caller = Caller(make_meter(quirks))
    check(read(caller, selection), moments)
    turns = len(caller.asked)
    stored = json.loads(json.dumps(caller.memory.to_storage()))
    caller.memory = MeterMemory.from_storage(stored)
    check(read(caller, selection), moments)
    assert len(caller.asked) <= turns
    # What one question taught must not spoil others.
    for other, expected in (SELECTIONS[2], SELECTIONS[-2]):
        check(read(caller, other), expected)


def test_a_good_meter_takes_three_turns_and_then_one() -> None:
    """Profile and clock, rows, scalers; from then on the rows alone."""
    caller = Caller(make_meter())
    read(caller, TimeRange(SINCE))
    assert [type(step).__name__ for step in caller.asked] == [
        "ReadMany", "ReadPart", "ReadMany",
    ]  # fmt: skip
    assert caller.memory.profiles[PROFILE].works == {Way.RANGE: True}
    read(caller, TimeRange(NOW - timedelta(hours=1)))
    assert caller.selectors == [1]
    assert len(caller.asked) == 1


@pytest.mark.parametrize("way", FORMS)
def test_the_form_of_range_a_meter_takes_is_remembered(way: Way) -> None:
    caller = Caller(make_meter(Quirks(range_forms=frozenset({FORMS[way]}))))
    read(caller, TimeRange(SINCE))
    assert caller.memory.profiles[PROFILE].works[way]
    check(read(caller, TimeRange(SINCE)), since(SINCE))
    assert caller.selectors == [1]


@pytest.mark.parametrize(
    ("quirks", "selectors"),
    [
        (NO_RANGE, [2]),
        (replace(NO_RANGE, takes_entries=False), [0]),
        (Quirks(range_answer=RangeAnswer.IGNORE), [2]),
        (Quirks(range_answer=RangeAnswer.NOTHING), [2]),
        (Quirks(range_answer=RangeAnswer.NOTHING, takes_entries=False), [0]),
    ],
)
def test_what_does_not_work_is_not_tried_again(
    quirks: Quirks, selectors: list[int]
) -> None:
    caller = Caller(make_meter(quirks))
    read(caller, TimeRange(SINCE))
    read(caller, TimeRange(SINCE))
    assert caller.selectors == selectors


class BusyOnce(Caller):
    """Reads a meter that has no time for the first question to a buffer."""

    @override
    def get(
        self, attribute: AttributeDescriptor, access: SelectiveAccess | None = None
    ) -> Data | ServiceError:
        if access is not None and self.selectors == [BY_RANGE]:
            return ServiceError("not now", DataAccessResult.TEMPORARY_FAILURE)
        return super().get(attribute, access)


def test_what_fails_for_the_moment_is_tried_again() -> None:
    caller = BusyOnce(make_meter())
    check(read(caller, TimeRange(SINCE)), since(SINCE))
    works = caller.memory.profiles[PROFILE].works
    assert (works.get(Way.RANGE), works[Way.RANGE_LOCAL]) == (None, True)


def test_a_misread_range_is_found_out_by_a_small_question() -> None:
    """The meter takes the deviation the wrong way round, except where there is none."""
    caller = Caller(make_meter(Quirks(range_answer=RangeAnswer.MISREAD)))
    check(read(caller, TimeRange(SINCE)), since(SINCE))
    works = caller.memory.profiles[PROFILE].works
    assert (works[Way.RANGE], works[Way.RANGE_LOCAL]) == (False, True)


def test_a_meter_that_ignores_ranges_is_found_out_where_all_rows_were_wanted() -> None:
    """Everything was right as an answer, but is not where the newest row alone is asked for."""
    caller = Caller(make_meter(Quirks(range_answer=RangeAnswer.IGNORE)))
    check(read(caller, TimeRange(FIRST - timedelta(days=9))), ALL)
    works = caller.memory.profiles[PROFILE].works
    assert not any(works.get(way) for way in FORMS)


def test_an_answer_that_may_be_right_is_proven_right_by_the_newest_row() -> None:
    """The profile does not reach back as far as was asked: that is no fault of the range."""
    caller = Caller(make_meter())
    check(read(caller, TimeRange(FIRST - timedelta(days=9))), ALL)
    assert caller.selectors == [1, 2, 1]
    assert caller.memory.profiles[PROFILE].works == {Way.RANGE: True}


def test_an_empty_answer_proves_nothing() -> None:
    """Nothing was captured yet: ranges may work, or not."""
    meter = make_meter(now=FIRST)
    caller = Caller(meter)
    assert not read(caller, TimeRange(FIRST - timedelta(days=1)))
    works = caller.memory.profiles[PROFILE].works
    assert not any(way.is_range for way in works)


@pytest.mark.parametrize(
    ("start", "proven"), [(SINCE, True), (FIRST - timedelta(days=9), None)]
)
def test_doubts_are_resolved_by_the_whole_buffer(
    start: datetime, proven: bool | None
) -> None:
    """Without entries and capture period: unless all rows were asked for, the same rows prove a range right."""
    quirks = Quirks(takes_entries=False, refused_attributes=frozenset({4}))
    caller = Caller(make_meter(quirks))
    check(read(caller, TimeRange(start)), since(start))
    assert caller.memory.profiles[PROFILE].works.get(Way.RANGE) is proven


def test_a_range_refused_while_it_is_examined() -> None:
    """The meter takes a range of days, but no range of one moment."""
    caller = Caller(
        make_meter(table=objects(), quirks=Quirks(least_range=timedelta(hours=1)))
    )
    check(read(caller, TimeRange(FIRST - timedelta(days=9))), ALL)
    works = caller.memory.profiles[PROFILE].works
    assert (works[Way.RANGE], works[Way.RANGE_LOCAL]) == (False, True)


def test_doubts_that_nothing_resolves() -> None:
    """Neither entries nor the whole buffer: the longest answer has to do."""
    quirks = Quirks(takes_entries=False, gives_whole_buffer=False)
    caller = Caller(make_meter(quirks))
    check(read(caller, TimeRange(FIRST - timedelta(days=9))), ALL)


def test_pauses_while_many_rows_are_read() -> None:
    caller = Caller(make_meter())
    read(caller, WholeBuffer())
    assert caller.pauses >= 2 * COUNT // 200


# Entries


def entries(*numbers: int) -> list[datetime]:
    return [ALL[number - 1] for number in numbers]


@pytest.mark.parametrize(
    "quirks", [Quirks(), Quirks(takes_entries=False), Quirks(ignores_entries=True)]
)
@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_entries_by_their_numbers(
    quirks: Quirks, newest_first: bool, compressed: bool
) -> None:
    """Compressed, only the first row tells its time: their order is what the sort method says."""
    quirks = replace(quirks, newest_first=newest_first, compressed=compressed)
    caller = Caller(make_meter(quirks))
    numbers = range(COUNT, COUNT - 3, -1) if newest_first else range(1, 4)
    check(read(caller, EntryRange(1, 3)), sorted(entries(*numbers)))
    numbers = range(1, 3) if newest_first else range(COUNT - 1, COUNT + 1)
    check(read(caller, EntryRange(COUNT - 1)), entries(*numbers))
    check(read(caller, EntryRange(COUNT + 5, COUNT + 9)), [])


def test_entries_of_a_meter_that_does_not_tell_how_many_there_are() -> None:
    quirks = Quirks(refused_attributes=frozenset({7}))
    caller = Caller(make_meter(quirks))
    check(read(caller, EntryRange(COUNT - 1)), entries(COUNT - 1, COUNT))


def test_the_newest_of_few_entries() -> None:
    """Too few to show in which order they are; their times still tell."""
    now = FIRST + 2 * QUARTER
    for newest_first in (False, True):
        quirks = Quirks(newest_first=newest_first)
        caller = Caller(make_meter(quirks, now=now))
        check(read(caller, LastEntries(1)), ALL[1:2])
        check(read(caller, LastEntries(5)), ALL[:2])
    empty = Caller(make_meter(now=FIRST))
    assert not read(empty, LastEntries(5))


def test_the_newest_entries_are_remembered_to_be_first() -> None:
    quirks = replace(NO_RANGE, newest_first=True, claims_newest_first=False)
    caller = Caller(make_meter(quirks))
    check(read(caller, LastEntries(5)), ALL[-5:])
    assert caller.selectors == [2, 2]
    check(read(caller, LastEntries(5)), ALL[-5:])
    assert caller.selectors == [2]


# Columns


@pytest.mark.parametrize("choice", ColumnChoice)
@pytest.mark.parametrize("selection", [TimeRange(SINCE), LastEntries(9), WholeBuffer()])
@pytest.mark.parametrize("wanted", [[ENERGY], [VOLTAGE], [STATUS, ENERGY], [CLOCK]])
def test_chosen_columns(
    choice: ColumnChoice, selection: Selection, wanted: list[AttributeDescriptor]
) -> None:
    caller = Caller(make_meter(Quirks(column_choice=choice)))
    everything = read(Caller(make_meter()), selection)
    places = [
        place
        for place, column in enumerate(everything.columns)
        if column.capture_object.attribute in wanted
    ]
    for _ in range(2):
        rows = read(caller, selection, columns=wanted)
        assert rows.columns == tuple(everything.columns[place] for place in places)
        assert rows.moments == everything.moments
        for row, whole in zip(rows, everything, strict=True):
            assert row.values == tuple(whole.values[place] for place in places)
    turns = 2 if isinstance(selection, LastEntries) else 1  # how many are there now?
    assert len(caller.asked) == turns


@pytest.mark.parametrize("choice", ColumnChoice)
def test_whether_columns_can_be_chosen_is_remembered(choice: ColumnChoice) -> None:
    caller = Caller(make_meter(Quirks(column_choice=choice)))
    read(caller, TimeRange(SINCE), columns=[ENERGY])
    remembered = caller.memory.profiles[PROFILE].selects_columns
    assert remembered is (choice is ColumnChoice.OBEY)
    read(caller, TimeRange(SINCE), columns=[ENERGY])
    assert caller.selectors == [1]


def test_scalers_of_chosen_columns_only() -> None:
    caller = Caller(make_meter())
    read(caller, TimeRange(SINCE), columns=[ENERGY])
    assert set(caller.scaler_units) == {ENERGY._replace(attribute_id=3)}


@pytest.mark.parametrize("quirks", [Quirks(), replace(NO_RANGE, takes_entries=False)])
def test_no_rows_of_chosen_columns(quirks: Quirks) -> None:
    """That shows nothing about choosing columns."""
    caller = Caller(make_meter(quirks, now=FIRST))
    assert not read(caller, TimeRange(FIRST), columns=[ENERGY])
    assert caller.memory.profiles[PROFILE].selects_columns is None


def test_a_column_it_has_not() -> None:
    caller = Caller(make_meter())
    other = AttributeDescriptor(3, Obis.parse("1-0:2.8.0"), 2)
    with pytest.raises(LocalProtocolError, match=r"does not capture 3/1-0:2\.8\.0"):
        read(caller, WholeBuffer(), columns=[other])


def test_a_register_that_tells_no_scaler() -> None:
    """Its numbers come as they were sent, and the column says so."""
    table = [each for each in objects() if each.logical_name != ENERGY.logical_name]
    caller = Caller(make_meter(table=table))
    rows = read(caller, LastEntries(1), columns=[ENERGY, VOLTAGE])
    energy, voltage = rows.columns
    assert (energy.scaler_unit, energy.symbol, voltage.symbol) == (None, "", "V")
    assert rows[0].values[0] == Decimal(energy_at(ALL[-1]))


def test_columns_are_read_anew_when_rows_show_that_they_changed() -> None:
    caller = Caller(make_meter())
    read(caller, LastEntries(3))
    columns = (CLOCK_COLUMN, ENERGY_COLUMN)
    caller.meter = make_meter(table=objects(columns))
    rows = read(caller, LastEntries(3))
    assert [str(column.capture_object) for column in rows.columns] == [
        str(CLOCK), str(ENERGY),
    ]  # fmt: skip
    assert list(rows.moments) == ALL[-3:]


def test_columns_that_cannot_be_read_anew() -> None:
    caller = Caller(make_meter())
    read(caller, LastEntries(3))
    memory = caller.memory.profiles[PROFILE]
    known = memory.capture_objects = memory.capture_objects[:3]
    caller.meter = make_meter(Quirks(refused_attributes=frozenset({3})))
    with pytest.raises(ServiceError):
        read(caller, WholeBuffer())
    assert memory.capture_objects == known


def hybrid(said: list[MeterObject], sent: list[MeterObject]) -> list[MeterObject]:
    """Make a profile whose buffer is that of another one."""
    attributes = list(said[-1].attributes)
    attributes[BUFFER.attribute_id - 1] = sent[-1].attributes[BUFFER.attribute_id - 1]
    return [*said[:-1], replace(said[-1], attributes=tuple(attributes))]


def test_columns_that_never_fit() -> None:
    """The meter says that it captures less than it sends."""
    caller = Caller(
        make_meter(table=hybrid(objects((CLOCK_COLUMN, ENERGY_COLUMN)), objects()))
    )
    for columns in (None, [ENERGY]):
        with pytest.raises(RemoteProtocolError, match="rows of 4 where 2 are captured"):
            read(caller, WholeBuffer(), columns=columns)


def test_rows_of_more_columns_than_chosen_but_not_all() -> None:
    """The meter drops a column on its own, whatever it is asked for."""
    said, sent = objects(), objects((CLOCK_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN))
    caller = Caller(
        make_meter(Quirks(column_choice=ColumnChoice.IGNORE), table=hybrid(said, sent))
    )
    with pytest.raises(RemoteProtocolError, match="rows of 3 where 4 are captured"):
        read(caller, LastEntries(3), columns=[ENERGY])


@pytest.mark.parametrize(
    ("selection", "selectors"),
    [(WholeBuffer(), [0]), (TimeRange(SINCE), [1, 1, 1, 1, 2])],
)
def test_chosen_columns_refused_by_a_meter_that_took_them_before(
    selection: Selection, selectors: list[int]
) -> None:
    """The columns are not the reason: it is not asked for all of them in vain."""
    caller = Caller(make_meter())
    read(caller, TimeRange(SINCE), columns=[ENERGY])
    caller.meter = make_meter(NO_RANGE)
    rows = read(caller, selection, columns=[ENERGY])
    assert list(rows.moments)[-1] == ALL[-1]
    assert caller.selectors == selectors
    assert caller.memory.profiles[PROFILE].selects_columns


def test_rows_that_fit_neither_the_chosen_columns_nor_all() -> None:
    """What was captured has changed: all columns are asked for, and what they are."""
    caller = Caller(make_meter())
    read(caller, LastEntries(3))
    memory = caller.memory.profiles[PROFILE]
    caller.meter = make_meter(
        Quirks(column_choice=ColumnChoice.IGNORE),
        table=objects((CLOCK_COLUMN, STATUS_COLUMN, ENERGY_COLUMN)),
    )
    assert len(memory.capture_objects) == 4
    rows = read(caller, TimeRange(SINCE), columns=[ENERGY])
    assert list(rows.moments) == since(SINCE)


# Times


@pytest.mark.parametrize(
    ("least_range", "selectors"), [(timedelta(), [1]), (timedelta(days=999), [1, 2])]
)
def test_a_profile_with_unix_time(least_range: timedelta, selectors: list[int]) -> None:
    """There is one form of range only; when that is refused, entries are next."""
    table = objects((UNIX_COLUMN, ENERGY_COLUMN))
    caller = Caller(make_meter(Quirks(least_range=least_range), table=table))
    rows = read(caller, TimeRange(SINCE))
    assert list(rows.moments) == since(SINCE)
    assert caller.selectors == selectors
    assert caller.parts[0].access is not None
    sent = caller.parts[0].access.parameters.value
    assert isinstance(sent, tuple)
    assert sent[1] == Data(DataType.DOUBLE_LONG_UNSIGNED, int(SINCE.timestamp()))


TWO_TIMES = {
    "clock first": objects((CLOCK_COLUMN, UNIX_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN)),
    "clock second, and sorted by": objects(
        (UNIX_COLUMN, CLOCK_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN),
        restricted_by=CLOCK_COLUMN,
    ),
    "seconds last, and sorted by": objects(
        (CLOCK_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN, UNIX_COLUMN),
        restricted_by=UNIX_COLUMN,
    ),
    "sorted by none": objects(
        (ENERGY_COLUMN, CLOCK_COLUMN, VOLTAGE_COLUMN, UNIX_COLUMN),
        sort_object=NO_OBJECT,
    ),
}


@pytest.mark.parametrize("table", TWO_TIMES.values(), ids=TWO_TIMES)
@pytest.mark.parametrize(
    "quirks",
    [
        Quirks(),
        NO_RANGE,
        replace(NO_RANGE, compressed=True),
        replace(NO_RANGE, answers_backwards=True),
    ],
    ids=["good", "no range", "compressed", "backwards"],
)
@pytest.mark.parametrize(
    ("selection", "moments"),
    [
        (EntryRange(3, 9), ALL[2:9]),
        (LastEntries(5), ALL[-5:]),
        (TimeRange(SINCE), since(SINCE)),
    ],
)
def test_two_columns_of_times(
    table: list[MeterObject],
    quirks: Quirks,
    selection: Selection,
    moments: list[datetime],
) -> None:
    """By number as well as by time, of all columns and of some, each row belongs to its moment."""
    seconds = AttributeDescriptor(1, Obis.parse("0-0:1.1.0"), 2)
    for columns in (None, [VOLTAGE], [ENERGY, seconds], [CLOCK, ENERGY]):
        caller = Caller(make_meter(quirks, table=table))
        for _ in range(2):
            rows = read(caller, selection, columns=columns)
            assert list(rows.moments) == moments
            right: dict[AttributeDescriptor, list[object]] = {
                ENERGY: [energy_at(each) * 10 for each in moments],
                VOLTAGE: [Decimal(2300 + each.hour) / 10 for each in moments],
                seconds: [int(each.timestamp()) for each in moments],
            }
            for place, column in enumerate(rows.columns):
                expected = right.get(column.capture_object.attribute, [])
                pairs = zip((row.values[place] for row in rows), expected, strict=False)
                assert all(value in (None, each) for value, each in pairs)


def test_a_profile_that_tells_no_time() -> None:
    caller = Caller(make_meter(table=objects((STATUS_COLUMN, ENERGY_COLUMN))))
    rows = read(caller, LastEntries(2))
    assert list(rows.moments) == [None, None]
    assert [row.values[1] for row in rows] == [
        energy_at(each) * 10 for each in ALL[-2:]
    ]
    assert len(read(caller, WholeBuffer())) == COUNT
    with pytest.raises(LocalProtocolError, match="tells no time"):
        read(caller, TimeRange(SINCE))
    caller.meter = make_meter(
        Quirks(takes_entries=False), table=objects((STATUS_COLUMN, ENERGY_COLUMN))
    )
    assert len(read(caller, LastEntries(2))) == 2


def test_the_newest_rows_after_the_power_was_out() -> None:
    """By time there are fewer of them than the capture period tells."""
    happened = [*ALL[:10], *ALL[-2:]]

    def times(query: Query) -> list[datetime]:
        return [each for each in happened if each <= query.moment]

    table = objects((CLOCK_COLUMN, ENERGY_COLUMN), times)
    caller = Caller(make_meter(Quirks(takes_entries=False), table=table))
    assert list(read(caller, LastEntries(5)).moments) == happened[-5:]


def test_events_at_odd_times() -> None:
    """No capture period: entries are asked for in growing numbers until they reach back far enough."""
    happened = [FIRST + timedelta(hours=7 * n, seconds=n * n) for n in range(30)] * 5
    happened = sorted(
        each + timedelta(days=20 * (n % 5)) for n, each in enumerate(happened)
    )
    now = happened[-1] + timedelta(hours=1)

    def times(query: Query) -> list[datetime]:
        return [each for each in happened if each <= query.moment]

    table = objects((CLOCK_COLUMN, STATUS_COLUMN), times, timedelta())
    for quirks in (Quirks(), NO_RANGE, replace(NO_RANGE, newest_first=True)):
        caller = Caller(make_meter(quirks, table=table, now=now))
        for start in (happened[-3], happened[40], happened[0] - timedelta(days=400)):
            rows = read(caller, TimeRange(start))
            assert list(rows.moments) == [each for each in happened if each >= start]
        assert list(read(caller, LastEntries(7)).moments) == happened[-7:]


def test_the_clock_is_looked_at_once() -> None:
    quirks = Quirks(sent_deviation=SentDeviation.REVERSED)
    caller = Caller(make_meter(quirks))
    read(caller, LastEntries(1))
    assert caller.memory.clock is not None
    assert caller.memory.clock.deviation is DeviationRule.REVERSED
    read(caller, LastEntries(1))
    assert not [
        s for s in caller.asked if isinstance(s, ReadMany) and CLOCK in s.attributes
    ]


def test_the_clock_alone_is_looked_at_again_when_it_was_forgotten() -> None:
    caller = Caller(make_meter())
    read(caller, LastEntries(1))
    caller.memory.clock = None
    check(read(caller, TimeRange(SINCE)), since(SINCE))
    assert caller.asked[0] == ReadMany((CLOCK,))


def test_a_clock_that_cannot_be_read() -> None:
    """The standard is assumed; without deviation nothing can be, unless the time zone is known."""
    table = objects()[1:]
    check(read(Caller(make_meter(table=table)), TimeRange(SINCE)), since(SINCE))
    none = Quirks(sent_deviation=SentDeviation.NONE)
    check(read(Caller(make_meter(none, table=table)), TimeRange(SINCE)), since(SINCE))
    with pytest.raises(RemoteProtocolError, match="cannot be brought to UTC"):
        read(Caller(make_meter(none, table=table)), TimeRange(SINCE), time_zone=None)


def test_a_deviation_of_winter_shows_in_the_rows_of_summer() -> None:
    """In winter the clock looks like any other; a range of summer, then misread, is asked for again."""
    caller = Caller(make_meter(Quirks(sent_deviation=SentDeviation.OF_WINTER)))
    read(caller, TimeRange(NOW - timedelta(hours=3)))
    seen = caller.memory.clock
    assert seen is not None
    assert seen.deviation is DeviationRule.STANDARD
    check(read(caller, TimeRange(SINCE, SINCE + timedelta(hours=1))), since(SINCE)[:5])
    assert caller.selectors == [1, 1]
    assert caller.memory.clock == seen.of_winter()


def test_the_hour_that_comes_twice_is_kept_apart() -> None:
    night = TimeRange(
        datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC)
    )
    for sent in SentDeviation:
        # With a deviation of winter and no mark, nothing would tell the hours apart.
        for marks_summer in (
            (True, False) if sent is not SentDeviation.OF_WINTER else (True,)
        ):
            quirks = Quirks(sent_deviation=sent, marks_summer=marks_summer)
            rows = read(Caller(make_meter(quirks)), night)
            assert list(rows.moments) == [
                each
                for each in ALL
                if night.since <= each <= datetime(2026, 10, 25, 2, tzinfo=UTC)
            ]


# Failures


def test_every_way_refused() -> None:
    """The last refusal is told, and nothing is held against any way of asking."""
    quirks = replace(NO_RANGE, takes_entries=False, gives_whole_buffer=False)
    for selection in (
        WholeBuffer(),
        TimeRange(SINCE),
        LastEntries(2),
        EntryRange(1, 2),
    ):
        caller = Caller(make_meter(quirks))
        with pytest.raises(ServiceError):
            read(caller, selection)
        assert not caller.memory.profiles


def test_a_passing_refusal_is_not_remembered() -> None:
    caller = Caller(make_meter())
    caller.memory.clock = None
    read(caller, LastEntries(1))
    caller.meter.refusals[BUFFER] = DataAccessResult.TEMPORARY_FAILURE
    with pytest.raises(ServiceError):
        read(caller, TimeRange(SINCE))
    del caller.meter.refusals[BUFFER]
    check(read(caller, TimeRange(SINCE)), since(SINCE))
    assert caller.selectors == [1]


def test_a_profile_it_has_not() -> None:
    caller = Caller(make_meter(table=objects()[:3]))
    with pytest.raises(ServiceError):
        read(caller, WholeBuffer())


def test_a_profile_that_captures_nothing() -> None:
    caller = Caller(make_meter(table=objects(())))
    with pytest.raises(RemoteProtocolError, match="captures nothing"):
        read(caller, WholeBuffer())


@pytest.mark.parametrize(
    "make",
    [
        lambda: TimeRange(datetime(2026, 1, 1)),  # noqa: DTZ001  what is refused
        lambda: TimeRange(NOW, datetime(2026, 1, 1)),  # noqa: DTZ001
        lambda: LastEntries(0),
        lambda: EntryRange(0, 5),
        lambda: EntryRange(5, 4),
    ],
)
def test_impossible_selections(make: Callable[[], Selection]) -> None:
    with pytest.raises(LocalProtocolError):
        make()
