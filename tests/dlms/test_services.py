"""Whole sessions with a simulated meter that can do everything: each service by logical and by short names, by each line."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import pytest

from custom_components.dlms_meter.dlms import (
    AccessItem,
    ActionResult,
    AssociationRejected,
    AttributeDescriptor,
    ClientMemory,
    ClientSettings,
    Conformance,
    Data,
    DataAccessResult,
    DataNotification,
    DataType,
    DecodeError,
    DlmsClient,
    EventNotification,
    Framing,
    InformationReport,
    Mechanism,
    MethodDescriptor,
    Notification,
    Obis,
    RemoteProtocolError,
    ServiceError,
    TcpEndpoint,
    TransportError,
)
from custom_components.dlms_meter.dlms.application.fields import LongInvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import GetResult
from custom_components.dlms_meter.dlms.application.short_name import VariableName
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectedAttribute
from custom_components.dlms_meter.dlms.link.wrapper import WrapperFrame
from custom_components.dlms_meter.dlms.timing import RESPONSE_TIMEOUT
from tests.simulator import Meter, MeterSettings
from tests.simulator.clients import load_profile
from tests.simulator.controls import (
    CLOCK,
    CONTROL_MODE,
    CONTROLLABLE_METER,
    DISCONNECT,
    ECHO,
    MESSAGE,
    OUTPUT_STATE,
    RECONNECT,
    give_controls,
)
from tests.simulator.hdlc import HdlcSession
from tests.simulator.meter import Push
from tests.simulator.objects import AssociationFacts
from tests.simulator.settings import (
    EVERY_SERVICE,
    SHORT_NAME_SERVICES,
    ServiceQuirks,
)
from tests.simulator.wrapper import WrapperSession
from tests.transports import memory_transports, run_virtually

NOW = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
SESSIONS: dict[Framing, Callable[[Meter], HdlcSession | WrapperSession]] = {
    Framing.HDLC: HdlcSession,
    Framing.WRAPPER: WrapperSession,
}
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
VOLTAGE = AttributeDescriptor(3, Obis.parse("1-0:32.7.0"), 2)
PROFILE = AttributeDescriptor(7, Obis.parse("1-0:99.1.0"), 2)
NULL = Data(DataType.NULL_DATA, None)
LONG = Data(DataType.OCTET_STRING, bytes(range(256)) * 8)
SHORT = Data(DataType.OCTET_STRING, b"hello")
BYE = Data(DataType.OCTET_STRING, b"good-bye")
MODE = Data(DataType.ENUM, 5)
ON, OFF = Data(DataType.BOOLEAN, True), Data(DataType.BOOLEAN, False)
SMALL = 200
"""Octets of the largest APDU, where blocks are wanted."""


@dataclass(frozen=True)
class Way:
    """How client and meter speak to each other."""

    framing: Framing
    short_names: bool = False
    window: int = 0  # of general block transfer
    small: bool = False

    def __str__(self) -> str:
        names = "short names" if self.short_names else "logical names"
        parts = [self.framing.value, names]
        if self.window:
            parts.append(f"block transfer {self.window}")
        return ", ".join([*parts, *["small APDUs"] * self.small])

    def meter(
        self,
        quirks: ServiceQuirks | None = None,
        conformance: Conformance = EVERY_SERVICE | SHORT_NAME_SERVICES,
    ) -> Meter:
        settings = MeterSettings(
            conformance=conformance,
            short_names=True,
            max_pdu_size=SMALL if self.small else 1200,
            service_quirks=quirks or ServiceQuirks(),
        )
        return give_controls(
            Meter(settings, now=lambda: NOW, objects=CONTROLLABLE_METER)
        )

    @property
    def settings(self) -> ClientSettings:
        return ClientSettings(
            endpoint=TcpEndpoint("meter.example", 4059),
            framing=self.framing,
            client_sap=1,
            physical_device=17 if self.framing is Framing.HDLC else None,
            mechanism=Mechanism.LLS,
            password=b"12345678",
            short_names=self.short_names,
            block_transfer_window=self.window,
            max_receive_pdu_size=SMALL if self.small else 0xFFFF,
        )

    def run[T](
        self,
        meter: Meter,
        ask: Callable[[DlmsClient], Awaitable[T]],
        notifications: list[Notification] | None = None,
        memory: ClientMemory | None = None,
    ) -> T:
        async def main() -> T:
            client = DlmsClient(
                self.settings,
                memory=memory,
                on_notification=None if notifications is None else notifications.append,
            )
            async with client:
                return await ask(client)

        with memory_transports(lambda: SESSIONS[self.framing](meter)):
            return run_virtually(main())


WAYS = [
    Way(framing, short_names, window, small)
    for framing in Framing
    for short_names in (False, True)
    for small in (False, True)
    for window in (0, 1, 5)
    if not (short_names and window)
]
EACH = pytest.mark.parametrize("way", WAYS, ids=str)
LOGICAL = pytest.mark.parametrize(
    "way", [way for way in WAYS if not way.short_names], ids=str
)
PLAIN = pytest.mark.parametrize(
    "way", [way for way in WAYS if not (way.small or way.window)], ids=str
)
BY_SHORT_NAMES = pytest.mark.parametrize(
    "way", [way for way in WAYS if way.short_names], ids=str
)


@EACH
def test_write_and_read_what_is_short_and_what_is_long(way: Way) -> None:
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        for value in (SHORT, LONG):
            await client.set(MESSAGE, value)
            assert meter.written[MESSAGE] == value
            assert await client.get(MESSAGE) == value
        with pytest.raises(ServiceError) as caught:
            await client.set(ENERGY, SHORT)
        assert caught.value.result is DataAccessResult.READ_WRITE_DENIED
        with pytest.raises(ServiceError) as caught:
            await client.set(MESSAGE, MODE)
        assert caught.value.result is DataAccessResult.TYPE_UNMATCHED

    way.run(meter, ask)


@EACH
def test_lists(way: Way) -> None:
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        results = await client.set_many(
            {MESSAGE: LONG, ENERGY: SHORT, CONTROL_MODE: MODE}
        )
        assert results[MESSAGE] is results[CONTROL_MODE] is None
        assert isinstance(results[ENERGY], ServiceError)
        assert meter.written == {MESSAGE: LONG, CONTROL_MODE: MODE}
        values = await client.get_many([MESSAGE, CONTROL_MODE, VOLTAGE])
        assert (values[MESSAGE], values[CONTROL_MODE]) == (LONG, MODE)
        assert client.memory.refuses_lists is False
        assert client.memory.refuses_write_lists is False

    way.run(meter, ask)


@EACH
def test_methods(way: Way) -> None:
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        assert await client.invoke(DISCONNECT) is None
        assert await client.get(OUTPUT_STATE) == OFF
        assert await client.invoke(RECONNECT, Data(DataType.INTEGER, 0)) is None
        assert await client.get(OUTPUT_STATE) == ON
        returned = await client.invoke_many([(DISCONNECT, None), (RECONNECT, None)])
        assert returned == (None, None)
        unknown = MethodDescriptor(70, Obis.parse("0-0:96.3.99"), 1)
        with pytest.raises(ServiceError):
            await client.invoke(unknown)

    way.run(meter, ask)
    assert [method for method, _ in meter.calls] == [DISCONNECT, RECONNECT] * 2


@LOGICAL
def test_methods_with_long_parameters_and_long_returns(way: Way) -> None:
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        assert await client.invoke(ECHO, SHORT) == SHORT
        assert await client.invoke(ECHO, LONG) == LONG
        returned = await client.invoke_many([(ECHO, LONG), (ECHO, SHORT), (ECHO, LONG)])
        assert returned == (LONG, SHORT, LONG)

    way.run(meter, ask)


@EACH
def test_the_object_list_is_the_same_to_the_caller(way: Way) -> None:
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        objects = await client.objects()
        found = {(item.class_id, item.logical_name) for item in objects}
        expected = {(item.class_id, item.logical_name) for item in meter.objects}
        if way.short_names:  # which has another kind of association
            here = Obis.parse("0-0:40.0.0")
            expected = expected - {(15, here)} | {(12, here)}
        assert found == expected
        assert all((item.base_name is not None) is way.short_names for item in objects)

    way.run(meter, ask)


@EACH
def test_a_long_profile(way: Way) -> None:
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        buffer = await client.get(PROFILE)
        assert isinstance(buffer.value, tuple)
        assert len(buffer.value) == len(load_profile(meter))

    way.run(meter, ask)


@LOGICAL
def test_attribute_0(way: Way) -> None:
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        whole = await client.get(CONTROL_MODE._replace(attribute_id=0))
        name = Data(DataType.OCTET_STRING, bytes(CONTROL_MODE.logical_name))
        expected = (name, ON, Data(DataType.ENUM, 1), Data(DataType.ENUM, 2))
        assert whole == Data(DataType.STRUCTURE, expected)
        changed = Data(DataType.STRUCTURE, (NULL, NULL, NULL, MODE))
        await client.set(CONTROL_MODE._replace(attribute_id=0), changed)
        assert meter.written == {CONTROL_MODE: MODE}

    way.run(meter, ask)


@LOGICAL
@pytest.mark.parametrize("break_on_error", [False, True])
def test_access(way: Way, break_on_error: bool) -> None:
    meter = way.meter()
    items = [
        AccessItem.get(VOLTAGE),
        AccessItem.set(MESSAGE, SHORT),
        AccessItem.action(ECHO, SHORT),
        AccessItem.set(ENERGY, SHORT),
        AccessItem.get(MESSAGE),
        AccessItem.action(DISCONNECT),
    ]

    async def ask(client: DlmsClient) -> None:
        outcomes = await client.access(items, break_on_error=break_on_error)
        results = [outcome.result for outcome in outcomes]
        ok, other = DataAccessResult.SUCCESS, DataAccessResult.OTHER_REASON
        assert results[:4] == [
            ok,
            ok,
            ActionResult.SUCCESS,
            DataAccessResult.READ_WRITE_DENIED,
        ]
        assert results[4:] == (
            [other, ActionResult.OTHER_REASON]
            if break_on_error
            else [ok, ActionResult.SUCCESS]
        )
        assert outcomes[2].value == SHORT
        assert outcomes[4].value == (NULL if break_on_error else SHORT)
        assert len(meter.calls) == (1 if break_on_error else 2)

    way.run(meter, ask)


@LOGICAL
def test_a_long_access(way: Way) -> None:
    meter = way.meter()
    items = [AccessItem.set(MESSAGE, LONG), AccessItem.get(MESSAGE)]

    async def ask(client: DlmsClient) -> None:
        outcomes = await client.access(items)
        assert outcomes[1].value == LONG

    if way.small and not way.window:
        with pytest.raises(Exception, match="takes 200 at most"):
            way.run(meter, ask)
    elif not way.window:
        with pytest.raises(Exception, match="takes 1200 at most"):
            way.run(meter, ask)
    else:
        way.run(meter, ask)


@EACH
def test_unconfirmed_requests(way: Way) -> None:
    """They leave no trace in the session: whatever is asked next is answered."""
    meter = way.meter()

    async def ask(client: DlmsClient) -> None:
        await client.set(MESSAGE, SHORT, confirmed=False)
        assert await client.get(MESSAGE) == SHORT
        await client.set(ENERGY, SHORT, confirmed=False)  # refused, but who knows
        await client.invoke(DISCONNECT, confirmed=False)
        assert await client.get(VOLTAGE)
        if not way.short_names:
            assert [method for method, _ in meter.calls] == [DISCONNECT]
            assert await client.access([AccessItem.get(VOLTAGE)], confirmed=False) == ()
            assert await client.get(MESSAGE) == SHORT

    way.run(meter, ask)


@BY_SHORT_NAMES
def test_answer_to_an_unconfirmed_request_is_not_taken_for_the_next(way: Way) -> None:
    """Nobody asked for it, and it has no invoke id."""
    meter = way.meter(ServiceQuirks(answers_unconfirmed=True))

    async def ask(client: DlmsClient) -> None:
        await client.set(MESSAGE, SHORT, confirmed=False)
        assert await client.get(MESSAGE) == SHORT
        voltage = await client.get(VOLTAGE)
        await client.set(ENERGY, SHORT, confirmed=False)  # refused
        await client.set(MESSAGE, BYE, confirmed=False)
        assert await client.get(VOLTAGE) == voltage
        assert await client.get(MESSAGE) == BYE
        await client.set(ENERGY, SHORT, confirmed=False)  # refused
        await client.set(MESSAGE, SHORT)
        with pytest.raises(ServiceError):
            await client.set(ENERGY, SHORT)
        assert await client.get(MESSAGE) == SHORT

    way.run(meter, ask)


@BY_SHORT_NAMES
def test_answer_to_an_unconfirmed_request_that_was_broken_off(way: Way) -> None:
    """It went out all the same, or nobody knows."""
    meter = way.meter(ServiceQuirks(answers_unconfirmed=True))

    async def ask(client: DlmsClient) -> None:
        await client.get(MESSAGE)
        task = asyncio.create_task(client.set(MESSAGE, SHORT, confirmed=False))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await client.set(MESSAGE, BYE)
        assert meter.written[MESSAGE] == BYE

    way.run(meter, ask)


@LOGICAL
@pytest.mark.parametrize("high_priority", [True, False])
def test_priority_of_each_request(way: Way, high_priority: bool) -> None:
    meter = way.meter()
    asked: list[bytes] = []

    async def main() -> None:
        client = DlmsClient(
            way.settings,
            observer=lambda is_ours, apdu: asked.append(apdu) if is_ours else None,
        )
        async with client:
            await client.get(VOLTAGE, high_priority=high_priority)
            await client.set(MESSAGE, SHORT, high_priority=high_priority)
            await client.invoke(DISCONNECT, high_priority=high_priority)

    with memory_transports(lambda: SESSIONS[way.framing](meter)):
        run_virtually(main())
    requests = [apdu for apdu in asked if apdu[0] in (0xC0, 0xC1, 0xC3)]
    assert [apdu[0] for apdu in requests] == [0xC0, 0xC1, 0xC3]
    assert [bool(apdu[2] & 0x80) for apdu in requests] == [high_priority] * 3


# Notifications

PUSHED = DataNotification(LongInvokeIdAndPriority(7), b"", LONG)
EVENT = EventNotification(None, VOLTAGE, SHORT)
REPORT = InformationReport(None, (VariableName(0x7008),), (SHORT,))


@EACH
@pytest.mark.parametrize("in_ui_frame", [False, True])
def test_notifications_between_requests_and_answers(
    way: Way, in_ui_frame: bool
) -> None:
    """By HDLC in I frames before the answer, or in UI frames, which are segmented as they are long."""
    meter = way.meter()
    notifications: list[Notification] = []

    async def ask(client: DlmsClient) -> None:
        for notification in (PUSHED, EVENT, REPORT):
            meter.pushes.append(Push(notification.encode(), in_ui_frame))
            await client.set(MESSAGE, LONG)
            assert await client.get(MESSAGE) == LONG
        assert notifications == [PUSHED, EVENT, REPORT]

    way.run(meter, ask, notifications)


# What meters refuse


@pytest.mark.parametrize("framing", Framing)
def test_blocks_are_refused_once(framing: Framing) -> None:
    """Lists whose answers need none take fewer turns than each attribute by itself."""
    way = Way(framing, small=True)
    meter = way.meter(ServiceQuirks(refuses_blocks=True))
    values = [VOLTAGE, MESSAGE, ENERGY, CLOCK]
    attributes = [*values, *(each._replace(attribute_id=1) for each in values)]
    meter.written[MESSAGE] = Data(DataType.OCTET_STRING, bytes(140))
    memory = ClientMemory()
    requests: list[bytes] = []

    def observe(sent: bool, apdu: bytes) -> None:
        if sent:
            requests.append(apdu[:2])

    async def main() -> None:
        for _ in range(2):
            requests.clear()
            client = DlmsClient(way.settings, memory=memory, observer=observe)
            async with client:
                read = await client.get_many(attributes)
                assert all(isinstance(value, Data) for value in read.values())

    with memory_transports(lambda: SESSIONS[framing](meter)):
        run_virtually(main())
    assert memory.longest_list == 4
    assert memory.refuses_lists is False
    assert requests == [b"\xc0\x03"] * 2


@PLAIN
def test_lists_are_refused_once(way: Way) -> None:
    meter = way.meter(ServiceQuirks(refuses_lists=True))
    memory = ClientMemory()

    async def ask(client: DlmsClient) -> None:
        values = await client.get_many([VOLTAGE, ENERGY])
        assert all(isinstance(value, Data) for value in values.values())
        results = await client.set_many({MESSAGE: SHORT, CONTROL_MODE: MODE})
        assert results == {MESSAGE: None, CONTROL_MODE: None}
        if not way.short_names:
            await client.invoke_many([(DISCONNECT, None), (RECONNECT, None)])

    way.run(meter, ask, memory=memory)
    assert memory.refuses_lists
    assert memory.refuses_write_lists


@PLAIN
def test_a_meter_that_takes_no_limit_for_apdus(way: Way) -> None:
    """An L+G ZMD accepts an association with the size 0 only."""
    meter = way.meter(ServiceQuirks(takes_any_pdu_size_only=True))
    memory = ClientMemory()

    async def ask(client: DlmsClient) -> object:
        return await client.get(VOLTAGE)

    way.run(meter, ask, memory=memory)
    assert memory.takes_any_pdu_size_only
    stored = ClientMemory.from_storage(memory.to_storage())
    way.run(meter, ask, memory=stored)


@PLAIN
def test_a_meter_that_refuses_for_another_reason_is_not_asked_again(way: Way) -> None:
    meter = way.meter(conformance=Conformance(0))
    memory = ClientMemory()

    async def ask(client: DlmsClient) -> None:
        raise AssertionError(client)

    with pytest.raises(AssociationRejected, match="incompatible conformance"):
        way.run(meter, ask, memory=memory)
    assert not memory.takes_any_pdu_size_only


@pytest.mark.parametrize("short_names", [False, True])
def test_a_link_that_does_not_come_up_with_parameters(short_names: bool) -> None:
    """After two sessions it is sure, and SNRM goes without them."""
    way = Way(Framing.HDLC, short_names)
    meter = way.meter(ServiceQuirks(ignores_parameters=True))
    memory = ClientMemory()
    turns = []

    async def main() -> None:
        client = DlmsClient(way.settings, memory=memory)
        for _ in range(3):
            async with client:
                assert await client.get(VOLTAGE)
                assert client.negotiated.max_information_transmit == 128
            turns.append(client.statistics.timeouts)

    with memory_transports(lambda: HdlcSession(meter)):
        run_virtually(main())
    assert memory.refuses_link_parameters
    assert turns[0] > 0
    assert turns[1] > 0
    assert turns[2] == 0


# Short names


@BY_SHORT_NAMES
@pytest.mark.parametrize("bare", [False, True])
def test_blocks_with_and_without_the_list_around(way: Way, bare: bool) -> None:
    meter = way.meter(ServiceQuirks(bare_blocks=bare))
    meter.written[MESSAGE] = LONG

    async def ask(client: DlmsClient) -> object:
        return await client.get(MESSAGE)

    assert way.run(meter, ask) == LONG


@BY_SHORT_NAMES
def test_methods_called_by_write(way: Way) -> None:
    meter = way.meter(ServiceQuirks(calls_by_write=True))
    memory = ClientMemory()

    async def ask(client: DlmsClient) -> None:
        await client.invoke(DISCONNECT)
        assert await client.get(OUTPUT_STATE) == OFF
        await client.invoke(RECONNECT)
        assert await client.get(OUTPUT_STATE) == ON

    way.run(meter, ask, memory=memory)
    assert memory.writes_methods


@BY_SHORT_NAMES
def test_names_are_read_once_and_remembered(way: Way) -> None:
    meter = way.meter()
    memory = ClientMemory()

    async def ask(client: DlmsClient) -> object:
        return await client.get(VOLTAGE)

    value = way.run(meter, ask, memory=memory)
    assert len(memory.short_names) == len(meter.objects)
    meter = way.meter(ServiceQuirks(keeps_names=True))
    stored = ClientMemory.from_storage(memory.to_storage())
    assert way.run(meter, ask, memory=stored) == value


@BY_SHORT_NAMES
def test_a_meter_that_keeps_its_names_for_itself(way: Way) -> None:
    """Who it is can be read all the same, from where every meter has it."""
    meter = way.meter(ServiceQuirks(keeps_names=True))

    async def ask(client: DlmsClient) -> None:
        name = (await client.identity()).logical_device_name
        assert name == meter.settings.logical_device_name.decode()
        with pytest.raises(ServiceError, match="object undefined"):
            await client.get(VOLTAGE)

    way.run(meter, ask)


@BY_SHORT_NAMES
def test_values_with_their_units_and_a_profile(way: Way) -> None:
    """What is built on reading works as well by short names."""
    by_short_names, by_logical_names = (
        Way(way.framing, short_names, small=way.small) for short_names in (True, False)
    )

    async def ask(client: DlmsClient) -> object:
        report = await client.read([VOLTAGE, ENERGY, CLOCK], {})
        assert not report.failed
        return report.values, await client.identity()

    read = by_short_names.run(by_short_names.meter(), ask)
    assert read == by_logical_names.run(by_logical_names.meter(), ask)


# General block transfer


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize("window", [1, 3, 63])
@pytest.mark.parametrize("lost", [1, 2, 3, 4, 5, 11, 12])
def test_lost_blocks(framing: Framing, window: int, lost: int) -> None:
    """They are asked for again, at once where a later block shows the gap, or else after silence."""
    way = Way(framing, window=window, small=True)
    meter = way.meter(ServiceQuirks(lost_blocks=frozenset({lost})))
    meter.written[MESSAGE] = LONG

    async def ask(client: DlmsClient) -> None:
        assert Conformance.GENERAL_BLOCK_TRANSFER in client.negotiated.conformance
        assert await client.get(MESSAGE) == LONG
        await client.set(MESSAGE, LONG)
        assert await client.get(MESSAGE) == LONG

    way.run(meter, ask)


def test_an_answer_that_comes_after_blocks_were_asked_for() -> None:
    """There were none, and the meter says so: that is no answer to the next request."""
    way = Way(Framing.WRAPPER, window=3)
    meter = way.meter()
    delays: list[float] = []

    class Refusing(WrapperSession):
        def receive_data(self, data: bytes) -> bytes:
            if data[8:9] == b"\xe0":
                return WrapperFrame(1, 1, b"\xd8\x01\x01").encode()
            return super().receive_data(data)

    def late(_: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
        yield delays.pop() if delays else 0, data

    async def main() -> None:
        async with DlmsClient(way.settings) as client:
            voltage, energy = await client.get(VOLTAGE), await client.get(ENERGY)
            delays.append(RESPONSE_TIMEOUT + 1)
            assert await client.get(VOLTAGE) == voltage
            assert await client.get(ENERGY) == energy

    with memory_transports(lambda: Refusing(meter), fault=late):
        run_virtually(main())


@pytest.mark.parametrize("framing", Framing)
def test_a_long_request_takes_effect_once_on_a_slow_line(framing: Framing) -> None:
    """Silence is no sign that blocks got lost, where the link or TCP sees to it that none do.

    The second request fits the window of the meter: repeated as a whole, it would be another one.
    """
    way = Way(framing, window=4, small=True)
    values = [LONG, Data(DataType.OCTET_STRING, bytes(400))]
    meter = way.meter()
    written: list[Data] = []
    meter.takers[MESSAGE] = written.append

    def late(_: Random, octets: bytes) -> Iterator[tuple[float, bytes]]:
        yield 0.7 * RESPONSE_TIMEOUT, octets

    async def main() -> None:
        async with DlmsClient(way.settings) as client:
            for value in values:
                await client.set(MESSAGE, value)

    with memory_transports(lambda: SESSIONS[framing](meter), fault=late):
        run_virtually(main())
    assert written == values


def test_all_blocks_lost() -> None:
    """The request ends within its time, with an error."""
    way = Way(Framing.WRAPPER, window=3, small=True)
    meter = way.meter()
    meter.written[MESSAGE] = LONG

    class Deaf(WrapperSession):
        def receive_data(self, data: bytes) -> bytes:
            answer = super().receive_data(data)
            return b"" if answer[8:9] == b"\xe0" else answer

    async def main() -> None:
        with pytest.raises(Exception, match="did not answer"):
            async with DlmsClient(way.settings) as client:
                await client.get(MESSAGE)

    with memory_transports(lambda: Deaf(meter)):
        run_virtually(main())


@pytest.mark.parametrize("short_names", [False, True])
def test_what_a_meter_does_not_offer(short_names: bool) -> None:
    way = Way(Framing.WRAPPER, short_names)
    meter = way.meter(conformance=Conformance.GET | Conformance.READ)

    async def ask(client: DlmsClient) -> None:
        with pytest.raises(RemoteProtocolError, match="does not offer"):
            await client.set(MESSAGE, SHORT)
        with pytest.raises(RemoteProtocolError, match="does not offer"):
            await client.invoke(DISCONNECT)
        assert await client.get(VOLTAGE)

    way.run(meter, ask)


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("turns", range(0, 40, 3))
def test_blocks_that_were_broken_off_are_not_taken_for_those_of_the_next_answer(
    framing: Framing, writes: bool, turns: int
) -> None:
    """Nor is what acknowledges them: general block transfer names no request, so the session is over."""
    way = Way(framing, window=3, small=True)
    meter = way.meter()
    meter.written[MESSAGE] = LONG

    def slow(random: Random, data: bytes) -> Iterator[tuple[float, bytes]]:
        yield random.random(), data

    async def main() -> None:
        async with DlmsClient(way.settings) as client:
            voltage = await client.get(VOLTAGE)
            work = client.set(MESSAGE, LONG) if writes else client.get(MESSAGE)
            task = asyncio.ensure_future(work)
            await asyncio.sleep(turns / 10)
            task.cancel()
            await asyncio.wait({task})
            if task.cancelled():
                with pytest.raises(TransportError, match="broken off"):
                    await client.get(MESSAGE)
            else:
                assert await client.get(VOLTAGE) == voltage

    with memory_transports(lambda: SESSIONS[framing](meter), fault=slow):
        run_virtually(main())


@PLAIN
def test_nobody_gets_the_answer_to_a_request_that_was_broken_off(way: Way) -> None:
    """Where answers have no invoke id, the session is over, politely; the others go on."""

    async def ask(client: DlmsClient) -> None:
        energy, voltage = await client.get(ENERGY), await client.get(VOLTAGE)
        asking = asyncio.create_task(client.get(ENERGY))
        await asyncio.sleep(0)  # it is sent, and the answer is under way
        asking.cancel()
        await asyncio.wait({asking})
        assert asking.cancelled()
        assert client.is_open is not way.short_names
        if way.short_names:
            with pytest.raises(TransportError, match="broken off"):
                await client.get(VOLTAGE)
        else:
            assert await client.get(VOLTAGE) == voltage != energy

    meter = way.meter()
    way.run(meter, ask)
    assert meter.occupy(object()), "took its leave"


def baffled_by(way: Way, baffling: AttributeDescriptor) -> Meter:
    """Make a meter that answers an exception to any request for one attribute, and so tells no invoke id."""
    meter = way.meter()
    read = meter.read

    def read_or_fail(
        association: AssociationFacts, wanted: SelectedAttribute
    ) -> GetResult:
        if wanted.attribute == baffling:
            raise DecodeError("not understood")
        return read(association, wanted)

    meter.read = read_or_fail  # type: ignore[method-assign]
    return meter


async def break_off(client: DlmsClient, *attributes: AttributeDescriptor) -> None:
    """Ask for each attribute, and do not wait for the answer."""
    for attribute in attributes:
        asking = asyncio.create_task(client.get(attribute))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        assert asking.cancelled()


LOGICAL_NAMES = pytest.mark.parametrize(
    "way", [Way(framing) for framing in Framing], ids=str
)


@LOGICAL_NAMES
def test_a_late_exception_is_not_taken_for_that_to_the_next_request(way: Way) -> None:
    """An exception has no invoke id; the meter answers in the order it is asked."""

    async def ask(client: DlmsClient) -> None:
        voltage = await client.get(VOLTAGE)
        await break_off(client, MESSAGE)
        assert await client.get(VOLTAGE) == voltage
        with pytest.raises(ServiceError, match="other reason"):
            await client.get(MESSAGE)

    way.run(baffled_by(way, MESSAGE), ask)


@LOGICAL_NAMES
def test_what_is_owed_is_settled_by_what_comes_for_it(way: Way) -> None:
    """Then an exception is the answer to the request in flight."""

    async def ask(client: DlmsClient) -> None:
        await break_off(client, VOLTAGE)
        with pytest.raises(ServiceError, match="other reason"):
            await client.get(MESSAGE)
        await break_off(client, MESSAGE)
        await asyncio.sleep(1)  # it comes while nobody asks for anything
        with pytest.raises(ServiceError, match="other reason"):
            await client.get(MESSAGE)

    way.run(baffled_by(way, MESSAGE), ask)


@PLAIN
def test_broken_off_in_the_turn_in_which_the_answer_came(way: Way) -> None:
    """Then none is owed: what comes next is the answer to the next request, and the session goes on."""
    asking: list[asyncio.Task[Data]] = []

    def break_off_at_once(sent: bool, _: bytes) -> None:
        if asking and not sent:
            asking.pop().cancel()

    async def main() -> None:
        async with DlmsClient(way.settings, observer=break_off_at_once) as client:
            voltage = await client.get(VOLTAGE)
            task = asyncio.create_task(client.get(ENERGY))
            asking.append(task)
            await asyncio.wait({task})
            assert task.cancelled()
            with pytest.raises(ServiceError, match="other reason"):
                await client.get(MESSAGE)
            assert await client.get(VOLTAGE) == voltage

    meter = baffled_by(way, MESSAGE)
    with memory_transports(lambda: SESSIONS[way.framing](meter)):
        run_virtually(main())


def test_a_late_answer_that_nobody_can_read() -> None:
    """It says nothing about the next request either; and what was never answered is owed no more."""
    way = Way(Framing.WRAPPER)
    meter = baffled_by(way, MESSAGE)
    replies = iter([b"\xc4\x01", None, b""])  # damage, nothing of it, silence

    class Forgetful(WrapperSession):
        def receive_data(self, data: bytes) -> bytes:
            answer = super().receive_data(data)
            if answer[8:9] != b"\xd8" or (apdu := next(replies, None)) is None:
                return answer
            return WrapperFrame(1, 1, apdu).encode() if apdu else b""

    async def main() -> None:
        async with DlmsClient(way.settings) as client:
            voltage = await client.get(VOLTAGE)
            await break_off(client, MESSAGE)
            assert await client.get(VOLTAGE) == voltage
            with pytest.raises(ServiceError, match="other reason"):
                await client.get(MESSAGE)
            await break_off(client, MESSAGE)
            assert await client.get(VOLTAGE) == voltage
            with pytest.raises(ServiceError, match="other reason"):
                await client.get(MESSAGE)

    with memory_transports(lambda: Forgetful(meter)):
        run_virtually(main())
