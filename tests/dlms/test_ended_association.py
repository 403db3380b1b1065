"""A meter that ends the association, and nothing else: by the wrapper only the answers to later requests show it."""

from collections.abc import Awaitable, Callable
from itertools import count
from typing import override

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientSettings,
    Data,
    DataType,
    DlmsClient,
    Framing,
    Identity,
    LastEntries,
    LinkError,
    Mechanism,
    MethodDescriptor,
    Obis,
    ReadReport,
    ServiceError,
    TcpEndpoint,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ExceptionServiceError,
    ExceptionStateError,
)
from custom_components.dlms_meter.dlms.application.failure import ExceptionResponse
from custom_components.dlms_meter.dlms.link.wrapper import WrapperFrame
from tests.simulator import (
    READING_CLIENT,
    Meter,
    MeterSettings,
    WrapperSession,
)
from tests.simulator.clients import make_meter
from tests.simulator.settings import EVERY_SERVICE, SHORT_NAME_SERVICES
from tests.transports import memory_transports, run_virtually

from .test_lossy import REGISTERS

ENDED = r"refuses all that is asked \(.*service not allowed, operation not possible\)"
EXCEPTION = ExceptionResponse(
    ExceptionStateError.SERVICE_NOT_ALLOWED,
    ExceptionServiceError.OPERATION_NOT_POSSIBLE,
).encode()
OBJECT_LIST = Obis.parse("0-0:40.0.0*255")
ASSOCIATION_NAME = AttributeDescriptor(15, OBJECT_LIST, 1)
PROFILE = Obis.parse("1-0:99.1.0*255")
RESET = MethodDescriptor(3, Obis.parse("1-0:1.8.0*255"), 1)
ZERO = Data(DataType.INTEGER, 0)


class Forgetful(WrapperSession):
    """Forgets the association before it takes the APDU with this number."""

    def __init__(self, meter: Meter, at: int) -> None:
        super().__init__(meter)
        self._left = at

    @override
    def receive_data(self, data: bytes) -> bytes:
        self._left -= 1
        if self._left == 0:
            self.close()
        return super().receive_data(data)


class Reserved(WrapperSession):
    """Answers whoever asks for anything but its association with an exception."""

    @override
    def receive_data(self, data: bytes) -> bytes:
        frame = WrapperFrame.decode(data)
        is_get = frame.apdu[0] == 0xC0
        if not is_get or bytes(OBJECT_LIST) in frame.apdu:
            return super().receive_data(data)
        return WrapperFrame(
            frame.destination_wport, frame.source_wport, EXCEPTION
        ).encode()


def meter() -> Meter:
    """Return one whose clock stands still: what is read of it twice is the same."""
    return make_meter(
        MeterSettings(short_names=True, conformance=EVERY_SERVICE | SHORT_NAME_SERVICES)
    )


def client(*, short_names: bool = False) -> DlmsClient:
    return DlmsClient(
        ClientSettings(
            endpoint=TcpEndpoint("meter.example", 4059),
            framing=Framing.WRAPPER,
            client_sap=READING_CLIENT.client_sap,
            mechanism=Mechanism.LLS,
            password=READING_CLIENT.secret,
            short_names=short_names,
        )
    )


async def identify(*, short_names: bool = False) -> Identity:
    async with client(short_names=short_names) as one:
        return await one.identity()


@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
def test_ended_while_it_says_who_it_is(short_names: bool) -> None:
    """That is what is told, whenever it happens; not that it has no name, or half of it."""
    with memory_transports(lambda: WrapperSession(meter())):
        right = run_virtually(identify(short_names=short_names))
    ended = 0
    for at in range(2, 20):
        with memory_transports(lambda at=at: Forgetful(meter(), at)):  # type: ignore[misc]
            try:
                told = run_virtually(identify(short_names=short_names))
            except LinkError:
                ended += 1
            else:
                assert told == right
    assert ended


type Work = Callable[[DlmsClient], Awaitable[object]]

WORK: dict[str, Work] = {
    "get": lambda one: one.get(REGISTERS[0]),
    "get_many": lambda one: one.get_many(REGISTERS),
    "set": lambda one: one.set(REGISTERS[0], ZERO),
    "set_many": lambda one: one.set_many(dict.fromkeys(REGISTERS, ZERO)),
    "invoke": lambda one: one.invoke(RESET),
    "invoke_many": lambda one: one.invoke_many([(RESET, ZERO)] * 2),
    "objects": lambda one: one.objects(),
    "read_profile": lambda one: one.read_profile(PROFILE, LastEntries(3), {}),
}
"""Whatever a session is for."""


@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
@pytest.mark.parametrize("what", WORK)
def test_whatever_is_asked_next(what: str, short_names: bool) -> None:
    """It is the session that is over: the meter has refused nothing, and nothing is learned about it."""
    one = client(short_names=short_names)

    async def use() -> object:
        async with one:
            await one.get(ASSOCIATION_NAME)
            try:
                return await WORK[what](one)
            except ServiceError as error:
                return str(error)

    with memory_transports(lambda: WrapperSession(meter())):
        right = run_virtually(use())
    learned = one.memory.to_storage()
    ended = 0
    for at in count(3):
        one = client(short_names=short_names)
        with memory_transports(lambda at=at: Forgetful(meter(), at)):  # type: ignore[misc]
            try:
                told = run_virtually(use())
            except LinkError:
                ended += 1
            else:
                assert str(told) == str(right)
                break
        facts = one.memory.to_storage()
        assert all(
            facts[key] in {None, learned[key]}
            for key in ("refuses_lists", "refuses_write_lists", "writes_methods")
        )
        assert facts["short_names"] in ([], learned["short_names"])
    assert ended


def test_ended_before_the_readings() -> None:
    async def read() -> ReadReport:
        async with client() as one:
            await one.identity()
            return await one.read(REGISTERS, {})

    with (
        memory_transports(lambda: Forgetful(meter(), 3)),
        pytest.raises(LinkError, match=ENDED),
    ):
        run_virtually(read())


def test_ended_before_the_object_list() -> None:
    async def objects() -> None:
        async with client() as one:
            await one.identity()
            await one.objects()

    with (
        memory_transports(lambda: Forgetful(meter(), 3)),
        pytest.raises(LinkError, match=ENDED),
    ):
        run_virtually(objects())


def test_a_meter_that_keeps_its_name_to_itself() -> None:
    """It has not ended the association: it says so when asked for that."""
    with (
        memory_transports(lambda: Reserved(meter())),
        pytest.raises(ServiceError, match="service not allowed") as caught,
    ):
        run_virtually(identify())
    assert caught.value.result is ExceptionServiceError.OPERATION_NOT_POSSIBLE
