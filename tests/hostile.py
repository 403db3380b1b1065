"""Answers made to keep an event loop busy, a meter that gives them, and how long the loop stands still."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from datetime import UTC, datetime
import gc
from itertools import pairwise
import time
from typing import NamedTuple
from unittest.mock import patch

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientSettings,
    DlmsClient,
    DlmsError,
    Framing,
    Obis,
    TcpEndpoint,
    WholeBuffer,
    connection,
)
from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.cursor import encode_length
from custom_components.dlms_meter.dlms.codec.data import Data, DataType as T
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameType
from custom_components.dlms_meter.dlms.transport import Receiver
from custom_components.dlms_meter.dlms.transport.endpoint import Endpoint
from custom_components.dlms_meter.dlms.transport.stream import READ_AT_ONCE
from tests.simulator import HdlcSession, Meter, MeterSession, WrapperSession

NOW = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
LONGEST_APDU = 0xFFFF
FLOOD = 256 * 1024
"""Octets of nonsense."""

type Answer = Callable[[bytes], bytes]
"""What the meter says to a GET-Request, as it goes over the wire; the request is an APDU."""

ATTRIBUTE = AttributeDescriptor(1, Obis.parse("0-0:96.1.0*255"), 2)
_ROOM = LONGEST_APDU - 128


def _nested(depth: int) -> bytes:
    """Arrays of one array each, and in the last one nulls up to the end."""
    count = _ROOM - 5 * depth
    return b"\x01\x01" * depth + b"\x01" + encode_length(count) + bytes(count)


def _small_structures() -> bytes:
    count = _ROOM // 4
    return b"\x01" + encode_length(count) + b"\x02\x01\x11\x07" * count


def _compact(description: bytes, element: int) -> bytes:
    contents = _ROOM // element * element
    return b"\x13" + description + encode_length(contents) + bytes(contents)


VALUES: dict[str, bytes] = {
    "nulls": b"\x01" + encode_length(_ROOM) + bytes(_ROOM),
    "nested": _nested(15),
    "structures": _small_structures(),
    "empty strings": b"\x01" + encode_length(_ROOM // 2) + b"\x09\x00" * (_ROOM // 2),
    "empty arrays": b"\x01" + encode_length(_ROOM // 2) + b"\x01\x00" * (_ROOM // 2),
    "compact octets": _compact(b"\x11", 1),
    "compact rows": _compact(b"\x02\x03\x11\x12\x06", 7),
    "compact rows of nulls": _compact(b"\x02\x1e" + bytes(29) + b"\x11", 1),
    "compact nested": _compact(b"\x02\x01" * 14 + b"\x11", 1),
    "compact arrays": _compact(b"\x01\x27\x10\x11", 10_000),
    "one long string": b"\x09" + encode_length(_ROOM) + bytes(_ROOM),
}
"""Each fills the longest APDU there is."""


def normally(value: bytes) -> Answer:
    """Answer with a value."""
    return lambda request: wrapped(b"\xc4\x01" + request[2:3] + b"\x00" + value)


def in_list(request: bytes) -> bytes:
    """Answer with more results than anybody asked for."""
    count = _ROOM // 2
    return wrapped(b"\xc4\x03" + request[2:3] + encode_length(count) + bytes(2 * count))


def listed(value: bytes) -> Answer:
    """Answer a list with a long value, and nulls for the rest."""

    def answer(request: bytes) -> bytes:
        if request[1] == 1:
            return normally(value)(request)
        nulls = bytes(2 * (request[3] - 1))
        return wrapped(b"\xc4\x03" + request[2:4] + b"\x00" + value + nulls)

    return answer


def as_buffer(value: bytes) -> Answer:
    """Answer what a profile of two columns is asked, and give the value as its buffer."""
    attributes = {
        3: "0102 0204 120008 09060000010000ff 0f02 120000 0204 120003 09060100010800ff 0f02 120000",
        4: "0600000384",
        5: "1601",
        6: "0204 120008 09060000010000ff 0f02 120000",
        7: "0600001000",
    }

    def answer(request: bytes) -> bytes:
        if request[1] == 1:
            octets = attributes.get(request[11])
            return normally(value if octets is None else bytes.fromhex(octets))(request)
        items = [request[place : place + 10] for place in range(4, len(request), 10)]
        results = [attributes.get(item[8], "00") for item in items]
        answers = b"".join([b"\x00" + bytes.fromhex(octets) for octets in results])
        return wrapped(b"\xc4\x03" + request[2:4] + answers)

    return answer


def in_blocks(value: bytes, times: int) -> Answer:
    """Answer with an array of so many such values, one to a block."""

    def answer(request: bytes) -> bytes:
        number = int.from_bytes(request[3:7]) + 1 if request[1] == 2 else 1
        raw = value if number > 1 else b"\x01" + encode_length(times) + value
        last = number == times
        head = (
            b"\xc4\x02" + request[2:3] + bytes((last,)) + number.to_bytes(4) + b"\x00"
        )
        return wrapped(head + encode_length(len(raw)) + raw)

    return answer


def wrapped(apdu: bytes) -> bytes:
    """Put an APDU into a wrapper frame from the meter."""
    return b"\x00\x01\x00\x01\x00\x10" + len(apdu).to_bytes(2) + apdu


def small_wrapper_frames(_request: bytes) -> bytes:
    """Say nothing, very often."""
    return wrapped(b"\xc4") * (FLOOD // 9)


def notifications(_request: bytes) -> bytes:
    """Tell things nobody wants to know."""
    return wrapped(bytes.fromhex("0f00000001000203110712000906010203040506")) * (
        FLOOD // 28
    )


def false_frames(_request: bytes) -> bytes:
    """Begin long HDLC frames with a good header check, every few octets."""
    client, server = HdlcAddress.client(16), HdlcAddress.server(1)
    longest = Frame(client, server, FrameType.I, bytes(2030)).encode()
    return longest[:9] * (FLOOD // 9)


def flags(_request: bytes) -> bytes:
    """Send what looks like the beginning of a frame, every three octets."""
    return b"\x7e\xa7\xff" * (FLOOD // 3)


def ready_frames(_request: bytes) -> bytes:
    """Be ready, very often."""
    client, server = HdlcAddress.client(16), HdlcAddress.server(1)
    frame = Frame(client, server, FrameType.RR, receive_sequence=1).encode()
    return frame * (FLOOD // len(frame))


class Wire:
    """A connection to a meter that begins like any other, and gives its own answer to GET."""

    def __init__(self, receiver: Receiver, framing: Framing, answer: Answer) -> None:
        self._receiver = receiver
        session = HdlcSession if framing is Framing.HDLC else WrapperSession
        self._meter: MeterSession = session(Meter(now=lambda: NOW))
        self._answer = answer
        self._said = b""

    def write(self, data: bytes) -> None:
        place = data.find(b"\xc0")
        if place in (8, 11):  # after the header of the wrapper, or of HDLC and LLC
            said = self._answer(data[place:])
        else:
            said = self._meter.receive_data(data)
        if said and not self._said:
            asyncio.get_running_loop().call_soon(self._say)
        self._said += said

    def _say(self) -> None:
        """Hand over as much as a TCP connection does at a time."""
        piece, self._said = self._said[:READ_AT_ONCE], self._said[READ_AT_ONCE:]
        if self._said:
            asyncio.get_running_loop().call_soon(self._say)
        self._receiver.data_received(piece)

    async def close(self) -> None:
        self._receiver.connection_lost(None)


type Work = Callable[[DlmsClient], Coroutine[object, object, object]]


async def get(client: DlmsClient) -> object:
    """Read one attribute."""
    return await client.get(ATTRIBUTE)


async def get_list(client: DlmsClient) -> object:
    """Read twenty attributes."""
    return await client.get_many(
        [ATTRIBUTE._replace(attribute_id=n) for n in range(2, 22)]
    )


async def read(client: DlmsClient) -> object:
    """Read what has a meaning."""
    register = AttributeDescriptor(3, ATTRIBUTE.logical_name, 2)
    return await client.read([ATTRIBUTE, register], {})


async def read_objects(client: DlmsClient) -> object:
    """Read the object list."""
    return await client.objects()


async def identify(client: DlmsClient) -> object:
    """Read who the meter is."""
    return await client.identity()


async def read_profile(client: DlmsClient) -> object:
    """Read all of a profile."""
    profile = Obis.parse("1-0:99.1.0*255")
    return await client.read_profile(profile, WholeBuffer(), {})


def rights_that_differ() -> bytes:
    """Return an object list in which nothing can be remembered of the entries before."""

    def rights(number: int) -> Data:
        items = [
            Data(
                T.STRUCTURE,
                (
                    Data(T.INTEGER, index),
                    Data(T.ENUM, number >> index & 1),
                    Data(T.OCTET_STRING, number.to_bytes(2)),
                ),
            )
            for index in range(20)
        ]
        empty = Data(T.ARRAY, ())
        return Data(T.STRUCTURE, (Data(T.ARRAY, tuple(items)), empty))

    entries = [
        Data(
            T.STRUCTURE,
            (
                Data(T.LONG_UNSIGNED, 3),
                Data(T.UNSIGNED, 0),
                Data(T.OCTET_STRING, bytes((1, 0)) + number.to_bytes(4)),
                rights(number),
            ),
        )
        for number in range(240)
    ]
    return encode_data(Data(T.ARRAY, tuple(entries)))


class Case(NamedTuple):
    """A session with a meter that wants to keep the client busy."""

    framing: Framing
    answer: Answer
    work: Work


def _long_values() -> Iterator[tuple[str, Case]]:
    """Give each of the longest values wherever one may come."""
    wrapper = Framing.WRAPPER
    works = (get_list, read, read_objects, read_profile, identify)
    for name, value in VALUES.items():
        yield f"{name}, get", Case(wrapper, normally(value), get)
        yield f"{name}, read alone", Case(wrapper, normally(value), read)
        yield f"{name}, a buffer", Case(wrapper, as_buffer(value), read_profile)
        for work in works:
            yield f"{name}, {work.__name__}", Case(wrapper, listed(value), work)


CASES: dict[str, dict[str, Case]] = {
    "64 kB of hostile values": dict(_long_values()),
    "64 kB of rights that all differ": {
        "objects": Case(Framing.WRAPPER, normally(rights_that_differ()), read_objects)
    },
    "1 MB of hostile blocks": {
        f"{name}, {work.__name__}": Case(
            Framing.WRAPPER, in_blocks(VALUES[name], 16), work
        )
        for name in ("nulls", "empty arrays")
        for work in (get, read_objects)
    },
    "more results than asked for": {
        "list": Case(Framing.WRAPPER, in_list, get_list),
    },
    "floods of wrapper frames": {
        flood.__name__: Case(Framing.WRAPPER, flood, get)
        for flood in (small_wrapper_frames, notifications)
    },
    "floods of HDLC frames": {
        flood.__name__: Case(Framing.HDLC, flood, get)
        for flood in (false_frames, flags, ready_frames)
    },
}
"""By what is measured of them, and by name."""


def longest_stop(case: Case) -> float:
    """Return how long the event loop stands still, at most, in such a session (s of processor time)."""
    return max(later - earlier for earlier, later in pairwise(turns_of(case)))


def turns_of(case: Case) -> list[float]:
    """Hold such a session, and return when others had their turn (s of processor time).

    Only a `DlmsError` may end it early; what else is raised, is.
    """

    async def open_transport(_: Endpoint, receiver: Receiver) -> Wire:
        return Wire(receiver, case.framing, case.answer)

    async def session() -> None:
        with suppress(DlmsError):
            async with DlmsClient(settings) as client:
                kept.append(await case.work(client))

    kept: list[object] = []  # how long it takes to forget is the caller's business
    settings = ClientSettings(
        endpoint=TcpEndpoint("meter.example", 4059),
        framing=case.framing,
        response_timeout=0.05,
        request_timeout=10,
        attempts=1,
    )
    gc.collect()
    gc.disable()
    try:
        with patch.object(connection, "open_transport", open_transport):
            return asyncio.run(watch(session()))
    finally:
        gc.enable()


async def watch(work: Coroutine[object, object, None]) -> list[float]:
    """Do some work, and return the times of the turns of the event loop meanwhile."""
    turns: list[float] = []
    heart = asyncio.create_task(_beat(turns))
    try:
        await work
    finally:
        heart.cancel()
    return turns


async def _beat(turns: list[float]) -> None:
    """Note the time of every turn."""
    while True:
        turns.append(time.thread_time())
        await asyncio.sleep(0)
