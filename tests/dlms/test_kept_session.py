"""A session that is kept open: what it saves, that the meter keeps it, and what is done when the meter does not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    AuthenticationFailed,
    ClientMemory,
    ClientSettings,
    Data,
    DataType,
    DlmsClient,
    Framing,
    KeptSession,
    LinkError,
    LocalProtocolError,
    Mechanism,
    Obis,
    ScalerUnit,
    SecurityError,
    SignOnSettings,
    TcpEndpoint,
    TransportTimeout,
)
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameDecoder, FrameType
from tests.dlms.application.secured import CLIENT_TITLE, as_server, settings
from tests.line.optical import OpticalMeter
from tests.line.paced import Conditions, Port
from tests.line.sessions import PORT, REGISTERS, household, settings as serial_settings
from tests.simulator import (
    PUBLIC_CLIENT,
    READING_CLIENT,
    ClientRule,
    HdlcSession,
    Meter,
    MeterSettings,
    SimulatorServer,
    WrapperSession,
)
from tests.simulator.controls import CONTROLLABLE_METER, DISCONNECT
from tests.simulator.household import HOUSEHOLD_METER
from tests.simulator.objects import cosem_object, octets, uint16
from tests.simulator.settings import EVERY_SERVICE, SHORT_NAME_SERVICES
from tests.transports import MemoryTransport, memory_transports, run_virtually

BOTH = pytest.mark.parametrize("framing", Framing)
ENDPOINT = TcpEndpoint("meter.example", 4059)
MINUTE = 60.0
INACTIVITY = 120.0
CLOCK = AttributeDescriptor(8, Obis.parse("0-0:1.0.0*255"), 3)


class _Hdlc(HdlcSession):
    """A meter that can fall silent until it is connected again."""

    deaf = False

    def receive_data(self, data: bytes) -> bytes:
        if any(frame.type is FrameType.SNRM for frame in FrameDecoder().feed(data)):
            self.deaf = False
        return b"" if self.deaf else super().receive_data(data)

    def forget_association(self) -> None:
        """End the association, and leave the link up."""
        assert self._link is not None
        server = type(self._link.application)
        client_sap = self._link.application.client_sap
        self._link.application = server(self._meter, client_sap, self)


class _Wrapper(WrapperSession):
    """A meter that can fall silent for the rest of a connection."""

    deaf = False

    def receive_data(self, data: bytes) -> bytes:
        return b"" if self.deaf else super().receive_data(data)

    def forget_association(self) -> None:
        """End the association, and leave the connection open."""
        self._server = None


SESSIONS: dict[Framing, type[_Hdlc | _Wrapper]] = {
    Framing.HDLC: _Hdlc,
    Framing.WRAPPER: _Wrapper,
}


@dataclass
class Bench:
    """A client that keeps its session, and the meter at the other end."""

    client: DlmsClient
    kept: KeptSession
    opened: list[MemoryTransport]
    meters: list[_Hdlc | _Wrapper]
    begun: list[float] = field(default_factory=list)
    """When each session began, by `on_begin`."""
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = field(default_factory=dict)

    async def read(self) -> int:
        """Read twenty registers; return how many values came."""
        return len((await self.client.read(REGISTERS, self.scaler_units)).values)

    @property
    def turns(self) -> int:
        """How often the client has spoken."""
        return sum(len(transport.sent) for transport in self.opened)

    @property
    def associations(self) -> int:
        """How often the client has asked to be let in."""
        return sum(
            b"\xe6\xe6\x00\x60" in sent
            or (sent[:2] == b"\x00\x01" and sent[8:9] == b"\x60")
            for transport in self.opened
            for sent in transport.sent
        )


def client_settings(framing: Framing, **changes: object) -> ClientSettings:
    return ClientSettings(
        endpoint=ENDPOINT,
        framing=framing,
        client_sap=READING_CLIENT.client_sap,
        physical_device=17 if framing is Framing.HDLC else None,
        mechanism=Mechanism.LLS,
        password=READING_CLIENT.secret,
        **changes,  # type: ignore[arg-type]
    )


@asynccontextmanager
async def bench(
    settings: ClientSettings, meter: Meter | None = None, *, keeps: bool = True
) -> AsyncIterator[Bench]:
    """Connect a client to a meter; in the end nothing is open any more."""
    target = meter or household()
    meters: list[_Hdlc | _Wrapper] = []

    def connect() -> _Hdlc | _Wrapper:
        meters.append(SESSIONS[settings.framing](target))
        return meters[-1]

    client = DlmsClient(settings)

    async def begun() -> None:
        at.begun.append(asyncio.get_running_loop().time())

    with memory_transports(connect) as opened:
        at = Bench(client, KeptSession(client, begun, keeps=keeps), opened, meters)
        yield at
        await at.kept.end()
    assert not at.kept.is_resting
    assert not any(transport.open for transport in opened)


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Run on virtual time; neither task nor timer stays behind."""

    async def whole() -> None:
        await main()

    run_virtually(whole())


