"""Whole sessions with the simulated meter: what a program gets, and that a session always ends as it should."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
import gc
import logging

import pytest

from custom_components.dlms_meter.dlms import (
    AssociationRejected,
    AttributeDescriptor,
    AuthenticationFailed,
    ClientSettings,
    Conformance,
    DataAccessResult,
    DecodeError,
    DlmsClient,
    DlmsDateTime,
    Framing,
    LinkBusy,
    LocalProtocolError,
    Mechanism,
    Obis,
    Quantity,
    ScalerUnit,
    ServiceError,
    TcpEndpoint,
    TransportError,
    TransportTimeout,
    Unit,
)
from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.notification import Notification
from custom_components.dlms_meter.dlms.client import OBJECT_LIST
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectedAttribute
from custom_components.dlms_meter.dlms.cosem.identity import IDENTITY_ATTRIBUTES
from custom_components.dlms_meter.dlms.cosem.values import scaler_unit_of
from custom_components.dlms_meter.dlms.link.hdlc import HdlcLink
from tests.simulator import (
    READING_CLIENT,
    AssociationFacts,
    HdlcSession,
    Meter,
    MeterSettings,
    SimulatorServer,
    WrapperSession,
)
from tests.simulator.objects import (
    MeterObject,
    cosem_object,
    octets,
    scaler_unit,
    text,
    uint32,
)
from tests.transports import memory_transports, run_virtually

NOW = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
RLRQ = bytes.fromhex("62 03 80 01 00")
DISC = bytes.fromhex("7e a0 08 02 23 21 53")
ENDPOINT = TcpEndpoint("meter.example", 4059)
SESSIONS: dict[Framing, Callable[[Meter], HdlcSession | WrapperSession]] = {
    Framing.HDLC: HdlcSession,
    Framing.WRAPPER: WrapperSession,
}
BOTH = pytest.mark.parametrize("framing", Framing)


def register(code: str, attribute_id: int = 2) -> AttributeDescriptor:
    return AttributeDescriptor(3, Obis.parse(code), attribute_id)


ENERGY, ENERGY_SCALER = register("1-0:1.8.0"), register("1-0:1.8.0", 3)
VOLTAGE = register("1-0:32.7.0")
POWER = register("1-0:1.7.0")
REGISTERS = tuple(
    register(f"1-0:{code}")
    for code in (
        "1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1", "2.8.2", "3.8.0", "4.8.0",
        "1.7.0", "2.7.0", "16.7.0", "3.7.0", "4.7.0", "21.7.0", "41.7.0", "61.7.0",
        "32.7.0", "31.7.0", "14.7.0", "13.7.0",
    )
)  # fmt: skip
CLOCK = AttributeDescriptor(8, Obis.parse("0-0:1.0.0"), 2)
LOGICAL_DEVICE_NAME = AttributeDescriptor(1, Obis.parse("0-0:42.0.0"), 2)


def make_meter(
    objects: Sequence[MeterObject] | None = None, settings: MeterSettings | None = None
) -> Meter:
    if objects is None:
        return Meter(settings, now=lambda: NOW)
    return Meter(settings, now=lambda: NOW, objects=objects)


def settings_for(framing: Framing, **changes: object) -> ClientSettings:
    physical_device = 17 if framing is Framing.HDLC else None
    return ClientSettings(
        endpoint=ENDPOINT,
        framing=framing,
        physical_device=physical_device,
        **changes,  # type: ignore[arg-type]
    )


def line_to(
    meter: Meter, framing: Framing
) -> Callable[[], HdlcSession | WrapperSession]:
    return lambda: SESSIONS[framing](meter)


@dataclass
class Overheard:
    """A session with the meter of which someone else hears all that is asked, first."""

    session: HdlcSession | WrapperSession
    hear: Callable[[bytes], None]

    def receive_data(self, data: bytes) -> bytes:
        self.hear(data)
        return self.session.receive_data(data)

    def line_idle(self) -> bytes:
        return self.session.line_idle()

    def close(self) -> None:
        self.session.close()


def told_by(meter: Meter, attribute: AttributeDescriptor) -> Data:
    """Return what the meter's own table says."""
    facts = AssociationFacts(16, Mechanism.NONE, meter.settings.conformance, 0)
    value = meter.read(facts, SelectedAttribute(attribute))
    assert isinstance(value, Data)
    return value


