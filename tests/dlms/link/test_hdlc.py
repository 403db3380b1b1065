"""The HDLC link, frame by frame: every state with every frame, recorded sessions, and the deviations of real meters."""

from collections.abc import Iterator
from itertools import product

import pytest

from custom_components.dlms_meter.dlms.errors import (
    DlmsError,
    LinkBusy,
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
from custom_components.dlms_meter.dlms.link.hdlc import (
    HdlcLimits,
    HdlcLink,
    HdlcParameters,
    State,
)
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameType
from custom_components.dlms_meter.dlms.link.hdlc_patience import (
    MAX_OCTETS_WITHOUT_PROGRESS,
)
from tests.dlms.link.server import CLIENT, SERVER, Server, answer_to, sent, to_client
from tests.harness import Json, Vector, each, vectors

LLC = b"\xe6\xe7\x00"
LIMITS = HdlcLimits(128, 128, 1, 1)
WIDE = HdlcLimits(128, 128, 7, 7)
INFO, RR, RNR, REJ = FrameType.I, FrameType.RR, FrameType.RNR, FrameType.REJ
UA, DM, FRMR, UI = FrameType.UA, FrameType.DM, FrameType.FRMR, FrameType.UI


def connected(limits: HdlcLimits = LIMITS, **parameters: int) -> HdlcLink:
    link = HdlcLink(HdlcParameters(**parameters))  # type: ignore[arg-type]
    link.connect()
    link.receive_data(to_client(UA, limits.encode()))
    assert link.events() == [LinkUp()]
    link.data_to_send()
    return link


def kinds(link: HdlcLink) -> list[str]:
    """Take what the link sends, in short: kind, N(S), N(R)."""
    return [
        f"{frame.type.name}{frame.send_sequence}{frame.receive_sequence}"
        if frame.type is INFO
        else f"{frame.type.name}{frame.receive_sequence}"
        if frame.type is RR
        else frame.type.name
        for frame in sent(link)
    ]


def error_of(link: HdlcLink) -> DlmsError:
    """Return why the link went down, which must be the only thing that happened."""
    [event] = link.events()
    assert isinstance(event, LinkDown)
    assert event.error is not None
    assert (link.state, link.awaiting_response) == (State.DISCONNECTED, False)
    return event.error


def awaits(link: Link) -> bool:
    return link.awaiting_response


def fed(link: Link, *pieces: bytes) -> list[LinkEvent]:
    for piece in pieces:
        link.receive_data(piece)
    return link.events()


def run(link: HdlcLink, server: Server, timeouts: int = 0) -> list[LinkEvent]:
    """Carry frames to and fro over a perfect line until both are silent; let `timeouts` pass."""
    events: list[LinkEvent] = []
    while True:
        if data := link.data_to_send():
            for frame in server.receive(data):
                link.receive_data(frame.encode())
        elif link.awaiting_response and timeouts:
            timeouts -= 1
            link.on_timeout()
        else:
            return events
        events += link.events()


# The tables


def in_state(state: State) -> HdlcLink:
    if state is State.CONNECTED:
        return connected()
    link = HdlcLink(HdlcParameters())
    if state is State.CONNECTING:
        link.connect()
    if state is State.DISCONNECTING:
        link = connected()
        link.disconnect()
    link.data_to_send()
    return link


MEANINGFUL = {
    (State.CONNECTING, UA): (State.CONNECTED, [], [LinkUp]),
    (State.CONNECTING, DM): (State.DISCONNECTING, ["DISC"], []),
    (State.CONNECTING, FRMR): (State.DISCONNECTING, ["DISC"], []),
    (State.CONNECTED, INFO): (State.CONNECTED, [], [ApduReceived]),
    (State.CONNECTED, RR): (State.CONNECTED, [], []),
    (State.CONNECTED, RNR): (State.CONNECTED, [], []),
    (State.CONNECTED, REJ): (State.CONNECTED, [], []),
    (State.CONNECTED, UA): (State.CONNECTED, [], []),
    (State.CONNECTED, DM): (State.DISCONNECTED, [], [LinkDown]),
    (State.CONNECTED, FRMR): (State.DISCONNECTED, ["DISC"], [LinkDown]),
    (State.DISCONNECTING, UA): (State.DISCONNECTED, [], [LinkDown]),
    (State.DISCONNECTING, DM): (State.DISCONNECTED, [], [LinkDown]),
    (State.DISCONNECTING, FRMR): (State.DISCONNECTED, [], [LinkDown]),
} | {(state, UI): (state, [], [ApduReceived]) for state in State}


@pytest.mark.parametrize(("state", "kind"), list(product(State, FrameType)))
def test_every_frame_in_every_state(state: State, kind: FrameType) -> None:
    link = in_state(state)
    numbered = kind in (INFO, UI)
    link.receive_data(to_client(kind, LLC + b"\xc4" if numbered else b""))
    after, answers, events = MEANINGFUL.get((state, kind), (state, [], []))
    assert link.state is after
    assert kinds(link) == answers
    assert [type(event) for event in link.events()] == events


@pytest.mark.parametrize("state", State)
def test_what_may_be_asked_in_each_state(state: State) -> None:
    link = in_state(state)
    if state is State.DISCONNECTED:
        link.connect()
        assert kinds(link) == ["SNRM"]
    else:
        with pytest.raises(LocalProtocolError, match="not disconnected"):
            link.connect()
    link = in_state(state)
    if state is State.CONNECTED:
        link.send_apdu(b"\xc0")
        assert kinds(link) == ["I00"]
    else:
        with pytest.raises(LocalProtocolError, match="not connected"):
            link.send_apdu(b"\xc0")
    link = in_state(state)
    link.disconnect()
    link.disconnect()
    if state is State.DISCONNECTED:
        assert link.events() == [LinkDown(None), LinkDown(None)]
    else:
        assert link.state is State.DISCONNECTING
        assert kinds(link) == ["DISC"] * (state is not State.DISCONNECTING)


@pytest.mark.parametrize(
    ("state", "answers"),
    [
        (State.DISCONNECTED, []),
        (State.CONNECTING, ["DISC"]),
        (State.CONNECTED, []),
        (State.DISCONNECTING, ["DISC"]),
    ],
)
def test_timeout_in_every_state(state: State, answers: list[str]) -> None:
    link = in_state(state)
    link.on_timeout()
    assert kinds(link) == answers
    assert link.statistics.timeouts == len(answers)


def test_the_table_of_frames_sent_knows_every_state() -> None:
    assert set(HdlcLink._SENT) == set(HdlcLink._RECEIVED) == set(State)
    assert set(HdlcLink._ON_TIMEOUT) == set(State) - {State.DISCONNECTED}


# Recorded sessions: our frames must be those of the client on record


def recorded(steps: list[Json]) -> Iterator[tuple[bool, bytes, Frame]]:
    for step in steps:
        octets = bytes.fromhex(step["hex"])
        yield step["dir"] == "c2s", octets, Frame.decode(octets)


@each(
    [row for row in vectors("session") if row.decoded["frames"][0]["layer"] == "hdlc"]
)
def test_recorded_sessions(vector: Vector) -> None:
    link: HdlcLink | None = None
    apdus = 0
    for ours, octets, frame in recorded(vector.decoded["frames"]):
        if not ours:
            if link is not None:
                link.receive_data(octets)
                apdus += sum(isinstance(event, ApduReceived) for event in link.events())
            continue
        if frame.type is FrameType.DISC:
            if link is None or frame.source != link._stations.client:
                link = None  # clears what may be left of an old link before ours begins
                continue
            link.disconnect()
        elif frame.type is FrameType.SNRM:
            link = link_of(frame)
            link.connect()
        elif frame.type is INFO:
            link = link or resumed(frame)
            link.send_apdu(frame.information[3:])
        assert link is not None
        assert link.data_to_send().hex() == octets.hex()
    assert link is not None
    assert link.statistics.frames_ignored == link.statistics.timeouts == 0
    assert apdus >= len(vector.decoded["apdus"]) // 2 - 3


def link_of(frame: Frame) -> HdlcLink:
    return HdlcLink(
        HdlcParameters(
            client_sap=frame.source.logical_device,
            logical_device=frame.destination.logical_device,
            physical_device=frame.destination.physical_device,
            address_length=frame.destination.length,
            send_parameters=bool(frame.information),
        )
    )


def resumed(frame: Frame) -> HdlcLink:
    """Make a link that is up and has counted to where the record begins."""
    link = link_of(frame)
    link.connect()
    link.receive_data(Frame(frame.source, frame.destination, UA).encode())
    link.data_to_send()
    link._exchange.sender._next = frame.send_sequence
    link._exchange.receiver.expected = frame.receive_sequence
    link._exchange.receiver._counts = True
    return link


# Connecting


def test_connect_offers_and_takes_the_limits_of_the_meter() -> None:
    link = HdlcLink(HdlcParameters())
    assert link.negotiated == HdlcLimits(128, 128, 1, 1)
    link.connect()
    [snrm] = sent(link)
    assert HdlcLimits.decode(snrm.information) == HdlcLimits(2030, 2030, 7, 7)
    assert link.awaiting_response
    assert fed(link, to_client(UA, HdlcLimits(504, 62, 3, 2).encode())) == [LinkUp()]
    assert link.negotiated == HdlcLimits(62, 504, 2, 3)


@pytest.mark.parametrize("information", [b"", b"\x81", b"\x00\x01\x02\x03"])
def test_ua_that_says_nothing_useful_means_the_defaults(information: bytes) -> None:
    link = HdlcLink(HdlcParameters())
    link.connect()
    assert fed(link, to_client(UA, information)) == [LinkUp()]
    assert link.negotiated == HdlcLimits(128, 128, 1, 1)


def test_silence_is_answered_by_disc_then_snrm_then_snrm_without_parameters() -> None:
    link = HdlcLink(HdlcParameters())
    link.connect()
    frames = sent(link)
    while link.awaiting_response:
        link.on_timeout()
        frames += sent(link)
    assert [(frame.type.name, bool(frame.information)) for frame in frames] == [
        ("SNRM", True),
        ("DISC", False),
        ("SNRM", True),
        ("SNRM", False),
        ("DISC", False),
    ]
    error = error_of(link)
    assert isinstance(error, TransportTimeout)
    assert "nothing came at all" in str(error)
    assert link.statistics.timeouts == 4
    assert link.statistics.frames_repeated == 3


@pytest.mark.parametrize(
    ("attempts", "send_parameters", "expected"),
    [
        (1, True, ["SNRM+"]),
        (2, True, ["SNRM+", "DISC", "SNRM"]),
        (2, False, ["SNRM", "DISC", "SNRM"]),
        (5, True, ["SNRM+", "DISC", "SNRM+", "SNRM+", "SNRM+", "SNRM"]),
    ],
)
def test_attempts(attempts: int, send_parameters: bool, expected: list[str]) -> None:
    link = HdlcLink(HdlcParameters(attempts=attempts, send_parameters=send_parameters))
    frames = list(link._steps)
    assert [f.type.name + "+" * bool(f.information) for f in frames] == expected
    assert link.fell_back == ({"SNRM+", "SNRM"} <= set(expected))


def test_busy_meter() -> None:
    link = HdlcLink(HdlcParameters(logical_device=1))
    link.connect()
    heard = kinds(link)
    for _ in range(4):
        link.receive_data(to_client(DM))
        heard += kinds(link)
    assert heard == ["SNRM", "DISC", "SNRM", "SNRM"]
    error = error_of(link)
    assert isinstance(error, LinkBusy)
    assert "address 1 " in str(error)


def test_stale_link_is_cleared() -> None:
    link = HdlcLink(HdlcParameters())
    link.connect()
    assert fed(link, to_client(DM), to_client(UA), to_client(UA)) == [LinkUp()]
    assert kinds(link) == ["SNRM", "DISC", "SNRM"]


def test_snrm_rejected_for_good() -> None:
    link = HdlcLink(HdlcParameters(attempts=2))
    link.connect()
    frmr = to_client(FRMR, b"\x93\x00\x01")
    for answer in (frmr, to_client(DM), frmr):
        link.receive_data(answer)
    assert "FRMR 930001" in str(error_of(link))


def test_no_answer_after_a_refusal_still_names_the_refusal() -> None:
    link = HdlcLink(HdlcParameters(attempts=2))
    link.connect()
    link.receive_data(to_client(DM))
    link.on_timeout()
    link.on_timeout()
    assert isinstance(error_of(link), LinkBusy)


def test_meter_that_knows_snrm_only_without_parameters() -> None:
    link = HdlcLink(HdlcParameters())
    link.connect()
    server = Server()
    for _ in range(10):
        for frame in sent(link):
            if not frame.information:
                for reply in server.receive(frame.encode()):
                    link.receive_data(reply.encode())
        if link.events() == [LinkUp()]:
            break
        link.on_timeout()
    assert link.state is State.CONNECTED


def test_late_ua_of_an_earlier_step_is_replaced_by_the_right_one() -> None:
    link = HdlcLink(HdlcParameters())
    link.connect()
    link.on_timeout()
    assert fed(link, to_client(UA), to_client(UA)) == [LinkUp()]
    assert link.negotiated == HdlcLimits(128, 128, 1, 1)
    assert fed(link, to_client(UA, HdlcLimits(100, 50, 7, 7).encode())) == []
    assert link.negotiated == HdlcLimits(50, 100, 7, 7)
    link.send_apdu(bytes(60))
    assert [len(frame.information) for frame in sent(link)][-2:] == [50, 13]


def test_ua_in_the_middle_of_a_session_changes_nothing() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.receive_data(to_client(INFO, LLC + b"\xc4", nr=1))
    link.receive_data(to_client(UA, HdlcLimits(50, 50, 1, 1).encode()))
    assert link.negotiated == LIMITS


def test_connect_again_after_the_end() -> None:
    link = connected()
    run_once = [b"\xc0\x01", b"\xc0\x02"]
    for apdu in run_once:
        link.send_apdu(apdu)
        link.receive_data(to_client(INFO, LLC + apdu, nr=1))
        link.disconnect()
        link.receive_data(to_client(DM))
        assert link.events() == [ApduReceived(apdu), LinkDown(None)]
        link.data_to_send()
        link.connect()
        assert fed(link, to_client(UA)) == [LinkUp()]


# Requests and answers


def test_one_request_one_answer() -> None:
    link = connected()
    link.send_apdu(b"\xc0\x01")
    assert link.awaiting_response
    assert (
        link.data_to_send()
        == Frame(SERVER, CLIENT, INFO, b"\xe6\xe6\x00\xc0\x01").encode()
    )
    assert link.data_to_send() == b""
    assert fed(link, to_client(INFO, LLC + b"\xc4", nr=1)) == [ApduReceived(b"\xc4")]
    assert not awaits(link)
    link.send_apdu(b"\xc0\x02")
    assert kinds(link) == ["I11"]


def test_answer_with_the_header_of_a_command() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    answer = to_client(INFO, b"\xe6\xe6\x00\xc4", nr=1)
    assert fed(link, answer) == [ApduReceived(b"\xc4")]


def test_requests_wait_for_their_turn() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.send_apdu(b"\xc1")
    assert kinds(link) == ["I00"]
    assert fed(link, to_client(INFO, LLC + b"\xc4", nr=1)) == [ApduReceived(b"\xc4")]
    assert kinds(link) == ["I11"]
    assert link.awaiting_response


def test_what_waits_is_not_said_while_the_meter_goes_on_speaking() -> None:
    """It would number anew what it says after that, and a segment on its way would get into another APDU."""
    link = connected(WIDE._replace(window_receive=3))
    link.send_apdu(b"\xc0")
    link.send_apdu(b"\xc1")
    assert kinds(link) == ["I00"]
    pushed = to_client(INFO, LLC + b"\x0f", nr=1, final=False)
    assert fed(link, pushed) == [ApduReceived(b"\x0f")]
    link.await_more()
    assert kinds(link) == []
    answer = to_client(INFO, LLC + b"\xc4", ns=1, nr=1)
    assert fed(link, answer) == [ApduReceived(b"\xc4")]
    assert kinds(link) == ["I12"]


def test_what_waits_is_said_at_last_where_a_meter_never_gives_the_word() -> None:
    link = connected(WIDE._replace(window_receive=3))
    link.send_apdu(b"\xc0")
    link.send_apdu(b"\xc1")
    answer = to_client(INFO, LLC + b"\xc4", nr=1, final=False)
    assert fed(link, answer) == [ApduReceived(b"\xc4")]
    link.await_more()
    assert kinds(link) == ["I00"]
    link.on_timeout()
    assert kinds(link) == ["RR1"]
    link.receive_data(to_client(RR, nr=1))
    assert kinds(link) == ["I11"]


WINDOWS = [1, 2, 3, 7]


@pytest.mark.parametrize("transmit", WINDOWS)
@pytest.mark.parametrize("receive", WINDOWS)
@pytest.mark.parametrize("size", [1, 32, 128, 2030])
def test_segments_both_ways(transmit: int, receive: int, size: int) -> None:
    server = Server(HdlcLimits(size, size, transmit, receive))
    link = HdlcLink(HdlcParameters())
    link.connect()
    assert run(link, server) == [LinkUp()]
    longest = min(size * 40, 8000)
    for length in (0, 1, size, longest):
        request = length.to_bytes(4) + bytes(
            (length + place) % 256 for place in range(length)
        )
        link.send_apdu(request)
        assert run(link, server) == [ApduReceived(answer_to(request))]
    link.disconnect()
    assert run(link, server) == [LinkDown(None)]
    assert link.statistics.timeouts == link.statistics.frames_repeated == 0
    assert link.statistics.frames_ignored == link.statistics.bad_checks == 0


def test_the_last_frame_of_a_window_gives_the_word() -> None:
    link = connected(WIDE._replace(max_information_receive=10, window_receive=3))
    link.send_apdu(bytes(37))
    assert [(f.send_sequence, f.segmented, f.poll_final) for f in sent(link)] == [
        (0, True, False),
        (1, True, False),
        (2, True, True),
    ]
    link.receive_data(to_client(RR, nr=3))
    assert [(f.send_sequence, f.segmented, f.poll_final) for f in sent(link)] == [
        (3, False, True)
    ]


def test_a_meter_that_takes_its_time() -> None:
    server = Server(slow=2, not_ready=1)
    link = HdlcLink(HdlcParameters())
    link.connect()
    run(link, server)
    link.send_apdu(bytes(5))
    assert run(link, server) == [ApduReceived(bytes(5))]
    assert link.statistics.timeouts == 0


def test_a_meter_that_takes_very_long_is_asked_by_the_timer() -> None:
    server = Server(slow=6)
    link = HdlcLink(HdlcParameters())
    link.connect()
    run(link, server)
    link.send_apdu(bytes(5))
    assert run(link, server) == []
    assert run(link, server, timeouts=1) == [ApduReceived(bytes(5))]


def test_a_meter_that_never_answers_but_is_there() -> None:
    server = Server(slow=1000)
    link = HdlcLink(HdlcParameters())
    link.connect()
    run(link, server)
    link.send_apdu(bytes(5))
    [event] = run(link, server, timeouts=100)
    assert isinstance(event, LinkDown)
    assert isinstance(event.error, TransportTimeout)
    assert "not its (whole) answer" in str(event.error)
    assert link.statistics.timeouts == 3


def test_notification_between_request_and_answer() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    pushed = to_client(UI, LLC + b"\x0f" + bytes(9), segmented=True)
    assert fed(link, pushed, to_client(UI, b"\x01", final=False)) == [
        ApduReceived(b"\x0f" + bytes(9) + b"\x01", unsolicited=True)
    ]
    assert link.awaiting_response
    assert fed(link, to_client(INFO, LLC + b"\xc4", nr=1)) == [ApduReceived(b"\xc4")]


def test_notification_with_a_damaged_middle_is_dropped() -> None:
    link = connected()
    damaged = bytearray(to_client(UI, b"middle", segmented=True))
    damaged[-5] ^= 1
    head = to_client(UI, LLC + b"\x0f", segmented=True)
    tail = to_client(UI, b"tail")
    assert fed(link, head, bytes(damaged), tail) == []
    assert fed(link, to_client(UI, LLC + b"\x0f")) == [ApduReceived(b"\x0f", True)]


def test_an_apdu_nobody_asked_for_is_left_to_those_who_can_read_it() -> None:
    link = connected()
    assert fed(link, to_client(INFO, LLC + b"\xc2")) == [ApduReceived(b"\xc2")]


# Deviations of meters on record


DEVIATIONS = [
    {"final_on_segments": False},
    {"acknowledges": False},
    {"counts_ready_frames": True},
    {"counts": False},
    {"header": b"\xe6\xe6\x00"},
]


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=str)
def test_deviations(deviation: dict[str, bool]) -> None:
    server = Server(**deviation)  # type: ignore[arg-type]
    link = HdlcLink(HdlcParameters())
    link.connect()
    run(link, server)
    for number in range(20):
        request = (300 + number).to_bytes(4) + bytes((number,))
        link.send_apdu(request)
        assert run(link, server) == [ApduReceived(answer_to(request))]


