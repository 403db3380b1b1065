"""What attributes of the interface classes that homes have hold: octets, and what a person reads of them, by hand from the Blue Book.

Structures are written as dicts of their fields, enumerations by the name of the member, logical names as text.
"""

from enum import IntEnum
from typing import Any, NamedTuple

from custom_components.dlms_meter.dlms.codec.data import BitString
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime, DlmsTime
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.values import Value

CLASSES = (1, 3, 4, 5, 7, 8, 9, 12, 15, 17, 18, 20, 23, 40, 62, 63, 64, 70, 71, 72)
"""Data, the registers, Profile generic, Clock, Script table, Association SN and LN, SAP assignment, Image transfer,
Activity calendar, HDLC setup, Push setup, Compact data, Status mapping, Security setup, Disconnect control, Limiter,
M-Bus client."""

OF_THE_METERS_CHOICE = {
    (1, 2), (3, 2), (4, 2), (4, 4), (5, 2), (5, 3), (5, 5), (63, 2), (71, 3), (71, 4), (71, 5),
}  # fmt: skip
"""Attributes whose type is not the standard's: they are written in the type that was read."""

WITH_A_DECODER = {(7, 2), (12, 2), (15, 2)}
"""Buffer and object lists: `read_profile` and `objects` read them."""


class Sample(NamedTuple):
    """One attribute: its octets, and what they say."""

    class_id: int
    attribute_id: int
    octets: str
    says: object
    version: int = 0
    """Of its class, from which on it is like this."""

    def label(self) -> str:
        """Return class, attribute and version, to name a test."""
        return f"{self.class_id}.{self.attribute_id} v{self.version}"


MOMENT = "090c 07ea0b030214 1e00 00 ffc400"
WHEN = DlmsDateTime.decode(bytes.fromhex("07ea0b030214 1e0000ffc400"))
YEARLY = "090c ffff03fe0702000000800000"
LAST_SUNDAY_OF_MARCH = DlmsDateTime.decode(bytes.fromhex("ffff03fe0702000000800000"))
CLOCK, ENERGY = "0906 0000010000ff", "0906 0100010800ff"
SCRIPT, CONTROL = "0906 00000a0064ff", "0906 000060030aff"
SECURITY = "0906 00002b0000ff"
ENERGY_COLUMN = f"120003 {ENERGY} 0f02 120000"
CLOCK_COLUMN = f"120008 {CLOCK} 0f02 120000"
TITLE = "0908 4d4d4d0000000001"

READS_ENERGY = {
    "class_id": 3,
    "logical_name": "1-0:1.8.0*255",
    "attribute_id": 2,
    "data_index": 0,
}
READS_CLOCK = READS_ENERGY | {"class_id": 8, "logical_name": "0-0:1.0.0*255"}
TITLE_OCTETS = b"MMM\0\0\0\0\1"
CALLS_1 = {"script_logical_name": "0-0:10.0.100*255", "script_selector": 1}
CALLS_2 = CALLS_1 | {"script_selector": 2}
SEASON = {"name": "1", "start": WHEN, "week_name": "2"}
WEEK = {
    "name": "1", "monday": 1, "tuesday": 2, "wednesday": 3, "thursday": 4, "friday": 5, "saturday": 6, "sunday": 7,
}  # fmt: skip
DAY = {"day_id": 1, "schedule": [{"start_time": DlmsTime(6, 0, 0, 0), **CALLS_1}]}
OID = {
    "joint_iso_ctt": 2, "country": 16, "country_name": 756, "identified_organization": 5, "dlms_ua": 8,
}  # fmt: skip