@pytest.mark.parametrize(
    ("information", "window", "turns"), [(2030, 7, 1), (128, 7, 1), (128, 1, 2)]
)
def test_turns_of_twenty_registers(information: int, window: int, turns: int) -> None:
    """The whole poll, from one to the next: nothing is asked but what is wanted."""
    limits = MeterSettings(max_information_length=information, window=window)

    async def main() -> None:
        async with bench(client_settings(Framing.HDLC), household(limits)) as at:
            await at.kept.run(at.read)
            for _ in range(3):
                before = at.turns
                assert await at.kept.run(at.read) == len(REGISTERS)
                assert at.turns - before == turns
                await asyncio.sleep(MINUTE)
        assert at.associations == len(at.begun) == 1

    run(main)


@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
@pytest.mark.parametrize(
    ("information", "window", "turns"),
    [(2030, 1, (1, 1)), (128, 3, (2, 2)), (128, 1, (6, 4))],
)
def test_turns_of_a_long_list(
    information: int, window: int, turns: tuple[int, int], short_names: bool
) -> None:
    """Lists that need no second turn take fewer than one of all; of small frames, one by one, that takes 9 (SN: 5)."""
    limits = MeterSettings(
        max_information_length=information,
        window=window,
        short_names=True,
        conformance=EVERY_SERVICE | SHORT_NAME_SERVICES,
    )
    wanted = [
        AttributeDescriptor(3, Obis.parse(f"1-0:{number}.9.0"), 2)
        for number in range(1, 65)
    ]

    async def main() -> None:
        settings = client_settings(Framing.HDLC, short_names=short_names)
        async with bench(settings, household(limits, objects=120)) as at:
            for _ in range(2):
                before = at.turns
                read = await at.kept.run(lambda: at.client.get_many(wanted))
                assert all(isinstance(value, Data) for value in read.values())
            assert at.turns - before == turns[short_names]

    run(main)


@BOTH
def test_session_is_begun_and_ended_each_time_where_nobody_keeps_it(
    framing: Framing,
) -> None:
    async def main() -> None:
        async with bench(client_settings(framing), keeps=False) as at:
            for _ in range(3):
                assert await at.kept.run(at.read) == len(REGISTERS)
                assert not at.kept.is_resting
                assert not any(transport.open for transport in at.opened)
        assert at.associations == len(at.begun) == 3
        assert at.client.memory.inactivity_timeout is None

    run(main)


@BOTH
@pytest.mark.parametrize(("interval", "asked"), [(60.0, 0), (300.0, 3)])
def test_meter_hears_from_us_in_time(
    framing: Framing, interval: float, asked: int
) -> None:
    """Every 90 s of an inactivity time-out of 120 s; not at all where it is read more often."""

    async def main() -> None:
        async with bench(client_settings(framing)) as at:
            await at.kept.run(at.read)
            assert at.client.inactivity_timeout == INACTIVITY
            for _ in range(4):
                before = at.turns
                await asyncio.sleep(interval)
                assert at.turns - before == asked
                assert await at.kept.run(at.read) == len(REGISTERS)
        assert at.associations == 1

    run(main)


