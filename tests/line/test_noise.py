"""What noise costs: time, then polls, never a wrong value; and what the counters of the line say about it."""

import pytest

from tests.simulator import MeterSettings

from .noise import polls

LARGE = MeterSettings(max_pdu_size=1200, max_information_length=2030, window=7)


@pytest.mark.parametrize(("error_rate", "share"), [(0, 1.0), (1e-5, 1.0), (1e-4, 0.95)])
def test_noise(error_rate: float, share: float) -> None:
    result = polls(error_rate, 7)
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
    noisy = polls(4e-4, 1, meter=LARGE)
    assert noisy.wrong == 0
    assert noisy.share >= 0.6
