"""What logical names mean: OBIS knowledge as rules by value group, not as a list of names.

Sources: the value groups of IEC 62056-61 and DLMS UA Blue Book part 1. The names that follow no rule are in listed_names.
"""

from dataclasses import replace
from typing import NamedTuple

from .interface_classes import INTERFACE_CLASSES
from .listed_names import find
from .meaning import Direction, Kind, Meaning, Phase
from .obis import Obis
from .units import Unit


def describe(
    logical_name: Obis, class_id: int, attribute_id: int = 2
) -> Meaning | None:
    """Return what an attribute means, None for what the rules do not know.

    That is: reserved and manufacturer specific names, names used with an interface class they are not made for
    (meters do that), attributes that are no values.
    A name with a billing period (F other than 255) means what it means without, with `billing_period` set.
    """
    if logical_name.b not in _STANDARD_CHANNELS:
        return None
    meaning = (
        _electricity(logical_name, class_id) if logical_name.a == _ELECTRICITY else None
    )
    if meaning is None and (meaning := find(logical_name, class_id)) is None:
        return None
    period = None if logical_name.f == _PRESENT else logical_name.f
    return _of_attribute(
        replace(meaning, channel=logical_name.b, billing_period=period),
        class_id,
        attribute_id,
    )


_ELECTRICITY = 1
_STANDARD_CHANNELS = range(65)
_PRESENT = 255
_BILLING = frozenset((*range(100), *range(101, 127)))
_DEMAND_REGISTER = 5
_PROFILE = 7
_VALUES = frozenset({1, 3, 4, _DEMAND_REGISTER})
_KEPT_VALUES = _VALUES | {_PROFILE}
"""The values of past billing periods may be kept in a profile."""

_ASPECTS = {
    "status": Kind.STATE,
    "control_state": Kind.STATE,
    "capture_time": Kind.TIME,
    "start_time_current": Kind.TIME,
}
_NO_VALUES = {"logical_name", "scaler_unit"}


def _of_attribute(meaning: Meaning, class_id: int, attribute_id: int) -> Meaning | None:
    """Turn the meaning of attribute 2 into that of another one."""
    if attribute_id == 2:
        return meaning
    names = INTERFACE_CLASSES[class_id].attributes
    if (
        not 1 < attribute_id <= len(names)
        or (name := names[attribute_id - 1]) in _NO_VALUES
    ):
        return None
    if class_id == _DEMAND_REGISTER and name == "last_average_value":
        return replace(meaning, kind=Kind.LAST_AVERAGE)
    return replace(
        meaning, aspect=name, kind=_ASPECTS.get(name, Kind.FACT), unit=None, text=False
    )


# --- Electricity: A = 1, C a quantity, D a kind, E a tariff or a harmonic --------------------------------------------


class _Measured(NamedTuple):
    """What a value group C stands for."""

    quantity: str
    direction: Direction | None = None
    phase: Phase | None = None
    harmonics: bool = False


_OF_ALL_PHASES = (  # C = 1 to 20; L1, L2 and L3 follow 20, 40 and 60 higher
    _Measured("active_power", Direction.IMPORT),
    _Measured("active_power", Direction.EXPORT),
    _Measured("reactive_power", Direction.IMPORT),
    _Measured("reactive_power", Direction.EXPORT),
    _Measured("reactive_power", Direction.Q1),
    _Measured("reactive_power", Direction.Q2),
    _Measured("reactive_power", Direction.Q3),
    _Measured("reactive_power", Direction.Q4),
    _Measured("apparent_power", Direction.IMPORT),
    _Measured("apparent_power", Direction.EXPORT),
    _Measured("current", harmonics=True),
    _Measured("voltage", harmonics=True),
    _Measured("power_factor"),
    _Measured("frequency"),
    _Measured("active_power", Direction.ABSOLUTE, harmonics=True),
    _Measured("active_power", Direction.NET),
    _Measured("active_power", Direction.Q1),
    _Measured("active_power", Direction.Q2),
    _Measured("active_power", Direction.Q3),
    _Measured("active_power", Direction.Q4),
)
_PHASES = (None, Phase.L1, Phase.L2, Phase.L3)
_MEASURED = {
    1 + 20 * block + place: measured._replace(phase=phase)
    for block, phase in enumerate(_PHASES)
    for place, measured in enumerate(_OF_ALL_PHASES)
} | {
    82: _Measured("unitless"),
    **{
        84 + block: _Measured("power_factor", Direction.EXPORT, phase)
        for block, phase in enumerate(_PHASES)
    },
    88: _Measured("ampere_squared_hours"),
    89: _Measured("volt_squared_hours"),
    90: _Measured("current_sum"),
    91: _Measured("current", None, Phase.NEUTRAL, harmonics=True),
    92: _Measured("voltage", None, Phase.NEUTRAL, harmonics=True),
}

_UNITS = {
    "active_power": Unit.WATT,
    "reactive_power": Unit.VAR,
    "apparent_power": Unit.VOLT_AMPERE,
    "current": Unit.AMPERE,
    "current_sum": Unit.AMPERE,
    "voltage": Unit.VOLT,
    "power_factor": Unit.COUNT,
    "frequency": Unit.HERTZ,
    "unitless": Unit.COUNT,
    "ampere_squared_hours": Unit.AMPERE_SQUARED_HOUR,
    "volt_squared_hours": Unit.VOLT_SQUARED_HOUR,
}
_INTEGRALS = {
    "active_power": ("active_energy", Unit.WATT_HOUR),
    "reactive_power": ("reactive_energy", Unit.VAR_HOUR),
    "apparent_power": ("apparent_energy", Unit.VOLT_AMPERE_HOUR),
    "unitless": ("unitless_total", Unit.COUNT),
    "ampere_squared_hours": ("ampere_squared_hours_total", Unit.AMPERE_SQUARED_HOUR),
    "volt_squared_hours": ("volt_squared_hours_total", Unit.VOLT_SQUARED_HOUR),
}

