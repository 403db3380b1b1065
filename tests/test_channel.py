"""Several meters on one line: turns, the one open connection, and what is left of both when something goes wrong."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import override
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest

from custom_components.dlms_meter import channel as channel_module
from custom_components.dlms_meter.channel import Channel, async_get_channel
from custom_components.dlms_meter.dlms import (
    ClientSettings,
    DlmsClient,
    Endpoint,
    Framing,
    LineSettings,
    LocalProtocolError,
    Receiver,
    SerialEndpoint,
    SignOnSettings,
    TcpEndpoint,
    Transport,
    TransportError,
    UdpEndpoint,
    connection,
    find_meter,
)
from custom_components.dlms_meter.dlms.cosem.meters import ServerAddress
from tests.dlms.sites import StrictSession
from tests.line.optical import DirectMeter, OpticalMeter
from tests.line.paced import Port
from tests.line.ports import pty_meter
from tests.line.sessions import PORT, household, poll, settings
from tests.line.test_sharing import Bus
from tests.simulator import HdlcSession
from tests.transports import run_virtually

FAST = SerialEndpoint("/dev/ttyBus", LineSettings(19200))
SLOW = SerialEndpoint("/dev/ttyBus", LineSettings(2400))
OPTICAL = SerialEndpoint("/dev/ttyBus")
GATEWAY = SerialEndpoint("socket://gateway.example:8899")
TELNET = SerialEndpoint("rfc2217://gateway.example:2217")


def client_of(
    channel: Channel, endpoint: Endpoint, sign_on: SignOnSettings | None = None
) -> DlmsClient:
    to_meter = settings(endpoint, sign_on)
    return DlmsClient(to_meter, open_shared=channel.opener(to_meter.framing))


async def read(channel: Channel, client: DlmsClient) -> None:
    """Take a turn, and read twenty registers in it."""
    async with channel, client:
        assert len((await poll(client)).values) == 20
        assert client.statistics.timeouts == 0


def run(port: Port, main: Callable[[Channel], Coroutine[object, object, None]]) -> None:
    """Run on virtual time with a channel that leads to the port; nothing may stay behind, least of all an open port."""
    with patch.object(channel_module, "open_transport", port.open_transport):
        run_virtually(main(Channel()))
    assert not any(line.open for line in port.opened)


def a_port(line: LineSettings = FAST.line) -> Port:
    return Port(DirectMeter(HdlcSession(household()), line))


def test_meters_take_turns_on_one_open_port() -> None:
    """One at 19200 baud, one at 2400, one behind a sign-on at 300, all asked at the same time: the port is opened once."""
    optical = OpticalMeter(HdlcSession(household()))
    bus = Bus(
        DirectMeter(HdlcSession(household()), FAST.line),
        DirectMeter(HdlcSession(household()), SLOW.line),
        optical,
    )
    port = Port(bus)

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        clients = [
            client_of(channel, FAST),
            client_of(channel, SLOW),
            client_of(channel, OPTICAL, SignOnSettings()),
        ]
        for _ in range(2):
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(read(channel, client))
            optical.expire()
            await asyncio.sleep(60)
        assert len(port.opened) == 1
        assert port.opened[0].open
        await release()

    run(port, main)
    assert optical.log == ["/?!", "\x06252"] * 2


def test_meters_with_addresses_of_their_own() -> None:
    """Both at one speed: each hears the other's frames and keeps quiet."""
    sessions = [
        StrictSession(household(), ServerAddress(1, physical, 4))
        for physical in (17, 18)
    ]
    port = Port(Bus(*(DirectMeter(session, FAST.line) for session in sessions)))

    async def main(channel: Channel) -> None:
        async with asyncio.TaskGroup() as group:
            for physical in (17, 18) * 3:
                meter = ClientSettings(
                    endpoint=FAST,
                    framing=Framing.HDLC,
                    physical_device=physical,
                    address_length=4,
                    client_sap=settings().client_sap,
                    mechanism=settings().mechanism,
                    password=settings().password,
                )
                client = DlmsClient(meter, open_shared=channel.opener(meter.framing))
                group.create_task(read(channel, client))

    run(port, main)
    assert len(port.opened) == 1


@pytest.mark.parametrize(
    ("endpoint", "opened"),
    [(FAST, 2), (TELNET, 2), (GATEWAY, 2)],
    ids=["port", "telnet", "gateway"],
)
def test_nothing_stays_open_for_nobody(endpoint: SerialEndpoint, opened: int) -> None:
    port = a_port(endpoint.line)

    async def main(channel: Channel) -> None:
        for _ in range(2):
            await read(channel, client_of(channel, endpoint))
            assert not port.opened[-1].open

    run(port, main)
    assert len(port.opened) == opened


def test_connection_to_a_gateway_is_handed_on_but_not_kept() -> None:
    """Who waits gets it as it is; between polls others may want the gateway."""
    port = a_port(GATEWAY.line)

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(read(channel, client_of(channel, GATEWAY)))
        assert len(port.opened) == 1
        assert not port.opened[0].open
        await release()

    run(port, main)


