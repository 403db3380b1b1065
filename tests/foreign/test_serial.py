"""Serial lines with a stranger at one end: readers sign on with the simulated meter, and we reach a meter through them.

Nobody offers a meter that signs on by IEC 62056-21 and then speaks HDLC: the simulator of pydlms-client listens on TCP
only, the server of gurux-dlms knows no text, and the packages for IEC 62056-21 itself read text and nothing else.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import shutil
import sys

import pytest

from custom_components.dlms_meter.dlms import (
    ClientSettings,
    DlmsClient,
    Framing,
    SerialEndpoint,
    SignOnSettings,
)
from tests.line.optical import DirectMeter, Habits, OpticalMeter
from tests.line.ports import pty_meter
from tests.line.sessions import REGISTERS, household, poll, settings
from tests.simulator import PUBLIC_CLIENT, HdlcSession

from .pydlms_meter import running_pydlms_meter
from .test_readers import Table

ENERGY = Table(household(), PUBLIC_CLIENT).value(3, "1-0:1.8.0*255", 2)
DEADLINE = 40

_HERE = Path(__file__).parent


@asynccontextmanager
async def program(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program as long as the context is open."""
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def read_with(reader: str, port: str, folder: Path, *more: str) -> int:
    """Let a stranger read the energy register at this port; its error fails the test in its own words."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        _HERE / f"{reader}_serial_reader.py",
        port,
        *more,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    energy: int = json.loads(output.splitlines()[-1])["energy"]
    return energy


@pytest.mark.parametrize(
    ("reader", "habits"),
    [
        ("pydlms", Habits(confirmation="new")),
        ("pydlms", Habits(confirmation="none")),
        ("pydlms", Habits(asleep=True, confirmation="new")),
        ("gurux", Habits(confirmation="new")),
        ("gurux", Habits(confirmation="old")),
        ("gurux", Habits(confirmation="none")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.confirmation,
)
async def test_readers_sign_on(reader: str, habits: Habits, tmp_path: Path) -> None:
    """They find in its text what they expect of a meter, and then the value in HDLC, at 9600 baud.

    pydlms-client takes a confirmation at the new speed or none, and says so of any other.
    """
    meter = OpticalMeter(HdlcSession(household()), habits)
    async with asyncio.timeout(DEADLINE), pty_meter(meter, in_time=True) as port:
        more = ("wake-up",) * habits.asleep
        assert await read_with(reader, port.path, tmp_path, *more) == ENERGY
        assert meter.log == ["/?!", "\x06252"]
        assert port.speed == 9600


async def test_reader_without_sign_on(tmp_path: Path) -> None:
    meter = DirectMeter(HdlcSession(household()))
    async with asyncio.timeout(DEADLINE), pty_meter(meter) as port:
        assert await read_with("microdlms", port.path, tmp_path) == ENERGY


@pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not installed")
async def test_meter_by_others_on_a_serial_port(tmp_path: Path) -> None:
    """A pty that leads to the simulator of pydlms-client."""
    near = tmp_path / "near"
    async with asyncio.timeout(DEADLINE):
        with running_pydlms_meter("hdlc", window=3) as meter:
            ends = (f"pty,rawer,link={near}", f"tcp:127.0.0.1:{meter.port}")
            async with program("socat", "-d", "-d", *ends) as socat:
                assert socat.stderr is not None
                await socat.stderr.readuntil(b"starting data transfer loop")
                client = DlmsClient(
                    ClientSettings(
                        endpoint=SerialEndpoint(str(near)), framing=Framing.HDLC
                    )
                )
                async with client:
                    assert (await client.identity()).unique_ids
                    assert await client.objects()


@pytest.mark.usefixtures("socket_enabled")
async def test_gateway_by_others() -> None:
    """RFC 2217 as pyserial speaks it: the sign-on changes the speed of its port, and back for the next session.

    A pty knows no parity, so 7E1 is made in software here.
    """
    sign_on = SignOnSettings(software_parity=True)
    meter = OpticalMeter(HdlcSession(household()), Habits(confirmation="new"))
    async with asyncio.timeout(DEADLINE), pty_meter(meter, in_time=True) as port:
        script = str(_HERE / "rfc2217_gateway.py")
        async with program(sys.executable, script, port.path) as gateway:
            assert gateway.stdout is not None
            word, tcp_port = (await gateway.stdout.readline()).split()
            assert word == b"READY"
            endpoint = SerialEndpoint(f"rfc2217://127.0.0.1:{tcp_port.decode()}")
            for session in (1, 2):
                async with DlmsClient(settings(endpoint, sign_on)) as client:
                    assert set((await poll(client)).values) == set(REGISTERS)
                assert port.speed == 9600
                assert meter.log == ["/?!", "\x06252"] * session
                meter.expire()