def quantity_told_by(meter: Meter, attribute: AttributeDescriptor) -> Quantity:
    """Compute a register's value by hand."""
    raw = told_by(meter, attribute).value
    scaling = told_by(meter, attribute._replace(attribute_id=3)).value
    assert isinstance(raw, int)
    assert isinstance(scaling, tuple)
    scaler, unit = (element.value for element in scaling)
    assert isinstance(scaler, int)
    assert isinstance(unit, int)
    return Quantity(raw * Decimal(10) ** scaler, unit)


def test_frames_stay_short_until_nothing_is_damaged() -> None:
    """After a noisy session: one that got through with some damage did so because they were short."""
    client = DlmsClient(settings_for(Framing.HDLC))
    lengths: list[int] = []
    for damaged, timeouts in ((20, 20), (1, 0), (1, 0), (0, 0), (1, 0)):
        client.statistics.frames_received = 50
        client.statistics.bad_checks = damaged
        client.statistics.timeouts = timeouts
        client._prepare()
        assert isinstance(client._link, HdlcLink)
        lengths.append(client._link.parameters.max_information_length)
    assert lengths == [128, 128, 128, 2030, 2030]


@BOTH
def test_everything_a_poll_needs(framing: Framing) -> None:
    meter = make_meter()
    progress: list[int] = []

    async def main() -> None:
        client = DlmsClient(settings_for(framing))
        async with client:
            identity = await client.identity()
            objects = await client.objects(progress.append)
            report = await client.read([*REGISTERS, CLOCK], {})

        assert (
            identity.logical_device_name == meter.settings.logical_device_name.decode()
        )
        assert identity.serial_number == meter.settings.serial_number
        assert identity.firmware == "2.4.1"

        assert progress == sorted(set(progress))
        assert len(progress) > 1, "the list comes in blocks"
        listed = {(item.class_id, item.logical_name) for item in objects}
        association = told_by(meter, OBJECT_LIST).value
        assert isinstance(association, tuple)
        assert len(listed) == len(objects) == len(association)
        assert {attribute[:2] for attribute in REGISTERS} <= listed

        assert not report.failed
        assert report.values.pop(CLOCK) == DlmsDateTime.from_datetime(
            NOW.astimezone(meter.settings.time_zone)
        )
        assert report.values == {
            attribute: quantity_told_by(meter, attribute) for attribute in REGISTERS
        }
        assert client.negotiated.conformance == meter.settings.conformance
        assert client.negotiated.max_pdu_size == 1200
        hdlc = (512, 512, 3, 3) if framing is Framing.HDLC else (None,) * 4
        assert (
            client.negotiated.max_information_transmit,
            client.negotiated.max_information_receive,
            client.negotiated.window_transmit,
            client.negotiated.window_receive,
        ) == hdlc
        assert client.statistics.timeouts == 0
        assert client.statistics.frames_received >= 7

    with memory_transports(line_to(meter, framing)) as opened:
        run_virtually(main())
    assert not opened[0].open


@pytest.mark.usefixtures("socket_enabled")
@BOTH
async def test_the_same_over_tcp(framing: Framing) -> None:
    async with asyncio.timeout(10), SimulatorServer(make_meter()) as server:
        ports = {Framing.HDLC: server.hdlc_port, Framing.WRAPPER: server.wrapper_port}
        port = ports[framing]
        assert port is not None
        endpoint = TcpEndpoint("127.0.0.1", port)
        async with DlmsClient(
            replace(settings_for(framing), endpoint=endpoint)
        ) as client:
            report = await client.read(REGISTERS, {})
    assert report.values == {
        attribute: quantity_told_by(server.meter, attribute) for attribute in REGISTERS
    }


