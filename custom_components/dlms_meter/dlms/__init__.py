"""A DLMS/COSEM client that has never heard of Home Assistant. This is its front door, and a map of the house.

Six floors; imports go downstairs only. Start at the top:

    client          what can be asked of one meter: `DlmsClient`
    profiles        carrying out the reading of a profile, a few rows at a time
    session         connection, link and association, which begin together and always end politely
    client_settings how a meter is reached and spoken to
    connection      the pump between network and protocol: timers, turns, the log of the wire
    sign_on         the few lines of text (IEC 62056-21) that some meters want before HDLC
    timing          how long to wait for what
    transport/      bytes to and from the meter: serial ports, TCP, UDP. asyncio lives here and above; all below is pure
    link/           HDLC and the wrapper: frames in, APDUs out
    application/    associations and services: APDUs, and the procedures that exchange them
    cosem/          what a meter is made of: names, objects, values with units, what OBIS codes mean
    codec/          octets to values and back: A-XDR, BER, dates, check sequences
    errors          the one tree of errors

How a reading comes about: `client` asks `connection` to run a procedure of `application`, whose requests `codec`
turns into octets, which `link` frames and `transport` sends. The answer climbs the same stairs. What it means is
known in `cosem`. `tests/dlms/test_walkthrough.py` follows one reading octet by octet.

Whoever uses the client imports from here, and never from a room behind.
"""

from .application.access_procedure import AccessItem, AccessOutcome
from .application.enums import (
    ActionResult,
    Conformance,
    DataAccessResult,
    Mechanism,
)
from .application.notification import (
    DataNotification,
    EventNotification,
    InformationReport,
    Notification,
)
from .application.security_settings import (
    Enveloping,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
)
from .client import DlmsClient, ReadReport
from .client_settings import ClientSettings, Framing
from .codec.axdr import decode_data, encode_data
from .codec.data import BitString, CompactArray, Data, DataType
from .codec.datetimes import ClockStatus, DlmsDate, DlmsDateTime, DlmsTime
from .cosem.capture_objects import CaptureObject
from .cosem.catalogue import describe
from .cosem.class_values import to_data, to_value
from .cosem.clock import DeviationRule, MeterClock
from .cosem.compact_data import decode_compact_buffer
from .cosem.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from .cosem.flag_ids import MANUFACTURERS
from .cosem.identity import Identity
from .cosem.interface_classes import INTERFACE_CLASSES
from .cosem.meaning import Direction, Kind, Meaning, Phase
from .cosem.meter_memory import MeterMemory as ClientMemory
from .cosem.meters import (
    METERS,
    Access,
    Approach,
    KnownMeter,
    ServerAddress,
)
from .cosem.obis import Obis
from .cosem.object_list import AccessMode, CosemObject
from .cosem.profile import ProfileColumn, ProfileRow, ProfileRows
from .cosem.profile_selection import (
    EntryRange,
    LastEntries,
    Selection,
    TimeRange,
    WholeBuffer,
)
from .cosem.units import Unit, unit_symbol
from .cosem.values import (
    Quantity,
    ScalerUnit,
    Value,
    decode_scaler_unit,
    interpret,
    scaler_unit_of,
)
from .discovery import Found, Line, Probe, ScanReport, find_meter
from .errors import (
    AssociationRejected,
    AuthenticationFailed,
    DecodeError,
    DlmsError,
    InvocationCounterRefused,
    LinkBusy,
    LinkError,
    LocalProtocolError,
    RemoteProtocolError,
    SecurityError,
    ServiceError,
    TransportError,
    TransportTimeout,
)
from .link import LinkStatistics
from .link.mode_e import Acknowledgement, SignOnSettings
from .session import Negotiated
from .symptom import Symptom, symptom_of
from .transport import Receiver, Transport, TransportOpener, open_transport
from .transport.endpoint import (
    SPEEDS,
    CharacterFormat,
    Endpoint,
    LineSettings,
    SerialEndpoint,
    TcpEndpoint,
    UdpEndpoint,
)

__all__ = [
    "INTERFACE_CLASSES",
    "MANUFACTURERS",
    "METERS",
    "SPEEDS",
    "Access",
    "AccessItem",
    "AccessMode",
    "AccessOutcome",
    "Acknowledgement",
    "ActionResult",
    "Approach",
    "AssociationRejected",
    "AttributeDescriptor",
    "AuthenticationFailed",
    "BitString",
    "CaptureObject",
    "CharacterFormat",
    "ClientMemory",
    "ClientSettings",
    "ClockStatus",
    "CompactArray",
    "Conformance",
    "CosemObject",
    "Data",
    "DataAccessResult",
    "DataNotification",
    "DataType",
    "DecodeError",
    "DeviationRule",
    "Direction",
    "DlmsClient",
    "DlmsDate",
    "DlmsDateTime",
    "DlmsError",
    "DlmsTime",
    "Endpoint",
    "EntryRange",
    "Enveloping",
    "EventNotification",
    "Found",
    "Framing",
    "Identity",
    "InformationReport",
    "InvocationCounterRefused",
    "Kind",
    "KnownMeter",
    "LastEntries",
    "Line",
    "LineSettings",
    "LinkBusy",
    "LinkError",
    "LinkStatistics",
    "LocalProtocolError",
    "Meaning",
    "Mechanism",
    "MeterClock",
    "MethodDescriptor",
    "Negotiated",
    "Notification",
    "Obis",
    "Phase",
    "Probe",
    "ProfileColumn",
    "ProfileRow",
    "ProfileRows",
    "Quantity",
    "ReadReport",
    "Receiver",
    "RemoteProtocolError",
    "ScalerUnit",
    "ScanReport",
    "SecurityError",
    "SecurityPolicy",
    "SecuritySettings",
    "SecuritySuite",
    "Selection",
    "SelectiveAccess",
    "SerialEndpoint",
    "ServerAddress",
    "ServiceError",
    "SignOnSettings",
    "Symptom",
    "TcpEndpoint",
    "TimeRange",
    "Transport",
    "TransportError",
    "TransportOpener",
    "TransportTimeout",
    "UdpEndpoint",
    "Unit",
    "Value",
    "WholeBuffer",
    "decode_compact_buffer",
    "decode_data",
    "decode_scaler_unit",
    "describe",
    "encode_data",
    "find_meter",
    "interpret",
    "open_transport",
    "scaler_unit_of",
    "symptom_of",
    "to_data",
    "to_value",
    "unit_symbol",
]
