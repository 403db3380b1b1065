"""Clients in memory, for the tests of the simulated meter: one on the wrapper, one on an HDLC line."""

from datetime import UTC, datetime
import struct
from typing import NamedTuple

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    Conformance,
    Mechanism,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetResponseNormal,
    GetResult,
)
from custom_components.dlms_meter.dlms.application.initiate import InitiateRequest
from custom_components.dlms_meter.dlms.codec.axdr import read_data
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)

from . import (
    READING_CLIENT,
    SUPPORTED,
    AssociationFacts,
    HdlcSession,
    Meter,
    MeterSettings,
    WrapperSession,
)

NOW = datetime(2026, 11, 23, 12, 7, 11, tzinfo=UTC)
INVOKE = InvokeIdAndPriority(0xC1)
LLC = bytes.fromhex("E6E600")
HEADER = struct.Struct(">HHHH")

ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
OBJECT_LIST = AttributeDescriptor(15, Obis.parse("0-0:40.0.0"), 2)
LOAD_PROFILE = AttributeDescriptor(7, Obis.parse("1-0:99.1.0"), 2)
EVENT_LOG = AttributeDescriptor(7, Obis.parse("0-0:99.98.0"), 2)

_ALL_RIGHTS = AssociationFacts(1, Mechanism.LLS, SUPPORTED, max_response_size=0)


def make_meter(settings: MeterSettings | None = None, now: datetime = NOW) -> Meter:
    """Make a meter whose clock stands still."""
    return Meter(settings, now=lambda: now)


# Straight from the table, without any wire.


def read(
    meter: Meter, attribute: AttributeDescriptor, access: SelectiveAccess | None = None
) -> GetResult:
    return meter.read(_ALL_RIGHTS, SelectedAttribute(attribute, access))


def number(meter: Meter, class_id: int, code: str, attribute: int = 2) -> int:
    found = read(meter, AttributeDescriptor(class_id, Obis.parse(code), attribute))
    assert isinstance(found, Data)
    assert isinstance(found.value, int)
    return found.value


def register(meter: Meter, code: str) -> int:
    return number(meter, 3, code)


def date_time(meter: Meter, class_id: int, code: str, attribute: int) -> DlmsDateTime:
    found = read(meter, AttributeDescriptor(class_id, Obis.parse(code), attribute))
    assert isinstance(found, Data)
    return date_time_of(found)


def date_time_of(data: Data) -> DlmsDateTime:
    assert isinstance(data.value, bytes)
    return DlmsDateTime.decode(data.value)


def elements(data: GetResult) -> tuple[Data, ...]:
    """Return what is in an array or a structure."""
    assert isinstance(data, Data)
    assert isinstance(data.value, tuple)
    return tuple(item for item in data.value if isinstance(item, Data))


class Row(NamedTuple):
    """One row of the load profile."""

    moment: datetime
    status: int
    imported: int
    exported: int
    demand: int


def load_profile(meter: Meter) -> list[Row]:
    rows = []
    for row in elements(read(meter, LOAD_PROFILE)):
        clock, *rest = elements(row)
        moment = date_time_of(clock).as_utc()
        assert moment is not None
        rows.append(
            Row(moment, *(cell.value for cell in rest if isinstance(cell.value, int)))
        )
    return rows


def structure(*items: Data) -> Data:
    return Data(DataType.STRUCTURE, items)


def by_entry(
    first: int, last: int, first_column: int = 1, last_column: int = 0
) -> SelectiveAccess:
    return SelectiveAccess(
        2,
        structure(
            Data(DataType.DOUBLE_LONG_UNSIGNED, first),
            Data(DataType.DOUBLE_LONG_UNSIGNED, last),
            Data(DataType.LONG_UNSIGNED, first_column),
            Data(DataType.LONG_UNSIGNED, last_column),
        ),
    )


# Through the wrapper.


