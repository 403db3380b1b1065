"""How long the clients take: to decode, to read a whole profile, to be imported."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import os
from pathlib import Path
import subprocess
import sys
from typing import NamedTuple

from .contender import ROOT, Contender
from .inputs import MANY_ROWS, ROWS
from .meters import PROFILE, Line, meter
from .report import Row, compared


class Comparison(NamedTuple):
    """One work, and how many times longer each of the others should take for it at least."""

    what: str
    workload: str
    loops: int
    """How often it is done at a stretch, by clients as fast as ours."""
    targets: Mapping[str, float]


_PROFILE = f"load profile, {ROWS} rows x 6 columns"
DECODING = (
    Comparison("HDLC frame, 128 octets, both checks", "frame 128", 4000,
               {"microdlms": 4, "gurux": 13, "dlms_cosem": 55}),
    Comparison("HDLC frame, 2030 octets, both checks", "frame 2030", 1000,
               {"microdlms": 11, "gurux": 28, "dlms_cosem": 160}),
    Comparison("GET-Response, register value", "register", 10000,
               {"microdlms": 2, "pydlms": 6, "gurux": 18}),
    Comparison("object list, 200 objects", "object list", 20,
               {"microdlms": 2, "dlms_cosem": 5, "pydlms": 6, "gurux": 110}),
    Comparison(_PROFILE, "profile", 10,
               {"microdlms": 6, "dlms_cosem": 16, "pydlms": 20, "gurux": 24}),
    Comparison(f"{_PROFILE}, irregular", "irregular profile", 4,
               {"microdlms": 2, "dlms_cosem": 5}),
)  # fmt: skip
CIPHERED = (
    Comparison("ciphered APDU, 128 octets", "ciphered 128", 1000,
               {"dlms_cosem": 2.4, "pydlms": 3}),
    Comparison("ciphered APDU, 16 kB", "ciphered 16384", 2000,
               {"dlms_cosem": 2.3, "pydlms": 2.3}),
)  # fmt: skip
_AT_A_STRETCH = 8
"""Sessions of clients as fast as ours; others hold one in that time."""
_SESSION = {"gurux": 11.0, "pydlms": 11.0, "dlms_cosem": 20.0}


def decoding(contenders: Sequence[Contender], rounds: int) -> Iterator[Row]:
    """Compare how long the same octets take."""
    for comparison in (*DECODING, *CIPHERED):
        able = [c for c in contenders if comparison.workload in c.knows]
        found = {c.name: c.found(comparison.workload) for c in able}
        for name, what in found.items():
            assert what == found["ours"], f"{name}: {comparison.what}"
        # Stretches are short, so a moment in which the machine does something else spoils many of them.
        seconds = measure(able, comparison.workload, comparison.loops, 4 * rounds)
        yield compared(comparison.what, seconds, comparison.targets)


def measure(
    contenders: Iterable[Contender], workload: str, loops: int, rounds: int
) -> dict[str, float]:
    """Return the shortest time of each; all take turns, so that a busy machine is busy for all of them."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for contender in contenders:
            slow = best.get(contender.name, 0) / best.get("ours", 1)
            count = max(1, int(loops / max(slow, 1)))
            time = contender.seconds(workload, count)
            best[contender.name] = min(time, best.get(contender.name, time))
    return best


def session(contenders: Sequence[Contender], rounds: int) -> Iterator[Row]:
    """Compare whole clients reading a profile in blocks, without the time the meter takes."""
    able = [each for each in contenders if _READ_PROFILE in each.knows]
    workloads = {_record(contender, ROWS) for contender in able}
    (workload,) = workloads
    found = {str(contender.found(workload)) for contender in able}
    assert len(found) == 1, found
    seconds = measure(able, workload, _AT_A_STRETCH, rounds)
    yield compared(f"whole client, {ROWS} rows by HDLC 128/1", seconds, _SESSION)
    ours = able[0]
    many = measure([ours], _record(ours, MANY_ROWS), 1, rounds)["ours"]
    times = many / seconds["ours"]
    yield Row(
        f"the same, {MANY_ROWS} rows",
        f"{times:.1f}x",
        target="≤ 10.5x",
        met=times <= 10.5,
    )


_READ_PROFILE = "read profile"


def _record(contender: Contender, rows: int) -> str:
    """Let a profile be read, and return the name of the workload that does it again without the meter."""
    order = {"profile": PROFILE, "information": 128, "window": 1, "rows": rows}
    line = Line(meter(information=128, window=1, pdu=1200, rows=rows))
    return contender.record(_READ_PROFILE, line, order)


def memory(ours: Contender) -> Iterator[Row]:
    """Tell how much memory many rows take."""
    for what, workload in (
        (f"{MANY_ROWS} rows, peak of memory", "long profile"),
        ("the same, handed out in slices", "long profile in slices"),
    ):
        peak = ours.peak(workload) / 1e6
        yield Row(what, f"{peak:.1f} MB", target="≤ 20 MB", met=peak <= 20)


_LIBRARY = "asyncio decimal datetime dataclasses json logging secrets ssl zoneinfo cryptography.hazmat.primitives.ciphers"
"""What a program like Home Assistant has imported long before."""
_IMPORTS = {
    "ours": "dlms.client",
    "microdlms": "microdlms",
    "gurux": "gurux_dlms",
    "dlms_cosem": "dlms_cosem.client",
    "pydlms": "pydlms.client",
}
_LONGEST_IMPORT = 0.015
_TIMED_IMPORT = """
import importlib, sys, time
for name in sys.argv[2].split():
    importlib.import_module(name)
began = time.process_time()
importlib.import_module(sys.argv[1])
print(time.process_time() - began)
"""


def imports(folder: Path, rounds: int) -> Iterator[Row]:
    """Compare how long imports take, with byte code, beside cryptography and the standard library.

    What is wanted is wanted of `import dlms`; the client has no target, and is there to tell what opening the rooms costs.
    """
    door = min(_import_times("dlms", folder, rounds))
    yield Row(
        "import of dlms, whose rooms open when used",
        f"{door * 1e3:.1f} ms",
        target="≤ 15 ms",
        met=door <= _LONGEST_IMPORT,
    )
    times = {
        name: min(_import_times(module, folder, rounds))
        for name, module in _IMPORTS.items()
    }
    row = compared("import of the client and all it may need", times, {})
    yield row._replace(met=None)


def _import_times(module: str, folder: Path, rounds: int) -> Iterator[float]:
    environment = dict(os.environ) | {
        "PYTHONPYCACHEPREFIX": str(folder / "byte code"),
        "PYTHONPATH": str(ROOT / "custom_components" / "dlms_meter"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", _TIMED_IMPORT, module, _LIBRARY]
    for _ in range(rounds + 1):  # the first one writes the byte code
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        )
        yield float(done.stdout)
