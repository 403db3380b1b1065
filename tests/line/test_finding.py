"""The scan on real ports: a pty whose speed counts, and TCP, with a simulated meter at the other end."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from custom_components.dlms_meter.dlms import (
    Approach,
    Endpoint,
    Found,
    Line,
    LineSettings,
    SerialEndpoint,
    ServerAddress,
    Symptom,
    TcpEndpoint,
    find_meter,
)
from tests.simulator import HdlcSession, SimulatorServer

from .optical import DirectMeter, LineMeter, OpticalMeter
from .ports import pty_meter
from .sessions import household


@pytest.fixture(autouse=True)
def hasty() -> Iterator[None]:
    """Nobody is at the silent addresses of these tests: they need not be waited for as long as for a meter."""
    with (
        patch("custom_components.dlms_meter.dlms.discovery.PROBE_TIMEOUT", 0.2),
        patch("custom_components.dlms_meter.dlms.discovery.PAUSE", 0),
    ):
        yield


async def found(endpoint: Endpoint) -> Found:
    report = await find_meter(endpoint)
    assert report.found is not None, report.seen
    assert report.found.identity is not None
    assert report.found.identity.serial_number == household().settings.serial_number
    assert report.found.reads_openly
    return report.found


@pytest.mark.parametrize(
    ("meter", "line"),
    [
        (DirectMeter(HdlcSession(household())), Line(Approach.HDLC, 9600)),
        (
            DirectMeter(HdlcSession(household()), LineSettings(19200)),
            Line(Approach.HDLC, 19200),
        ),
        (OpticalMeter(HdlcSession(household())), Line(Approach.SIGN_ON, 9600)),
    ],
    ids=["HDLC at 9600", "HDLC at 19200", "sign-on"],
)
async def test_meter_on_a_serial_port(meter: LineMeter, line: Line) -> None:
    async with pty_meter(meter) as port:
        probe = (await found(SerialEndpoint(port.path))).probe
    assert probe.line == line
    assert probe.address == ServerAddress(1, 17)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("approach", [Approach.WRAPPER, Approach.HDLC])
async def test_meter_on_the_network(approach: Approach) -> None:
    async with SimulatorServer(household()) as server:
        wrapper = approach is Approach.WRAPPER
        port = server.wrapper_port if wrapper else server.hdlc_port
        assert port is not None
        probe = (await found(TcpEndpoint("127.0.0.1", port))).probe
    assert probe.line == Line(approach)


@pytest.mark.usefixtures("socket_enabled")
async def test_nobody_listens() -> None:
    async with SimulatorServer(household()) as server:
        port = server.hdlc_port
    assert port is not None
    report = await find_meter(TcpEndpoint("127.0.0.1", port))
    assert report.symptom is Symptom.CONNECTION_REFUSED
    assert report.probes == 1
