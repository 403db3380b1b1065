"""Polls and faults without end: neither memory nor tasks nor descriptors grow.

A short run is part of the suite; `scripts/soak 10000` runs as many polls as wanted, and shows the figures.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
import gc
import logging
import os
from pathlib import Path
from random import Random
import sys
from typing import NamedTuple, override
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.coordinator import DlmsCoordinator
from custom_components.dlms_meter.dlms import ClientSettings, TransportError, connection
from custom_components.dlms_meter.settings import from_input
from tests.home import PUBLIC, TITLE, UNIQUE_ID, Line, silence
from tests.simulator import Meter, MeterSession, SimulatorServer

POLLS = int(os.environ.get("DLMS_SOAK_POLLS", "60"))
_SETTLED = 0.2
"""Share of polls after which nothing may grow any more."""
_MOST_GROWTH = 1 << 20
"""Octets: what an allocator may need more in between, however many polls there are."""
_MOST_BLOCKS = 10_000
"""What the last polls keep for others to look at is more at one time than at another."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_NONSENSE = bytes.fromhex("0001000100100002FFFF7EA00AFF7E")
"""Sound in neither framing, though it begins as one."""


class Use(NamedTuple):
    """What this process holds."""

    memory: int
    blocks: int
    """Pieces of it that Python has given out: no allocator's habits are in this number."""
    tasks: int
    descriptors: int


async def gone(connections: Collection[object]) -> None:
    """Wait until the far end, too, has closed what it had open."""
    async with asyncio.timeout(10):
        while True:
            if not connections:
                return
            await asyncio.sleep(0)


def use() -> Use:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Use(
        pages * _PAGE,
        sys.getallocatedblocks(),
        len(asyncio.all_tasks()),
        descriptors,
    )


@pytest.fixture
def quiet() -> Iterator[None]:
    """Log nothing: the test runner would keep it all."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def hasty(impatient: None) -> Iterator[None]:
    """Do not wait for the rest of an answer that breaks off, either, nor for a gateway that collects octets."""
    defaults = ClientSettings.__init__.__kwdefaults__
    with (
        patch.dict(defaults, inter_octet_timeout=0.02),
        patch.object(connection, "_GATEWAY_BUFFER", 0),
    ):
        yield


async def soak(
    hass: HomeAssistant,
    coordinator: DlmsCoordinator,
    spoil: Callable[[Random], None],
    connections: Collection[object] = (),
) -> None:
    """Poll again and again, spoiling some polls: what is held after the last is what was held after the first.

    `connections` are those that the far end has open.
    """
    hass.loop.set_debug(False)  # as in a home; else each callback keeps a stack
    random = Random(4)
    succeeded = 0
    before = use()
    for poll in range(POLLS):
        if poll == int(POLLS * _SETTLED):
            await gone(connections)
            before = use()
        spoil(random)
        await coordinator.async_refresh()
        succeeded += coordinator.last_update_success
    await hass.async_block_till_done()
    await gone(connections)
    after = use()
    print(f"{POLLS} polls, {succeeded} succeeded; before {before}, after {after}")  # noqa: T201
    assert POLLS // 5 < succeeded < POLLS
    assert after.tasks <= before.tasks
    assert after.descriptors <= before.descriptors
    assert after.blocks - before.blocks < _MOST_BLOCKS
    assert after.memory - before.memory < _MOST_GROWTH


@pytest.mark.usefixtures("impatient", "quiet")
async def test_nothing_grows(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """On a connection without a network: the protocol and what Home Assistant makes of it."""

    def spoil(random: Random) -> None:
        assert not any(wire.open for wire in line.wires)
        line.wires.clear()
        fault = random.choice(
            ("none", "none", "nobody", "silence", "nonsense", "noise")
        )
        # Raised again and again, one exception would keep all its tracebacks.
        line.broken = TransportError("refused") if fault == "nobody" else None
        line.answer = {
            "silence": silence,
            "nonsense": lambda _: _NONSENSE,
            "noise": lambda octets: random.randbytes(len(octets)),
        }.get(fault)

    await soak(hass, loaded.runtime_data, spoil)


class Spoilt:
    """A session with the fault of the moment (`MeterSession`)."""

    def __init__(self, session: MeterSession, server: SpoilingServer) -> None:
        self._session = session
        self._server = server

    def receive_data(self, data: bytes) -> bytes:
        return self._server.spoil(self._session.receive_data(data))

    def line_idle(self) -> bytes:
        return self._server.spoil(self._session.line_idle())

    def close(self) -> None:
        self._session.close()


class SpoilingServer(SimulatorServer):
    """A gateway that says, with what is `left` of its good will, what the meter says."""

    fault = "none"
    left = 0
    """Answers that get through."""
    random = Random()

    @override
    async def _listen(
        self, port: int | None, session: Callable[[Meter], MeterSession]
    ) -> int | None:
        return await super()._listen(port, lambda meter: Spoilt(session(meter), self))

    def spoil(self, octets: bytes) -> bytes:
        self.left -= 1
        if self.left >= 0:
            return octets
        match self.fault:
            case "hang up":
                asyncio.get_running_loop().call_soon(self.drop_connections)
                return b""
            case "silence":
                return b""
            case "nonsense":
                return _NONSENSE
            case "noise":
                return self.random.randbytes(len(octets))
            case "cut":
                return octets[: len(octets) // 2]
        return octets


@pytest.mark.parametrize("framing", ["wrapper", "hdlc"])
@pytest.mark.usefixtures("hasty", "quiet", "socket_enabled")
async def test_nothing_grows_with_sockets(hass: HomeAssistant, framing: str) -> None:
    """On TCP, with the wrapper, and as a serial port behind a gateway: each poll opens and closes a socket."""
    async with SpoilingServer(Meter(now=dt_util.utcnow)) as server:
        connection = {"host": "127.0.0.1", "port": server.wrapper_port}
        if framing == "hdlc":
            url = f"socket://127.0.0.1:{server.hdlc_port}"
            connection = {"serial_port": url, "speed": 115200}
        data = {key: PUBLIC[key] for key in PUBLIC if key not in ("host", "port")}
        entry = MockConfigEntry(
            domain=DOMAIN,
            title=TITLE,
            unique_id=UNIQUE_ID,
            data=from_input(data | connection | {"framing": framing}),
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()

        def spoil(random: Random) -> None:
            server.random = random
            server.left = random.randrange(8)
            server.fault = random.choice(
                ("none", "none", "hang up", "silence", "nonsense", "noise", "cut")
            )

        await soak(hass, entry.runtime_data, spoil, server.connections)
        server.fault = "none"
        assert await hass.config_entries.async_unload(entry.entry_id)
