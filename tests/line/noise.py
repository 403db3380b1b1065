"""Polls, one after another, on a line where each bit flips with the same small probability."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Self

from custom_components.dlms_meter.dlms import (
    DlmsClient,
    DlmsError,
    LinkStatistics,
    ReadReport,
    ScalerUnit,
    SerialEndpoint,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from tests.simulator import SUPPORTED, HdlcSession, MeterSettings
from tests.simulator.settings import SHORT_NAME_SERVICES
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
    lengths: list[int] = field(default_factory=list)
    """Octets that the meter was let put into a frame, in each poll that was not broken off."""
    totals: LinkStatistics = field(default_factory=LinkStatistics)

    @property
    def count(self) -> int:
        return self.complete + self.wrong + self.failed

    @property
    def share(self) -> float:
        return self.complete / self.count

    def __add__(self, other: Self) -> Self:
        return replace(
            self,
            complete=self.complete + other.complete,
            wrong=self.wrong + other.wrong,
            failed=self.failed + other.failed,
            seconds=self.seconds + other.seconds,
            lengths=self.lengths + other.lengths,
            totals=self.totals + other.totals,
        )


SHORT = MeterSettings(max_pdu_size=200, max_information_length=128, window=1)
LONG = MeterSettings(max_pdu_size=1200, max_information_length=2030, window=7)
"""Meters with the shortest frames there are, and with the longest."""


def polls(
    error_rate: float,
    seed: int,
    *,
    count: int = 10,
    quiet: int = 0,
    meter: MeterSettings = SHORT,
    short_names: bool = False,
) -> Polls:
    """Poll as a coordinator does: one client, a session a poll, scalers read once; the last `quiet` ones without noise."""
    both = replace(meter, short_names=True, conformance=SUPPORTED | SHORT_NAME_SERVICES)
    port = Port(DirectMeter(HdlcSession(household(both))))
    client = DlmsClient(
        settings(SerialEndpoint("/dev/ttyMeter"), short_names=short_names),
        open_shared=port.open_transport,
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
            rate = error_rate if number < count - quiet else 0.0
            port.conditions = Conditions(error_rate=rate, seed=seed + number)
            try:
                report = await poll(scaler_units)
            except DlmsError:
                result.failed += 1
            else:
                result.complete += report.values == right
                result.wrong += report.values != right
                result.lengths.append(client.negotiated.max_information_receive or 0)
            result.seconds += client.session_time
            await asyncio.sleep(1)
        result.totals = replace(client.totals)
        return result

    return run_virtually(main())
