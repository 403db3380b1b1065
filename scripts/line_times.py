"""Print how long sessions last on a line, next to what they would take at best: python -m scripts.line_times."""

from tests.line.times import JOBS, SPEEDS, session

SIGN_ON_SPEEDS = (2400, 9600, 19200)


def main() -> None:
    """Print one line a job and speed."""
    print(f"{'':<24} {'baud':>6} {'octets':>7} {'turns':>5} {'ideal':>8} {'took':>8}")
    rows = [(name, speed, False) for name in JOBS for speed in SPEEDS]
    rows += [("20 registers", speed, True) for speed in SIGN_ON_SPEEDS]
    for name, speed, sign_on in rows:
        outcome = session(JOBS[name], speed, sign_on=sign_on)
        traffic = outcome.traffic
        title = f"{name}, sign-on" if sign_on else name
        print(
            f"{title:<24} {speed:>6} {traffic.to_meter + traffic.to_client:>7} {traffic.turns:>5}"
            f" {traffic.seconds:>7.2f}s {outcome.seconds:>7.2f}s  {outcome.ratio:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
