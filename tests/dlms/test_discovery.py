"""The scan finds meters set up in many ways, tells of broken ones how far it came, and never sends a secret."""

import asyncio
from contextlib import suppress
import errno
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.dlms_meter.dlms import (
    METERS,
    Access,
    Approach,
    Endpoint,
    KnownMeter,
    Line,
    Mechanism,
    Probe,
    ScanReport,
    SerialEndpoint,
    ServerAddress,
    Symptom,
    TcpEndpoint,
    TransportError,
    UdpEndpoint,
    find_meter,
)
from custom_components.dlms_meter.dlms.application.enums import ApplicationContext
from custom_components.dlms_meter.dlms.application.get import GetResult
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.discovery import (
    Outcome,
    _listed,
    lines_of,
    questions,
)
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameType
from custom_components.dlms_meter.dlms.transport.endpoint import LineSettings
from custom_components.dlms_meter.dlms.transport.stream import FIXED_SPEED
from tests.simulator import Meter, MeterSettings
from tests.simulator.settings import (
    EVERY_SERVICE,
    SHORT_NAME_SERVICES,
    ClientRule,
    LogicalNames,
    ServiceQuirks,
)
from tests.transports import run_virtually

from .sites import Site, connected

PORT = SerialEndpoint("/dev/ttyUSB0")
METER_ON_NETWORK = TcpEndpoint("192.0.2.7", 4059)
GATEWAY = TcpEndpoint("192.0.2.8", 8899)
SERIAL_NUMBER = "44337606"
SECRET = b"a secret, a real secret"


def by_key(key: str) -> KnownMeter:
    return next(meter for meter in METERS if meter.key == key)


def site_of(known: KnownMeter, *, refusal: LogicalNames = LogicalNames.REFUSE) -> Site:
    """Set up a meter as its row says it usually is; one with short names says no to logical names in one way or other."""
    address = known.address_of(SERIAL_NUMBER)
    open_clients = {known.clients[0]} if known.access is Access.OPEN else set()
    if 16 in known.clients:
        open_clients.add(16)
    rules = [ClientRule(client_sap) for client_sap in sorted(open_clients)]
    rules += [
        ClientRule(client_sap, Mechanism.LLS, SECRET)
        for client_sap in known.clients
        if client_sap not in open_clients
    ]
    settings = MeterSettings(
        serial_number=SERIAL_NUMBER,
        logical_device=address.logical_device,
        physical_device=address.physical_device or 0,
        clients=tuple(rules),
        conformance=EVERY_SERVICE | SHORT_NAME_SERVICES,
        short_names=known.short_names,
        service_quirks=ServiceQuirks(
            logical_names=refusal if known.short_names else LogicalNames.TAKE
        ),
    )
    wrapper = known.approaches[0] is Approach.WRAPPER
    if wrapper:
        address = ServerAddress(1)
    return Site(
        Meter(settings),
        address,
        LineSettings(known.speed),
        sign_on=f"/{known.flag or 'XXX'}5\\2{known.model[:12]}\r\n"
        if known.approaches[0] is Approach.SIGN_ON
        else "",
        wrapper=wrapper,
    )


def scan(
    site: Site, endpoint: Endpoint, serial_number: str | None = None
) -> tuple[ScanReport, float]:
    """Scan a site in virtual time; return the report and how many seconds it took."""

    async def timed() -> tuple[ScanReport, float]:
        begin = asyncio.get_running_loop().time()
        report = await find_meter(endpoint, serial_number)
        return report, asyncio.get_running_loop().time() - begin

    with connected(site):
        result = run_virtually(timed())
    for request in site.requests:
        assert request.authentication_value is None
        assert request.mechanism in (None, Mechanism.NONE)
    assert not any(SECRET in octets for octets in site.sent)
    return result


def endpoint_of(known: KnownMeter) -> Endpoint:
    return METER_ON_NETWORK if known.approaches[0] is Approach.WRAPPER else PORT


