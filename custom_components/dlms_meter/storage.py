"""What need not be read from the meter every time: kept in Home Assistant's storage, one file an entry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .dlms import (
    AttributeDescriptor,
    CosemObject,
    DlmsError,
    Identity,
    Obis,
    ScalerUnit,
    scaler_unit_of,
)

_VERSION: Final = 1
_HANDED_OVER: HassKey[dict[str, MeterMemory]] = HassKey(f"{DOMAIN}_handed_over")


@dataclass(slots=True)
class MeterMemory:
    """What one meter is made of: who it was when asked, its objects, and the scalers and units seen so far."""

    identity: Identity
    objects: tuple[CosemObject, ...]
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = field(default_factory=dict)

    def fits(self, identity: Identity) -> bool:
        """Tell whether `identity` is the meter remembered, with the same firmware; what it does not say is not held against it."""
        now = (identity.serial_number, identity.firmware)
        then = (self.identity.serial_number, self.identity.firmware)
        return all(
            new is None or new == old for new, old in zip(now, then, strict=True)
        )

    def tells_more_than(self, identity: Identity) -> bool:
        """Tell whether `identity` lacks a name that the meter told before: it may be the same, and short of words today."""
        now = (identity.logical_device_name, identity.serial_number)
        then = (self.identity.logical_device_name, self.identity.serial_number)
        return any(
            new is None and old is not None for new, old in zip(now, then, strict=True)
        )

    def unit_of(self, attribute: AttributeDescriptor) -> int | None:
        """Return the unit code the meter gave for an attribute; None if it has none, or was not asked yet."""
        teller = scaler_unit_of(attribute)
        if teller is None or (scaler_unit := self.scaler_units.get(teller)) is None:
            return None
        return scaler_unit.unit

    def to_storage(self) -> dict[str, Any]:
        """Return the same as JSON."""
        return {
            "identity": asdict(self.identity),
            "objects": [cosem_object.to_storage() for cosem_object in self.objects],
            "scaler_units": [
                [
                    attribute.class_id,
                    attribute.logical_name.hex(),
                    attribute.attribute_id,
                    *scaler_unit,
                ]
                for attribute, scaler_unit in self.scaler_units.items()
            ],
        }

    @classmethod
    def from_storage(cls, stored: Mapping[str, Any]) -> MeterMemory:
        """Read what `to_storage` returned. Raises `DlmsError`, `KeyError`, `TypeError` or `ValueError` for anything else."""
        return cls(
            Identity(**stored["identity"]),
            tuple(CosemObject.from_storage(row) for row in stored["objects"]),
            {
                AttributeDescriptor(
                    class_id, Obis(bytes.fromhex(logical_name)), attribute_id
                ): ScalerUnit(scaler, unit)
                for class_id, logical_name, attribute_id, scaler, unit in stored[
                    "scaler_units"
                ]
            },
        )


class MeterStore:
    """The file of one entry."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        self._store: Store[dict[str, Any]] = Store(
            hass, _VERSION, f"{DOMAIN}.{entry_id}", private=True
        )

    async def async_load(self) -> MeterMemory | None:
        """Return what was kept; None when there is nothing, or nothing that can be read: the meter is asked again."""
        if (stored := await self._store.async_load()) is None:
            return None
        try:
            return MeterMemory.from_storage(stored)
        except (DlmsError, KeyError, TypeError, ValueError) as error:
            LOGGER.warning(
                "What was kept of the meter cannot be read (%r); the meter is asked again",
                error,
            )
            return None

    async def async_save(self, memory: MeterMemory) -> None:
        """Keep `memory` instead of what was kept before."""
        await self._store.async_save(memory.to_storage())

    async def async_remove(self) -> None:
        """Forget the meter."""
        await self._store.async_remove()


@callback
def async_hand_over(hass: HomeAssistant, memory: MeterMemory) -> None:
    """Leave what the config flow has read for the entry it is about to create."""
    hass.data.setdefault(_HANDED_OVER, {})[memory.identity.unique_id] = memory


@callback
def async_take_over(hass: HomeAssistant, unique_id: str) -> MeterMemory | None:
    """Take what the config flow left, if it did."""
    return hass.data.get(_HANDED_OVER, {}).pop(unique_id, None)
