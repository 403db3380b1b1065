"""How long sessions last on a clean line, and how long they would at best: octets at their speed, turns at their delay."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from custom_components.dlms_meter.dlms import (
    DlmsClient,
    DlmsError,
    LineSettings,
    SerialEndpoint,
    SignOnSettings,
)
from tests.simulator import HdlcSession

from .optical import DirectMeter, Habits, LineMeter, OpticalMeter
from .paced import Port
from .sessions import (
    LOAD_PROFILE,
    ONE_DAY,
    REGISTERS,
    Outcome,
    household,
    run,
    settings,
)

SPEEDS = (300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


class Job(NamedTuple):
    """Something to read, from a meter with so many objects (None: as many as it has)."""

    read: Callable[[DlmsClient], Awaitable[object]]
    objects: int | None = None


async def first_poll(client: DlmsClient) -> int:
    await client.identity()
    return len((await client.read(REGISTERS, {})).values)


async def object_list(client: DlmsClient) -> int:
    return len(await client.objects())


async def one_day(client: DlmsClient) -> int:
    rows = (await client.get(LOAD_PROFILE, ONE_DAY)).value
    assert isinstance(rows, tuple)
    return len(rows)


JOBS = {
    "20 registers": Job(first_poll),
    "60 objects": Job(object_list, 60),
    "300 objects": Job(object_list, 300),
    "one day": Job(one_day),
}


def session(job: Job, speed: int, *, sign_on: bool = False) -> Outcome[object]:
    """Run one job at one speed, with the sign-on at 300 baud before it or without."""
    sound = HdlcSession(household(objects=job.objects))
    line = LineSettings(speed)
    meter: LineMeter
    if sign_on:
        character = {300: "0", 1200: "2", 2400: "3", 4800: "4", 9600: "5", 19200: "6"}
        name = f"/ISK{character[speed]}\\2MT382-1008"
        meter = OpticalMeter(sound, Habits(identification=name), hdlc_speed=speed)
    else:
        meter = DirectMeter(sound, line)
    endpoint = SerialEndpoint("/dev/ttyMeter", line)
    wanted = settings(endpoint, SignOnSettings() if sign_on else None)
    outcome = run(wanted, Port(meter), job.read)
    assert not isinstance(outcome.result, DlmsError), outcome.result
    return outcome
