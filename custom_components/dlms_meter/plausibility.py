"""Counting registers do not run backwards, nor by a town's consumption in a minute: such readings are held back.

One wrong reading would stay in Home Assistant's statistics for ever. A meter that insists is believed after a few polls.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from .const import LOGGER
from .dlms import AttributeDescriptor, Direction, Kind, Quantity, Unit, Value, describe

HELD_POLLS: Final = 3
"""So many implausible readings in a row are not shown."""
_SHORTEST: Final = 1 / 30
"""Hours: whatever comes in less counts as having taken two minutes."""
_FASTEST: Final[
    dict[int, int]
] = {  # units an hour: more than any single connection carries
    Unit.WATT_HOUR: 10_000_000,
    Unit.VAR_HOUR: 10_000_000,
    Unit.VOLT_AMPERE_HOUR: 10_000_000,
    Unit.JOULE: 36_000_000_000,
    Unit.CUBIC_METRE: 5_000,
    Unit.CUBIC_METRE_CORRECTED: 5_000,
    Unit.LITRE: 5_000_000,
}
_SLOWEST_TO_NOTICE: Final = Decimal("0.05")
"""An increase by less than this part of the total is no jump: a big factory's day fits, a lost decimal point does not."""


class Accepted(NamedTuple):
    """A reading that was believed."""

    value: Decimal
    unit: int
    at: datetime


class PlausibilityGuard:
    """Remembers what each counting register showed last; `accepted` may be kept over a restart."""

    def __init__(self, accepted: Mapping[AttributeDescriptor, Accepted]) -> None:
        self.accepted = dict(accepted)
        self._held: dict[AttributeDescriptor, int] = {}

    def believe(
        self, name: str, attribute: AttributeDescriptor, value: Value, now: datetime
    ) -> Value:
        """Return the reading, or the last believed one while the reading cannot be true; `name` of the meter is for the log."""
        if not isinstance(value, Quantity) or not _counts(attribute, value.unit):
            return value
        last = self.accepted.get(attribute)
        reason = None if last is None else _doubt(last, value, now)
        if last is not None and reason is not None:
            held = self._held[attribute] = self._held.get(attribute, 0) + 1
            if held <= HELD_POLLS:
                if held == 1:
                    LOGGER.warning(
                        "%s: %s %s; not believed until it was read %d times",
                        *(name, attribute, reason, HELD_POLLS + 1),
                    )
                return Quantity(last.value, last.unit)
            LOGGER.warning(
                "%s: %s %s; accepted, since the meter insists", name, attribute, reason
            )
        elif self._held.get(attribute):
            LOGGER.info("%s: %s is plausible again", name, attribute)
        self._held.pop(attribute, None)
        self.accepted[attribute] = Accepted(value.value, value.unit, now)
        return value


def _counts(attribute: AttributeDescriptor, unit: int) -> bool:
    """Tell whether this is a register that only ever counts up."""
    meaning = describe(
        attribute.logical_name, attribute.class_id, attribute.attribute_id
    )
    return (
        meaning is not None
        and meaning.kind is Kind.TOTAL
        and meaning.direction is not Direction.NET
        and meaning.billing_period is None
        and meaning.aspect is None
        and unit in _FASTEST
    )


def _doubt(last: Accepted, value: Quantity, now: datetime) -> str | None:
    """Return why a reading cannot be true; None if it can."""
    if value.unit != last.unit:
        return None  # the meter was set up anew
    shown = f"from {Quantity(last.value, last.unit)} to {value}"
    increase = value.value - last.value
    if increase < 0:
        return f"fell {shown}"
    hours = max((now - last.at).total_seconds() / 3600, _SHORTEST)
    possible = max(
        Decimal(_FASTEST[value.unit] * hours), last.value * _SLOWEST_TO_NOTICE
    )
    return f"jumped {shown}" if increase > possible else None
