"""Counting modulo 8, in both directions."""

import pytest

from custom_components.dlms_meter.dlms.errors import LinkError
from custom_components.dlms_meter.dlms.link import hdlc_window
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameType
from custom_components.dlms_meter.dlms.link.hdlc_window import (
    Notifications,
    ReceiveWindow,
    SendWindow,
    Verdict,
)
from tests.dlms.link.server import CLIENT, SERVER

LLC = b"\xe6\xe7\x00"


def received(
    information: bytes, ns: int = 0, nr: int = 1, *, more: bool = False
) -> Frame:
    return Frame(CLIENT, SERVER, FrameType.I, information, more, True, ns, nr)


def test_information_is_cut_into_segments() -> None:
    window = SendWindow(4, 2)
    window.queue(b"abcdefghij")
    assert window.take() == [(0, b"abcd", True), (1, b"efgh", True)]
    assert window.take() == []
    assert len(window.unacknowledged) == 2
    assert window.acknowledge(1) == 1
    assert window.repeat() == [(1, b"efgh", True)]
    assert window.take() == [(2, b"ij", False)]
    assert not window.waiting
    assert window.acknowledge(3) == 2
    assert window.acknowledge(3) == 0


def test_exactly_one_segment() -> None:
    window = SendWindow(4, 2)
    window.queue(b"abcd")
    assert window.take() == [(0, b"abcd", False)]


@pytest.mark.parametrize("size", range(1, 8))
def test_numbers_go_round(size: int) -> None:
    window = SendWindow(1, size)
    window.queue(bytes(range(50)))
    place = 0
    while window.waiting:
        segments = window.take()
        assert len(segments) <= size
        for segment in segments:
            assert segment == (place % 8, bytes((place,)), place < 49)
            place += 1
        assert window.acknowledge(place % 8) == len(segments)
    assert place == 50


def test_acknowledging_what_was_never_sent_means_nothing() -> None:
    window = SendWindow(1, 7)
    window.queue(b"abc")
    window.take()
    for number in (4, 5, 6, 7, 0):
        assert window.acknowledge(number) == 0
    assert len(window.unacknowledged) == 3


def test_an_answer_acknowledges_everything() -> None:
    window = SendWindow(1, 7)
    window.queue(b"abc")
    window.take()
    window.acknowledge_all()
    assert len(window.unacknowledged) == 0


def test_a_window_that_shrank() -> None:
    window = SendWindow(1, 7)
    window.queue(b"abcdefgh")
    window.take()
    window.window = 1
    assert window.take() == []


def test_segments_are_joined_in_order_only() -> None:
    window = ReceiveWindow(3)
    assert (
        window.accept(received(b"a", 0, more=True), undisturbed=True) is Verdict.SEGMENT
    )
    assert (
        window.accept(received(b"a", 0, more=True), undisturbed=True)
        is Verdict.REPEATED
    )
    assert window.accept(received(b"c", 2), undisturbed=True) is Verdict.MISSING
    assert window.accept(received(b"?", 4), undisturbed=True) is Verdict.REPEATED
    assert (
        window.accept(received(b"b", 1, more=True), undisturbed=True) is Verdict.SEGMENT
    )
    assert window.accept(received(b"c", 2), undisturbed=True) is Verdict.COMPLETE
    assert window.apdu() == b"abc"
    assert window.apdu() == b""


def test_every_distance_in_every_window() -> None:
    for size in range(1, 8):
        for distance in range(1, 8):
            verdict = ReceiveWindow(size).accept(
                received(b"a", distance), undisturbed=True
            )
            assert verdict is (Verdict.MISSING if distance < size else Verdict.REPEATED)


def test_too_many_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdlc_window, "MAX_APDU_LENGTH", 5)
    window = ReceiveWindow(1)
    window.accept(received(b"abcde", 0, more=True), undisturbed=True)
    with pytest.raises(LinkError, match="without end"):
        window.accept(received(b"f", 1), undisturbed=True)


# A meter that sends control octet 10 for ever


def unnumbered(
    window: ReceiveWindow, *informations: bytes, more: bool
) -> list[Verdict]:
    return [
        window.accept(received(information, 0, 0, more=more), undisturbed=True)
        for information in informations
    ]


