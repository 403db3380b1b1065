"""Logical names that follow no general rule, as rows: abstract objects, identification, gas, water, heat, cooling, M-Bus.

Sources: IEC 62056-61, DLMS UA Blue Book part 1, EN 13757-1; national names from published companion specifications.
"""

from collections import defaultdict
from dataclasses import replace
from enum import Enum
from functools import cache
from itertools import product
from typing import NamedTuple

from .meaning import Direction, Kind, Meaning, Phase
from .obis import Obis
from .units import Unit

_V = frozenset({1, 3, 4, 5, 63})
"""Classes whose attribute 2 is one value. 63, Status mapping, only ever holds status words."""
_PROFILE = frozenset({7})
_PRESENT = frozenset({255})
_BILLING = frozenset((*range(100), *range(101, 127)))
_ANY_PERIOD = _PRESENT | _BILLING


class _Rate(Enum):
    """What value group E tells apart."""

    NOTHING = 0
    TARIFF = 1
    """1 to 63; 0 is over all of them."""
    PHASE = 2
    """1 to 3 in the last digit of five; 0 and 4 are of all phases."""
    INDEX = 3
    """As it is."""
    NUMBER = 4
    """Counted from 1, in OBIS from 0."""


class _Row(NamedTuple):
    """A set of names and what they mean."""

    media: str
    name: str
    """`C.D.E*F`, each group as `1`, `1-3` or `1,3-5`; without `*F` the present value, `*` alone any billing period too."""
    classes: frozenset[int]
    meaning: Meaning
    rate: _Rate


def _row(
    media: str,
    name: str,
    quantity: str,
    kind: Kind,
    unit: Unit | None = None,
    *,
    classes: frozenset[int] | int = _V,
    rate: _Rate = _Rate.NOTHING,
    direction: Direction | None = None,
    text: bool = False,
    diagnostic: bool = True,
) -> _Row:
    """Make a row about the meter rather than about what it measures."""
    allowed = classes if isinstance(classes, frozenset) else frozenset({classes})
    meaning = Meaning(
        quantity=quantity,
        kind=kind,
        unit=unit,
        direction=direction,
        text=text,
        diagnostic=diagnostic,
    )
    return _Row(media, name, allowed, meaning, rate)


def _reading(
    media: str,
    name: str,
    quantity: str,
    unit: Unit | None,
    kind: Kind = Kind.TOTAL,
    *,
    direction: Direction | None = None,
    rate: _Rate = _Rate.TARIFF,
) -> _Row:
    """Make a row of what a meter is there to measure, kept at the end of billing periods too."""
    return _row(
        media,
        name + "*",
        quantity,
        kind,
        unit,
        rate=rate,
        direction=direction,
        diagnostic=False,
    )


def _setup(
    name: str, quantity: str, *classes: int, media: str = "0", rate: _Rate = _Rate.INDEX
) -> _Row:
    return _row(
        media, name, quantity, Kind.OBJECT, classes=frozenset(classes), rate=rate
    )


def _log(
    media: str, name: str, quantity: str, *, classes: frozenset[int] = _PROFILE
) -> _Row:
    return _row(media, name, quantity, Kind.LOG, classes=classes, rate=_Rate.INDEX)


_PHASES = (None, Phase.L1, Phase.L2, Phase.L3, None)

_ALL = "0-1,4-9"
"""Abstract, electricity, heat cost allocators, cooling, heat, gas, cold and hot water."""
_METERS = "1,4-9"
_THERMAL = "5-6"
_WATER = "8-9"
_COUNT = Unit.COUNT

