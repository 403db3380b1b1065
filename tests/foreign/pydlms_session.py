"""pydlms-client (GPL-3) as `services_reader.py` needs it."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from pydlms.apdu.xdlms import entry_descriptor, range_descriptor
from pydlms.client import AccessGet, AccessSet, DlmsClient
from pydlms.cosem.data import DlmsData
from pydlms.cosem.enums import DataAccessResult
from pydlms.cosem.time import CosemDateTime
from pydlms.hdlc.connection import HdlcParameters
from pydlms.security.context import SecurityContext
from pydlms.security.hls import Mechanism

type Order = dict[str, Any]
type Untyped = Any  # pydlms' values

BLOCK_WINDOW = 3
"""By the wrapper; over HDLC pydlms takes one block at a time: it does not poll for those that are streamed."""


class ForeignSession:
    def __init__(
        self, order: Order, way: Order, counter: int, *, in_blocks: bool
    ) -> None:
        self.short_names = way["names"] == "SN"
        hdlc = order["framing"] == "hdlc"
        mechanism = Mechanism(way["mechanism"])
        context = SecurityContext(
            bytes.fromhex(order["global_unicast_key"]),
            bytes.fromhex(order["authentication_key"]),
            client_system_title=bytes.fromhex(order["system_title"]),
            invocation_counter=counter,
        )
        self.client = DlmsClient.tcp(
            "127.0.0.1",
            order["port"],
            client_sap=way["client"],
            hdlc=hdlc,
            hdlc_parameters=HdlcParameters(
                max_info_tx=1024, max_info_rx=1024, window_tx=7, window_rx=7
            )
            if hdlc
            else None,
            timeout=order["timeout"],
            logical_names=not self.short_names,
            mechanism=mechanism,
            password=order["secret"].encode()
            if mechanism is not Mechanism.NONE
            else None,
            security=context,
            ciphered_context=way["ciphered"],
            propose_access=True,
            propose_gbt=in_blocks,
            gbt_window=1 if hdlc else BLOCK_WINDOW,
        )
        self.client.connect()

    def close(self) -> None:
        self.client.close()

    def abandon(self) -> None:
        link: Untyped = self.client.link
        with suppress(Exception):
            link.transport.close()

    def get(self, class_id: int, code: str, attribute: int) -> Untyped:
        return plain(self.client.get(code, class_id, attribute))

    def get_registers(self, codes: tuple[str, ...]) -> Untyped:
        items: Untyped = [(code, 3, 2) for code in codes]
        return [plain(value) for value in self.client.get_many(items)]

    def object_count(self) -> int:
        return len(self.client.get_association_view())

    def set_octets(self, code: str, value: bytes) -> None:
        self.client.set(code, 1, 2, DlmsData.octet_string(value))

    def invoke(self, code: str, method: int) -> None:
        self.client.action(code, 70, method, DlmsData.int8(0))

    def rows_by_time(self, code: str, since: str, until: str) -> Untyped:
        access = range_descriptor(boundary(since), boundary(until))
        return rows(self.client.read_profile(code, access))

    def rows_by_number(self, code: str, first: int, last: int) -> Untyped:
        return rows(self.client.read_profile(code, entry_descriptor(first, last)))

    def access(self, code: str, value: bytes) -> Untyped:
        outcomes = self.client.access(
            [
                AccessSet(code, 1, 2, DlmsData.octet_string(value)),
                AccessGet(code, 1, 2),
                AccessGet("1.0.1.8.0.255", 3, 2),
            ]
        )
        assert all(outcome.ok for outcome in outcomes)
        return [plain(outcome.data) for outcome in outcomes[1:]]


def plain(data: Untyped) -> Untyped:
    if isinstance(data, DataAccessResult):
        raise TypeError(f"no value, but {data.name}")
    return data.value.hex() if isinstance(data.value, bytes) else data.value


def boundary(text: str) -> Untyped:
    octets = CosemDateTime.from_datetime(datetime.fromisoformat(text)).to_bytes()
    return DlmsData.octet_string(octets)


def rows(profile: Untyped) -> list[list[Untyped]]:
    return [
        [
            CosemDateTime.from_bytes(row[0].value)
            .to_datetime()
            .astimezone(UTC)
            .isoformat(),
            *(cell.value for cell in row[1:]),
        ]
        for row in profile.cells
    ]
