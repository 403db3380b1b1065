"""Sensors: values, clocks, and what else the meter tells in numbers and words."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
import re
from typing import Any, Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
)
from homeassistant.const import EntityCategory, Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN
from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .descriptions import CLOCK_CLASS, describe_sensor
from .dlms import (
    BitString,
    ClockStatus,
    DlmsDate,
    DlmsDateTime,
    DlmsTime,
    ProfileRows,
    Quantity,
    Value,
)
from .entity import ATTR_OBIS_CODE, DlmsAttributeEntity, DlmsEntity
from .line_quality import LINE_QUALITY, LineQualitySensor
from .plan import PROFILE_CLASS, ROWS_CLASSES, VALUE, EntityPlan
from .rows import row_json

PARALLEL_UPDATES = 0

_LONGEST_STATE: Final = 255
_ATTR_METER_TIME: Final = "meter_time"
_CONTROL_STATES: Final = ("disconnected", "connected", "ready_for_reconnection")
"""Control state of class 70, Disconnect control: 0, 1 and 2."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make a sensor of everything the meter can tell."""
    coordinator = entry.runtime_data
    async_add_entities(
        _make_sensor(coordinator, plan)
        for plan in coordinator.plans()
        if plan.platform is Platform.SENSOR
    )
    async_add_entities(
        LineQualitySensor(coordinator, description) for description in LINE_QUALITY
    )


def _make_sensor(coordinator: DlmsCoordinator, plan: EntityPlan) -> SensorEntity:
    if plan.attributes[0].class_id in ROWS_CLASSES:
        return DlmsProfileSensor(coordinator, plan)
    if plan.kind != VALUE:
        return DlmsKindSensor(coordinator, plan)
    if plan.attributes[0].class_id == CLOCK_CLASS:
        return DlmsClockSensor(coordinator, plan)
    return DlmsSensor(coordinator, plan)


class DlmsSensor(DlmsAttributeEntity, SensorEntity):
    """One attribute of one COSEM object, as the catalogue understands it."""

    _STATUS: Final = {4: 4, 5: 5}
    _CAPTURE_TIME: Final = {4: 5, 5: 6}
    """Of extended and demand registers: the attributes with the status and the time of the value."""
    _unrecorded_attributes = frozenset({ATTR_OBIS_CODE, "status"})

    def __init__(self, coordinator: DlmsCoordinator, plan: EntityPlan) -> None:
        super().__init__(coordinator, plan)
        hass = coordinator.hass
        texts = async_get_cached_translations(
            hass, hass.config.language, "entity", DOMAIN
        )
        self.entity_description = describe_sensor(
            self.attribute,
            coordinator.memory.unit_of(self.attribute),
            coordinator.memory.sub_meters.get(plan.channel),
        ).in_words(texts)

    @property
    @override
    def native_value(self) -> str | int | Decimal | datetime | None:
        """The attribute's value; None where it is of another kind than such an attribute should be."""
        value = self.told
        if self.device_class is SensorDeviceClass.TIMESTAMP:
            return self.moment_of(value)
        number = _number(value)
        if number is not None or self._numeric_state_expected:
            return number
        return _text(value)

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Where the value comes from; of extended and demand registers their status, and when it was captured."""
        shown = dict(super().extra_state_attributes)
        if len(self.plan.attributes) > 1:
            class_id = self.attribute.class_id
            status = self.beside(self._STATUS[class_id])
            shown["status"] = status if isinstance(status, int) else _text(status)
            captured = self.beside(self._CAPTURE_TIME[class_id])
            shown["capture_time"] = self.moment_of(captured)
        return shown


class DlmsClockSensor(DlmsSensor):
    """How far the meter's clock is ahead of Home Assistant's, in seconds."""

    _unrecorded_attributes = frozenset(
        {ATTR_OBIS_CODE, _ATTR_METER_TIME, "deviation", "daylight_saving", "status"}
    )

    @property
    def _meter_time(self) -> datetime | None:
        return self.moment_of(self.told, now=self.coordinator.data.read_at)

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
        """The time the meter showed when it was read, with what it says about it."""
        clock = self.told
        shown = {
            **super().extra_state_attributes,
            _ATTR_METER_TIME: self._meter_time,
        }
        if isinstance(clock, DlmsDateTime):
            status = clock.status
            shown |= {
                "deviation": clock.deviation,
                "daylight_saving": None
                if status is None
                else ClockStatus.DAYLIGHT_SAVING in status,
                "status": None if status is None else int(status),
            }
        return shown


def _control_state(value: Value) -> str | None:
    return _CONTROL_STATES[value] if value in (0, 1, 2) else None  # type: ignore[index]


_DESCRIPTIONS: Final = {
    description.key: description
    for description in (
        SensorEntityDescription(key="available_credit"),
        SensorEntityDescription(key="credit"),
        *(
            SensorEntityDescription(
                key=key,
                device_class=SensorDeviceClass.ENUM,
                options=list(_CONTROL_STATES),
                entity_category=EntityCategory.DIAGNOSTIC,
            )
            for key in ("supply_control", "valve_control")
        ),
    )
}


class DlmsKindSensor(DlmsAttributeEntity, SensorEntity):
    """One attribute that is no register, shown in a way of its own."""

    def __init__(self, coordinator: DlmsCoordinator, plan: EntityPlan) -> None:
        super().__init__(coordinator, plan)
        self.entity_description = _DESCRIPTIONS[plan.kind]

    @property
    @override
    def native_value(self) -> str | int | Decimal | None:
        """The attribute's value, or the word for it."""
        if self.device_class is SensorDeviceClass.ENUM:
            return _control_state(self.told)
        number = _number(self.told)
        return _text(self.told) if number is None else number


