"""The house behind the meter: what it draws and feeds in at any moment, and the energy that makes.

A seed decides everything. Each quarter-hour has its own mean power: habits by the hour of the day,
an appliance now and then, sun on the roof. Within the quarter the power swings around that mean.
The swing has a closed integral, so energy is exactly the integral of power, at any moment asked for,
in any order, and the mean over a quarter is exactly the mean the load profile shows.
"""

from array import array
from datetime import UTC, datetime, timedelta
from functools import cache
from math import cos, pi, sin
from random import Random
from typing import NamedTuple, Self

BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""The meter runs since then; it knows no earlier time."""

QUARTER = timedelta(minutes=15)
STANDARD_TIME = timedelta(hours=1)
"""Habits, sun and tariffs keep this offset from UTC all year."""

DAY_TARIFF = range(6, 22)
"""Hours of tariff 1; the others are tariff 2."""

REACTIVE_SHARE = 0.18
CAPACITIVE_POWER = 12.0

_SECONDS = 900.0
_HOURS = 0.25
_QUARTERS_PER_DAY = 96
_HABITS = (
    210, 190, 180, 180, 190, 230, 420, 610, 520, 400, 380, 430,
    560, 450, 380, 400, 480, 690, 900, 980, 860, 640, 430, 280,
)  # fmt: skip
_SWING = 0.3
_ANGULAR_SPEED = 2 * pi * 5 / _SECONDS  # five swings a quarter, so the integral closes


class Energies(NamedTuple):
    """Running totals in Wh (varh for the reactive ones) since the house was built."""

    import_day: float = 0.0
    import_night: float = 0.0
    export_day: float = 0.0
    export_night: float = 0.0
    reactive_import: float = 0.0
    reactive_export: float = 0.0

    @classmethod
    def of(cls, power: float, reactive: float, hour: int, hours: float) -> Self:
        """Return what a constant power (W, drawn is positive) makes in `hours` that begin at `hour`."""
        imported, exported = max(power, 0.0) * hours, max(-power, 0.0) * hours
        by_day = hour in DAY_TARIFF
        return cls(
            imported if by_day else 0.0,
            0.0 if by_day else imported,
            exported if by_day else 0.0,
            0.0 if by_day else exported,
            reactive * hours,
            CAPACITIVE_POWER * hours,
        )

    def plus(self, other: Self) -> Self:
        """Add field by field."""
        return type(self)(
            self.import_day + other.import_day,
            self.import_night + other.import_night,
            self.export_day + other.export_day,
            self.export_night + other.export_night,
            self.reactive_import + other.reactive_import,
            self.reactive_export + other.reactive_export,
        )


class House:
    """What one seed makes of a household with three phases and sun on the roof."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._power = array("d")  # mean W of each quarter, drawn is positive
        self._reactive = array("d")  # mean var of each quarter
        self._totals = [Energies()]  # at the start of each quarter
        random = Random(f"house {seed}")
        ranges = [(2_000_000, 9_000_000)] * 4 + [(500_000, 900_000), (100_000, 200_000)]
        self.initial = Energies._make(random.uniform(*limits) for limits in ranges)
        """The registers when this house moved in."""
        shares = [random.uniform(0.7, 1.3) for _ in range(3)]
        self.phase_shares = tuple(share / sum(shares) for share in shares)
        self.phase_offsets = tuple(random.uniform(-1.5, 1.5) for _ in range(3))

    def quarter_of(self, moment: datetime) -> int:
        """Return the number of the quarter-hour `moment` is in. Raises `ValueError` for a time before the house."""
        if moment < BUILT:
            raise ValueError(f"the simulated meter knows no time before {BUILT}")
        quarter = (moment - BUILT) // QUARTER
        while len(self._power) <= quarter:
            self._live_a_day()
        return quarter

    def mean_power(self, quarter: int) -> float:
        """Return the mean power of a quarter in W; fed in is negative."""
        return self._power[quarter]

    def power(self, moment: datetime) -> float:
        """Return the power now in W; fed in is negative."""
        return self._power[self.quarter_of(moment)] * _swing(moment)

    def reactive_power(self, moment: datetime) -> float:
        """Return the reactive power now in var."""
        return self._reactive[self.quarter_of(moment)] * _swing(moment)

    def energies(self, moment: datetime) -> Energies:
        """Return the registers: what stood there at first plus the integral of power until `moment`."""
        quarter = self.quarter_of(moment)
        begun = BUILT + quarter * QUARTER
        seconds = (moment - begun).total_seconds()
        swung = seconds + _SWING * (1 - cos(_ANGULAR_SPEED * seconds)) / _ANGULAR_SPEED
        energies = Energies.of(
            self._power[quarter], self._reactive[quarter], _hour(begun), swung / 3600
        )
        capacitive = CAPACITIVE_POWER * seconds / 3600
        return (
            self._totals[quarter]
            .plus(energies._replace(reactive_export=capacitive))
            .plus(self.initial)
        )

    def highest_demand(self, sign: int, first: int, last: int) -> tuple[float, int]:
        """Return the highest mean power (W) among the quarters `first` to before `last`, and which it was.

        `sign` is 1 for drawn and -1 for fed-in power. Without any quarter: 0 W, at `first`.
        """
        best = max(
            range(first, last),
            key=lambda quarter: (sign * self._power[quarter], -quarter),
            default=first,
        )
        return (max(sign * self._power[best], 0.0) if first < last else 0.0), best

    def _live_a_day(self) -> None:
        """Decide one more day."""
        day = len(self._power) // _QUARTERS_PER_DAY
        random = Random(f"day {day} of house {self._seed}")
        season = cos(2 * pi * (day + 10) / 365)  # 1 in midwinter
        clouds = random.uniform(0.15, 1.0)
        for quarter in range(_QUARTERS_PER_DAY):
            clock = (quarter / 4 + STANDARD_TIME / timedelta(hours=1)) % 24
            drawn = _HABITS[int(clock)] * (1 + 0.15 * season)
            drawn *= random.uniform(0.7, 1.3)
            if random.random() < 0.06:
                drawn += random.uniform(900, 2600)
            sun = _sunshine(clock, season) * clouds * random.uniform(0.85, 1.0)
            self._power.append(drawn - sun)
            self._reactive.append(drawn * REACTIVE_SHARE)
            made = Energies.of(self._power[-1], self._reactive[-1], int(clock), _HOURS)
            self._totals.append(self._totals[-1].plus(made))


@cache
def house(seed: int) -> House:
    """Return the house of a seed; its past is the same for everyone, so it is lived only once."""
    return House(seed)


def is_day_tariff(moment: datetime) -> bool:
    """Tell whether tariff 1 is in force."""
    return _hour(moment) in DAY_TARIFF


def _hour(moment: datetime) -> int:
    return (moment + STANDARD_TIME).hour


def _swing(moment: datetime) -> float:
    seconds = (moment - BUILT) % QUARTER
    return 1 + _SWING * sin(_ANGULAR_SPEED * seconds.total_seconds())


def _sunshine(clock: float, season: float) -> float:
    """Return what the roof makes under a clear sky, in W."""
    half_day = 6 - 2 * season
    height = cos(pi / 2 * (clock - 12) / half_day)
    return (
        max(height, 0.0) * (2600 - 1500 * season) if abs(clock - 12) < half_day else 0.0
    )
