"""The first steps of the set-up dialog: how the meter is connected, asked again where there is no connection."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, override

from homeassistant.config_entries import (
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigFlowResult,
)
from homeassistant.const import CONF_HOST, CONF_PORT

from . import flow_schemas as schemas
from .const import CONF_SERIAL_PORT
from .dlms import Symptom
from .failures import Failure, failure_at
from .flow_access import AccessSteps, blanks, errors_at
from .ports import async_lasting_name
from .settings import is_serial

NOT_CONNECTED: Final = {symptom for symptom in Symptom if not symptom.is_connected}

type Step = Callable[[], Awaitable[ConfigFlowResult]]


class ConnectionSteps(AccessSteps):
    """From nothing to a connection, and the question what is at its other end."""

    _onward: Step | None = None
    """What follows once the connection is corrected; None: which meter it is."""

    async def async_step_serial(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which port the probe is plugged into."""
        if user_input is None:
            return self._show_connection(schemas.SERIAL)
        entered: str = user_input[CONF_SERIAL_PORT].strip()
        if not entered:
            missing = failure_at(Symptom.PORT_MISSING)
            return self._show_connection(schemas.SERIAL, missing)
        port = await async_lasting_name(self.hass, entered)
        return await self._async_connected({CONF_SERIAL_PORT: port})

    async def async_step_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where on the network the meter or gateway is."""
        if user_input is None:
            return self._show_connection(schemas.NETWORK)
        host: str = user_input[CONF_HOST].strip()
        if not host:
            missing = failure_at(Symptom.HOST_UNKNOWN)
            return self._show_connection(schemas.NETWORK, missing)
        return await self._async_connected(
            {CONF_HOST: host, CONF_PORT: user_input[CONF_PORT]}
        )

    def _show_connection(
        self, way: str, failure: Failure | None = None
    ) -> ConfigFlowResult:
        """Show the form of one way to be connected, filled in with what is known."""
        schema = schemas.CONNECTIONS[way]
        return self.async_show_form(
            step_id=way,
            data_schema=self.add_suggested_values_to_schema(
                schema,  # type: ignore[arg-type]
                self._data,
            ),
            errors=errors_at(schema, failure),
            description_placeholders=blanks(failure),
        )

    async def _async_connected(self, connection: dict[str, Any]) -> ConfigFlowResult:
        """Take the connection instead of any before."""
        for key in (CONF_SERIAL_PORT, CONF_HOST, CONF_PORT):
            self._data.pop(key, None)
        self._data |= connection
        onward, self._onward = self._onward, None
        return await (onward or self.async_step_which)()

    def _show_connection_again(
        self, failure: Failure | None = None, onward: Step | None = None
    ) -> ConfigFlowResult:
        """Let the connection be corrected, then go on: with which meter it is, or where it failed."""
        self._onward = onward
        way = schemas.SERIAL if is_serial(self._data) else schemas.NETWORK
        return self._show_connection(way, failure)

    @override
    def _show_failure(self, failure: Failure) -> ConfigFlowResult:
        """Go back to the connection if there is none; that of a box is known to its entry."""
        of_box = self.source == SOURCE_INTEGRATION_DISCOVERY
        if of_box or failure.key not in NOT_CONNECTED:
            return super()._show_failure(failure)
        usable = failure.key != Symptom.SPEED_FIXED
        return self._show_connection_again(
            failure, self.async_step_read if usable else None
        )

    async def async_step_which(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask which meter it is."""
        return self.async_show_menu(
            step_id="which",
            menu_options=[schemas.FIND, schemas.MODEL, schemas.LINE],
        )
