"""Choices that the meter may be told: for those who asked for it in the options, where it says that they can be written."""

from typing import Final, override

from homeassistant.components.select import SelectEntity
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import async_acting
from .coordinator import DlmsConfigEntry
from .dlms import to_data
from .entity import DlmsAttributeEntity

PARALLEL_UPDATES = 1

_MODES: Final = [f"mode_{mode}" for mode in range(7)]
"""Control modes of class 70, Disconnect control (DLMS UA Blue Book): who may disconnect and who reconnect, in words in the translations."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make a select of each setting that is a choice."""
    coordinator = entry.runtime_data
    async_add_entities(
        DlmsControlMode(coordinator, plan)
        for plan in coordinator.plans()
        if plan.platform is Platform.SELECT
    )


class DlmsControlMode(DlmsAttributeEntity, SelectEntity):
    """Who may cut off and restore the supply, or open and close a valve: the control mode of a disconnector."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_options = _MODES

    @property
    @override
    def current_option(self) -> str | None:
        """The mode; None when it is none of the standard."""
        match self.told:
            case int(mode) if 0 <= mode < len(_MODES):
                return _MODES[mode]
        return None

    @override
    async def async_select_option(self, option: str) -> None:
        """Write the mode. Raises `HomeAssistantError`."""
        async with async_acting(self.coordinator) as client:
            present = await client.get(self.attribute)
            await client.set(
                self.attribute,
                to_data(self.attribute, _MODES.index(option), like=present),
            )
        await self.coordinator.async_request_refresh()
