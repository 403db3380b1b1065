"""Actions: read and write any attribute, invoke methods, read profiles and the object list, set the clock."""

from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, cast

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.helpers import service
from homeassistant.helpers.typing import VolSchemaType
import voluptuous as vol

from .action_calls import (
    ATTR_METHOD,
    ATTR_TIME,
    CONFIRM,
    DATA,
    DEVICE,
    OBJECT,
    ONE_ATTRIBUTE,
    SELECTION,
    VALUE,
    aware,
    clock_time,
    invalid,
    meter_of,
)
from .const import CONF_SUPPLY_SWITCH, DOMAIN
from .control import (
    ClockMethod,
    async_switch_supply,
    async_synchronise_clock,
    clock_of,
    supply_of,
)
from .object_actions import async_get, async_invoke, async_read_objects, async_set
from .profile_action import READ_PROFILE, async_read_profile


async def _synchronise_clock(call: ServiceCall) -> ServiceResponse:
    """Put the clock right."""
    coordinator = meter_of(call)
    change = await async_synchronise_clock(
        coordinator, clock_of(coordinator), call.data[ATTR_METHOD]
    )
    return dict(change._asdict())


async def _set_clock(call: ServiceCall) -> ServiceResponse:
    """Set the clock to a time."""
    coordinator = meter_of(call)
    change = await async_synchronise_clock(
        coordinator,
        clock_of(coordinator),
        ClockMethod.SET,
        aware(call.data[ATTR_TIME]),
    )
    return dict(change._asdict())


async def _switch_supply(call: ServiceCall) -> ServiceResponse:
    """Cut off or restore the supply, if the user opted in."""
    coordinator = meter_of(call)
    if not coordinator.config_entry.options.get(CONF_SUPPLY_SWITCH):
        raise invalid("supply_switch_off")
    connected = await async_switch_supply(
        coordinator, supply_of(coordinator), on=call.service == "reconnect"
    )
    return {"connected": connected}


class _Action(NamedTuple):
    """How one action is registered."""

    name: str
    run: Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]
    schema: dict[Any, Any]
    response: SupportsResponse = SupportsResponse.OPTIONAL
    changes_meter: bool = True
    """For administrators only."""


_ACTIONS: Final = (
    _Action(
        "get",
        async_get,
        {**OBJECT, **ONE_ATTRIBUTE, **SELECTION},
        SupportsResponse.ONLY,
        changes_meter=False,
    ),
    _Action("set", async_set, {**OBJECT, **ONE_ATTRIBUTE, **DATA, **VALUE, **CONFIRM}),
    _Action(
        "invoke",
        async_invoke,
        {
            **OBJECT,
            vol.Required(ATTR_METHOD): vol.All(vol.Coerce(int), vol.Range(1, 127)),
            **DATA,
            **CONFIRM,
        },
    ),
    _Action(
        "read_profile",
        async_read_profile,
        READ_PROFILE,
        SupportsResponse.ONLY,
        changes_meter=False,
    ),
    _Action(
        "read_objects",
        async_read_objects,
        DEVICE,
        SupportsResponse.ONLY,
        changes_meter=False,
    ),
    _Action(
        "set_clock",
        _set_clock,
        {**DEVICE, vol.Required(ATTR_TIME): clock_time, **CONFIRM},
    ),
    _Action(
        "synchronise_clock",
        _synchronise_clock,
        {
            **DEVICE,
            vol.Optional(ATTR_METHOD, default=ClockMethod.SET): vol.All(
                vol.In([str(method) for method in ClockMethod]), vol.Coerce(ClockMethod)
            ),
        },
    ),
    _Action("disconnect", _switch_supply, {**DEVICE, **CONFIRM}),
    _Action("reconnect", _switch_supply, {**DEVICE, **CONFIRM}),
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for action in _ACTIONS:
        # Home Assistant serves voluptuous by a package of its own.
        schema = cast(VolSchemaType, vol.Schema(action.schema))
        if action.changes_meter:
            service.async_register_admin_service(
                hass, DOMAIN, action.name, action.run, schema, action.response
            )
        else:
            hass.services.async_register(
                DOMAIN, action.name, action.run, schema, action.response
            )
