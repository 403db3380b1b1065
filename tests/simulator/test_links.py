"""How the simulated meter is reached: wrapper and HDLC in memory, then TCP, then a process of its own."""

import asyncio
from pathlib import Path
import signal
import sys

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aare
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import AssociationResult
from custom_components.dlms_meter.dlms.application.failure import ExceptionResponse
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetResponseNormal,
    GetResponseWithDatablock,
)
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameType

from . import MeterSettings, SimulatorServer
from .__main__ import arguments
from .clients import (
    ENERGY,
    HEADER,
    INVOKE,
    LLC,
    LOAD_PROFILE,
    OBJECT_LIST,
    Client,
    Line,
    association_request,
    lls_request,
    make_meter,
    read,
)

ASK_ENERGY = GetRequestNormal(INVOKE, ENERGY)


# The wrapper.


def test_wrapper_takes_bytes_cut_anywhere_and_joined() -> None:
    client = Client(make_meter())
    client.associate()
    octets = ASK_ENERGY.encode()
    request = HEADER.pack(1, 16, 1, len(octets)) + octets
    whole = client.session.receive_data(request)
    assert decode_apdu(whole[8:]) == GetResponseNormal(
        INVOKE, read(make_meter(), ENERGY)
    )
    pieces = [client.session.receive_data(bytes((octet,))) for octet in request]
    assert b"".join(pieces) == whole
    assert client.session.receive_data(request * 2) == whole * 2


def test_wrapper_is_silent_for_others_and_for_noise() -> None:
    client = Client(make_meter())
    assert client.ask_octets(association_request().encode(), server_sap=2) == b""
    assert client.ask_octets(b"") == b""
    assert client.session.receive_data(bytes(9)) == b""
    assert client.session.line_idle() == b""
    assert client.associate().result is AssociationResult.ACCEPTED


def test_another_client_on_the_same_connection_begins_anew() -> None:
    client = Client(make_meter())
    client.associate()
    client.client_sap = 1
    assert isinstance(client.ask(ASK_ENERGY), ExceptionResponse)
    assert client.associate(lls_request()).result is AssociationResult.ACCEPTED


# HDLC.

ALL_OF_IT = "818014050207EE060207EE070400000007080400000007"  # 2030 octets, window 7
NARROW = "81800C050180060120070101080103"  # it receives 32 octets, window 3


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("", "8180140502008006020080070400000001080400000001"),
        (ALL_OF_IT, "8180140502020006020200070400000003080400000003"),
        (NARROW, "8180140502002006020080070400000003080400000001"),
        ("8180030501FF", "81801405020080060200FF070400000001080400000001"),
        ("8180030501", "8180140502008006020080070400000001080400000001"),
    ],
    ids=["nothing", "more than it has", "less", "one parameter", "cut off"],
)
def test_negotiation(asked: str, answered: str) -> None:
    """What the meter may transmit is what the client can receive, and the other way about."""
    answer = Line(make_meter()).connect(asked)
    assert answer.type is FrameType.UA
    assert answer.information.hex().upper() == answered


def test_not_connected_is_answered_with_dm() -> None:
    line = Line(make_meter())
    assert [frame.type for frame in line.send(FrameType.DISC)] == [FrameType.DM]
    assert [frame.type for frame in line.request(ENERGY)] == [FrameType.DM]
    silent = line.frame(FrameType.I, LLC, poll_final=False)
    assert line.session.receive_data(silent) == b""


def test_disc_is_acknowledged_and_ends_the_link() -> None:
    line = Line(make_meter())
    line.associate()
    assert [frame.type for frame in line.send(FrameType.DISC)] == [FrameType.UA]
    assert [frame.type for frame in line.send(FrameType.DISC)] == [FrameType.DM]


@pytest.mark.parametrize(
    ("server", "answers"),
    [
        (HdlcAddress.server(1), True),
        (HdlcAddress.server(1, 17), True),
        (HdlcAddress.server(1, 17, 4), True),
        (HdlcAddress.server(2), False),
        (HdlcAddress.server(1, 18), False),
        (HdlcAddress.server(1, 18, 4), False),
        (HdlcAddress.server(1, 0x3FFF, 4), False),  # everyone listens, no one answers
    ],
    ids=str,
)
def test_only_its_own_address_is_answered(server: HdlcAddress, answers: bool) -> None:
    assert bool(Line(make_meter(), server).send(FrameType.SNRM)) is answers