def test_gateway_believed_to_have_another_speed_is_connected_to_anew() -> None:
    """Nobody can tell it the speed: a change would be refused, and the belief matters to timeouts only."""
    port = a_port(GATEWAY.line)
    believed = SerialEndpoint(GATEWAY.url, LineSettings(19200))

    async def main(channel: Channel) -> None:
        async with channel:
            open_shared = channel.opener(Framing.HDLC)
            for endpoint in (GATEWAY, believed):
                transport = await open_shared(endpoint, _Deaf())
                await transport.close()

    run(port, main)
    assert [line.line for line in port.opened] == [GATEWAY.line, believed.line]


class _Deaf:
    """A receiver that wants nothing."""

    error: TransportError | None = None

    def data_received(self, data: bytes) -> None:
        pass

    def connection_lost(self, error: TransportError | None) -> None:
        self.error = error


def test_wrapper_takes_a_connection_of_its_own() -> None:
    """Also from who waits with HDLC behind the same host and port: never two at once."""
    port = a_port()

    async def main(channel: Channel) -> None:
        async with channel:
            await channel.opener(Framing.HDLC)(FAST, _Deaf())
            own = await channel.opener(Framing.WRAPPER)(FAST, _Deaf())
            assert [line.open for line in port.opened] == [False, True]
            await own.close()

    run(port, main)


@pytest.mark.parametrize("in_turn", [False, True], ids=["without_a_turn", "twice"])
def test_session_needs_a_turn_of_its_own(in_turn: bool) -> None:
    port = a_port()

    async def main(channel: Channel) -> None:
        if not in_turn:
            with pytest.raises(LocalProtocolError, match="in its turn"):
                await client_of(channel, FAST).__aenter__()
            return
        async with channel, client_of(channel, FAST):
            with pytest.raises(LocalProtocolError, match="one session at a time"):
                await client_of(channel, FAST).__aenter__()

    run(port, main)
    assert len(port.opened) == in_turn


def test_turn_that_failed_leaves_a_fresh_connection() -> None:
    port = a_port()

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        with pytest.raises(TransportError):
            await read(channel, client_of(channel, SLOW))
        assert not port.opened[0].open
        await read(channel, client_of(channel, FAST))
        assert len(port.opened) == 2
        await release()

    run(port, main)


@pytest.mark.parametrize("during", ["session", "pause"])
def test_unplugged_adapter_is_opened_again(during: str) -> None:
    port = a_port()

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        gone = TransportError("the serial port is gone")
        if during == "session":
            asyncio.get_running_loop().call_later(
                0.3, lambda: port.opened[0].lose(gone)
            )
            with pytest.raises(TransportError, match="gone"):
                await read(channel, client_of(channel, FAST))
        else:
            await read(channel, client_of(channel, FAST))
            port.opened[0].lose(gone)
        await read(channel, client_of(channel, FAST))
        assert [line.open for line in port.opened] == [False, True]
        await release()

    run(port, main)


def test_connection_lost_while_it_is_opened() -> None:
    """The session hears of it, and the next one gets another."""
    port = a_port()
    opened = port.open_transport

    async def hang_up(endpoint: Endpoint, receiver: Receiver) -> Transport:
        transport = await opened(endpoint, receiver)
        if len(port.opened) == 1:
            transport.lose(TransportError("hung up"))
        return transport

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        with pytest.raises(TransportError, match="hung up"):
            await read(channel, client_of(channel, FAST))
        await read(channel, client_of(channel, FAST))
        await release()

    with patch.object(port, "open_transport", hang_up):
        run(port, main)


def test_port_that_does_not_open_is_tried_again() -> None:
    port = a_port()

    async def main(channel: Channel) -> None:
        with (
            patch.object(
                channel_module, "open_transport", side_effect=TransportError("in use")
            ),
            pytest.raises(TransportError, match="in use"),
        ):
            await read(channel, client_of(channel, FAST))
        await read(channel, client_of(channel, FAST))

    run(port, main)
    assert len(port.opened) == 1


def test_cancelled_session_gives_the_line_back() -> None:
    port = a_port()

    async def main(channel: Channel) -> None:
        first = asyncio.create_task(read(channel, client_of(channel, FAST)))
        second = asyncio.create_task(read(channel, client_of(channel, FAST)))
        await asyncio.sleep(0.3)
        first.cancel()
        await second
        assert first.cancelled()

    run(port, main)
    assert len(port.opened) == 2


class UntoldMeter(DirectMeter):
    """A meter as behind a serial port: nobody tells it that the port was closed."""

    @override
    def close(self) -> None:
        pass


