"""How the simulated meter is built: addresses, limits, and which client may associate how."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from custom_components.dlms_meter.dlms.application.enums import Conformance, Mechanism

SUPPORTED = (
    Conformance.GET
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.SELECTIVE_ACCESS
    | Conformance.PRIORITY_MGMT_SUPPORTED
)


@dataclass(frozen=True, slots=True)
class ClientRule:
    """How one client SAP associates."""

    client_sap: int
    mechanism: Mechanism = Mechanism.NONE
    secret: bytes = field(default=b"", repr=False)


PUBLIC_CLIENT = ClientRule(16)
READING_CLIENT = ClientRule(1, Mechanism.LLS, b"12345678")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSettings:
    """One meter's configuration. Sizes in octets; a PDU size of 0 means no limit."""

    seed: int = 1
    serial_number: str = "40817263"
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

    @property
    def logical_device_name(self) -> bytes:
        """16 octets: three letters of the maker, then the serial number."""
        return f"SIM{self.serial_number:0>13}".encode()
