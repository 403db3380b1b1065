"""Binary sensors: whether the supply is on, and whether the meter has something to complain about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.binary_sensor.const import BinarySensorDeviceClass
from homeassistant.const import STATE_OFF, STATE_ON, EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.restore_state import RestoreEntity

from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .dlms import BitString, ClockStatus, DlmsDateTime, Quantity, Value
from .entity import ATTR_OBIS_CODE, DlmsAttributeEntity, DlmsEntity
from .event_log import COVERS, event_code
from .plan import EntityPlan

PARALLEL_UPDATES = 0

_ATTR_BITS: Final = "bits"
_WRONG_CLOCK: Final = (
    ClockStatus.INVALID | ClockStatus.DOUBTFUL | ClockStatus.INVALID_CLOCK_STATUS
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make a binary sensor of everything that is so or not so."""
    coordinator = entry.runtime_data
    async_add_entities(
        (DlmsCoverSensor if plan.kind in COVERS else DlmsBinarySensor)(
            coordinator, plan
        )
        for plan in coordinator.plans()
        if plan.platform is Platform.BINARY_SENSOR
    )


def _is_true(value: Value) -> bool | None:
    return value if isinstance(value, bool) else None


def _clock_is_wrong(value: Value) -> bool | None:
    if not isinstance(value, DlmsDateTime) or value.status is None:
        return None
    return bool(value.status & _WRONG_CLOCK)


def _any_bit(value: Value) -> bool | None:
    bits = _bits(value)
    return None if bits is None else bool(bits)


def _bits(value: Value) -> list[int] | None:
    """Return which bits of a register are set, the lowest is 0; of a bit-string, the first is 0."""
    if isinstance(value, BitString):
        return [place for place, bit in enumerate(str(value)) if bit == "1"]
    if isinstance(value, bytes):
        value = int.from_bytes(value)
    if isinstance(value, Quantity) and value.value == int(value.value):
        value = int(value.value)
    if not isinstance(value, int):
        return None
    return [place for place in range(value.bit_length()) if value >> place & 1]


@dataclass(frozen=True, kw_only=True)
class DlmsBinarySensorDescription(BinarySensorEntityDescription):
    """How one kind is shown."""

    is_on: Callable[[Value], bool | None] = _any_bit
    has_bits: bool = False
    """The single bits mean something to those who have the meter's manual."""


_DESCRIPTIONS: Final = {
    description.key: description
    for description in (
        DlmsBinarySensorDescription(
            key="supply", device_class=BinarySensorDeviceClass.POWER, is_on=_is_true
        ),
        DlmsBinarySensorDescription(
            key="valve", device_class=BinarySensorDeviceClass.OPENING, is_on=_is_true
        ),
        *(
            DlmsBinarySensorDescription(
                key=key,
                device_class=BinarySensorDeviceClass.PROBLEM,
                entity_category=EntityCategory.DIAGNOSTIC,
                has_bits=True,
            )
            for key in ("alarm", "error", "sub_meter_alarm")
        ),
        DlmsBinarySensorDescription(
            key="clock_invalid",
            device_class=BinarySensorDeviceClass.PROBLEM,
            entity_category=EntityCategory.DIAGNOSTIC,
            is_on=_clock_is_wrong,
        ),
    )
}


class DlmsBinarySensor(DlmsAttributeEntity, BinarySensorEntity):
    """One attribute, or part of it, that is so or not so."""

    entity_description: DlmsBinarySensorDescription
    _unrecorded_attributes = frozenset({ATTR_OBIS_CODE})

    def __init__(self, coordinator: DlmsCoordinator, plan: EntityPlan) -> None:
        super().__init__(coordinator, plan)
        self.entity_description = _DESCRIPTIONS[plan.kind]

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether it is so; None when the meter does not say, or in a way that is not understood."""
        return self.entity_description.is_on(self.told)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Where the value comes from, and the bits of a register."""
        shown = super().extra_state_attributes
        if self.entity_description.has_bits:
            return {**shown, _ATTR_BITS: _bits(self.told)}
        return shown


class DlmsCoverSensor(DlmsEntity, BinarySensorEntity, RestoreEntity):
    """Whether a cover of the meter is open, by the newest entry of its event log about it."""

    _attr_device_class = BinarySensorDeviceClass.OPENING
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset({ATTR_OBIS_CODE})

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Which log tells it."""
        return {ATTR_OBIS_CODE: str(self.plan.attributes[0].logical_name)}

    @override
    async def async_added_to_hass(self) -> None:
        """Go on with what was known: the entry may have gone from what is read of the log."""
        await super().async_added_to_hass()
        last = await self.async_get_last_state()
        if last is not None and last.state in (STATE_ON, STATE_OFF):
            self._attr_is_on = last.state == STATE_ON
        self._look()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._look()
        super()._handle_coordinator_update()

    def _look(self) -> None:
        rows = self.coordinator.data.rows.get(self.plan.attributes[0].logical_name)
        told = COVERS[self.plan.kind]
        for row in rows or ():
            code = event_code(row)
            if code in told:
                self._attr_is_on = told[code]
