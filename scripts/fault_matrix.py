"""Run the fault matrix of tests/line and print what came of it: python -m scripts.fault_matrix [SEEDS]."""

import sys

from custom_components.dlms_meter.dlms import Framing
from tests.line.faults import TROUBLES
from tests.line.matrix import LONGEST_SESSION, Row, noise, run_row

ERROR_RATES = (1e-5, 1e-4, 1e-3)


def line(title: str, framing: Framing, row: Row) -> str:
    """Describe one row of the matrix."""
    errors = ", ".join(f"{name} {count}" for name, count in row.errors.most_common())
    return (
        f"{title:<24} {framing.value:<8} {row.share:>6.1%} right {len(row.wrong):>3} wrong"
        f"  longest {row.longest:>5.0f} s  {errors}"
    )


def main() -> int:
    """Print one line a trouble; fail when a value was wrong, or a session too long."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
    rows: list[Row] = []
    for name, trouble in TROUBLES.items():
        for framing in filter(trouble.applies, Framing):
            rows.append(run_row(trouble, framing, seeds))
            print(line(name, framing, rows[-1]), flush=True)
    for error_rate in ERROR_RATES:
        rows.append(run_row(noise(error_rate), Framing.HDLC, seeds))
        print(
            line(f"bit error rate {error_rate:g}", Framing.HDLC, rows[-1]), flush=True
        )
    failed = [row for row in rows if row.wrong or row.longest > LONGEST_SESSION]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