def test_disc_answered_by_dm() -> None:
    link = connected()
    link.disconnect()
    assert fed(link, to_client(DM)) == [LinkDown(None)]


def test_i_frame_without_information_is_an_acknowledgement() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.data_to_send()
    assert fed(link, to_client(INFO, nr=1)) == []
    assert kinds(link) == ["RR1"]
    assert fed(link, to_client(INFO, LLC + b"\xc4", ns=1, nr=1)) == [
        ApduReceived(b"\xc4")
    ]


def test_optical_echo() -> None:
    link = HdlcLink(HdlcParameters())
    link.connect()
    assert fed(link, link.data_to_send(), to_client(UA)) == [LinkUp()]
    link.send_apdu(b"\xc0")
    echo = link.data_to_send()
    assert fed(link, echo[:3], echo[3:]) == []
    assert link.awaiting_response
    assert fed(link, to_client(INFO, LLC + b"\xc4", nr=1)) == [ApduReceived(b"\xc4")]
    assert link.statistics.echoes == 2
    assert link.statistics.frames_received == 2


@each(vectors("bytes", "hdlc-echo"))
def test_recorded_echoes(vector: Vector) -> None:
    link = HdlcLink(HdlcParameters())
    link.receive_data(vector.octets)
    assert (link.statistics.echoes, link.statistics.frames_received) == (1, 1)


