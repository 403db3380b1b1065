"""What need not be read from the meter every time: kept in Home Assistant's storage, one file an entry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
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
from .plausibility import Accepted
from .sub_meters import SubMeter

_VERSION: Final = 1
_HANDED_OVER: HassKey[dict[str, tuple[MeterMemory, int | None]]] = HassKey(
    f"{DOMAIN}_handed_over"
)


type LogMark = tuple[list[str], float]
"""Digests of the entries of an event log when it was last read, oldest first; the time of the newest (UNIX time)."""


@dataclass(slots=True)
class MeterMemory:
    """What one meter is made of: who it was when asked, its objects, and the scalers and units seen so far."""

    identity: Identity
    objects: tuple[CosemObject, ...]
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = field(default_factory=dict)
    sub_meters: dict[int, SubMeter] = field(default_factory=dict)
    """Who is connected to the M-Bus channels."""
    logs: dict[str, LogMark] = field(default_factory=dict)
    """How far the event logs were followed, by logical name."""
    accepted: dict[AttributeDescriptor, Accepted] = field(default_factory=dict)
    """What the counting registers showed last."""
    learned: dict[str, Any] = field(default_factory=dict)
    """What the client found out about the meter's ways, as it stores it."""

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
                [*_place(attribute), *scaler_unit]
                for attribute, scaler_unit in self.scaler_units.items()
            ],
            "sub_meters": [
                [channel, asdict(sub_meter)]
                for channel, sub_meter in self.sub_meters.items()
            ],
            "logs": {name: list(mark) for name, mark in self.logs.items()},
            "learned": self.learned,
            "accepted": [
                [*_place(attribute), str(value), unit, at.timestamp()]
                for attribute, (value, unit, at) in self.accepted.items()
            ],
        }

    @classmethod
    def from_storage(cls, stored: Mapping[str, Any]) -> MeterMemory:
        """Read what `to_storage` returned. Raises `DlmsError`, `KeyError`, `TypeError`, `ValueError` or `InvalidOperation` for anything else."""
        return cls(
            Identity(**stored["identity"]),
            tuple(CosemObject.from_storage(row) for row in stored["objects"]),
            {
                _attribute(place): ScalerUnit(scaler, unit)
                for *place, scaler, unit in stored["scaler_units"]
            },
            {
                int(channel): SubMeter(**sub_meter)
                for channel, sub_meter in stored.get("sub_meters", ())
            },
            {
                name: (list(digests), float(until))
                for name, (digests, until) in stored.get("logs", {}).items()
            },
            {
                _attribute(place): Accepted(
                    Decimal(value), unit, datetime.fromtimestamp(at, UTC)
                )
                for *place, value, unit, at in stored.get("accepted", ())
            },
            dict(stored.get("learned", {})),
        )


def _place(attribute: AttributeDescriptor) -> list[Any]:
    return [attribute.class_id, attribute.logical_name.hex(), attribute.attribute_id]


def _attribute(place: list[Any]) -> AttributeDescriptor:
    class_id, logical_name, attribute_id = place
    return AttributeDescriptor(
        class_id, Obis(bytes.fromhex(logical_name)), attribute_id
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
        except (
            DlmsError,
            InvalidOperation,
            KeyError,
            TypeError,
            ValueError,
        ) as error:
            LOGGER.warning(
                "What was kept of the meter cannot be read (%r); the meter is asked again",
                error,
            )
            return None

    async def async_save(self, memory: MeterMemory) -> None:
        """Keep `memory` instead of what was kept before."""
        await self._store.async_save(memory.to_storage())

    @callback
    def async_delay_save(self, memory: MeterMemory, delay: float) -> None:
        """Keep `memory` after some seconds, or when Home Assistant stops."""
        self._store.async_delay_save(memory.to_storage, delay)

    async def async_remove(self) -> None:
        """Forget the meter."""
        await self._store.async_remove()


@callback
def async_hand_over(
    hass: HomeAssistant, memory: MeterMemory, counter: int | None
) -> None:
    """Leave what the config flow has read, and the invocation counter after it, for the entry it is about to create."""
    left = hass.data.setdefault(_HANDED_OVER, {})
    left[memory.identity.unique_id] = memory, counter


@callback
def async_take_over(
    hass: HomeAssistant, unique_id: str
) -> tuple[MeterMemory | None, int | None]:
    """Take what the config flow left, if it did."""
    return hass.data.get(_HANDED_OVER, {}).pop(unique_id, (None, None))