class DlmsProfileSensor(DlmsEntity, SensorEntity):
    """The time of the newest row of a profile, or of compact data; the row itself is in the attributes."""

    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _unrecorded_attributes = frozenset(
        {ATTR_OBIS_CODE, "capture_period", "entries", "time", "values"}
    )

    @property
    def _rows(self) -> ProfileRows | None:
        return self.coordinator.data.rows.get(self.plan.attributes[0].logical_name)

    @property
    @override
    def available(self) -> bool:
        """The meter answered, and told this profile."""
        return super().available and self._rows is not None

    @property
    @override
    def native_value(self) -> datetime | None:
        """When the newest row was captured; compact data that does not say was captured when it was read."""
        if not self._rows:
            return None
        is_profile = self.plan.attributes[0].class_id == PROFILE_CLASS
        read_at = None if is_profile else self.coordinator.data.read_at
        return self._rows[-1].moment or read_at

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """The capture period in seconds, how many entries there are, and the newest row."""
        attribute, *beside = self.plan.attributes
        name = attribute.logical_name
        learned = self.coordinator.client.memory.profiles.get(name)
        values, rows = self.coordinator.data.values, self._rows
        return {
            ATTR_OBIS_CODE: str(name),
            "capture_period": learned and learned.capture_period,
            "entries": next((values.get(each) for each in beside), None),
            **(row_json(rows, rows[-1]) if rows else {"time": None, "values": {}}),
        }


def _number(value: Value) -> int | Decimal | None:
    """Return what is a number; of a float that is none (NaN), or infinite, nothing has come."""
    if isinstance(value, Quantity):
        return value.value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return value


def _text(value: Value) -> str | None:
    """Return what can be shown as text, octets as hex; None for what has parts."""
    match value:
        case str():
            text = value
        case bytes():
            text = value.hex()
        case BitString():
            text = str(value)
        case bool():
            text = str(value).lower()
        case DlmsDate() | DlmsTime() | DlmsDateTime() if re.search(r"\d", str(value)):
            text = str(value)
        case _:
            return None
    return text[:_LONGEST_STATE]