def test_echo_where_client_and_server_have_the_same_number() -> None:
    one = HdlcAddress(1)
    link = HdlcLink(HdlcParameters(client_sap=1))
    link.connect()
    ua = Frame(one, one, UA).encode()
    assert fed(link, link.data_to_send(), ua) == [LinkUp()]
    link.send_apdu(bytes(200))
    for _ in range(2):
        echo = link.data_to_send()
        ready = Frame(
            one,
            one,
            RR,
            receive_sequence=link._exchange.sender.unacknowledged[0].send_sequence + 1,
        )
        assert fed(link, echo, ready.encode()) == []
    poll = link.data_to_send()
    assert poll == Frame(one, one, RR).encode()
    assert fed(link, poll) == []
    answer = Frame(one, one, INFO, LLC + b"\xc4", receive_sequence=2)
    assert fed(link, answer.encode()) == [ApduReceived(b"\xc4")]
    assert link.statistics.echoes == 4


# What goes wrong on the way


def test_lost_answer_is_asked_for() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.data_to_send()
    link.on_timeout()
    assert kinds(link) == ["RR0"]
    assert fed(link, to_client(INFO, LLC + b"\xc4", nr=1)) == [ApduReceived(b"\xc4")]


def test_lost_request_is_sent_again() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    assert kinds(link) == ["I00"]
    link.on_timeout()
    assert kinds(link) == ["RR0"]
    link.receive_data(to_client(RR, nr=0))
    assert kinds(link) == ["I00"]
    assert link.statistics.frames_repeated == 1


