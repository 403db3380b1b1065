"""Actions: read and write any attribute, invoke methods, read profiles and the object list, set the clock."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.helpers.typing import VolSchemaType
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import CONF_SUPPLY_SWITCH, DOMAIN
from .control import (
    ClockMethod,
    async_acting,
    async_switch_supply,
    async_synchronise_clock,
    clock_of,
    supply_of,
)
from .coordinator import DlmsCoordinator
from .dlms import (
    INTERFACE_CLASSES,
    AccessMode,
    AttributeDescriptor,
    CosemObject,
    Data,
    DataType,
    DlmsClient,
    DlmsError,
    EntryRange,
    LastEntries,
    MethodDescriptor,
    Obis,
    Selection,
    SelectiveAccess,
    TimeRange,
    WholeBuffer,
    decode_data,
    decode_scaler_unit,
    describe,
    encode_data,
    interpret,
    scaler_unit_of,
    unit_symbol,
)
from .rows import columns_json, row_json
from .typed_data import InvalidData, from_json, plain, to_json

ATTR_ATTRIBUTE: Final = "attribute"
ATTR_CLASS_ID: Final = "class_id"
ATTR_COLUMNS: Final = "columns"
ATTR_CONFIRM: Final = "confirm"
ATTR_DATA: Final = "data"
ATTR_DATA_HEX: Final = "data_hex"
ATTR_FIRST: Final = "first"
ATTR_LAST: Final = "last"
ATTR_METHOD: Final = "method"
ATTR_NEWEST: Final = "newest"
ATTR_OBIS: Final = "obis"
ATTR_SELECTOR: Final = "selector"
ATTR_SELECTOR_DATA: Final = "selector_data"
ATTR_SELECTOR_DATA_HEX: Final = "selector_data_hex"
ATTR_SINCE: Final = "since"
ATTR_TIME: Final = "time"
ATTR_UNTIL: Final = "until"

_NOTHING: Final = Data(DataType.INTEGER, 0)


def _obis(text: object) -> Obis:
    """Read an OBIS code as people write it."""
    try:
        return Obis.parse(cv.string(text))
    except DlmsError as error:
        raise vol.Invalid(str(error)) from error


def _hex(text: object) -> bytes:
    try:
        return bytes.fromhex(cv.string(text).removeprefix("0x"))
    except ValueError as error:
        raise vol.Invalid("not an even number of hexadecimal digits") from error


def _confirmed(value: object) -> bool:
    if value is not True:
        raise vol.Invalid("confirm must be true: this changes the meter")
    return True


_DEVICE: Final[dict[Any, Any]] = {vol.Required(ATTR_DEVICE_ID): cv.string}
_CONFIRM: Final[dict[Any, Any]] = {vol.Required(ATTR_CONFIRM): _confirmed}
_OBJECT: Final[dict[Any, Any]] = {
    **_DEVICE,
    vol.Required(ATTR_OBIS): _obis,
    vol.Optional(ATTR_CLASS_ID): vol.All(vol.Coerce(int), vol.Range(0, 0xFFFF)),
}
_ONE_ATTRIBUTE: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_ATTRIBUTE, default=2): vol.All(
        vol.Coerce(int), vol.Range(-128, 127)
    )
}
_SELECTION: Final[dict[Any, Any]] = {
    vol.Optional(ATTR_SELECTOR): vol.All(vol.Coerce(int), vol.Range(0, 255)),
    vol.Exclusive(ATTR_SELECTOR_DATA, ATTR_SELECTOR_DATA): dict,
    vol.Exclusive(ATTR_SELECTOR_DATA_HEX, ATTR_SELECTOR_DATA): _hex,
}
_DATA: Final[dict[Any, Any]] = {
    vol.Exclusive(ATTR_DATA, ATTR_DATA): dict,
    vol.Exclusive(ATTR_DATA_HEX, ATTR_DATA): _hex,
}
_ENTRY: Final = vol.All(vol.Coerce(int), vol.Range(1, 0xFFFF_FFFF))


def _coordinator(call: ServiceCall) -> DlmsCoordinator:
    """Return the meter that an action is for."""
    _, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, call.data[ATTR_DEVICE_ID]
    )
    coordinator: DlmsCoordinator = entry.runtime_data
    return coordinator


def _invalid(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


def _class_id(coordinator: DlmsCoordinator, call: ServiceCall) -> int:
    """Return the class of the object meant: as given, or as the meter has it."""
    if (class_id := call.data.get(ATTR_CLASS_ID)) is not None:
        return int(class_id)
    name = call.data[ATTR_OBIS]
    classes = [o.class_id for o in coordinator.memory.objects if o.logical_name == name]
    if not classes:
        raise _invalid("unknown_object", obis=str(name))
    return classes[0]


def _data(call: ServiceCall, typed: str, in_hex: str) -> Data | None:
    """Return data given in one of its two forms; None without."""
    try:
        if typed in call.data:
            return from_json(call.data[typed])
        if in_hex in call.data:
            return decode_data(call.data[in_hex])
    except (InvalidData, DlmsError) as error:
        raise _invalid("invalid_data", error=str(error)) from error
    return None


async def _get(call: ServiceCall) -> ServiceResponse:
    """Read one attribute, or part of it; raw and with its meaning."""
    coordinator = _coordinator(call)
    attribute = AttributeDescriptor(
        _class_id(coordinator, call), call.data[ATTR_OBIS], call.data[ATTR_ATTRIBUTE]
    )
    access = None
    if (selector := call.data.get(ATTR_SELECTOR)) is not None:
        parameters = _data(call, ATTR_SELECTOR_DATA, ATTR_SELECTOR_DATA_HEX)
        access = SelectiveAccess(selector, parameters or Data(DataType.NULL_DATA, None))
    async with async_acting(coordinator) as client:
        data = await client.get(attribute, access)
        return await _answer(client, coordinator, attribute, data)


async def _answer(
    client: DlmsClient,
    coordinator: DlmsCoordinator,
    attribute: AttributeDescriptor,
    data: Data,
) -> dict[str, Any]:
    scaler_units = coordinator.memory.scaler_units
    scaler = scaler_unit_of(attribute)
    if scaler is not None and scaler not in scaler_units:
        scaler_units[scaler] = decode_scaler_unit(await client.get(scaler))
    scaler_unit = None if scaler is None else scaler_units[scaler]
    return {
        ATTR_OBIS: str(attribute.logical_name),
        ATTR_CLASS_ID: attribute.class_id,
        ATTR_ATTRIBUTE: attribute.attribute_id,
        "value": plain(interpret(attribute, data, scaler_unit)),
        "unit": scaler_unit and unit_symbol(scaler_unit.unit),
        "raw": to_json(data),
        "hex": encode_data(data).hex(),
    }


async def _set(call: ServiceCall) -> ServiceResponse:
    """Write one attribute, and read it back where the meter lets us."""
    coordinator = _coordinator(call)
    attribute = AttributeDescriptor(
        _class_id(coordinator, call), call.data[ATTR_OBIS], call.data[ATTR_ATTRIBUTE]
    )
    data = _data(call, ATTR_DATA, ATTR_DATA_HEX)
    if data is None:
        raise _invalid("data_missing")
    async with async_acting(coordinator) as client:
        await client.set(attribute, data)
        answers = await client.get_many([attribute])
    await coordinator.async_request_refresh()
    answer = answers[attribute]
    return {"now": None if isinstance(answer, DlmsError) else to_json(answer)}


async def _invoke(call: ServiceCall) -> ServiceResponse:
    """Invoke one method; without data with the usual 0."""
    coordinator = _coordinator(call)
    method = MethodDescriptor(
        _class_id(coordinator, call), call.data[ATTR_OBIS], call.data[ATTR_METHOD]
    )
    data = _data(call, ATTR_DATA, ATTR_DATA_HEX) or _NOTHING
    async with async_acting(coordinator) as client:
        answer = await client.invoke(method, data)
    await coordinator.async_request_refresh()
    return {"data": None if answer is None else to_json(answer)}


def _selection(call: ServiceCall) -> Selection:
    """Return which rows are wanted. Raises `ServiceValidationError`."""
    given = call.data
    ways = [
        way
        for way in ((ATTR_SINCE, ATTR_UNTIL), (ATTR_FIRST, ATTR_LAST), (ATTR_NEWEST,))
        if any(name in given for name in way)
    ]
    if len(ways) > 1:
        raise _invalid("one_selection")
    if ATTR_NEWEST in given:
        return LastEntries(given[ATTR_NEWEST])
    if ATTR_FIRST in given or ATTR_LAST in given:
        first, last = given.get(ATTR_FIRST, 1), given.get(ATTR_LAST, 0)
        if last and last < first:
            raise _invalid("upside_down", first=str(first), last=str(last))
        return EntryRange(first, last)
    if ATTR_UNTIL in given and ATTR_SINCE not in given:
        raise _invalid("since_missing")
    if ATTR_SINCE not in given:
        return WholeBuffer()
    since, until = _aware(given[ATTR_SINCE]), given.get(ATTR_UNTIL)
    if until is not None and (until := _aware(until)) < since:
        raise _invalid("upside_down", first=since.isoformat(), last=until.isoformat())
    return TimeRange(since, until)


def _aware(moment: datetime) -> datetime:
    """Take a time without offset for Home Assistant's own."""
    return (
        moment
        if moment.tzinfo
        else moment.replace(tzinfo=dt_util.get_default_time_zone())
    )


