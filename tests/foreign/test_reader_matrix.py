"""Clients nobody here wrote read, write and command the simulated meter, in every way each of them can. The matrix is printed.

What a client cannot do is tried all the same: the error it fails with is held against the one its note explains.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
import json
from pathlib import Path
import re
import sys
from typing import Any, NamedTuple

import pytest

from custom_components.dlms_meter.dlms import (
    Conformance,
    Enveloping,
    Mechanism,
    SecurityPolicy,
)
from tests.dlms.application.secured import CLIENT_TITLE, as_server, settings
from tests.simulator import (
    ClientRule,
    Meter,
    MeterSettings,
    SimulatorServer,
)
from tests.simulator.controls import CONTROLLABLE_METER, give_controls
from tests.simulator.objects import MeterObject, Readers
from tests.simulator.settings import (
    EVERY_SERVICE,
    SHORT_NAME_SERVICES,
    ServiceQuirks,
)

from .matrix import MATRICES, OK, Matrix
from .test_readers import Table, moment

type Json = Any  # what the readers report

SECRET = b"1234567812345678"
KEYS = settings()
NOW = datetime(2026, 11, 23, 12, 7, 11, tzinfo=UTC)
PLAIN, CIPHERED, GENERAL = 40, 56, 72
"""Client addresses: by mechanism, in clear, ciphered by service, ciphered by general-glo-ciphering."""
MECHANISMS = [each for each in Mechanism if each <= Mechanism.HLS_SHA256]
READER = "tests.foreign.services_reader"
ROOT = Path(__file__).parents[2]
DEADLINE = 300
TIMEOUT = 3
LOAD_PROFILE = "1.0.99.1.0.255"
FIRST, LAST = 5000, 5008
LONG = 500
"""How often a way's name is written to make a value of more octets than an APDU."""
IN_BLOCKS = "block transfer"
OPERATIONS = ["get", "list", "long", "set", "set long", "action", "range", "entries", "access", IN_BLOCKS, "release"]  # fmt: skip


class Way(NamedTuple):
    """How a reader speaks to the meter."""

    reader: str
    framing: str
    names: str
    mechanism: Mechanism
    ciphered: bool

    def __str__(self) -> str:
        ciphered = "ciphered" if self.ciphered else "plain"
        return f"{self.reader}, {self.framing}, {self.names}, {self.mechanism.name}, {ciphered}"

    @property
    def client(self) -> int:
        general = self.reader == "dlms_cosem"
        base = PLAIN if not self.ciphered else GENERAL if general else CIPHERED
        return base + self.mechanism

    @property
    def is_offered(self) -> bool:
        """Whether the reader knows such names and such a mechanism."""
        return self.reader != "dlms_cosem" or (
            self.names == "LN" and self.mechanism in (0, 1, 2, 5)
        )


class Fault(NamedTuple):
    """What a reader cannot do, the error it then raises, and why it is the reader's fault."""

    reader: str
    names: str  # "" for both
    ciphered: bool | None  # None for both
    mechanisms: tuple[int, ...]
    operations: tuple[str, ...]
    error: str
    note: str

    def concerns(self, way: Way, operation: str) -> bool:
        return (
            self.reader == way.reader
            and self.names in ("", way.names)
            and self.ciphered in (None, way.ciphered)
            and way.mechanism in self.mechanisms
            and operation in self.operations
        )


