"""Invocation counters: one for each entry, whoever talks with its keys. No value below it may ever be used again."""

from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN

_VERSION: Final = 1
_FOLLOWING: Final = "following"


class SavedCounter:
    """The counter of one entry, or with no store that of an entry to be."""

    def __init__(
        self, store: Store[dict[str, int]] | None = None, value: int | None = None
    ) -> None:
        self.value = value
        """The first value that nobody has used; None if nothing is known."""
        self._store = store

    async def async_save(self, value: int) -> None:
        """Keep a value before those below it are used (`SaveInvocationCounter`). It never goes back."""
        self.value = max(value, self.value or 0)
        if self._store is not None:
            await self._store.async_save({_FOLLOWING: self.value})


_COUNTERS: HassKey[dict[str, SavedCounter]] = HassKey(f"{DOMAIN}_counters")


async def async_get_counter(hass: HomeAssistant, entry_id: str) -> SavedCounter:
    """Return the counter of an entry, the same for all who ask."""
    counters = hass.data.setdefault(_COUNTERS, {})
    if entry_id not in counters:
        store = _store_of(hass, entry_id)
        stored = await store.async_load() or {}
        counters.setdefault(entry_id, SavedCounter(store, stored.get(_FOLLOWING)))
    return counters[entry_id]


async def async_remove_counter(hass: HomeAssistant, entry_id: str) -> None:
    """Forget the counter of an entry that is removed: its keys are forgotten, too."""
    hass.data.get(_COUNTERS, {}).pop(entry_id, None)
    await _store_of(hass, entry_id).async_remove()


def _store_of(hass: HomeAssistant, entry_id: str) -> Store[dict[str, int]]:
    name = f"{DOMAIN}.{entry_id}.invocation_counter"
    return Store(hass, _VERSION, name, private=True)
