"""Profiles over the wire: HDLC and wrapper, blocks, and a loop that is never kept waiting."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientSettings,
    Data,
    DlmsClient,
    DlmsError,
    EntryRange,
    Framing,
    LastEntries,
    LocalProtocolError,
    Obis,
    ProfileRows,
    Selection,
    SelectiveAccess,
    ServiceError,
    TcpEndpoint,
    TimeRange,
    TransportError,
    WholeBuffer,
)
from custom_components.dlms_meter.dlms.cosem.meter_memory import MeterMemory
from custom_components.dlms_meter.dlms.cosem.profile_memory import Way
from custom_components.dlms_meter.dlms.cosem.profile_reading import read_profile
from custom_components.dlms_meter.dlms.cosem.values import ScalerUnit
from custom_components.dlms_meter.dlms.profiles import carry_out
from tests.dlms.cosem.profiled import (
    CLOCK_COLUMN,
    COUNT,
    ENERGY,
    ENERGY_COLUMN,
    FIRST,
    NOW,
    PROFILE,
    QUARTER,
    STATUS_COLUMN,
    UNIX_COLUMN,
    VOLTAGE,
    VOLTAGE_COLUMN,
    Caller,
    energy_at,
    objects,
)
from tests.simulator import HdlcSession, Meter, MeterSettings, WrapperSession
from tests.simulator.objects import MeterObject
from tests.simulator.profiles import NO_OBJECT
from tests.simulator.settings import (
    SHORT_NAME_SERVICES,
    SUPPORTED,
    Quirks,
    RangeForm,
    SentDeviation,
)
from tests.transports import memory_transports, run_virtually

BERLIN = ZoneInfo("Europe/Berlin")
ALL = [FIRST + n * QUARTER for n in range(1, COUNT + 1)]
SESSIONS: dict[Framing, Callable[[Meter], HdlcSession | WrapperSession]] = {
    Framing.HDLC: HdlcSession,
    Framing.WRAPPER: WrapperSession,
}


def make_meter(
    quirks: Quirks | None = None,
    max_pdu_size: int = 1200,
    table: Sequence[MeterObject] | None = None,
) -> Meter:
    settings = MeterSettings(
        quirks=quirks or Quirks(),
        max_pdu_size=max_pdu_size,
        conformance=SUPPORTED | SHORT_NAME_SERVICES,
        short_names=True,
    )
    return Meter(settings, now=lambda: NOW, objects=table or objects())


def settings_for(framing: Framing, short_names: bool = False) -> ClientSettings:
    return ClientSettings(
        endpoint=TcpEndpoint("meter.example", 4059),
        framing=framing,
        physical_device=17 if framing is Framing.HDLC else None,
        short_names=short_names,
    )


def session[T](
    meter: Meter,
    framing: Framing,
    use: Callable[[DlmsClient], Coroutine[object, object, T]],
    memory: MeterMemory | None = None,
    *,
    short_names: bool = False,
) -> T:
    """Have a session with the meter and return what was made of it."""

    async def main() -> T:
        settings = settings_for(framing, short_names)
        async with DlmsClient(settings, memory=memory) as client:
            return await use(client)

    with memory_transports(lambda: SESSIONS[framing](meter)):
        return run_virtually(main())


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
@pytest.mark.parametrize("max_pdu_size", [128, 1200, 0])
@pytest.mark.parametrize(
    ("selection", "moments"),
    [
        (WholeBuffer(), ALL),
        (TimeRange(ALL[-50]), ALL[-50:]),
        (TimeRange(ALL[10], ALL[19]), ALL[10:20]),
        (LastEntries(7), ALL[-7:]),
        (EntryRange(3, 5), ALL[2:5]),
    ],
)
def test_every_selection(
    framing: Framing,
    short_names: bool,
    max_pdu_size: int,
    selection: Selection,
    moments: list[datetime],
) -> None:
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = {}

    async def use(client: DlmsClient) -> ProfileRows:
        return await client.read_profile(
            PROFILE, selection, scaler_units, columns=[ENERGY, VOLTAGE], now=NOW
        )

    memory = MeterMemory()
    meter = make_meter(max_pdu_size=max_pdu_size)
    rows = session(meter, framing, use, memory, short_names=short_names)
    assert list(rows.moments) == moments
    if isinstance(selection, TimeRange):
        assert memory.profiles[PROFILE].works == {Way.RANGE: True}
    if isinstance(selection, LastEntries):
        assert memory.profiles[PROFILE].works == {Way.ENTRY: True}
    assert [row.values for row in rows] == [
        (Decimal(energy_at(each) * 10), Decimal(2300 + each.hour) / 10)
        for each in moments
    ]
    assert [column.symbol for column in rows.columns] == ["Wh", "V"]
    assert len(scaler_units) == 2


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize(
    ("quirks", "way"),
    [
        (Quirks(range_forms=frozenset({RangeForm(False, False)})), Way.RANGE_LOCAL),
        (Quirks(range_forms=frozenset({RangeForm(True, True)})), Way.RANGE_TAGGED),
        (Quirks(range_forms=frozenset()), Way.ENTRY),
        (Quirks(range_forms=frozenset(), takes_entries=False), Way.BUFFER),
    ],
)
def test_other_ways_by_short_names(framing: Framing, quirks: Quirks, way: Way) -> None:
    """Parameterised access that a meter refuses is replaced by what it takes, and that is remembered."""
    memory = MeterMemory()

    async def use(client: DlmsClient) -> ProfileRows:
        since = TimeRange(ALL[-50])
        return await client.read_profile(PROFILE, since, {}, now=NOW, time_zone=BERLIN)

    for _ in range(2):
        rows = session(make_meter(quirks), framing, use, memory, short_names=True)
        assert list(rows.moments) == ALL[-50:]
    assert [
        each for each, works in memory.profiles[PROFILE].works.items() if works
    ] == [way]


FORMS = {
    Way.RANGE: RangeForm(tagged=False, with_deviation=True),
    Way.RANGE_LOCAL: RangeForm(tagged=False, with_deviation=False),
    Way.RANGE_TAGGED: RangeForm(tagged=True, with_deviation=True),
    Way.RANGE_TAGGED_LOCAL: RangeForm(tagged=True, with_deviation=False),
}
TABLES = {
    "sort object is the clock": objects(),
    "sort object is the clock, not the first time": objects(
        (UNIX_COLUMN, CLOCK_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN),
        restricted_by=CLOCK_COLUMN,
    ),
    "sort object is nothing": objects(sort_object=NO_OBJECT),
    "sort object is no time": objects(sort_object=ENERGY_COLUMN.definition),
    "sort object is not captured": objects(sort_object=UNIX_COLUMN.definition),
}
SECONDS = {
    "sort object counts seconds": objects((UNIX_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN)),
    "sort object counts seconds, beside the clock": objects(
        (CLOCK_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN, UNIX_COLUMN),
        restricted_by=UNIX_COLUMN,
    ),
    "sort object is nothing, the time counts seconds": objects(
        (STATUS_COLUMN, UNIX_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN),
        sort_object=NO_OBJECT,
    ),
}
ONE_FORM_ONLY = [
    *((name, table, way, form) for name, table in TABLES.items() for way, form in FORMS.items()),
    *((name, table, Way.RANGE, None) for name, table in SECONDS.items()),
]  # fmt: skip


@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
@pytest.mark.parametrize(
    "sent_deviation", [SentDeviation.STANDARD, SentDeviation.REVERSED]
)
@pytest.mark.parametrize(
    ("table", "way", "form"),
    [row[1:] for row in ONE_FORM_ONLY],
    ids=[f"{name}, {way.value}" for name, _, way, _ in ONE_FORM_ONLY],
)
def test_a_meter_that_takes_one_form_of_range_only(
    table: Sequence[MeterObject],
    way: Way,
    form: RangeForm | None,
    sent_deviation: SentDeviation,
    short_names: bool,
) -> None:
    """It refuses every other column, tag and deviation, entries, and to give everything."""
    quirks = Quirks(
        range_forms=frozenset({form} if form else ()),
        sent_deviation=sent_deviation,
        takes_entries=False,
        gives_whole_buffer=False,
    )
    memory = MeterMemory()

    async def use(client: DlmsClient) -> ProfileRows:
        return await client.read_profile(
            PROFILE,
            TimeRange(ALL[20], ALL[29]),
            {},
            columns=[ENERGY, VOLTAGE],
            now=NOW,
            time_zone=BERLIN,
        )

    for _ in range(2):
        rows = session(
            make_meter(quirks, table=table),
            Framing.WRAPPER,
            use,
            memory,
            short_names=short_names,
        )
        assert list(rows.moments) == ALL[20:30]
        assert [row.values for row in rows] == [
            (Decimal(energy_at(each) * 10), Decimal(2300 + each.hour) / 10)
            for each in ALL[20:30]
        ]
        assert [
            each for each, works in memory.profiles[PROFILE].works.items() if works
        ] == [way]


def test_a_meter_whose_sort_object_does_not_restrict() -> None:
    """The clock would: its entries are as good."""
    table = objects(
        (CLOCK_COLUMN, UNIX_COLUMN, ENERGY_COLUMN),
        sort_object=UNIX_COLUMN.definition,
        restricted_by=CLOCK_COLUMN,
    )
    memory = MeterMemory()

    async def use(client: DlmsClient) -> ProfileRows:
        return await client.read_profile(PROFILE, TimeRange(ALL[-9]), {}, now=NOW)

    rows = session(make_meter(table=table), Framing.WRAPPER, use, memory)
    assert list(rows.moments) == ALL[-9:]
    assert memory.profiles[PROFILE].works == {Way.RANGE: False, Way.ENTRY: True}


def test_what_was_learned_is_kept_for_the_next_client() -> None:
    quirks = Quirks(range_forms=frozenset())
    memory = MeterMemory()

    async def use(client: DlmsClient) -> int:
        rows = await client.read_profile(PROFILE, TimeRange(ALL[-5]), {}, now=NOW)
        assert list(rows.moments) == ALL[-5:]
        return client.statistics.frames_sent

    turns = [session(make_meter(quirks), Framing.HDLC, use, memory) for _ in range(2)]
    assert memory.profiles[PROFILE].works[Way.RANGE] is False
    assert turns[1] < turns[0]
    stored = MeterMemory.from_storage(memory.to_storage())
    assert session(make_meter(quirks), Framing.HDLC, use, stored) == turns[1]


def test_the_hosts_clock_is_used_when_no_time_is_given() -> None:
    """The meter's clock is so wrong against it that its deviation is taken at its word."""

    async def use(client: DlmsClient) -> ProfileRows:
        return await client.read_profile(PROFILE, LastEntries(2), {}, time_zone=BERLIN)

    assert list(session(make_meter(), Framing.WRAPPER, use).moments) == ALL[-2:]


