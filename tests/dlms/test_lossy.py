"""Whole sessions over bad lines: the right values or a `DlmsError`, never a wrong value, never a wait without end.

Every seed is another history of the same kind of trouble. Time is virtual, so a session that would wait for ever is
seen at once, and one that would last for minutes takes milliseconds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientSettings,
    CosemObject,
    Data,
    DlmsClient,
    DlmsError,
    Framing,
    Identity,
    Mechanism,
    Obis,
    ReadReport,
    TcpEndpoint,
)
from tests.simulator import (
    READING_CLIENT,
    HdlcSession,
    Meter,
    MeterSettings,
    WrapperSession,
)
from tests.transports import (
    HARMFUL_TO_HDLC,
    HARMLESS,
    HARMLESS_TO_HDLC,
    Fault,
    memory_transports,
    run_virtually,
)

NOW = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
REGISTERS = tuple(
    AttributeDescriptor(3, Obis.parse(f"1-0:{code}"), 2)
    for code in (
        "1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1", "2.8.2", "3.8.0", "4.8.0",
        "1.7.0", "2.7.0", "16.7.0", "3.7.0", "4.7.0", "21.7.0", "41.7.0", "61.7.0",
        "32.7.0", "31.7.0", "14.7.0", "13.7.0",
    )
)  # fmt: skip
EVENT_LOG = AttributeDescriptor(7, Obis.parse("0-0:99.98.0"), 2)

# Two meters: one with short frames and small APDUs, one with long ones.
METERS = {
    "small": MeterSettings(max_pdu_size=200, max_information_length=128, window=1),
    "large": MeterSettings(max_pdu_size=2000, max_information_length=512, window=7),
}
SEEDS = range(50)
LONGEST_SESSION = timedelta(minutes=15)


@dataclass(frozen=True)
class Readings:
    """All that one session brings."""

    identity: Identity
    objects: tuple[CosemObject, ...]
    report: ReadReport
    profile: Data


async def session(framing: Framing) -> Readings:
    settings = ClientSettings(
        endpoint=TcpEndpoint("meter.example", 4059),
        framing=framing,
        client_sap=READING_CLIENT.client_sap,
        physical_device=17 if framing is Framing.HDLC else None,
        mechanism=Mechanism.LLS,
        password=READING_CLIENT.secret,
    )
    async with DlmsClient(settings) as client:
        return Readings(
            await client.identity(),
            await client.objects(),
            await client.read(REGISTERS, {}),
            await client.get(EVENT_LOG),
        )


def read(
    framing: Framing, meter: str, fault: Fault, seed: int, *, echo: bool = False
) -> Readings | DlmsError:
    """Run one session on a line with this kind of trouble; what it leaves behind is checked."""

    async def main() -> Readings | DlmsError:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await session(framing)
        except DlmsError as error:
            return error
        finally:
            assert timedelta(seconds=loop.time() - began) < LONGEST_SESSION
            assert all(not transport.open for transport in opened)

    def connect() -> HdlcSession | WrapperSession:
        simulated = Meter(METERS[meter], now=lambda: NOW)
        sessions: dict[Framing, Callable[[Meter], HdlcSession | WrapperSession]]
        sessions = {Framing.HDLC: HdlcSession, Framing.WRAPPER: WrapperSession}
        return sessions[framing](simulated)

    with memory_transports(connect, fault=fault, seed=seed, echo=echo) as opened:
        return run_virtually(main())


@pytest.fixture(scope="module")
def right() -> Readings:
    """What a session brings on a good line. That these are the meter's values is for test_client.py to show."""
    readings = read(Framing.WRAPPER, "large", HARMLESS["faultless"], 0)
    assert isinstance(readings, Readings)
    assert len(readings.report.values) == len(REGISTERS)
    return readings


@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("fault", HARMLESS)
def test_harmless_trouble_with_the_wrapper(
    right: Readings, fault: str, meter: str
) -> None:
    """However TCP cuts and delays the bytes, every value is read."""
    for seed in range(10):
        readings = read(Framing.WRAPPER, meter, HARMLESS[fault], seed)
        assert readings == right, f"seed {seed}"


@pytest.mark.parametrize("echo", [False, True], ids=["", "echo"])
@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("fault", HARMLESS_TO_HDLC)
def test_harmless_trouble_with_hdlc(
    right: Readings, fault: str, meter: str, echo: bool
) -> None:
    """Cut, delayed, doubled, with rubbish before and between, with or without an optical head's echo: all is read."""
    for seed in range(10):
        kind = HARMLESS_TO_HDLC[fault]
        readings = read(Framing.HDLC, meter, kind, seed, echo=echo)
        assert readings == right, f"seed {seed}"


@pytest.mark.parametrize("echo", [False, True], ids=["", "echo"])
@pytest.mark.parametrize("meter", METERS)
@pytest.mark.parametrize("fault", HARMFUL_TO_HDLC)
def test_harmful_trouble(right: Readings, fault: str, meter: str, echo: bool) -> None:
    """What gets through is right; whatever does not ends in an error that says so."""
    complete = 0
    for seed in SEEDS:
        readings = read(Framing.HDLC, meter, HARMFUL_TO_HDLC[fault], seed, echo=echo)
        if isinstance(readings, DlmsError):
            assert str(readings), f"seed {seed}"
        else:
            assert readings == right, f"seed {seed}"
            complete += 1
    assert complete >= len(SEEDS) / 2, "most of it can be made good"