@pytest.mark.parametrize("seconds", [10, 40])
def test_meter_says_how_long_it_waits(seconds: int) -> None:
    """Such as the 10 s of a Kamstrup OMNIPOWER; it is asked once, and that is kept."""
    setup = cosem_object(23, "0-0:22.0.0", *[uint16(0)] * 6, uint16(seconds))
    others = [item for item in HOUSEHOLD_METER if item.class_id != 23]
    meter = Meter(objects=[*others, setup])

    async def main() -> None:
        async with bench(client_settings(Framing.HDLC), meter) as at:
            await at.kept.run(at.read)
            assert at.client.inactivity_timeout == seconds
            before = at.turns
            await asyncio.sleep(2 * seconds)
            assert at.turns - before == 2
            stored = at.client.memory.to_storage()
        assert ClientMemory.from_storage(stored).inactivity_timeout == seconds

    run(main)


def test_what_is_set_here_counts_where_the_meter_would_wait_longer() -> None:
    """A gateway in between may not."""
    setup = cosem_object(23, "0-0:22.0.0", *[uint16(0)] * 6, uint16(3600))
    others = [item for item in HOUSEHOLD_METER if item.class_id != 23]

    async def main() -> None:
        meter = Meter(objects=[*others, setup])
        async with bench(client_settings(Framing.HDLC), meter) as at:
            await at.kept.run(at.read)
            assert at.client.memory.inactivity_timeout == 3600
            assert at.client.inactivity_timeout == INACTIVITY

    run(main)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(octets(b"120"), id="no number"),
        pytest.param(Data(DataType.INTEGER, -1), id="less than nothing"),
        pytest.param(uint16(0), id="never"),
    ],
)
def test_senseless_time_is_not_believed(told: Data) -> None:
    setup = cosem_object(23, "0-0:22.0.0", *[uint16(0)] * 6, told)
    others = [item for item in HOUSEHOLD_METER if item.class_id != 23]

    async def main() -> None:
        meter = Meter(objects=[*others, setup])
        async with bench(client_settings(Framing.HDLC), meter) as at:
            await at.kept.run(at.read)
            assert at.client.memory.inactivity_timeout == 0
            assert at.client.inactivity_timeout == INACTIVITY

    run(main)


# How a meter drops a session.


def fall_silent(at: Bench) -> None:
    at.meters[-1].deaf = True


def end_link(at: Bench) -> None:
    at.meters[-1].close()


def end_association(at: Bench) -> None:
    at.meters[-1].forget_association()


def close_connection(at: Bench) -> None:
    at.opened[-1].lose("closed by the meter")
    at.opened[-1].open = False


DROPS = [
    (Framing.HDLC, fall_silent),
    (Framing.HDLC, end_link),
    (Framing.HDLC, end_association),
    (Framing.HDLC, close_connection),
    (Framing.WRAPPER, fall_silent),
    (Framing.WRAPPER, end_association),
    (Framing.WRAPPER, close_connection),
]
DROPPED = pytest.mark.parametrize(
    ("framing", "drop"),
    DROPS,
    ids=[f"{framing.value}-{drop.__name__}" for framing, drop in DROPS],
)


@DROPPED
def test_dropped_session_is_begun_anew_in_the_same_reading(
    framing: Framing, drop: Callable[[Bench], None]
) -> None:
    async def main() -> None:
        async with bench(client_settings(framing)) as at:
            await at.kept.run(at.read)
            for sessions in (2, 3):
                drop(at)
                assert await at.kept.run(at.read) == len(REGISTERS)
                assert at.associations == len(at.begun) == sessions
                assert at.client.memory.refuses_lists is False

    run(main)


