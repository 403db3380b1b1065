"""What can be done to a meter beside reading it: set its clock, cut off and restore the supply."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import DlmsCoordinator
from .descriptions import CLOCK_CLASS
from .dlms import (
    AttributeDescriptor,
    Data,
    DataType,
    DlmsClient,
    DlmsDateTime,
    DlmsError,
    LocalProtocolError,
    MeterClock,
    MethodDescriptor,
    ServiceError,
)
from .failures import refusal_sentence, shortened
from .ports import async_failure_of

DISCONNECTOR_CLASS: Final = 70
_OUTPUT_STATE: Final = 2
_DISCONNECT, _RECONNECT = 1, 2
_ADJUST_TO_QUARTER, _SHIFT_TIME = 1, 6
_LONGEST_SHIFT: Final = 900
"""Seconds, DLMS UA Blue Book, Clock (class 8), method shift_time."""
_AROUND_CHANGE: Final = timedelta(hours=1)
_NOTHING: Final = Data(DataType.INTEGER, 0)
"""The parameter of methods that have none."""


class ClockMethod(StrEnum):
    """How a meter's clock is put right."""

    SET = "set"
    SHIFT = "shift"
    """By seconds: intervals of the load profile stay whole."""
    ADJUST_TO_QUARTER = "adjust_to_quarter"
    """To the nearest quarter of an hour, as the meter sees it."""


class ClockChange(NamedTuple):
    """By how many seconds a clock was ahead, and is now; None if it does not say."""

    before: float | None
    after: float | None


@asynccontextmanager
async def async_acting(coordinator: DlmsCoordinator) -> AsyncIterator[DlmsClient]:
    """Lead a session for a user who waits for the outcome. Raises `HomeAssistantError` with what he should know."""
    try:
        async with coordinator.async_session() as client:
            yield client
    except LocalProtocolError as error:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="impossible_request",
            translation_placeholders={"error": shortened(str(error))},
        ) from error
    except ServiceError as error:
        key, placeholders = refusal_sentence(error)
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders=placeholders,
        ) from error
    except DlmsError as error:
        hass = coordinator.hass
        if coordinator.is_refused:
            coordinator.config_entry.async_start_reauth(hass)
        failure = await async_failure_of(hass, error, coordinator.client)
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=failure.sentence,
            translation_placeholders=dict(failure.placeholders),
        ) from error


def clock_of(coordinator: DlmsCoordinator) -> AttributeDescriptor:
    """Return the time of the meter's clock. Raises `ServiceValidationError` when it has none."""
    for item in coordinator.memory.objects:
        if item.class_id == CLOCK_CLASS:
            return AttributeDescriptor(CLOCK_CLASS, item.logical_name, 2)
    raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_clock")


def way_to_set(coordinator: DlmsCoordinator, clock: AttributeDescriptor) -> ClockMethod:
    """Return how the meter lets us put its clock right: by setting it, unless it says that it may only be shifted."""
    may_be_shifted_only = any(
        item.logical_name == clock.logical_name
        and item.invocable(_SHIFT_TIME)
        and not item.writable(clock.attribute_id)
        for item in coordinator.memory.objects
    )
    return ClockMethod.SHIFT if may_be_shifted_only else ClockMethod.SET


async def async_synchronise_clock(
    coordinator: DlmsCoordinator,
    clock: AttributeDescriptor,
    method: ClockMethod,
    moment: datetime | None = None,
) -> ClockChange:
    """Put a meter's clock right, or to `moment`; never while it may be on the other side of a change of the clocks than we.

    Raises `HomeAssistantError`.
    """
    async with async_acting(coordinator) as client:
        shown = await client.get(clock)
        before, rules = _drift(shown, client.memory.clock or MeterClock())
        target = moment or dt_util.utcnow()
        _refuse_change_of_clocks(target, before)
        if method is ClockMethod.SET:
            time_zone = dt_util.get_default_time_zone()
            octets = rules.write(target, time_zone).encode()
            data_type = (
                DataType.DATE_TIME
                if shown.type is DataType.DATE_TIME
                else DataType.OCTET_STRING
            )
            await client.set(clock, Data(data_type, octets))
        elif method is ClockMethod.SHIFT:
            await client.invoke(
                MethodDescriptor(CLOCK_CLASS, clock.logical_name, _SHIFT_TIME),
                Data(DataType.LONG, _shift(before)),
            )
        else:
            await client.invoke(
                MethodDescriptor(CLOCK_CLASS, clock.logical_name, _ADJUST_TO_QUARTER),
                _NOTHING,
            )
        after, _ = _drift(await client.get(clock), rules)
    await coordinator.async_request_refresh()
    return ClockChange(before, after)


def _drift(shown: Data, rules: MeterClock) -> tuple[float | None, MeterClock]:
    """Return by how many seconds a clock is ahead, and the rules by which it writes times."""
    if not isinstance(shown.value, bytes) or len(shown.value) != 12:
        return None, rules
    reading, now = DlmsDateTime.decode(shown.value), dt_util.utcnow()
    zone = dt_util.get_default_time_zone()
    rules = rules.learn(reading, now, zone)
    moment = rules.moment(reading, zone, now=now)
    return None if moment is None else (moment - now).total_seconds(), rules


def _refuse_change_of_clocks(target: datetime, drift: float | None) -> None:
    """Refuse to touch a clock when summer time begins or ends in between, or within the hour."""
    zone = dt_util.get_default_time_zone()
    margin = max(_AROUND_CHANGE, timedelta(seconds=min(abs(drift or 0), 86_400)))
    ends = {(target + way * margin).astimezone(zone).utcoffset() for way in (-1, 1)}
    if len(ends) > 1:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="clocks_change"
        )


def _shift(drift: float | None) -> int:
    """Return by how many seconds to shift a clock."""
    if drift is None:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="clock_unreadable"
        )
    seconds = round(-drift)
    if abs(seconds) > _LONGEST_SHIFT:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="shift_too_far",
            translation_placeholders={
                "seconds": str(seconds),
                "most": str(_LONGEST_SHIFT),
            },
        )
    return seconds


async def async_switch_supply(
    coordinator: DlmsCoordinator, output_state: AttributeDescriptor, *, on: bool
) -> bool | None:
    """Restore or cut off the supply; return whether it is on now, None if the meter does not say.

    Raises `HomeAssistantError`.
    """
    method = MethodDescriptor(
        DISCONNECTOR_CLASS,
        output_state.logical_name,
        _RECONNECT if on else _DISCONNECT,
    )
    async with async_acting(coordinator) as client:
        await client.invoke(method, _NOTHING)
        state = (await client.get(output_state)).value
    await coordinator.async_request_refresh()
    return state if isinstance(state, bool) else None


def supply_of(coordinator: DlmsCoordinator) -> AttributeDescriptor:
    """Return the state of the meter's own disconnector. Raises `ServiceValidationError` when it has none."""
    for item in coordinator.memory.objects:
        if item.class_id == DISCONNECTOR_CLASS and item.logical_name.b == 0:
            return AttributeDescriptor(
                DISCONNECTOR_CLASS, item.logical_name, _OUTPUT_STATE
            )
    raise ServiceValidationError(
        translation_domain=DOMAIN, translation_key="no_disconnector"
    )
