"""A simulated meter with one small profile, and how a reading of it is answered without any wire."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.meter_memory import MeterMemory
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.profile_buffer import (
    Pause,
    Reading,
    ReadMany,
    ReadPart,
    Step,
)
from custom_components.dlms_meter.dlms.cosem.values import ScalerUnit
from custom_components.dlms_meter.dlms.errors import ServiceError
from tests.simulator import SUPPORTED, AssociationFacts, Meter, MeterSettings
from tests.simulator.household import clock, register
from tests.simulator.objects import MeterObject, Query, uint8, uint16, uint32
from tests.simulator.profiles import Column, date_time, profile, unix_time
from tests.simulator.settings import Quirks

PROFILE = Obis.parse("1-0:99.1.0")
BUFFER = AttributeDescriptor(7, PROFILE, 2)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
VOLTAGE = AttributeDescriptor(3, Obis.parse("1-0:32.7.0"), 2)
STATUS = AttributeDescriptor(1, Obis.parse("0-0:96.10.1"), 2)
QUARTER = timedelta(minutes=15)
FIRST = datetime(2026, 10, 24, tzinfo=UTC)
COUNT = 2 * 96
NOW = FIRST + COUNT * QUARTER + timedelta(minutes=7)
"""The day after the end of summer time."""

_PUBLIC = AssociationFacts(16, MeterSettings().clients[0].mechanism, SUPPORTED, 0)


def energy_at(moment: datetime) -> int:
    """Return the register at a moment, in hundredths of a kWh."""
    return 100_000 + int((moment - FIRST) / QUARTER) * 3


def _energy(_query: Query, moment: datetime) -> Data:
    return uint32(energy_at(moment))


def _voltage(_query: Query, moment: datetime) -> Data:
    return uint16(2300 + moment.hour)


def _status(_query: Query, _moment: datetime) -> Data:
    return uint8(8)


CLOCK_COLUMN = Column(8, "0-0:1.0.0", 2, date_time)
UNIX_COLUMN = Column(1, "0-0:1.1.0", 2, unix_time)
STATUS_COLUMN = Column(1, "0-0:96.10.1", 2, _status)
ENERGY_COLUMN = Column(3, "1-0:1.8.0", 2, _energy)
VOLTAGE_COLUMN = Column(3, "1-0:32.7.0", 2, _voltage)
COLUMNS = (STATUS_COLUMN, CLOCK_COLUMN, ENERGY_COLUMN, VOLTAGE_COLUMN)


def quarters(query: Query) -> Sequence[datetime]:
    """Return the ends of the quarters that are over."""
    number = min(int((query.moment - FIRST) / QUARTER), COUNT)
    return [FIRST + n * QUARTER for n in range(1, number + 1)]


def objects(
    columns: tuple[Column, ...] = COLUMNS,
    times: Callable[[Query], Sequence[datetime]] = quarters,
    period: timedelta = QUARTER,
    sort_object: Data | None = None,
    restricted_by: Column | None = None,
) -> list[MeterObject]:
    """Make a clock, two registers and a profile of them; `sort_object` and `restricted_by` as for `profile`."""
    return [
        clock(),
        register("1-0:1.8.0", lambda query: _energy(query, query.moment), 1, 30),
        register("1-0:32.7.0", lambda query: _voltage(query, query.moment), -1, 35),
        profile(
            str(PROFILE),
            columns,
            times,
            period=period,
            entries=COUNT,
            sort_object=sort_object,
            restricted_by=restricted_by,
        ),
    ]


def make_meter(
    quirks: Quirks | None = None,
    *,
    table: Sequence[MeterObject] | None = None,
    now: datetime = NOW,
) -> Meter:
    settings = MeterSettings(quirks=quirks or Quirks())
    return Meter(settings, now=lambda: now, objects=table or objects())


@dataclass
class Caller:
    """Whoever drives readings of one meter and keeps what they learn."""

    meter: Meter
    memory: MeterMemory = field(default_factory=MeterMemory)
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = field(default_factory=dict)
    asked: list[Step] = field(default_factory=list)
    """What the meter was asked, pauses left out."""
    pauses: int = 0

    def drive[T](self, reading: Reading[T]) -> T:
        """Answer all questions of a reading and return its result."""
        self.asked, self.pauses = [], 0
        try:
            step = next(reading)
            while True:
                if isinstance(step, Pause):
                    self.pauses += 1
                    step = reading.send(None)
                    continue
                self.asked.append(step)
                if isinstance(step, ReadMany):
                    step = reading.send(
                        {each: self.get(each) for each in step.attributes}
                    )
                    continue
                found = self.get(step.attribute, step.access)
                if isinstance(found, Data):
                    # One APDU is decoded as it arrives, blocks are not.
                    octets = encode_data(found)
                    step = reading.send(octets if len(octets) > 1000 else found)
                else:
                    step = reading.throw(found)
        except StopIteration as done:
            result: T = done.value
            return result

    def get(
        self, attribute: AttributeDescriptor, access: SelectiveAccess | None = None
    ) -> Data | ServiceError:
        """Ask the meter, without any wire."""
        found = self.meter.read(_PUBLIC, SelectedAttribute(attribute, access))
        if isinstance(found, Data):
            return found
        return ServiceError(f"{attribute}: {found.name}", found)

    @property
    def parts(self) -> list[ReadPart]:
        """What was asked of the buffer."""
        return [step for step in self.asked if isinstance(step, ReadPart)]

    @property
    def selectors(self) -> list[int]:
        """Selectors of the questions to the buffer; 0 for all of it."""
        return [part.access.selector if part.access else 0 for part in self.parts]