ALL = tuple(MECHANISMS)
HLS = tuple(each for each in MECHANISMS if each >= Mechanism.HLS_VENDOR)
EVERYTHING = tuple(OPERATIONS)
FAULTS = {
    "g1": Fault(
        "gurux", "SN", True, ALL, EVERYTHING, "AssertionError",
        "gurux: `GXDLMS.getSNPdu` asserts that what it has just ciphered is empty (`assert not tmp`)",
    ),
    "g2": Fault(
        "gurux", "SN", False, HLS, EVERYTHING, "parseApplicationAssociationResponse failed|position",
        "gurux: calls reply_to_HLS by Write, whose response carries no data, and never reads what the meter returns",
    ),
    "g3": Fault(
        "gurux", "SN", False, (0, 1), ("set long", IN_BLOCKS), "Other reason|ValueError: position",
        "gurux: its write-data-block-access has four octets of the value and no name: `06 01 07 01 0001 01 09 04 09820BB8`",
    ),
    "g4": Fault(
        "gurux", "LN", None, ALL, (IN_BLOCKS,), "has no attribute 'blockNumber'",
        "gurux: `handleGbt` reads a field that its settings do not have",
    ),
    "g5": Fault(
        "gurux", "LN", None, ALL, ("access",), "has no attribute 'settings'",
        "gurux: `accessRequest` calls `ValueEventArgs` without the settings it wants first, so it cannot write by ACCESS",
    ),
    "d1": Fault(
        "dlms_cosem", "LN", False, (5,), EVERYTHING, "ProtectionError",
        "dlms-cosem: GMAC in clear ends in `ProtectionError`, a name it never defines",
    ),
    "d2": Fault(
        "dlms_cosem", "LN", None, (0, 1, 2, 5), ("set long",), r"byte must be in range\(0, 256\)",
        "dlms-cosem: writes the length of an octet-string as one octet",
    ),
    "d3": Fault(
        "dlms_cosem", "LN", None, (0, 1, 2, 5), ("entries",), "NotImplementedError",
        "dlms-cosem: `EntryDescriptor.to_bytes` is not implemented",
    ),
    "d4": Fault(
        "dlms_cosem", "LN", None, (0, 1, 2, 5), (IN_BLOCKS,), "Tag 224 is not available",
        "dlms-cosem: proposes general block transfer, always, and has no decoder for its blocks",
    ),
}  # fmt: skip

MATRIX = Matrix(
    "Clients by others and the simulated meter",
    OPERATIONS,
    {mark: fault.note for mark, fault in FAULTS.items()},
)
MATRICES.append(MATRIX)


def rules() -> tuple[ClientRule, ...]:
    keys = as_server(KEYS)
    by_base = {
        PLAIN: replace(keys, policy=SecurityPolicy.NONE),
        CIPHERED: keys,
        GENERAL: replace(keys, enveloping=Enveloping.GENERAL),
    }
    return tuple(
        ClientRule(base + mechanism, mechanism, SECRET, security)
        for base, security in by_base.items()
        for mechanism in MECHANISMS
    )


def open_to_all(item: MeterObject) -> MeterObject:
    """Let everybody write and invoke what only some may otherwise."""
    attributes = [
        replace(each, writers=Readers.EVERYONE)
        if each.writers is Readers.AUTHENTICATED
        else each
        for each in item.attributes
    ]
    return replace(item, attributes=tuple(attributes), callers=Readers.EVERYONE)


def meter_for(reader: str, *, in_blocks: bool) -> Meter:
    """Make a meter as the reader likes it, where the standard leaves a choice.

    gurux calls methods by Write; pydlms reads blocks of bare Data, and takes one block of general block transfer at a
    time, as it does not wait for the RR after each that it streams over HDLC.
    """
    conformance = EVERY_SERVICE | SHORT_NAME_SERVICES
    if not in_blocks:
        conformance &= ~Conformance.GENERAL_BLOCK_TRANSFER
    quirks = ServiceQuirks(
        calls_by_write=reader == "gurux", bare_blocks=reader == "pydlms"
    )
    meter_settings = MeterSettings(
        clients=rules(),
        conformance=conformance,
        short_names=True,
        exclusive=False,
        service_quirks=quirks,
        block_window=1,
    )
    objects = tuple(map(open_to_all, CONTROLLABLE_METER))
    return give_controls(Meter(meter_settings, now=lambda: NOW, objects=objects))


