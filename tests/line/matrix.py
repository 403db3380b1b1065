"""The fault matrix: every trouble, by HDLC and by the wrapper, by logical and by short names, by seed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, NamedTuple, override

from custom_components.dlms_meter.dlms import (
    ClientMemory,
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
    Symptom,
    symptom_of,
)
from tests.dlms.test_lossy import EVENT_LOG
from tests.simulator import (
    SUPPORTED,
    HdlcSession,
    Meter,
    MeterSettings,
    WrapperSession,
)
from tests.simulator.settings import SHORT_NAME_SERVICES
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
METERS = tuple(
    MeterSettings(
        max_pdu_size=size,
        max_information_length=length,
        window=window,
        short_names=True,
        conformance=SUPPORTED | SHORT_NAME_SERVICES,
    )
    for size, length, window in ((200, 128, 1), (1200, 512, 3))
)
"""One with short frames and small APDUs, one with long ones; seeds take turns. Both take logical names as well."""

LONGEST_SESSION = 300.0
"""Seconds: so long a session of some hundred octets may take to succeed or to fail, on a line that is all noise."""


class Way(NamedTuple):
    """How a meter is spoken to."""

    framing: Framing
    short_names: bool = False

    @override
    def __str__(self) -> str:
        return f"{'SN' if self.short_names else 'LN'}-{self.framing.value}"


WAYS = tuple(
    Way(framing, short_names) for framing in Framing for short_names in (False, True)
)

type Readings = tuple[Identity, ReadReport, Data]


class Came(NamedTuple):
    """What came of one session: readings or an error, after so many seconds, and what a user reads of the error."""

    result: Readings | DlmsError
    seconds: float
    told: Symptom | None = None


async def _read(client: DlmsClient) -> Readings:
    return await client.identity(), await poll(client), await client.get(EVENT_LOG)


@dataclass
class Row:
    """What came of one trouble."""

    right: int = 0
    wrong: list[int] = field(default_factory=list)
    """Seeds. There must be none."""
    errors: Counter[str] = field(default_factory=Counter)
    told: set[Symptom] = field(default_factory=set)
    """What a user reads of them."""
    longest: float = 0.0

    @property
    def share(self) -> float:
        return self.right / (self.right + len(self.wrong) + self.errors.total())


def session(
    trouble: Trouble, way: Way, seed: int, memory: ClientMemory | None = None
) -> Came:
    """Run one session on virtual time; a wait without end raises `Hang`, whatever is left behind an `AssertionError`.

    `memory` is what the client knows of the meter; it reads the object list of short names when it does not.
    """
    random = Random(seed)
    line = SPEEDS[way.framing]

    async def main() -> Came:
        loop = asyncio.get_running_loop()
        sound = SESSIONS[way.framing](household(METERS[seed % len(METERS)]))
        meter = DirectMeter(trouble.meter(sound, random), line)
        port = Port(meter, trouble.conditions(seed))

        async def open_transport(endpoint: Endpoint, receiver: Receiver) -> PacedLine:
            opened = await port.open_transport(endpoint, receiver)
            if trouble.cut is not None:
                trouble.cut(opened, random)
            return opened

        client = DlmsClient(
            settings(
                SerialEndpoint("/dev/ttyMeter", line),
                framing=way.framing,
                short_names=way.short_names,
            ),
            open_shared=open_transport,
            memory=memory,
        )
        try:
            async with client:
                came = Came(await _read(client), 0.0)
        except DlmsError as error:
            told = symptom_of(error, client.statistics)
            came = Came(
                error.with_traceback(None), 0.0, told
            )  # which would hold this frame
        assert not any(opened.open for opened in port.opened)
        came = came._replace(seconds=loop.time())
        await asyncio.sleep(60)  # what the trouble has planned for later
        return came

    return run_virtually(main())


def right_readings(way: Way, meter: int) -> Readings:
    """Return what a session brings on a good line."""
    return _acquaintance(way, meter)[0]


def learned(way: Way, meter: int) -> ClientMemory:
    """Return what a client knows after a session on a good line."""
    return ClientMemory.from_storage(_acquaintance(way, meter)[1])


@cache
def _acquaintance(way: Way, meter: int) -> tuple[Readings, dict[str, Any]]:
    memory = ClientMemory()
    readings = session(TROUBLES["nothing"], way, meter, memory).result
    assert not isinstance(readings, DlmsError)
    assert len(readings[1].values) == 20
    return readings, memory.to_storage()


def run_row(trouble: Trouble, way: Way, seeds: Iterable[int]) -> Row:
    """Run one trouble with these seeds; half of the clients know their meter already, as after the first poll."""
    row = Row()
    for seed in seeds:
        meter = seed % len(METERS)
        memory = learned(way, meter) if seed // len(METERS) % 2 else None
        result, seconds, told = session(trouble, way, seed, memory)
        row.longest = max(row.longest, seconds)
        if isinstance(result, DlmsError):
            assert str(result)
            row.errors[type(result).__name__] += 1
            assert told is not None
            row.told.add(told)
        elif result == right_readings(way, meter):
            row.right += 1
        else:
            row.wrong.append(seed)
    return row


def noise(error_rate: float) -> Trouble:
    """Return a line on which each bit flips with this probability."""
    return Trouble(
        line=Conditions(error_rate=error_rate),
        within=LONGEST_SESSION,
        told=tuple(Symptom),
    )