def test_a_request_in_segments_waits_for_its_last() -> None:
    line = Line(make_meter())
    line.connect()
    request = LLC + association_request().encode()
    first = line.frame(FrameType.I, request[:20], segmented=True)
    (ready,) = line.hear(line.session.receive_data(first))
    assert (ready.type, ready.receive_sequence) == (FrameType.RR, 1)
    second = line.frame(
        FrameType.I, request[20:25], 1, segmented=True, poll_final=False
    )
    assert line.session.receive_data(second) == b""
    (answer,) = line.send(FrameType.I, request[25:], 2)
    assert isinstance(decode_apdu(answer.information[3:]), Aare)
    assert answer.receive_sequence == 3


def test_an_answer_in_segments_keeps_to_length_and_window() -> None:
    line = Line(make_meter())
    assert [frame.send_sequence for frame in line.associate(NARROW)] == [0, 1]
    frames = line.request(OBJECT_LIST, 1, 2)
    received = b""
    expected = 2
    while frames:
        words = [frame.poll_final for frame in frames]
        assert words == [False] * (len(frames) - 1) + [True]
        assert len(frames) == 3 or not frames[-1].segmented
        for frame in frames:
            assert frame.send_sequence == expected
            assert len(frame.information) == 32 or not frame.segmented
            expected = (expected + 1) % 8
            received += frame.information
        more = frames[-1].segmented
        frames = line.send(FrameType.RR, receive_sequence=expected) if more else []
    answer = decode_apdu(received.removeprefix(bytes.fromhex("E6E700")))
    assert isinstance(answer, GetResponseWithDatablock)
    assert len(answer.encode()) == 1200


def test_a_repeated_request_is_answered_again_and_done_once() -> None:
    line = Line(make_meter())
    line.associate()
    first = line.request(LOAD_PROFILE)
    assert line.request(LOAD_PROFILE) == first
    assert line.send(FrameType.RR, receive_sequence=1) == first


def test_a_gap_asks_for_the_missing_frame() -> None:
    line = Line(make_meter())
    line.associate()
    (answer,) = line.request(ENERGY, send_sequence=2)
    assert (answer.type, answer.receive_sequence) == (FrameType.RR, 1)


def test_lost_segments_are_sent_again_from_the_first_missing() -> None:
    line = Line(make_meter())
    line.associate(NARROW)
    first, second, third = line.request(OBJECT_LIST, 1, 2)
    again = line.send(FrameType.RR, receive_sequence=3)
    assert [frame.send_sequence for frame in (first, *again)] == [2, 3, 4, 5]
    lost = [frame.information for frame in (second, third)]
    assert [frame.information for frame in again[:2]] == lost
    assert (
        line.send(FrameType.RR, receive_sequence=1) == again
    )  # it never sent N(S) 0 again


def test_a_client_that_is_not_ready_gets_no_segments() -> None:
    line = Line(make_meter())
    line.associate()
    line.request(OBJECT_LIST)
    (patient,) = line.send(FrameType.RNR, receive_sequence=2)
    assert patient.type is FrameType.RR
    (resumed,) = line.send(FrameType.RR, receive_sequence=2)
    assert (resumed.type, resumed.send_sequence) == (FrameType.I, 2)


def test_too_long_a_frame_is_rejected_and_ends_the_link() -> None:
    line = Line(make_meter())
    line.associate()
    (answer,) = line.send(FrameType.I, bytes(129), 1, 1)
    assert answer.type is FrameType.FRMR
    # The I frame it was; V(R) 1 and V(S) 1; information too long.
    assert answer.information.hex() == "322204"
    assert [frame.type for frame in line.send(FrameType.RR)] == [FrameType.DM]


def test_frames_that_ask_nothing_are_passed_over() -> None:
    line = Line(make_meter())
    line.associate()
    assert line.send(FrameType.UI, b"\x0f") == []
    word_kept = line.frame(FrameType.RR, receive_sequence=1, poll_final=False)
    assert line.session.receive_data(word_kept) == b""
    (ready,) = line.send(FrameType.I, LLC, 1, 1)  # no APDU behind the LLC
    assert (ready.type, ready.receive_sequence) == (FrameType.RR, 2)


