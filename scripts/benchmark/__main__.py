"""Measure, and print a table: `scripts/bench [decoding] [session] …`, or everything.

Times are processor times, the shortest of several rounds in which all take turns. Ratios say how many times longer the
others take; absolute times depend on the machine, and on what else it does.
"""

from . import without_home_assistant  # noqa: F401  isort: skip

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
import tempfile

from . import inputs, speed, stops, wire
from .contender import Contender
from .report import PEERS, Row, print_table

SECTIONS = ("decoding", "session", "memory", "imports", "stops", "turns", "bad-lines")


def main() -> int:
    """Do what the command line says; 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="section", help=", ".join(SECTIONS)
    )
    parser.add_argument("--rounds", type=int, default=7, help="default %(default)s")
    arguments = parser.parse_args()
    wanted = arguments.sections or SECTIONS
    if not set(wanted) <= set(SECTIONS):
        parser.error(f"sections are {', '.join(SECTIONS)}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        inputs.write(folder)
        contenders = [
            stack.enter_context(Contender(name, folder)) for name in ("ours", *PEERS)
        ]
        rows = list(measured(wanted, contenders, folder, arguments.rounds))
    print_table(rows)
    return int(any(row.met is False for row in rows))


def measured(
    wanted: tuple[str, ...], contenders: list[Contender], folder: Path, rounds: int
) -> Iterator[Row]:
    """Measure the wanted sections."""
    by_name = {contender.name: contender for contender in contenders}
    ours, pydlms = by_name["ours"], by_name["pydlms"]
    sections: dict[str, Callable[[], Iterator[Row]]] = {
        "decoding": lambda: speed.decoding(contenders, rounds),
        "session": lambda: speed.session(contenders, rounds),
        "memory": lambda: speed.memory(ours),
        "imports": lambda: speed.imports(folder, rounds),
        "stops": lambda: stops.stops(min(rounds, 3)),
        "turns": lambda: wire.turns(ours, pydlms),
        "bad-lines": lambda: wire.bad_lines({"ours": ours, "pydlms": pydlms}),
    }
    for name in SECTIONS:
        if name in wanted:
            yield from sections[name]()


if __name__ == "__main__":
    raise SystemExit(main())