def _columns(call: ServiceCall) -> Callable[[AttributeDescriptor], bool]:
    wanted: list[Obis] = call.data.get(ATTR_COLUMNS, [])
    return lambda attribute: not wanted or attribute.logical_name in wanted


async def _read_profile(call: ServiceCall) -> ServiceResponse:
    """Read rows of a profile, with times, units and status."""
    coordinator = _coordinator(call)
    selection = _selection(call)
    async with async_acting(coordinator) as client:
        rows = await client.read_profile(
            call.data[ATTR_OBIS],
            selection,
            coordinator.memory.scaler_units,
            now=dt_util.utcnow(),
            time_zone=dt_util.get_default_time_zone(),
        )
    columns = columns_json(rows, _columns(call))
    if not columns:
        raise _invalid("no_such_column", obis=str(call.data[ATTR_OBIS]))
    names = [column["name"] for column in columns]
    shown = []
    for part in rows.slices():
        shown += [row_json(rows, row, names) for row in part]
        await asyncio.sleep(0)  # thousands of rows must not keep the others waiting
    response: dict[str, Any] = {ATTR_COLUMNS: columns, "rows": shown}
    return response


async def _read_objects(call: ServiceCall) -> ServiceResponse:
    """Read the object list from the meter."""
    async with async_acting(_coordinator(call)) as client:
        objects = await client.objects()
    return {"objects": [_object(item) for item in objects]}


