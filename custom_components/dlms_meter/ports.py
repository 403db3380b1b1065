"""Serial ports of this machine: kept under the name that stays with the adapter, found again under another.

`/dev/ttyUSB0` is whatever was plugged in first. What udev names by its id stays the same, wherever it is plugged in.
"""

from collections.abc import Iterable
import os
import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

from homeassistant.components.usb import (
    SerialDevice,
    SerialPortConsumer,
    USBDevice,
    async_get_serial_port_consumers,
    async_scan_serial_ports,
)
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant

from .const import CONF_SERIAL_PORT, DOMAIN
from .dlms import DlmsClient, SerialEndpoint, Symptom
from .failures import Failure, failure_of, shortened
from .issues import DATA_PORT, EntryIssues, Issue
from .settings import is_serial

_DEVICES: Final = "/dev/"
_BY_ID: Final = "/dev/serial/by-id/"
_BY_PATH: Final = "/dev/serial/by-path"
_ID_IN_URL: Final = "port_udev_id"
"""How the URL of an ESPHome serial proxy tells which adapter it lends."""
_NOT_IN_IDS: Final = re.compile(r"[^0-9A-Za-z#+\-.:=@_/]")
"""udev puts an underscore in the place of these."""


async def async_lasting_name(hass: HomeAssistant, port: str) -> str:
    """Return the name under which a port of this machine is found again when adapters were plugged in anew.

    It tells the adapter by its id; or, where adapters without numbers of their own share one, the socket it is plugged
    into. What has no such name, or is no path of this machine, is returned as it is.
    """
    if not port.startswith(_DEVICES):
        return port
    ports = await async_scan_serial_ports(hass)
    for found in ports:
        if port not in _names_of(found):
            continue
        if _has_twin(found, ports) and found.resolved_device is not None:
            link = await hass.async_add_executor_job(
                _link_to, found.resolved_device, _BY_PATH
            )
            return link or found.resolved_device
        return found.device
    return port


async def async_keep_lasting_name(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Keep the lasting name of the port at which the meter was just read, in the place of one that may change."""
    port: str = entry.data[CONF_SERIAL_PORT]
    name = await async_lasting_name(hass, port)
    if name != port:
        data = {**entry.data, CONF_SERIAL_PORT: name}
        hass.config_entries.async_update_entry(entry, data=data)
        # Who shares the line knows it by its name.
        hass.config_entries.async_schedule_reload(entry.entry_id)


async def async_find_moved_port(hass: HomeAssistant, port: str) -> str | None:
    """Return where the adapter seems to be that was at this port; None when it is still there, or not found.

    It is a guess when the port has no id: the only adapter that nobody uses. The meter can tell.
    """
    ports = await async_scan_serial_ports(hass)
    if any(port in _names_of(found) for found in ports):
        return None
    name = _id_in(port)
    if name is not None:
        candidates = [found.device for found in ports if _is_called(found, name)]
    elif port.startswith(_DEVICES):
        used = await async_get_serial_port_consumers(hass, ports)
        candidates = [
            found.device
            for found in ports
            if isinstance(found, USBDevice) and not used.get(found.device)
        ]
    else:
        return None  # a gateway, which does not move
    return candidates[0] if len(candidates) == 1 else None


async def async_ask_about_port(
    hass: HomeAssistant, entry: ConfigEntry, issues: EntryIssues
) -> None:
    """Ask the user about another port, when the one of an entry is gone and its adapter seems to be there."""
    if not is_serial(entry.data):
        return
    port: str = entry.data[CONF_SERIAL_PORT]
    moved = await async_find_moved_port(hass, port)
    if moved is not None:
        names = {"old_port": shortened(port), "new_port": shortened(moved)}
        issues.async_raise(Issue.PORT_MOVED, names, **{DATA_PORT: moved})


async def async_failure_of(
    hass: HomeAssistant, error: Exception, client: DlmsClient | None
) -> Failure:
    """Say what went wrong with a conversation that `client` led, and where a port is in use, who uses it."""
    failure = failure_of(error, client)
    place = client and client.settings.endpoint
    if isinstance(place, SerialEndpoint):
        return await async_name_user(hass, failure, place.url)
    return failure


async def async_name_user(hass: HomeAssistant, failure: Failure, port: str) -> Failure:
    """Return a failure with the title of who uses the port, if that is what is wrong and Home Assistant knows."""
    if failure.key != Symptom.PORT_IN_USE:
        return failure
    ports = await async_scan_serial_ports(hass)
    names = (found.device for found in ports if port in _names_of(found))
    users = await async_get_serial_port_consumers(hass, ports)
    for user in users.get(next(names, port), ()):
        if _holds_port(hass, user, port):
            return failure.used_by(user.title)
    return failure


def _holds_port(hass: HomeAssistant, user: SerialPortConsumer, port: str) -> bool:
    """Tell whether somebody may be the one who keeps us from opening a port.

    An entry that is being retried waits for the port as we do, and entries of ours with one port take turns on it.
    """
    if user.config_entry_id is None:
        return user.active
    entry = hass.config_entries.async_get_known_entry(user.config_entry_id)
    takes_turns = entry.domain == DOMAIN and entry.data.get(CONF_SERIAL_PORT) == port
    return entry.state is ConfigEntryState.LOADED and not takes_turns


def _names_of(port: SerialDevice) -> tuple[str | None, str | None]:
    """Return what a port is called, and what that leads to."""
    return port.device, port.resolved_device


def _link_to(device: str, folder: str) -> str | None:
    """Return the link in a folder that leads to a device."""
    try:
        links = sorted(entry.path for entry in os.scandir(folder))
    except OSError:
        return None
    return next((link for link in links if os.path.realpath(link) == device), None)


def _has_twin(port: SerialDevice, ports: Iterable[SerialDevice]) -> bool:
    """Tell whether udev cannot tell this adapter from another one that is plugged in: the id leads to either."""
    return isinstance(port, USBDevice) and any(
        isinstance(other, USBDevice)
        and other.resolved_device != port.resolved_device
        and (other.vid, other.pid, other.serial_number, other.interface_num)
        == (port.vid, port.pid, port.serial_number, port.interface_num)
        for other in ports
    )


def _id_in(port: str) -> str | None:
    """Return the id of an adapter in the name of its port."""
    if port.startswith(_BY_ID):
        return port.removeprefix(_BY_ID)
    return next(iter(parse_qs(urlsplit(port).query).get(_ID_IN_URL, [])), None)


def _is_called(port: SerialDevice, name: str) -> bool:
    """Tell whether the adapter at a port has this id, in whole or as far as its own number goes."""
    if _id_in(port.device) == name:
        return True
    number = _NOT_IN_IDS.sub("_", (port.serial_number or "").strip())
    return bool(number) and f"_{number}-if" in name
