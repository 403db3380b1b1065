"""Meters behind the meter: gas, water and heat on its M-Bus channels.

A channel is value group B. Its M-Bus client (class 72) tells who is connected, `0-n:24.2.x` what it measures. Sources:
DLMS UA Blue Book, M-Bus client; EN 13757-3 for media, identification numbers and the letters of manufacturers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from .dlms import AttributeDescriptor, CosemObject, Direction, Obis, Unit, Value

M_BUS_CLIENT: Final = 72
_IDENTIFICATION_NUMBER, _MANUFACTURER, _DEVICE_TYPE = 6, 7, 9
_ABSTRACT: Final = 0
_ELECTRICITY: Final = 1
_M_BUS: Final = 24
_M_BUS_VALUE: Final = 2

_VOLUMES: Final = (Unit.CUBIC_METRE, Unit.CUBIC_METRE_CORRECTED, Unit.LITRE)
_ENERGIES: Final = (Unit.WATT_HOUR, Unit.JOULE)


class Medium(NamedTuple):
    """What a sub-meter measures: the key of its device's name, and its quantities by the unit of their values."""

    key: str
    quantities: tuple[tuple[str, Direction | None, tuple[int, ...]], ...] = ()


_UNKNOWN: Final = Medium("sub_meter")
_WATER: Final = Medium("water_meter", (("water_volume", None, _VOLUMES),))
_HOT_WATER: Final = Medium("hot_water_meter", (("hot_water_volume", None, _VOLUMES),))
_HEAT: Final = Medium(
    "heat_meter",
    (("heat_energy", None, _ENERGIES), ("thermal_volume", None, _VOLUMES)),
)
_COOLING: Final = Medium(
    "cooling_meter",
    (("cooling_energy", None, _ENERGIES), ("thermal_volume", None, _VOLUMES)),
)
MEDIA: Final[Mapping[int, Medium]] = {
    0x02: Medium(
        "electricity_meter", (("active_energy", Direction.IMPORT, _ENERGIES),)
    ),
    0x03: Medium(
        "gas_meter",
        (
            ("gas_volume", Direction.IMPORT, _VOLUMES),
            ("gas_energy", Direction.IMPORT, _ENERGIES),
        ),
    ),
    0x04: _HEAT,
    0x06: _HOT_WATER,
    0x07: _WATER,
    0x08: Medium("heat_cost_allocator"),
    0x0A: _COOLING,
    0x0B: _COOLING,
    0x0C: _HEAT,
    0x0D: _HEAT,
    0x15: _HOT_WATER,
    0x16: _WATER,
}
"""By the device type of EN 13757-3."""


@dataclass(frozen=True, slots=True)
class SubMeter:
    """Who is connected to one channel, as far as the meter tells."""

    identification: str | None = None
    manufacturer: str | None = None
    """Its three letters."""
    device_type: int | None = None

    @property
    def medium(self) -> Medium:
        """Return what it measures."""
        return MEDIA.get(self.device_type or 0, _UNKNOWN)


def identity_attributes(objects: Iterable[CosemObject]) -> list[AttributeDescriptor]:
    """Return what to read to know who is connected to the channels."""
    return [
        AttributeDescriptor(M_BUS_CLIENT, item.logical_name, attribute_id)
        for item in objects
        if item.class_id == M_BUS_CLIENT
        for attribute_id in (_IDENTIFICATION_NUMBER, _MANUFACTURER, _DEVICE_TYPE)
        if item.readable(attribute_id)
    ]


def find_sub_meters(
    objects: Iterable[CosemObject], values: Mapping[AttributeDescriptor, Value]
) -> dict[int, SubMeter]:
    """Return who is connected, by channel. A channel that is said to be free has nobody, one without M-Bus client somebody."""
    clients = {
        item.logical_name.b: item.logical_name
        for item in objects
        if item.class_id == M_BUS_CLIENT
    }
    channels = clients.keys() | {
        item.logical_name.b for item in objects if _is_value(item.logical_name)
    }
    found: dict[int, SubMeter] = {}
    for channel in sorted(channels - {0}):
        number, letters, medium = (
            values.get(
                AttributeDescriptor(M_BUS_CLIENT, clients[channel], attribute_id)
            )
            if channel in clients
            else None
            for attribute_id in (_IDENTIFICATION_NUMBER, _MANUFACTURER, _DEVICE_TYPE)
        )
        if number == 0:
            continue
        found[channel] = SubMeter(
            _identification(number),
            _letters(letters),
            medium if isinstance(medium, int) else None,
        )
    return found


def channel_of(logical_name: Obis, channels: Iterable[int]) -> int:
    """Return the channel an object belongs to, 0 for the meter itself."""
    measures_electricity = logical_name.a == _ELECTRICITY
    return (
        logical_name.b if logical_name.b in channels and not measures_electricity else 0
    )


def is_free_channel(logical_name: Obis, channels: Iterable[int]) -> bool:
    """Tell whether an object is there for a sub-meter that nobody has connected."""
    is_m_bus = (logical_name.a, logical_name.c) == (_ABSTRACT, _M_BUS)
    return is_m_bus and logical_name.b not in (0, *channels)


def _is_value(name: Obis) -> bool:
    return (name.a, name.c, name.d) == (_ABSTRACT, _M_BUS, _M_BUS_VALUE)


def _identification(number: Value) -> str | None:
    """Print an identification number: eight decimal digits, sent as BCD by most meters, as a plain number by some."""
    if not isinstance(number, int):
        return None
    digits = f"{number:08X}"
    return digits if digits.isdecimal() else f"{number:08d}"


def _letters(code: Value) -> str | None:
    """Unpack three letters of five bits each."""
    if not isinstance(code, int) or not code:
        return None
    return "".join(chr(0x40 + (code >> shift & 0x1F)) for shift in (10, 5, 0))