@DROPPED
def test_dropped_session_is_begun_anew_before_anything_is_done(
    framing: Framing, drop: Callable[[Bench], None]
) -> None:
    """What must not be done twice is done once."""
    every_service = MeterSettings(conformance=EVERY_SERVICE)
    meter = Meter(every_service, objects=CONTROLLABLE_METER)

    async def main() -> None:
        async with bench(client_settings(framing), meter) as at:
            await at.kept.run(at.read)
            for calls in (1, 2):
                drop(at)
                async with at.kept.lead():
                    await at.client.invoke(DISCONNECT)
                assert len(meter.calls) == calls
                assert at.kept.is_resting
        assert at.associations == 3

    run(main)


def test_ended_association_of_which_only_the_ciphering_tells() -> None:
    """Without an association the meter has no keys: the refusal is no doubt about ours."""
    keys = settings()
    rule = ClientRule(
        READING_CLIENT.client_sap,
        Mechanism.LLS,
        READING_CLIENT.secret,
        as_server(keys),
    )

    async def main() -> None:
        ciphered = client_settings(
            Framing.WRAPPER, system_title=CLIENT_TITLE, security=keys
        )
        meter = household(MeterSettings(clients=(PUBLIC_CLIENT, rule)))
        async with bench(ciphered, meter) as at:
            await at.kept.run(at.read)
            end_association(at)
            assert await at.kept.run(at.read) == len(REGISTERS)
            end_association(at)
            async with at.kept.lead():
                await at.client.get(CLOCK)
            end_association(at)
            with pytest.raises(SecurityError, match="check the keys"):
                await at.client.get(CLOCK)
            await at.kept.end()
            assert len(at.begun) == 3

    run(main)


@BOTH
def test_kept_session_is_used_for_what_must_not_be_done_twice(framing: Framing) -> None:
    async def main() -> None:
        async with bench(client_settings(framing)) as at:
            await at.kept.run(at.read)
            before = at.turns
            async with at.kept.lead():
                await at.client.get(CLOCK)
            assert at.turns - before == 2  # one to ask whether the session still is
        assert at.associations == 1

    run(main)


@DROPPED
def test_session_dropped_while_it_rests_is_found_out_by_then(
    framing: Framing, drop: Callable[[Bench], None]
) -> None:
    """The question that keeps it alive is not answered any more: nobody is waiting for that."""

    async def main() -> None:
        async with bench(client_settings(framing)) as at:
            await at.kept.run(at.read)
            drop(at)
            await asyncio.sleep(10 * MINUTE)
            assert at.associations == 1
            assert await at.kept.run(at.read) == len(REGISTERS)
        assert at.associations == 2

    run(main)


def test_refusal_is_the_end() -> None:
    """No second attempt with a password that the meter has just refused: it would lock itself."""

    async def main() -> None:
        meter = household()
        async with bench(client_settings(Framing.WRAPPER), meter) as at:
            await at.kept.run(at.read)
            other = ClientRule(READING_CLIENT.client_sap, Mechanism.LLS, b"another")
            meter.settings = replace(meter.settings, clients=(other,))
            end_association(at)
            with pytest.raises(AuthenticationFailed):
                await at.kept.run(at.read)
            assert at.associations == 2
            assert not at.kept.is_resting

    run(main)


@BOTH
def test_begun_anew_once_at_most(framing: Framing) -> None:
    async def main() -> None:
        async with bench(client_settings(framing)) as at:
            await at.kept.run(at.read)

            async def read_in_vain() -> int:
                fall_silent(at)
                return await at.read()

            with pytest.raises(TransportTimeout):
                await at.kept.run(read_in_vain)
            assert at.associations == 2
            assert not at.kept.is_resting

    run(main)


