"""Read a meter with dlms-cosem (Business Source License) and print what it says as JSON.

Runs in a process of its own: `python dlms_cosem_reader.py '{"port": …, …}'`; see `readers.py` for the order.
"""

from datetime import UTC, datetime
from decimal import Decimal
import json
import sys
from typing import Any

from dlms_cosem import cosem, enumerations, utils
from dlms_cosem.client import DlmsClient
from dlms_cosem.cosem.capture_object import CaptureObject
from dlms_cosem.cosem.selective_access import RangeDescriptor
from dlms_cosem.io import BlockingTcpIO, HdlcTransport, TcpTransport
from dlms_cosem.parsers import AssociationObjectListParser
from dlms_cosem.security import (
    LowLevelSecurityAuthentication,
    NoSecurityAuthentication,
)
from dlms_cosem.time import datetime_from_bytes
import structlog

type Untyped = Any  # dlms-cosem's values

TIMEOUT = 10


def attribute(class_id: int, code: str, number: int) -> cosem.CosemAttribute:
    name = cosem.Obis(*map(int, code.split(".")))
    return cosem.CosemAttribute(enumerations.CosemInterface(class_id), name, number)


def code_of(name: cosem.Obis) -> str:
    return ".".join(map(str, name.to_bytes()))


def moment(octets: bytes) -> str:
    time: datetime = datetime_from_bytes(octets)[0]
    return time.astimezone(UTC).isoformat()


class PatchedHdlcTransport(HdlcTransport):  # type: ignore[misc]
    """Takes a frame to the end its length field gives.

    dlms-cosem itself looks for the next 7E, on the line and again in what it has read. Frames have no stuffing, so a
    value, a check or a control octet may be 7E: `7E A015 03 03 36 FC19 E6E700 C401C100 0600FCDBC3 EE7E 7E` (frame
    check EE7E), or an I frame with N(R) 3, F and N(S) 7. It then waits for octets that never come.
    """

    def recv_frame(self) -> bytes:
        head = self.io.recv(3)
        length = int.from_bytes(head[1:]) & 0x7FF
        self.hdlc_connection.buffer_search_position = length + 1
        return bytes(head + self.io.recv(length - 1))


class Reader:
    def __init__(self, order: dict[str, Any]) -> None:
        io = BlockingTcpIO("127.0.0.1", order["port"], TIMEOUT)
        transport = PatchedHdlcTransport if order["framing"] == "hdlc" else TcpTransport
        password = order["password"]
        self.client = DlmsClient(
            transport=transport(order["client"], 1, io, timeout=TIMEOUT),
            authentication=LowLevelSecurityAuthentication(password.encode())
            if password
            else NoSecurityAuthentication(),
            block_transfer=True,
        )

    def get(
        self,
        class_id: int,
        code: str,
        number: int,
        access: RangeDescriptor | None = None,
    ) -> Untyped:
        wanted = attribute(class_id, code, number)
        return utils.parse_as_dlms_data(self.client.get(wanted, access))

    def register(self, code: str) -> list[Any]:
        scaler, unit = self.get(3, code, 3)
        return [str(Decimal(self.get(3, code, 2)).scaleb(scaler)), unit]

    def rows(self, code: str, first: str, last: str) -> list[list[Any]]:
        access = RangeDescriptor(
            restricting_object=CaptureObject(attribute(8, "0.0.1.0.0.255", 2)),
            from_value=datetime.fromisoformat(first),
            to_value=datetime.fromisoformat(last),
        )
        rows = self.get(7, code, 2, access=access)
        return [[moment(row[0]), *row[1:]] for row in rows]


def report(order: dict[str, Any]) -> dict[str, Any]:
    reader = Reader(order)
    with reader.client.session() as client:
        object_list = AssociationObjectListParser.parse_bytes(
            client.get(attribute(15, "0.0.40.0.0.255", 2))
        )
        objects = [
            [int(item.interface), code_of(item.logical_name), item.version]
            for item in object_list
        ]
        columns = reader.get(7, order["profile"], 3)
        return {
            "objects": objects,
            "registers": {
                code: reader.register(code)
                for class_id, code, _ in objects
                if class_id == 3
            },
            "clock": moment(reader.get(8, "0.0.1.0.0.255", 2)),
            "name": reader.get(1, "0.0.42.0.0.255", 2).decode(),
            "columns": [
                [class_id, ".".join(map(str, name)), number]
                for class_id, name, number, _ in columns
            ],
            "rows": reader.rows(order["profile"], order["since"], order["until"]),
        }


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    json.dump(report(json.loads(sys.argv[1])), sys.stdout)
