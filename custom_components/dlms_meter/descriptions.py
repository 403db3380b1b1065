"""What Home Assistant makes of the meter's attributes: names, device and state classes, units, as rows.

What an attribute means is the catalogue's knowledge; here stands how that is shown. To show a quantity under a name
of its own, add its key to `_NAMED` and a text to the translations.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.components.sensor.const import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
)
from homeassistant.const import (
    DEGREE,
    SIGNAL_STRENGTH_DECIBELS_MILLIWATT,
    EntityCategory,
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

from .dlms import (
    AttributeDescriptor,
    CosemObject,
    Direction,
    Kind,
    Meaning,
    Unit,
    describe,
    unit_symbol,
)

CLOCK_CLASS: Final = 8
_SHOWN_ATTRIBUTES: Final[dict[int, tuple[int, ...]]] = {
    1: (2,),  # Data: value
    3: (2,),  # Register: value
    4: (2, 5),  # Extended register: value, capture time
    5: (2, 3),  # Demand register: current and last average value
    CLOCK_CLASS: (2,),
}
_DATA_CLASS: Final = 1
_NOT_SHOWN: Final = {Kind.LOG, Kind.OBJECT}


class _Shown(NamedTuple):
    """How a unit is shown: Home Assistant's unit and device class, the unit suggested instead, and decimals of that."""

    unit: str | None
    device_class: SensorDeviceClass | None = None
    suggested_unit: str | None = None
    precision: int | None = None


_CUBIC_METRES: Final = _Shown(
    UnitOfVolume.CUBIC_METERS, SensorDeviceClass.VOLUME, None, 3
)
_CUBIC_METRES_PER_HOUR: Final = _Shown(
    UnitOfVolumeFlowRate.CUBIC_METERS_PER_HOUR,
    SensorDeviceClass.VOLUME_FLOW_RATE,
    None,
    3,
)
_PLAIN: Final = _Shown(None)

_UNITS: Final[dict[int, _Shown]] = {
    Unit.NONE: _PLAIN,
    Unit.COUNT: _PLAIN,
    Unit.OTHER: _PLAIN,
    Unit.WATT_HOUR: _Shown(
        UnitOfEnergy.WATT_HOUR, SensorDeviceClass.ENERGY, UnitOfEnergy.KILO_WATT_HOUR, 3
    ),
    Unit.VAR_HOUR: _Shown(
        UnitOfReactiveEnergy.VOLT_AMPERE_REACTIVE_HOUR,
        SensorDeviceClass.REACTIVE_ENERGY,
        UnitOfReactiveEnergy.KILO_VOLT_AMPERE_REACTIVE_HOUR,
        3,
    ),
    Unit.JOULE: _Shown(
        UnitOfEnergy.JOULE, SensorDeviceClass.ENERGY, UnitOfEnergy.KILO_WATT_HOUR, 3
    ),
    Unit.WATT: _Shown(UnitOfPower.WATT, SensorDeviceClass.POWER, None, 0),
    Unit.VAR: _Shown(
        UnitOfReactivePower.VOLT_AMPERE_REACTIVE,
        SensorDeviceClass.REACTIVE_POWER,
        None,
        0,
    ),
    Unit.VOLT_AMPERE: _Shown(
        UnitOfApparentPower.VOLT_AMPERE, SensorDeviceClass.APPARENT_POWER, None, 0
    ),
    Unit.VOLT: _Shown(UnitOfElectricPotential.VOLT, SensorDeviceClass.VOLTAGE, None, 1),
    Unit.AMPERE: _Shown(
        UnitOfElectricCurrent.AMPERE, SensorDeviceClass.CURRENT, None, 2
    ),
    Unit.HERTZ: _Shown(UnitOfFrequency.HERTZ, SensorDeviceClass.FREQUENCY, None, 2),
    Unit.DEGREE: _Shown(DEGREE, None, None, 1),
    Unit.PERCENT: _Shown(UnitOfRatio.PERCENTAGE),
    Unit.CUBIC_METRE: _CUBIC_METRES,
    Unit.CUBIC_METRE_CORRECTED: _CUBIC_METRES,
    Unit.LITRE: _Shown(UnitOfVolume.LITERS, SensorDeviceClass.VOLUME, None, 0),
    Unit.CUBIC_FOOT: _Shown(UnitOfVolume.CUBIC_FEET, SensorDeviceClass.VOLUME),
    Unit.US_GALLON: _Shown(UnitOfVolume.GALLONS, SensorDeviceClass.VOLUME),
    Unit.CUBIC_METRE_PER_HOUR: _CUBIC_METRES_PER_HOUR,
    Unit.CUBIC_METRE_PER_HOUR_CORRECTED: _CUBIC_METRES_PER_HOUR,
    Unit.DEGREE_CELSIUS: _Shown(
        UnitOfTemperature.CELSIUS, SensorDeviceClass.TEMPERATURE, None, 1
    ),
    Unit.DEGREE_FAHRENHEIT: _Shown(
        UnitOfTemperature.FAHRENHEIT, SensorDeviceClass.TEMPERATURE, None, 1
    ),
    Unit.KELVIN: _Shown(
        UnitOfTemperature.KELVIN, SensorDeviceClass.TEMPERATURE_DELTA, None, 2
    ),
    Unit.PASCAL: _Shown(UnitOfPressure.PA, SensorDeviceClass.PRESSURE),
    Unit.BAR: _Shown(UnitOfPressure.BAR, SensorDeviceClass.PRESSURE, None, 3),
    Unit.KILOGRAM: _Shown(UnitOfMass.KILOGRAMS, SensorDeviceClass.WEIGHT),
    Unit.SECOND: _Shown(UnitOfTime.SECONDS, SensorDeviceClass.DURATION),
    Unit.MINUTE: _Shown(UnitOfTime.MINUTES, SensorDeviceClass.DURATION),
    Unit.HOUR: _Shown(UnitOfTime.HOURS, SensorDeviceClass.DURATION),
    Unit.DAY: _Shown(UnitOfTime.DAYS, SensorDeviceClass.DURATION),
    Unit.DECIBEL_MILLIWATT: _Shown(
        SIGNAL_STRENGTH_DECIBELS_MILLIWATT, SensorDeviceClass.SIGNAL_STRENGTH
    ),
}

