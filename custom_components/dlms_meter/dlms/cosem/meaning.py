"""The words the catalogue describes a value with: its kind, direction, phase, and all of it together."""

from dataclasses import dataclass
from enum import StrEnum

from .units import Unit


class Kind(StrEnum):
    """What sort of statement about its quantity a value is."""

    INSTANT = "instant"
    """Measured now."""
    TOTAL = "total"
    """Integral since the meter began; grows, except where the direction is net."""
    PERIOD = "period"
    """Integral since the last billing reset; starts again from 0."""
    INTERVAL = "interval"
    """Integral over one interval of the load profile; starts again from 0."""
    EXCESS = "excess"
    """Integral of what exceeds a threshold."""
    CURRENT_AVERAGE = "current_average"
    """Average of the running measurement period: the demand building up."""
    LAST_AVERAGE = "last_average"
    """Average of the last complete measurement period."""
    AVERAGE = "average"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    """Largest average since the last billing reset: the maximum demand."""
    CUMULATIVE_MINIMUM = "cumulative_minimum"
    CUMULATIVE_MAXIMUM = "cumulative_maximum"
    """Sum of the maxima of all billing periods."""
    THRESHOLD = "threshold"
    OCCURRENCES = "occurrences"
    DURATION = "duration"
    MAGNITUDE = "magnitude"
    TIME_THRESHOLD = "time_threshold"
    CONTRACTED = "contracted"
    SET_DATE = "set_date"
    """Total as it stood on a fixed date."""
    HARMONIC = "harmonic"
    """Of one harmonic; its order is the index."""
    HARMONICS = "harmonics"
    """Of all harmonics together."""
    THD = "total_harmonic_distortion"
    TDD = "total_demand_distortion"
    COUNTER = "counter"
    """Number of events since the meter began."""
    FACT = "fact"
    """Identification or parameter: changes rarely or never."""
    STATE = "state"
    TIME = "time"
    """A date and time, a date, or a time of day."""
    LOG = "log"
    """A profile: many rows of values."""
    OBJECT = "object"
    """Not one value: a table, a script, a setup."""


_PLAIN = {
    Kind.INSTANT,
    Kind.TOTAL,
    Kind.COUNTER,
    Kind.FACT,
    Kind.STATE,
    Kind.TIME,
    Kind.LOG,
    Kind.OBJECT,
}
"""Kinds that go without saying."""


class Direction(StrEnum):
    """Which flow of energy: directions, sums of both, or one quadrant (Q1 and Q4 are import of active energy)."""

    IMPORT = "import"
    EXPORT = "export"
    ABSOLUTE = "absolute"
    """|import| + |export|."""
    NET = "net"
    """Import less export, signed."""
    Q1 = "q1"
    Q2 = "q2"
    Q3 = "q3"
    Q4 = "q4"


class Phase(StrEnum):
    """One conductor."""

    L1 = "l1"
    L2 = "l2"
    L3 = "l3"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What one attribute stands for. `key` names it, `detail` tells it from others of the same key."""

    quantity: str
    kind: Kind
    unit: Unit | None = None
    """The usual unit, None where there is none; the unit the meter sends with the value is the one that counts."""
    direction: Direction | None = None
    phase: Phase | None = None
    """None: of all phases, or not of a phase."""
    tariff: int | None = None
    """None: over all tariffs."""
    index: str | None = None
    """Which one, where there are several: the number of a log, the order of a harmonic, the two ends of an angle."""
    channel: int = 0
    """Value group B: the measuring channel, for M-Bus objects the sub-meter."""
    billing_period: int | None = None
    """Value group F of a value kept at the end of a billing period: no live value. None: the present one."""
    aspect: str | None = None
    """Name of the attribute, if it is about the value rather than the value itself, such as capture_time."""
    text: bool = False
    """An octet-string here is text."""
    diagnostic: bool = False
    """About the meter rather than about what it measures."""

    @property
    def key(self) -> str:
        """Return the stable name of all that differ only in phase, tariff, index, channel or billing period.

        Such as active_energy_import, active_power_import_maximum, voltage_under_limit_occurrences.
        """
        kind = None if self.kind in _PLAIN and self.aspect is None else self.kind
        parts = (self.quantity, self.direction, self.aspect or kind)
        return "_".join(part for part in parts if part)

    @property
    def detail(self) -> str:
        """Return phase, tariff, index and billing period in signs every language reads, such as `L1 T2`; "" for none."""
        return " ".join(self.placeholders.values())

    @property
    def placeholders(self) -> dict[str, str]:
        """Return what tells it from others of the same key, to print: phase L1 or N, tariff T2, index, billing_period *3."""
        shown = {
            "phase": self.phase
            and ("N" if self.phase is Phase.NEUTRAL else self.phase.upper()),
            "tariff": self.tariff and f"T{self.tariff}",
            "index": self.index,
            "billing_period": None
            if self.billing_period is None
            else f"*{self.billing_period}",
        }
        return {name: text for name, text in shown.items() if text}
