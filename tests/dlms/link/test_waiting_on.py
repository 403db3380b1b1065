"""The HDLC link waits on when what came is not the answer, and does not wait for an answer that is not due."""

from custom_components.dlms_meter.dlms.link import ApduReceived
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameType
from tests.dlms.link.server import to_client

from .test_hdlc import LLC, RR, WIDE, awaits, connected, fed, kinds


def test_request_that_wants_no_answer_is_over_when_it_is_acknowledged() -> None:
    link = connected()
    link.send_apdu(b"unconfirmed", answered=False)
    assert kinds(link) == ["I00"]
    assert fed(link, to_client(RR, nr=1)) == []
    assert not awaits(link)


def test_notification_in_place_of_the_answer_gives_the_word_back() -> None:
    link = connected()
    link.send_apdu(b"question")
    link.data_to_send()
    notification = to_client(FrameType.I, LLC + b"by the way", ns=0, nr=1)
    assert fed(link, notification) == [ApduReceived(b"by the way")]
    assert not awaits(link)
    link.await_more()
    assert awaits(link)
    assert kinds(link) == ["RR1"]
    link.await_more()
    assert kinds(link) == []
    answer = to_client(FrameType.I, LLC + b"answer", ns=1, nr=1)
    assert fed(link, answer) == [ApduReceived(b"answer")]


def test_notification_before_the_end_of_the_meters_turn_leaves_it_the_word() -> None:
    link = connected(WIDE)
    link.send_apdu(b"question")
    link.data_to_send()
    notification = to_client(FrameType.I, LLC + b"by the way", final=False, ns=0, nr=1)
    assert fed(link, notification) == [ApduReceived(b"by the way")]
    link.await_more()
    assert awaits(link)
    assert kinds(link) == []
    answer = to_client(FrameType.I, LLC + b"answer", ns=1, nr=1)
    assert fed(link, answer) == [ApduReceived(b"answer")]
