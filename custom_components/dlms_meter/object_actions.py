"""The actions on any object of the meter: read and write attributes, invoke methods, read the object list."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.util import dt as dt_util

from .action_calls import (
    ATTR_ATTRIBUTE,
    ATTR_CLASS_ID,
    ATTR_DATA,
    ATTR_DATA_HEX,
    ATTR_METHOD,
    ATTR_OBIS,
    ATTR_SELECTOR,
    ATTR_SELECTOR_DATA,
    ATTR_SELECTOR_DATA_HEX,
    ATTR_VALUE,
    aware,
    class_id_of,
    invalid,
    meter_of,
)
from .control import async_acting
from .coordinator import DlmsCoordinator
from .dlms import (
    INTERFACE_CLASSES,
    AccessMode,
    AttributeDescriptor,
    Conformance,
    CosemObject,
    Data,
    DataType,
    DlmsClient,
    DlmsDateTime,
    DlmsError,
    MeterClock,
    MethodDescriptor,
    ScalerUnit,
    SelectiveAccess,
    decode_data,
    decode_scaler_unit,
    describe,
    encode_data,
    scaler_unit_of,
    to_data,
    to_value,
    unit_symbol,
)
from .failures import shortened
from .plain_data import from_plain, plain
from .typed_data import InvalidData, from_json, to_json

_ALL: Final = 0
"""The attribute that stands for all of an object."""
_NOTHING: Final = Data(DataType.INTEGER, 0)


async def async_get(call: ServiceCall) -> ServiceResponse:
    """Read one attribute, part of it, or all of an object; raw and with its meaning."""
    coordinator = meter_of(call)
    attribute = _attribute(coordinator, call)
    access = None
    if (selector := call.data.get(ATTR_SELECTOR)) is not None:
        parameters = _data(call, ATTR_SELECTOR_DATA, ATTR_SELECTOR_DATA_HEX)
        access = SelectiveAccess(selector, parameters or Data(DataType.NULL_DATA, None))
    async with async_acting(coordinator) as client:
        if attribute.attribute_id == _ALL:
            answers = await _read_all(client, coordinator, attribute)
        else:
            answers = {attribute: await client.get(attribute, access)}
        scaler = await _scaler_unit(client, coordinator, answers)
    shown = {
        str(each.attribute_id): _shown(client, each, answer, scaler)
        for each, answer in answers.items()
    }
    head: dict[str, Any] = {
        ATTR_OBIS: str(attribute.logical_name),
        ATTR_CLASS_ID: attribute.class_id,
        ATTR_ATTRIBUTE: attribute.attribute_id,
    }
    if attribute.attribute_id == _ALL:
        return head | {"attributes": shown}
    return head | shown[str(attribute.attribute_id)]


async def _read_all(
    client: DlmsClient, coordinator: DlmsCoordinator, whole: AttributeDescriptor
) -> dict[AttributeDescriptor, Data | DlmsError]:
    """Read all attributes of an object: by attribute 0 from a meter that knows it, else each that can be read."""
    if Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET in client.negotiated.conformance:
        held = (await client.get(whole)).value
        if isinstance(held, tuple):
            return {
                whole._replace(attribute_id=number): each
                for number, each in enumerate(held, 1)
                if isinstance(each, Data)
            }
    row = INTERFACE_CLASSES.get(whole.class_id)
    numbers = set(range(1, len(row.attributes) + 1)) if row else {1, 2}
    for item in coordinator.memory.objects:
        if (item.class_id, item.logical_name) == whole[:2] and item.attribute_access:
            numbers = {n for n in item.attribute_access if item.readable(n)}
    return dict(
        await client.get_many(
            [whole._replace(attribute_id=number) for number in sorted(numbers)]
        )
    )


async def _scaler_unit(
    client: DlmsClient,
    coordinator: DlmsCoordinator,
    answers: Mapping[AttributeDescriptor, Data | DlmsError],
) -> ScalerUnit | None:
    """Return scaler and unit of what was read of one object; None where it needs none."""
    known = coordinator.memory.scaler_units
    scaler = next(filter(None, map(scaler_unit_of, answers)), None)
    if scaler is None:
        return None
    if scaler not in known:
        answer = answers.get(scaler)
        if not isinstance(answer, Data):
            answer = await client.get(scaler)
        known[scaler] = decode_scaler_unit(answer)
    return known[scaler]


def _shown(
    client: DlmsClient,
    attribute: AttributeDescriptor,
    answer: Data | DlmsError,
    scaler_unit: ScalerUnit | None,
) -> dict[str, Any]:
    """Return an answer with its meaning, and as it was sent."""
    if isinstance(answer, DlmsError):
        return {"error": str(answer)}
    if scaler_unit_of(attribute) is None:
        scaler_unit = None
    value = to_value(attribute, answer, scaler_unit)
    return {
        ATTR_VALUE: plain(value, lambda stamp: _moment(client, stamp)),
        "unit": scaler_unit and unit_symbol(scaler_unit.unit),
        "raw": to_json(answer),
        "hex": encode_data(answer).hex(),
    }


def _moment(client: DlmsClient, stamp: DlmsDateTime) -> datetime | None:
    """Return what a date-time of the meter means, in Home Assistant's zone."""
    clock, zone = client.memory.clock or MeterClock(), dt_util.get_default_time_zone()
    moment = clock.moment(stamp, zone)
    return moment and moment.astimezone(zone)