@pytest.mark.parametrize("known", METERS, ids=lambda known: known.key)
def test_known_meter_is_found(known: KnownMeter) -> None:
    """Each as it is usually set up, with the number on its label."""
    site = site_of(known)
    report, _ = scan(site, endpoint_of(known), SERIAL_NUMBER)
    probe = report.found.probe if report.found else report.best
    assert probe is not None
    assert probe.address[:2] == site.address[:2]
    assert probe.line.approach is known.approaches[0]
    assert report.proposal is not None
    assert report.proposal.short_names is known.short_names
    if any(rule.mechanism is Mechanism.NONE for rule in site.meter.settings.clients):
        assert report.found is not None
        assert report.found.identity is not None
        assert report.found.identity.serial_number == SERIAL_NUMBER
    else:
        assert report.symptom is Symptom.AUTHENTICATION_WANTED
        assert set(report.wanting) & set(known.clients)


@pytest.mark.parametrize(
    "known",
    [known for known in METERS if known.short_names],
    ids=lambda known: known.key,
)
@pytest.mark.parametrize("number", [SERIAL_NUMBER, None], ids=["number", "no number"])
@pytest.mark.parametrize(
    "refusal",
    [LogicalNames.REFUSE, LogicalNames.REFUSE_SILENTLY, LogicalNames.MISTAKE],
)
def test_short_names_are_found_out(
    known: KnownMeter, number: str | None, refusal: LogicalNames
) -> None:
    """However the meter answers who asks for logical names."""
    site = site_of(known, refusal=refusal)
    if number is None and known.rule is not None:
        site.address = known.address
    report, _ = scan(site, PORT, number)
    assert report.found is not None
    assert report.found.settings.short_names
    assert report.found.identity is not None
    assert report.found.identity.serial_number == SERIAL_NUMBER
    assert report.found.reads_openly
    assert report.proposal == report.found.settings


def test_meter_with_short_names_that_wants_a_password() -> None:
    """It is proposed with the client that has one, and with short names."""
    settings = MeterSettings(
        clients=(ClientRule(32, Mechanism.LLS, SECRET),),
        conformance=EVERY_SERVICE | SHORT_NAME_SERVICES,
        short_names=True,
        service_quirks=ServiceQuirks(logical_names=LogicalNames.REFUSE_SILENTLY),
    )
    report, _ = scan(Site(Meter(settings)), PORT)
    assert report.found is None
    assert report.symptom is Symptom.AUTHENTICATION_WANTED
    assert report.proposal is not None
    assert report.proposal.short_names
    assert report.proposal.client_sap == 32


def test_figures() -> None:
    """What a scan costs at real pacing; the bounds say what a user should at most wait."""
    probes, seconds = [], []
    for known in METERS:
        report, taken = scan(site_of(known), endpoint_of(known), SERIAL_NUMBER)
        probes.append(report.probes)
        seconds.append(taken)
    assert sum(probes) / len(probes) < 7
    assert sum(seconds) / len(seconds) < 12
    assert max(probes) <= 20
    assert max(seconds) < 40


def test_figures_without_the_number() -> None:
    """Only those whose address hides in the number are not found; a user should not wait longer for any."""
    for known in METERS:
        report, seconds = scan(site_of(known), endpoint_of(known))
        assert (report.proposal is None) is (known.rule is not None), known.key
        assert seconds < 150


@pytest.mark.parametrize("maker", ["HXE", "hxe", "XXX"])
def test_meter_that_signs_on_is_looked_for_on_no_other_line(maker: str) -> None:
    """At a rare address; who made it is said in the sign-on, and may be unknown."""
    site = site_of(by_key("hexing_hxe"))
    site.sign_on = f"/{maker}5\\2HXE310\r\n"
    report, seconds = scan(site, PORT)
    assert report.found is not None
    assert report.found.probe.address == ServerAddress(0, 1)
    assert seconds < (14 if maker != "XXX" else 30)


def test_sign_on_that_is_not_answered_is_given_up() -> None:
    """The address has no part in it."""
    site = Site(Meter(), answer=lambda _: b"")
    told: list[Probe] = []

    async def main() -> ScanReport:
        return await find_meter(PORT, None, lambda probe, _: told.append(probe))

    with connected(site):
        run_virtually(main())
    assert [probe.line.approach for probe in told].count(Approach.SIGN_ON) == 2


def nonsense(_: bytes) -> bytes:
    """Answer like a meter at another speed."""
    return bytes.fromhex("80F0787C8000F8")


def foreign_frames(_: bytes) -> bytes:
    """Answer like somebody else's meter, to somebody else's client."""
    return Frame(HdlcAddress.client(5), HdlcAddress(77), FrameType.UA).encode()


def echo(data: bytes) -> bytes:
    return data


