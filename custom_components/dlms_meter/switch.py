"""A switch for the supply, for those who asked for it in the options."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import async_switch_supply
from .coordinator import DlmsConfigEntry
from .entity import DlmsAttributeEntity

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make the switch."""
    coordinator = entry.runtime_data
    async_add_entities(
        SupplySwitch(coordinator, plan)
        for plan in coordinator.plans()
        if plan.platform is Platform.SWITCH
    )


class SupplySwitch(DlmsAttributeEntity, SwitchEntity):
    """Cut off and restore the supply of the whole home."""

    _attr_entity_category = EntityCategory.CONFIG

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether the supply is on."""
        return self.told if isinstance(self.told, bool) else None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Restore the supply."""
        await async_switch_supply(self.coordinator, self.attribute, on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Cut off the supply."""
        await async_switch_supply(self.coordinator, self.attribute, on=False)