_GROUPS = {  # in the order the standard counts them
    Kind.AVERAGE: (0, 49, 50),
    Kind.CUMULATIVE_MINIMUM: (1, 11, 21),
    Kind.CUMULATIVE_MAXIMUM: (2, 12, 22),
    Kind.MINIMUM: (3, 13, 23, 51, 52),
    Kind.CURRENT_AVERAGE: (4, 14, 24, 56, 27, 28),
    Kind.LAST_AVERAGE: (5, 15, 25),
    Kind.MAXIMUM: (6, 16, 26, 53, 54),
    Kind.INSTANT: (7,),
    Kind.TOTAL: (8,),
    Kind.PERIOD: (9,),
    Kind.EXCESS: (10,),
    Kind.INTERVAL: (29, 30),
    Kind.THRESHOLD: (31, 35, 39),
    Kind.OCCURRENCES: (32, 36, 40),
    Kind.DURATION: (33, 37, 41),
    Kind.MAGNITUDE: (34, 38, 42),
    Kind.TIME_THRESHOLD: (43, 44, 45),
    Kind.CONTRACTED: (46,),
}
_KINDS = {d: kind for kind, group in _GROUPS.items() for d in group}
_LIMITS = (
    Kind.THRESHOLD,
    Kind.OCCURRENCES,
    Kind.DURATION,
    Kind.MAGNITUDE,
    Kind.TIME_THRESHOLD,
)
_ORDINALS = {
    d: str(number)
    for kind, group in _GROUPS.items()
    if kind not in _LIMITS
    for number, d in enumerate(group[1:], 2)
}
"""Which of several measurement periods; of the first it goes without saying."""
_INTEGRAL_KINDS = {Kind.TOTAL, Kind.PERIOD, Kind.EXCESS, Kind.INTERVAL}
_LIMIT_OF = {
    d: limit
    for place, limit in enumerate(("under_limit", "over_limit", "missing"))
    for d in (group[place] for kind, group in _GROUPS.items() if kind in _LIMITS)
}
_LIMIT_UNITS = {
    Kind.OCCURRENCES: Unit.COUNT,
    Kind.DURATION: Unit.SECOND,
    Kind.TIME_THRESHOLD: Unit.SECOND,
}

_WITH_HARMONICS = frozenset((7, 24, *range(31, 46), 56))
_DISTORTIONS = {
    124: (Kind.THD, Unit.PERCENT),
    125: (Kind.TDD, Unit.PERCENT),
    126: (Kind.HARMONICS, None),
}
_TARIFFS = range(64)

_ANGLES = 81
_ANGLE_ENDS = {0: "U1", 1: "U2", 2: "U3", 4: "I1", 5: "I2", 6: "I3"}


def _electricity(name: Obis, class_id: int) -> Meaning | None:
    """Read all value groups but B; the class must be able to hold such a value."""
    if name.f == _PRESENT:
        classes = _VALUES
    elif name.f in _BILLING:
        classes = _KEPT_VALUES
    else:
        return None
    return _measured(name) if class_id in classes else None


def _measured(name: Obis) -> Meaning | None:
    """Read value groups C, D and E of electricity."""
    if name.c == _ANGLES and name.d == 7:
        return _angle(name.e)
    if (measured := _MEASURED.get(name.c)) is None or (
        kind := _KINDS.get(name.d)
    ) is None:
        return None
    quantity, unit = measured.quantity, _UNITS[measured.quantity]
    if kind in _INTEGRAL_KINDS:
        if quantity not in _INTEGRALS:
            return None
        quantity, unit = _INTEGRALS[quantity]
    if limit := _LIMIT_OF.get(name.d):
        quantity, unit = f"{quantity}_{limit}", _LIMIT_UNITS.get(kind, unit)
    meaning = Meaning(
        quantity=quantity,
        kind=kind,
        unit=unit,
        direction=measured.direction,
        phase=measured.phase,
        index=_ORDINALS.get(name.d),
    )
    return _classified(
        meaning, name, harmonics=measured.harmonics and name.d in _WITH_HARMONICS
    )


def _classified(meaning: Meaning, name: Obis, *, harmonics: bool) -> Meaning | None:
    """Read value group E: harmonics where the quantity has them, no tariff for an instant, else tariffs."""
    if name.e == 0:
        return meaning
    if harmonics:
        if name.e in _DISTORTIONS:
            kind, unit = _DISTORTIONS[name.e]
            return replace(meaning, kind=kind, unit=unit or meaning.unit)
        return (
            replace(meaning, kind=Kind.HARMONIC, index=str(name.e))
            if name.e <= 120
            else None
        )
    if meaning.kind is Kind.INSTANT or name.e not in _TARIFFS:
        return None
    return replace(meaning, tariff=name.e)


def _angle(e: int) -> Meaning | None:
    """Read E of a phase angle: the tens are the reference, the units what is measured against it."""
    reference, measured = divmod(e, 10)
    if reference not in _ANGLE_ENDS or measured not in _ANGLE_ENDS:
        return None
    ends = f"{_ANGLE_ENDS[measured]}-{_ANGLE_ENDS[reference]}"
    return Meaning(
        quantity="phase_angle", kind=Kind.INSTANT, unit=Unit.DEGREE, index=ends
    )
