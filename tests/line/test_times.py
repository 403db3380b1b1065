"""On a clean line the client adds nothing to what octets and turns take; `scripts/line_times` prints the table."""

import pytest

from .times import CONFIRMATIONS, JOBS, SIGN_ON_SPEEDS, SPEEDS, session


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("speed", [SPEEDS[0], 9600, SPEEDS[-1]])
def test_clean_line(job: str, speed: int) -> None:
    outcome = session(JOBS[job], speed)
    assert (
        outcome.result
        == {
            "20 registers": 20,
            "20 registers, again": 20,
            "60 objects": 60,
            "300 objects": 300,
            "one day": 96,
        }[job]
    )
    assert outcome.ratio <= 1.1


@pytest.mark.parametrize("confirmation", CONFIRMATIONS)
@pytest.mark.parametrize("speed", SIGN_ON_SPEEDS)
def test_sign_on(speed: int, confirmation: str) -> None:
    """The usual poll of a meter that is spoken to as IEC 62056-21 first, whichever way it confirms the change."""
    outcome = session(JOBS["20 registers, again"], speed, confirmation)
    assert outcome.result == 20
    assert outcome.ratio <= 1.1


def test_turns_are_few() -> None:
    """Connect, associate, identity, values with scalers, release, disconnect: registers do not go one by one."""
    outcome = session(JOBS["20 registers"], 9600)
    assert outcome.traffic.turns <= 7
