"""The meter's clock against Home Assistant's: which way its deviation goes, and what moment it means."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from .dlms import DlmsDateTime

_PLAUSIBLE: Final = timedelta(minutes=10)
"""How far off a clock may be for its deviation to be believed; the smallest step of time zones is 15 minutes."""


def deviation_is_reversed(clock: DlmsDateTime, now: datetime) -> bool:
    """Tell whether the clock is right only if its deviation is taken the wrong way round.

    Meters of several countries send minutes from UTC to local time, where the standard wants local time to UTC.
    """
    return not _is_near(clock.as_utc(), now) and _is_near(
        clock.as_utc(reversed_deviation=True), now
    )


def moment_of(
    value: DlmsDateTime, *, reversed_deviation: bool, zone: tzinfo
) -> datetime | None:
    """Return the moment, in UTC, that a date-time means; without deviation it is in `zone`. None when it leaves a part open."""
    if (moment := value.as_utc(reversed_deviation=reversed_deviation)) is not None:
        return moment
    if (local := value.local()) is None:
        return None
    try:
        return local.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar
        return None


def _is_near(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and abs(moment - now) < _PLAUSIBLE
