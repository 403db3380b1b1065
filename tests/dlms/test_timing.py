"""How long is waited for what: silence, pauses within an answer, the whole, and the time octets take on the line."""

import pytest

from custom_components.dlms_meter.dlms import (
    CharacterFormat,
    ClientSettings,
    Framing,
    LineSettings,
    TcpEndpoint,
)
from custom_components.dlms_meter.dlms.errors import LocalProtocolError
from custom_components.dlms_meter.dlms.timing import Patience, Timeouts

TIMEOUTS = Timeouts(response=5, inter_octet=1, request=100)
AT_300 = LineSettings(300).octet_time


def patience(octet_time: float = 0, held_back: int = 0) -> Patience:
    begun = Patience(TIMEOUTS, octet_time, held_back)
    begun.begin(1000, 100)
    return begun


def test_silence_before_and_within_an_answer() -> None:
    begun = patience()
    assert begun.due(answer_begun=False) == 1005
    assert begun.due(answer_begun=True) == 1001
    assert not begun.is_silent(1004.9, answer_begun=False)
    assert begun.is_silent(1005, answer_begun=False)
    assert begun.is_silent(1001, answer_begun=True)
    begun.heard(1003)
    assert begun.due(answer_begun=False) == 1008


def test_octets_take_their_time() -> None:
    """Silence begins when the last octet has left, and the whole wait is longer by what all octets take."""
    begun = patience(AT_300)
    begun.sent(1000, 300)
    assert begun.due(answer_begun=False) == pytest.approx(1000 + 10 + 5)
    assert begun.due(answer_begun=True) == pytest.approx(1010 + 1 + 20 * AT_300)
    begun.progressed(3000)
    assert not begun.is_exhausted(1000 + 100 + 10 + 99)
    assert begun.is_exhausted(1000 + 100 + 10 + 100)


def test_whole_wait_ends_a_silence_that_lasts_longer() -> None:
    begun = patience()
    begun.heard(1098)
    assert begun.due(answer_begun=False) == 1100


def test_many_waits_of_one_transfer_end_together() -> None:
    begun = patience(AT_300)
    begun.begin_transfer(1000)
    begun.sent(1000, 300)
    begun.progressed(300)
    end = 1000 + 1800 + 10 + 10
    for now in range(1100, 2800, 90):
        assert not begun.is_exhausted(now)
        begun.begin(now, 100)
    begun.begin(end - 1, 100)
    assert begun.due(answer_begun=False) == end
    assert not begun.is_exhausted(end - 0.01)
    assert not begun.transfer_is_exhausted(end - 0.01)
    assert begun.is_exhausted(end)
    assert begun.transfer_is_exhausted(end)
    begun.end_transfer()
    assert not begun.is_exhausted(end)


@pytest.mark.parametrize(
    ("response", "inter_octet", "expected"), [(5, 1, 1), (20, 1, 4), (20, 6, 6)]
)
def test_who_waits_longer_for_an_answer_waits_longer_within_it(
    response: float, inter_octet: float, expected: float
) -> None:
    settings = ClientSettings(
        endpoint=TcpEndpoint("meter.example", 4059),
        framing=Framing.HDLC,
        response_timeout=response,
        inter_octet_timeout=inter_octet,
    )
    assert settings.timeouts.inter_octet == expected


def test_gateways_hold_octets_back() -> None:
    begun = patience(1 / 960, held_back=480)
    assert begun.due(answer_begun=False) == pytest.approx(1005.5)


@pytest.mark.parametrize(
    ("character", "bits"),
    [
        (CharacterFormat.EIGHT_NONE_ONE, 10),
        (CharacterFormat.SEVEN_EVEN_ONE, 10),
        (CharacterFormat.SEVEN_EVEN_ONE_IN_SOFTWARE, 10),
        (CharacterFormat.EIGHT_EVEN_ONE, 11),
    ],
)
def test_line_settings(character: CharacterFormat, bits: int) -> None:
    line = LineSettings(2400, character)
    assert line.octet_time == bits / 2400
    assert str(line) == f"2400 baud {character.value}"


def test_speed_that_no_meter_has() -> None:
    with pytest.raises(LocalProtocolError, match=r"9601 baud .*300, 600,"):
        LineSettings(9601)