def test_meter_that_does_not_answer_rr() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    heard = kinds(link)
    while link.awaiting_response:
        link.on_timeout()
        heard += kinds(link)
    assert heard == ["I00", "RR0", "I00", "DISC"]
    assert isinstance(error_of(link), TransportTimeout)


def test_repeated_answer_is_delivered_once() -> None:
    link = connected()
    answer = to_client(INFO, LLC + b"\xc4", nr=1)
    link.send_apdu(b"\xc0")
    assert fed(link, answer, answer) == [ApduReceived(b"\xc4")]
    link.send_apdu(b"\xc1")
    link.data_to_send()
    assert fed(link, answer) == []
    assert kinds(link) == []
    assert link.awaiting_response


def test_missing_segment_is_asked_for_and_nothing_behind_it_taken() -> None:
    link = connected(WIDE)
    link.send_apdu(b"\xc0")
    link.data_to_send()
    parts = [
        to_client(INFO, LLC + b"a", ns=0, nr=1, segmented=True, final=False),
        to_client(INFO, b"b", ns=1, nr=1, segmented=True, final=False),
        to_client(INFO, b"c", ns=2, nr=1),
    ]
    assert fed(link, parts[0], parts[2]) == []
    assert kinds(link) == ["RR1"]
    assert fed(link, parts[1], parts[2]) == [ApduReceived(b"abc")]