def test_scan_cut_in_the_middle_of_a_frame() -> None:
    """Half a frame, half an answer, a session that nobody ended: the meter is read all the same, and nothing is left open."""
    cut_short = 0

    def is_under_way(port: Port) -> bool:
        now = asyncio.get_running_loop().time()
        line = port.opened[-1]
        timers = [*line._out._under_way, *line._in._under_way]
        return any(timer.when() > now for timer in timers if not timer.cancelled())

    async def scan(channel: Channel) -> None:
        async with channel:
            await channel.async_close()
            await find_meter(PORT)

    async def main(channel: Channel, port: Port, seconds: float) -> None:
        nonlocal cut_short
        release = channel.async_hold()
        client = client_of(channel, PORT)
        await read(channel, client)
        scanning = asyncio.create_task(scan(channel))
        await asyncio.sleep(seconds)
        assert not scanning.done()
        cut_short += is_under_way(port)
        scanning.cancel()
        async with channel, client:
            assert len((await poll(client)).values) == 20
        assert scanning.cancelled()
        await release()

    for step in range(1, 60):
        port = Port(UntoldMeter(HdlcSession(household())))
        with patch.object(connection, "open_transport", port.open_transport):
            run(port, partial(main, port=port, seconds=step * 0.013))
    assert cut_short > 10


@pytest.mark.parametrize("when", ["waiting", "called"])
def test_nothing_is_kept_for_who_gave_up_waiting(when: str) -> None:
    """`called`: the turn is his already, the connection stayed open for him, and only then he is cancelled."""
    port = a_port()

    async def main(channel: Channel) -> None:
        await channel.__aenter__()
        transport = await channel.opener(Framing.HDLC)(FAST, _Deaf())
        waiting = asyncio.create_task(read(channel, client_of(channel, FAST)))
        await asyncio.sleep(0)
        if when == "waiting":
            waiting.cancel()
            await asyncio.sleep(0)
        await transport.close()
        await channel.__aexit__(None, None, None)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(port, main)
    assert len(port.opened) == 1


def test_octets_between_two_sessions_belong_to_nobody() -> None:
    port = a_port()

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        await read(channel, client_of(channel, FAST))
        channel.data_received(b"\x7e\xa0\x08late")
        await read(channel, client_of(channel, FAST))
        await release()

    run(port, main)


def test_hold_of_a_line_in_use_ends_with_its_turn() -> None:
    port = a_port()

    async def main(channel: Channel) -> None:
        release = channel.async_hold()
        async with channel:
            await (await channel.opener(Framing.HDLC)(FAST, _Deaf())).close()
            await release()
            assert port.opened[0].open

    run(port, main)


def descriptors() -> int:
    """Count what this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.usefixtures("socket_enabled")
async def test_adapter_under_another_name(tmp_path: Path) -> None:
    """Unplugged between two polls and plugged in again: the id leads to the new device, though the old one is gone."""
    by_id = tmp_path / "usb-head"
    channel = Channel()
    release = channel.async_hold()
    client = client_of(channel, SerialEndpoint(str(by_id)))

    def meter() -> DirectMeter:
        return DirectMeter(HdlcSession(household()), LineSettings())

    async with pty_meter(meter()) as after:
        async with pty_meter(meter()) as before:
            assert before.path != after.path
            by_id.symlink_to(before.path)
            await read(channel, client)
            await read(channel, client)
            opened = descriptors()
        by_id.unlink()
        with pytest.raises(TransportError):
            await read(channel, client)
        assert descriptors() == opened - 3  # both ends of the pty, and our port
        by_id.symlink_to(after.path)
        await read(channel, client)
        assert descriptors() == opened - 2
        await release()
        assert descriptors() == opened - 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (FAST, SLOW, True),
        (FAST, SerialEndpoint("device:///dev/ttyBus"), True),
        (FAST, SerialEndpoint("/dev/ttybus"), False),
        (GATEWAY, TcpEndpoint("Gateway.example", 8899), True),
        (GATEWAY, SerialEndpoint("tcp://me@GATEWAY.example:8899/?x=1"), True),
        (GATEWAY, SerialEndpoint("rfc2217://Gateway.example:8899?y"), True),
        (GATEWAY, SerialEndpoint("socket://gateway.example:8900"), False),
        (TcpEndpoint("m", 4059), UdpEndpoint("m", 4059), False),
        (SerialEndpoint("socket://["), SerialEndpoint("socket://["), True),
        (
            SerialEndpoint("esphome://p:6053/?port_name=a&key=K1"),
            SerialEndpoint("esphome://p:6053/?port_name=a&key=K2"),
            True,
        ),
        (
            SerialEndpoint("esphome://p:6053/?port_name=a"),
            SerialEndpoint("esphome://p:6053/?port_name=b"),
            False,
        ),
    ],
)
async def test_one_line_has_one_channel(
    hass: HomeAssistant, one: Endpoint, other: Endpoint, same: bool
) -> None:
    channel = async_get_channel(hass, one)
    assert (async_get_channel(hass, other) is channel) is same
