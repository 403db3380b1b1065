"""Events: the entries of the meter's event logs, as they are added."""

from decimal import Decimal
from hashlib import sha256
from typing import Final, override

from homeassistant.components.event import EventEntity
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .dlms import ProfileRow, ProfileRows
from .entity import ATTR_OBIS_CODE, DlmsEntity
from .plan import EntityPlan
from .rows import row_json

PARALLEL_UPDATES = 0

_OTHER: Final = "other"
EVENT_TYPES: Final[dict[int, str]] = {
    1: "power_down",
    2: "power_up",
    3: "daylight_saving_changed",
    4: "clock_adjusted_from",
    5: "clock_adjusted_to",
    6: "clock_invalid",
    7: "replace_battery",
    8: "battery_low",
    9: "tariff_plan_activated",
    10: "error_register_cleared",
    11: "alarm_register_cleared",
    12: "program_memory_error",
    13: "ram_error",
    14: "nonvolatile_memory_error",
    15: "watchdog_error",
    16: "measurement_error",
    17: "firmware_ready",
    18: "firmware_activated",
    40: "terminal_cover_opened",
    41: "terminal_cover_closed",
    42: "magnetic_field_detected",
    43: "magnetic_field_gone",
    44: "cover_opened",
    45: "cover_closed",
    46: "wrong_password",
    60: "disconnected_by_hand",
    61: "connected_by_hand",
    62: "disconnected_remotely",
    63: "connected_remotely",
    64: "disconnected_locally",
    65: "limit_exceeded",
    255: "log_cleared",
}
"""Codes of the standard, fraud and disconnector logs of DSMR and IDIS meters (DSMR P2 companion standard); others have their own."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make an event entity of each log."""
    coordinator = entry.runtime_data
    async_add_entities(
        DlmsLog(coordinator, plan)
        for plan in coordinator.plans()
        if plan.platform is Platform.EVENT
    )


class DlmsLog(DlmsEntity, EventEntity):
    """One event log: fires for each new entry, in order, once."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: DlmsCoordinator, plan: EntityPlan) -> None:
        super().__init__(coordinator, plan)
        self._attr_event_types = [*EVENT_TYPES.values(), _OTHER]

    @property
    @override
    def available(self) -> bool:
        """The meter answered, and told this log."""
        return (
            super().available
            and self.plan.attributes[0].logical_name in self.coordinator.data.rows
        )

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        """Tell what is new in the log."""
        self._follow()
        super()._handle_coordinator_update()

    def _follow(self) -> None:
        """Fire for the entries that were not there before; the first look at a log only marks the place."""
        name = self.plan.attributes[0].logical_name
        rows = self.coordinator.data.rows.get(name)
        if rows is None or not self.hass.is_running:
            return  # nobody listens before Home Assistant has started
        logs = self.coordinator.memory.logs
        digests = [_digest(row) for row in rows]
        if (mark := logs.get(str(name))) is not None:
            for row in rows[_first_new(*mark, rows, digests) :]:
                self._tell(row, rows)
        newest = max((row.moment for row in rows if row.moment), default=None)
        until = newest.timestamp() if newest else 0.0
        logs[str(name)] = (digests, until)
        self.coordinator.async_remember()

    def _tell(self, row: ProfileRow, rows: ProfileRows) -> None:
        code = _code(row)
        self._trigger_event(
            EVENT_TYPES.get(code, _OTHER) if code is not None else _OTHER,
            {
                ATTR_OBIS_CODE: str(self.plan.attributes[0].logical_name),
                "code": code,
                **row_json(rows, row),
            },
        )
        self.async_write_ha_state()


def _first_new(
    known: list[str], until: float, rows: ProfileRows, digests: list[str]
) -> int:
    """Return the index of the first row that was not there when `known` was read.

    The rows read then end with those the rows read now begin with; two equal entries are told apart by their number.
    When they have nothing in common, the log was emptied or has moved on: what is later is new.
    """
    for common in range(min(len(known), len(digests)), 0, -1):
        if known[-common:] == digests[:common]:
            return common
    for place, row in enumerate(rows):
        if row.moment is None or row.moment.timestamp() > until:
            return place
    return len(digests)


def _digest(row: ProfileRow) -> str:
    return sha256(repr(row).encode()).hexdigest()[:16]


def _code(row: ProfileRow) -> int | None:
    """Return the first whole number of a row: the event code."""
    return next(
        (
            int(value)
            for value in row.values
            if isinstance(value, int | Decimal)
            and not isinstance(value, bool)
            and value == int(value)
        ),
        None,
    )
