"""Readers nobody here wrote, each run in a process of its own: what they are told, and what they tell."""

import asyncio
import json
from pathlib import Path
import sys
from typing import Any, TypedDict

DEADLINE = 40


class Order(TypedDict):
    """Which meter to read on 127.0.0.1, as whom, and which rows of which profile."""

    framing: str
    port: int
    client: int
    password: str | None
    profile: str
    since: str | None
    until: str | None
    first: int
    count: int


class Report(TypedDict):
    """What a reader found. OBIS codes are dotted, times ISO in UTC."""

    objects: list[tuple[int, str, int]]  # class, code, version
    registers: dict[str, tuple[str, int]]  # code: scaled value, unit
    clock: str
    name: str
    columns: list[tuple[int, str, int]]  # class, code, attribute
    rows: list[list[Any]]


async def read_with(reader: str, order: Order) -> Report:
    """Run `<reader>_reader.py`; an error of the reader fails the test with the reader's own words."""
    script = Path(__file__).with_name(f"{reader}_reader.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        script,
        json.dumps(order),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, errors.decode()
    report: Report = json.loads(output)
    return report
