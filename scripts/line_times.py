"""Print how long sessions last on a line, next to what they would take at best: python -m scripts.line_times."""

from tests.line.times import CONFIRMATIONS, JOBS, SIGN_ON_SPEEDS, SPEEDS, session

POLLS = ("20 registers", "20 registers, again")


def main() -> None:
    """Print one line a job and speed."""
    print(f"{'':<40} {'baud':>6} {'octets':>7} {'turns':>5} {'ideal':>8} {'took':>8}")
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
            f"{title:<40} {speed:>6} {traffic.to_meter + traffic.to_client:>7} {traffic.turns:>5}"
            f" {traffic.seconds:>7.2f}s {outcome.seconds:>7.2f}s  {outcome.ratio:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