@pytest.mark.usefixtures("socket_enabled")
@BOTH
async def test_a_session_that_is_over_holds_nothing_that_holds_it(
    framing: Framing,
) -> None:
    """All of it goes at once, nothing is left to the garbage collector: that stops the program while it looks."""
    async with asyncio.timeout(10), SimulatorServer(make_meter()) as server:
        ports = {Framing.HDLC: server.hdlc_port, Framing.WRAPPER: server.wrapper_port}
        port = ports[framing]
        assert port is not None
        endpoint = TcpEndpoint("127.0.0.1", port)
        client = DlmsClient(replace(settings_for(framing), endpoint=endpoint))
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for _ in range(3):
                async with client:
                    await client.read(REGISTERS, {})
            gc.collect()
            found = {f"{type(each).__module__}.{type(each)}" for each in gc.garbage}
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert not {name for name in found if "dlms_meter" in name}


def test_twenty_registers_take_one_turn_once_the_scalers_are_known() -> None:
    meter = make_meter()
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = {}

    async def main() -> None:
        async with DlmsClient(settings_for(Framing.WRAPPER)) as client:
            await client.read(REGISTERS, scaler_units)
            assert set(scaler_units) == {scaler_unit_of(one) for one in REGISTERS}
            known = dict(scaler_units)
            before = len(opened[0].sent)
            report = await client.read(REGISTERS, scaler_units)
            assert len(opened[0].sent) - before == 1
            assert scaler_units == known
            assert len(report.values) == len(REGISTERS)

    with memory_transports(line_to(meter, Framing.WRAPPER)) as opened:
        run_virtually(main())


def test_scaler_the_caller_knows_is_believed() -> None:
    meter = make_meter()
    scaler_units = {ENERGY_SCALER: ScalerUnit(-1, Unit.WATT_HOUR)}

    async def main() -> None:
        async with DlmsClient(settings_for(Framing.WRAPPER)) as client:
            report = await client.read([ENERGY], scaler_units)
        raw = told_by(meter, ENERGY).value
        assert isinstance(raw, int)
        assert report.values[ENERGY] == Quantity(Decimal(raw) / 10, Unit.WATT_HOUR)

    with memory_transports(line_to(meter, Framing.WRAPPER)):
        run_virtually(main())


@BOTH
def test_what_fails_spoils_nothing_else(framing: Framing) -> None:
    meter = make_meter(
        [
            cosem_object(1, "0-0:42.0.0", octets(b"SIM0000040817263")),
            cosem_object(3, "1-0:1.8.0", uint32(123457), scaler_unit(-1, 30)),
            cosem_object(3, "1-0:2.8.0", uint32(1), scaler_unit(0, 30)),
            cosem_object(3, "1-0:3.8.0", uint32(2), scaler_unit(0, 32)),
            cosem_object(3, "1-0:4.8.0", uint32(3), text("no scaler")),
        ]
    )
    refused, scaler_refused = register("1-0:2.8.0"), register("1-0:3.8.0")
    no_scaler, absent = register("1-0:4.8.0"), register("1-0:32.7.0")
    meter.refusals = {
        refused: DataAccessResult.TEMPORARY_FAILURE,
        scaler_refused._replace(attribute_id=3): DataAccessResult.READ_WRITE_DENIED,
    }
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = {}

    async def main() -> None:
        wanted = [ENERGY, refused, scaler_refused, no_scaler, absent]
        async with DlmsClient(settings_for(framing)) as client:
            report = await client.read(wanted, scaler_units)
        energy = Quantity(Decimal("12345.7"), Unit.WATT_HOUR)
        assert report.values == {ENERGY: energy}
        assert set(report.failed) == {refused, scaler_refused, no_scaler, absent}
        for attribute, result in {
            refused: DataAccessResult.TEMPORARY_FAILURE,
            scaler_refused: DataAccessResult.READ_WRITE_DENIED,
            absent: DataAccessResult.OBJECT_UNDEFINED,
        }.items():
            error = report.failed[attribute]
            assert isinstance(error, ServiceError)
            assert error.result is result
        assert isinstance(report.failed[no_scaler], DecodeError)
        assert scaler_units == {ENERGY_SCALER: ScalerUnit(-1, 30)}

    with memory_transports(line_to(meter, framing)):
        run_virtually(main())