def test_missing_segment_in_the_middle_of_a_window_waits_for_its_end() -> None:
    link = connected(WIDE)
    link.send_apdu(b"\xc0")
    link.data_to_send()
    link.receive_data(to_client(INFO, b"b", ns=1, nr=1, segmented=True, final=False))
    assert kinds(link) == []


def test_rejected_segment_and_those_after_it_are_sent_again() -> None:
    link = connected(WIDE._replace(max_information_receive=10))
    link.send_apdu(bytes(27))
    assert kinds(link) == ["I00", "I10", "I20"]
    link.receive_data(to_client(REJ, nr=1))
    assert kinds(link) == ["I10", "I20"]
    link.receive_data(to_client(RR, nr=1))
    assert kinds(link) == ["I10", "I20"]


def test_rr_that_came_twice_sends_nothing_twice() -> None:
    link = connected(LIMITS._replace(max_information_receive=10))
    link.send_apdu(bytes(27))
    link.data_to_send()
    link.receive_data(to_client(RR, nr=1))
    assert kinds(link) == ["I10"]
    link.receive_data(to_client(RR, nr=1))
    assert kinds(link) == []
    link.receive_data(to_client(RR, nr=2))
    assert kinds(link) == ["I20"]


def test_ready_frames_outside_an_exchange_mean_nothing() -> None:
    link = connected()
    link.receive_data(to_client(RR) + to_client(RNR) + to_client(REJ))
    assert kinds(link) == []