def association_request(
    *,
    context: ApplicationContext = ApplicationContext.LOGICAL_NAME,
    mechanism: Mechanism = Mechanism.NONE,
    password: bytes | None = None,
    conformance: Conformance = SUPPORTED,
    max_receive_pdu_size: int = 0,
    dlms_version: int = 6,
) -> Aarq:
    initiate = InitiateRequest(
        conformance=conformance,
        max_receive_pdu_size=max_receive_pdu_size,
        dlms_version=dlms_version,
    )
    return Aarq(
        application_context=context,
        mechanism=mechanism,
        authentication_value=password,
        user_information=initiate.encode(),
    )


def lls_request(
    password: bytes | None = READING_CLIENT.secret, conformance: Conformance = SUPPORTED
) -> Aarq:
    return association_request(
        mechanism=Mechanism.LLS, password=password, conformance=conformance
    )


class Client:
    """A client on the wrapper."""

    def __init__(self, meter: Meter, client_sap: int = 16) -> None:
        self.client_sap = client_sap
        self.session = WrapperSession(meter)

    def ask_octets(self, apdu: bytes, server_sap: int = 1) -> bytes:
        header = HEADER.pack(1, self.client_sap, server_sap, len(apdu))
        answer = self.session.receive_data(header + apdu)
        if answer:
            size = len(answer) - HEADER.size
            assert HEADER.unpack_from(answer) == (1, 1, self.client_sap, size)
        return answer[HEADER.size :]

    def ask(self, apdu: Apdu) -> Apdu:
        return decode_apdu(self.ask_octets(apdu.encode()))

    def associate(self, request: Aarq | None = None) -> Aare:
        answer = self.ask(request or association_request())
        assert isinstance(answer, Aare)
        return answer

    def get(
        self, attribute: AttributeDescriptor, access: SelectiveAccess | None = None
    ) -> GetResult:
        answer = self.ask(GetRequestNormal(INVOKE, attribute, access))
        assert isinstance(answer, GetResponseNormal)
        if isinstance(answer.result, bytes):
            return read_data(Reader(answer.result))
        return answer.result


# Through HDLC.


class Line:
    """A client on an HDLC line that sends the frames it is told to."""

    def __init__(self, meter: Meter, server: HdlcAddress | None = None) -> None:
        self.session = HdlcSession(meter)
        self.server = server or HdlcAddress.server(1)
        self.client = HdlcAddress.client(16)

    def frame(
        self,
        kind: FrameType,
        information: bytes = b"",
        send_sequence: int = 0,
        receive_sequence: int = 0,
        *,
        segmented: bool = False,
        poll_final: bool = True,
    ) -> bytes:
        return Frame(
            self.server,
            self.client,
            kind,
            information,
            segmented,
            poll_final,
            send_sequence,
            receive_sequence,
        ).encode()

    def hear(self, octets: bytes) -> list[Frame]:
        """Take the meter's octets apart; they must be whole frames from the meter to this client."""
        frames = FrameDecoder().feed(octets)
        assert b"".join(frame.encode() for frame in frames) == octets
        assert all(frame.destination == self.client for frame in frames)
        assert all(frame.source == self.server for frame in frames)
        return frames

    def send(
        self,
        kind: FrameType,
        information: bytes = b"",
        send_sequence: int = 0,
        receive_sequence: int = 0,
    ) -> list[Frame]:
        """Send one frame that gives the word to the meter."""
        frame = self.frame(kind, information, send_sequence, receive_sequence)
        return self.hear(self.session.receive_data(frame))

    def connect(self, parameters: str = "") -> Frame:
        (answer,) = self.send(FrameType.SNRM, bytes.fromhex(parameters))
        return answer

    def associate(self, parameters: str = "") -> list[Frame]:
        """Connect and associate; return the frames of the AARE."""
        assert self.connect(parameters).type is FrameType.UA
        frames = self.send(FrameType.I, LLC + association_request().encode())
        answer = b"".join(frame.information for frame in frames)
        assert answer.startswith(bytes.fromhex("E6E70061"))
        return frames

    def request(
        self,
        attribute: AttributeDescriptor,
        send_sequence: int = 1,
        receive_sequence: int = 1,
    ) -> list[Frame]:
        apdu = GetRequestNormal(INVOKE, attribute).encode()
        return self.send(FrameType.I, LLC + apdu, send_sequence, receive_sequence)
