"""Events: the entries of the meter's event logs, as they are added."""

from typing import override

from homeassistant.components.event import EventEntity
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .dlms import ProfileRow, ProfileRows
from .entity import ATTR_OBIS_CODE, DlmsEntity
from .event_log import EVENT_TYPES, OTHER, digest, event_code, first_new
from .plan import EntityPlan
from .rows import row_json

PARALLEL_UPDATES = 0


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
        self._attr_event_types = [*EVENT_TYPES.values(), OTHER]

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
        """Tell what is new in the log.

        Only when it is there again as it was: automations ignore what comes right after a time of being unavailable,
        and the power failure that was the reason for it would be missed.
        """
        super()._handle_coordinator_update()
        self._follow()

    def _follow(self) -> None:
        """Fire for the entries that were not there before; the first look at a log only marks the place."""
        name = self.plan.attributes[0].logical_name
        rows = self.coordinator.data.rows.get(name)
        if rows is None or self.hass.state is not CoreState.running:
            return  # automations listen only when Home Assistant has started
        logs = self.coordinator.memory.logs
        digests = [digest(row) for row in rows]
        if (mark := logs.get(str(name))) is not None:
            if not rows:
                return  # what was told before must be known when the log is no longer empty
            for row in rows[first_new(*mark, rows, digests) :]:
                self._tell(row, rows)
        newest = max((row.moment for row in rows if row.moment), default=None)
        until = newest.timestamp() if newest else 0.0
        logs[str(name)] = (digests, until)
        self.coordinator.async_remember()

    def _tell(self, row: ProfileRow, rows: ProfileRows) -> None:
        code = event_code(row)
        self._trigger_event(
            EVENT_TYPES.get(code, OTHER) if code is not None else OTHER,
            {
                ATTR_OBIS_CODE: str(self.plan.attributes[0].logical_name),
                "code": code,
                **row_json(rows, row),
            },
        )
        self.async_write_ha_state()
