"""The wrapper: every frame on record, TCP's splits and joins, and the link on top."""

import pytest

from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    LinkError,
    LocalProtocolError,
    TransportTimeout,
)
from custom_components.dlms_meter.dlms.link import (
    ApduReceived,
    Link,
    LinkDown,
    LinkEvent,
    LinkStatistics,
    LinkUp,
)
from custom_components.dlms_meter.dlms.link.wrapper import (
    MAX_OCTETS_WITHOUT_PROGRESS,
    WrapperDecoder,
    WrapperFrame,
    WrapperLink,
)
from tests.harness import (
    Vector,
    check_codec,
    check_damage,
    check_stream,
    each,
    vectors,
)

ANSWER = bytes.fromhex("00010001 0010 0007 c4 01c100 1200eb".replace(" ", ""))
APDU = ANSWER[8:]


@each([row for row in vectors("wrapper") if row.expect is None])
def test_every_frame_on_record(vector: Vector) -> None:
    decoded = vector.decoded
    frame = WrapperFrame(
        decoded["source_wport"], decoded["destination_wport"], vector.octets[8:]
    )
    assert len(frame.apdu) == decoded["length"]
    check_codec(frame, vector.octets, WrapperFrame.decode, WrapperFrame.encode)
    stream = vector.octets + ANSWER
    assert check_stream(lambda: WrapperDecoder().feed, stream) == [
        frame,
        WrapperFrame.decode(ANSWER),
    ]
    check_damage(vector.octets, WrapperFrame.decode)


@each([row for row in vectors("wrapper") if row.expect == "reject"])
def test_frames_to_refuse(vector: Vector) -> None:
    with pytest.raises(DecodeError, match="version"):
        WrapperFrame.decode(vector.octets)
    assert WrapperDecoder().feed(vector.octets) == []


def test_recorded_sessions() -> None:
    for vector in vectors("session"):
        steps = [
            step for step in vector.decoded["frames"] if step["layer"] == "wrapper"
        ]
        link = up(*(steps[0]["wport"] if steps else (16, 1)))
        for step in steps:
            octets = bytes.fromhex(step["hex"])
            if step["dir"] == "c2s":
                link.send_apdu(octets[8:])
                assert link.data_to_send() == octets
            else:
                assert fed(link, octets) == [ApduReceived(octets[8:])]


def up(client: int = 16, server: int = 1) -> WrapperLink:
    link = WrapperLink(client, server)
    link.connect()
    assert link.events() == [LinkUp()]
    return link


def _awaits(link: Link) -> bool:
    return link.awaiting_response


def fed(link: Link, *pieces: bytes) -> list[LinkEvent]:
    for piece in pieces:
        link.receive_data(piece)
    return link.events()


def test_frame_on_one_line() -> None:
    """For logs, without what it carries."""
    assert str(WrapperFrame(16, 1, b"secret")) == "wPort 16 → 1 [6 octets]"


def test_up_and_down() -> None:
    link = WrapperLink(16, 1)
    with pytest.raises(LocalProtocolError, match="not up"):
        link.send_apdu(b"\xc0")
    link.connect()
    with pytest.raises(LocalProtocolError, match="already"):
        link.connect()
    link.disconnect()
    assert link.events() == [LinkUp(), LinkDown(None)]
    assert fed(link, ANSWER) == []
    link.connect()
    assert link.events() == [LinkUp()]


def test_request_and_answer() -> None:
    link = up()
    link.send_apdu(b"\xc0\x01")
    assert link.awaiting_response
    assert link.data_to_send().hex() == "0001001000010002c001"
    assert link.data_to_send() == b""
    assert fed(link, ANSWER[:5], ANSWER[5:]) == [ApduReceived(APDU)]
    assert not _awaits(link)
    # A notification may have come before the answer: only the APDUs themselves can tell.
    assert fed(link, ANSWER) == [ApduReceived(APDU)]


def test_frames_for_others_echoes_and_empty_ones_are_no_answer() -> None:
    link = up(1, 1)
    link.send_apdu(APDU)
    echo = link.data_to_send()
    other = WrapperFrame(2, 1, b"\xc4").encode()
    empty = WrapperFrame(1, 1, b"").encode()
    assert fed(link, echo + other + empty) == []
    assert (link.statistics.echoes, link.statistics.frames_ignored) == (1, 1)
    assert fed(link, WrapperFrame(1, 1, b"\xc4").encode()) == [ApduReceived(b"\xc4")]