# Where the quantity, not the unit, decides on the device class.
_DEVICE_CLASSES: Final[dict[str, SensorDeviceClass]] = {
    "power_factor": SensorDeviceClass.POWER_FACTOR,
    "battery_charge": SensorDeviceClass.BATTERY,
    "humidity": SensorDeviceClass.HUMIDITY,
    "water_volume": SensorDeviceClass.WATER,
    "hot_water_volume": SensorDeviceClass.WATER,
    "gas_volume": SensorDeviceClass.GAS,
    "gas_volume_corrected": SensorDeviceClass.GAS,
    "gas_volume_converted": SensorDeviceClass.GAS,
}

_STATE_CLASSES: Final[dict[Kind, SensorStateClass]] = {
    Kind.INSTANT: SensorStateClass.MEASUREMENT,
    Kind.CURRENT_AVERAGE: SensorStateClass.MEASUREMENT,
    Kind.LAST_AVERAGE: SensorStateClass.MEASUREMENT,
    Kind.AVERAGE: SensorStateClass.MEASUREMENT,
    Kind.MINIMUM: SensorStateClass.MEASUREMENT,
    Kind.MAXIMUM: SensorStateClass.MEASUREMENT,
    Kind.HARMONIC: SensorStateClass.MEASUREMENT,
    Kind.HARMONICS: SensorStateClass.MEASUREMENT,
    Kind.THD: SensorStateClass.MEASUREMENT,
    Kind.TDD: SensorStateClass.MEASUREMENT,
    Kind.TOTAL: SensorStateClass.TOTAL_INCREASING,
    Kind.PERIOD: SensorStateClass.TOTAL_INCREASING,  # starts again from 0, which this class expects
    Kind.COUNTER: SensorStateClass.TOTAL_INCREASING,
    Kind.OCCURRENCES: SensorStateClass.TOTAL_INCREASING,
    Kind.DURATION: SensorStateClass.TOTAL_INCREASING,
}
# What is of use in most homes. Everything else is there too, and waits to be enabled.
_ENABLED: Final[dict[Kind, set[str]]] = {
    Kind.TOTAL: {
        "active_energy", "reactive_energy", "gas_volume", "gas_volume_corrected", "gas_volume_converted", "gas_energy",
        "water_volume", "hot_water_volume", "heat_energy", "cooling_energy", "thermal_volume", "mbus_value",
    },
    Kind.INSTANT: {
        "active_power", "reactive_power", "voltage", "current", "frequency", "power_factor", "thermal_power",
        "thermal_flow", "flow_temperature", "return_temperature", "gas_flow", "water_flow",
    },
    Kind.MAXIMUM: {"active_power"},
    Kind.TIME: {"active_power", "clock"},
    Kind.STATE: {"active_tariff"},
    Kind.COUNTER: {"power_failures"},
}  # fmt: skip
_QUADRANTS: Final = {Direction.Q1, Direction.Q2, Direction.Q3, Direction.Q4}