def test_other_faults_are_told_at_once() -> None:
    """They would come again; the session is ended, as nobody knows where it stands."""

    async def main() -> None:
        async with bench(client_settings(Framing.WRAPPER)) as at:
            await at.kept.run(at.read)

            async def fail() -> None:
                raise LocalProtocolError("a fault")

            with pytest.raises(LocalProtocolError, match="a fault"):
                await at.kept.run(fail)
            assert not at.kept.is_resting
            await at.kept.run(at.read)
            with pytest.raises(LocalProtocolError, match="a fault"):
                async with at.kept.lead():
                    await fail()
            assert not at.kept.is_resting
        assert at.associations == 2

    run(main)


@BOTH
def test_farewell_is_complete(framing: Framing) -> None:
    """Released, disconnected, closed: as after any session."""

    async def main() -> None:
        async with bench(client_settings(framing)) as at:
            await at.kept.run(at.read)
            await asyncio.sleep(MINUTE)
            before = len(at.opened[0].sent)
            await at.kept.end()
            farewell = at.opened[0].sent[before:]
            assert b"\x62\x03\x80\x01\x00" in farewell[0]
            assert len(farewell) == (2 if framing is Framing.HDLC else 1)
            assert not at.opened[0].open
            await at.kept.end()
            assert len(at.opened[0].sent) == before + len(farewell)

    run(main)


def test_what_it_no_longer_keeps_ends_with_its_use() -> None:
    async def main() -> None:
        async with bench(client_settings(Framing.HDLC)) as at:
            await at.kept.run(at.read)
            at.kept.keeps = False
            await at.kept.run(at.read)
            assert not at.kept.is_resting
            assert not at.opened[0].open
        assert at.associations == 1

    run(main)


def test_what_is_found_wrong_in_a_new_session_ends_it() -> None:
    """Such as another meter at the same address."""

    async def main() -> None:
        async def wrong() -> None:
            raise LinkError("another meter")

        async with bench(client_settings(Framing.HDLC)) as at:
            kept = KeptSession(at.client, wrong, keeps=True)
            with pytest.raises(LinkError, match="another meter"):
                await kept.run(at.read)
            assert not kept.is_resting
            assert not at.opened[0].open
        assert at.associations == 1

    run(main)


@BOTH
def test_reading_waits_for_the_question_that_is_under_way(framing: Framing) -> None:
    """By short names, an answer does not say to which question it belongs."""

    async def main() -> None:
        async with bench(client_settings(framing)) as at:
            await at.kept.run(at.read)
            answer = at.meters[0].receive_data
            at.meters[0].receive_data = lambda data: b""  # type: ignore[method-assign]
            await asyncio.sleep(0.75 * INACTIVITY + 1)
            [asked] = at.opened[0].sent[-1:]
            reading = asyncio.create_task(at.kept.run(at.read))
            await asyncio.sleep(1)
            assert at.opened[0].sent[-1] == asked
            at.meters[0].receive_data = answer  # type: ignore[method-assign]
            at.opened[0].say(answer(asked))
            assert await reading == len(REGISTERS)
        assert at.associations == 1

    run(main)


def test_cancelled_while_it_waits_for_the_question_that_is_under_way() -> None:
    """Nobody asks any more after that."""

    async def main() -> None:
        async with bench(client_settings(Framing.HDLC)) as at:
            await at.kept.run(at.read)
            fall_silent(at)
            await asyncio.sleep(0.75 * INACTIVITY + 1)
            reading = asyncio.create_task(at.kept.run(at.read))
            await asyncio.sleep(1)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert not at.kept.is_resting
            assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main)


def test_end_does_not_wait_for_the_question_that_is_under_way() -> None:
    async def main() -> None:
        async with bench(client_settings(Framing.WRAPPER)) as at:
            await at.kept.run(at.read)
            await asyncio.sleep(0.75 * INACTIVITY - 1)
            fall_silent(at)
            await asyncio.sleep(2)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await at.kept.end()
            assert loop.time() - began < 4  # the patience of the release

    run(main)


