"""A load profile of a meter nobody here wrote: by time, by number, by columns, as a whole."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    DlmsClient,
    EntryRange,
    LastEntries,
    Obis,
    Selection,
    TimeRange,
    WholeBuffer,
)
from custom_components.dlms_meter.dlms.cosem.profile_memory import Way

from .pydlms_meter import LLS_PASSWORD, PydlmsMeter, pydlms_meter
from .test_pydlms_meter import ask_its_own_client, settings_for

__all__ = ["pydlms_meter"]  # a fixture of this module

PROFILE = Obis.parse("1-0:99.1.0")
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
NOW = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)
"""What the clock of that meter shows, always."""
QUARTER = timedelta(minutes=15)
DAY = datetime(2024, 5, 1, tzinfo=UTC)
COUNT = 96


SELECTIONS: list[tuple[Selection, range]] = [
    (WholeBuffer(), range(COUNT)),
    (TimeRange(DAY + 20 * QUARTER, DAY + 30 * QUARTER), range(20, 31)),
    (TimeRange(DAY + 90 * QUARTER), range(90, COUNT)),
    (TimeRange(DAY - timedelta(days=3)), range(COUNT)),
    (EntryRange(5, 9), range(4, 9)),
    (LastEntries(4), range(92, COUNT)),
]


async def test_rows_are_what_its_own_client_reads(pydlms_meter: PydlmsMeter) -> None:
    """Every selection, of all columns and of one, by a client that knows nothing yet and again by one that does."""
    own = (await ask_its_own_client(pydlms_meter, LLS_PASSWORD))["rows"]
    assert len(own) == COUNT
    async with DlmsClient(settings_for(pydlms_meter, LLS_PASSWORD)) as client:
        for columns, (selection, numbers) in product((None, [ENERGY]), SELECTIONS):
            client.memory.profiles.clear()
            for _ in range(2):
                rows = await client.read_profile(
                    PROFILE, selection, {}, columns=columns, now=NOW
                )
                assert [moment and moment.isoformat() for moment in rows.moments] == [
                    own[number][0] for number in numbers
                ]
                assert [row.values[-1] for row in rows] == [
                    Decimal(own[number][1]) for number in numbers
                ]
                assert rows.columns[-1].symbol == "Wh"
            if isinstance(selection, TimeRange):
                assert client.memory.profiles[PROFILE].works[Way.RANGE]
