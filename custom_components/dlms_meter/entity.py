"""What all entities of a meter have in common."""

from datetime import datetime
from typing import override

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from homeassistant.util import dt as dt_util

from .clock import moment_of
from .const import DOMAIN
from .coordinator import DlmsCoordinator
from .descriptions import entity_unique_id
from .dlms import AttributeDescriptor, DlmsDateTime, Identity, Value


def device_name(identity: Identity) -> str:
    """Return a name that reads like one, without the serial number: entity ids derive from it."""
    return f"{identity.manufacturer or 'DLMS'} {identity.device_type or 'meter'}"


class DlmsEntity(CoordinatorEntity[DlmsCoordinator]):
    """One attribute of one COSEM object."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: DlmsCoordinator, attribute: AttributeDescriptor
    ) -> None:
        super().__init__(coordinator, context=attribute)
        identity = coordinator.identity
        self._attribute = attribute
        self._attr_unique_id = entity_unique_id(coordinator.unique_id, attribute)
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.unique_id)},
            name=device_name(identity),
            manufacturer=identity.manufacturer,
            model=identity.device_type,
            serial_number=identity.serial_number,
            sw_version=identity.firmware,
        )

    @property
    @override
    def available(self) -> bool:
        """The meter answered, and told this attribute."""
        return super().available and self._attribute in self.coordinator.data.values

    @property
    def value(self) -> Value:
        """The attribute's value at the last poll."""
        return self.coordinator.data.values[self._attribute]

    def moment_of(self, value: DlmsDateTime) -> datetime | None:
        """Return the moment that a date-time of this meter means; None when it leaves a part open."""
        return moment_of(
            value,
            reversed_deviation=self.coordinator.data.reversed_deviation,
            zone=dt_util.get_default_time_zone(),
        )
