"""Readers nobody here wrote read the simulated meter: what they find is what its table holds."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from custom_components.dlms_meter.dlms.application.enums import Mechanism
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from tests.simulator import (
    PUBLIC_CLIENT,
    READING_CLIENT,
    SUPPORTED,
    AssociationFacts,
    ClientRule,
    Meter,
    SimulatorServer,
)

from .readers import Order, Report, read_with

NOW = datetime(2026, 11, 23, 12, 7, 11, tzinfo=UTC)
type Plain = Any  # a value without its DLMS types

LOAD_PROFILE = "1.0.99.1.0.255"
FIRST, COUNT = 5000, 100  # entries, from 1


def dotted(code: Obis) -> str:
    return ".".join(map(str, code))


class Table:
    """What the simulated meter holds, taken from its table and not from any wire."""

    def __init__(self, meter: Meter, client: ClientRule) -> None:
        self._meter = meter
        self._facts = AssociationFacts(
            client.client_sap, client.mechanism, SUPPORTED, max_response_size=0
        )

    def value(self, class_id: int, code: str, attribute: int) -> Plain:
        name = Obis.parse(code)
        wanted = SelectedAttribute(AttributeDescriptor(class_id, name, attribute))
        found = self._meter.read(self._facts, wanted)
        assert isinstance(found, Data), f"{code}: {found}"
        return plain(found)

    @property
    def objects(self) -> list[tuple[int, str, int]]:
        return [
            (class_id, dotted(Obis(name)), version)
            for class_id, version, name, _rights in self.value(15, "0.0.40.0.0.255", 2)
        ]

    def register(self, code: str) -> tuple[Decimal, int]:
        scaler, unit = self.value(3, code, 3)
        return Decimal(self.value(3, code, 2)).scaleb(scaler), unit


def plain(data: Data) -> Plain:
    """Take the types off a value, all the way down."""
    if isinstance(data.value, tuple):
        return [plain(item) if isinstance(item, Data) else item for item in data.value]
    return data.value


def moment(octets: bytes) -> str:
    time = DlmsDateTime.decode(octets).as_utc()
    assert time is not None
    return time.isoformat()


def check(report: Report, table: Table) -> None:
    assert [tuple(item) for item in report["objects"]] == table.objects
    registers = [code for class_id, code, _ in table.objects if class_id == 3]
    assert list(report["registers"]) == registers
    for code, (value, unit) in report["registers"].items():
        expected, expected_unit = table.register(code)
        assert float(value) == pytest.approx(float(expected), rel=1e-12), code
        assert unit == expected_unit, code
    assert report["clock"] == NOW.isoformat()
    assert report["name"] == table.value(1, "0.0.42.0.0.255", 2).decode()


def check_profile(report: Report, table: Table) -> None:
    assert [tuple(column) for column in report["columns"]] == [
        (class_id, dotted(Obis(name)), attribute)
        for class_id, name, attribute, _ in table.value(7, LOAD_PROFILE, 3)
    ]
    rows = table.value(7, LOAD_PROFILE, 2)[FIRST - 1 : FIRST - 1 + COUNT]
    assert report["rows"] == [[moment(row[0]), *row[1:]] for row in rows]


@pytest.mark.parametrize("client", [PUBLIC_CLIENT, READING_CLIENT], ids=["none", "lls"])
@pytest.mark.parametrize("framing", ["wrapper", "hdlc"])
@pytest.mark.parametrize("reader", ["gurux", "dlms_cosem", "pydlms"])
async def test_foreign_reader(
    reader: str, framing: str, client: ClientRule, socket_enabled: None
) -> None:
    """Association, object list, registers with scaler and unit, clock, a profile in blocks.

    Over HDLC gurux-dlms and dlms-cosem ask for nothing and get 128 octets and a window of 1; pydlms-client
    asks for more than the meter has and gets 512 octets and a window of 3.
    """
    meter = Meter(now=lambda: NOW)
    table = Table(meter, client)
    rows = table.value(7, LOAD_PROFILE, 2)
    async with SimulatorServer(meter) as server:
        port = server.hdlc_port if framing == "hdlc" else server.wrapper_port
        assert port is not None
        lls = client.mechanism is Mechanism.LLS
        report = await read_with(
            reader,
            Order(
                framing=framing,
                port=port,
                client=client.client_sap,
                password=client.secret.decode() if lls else None,
                profile=LOAD_PROFILE,
                since=moment(rows[FIRST - 1][0]),
                until=moment(rows[FIRST - 1 + COUNT - 1][0]),
                first=FIRST,
                count=COUNT,
            ),
        )
    check(report, table)
    check_profile(report, table)
