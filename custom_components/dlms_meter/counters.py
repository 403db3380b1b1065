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

    def __init__(self, store: Store[dict[str, int]] | None = None) -> None:
        self.value: int | None = None
        """The first value that nobody has used; None if nothing is known."""
        self._store = store

    async def async_load(self) -> None:
        """Read what was saved."""
        if self._store is not None and (stored := await self._store.async_load()):
            self.value = stored[_FOLLOWING]

    async def async_save(self, value: int) -> None:
        """Keep a value before those below it are used (`SaveInvocationCounter`). It never goes back."""
        self.value = max(value, self.value or 0)
        if self._store is not None:
            await self._store.async_save({_FOLLOWING: self.value})

    async def async_remove(self) -> None:
        """Forget it: the keys are forgotten, too."""
        if self._store is not None:
            await self._store.async_remove()


_COUNTERS: HassKey[dict[str, SavedCounter]] = HassKey(f"{DOMAIN}_counters")


async def async_get_counter(hass: HomeAssistant, entry_id: str) -> SavedCounter:
    """Return the counter of an entry, the same for all who ask."""
    counters = hass.data.setdefault(_COUNTERS, {})
    if entry_id not in counters:
        store = Store[dict[str, int]](
            hass, _VERSION, f"{DOMAIN}.{entry_id}.invocation_counter", private=True
        )
        counter = SavedCounter(store)
        await counter.async_load()
        counters.setdefault(entry_id, counter)
    return counters[entry_id]


async def async_remove_counter(hass: HomeAssistant, entry_id: str) -> None:
    """Forget the counter of an entry that is removed."""
    await (await async_get_counter(hass, entry_id)).async_remove()
    hass.data[_COUNTERS].pop(entry_id)
