"""One client under measurement, in a process of its own: told what to do line by line, it answers line by line.

Whatever the library, it is asked in the same words, and measured by the same clock: the processor time of this process.
"""

from collections.abc import Callable, Iterator
import gc
import json
from pathlib import Path
import sys
import time
import tracemalloc
from typing import Any, NamedTuple

type Json = Any  # what json.loads gives
type Inputs = Callable[[str], bytes]
"""The octets of an input by its name."""
type Exchange = Callable[[bytes], bytes]
"""Sends octets to the meter and returns what it says to them, b"" if nothing."""


KEY, AUTHENTICATION_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
CLIENT, METER = b"MDMID000", b"SIM00001"
"""System titles."""


def each_once[T](
    octets: bytes, receiver: Callable[[], Callable[[bytes], T]]
) -> Callable[[], T]:
    """Return what gives the messages to a receiver, one with each call, and after the last one anew to a new receiver.

    Ciphered messages are understood only once. Each is preceded by its length in four octets.
    """

    messages, start = [], 0
    while start < len(octets):
        end = start + 4 + int.from_bytes(octets[start : start + 4])
        messages.append(octets[start + 4 : end])
        start = end

    def received() -> Iterator[T]:
        while True:
            yield from map(receiver(), messages)

    return received().__next__


class Workload(NamedTuple):
    """Work to be measured, and what it found, so that nobody is fast by leaving out half of it."""

    run: Callable[[], Any]
    found: Callable[[Any], Json]


type Workloads = dict[str, Callable[[Inputs], Workload]]
type Sessions = dict[str, Callable[[Exchange, Json], Json]]
"""Whole sessions with a meter at the other end of an exchange; they get what to do, and return what they found."""


def serve(workloads: Workloads, sessions: Sessions) -> None:
    """Do what standard input says until it ends."""
    worker = _Worker(workloads, sessions, Path(sys.argv[1]))
    for line in sys.stdin:
        order = json.loads(line)
        tell({"result": getattr(worker, order.pop("do"))(**order)})


class _Worker:
    """What can be asked for: each method is one word of the language."""

    def __init__(self, workloads: Workloads, sessions: Sessions, inputs: Path) -> None:
        self._workloads = workloads
        self._sessions = sessions
        self._inputs = inputs
        self._prepared: dict[str, Workload] = {}

    def names(self) -> list[str]:
        """Return what it can do."""
        return [*self._workloads, *self._sessions]

    def found(self, name: str) -> Json:
        """Return what a workload finds."""
        workload = self._workload(name)
        return workload.found(workload.run())

    def seconds(self, name: str, loops: int) -> float:
        """Return the processor time of one run, the mean of `loops`."""
        run = self._workload(name).run
        gc.collect()
        began = time.process_time()
        for _ in range(loops):
            run()
        return (time.process_time() - began) / loops

    def peak(self, name: str) -> int:
        """Return how many octets of memory one run takes at its height."""
        run = self._workload(name).run
        gc.collect()
        tracemalloc.start()
        kept = run()
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        del kept
        return highest

    def session(self, name: str, order: Json) -> Json:
        """Hold a session with the meter."""
        try:
            return {"found": self._sessions[name](ask_meter, order)}
        except Exception as error:  # noqa: BLE001  whatever this library says
            return {"failed": repr(error)}

    def record(self, name: str, order: Json, workload: str) -> None:
        """Hold a session with the meter, and make a workload of doing it again with what the meter said."""
        answers: list[bytes] = []
        session = self._sessions[name]

        def remember(octets: bytes) -> bytes:
            answers.append(ask_meter(octets))
            return answers[-1]

        def run() -> Json:
            said = iter(answers)
            return session(lambda _: next(said), order)

        expected = session(remember, order)
        assert run() == expected, "the session is not the same every time"
        self._prepared[workload] = Workload(run, lambda found: found)

    def _workload(self, name: str) -> Workload:
        if name not in self._prepared:
            prepare = self._workloads[name]
            self._prepared[name] = prepare(
                lambda file: (self._inputs / file).read_bytes()
            )
        return self._prepared[name]


def ask_meter(octets: bytes) -> bytes:
    """Exchange octets with the meter, which lives in the process that started this one."""
    tell({"say": octets.hex()})
    return bytes.fromhex(sys.stdin.readline())


def tell(message: Json) -> None:
    """Write one line."""
    print(json.dumps(message), flush=True)
