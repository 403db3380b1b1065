"""What the entries of event logs mean, and which of them are new."""

from decimal import Decimal
from hashlib import sha256
from typing import Final

from .dlms import ProfileRow, ProfileRows

OTHER: Final = "other"
"""The type of what has a code that is not listed."""
EVENT_TYPES: Final[dict[int, str]] = {
    1: "power_down",
    2: "power_up",
    3: "daylight_saving_changed",
    4: "clock_adjusted_from",
    5: "clock_adjusted_to",
    6: "clock_invalid",
    7: "replace_battery",
    8: "battery_low",
    9: "tariff_plan_activated",
    10: "error_register_cleared",
    11: "alarm_register_cleared",
    12: "program_memory_error",
    13: "ram_error",
    14: "nonvolatile_memory_error",
    15: "watchdog_error",
    16: "measurement_error",
    17: "firmware_ready",
    18: "firmware_activated",
    40: "terminal_cover_opened",
    41: "terminal_cover_closed",
    42: "magnetic_field_detected",
    43: "magnetic_field_gone",
    44: "cover_opened",
    45: "cover_closed",
    46: "wrong_password",
    60: "disconnected_by_hand",
    61: "connected_by_hand",
    62: "disconnected_remotely",
    63: "connected_remotely",
    64: "disconnected_locally",
    65: "limit_exceeded",
    255: "log_cleared",
}
"""Codes of the standard, fraud and disconnector logs of DSMR and IDIS meters (DSMR P2 companion standard); others have their own."""

COVERS: Final[dict[str, dict[int, bool]]] = {
    "cover": {44: True, 45: False},
    "terminal_cover": {40: True, 41: False},
}
"""What entries tell of the covers of a meter: whether they are open."""


def first_new(
    known: list[str], until: float, rows: ProfileRows, digests: list[str]
) -> int:
    """Return the index of the first row that was not there when `known` was read.

    The rows read then end with those the rows read now begin with; two equal entries are told apart by their number.
    When they have nothing in common, the log was emptied or has moved on: what is later is new.
    """
    for common in range(min(len(known), len(digests)), 0, -1):
        if known[-common:] == digests[:common]:
            return common
    for place, row in enumerate(rows):
        if row.moment is None or row.moment.timestamp() > until:
            return place
    return len(digests)


def digest(row: ProfileRow) -> str:
    """Return what tells an entry from others."""
    # Not by its moment: how that is read may be learned anew.
    return sha256(repr(row.values).encode()).hexdigest()[:16]


def event_code(row: ProfileRow) -> int | None:
    """Return the first whole number of a row: the event code."""
    return next(
        (
            int(value)
            for value in row.values
            if isinstance(value, int | Decimal)
            and not isinstance(value, bool)
            and value == int(value)
        ),
        None,
    )
