"""What Home Assistant makes of the meter's attributes: names, device and state classes, units, as rows.

What an attribute means is the catalogue's knowledge; here stands how that is shown. To show a quantity under a name
of its own, add its key to `_NAMED` and a text to the translations; without one, the name is put together of what it is
measured of and what sort of statement it is ("Voltage L1, cumulative maximum").
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.components.sensor.const import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
)
from homeassistant.const import EntityCategory, UnitOfPower, UnitOfTime

from .const import DOMAIN
from .dlms import (
    AttributeDescriptor,
    Direction,
    Kind,
    Meaning,
    Unit,
    describe,
    unit_symbol,
)
from .sub_meters import SubMeter
from .units import DEVICE_CLASSES, PLAIN, UNITS, Shown

CLOCK_CLASS: Final = 8
_DATA_CLASS: Final = 1

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
        "active_energy", "gas_volume", "gas_volume_corrected", "gas_volume_converted", "gas_energy",
        "water_volume", "hot_water_volume", "heat_energy", "cooling_energy", "thermal_volume", "mbus_value",
    },
    Kind.INSTANT: {
        "active_power", "voltage", "current", "frequency", "power_factor", "thermal_power",
        "thermal_flow", "flow_temperature", "return_temperature", "gas_flow", "water_flow",
    },
    Kind.MAXIMUM: {"active_power"},
    Kind.TIME: {"active_power", "clock"},
    Kind.STATE: {"active_tariff"},
    Kind.COUNTER: {"power_failures"},
}  # fmt: skip
_ENABLED_BY_TARIFF: Final = {"active_energy"}
_NO_MOMENTS: Final = {
    "gas_day_start",
    "high_resolution_clock",
    "local_date",
    "local_time",
}
"""Times that are a date or a time of day, or counted in a way of their own."""
_QUADRANTS: Final = {Direction.Q1, Direction.Q2, Direction.Q3, Direction.Q4}

_NAMED: Final = {
    "active_energy_absolute", "active_energy_export", "active_energy_export_interval", "active_energy_export_period",
    "active_energy_import", "active_energy_import_interval", "active_energy_import_period", "active_energy_net",
    "active_energy_q1", "active_energy_q2", "active_energy_q3", "active_energy_q4", "active_power_absolute",
    "active_power_absolute_capture_time", "active_power_absolute_current_average",
    "active_power_absolute_last_average", "active_power_absolute_maximum", "active_power_export",
    "active_power_export_average", "active_power_export_capture_time", "active_power_export_cumulative_maximum",
    "active_power_export_current_average", "active_power_export_last_average", "active_power_export_maximum",
    "active_power_import", "active_power_import_average", "active_power_import_capture_time",
    "active_power_import_cumulative_maximum", "active_power_import_current_average",
    "active_power_import_last_average", "active_power_import_maximum", "active_power_net",
    "active_power_net_current_average", "active_power_net_last_average", "active_power_net_maximum",
    "active_power_q1", "active_power_q2", "active_power_q3", "active_power_q4", "active_tariff", "alarm_descriptor",
    "alarm_filter", "alarm_register", "ampere_squared_hours", "ampere_squared_hours_total", "apparent_energy_export",
    "apparent_energy_import", "apparent_power_export", "apparent_power_export_capture_time",
    "apparent_power_export_current_average", "apparent_power_export_last_average", "apparent_power_export_maximum",
    "apparent_power_import", "apparent_power_import_capture_time", "apparent_power_import_current_average",
    "apparent_power_import_last_average", "apparent_power_import_maximum", "battery_charge",
    "battery_remaining_duration", "battery_use_duration", "battery_voltage", "billing_period_length",
    "billing_periods", "billing_periods_kept", "billing_power_on_duration", "billing_reset_time", "clock_drift",
    "clock_shift_limit", "configuration_changes", "consumer_message", "control_signals", "cooling_energy", "current",
    "current_average", "current_maximum", "current_sum", "current_total_harmonic_distortion", "device_id",
    "error_register", "event_code", "event_counter", "event_status", "firmware", "firmware_signature",
    "firmware_version", "flow_temperature", "frequency", "gas_calorific_value", "gas_conversion_factor",
    "gas_conversion_ratio", "gas_day_start", "gas_energy_export", "gas_energy_import", "gas_flow", "gas_index",
    "gas_pressure", "gas_temperature", "gas_volume_converted_export", "gas_volume_converted_import",
    "gas_volume_corrected_export", "gas_volume_corrected_import", "gas_volume_disturbed_converted_export",
    "gas_volume_disturbed_converted_import", "gas_volume_disturbed_corrected_export",
    "gas_volume_disturbed_corrected_import", "gas_volume_disturbed_export", "gas_volume_disturbed_import",
    "gas_volume_export", "gas_volume_import", "gas_volume_undisturbed_converted_export",
    "gas_volume_undisturbed_converted_import", "gas_volume_undisturbed_corrected_export",
    "gas_volume_undisturbed_corrected_import", "gas_volume_undisturbed_export", "gas_volume_undisturbed_import",
    "heat_cost_units", "heat_energy", "high_resolution_clock", "hot_water_volume", "humidity",
    "internal_control_signals", "invocation_counter", "last_billing_reset_date", "last_billing_reset_time",
    "last_calibration", "last_clock_synchronisation", "last_configuration_change", "last_firmware_activation",
    "local_date", "local_time", "logical_device_name", "long_power_failures", "long_power_failures_any_phase",
    "maximum_current", "mbus_information", "mbus_value", "mbus_value_capture_time", "measurement_algorithm",
    "measurement_period", "meter_category", "meter_constant", "meter_id", "meter_type", "metering_point_id",
    "nominal_current", "nominal_frequency", "nominal_voltage", "obis_list_version", "operating_duration",
    "operating_status", "parameter_record", "phase_angle", "power_factor", "power_factor_average",
    "power_factor_export", "power_failure_duration", "power_failure_time", "power_failures",
    "power_failures_any_phase", "power_failures_duration", "power_on_duration", "pressure", "reactive_energy_export",
    "reactive_energy_export_interval", "reactive_energy_import", "reactive_energy_import_interval",
    "reactive_energy_q1", "reactive_energy_q2", "reactive_energy_q3", "reactive_energy_q4", "reactive_power_export",
    "reactive_power_export_capture_time", "reactive_power_export_current_average",
    "reactive_power_export_last_average", "reactive_power_export_maximum", "reactive_power_import",
    "reactive_power_import_capture_time", "reactive_power_import_current_average",
    "reactive_power_import_last_average", "reactive_power_import_maximum", "reactive_power_q1", "reactive_power_q2",
    "reactive_power_q3", "reactive_power_q4", "reading_factor", "recording_interval", "return_temperature",
    "serial_number", "signal_strength", "status_register", "tamper_count", "tamper_events", "tamper_time",
    "tariff_program", "temperature", "temperature_difference", "thermal_flow", "thermal_power", "thermal_volume",
    "time_since_billing_reset", "transformer_ratio", "unitless", "unitless_total", "unix_clock", "volt_squared_hours",
    "volt_squared_hours_total", "voltage", "voltage_average", "voltage_maximum", "voltage_minimum",
    "voltage_missing_duration", "voltage_missing_magnitude", "voltage_missing_occurrences",
    "voltage_over_limit_duration", "voltage_over_limit_magnitude", "voltage_over_limit_occurrences",
    "voltage_total_harmonic_distortion", "voltage_under_limit_duration", "voltage_under_limit_magnitude",
    "voltage_under_limit_occurrences", "water_flow", "water_temperature", "water_volume",
}  # fmt: skip
"""Keys of meanings with a text of their own in the translations; the names of the others are put together of several."""
_NAMED_WITH_TARIFF: Final = {
    "active_energy_absolute", "active_energy_export", "active_energy_export_period", "active_energy_import",
    "active_energy_import_period", "active_energy_net", "active_power_export_capture_time",
    "active_power_export_maximum", "active_power_import_capture_time", "active_power_import_maximum",
    "apparent_energy_export", "apparent_energy_import", "reactive_energy_export", "reactive_energy_import",
    "reactive_energy_q1", "reactive_energy_q2", "reactive_energy_q3", "reactive_energy_q4",
}  # fmt: skip
"""Those of them with a text that names the tariff in words; in others it is printed as T2."""
_LIMITS: Final = ("under_limit", "over_limit", "missing")
"""What quantities end with that are about the time during which another one was beyond a limit."""


def _text_of(part: str) -> str:
    """Return the key of the text that says which statement about a quantity a value is: a kind, an aspect or a limit."""
    return f"of_{part}"


@dataclass(frozen=True, kw_only=True)
class DlmsSensorDescription(SensorEntityDescription):
    """How one attribute is shown."""

    attribute: AttributeDescriptor
    quantity: tuple[str, ...] = ()
    """Keys of the texts that `{quantity}` in the name is put together of, each of the one before; empty where there is none."""

    def in_words(self, texts: Mapping[str, str]) -> Self:
        """Return the same with its quantity in the language of `texts`, as Home Assistant keeps translations of entities."""
        if not self.quantity:
            return self
        words = ""
        for key in self.quantity:
            text = texts.get(f"component.{DOMAIN}.entity.sensor.{key}.name", key)
            words = text.format(quantity=words, detail="")
        placeholders = {**(self.translation_placeholders or {}), "quantity": words}
        return replace(self, translation_placeholders=placeholders)


def describe_sensor(
    attribute: AttributeDescriptor,
    unit: int | None = None,
    sub_meter: SubMeter | None = None,
) -> DlmsSensorDescription:
    """Return how to show an attribute; `unit` is the code the meter sends, None before it was asked.

    `sub_meter` is the device behind the meter whose attribute it is, if so.
    """
    meaning = meaning_of(attribute)
    if meaning is None:
        return _describe_unknown(attribute, unit)
    if attribute.class_id == CLOCK_CLASS:
        return _describe_clock(attribute, meaning)
    if sub_meter is not None:
        meaning = _meaning_of_sub_meter(meaning, sub_meter, unit)
    shown = _shown(meaning.unit if unit is None else unit, meaning)
    key, placeholders, quantity = _name(meaning)
    return DlmsSensorDescription(
        key=meaning.key,
        attribute=attribute,
        quantity=quantity,
        translation_key=key,
        translation_placeholders=placeholders,
        native_unit_of_measurement=shown.unit,
        suggested_unit_of_measurement=shown.suggested_unit,
        suggested_display_precision=shown.precision,
        device_class=shown.device_class,
        state_class=_state_class(meaning, shown.device_class),
        entity_category=EntityCategory.DIAGNOSTIC if meaning.diagnostic else None,
        entity_registry_enabled_default=_enabled(meaning),
    )


def _name(meaning: Meaning) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Return the key of the name in the translations, what to fill in there, and what the quantity there is put together of."""
    key = meaning.key
    if key in _NAMED_WITH_TARIFF and meaning.tariff:
        detail = detail_of(replace(meaning, tariff=None))
        return f"{key}_tariff", {"detail": detail, "tariff": str(meaning.tariff)}, ()
    placeholders = {"detail": detail_of(meaning)}
    if key in _NAMED:
        return key, placeholders, ()
    limit = next((x for x in _LIMITS if meaning.quantity.endswith(f"_{x}")), None)
    plain = replace(
        meaning,
        quantity=meaning.quantity.removesuffix(f"_{limit}"),
        kind=Kind.INSTANT,
        aspect=None,
    )
    quantity = (plain.key, *([_text_of(limit)] if limit else []))
    return _text_of(meaning.aspect or meaning.kind), placeholders, quantity


