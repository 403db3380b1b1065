"""No error that ended a session holds the frames it came through, which hold all that was read.

The garbage collector would find them, but late: until then a home needs more memory with each poll that fails.
"""

from collections.abc import Iterator
import gc

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Conformance,
    DlmsClient,
    DlmsError,
    Obis,
)
from custom_components.dlms_meter.dlms.connection import Connection
from tests.simulator import SUPPORTED, HdlcSession, MeterSettings

from .faults import TROUBLES
from .matrix import WAYS, Way, session
from .optical import DirectMeter
from .paced import Port
from .sessions import REGISTERS, household, poll, run, settings

NOWHERE = AttributeDescriptor(3, Obis.parse("1-0:98.97.96"), 2)

CASES = [
    pytest.param(name, way, id=f"{name}-{way}")
    for name, trouble in TROUBLES.items()
    for way in WAYS
    if trouble.applies(way.framing)
]


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """Collect only when told to, and keep what is found."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def hold_frames(garbage: list[object]) -> list[DlmsError]:
    gc.collect()
    errors = [found for found in garbage if isinstance(found, DlmsError)]
    return [error for error in errors if error.__traceback__]


@pytest.mark.parametrize(("name", "way"), CASES)
def test_no_error_stays(name: str, way: Way, garbage: list[object]) -> None:
    for seed in range(3):
        session(TROUBLES[name], way, seed)
    assert not hold_frames(garbage)


@pytest.mark.parametrize(
    "conformance", [SUPPORTED, SUPPORTED & ~Conformance.MULTIPLE_REFERENCES]
)
def test_no_refusal_stays(conformance: Conformance, garbage: list[object]) -> None:
    """What a meter refuses is told beside what it gives; it came through frames that hold both."""
    meter = household(MeterSettings(conformance=conformance))

    async def ask_in_vain(client: DlmsClient) -> int:
        report = await client.read([NOWHERE, *REGISTERS], {})
        answers = await client.get_many([NOWHERE, REGISTERS[0]])
        refused = [*report.failed.values(), answers[NOWHERE]]
        assert all(isinstance(error, DlmsError) for error in refused)
        return len(refused)

    port = Port(DirectMeter(HdlcSession(meter)))
    assert run(settings(), port, ask_in_vain).result == 2
    assert not hold_frames(garbage)


def test_no_connection_stays(garbage: list[object]) -> None:
    """It and its transport know each other, until it is closed."""
    port = Port(DirectMeter(HdlcSession(household())))
    assert not isinstance(run(settings(), port, poll).result, DlmsError)
    port.opened.clear()
    gc.collect()
    assert not [found for found in garbage if isinstance(found, Connection)]
