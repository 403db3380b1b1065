"""The programs of the demo, run in the background."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import sys
import time

from scripts.home_assistant_api import START_SECONDS, DemoError

ROOT = Path(__file__).parents[1]


def say(text: str) -> None:
    """Tell what happens, at once."""
    print(text, flush=True)


@asynccontextmanager
async def program(
    name: str, *arguments: str, log: Path, python: str = sys.executable
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a Python program in the background; it ends with the block, whatever happens."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(python, "-u", *arguments),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,  # what waits for its end ends with us
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is ours to handle; the program gets a polite SIGTERM
        )
        try:
            yield process
        finally:
            await stop(process, name)


async def stop(process: asyncio.subprocess.Process, name: str) -> None:
    """End a program: politely, then for good."""
    if process.returncode is not None:
        return
    say(f"Stopping {name} …")
    process.terminate()
    try:
        async with asyncio.timeout(30):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """Return the end of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


async def until_listening(
    process: asyncio.subprocess.Process, port: int, name: str, log: Path
) -> None:
    """Wait until a program accepts connections. Raises `DemoError` when it ends first, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.returncode is not None:
            raise DemoError(
                f"{name} ended with code {process.returncode}. The end of {log}:\n{tail(log)}"
            )
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.2)
    raise DemoError(
        f"{name} did not start within {START_SECONDS} seconds. The end of {log}:\n{tail(log)}"
    )
