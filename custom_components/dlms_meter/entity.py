"""What all entities of a meter have in common."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, override

from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .coordinator import DlmsCoordinator
from .dlms import (
    MANUFACTURERS,
    AttributeDescriptor,
    DlmsDate,
    DlmsDateTime,
    Identity,
    Quantity,
    Value,
)
from .logical_devices import box_of
from .plan import VALUE, EntityPlan

ATTR_OBIS_CODE: Final = "obis_code"


def device_name(identity: Identity) -> str:
    """Return a name that reads like one, without the serial number: entity ids derive from it."""
    return f"{identity.manufacturer or 'DLMS'} {identity.device_type or 'meter'}"


def meter_info(coordinator: DlmsCoordinator) -> DeviceInfo:
    """Return what the device registry shows of the meter."""
    identity = coordinator.identity
    info = DeviceInfo(
        identifiers={(DOMAIN, coordinator.unique_id)},
        name=device_name(identity),
        manufacturer=identity.manufacturer,
        model=identity.device_type,
        serial_number=identity.serial_number,
        sw_version=identity.firmware,
    )
    box = box_of(coordinator.hass, coordinator.config_entry)
    if box is not None:
        info["via_device_id"] = box.id
    return info


def sub_meter_info(coordinator: DlmsCoordinator, channel: int) -> DeviceInfo:
    """Return what the device registry shows of a meter behind the meter."""
    sub_meter = coordinator.memory.sub_meters[channel]
    letters = sub_meter.manufacturer
    registry = dr.async_get(coordinator.hass)
    meter = registry.async_get_or_create(
        config_entry_id=coordinator.config_entry.entry_id, **meter_info(coordinator)
    )
    return DeviceInfo(
        identifiers={(DOMAIN, coordinator.device_id(channel))},
        translation_key=sub_meter.medium.key,
        manufacturer=letters and MANUFACTURERS.get(letters, letters),
        serial_number=sub_meter.identification,
        via_device_id=meter.id,
    )


class DlmsEntity(CoordinatorEntity[DlmsCoordinator]):
    """What the plan says, on the device it belongs to."""

    _attr_has_entity_name = True
    _unrecorded_attributes = frozenset({ATTR_OBIS_CODE})

    def __init__(self, coordinator: DlmsCoordinator, plan: EntityPlan) -> None:
        super().__init__(coordinator, context=plan.attributes)
        self.plan = plan
        self._attr_unique_id = coordinator.entity_unique_id(plan)
        self._attr_entity_registry_enabled_default = plan.enabled
        if plan.kind != VALUE:
            self._attr_translation_key = plan.kind
            self._attr_translation_placeholders = {"detail": plan.detail}
        self._attr_device_info = (
            sub_meter_info(coordinator, plan.channel)
            if plan.channel
            else meter_info(coordinator)
        )


class DlmsAttributeEntity(DlmsEntity):
    """One attribute of one COSEM object."""

    @property
    def attribute(self) -> AttributeDescriptor:
        """The attribute that is shown."""
        return self.plan.attributes[0]

    @property
    @override
    def available(self) -> bool:
        """The meter answered, and told this attribute."""
        return super().available and self.attribute in self.coordinator.data.values

    @property
    def told(self) -> Value:
        """The attribute's value at the last poll."""
        return self.coordinator.data.values[self.attribute]

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any]:
        """Where the value comes from."""
        return {ATTR_OBIS_CODE: str(self.attribute.logical_name)}

    def beside(self, attribute_id: int) -> Value:
        """Return another attribute of the same object; None if it was not read."""
        attribute = self.attribute._replace(attribute_id=attribute_id)
        return self.coordinator.data.values.get(attribute)

    def moment_of(
        self, value: Value, *, now: datetime | None = None
    ) -> datetime | None:
        """Return the moment that a date-time of this meter, or a number of seconds since 1970, means.

        None when it leaves a part open, or is neither.

        `now` is given with what its clock showed then.
        """
        if isinstance(value, Quantity):
            value = value.value
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value)
        if isinstance(value, bool) or not isinstance(
            value, DlmsDateTime | DlmsDate | int
        ):
            return None
        zone = dt_util.get_default_time_zone()
        return self.coordinator.data.clock.moment(value, zone, now=now)
