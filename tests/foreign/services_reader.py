"""Read, write and command a meter with a client nobody here wrote, in one way after another, and print what came of it as JSON.

Runs in a process of its own: `python -m tests.foreign.services_reader gurux|dlms_cosem|pydlms '{…}'`; see `test_reader_matrix.py` for
the order. The report has for each way what each operation returned, or the error that it failed with.
"""

from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
import json
import sys
from typing import Any, Protocol

type Order = dict[str, Any]
type Way = dict[str, Any]
type Json = Any  # numbers, strings and lists of such; octets in hex, times ISO in UTC

REGISTERS = ("1.0.1.8.0.255", "1.0.2.8.0.255", "1.0.32.7.0.255")
MESSAGE = "0.0.96.13.0.255"
RELAY = "0.0.96.3.10.255"
PROFILE = "1.0.99.1.0.255"
DISCONNECT, RECONNECT = 1, 2
COUNTERS_PER_SESSION = 1000
IN_BLOCKS = "block transfer"
"""The operation that wants general block transfer."""


class Session(Protocol):
    """One association by one of the clients."""

    def __init__(
        self, order: Order, way: Way, counter: int, *, in_blocks: bool
    ) -> None:
        """Associate; `counter` is the first invocation counter to use, `in_blocks` asks for general block transfer."""

    def close(self) -> None:
        """Release and disconnect."""

    def abandon(self) -> None:
        """Cut the connection."""

    def get(self, class_id: int, code: str, attribute: int) -> Json: ...

    def get_registers(self, codes: tuple[str, ...]) -> Json: ...

    def object_count(self) -> int: ...

    def set_octets(self, code: str, value: bytes) -> None: ...

    def invoke(self, code: str, method: int) -> None: ...

    def rows_by_time(self, code: str, since: str, until: str) -> Json: ...

    def rows_by_number(self, code: str, first: int, last: int) -> Json: ...

    def access(self, code: str, value: bytes) -> Json:
        """Write a message, read it, and a register, by one ACCESS."""


def written(session: Session, way: Way, times: int) -> Json:
    """Write a message that is this way's own, and read it again."""
    session.set_octets(MESSAGE, f"{way['client']} {way['names']} ".encode() * times)
    return session.get(1, MESSAGE, 2)


def switched(session: Session) -> list[Json]:
    states = []
    for method in (DISCONNECT, RECONNECT):
        session.invoke(RELAY, method)
        states.append(session.get(70, RELAY, 2))
    return states


type Operation = Callable[[Session, Order, Way], Json]

OPERATIONS: dict[str, Operation] = {
    "get": lambda session, _, way: session.get(3, REGISTERS[0], 2),
    "list": lambda session, _, way: session.get_registers(REGISTERS),
    "long": lambda session, _, way: session.object_count(),
    "set": lambda session, _, way: written(session, way, 1),
    "set long": lambda session, order, way: written(session, way, order["long"]),
    "action": lambda session, _, way: switched(session),
    "range": lambda session, order, _: session.rows_by_time(
        PROFILE, order["since"], order["until"]
    ),
    "entries": lambda session, order, _: session.rows_by_number(
        PROFILE, order["first"], order["last"]
    ),
    "access": lambda session, _, way: session.access(
        MESSAGE, f"access {way['client']}".encode()
    ),
    IN_BLOCKS: lambda session, order, way: [
        session.object_count(),
        written(session, way, order["long"]),
    ],
    "release": lambda session, _, way: session.close(),
}


class Counter:
    """Gives every session invocation counters of its own."""

    def __init__(self) -> None:
        self._next = 1

    def take(self) -> int:
        self._next += COUNTERS_PER_SESSION
        return self._next


def run(make: type[Session], order: Order, way: Way, counter: Counter) -> Json:
    """Carry out all operations in one association, in another one after a failure."""
    results: dict[str, Json] = {}
    session: Session | None = None
    for name in order["operations"]:
        in_blocks = name == IN_BLOCKS
        try:
            if session is None:
                session = make(order, way, counter.take(), in_blocks=in_blocks)
            results[name] = {"value": OPERATIONS[name](session, order, way)}
        except BaseException as error:  # noqa: BLE001 - whatever these libraries raise is what is to be told
            results[name] = {"error": f"{type(error).__name__}: {error}"}
            if session is not None:
                session.abandon()
            session = None
    return results


if __name__ == "__main__":
    order = json.loads(sys.argv[2])
    with redirect_stdout(sys.stderr):  # where some of them print what they do
        module = import_module(f"tests.foreign.{sys.argv[1]}_session")
        counter = Counter()
        report = [
            run(module.ForeignSession, order, way, counter) for way in order["ways"]
        ]
    json.dump(report, sys.stdout)