async def async_set(call: ServiceCall) -> ServiceResponse:
    """Write one attribute, and read it back where the meter lets us."""
    coordinator = meter_of(call)
    attribute = _attribute(coordinator, call)
    data = _data(call, ATTR_DATA, ATTR_DATA_HEX)
    if data is None and ATTR_VALUE not in call.data:
        raise invalid("data_missing")
    async with async_acting(coordinator) as client:
        if data is None:
            data = await _to_data(client, coordinator, attribute, call.data[ATTR_VALUE])
        await client.set(attribute, data)
        answers = await client.get_many([attribute])
    await coordinator.async_request_refresh()
    answer = answers[attribute]
    return {"now": None if isinstance(answer, DlmsError) else to_json(answer)}


async def _to_data(
    client: DlmsClient,
    coordinator: DlmsCoordinator,
    attribute: AttributeDescriptor,
    given: object,
) -> Data:
    """Turn a value in the form in which `get` shows it into what the meter is sent."""
    present = await client.get(attribute)
    scaler_unit = await _scaler_unit(client, coordinator, {attribute: present})
    clock, zone = client.memory.clock or MeterClock(), dt_util.get_default_time_zone()
    try:
        value = from_plain(
            given,
            to_value(attribute, present, scaler_unit),
            lambda moment: clock.write(aware(moment), zone),
        )
    except InvalidData as error:
        raise invalid("invalid_data", error=shortened(str(error))) from error
    return to_data(attribute, value, scaler_unit=scaler_unit, like=present)


async def async_invoke(call: ServiceCall) -> ServiceResponse:
    """Invoke one method; without data with the usual 0."""
    coordinator = meter_of(call)
    method = MethodDescriptor(
        class_id_of(coordinator, call), call.data[ATTR_OBIS], call.data[ATTR_METHOD]
    )
    data = _data(call, ATTR_DATA, ATTR_DATA_HEX) or _NOTHING
    async with async_acting(coordinator) as client:
        answer = await client.invoke(method, data)
    await coordinator.async_request_refresh()
    return {"data": None if answer is None else to_json(answer)}


async def async_read_objects(call: ServiceCall) -> ServiceResponse:
    """Read the object list from the meter."""
    async with async_acting(meter_of(call)) as client:
        objects = await client.objects()
    return {"objects": [_object(item) for item in objects]}


def _attribute(coordinator: DlmsCoordinator, call: ServiceCall) -> AttributeDescriptor:
    class_id = class_id_of(coordinator, call)
    return AttributeDescriptor(
        class_id, call.data[ATTR_OBIS], call.data[ATTR_ATTRIBUTE]
    )


def _data(call: ServiceCall, typed: str, in_hex: str) -> Data | None:
    """Return data given in one of its two forms; None without."""
    try:
        if typed in call.data:
            return from_json(call.data[typed])
        if in_hex in call.data:
            return decode_data(call.data[in_hex])
    except (InvalidData, DlmsError) as error:
        raise invalid("invalid_data", error=shortened(str(error))) from error
    return None


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
