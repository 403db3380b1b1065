"""How good the line to the meter is: counts of what it carried, and how long a session takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfTime
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import DlmsCoordinator
from .dlms import DlmsClient


@dataclass(frozen=True, kw_only=True)
class LineQualityDescription(SensorEntityDescription):
    """What to show, and where the client counts it."""

    value_of: Callable[[DlmsClient], float]
    entity_category: EntityCategory | None = EntityCategory.DIAGNOSTIC
    entity_registry_enabled_default: bool = False
    state_class: SensorStateClass | None = SensorStateClass.TOTAL_INCREASING


LINE_QUALITY: Final = (
    LineQualityDescription(
        key="frames_received",
        value_of=lambda client: client.totals.frames_received,
    ),
    LineQualityDescription(
        key="frames_repeated",
        value_of=lambda client: client.totals.frames_repeated,
    ),
    LineQualityDescription(
        key="bad_checks", value_of=lambda client: client.totals.bad_checks
    ),
    LineQualityDescription(
        key="timeouts", value_of=lambda client: client.totals.timeouts
    ),
    LineQualityDescription(
        key="session_time",
        value_of=lambda client: client.session_time,
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        state_class=SensorStateClass.MEASUREMENT,
        suggested_display_precision=1,
    ),
)


class LineQualitySensor(CoordinatorEntity[DlmsCoordinator], SensorEntity):
    """One count; there also when polls fail, which is when it matters. Counts begin anew with each start."""

    _attr_has_entity_name = True
    entity_description: LineQualityDescription

    def __init__(
        self, coordinator: DlmsCoordinator, description: LineQualityDescription
    ) -> None:
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_translation_key = description.key
        self._attr_unique_id = f"{coordinator.unique_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.unique_id)}
        )

    @property
    @override
    def available(self) -> bool:
        """What was counted stays counted."""
        return True

    @property
    @override
    def native_value(self) -> float:
        """The count as the client has it now."""
        return self.entity_description.value_of(self.coordinator.client)