def _meaning_of_sub_meter(
    meaning: Meaning, sub_meter: SubMeter, unit: int | None
) -> Meaning:
    """Say what a sub-meter measures: its medium, and the unit, tell more than the name of the value."""
    meaning = replace(meaning, channel=0)  # the device says it
    if meaning.quantity != "mbus_value":
        return meaning
    if meaning.index == "1":
        meaning = replace(meaning, index=None)
    if meaning.aspect:
        return meaning
    for quantity, direction, units in sub_meter.medium.quantities:
        if unit in units:
            return replace(meaning, quantity=quantity, direction=direction)
    return meaning


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
        translation_placeholders={"detail": detail_of(meaning)},
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=_enabled(meaning),
    )


def meaning_of(attribute: AttributeDescriptor) -> Meaning | None:
    """Return what an attribute means, None for what the catalogue does not know."""
    return describe(attribute.logical_name, attribute.class_id, attribute.attribute_id)


def _shown(unit: int | None, meaning: Meaning | None) -> Shown:
    """Return how a value of this unit and meaning is shown."""
    if (
        meaning is not None
        and meaning.kind is Kind.TIME
        and meaning.key not in _NO_MOMENTS
    ):
        return Shown(None, SensorDeviceClass.TIMESTAMP)
    if unit is None:
        return PLAIN
    shown = UNITS.get(unit, Shown(unit_symbol(unit) or None))
    if meaning is None:
        return shown
    if (
        shown.device_class is SensorDeviceClass.POWER
        and meaning.kind is not Kind.INSTANT
    ):
        return shown._replace(
            suggested_unit=UnitOfPower.KILO_WATT, precision=3
        )  # demand is told, and paid, in kW
    device_class = DEVICE_CLASSES.get(meaning.quantity)
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
        and (meaning.tariff is None or meaning.quantity in _ENABLED_BY_TARIFF)
    )


def detail_of(meaning: Meaning) -> str:
    """Return what comes after the name: phase, tariff, number and channel, or nothing."""
    placeholders = meaning.placeholders
    if placeholders.get("index") == "0":
        del placeholders["index"]  # the first of things of which there is mostly one
    if meaning.channel:
        placeholders["channel"] = f"#{meaning.channel}"
    return "".join(f" {text}" for text in placeholders.values())
