"""Echoes, answers, and the frames of others."""

import pytest

from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameType
from custom_components.dlms_meter.dlms.link.hdlc_stations import Stations

CLIENT = HdlcAddress(16)
SERVER = HdlcAddress(1, 17, 2)
ONE = HdlcAddress(1)


def test_an_echo_has_our_addresses() -> None:
    stations = Stations(CLIENT, SERVER)
    frame = stations.frame(FrameType.RR, receive_sequence=3)
    assert (frame.destination, frame.source, frame.receive_sequence) == (
        SERVER,
        CLIENT,
        3,
    )
    assert stations.is_echo(frame)
    assert not stations.is_echo(Frame(CLIENT, SERVER, FrameType.RR))


def same_number() -> tuple[Stations, Frame, Frame, Frame]:
    stations = Stations(ONE, ONE)
    request = stations.frame(FrameType.I, b"\xe6\xe6\x00\xc0")
    ready = stations.frame(FrameType.RR, receive_sequence=1)
    return stations, stations.frame(FrameType.SNRM), request, ready


def test_same_number_without_echo() -> None:
    stations, snrm, request, ready = same_number()
    for frame in (snrm, request, ready):
        stations.sent(frame)
    assert not stations.is_echo(Frame(ONE, ONE, FrameType.UA))
    assert not stations.is_echo(ready), "the meter sends the same RR"


def test_same_number_on_a_line_that_returns_everything() -> None:
    stations, snrm, request, ready = same_number()
    stations.sent(snrm)
    assert stations.is_echo(snrm)
    for frame in (request, ready):
        stations.sent(frame)
    assert stations.is_echo(ready), "though the echo of the request was damaged"
    assert not stations.is_echo(ready), "an echo comes once"
    assert not stations.is_echo(request)


def test_same_number_where_the_echo_of_snrm_was_damaged() -> None:
    stations, _, request, ready = same_number()
    stations.sent(request)
    stations.sent(ready)
    assert stations.is_echo(request), "no meter sends our request"
    assert not stations.is_echo(ready)


def test_an_answer_ends_the_wait_for_echoes() -> None:
    stations, snrm, request, ready = same_number()
    assert stations.is_echo(snrm)
    stations.sent(ready)
    assert not stations.is_echo(Frame(CLIENT, ONE, FrameType.UA))
    assert not stations.is_echo(ready)
    assert not stations.is_echo(request)


@pytest.mark.parametrize(
    ("destination", "source", "kind", "answer"),
    [
        (CLIENT, SERVER, FrameType.I, True),
        (CLIENT, HdlcAddress(1, 18, 2), FrameType.I, False),
        (HdlcAddress(17), SERVER, FrameType.I, False),
        (HdlcAddress(16, 127, 2), SERVER, FrameType.UI, True),
        (HdlcAddress(127), SERVER, FrameType.UI, True),
        (HdlcAddress(127), SERVER, FrameType.I, False),
        (HdlcAddress(103), SERVER, FrameType.UI, False),
    ],
)
def test_what_is_for_us(
    destination: HdlcAddress, source: HdlcAddress, kind: FrameType, answer: bool
) -> None:
    stations = Stations(CLIENT, SERVER)
    assert stations.is_answer(Frame(destination, source, kind)) is answer


ADDRESSES = [CLIENT, SERVER, ONE, HdlcAddress(17), HdlcAddress(1, 17, 4)]


@pytest.mark.parametrize("server", ADDRESSES, ids=str)
@pytest.mark.parametrize("client", [CLIENT, ONE], ids=str)
def test_what_is_clearly_an_answer_is_one(
    client: HdlcAddress, server: HdlcAddress
) -> None:
    """The quick look finds most answers, and nothing else."""
    stations = Stations(client, server)
    for destination in ADDRESSES:
        for source in ADDRESSES:
            octets = Frame(destination, source, FrameType.I, b"\xe6\xe7\x00").encode()
            frame = Frame.decode(octets)
            if stations.is_clearly_answer(frame):
                assert not stations.is_echo(frame)
                assert stations.is_answer(frame)
    answer = Frame.decode(Frame(client, server, FrameType.UA).encode())
    assert stations.is_clearly_answer(answer) == (client != server)


def test_ready_frames_are_what_they_would_be_if_made_anew() -> None:
    stations = Stations(CLIENT, SERVER)
    for _ in range(2):
        for number in range(8):
            frame, octets = stations.ready(number)
            assert frame == stations.frame(FrameType.RR, receive_sequence=number)
            assert octets == frame.encode()