def connection_error(cause: Exception) -> TransportError:
    error = TransportError("Cannot open /dev/ttyUSB0")
    error.__cause__ = cause
    return error


def refusing(*rules: ClientRule) -> Site:
    return Site(Meter(MeterSettings(clients=rules)))


def busy() -> Site:
    site = Site(Meter())
    site.meter.occupy(object())
    return site


BROKEN: dict[str, tuple[Site, Symptom]] = {
    "no such port": (
        Site(Meter(), broken=connection_error(FileNotFoundError())),
        Symptom.PORT_MISSING,
    ),
    "port not ours": (
        Site(Meter(), broken=connection_error(PermissionError())),
        Symptom.PORT_DENIED,
    ),
    "port in use": (
        Site(Meter(), broken=connection_error(OSError(errno.EBUSY, "locked"))),
        Symptom.PORT_IN_USE,
    ),
    "adapter gone": (
        Site(Meter(), broken=connection_error(OSError(errno.EIO, "gone"))),
        Symptom.PORT_UNUSABLE,
    ),
    "gateway refuses": (
        Site(Meter(), broken=connection_error(ConnectionRefusedError())),
        Symptom.CONNECTION_REFUSED,
    ),
    "gateway refuses at every address": (
        Site(
            Meter(),
            broken=connection_error(ExceptionGroup("", [ConnectionRefusedError()])),
        ),
        Symptom.CONNECTION_REFUSED,
    ),
    "gateway cannot change the speed": (
        Site(Meter(), broken=TransportError(FIXED_SPEED)),
        Symptom.SPEED_FIXED,
    ),
    "gateway hangs up": (Site(Meter(), hangs_up=True), Symptom.CONNECTION_LOST),
    "nobody there": (Site(Meter(), answer=lambda _: b""), Symptom.NO_ANSWER),
    "head held wrongly": (Site(Meter(), answer=echo), Symptom.ECHO_ONLY),
    "another speed": (Site(Meter(), answer=nonsense), Symptom.NO_VALID_FRAME),
    "signs on, at no address that is tried": (
        Site(Meter(), ServerAddress(3, 99), sign_on="/XXX5\\2?\r\n"),
        Symptom.SIGNED_ON,
    ),
    "somebody else's line": (
        Site(Meter(), answer=foreign_frames),
        Symptom.OTHER_ADDRESSES,
    ),
    "busy": (busy(), Symptom.BUSY),
    "nobody is let in": (
        refusing(ClientRule(99)),
        Symptom.ASSOCIATION_REJECTED,
    ),
    "a password is wanted": (
        refusing(ClientRule(32, Mechanism.LLS, SECRET)),
        Symptom.AUTHENTICATION_WANTED,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_set_up_is_told_by_its_layer(name: str) -> None:
    site, symptom = BROKEN[name]
    report, seconds = scan(site, PORT)
    assert report.found is None
    assert report.symptom is symptom
    assert report.best is not None
    assert seconds < 125
    if not symptom.is_connected:
        assert report.probes == 1


@pytest.mark.parametrize(
    ("endpoint", "lines"),
    [
        (METER_ON_NETWORK, [Line(Approach.WRAPPER), Line(Approach.HDLC)]),
        (GATEWAY, [Line(Approach.HDLC), Line(Approach.WRAPPER)]),
        (UdpEndpoint("192.0.2.7", 8899), [Line(Approach.WRAPPER)]),
        (
            SerialEndpoint("socket://192.0.2.8:8899", LineSettings(19200)),
            [Line(Approach.HDLC, 19200)],
        ),
    ],
)
def test_lines(endpoint: Endpoint, lines: list[Line]) -> None:
    assert list(lines_of(endpoint)) == lines


def test_udp_is_asked_what_it_can_carry() -> None:
    """Neither HDLC, nor short names where the meter refuses all clients without a reason."""
    over_udp = UdpEndpoint("192.0.2.7", 8899)
    report, _ = scan(Site(Meter(), ServerAddress(1), wrapper=True), over_udp)
    assert report.found is not None
    assert report.found.settings.endpoint == over_udp
    site = Site(Meter(MeterSettings(clients=())), ServerAddress(1), wrapper=True)
    report, _ = scan(site, over_udp)
    assert report.found is None
    assert report.symptom is Symptom.ASSOCIATION_REJECTED
    contexts = {request.application_context for request in site.requests}
    assert contexts == {ApplicationContext.LOGICAL_NAME}


def test_progress_is_told_before_each_probe() -> None:
    told: list[tuple[Probe, int]] = []
    site = Site(Meter())

    async def main() -> ScanReport:
        return await find_meter(PORT, None, lambda *probe: told.append(probe))

    with connected(site):
        report = run_virtually(main())
    assert report.found is not None
    assert told == [(report.found.probe, 0)]
    assert report.found.reads_openly
    assert report.found.counters == ()
    assert report.found.memory.inactivity_timeout == 120


def test_meter_that_falls_silent_is_found_all_the_same() -> None:
    site = Site(Meter())
    read = site.meter.read

    def read_last_time(*wanted: Any) -> GetResult:  # noqa: ANN401
        site.answer = lambda _: b""
        return read(*wanted)

    with patch.object(site.meter, "read", read_last_time):
        report, _ = scan(site, PORT)
    assert report.found is not None
    assert report.found.identity is None
    assert report.found.settings.physical_device == 17


def test_cancelled_scan_leaves_nothing_open() -> None:
    site = Site(Meter(), answer=lambda _: b"")

    async def main() -> None:
        task = asyncio.ensure_future(find_meter(PORT))
        await asyncio.sleep(2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with connected(site):
        run_virtually(main())
    assert len(site.sent) > 1


def test_sound_frame_settles_the_line() -> None:
    """Once a frame was heard on one line, no other is tried."""
    lines = [Line(Approach.HDLC, 9600), Line(Approach.HDLC, 19200)]
    plan = questions(lines)
    next(plan)
    asked = [plan.send(Outcome(Symptom.OTHER_ADDRESSES))]
    asked += [plan.send(Outcome(Symptom.NO_ANSWER)) for _ in range(20)]
    assert {probe.line for probe in asked} == {lines[0]}


def test_wrong_speed_is_given_up() -> None:
    lines = [Line(Approach.HDLC, 9600), Line(Approach.HDLC, 19200)]
    plan = questions(lines)
    first = next(plan)
    plan.send(Outcome(Symptom.NO_VALID_FRAME))
    assert first.line == lines[0]
    assert plan.send(Outcome(Symptom.NO_VALID_FRAME)).line == lines[1]


def test_short_names_are_tried_where_logical_names_are_refused() -> None:
    plan = questions([Line(Approach.HDLC, 9600)])
    first = next(plan)
    assert plan.send(Outcome(Symptom.CONTEXT_REFUSED)) == first._replace(
        short_names=True
    )
    # It is neither: the others are asked by the usual names.
    assert plan.send(Outcome(Symptom.CONTEXT_REFUSED)) == first._replace(client_sap=32)
    assert [
        plan.send(Outcome(Symptom.ASSOCIATION_REJECTED)).client_sap for _ in range(3)
    ] == [
        1,
        2,
        48,
    ]
    with pytest.raises(StopIteration):
        plan.send(Outcome(Symptom.ASSOCIATION_REJECTED))


@pytest.mark.parametrize(
    ("symptom", "more"),
    [
        (Symptom.ASSOCIATION_REJECTED, 5),
        (Symptom.ANSWER_INCOMPLETE, 5),
        (Symptom.AUTHENTICATION_WANTED, 0),
        (Symptom.BUSY, 0),
    ],
)
def test_short_names_are_tried_last_where_nothing_else_explains_a_refusal(
    symptom: Symptom, more: int
) -> None:
    plan = questions([Line(Approach.HDLC, 9600)])
    asked = [next(plan)]
    with suppress(StopIteration):
        while True:
            asked.append(plan.send(Outcome(symptom)))
    clients = [16, 32, 1, 2, 48]
    assert [probe.client_sap for probe in asked] == [*clients, *clients[:more]]
    assert [probe.short_names for probe in asked] == [False] * 5 + [True] * more


def test_logical_devices() -> None:
    def entry(sap: int) -> Data:
        name = Data(DataType.OCTET_STRING, b"SIM0000000000001")
        return Data(DataType.STRUCTURE, (Data(DataType.LONG_UNSIGNED, sap), name))

    listed = Data(DataType.ARRAY, (entry(1), entry(17)))
    assert _listed(listed) == (1, 17)
    assert _listed(None) == ()
    assert _listed(Data(DataType.UNSIGNED, 1)) == ()
