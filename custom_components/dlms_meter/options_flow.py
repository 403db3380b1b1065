"""What can be chosen at any time after a meter was added."""

from math import ceil
from typing import Any, Final

from homeassistant.config_entries import (
    ConfigEntryState,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
)
import voluptuous as vol

from .const import (
    CONF_CHANGE_SETTINGS,
    CONF_KEEP_OPEN,
    CONF_POLL_INTERVAL,
    CONF_READINGS,
    CONF_SUPPLY_SWITCH,
    DOMAIN,
    POLL_INTERVAL,
)
from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .readings import (
    async_offer,
    chosen,
    is_reading,
    reading_key,
    readings_schema,
)

SHORTEST_INTERVAL: Final = 10
LONGEST_INTERVAL: Final = 86_400
_SESSIONS_APART: Final = 2
"""So many times the length of a session must lie between the beginnings of two."""


class DlmsOptionsFlow(OptionsFlowWithReload):
    """How often the meter is read, whether the connection stays open in between, and what is shown."""

    config_entry: DlmsConfigEntry

    async def async_step_init(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask; what is shown can be chosen while the meter is known."""
        entry = self.config_entry
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        coordinator = entry.runtime_data
        if user_input is not None:
            wanted = chosen(user_input)
            _apply(coordinator, wanted)
            return self.async_create_entry(
                data={
                    CONF_POLL_INTERVAL: user_input[CONF_POLL_INTERVAL],
                    CONF_KEEP_OPEN: user_input[CONF_KEEP_OPEN],
                    CONF_SUPPLY_SWITCH: user_input[CONF_SUPPLY_SWITCH],
                    CONF_CHANGE_SETTINGS: user_input[CONF_CHANGE_SETTINGS],
                    CONF_READINGS: wanted,
                }
            )
        offer = await async_offer(
            self.hass, coordinator.memory, dict(coordinator.data.values)
        )
        shown = _shown(coordinator)
        schema = vol.Schema(
            {
                **_general(coordinator).schema,
                **readings_schema(offer, shown).schema,
            }
        )
        return self.async_show_form(
            step_id="init",
            data_schema=schema,  # type: ignore[arg-type]  # Home Assistant serves voluptuous by probatio
            description_placeholders={"shortest": str(shortest_interval(coordinator))},
        )


def shortest_interval(coordinator: DlmsCoordinator) -> int:
    """Return how many seconds between two polls the line can carry, by how long the last session took."""
    return max(SHORTEST_INTERVAL, ceil(_SESSIONS_APART * coordinator.session_seconds))


def _general(coordinator: DlmsCoordinator) -> vol.Schema:
    """Return the part of the form that every meter has."""
    options = coordinator.config_entry.options
    shortest = shortest_interval(coordinator)
    interval = options.get(CONF_POLL_INTERVAL, int(POLL_INTERVAL.total_seconds()))
    number = NumberSelector(
        NumberSelectorConfig(
            min=shortest,
            max=LONGEST_INTERVAL,
            step=1,
            mode=NumberSelectorMode.BOX,
            unit_of_measurement="s",
        )
    )
    keep_open = options.get(CONF_KEEP_OPEN, False)
    switch = options.get(CONF_SUPPLY_SWITCH, False)
    settings = options.get(CONF_CHANGE_SETTINGS, False)
    return vol.Schema(
        {
            vol.Required(CONF_POLL_INTERVAL, default=max(interval, shortest)): vol.All(
                number, vol.Coerce(int)
            ),
            vol.Required(CONF_KEEP_OPEN, default=keep_open): BooleanSelector(),
            vol.Required(CONF_SUPPLY_SWITCH, default=switch): BooleanSelector(),
            vol.Required(CONF_CHANGE_SETTINGS, default=settings): BooleanSelector(),
        }
    )


def _shown(coordinator: DlmsCoordinator) -> list[str]:
    """Return the readings that are shown now: what counts is whether their entities are enabled."""
    registry = er.async_get(coordinator.hass)
    shown = []
    for plan in coordinator.plans():
        if is_reading(plan) and (
            entity_id := registry.async_get_entity_id(
                plan.platform, DOMAIN, coordinator.entity_unique_id(plan)
            )
        ):
            entity = registry.async_get(entity_id)
            if entity is not None and not entity.disabled:
                shown.append(reading_key(plan))
    return shown


def _apply(coordinator: DlmsCoordinator, wanted: list[str]) -> None:
    """Enable and disable the entities that are there already; new ones follow the option."""
    registry = er.async_get(coordinator.hass)
    for plan in coordinator.plans():
        if not is_reading(plan):
            continue
        entity_id = registry.async_get_entity_id(
            plan.platform, DOMAIN, coordinator.entity_unique_id(plan)
        )
        entity = registry.async_get(entity_id) if entity_id else None
        if entity is None or entity.disabled != (reading_key(plan) in wanted):
            continue
        registry.async_update_entity(
            entity.entity_id,
            disabled_by=None
            if entity.disabled
            else er.RegistryEntryDisabler.INTEGRATION,
        )
