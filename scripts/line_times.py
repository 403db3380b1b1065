"""Print how long sessions last on a line, next to what they would take at best: python -m scripts.line_times.

The best is what octets take on the wire, the meter's time to think, and the pauses that the sign-on of IEC 62056-21 asks
of the client. The last column leaves these pauses out of the best.
"""

from argparse import ArgumentParser

from tests.line.times import CONFIRMATIONS, JOBS, SIGN_ON_SPEEDS, SPEEDS, session

POLLS = ("20 registers", "20 registers, again")


def main() -> None:
    """Print one line a job and speed."""
    ArgumentParser(prog="scripts/line_times", description=__doc__).parse_args()
    print(
        f"{'':<40} {'baud':>6} {'octets':>6} {'turns':>5}"
        f" {'wire':>8} {'meter':>6} {'pauses':>6} {'ideal':>8} {'took':>8} {'ratio':>5} {'bare':>5}"
    )
    rows: list[tuple[str, int, str | None]] = [
        (name, speed, None) for name in JOBS for speed in SPEEDS
    ]
    rows += [
        (name, speed, confirmation)
        for name in POLLS
        for confirmation in CONFIRMATIONS
        for speed in SIGN_ON_SPEEDS
    ]
    for name, speed, confirmation in rows:
        outcome = session(JOBS[name], speed, confirmation)
        traffic = outcome.traffic
        title = name if confirmation is None else f"{name}, confirmed: {confirmation}"
        print(
            f"{title:<40} {speed:>6} {traffic.to_meter + traffic.to_client:>6} {traffic.turns:>5}"
            f" {traffic.on_wire:>7.2f}s {traffic.thinking:>5.2f}s {traffic.pauses:>5.2f}s"
            f" {traffic.seconds:>7.2f}s {outcome.seconds:>7.2f}s {outcome.ratio:.3f} {outcome.bare_ratio:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
