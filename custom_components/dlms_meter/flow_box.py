"""The dialog that adds another logical device of a box that is read already."""

from secrets import token_hex
from typing import Any

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.typing import DiscoveryInfoType

from . import flow_schemas as schemas
from .const import CONF_BOX, CONF_LOGICAL_DEVICE, CONF_SYSTEM_TITLE
from .flow_access import AccessSteps
from .logical_devices import ATTR_ENTRY_ID, ATTR_NAME, ATTR_SAP
from .settings import SYSTEM_TITLE_LENGTH, level_of


class BoxSteps(AccessSteps):
    """From a box whose entry knows the way to it."""

    async def async_step_integration_discovery(
        self, discovery_info: DiscoveryInfoType
    ) -> ConfigFlowResult:
        """Take the way to the logical device from the entry of its box."""
        box = self.hass.config_entries.async_get_known_entry(
            discovery_info[ATTR_ENTRY_ID]
        )
        name = discovery_info[ATTR_NAME]
        await self.async_set_unique_id(name)
        self._abort_if_unique_id_configured()
        self._data = {
            **box.data,
            CONF_LOGICAL_DEVICE: discovery_info[ATTR_SAP],
            CONF_BOX: box.unique_id,
        }
        if CONF_SYSTEM_TITLE in self._data:
            # A client name of its own: no message number may come twice under one name and key.
            self._data[CONF_SYSTEM_TITLE] = token_hex(SYSTEM_TITLE_LENGTH)
        self._level = level_of(self._data)
        self.context["title_placeholders"] = {"name": name}
        return await self.async_step_logical_device()

    async def async_step_logical_device(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to add it, then try what its box is read with; if that is refused, the form asks for the rest."""
        if user_input is not None:
            return await self.async_step_read()
        self._set_confirm_only()
        return self.async_show_form(
            step_id="logical_device",
            data_schema=schemas.NOTHING,  # type: ignore[arg-type]
            description_placeholders={
                "name": self.context["title_placeholders"]["name"],
                "box": str(self._data[CONF_BOX]),
            },
        )