async def report_of(
    meter: Meter, ways: list[Way], operations: list[str]
) -> list[dict[str, Json]]:
    """Run a reader: what each operation returned, or failed with, in each way."""
    reader, framing, *_ = ways[0]
    table = Table(meter, ClientRule(PLAIN))
    rows = table.value(7, LOAD_PROFILE, 2)
    assert KEYS.global_unicast_key
    assert KEYS.authentication_key
    async with SimulatorServer(meter) as server:
        order = {
            "framing": framing,
            "port": server.hdlc_port if framing == "hdlc" else server.wrapper_port,
            "secret": SECRET.decode(),
            "system_title": CLIENT_TITLE.hex(),
            "global_unicast_key": KEYS.global_unicast_key.hex(),
            "authentication_key": KEYS.authentication_key.hex(),
            "timeout": TIMEOUT,
            "long": LONG,
            "first": FIRST,
            "last": LAST,
            "since": moment(rows[FIRST - 1][0]),
            "until": moment(rows[LAST - 1][0]),
            "operations": operations,
            "ways": [
                {
                    "names": way.names,
                    "mechanism": int(way.mechanism),
                    "ciphered": way.ciphered,
                    "client": way.client,
                }
                for way in ways
            ],
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            READER,
            reader,
            json.dumps(order),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(DEADLINE):
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    assert process.returncode == 0, errors.decode()
    report: list[dict[str, Json]] = json.loads(output)
    return report


def expected(meter: Meter, way: Way) -> dict[str, Json]:
    """Return what each operation should bring, from the meter's table."""
    table = Table(meter, ClientRule(PLAIN, way.mechanism))
    count = len(table.objects) if way.names == "LN" else len(meter.objects)
    rows = [
        [moment(row[0]), *row[1:]]
        for row in table.value(7, LOAD_PROFILE, 2)[FIRST - 1 : LAST]
    ]
    energy = table.value(3, "1.0.1.8.0.255", 2)
    own = f"{way.client} {way.names} ".encode()
    return {
        "get": energy,
        "list": [table.value(3, f"1.0.{c}.255", 2) for c in ("1.8.0", "2.8.0", "32.7.0")],
        "long": count,
        "set": own.hex(),
        "set long": (own * LONG).hex(),
        "action": [False, True],
        "range": rows,
        "entries": rows,
        "access": [f"access {way.client}".encode().hex(), energy],
        IN_BLOCKS: [count, (own * LONG).hex()],
        "release": None,
    }  # fmt: skip


def check(meter: Meter, way: Way, results: dict[str, Json]) -> None:
    """Hold what a reader reports against the table, or against what its fault explains."""
    right = expected(meter, way)
    for operation, result in results.items():
        marks = [m for m, fault in FAULTS.items() if fault.concerns(way, operation)]
        if not marks:
            assert result == {"value": right[operation]}, f"{way}: {operation}"
            MATRIX.enter(str(way), operation, OK)
            continue
        assert re.search(FAULTS[marks[0]].error, result.get("error", "")), (
            f"{way}: {operation}: {result}"
        )
        MATRIX.enter(str(way), operation, marks[0])


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("framing", ["wrapper", "hdlc"])
@pytest.mark.parametrize("reader", ["pydlms", "gurux", "dlms_cosem"])
async def test_reader(reader: str, framing: str) -> None:
    """One process for all ways; general block transfer in another one, with a meter that offers it."""
    ways = [
        Way(reader, framing, names, mechanism, ciphered)
        for names in ("LN", "SN")
        for mechanism in MECHANISMS
        for ciphered in (False, True)
    ]
    ways = [way for way in ways if way.is_offered]
    by_names = {"LN": OPERATIONS, "SN": [o for o in OPERATIONS if o != "access"]}
    for names, operations in by_names.items():
        some = [way for way in ways if way.names == names]
        for in_blocks in (False, True):
            wanted = [o for o in operations if (o == IN_BLOCKS) is in_blocks]
            if reader == "dlms_cosem":
                wanted = [o for o in wanted if o != "access"]
            if not some:
                continue
            meter = meter_for(reader, in_blocks=in_blocks)
            for way, results in zip(
                some, await report_of(meter, some, wanted), strict=True
            ):
                check(meter, way, results)
