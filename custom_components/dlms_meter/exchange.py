"""A meter was exchanged: its entry goes on with the new one, under its name, and begins to count anew.

Names, areas, automations and dashboards stay. What counts belongs to the old meter: its past is set aside under a
name of its own, so that the difference between two meters is never taken for consumption.
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.sensor import ATTR_STATE_CLASS, SensorStateClass
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.recorder import DATA_INSTANCE, get_instance
from homeassistant.util import slugify

from .const import CONF_BOX, DOMAIN
from .dlms import Identity
from .storage import MeterStore

_COUNTING: Final = (SensorStateClass.TOTAL, SensorStateClass.TOTAL_INCREASING)


async def async_go_on_with(
    hass: HomeAssistant,
    entry: ConfigEntry,
    identity: Identity,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Let an entry belong to the meter `identity` from now on, reached as `data` says, or as before; it is set up again."""
    assert entry.unique_id is not None
    old, new = entry.unique_id, identity.unique_id
    await hass.config_entries.async_unload(entry.entry_id)
    store = MeterStore(hass, entry.entry_id)
    memory = await store.async_load()
    await store.async_remove()
    _rename_entities(hass, entry.entry_id, old, new)
    _rename_devices(hass, entry.entry_id, old, new)
    for other in hass.config_entries.async_entries(DOMAIN):
        if other.data.get(CONF_BOX) == old:
            hass.config_entries.async_update_entry(
                other, data={**other.data, CONF_BOX: new}
            )
    is_named_by_user = memory is not None and memory.identity.title != entry.title
    hass.config_entries.async_update_entry(
        entry,
        unique_id=new,
        title=entry.title if is_named_by_user else identity.title,
        data=entry.data if data is None else data,
    )
    await hass.config_entries.async_setup(entry.entry_id)


@callback
def _rename_entities(hass: HomeAssistant, entry_id: str, old: str, new: str) -> None:
    """Give the entities of the entry to the new meter, without the past of what counts."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry_id):
        registry.async_update_entity(
            entity.entity_id, new_unique_id=_renamed(entity.unique_id, old, new)
        )
        if _is_of_the_meter(hass, entity, old) and _counts(entity):
            _set_aside(hass, entity.entity_id, f"{entity.entity_id}_{slugify(old)}")


@callback
def _set_aside(hass: HomeAssistant, entity_id: str, other_id: str) -> None:
    """Keep history and statistics so far under another name, as if the entity had been renamed."""
    if DATA_INSTANCE in hass.data:
        recorder = get_instance(hass)
        recorder.async_update_statistics_metadata(entity_id, new_statistic_id=other_id)
        recorder.async_update_states_metadata(entity_id, other_id)


@callback
def _rename_devices(hass: HomeAssistant, entry_id: str, old: str, new: str) -> None:
    """Let the devices be the new meter, and the meters behind it."""
    registry = dr.async_get(hass)
    for device in dr.async_entries_for_config_entry(registry, entry_id):
        registry.async_update_device(
            device.id,
            new_identifiers={
                (domain, _renamed(name, old, new))
                for domain, name in device.identifiers
            },
        )


def _is_of_the_meter(
    hass: HomeAssistant, entity: er.RegistryEntry, unique_id: str
) -> bool:
    """Tell whether an entity shows the meter itself: a gas meter behind it was not exchanged."""
    device = dr.async_get(hass).async_get(entity.device_id or "")
    return device is not None and (DOMAIN, unique_id) in device.identifiers


def _counts(entity: er.RegistryEntry) -> bool:
    return (entity.capabilities or {}).get(ATTR_STATE_CLASS) in _COUNTING


def _renamed(name: str, old: str, new: str) -> str:
    return new + name.removeprefix(old) if name.startswith(old) else name
