"""Whole dialogues over lines that spoil frames: the right answers come, each once, or the link says that it is down.

There is no clock: when nothing moves any more and the link still waits, its timer has run out.
"""

from collections.abc import Callable, Iterator
from itertools import product
from random import Random

import pytest

from custom_components.dlms_meter.dlms.errors import DlmsError
from custom_components.dlms_meter.dlms.link import (
    ApduReceived,
    LinkDown,
    LinkEvent,
    LinkStatistics,
    LinkUp,
)
from custom_components.dlms_meter.dlms.link.hdlc import (
    HdlcLimits,
    HdlcLink,
    HdlcParameters,
)
from custom_components.dlms_meter.dlms.link.hdlc_express import Express
from tests.dlms.link.server import Server, answer_to, sent

type Fault = Callable[[bytes, Random], bytes | None]

REQUESTS = [
    length.to_bytes(4) + bytes((place,)) + bytes(place * 30)
    for place, length in enumerate((0, 3, 130, 10, 600, 0, 260))
]
SHORT_REQUESTS = [request[:5] for request in REQUESTS]  # one frame each
LIMITS = [
    HdlcLimits(128, 128, 1, 1),
    HdlcLimits(64, 40, 7, 7),
    HdlcLimits(50, 64, 3, 2),
]


def drop(_octets: bytes, _random: Random) -> bytes:
    return b""


def delay(_octets: bytes, _random: Random) -> None:
    """Let the frame arrive together with the next one in its direction."""


