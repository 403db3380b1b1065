"""One client after another on one line: the meter has one link, and may take the second client's words for the first's."""

from collections.abc import Iterator
from typing import override

import pytest

from custom_components.dlms_meter.dlms import (
    ClientSettings,
    DlmsClient,
    FrameRejected,
    Framing,
    Identity,
    Mechanism,
    ReadReport,
)
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)
from tests.simulator import READING_CLIENT, HdlcSession, Meter
from tests.transports import MemoryTransport, memory_transports, run_virtually

from .test_client import REGISTERS, make_meter, settings_for

PUBLIC = settings_for(Framing.HDLC)
READER = settings_for(
    Framing.HDLC,
    client_sap=READING_CLIENT.client_sap,
    mechanism=Mechanism.LLS,
    password=READING_CLIENT.secret,
)


class OneLink(HdlcSession):
    """Keeps the link of its client, whatever becomes of the connection, and rejects SNRM of any other until DISC."""

    def __init__(self, meter: Meter, answer_to_disc: FrameType) -> None:
        super().__init__(meter)
        self.rejected = 0
        self._holder: HdlcAddress | None = None
        self._answer_to_disc = answer_to_disc
        self._frames = FrameDecoder()

    @override
    def receive_data(self, data: bytes) -> bytes:
        return b"".join(self._react(frame) for frame in self._frames.feed(data))

    def _react(self, frame: Frame) -> bytes:
        if frame.type is FrameType.DISC:
            self._holder = None
            super().close()
            return _reply(frame, self._answer_to_disc)
        if self._holder not in {None, frame.source}:
            self.rejected += 1
            return _reply(frame, FrameType.FRMR, b"\x93\x00\x01")
        self._holder = frame.source
        return super().receive_data(frame.encode())

    @override
    def close(self) -> None:
        """The meter hears nothing of that: its line ends at the gateway."""

    def forget(self) -> None:
        """Lose the client's link to another one: what it sends now is out of place."""
        self._holder = HdlcAddress.client(100)


def _reply(frame: Frame, kind: FrameType, information: bytes = b"") -> bytes:
    return Frame(frame.source, frame.destination, kind, information).encode()


@pytest.fixture(params=[FrameType.UA, FrameType.DM], ids=lambda kind: kind.name)
def meter(request: pytest.FixtureRequest) -> OneLink:
    """Return a meter, which answers DISC in one of the ways there are."""
    return OneLink(make_meter(), request.param)


@pytest.fixture
def line(meter: OneLink) -> Iterator[list[MemoryTransport]]:
    """Let each connection end at the same meter."""
    with memory_transports(lambda: meter) as opened:
        yield opened


async def identify(settings: ClientSettings = PUBLIC) -> Identity:
    async with DlmsClient(settings) as client:
        return await client.identity()


async def read(settings: ClientSettings = READER) -> ReadReport:
    async with DlmsClient(settings) as client:
        return await client.read(REGISTERS, {})


def test_who_takes_its_leave_is_in_nobodys_way(
    meter: OneLink, line: list[MemoryTransport]
) -> None:
    async def main() -> None:
        for _ in range(3):
            assert (await identify()).logical_device_name
            assert not (await read()).failed

    run_virtually(main())
    assert not meter.rejected


def test_a_link_that_another_client_left_behind_is_ended_first(
    meter: OneLink, line: list[MemoryTransport]
) -> None:
    """Its program was killed, or its gateway lost power. Then counting begins anew as well."""

    async def main() -> None:
        other = DlmsClient(PUBLIC)
        await other.begin()
        await other.identity()
        line[-1].lose("the gateway closed the connection")
        await other.end()
        assert not (await read()).failed

    run_virtually(main())
    assert meter.rejected == 1


def test_a_link_that_another_client_took_over_is_ended(
    meter: OneLink, line: list[MemoryTransport]
) -> None:
    """The meter says so in the middle of a session; the next one is as good as any."""

    async def main() -> None:
        async with DlmsClient(READER) as client:
            assert not (await client.read(REGISTERS, {})).failed
            meter.forget()
            with pytest.raises(FrameRejected, match="Connect again"):
                await client.read(REGISTERS, {})
        assert not (await read()).failed

    run_virtually(main())
    assert meter.rejected
