"""Other logical devices of the same box: found in its SAP assignment, and offered to be added.

Each has associations, passwords and objects of its own, so each becomes an entry of its own, which takes turns with the
others on the same line, as meters on a bus do. Its device is shown behind that of the box.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from homeassistant.config_entries import SOURCE_INTEGRATION_DISCOVERY, ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, discovery_flow

from .const import CONF_BOX, CONF_LOGICAL_DEVICE, DOMAIN
from .dlms import AttributeDescriptor, CosemObject, Identity, Value

SAP_ASSIGNMENT_CLASS: Final = 17
_SAP_ASSIGNMENT_LIST: Final = 2
_FIELDS: Final = 2
"""Of a row of the SAP assignment list: address and logical device name."""
_NO_DEVICE: Final = 0
_ALL_DEVICES: Final = 0x3FFF

ATTR_ENTRY_ID: Final = "entry_id"
ATTR_NAME: Final = "name"
ATTR_SAP: Final = "sap"


def sap_assignments(objects: Iterable[CosemObject]) -> list[AttributeDescriptor]:
    """Return what to read to know the logical devices of a box."""
    return [
        AttributeDescriptor(
            SAP_ASSIGNMENT_CLASS, item.logical_name, _SAP_ASSIGNMENT_LIST
        )
        for item in objects
        if item.class_id == SAP_ASSIGNMENT_CLASS and item.readable(_SAP_ASSIGNMENT_LIST)
    ]


@callback
def async_offer_logical_devices(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    own_names: Iterable[str],
    values: Mapping[AttributeDescriptor, Value],
) -> None:
    """Offer what the SAP assignment lists beside the logical device that is read already."""
    if CONF_BOX in entry.data:
        return  # the box offers them
    known = {
        *own_names,
        *(other.unique_id for other in hass.config_entries.async_entries(DOMAIN)),
    }
    taken = {
        other.data.get(CONF_LOGICAL_DEVICE)
        for other in hass.config_entries.async_entries(DOMAIN)
        if entry.unique_id in (other.unique_id, other.data.get(CONF_BOX))
    }
    for attribute, assigned in values.items():
        if attribute.class_id != SAP_ASSIGNMENT_CLASS:
            continue
        for sap, name in _devices(assigned):
            if sap not in taken and name not in known:
                discovery_flow.async_create_flow(
                    hass,
                    DOMAIN,
                    context={"source": SOURCE_INTEGRATION_DISCOVERY},
                    data={
                        ATTR_ENTRY_ID: entry.entry_id,
                        ATTR_SAP: sap,
                        ATTR_NAME: name,
                    },
                )


def _devices(assigned: Value) -> list[tuple[int, str]]:
    """Return address and name of the logical devices that have both."""
    found = []
    for row in assigned if isinstance(assigned, tuple) else ():
        sap, name = row if isinstance(row, tuple) and len(row) == _FIELDS else (0, "")
        if not isinstance(sap, int) or not isinstance(name, str):
            continue
        if name and _NO_DEVICE < sap < _ALL_DEVICES:
            found.append((sap, Identity(logical_device_name=name).unique_id))
    return found


def box_of(hass: HomeAssistant, entry: ConfigEntry[Any]) -> dr.DeviceEntry | None:
    """Return the device that an entry's logical device is part of; None if it is none, or no longer there."""
    box = hass.config_entries.async_entry_for_domain_unique_id(
        DOMAIN, entry.data.get(CONF_BOX, "")
    )
    if box is None or box.unique_id is None:
        return None
    return dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, box.unique_id), box.entry_id
    )
