"""The pump, with a link that has no frames: who is woken when, what is late, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import logging
from typing import ClassVar

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.association import (
    Association,
    AssociationState,
)
from custom_components.dlms_meter.dlms.application.association_settings import (
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    Conformance,
    ExceptionServiceError,
    ExceptionStateError,
    Mechanism,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.failure import ExceptionResponse
from custom_components.dlms_meter.dlms.application.fields import (
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
)
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetResponseNormal,
)
from custom_components.dlms_meter.dlms.application.initiate import InitiateResponse
from custom_components.dlms_meter.dlms.application.notification import (
    DataNotification,
    EventNotification,
    InformationReport,
    Notification,
)
from custom_components.dlms_meter.dlms.application.procedures import (
    Procedure,
    associate,
    get,
)
from custom_components.dlms_meter.dlms.application.set import SetRequestNormal
from custom_components.dlms_meter.dlms.application.short_name import (
    UnconfirmedWriteRequest,
    VariableName,
)
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.connection import Connection
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    DlmsError,
    LinkBusy,
    LinkError,
    LocalProtocolError,
    RemoteProtocolError,
    TransportError,
    TransportTimeout,
)
from custom_components.dlms_meter.dlms.link import (
    ApduReceived,
    LinkDown,
    LinkEvent,
    LinkStatistics,
    LinkUp,
)
from custom_components.dlms_meter.dlms.timing import (
    CLOSING_TIMEOUT,
    INACTIVITY_TIMEOUT,
    INTER_OCTET_TIMEOUT,
    REQUEST_TIMEOUT,
    RESPONSE_TIMEOUT,
)
from custom_components.dlms_meter.dlms.transport.endpoint import (
    LineSettings,
    TcpEndpoint,
)
from tests.transports import MemoryTransport, memory_transports, run_virtually

ENDPOINT = TcpEndpoint("meter.example", 4059)
ATTRIBUTE = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)

ACCEPTED = Aare(
    application_context=ApplicationContext.LOGICAL_NAME,
    result=AssociationResult.ACCEPTED,
    diagnostic=UserDiagnostic.NULL,
    user_information=InitiateResponse(
        conformance=Conformance.GET, max_receive_pdu_size=500
    ).encode(),
)

CONNECT, UP, BUSY, DISCONNECT, DOWN, BROKEN, ARRIVED = (
    b"SNRM",
    b"UA",
    b"DM",
    b"DISC",
    b"UA'",
    b"!",
    b"RR",
)
TOO_LATE = bytes.fromhex("c4 01 ca 00 11 07")
"""The answer to request 10."""


class ScriptedLink:
    """A link without frames: each chunk is an APDU, or one of the words above; `#` begins an unsolicited APDU.

    It repeats itself once after silence, then gives up.
    """

    _EVENTS: ClassVar[dict[bytes, LinkEvent]] = {
        UP: LinkUp(),
        BUSY: LinkDown(LinkBusy("busy")),
        DOWN: LinkDown(),
        BROKEN: LinkDown(LinkError("broken")),
    }

    def __init__(self) -> None:
        self.statistics = LinkStatistics()
        self.awaiting_response = False
        self.answer_begun = False
        self.up = False
        self.answered = True
        self.sent = b""
        self.outbox = b""
        self.inbox: list[LinkEvent] = []

    def connect(self) -> None:
        self.send(CONNECT)

    def disconnect(self) -> None:
        if self.sent:
            self.send(DISCONNECT)
        else:
            self.inbox.append(LinkDown())

    def send_apdu(self, apdu: bytes, *, answered: bool = True) -> None:
        if not self.up:
            raise LocalProtocolError("the link is not up")
        self.send(apdu)
        self.answered = answered

    def await_more(self) -> None:
        self.awaiting_response = True

    def send(self, data: bytes) -> None:
        self.outbox = self.outbox + b"|" + data if self.outbox else data
        self.sent = data
        self.answered = self.awaiting_response = True
        self.statistics.timeouts = 0

    def receive_data(self, data: bytes) -> bool:
        for chunk in data.split(b"|"):
            if chunk == b"...":  # a part of an answer
                continue
            if chunk == ARRIVED:
                self.awaiting_response = self.answered
                continue
            self.awaiting_response = False
            event = self._EVENTS.get(chunk)
            if event is None:
                event = ApduReceived(chunk.removeprefix(b"#"), chunk.startswith(b"#"))
            self.up = self.up or event == LinkUp()
            self.inbox.append(event)
        return False

    def on_timeout(self) -> None:
        self.statistics.timeouts += 1
        if self.statistics.timeouts == 1:
            self.outbox = self.sent
        else:
            self.inbox.append(LinkDown(TransportTimeout("no answer, twice")))

    def data_to_send(self) -> bytes:
        data, self.outbox = self.outbox, b""
        return data

    def events(self) -> list[LinkEvent]:
        events, self.inbox = self.inbox, []
        return events


@dataclass
class ScriptedMeter:
    """Establishes and ends what it is asked to; answers requests with what `answers` says, silent by default."""

    answers: Callable[[bytes], bytes] = lambda _: b""
    heard: list[bytes] = field(default_factory=list)

    def receive_data(self, data: bytes) -> bytes:
        self.heard.append(data)
        match data[:1]:
            case b"S":
                return UP
            case b"D":
                return DOWN
            case b"\x60":
                return self.answers(data) or ACCEPTED.encode()
            case b"\x62":
                return self.answers(data) or Rlre().encode()
        return self.answers(data)

    def line_idle(self) -> bytes:
        return b""

    def close(self) -> None:
        self.heard.append(b"closed")


@dataclass
class Bench:
    """A connection, opened or about to be, and all that is around it."""

    connection: Connection
    association: Association
    meter: ScriptedMeter
    opened: list[MemoryTransport]
    notifications: list[Notification]

    @property
    def transport(self) -> MemoryTransport:
        return self.opened[-1]


@asynccontextmanager
async def bench(
    answers: Callable[[bytes], bytes] = lambda _: b"",
    settings: AssociationSettings | None = None,
) -> AsyncIterator[Bench]:
    meter = ScriptedMeter(answers)
    association = Association(settings or AssociationSettings())
    notifications: list[Notification] = []
    connection = Connection(
        ENDPOINT, ScriptedLink(), association, on_notification=notifications.append
    )
    with memory_transports(lambda: meter) as opened:
        try:
            yield Bench(connection, association, meter, opened, notifications)
        finally:
            await connection.close()
            assert all(not transport.open for transport in opened)


@asynccontextmanager
async def opened(
    answers: Callable[[bytes], bytes] = lambda _: b"",
) -> AsyncIterator[Bench]:
    async with bench(answers) as made:
        await made.connection.open()
        yield made


def request(invoke_id: int = 1) -> GetRequestNormal:
    return GetRequestNormal(InvokeIdAndPriority.of(invoke_id), ATTRIBUTE)


def response(value: int, invoke_id: int = 1) -> bytes:
    return GetResponseNormal(
        # As Mercury and Kaifa meters do, without the flags of the request.
        InvokeIdAndPriority(invoke_id),
        Data(DataType.UNSIGNED, value),
    ).encode()


def value_of(answer: Apdu | None) -> object:
    assert isinstance(answer, GetResponseNormal)
    assert isinstance(answer.result, Data)
    return answer.result.value


def ask(apdu: Apdu) -> Procedure[Apdu | None]:
    return (yield apdu)


def ask_twice(first: Apdu, second: Apdu) -> Procedure[tuple[Apdu | None, Apdu | None]]:
    return ((yield first), (yield second))


def same_invoke(data: bytes) -> bytes:
    """Answer with the invoke id as the value."""
    return response(data[2] & 0x0F, data[2] & 0x0F)


def test_request_and_answer() -> None:
    async def main() -> None:
        async with opened(same_invoke) as at:
            answers = await at.connection.run(ask_twice(request(1), request(2)))
            assert [value_of(answer) for answer in answers] == [1, 2]
        assert at.meter.heard == [
            CONNECT,
            request(1).encode(),
            request(2).encode(),
            DISCONNECT,
            b"closed",
        ]

    run_virtually(main())


def test_only_the_first_answer_after_a_rest_tells_whether_the_meter_ended_it() -> None:
    refusal = ExceptionResponse(
        ExceptionStateError.SERVICE_NOT_ALLOWED,
        ExceptionServiceError.OPERATION_NOT_POSSIBLE,
    )

    def answers(data: bytes) -> bytes:
        return same_invoke(data) if data == request(1).encode() else refusal.encode()

    async def main() -> None:
        async with opened(answers) as at:
            at.connection.rested = True
            _, answer = await at.connection.run(ask_twice(request(1), request(2)))
            assert answer == refusal
            at.connection.rested = True
            with pytest.raises(LinkError, match="ended the association while"):
                await at.connection.run(ask(request(3)))

    run_virtually(main())


def test_tasks_take_turns() -> None:
    async def main() -> None:
        async with opened(same_invoke) as at:
            first, second = await asyncio.gather(
                at.connection.run(ask_twice(request(1), request(2))),
                at.connection.run(ask_twice(request(3), request(4))),
            )
            values = [value_of(answer) for answer in (*first, *second)]
            assert values == [1, 2, 3, 4]
        invokes = [data[2] & 0x0F for data in at.meter.heard if data[0] == 0xC0]
        assert invokes == [1, 2, 3, 4], "a procedure is not interrupted by another"

    run_virtually(main())


def test_silence_lets_the_link_repeat_itself_and_give_up() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened() as at:
            began = loop.time()
            with pytest.raises(TransportTimeout, match="no answer, twice"):
                await at.connection.run(ask(request()))
            assert loop.time() - began == pytest.approx(2 * RESPONSE_TIMEOUT)
            with pytest.raises(TransportTimeout, match="no answer, twice"):
                await at.connection.run(ask(request()))
            assert at.meter.heard.count(request().encode()) == 2
        assert at.meter.heard[-2:] == [DISCONNECT, b"closed"], (
            "it may hear all the same"
        )

    run_virtually(main())


def test_bytes_received_keep_patience_up() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened() as at:
            for turn in range(1, 10):
                loop.call_later(0.9 * RESPONSE_TIMEOUT * turn, at.transport.say, b"...")
            loop.call_later(9 * RESPONSE_TIMEOUT, at.transport.say, response(7))
            assert value_of(await at.connection.run(ask(request()))) == 7
            assert at.meter.heard.count(request().encode()) == 1

    run_virtually(main())


def test_but_not_for_ever() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        def chatter() -> None:
            if at.transport.open:
                at.transport.say(b"...")
                loop.call_later(1, chatter)

        async with opened() as at:
            chatter()
            began = loop.time()
            with pytest.raises(TransportTimeout, match="bytes came"):
                await at.connection.run(ask(request()))
            assert loop.time() - began == pytest.approx(REQUEST_TIMEOUT)
        await asyncio.sleep(1)  # the last call of chatter

    run_virtually(main())


def test_silence_after_answers_to_others() -> None:
    async def main() -> None:
        async with opened(lambda _: response(7, 9)) as at:
            with pytest.raises(TransportTimeout, match="no answer, twice"):
                await at.connection.run(ask(request(1)))

    run_virtually(main())


def test_late_answer_is_not_taken_for_another() -> None:
    async def main() -> None:
        def answer(data: bytes) -> bytes:
            if data == request(2).encode():  # the late one comes right before it
                return response(1, 1) + b"|" + response(2, 2)
            return b""

        async with opened(answer) as at:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(at.connection.run(ask(request(1))), 1)
            assert value_of(await at.connection.run(ask(request(2)))) == 2

    run_virtually(main())


def test_answer_nobody_waits_for() -> None:
    async def main() -> None:
        async with opened(same_invoke) as at:
            at.transport.say(response(1, 1))
            await asyncio.sleep(1)
            assert value_of(await at.connection.run(ask(request(2)))) == 2

    run_virtually(main())


def test_undecodable_answer_spoils_one_request_only() -> None:
    async def main() -> None:
        def answer(data: bytes) -> bytes:
            return b"\xc4\x01" if data == request(1).encode() else same_invoke(data)

        async with opened(answer) as at:
            with pytest.raises(DecodeError):
                await at.connection.run(ask(request(1)))
            assert value_of(await at.connection.run(ask(request(2)))) == 2

    run_virtually(main())


def test_procedure_may_try_another_way_after_an_undecodable_answer() -> None:
    def ask_differently() -> Procedure[Apdu | None]:
        try:
            return (yield request(1))
        except DecodeError:
            return (yield request(2))

    async def main() -> None:
        def answer(data: bytes) -> bytes:
            return b"\xc4\x01" if data == request(1).encode() else same_invoke(data)

        async with opened(answer) as at:
            assert value_of(await at.connection.run(ask_differently())) == 2

    run_virtually(main())


def test_notifications_leave_sideways() -> None:
    """Three between request and answer, of which one is none, and one between requests."""
    pushed = DataNotification(
        LongInvokeIdAndPriority(1), b"", Data(DataType.UNSIGNED, 1)
    )
    event = EventNotification(None, ATTRIBUTE, Data(DataType.UNSIGNED, 2))
    report = InformationReport(
        None, (VariableName(0x1508),), (Data(DataType.UNSIGNED, 3),)
    )

    async def main() -> None:
        def answer(data: bytes) -> bytes:
            pieces = (pushed.encode(), b"#tilt", b"#" + event.encode(), TOO_LATE)
            return b"|".join((*pieces, same_invoke(data)))

        async with opened(answer) as at:
            assert value_of(await at.connection.run(ask(request(3)))) == 3
            at.transport.say(b"#" + report.encode())
            at.transport.say(b"#" + TOO_LATE)
            await asyncio.sleep(1)
            assert at.notifications == [pushed, event, report]

    run_virtually(main())


@pytest.mark.parametrize("garbled", ["0f", "c2 00", "18 01", "ca 30", "d2 00", "38 10"])
def test_a_notification_nobody_can_read_disturbs_nothing(garbled: str) -> None:
    async def main() -> None:
        def answer(data: bytes) -> bytes:
            return bytes.fromhex(garbled) + b"|" + same_invoke(data)

        async with opened(answer) as at:
            assert value_of(await at.connection.run(ask(request(3)))) == 3
            assert not at.notifications

    run_virtually(main())


def test_the_answer_may_come_long_after_a_notification() -> None:
    pushed = DataNotification(
        LongInvokeIdAndPriority(1), b"", Data(DataType.UNSIGNED, 1)
    )

    async def main() -> None:
        async with opened(lambda _: pushed.encode()) as at:
            loop = asyncio.get_running_loop()
            loop.call_later(RESPONSE_TIMEOUT - 1, at.transport.say, response(3, 3))
            assert value_of(await at.connection.run(ask(request(3)))) == 3
            assert at.notifications == [pushed]

    run_virtually(main())


def test_a_flood_of_notifications_ends_the_request() -> None:
    """Long before its time is over; the next one counts afresh."""
    pushed = DataNotification(
        LongInvokeIdAndPriority(1), b"", Data(DataType.UNSIGNED, 1)
    )

    async def main() -> None:
        floods = [b"|".join([pushed.encode()] * 1000), b""]

        def answer(data: bytes) -> bytes:
            return floods.pop(0) or same_invoke(data)

        async with opened(answer) as at:
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(RemoteProtocolError, match="said 500 things"):
                await at.connection.run(ask(request(3)))
            assert loop.time() - began < RESPONSE_TIMEOUT
            assert value_of(await at.connection.run(ask(request(4)))) == 4

    run_virtually(main())


UNCONFIRMED = (
    SetRequestNormal(
        InvokeIdAndPriority.of(1, confirmed=False),
        ATTRIBUTE,
        None,
        Data(DataType.UNSIGNED, 1),
    ),
    UnconfirmedWriteRequest((VariableName(0x1508),), (Data(DataType.UNSIGNED, 1),)),
)


@pytest.mark.parametrize("unconfirmed", UNCONFIRMED)
def test_an_unconfirmed_request_ends_when_it_has_arrived(unconfirmed: Apdu) -> None:
    async def main() -> None:
        async with opened(lambda _: ARRIVED) as at:
            loop = asyncio.get_running_loop()
            begun = loop.time()
            assert await at.connection.run(ask(unconfirmed)) is None
            assert loop.time() < begun + 1

    run_virtually(main())


def test_no_answer_is_owed_to_an_unconfirmed_request_that_was_broken_off() -> None:
    """What refuses the next request is not taken for that answer."""
    refusal = bytes.fromhex("d8 01 02")

    def answers(data: bytes) -> bytes:
        return refusal if data == request(2).encode() else b""

    async def main() -> None:
        async with opened(answers) as at:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(at.connection.run(ask(UNCONFIRMED[0])), 1)
            loop = asyncio.get_running_loop()
            begun = loop.time()
            answer = await at.connection.run(ask(request(2)))
            assert loop.time() - begun < RESPONSE_TIMEOUT, "it was not asked twice"
            assert answer is not None
            assert answer.encode() == refusal

    run_virtually(main())


@pytest.mark.parametrize("unconfirmed", UNCONFIRMED)
def test_a_meter_may_refuse_an_unconfirmed_request_all_the_same(
    unconfirmed: Apdu,
) -> None:
    async def main() -> None:
        refusal = ExceptionResponse(
            ExceptionStateError.SERVICE_NOT_ALLOWED,
            ExceptionServiceError.OPERATION_NOT_POSSIBLE,
        )
        async with opened(lambda _: refusal.encode()) as at:
            assert await at.connection.run(ask(unconfirmed)) == refusal

    run_virtually(main())


def test_notifications_nobody_wants() -> None:
    async def main() -> None:
        connection = Connection(
            ENDPOINT, ScriptedLink(), Association(AssociationSettings())
        )
        with memory_transports(ScriptedMeter) as opened:
            await connection.open()
            opened[0].say(b"#tilt")
            await asyncio.sleep(1)
            await connection.close()

    run_virtually(main())


def test_connection_lost_during_a_request() -> None:
    closed: list[str] = []

    def ask_and_tell() -> Procedure[None]:
        try:
            yield request()
        finally:
            closed.append("procedure")

    async def main() -> None:
        async with opened() as at:
            loop = asyncio.get_running_loop()
            loop.call_later(1, at.transport.lose, "gone")
            with pytest.raises(TransportError, match="gone"):
                await at.connection.run(ask_and_tell())
            assert closed == ["procedure"]
            with pytest.raises(TransportError, match="gone"):
                await at.connection.run(ask(request()))

    run_virtually(main())


def test_connection_lost_between_requests() -> None:
    async def main() -> None:
        async with opened() as at:
            at.transport.lose("gone")
            with pytest.raises(TransportError, match="gone"):
                await at.connection.run(ask(request()))

    run_virtually(main())


def test_link_breaks() -> None:
    async def main() -> None:
        async with opened(lambda _: BROKEN) as at:
            with pytest.raises(LinkError, match="broken"):
                await at.connection.run(ask(request()))

    run_virtually(main())


def test_link_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptedMeter, "receive_data", lambda *_: BUSY)

    async def main() -> None:
        async with bench() as at:
            with pytest.raises(LinkBusy):
                await at.connection.open()

    run_virtually(main())


def test_lost_while_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    original = MemoryTransport.__init__

    def lose_at_once(self: MemoryTransport, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)  # type: ignore[arg-type]
        self.receiver.data_received(b"welcome")
        self.lose("gone at once")

    monkeypatch.setattr(MemoryTransport, "__init__", lose_at_once)

    async def main() -> None:
        async with bench() as at:
            with pytest.raises(TransportError, match="gone at once"):
                await at.connection.open()

    run_virtually(main())


def test_close_without_open() -> None:
    async def main() -> None:
        async with bench() as at:
            pass
        assert not at.opened

    run_virtually(main())


def test_farewell_in_full() -> None:
    async def main() -> None:
        async with opened() as at:
            await at.connection.run(associate(at.association))
            assert at.association.state is AssociationState.ASSOCIATED
        kinds = [data[:1] for data in at.meter.heard]
        assert kinds == [b"S", b"\x60", b"\x62", b"D", b"c"]
        await at.connection.close()
        assert len(at.meter.heard) == 5, "only once"
        with pytest.raises(LocalProtocolError, match="closed"):
            await at.connection.run(ask(request()))

    run_virtually(main())


def test_farewell_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened() as at:
            await at.connection.run(associate(at.association))
            monkeypatch.setattr(MemoryTransport, "say", lambda *_: None)
            began = loop.time()
            await at.connection.close()
            assert loop.time() - began == pytest.approx(2 * CLOSING_TIMEOUT)
        kinds = [data[:1] for data in at.meter.heard]
        assert kinds == [b"S", b"\x60", b"\x62", b"D", b"c"]

    run_virtually(main())


@pytest.mark.parametrize("cancellations", [1, 2, 3])
def test_farewell_after_cancellation(
    cancellations: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cancellation ends one wait; what has not been said yet is said all the same."""

    async def main() -> None:
        meters: list[ScriptedMeter] = []

        async def session() -> None:
            async with opened() as at:
                meters.append(at.meter)
                await at.connection.run(associate(at.association))
                monkeypatch.setattr(MemoryTransport, "say", lambda *_: None)
                await at.connection.run(ask(request()))

        task = asyncio.create_task(session())
        for _ in range(cancellations):
            await asyncio.sleep(1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        kinds = [data[:1] for data in meters[0].heard]
        assert kinds == [b"S", b"\x60", b"\xc0", b"\x62", b"D", b"c"]

    run_virtually(main())


def test_close_ends_the_requests_of_other_tasks() -> None:
    async def main() -> None:
        async with opened() as at:
            await at.connection.run(associate(at.association))
            running = asyncio.create_task(at.connection.run(ask(request(1))))
            queued = asyncio.create_task(at.connection.run(ask(request(2))))
            await asyncio.sleep(1)
            await at.connection.close()
            with pytest.raises(LocalProtocolError, match="was closed while"):
                await running
            with pytest.raises(LocalProtocolError, match="is closed"):
                await queued
        kinds = [data[:1] for data in at.meter.heard]
        assert kinds == [b"S", b"\x60", b"\xc0", b"\x62", b"D", b"c"]

    run_virtually(main())


def test_close_cancelled_while_it_waits_for_its_turn() -> None:
    async def main() -> None:
        async with opened() as at:
            running = asyncio.create_task(at.connection.run(ask(request(1))))
            await asyncio.sleep(1)
            closing = asyncio.create_task(at.connection.close())
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            assert not at.transport.open
            with pytest.raises(DlmsError):
                await running

    run_virtually(main())


PASSWORD = b"correct horse"


def test_log_tells_everything_but_the_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = AssociationSettings(mechanism=Mechanism.LLS, secret=PASSWORD)

    def answer(data: bytes) -> bytes:
        if data[0] == 0xC0:
            many = (Data(DataType.OCTET_STRING, bytes(9)),) * 100
            return GetResponseNormal(
                InvokeIdAndPriority(1), Data(DataType.ARRAY, many)
            ).encode()
        return b""

    async def main() -> None:
        async with bench(answer, settings) as at:
            await at.connection.open()
            await at.connection.run(associate(at.association))
            await at.connection.run(ask(request()))

    run_virtually(main())
    text = caplog.text
    assert "meter.example:4059 > Aarq(" in text
    assert "meter.example:4059 > GetRequestNormal(" in text
    assert f"> {request().encode().hex(' ')}" in text
    assert "octets, not shown: a secret may be in them" in text
    assert "characters)" in text, "long APDUs are cut"
    for shown in (PASSWORD.decode(), PASSWORD.hex(), PASSWORD.hex(" "), repr(PASSWORD)):
        assert shown not in text


def test_a_password_that_is_read_is_shown_to_nobody_but_who_asked(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Some meters let their management client read the passwords of the others."""
    caplog.set_level(logging.DEBUG)
    secret = Data(DataType.OCTET_STRING, PASSWORD)
    wanted = AttributeDescriptor(15, Obis.parse("0-0:40.0.3"), 7)
    observed: list[bytes] = []

    def answer(data: bytes) -> bytes:
        asked = data[0] == 0xC0
        return (
            GetResponseNormal(InvokeIdAndPriority(data[2]), secret).encode()
            if asked
            else b""
        )

    async def main() -> None:
        async with bench(answer) as at:
            inbox = at.connection._inbox
            inbox._observer = lambda _, apdu: observed.append(apdu)
            await at.connection.open()
            await at.connection.run(associate(at.association))
            assert await at.connection.run(get(at.association, wanted)) == secret
            assert await at.connection.run(get(at.association, ATTRIBUTE)) == secret

    run_virtually(main())
    assert len(observed) == 1, "the password of whoever asked for something else"
    before, _, after = caplog.text.partition("15/0-0:40.0.3*255/7")
    told, _, _ = after.partition("> GetRequestNormal(")
    assert "GetResponseNormal, not shown" in told
    assert before
    for shown in (PASSWORD.decode(), PASSWORD.hex(), PASSWORD.hex(" "), repr(PASSWORD)):
        assert shown not in told


def test_log_hides_nothing_where_there_is_no_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        async with opened() as at:
            await at.connection.run(associate(at.association))

    run_virtually(main())
    assert ACCEPTED.encode().hex(" ") in caplog.text
    aarq = Association(AssociationSettings()).request()
    assert isinstance(decode_apdu(aarq.encode()), Aarq)
    assert aarq.encode().hex(" ") in caplog.text
    assert Rlrq().encode().hex(" ") in caplog.text


def test_pause_within_an_answer_is_shorter_than_before_it() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened() as at:
            link = at.connection._link
            assert isinstance(link, ScriptedLink)

            def begin() -> None:
                link.answer_begun = True
                at.transport.say(b"...")

            loop.call_later(0.5, begin)
            began = loop.time()
            with pytest.raises(TransportTimeout, match="no answer, twice"):
                await at.connection.run(ask(request()))
            took = loop.time() - began
            assert took == pytest.approx(0.5 + 2 * INTER_OCTET_TIMEOUT)

    run_virtually(main())


def test_octets_of_sound_frames_do_not_count_as_waiting() -> None:
    """On a slow line a long answer takes longer than any request may be waited for."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        meter = ScriptedMeter(lambda _: b"")

        class Counting(ScriptedLink):
            def receive_data(self, data: bytes) -> bool:
                self.statistics.frames_received += 1
                return super().receive_data(data)

        connection = Connection(
            ENDPOINT,
            Counting(),
            Association(AssociationSettings()),
            line=LineSettings(300),
        )

        def segment() -> None:
            transports[0].say(b"..." + b"|..." * 30)

        with memory_transports(lambda: meter) as transports:
            await connection.open()
            for turn in range(1, 60):
                loop.call_later(4 * turn, segment)
            loop.call_later(240, transports[0].say, response(7))
            answer = await connection.run(ask(request()))
            assert value_of(answer) == 7
            assert loop.time() > 2 * REQUEST_TIMEOUT - 1
            await connection.close()

    run_virtually(main())


def test_idle_session_is_given_up() -> None:
    async def main() -> None:
        async with opened(lambda _: response(7)) as at:
            assert value_of(await at.connection.run(ask(request()))) == 7
            await asyncio.sleep(INACTIVITY_TIMEOUT - 1)
            assert value_of(await at.connection.run(ask(request()))) == 7
            await asyncio.sleep(INACTIVITY_TIMEOUT + 1)
            with pytest.raises(LinkError, match=r"idle for 121 s.*Connect again"):
                await at.connection.run(ask(request()))

    run_virtually(main())