def test_frames_of_others_are_ignored_and_named_at_the_end() -> None:
    link = HdlcLink(HdlcParameters(attempts=1))
    link.connect()
    link.receive_data(Frame(HdlcAddress(16), HdlcAddress(2), UA).encode())
    link.receive_data(Frame(HdlcAddress(17), SERVER, UA).encode())
    link.on_timeout()
    assert "other addresses" in str(error_of(link))
    assert link.statistics.frames_ignored == 2


def test_echo_alone_is_no_answer() -> None:
    link = HdlcLink(HdlcParameters())
    link.connect()
    while link.awaiting_response:
        link.receive_data(link.data_to_send())
        link.on_timeout()
    error = error_of(link)
    assert isinstance(error, TransportTimeout)
    assert "echo" in str(error)


def test_noise_alone_is_told_from_silence() -> None:
    link = HdlcLink(HdlcParameters(attempts=1))
    link.connect()
    damaged = bytearray(to_client(UA, LIMITS.encode()))
    damaged[12] ^= 0x20
    link.receive_data(bytes(damaged))
    link.on_timeout()
    assert not link.events(), "somebody is there: SNRM is sent once more"
    link.on_timeout()
    assert "no sound frame" in str(error_of(link))
    assert link.statistics.bad_checks == 1


