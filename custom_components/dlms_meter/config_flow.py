"""Adding a meter: ask how it is connected, find out the rest, and keep it once it was read."""

from collections.abc import Mapping
from typing import Any, override

from homeassistant.config_entries import (
    ConfigEntry,
    ConfigFlowResult,
    OptionsFlow,
)
from homeassistant.core import callback

from . import flow_schemas as schemas
from .channel import async_get_channel
from .const import CONF_MECHANISM, DOMAIN, MECHANISM_LLS
from .dlms import Access
from .failures import Failure
from .flow_access import AnotherMeter, blanks, check_identity, errors_at
from .flow_box import BoxSteps
from .flow_find import FindSteps
from .options_flow import DlmsOptionsFlow
from .settings import check, client_settings, level_of


class DlmsConfigFlow(FindSteps, BoxSteps, domain=DOMAIN):
    """Add a meter, connect it otherwise, or give it its new password or keys."""

    VERSION = 1
    MINOR_VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Return the dialog for what can be chosen later."""
        return DlmsOptionsFlow()

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the meter is connected."""
        self._data = {}
        return self.async_show_menu(step_id="user", menu_options=["serial", "network"])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask the same for a meter that is there already; its entry goes on reading until a new way is proven."""
        self._data = dict(self._get_reconfigure_entry().data)
        return self.async_show_menu(
            step_id="reconfigure", menu_options=["serial", "network"]
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin again after the meter refused the password or a key."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the secrets the meter wants now, and try them once."""
        entry = self._get_reauth_entry()
        # A meter that was read openly until now can only have begun to want a password.
        level = max(level_of(entry.data), Access.PASSWORD, key=list(Access).index)
        schema = schemas.secrets(level)
        failure: Failure | None = None
        if user_input is not None:
            data = {**entry.data, **user_input}
            if level is Access.PASSWORD:
                data[CONF_MECHANISM] = MECHANISM_LLS
            try:
                await self._async_try(data, entry.unique_id)
            except AnotherMeter as other:
                self._data = data
                return await self._async_other(other.identity)
            except Exception as error:  # noqa: BLE001  as in async_step_read_done
                failure = await self._async_failed(error)
            else:
                return self.async_update_reload_and_abort(entry, data=data)
        return self.async_show_form(
            step_id=f"reauth_{level.value}",
            data_schema=schema,  # type: ignore[arg-type]
            errors=errors_at(schema, failure),
            description_placeholders={"meter": entry.title, **blanks(failure)},
        )

    async_step_reauth_password = async_step_reauth_confirm
    async_step_reauth_challenge = async_step_reauth_confirm
    async_step_reauth_keys = async_step_reauth_confirm

    async def _async_try(self, data: Mapping[str, Any], unique_id: str | None) -> None:
        """Make sure the meter takes these settings and is the one of the entry."""
        check(data)
        settings = client_settings(data)
        client = await self._async_client(settings)
        async with async_get_channel(self.hass, settings.endpoint), client:
            check_identity(unique_id, await client.identity())
