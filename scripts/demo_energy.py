"""The meter in the demo's energy dashboard, with its past from the load profile; Home Assistant's own validation judges.

Home Assistant compiles statistics every five minutes and knows no statistic of a sensor before. So the demo declares
them, and fills in what the meter remembers once the first ones are compiled: their sums have to go on from there.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
import time
from typing import NamedTuple

from scripts.home_assistant_api import DOMAIN, DemoError, HomeAssistant, Json

LOAD_PROFILE = "1-0:99.1.0*255"
IMPORT, EXPORT, NET_POWER = "1-0:1.8.0*255", "1-0:2.8.0*255", "1-0:16.7.0*255"
PAST = timedelta(days=7)
HOUR = timedelta(hours=1)
VALIDATION_SECONDS = 30
FIRST_STATISTICS_SECONDS = 400
_NOT_THERE_YET = "statistics_not_defined"
_WATT_HOURS = 1000
_NO_MEAN, _ARITHMETIC_MEAN = 0, 1


class Reading(NamedTuple):
    """What the meter's counters showed at a moment, in kWh."""

    moment: datetime
    imported: float
    exported: float


async def use_for_energy(home: HomeAssistant) -> None:
    """Put the meter into the energy dashboard. Raises `DemoError` if Home Assistant's validation objects to anything."""
    sensors = await _sensors(home)
    for place, entity_id in sensors.items():
        await _import(home, place, entity_id, [])
    grid = {
        "type": "grid",
        "stat_energy_from": sensors[IMPORT],
        "stat_energy_to": sensors[EXPORT],
        "power_config": {"stat_rate": sensors[NET_POWER]},
        "stat_cost": None,
        "entity_energy_price": None,
        "number_energy_price": 0.32,
        "stat_compensation": None,
        "entity_energy_price_export": None,
        "number_energy_price_export": 0.08,
        "cost_adjustment_day": 0,
    }
    await home.command(
        type="energy/save_prefs", energy_sources=[grid], device_consumption=[]
    )
    await validate(home)


async def validate(home: HomeAssistant) -> None:
    """Wait until the declared statistics are there. Raises `DemoError` for any objection."""
    deadline = time.monotonic() + VALIDATION_SECONDS
    while objections := await _objections(home):
        if set(objections) != {_NOT_THERE_YET} or time.monotonic() > deadline:
            raise DemoError(f"The energy dashboard objects: {', '.join(objections)}.")
        await asyncio.sleep(0.5)


async def _objections(home: HomeAssistant) -> list[str]:
    said = await home.command(type="energy/validate")
    sources = chain.from_iterable(said.values())
    return [issue["type"] for issues in sources for issue in issues]


async def fill_in_the_past(home: HomeAssistant) -> None:
    """Give the statistics what the load profile holds of the last days, unless they have it."""
    sensors = await _sensors(home)
    now = datetime.now(UTC)
    since = (now - PAST).replace(hour=0, minute=0, second=0, microsecond=0)
    if await _statistics(home, sensors[IMPORT], "hour", since, now - 3 * HOUR):
        return
    first = {
        place: await _first_statistic(home, sensors[place])
        for place in (IMPORT, EXPORT)
    }
    begun = datetime.fromtimestamp(
        max(row["start"] for row in first.values()) / 1000, UTC
    ).replace(minute=0, second=0, microsecond=0)
    hours = await _hours(home, since, begun)
    for place, row in first.items():
        values = [one.imported if place == IMPORT else one.exported for one in hours]
        zero = row["state"] - row["sum"]  # where Home Assistant began to count
        await home.command(
            type="recorder/adjust_sum_statistics",
            statistic_id=sensors[place],
            start_time=begun.isoformat(),
            adjustment=zero - values[0],
            adjustment_unit_of_measurement="kWh",
        )
        rows = [
            {
                "start": one.moment.isoformat(),
                "state": value,
                "sum": value - values[0],
            }
            for one, value in zip(hours, values[1:], strict=False)
        ]
        await _import(home, place, sensors[place], rows)
    await _import(home, NET_POWER, sensors[NET_POWER], _mean_powers(hours))


def _mean_powers(hours: Sequence[Reading]) -> list[dict[str, Json]]:
    """Return the mean net power of each hour, in W."""
    return [
        {
            "start": begin.moment.isoformat(),
            "mean": ((end.imported - begin.imported) - (end.exported - begin.exported))
            * _WATT_HOURS,
        }
        for begin, end in pairwise(hours)
    ]


async def _hours(
    home: HomeAssistant, since: datetime, until: datetime
) -> list[Reading]:
    """Read what the meter's counters showed at each full hour."""
    answer = await home.request(
        "POST",
        f"/api/services/{DOMAIN}/read_profile?return_response",
        data={
            "device_id": await home.meter(),
            "obis": LOAD_PROFILE,
            "since": since.isoformat(),
            "until": until.isoformat(),
        },
    )
    rows = [
        Reading(
            datetime.fromisoformat(row["time"]),
            row["values"][IMPORT] / _WATT_HOURS,
            row["values"][EXPORT] / _WATT_HOURS,
        )
        for row in answer["service_response"]["rows"]
    ]
    return [row for row in rows if not row.moment.minute]


async def _first_statistic(home: HomeAssistant, entity_id: str) -> dict[str, Json]:
    """Wait for the first statistic that Home Assistant compiles of a sensor."""
    deadline = time.monotonic() + FIRST_STATISTICS_SECONDS
    while time.monotonic() < deadline:
        since = datetime.now(UTC) - PAST
        if rows := await _statistics(home, entity_id, "5minute", since):
            return rows[0]
        await asyncio.sleep(2)
    raise DemoError(f"Home Assistant compiles no statistics of {entity_id}.")


async def _statistics(
    home: HomeAssistant,
    entity_id: str,
    period: str,
    since: datetime,
    until: datetime | None = None,
) -> list[dict[str, Json]]:
    end = {} if until is None else {"end_time": until.isoformat()}
    found: dict[str, list[dict[str, Json]]] = await home.command(
        type="recorder/statistics_during_period",
        start_time=since.isoformat(),
        statistic_ids=[entity_id],
        period=period,
        types=["state", "sum"],
        **end,
    )
    return found.get(entity_id, [])


async def _import(
    home: HomeAssistant, place: str, entity_id: str, rows: list[dict[str, Json]]
) -> None:
    """Add rows to a statistic, which is declared by that."""
    power = place == NET_POWER
    metadata = {
        "mean_type": _ARITHMETIC_MEAN if power else _NO_MEAN,
        "has_sum": not power,
        "name": None,
        "source": "recorder",
        "statistic_id": entity_id,
        "unit_class": "power" if power else "energy",
        "unit_of_measurement": "W" if power else "kWh",
    }
    await home.command(type="recorder/import_statistics", metadata=metadata, stats=rows)


async def _sensors(home: HomeAssistant) -> dict[str, str]:
    """Return the sensors of the meter that the dashboard wants, by OBIS code."""
    registry = await home.command(type="config/entity_registry/list")
    return {
        place: next(
            row["entity_id"]
            for row in registry
            if row["platform"] == DOMAIN and row["unique_id"].endswith(f"_3_{place}_2")
        )
        for place in (IMPORT, EXPORT, NET_POWER)
    }
