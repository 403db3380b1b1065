"""Adding a meter: ask how it is reached, talk to it, and only then keep it."""

from asyncio import Task
from collections.abc import Mapping
from typing import Any, Final, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.data_entry_flow import AbortFlow, section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .channel import async_get_channel
from .const import (
    ADDRESS_LENGTH_AUTOMATIC,
    CONF_ADDRESS_LENGTH,
    CONF_CLIENT_SAP,
    CONF_FRAMING,
    CONF_LOGICAL_DEVICE,
    CONF_MECHANISM,
    CONF_PASSWORD_IS_HEX,
    CONF_PHYSICAL_DEVICE,
    DEFAULT_CLIENT_SAP,
    DEFAULT_LOGICAL_DEVICE,
    DEFAULT_PORT,
    DOMAIN,
    FRAMING_HDLC,
    FRAMING_WRAPPER,
    LOGGER,
    MECHANISM_LLS,
    MECHANISM_NONE,
)
from .dlms import (
    AssociationRejected,
    AuthenticationFailed,
    DlmsClient,
    DlmsError,
    LinkBusy,
    TransportError,
    TransportTimeout,
)
from .settings import (
    SECTION_EXPERT,
    InvalidSettings,
    client_settings,
    from_input,
    to_input,
)
from .storage import MeterMemory, async_hand_over

# The first row that fits says what to show, and at which field.
_FAILURES: Final[tuple[tuple[type[DlmsError], str, str], ...]] = (
    (AuthenticationFailed, CONF_PASSWORD, "invalid_auth"),
    (AssociationRejected, "base", "association_rejected"),
    (LinkBusy, "base", "wrong_address_or_busy"),
    (TransportTimeout, "base", "no_answer"),
    (TransportError, "base", "cannot_connect"),
    (DlmsError, "base", "protocol_error"),
)

_CONNECTED_FRACTION: Final = 0.1
_IDENTIFIED_FRACTION: Final = 0.2
_TYPICAL_OBJECT_LIST: Final = 20_000
"""Octets of a usual object list: the meter does not say beforehand how long its own is."""


def _number(low: int, high: int) -> vol.All:
    """Return a box for a whole number."""
    config = NumberSelectorConfig(
        min=low, max=high, step=1, mode=NumberSelectorMode.BOX
    )
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(
    key: str, options: list[str], mode: SelectSelectorMode = SelectSelectorMode.LIST
) -> SelectSelector:
    """Return a choice whose options are translated under `selector.<key>`."""
    return SelectSelector(
        SelectSelectorConfig(options=options, translation_key=key, mode=mode)
    )


_PASSWORD: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_ADDRESS_LENGTHS: Final = [ADDRESS_LENGTH_AUTOMATIC, "1", "2", "4"]

# Most meters answer to these; who has another kind of meter opens the section.
_EXPERT_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_CLIENT_SAP, default=DEFAULT_CLIENT_SAP): _number(1, 127),
        vol.Required(CONF_LOGICAL_DEVICE, default=DEFAULT_LOGICAL_DEVICE): _number(
            0, 0x3FFF
        ),
        vol.Optional(CONF_PHYSICAL_DEVICE): _number(0, 0x3FFF),
        vol.Required(CONF_ADDRESS_LENGTH, default=ADDRESS_LENGTH_AUTOMATIC): _choice(
            CONF_ADDRESS_LENGTH, _ADDRESS_LENGTHS, SelectSelectorMode.DROPDOWN
        ),
        vol.Required(CONF_PASSWORD_IS_HEX, default=False): BooleanSelector(),
    }
)
_NETWORK_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): _number(1, 0xFFFF),
        vol.Required(CONF_FRAMING, default=FRAMING_WRAPPER): _choice(
            CONF_FRAMING, [FRAMING_WRAPPER, FRAMING_HDLC]
        ),
        vol.Required(CONF_MECHANISM, default=MECHANISM_NONE): _choice(
            CONF_MECHANISM, [MECHANISM_NONE, MECHANISM_LLS]
        ),
        vol.Optional(CONF_PASSWORD): _PASSWORD,
        vol.Required(SECTION_EXPERT): section(
            _EXPERT_SCHEMA,  # type: ignore[arg-type]  # here and below: Home Assistant serves voluptuous by probatio
            {"collapsed": True},
        ),
    }
)
_REAUTH_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_PASSWORD): _PASSWORD,
        vol.Required(CONF_PASSWORD_IS_HEX, default=False): BooleanSelector(),
    }
)


class DlmsConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add a meter, or give it its new password."""

    VERSION = 1
    MINOR_VERSION = 1

    _data: dict[str, Any]
    _probe: Task[MeterMemory] | None = None

    @override
    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Begin."""
        return await self.async_step_network()

    async def async_step_network(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask where on the network the meter is, and how it wants to be spoken to."""
        if user_input is None:
            return self._show_network({})
        try:
            self._data = from_input(user_input)
        except InvalidSettings as invalid:
            return self._show_network(user_input, {invalid.field: invalid.error})
        return await self.async_step_probe()

    async def async_step_probe(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show progress while the meter is asked who it is and what it holds."""
        if self._probe is None:
            self._probe = self.hass.async_create_task(
                self._async_probe(), "probe the meter", eager_start=False
            )
        if not self._probe.done():
            return self.async_show_progress(
                step_id="probe",
                progress_action="read_meter",
                progress_task=self._probe,
                description_placeholders={"host": self._data[CONF_HOST]},
            )
        return self.async_show_progress_done(next_step_id="finish")

    async def async_step_finish(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Keep the meter that answered, or go back to the form with what went wrong."""
        assert self._probe is not None
        probe, self._probe = self._probe, None
        try:
            memory = await probe
        except AbortFlow:
            raise
        except Exception as error:  # noqa: BLE001  the flow's last line of defence: _failure() logs what it does not know
            return self._show_network(to_input(self._data), *_failure(error))
        async_hand_over(self.hass, memory)
        return self.async_create_entry(title=memory.identity.title, data=self._data)

    def _show_network(
        self,
        suggested: Mapping[str, Any],
        errors: dict[str, str] | None = None,
        placeholders: dict[str, str] | None = None,
    ) -> ConfigFlowResult:
        """Show the form, filled in as before; passwords are typed again."""
        values = {
            key: value for key, value in suggested.items() if key != CONF_PASSWORD
        }
        return self.async_show_form(
            step_id="network",
            data_schema=self.add_suggested_values_to_schema(
                _NETWORK_SCHEMA,  # type: ignore[arg-type]
                values,
            ),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_probe(self) -> MeterMemory:
        """Talk to the meter in one session. Raises `DlmsError`, or `AbortFlow` when it is already known."""
        settings = client_settings(self._data)
        async with (
            async_get_channel(self.hass, settings.endpoint),
            DlmsClient(settings) as client,
        ):
            self.async_update_progress(_CONNECTED_FRACTION)
            identity = await client.identity()
            await self.async_set_unique_id(identity.unique_id)
            self._abort_if_unique_id_configured()
            objects = await client.objects(self._update_progress)
        return MeterMemory(identity, objects)

    def _update_progress(self, octets: int) -> None:
        """Move on with the octets of the object list that have come; how many follow is a guess."""
        fraction = octets / (octets + _TYPICAL_OBJECT_LIST)
        self.async_update_progress(
            _IDENTIFIED_FRACTION + (1 - _IDENTIFIED_FRACTION) * fraction
        )

    async def async_step_reauth(
        self, entry_data: Mapping[str, Any]
    ) -> ConfigFlowResult:
        """Begin again after the meter refused the password."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the password the meter wants now, and try it once."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        if user_input is not None:
            updates = {CONF_MECHANISM: MECHANISM_LLS, **user_input}
            try:
                await self._async_identify({**entry.data, **updates})
            except InvalidSettings as invalid:
                errors = {invalid.field: invalid.error}
            except AbortFlow:
                raise
            except Exception as error:  # noqa: BLE001  as in async_step_finish
                errors, placeholders = _failure(error)
            else:
                return self.async_update_reload_and_abort(entry, data_updates=updates)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=_REAUTH_SCHEMA,  # type: ignore[arg-type]
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_identify(self, data: Mapping[str, Any]) -> None:
        """Make sure the meter takes these settings and is the one of the entry."""
        settings = client_settings(data)
        async with (
            async_get_channel(self.hass, settings.endpoint),
            DlmsClient(settings) as client,
        ):
            identity = await client.identity()
        known = self._get_reauth_entry().unique_id
        await self.async_set_unique_id(
            known if known in identity.unique_ids else identity.unique_id
        )
        self._abort_if_unique_id_mismatch(reason="another_meter")


def _failure(error: Exception) -> tuple[dict[str, str], dict[str, str]]:
    """Say what went wrong: the form's errors, and the words to fill into them."""
    for kind, field, key in _FAILURES:
        if isinstance(error, kind):
            return {field: key}, {"reason": str(error)}
    LOGGER.error("Unexpected fault while talking to the meter", exc_info=error)
    return {"base": "unknown"}, {}
