"""How the simulated meter is built: addresses, limits, and which client may associate how."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from custom_components.dlms_meter.dlms.application.enums import Conformance, Mechanism
from custom_components.dlms_meter.dlms.application.security_settings import (
    SecuritySettings,
)

SUPPORTED = (
    Conformance.GET
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.SELECTIVE_ACCESS
    | Conformance.PRIORITY_MGMT_SUPPORTED
)

EVERY_SERVICE = (
    SUPPORTED
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.ACCESS
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET
    | Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET
    | Conformance.GENERAL_BLOCK_TRANSFER
    | Conformance.DATA_NOTIFICATION
    | Conformance.EVENT_NOTIFICATION
)
SHORT_NAME_SERVICES = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.INFORMATION_REPORT
)


@dataclass(frozen=True, slots=True)
class ClientRule:
    """How one client SAP associates."""

    client_sap: int
    mechanism: Mechanism = Mechanism.NONE
    secret: bytes = field(default=b"", repr=False)
    security: SecuritySettings | None = None
    """The meter's keys for this client; unless their policy is none, the client must cipher."""
    ignores_old_counters: bool = False
    """Say nothing to a message with an invocation counter seen before, as some meters do."""


PUBLIC_CLIENT = ClientRule(16)
READING_CLIENT = ClientRule(1, Mechanism.LLS, b"12345678")


class ColumnChoice(Enum):
    """What the meter does with a choice of columns."""

    OBEY = "obey"
    IGNORE = "ignore"
    REFUSE = "refuse"


class RangeAnswer(Enum):
    """What the meter does with a range in a form that it takes."""

    OBEY = "obey"
    IGNORE = "ignore"
    """It sends everything."""
    NOTHING = "nothing"
    """It finds no row, ever."""
    MISREAD = "misread"
    """It adds the deviation where it should subtract it, or the other way round."""


class SentDeviation(Enum):
    """What the meter writes as the deviation of its date-times."""

    STANDARD = "standard"
    REVERSED = "reversed"
    OF_WINTER = "of winter"
    NONE = "none"


class RangeForm(NamedTuple):
    """How the ends of a range may be sent."""

    tagged: bool
    """As date-time, not as octet-string."""
    with_deviation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """How the profiles and the clock of a meter differ from what is expected; none of them by default."""

    range_forms: frozenset[RangeForm] = frozenset(
        RangeForm(tagged, with_deviation)
        for tagged in (False, True)
        for with_deviation in (False, True)
    )
    """Which ranges are taken; the others are refused."""
    range_answer: RangeAnswer = RangeAnswer.OBEY
    least_range: timedelta = timedelta()
    """Shorter ranges are refused."""
    takes_entries: bool = True
    ignores_entries: bool = False
    """It sends everything, whichever entries are asked for."""
    gives_whole_buffer: bool = True
    column_choice: ColumnChoice = ColumnChoice.OBEY
    newest_first: bool = False
    """Entry 1 is the newest."""
    claims_newest_first: bool | None = None
    """What the sort method says about that; None for the truth."""
    answers_backwards: bool = False
    """The last one of the rows wanted is sent first, however entries are numbered."""
    sorted_by_value: bool = False
    """By the value of the last column, the largest first."""
    compressed: bool = False
    """Null-data stands for the time after the row before, and for the value of the row before."""
    compact: bool = False
    """The buffer is a compact-array."""
    sent_deviation: SentDeviation = SentDeviation.STANDARD
    marks_summer: bool = True
    keeps_winter_time: bool = False
    refused_attributes: frozenset[int] = frozenset()
    """Attributes of profiles that are not given."""


class LogicalNames(Enum):
    """What the meter does with a client that asks for logical names."""

    TAKE = "take"
    REFUSE = "refuse"
    """It says why."""
    REFUSE_SILENTLY = "refuse silently"
    """It gives no reason."""
    MISTAKE = "mistake"
    """It lets the client in as if it had asked for short names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceQuirks:
    """How the services of a meter differ from what is expected; none of them by default."""

    refuses_lists: bool = False
    """Lists are refused, although they were agreed on."""
    refuses_blocks: bool = False
    """The next block of a GET is refused, although block transfer was agreed on."""
    takes_any_pdu_size_only: bool = False
    """Clients that set a limit to the APDUs they take are refused."""
    ignores_parameters: bool = False
    """SNRM with parameters is never answered."""
    bare_blocks: bool = False
    """Blocks of a Read carry the value alone, without the list of results around it."""
    calls_by_write: bool = False
    """Methods of objects with short names are called by Write, not by Read; what reply_to_HLS returns is read after it."""
    answers_unconfirmed: bool = False
    """An UnconfirmedWrite is answered like a Write."""
    logical_names: LogicalNames = LogicalNames.TAKE
    keeps_names: bool = False
    """The object list for short names is not given."""
    lost_blocks: frozenset[int] = frozenset()
    """Numbers of blocks of general block transfer that get lost on their way to the client, once each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSettings:
    """One meter's configuration. Sizes in octets; a PDU size of 0 means no limit."""

    seed: int = 1
    serial_number: str = "40817263"
    system_title: bytes = b"SIM\x00\x40\x81\x72\x63"
    logical_device: int = 1
    physical_device: int = 17
    max_pdu_size: int = 1200
    max_information_length: int = 512
    window: int = 3
    conformance: Conformance = SUPPORTED
    clients: tuple[ClientRule, ...] = (PUBLIC_CLIENT, READING_CLIENT)
    exclusive: bool = True
    """Only one association at a time: others find the meter busy."""
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Berlin"))
    quirks: Quirks = Quirks()
    short_names: bool = False
    """Clients may ask for short names, too; `conformance` must then have their services."""
    service_quirks: ServiceQuirks = ServiceQuirks()
    block_window: int = 4
    """Blocks of general block transfer the client may send in a row."""

    @property
    def logical_device_name(self) -> bytes:
        """16 octets: three letters of the maker, then the serial number."""
        return f"SIM{self.serial_number:0>13}".encode()
