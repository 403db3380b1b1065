"""Measure what fifty meters of forty entities cost one Home Assistant: processor, memory, and how long it stops for them.

Meters are simulated in a process of their own and polled over TCP. Run: .venv/bin/python -m scripts.bench_home_assistant
"""

import argparse
import asyncio
from contextlib import AsyncExitStack
import gc
from pathlib import Path
import resource
import sys
import tempfile
import time
from typing import NamedTuple, Self

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.dlms_meter.const import CONF_POLL_INTERVAL, DOMAIN
from tests.simulator import Meter, MeterSettings, SimulatorServer
from tests.simulator.household import HOUSEHOLD_METER, WATT_HOUR, register
from tests.simulator.objects import uint32

INTERVAL = 30
OBJECTS = (
    *HOUSEHOLD_METER,
    *(
        register(f"1-0:{direction}.8.{tariff}", lambda _: uint32(1000), 0, WATT_HOUR)
        for direction in (1, 2)
        for tariff in (3, 4, 5)
    ),
)
"""Forty readings that are enabled without being asked for."""


async def serve(count: int) -> None:
    """Serve meters, print their ports, and go on until standard input ends."""
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(
                SimulatorServer(
                    Meter(_settings(number), objects=OBJECTS), wrapper_port=0
                )
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


class Watch:
    """Measures each turn that somebody takes of the event loop: processor time of this thread, without that of others.

    Time on the wall tells how busy the machine is; the garbage collector is told apart from whom it happens to interrupt.
    """

    def __init__(self) -> None:
        self.turns: dict[str, float] = {}
        """The longest of each, in seconds."""
        self.longest_on_the_wall = 0.0
        self.collections: dict[int, list[float]] = {}
        """How long each collection of garbage took, in seconds, by generation."""
        self._collecting = 0.0  # seconds in all
        self._begun = 0.0
        self._run = asyncio.Handle._run  # noqa: SLF001  each turn of the loop

    def __enter__(self) -> Self:
        """Begin to watch."""
        watch = self

        def run(handle: asyncio.Handle) -> None:
            wall, cpu = time.perf_counter(), time.thread_time()
            collecting = watch._collecting
            watch._run(handle)
            cpu = time.thread_time() - cpu - (watch._collecting - collecting)
            wall = time.perf_counter() - wall
            name = _name_of(handle)
            watch.turns[name] = max(watch.turns.get(name, 0.0), cpu)
            watch.longest_on_the_wall = max(watch.longest_on_the_wall, wall)

        asyncio.Handle._run = run  # type: ignore[method-assign,assignment]  # noqa: SLF001
        gc.callbacks.append(self._collected)
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no more."""
        asyncio.Handle._run = self._run  # type: ignore[method-assign]  # noqa: SLF001
        gc.callbacks.remove(self._collected)

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.thread_time()
        else:
            pause = time.thread_time() - self._begun
            self._collecting += pause
            self.collections.setdefault(info["generation"], []).append(pause)


def _name_of(handle: asyncio.Handle) -> str:
    """Name whose turn it is."""
    callback = handle._callback  # type: ignore[attr-defined]  # noqa: SLF001
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        coroutine = owner.get_coro()
        return str(getattr(coroutine, "__qualname__", coroutine))
    return str(getattr(callback, "__qualname__", type(callback).__name__))


class Heap(NamedTuple):
    """What the garbage collector has to look through when it looks through everything."""

    objects: int
    seconds: float

    @classmethod
    def now(cls) -> Self:
        """Collect all garbage until a collection finds none, and measure that one."""
        while gc.collect():
            pass
        begun = time.thread_time()
        gc.collect()
        return cls(len(gc.get_objects()), time.thread_time() - begun)


async def measure(ports: list[int], seconds: int) -> None:
    """Set all meters up, let them be polled for a while, and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        async with async_test_home_assistant(config_dir=folder) as hass:
            integrations = Path(folder) / "custom_components"
            integrations.symlink_to(Path(__file__).parents[1] / "custom_components")
            hass.data.pop("custom_components", None)
            entries = [entry_of(number, port) for number, port in enumerate(ports)]
            await _set_up(hass, entries[:1])  # loads the code
            heap, memory = Heap.now(), _memory()
            await _set_up(hass, entries[1:])
            loaded = [e for e in entries if e.state is ConfigEntryState.LOADED]
            print(f"meters loaded        {len(loaded)} of {len(entries)}")
            entities = len(hass.states.async_all()) / max(len(loaded), 1)
            print(f"entities             {entities:.0f} a meter")
            await _poll(seconds)
            more = max(len(loaded) - 1, 1)
            memory, grown = _memory() - memory, Heap.now()
            print(f"memory               {memory / more:.2f} MB a meter")
            print(
                f"heap                 {heap.objects} objects with the first meter, looked through in {1000 * heap.seconds:.0f} ms;"
                f" {(grown.objects - heap.objects) / more:.0f} and {1000 * (grown.seconds - heap.seconds) / more:.1f} ms more a meter"
            )
            for entry in entries:
                await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_stop(force=True)


async def _set_up(hass: HomeAssistant, entries: list[MockConfigEntry]) -> None:
    for entry in entries:
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def _poll(seconds: int) -> None:
    """Let the meters be polled, and print what that costs."""
    gc.collect()
    begun, cpu = time.perf_counter(), time.process_time()
    with Watch() as watch:
        await asyncio.sleep(seconds)
    wall, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(f"polled every         {INTERVAL} s, for {wall:.0f} s")
    print(f"processor            {100 * cpu / wall:.1f} % of a core")
    print(f"longest turns        {_longest(watch)}")
    for generation, pauses in sorted(watch.collections.items()):
        print(
            f"garbage, gen. {generation}      {len(pauses)} collections, the longest of {1000 * max(pauses):.1f} ms"
        )
    print(
        f"longest on the wall  {1000 * watch.longest_on_the_wall:.1f} ms, with other processes in between"
    )


def _longest(watch: Watch) -> str:
    longest = sorted(watch.turns.items(), key=lambda turn: -turn[1])[:5]
    return ", ".join(f"{1000 * seconds:.1f} ms {name}" for name, seconds in longest)


def _memory() -> float:
    """Return how much memory is in use, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


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
