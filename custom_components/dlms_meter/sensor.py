"""Sensors: one for each attribute that has a value."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .descriptions import (
    CLOCK_CLASS,
    DlmsSensorDescription,
    describe_sensor,
    shown_attributes,
)
from .dlms import DlmsDateTime, Quantity, Value
from .entity import DlmsEntity

PARALLEL_UPDATES = 0

_LONGEST_STATE: Final = 255
_ATTR_METER_TIME: Final = "meter_time"


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make a sensor of everything the meter can tell."""
    coordinator = entry.runtime_data
    memory = coordinator.memory
    async_add_entities(
        (DlmsClockSensor if attribute.class_id == CLOCK_CLASS else DlmsSensor)(
            coordinator, describe_sensor(attribute, memory.unit_of(attribute))
        )
        for attribute in shown_attributes(memory.objects)
    )


class _DescribedSensor(DlmsEntity, SensorEntity):
    """What a description says, with a value."""

    entity_description: DlmsSensorDescription

    def __init__(
        self, coordinator: DlmsCoordinator, description: DlmsSensorDescription
    ) -> None:
        super().__init__(coordinator, description.attribute)
        self.entity_description = description


class DlmsSensor(_DescribedSensor):
    """One attribute of one COSEM object."""

    @property
    @override
    def native_value(self) -> str | int | Decimal | datetime | None:
        """The attribute's value; None where it is of another kind than such an attribute should be."""
        value = self.value
        if self.device_class is SensorDeviceClass.TIMESTAMP:
            return self.moment_of(value) if isinstance(value, DlmsDateTime) else None
        number = _number(value)
        if number is not None or self._numeric_state_expected:
            return number
        return _text(value)


class DlmsClockSensor(_DescribedSensor):
    """How far the meter's clock is ahead of Home Assistant's, in seconds."""

    _unrecorded_attributes = frozenset({_ATTR_METER_TIME})

    @property
    @override
    def native_value(self) -> int | None:
        """Whole seconds: few meters tell more, and it takes a moment until the answer is here."""
        moment = self._meter_time
        return (
            None
            if moment is None
            else round((moment - self.coordinator.data.read_at).total_seconds())
        )

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """The time the meter showed when it was read."""
        return {_ATTR_METER_TIME: self._meter_time}

    @property
    def _meter_time(self) -> datetime | None:
        value = self.value
        return self.moment_of(value) if isinstance(value, DlmsDateTime) else None


def _number(value: Value) -> int | Decimal | None:
    """Return what is a number; a float may also be none (NaN) or infinite."""
    if isinstance(value, Quantity):
        value = value.value
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Value) -> str | None:
    """Return what can be shown as text, octets as hex; None for what has parts."""
    match value:
        case str():
            text = value
        case bytes():
            text = value.hex()
        case bool():
            text = str(value).lower()
        case DlmsDateTime() if (local := value.local()) is not None:
            text = local.isoformat(" ")
        case _:
            return None
    return text[:_LONGEST_STATE]