# fmt: off
_ROWS = (
    # Who the meter is
    _row("0", "42.0.0", "logical_device_name", Kind.FACT, text=True),
    _row("0", "96.1.0", "serial_number", Kind.FACT, text=True),
    _row("0", "96.1.1-9", "device_id", Kind.FACT, rate=_Rate.NUMBER, text=True),
    _row("0", "96.1.10", "metering_point_id", Kind.FACT, text=True),
    _row("1,4-9", "96.1.0-9", "metering_point_id", Kind.FACT, rate=_Rate.NUMBER, text=True),
    _row(_METERS, "0.0.0-9", "meter_id", Kind.FACT, rate=_Rate.NUMBER, text=True),
    _row("0-1", "0.2.0", "firmware", Kind.FACT, text=True),
    _row("0", "0.2.1", "firmware_version", Kind.FACT, text=True),
    _row("4-9", "0.2.0-3", "firmware", Kind.FACT, rate=_Rate.NUMBER, text=True),
    _row("1", "0.2.1", "parameter_record", Kind.FACT),
    _row("1", "0.2.2", "tariff_program", Kind.FACT, text=True),
    _row("0-1", "0.2.8", "firmware_signature", Kind.FACT),
    _row("1", "0.2.129", "obis_list_version", Kind.FACT, text=True),  # Norway, Sweden, Denmark
    # Billing periods and ways of measuring
    _row("0-1", "0.1.0,3*0-99,255", "billing_periods", Kind.COUNTER, _COUNT),
    _row("0-1", "0.1.1,4*0-99,255", "billing_periods_kept", Kind.FACT, _COUNT),
    _row("0-1", "0.1.2,5*", "billing_reset_time", Kind.TIME),
    _row("1", "0.3.0-9", "meter_constant", Kind.FACT, rate=_Rate.NUMBER),
    _row("1", "0.4.0-1", "reading_factor", Kind.FACT, rate=_Rate.NUMBER),
    _row("1", "0.4.2-7*", "transformer_ratio", Kind.FACT, rate=_Rate.INDEX),
    _row("1", "0.6.0", "nominal_voltage", Kind.FACT, Unit.VOLT),
    _row("1", "0.6.1", "nominal_current", Kind.FACT, Unit.AMPERE),
    _row("1", "0.6.2", "nominal_frequency", Kind.FACT, Unit.HERTZ),
    _row("1", "0.6.3", "maximum_current", Kind.FACT, Unit.AMPERE),
    _row("1", "0.8.0-3", "measurement_period", Kind.FACT, Unit.SECOND, rate=_Rate.NUMBER),
    _row("1", "0.8.4-5", "recording_interval", Kind.FACT, Unit.SECOND, rate=_Rate.INDEX),
    _row("1", "0.8.6", "billing_period_length", Kind.FACT),
    _row("0-1", "0.9.0", "time_since_billing_reset", Kind.FACT),
    _row("0-1", "0.9.1", "local_time", Kind.TIME),
    _row("0-1", "0.9.2", "local_date", Kind.TIME),
    _row("1", "0.9.6", "last_billing_reset_time", Kind.TIME),
    _row("1", "0.9.7", "last_billing_reset_date", Kind.TIME),
    _row("1", "0.9.11", "clock_shift_limit", Kind.FACT, Unit.SECOND),
    _row("1", "0.11.1-7", "measurement_algorithm", Kind.FACT, rate=_Rate.INDEX),
    _row("7", "0.4.0-4", "gas_conversion_factor", Kind.FACT, rate=_Rate.NUMBER),
    _row("7", "0.9.3", "gas_day_start", Kind.TIME),
    # Clocks
    _row("0", "1.0.0-127", "clock", Kind.TIME, classes=8),
    _row("0", "1.1.0-127", "unix_clock", Kind.TIME, Unit.SECOND),
    _row("0", "1.2.0-127", "high_resolution_clock", Kind.TIME),
    # What the meter does by itself
    _setup("10.0-127.0-127", "script_table", 9),
    _setup("11.0.0-127", "special_days_table", 11),
    _setup("12.0.0-127", "schedule", 10),
    _setup("13.0.0-127", "activity_calendar", 20),
    _setup("14.0.0-127", "register_activation", 6),
    _setup("15.0-127.0-127", "single_action_schedule", 22),
    _setup("16.0.0-127", "register_monitor", 21),
    _setup("16.1.0-9", "alarm_monitor", 21),
    _setup("16.2.0-127", "parameter_monitor", 65),
    _setup("17.0.0-127", "limiter", 71),
    _setup("19.0-9.0", "account", 111),
    _setup("19.10-19.0-127", "credit", 112),
    _setup("19.20-29.0-127", "charge", 113),
    _setup("19.40-49.0-127", "token_gateway", 115),
    # How it communicates
    _setup("2.0.0", "modem_configuration", 27),
    _setup("2.1.0", "auto_connect", 29),
    _setup("2.2.0", "auto_answer", 28),
    _setup("20.0.0-1", "local_port_setup", 19),
    _setup("21.0.0-127", "readout_list", 7),
    _setup("22.0.0", "hdlc_setup", 23),
    _setup("23.0.0", "twisted_pair_setup", 24),
    _setup("24.0.0", "mbus_slave_port_setup", 25),
    _setup("24.6.0", "mbus_master_port_setup", 74),
    _setup("24.8.0-127", "mbus_port_setup", 76),
    _setup("25.0.0", "tcp_udp_setup", 41),
    _setup("25.1.0", "ipv4_setup", 42),
    _setup("25.2.0", "mac_address_setup", 43),
    _setup("25.3.0", "ppp_setup", 44),
    _setup("25.4.0", "gprs_modem_setup", 45),
    _setup("25.5.0", "smtp_setup", 46),
    _setup("25.6.0", "gsm_diagnostic", 47),
    _setup("25.7.0", "ipv6_setup", 48),
    _setup("25.9.0", "push_setup", 40),
    _setup("25.10.0", "ntp_setup", 100),
    _setup("25.11.0", "lte_monitoring", 151),
    _setup("31.0.0", "wireless_mode_q_channel", 73),
    _setup("40.0.0-127", "association", 12, 15),
    _setup("41.0.0", "sap_assignment", 17),
    _setup("43.0.0-127", "security_setup", 64),
    _row("0", "43.1.0-127", "invocation_counter", Kind.COUNTER, _COUNT, rate=_Rate.INDEX),
    _setup("43.2.0-127", "data_protection", 30),
    _setup("44.0.0-127", "image_transfer", 18),
    _setup("44.1.0-127", "function_control", 122),
    _setup("66.0.0-127", "compact_data", 62),
    # Sub-meters behind it, one a channel
    _setup("24.1.0", "mbus_client", 72),
    _reading("0", "24.2.0-4", "mbus_value", None, rate=_Rate.INDEX),
    _row("0", "24.2.6-11", "mbus_information", Kind.FACT, rate=_Rate.INDEX, text=True),
    _log("0", "24.3.0-2", "mbus_profile"),
    _setup("24.4.0", "mbus_disconnect_control", 70),
    _log("0", "24.5.0", "mbus_control_log"),
    _setup("24.9.0", "mbus_diagnostic", 77),
    # Its condition
    _row("0", "96.2.0", "configuration_changes", Kind.COUNTER, _COUNT),
    _row("0", "96.2.1", "last_configuration_change", Kind.TIME),
    _row("0", "96.2.5", "last_calibration", Kind.TIME),
    _row("0", "96.2.12", "last_clock_synchronisation", Kind.TIME),
    _row("0", "96.2.13", "last_firmware_activation", Kind.TIME),
    _row("0", "96.3.0-4", "control_signals", Kind.STATE, rate=_Rate.INDEX),
    _setup("96.3.10", "disconnect_control", 70, rate=_Rate.NOTHING),
    _setup("96.3.20-29", "arbitrator", 68),
    _row("0", "96.4.0-4", "internal_control_signals", Kind.STATE, rate=_Rate.INDEX),
    _row(_ALL, "96.5.0-9", "operating_status", Kind.STATE, rate=_Rate.INDEX),
    _row("0", "96.6.0", "battery_use", Kind.DURATION, Unit.SECOND),
    _row("0", "96.6.1", "battery_charge", Kind.INSTANT, Unit.PERCENT),
    _row("0", "96.6.3", "battery_voltage", Kind.INSTANT, Unit.VOLT),
    _row("0", "96.6.6", "battery_remaining", Kind.DURATION, Unit.SECOND),
    _row("0", "96.7.0-3", "power_failures", Kind.COUNTER, _COUNT, rate=_Rate.PHASE),
    _row("0", "96.7.5-8", "long_power_failures", Kind.COUNTER, _COUNT, rate=_Rate.PHASE),
    _row("0", "96.7.9", "long_power_failures_any_phase", Kind.COUNTER, _COUNT),
    _row("0", "96.7.10-14", "power_failure_time", Kind.TIME, rate=_Rate.PHASE),
    _row("0", "96.7.15-19", "power_failure", Kind.DURATION, Unit.SECOND, rate=_Rate.PHASE),
    _row("0", "96.7.21", "power_failures_any_phase", Kind.COUNTER, _COUNT),
    _row("0", "96.8.0-63", "operating", Kind.DURATION, Unit.SECOND, rate=_Rate.TARIFF),
    _row("0", "96.9.0", "temperature", Kind.INSTANT, Unit.DEGREE_CELSIUS),
    _row("0", "96.9.1", "pressure", Kind.INSTANT, Unit.PASCAL),
    _row("0", "96.9.2", "humidity", Kind.INSTANT, Unit.PERCENT),
    _row(_ALL, "96.10.0-10", "status_register", Kind.STATE, rate=_Rate.INDEX),
    _row("0", "96.11.0-99", "event_code", Kind.STATE, rate=_Rate.INDEX),
    _row("0", "96.12.5", "signal_strength", Kind.INSTANT),
    _row("0", "96.13.0-1", "consumer_message", Kind.STATE, rate=_Rate.NUMBER, text=True, diagnostic=False),
    _row("0", "96.14.0-15", "active_tariff", Kind.STATE, rate=_Rate.INDEX, text=True, diagnostic=False),
    _row("0", "96.15.0-99", "event_counter", Kind.COUNTER, _COUNT, rate=_Rate.INDEX),
    _row("0", "96.20.0,5,10,15,20,25,30", "tamper_events", Kind.COUNTER, _COUNT, rate=_Rate.INDEX),
    _row("0", "96.20.1,6,11,16,21,26,31", "tamper_time", Kind.TIME, rate=_Rate.INDEX),
    _row(_ALL, "97.97.0-9", "error_register", Kind.STATE, rate=_Rate.INDEX),
    _row("0", "97.98.0-9", "alarm_register", Kind.STATE, rate=_Rate.INDEX),
    _row("0", "97.98.10-19", "alarm_filter", Kind.FACT, rate=_Rate.INDEX),
    _row("0", "97.98.20-29", "alarm_descriptor", Kind.STATE, rate=_Rate.INDEX),
    # What it remembers
    _log(_ALL, "97.97.255", "error_profile", classes=frozenset({7, 61})),
    _log(_ALL, "98.1.0-127,255*", "billing_profile"),
    _log(_ALL, "98.2.0-127,255*", "daily_billing_profile"),
    _log(_ALL, "99.1.0-127", "load_profile"),
    _log(_ALL, "99.2.0-127", "daily_load_profile"),
    _log("1", "99.3.0", "test_load_profile"),
    _log("1", "99.10.1-3", "voltage_event_profile"),
    _log("0", "99.12.0-127", "connection_profile"),
    _log("0", "99.13.0-127", "gsm_diagnostic_profile"),
    _log("1", "99.13.0", "voltage_unbalance_profile"),
    _log("1", "99.14.0-127", "power_quality_profile"),
    _log("0", "99.14-17.0-127", "token_log"),
    _log(_ALL, "99.97.0-127", "power_failure_log"),
    _log(_ALL, "99.98.0-127", "event_log"),
    _log("1", "99.99.0-127", "certification_log"),
    # Gas. Of the volumes, the tens of C are the place (meter, converter, logger), D the conditions
    *(
        _reading("7", f"{c}.{d}.0-63", f"gas_volume{flow}{conditions}", unit, direction=direction)
        for c, flow, direction in (
            ("1,11,21", "_undisturbed", Direction.IMPORT), ("2,12,22", "_disturbed", Direction.IMPORT),
            ("3,7,13,23", "", Direction.IMPORT), ("4,14,24", "_undisturbed", Direction.EXPORT),
            ("5,15,25", "_disturbed", Direction.EXPORT), ("6,8,16,26", "", Direction.EXPORT),
        )
        for d, conditions, unit in (
            (0, "", Unit.CUBIC_METRE), (1, "_corrected", Unit.CUBIC_METRE_CORRECTED), (2, "_converted", Unit.CUBIC_METRE_CORRECTED),
        )
    ),
    _reading("7", "31-33.0-2.0-63", "gas_energy", Unit.WATT_HOUR, direction=Direction.IMPORT),
    _reading("7", "34-36.0-2.0-63", "gas_energy", Unit.WATT_HOUR, direction=Direction.EXPORT),
    _reading("7", "61-66.0-2.0-63", "gas_index", None),
    _reading("7", "41.0-99.0-127", "gas_temperature", Unit.DEGREE_CELSIUS, Kind.INSTANT, rate=_Rate.NOTHING),
    _reading("7", "42.0-99.0-127", "gas_pressure", Unit.BAR, Kind.INSTANT, rate=_Rate.NOTHING),
    _reading("7", "43.0-99.0-127", "gas_flow", Unit.CUBIC_METRE_PER_HOUR, Kind.INSTANT, rate=_Rate.NOTHING),
    _row("7", "52.0-99.0-127", "gas_conversion_ratio", Kind.FACT),
    _row("7", "54.0-99.0-127", "gas_calorific_value", Kind.FACT),
    _log("7", "99.0,3-13,15-96.0-127", "gas_profile"),
    # Heat and cooling
    _reading("6", "1.0.0-63", "heat_energy", Unit.WATT_HOUR),
    _reading("5", "1.0.0-63", "cooling_energy", Unit.WATT_HOUR),
    _reading("6", "1.2.0-63", "heat_energy", Unit.WATT_HOUR, Kind.SET_DATE),
    _reading("5", "1.2.0-63", "cooling_energy", Unit.WATT_HOUR, Kind.SET_DATE),
    _reading(_THERMAL, "2.0.0-63", "thermal_volume", Unit.CUBIC_METRE),
    _reading(_THERMAL, "2.2.0-63", "thermal_volume", Unit.CUBIC_METRE, Kind.SET_DATE),
    _reading(_THERMAL, "8.0.0", "thermal_power", Unit.WATT, Kind.INSTANT),
    _reading(_THERMAL, "9.0.0", "thermal_flow", Unit.CUBIC_METRE_PER_HOUR, Kind.INSTANT),
    _reading(_THERMAL, "10.0.0", "flow_temperature", Unit.DEGREE_CELSIUS, Kind.INSTANT),
    _reading(_THERMAL, "11.0.0", "return_temperature", Unit.DEGREE_CELSIUS, Kind.INSTANT),
    _reading(_THERMAL, "12.0.0", "temperature_difference", Unit.KELVIN, Kind.INSTANT),
    _reading("4", "1.0.0", "heat_cost_units", None),
    _reading("4", "1.2.0", "heat_cost_units", None, Kind.SET_DATE),
    # Water
    _reading("8", "1.0.0-63", "water_volume", Unit.CUBIC_METRE),
    _reading("9", "1.0.0-63", "hot_water_volume", Unit.CUBIC_METRE),
    _reading("8", "1.2.0-63", "water_volume", Unit.CUBIC_METRE, Kind.SET_DATE),
    _reading("9", "1.2.0-63", "hot_water_volume", Unit.CUBIC_METRE, Kind.SET_DATE),
    _reading(_WATER, "2.0.0", "water_flow", Unit.CUBIC_METRE_PER_HOUR, Kind.INSTANT),
    _reading(_WATER, "3.0.0", "water_temperature", Unit.DEGREE_CELSIUS, Kind.INSTANT),
    _log(_WATER, "99.0,3-96.0-127", "water_profile"),
    # National (C = 94, D the country)
    _row("0", "94.91.0", "tamper_count", Kind.COUNTER, _COUNT),  # India from here
    _row("0", "94.91.8", "power_failures", Kind.DURATION),
    _row("0", "94.91.9", "meter_type", Kind.FACT, text=True),
    _row("0", "94.91.11", "meter_category", Kind.FACT, text=True),
    _row("0", "94.91.12", "current_rating", Kind.FACT, text=True),
    _row("0", "94.91.13", "billing_power_on", Kind.DURATION),
    _row("0", "94.91.14", "power_on", Kind.DURATION),
    _row("0", "94.91.18", "event_status", Kind.STATE),
    _row("1", "94.34.100", "active_quadrant", Kind.STATE),  # Spain
    _row("1", "94.34.104", "phase_presence", Kind.STATE),
)
# fmt: on


