"""Read a meter with pydlms-client (GPL-3) and print what it says as JSON.

Runs in a process of its own: `python pydlms_reader.py '{"port": …, …}'`; see `readers.py` for the order.
"""

from datetime import UTC, datetime
import json
import sys
from typing import Any

from pydlms.apdu.xdlms import range_descriptor
from pydlms.client import DlmsClient
from pydlms.cosem.data import DlmsData
from pydlms.cosem.time import CosemDateTime
from pydlms.hdlc.connection import HdlcParameters
from pydlms.security.hls import Mechanism

type Untyped = Any  # pydlms' values

TIMEOUT = 10
HDLC_PARAMETERS = HdlcParameters(
    max_info_tx=1024, max_info_rx=1024, window_tx=7, window_rx=7
)


def connect(order: dict[str, Any]) -> DlmsClient:
    hdlc = order["framing"] == "hdlc"
    password = order["password"]
    return DlmsClient.tcp(
        "127.0.0.1",
        order["port"],
        client_sap=order["client"],
        hdlc=hdlc,
        hdlc_parameters=HDLC_PARAMETERS if hdlc else None,
        timeout=TIMEOUT,
        mechanism=Mechanism.LLS if password else Mechanism.NONE,
        password=password.encode() if password else None,
    )


def moment(octets: bytes) -> str:
    return CosemDateTime.from_bytes(octets).to_datetime().astimezone(UTC).isoformat()


def boundary(text: str) -> DlmsData:
    octets = CosemDateTime.from_datetime(datetime.fromisoformat(text)).to_bytes()
    return DlmsData.octet_string(octets)


def read_registers(client: DlmsClient, codes: list[str]) -> dict[str, list[Any]]:
    """Read values and scaler-units of all registers in one list."""
    items: Untyped = [(code, 3, number) for code in codes for number in (2, 3)]
    answers: list[Untyped] = client.get_many(items)
    registers: dict[str, list[Any]] = {}
    for code, value, meaning in zip(codes, answers[::2], answers[1::2], strict=True):
        scaler, unit = (element.value for element in meaning.value)
        registers[code] = [str(value.value * 10.0**scaler), unit]
    return registers


def report(order: dict[str, Any]) -> dict[str, Any]:
    with connect(order) as client:
        view = client.get_association_view()
        access = order["since"] and range_descriptor(
            boundary(order["since"]), boundary(order["until"])
        )
        profile = client.read_profile(order["profile"], access)
        registers = [str(entry.logical_name) for entry in view if entry.class_id == 3]
        return {
            "objects": [
                [int(entry.class_id), str(entry.logical_name), entry.version]
                for entry in view
            ],
            "registers": read_registers(client, registers),
            "clock": moment(client.get("0.0.1.0.0.255", 8, 2).value),
            "name": client.get("0.0.42.0.0.255", 1, 2).value.decode(),
            "columns": [
                [int(class_id), str(name), number]
                for class_id, name, number, _ in profile.columns
            ],
            "rows": [
                [moment(row[0].value), *(cell.value for cell in row[1:])]
                for row in profile.cells
            ],
        }


if __name__ == "__main__":
    json.dump(report(json.loads(sys.argv[1])), sys.stdout)
