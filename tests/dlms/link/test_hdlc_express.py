"""The express way finds what the decoder of streams finds, and leaves to it all that is not as usual."""

import pytest

from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_express import Express
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameType
from custom_components.dlms_meter.dlms.link.hdlc_stations import Stations

CLIENT = HdlcAddress.client(16)
SERVER = HdlcAddress.server(1, 17, 4)


def segment(information: bytes = b"abc", number: int = 2) -> Frame:
    return Frame(CLIENT, SERVER, FrameType.I, information, True, True, number, 5)


def learned(*frames: Frame) -> Express:
    """Return an express way that has heard these frames."""
    express = Express(Stations(CLIENT, SERVER))
    for frame in frames:
        express.learn(Frame.decode(frame.encode()), frame.encode())
    return express


def test_a_segment_that_begins_as_one_before_is_taken() -> None:
    express = learned(segment(b"abc"))
    assert express.information(segment(b"xyz").encode(), 2) == b"xyz"


@pytest.mark.parametrize(
    "octets",
    [
        segment(b"abcd").encode(),
        segment(number=3).encode(),
        segment().encode() + b"\x7e",
        segment().encode()[:-1],
        segment().encode()[:-1] + b"\x7f",
        segment().encode()[:-4] + b"d" + segment().encode()[-3:],
        segment().encode()[1:],
        segment()._replace(segmented=False).encode(),
        segment()._replace(source=HdlcAddress.server(1, 18, 4)).encode(),
        b"\x7e",
        b"",
    ],
    ids=[
        "another length", "another number", "more", "cut off", "no flag at the end", "damaged",
        "no flag at the beginning", "the last one", "another meter", "a flag", "nothing",
    ],
)  # fmt: skip
def test_anything_else_is_left_alone(octets: bytes) -> None:
    assert learned(segment()).information(octets, 2) == b""


def test_the_number_must_be_the_one_that_is_due() -> None:
    express = learned(segment(number=2), segment(number=3))
    assert express.information(segment(number=3).encode(), 2) == b""


@pytest.mark.parametrize(
    "frame",
    [
        segment()._replace(segmented=False),
        segment()._replace(poll_final=False),
        segment()._replace(type=FrameType.UI, send_sequence=0, receive_sequence=0),
        segment()._replace(destination=HdlcAddress.client(32)),
        segment()._replace(source=HdlcAddress.server(1, 18, 4)),
    ],
    ids=["the last", "no word for us", "a push", "for others", "from others"],
)
def test_only_segments_that_are_ours_are_learned(frame: Frame) -> None:
    assert learned(frame).information(frame.encode(), frame.send_sequence) == b""


def test_a_frame_that_came_with_other_octets_is_not_learned() -> None:
    octets = segment().encode()
    express = Express(Stations(CLIENT, SERVER))
    express.learn(Frame.decode(octets), b"\x7e" + octets)
    assert express.information(octets, 2) == b""


def test_what_is_remembered_has_an_end() -> None:
    frames = [segment(bytes(length)) for length in range(1, 300)]
    express = learned(*frames)
    taken = [bool(express.information(frame.encode(), 2)) for frame in frames]
    assert taken == [True] * 256 + [False] * 43


def test_client_and_server_of_the_same_number_go_the_long_way() -> None:
    alike = HdlcAddress.server(16)
    frame = segment()._replace(source=alike)
    express = Express(Stations(CLIENT, alike))
    express.learn(Frame.decode(frame.encode()), frame.encode())
    assert express.information(frame.encode(), 2) == b""
