"""The words behind a timeout."""

from dataclasses import fields

import pytest

from custom_components.dlms_meter.dlms.link import LinkStatistics
from custom_components.dlms_meter.dlms.link.silence import _REASONS, describe_silence


@pytest.mark.parametrize(
    ("counter", "word"),
    [
        ("frames_received", "from the meter"),
        ("frames_ignored", "other addresses"),
        ("bad_checks", "no sound frame"),
        ("octets_discarded", "no frame"),
        ("echoes", "echo"),
    ],
)
def test_what_came_names_the_cause(counter: str, word: str) -> None:
    before = LinkStatistics(**{field.name: 3 for field in fields(LinkStatistics)})
    now = LinkStatistics(**{field.name: 3 for field in fields(LinkStatistics)})
    assert "nothing came" in describe_silence(before, now)
    setattr(now, counter, 4)
    assert word in describe_silence(before, now)


def test_every_reason_names_a_counter() -> None:
    assert {counter for counter, _ in _REASONS} <= {
        field.name for field in fields(LinkStatistics)
    }
