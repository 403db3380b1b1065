"""dlms-cosem (Business Source License) as `services_reader.py` needs it: logical names, and of HLS GMAC and the vendor's."""

from datetime import UTC, datetime
from typing import Any

from dlms_cosem import cosem, dlms_data, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import EntryDescriptor, RangeDescriptor
from dlms_cosem.io import BlockingTcpIO, TcpTransport
from dlms_cosem.security import (
    HighLevelSecurityCommonAuthentication,
    HighLevelSecurityGmacAuthentication,
    LowLevelSecurityAuthentication,
    NoSecurityAuthentication,
)
from dlms_cosem.time import datetime_from_bytes
import structlog

from .dlms_cosem_reader import PatchedHdlcTransport, attribute

type Order = dict[str, Any]
type Untyped = Any  # dlms-cosem's values

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def authentication(mechanism: int, secret: bytes) -> Untyped:
    match mechanism:
        case 0:
            return NoSecurityAuthentication()
        case 1:
            return LowLevelSecurityAuthentication(secret)
        case 2:
            return HighLevelSecurityCommonAuthentication(secret)
        case 5:
            return HighLevelSecurityGmacAuthentication()
    raise NotImplementedError(f"dlms-cosem has no mechanism {mechanism}")


class ForeignSession:
    def __init__(
        self, order: Order, way: Order, counter: int, *, in_blocks: bool
    ) -> None:
        del in_blocks  # it always proposes general block transfer
        if way["names"] == "SN":
            raise NotImplementedError("dlms-cosem has no short names")
        ciphering = {
            "encryption_key": bytes.fromhex(order["global_unicast_key"]),
            "authentication_key": bytes.fromhex(order["authentication_key"]),
            "client_system_title": bytes.fromhex(order["system_title"]),
            "security_suite": 0,
            "client_initial_invocation_counter": counter,
        }
        self.io = BlockingTcpIO("127.0.0.1", order["port"], order["timeout"])
        transport = PatchedHdlcTransport if order["framing"] == "hdlc" else TcpTransport
        self.client = DlmsClient(
            transport=transport(way["client"], 1, self.io, timeout=order["timeout"]),
            authentication=authentication(way["mechanism"], order["secret"].encode()),
            block_transfer=True,
            **(ciphering if way["ciphered"] else {}),
        )
        self.client.connect()
        self.client.associate()

    def close(self) -> None:
        self.client.release_association()
        self.client.disconnect()

    def abandon(self) -> None:
        self.io.disconnect()

    def _read(self, wanted: Untyped, access: Untyped = None) -> Untyped:
        return utils.parse_as_dlms_data(self.client.get(wanted, access))

    def get(self, class_id: int, code: str, number: int) -> Untyped:
        return plain(self._read(attribute(class_id, code, number)))

    def get_registers(self, codes: tuple[str, ...]) -> Untyped:
        answer = self.client.get_many(
            [
                cosem.CosemAttributeWithSelection(attribute(3, code, 2), None)
                for code in codes
            ]
        )
        return [item.to_python() for item in answer.response_data]

    def object_count(self) -> int:
        return len(self._read(attribute(15, "0.0.40.0.0.255", 2)))

    def set_octets(self, code: str, value: bytes) -> None:
        octets = dlms_data.OctetStringData(bytearray(value)).to_bytes()
        answer = self.client.set(attribute(1, code, 2), octets)
        if answer.result is not enumerations.DataAccessResult.SUCCESS:
            raise ValueError(f"not written: {answer.result.name}")

    def invoke(self, code: str, method: int) -> None:
        name = cosem.Obis(*map(int, code.split(".")))
        interface = enumerations.CosemInterface.DISCONNECT_CONTROL
        octets = dlms_data.IntegerData(0).to_bytes()
        self.client.action(cosem.CosemMethod(interface, name, method), octets)

    def rows_by_time(self, code: str, since: str, until: str) -> Untyped:
        access = RangeDescriptor(
            restricting_object=CaptureObject(attribute(8, "0.0.1.0.0.255", 2)),
            from_value=datetime.fromisoformat(since),
            to_value=datetime.fromisoformat(until),
        )
        return rows(self._read(attribute(7, code, 2), access))

    def rows_by_number(self, code: str, first: int, last: int) -> Untyped:
        return rows(self._read(attribute(7, code, 2), EntryDescriptor(first, last)))

    def access(self, code: str, value: bytes) -> Untyped:
        raise NotImplementedError("dlms-cosem has no ACCESS")


def plain(value: Untyped) -> Untyped:
    return bytes(value).hex() if isinstance(value, bytes | bytearray) else value


def rows(found: list[list[Untyped]]) -> list[list[Untyped]]:
    return [
        [datetime_from_bytes(row[0])[0].astimezone(UTC).isoformat(), *row[1:]]
        for row in found
    ]