def test_progress_is_told() -> None:
    told: list[int] = []

    async def use(client: DlmsClient) -> ProfileRows:
        return await client.read_profile(
            PROFILE, WholeBuffer(), {}, now=NOW, progress=told.append
        )

    session(make_meter(max_pdu_size=256), Framing.WRAPPER, use)
    assert max(told) > 4_000
    assert len(told) > 20


def test_refusals_reach_the_caller() -> None:
    async def use(client: DlmsClient) -> None:
        unknown = Obis.parse("1-0:99.2.0")
        with pytest.raises(ServiceError):
            await client.read_profile(unknown, WholeBuffer(), {}, now=NOW)
        with pytest.raises(LocalProtocolError):
            await client.read_profile(
                PROFILE,
                WholeBuffer(),
                {},
                now=NOW,
                columns=[ENERGY._replace(class_id=4)],
            )

    session(make_meter(), Framing.WRAPPER, use)


def test_a_lost_line_is_no_reason_to_try_another_way() -> None:
    async def main() -> None:
        async with DlmsClient(settings_for(Framing.WRAPPER)) as client:
            await client.read_profile(PROFILE, LastEntries(1), {}, now=NOW)
            opened[0].lose("unplugged")
            with pytest.raises(TransportError):
                await client.read_profile(PROFILE, TimeRange(ALL[0]), {}, now=NOW)
            assert Way.RANGE not in client.memory.profiles[PROFILE].works

    meter = make_meter()
    with memory_transports(lambda: WrapperSession(meter)) as opened:
        run_virtually(main())


def test_others_have_their_turn_while_rows_are_read() -> None:
    """Between slices of rows the loop runs: a task that only yields gets on."""
    caller = Caller(make_meter())

    async def get_many(
        attributes: tuple[AttributeDescriptor, ...],
    ) -> dict[AttributeDescriptor, Data | DlmsError]:
        return {each: caller.get(each) for each in attributes}

    async def get_part(
        attribute: AttributeDescriptor, access: SelectiveAccess | None
    ) -> Data:
        found = caller.get(attribute, access)
        assert isinstance(found, Data)
        return found

    async def main() -> int:
        turns = 0

        async def wait() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        task = asyncio.create_task(wait())
        reading = read_profile(PROFILE, WholeBuffer(), MeterMemory(), {}, now=NOW)
        rows = await carry_out(reading, get_many=get_many, get_part=get_part)
        task.cancel()
        assert len(rows) == COUNT
        return turns

    assert asyncio.run(main()) >= 2
