"""The table: what was measured, what was wanted, and whether it was reached."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

PEERS = ("microdlms", "gurux", "dlms_cosem", "pydlms")


class Row(NamedTuple):
    """One line of the table."""

    what: str
    ours: str
    others: Mapping[str, str] = {}
    """What the others make of it: how many times longer they take, or their own figures."""
    target: str = ""
    met: bool | None = None


def compared(
    what: str, seconds: Mapping[str, float], targets: Mapping[str, float]
) -> Row:
    """Compare times; `targets` say how many times longer each of the others should take at least."""
    ours = seconds["ours"]
    ratios = {name: time / ours for name, time in seconds.items() if name != "ours"}
    return Row(
        what,
        _readable(ours),
        {name: f"{ratio:.1f}x" for name, ratio in ratios.items()},
        " ".join(f"{name} {least:g}x" for name, least in targets.items()),
        all(ratios[name] >= least for name, least in targets.items()),
    )


def print_table(rows: Iterable[Row]) -> None:
    """Print the rows in columns."""
    print(f"{'':58}{'ours':>12}" + "".join(f"{peer:>12}" for peer in PEERS))
    for row in rows:
        cells = [f"{row.others.get(peer, ''):>12}" for peer in PEERS]
        verdict = {True: "reached", False: "MISSED ", None: ""}[row.met]
        target = f"{verdict}: {row.target}" if row.target else ""
        print(f"{row.what:58}{row.ours:>12}{''.join(cells)}   {target}")


def _readable(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"
