"""Whatever a meter says, nobody else waits long: the event loop stands still for 5 ms at most.

Times are processor times, and the shortest of a few tries: other work of the machine, and of the garbage collector,
does not count. A slow machine is given more.
"""

import time

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    DlmsClient,
    Framing,
    Obis,
    WholeBuffer,
)
from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.data import Data, DataType as T
from tests.hostile import (
    ATTRIBUTE,
    VALUES,
    Answer,
    Work,
    as_buffer,
    false_frames,
    flags,
    get,
    in_blocks,
    in_list,
    listed,
    longest_stop,
    normally,
    notifications,
    ready_frames,
    small_wrapper_frames,
)

LIMIT = 0.005
TRIES = 4
SPIN = 0.0075
"""Seconds that a machine takes for `_spin` that is not slow."""


def _spin() -> float:
    began = time.thread_time()
    total = 0
    for number in range(200_000):
        total += number & 7
    return time.thread_time() - began


@pytest.fixture(scope="module")
def limit() -> float:
    return LIMIT * max(1, min(_spin() for _ in range(5)) / SPIN)


def check(framing: Framing, answer: Answer, limit: float, work: Work = get) -> None:
    stops = []
    for _ in range(TRIES):
        stops.append(longest_stop(framing, answer, work))
        if stops[-1] < limit:
            return
    pytest.fail(f"the event loop stood still for {min(stops) * 1000:.1f} ms")


async def get_list(client: DlmsClient) -> object:
    return await client.get_many(
        [ATTRIBUTE._replace(attribute_id=n) for n in range(2, 22)]
    )


async def read(client: DlmsClient) -> object:
    register = AttributeDescriptor(3, ATTRIBUTE.logical_name, 2)
    return await client.read([ATTRIBUTE, register], {})


async def read_objects(client: DlmsClient) -> object:
    return await client.objects()


async def identify(client: DlmsClient) -> object:
    return await client.identity()


async def read_profile(client: DlmsClient) -> object:
    profile = Obis.parse("1-0:99.1.0*255")
    return await client.read_profile(profile, WholeBuffer(), {})


@pytest.mark.parametrize("name", VALUES)
def test_longest_values(name: str, limit: float) -> None:
    check(Framing.WRAPPER, normally(VALUES[name]), limit)


@pytest.mark.parametrize("work", [read_objects, read_profile, identify])
@pytest.mark.parametrize("name", VALUES)
def test_longest_values_where_others_are_expected(
    name: str, work: Work, limit: float
) -> None:
    check(Framing.WRAPPER, listed(VALUES[name]), limit, work)


@pytest.mark.parametrize("name", VALUES)
def test_longest_values_as_profile(name: str, limit: float) -> None:
    """All that a profile tells about itself is right; its buffer is not."""
    check(Framing.WRAPPER, as_buffer(VALUES[name]), limit, read_profile)


@pytest.mark.parametrize("name", VALUES)
def test_longest_values_in_lists(name: str, limit: float) -> None:
    check(Framing.WRAPPER, listed(VALUES[name]), limit, get_list)


@pytest.mark.parametrize("name", VALUES)
def test_longest_values_with_their_meaning(name: str, limit: float) -> None:
    check(Framing.WRAPPER, normally(VALUES[name]), limit, read)
    check(Framing.WRAPPER, listed(VALUES[name]), limit, read)


@pytest.mark.parametrize("work", [get, read_objects])
def test_a_megabyte_in_blocks(work: Work, limit: float) -> None:
    check(Framing.WRAPPER, in_blocks(VALUES["empty arrays"], 16), limit, work)


def test_more_results_than_asked_for(limit: float) -> None:
    check(Framing.WRAPPER, in_list, limit, get_list)


@pytest.mark.parametrize("flood", [small_wrapper_frames, notifications])
def test_floods_of_wrapper_frames(flood: Answer, limit: float) -> None:
    check(Framing.WRAPPER, flood, limit)


@pytest.mark.parametrize("flood", [false_frames, flags, ready_frames])
def test_floods_of_hdlc_frames(flood: Answer, limit: float) -> None:
    check(Framing.HDLC, flood, limit)


def test_long_object_list_whose_rights_all_differ(limit: float) -> None:
    """Nothing can be remembered of the entries before."""

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
    octets = encode_data(Data(T.ARRAY, tuple(entries)))
    assert 40_000 < len(octets) < 65_000
    check(Framing.WRAPPER, normally(octets), limit, read_objects)
