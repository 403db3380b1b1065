"""A meter that holds the session of somebody who went away without a word is left alone until it has given it up."""

import asyncio
from datetime import timedelta
from random import Random

import pytest

from custom_components.dlms_meter.dlms import (
    DlmsClient,
    DlmsError,
    LineSettings,
    SerialEndpoint,
    symptom_of,
)
from custom_components.dlms_meter.failures import pause_after
from tests.line.faults import FaultyMeter
from tests.line.matrix import SESSIONS, WAYS, Way
from tests.line.optical import DirectMeter
from tests.line.paced import Port
from tests.line.sessions import household, poll, settings
from tests.simulator import MeterSettings
from tests.transports import Meter, run_virtually

INACTIVITY = 120.0
"""Seconds after which a meter ends a session, unless it says otherwise (IEC 62056-46)."""
LINE = LineSettings(9600)


class Clinging(FaultyMeter):
    """Says nothing to others as long as it holds its old session, which whatever it hears prolongs."""

    def __init__(self, session: Meter) -> None:
        super().__init__(session, Random())
        self._heard_at = 0.0
        self._clings = True

    def receive_data(self, data: bytes) -> bytes:
        if self._clings and self.age - self._heard_at < INACTIVITY:
            self._heard_at = self.age
            return b""
        self._clings = False
        return super().receive_data(data)


@pytest.mark.parametrize("interval", [5, 30, 60, 300])
@pytest.mark.parametrize("way", [way for way in WAYS if not way.short_names], ids=str)
def test_whatever_prolongs_the_old_session(way: Way, interval: int) -> None:
    async def main() -> int:
        meter = household(MeterSettings())
        port = Port(DirectMeter(Clinging(SESSIONS[way.framing](meter)), LINE))
        endpoint = SerialEndpoint("/dev/ttyMeter", LINE)
        failures = 0
        while True:
            client = DlmsClient(
                settings(endpoint, framing=way.framing), open_shared=port.open_transport
            )
            try:
                async with client:
                    report = await poll(client)
            except DlmsError as error:
                failures += 1
                pause = pause_after(
                    symptom_of(error, client.statistics),
                    failures,
                    timedelta(seconds=interval),
                )
                await asyncio.sleep(pause.total_seconds())
            else:
                return len(report.values)

    assert run_virtually(asyncio.wait_for(main(), 15 * 60)) == 20
