"""The other end of a worker: starts it, tells it what to do, and plays the meter for it."""

from collections.abc import Callable
import json
from pathlib import Path
import subprocess
import sys
from types import TracebackType
from typing import Self

from .worker import Json

ROOT = Path(__file__).parents[2]


class SessionFailed(Exception):
    """The library did not get to the end of its session."""


class Contender:
    """One library in a process of its own."""

    def __init__(self, name: str, inputs: Path) -> None:
        """Start it; `inputs` is the folder of the octets it works on."""
        self.name = name
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"scripts.benchmark.by_{name}", str(inputs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
        )
        self.knows: frozenset[str] = frozenset(self._do("names"))

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def found(self, workload: str) -> Json:
        """Return what it finds."""
        return self._do("found", name=workload)

    def seconds(self, workload: str, loops: int) -> float:
        """Return the processor time it takes."""
        return float(self._do("seconds", name=workload, loops=loops))

    def peak(self, workload: str) -> int:
        """Return the octets of memory it takes."""
        return int(self._do("peak", name=workload))

    def session(
        self, name: str, meter: Callable[[bytes], bytes], order: Json = None
    ) -> Json:
        """Let it hold a session with a meter, and return what it found. Raises `SessionFailed`."""
        done = self._do("session", meter, name=name, order=order)
        if "failed" in done:
            raise SessionFailed(f"{self.name}, {name}: {done['failed']}")
        return done["found"]

    def record(
        self, name: str, meter: Callable[[bytes], bytes], order: Json = None
    ) -> str:
        """Let it hold a session, and return the name of a workload: the same session without the time of the meter."""
        workload = f"{name} {order}"
        self._do("record", meter, name=name, order=order, workload=workload)
        return workload

    def _do(
        self, action: str, meter: Callable[[bytes], bytes] | None = None, **order: Json
    ) -> Json:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": action, **order}) + "\n")
        for line in self._process.stdout:
            message = json.loads(line)
            if "result" in message:
                return message["result"]
            assert meter is not None
            answer = meter(bytes.fromhex(message["say"]))
            self._process.stdin.write(answer.hex() + "\n")
        raise RuntimeError(f"{self.name} ended while it did {action} {order}")
