"""What the patience of a link counts, and what makes it begin afresh."""

from custom_components.dlms_meter.dlms.link import LinkStatistics
from custom_components.dlms_meter.dlms.link.hdlc_patience import (
    MAX_OCTETS_WITHOUT_PROGRESS,
    Patience,
)


def test_silence_is_borne_as_often_as_is_to_be_tried() -> None:
    patience = Patience(2, LinkStatistics())
    silent = []
    for _ in range(2):
        assert not patience.takes_damage(begun=False)
        silent.append(patience.is_silent)
    patience.progressed()
    assert [*silent, patience.is_silent] == [False, True, False]
    assert patience.progress == 1


def test_damage_is_borne_three_times_as_often() -> None:
    patience = Patience(2, LinkStatistics())
    assert [patience.takes_damage(begun=True) for _ in range(7)] == [True] * 6 + [False]
    assert patience.silences == 1


def test_octets_of_no_use_are_damage_until_the_next_frame_is_sent() -> None:
    statistics = LinkStatistics()
    patience = Patience(2, statistics)
    statistics.octets_discarded += 1
    assert patience.takes_damage(begun=False)
    patience.note_damage()
    assert not patience.takes_damage(begun=False)


def test_a_wrong_check_is_damage_until_the_next_frame_is_sent() -> None:
    statistics = LinkStatistics()
    patience = Patience(2, statistics)
    damaged = [patience.frame_damaged]
    statistics.bad_checks += 1
    damaged.append(patience.frame_damaged)
    patience.note_damage()
    assert [*damaged, patience.frame_damaged] == [False, True, False]


def test_prompt_turns_are_few_until_a_timeout() -> None:
    patience = Patience(2, LinkStatistics())
    turns = [True, True, True, False]
    assert [patience.takes_turn() for _ in turns] == turns
    patience.takes_damage(begun=False)
    assert [patience.takes_turn() for _ in turns] == turns


def test_noise_counts_from_the_last_wait() -> None:
    patience = Patience(2, LinkStatistics())
    patience.octets = MAX_OCTETS_WITHOUT_PROGRESS + 1
    assert patience.is_noisy
    patience.wait()
    assert not patience.is_noisy


def test_what_came_is_told_from_the_beginning_of_the_wait() -> None:
    statistics = LinkStatistics(echoes=1)
    patience = Patience(2, statistics)
    assert "nothing came" in patience.describe()
    statistics.echoes += 1
    assert "echo" in patience.describe()