_NAMED: Final = {
    "active_energy_absolute", "active_energy_export", "active_energy_export_period", "active_energy_import",
    "active_energy_import_period", "active_energy_net", "active_energy_q1", "active_energy_q2", "active_energy_q3",
    "active_energy_q4", "active_power_absolute", "active_power_absolute_capture_time",
    "active_power_absolute_maximum", "active_power_export", "active_power_export_average",
    "active_power_export_capture_time", "active_power_export_cumulative_maximum",
    "active_power_export_current_average", "active_power_export_last_average", "active_power_export_maximum",
    "active_power_import", "active_power_import_average", "active_power_import_capture_time",
    "active_power_import_cumulative_maximum", "active_power_import_current_average",
    "active_power_import_last_average", "active_power_import_maximum", "active_power_net", "active_tariff",
    "alarm_descriptor", "alarm_register", "apparent_energy_export", "apparent_energy_import",
    "apparent_power_export", "apparent_power_export_capture_time", "apparent_power_export_maximum",
    "apparent_power_import", "apparent_power_import_capture_time", "apparent_power_import_maximum",
    "battery_charge", "battery_remaining_duration", "battery_use_duration", "battery_voltage", "billing_periods",
    "billing_reset_time", "clock_drift", "configuration_changes", "consumer_message", "control_signals",
    "cooling_energy", "current", "current_average", "current_maximum", "current_sum",
    "current_total_harmonic_distortion", "device_id", "error_register", "event_code", "event_counter", "firmware",
    "firmware_version", "flow_temperature", "frequency", "gas_energy_import", "gas_flow", "gas_pressure",
    "gas_temperature", "gas_volume_converted_import", "gas_volume_corrected_import", "gas_volume_disturbed_import",
    "gas_volume_import", "gas_volume_undisturbed_import", "heat_cost_units", "heat_energy", "hot_water_volume",
    "humidity", "internal_control_signals", "invocation_counter", "last_calibration", "last_clock_synchronisation",
    "last_configuration_change", "last_firmware_activation", "local_date", "local_time", "logical_device_name",
    "long_power_failures", "long_power_failures_any_phase", "mbus_information", "mbus_value", "meter_id",
    "meter_type", "metering_point_id", "operating_duration", "operating_status", "phase_angle", "power_factor",
    "power_factor_average", "power_factor_export", "power_failure_duration", "power_failure_time", "power_failures",
    "power_failures_any_phase", "pressure", "reactive_energy_export", "reactive_energy_import",
    "reactive_energy_q1", "reactive_energy_q2", "reactive_energy_q3", "reactive_energy_q4", "reactive_power_export",
    "reactive_power_export_capture_time", "reactive_power_export_maximum", "reactive_power_import",
    "reactive_power_import_capture_time", "reactive_power_import_maximum", "reactive_power_q1", "reactive_power_q2",
    "reactive_power_q3", "reactive_power_q4", "return_temperature", "serial_number", "signal_strength",
    "status_register", "tamper_count", "tamper_events", "tamper_time", "temperature", "temperature_difference",
    "thermal_flow", "thermal_power", "thermal_volume", "unix_clock", "voltage", "voltage_average",
    "voltage_maximum", "voltage_minimum", "voltage_total_harmonic_distortion", "water_flow", "water_temperature",
    "water_volume",
}  # fmt: skip
"""Keys of meanings with a text of their own in the translations; the others are named in English by their key."""


@dataclass(frozen=True, kw_only=True)
class DlmsSensorDescription(SensorEntityDescription):
    """How one attribute is shown."""

    attribute: AttributeDescriptor


def shown_attributes(objects: Iterable[CosemObject]) -> list[AttributeDescriptor]:
    """Return the attributes that become entities, in the order of the object list, the clocks last.

    Clocks are last since the age of their answer counts.
    """
    shown = [
        AttributeDescriptor(item.class_id, item.logical_name, attribute_id)
        for item in sorted(objects, key=lambda item: item.class_id == CLOCK_CLASS)
        for attribute_id in _SHOWN_ATTRIBUTES.get(item.class_id, ())
        if item.readable(attribute_id)
    ]
    return [
        attribute
        for attribute in dict.fromkeys(shown)
        if _is_value(_meaning(attribute))
    ]


def entity_unique_id(meter: str, attribute: AttributeDescriptor) -> str:
    """Return the unique id of the entity that shows `attribute` of `meter`."""
    class_id, logical_name, attribute_id = attribute
    return f"{meter}_{class_id}_{logical_name}_{attribute_id}"


