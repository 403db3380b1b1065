"""The wrapper over UDP: one APDU a datagram. What is lost is asked for again where that is safe, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
import socket

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientMemory,
    ClientSettings,
    Conformance,
    Data,
    DlmsClient,
    DlmsError,
    Endpoint,
    Framing,
    LineSettings,
    LocalProtocolError,
    Obis,
    ReadReport,
    SecurityPolicy,
    SignOnSettings,
    TcpEndpoint,
    TransportError,
    TransportTimeout,
    UdpEndpoint,
    open_transport,
)
from custom_components.dlms_meter.dlms.client_settings import association_settings
from tests.dlms.application.secured import BOOK, CLIENT_TITLE
from tests.dlms.transport.test_stream import Recorder
from tests.simulator import SUPPORTED, MeterSettings, WrapperSession
from tests.transports import run_virtually

from .datagrams import Internet, Network, UdpMeter
from .sessions import LONGEST, REGISTERS, household, poll, settings

ENDPOINT = UdpEndpoint("meter.example", 4059)
EVENT_LOG = AttributeDescriptor(7, Obis.parse("0-0:99.98.0"), 2)
SMALL = MeterSettings(max_pdu_size=128)


def run(
    network: Network, attempts: int = 5
) -> tuple[tuple[ReadReport, Data] | DlmsError, Internet]:
    """Read registers one by one, and a log in many blocks."""
    internet = Internet(lambda: WrapperSession(household(SMALL)), network)

    async def main() -> tuple[ReadReport, Data] | DlmsError:
        loop = asyncio.get_running_loop()
        began = loop.time()
        patient = replace(
            settings(ENDPOINT, framing=Framing.WRAPPER), attempts=attempts
        )
        try:
            async with DlmsClient(
                patient, open_shared=internet.open_transport
            ) as client:
                return await poll(client), await client.get(EVENT_LOG)
        except DlmsError as error:
            return error
        finally:
            assert not any(one.open for one in internet.opened)
            assert loop.time() - began < LONGEST.total_seconds()

    return run_virtually(main()), internet


@pytest.fixture(scope="module")
def right() -> tuple[ReadReport, Data]:
    result, _ = run(Network())
    assert not isinstance(result, DlmsError)
    assert len(result[0].values) == 20
    return result


@pytest.mark.parametrize(
    ("network", "share"),
    [
        (Network(doubled=0.1), 0.9),
        (Network(lost=0.05), 0.8),
        (Network(lost=0.05, doubled=0.05), 0.7),
        (Network(late=0.05), 0.7),
        (Network(late=0.1, doubled=0.1, lost=0.05), 0.15),
    ],
    ids=["doubled", "lost", "lost and doubled", "late", "everything"],
)
def test_bad_network(
    right: tuple[ReadReport, Data], network: Network, share: float
) -> None:
    """Right values or an error that says so; only an association that fails is not tried again."""
    complete = 0
    for seed in range(40):
        result, internet = run(replace(network, seed=seed))
        if isinstance(result, DlmsError):
            assert str(result), f"seed {seed}"
        else:
            assert result == right, f"seed {seed}"
            complete += 1
        associations = [d for d in internet.opened[0].sent if d[8] == 0x60]
        assert len(associations) == 1, "an authentication is tried once"
    assert complete >= 40 * share


SINGLE = MeterSettings(conformance=SUPPORTED & ~Conformance.MULTIPLE_REFERENCES)
"""It is asked for one register after the other, so that invoke ids are used again within the second."""


def read_singly(
    network: Network,
    registers: Sequence[AttributeDescriptor] = REGISTERS * 3,
    *,
    attempts: int = 3,
) -> tuple[list[Data] | DlmsError, list[bytes]]:
    """Read registers one by one; return their values, and what was sent."""
    internet = Internet(lambda: WrapperSession(household(SINGLE)), network)

    async def main() -> list[Data] | DlmsError:
        try:
            async with DlmsClient(
                replace(settings(ENDPOINT, framing=Framing.WRAPPER), attempts=attempts),
                open_shared=internet.open_transport,
            ) as client:
                return [await client.get(register) for register in registers]
        except DlmsError as error:
            return error

    return run_virtually(main()), internet.opened[0].sent


@pytest.mark.parametrize(
    ("network", "seed"),
    [
        *[(Network(late=0.05), seed) for seed in (20, 31, 70, 86)],
        *[
            (Network(late=0.1, doubled=0.1), seed)
            for seed in (21, 39, 41, 114, 119, 132, 139, 164, 181, 190)
        ],
        (Network(late=0.02, doubled=0.02), 234),  # the first late one at once
    ],
)
def test_answer_that_comes_when_its_invoke_id_has_its_turn_again(
    network: Network, seed: int
) -> None:
    """Sixteen requests after the one that was repeated, the other answer to it would look right."""
    values, _ = read_singly(replace(network, seed=seed))
    assert values == read_singly(Network())[0]


def test_invoke_ids_have_no_price_on_a_good_network() -> None:
    """Each register is asked for once, though sixteen requests take no second."""
    values, sent = read_singly(Network())
    assert isinstance(values, list)
    assert len(values) == 60
    assert len(sent) == 60 + 2


def test_registers_that_are_equal_are_read_all_the_same() -> None:
    """The same answer with the same invoke id is doubted once: it may as well be true."""
    values, sent = read_singly(Network(), REGISTERS[:1] * 60)
    assert isinstance(values, list)
    assert len(values) == 60
    assert len(set(map(str, values))) == 1
    assert len(sent) == 60 + 2 + 1


def test_with_one_attempt_doubles_are_told_apart_too() -> None:
    for seed in range(20):
        values, _ = read_singly(Network(doubled=0.2, seed=seed), attempts=1)
        assert values == read_singly(Network())[0], f"seed {seed}"


def test_invoke_id_that_rests_is_not_waited_for_when_the_session_ends() -> None:
    """Closing from elsewhere ends the wait."""
    internet = Internet(lambda: WrapperSession(household(SINGLE)), Network(doubled=1.0))

    async def main() -> None:
        client = DlmsClient(
            settings(ENDPOINT, framing=Framing.WRAPPER),
            open_shared=internet.open_transport,
        )
        loop = asyncio.get_running_loop()
        await client.begin()

        async def read() -> None:
            for register in REGISTERS:
                await client.get(register)

        reading = asyncio.create_task(read())
        await asyncio.sleep(1)
        sent = len(internet.opened[0].sent)
        await asyncio.sleep(5)
        assert len(internet.opened[0].sent) == sent < len(REGISTERS)
        begun = loop.time()
        await client.end()
        assert loop.time() < begun + 5
        with pytest.raises(LocalProtocolError, match="session was closed"):
            await reading

    run_virtually(main())


def test_silence_is_not_waited_for_for_ever() -> None:
    result, internet = run(Network(lost=1.0))
    assert isinstance(result, TransportTimeout)
    aarq, rlrq = internet.opened[0].sent  # neither is repeated
    assert aarq[8] == 0x60
    assert rlrq[8] == 0x62


def test_no_attempts_left() -> None:
    """With one attempt nothing is repeated."""
    for seed in range(20):
        result, internet = run(Network(lost=0.2, seed=seed), attempts=1)
        if isinstance(result, TransportTimeout):
            sent = internet.opened[0].sent
            assert len(set(sent)) == len(sent)


@asynccontextmanager
async def listening(
    lose: Callable[[int], bool] = lambda _: False, copies: int = 1
) -> AsyncIterator[UdpEndpoint]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: UdpMeter(WrapperSession(household()), lose, copies),
        local_addr=("127.0.0.1", 0),
    )
    try:
        yield UdpEndpoint(*transport.get_extra_info("sockname"))
    finally:
        transport.abort()


def quick(endpoint: UdpEndpoint) -> ClientSettings:
    return replace(settings(endpoint, framing=Framing.WRAPPER), response_timeout=0.1)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("copies", [1, 2])
async def test_loopback(copies: int) -> None:
    async with asyncio.timeout(10), listening(copies=copies) as endpoint:
        async with DlmsClient(quick(endpoint)) as client:
            report = await poll(client)
        assert len(report.values) == 20
        assert client.statistics.frames_repeated == 0


@pytest.mark.usefixtures("socket_enabled")
async def test_loopback_that_loses_the_first_question() -> None:
    async with asyncio.timeout(10), listening(lambda n: n == 2) as endpoint:
        async with DlmsClient(quick(endpoint)) as client:
            report = await poll(client)
        assert len(report.values) == 20
        assert client.statistics.frames_repeated == 1
        assert client.statistics.timeouts == 1


@pytest.mark.usefixtures("socket_enabled")
async def test_nobody_listens() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TransportError, match="connection was refused") as caught:
        async with DlmsClient(quick(UdpEndpoint("127.0.0.1", port))):
            pass
    assert f"udp://127.0.0.1:{port}" in str(caught.value)


@pytest.mark.usefixtures("socket_enabled")
async def test_socket_opens_and_closes() -> None:
    recorder = Recorder()
    async with listening() as endpoint:
        transport = await open_transport(endpoint, recorder)
        with pytest.raises(TransportError, match="no serial line"):
            await transport.set_line(LineSettings(300))
        await transport.close()
        transport.write(b"nobody there")
        await transport.close()
    assert recorder.losses == [None]


async def test_unknown_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "create_datagram_endpoint", unknown)
    with pytest.raises(
        TransportError, match=r"udp://meter\.example:4059: the host name"
    ):
        await open_transport(ENDPOINT, Recorder())


def test_hdlc_is_not_for_udp() -> None:
    with pytest.raises(LocalProtocolError, match="wrapper, not HDLC"):
        DlmsClient(settings(ENDPOINT))


@pytest.mark.parametrize(
    ("endpoint", "policy", "proposed"),
    [
        (ENDPOINT, SecurityPolicy.NONE, False),
        (ENDPOINT, SecurityPolicy.ENCRYPTED, False),
        (ENDPOINT, SecurityPolicy.AUTHENTICATED, True),
        (TcpEndpoint("meter.example", 4059), SecurityPolicy.NONE, True),
    ],
)
def test_general_block_transfer_needs_authentication(
    endpoint: Endpoint, policy: SecurityPolicy, proposed: bool
) -> None:
    """Blocks that come late look like those of the answer that is waited for: only a tag over all of it shows a mixture."""
    asked = replace(
        settings(endpoint, framing=Framing.WRAPPER),
        block_transfer_window=4,
        system_title=CLIENT_TITLE,
        security=replace(BOOK, policy=policy),
    )
    proposal = association_settings(asked, ClientMemory()).proposal
    assert (Conformance.GENERAL_BLOCK_TRANSFER in proposal) is proposed


def test_short_names_are_not_for_udp() -> None:
    """Read and Write carry no invoke-id: the answer to an earlier datagram would pass for the one waited for."""
    with pytest.raises(LocalProtocolError, match="use TCP, or logical names"):
        DlmsClient(
            replace(settings(ENDPOINT, framing=Framing.WRAPPER), short_names=True)
        )


@pytest.mark.usefixtures("socket_enabled")
async def test_sign_on_is_not_for_udp() -> None:
    async with listening() as endpoint:
        with_sign_on = replace(quick(endpoint), sign_on=SignOnSettings())
        with pytest.raises(TransportError, match="switch the sign-on off"):
            async with DlmsClient(with_sign_on):
                pass
