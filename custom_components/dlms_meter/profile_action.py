"""The action that reads a profile: rows by range, by entry, or the newest, of chosen columns."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .action_calls import (
    ATTR_COLUMNS,
    ATTR_FIRST,
    ATTR_LAST,
    ATTR_NEWEST,
    ATTR_OBIS,
    ATTR_SINCE,
    ATTR_UNTIL,
    DEVICE,
    ENTRY,
    Fields,
    aware,
    invalid,
    meter_of,
    obis_code,
)
from .control import async_acting
from .dlms import (
    AttributeDescriptor,
    EntryRange,
    LastEntries,
    Obis,
    Selection,
    TimeRange,
    WholeBuffer,
)
from .rows import columns_json, row_json

READ_PROFILE: Final[Fields] = {
    **DEVICE,
    vol.Required(ATTR_OBIS): obis_code,
    vol.Optional(ATTR_SINCE): cv.datetime,
    vol.Optional(ATTR_UNTIL): cv.datetime,
    vol.Optional(ATTR_FIRST): ENTRY,
    vol.Optional(ATTR_LAST): ENTRY,
    vol.Optional(ATTR_NEWEST): ENTRY,
    vol.Optional(ATTR_COLUMNS): vol.All(cv.ensure_list, [obis_code]),
}


async def async_read_profile(call: ServiceCall) -> ServiceResponse:
    """Read rows of a profile, with times, units and status."""
    coordinator = meter_of(call)
    selection = _selection(call)
    async with async_acting(coordinator) as client:
        rows = await client.read_profile(
            call.data[ATTR_OBIS],
            selection,
            coordinator.memory.scaler_units,
            now=dt_util.utcnow(),
            time_zone=dt_util.get_default_time_zone(),
        )
    columns = columns_json(rows, _columns(call))
    if not columns:
        raise invalid("no_such_column", obis=str(call.data[ATTR_OBIS]))
    names = [column["name"] for column in columns]
    shown = []
    for part in rows.slices():
        shown += [row_json(rows, row, names) for row in part]
        await asyncio.sleep(0)  # thousands of rows must not keep the others waiting
    response: dict[str, Any] = {ATTR_COLUMNS: columns, "rows": shown}
    return response


def _selection(call: ServiceCall) -> Selection:
    """Return which rows are wanted. Raises `ServiceValidationError`."""
    given = call.data
    ways = [
        way
        for way in ((ATTR_SINCE, ATTR_UNTIL), (ATTR_FIRST, ATTR_LAST), (ATTR_NEWEST,))
        if any(name in given for name in way)
    ]
    if len(ways) > 1:
        raise invalid("one_selection")
    if ATTR_NEWEST in given:
        return LastEntries(given[ATTR_NEWEST])
    if ATTR_FIRST in given or ATTR_LAST in given:
        first, last = given.get(ATTR_FIRST, 1), given.get(ATTR_LAST, 0)
        if last and last < first:
            raise invalid("upside_down", first=str(first), last=str(last))
        return EntryRange(first, last)
    if ATTR_UNTIL in given and ATTR_SINCE not in given:
        raise invalid("since_missing")
    if ATTR_SINCE not in given:
        return WholeBuffer()
    since, until = aware(given[ATTR_SINCE]), given.get(ATTR_UNTIL)
    if until is not None and (until := aware(until)) < since:
        raise invalid("upside_down", first=since.isoformat(), last=until.isoformat())
    return TimeRange(since, until)


def _columns(call: ServiceCall) -> Callable[[AttributeDescriptor], bool]:
    wanted: list[Obis] = call.data.get(ATTR_COLUMNS, [])
    return lambda attribute: not wanted or attribute.logical_name in wanted