def flip(octets: bytes, random: Random) -> bytes:
    damaged = bytearray(octets)
    damaged[random.randrange(len(octets))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def double(octets: bytes, _random: Random) -> bytes:
    return octets + octets


def cut_off(octets: bytes, random: Random) -> bytes:
    return octets[: random.randrange(len(octets))]


def make_hole(octets: bytes, random: Random) -> bytes:
    start = random.randrange(len(octets))
    return octets[:start] + octets[start + random.randint(1, 5) :]


def add_garbage(octets: bytes, random: Random) -> bytes:
    return random.randbytes(random.randint(1, 30)) + octets


def add_flags(octets: bytes, random: Random) -> bytes:
    return b"\x7e" * random.randint(1, 4) + octets + b"\x7e\xa0"


FAULTS: list[Fault] = [
    drop,
    delay,
    flip,
    double,
    cut_off,
    make_hole,
    add_garbage,
    add_flags,
]


class Line:
    """A line between link and server; `spoil` gets every frame that passes, in either direction, and its place."""

    def __init__(
        self,
        link: HdlcLink,
        server: Server,
        spoil: Callable[[int, bytes], bytes | None],
        *,
        echo: bool = False,
    ) -> None:
        self.link = link
        self.server = server
        self.spoil = spoil
        self.echo = echo
        self.frames = 0
        self.late = {True: b"", False: b""}

    def run(self) -> list[LinkEvent]:
        """Let frames and timeouts pass until the link waits for nothing."""
        events: list[LinkEvent] = []
        for _ in range(2000):
            frames = sent(self.link)
            for frame in frames:
                octets = frame.encode()
                if self.echo:
                    self.receive(octets)
                replies = self.server.receive(self.pass_on(octets, to_server=True))
                for reply in replies:
                    self.receive(self.pass_on(reply.encode(), to_server=False))
            events += self.link.events()
            if not frames and not self.link.awaiting_response:
                return events
            if not frames:
                self.link.on_timeout()
        raise AssertionError("the link never comes to an end")

    def pass_on(self, octets: bytes, *, to_server: bool) -> bytes:
        self.frames += 1
        spoilt = self.spoil(self.frames, octets)
        if spoilt is None:
            self.late[to_server] += octets
            return b""
        late, self.late[to_server] = self.late[to_server], b""
        return late + spoilt

    def receive(self, octets: bytes) -> None:
        middle = len(octets) * 2 // 3
        self.link.receive_data(octets[:middle])
        self.link.receive_data(octets[middle:])


def dialogue(
    line: Line, requests: list[bytes] = REQUESTS
) -> Iterator[DlmsError | None]:
    """Run a session and check all it brings; yield the error that ended each part, or None."""
    link = line.link
    link.connect()
    events = line.run()
    while not isinstance(events[-1], LinkDown):
        if events != [LinkUp()]:
            raise AssertionError(events)
        for request in requests:
            link.send_apdu(request)
            events = line.run()
            answers = [event for event in events if isinstance(event, ApduReceived)]
            assert answers in ([], [ApduReceived(answer_to(request))])
            if events != answers:
                break
            yield None
        else:
            link.disconnect()
            events = line.run()
            assert events == [LinkDown(None)]
    [*_, last] = events
    assert isinstance(last, LinkDown)
    yield last.error


def new_link(**parameters: int) -> HdlcLink:
    return HdlcLink(HdlcParameters(max_information_length=128, **parameters))  # type: ignore[arg-type]


def length_of_dialogue(limits: HdlcLimits) -> int:
    line = Line(new_link(), Server(limits), lambda _place, octets: octets)
    assert list(dialogue(line)) == [None] * (len(REQUESTS) + 1)
    return line.frames


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_every_frame_of_a_dialogue_spoilt_once(
    limits: HdlcLimits, fault: Fault
) -> None:
    for spoilt in range(1, length_of_dialogue(limits) + 1):
        random = Random(spoilt)

        def spoil(place: int, octets: bytes) -> bytes | None:
            return fault(octets, random) if place == spoilt else octets  # noqa: B023

        server = Server(limits)
        line = Line(new_link(), server, spoil)
        assert list(dialogue(line)) == [None] * (len(REQUESTS) + 1), spoilt
        assert server.requests == REQUESTS


@pytest.mark.parametrize("fault", [*FAULTS, None])
@pytest.mark.parametrize("limits", LIMITS, ids=str)
@pytest.mark.parametrize("percent", [3, 15, 40])
def test_bad_lines(limits: HdlcLimits, fault: Fault | None, percent: int) -> None:
    for seed in range(6):
        random = Random(seed)

        def spoil(_place: int, octets: bytes) -> bytes | None:
            if random.randrange(100) >= percent:  # noqa: B023
                return octets
            return (fault or random.choice(FAULTS))(octets, random)  # noqa: B023

        server = Server(limits)
        line = Line(new_link(attempts=4), server, spoil, echo=seed % 2 == 1)
        outcomes = list(dialogue(line))
        assert outcomes[:-1] == [None] * (len(outcomes) - 1)
        assert server.requests == REQUESTS[: len(server.requests)], "none twice"


@pytest.mark.parametrize(
    ("deviation", "enough"),
    [
        ({"final_on_segments": False}, 0.9),
        ({"acknowledges": False}, 0.9),
        ({"counts_ready_frames": True}, 0.9),
        ({"counts": False}, 0.4),
    ],
    ids=str,
)
def test_deviating_meters_on_bad_lines(
    deviation: dict[str, bool], enough: float
) -> None:
    """What cannot be repaired without numbers must end in an error, the rest in answers."""
    ends = []
    for fault, seed in product(FAULTS, range(25)):
        random = Random(seed)

        def spoil(_place: int, octets: bytes) -> bytes | None:
            return fault(octets, random) if random.randrange(100) < 4 else octets  # noqa: B023

        server = Server(**deviation)  # type: ignore[arg-type]
        outcomes = list(dialogue(Line(new_link(), server, spoil), SHORT_REQUESTS))
        assert outcomes[:-1] == [None] * (len(outcomes) - 1)
        ends.append(outcomes[-1])
    assert ends.count(None) > enough * len(ends)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("limits", LIMITS, ids=str)
def test_segments_taken_at_once_change_nothing(
    limits: HdlcLimits, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens on the line, what is said and counted is what the plain way of taking segments says and counts."""

    def transcript() -> tuple[list[bytes], LinkStatistics]:
        random, said = Random(7), list[bytes]()

        def spoil(_place: int, octets: bytes) -> bytes | None:
            said.append(octets)
            return fault(octets, random) if random.random() < 0.1 else octets

        line = Line(new_link(), Server(limits), spoil)
        list(dialogue(line))
        return said, line.link.statistics

    at_once = transcript()
    monkeypatch.setattr(Express, "information", lambda *_: b"")
    assert at_once == transcript()