def describe_sensor(
    attribute: AttributeDescriptor, unit: int | None = None
) -> DlmsSensorDescription:
    """Return how to show an attribute; `unit` is the code the meter sends, None before it was asked."""
    meaning = _meaning(attribute)
    if meaning is None:
        return _describe_unknown(attribute, unit)
    if attribute.class_id == CLOCK_CLASS:
        return _describe_clock(attribute, meaning)
    shown = _shown(meaning.unit if unit is None else unit, meaning)
    named = meaning.key in _NAMED
    placeholders = {"detail": _detail(meaning)}
    if not named:
        placeholders["meaning"] = meaning.key.replace("_", " ").capitalize()
    return DlmsSensorDescription(
        key=meaning.key,
        attribute=attribute,
        translation_key=meaning.key if named else "other",
        translation_placeholders=placeholders,
        native_unit_of_measurement=shown.unit,
        suggested_unit_of_measurement=shown.suggested_unit,
        suggested_display_precision=shown.precision,
        device_class=shown.device_class,
        state_class=_state_class(meaning, shown.device_class),
        entity_category=EntityCategory.DIAGNOSTIC if meaning.diagnostic else None,
        entity_registry_enabled_default=_enabled(meaning),
    )


def _describe_unknown(
    attribute: AttributeDescriptor, unit: int | None
) -> DlmsSensorDescription:
    """Show what the catalogue does not know by its OBIS code, to those who ask for it."""
    shown = _shown(unit, None)
    return DlmsSensorDescription(
        key="unknown",
        attribute=attribute,
        translation_key="unknown",
        translation_placeholders={"obis": str(attribute.logical_name)},
        native_unit_of_measurement=shown.unit,
        suggested_unit_of_measurement=shown.suggested_unit,
        suggested_display_precision=shown.precision,
        device_class=shown.device_class,
        entity_category=EntityCategory.DIAGNOSTIC
        if attribute.class_id == _DATA_CLASS
        else None,
        entity_registry_enabled_default=False,
    )


def _describe_clock(
    attribute: AttributeDescriptor, meaning: Meaning
) -> DlmsSensorDescription:
    """Show a clock by how far it is off: its time itself would be a new state at every poll."""
    return DlmsSensorDescription(
        key="clock_drift",
        attribute=attribute,
        translation_key="clock_drift",
        translation_placeholders={"detail": _detail(meaning)},
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=_enabled(meaning),
    )


def _meaning(attribute: AttributeDescriptor) -> Meaning | None:
    return describe(attribute.logical_name, attribute.class_id, attribute.attribute_id)


def _is_value(meaning: Meaning | None) -> bool:
    return meaning is None or meaning.kind not in _NOT_SHOWN


def _shown(unit: int | None, meaning: Meaning | None) -> _Shown:
    """Return how a value of this unit and meaning is shown."""
    if meaning is not None and meaning.aspect == "capture_time":
        return _Shown(None, SensorDeviceClass.TIMESTAMP)
    if unit is None:
        return _PLAIN
    shown = _UNITS.get(unit, _Shown(unit_symbol(unit) or None))
    if meaning is None:
        return shown
    if (
        shown.device_class is SensorDeviceClass.POWER
        and meaning.kind is not Kind.INSTANT
    ):
        return shown._replace(
            suggested_unit=UnitOfPower.KILO_WATT, precision=3
        )  # demand is told, and paid, in kW
    device_class = _DEVICE_CLASSES.get(meaning.quantity)
    if device_class is not None and shown.unit in DEVICE_CLASS_UNITS[device_class]:
        return shown._replace(device_class=device_class)
    return shown


def _state_class(
    meaning: Meaning, device_class: SensorDeviceClass | None
) -> SensorStateClass | None:
    """Return the state class; values kept from past billing periods are no series and have none."""
    state_class = (
        None
        if meaning.billing_period is not None or meaning.aspect
        else _STATE_CLASSES.get(meaning.kind)
    )
    if (
        state_class is SensorStateClass.TOTAL_INCREASING
        and meaning.direction is Direction.NET
    ):
        return SensorStateClass.TOTAL
    if state_class is SensorStateClass.MEASUREMENT and meaning.unit is Unit.DEGREE:
        return SensorStateClass.MEASUREMENT_ANGLE
    if (
        device_class is not None
        and state_class not in DEVICE_CLASS_STATE_CLASSES[device_class]
    ):
        return (
            None  # such as an instant in Wh: what the meter says does not fit together
        )
    return state_class


def _enabled(meaning: Meaning) -> bool:
    """Tell whether this is shown without being asked for."""
    return (
        meaning.quantity in _ENABLED.get(meaning.kind, ())
        and meaning.billing_period is None
        and meaning.direction not in _QUADRANTS
    )


def _detail(meaning: Meaning) -> str:
    """Return what comes after the name: phase, tariff, number and channel, or nothing."""
    placeholders = meaning.placeholders
    if placeholders.get("index") == "0":
        del placeholders["index"]  # the first of things of which there is mostly one
    if meaning.channel:
        placeholders["channel"] = f"#{meaning.channel}"
    return "".join(f" {text}" for text in placeholders.values())
