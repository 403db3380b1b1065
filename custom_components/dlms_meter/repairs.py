"""Repairs: dialogs that put right what the coordinator noticed, once the user agrees."""

from abc import ABC, abstractmethod
from typing import Any, Final, cast, override

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir, service
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SerialPortSelector,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from .channel import async_get_channel
from .const import CONF_SERIAL_PORT, DOMAIN
from .control import async_synchronise_clock, clock_of, way_to_set
from .coordinator import DlmsConfigEntry
from .counters import async_get_counter
from .dlms import DlmsClient, DlmsError, Identity
from .exchange import async_go_on_with
from .issues import (
    DATA_COUNTER,
    DATA_ENTRY_ID,
    DATA_ISSUE,
    DATA_METER,
    DATA_PORT,
    Issue,
)
from .ports import async_failure_of
from .settings import client_settings

type IssueData = dict[str, str | int | float | None] | None

_CONFIRM: Final = "confirm"
_FAILED: Final = "failed"
_LAST_COUNTER: Final = 0xFFFF_FFFF


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: IssueData
) -> RepairsFlow:
    """Return the dialog for an issue (`RepairsProtocol`)."""
    assert data is not None
    entry = hass.config_entries.async_get_known_entry(str(data[DATA_ENTRY_ID]))
    return _DIALOGS[Issue(str(data[DATA_ISSUE]))](entry, data)


class FixDialog(RepairsFlow, ABC):
    """Ask, do it, and say what stood in the way, as often as the user likes."""

    def __init__(self, entry: ConfigEntry, data: dict[str, Any]) -> None:
        self._entry = entry
        self._known = data

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Begin."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Explain what will be done, and do it."""
        reason = ""
        if user_input is not None:
            try:
                await self._async_fix(user_input)
            except HomeAssistantError as error:
                reason = await _words(self.hass, error)
            else:
                return self.async_create_entry(data={})
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, self.issue_id)
        known = (issue and issue.translation_placeholders) or {}
        return self.async_show_form(
            step_id=_CONFIRM,
            data_schema=self._form(user_input or {}),  # type: ignore[arg-type]  # Home Assistant serves voluptuous by probatio
            errors={"base": _FAILED} if reason else None,
            description_placeholders={**known, "reason": reason},
        )

    def _form(self, entered: dict[str, Any]) -> vol.Schema:
        """Return what is asked, filled in with what was entered before."""
        return vol.Schema({})

    @abstractmethod
    async def _async_fix(self, entered: dict[str, Any]) -> None:
        """Do it. Raises `HomeAssistantError`."""

    async def _async_identify(self, data: dict[str, Any]) -> Identity:
        """Ask who answers there. Raises `HomeAssistantError`."""
        settings = client_settings(data)
        channel = async_get_channel(self.hass, settings.endpoint)
        counter = await async_get_counter(self.hass, self._entry.entry_id)
        client = DlmsClient(
            settings,
            open_shared=channel.opener(settings.framing),
            invocation_counter=counter.value,
            save_invocation_counter=counter.async_save,
        )
        try:
            async with channel, client:
                return await client.identity()
        except DlmsError as error:
            failure = await async_failure_of(self.hass, error, client)
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=failure.sentence,
                translation_placeholders=dict(failure.placeholders),
            ) from error

    def _is_ours(self, identity: Identity) -> bool:
        return self._entry.unique_id in identity.unique_ids

    async def _async_set_up(self, data: dict[str, Any]) -> None:
        """Read the meter as `data` says from now on."""
        entries = self.hass.config_entries
        entries.async_update_entry(self._entry, data=data)
        await entries.async_reload(self._entry.entry_id)


class ExchangeDialog(FixDialog):
    """Let the entry belong to the meter that answers now."""

    @override
    async def _async_fix(self, entered: dict[str, Any]) -> None:
        identity = await self._async_identify(dict(self._entry.data))
        if self._is_ours(identity):  # the old one is back
            await self._async_set_up(dict(self._entry.data))
            return
        if identity.unique_id != self._known[DATA_METER]:
            raise _another_meter()
        await async_go_on_with(self.hass, self._entry, identity)


class ClockDialog(FixDialog):
    """Set the meter's clock."""

    @override
    async def _async_fix(self, entered: dict[str, Any]) -> None:
        entry = cast(
            DlmsConfigEntry,
            service.async_get_config_entry(self.hass, DOMAIN, self._entry.entry_id),
        )
        coordinator = entry.runtime_data
        clock = clock_of(coordinator)
        await async_synchronise_clock(
            coordinator, clock, way_to_set(coordinator, clock)
        )


class CounterDialog(FixDialog):
    """Go on with a higher invocation counter, which the user may choose; lower it never becomes."""

    _headroom = 1000
    """What is added to the counter a meter asks for: it may count on until the user has answered."""

    @override
    def _form(self, entered: dict[str, Any]) -> vol.Schema:
        wanted = int(self._known[DATA_COUNTER]) + self._headroom
        number = NumberSelector(
            NumberSelectorConfig(
                min=1, max=_LAST_COUNTER, step=1, mode=NumberSelectorMode.BOX
            )
        )
        proposed = entered.get(DATA_COUNTER, min(wanted, _LAST_COUNTER))
        return vol.Schema(
            {
                vol.Required(DATA_COUNTER, default=proposed): vol.All(
                    number, vol.Coerce(int)
                )
            }
        )

    @override
    async def _async_fix(self, entered: dict[str, Any]) -> None:
        counter = await async_get_counter(self.hass, self._entry.entry_id)
        await counter.async_save(entered[DATA_COUNTER])
        if not self._is_ours(await self._async_identify(dict(self._entry.data))):
            raise _another_meter()
        await self._async_set_up(dict(self._entry.data))


class UnansweredDialog(CounterDialog):
    """Go on with a higher invocation counter when the meter does not say how high: from the last one that was used."""

    _headroom = 100_000


class PortDialog(FixDialog):
    """Use another port, once the meter answered there."""

    @override
    def _form(self, entered: dict[str, Any]) -> vol.Schema:
        port = entered.get(CONF_SERIAL_PORT, self._known[DATA_PORT])
        return vol.Schema(
            {vol.Required(CONF_SERIAL_PORT, default=port): SerialPortSelector()}
        )

    @override
    async def _async_fix(self, entered: dict[str, Any]) -> None:
        data = {
            **self._entry.data,
            CONF_SERIAL_PORT: entered[CONF_SERIAL_PORT].strip(),
        }
        if not self._is_ours(await self._async_identify(data)):
            raise _another_meter()
        await self._async_set_up(data)


_DIALOGS: Final[dict[Issue, type[FixDialog]]] = {
    Issue.METER_EXCHANGED: ExchangeDialog,
    Issue.CLOCK_OFF: ClockDialog,
    Issue.COUNTER_REFUSED: CounterDialog,
    Issue.COUNTER_UNANSWERED: UnansweredDialog,
    Issue.PORT_MOVED: PortDialog,
}


def _another_meter() -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key="another_meter"
    )


async def _words(hass: HomeAssistant, error: HomeAssistantError) -> str:
    """Return what an error says, in the language of this Home Assistant."""
    domain = error.translation_domain or DOMAIN
    language = hass.config.language
    texts = await async_get_translations(hass, language, "exceptions", [domain])
    text = texts.get(f"component.{domain}.exceptions.{error.translation_key}.message")
    if text is None:
        return str(error)
    return text.format(**(error.translation_placeholders or {}))
