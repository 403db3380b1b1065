"""How long the event loop stands still while answers arrive that are made to stop it, and while long ones do that are not."""

from collections.abc import Iterator

from custom_components.dlms_meter.dlms import DlmsClient, Framing
from tests.hostile import (
    VALUES,
    Answer,
    Work,
    false_frames,
    flags,
    get,
    in_blocks,
    longest_stop,
    normally,
    notifications,
    ready_frames,
    small_wrapper_frames,
)

from .inputs import object_list, profile
from .report import Row

_LIMIT = 0.005


async def _objects(client: DlmsClient) -> object:
    return await client.objects()


def stops(rounds: int) -> Iterator[Row]:
    """Measure the longest stop of each kind; of several tries the shortest, since others use the machine too."""
    objects, rows = object_list(900), profile(1500)
    wrapper, hdlc = Framing.WRAPPER, Framing.HDLC
    cases: dict[str, list[tuple[Framing, Answer, Work]]] = {
        "object list of 900": [(wrapper, normally(objects), _objects)],
        "64 kB of profile in one APDU": [(wrapper, normally(rows), get)],
        "64 kB of hostile values": [
            (wrapper, normally(v), get) for v in VALUES.values()
        ],
        "1 MB of hostile blocks": [(wrapper, in_blocks(VALUES["nulls"], 16), get)],
        "floods of wrapper frames": [
            (wrapper, flood, get) for flood in (small_wrapper_frames, notifications)
        ],
        "floods of HDLC frames": [
            (hdlc, flood, get) for flood in (false_frames, flags, ready_frames)
        ],
    }
    for what, sessions in cases.items():
        worst = max(
            min(longest_stop(*session) for _ in range(rounds)) for session in sessions
        )
        yield Row(
            f"longest stop of the event loop: {what}",
            f"{worst * 1e3:.1f} ms",
            target="≤ 5 ms",
            met=worst <= _LIMIT,
        )
