"""One physical channel, one session at a time: entries and flows behind one gateway take turns."""

from asyncio import Lock
from weakref import WeakValueDictionary

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .dlms import Endpoint

_CHANNELS: HassKey[WeakValueDictionary[Endpoint, Lock]] = HassKey(f"{DOMAIN}_channels")


@callback
def async_get_channel(hass: HomeAssistant, endpoint: Endpoint) -> Lock:
    """Return the lock of the channel to `endpoint`; it lives as long as somebody keeps it.

    Many meters serve one association at a time, and a gateway mixes the bytes of two.
    """
    channels = hass.data.setdefault(_CHANNELS, WeakValueDictionary())
    return channels.setdefault(endpoint, Lock())
