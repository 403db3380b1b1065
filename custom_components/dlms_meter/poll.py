"""What one poll asks of a meter, what it brings, and which of it that failed is worth a line in the log."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
import logging
from typing import Final

from homeassistant.util import dt as dt_util

from .const import LOGGER
from .descriptions import CLOCK_CLASS
from .dlms import (
    AttributeDescriptor,
    DecodeError,
    DlmsClient,
    DlmsDateTime,
    DlmsError,
    LastEntries,
    MeterClock,
    Obis,
    ProfileRows,
    ReadReport,
    RemoteProtocolError,
    ScalerUnit,
    ServiceError,
    Value,
    scaler_unit_of,
)
from .plan import COMPACT_DATA_CLASS, ROWS_CLASSES, is_in_rows, watched_by
from .plausibility import PlausibilityGuard

NEWEST_ENTRIES: Final = 10
"""So many entries of a profile are read in a poll."""

type ScalerUnits = dict[AttributeDescriptor, ScalerUnit]
type NewestRows = dict[Obis, ProfileRows]


@dataclass(frozen=True, slots=True)
class Readings:
    """What one poll brought: values, and what the meter did not tell."""

    values: Mapping[AttributeDescriptor, Value]
    failed: Mapping[AttributeDescriptor, DlmsError]
    read_at: datetime
    """When the last answer came (UTC)."""
    clock: MeterClock
    """How the meter's times are to be read."""
    rows: Mapping[Obis, ProfileRows] = field(default_factory=dict)
    """The newest entries of profiles, oldest first."""


async def async_read(
    client: DlmsClient,
    wanted: Collection[AttributeDescriptor],
    scaler_units: ScalerUnits,
) -> tuple[ReadReport, NewestRows]:
    """Read values, the newest entries of profiles, and compact data; what fails alone is in the report.

    Scalers and units that were not known yet are added to those given.
    Raises `DlmsError` when the session is over.
    """
    report = await client.read(
        [attribute for attribute in wanted if not is_in_rows(attribute)], scaler_units
    )
    await _async_learn_scales(client, report, scaler_units)
    rows: NewestRows = {}
    for attribute in filter(is_in_rows, wanted):
        try:
            rows[attribute.logical_name] = await _async_read_rows(
                client, attribute, scaler_units
            )
        except (DecodeError, RemoteProtocolError, ServiceError) as error:
            report.failed[attribute] = error.with_traceback(None)
    return report, rows


async def _async_learn_scales(
    client: DlmsClient, report: ReadReport, scaler_units: ScalerUnits
) -> None:
    """Read the scalers by which the limits are counted that a report tells, where they are not known yet."""
    watched = {
        attribute
        for limiter, told in report.values.items()
        if (attribute := watched_by(limiter, told)) is not None
        and (teller := scaler_unit_of(attribute)) is not None
        and teller not in scaler_units
    }
    if watched:
        await client.read(watched, scaler_units)


async def _async_read_rows(
    client: DlmsClient, attribute: AttributeDescriptor, scaler_units: ScalerUnits
) -> ProfileRows:
    name, zone = attribute.logical_name, dt_util.get_default_time_zone()
    if attribute.class_id == COMPACT_DATA_CLASS:
        return await client.read_compact_data(name, scaler_units, time_zone=zone)
    return await client.read_profile(
        name,
        LastEntries(NEWEST_ENTRIES),
        scaler_units,
        now=dt_util.utcnow(),
        time_zone=zone,
    )


def believed(
    client: DlmsClient,
    guard: PlausibilityGuard,
    name: str,
    report: ReadReport,
    rows: NewestRows,
) -> Readings:
    """Note when a report came, hold back what cannot be true, and see how the meter's times are to be read.

    The name is the meter's, for the log.
    """
    now = dt_util.utcnow()
    values = {
        attribute: guard.believe(name, attribute, value, now)
        for attribute, value in report.values.items()
    }
    clock = client.memory.clock or MeterClock()
    for attribute, value in values.items():
        if attribute.class_id == CLOCK_CLASS and isinstance(value, DlmsDateTime):
            clock = clock.learn(value, now, dt_util.get_default_time_zone())
            client.memory.clock = clock
    return Readings(values, report.failed, now, clock, rows)


class FailuresLog:
    """Logs each attribute once when the meter stops telling it, and once when it tells it again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failing: set[AttributeDescriptor] = set()

    def note(self, readings: Readings, shown: Collection[AttributeDescriptor]) -> None:
        """Log what is new with a poll; of attributes that are not shown only for those who debug."""
        for attribute in readings.failed.keys() - self._failing:
            # Many meters lack what is read beside a value: its status, or the time of its capture.
            LOGGER.log(
                logging.WARNING if attribute in shown else logging.DEBUG,
                "%s: %s cannot be read: %s",
                self._name,
                attribute,
                readings.failed[attribute],
            )
        told = readings.values.keys() | {
            AttributeDescriptor(class_id, name, 2)
            for name in readings.rows
            for class_id in ROWS_CLASSES
        }
        for attribute in self._failing & told:
            LOGGER.info("%s: %s is read again", self._name, attribute)
        self._failing = set(readings.failed)
