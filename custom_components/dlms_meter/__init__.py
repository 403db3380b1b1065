"""DLMS/COSEM meters in Home Assistant."""

from homeassistant.core import HomeAssistant

from .const import PLATFORMS
from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .storage import MeterStore


async def async_setup_entry(hass: HomeAssistant, entry: DlmsConfigEntry) -> bool:
    """Read the meter once, then make its entities."""
    coordinator = DlmsCoordinator(hass, entry)
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: DlmsConfigEntry) -> bool:
    """Stop; there is nothing open between two polls."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: DlmsConfigEntry) -> None:
    """Forget what was kept of the meter."""
    await MeterStore(hass, entry.entry_id).async_remove()
