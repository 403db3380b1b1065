"""Whole sessions at the end of a line: what is read, how long it took, and what it would have taken at best."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientSettings,
    Data,
    DataType,
    DlmsClient,
    DlmsError,
    Endpoint,
    Framing,
    Mechanism,
    Obis,
    ReadReport,
    SelectiveAccess,
    SerialEndpoint,
    SignOnSettings,
)
from tests.simulator import READING_CLIENT, Meter, MeterSettings
from tests.simulator.household import HOUSEHOLD_METER
from tests.simulator.objects import MeterObject, cosem_object
from tests.transports import run_virtually

from .paced import Port, Traffic

NOW = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
PORT = SerialEndpoint("/dev/serial/by-id/usb-Probe_0001-if00")

REGISTERS = tuple(
    AttributeDescriptor(3, Obis.parse(f"1-0:{code}"), 2)
    for code in (
        "1.8.0", "1.8.1", "1.8.2", "2.8.0", "2.8.1", "2.8.2", "3.8.0", "4.8.0",
        "1.7.0", "2.7.0", "16.7.0", "3.7.0", "4.7.0", "21.7.0", "41.7.0", "61.7.0",
        "32.7.0", "31.7.0", "14.7.0", "13.7.0",
    )
)  # fmt: skip
LOAD_PROFILE = AttributeDescriptor(7, Obis.parse("1-0:99.1.0"), 2)
ONE_DAY = SelectiveAccess(
    2,
    Data(
        DataType.STRUCTURE,
        (
            Data(DataType.DOUBLE_LONG_UNSIGNED, 1),
            Data(DataType.DOUBLE_LONG_UNSIGNED, 96),
            Data(DataType.LONG_UNSIGNED, 1),
            Data(DataType.LONG_UNSIGNED, 0),
        ),
    ),
)
"""Ninety-six entries of a quarter of an hour."""


def household(
    settings: MeterSettings | None = None, objects: int | None = None
) -> Meter:
    """Return the simulated meter at a known time, perhaps with so many objects in all."""
    items: list[MeterObject] = list(HOUSEHOLD_METER)
    if objects is not None:
        items = items[:objects]
        for number in range(objects - len(items)):
            name = f"1-{number // 200}:{number % 200 + 1}.9.0"
            items.append(
                cosem_object(
                    3,
                    name,
                    Data(DataType.DOUBLE_LONG_UNSIGNED, number),
                    Data(DataType.NULL_DATA, None),
                )
            )
    return Meter(settings, now=lambda: NOW, objects=items)


def settings(
    endpoint: Endpoint = PORT,
    sign_on: SignOnSettings | None = None,
    framing: Framing = Framing.HDLC,
    *,
    short_names: bool = False,
) -> ClientSettings:
    """Return what the reading client needs to read the simulated meter."""
    return ClientSettings(
        endpoint=endpoint,
        framing=framing,
        short_names=short_names,
        client_sap=READING_CLIENT.client_sap,
        physical_device=17 if framing is Framing.HDLC else None,
        mechanism=Mechanism.LLS,
        password=READING_CLIENT.secret,
        sign_on=sign_on,
    )


@dataclass(frozen=True)
class Outcome[T]:
    """What a session brought, how many seconds it took, and what it put on the line."""

    result: T | DlmsError
    seconds: float
    traffic: Traffic

    @property
    def ratio(self) -> float:
        """How much longer it took than octets and turns do."""
        return self.seconds / self.traffic.seconds

    @property
    def bare_ratio(self) -> float:
        """The same, if no standard asked for pauses."""
        return self.seconds / (self.traffic.on_wire + self.traffic.thinking)


def run[T](
    client_settings: ClientSettings,
    port: Port,
    task: Callable[[DlmsClient], Awaitable[T]],
) -> Outcome[T]:
    """Run one session on virtual time; it must leave nothing behind."""

    async def main() -> Outcome[T]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        result: T | DlmsError
        try:
            async with DlmsClient(
                client_settings, open_shared=port.open_transport
            ) as client:
                result = await task(client)
        except DlmsError as error:
            result = error
        assert not any(line.open for line in port.opened)
        return Outcome(result, loop.time() - began, port.traffic)

    return run_virtually(main())


async def poll(client: DlmsClient) -> ReadReport:
    """Read twenty registers, as often as every minute in a home."""
    return await client.read(REGISTERS, {})


LONGEST = timedelta(minutes=15)
"""No session of twenty registers may last longer, whatever the line does."""