def test_get_raises_what_the_meter_refuses() -> None:
    async def main() -> None:
        async with DlmsClient(settings_for(Framing.WRAPPER)) as client:
            with pytest.raises(ServiceError, match=r"1-0:32\.7\.3"):
                await client.get(register("1-0:32.7.3"))
            assert (await client.get(VOLTAGE)).type is DataType.LONG_UNSIGNED

    with memory_transports(line_to(make_meter(), Framing.WRAPPER)):
        run_virtually(main())


@pytest.mark.parametrize(
    ("named", "error", "reason"),
    [
        ((), ServiceError, "object undefined"),
        ((cosem_object(1, "0-0:42.0.0", octets(b"")),), ServiceError, "undefined"),
        (
            tuple(
                cosem_object(1, str(attribute.logical_name), octets(b""))
                for attribute in IDENTITY_ATTRIBUTES
            ),
            DecodeError,
            "neither",
        ),
    ],
    ids=["refuses", "refuses half", "empty"],
)
def test_identity_of_a_meter_that_tells_nothing(
    named: tuple[MeterObject, ...], error: type[Exception], reason: str
) -> None:
    register = cosem_object(3, "1-0:1.8.0", uint32(1), scaler_unit(0, 30))
    meter = make_meter([*named, register])

    async def main() -> None:
        async with DlmsClient(settings_for(Framing.WRAPPER)) as client:
            with pytest.raises(error, match=reason):
                await client.identity()

    with memory_transports(line_to(meter, Framing.WRAPPER)):
        run_virtually(main())


@BOTH
def test_password(framing: Framing) -> None:
    lls = settings_for(
        framing,
        client_sap=READING_CLIENT.client_sap,
        mechanism=Mechanism.LLS,
        password=READING_CLIENT.secret,
    )

    async def main() -> None:
        async with DlmsClient(lls) as client:
            assert len(await client.objects()) > 40

    with memory_transports(line_to(make_meter(), framing)):
        run_virtually(main())


@BOTH
def test_wrong_password_is_tried_once_and_never_shown(
    framing: Framing, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    password = b"correct horse"
    settings = settings_for(
        framing,
        client_sap=READING_CLIENT.client_sap,
        mechanism=Mechanism.LLS,
        password=password,
    )

    async def main() -> str:
        with pytest.raises(AuthenticationFailed) as caught:
            async with DlmsClient(settings):
                pytest.fail("the meter must refuse")
        return repr(caught.value)

    # Optical heads send everything back; on TCP nothing does.
    echo = framing is Framing.HDLC
    with memory_transports(line_to(make_meter(), framing), echo=echo) as opened:
        error = run_virtually(main())
    assert not opened[0].open
    assert sum(password in octets for octets in opened[0].sent) == 1
    shown = caplog.text + repr(settings) + error
    assert "Aarq(" in caplog.text
    for secret in (password.decode(), password.hex(), password.hex(" ")):
        assert secret not in shown


@BOTH
def test_unknown_client(framing: Framing) -> None:
    async def main() -> None:
        with pytest.raises(AssociationRejected) as caught:
            async with DlmsClient(settings_for(framing, client_sap=99)):
                pytest.fail("the meter must refuse")
        assert not isinstance(caught.value, AuthenticationFailed)

    with memory_transports(line_to(make_meter(), framing)) as opened:
        run_virtually(main())
    assert not opened[0].open


def test_meter_that_serves_another() -> None:
    meter = make_meter()

    async def main(framing: Framing, error: type[Exception]) -> None:
        with memory_transports(line_to(meter, framing)):
            with pytest.raises(error):
                async with DlmsClient(settings_for(framing)):
                    pytest.fail("the meter must refuse")
            meter.vacate(meter)
            async with DlmsClient(settings_for(framing)) as client:
                assert await client.get(LOGICAL_DEVICE_NAME)
            assert meter.occupy(meter), "the session must give the meter back"

    assert meter.occupy(meter)
    run_virtually(main(Framing.HDLC, LinkBusy))
    run_virtually(main(Framing.WRAPPER, AssociationRejected))


def test_wrong_address_is_silence() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TransportTimeout):
            async with DlmsClient(settings_for(Framing.HDLC, logical_device=3)):
                pytest.fail("there is nobody")
        assert loop.time() - began < 60

    with memory_transports(line_to(make_meter(), Framing.HDLC)) as opened:
        run_virtually(main())
    assert not opened[0].open