# fmt: off
SAMPLES = [
    # Register, Extended register, Demand register
    Sample(3, 3, "0202 0fff 161e", {"scaler": -1, "unit": 30}),
    Sample(4, 3, "0202 0f00 161b", {"scaler": 0, "unit": 27}),
    Sample(4, 5, MOMENT, WHEN),
    Sample(5, 4, "0202 0f03 161b", {"scaler": 3, "unit": 27}),
    Sample(5, 6, MOMENT, WHEN),
    Sample(5, 7, MOMENT, WHEN),
    Sample(5, 8, "06 00000384", 900),
    Sample(5, 9, "12 0001", 1),
    # Profile generic
    Sample(7, 3, f"0102 0204 {CLOCK_COLUMN} 0204 {ENERGY_COLUMN}", [READS_CLOCK, READS_ENERGY]),
    Sample(7, 4, "06 00000384", 900),
    Sample(7, 5, "1602", "lifo"),
    Sample(7, 6, f"0204 {CLOCK_COLUMN}", READS_CLOCK),
    Sample(7, 7, "06 00001234", 0x1234),
    Sample(7, 8, "06 00010000", 0x10000),
    # Clock
    Sample(8, 2, MOMENT, WHEN),
    Sample(8, 3, "10 ffc4", -60),
    Sample(8, 4, "11 80", 0x80),
    Sample(8, 5, YEARLY, LAST_SUNDAY_OF_MARCH),
    Sample(8, 6, YEARLY, LAST_SUNDAY_OF_MARCH),
    Sample(8, 7, "0f 3c", 60),
    Sample(8, 8, "03 01", True),
    Sample(8, 9, "16 05", "radio"),
    # Script table
    Sample(9, 2, f"0101 0202 120001 0101 0205 1602 120046 {CONTROL} 0f02 0f00", [{"script_identifier": 1, "actions": [
        {"service_id": "execute_method", "class_id": 70, "logical_name": "0-0:96.3.10*255", "index": 2, "parameter": 0}]}]),
    # Association SN
    Sample(12, 3, "0101 0203 10fa00 0101 0203 0f02 1601 00 0101 0202 0f08 0301", [{"base_name": -0x600,
        "attribute_access": [{"attribute_id": 2, "access_mode": 1, "access_selectors": None}],
        "method_access": [{"method_id": 8, "access_mode": True}]}]),
    Sample(12, 4, SECURITY, "0-0:43.0.0*255"),
    Sample(12, 5, "0101 0202 1101 0a03 416e6e", [{"user_id": 1, "user_name": "Ann"}], 3),
    Sample(12, 6, "0202 1101 0a03 416e6e", {"user_id": 1, "user_name": "Ann"}, 3),
    # Association LN
    Sample(15, 3, "0202 0f10 120001", {"client_sap": 16, "server_sap": 1}),
    Sample(15, 4, "0207 1102 1110 1202f4 1105 1108 1101 1101", OID | {"application_context": 1, "context_id": 1}),
    Sample(15, 5, "0206 0418 001e1d 120400 120200 1106 0f00 0900", {"conformance": BitString(b"\0\x1e\x1d", 24),
        "max_receive_pdu_size": 1024, "max_send_pdu_size": 512, "dlms_version_number": 6, "quality_of_service": 0,
        "cyphering_info": b""}),
    Sample(15, 6, "0207 1102 1110 1202f4 1105 1108 1102 1105", OID | {"authentication_mechanism_name": 2, "mechanism_id": 5}),
    Sample(15, 7, "0908 3132333435363738", b"12345678"),
    Sample(15, 8, "1602", "associated"),
    Sample(15, 9, SECURITY, "0-0:43.0.0*255", 1),
    Sample(15, 10, "0101 0202 1101 0a03 416e6e", [{"user_id": 1, "user_name": "Ann"}], 2),
    Sample(15, 11, "0202 1101 0a03 416e6e", {"user_id": 1, "user_name": "Ann"}, 2),
    # SAP assignment
    Sample(17, 2, "0101 0202 120001 0903 414243", [{"sap": 1, "logical_device_name": "ABC"}]),
    # Image transfer
    Sample(18, 2, "06 00000400", 1024),
    Sample(18, 3, "0403 a0", BitString(b"\xa0", 3)),
    Sample(18, 4, "06 00000002", 2),
    Sample(18, 5, "0300", False),
    Sample(18, 6, "1606", "activation_successful"),
    Sample(18, 7, "0101 0203 0600001000 0902 4142 0900", [{"size": 4096, "identification": b"AB", "signature": b""}]),
    # Activity calendar
    Sample(20, 2, "0906 57494e544552", "WINTER"),
    Sample(20, 3, f"0101 0203 0901 31 {MOMENT} 0901 32", [SEASON]),
    Sample(20, 4, "0101 0208 0901 31 1101 1102 1103 1104 1105 1106 1107", [WEEK]),
    Sample(20, 5, f"0101 0202 1101 0101 0203 0904 06000000 {SCRIPT} 120001", [DAY]),
    Sample(20, 6, "0901 ff", b"\xff"),  # octets that are no text
    Sample(20, 7, f"0101 0203 0901 31 {MOMENT} 0901 32", [SEASON]),
    Sample(20, 8, "0101 0208 0901 31 1101 1102 1103 1104 1105 1106 1107", [WEEK]),
    Sample(20, 9, f"0101 0202 1101 0101 0203 0904 06000000 {SCRIPT} 120001", [DAY]),
    Sample(20, 10, MOMENT, WHEN),
    # IEC HDLC setup
    Sample(23, 2, "1605", "baud_9600"),
    Sample(23, 3, "1101", 1),
    Sample(23, 4, "1107", 7),
    Sample(23, 5, "12 0080", 128),
    Sample(23, 6, "12 07ee", 2030),
    Sample(23, 7, "12 0019", 25),
    Sample(23, 8, "12 0078", 120),
    Sample(23, 9, "12 0011", 17),
    # Push setup
    Sample(40, 2, f"0101 0204 {ENERGY_COLUMN}", [READS_ENERGY]),
    Sample(40, 2, f"0101 0205 {ENERGY_COLUMN} 0202 1600 00", [READS_ENERGY | {"restriction": {"type": "none", "value": None}}], 1),
    Sample(40, 2, f"0101 0206 {ENERGY_COLUMN} 0202 1600 00 0101 0204 {CLOCK_COLUMN}", [READS_ENERGY | {
        "restriction": {"type": "none", "value": None}, "columns": [READS_CLOCK]}], 2),
    Sample(40, 3, "0203 1600 0905 312e322e33 1600", {"transport_service": "tcp", "destination": b"1.2.3", "message": "a_xdr"}),
    Sample(40, 4, f"0101 0202 {MOMENT} {MOMENT}", [{"start": WHEN, "end": WHEN}]),
    Sample(40, 5, "12 003c", 60),
    Sample(40, 6, "11 03", 3),
    Sample(40, 7, "12 000a", 10),
    Sample(40, 7, "0203 12000a 120002 12012c", {"min": 10, "exponent": 2, "max": 300}, 2),
    Sample(40, 8, "0906 0000160000ff", "0-0:22.0.0*255", 1),
    Sample(40, 9, "0f 66", 102, 1),
    Sample(40, 10, f"0101 0202 1602 0205 0902 0102 {TITLE} {TITLE} 0900 0202 1600 0201 1600", [{
        "type": "authentication_and_encryption", "options": {"transaction_id": b"\1\2",
        "originator_system_title": TITLE_OCTETS, "recipient_system_title": TITLE_OCTETS, "other_information": b"",
        "key_info": {"type": "identified", "options": [0]}}}], 1),
    Sample(40, 11, "1602", "confirmed", 2),
    Sample(40, 12, f"0202 {MOMENT} 06 00000e10", {"start": WHEN, "interval": 3600}, 2),
    Sample(40, 13, MOMENT, WHEN, 2),
    # Compact data
    Sample(62, 2, "0903 112233", b"\x11\x22\x33"),
    Sample(62, 3, f"0101 0204 {ENERGY_COLUMN}", [READS_ENERGY]),
    Sample(62, 4, "11 01", 1),
    Sample(62, 5, "0903 020106", b"\2\1\6"),
    Sample(62, 6, "16 01", "implicit"),
    # Status mapping
    Sample(63, 3, "0202 1101 0102 120001 120002", {"ref_table_id": 1, "ref_table_mapping": [1, 2]}),
    Sample(63, 3, "0202 1101 120007", {"ref_table_id": 1, "ref_table_mapping": 7}),
    # Security setup
    Sample(64, 2, "1603", "authenticated_and_encrypted"),
    Sample(64, 2, "166c", 0x6C, 1),  # bits: requests and responses, authenticated and encrypted
    Sample(64, 3, "1600", 0),
    Sample(64, 4, TITLE, TITLE_OCTETS),
    Sample(64, 5, TITLE, TITLE_OCTETS),
    Sample(64, 6, "0101 0206 1600 1601 0901 01 0901 02 0901 03 0900", [{"entity": "server", "type": "key_agreement",
        "serial_number": b"\1", "issuer": b"\2", "subject": b"\3", "subject_alt_name": b""}], 1),
    # Disconnect control
    Sample(70, 2, "0301", True),
    Sample(70, 3, "1602", "ready_for_reconnection"),
    Sample(70, 4, "1602", 2),
    # Limiter
    Sample(71, 2, f"0203 120003 {ENERGY} 0f02", {"class_id": 3, "logical_name": "1-0:1.8.0*255", "attribute_id": 2}),
    Sample(71, 6, "06 0000003c", 60),
    Sample(71, 7, "06 00000078", 120),
    Sample(71, 8, f"0203 120001 {MOMENT} 0600000e10", {"id": 1, "activation_time": WHEN, "duration": 3600}),
    Sample(71, 9, "0102 120001 120002", [1, 2]),
    Sample(71, 10, "0300", False),
    Sample(71, 11, f"0202 0202 {SCRIPT} 120001 0202 {SCRIPT} 120002", {"over_threshold": CALLS_1, "under_threshold": CALLS_2}),
    # M-Bus client
    Sample(72, 2, "0906 0000180600ff", "0-0:24.6.0*255"),
    Sample(72, 3, "0101 0202 0901 04 0901 13", [{"data_information_block": b"\4", "value_information_block": b"\x13"}]),
    Sample(72, 4, "06 00000e10", 3600),
    Sample(72, 5, "11 01", 1),
    Sample(72, 6, "06 12345678", 0x12345678),
    Sample(72, 7, "12 2c2d", 0x2C2D),
    Sample(72, 8, "11 01", 1),
    Sample(72, 9, "11 03", 3),
    Sample(72, 10, "11 ff", 255),
    Sample(72, 11, "11 10", 16),
    Sample(72, 12, "11 00", 0),
    Sample(72, 13, "12 0500", 0x500, 1),
    Sample(72, 14, "1603", "encryption_key_set_and_in_use", 1),
]
# fmt: on


def shown(value: Value) -> Any:  # noqa: ANN401  what JSON has, octets and moments
    """Return a value as the samples have it."""
    match value:
        case IntEnum():
            return value.name.lower()
        case Obis():
            return str(value)
        case tuple() if not isinstance(value, DlmsDateTime | DlmsTime | BitString):
            parts = [shown(each) for each in value]
            fields = getattr(value, "_fields", None)
            return dict(zip(fields, parts, strict=True)) if fields else parts
        case _:
            return value
