"""What noise costs: time, then polls, never a wrong value; and what the counters of the line say about it."""

import pytest

from .noise import LONG, polls


@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
@pytest.mark.parametrize(("error_rate", "share"), [(0, 1.0), (1e-5, 1.0), (1e-4, 0.95)])
def test_noise(error_rate: float, share: float, short_names: bool) -> None:
    result = polls(error_rate, 7, short_names=short_names)
    assert result.wrong == 0
    assert result.share >= share


def test_counters_tell_noise_from_silence() -> None:
    clean, noisy = polls(0, 3).totals, polls(3e-4, 3).totals
    assert clean.frames_received > 50
    assert (clean.bad_checks, clean.timeouts, clean.frames_repeated) == (0, 0, 0)
    assert noisy.bad_checks > 10
    assert noisy.timeouts > 10
    assert noisy.frames_repeated > 0


def test_short_frames_after_a_noisy_session() -> None:
    """Once a session was noisy the next has short frames, and long ones come back with the quiet."""
    noisy = polls(4e-4, 1, meter=LONG, quiet=3)
    assert noisy.wrong == 0
    assert noisy.share >= 0.6
    assert set(noisy.lengths[:-2]) == {128, 2030}
    assert noisy.lengths[-2:] == [2030, 2030]
    assert set(polls(0, 1, meter=LONG, count=3).lengths) == {2030}
