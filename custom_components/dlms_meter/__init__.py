"""DLMS/COSEM meters in Home Assistant."""

from homeassistant.components.usb import async_register_port_event_callback
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import (
    config_validation as cv,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.typing import ConfigType

from .const import DOMAIN, PLATFORMS
from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .counters import async_remove_counter
from .entity import meter_info
from .first_reading import async_read_first
from .issues import async_forget_issues
from .line_quality import LINE_QUALITY
from .ports import async_keep_lasting_name
from .services import async_setup_services
from .settings import is_serial
from .storage import MeterStore

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions."""
    async_setup_services(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: DlmsConfigEntry) -> bool:
    """Read the meter once, then make its entities."""
    coordinator = DlmsCoordinator(hass, entry)
    entry.runtime_data = (
        coordinator  # before the first reading: the diagnostics tell why it failed
    )
    await async_read_first(hass, coordinator)
    if is_serial(entry.data):
        entry.async_on_unload(
            async_register_port_event_callback(hass, coordinator.async_ports_changed)
        )
    dr.async_get(hass).async_get_or_create(
        config_entry_id=entry.entry_id, **meter_info(coordinator)
    )
    _clean_up(hass, coordinator)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    if is_serial(entry.data):
        await async_keep_lasting_name(hass, entry)
    return True


@callback
def _clean_up(hass: HomeAssistant, coordinator: DlmsCoordinator) -> None:
    """Forget entities of objects that the meter has no longer, and sub-meters that are no longer connected."""
    entry_id = coordinator.config_entry.entry_id
    plans = coordinator.plans()
    planned = {
        (plan.platform, f"{coordinator.device_id(plan.channel)}_{plan.key}")
        for plan in plans
    } | {
        (Platform.SENSOR, f"{coordinator.unique_id}_{description.key}")
        for description in LINE_QUALITY
    }
    entities = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(entities, entry_id):
        if (entity.domain, entity.unique_id) not in planned:
            entities.async_remove(entity.entity_id)
    living = _living_devices(coordinator.config_entry)
    devices = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(devices, entry_id):
        if not device.identifiers & living:
            devices.async_remove_device(device.id)


@callback
def _living_devices(entry: DlmsConfigEntry) -> set[tuple[str, str | None]]:
    """Return what the meter is known by, and, once it was read, who is connected to it."""
    living = {(DOMAIN, entry.unique_id)}
    coordinator: DlmsCoordinator | None = getattr(entry, "runtime_data", None)
    if coordinator is not None and hasattr(coordinator, "memory"):
        living |= {
            (DOMAIN, coordinator.device_id(channel))
            for channel in coordinator.memory.sub_meters
        }
    return living


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: DlmsConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let the user remove a device that is no longer there, as far as that is known; the meter itself goes with its entry."""
    return not device.identifiers & _living_devices(entry)


async def async_unload_entry(hass: HomeAssistant, entry: DlmsConfigEntry) -> bool:
    """Stop; a session that was kept open ends, too (`DlmsCoordinator`)."""
    await entry.runtime_data.async_save()
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: DlmsConfigEntry) -> None:
    """Forget what was kept of the meter."""
    await MeterStore(hass, entry.entry_id).async_remove()
    await async_remove_counter(hass, entry.entry_id)
    async_forget_issues(hass, entry.entry_id)
