"""Blocks of a long answer are asked for without waking the task: all ends as if each had woken it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import gc

import pytest

from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetResponseWithDatablock,
)
from custom_components.dlms_meter.dlms.application.get_procedure import get_one
from custom_components.dlms_meter.dlms.application.procedures import (
    Pause,
    Procedure,
    associate,
)
from custom_components.dlms_meter.dlms.connection import Connection
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    DlmsError,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
    TransportTimeout,
)
from custom_components.dlms_meter.dlms.timing import (
    INACTIVITY_TIMEOUT,
    RESPONSE_TIMEOUT,
    TRANSFER_TIMEOUT,
)
from tests.transports import run_virtually

from .test_connection import ATTRIBUTE, ask, opened, request, response, value_of

LAST = 5
INVOKE = InvokeIdAndPriority(1)

both_ways = pytest.mark.parametrize("woken", [False, True])
"""As it is, and as it would be if the task were woken for each block."""


@pytest.fixture
def woken() -> bool:
    return False


@pytest.fixture(autouse=True)
def plainly(woken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if woken:
        monkeypatch.setattr(Connection, "_moves_on", lambda *_: False)


def block(number: int, last: int = LAST) -> bytes:
    return GetResponseWithDatablock(
        INVOKE, number == last, number, bytes((number,)) * 3
    ).encode()


def number_asked_for(data: bytes) -> int:
    """Return the number of the block that a request wants; 0 for a request that wants none."""
    if data[:2] == b"\xc0\x02":
        return int.from_bytes(data[3:7]) + 1
    return int(data[:2] == b"\xc0\x01")


def in_blocks(answer: Callable[[int], bytes] = block) -> Callable[[bytes], bytes]:
    """Answer each request for a block."""
    return lambda data: answer(number) if (number := number_asked_for(data)) else b""


def blockwise() -> Procedure[Apdu | None]:
    """Ask for blocks, and look at the last one only."""
    answer = yield GetRequestNormal(INVOKE, ATTRIBUTE)
    for number in range(1, LAST):
        answer = yield GetRequestNext(INVOKE, number)
    return answer


@both_ways
def test_the_whole_value_comes() -> None:
    progress: list[int] = []

    async def main() -> object:
        async with opened(in_blocks()) as at:
            await at.connection.run(associate(at.association))
            octets = await at.connection.run(
                get_one(at.association, ATTRIBUTE, None, progress.append, None)
            )
            asked = [n for data in at.meter.heard if (n := number_asked_for(data))]
            assert asked == [1, 2, 3, 4, 5]
            return octets

    assert run_virtually(main()) == bytes.fromhex("010101 020202 030303 040404 050505")
    assert progress == [3, 6, 9, 12, 15]


@both_ways
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (block(4), RemoteProtocolError),
        (bytes.fromhex("c4 02 01 00 00000003 01 01"), DlmsError),
        (bytes.fromhex("c4 02 01 00 00000003 07"), DecodeError),
        (bytes.fromhex("d8 01 01"), DlmsError),
        (b"", TransportTimeout),
    ],
    ids=["another block", "refused", "garbled", "exception", "silence"],
)
def test_the_meter_breaks_off(answer: bytes, error: type[DlmsError]) -> None:
    async def main() -> None:
        async with opened(
            in_blocks(lambda number: answer if number == 3 else block(number))
        ) as at:
            await at.connection.run(associate(at.association))
            with pytest.raises(error):
                await at.connection.run(
                    get_one(at.association, ATTRIBUTE, None, None, None)
                )
            assert number_asked_for(at.meter.heard[-1]) == 3

    run_virtually(main())


@both_ways
def test_blocks_show_that_a_meter_left_alone_has_the_association_still() -> None:
    """What it refuses after them, it refuses; it has not ended anything."""
    exception = bytes.fromhex("d8 01 01")

    async def main() -> None:
        async with opened(
            in_blocks(lambda number: exception if number == 3 else block(number))
        ) as at:
            await at.connection.run(associate(at.association))
            at.connection.rested = True
            with pytest.raises(ServiceError):
                await at.connection.run(
                    get_one(at.association, ATTRIBUTE, None, None, None)
                )

    run_virtually(main())


@both_ways
def test_a_meter_that_never_comes_to_an_end() -> None:
    """Each block in time, an octet each, and for ever; what is asked next works."""

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def say(octets: bytes) -> None:
            if at.transport.open:
                at.transport.say(octets)

        def answers(data: bytes) -> bytes:
            if number := number_asked_for(data):
                octets = GetResponseWithDatablock(INVOKE, False, number, b"x").encode()
                for second in range(80):
                    loop.call_later(second, say, b"...")
                loop.call_later(80, say, octets)
            return b""

        async with opened(answers) as at:
            await at.connection.run(associate(at.association))
            began = loop.time()
            with pytest.raises(TransportTimeout, match="without an end"):
                await at.connection.run(
                    get_one(at.association, ATTRIBUTE, None, None, None)
                )
            assert loop.time() - began == pytest.approx(TRANSFER_TIMEOUT)
            at.meter.answers = lambda _: response(7, invoke_id=2)
            assert value_of(await at.connection.run(ask(request(2)))) == 7
        await asyncio.sleep(80)  # the last that was to be said

    run_virtually(main())


@both_ways
@pytest.mark.parametrize(
    "answer",
    [
        block(4),
        bytes.fromhex("c4 02 01 00 00000003 01 01"),
        GetResponseWithDatablock(INVOKE, False, 3, b"").encode(),
    ],
    ids=["another block", "refused", "ended by an empty block"],
)
def test_the_end_leaves_nothing_to_the_garbage_collector(answer: bytes) -> None:
    """An error that holds itself, by the frames it came through, holds all blocks until then."""

    async def main() -> set[str]:
        async with opened(
            in_blocks(lambda number: answer if number == 3 else block(number))
        ) as at:
            await at.connection.run(associate(at.association))
            gc.collect()
            gc.disable()
            gc.set_debug(gc.DEBUG_SAVEALL)
            try:
                with suppress(DlmsError):
                    await at.connection.run(
                        get_one(at.association, ATTRIBUTE, None, None, None)
                    )
                await asyncio.sleep(0)  # until then the loop holds what woke the task
                gc.collect()
                return {type(found).__name__ for found in gc.garbage}
            finally:
                gc.set_debug(0)
                gc.garbage.clear()
                gc.enable()

    assert run_virtually(main()) == set()


@both_ways
def test_what_a_caller_raises_reaches_the_caller() -> None:
    def fail(octets: int) -> None:
        if octets == 6:
            raise ZeroDivisionError

    async def main() -> None:
        async with opened(in_blocks()) as at:
            await at.connection.run(associate(at.association))
            reading = get_one(at.association, ATTRIBUTE, None, fail, None)
            with pytest.raises(ZeroDivisionError):
                await at.connection.run(reading)
            last = await at.connection.run(blockwise())
            assert isinstance(last, GetResponseWithDatablock)
            assert last.last_block

    run_virtually(main())


@both_ways
def test_a_procedure_may_want_something_else_after_a_block() -> None:
    def procedure() -> Procedure[str]:
        yield GetRequestNormal(INVOKE, ATTRIBUTE)
        yield GetRequestNext(INVOKE, 1)
        yield Pause()
        yield GetRequestNormal(INVOKE, ATTRIBUTE)
        yield GetRequestNormal(INVOKE, ATTRIBUTE)
        return "done"

    async def main() -> None:
        async with opened(in_blocks()) as at:
            assert await at.connection.run(procedure()) == "done"
            asked = [n for data in at.meter.heard if (n := number_asked_for(data))]
            assert asked == [1, 2, 1, 1]

    run_virtually(main())


@both_ways
def test_cancelled_between_blocks_nothing_more_is_asked_for() -> None:
    async def main() -> None:
        async with opened() as at:
            running = asyncio.create_task(at.connection.run(blockwise()))
            await asyncio.sleep(1)
            at.transport.say(block(1))
            await asyncio.sleep(1)
            running.cancel()
            at.connection._pump.data_received(block(2))
            with pytest.raises(asyncio.CancelledError):
                await running
            at.connection._pump.data_received(block(2))
            assert [number_asked_for(data) for data in at.meter.heard[1:]] == [1, 2]

    run_virtually(main())


@both_ways
def test_closed_between_blocks() -> None:
    async def main() -> None:
        async with opened() as at:
            running = asyncio.create_task(at.connection.run(blockwise()))
            await asyncio.sleep(1)
            at.transport.say(block(1))
            await asyncio.sleep(1)
            closing = asyncio.create_task(at.connection.close())
            await asyncio.sleep(0)
            at.connection._pump.data_received(block(2))
            with pytest.raises(LocalProtocolError, match="was closed while"):
                await running
            await closing
            assert [number_asked_for(data) for data in at.meter.heard[1:3]] == [1, 2]

    run_virtually(main())


@both_ways
def test_each_block_has_its_own_patience() -> None:
    pause = RESPONSE_TIMEOUT - 1

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened() as at:
            last = 2 + int(INACTIVITY_TIMEOUT / pause)
            reading = get_one(at.association, ATTRIBUTE, None, None, None)
            await at.connection.run(associate(at.association))
            running = asyncio.create_task(at.connection.run(reading))
            for number in range(1, last):
                await asyncio.sleep(pause)
                assert at.connection.is_usable
                at.connection._pump.data_received(block(number, last))
            spoke = loop.time()
            with pytest.raises(TransportTimeout):
                await running
            assert loop.time() - spoke == pytest.approx(2 * RESPONSE_TIMEOUT)
            asked = [number_asked_for(data) for data in at.meter.heard]
            assert asked[-3:] == [last - 1, last, last]

    run_virtually(main())


def test_blocks_sent_ahead_are_left_to_the_task() -> None:
    """So the event loop has its turn after each handful, however much a meter sends ahead."""

    async def main() -> None:
        async with opened() as at:
            running = asyncio.create_task(at.connection.run(blockwise()))
            await asyncio.sleep(1)
            heard = len(at.meter.heard)
            at.connection._pump.data_received(block(1) + b"|" + block(2))
            assert len(at.meter.heard) == heard
            await asyncio.sleep(1)
            assert number_asked_for(at.meter.heard[-1]) == 2
            running.cancel()

    run_virtually(main())
