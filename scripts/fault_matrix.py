"""Run the fault matrix of tests/line and print what came of it: python -m scripts.fault_matrix [SEEDS]."""

from argparse import ArgumentParser
from functools import reduce
from operator import add
import sys

from tests.line.faults import TROUBLES
from tests.line.matrix import WAYS, Row, Way, noise, run_row
from tests.line.noise import LONG, SHORT, polls

_DESCRIPTION = """Run every trouble of a line, so many seeds each, and print what came of it: a line a trouble and way."""
POLLS_IN_A_ROW = 10
ERROR_RATES = (1e-5, 1e-4, 1e-3)


def line(title: str, way: Way, row: Row) -> str:
    """Describe one row of the matrix."""
    errors = ", ".join(f"{name} {count}" for name, count in row.errors.most_common())
    return (
        f"{title:<24} {way!s:<10} {row.share:>6.1%} right {len(row.wrong):>3} wrong"
        f"  longest {row.longest:>5.0f} s  {errors}"
    )


def print_polls(seeds: range) -> int:
    """Print what noise does to polls one after another, as Home Assistant has them; return how many were wrong."""
    print("\npolls, one after another")
    wrong = 0
    for error_rate in ERROR_RATES:
        for short_names in (False, True):
            for name, meter in (("128/1", SHORT), ("2030/7", LONG)):
                row = reduce(
                    add,
                    (
                        polls(
                            error_rate,
                            seed,
                            count=POLLS_IN_A_ROW,
                            meter=meter,
                            short_names=short_names,
                        )
                        for seed in seeds[::POLLS_IN_A_ROW]
                    ),
                )
                wrong += row.wrong
                print(
                    f"bit error rate {error_rate:g}   {'SN' if short_names else 'LN'} {name:<7}"
                    f" {row.share:>6.1%} of {row.count} complete {row.wrong:>3} wrong"
                    f"  {row.seconds / row.count:>5.1f} s each",
                    flush=True,
                )
    return wrong


def main() -> int:
    """Print one line a trouble; fail when a value was wrong, a session too long, or an error not one that users are told of."""
    parser = ArgumentParser(prog="scripts/fault_matrix", description=_DESCRIPTION)
    parser.add_argument(
        "seeds", type=int, nargs="?", default=200, help="default %(default)s"
    )
    seeds = range(parser.parse_args().seeds)
    noises = {f"bit error rate {rate:g}": noise(rate) for rate in ERROR_RATES}
    failed = 0
    for name, trouble in {**TROUBLES, **noises}.items():
        for way in WAYS:
            if trouble.applies(way.framing):
                row = run_row(trouble, way, seeds)
                print(line(name, way, row), flush=True)
                failed += bool(
                    row.wrong
                    or row.longest > trouble.within
                    or row.told - set(trouble.told)
                )
    failed += print_polls(seeds)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