def test_garbage_before_a_frame() -> None:
    decoder = WrapperDecoder()
    garbage = b"\x00\x00HTTP\x00"
    assert check_stream(lambda: WrapperDecoder().feed, garbage + ANSWER) == [
        WrapperFrame.decode(ANSWER)
    ]
    decoder.feed(garbage + ANSWER)
    assert decoder.statistics.octets_discarded == len(garbage)


def test_a_false_header_gives_way_after_silence() -> None:
    link = up()
    link.send_apdu(b"\xc0")
    assert fed(link, bytes.fromhex("0001000100107000") + ANSWER) == []
    link.on_timeout()
    assert link.events() == [ApduReceived(APDU)]
    assert link.statistics.octets_discarded == 8


def test_silence_ends_the_link() -> None:
    link = up()
    link.on_timeout()
    assert link.events() == []
    link.send_apdu(b"\xc0")
    link.on_timeout()
    [event] = link.events()
    assert isinstance(event, LinkDown)
    assert isinstance(event.error, TransportTimeout)
    assert "nothing came" in str(event.error)
    assert not link.awaiting_response
    assert link.statistics == LinkStatistics(frames_sent=1, timeouts=1)


def test_nothing_more_is_awaited_while_the_link_is_down() -> None:
    link = WrapperLink(16, 1)
    link.await_more()
    assert not link.awaiting_response


def test_waiting_on_begins_afresh() -> None:
    """Silences before the last answer, or what was taken for it, do not count."""
    link = WrapperLink(16, 1, patience=2)
    link.connect()
    link.send_apdu(b"\xc0")
    link.on_timeout()
    link.await_more()
    link.on_timeout()
    assert link.events() == [LinkUp()]
    link.on_timeout()
    [event] = link.events()
    assert isinstance(event, LinkDown)
    assert isinstance(event.error, TransportTimeout)


def test_half_an_answer_ends_the_link_and_leaves_nothing_behind() -> None:
    link = up()
    link.send_apdu(b"\xc0")
    link.receive_data(ANSWER[:-1])
    link.on_timeout()
    [event] = link.events()
    assert isinstance(event, LinkDown)
    assert "no frame" in str(event.error)


def test_endless_octets_end_the_link() -> None:
    link = up()
    link.send_apdu(b"\xc0")
    for _ in range(MAX_OCTETS_WITHOUT_PROGRESS // 4096):
        link.receive_data(b"\x55" * 4096)
    assert link.events() == []
    assert len(link._decoder._buffer) == 0
    link.receive_data(b"\x55")
    [event] = link.events()
    assert isinstance(event, LinkDown)
    assert isinstance(event.error, LinkError)


def test_what_does_not_fit() -> None:
    with pytest.raises(LocalProtocolError, match="65536 is not a wPort"):
        WrapperLink(65536, 1)
    with pytest.raises(LocalProtocolError, match="not a wPort"):
        WrapperLink(16, -1)
    link = up()
    with pytest.raises(LocalProtocolError, match="does not fit"):
        link.send_apdu(bytes(65536))
    assert not link.awaiting_response
    assert len(WrapperFrame(1, 16, bytes(65535)).encode()) == 65543


def test_patience_with_a_network_that_loses_nothing() -> None:
    """By TCP an answer comes late or never; half of one that came is not thrown away before the end."""
    link = WrapperLink(16, 1, patience=3)
    link.connect()
    link.events()
    link.send_apdu(b"\xc0")
    for piece in (ANSWER[:5], ANSWER[5:9], ANSWER[9:]):
        link.on_timeout()
        link.on_timeout()
        assert link.events() == []
        link.receive_data(piece)
    assert link.events() == [ApduReceived(APDU)]
    link.send_apdu(b"\xc0")
    link.on_timeout()
    link.on_timeout()
    assert link.awaiting_response
    link.on_timeout()
    [event] = link.events()
    assert isinstance(event, LinkDown)


def test_datagrams_are_whole_or_of_no_use() -> None:
    link = WrapperLink(16, 1, datagrams=True)
    link.connect()
    link.events()
    link.send_apdu(b"\xc0")
    assert fed(link, ANSWER[:5], ANSWER[5:], ANSWER + ANSWER, b"") == []
    assert link.statistics.octets_discarded == 3 * len(ANSWER)
    assert not link.answer_begun
    assert fed(link, ANSWER) == [ApduReceived(APDU)]
