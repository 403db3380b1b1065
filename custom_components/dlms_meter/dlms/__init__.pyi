"""The front door as type checkers see it: what `__init__.py` hands out by name."""

from .application.access_procedure import AccessItem, AccessOutcome
from .application.action import ActionOutcome
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
from .application.secrecy import without_values
from .application.security_settings import (
    Enveloping,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
)
from .application.transcript import (
    Exchange,
    ShortTarget,
    exchanges,
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
from .cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
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
    FrameRejected,
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
from .kept_session import KeptSession
from .link import LinkStatistics
from .link.mode_e import Acknowledgement, SignOnSettings
from .refusals import Refusal, refusal_and_code, refusal_of
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
    "ActionOutcome",
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
    "Exchange",
    "Found",
    "FrameRejected",
    "Framing",
    "Identity",
    "InformationReport",
    "InvocationCounterRefused",
    "KeptSession",
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
    "Refusal",
    "RemoteProtocolError",
    "ScalerUnit",
    "ScanReport",
    "SecurityError",
    "SecurityPolicy",
    "SecuritySettings",
    "SecuritySuite",
    "SelectedAttribute",
    "Selection",
    "SelectiveAccess",
    "SerialEndpoint",
    "ServerAddress",
    "ServiceError",
    "ShortTarget",
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
    "exchanges",
    "find_meter",
    "interpret",
    "open_transport",
    "refusal_and_code",
    "refusal_of",
    "scaler_unit_of",
    "symptom_of",
    "to_data",
    "to_value",
    "unit_symbol",
    "without_values",
]