class _Names(NamedTuple):
    """The names of a row, of one medium and one value group C."""

    d: frozenset[int]
    e: frozenset[int]
    f: frozenset[int]
    row: _Row


@cache
def _index() -> dict[tuple[int, int], list[_Names]]:
    """Sort the rows by A and C; done once, when the first name is looked up."""
    index: dict[tuple[int, int], list[_Names]] = defaultdict(list)
    for row in _ROWS:
        groups, star, period = row.name.partition("*")
        c_group, d, e = map(_numbers, groups.split("."))
        f = (_numbers(period) if period else _ANY_PERIOD) if star else _PRESENT
        for place in product(_numbers(row.media), c_group):
            index[place].append(_Names(d, e, f, row))
    return dict(index)


def _numbers(text: str) -> frozenset[int]:
    """Read `1`, `1-3` and `1,3-5`."""
    spans = (part.partition("-") for part in text.split(","))
    return frozenset(
        number
        for first, _, last in spans
        for number in range(int(first), int(last or first) + 1)
    )


def find(name: Obis, class_id: int) -> Meaning | None:
    """Return what a listed name means for an interface class; None for any other. Value group B is not looked at."""
    for d, e, f, row in _index().get((name.a, name.c), ()):
        if name.d in d and name.e in e and name.f in f and class_id in row.classes:
            return _classified(row, name.e)
    return None


def _classified(row: _Row, e: int) -> Meaning:
    """Read value group E."""
    match row.rate:
        case _Rate.TARIFF if e:
            return replace(row.meaning, tariff=e)
        case _Rate.PHASE:
            return replace(row.meaning, phase=_PHASES[e % 5])
        case _Rate.INDEX:
            return replace(row.meaning, index=str(e))
        case _Rate.NUMBER:
            return replace(row.meaning, index=str(e + 1))
    return row.meaning
