"""A meter that ends the association, and nothing else: by the wrapper only the answers to later requests show it."""

from typing import override

import pytest

from custom_components.dlms_meter.dlms import (
    ClientSettings,
    DlmsClient,
    Framing,
    Identity,
    LinkError,
    Mechanism,
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
    SUPPORTED,
    Meter,
    MeterSettings,
    WrapperSession,
)
from tests.simulator.settings import SHORT_NAME_SERVICES
from tests.transports import memory_transports, run_virtually

from .test_lossy import REGISTERS

ENDED = r"refuses all that is asked \(.*service not allowed, operation not possible\)"
EXCEPTION = ExceptionResponse(
    ExceptionStateError.SERVICE_NOT_ALLOWED,
    ExceptionServiceError.OPERATION_NOT_POSSIBLE,
).encode()
OBJECT_LIST = Obis.parse("0-0:40.0.0*255")


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
    return Meter(
        MeterSettings(short_names=True, conformance=SUPPORTED | SHORT_NAME_SERVICES)
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
