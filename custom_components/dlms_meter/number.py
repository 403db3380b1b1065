"""Numbers that the meter may be told: for those who asked for it in the options, where it says that they can be written."""

from decimal import Decimal
from typing import Final, NamedTuple, override

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode
from homeassistant.const import EntityCategory, Platform, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .control import async_acting
from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .dlms import ScalerUnit, scaler_unit_of, to_data, unit_symbol
from .entity import DlmsAttributeEntity
from .plan import DURATIONS, MONITORED_VALUE, EntityPlan, watched_by

PARALLEL_UPDATES = 1

_HIGHEST: Final = 0xFFFF_FFFF


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DlmsConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Make a number of each setting that is one."""
    coordinator = entry.runtime_data
    async_add_entities(
        (DlmsDuration if plan.kind in DURATIONS else DlmsThreshold)(coordinator, plan)
        for plan in coordinator.plans()
        if plan.platform is Platform.NUMBER
    )


class _DlmsNumber(DlmsAttributeEntity, NumberEntity):
    """One setting of the meter."""

    _attr_entity_category = EntityCategory.CONFIG
    _attr_mode = NumberMode.BOX
    _attr_native_min_value = 0
    _attr_native_max_value = _HIGHEST

    async def _async_write(self, number: Decimal) -> None:
        """Write a number as the meter counts it. Raises `HomeAssistantError`."""
        async with async_acting(self.coordinator) as client:
            present = await client.get(self.attribute)
            await client.set(
                self.attribute, to_data(self.attribute, number, like=present)
            )
        await self.coordinator.async_request_refresh()


class DlmsDuration(_DlmsNumber):
    """A setting in seconds."""

    _attr_device_class = NumberDeviceClass.DURATION
    _attr_native_unit_of_measurement = UnitOfTime.SECONDS

    @property
    @override
    def native_value(self) -> float | None:
        """The setting; None when it is no number."""
        return float(self.told) if isinstance(self.told, int) else None

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write the setting."""
        await self._async_write(Decimal(str(value)))


class _Scale(NamedTuple):
    """How a threshold is to be read: like the register that it is compared with."""

    scaler: int
    unit: str | None


class DlmsThreshold(_DlmsNumber):
    """A limit of what the meter watches, in its unit."""

    def __init__(self, coordinator: DlmsCoordinator, plan: EntityPlan) -> None:
        super().__init__(coordinator, plan)
        self._attr_native_step = 0.001

    @property
    def _scale(self) -> _Scale | None:
        """Return how the numbers are scaled; None while it is not known: they might be wrong by powers of ten."""
        monitored = self.attribute._replace(attribute_id=MONITORED_VALUE)
        watched = watched_by(monitored, self.beside(MONITORED_VALUE))
        if watched is None:
            return None
        teller = scaler_unit_of(watched)
        if teller is None:
            return _Scale(0, None)
        known: ScalerUnit | None = self.coordinator.memory.scaler_units.get(teller)
        return known and _Scale(known.scaler, unit_symbol(known.unit) or None)

    @property
    @override
    def available(self) -> bool:
        """The meter told the limit, and it is known how to read it."""
        return super().available and self._scale is not None

    @property
    @override
    def native_unit_of_measurement(self) -> str | None:
        """The unit of what is watched."""
        return self._scale.unit if self.coordinator.data and self._scale else None

    @property
    @override
    def native_value(self) -> float | None:
        """The limit; None when it is no number."""
        if self._scale is None or not isinstance(self.told, int | Decimal):
            return None
        return float(Decimal(self.told).scaleb(self._scale.scaler))

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Write the limit."""
        assert self._scale is not None
        await self._async_write(Decimal(str(value)).scaleb(-self._scale.scaler))