@BOTH
def test_lost_connection_raises(framing: Framing) -> None:
    async def main() -> None:
        async with DlmsClient(settings_for(framing)) as client:
            opened[0].lose("the gateway lost its power")
            with pytest.raises(TransportError, match="lost its power"):
                await client.read(REGISTERS, {})
            with pytest.raises(TransportError, match="lost its power"):
                await client.identity()

    with memory_transports(line_to(make_meter(), framing)) as opened:
        run_virtually(main())


@pytest.mark.parametrize(
    ("framing", "chunks", "farewell"),
    [
        (Framing.WRAPPER, 0, []),
        (Framing.WRAPPER, 1, [RLRQ]),
        (Framing.WRAPPER, 2, [RLRQ]),
        (Framing.WRAPPER, 4, [RLRQ]),
        (Framing.HDLC, 0, []),
        (Framing.HDLC, 1, [DISC]),
        (Framing.HDLC, 2, [RLRQ, DISC]),
        (Framing.HDLC, 3, [RLRQ, DISC]),
        (Framing.HDLC, 5, [RLRQ, DISC]),
    ],
)
def test_cancelled_session_still_takes_leave(
    framing: Framing, chunks: int, farewell: list[bytes]
) -> None:
    """Cancelled at once, while the link comes up, while associating, and in the middle of the object list."""
    meter = make_meter()
    heard: list[bytes] = []

    async def session() -> None:
        async with DlmsClient(settings_for(framing)) as client:
            await client.objects()
            pytest.fail("must have been cancelled")

    async def main() -> None:
        task = asyncio.create_task(session())

        def cancel_at_last(data: bytes) -> None:
            heard.append(data)
            if len(heard) == chunks:
                task.cancel()

        with memory_transports(
            lambda: Overheard(SESSIONS[framing](meter), cancel_at_last)
        ) as opened:
            if not chunks:
                await asyncio.sleep(0)
                task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert all(not transport.open for transport in opened)
        assert meter.occupy(meter), "the meter must be free again"

    run_virtually(main())
    said = heard[chunks:]
    assert len(said) == len(farewell)
    assert all(octets in chunk for octets, chunk in zip(farewell, said, strict=True))


@BOTH
def test_error_in_the_session_still_takes_leave(framing: Framing) -> None:
    meter = make_meter()

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with DlmsClient(settings_for(framing)):
                raise ZeroDivisionError
        assert meter.occupy(meter), "the meter must be free again"

    with memory_transports(line_to(meter, framing)) as opened:
        run_virtually(main())
    assert not opened[0].open


@dataclass
class FallsSilent(Overheard):
    """A meter that still hears, but answers nothing once it has said so much."""

    answers: int

    def receive_data(self, data: bytes) -> bytes:
        answer = super().receive_data(data)
        self.answers -= 1
        return answer if self.answers >= 0 else b""


@pytest.mark.parametrize(
    ("framing", "answers", "farewell"),
    [(Framing.WRAPPER, 1, RLRQ), (Framing.HDLC, 2, DISC)],
)
def test_meter_that_falls_silent_is_still_told_goodbye(
    framing: Framing, answers: int, farewell: bytes
) -> None:
    meter = make_meter()

    async def main() -> None:
        with pytest.raises(TransportTimeout, match="did not answer"):
            async with DlmsClient(settings_for(framing)) as client:
                await client.get(LOGICAL_DEVICE_NAME)

    with memory_transports(
        lambda: FallsSilent(SESSIONS[framing](meter), lambda _: None, answers)
    ) as opened:
        run_virtually(main())
    assert farewell in opened[0].sent[-1]
    assert not opened[0].open