def test_cancelled_use_takes_leave() -> None:
    async def main() -> None:
        async with bench(client_settings(Framing.HDLC)) as at:
            await at.kept.run(at.read)
            fall_silent(at)
            reading = asyncio.create_task(at.kept.run(at.read))
            await asyncio.sleep(1)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert not at.kept.is_resting
            assert not at.opened[0].open

    run(main)


def test_short_names() -> None:
    short = MeterSettings(
        short_names=True, conformance=EVERY_SERVICE | SHORT_NAME_SERVICES
    )

    async def main() -> None:
        settings = client_settings(Framing.HDLC, short_names=True)
        async with bench(settings, household(short)) as at:
            await at.kept.run(at.read)
            before = at.turns
            assert await at.kept.run(at.read) == len(REGISTERS)
            assert at.turns - before == 1
            end_association(at)
            assert await at.kept.run(at.read) == len(REGISTERS)
        assert at.associations == 2

    run(main)


def test_sign_on_is_spared() -> None:
    """A meter that is kept awake does not fall back to its 300 baud."""
    meter = OpticalMeter(HdlcSession(household()))
    port = Port(meter, Conditions(inactivity=INACTIVITY))

    async def main() -> None:
        settings = serial_settings(PORT, SignOnSettings())
        client = DlmsClient(settings, open_shared=port.open_transport)
        known: dict[AttributeDescriptor, ScalerUnit] = {}

        async def read() -> int:
            return len((await client.read(REGISTERS, known)).values)

        async def nothing() -> None:
            pass

        kept = KeptSession(client, nothing, keeps=True)
        for _ in range(3):
            assert await kept.run(read) == len(REGISTERS)
            await asyncio.sleep(5 * MINUTE)
            assert meter.in_hdlc
        assert len([line for line in meter.log if line.startswith("/?")]) == 1
        await kept.end()

    run(main)
    assert not any(line.open for line in port.opened)


def test_session_time_is_that_of_its_use() -> None:
    async def main() -> None:
        async with bench(client_settings(Framing.HDLC)) as at:
            await at.kept.run(at.read)
            await asyncio.sleep(MINUTE)
            await at.kept.run(at.read)
            assert 0 < at.client.session_time < 1
            await asyncio.sleep(MINUTE)
            await at.kept.end()
            assert 0 < at.client.session_time < 1

    run(main)


@pytest.mark.usefixtures("socket_enabled")
@BOTH
async def test_over_tcp(framing: Framing) -> None:
    """With real sockets: one connection for many readings, another when the gateway has lost the first."""
    async with asyncio.timeout(20), SimulatorServer(household()) as server:
        ports = {Framing.HDLC: server.hdlc_port, Framing.WRAPPER: server.wrapper_port}
        port = ports[framing]
        assert port is not None
        endpoint = TcpEndpoint("127.0.0.1", port)
        client = DlmsClient(replace(client_settings(framing), endpoint=endpoint))
        begun: list[int] = []

        async def on_begin() -> None:
            begun.append(len(server.connections))

        async def read() -> int:
            return len((await client.read(REGISTERS, {})).values)

        kept = KeptSession(client, on_begin, keeps=True)
        for _ in range(3):
            assert await kept.run(read) == len(REGISTERS)
            assert len(server.connections) == 1
        assert begun == [1]
        server.drop_connections()
        assert await kept.run(read) == len(REGISTERS)
        assert len(begun) == 2
        await kept.end()


def test_observer_sees_what_is_said_in_the_association_only() -> None:
    """Not the request for it, and not the release: in a ciphered association both hold keys."""
    seen: list[tuple[bool, bytes]] = []

    async def main() -> None:
        client = DlmsClient(
            client_settings(Framing.WRAPPER),
            observer=lambda sent, apdu: seen.append((sent, apdu)),
        )
        with memory_transports(lambda: WrapperSession(household())):
            async with client:
                await client.get(CLOCK)

    run(main)
    assert [(sent, apdu[:1]) for sent, apdu in seen] == [
        (True, b"\xc0"),
        (False, b"\xc4"),
    ]