def test_frame_behind_a_truncated_one_is_found_when_the_line_falls_silent() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.data_to_send()
    answer = to_client(INFO, LLC + bytes(100), nr=1)
    link.receive_data(answer[:60])
    assert fed(link, answer[:80]) == []
    link.on_timeout()
    assert kinds(link) == ["RR0"]
    link.receive_data(answer[:60] + answer)
    assert link.events() == [ApduReceived(bytes(100))]


def test_timeout_that_finds_a_frame_is_no_silence() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.data_to_send()
    long = to_client(INFO, LLC + bytes(200), nr=1)
    assert fed(link, long[:100] + to_client(INFO, LLC + b"\xc4", nr=1)) == []
    link.on_timeout()
    assert link.events() == [ApduReceived(b"\xc4")]
    assert kinds(link) == []


def test_meter_ends_the_link() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.data_to_send()
    link.receive_data(to_client(DM))
    error = error_of(link)
    assert isinstance(error, LinkError)
    assert not isinstance(error, LinkBusy)
    assert kinds(link) == []


def test_frame_rejected() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.data_to_send()
    link.receive_data(to_client(FRMR, b"\x54\x00\x10"))
    assert "FRMR 540010" in str(error_of(link))
    assert kinds(link) == ["DISC"]


def test_disconnect_is_tried_and_then_done_without_the_meter() -> None:
    link = connected()
    link.disconnect()
    heard = kinds(link)
    while link.awaiting_response:
        link.on_timeout()
        heard += kinds(link)
    assert heard == ["DISC"] * 3
    assert link.events() == [LinkDown(None)]


def test_late_answer_while_disconnecting_is_dropped() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    link.disconnect()
    assert kinds(link) == ["I00", "DISC"]
    assert fed(link, to_client(INFO, LLC + b"\xc4", nr=1)) == []
    assert fed(link, to_client(UA, LIMITS.encode())) == [LinkDown(None)]


# Limits


