"""The first reading of a meter since the start: no sooner than it may be asked again when it did not let us in."""

from time import monotonic
from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.update_coordinator import UpdateFailed
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .coordinator import DlmsConfigEntry, DlmsCoordinator


class _Pause(NamedTuple):
    """So long a meter is left alone (monotonic time) after it said this."""

    until: float
    failed: UpdateFailed


_PAUSES: Final[HassKey[dict[str, _Pause]]] = HassKey(f"{DOMAIN}_pauses")


async def async_read_first(hass: HomeAssistant, coordinator: DlmsCoordinator) -> None:
    """Read the meter, or leave it alone for a while longer. Raises what a coordinator's first refresh raises.

    Home Assistant tries again after some seconds, and only since 2026.11 waits for as long as it is asked to; some
    meters lock themselves for that. Who loads the entry again by hand does not have to wait.
    """
    entry = coordinator.config_entry
    pauses = hass.data.setdefault(_PAUSES, {})
    pause = pauses.get(entry.entry_id)
    if pause is not None and monotonic() < pause.until:
        raise ConfigEntryNotReady(
            translation_domain=pause.failed.translation_domain,
            translation_key=pause.failed.translation_key,
            translation_placeholders=pause.failed.translation_placeholders,
        )
    try:
        await coordinator.async_config_entry_first_refresh()
    except ConfigEntryNotReady:
        failed = coordinator.last_exception
        if isinstance(failed, UpdateFailed) and failed.retry_after is not None:
            until = monotonic() + failed.retry_after
            pauses[entry.entry_id] = _Pause(until, failed)
            if pause is None:
                _forget_in_time(hass, entry, pauses)
        raise


@callback
def _forget_in_time(
    hass: HomeAssistant, entry: DlmsConfigEntry, pauses: dict[str, _Pause]
) -> None:
    """Forget the pause when the entry is loaded, or by hand unloaded to be loaded again."""

    @callback
    def look() -> None:
        if entry.state in (ConfigEntryState.LOADED, ConfigEntryState.NOT_LOADED):
            pauses.pop(entry.entry_id, None)
            hass.loop.call_soon(stop)  # not while Home Assistant goes through the list

    stop = entry.async_on_state_change(look)