def _object(item: CosemObject) -> dict[str, Any]:
    row = INTERFACE_CLASSES.get(item.class_id)
    meaning = describe(item.logical_name, item.class_id)

    def names(access: dict[int, str], known: tuple[str, ...]) -> dict[str, Any]:
        return {
            str(number): {
                "name": known[number - 1] if 0 < number <= len(known) else None,
                "access": rights,
            }
            for number, rights in access.items()
        }

    return {
        ATTR_OBIS: str(item.logical_name),
        ATTR_CLASS_ID: item.class_id,
        "class": row and row.name,
        "version": item.version,
        "meaning": meaning and f"{meaning.key} {meaning.detail}".rstrip(),
        "attributes": names(
            {n: _rights(mode) for n, mode in item.attribute_access.items()},
            row.attributes if row else (),
        ),
        "methods": names(
            {
                n: "invoke" if AccessMode.READ in mode else ""
                for n, mode in item.method_access.items()
            },
            row.methods if row else (),
        ),
    }


def _rights(mode: AccessMode) -> str:
    words = (("read", AccessMode.READ), ("write", AccessMode.WRITE))
    return " ".join(word for word, right in words if right in mode)


async def _synchronise_clock(call: ServiceCall) -> ServiceResponse:
    """Put the clock right."""
    coordinator = _coordinator(call)
    change = await async_synchronise_clock(
        coordinator, clock_of(coordinator), call.data[ATTR_METHOD]
    )
    return dict(change._asdict())


async def _set_clock(call: ServiceCall) -> ServiceResponse:
    """Set the clock to a time."""
    coordinator = _coordinator(call)
    change = await async_synchronise_clock(
        coordinator,
        clock_of(coordinator),
        ClockMethod.SET,
        _aware(call.data[ATTR_TIME]),
    )
    return dict(change._asdict())


async def _switch_supply(call: ServiceCall) -> ServiceResponse:
    """Cut off or restore the supply, if the user opted in."""
    coordinator = _coordinator(call)
    if not coordinator.config_entry.options.get(CONF_SUPPLY_SWITCH):
        raise _invalid("supply_switch_off")
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
        _get,
        {**_OBJECT, **_ONE_ATTRIBUTE, **_SELECTION},
        SupportsResponse.ONLY,
        changes_meter=False,
    ),
    _Action("set", _set, {**_OBJECT, **_ONE_ATTRIBUTE, **_DATA, **_CONFIRM}),
    _Action(
        "invoke",
        _invoke,
        {
            **_OBJECT,
            vol.Required(ATTR_METHOD): vol.All(vol.Coerce(int), vol.Range(1, 127)),
            **_DATA,
            **_CONFIRM,
        },
    ),
    _Action(
        "read_profile",
        _read_profile,
        {
            **_DEVICE,
            vol.Required(ATTR_OBIS): _obis,
            vol.Optional(ATTR_SINCE): cv.datetime,
            vol.Optional(ATTR_UNTIL): cv.datetime,
            vol.Optional(ATTR_FIRST): _ENTRY,
            vol.Optional(ATTR_LAST): _ENTRY,
            vol.Optional(ATTR_NEWEST): _ENTRY,
            vol.Optional(ATTR_COLUMNS): vol.All(cv.ensure_list, [_obis]),
        },
        SupportsResponse.ONLY,
        changes_meter=False,
    ),
    _Action(
        "read_objects",
        _read_objects,
        _DEVICE,
        SupportsResponse.ONLY,
        changes_meter=False,
    ),
    _Action(
        "set_clock",
        _set_clock,
        {**_DEVICE, vol.Required(ATTR_TIME): cv.datetime, **_CONFIRM},
    ),
    _Action(
        "synchronise_clock",
        _synchronise_clock,
        {
            **_DEVICE,
            vol.Optional(ATTR_METHOD, default=ClockMethod.SET): vol.Coerce(ClockMethod),
        },
    ),
    _Action("disconnect", _switch_supply, {**_DEVICE, **_CONFIRM}),
    _Action("reconnect", _switch_supply, {**_DEVICE, **_CONFIRM}),
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
