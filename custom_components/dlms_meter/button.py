"""Buttons: read the meter now, put its clock right."""

from typing import override

from homeassistant.components.button import ButtonEntity
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import async_synchronise_clock, way_to_set
from .coordinator import DlmsConfigEntry
from .entity import DlmsEntity

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make the buttons."""
    coordinator = entry.runtime_data
    kinds = {"read_now": ReadButton, "synchronise_clock": ClockButton}
    async_add_entities(
        kinds[plan.kind](coordinator, plan)
        for plan in coordinator.plans()
        if plan.platform is Platform.BUTTON
    )


class ReadButton(DlmsEntity, ButtonEntity):
    """Read the meter before it is time."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC

    @property
    @override
    def available(self) -> bool:
        """Always: a meter that does not answer may be asked again."""
        return True

    @override
    async def async_press(self) -> None:
        """Read the meter."""
        await self.coordinator.async_request_refresh()


class ClockButton(DlmsEntity, ButtonEntity):
    """Put the meter's clock to Home Assistant's time."""

    _attr_entity_category = EntityCategory.CONFIG

    @override
    async def async_press(self) -> None:
        """Put the clock right, in the way that the meter allows."""
        clock = self.plan.attributes[0]
        await async_synchronise_clock(
            self.coordinator, clock, way_to_set(self.coordinator, clock)
        )
