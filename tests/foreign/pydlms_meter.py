"""A meter nobody here wrote: the simulator of pydlms-client (GPL-3), in a process of its own.

It has a dozen objects, answers as server 1 with logical and short names, and takes two clients: 16 without security
and 32 by LLS with `LLS_PASSWORD`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import select
import subprocess
import sys
from typing import Literal, NamedTuple

import pytest

from custom_components.dlms_meter.dlms import Mechanism

type Framing = Literal["hdlc", "wrapper"]

PUBLIC_CLIENT = 16
LLS_CLIENT = 32
LLS_PASSWORD = b"12345678"

_SERVER = Path(__file__).with_name("pydlms_server.py")
_START_TIMEOUT = 30


class PydlmsMeter(NamedTuple):
    """Where it listens (on 127.0.0.1), and how it is spoken to."""

    port: int
    framing: Framing


@contextmanager
def running_pydlms_meter(
    framing: Framing, *more: str, window: int = 1
) -> Iterator[PydlmsMeter]:
    """Run the meter as long as the context is open; `window` is its HDLC receive window."""
    client = f"{LLS_CLIENT}:{Mechanism.LLS:d}:{LLS_PASSWORD.decode()}"
    options = ["--hdlc", "--hdlc-window", str(window)] if framing == "hdlc" else []
    process = subprocess.Popen(
        [sys.executable, _SERVER, "--port", "0", "--client", client, *options, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield PydlmsMeter(_port_of(process), framing)
        finally:
            process.kill()


def _port_of(process: subprocess.Popen[str]) -> int:
    """Wait until the meter says where it listens."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_TIMEOUT)
    word, _, port = process.stdout.readline().partition(" ") if ready else ("", "", "")
    assert word == "READY", "pydlms' simulator did not start; see its error output"
    return int(port)


@pytest.fixture(
    params=[("wrapper", 1), ("hdlc", 1), ("hdlc", 3)],
    ids=["wrapper", "hdlc", "hdlc-window-3"],
)
def pydlms_meter(
    request: pytest.FixtureRequest, socket_enabled: None
) -> Iterator[PydlmsMeter]:
    """Run the meter once with each framing. A test module imports this by name."""
    framing, window = request.param
    with running_pydlms_meter(framing, window=window) as meter:
        yield meter