def test_a_new_snrm_begins_anew_also_for_another_client() -> None:
    line = Line(make_meter())
    line.associate()
    line.client = HdlcAddress.client(1)
    assert [frame.type for frame in line.send(FrameType.RR)] == [FrameType.DM]
    assert line.connect().type is FrameType.UA
    (answer,) = line.request(ENERGY, 0, 0)
    assert isinstance(decode_apdu(answer.information[3:]), ExceptionResponse)


def test_a_busy_meter_refuses_the_link() -> None:
    meter = make_meter()
    first, second = Line(meter), Line(meter)
    first.associate()
    assert second.connect().type is FrameType.DM
    assert Client(meter).associate().result is AssociationResult.REJECTED_TRANSIENT
    first.send(FrameType.DISC)
    second.associate()
    second.session.close()
    assert Client(meter).associate().result is AssociationResult.ACCEPTED


def test_a_frame_that_never_ends_is_given_up_when_the_line_is_idle() -> None:
    line = Line(make_meter())
    snrm = line.frame(FrameType.SNRM)
    assert line.session.receive_data(snrm[:-3]) == b""
    assert line.session.line_idle() == b""
    assert line.connect().type is FrameType.UA
    begun = line.frame(FrameType.I, bytes(100))[:20]
    assert line.session.receive_data(begun + snrm) == b""
    assert [frame.type for frame in line.hear(line.session.line_idle())] == [
        FrameType.UA
    ]


# On TCP.


async def ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, apdu: Apdu
) -> Apdu:
    octets = apdu.encode()
    writer.write(HEADER.pack(1, 16, 1, len(octets)) + octets)
    head = HEADER.unpack(await reader.readexactly(HEADER.size))
    return decode_apdu(await reader.readexactly(head[-1]))


async def test_hdlc_on_tcp(socket_enabled: None) -> None:
    line = Line(make_meter())
    snrm = line.frame(FrameType.SNRM)
    async with SimulatorServer(make_meter(), wrapper_port=None) as server:
        assert server.wrapper_port is None
        reader, writer = await asyncio.open_connection("127.0.0.1", server.hdlc_port)
        begun = line.frame(FrameType.I, bytes(100))[:20]
        for request in (snrm, begun + snrm):
            writer.write(request)
            octets = await reader.readexactly(len(line.connect().encode()))
            assert [frame.type for frame in line.hear(octets)] == [FrameType.UA]
        writer.close()
        await writer.wait_closed()


async def test_wrapper_on_tcp_until_the_connections_are_dropped(
    socket_enabled: None,
) -> None:
    async with SimulatorServer(make_meter(), hdlc_port=None) as server:
        assert server.hdlc_port is None
        streams = await asyncio.open_connection("127.0.0.1", server.wrapper_port)
        assert isinstance(await ask(*streams, association_request()), Aare)
        assert len(server.connections) == 1
        server.drop_connections()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await streams[0].readexactly(1)
        assert not server.connections
        streams[1].close()


# As a process.


async def run(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.simulator", *options),
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_process_says_where_it_listens_serves_and_ends_on_a_signal(
    socket_enabled: None,
) -> None:
    time = "2026-11-23T13:07:11+01:00"
    process = await run(
        "--hdlc-port", "0", "--wrapper-port", "0", "--time", time, "--seed", "4"
    )
    try:
        assert process.stdout is not None
        ready, *ports = (await process.stdout.readline()).decode().split()
        assert ready == "READY"
        assert [word.partition("=")[0] for word in ports] == ["hdlc", "wrapper"]
        port = int(ports[1].partition("=")[2])
        streams = await asyncio.open_connection("127.0.0.1", port)
        await ask(*streams, association_request())
        answer = await ask(*streams, ASK_ENERGY)
        expected = read(make_meter(MeterSettings(seed=4)), ENERGY)
        assert answer == GetResponseNormal(INVOKE, expected)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
        streams[1].close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "give --wrapper-port or --hdlc-port"),
        (["--time", "2026-11-23T13:07:11"], "does not say its offset"),
    ],
)
def test_process_refuses_nonsense(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        arguments(words)
    assert complaint in capsys.readouterr().err