def test_unnumbered_answers() -> None:
    window = ReceiveWindow(1)
    for information in (b"a", b"b", b"c"):
        assert unnumbered(window, information, more=False) == [Verdict.COMPLETE]
        assert window.apdu() == information
        assert unnumbered(window, information, more=False) == [Verdict.REPEATED]


@pytest.mark.parametrize("before", [b"", LLC + b"a"])
def test_unnumbered_answers_on_a_line_that_is_not_quiet(before: bytes) -> None:
    window = ReceiveWindow(1)
    if before:
        unnumbered(window, before, more=False)
        window.apdu()
    with pytest.raises(LinkError, match="does not number"):
        window.accept(received(b"tail", 0, 0), undisturbed=False)
    whole = received(LLC + b"b", 0, 0)
    assert window.accept(whole, undisturbed=False) is Verdict.COMPLETE


def test_unnumbered_segments() -> None:
    window = ReceiveWindow(1)
    unnumbered(window, b"a", b"b", b"a", more=True)
    unnumbered(window, b"d", more=False)
    assert window.apdu() == b"abad"


@pytest.mark.parametrize(
    ("information", "more", "undisturbed"),
    [
        (b"b", True, True),
        (b"c", True, False),
        (b"c", False, False),
        (b"b", False, True),
    ],
)
def test_unnumbered_segments_that_may_be_lost_or_repeated(
    information: bytes, more: bool, undisturbed: bool
) -> None:
    window = ReceiveWindow(1)
    unnumbered(window, b"a", b"b", more=True)
    with pytest.raises(LinkError, match="does not number"):
        window.accept(received(information, 0, 0, more=more), undisturbed=undisturbed)


def test_unnumbered_needs_window_one() -> None:
    window = ReceiveWindow(2)
    assert unnumbered(window, b"a", b"b", more=False)[1] is Verdict.REPEATED


def test_a_meter_that_counts_is_held_to_it() -> None:
    window = ReceiveWindow(1)
    window.accept(received(b"a", 0, 1), undisturbed=True)
    assert window.accept(received(b"b", 0, 0), undisturbed=True) is Verdict.REPEATED


def test_a_meter_whose_acknowledgement_stays_zero_still_counts() -> None:
    window = ReceiveWindow(1)
    window.accept(received(b"a", 0, 0), undisturbed=True)
    window.accept(received(b"b", 1, 0), undisturbed=True)
    assert window.accept(received(b"c", 0, 0), undisturbed=True) is Verdict.REPEATED


# UI frames


def notified(information: bytes, *, more: bool = False) -> Frame:
    return Frame(CLIENT, SERVER, FrameType.UI, information, more)


def test_notifications_whole_and_in_segments() -> None:
    notifications = Notifications()
    assert notifications.accept(notified(LLC + b"a"), 0) == LLC + b"a"
    assert notifications.accept(notified(LLC + b"a", more=True), 0) is None
    assert notifications.accept(notified(b"b", more=True), 0) is None
    assert notifications.accept(notified(b"c"), 0) == LLC + b"abc"


def test_blocks_of_which_only_the_first_has_an_llc_header() -> None:
    """An L+G E450 pushes so, by general block transfer."""
    notifications = Notifications()
    for information in (LLC + b"\xe0first", b"\xe0second", b"\xe0last"):
        assert notifications.accept(notified(information), 0) == information


def test_notifications_with_a_hole_are_dropped() -> None:
    notifications = Notifications()
    assert notifications.accept(notified(b"tail"), 0) is None
    notifications.accept(notified(LLC + b"a", more=True), 0)
    assert notifications.accept(notified(b"c", more=True), 1) is None
    assert notifications.accept(notified(b"d"), 1) is None
    assert notifications.accept(notified(LLC + b"e"), 1) == LLC + b"e"


def test_a_new_notification_ends_an_unfinished_one() -> None:
    notifications = Notifications()
    notifications.accept(notified(LLC + b"a", more=True), 0)
    assert notifications.accept(notified(LLC + b"b"), 0) == LLC + b"b"


def test_notification_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdlc_window, "MAX_APDU_LENGTH", 5)
    notifications = Notifications()
    notifications.accept(notified(LLC + b"abcdef", more=True), 0)
    assert notifications.accept(notified(b"g"), 0) is None
