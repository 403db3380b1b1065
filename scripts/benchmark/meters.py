"""The simulated meter that all clients read, and the line to it, which counts and loses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameDecoder
from tests.simulator import HdlcSession, Meter, MeterSettings
from tests.simulator.household import association, clock, register
from tests.simulator.objects import Query, Source, uint32
from tests.simulator.profiles import Column, date_time, profile

from .inputs import BEGAN, QUARTER

WATT_HOUR = 32
PROFILE = "1.0.99.1.0.255"
REGISTERS = [f"1.0.{number}.8.0.255" for number in range(1, 21)]
_OBJECTS_BESIDE_REGISTERS = 3


def counter(column: int) -> Source:
    """A register that counts quarters of an hour."""
    return lambda query: uint32((query.moment - BEGAN) // QUARTER * column)


def captured(column: int) -> Column:
    """The column of a load profile that captures it."""

    def value(_query: Query, moment: datetime) -> Data:
        return uint32((1000 + (moment - BEGAN) // QUARTER) * column)

    return Column(3, REGISTERS[column - 1], 2, value)


def meter(
    *, information: int, window: int, pdu: int, rows: int = 0, objects: int = 40
) -> Meter:
    """A meter with a load profile of so many rows, the newest captured just now, and so many objects in all."""

    def times(_query: Query) -> Sequence[datetime]:
        return [BEGAN + number * QUARTER for number in range(rows)]

    columns = (Column(8, "0-0:1.0.0", 2, date_time), *map(captured, range(1, 6)))
    registers = [
        register(
            f"1-{number // 200}:{1 + number % 200}.8.0",
            counter(1 + number),
            0,
            WATT_HOUR,
        )
        for number in range(objects - _OBJECTS_BESIDE_REGISTERS)
    ]
    settings = MeterSettings(
        max_pdu_size=pdu, max_information_length=information, window=window
    )
    return Meter(
        settings,
        now=lambda: BEGAN + max(rows - 1, 0) * QUARTER,
        objects=(
            association(),
            clock(),
            profile("1-0:99.1.0", columns, times, period=QUARTER, entries=rows),
            *registers,
        ),
    )


def stamp(moment: datetime) -> str:
    """Write a moment as requests carry it, in hexadecimal."""
    return DlmsDateTime.from_datetime(moment).encode().hex()


def days_before_end(rows: int, days: int) -> tuple[str, str]:
    """Return the first and the last moment of the last days of a load profile."""
    last = BEGAN + (rows - 1) * QUARTER
    return stamp(last - timedelta(days=days) + QUARTER), stamp(last)


@dataclass
class Line:
    """One client's line to the meter; `lost` is the share of the meter's frames that do not arrive."""

    meter: Meter
    lost: float = 0.0
    seed: int = 0
    turns: int = 0
    octets: int = 0

    def __post_init__(self) -> None:
        self._session = HdlcSession(self.meter)
        self._random = Random(self.seed)

    def __call__(self, data: bytes) -> bytes:
        """Take what the client says and return what arrives of the meter's answer."""
        answer = self._session.receive_data(data)
        self.octets += len(data) + len(answer)
        self.turns += bool(answer)
        if not self.lost:
            return answer
        return b"".join(
            frame.encode()
            for frame in FrameDecoder().feed(answer)
            if self._random.random() >= self.lost
        )
