"""How long sessions last on a clean line, and how long they would at best: octets at their speed, turns at their delay."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    DlmsClient,
    DlmsError,
    LineSettings,
    ScalerUnit,
    SerialEndpoint,
    SignOnSettings,
    Unit,
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
SIGN_ON_SPEEDS = {300: "0", 1200: "2", 2400: "3", 4800: "4", 9600: "5", 19200: "6"}
CONFIRMATIONS = ("new", "old", "none")
"""At which speed a meter confirms that it changes to HDLC, if it does."""

REACTION = 0.2
"""Seconds that who answers in IEC 62056-21 must leave the other side to get ready (reaction time, least value)."""
SCALER_UNITS = {
    AttributeDescriptor(3, register.logical_name, 3): ScalerUnit(0, Unit.WATT_HOUR)
    for register in REGISTERS
}


class Job(NamedTuple):
    """Something to read, from a meter with so many objects (None: as many as it has)."""

    read: Callable[[DlmsClient], Awaitable[object]]
    objects: int | None = None


async def first_poll(client: DlmsClient) -> int:
    await client.identity()
    return len((await client.read(REGISTERS, {})).values)


async def later_poll(client: DlmsClient) -> int:
    await client.identity()
    return len((await client.read(REGISTERS, dict(SCALER_UNITS))).values)


async def object_list(client: DlmsClient) -> int:
    return len(await client.objects())


async def one_day(client: DlmsClient) -> int:
    rows = (await client.get(LOAD_PROFILE, ONE_DAY)).value
    assert isinstance(rows, tuple)
    return len(rows)


JOBS = {
    "20 registers": Job(first_poll),
    "20 registers, again": Job(later_poll),
    "60 objects": Job(object_list, 60),
    "300 objects": Job(object_list, 300),
    "one day": Job(one_day),
}


def session(job: Job, speed: int, confirmation: str | None = None) -> Outcome[object]:
    """Run one job at one speed, with the sign-on at 300 baud before it if the meter has a way to confirm it.

    To the ideal belong the two pauses that IEC 62056-21 asks for: before the acknowledgement, and before HDLC.
    """
    sound = HdlcSession(household(objects=job.objects))
    line = LineSettings(speed)
    meter: LineMeter = DirectMeter(sound, line)
    if confirmation is not None:
        name = f"/ISK{SIGN_ON_SPEEDS[speed]}\\2MT382-1008"
        habits = Habits(identification=name, confirmation=confirmation)
        meter = OpticalMeter(sound, habits, hdlc_speed=speed)
    port = Port(meter)
    if confirmation is not None:
        port.traffic.pauses += 2 * REACTION
    endpoint = SerialEndpoint("/dev/ttyMeter", line)
    wanted = settings(endpoint, None if confirmation is None else SignOnSettings())
    outcome = run(wanted, port, job.read)
    assert not isinstance(outcome.result, DlmsError), outcome.result
    return outcome
