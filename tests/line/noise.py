"""Polls, one after another, on a line where each bit flips with the same small probability."""

import asyncio
from dataclasses import dataclass, field, replace

from custom_components.dlms_meter.dlms import (
    DlmsClient,
    DlmsError,
    LineSettings,
    LinkStatistics,
    ReadReport,
    ScalerUnit,
    SerialEndpoint,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from tests.simulator import HdlcSession, MeterSettings
from tests.transports import run_virtually

from .optical import DirectMeter
from .paced import Conditions, Port
from .sessions import REGISTERS, household, settings


@dataclass
class Polls:
    """What came of so many polls of twenty registers."""

    complete: int = 0
    wrong: int = 0
    failed: int = 0
    seconds: float = 0.0
    totals: LinkStatistics = field(default_factory=LinkStatistics)

    @property
    def share(self) -> float:
        return self.complete / (self.complete + self.wrong + self.failed)


def polls(
    error_rate: float,
    seed: int,
    *,
    count: int = 10,
    meter: MeterSettings | None = None,
    line: LineSettings | None = None,
) -> Polls:
    """Poll as a coordinator does: one client, a session a poll, scalers read once."""
    at = line or LineSettings()
    port = Port(DirectMeter(HdlcSession(household(meter)), at))
    client = DlmsClient(
        settings(SerialEndpoint("/dev/ttyMeter", at)), open_shared=port.open_transport
    )

    async def poll(scaler_units: dict[AttributeDescriptor, ScalerUnit]) -> ReadReport:
        async with client:
            await client.identity()
            return await client.read(REGISTERS, scaler_units)

    async def main() -> Polls:
        right = (await poll({})).values
        scaler_units: dict[AttributeDescriptor, ScalerUnit] = {}
        result = Polls()
        for number in range(count):
            port.conditions = Conditions(error_rate=error_rate, seed=seed + number)
            try:
                report = await poll(scaler_units)
            except DlmsError:
                result.failed += 1
            else:
                result.complete += report.values == right
                result.wrong += report.values != right
            result.seconds += client.session_time
            await asyncio.sleep(1)
        result.totals = replace(client.totals)
        return result

    return run_virtually(main())
