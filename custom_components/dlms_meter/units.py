"""How the units meters send are shown in Home Assistant: its unit and device class, and decimals, as rows."""

from typing import Final, NamedTuple

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import (
    DEGREE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    UnitOfApparentPower,
    UnitOfElectricCurrent,
    UnitOfElectricPotential,
    UnitOfEnergy,
    UnitOfFrequency,
    UnitOfMass,
    UnitOfPower,
    UnitOfPressure,
    UnitOfRatio,
    UnitOfReactiveEnergy,
    UnitOfReactivePower,
    UnitOfTemperature,
    UnitOfTime,
    UnitOfVolume,
    UnitOfVolumeFlowRate,
)

from .dlms import Unit


class Shown(NamedTuple):
    """How a unit is shown: Home Assistant's unit and device class, the unit suggested instead, and decimals of that."""

    unit: str | None
    device_class: SensorDeviceClass | None = None
    suggested_unit: str | None = None
    precision: int | None = None


_CUBIC_METRES: Final = Shown(
    UnitOfVolume.CUBIC_METERS, SensorDeviceClass.VOLUME, None, 3
)
_CUBIC_METRES_PER_HOUR: Final = Shown(
    UnitOfVolumeFlowRate.CUBIC_METERS_PER_HOUR,
    SensorDeviceClass.VOLUME_FLOW_RATE,
    None,
    3,
)
PLAIN: Final = Shown(None)

UNITS: Final[dict[int, Shown]] = {
    Unit.NONE: PLAIN,
    Unit.COUNT: PLAIN,
    Unit.OTHER: PLAIN,
    Unit.WATT_HOUR: Shown(
        UnitOfEnergy.WATT_HOUR, SensorDeviceClass.ENERGY, UnitOfEnergy.KILO_WATT_HOUR, 2
    ),
    Unit.VAR_HOUR: Shown(
        UnitOfReactiveEnergy.VOLT_AMPERE_REACTIVE_HOUR,
        SensorDeviceClass.REACTIVE_ENERGY,
        UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
        2,
    ),
    Unit.JOULE: Shown(
        UnitOfEnergy.JOULE, SensorDeviceClass.ENERGY, UnitOfEnergy.KILO_WATT_HOUR, 2
    ),
    Unit.WATT: Shown(UnitOfPower.WATT, SensorDeviceClass.POWER, None, 0),
    Unit.VAR: Shown(
        UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
        SensorDeviceClass.REACTIVE_POWER,
        None,
        0,
    ),
    Unit.VOLT_AMPERE: Shown(
        UnitOfApparentPower.VOLT_AMPERE, SensorDeviceClass.APPARENT_POWER, None, 0
    ),
    Unit.VOLT: Shown(UnitOfElectricPotential.VOLT, SensorDeviceClass.VOLTAGE, None, 1),
    Unit.AMPERE: Shown(
        UnitOfElectricCurrent.AMPERE, SensorDeviceClass.CURRENT, None, 2
    ),
    Unit.HERTZ: Shown(UnitOfFrequency.HERTZ, SensorDeviceClass.FREQUENCY, None, 2),
    Unit.DEGREE: Shown(DEGREE, None, None, 1),
    Unit.PERCENT: Shown(UnitOfRatio.PERCENTAGE),
    Unit.CUBIC_METRE: _CUBIC_METRES,
    Unit.CUBIC_METRE_CORRECTED: _CUBIC_METRES,
    Unit.LITRE: Shown(UnitOfVolume.LITERS, SensorDeviceClass.VOLUME, None, 0),
    Unit.CUBIC_FOOT: Shown(UnitOfVolume.CUBIC_FEET, SensorDeviceClass.VOLUME),
    Unit.US_GALLON: Shown(UnitOfVolume.GALLONS, SensorDeviceClass.VOLUME),
    Unit.CUBIC_METRE_PER_HOUR: _CUBIC_METRES_PER_HOUR,
    Unit.CUBIC_METRE_PER_HOUR_CORRECTED: _CUBIC_METRES_PER_HOUR,
    Unit.DEGREE_CELSIUS: Shown(
        UnitOfTemperature.CELSIUS, SensorDeviceClass.TEMPERATURE, None, 1
    ),
    Unit.DEGREE_FAHRENHEIT: Shown(
        UnitOfTemperature.FAHRENHEIT, SensorDeviceClass.TEMPERATURE, None, 1
    ),
    Unit.KELVIN: Shown(
        UnitOfTemperature.KELVIN, SensorDeviceClass.TEMPERATURE_DELTA, None, 2
    ),
    Unit.PASCAL: Shown(UnitOfPressure.PA, SensorDeviceClass.PRESSURE),
    Unit.BAR: Shown(UnitOfPressure.BAR, SensorDeviceClass.PRESSURE, None, 3),
    Unit.KILOGRAM: Shown(UnitOfMass.KILOGRAMS, SensorDeviceClass.WEIGHT),
    Unit.SECOND: Shown(UnitOfTime.SECONDS, SensorDeviceClass.DURATION),
    Unit.MINUTE: Shown(UnitOfTime.MINUTES, SensorDeviceClass.DURATION),
    Unit.HOUR: Shown(UnitOfTime.HOURS, SensorDeviceClass.DURATION),
    Unit.DAY: Shown(UnitOfTime.DAYS, SensorDeviceClass.DURATION),
    Unit.DECIBEL_MILLIWATT: Shown(
        SIGNAL_STRENGTH_DECIBELS_MILLIWATT, SensorDeviceClass.SIGNAL_STRENGTH
    ),
}

# Where the quantity, not the unit, decides on the device class.
DEVICE_CLASSES: Final[dict[str, SensorDeviceClass]] = {
    "power_factor": SensorDeviceClass.POWER_FACTOR,
    "battery_charge": SensorDeviceClass.BATTERY,
    "humidity": SensorDeviceClass.HUMIDITY,
    "water_volume": SensorDeviceClass.WATER,
    "hot_water_volume": SensorDeviceClass.WATER,
    "gas_volume": SensorDeviceClass.GAS,
    "gas_volume_corrected": SensorDeviceClass.GAS,
    "gas_volume_converted": SensorDeviceClass.GAS,
}
