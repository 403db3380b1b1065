"""Polls and faults without end: neither memory nor tasks nor descriptors grow.

A short run is part of the suite; `scripts/soak 10000` runs as many polls as wanted, and shows the figures.
"""

import asyncio
from collections.abc import Iterator
import gc
import logging
import os
from pathlib import Path
from random import Random
from typing import NamedTuple

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.dlms import TransportError
from tests.home import Line, silence

POLLS = int(os.environ.get("DLMS_SOAK_POLLS", "60"))
_SETTLED = 0.2
"""Share of polls after which nothing may grow any more."""
_MOST_GROWTH = 2 << 20
"""Octets: what an allocator may need more in between, however many polls there are."""
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Use(NamedTuple):
    """What this process holds."""

    memory: int
    tasks: int
    descriptors: int


def use() -> Use:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    descriptors = sum(1 for _ in Path("/proc/self/fd").iterdir())
    return Use(pages * _PAGE, len(asyncio.all_tasks()), descriptors)


def spoil(line: Line, random: Random) -> None:
    """Let the next poll meet a fault, or none."""
    fault = random.choice(("none", "none", "nobody", "silence", "nonsense", "noise"))
    # Raised again and again, one exception would keep all its tracebacks.
    line.broken = TransportError("refused") if fault == "nobody" else None
    line.answer = {
        "silence": silence,
        "nonsense": lambda _: bytes.fromhex("0001000100100002FFFF"),
        "noise": lambda octets: random.randbytes(len(octets)),
    }.get(fault)


@pytest.fixture
def quiet() -> Iterator[None]:
    """Log nothing: the test runner would keep it all."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("impatient", "quiet")
async def test_nothing_grows(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    coordinator = loaded.runtime_data
    random = Random(4)
    succeeded = 0
    before = use()
    for poll in range(POLLS):
        if poll == int(POLLS * _SETTLED):
            before = use()
        spoil(line, random)
        await coordinator.async_refresh()
        succeeded += coordinator.last_update_success
        assert not any(wire.open for wire in line.wires)
        line.wires.clear()
    await hass.async_block_till_done()
    after = use()
    print(f"{POLLS} polls, {succeeded} succeeded; before {before}, after {after}")  # noqa: T201
    assert POLLS // 5 < succeeded < POLLS
    assert after.tasks <= before.tasks
    assert after.descriptors <= before.descriptors
    assert after.memory - before.memory < _MOST_GROWTH
