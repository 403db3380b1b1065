"""Serve the meter of a diagnostics file: `scripts/replay FILE --wrapper-port 4059 --hdlc-port 4060`.

It is set up as the recorded one was; what is printed says how, with secrets that stand for those of the file's owner.
"""

import argparse
import asyncio
import json
from pathlib import Path
import signal
import sys

from .recording import RecordedMeter, RecordingError, read_recording
from .tcp import SimulatorServer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/replay", description=__doc__)
    parser.add_argument(
        "file", type=Path, help="what Home Assistant gave as the diagnostics of a meter"
    )
    parser.add_argument("--wrapper-port", type=int, default=4059, help="default 4059")
    parser.add_argument("--hdlc-port", type=int, default=4060, help="default 4060")
    return parser.parse_args()


async def serve(parsed: argparse.Namespace) -> None:
    """Serve until a signal ends it."""
    recording = read_recording(json.loads(parsed.file.read_text()))
    for key, value in sorted(recording.entry_data.items()):
        sys.stdout.write(f"{key}: {value}\n")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with SimulatorServer(
        RecordedMeter(recording),
        hdlc_port=parsed.hdlc_port,
        wrapper_port=parsed.wrapper_port,
    ) as server:
        sys.stdout.write(
            f"READY hdlc={server.hdlc_port} wrapper={server.wrapper_port}\n"
        )
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    try:
        asyncio.run(serve(arguments()))
    except (OSError, RecordingError, ValueError) as error:
        sys.exit(f"This recording cannot be served: {error}")
