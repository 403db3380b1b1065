"""A line on which one session stays open: it gives way to whoever else wants the line, and ends as it should."""

import asyncio
from collections.abc import Callable, Coroutine
from unittest.mock import patch

import pytest

from custom_components.dlms_meter import channel as channel_module
from custom_components.dlms_meter.channel import Channel
from custom_components.dlms_meter.dlms import (
    DlmsClient,
    Endpoint,
    Framing,
    KeptSession,
    LineSettings,
    Receiver,
    SerialEndpoint,
    TcpEndpoint,
    Transport,
    TransportError,
)
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameDecoder, FrameType
from tests.line.optical import DirectMeter, Saying
from tests.line.paced import Port
from tests.line.sessions import household, poll, settings
from tests.line.test_sharing import Bus
from tests.simulator import HdlcSession, WrapperSession
from tests.transports import MemoryTransport, run_virtually

FAST = SerialEndpoint("/dev/ttyBus", LineSettings(19200))
SLOW = SerialEndpoint("/dev/ttyBus", LineSettings(2400))
NETWORK = TcpEndpoint("meter.example", 4059)
MINUTE = 60.0


class Heard(Bus):
    """A bus that notes each frame the client sends, with the speed it is sent at."""

    def __init__(self, *meters: DirectMeter) -> None:
        super().__init__(*meters)
        self.frames: list[tuple[int, FrameType]] = []
        self._decoder = FrameDecoder()

    def hear(self, data: bytes, line: LineSettings) -> list[Saying]:
        for frame in self._decoder.feed(data):
            self.frames.append((line.speed, frame.type))
        return super().hear(data, line)


class Guest:
    """Who reads one meter now and then, and would like to keep the session."""

    def __init__(self, channel: Channel, endpoint: Endpoint) -> None:
        framing = Framing.WRAPPER if endpoint == NETWORK else Framing.HDLC
        to_meter = settings(endpoint, framing=framing)
        self._channel = channel
        self.client = DlmsClient(to_meter, open_shared=channel.opener(framing))
        self.kept = KeptSession(self.client, self._begun, keeps=True)
        self.begun = 0

    async def _begun(self) -> None:
        self.begun += 1

    async def read(self) -> None:
        """Take a turn, and read twenty registers in it."""
        async with self._channel.turn(self.kept):
            report = await self.kept.run(lambda: poll(self.client))
        assert len(report.values) == 20
        assert self.client.statistics.timeouts == 0


def run(port: Port, main: Callable[[Channel], Coroutine[object, object, None]]) -> None:
    """Run on virtual time with a channel that leads to the port; nothing may stay behind, least of all an open port."""
    with patch.object(channel_module, "open_transport", port.open_transport):
        run_virtually(main(Channel()))
    assert not any(line.open for line in port.opened)


def two_meters() -> Heard:
    return Heard(
        DirectMeter(HdlcSession(household()), FAST.line),
        DirectMeter(HdlcSession(household()), SLOW.line),
    )


def test_session_stays_as_long_as_nobody_else_wants_the_line() -> None:
    bus = two_meters()
    port = Port(bus)

    async def main(channel: Channel) -> None:
        guest = Guest(channel, FAST)
        for _ in range(5):
            await guest.read()
            await asyncio.sleep(MINUTE)
        assert guest.begun == 1
        assert [line.open for line in port.opened] == [True]
        assert (FAST.line.speed, FrameType.DISC) not in bus.frames
        await channel.async_end(guest.kept)
        await channel.async_end(guest.kept)

    run(port, main)
    assert bus.frames.count((FAST.line.speed, FrameType.SNRM)) == 1
    assert bus.frames[-1] == (FAST.line.speed, FrameType.DISC)


def test_who_else_wants_the_line_gets_it_after_a_farewell() -> None:
    """Both would like to keep their sessions: each gives way to the other."""
    bus = two_meters()

    async def main(channel: Channel) -> None:
        guests = [Guest(channel, FAST), Guest(channel, SLOW)]
        for _ in range(2):
            for guest in guests:
                await guest.read()
                assert guest.kept.is_resting
                await asyncio.sleep(MINUTE)
        assert [guest.begun for guest in guests] == [2, 2]
        await channel.async_end(guests[0].kept)  # it rests no longer
        assert guests[1].kept.is_resting
        await channel.async_end(guests[1].kept)

    run(Port(bus), main)
    links = [
        (speed, kind)
        for speed, kind in bus.frames
        if kind in (FrameType.SNRM, FrameType.DISC)
    ]
    one, other = FAST.line.speed, SLOW.line.speed
    assert (
        links
        == [
            (one, FrameType.SNRM),
            (one, FrameType.DISC),
            (other, FrameType.SNRM),
            (other, FrameType.DISC),
        ]
        * 2
    )


