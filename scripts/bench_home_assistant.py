"""Measure what fifty meters of forty entities cost one Home Assistant: processor, memory, and how long it stops for them.

Meters are simulated in a process of their own and polled over TCP. Run: .venv/bin/python -m scripts.bench_home_assistant
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import resource
import sys
import tempfile
import time

from homeassistant.config_entries import ConfigEntryState
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.dlms_meter.const import CONF_POLL_INTERVAL, DOMAIN
from tests.simulator import Meter, MeterSettings, SimulatorServer

INTERVAL = 30
HEARTBEAT = 0.001


async def serve(count: int) -> None:
    """Serve meters, print their ports, and go on until standard input ends."""
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(
                SimulatorServer(Meter(_settings(number)), wrapper_port=0)
            )
            for number in range(count)
        ]
        print(*(server.wrapper_port for server in servers), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def _settings(number: int) -> MeterSettings:
    return MeterSettings(seed=number + 1, serial_number=f"{10_000_000 + number}")


def entry_of(number: int, port: int) -> MockConfigEntry:
    """Return the entry of one meter, as the set-up dialog would make it."""
    return MockConfigEntry(
        domain=DOMAIN,
        title=f"Meter {number}",
        unique_id=f"SIM{_settings(number).serial_number:0>13}",
        data={
            "connection": "network",
            "host": "127.0.0.1",
            "port": port,
            "framing": "wrapper",
            "mechanism": "none",
            "client_sap": 16,
            "logical_device": 1,
            "address_length": "automatic",
            "password_is_hex": False,
        },
        options={CONF_POLL_INTERVAL: INTERVAL},
    )


class Heart:
    """Beats every millisecond, and notes the longest pause."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(HEARTBEAT)
            self.longest = max(self.longest, time.perf_counter() - begun - HEARTBEAT)


async def measure(ports: list[int], seconds: int) -> None:
    """Set all meters up, let them be polled for a while, and print the figures."""
    before = _memory()
    with tempfile.TemporaryDirectory() as folder:
        async with async_test_home_assistant(config_dir=folder) as hass:
            integrations = Path(folder) / "custom_components"
            integrations.symlink_to(Path(__file__).parents[1] / "custom_components")
            hass.data.pop("custom_components", None)
            entries = [entry_of(number, port) for number, port in enumerate(ports)]
            for entry in entries:
                entry.add_to_hass(hass)
                await hass.config_entries.async_setup(entry.entry_id)
            await hass.async_block_till_done()
            loaded = [e for e in entries if e.state is ConfigEntryState.LOADED]
            heart = Heart()
            beating = asyncio.create_task(heart.beat())
            idle_begun, idle_cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(seconds)
            wall = time.perf_counter() - idle_begun
            cpu = time.process_time() - idle_cpu
            beating.cancel()
            states = len(hass.states.async_all())
            print(f"meters loaded        {len(loaded)} of {len(entries)}")
            print(f"entities             {states / max(len(loaded), 1):.0f} a meter")
            print(f"polled every         {INTERVAL} s, for {wall:.0f} s")
            print(f"processor            {100 * cpu / wall:.1f} % of a core")
            print(
                f"memory               {(_memory() - before) / max(len(loaded), 1):.2f} MB a meter"
            )
            print(f"longest stop         {1000 * heart.longest:.1f} ms")
            for entry in entries:
                await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_stop(force=True)


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meters", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        await serve(arguments.meters)
        return
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "scripts.bench_home_assistant", "--serve"),
        *("--meters", str(arguments.meters)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        ports = [int(port) for port in (await server.stdout.readline()).split()]
        await measure(ports, arguments.seconds)
    finally:
        assert server.stdin is not None
        server.stdin.close()
        await server.wait()


if __name__ == "__main__":
    asyncio.run(main())
