"""How long the event loop stands still while answers arrive that are made to stop it, and while long ones do that are not."""

from collections.abc import Iterator

from custom_components.dlms_meter.dlms import Framing
from tests.hostile import CASES, Case, get, longest_stop, normally, read_objects

from .inputs import object_list, profile
from .report import Row

_LIMIT = 0.005


def stops(rounds: int) -> Iterator[Row]:
    """Measure the longest stop of each kind; of several tries the shortest, since others use the machine too."""
    objects, rows = normally(object_list(900)), normally(profile(1500))
    honest = {
        "object list of 900": [Case(Framing.WRAPPER, objects, read_objects)],
        "64 kB of profile in one APDU": [Case(Framing.WRAPPER, rows, get)],
    }
    hostile = {what: list(cases.values()) for what, cases in CASES.items()}
    for what, sessions in (honest | hostile).items():
        worst = max(
            min(longest_stop(session) for _ in range(rounds)) for session in sessions
        )
        yield Row(
            f"longest stop of the event loop: {what}",
            f"{worst * 1e3:.1f} ms",
            target="≤ 5 ms",
            met=worst <= _LIMIT,
        )