@pytest.mark.parametrize(
    "noise",
    [b"\x55" * 1024, to_client(RR, nr=5) * 100, b"\x7e\xa7\xff" * 300],
    ids=["garbage", "useless frames", "false headers"],
)
def test_endless_noise_ends_the_link(noise: bytes) -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    for _ in range(MAX_OCTETS_WITHOUT_PROGRESS // len(noise) + 1):
        link.receive_data(noise)
    assert "does not get quiet" in str(error_of(link))
    assert len(link.data_to_send()) < 1000
    assert len(link._decoder._buffer) < 3000


def test_endless_noise_while_disconnecting_ends_the_link_all_the_same() -> None:
    link = connected()
    link.disconnect()
    link.receive_data(bytes(MAX_OCTETS_WITHOUT_PROGRESS + 1))
    assert link.events() == [LinkDown(None)]


def test_noise_while_nothing_is_awaited_is_no_fault() -> None:
    link = connected()
    link.receive_data(bytes(MAX_OCTETS_WITHOUT_PROGRESS + 1))
    link.send_apdu(b"\xc0")
    assert fed(link, to_client(INFO, LLC + b"\xc4", nr=1)) == [ApduReceived(b"\xc4")]


def test_endless_empty_segments_end_the_link() -> None:
    link = connected()
    link.send_apdu(b"\xc0")
    for number in range(MAX_OCTETS_WITHOUT_PROGRESS // 9 + 2):
        link.receive_data(to_client(INFO, ns=number % 8, nr=1, segmented=True))
        link.data_to_send()
    assert isinstance(error_of(link), LinkError)


def test_endless_segments_end_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "custom_components.dlms_meter.dlms.link.hdlc_window.MAX_APDU_LENGTH", 5000
    )
    link = connected()
    link.send_apdu(b"\xc0")
    for number in range(51):
        link.receive_data(
            to_client(INFO, bytes(100), ns=number % 8, nr=1, segmented=True)
        )
    assert "without end" in str(error_of(link))
    assert kinds(link)[-1] == "DISC"


# Damage


def damage(octets: bytes) -> bytes:
    """Spoil the frame check; the header stays sound."""
    return octets[:-3] + bytes((octets[-3] ^ 0x55,)) + octets[-2:]


def begun(link: Link) -> bool:
    return link.answer_begun


def test_damaged_answer_is_asked_for_again() -> None:
    """It shows that the meter is there, and that no more will come: RR brings the answer once more."""
    link = connected(attempts=1)
    link.send_apdu(b"\xc0")
    assert kinds(link) == ["I00"]
    assert not begun(link)
    answer = to_client(INFO, b"\xe6\xe7\x00\xc4", nr=1)
    for _ in range(3):
        link.receive_data(damage(answer))
        assert begun(link)
        link.on_timeout()
        assert kinds(link) == ["RR0"]
        assert not begun(link)
    assert fed(link, answer) == [ApduReceived(b"\xc4")]


def test_answer_that_breaks_off_is_asked_for_again() -> None:
    link = connected(attempts=1)
    link.send_apdu(b"\xc0")
    link.data_to_send()
    answer = to_client(INFO, b"\xe6\xe7\x00" + bytes(40), nr=1)
    link.receive_data(answer[:5])
    assert not begun(link), "too little to tell it from noise"
    link.receive_data(answer[5:30])
    assert begun(link)
    link.on_timeout()
    assert kinds(link) == ["RR0"]


def test_damaged_ua_is_asked_for_again() -> None:
    link = HdlcLink(HdlcParameters(attempts=2))
    link.connect()
    for _ in range(3):
        assert kinds(link) == ["SNRM"]
        link.receive_data(damage(to_client(UA, LIMITS.encode())))
        link.on_timeout()
    assert kinds(link) == ["SNRM"]
    assert link.statistics.frames_repeated == 3
    link.on_timeout()
    assert kinds(link) == ["DISC"], "silence: on to the next thing to try"


def test_damage_for_ever_ends_the_link() -> None:
    link = connected(attempts=2)
    link.send_apdu(b"\xc0")
    answer = damage(to_client(INFO, b"\xe6\xe7\x00\xc4", nr=1))
    polls = 0
    while link.state is State.CONNECTED:
        link.receive_data(answer)
        link.on_timeout()
        polls += 1
        assert polls < 20
    assert polls == 2 * 3 + 2
    assert "no sound frame" in str(error_of(link))


def test_statistics_add_up_and_tell_noise() -> None:
    clean = LinkStatistics(frames_received=100)
    noisy = LinkStatistics(frames_received=10, bad_checks=5, timeouts=4)
    assert clean + noisy == LinkStatistics(
        frames_received=110, bad_checks=5, timeouts=4
    )
    assert noisy.is_noisy
    assert not clean.is_noisy
    assert not (clean + noisy).is_noisy
    assert not LinkStatistics(frames_received=10, bad_checks=10).is_noisy, "an echo"
