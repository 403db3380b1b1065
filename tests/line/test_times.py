"""On a clean line the client adds nothing to what octets and turns take; `scripts/line_times` prints the table."""

import pytest

from .times import JOBS, SPEEDS, session


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("speed", [SPEEDS[0], 9600, SPEEDS[-1]])
def test_clean_line(job: str, speed: int) -> None:
    outcome = session(JOBS[job], speed)
    assert (
        outcome.result
        == {"20 registers": 20, "60 objects": 60, "300 objects": 300, "one day": 96}[
            job
        ]
    )
    assert outcome.ratio <= 1.1


@pytest.mark.parametrize("speed", [300, 9600, 19200])
def test_sign_on(speed: int) -> None:
    """Half a second is what the standard lets meters have to get ready, twice."""
    outcome = session(JOBS["20 registers"], speed, sign_on=True)
    assert outcome.result == 20
    assert outcome.seconds - outcome.traffic.seconds < 0.6


def test_turns_are_few() -> None:
    """Connect, associate, identity, values with scalers, release, disconnect: registers do not go one by one."""
    outcome = session(JOBS["20 registers"], 9600)
    assert outcome.traffic.turns <= 7