def test_one_session_at_a_time_but_any_number_in_turn() -> None:
    async def main() -> None:
        client = DlmsClient(settings_for(Framing.WRAPPER))
        assert client.negotiated.conformance == Conformance(0)
        assert client.statistics.frames_sent == 0
        with pytest.raises(LocalProtocolError):
            await client.get(ENERGY)
        for _ in range(2):
            async with client:
                with pytest.raises(LocalProtocolError):
                    await client.__aenter__()
                assert await client.get(ENERGY) == told_by(meter, ENERGY)
            with pytest.raises(LocalProtocolError):
                await client.get(ENERGY)

    meter = make_meter()
    with memory_transports(line_to(meter, Framing.WRAPPER)) as opened:
        run_virtually(main())
    assert len(opened) == 2


def test_tasks_share_a_session() -> None:
    meter = make_meter()

    async def main() -> None:
        async with DlmsClient(settings_for(Framing.HDLC)) as client:
            answers = await asyncio.gather(*map(client.get, REGISTERS))
        assert answers == [told_by(meter, attribute) for attribute in REGISTERS]

    with memory_transports(line_to(meter, Framing.HDLC)):
        run_virtually(main())


def test_what_the_meter_refuses_is_remembered() -> None:
    """Lists are agreed upon, then refused, as some meters do to their public client: asked once, not in every session."""
    meter = make_meter()

    class Refusing(WrapperSession):
        def receive_data(self, data: bytes) -> bytes:
            if data[8:10] == b"\xc0\x03":
                lists.append(data)
                answer = b"\xd8\x01\x02"
                return b"\0\1\0\1\0\x10" + len(answer).to_bytes(2) + answer
            return super().receive_data(data)

    lists: list[bytes] = []

    async def main() -> None:
        client = DlmsClient(settings_for(Framing.WRAPPER))
        for _ in range(2):
            async with client:
                report = await client.read([ENERGY, VOLTAGE], {})
                assert len(report.values) == 2
        assert len(lists) == 1

    with memory_transports(lambda: Refusing(meter)):
        run_virtually(main())


def test_notifications() -> None:
    notification = bytes.fromhex("0f 00000001 00 0600000001")
    received: list[Notification] = []

    async def main() -> None:
        client = DlmsClient(
            settings_for(Framing.WRAPPER), on_notification=received.append
        )
        async with client:
            header = b"\0\1\0\1\0\x10" + len(notification).to_bytes(2)
            opened[0].say(header + notification)
            await client.get(ENERGY)
        assert received == [decode_apdu(notification)]

    with memory_transports(line_to(make_meter(), Framing.WRAPPER)) as opened:
        run_virtually(main())


@pytest.mark.parametrize(
    "impossible",
    [
        {"client_sap": 128},
        {"logical_device": -1},
        {"window": 8},
        {"max_information_length": 31},
        {"address_length": 3},
    ],
)
def test_impossible_settings(impossible: dict[str, int]) -> None:
    with pytest.raises(LocalProtocolError):
        DlmsClient(settings_for(Framing.HDLC, **impossible))


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "scaler_id"),
    [
        (1, 2, None), (3, 1, None), (3, 2, 3), (3, 3, None), (4, 2, 3), (4, 4, None),
        (4, 5, None), (5, 2, 4), (5, 3, 4), (5, 6, None), (8, 2, None),
    ],
)  # fmt: skip
def test_which_attribute_tells_the_unit(
    class_id: int, attribute_id: int, scaler_id: int | None
) -> None:
    name = ENERGY.logical_name
    expected = (
        None if scaler_id is None else AttributeDescriptor(class_id, name, scaler_id)
    )
    assert scaler_unit_of(AttributeDescriptor(class_id, name, attribute_id)) == expected
