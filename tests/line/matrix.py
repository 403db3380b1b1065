"""The fault matrix: every trouble, by HDLC and by the wrapper, by seed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from random import Random

from custom_components.dlms_meter.dlms import (
    Data,
    DlmsClient,
    DlmsError,
    Endpoint,
    Framing,
    Identity,
    LineSettings,
    ReadReport,
    Receiver,
    SerialEndpoint,
)
from tests.dlms.test_lossy import EVENT_LOG
from tests.simulator import HdlcSession, Meter, MeterSettings, WrapperSession
from tests.transports import run_virtually

from .faults import TROUBLES, Trouble
from .optical import DirectMeter
from .paced import Conditions, PacedLine, Port
from .sessions import household, poll, settings

SPEEDS = {Framing.HDLC: LineSettings(9600), Framing.WRAPPER: LineSettings(115200)}
SESSIONS: dict[Framing, Callable[[Meter], HdlcSession | WrapperSession]] = {
    Framing.HDLC: HdlcSession,
    Framing.WRAPPER: WrapperSession,
}
METERS = (
    MeterSettings(max_pdu_size=200, max_information_length=128, window=1),
    MeterSettings(max_pdu_size=1200, max_information_length=512, window=3),
)
"""One with short frames and small APDUs, one with long ones; seeds take turns."""

LONGEST_SESSION = 300.0
"""Seconds: so long a session of some hundred octets may take to succeed or to fail, whatever happens."""

type Readings = tuple[Identity, ReadReport, Data]


async def _read(client: DlmsClient) -> Readings:
    return await client.identity(), await poll(client), await client.get(EVENT_LOG)


@dataclass
class Row:
    """What came of one trouble."""

    right: int = 0
    wrong: list[int] = field(default_factory=list)
    """Seeds. There must be none."""
    errors: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0

    @property
    def share(self) -> float:
        return self.right / (self.right + len(self.wrong) + self.errors.total())


def session(
    trouble: Trouble, framing: Framing, seed: int
) -> tuple[Readings | DlmsError, float]:
    """Run one session on virtual time; a wait without end raises `Hang`, whatever is left behind an `AssertionError`."""
    random = Random(seed)
    line = SPEEDS[framing]

    async def main() -> tuple[Readings | DlmsError, float]:
        loop = asyncio.get_running_loop()
        sound = SESSIONS[framing](household(METERS[seed % len(METERS)]))
        meter = DirectMeter(trouble.meter(sound, random), line)
        port = Port(meter, trouble.conditions(seed))

        async def open_transport(endpoint: Endpoint, receiver: Receiver) -> PacedLine:
            opened = await port.open_transport(endpoint, receiver)
            if trouble.cut is not None:
                trouble.cut(opened, random)
            return opened

        client = DlmsClient(
            settings(SerialEndpoint("/dev/ttyMeter", line), framing=framing),
            open_shared=open_transport,
        )
        result: Readings | DlmsError
        try:
            async with client:
                result = await _read(client)
        except DlmsError as error:
            result = error
        assert not any(opened.open for opened in port.opened)
        took = loop.time()
        await asyncio.sleep(60)  # what the trouble has planned for later
        return result, took

    return run_virtually(main())


@cache
def right_readings(framing: Framing, meter: int) -> Readings:
    """Return what a session brings on a good line."""
    readings, _ = session(TROUBLES["nothing"], framing, meter)
    assert not isinstance(readings, DlmsError)
    assert len(readings[1].values) == 20
    return readings


def run_row(trouble: Trouble, framing: Framing, seeds: Iterable[int]) -> Row:
    """Run one trouble with these seeds."""
    row = Row()
    for seed in seeds:
        result, took = session(trouble, framing, seed)
        row.longest = max(row.longest, took)
        if isinstance(result, DlmsError):
            assert str(result)
            row.errors[type(result).__name__] += 1
        elif result == right_readings(framing, seed % len(METERS)):
            row.right += 1
        else:
            row.wrong.append(seed)
    return row


def noise(error_rate: float) -> Trouble:
    """Return a line on which each bit flips with this probability."""
    return Trouble(line=Conditions(error_rate=error_rate))
