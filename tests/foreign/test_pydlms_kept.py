"""A meter nobody here wrote keeps our session open, by logical and by short names, and takes a new one after it was lost."""

from dataclasses import replace

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    DlmsClient,
    KeptSession,
    Obis,
    Quantity,
)

from .pydlms_meter import LLS_PASSWORD, Framing, running_pydlms_meter
from .test_pydlms_meter import settings_for

ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("short_names", [False, True], ids=["logical", "short"])
@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
async def test_session_is_kept(framing: Framing, short_names: bool) -> None:
    with running_pydlms_meter(framing, "--everything") as meter:
        settings = settings_for(meter, LLS_PASSWORD)
        await keep_session(DlmsClient(replace(settings, short_names=short_names)))


async def keep_session(client: DlmsClient) -> None:
    """Use one session four times, lose it, and use another."""
    begun: list[int] = []

    async def note() -> None:
        begun.append(client.statistics.frames_sent)

    async def read() -> None:
        report = await client.read([ENERGY], {})
        assert isinstance(report.values[ENERGY], Quantity)

    kept = KeptSession(client, note, keeps=True)
    for _ in range(3):
        await kept.run(read)
        await client.keep_alive()
    async with kept.lead():
        await read()
    assert len(begun) == 1
    transport = client._connection._pump.transport
    assert transport is not None
    await transport.close()
    await kept.run(read)
    assert len(begun) == 2
    await kept.end()