def test_who_waits_for_the_line_gets_it_at_once() -> None:
    async def main(channel: Channel) -> None:
        guests = [Guest(channel, FAST), Guest(channel, SLOW)]
        async with asyncio.TaskGroup() as group:
            for guest in guests * 2:
                group.create_task(guest.read())
        assert [guest.begun for guest in guests] == [2, 2]
        await channel.async_end(guests[1].kept)

    run(Port(two_meters()), main)


def test_dialog_takes_the_line() -> None:
    """A scan closes the connection, and the next reading opens it again."""
    port = Port(two_meters())

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        guest = Guest(channel, FAST)
        await guest.read()
        async with channel:
            assert not guest.kept.is_resting
            await channel.async_close()
            assert not port.opened[0].open
        await guest.read()
        assert guest.begun == 2
        await channel.async_end(guest.kept)
        await release()

    run(port, main)


def test_port_is_closed_when_nobody_holds_it_and_nothing_rests_on_it() -> None:
    port = Port(two_meters())

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        guest = Guest(channel, FAST)
        await guest.read()
        await release()
        assert port.opened[0].open
        await channel.async_end(guest.kept)
        assert not port.opened[0].open

    run(port, main)


def test_session_in_use_is_left_alone() -> None:
    async def main(channel: Channel) -> None:
        guest = Guest(channel, FAST)
        reading = asyncio.create_task(guest.read())
        await asyncio.sleep(0.5)
        guest.kept.keeps = False
        await channel.async_end(guest.kept)
        assert not reading.done()
        await reading
        assert not guest.kept.is_resting

    run(Port(two_meters()), main)


def test_who_gave_up_waiting_disturbs_nobody() -> None:
    async def main(channel: Channel) -> None:
        guest = Guest(channel, FAST)
        reading = asyncio.create_task(guest.read())
        await asyncio.sleep(0.5)
        waiting = asyncio.create_task(Guest(channel, SLOW).read())
        await asyncio.sleep(0)
        waiting.cancel()
        await reading
        assert guest.kept.is_resting
        await guest.read()
        assert guest.begun == 1
        await channel.async_end(guest.kept)

    run(Port(two_meters()), main)


def test_cancelled_while_the_other_session_ends() -> None:
    """The farewell is cut short, and the turn is given on."""

    async def main(channel: Channel) -> None:
        guests = [Guest(channel, FAST), Guest(channel, SLOW)]
        await guests[0].read()
        impatient = asyncio.create_task(guests[1].read())
        await asyncio.sleep(0.01)
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        assert not guests[0].kept.is_resting
        await guests[0].read()
        await channel.async_end(guests[0].kept)

    run(Port(two_meters()), main)


def test_fault_in_a_turn_ends_the_session_that_rested() -> None:
    """Before it was even used."""

    async def main(channel: Channel) -> None:
        guest = Guest(channel, FAST)
        await guest.read()
        with pytest.raises(ValueError, match="a fault"):
            async with channel.turn(guest.kept):
                raise ValueError("a fault")
        assert not guest.kept.is_resting
        await guest.read()
        await channel.async_end(guest.kept)

    run(Port(two_meters()), main)


def test_adapter_unplugged_while_a_session_rests() -> None:
    port = Port(two_meters())

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        guest = Guest(channel, FAST)
        await guest.read()
        port.opened[0].lose(TransportError("the serial port is gone"))
        await guest.read()
        assert guest.begun == 2
        assert [line.open for line in port.opened] == [False, True]
        await channel.async_end(guest.kept)
        await release()

    run(port, main)


def test_meter_with_its_own_network_connection() -> None:
    """The connection ends with the association: who else wants the line gets another."""
    opened: list[MemoryTransport] = []

    async def open_transport(_: Endpoint, receiver: Receiver) -> Transport:
        opened.append(MemoryTransport(receiver, WrapperSession(household())))
        return opened[-1]

    async def main() -> None:
        channel = Channel()
        guests = [Guest(channel, NETWORK), Guest(channel, NETWORK)]
        for guest in (guests[0], guests[0], guests[1]):
            await guest.read()
            assert opened[-1].open
        assert [each.open for each in opened] == [False, True]
        await channel.async_end(guests[1].kept)

    with patch.object(channel_module, "open_transport", open_transport):
        run_virtually(main())
    assert not any(each.open for each in opened)
