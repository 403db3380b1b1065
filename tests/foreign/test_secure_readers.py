"""Clients nobody here wrote associate with the simulated meter by HLS, in clear and ciphered, and read it."""

import asyncio
from dataclasses import replace
import json
from pathlib import Path
import sys
from typing import Any

import pytest

from custom_components.dlms_meter.dlms import (
    Enveloping,
    Mechanism,
    SecurityPolicy,
    SecuritySuite,
)
from custom_components.dlms_meter.dlms.client import OBJECT_LIST
from tests.dlms.application.secured import CLIENT_TITLE, as_server, settings
from tests.dlms.test_client import NOW, register, told_by
from tests.simulator import (
    PUBLIC_CLIENT,
    ClientRule,
    Meter,
    MeterSettings,
    SimulatorServer,
)

SAP = 3
SECRET = b"1234567812345678"
DEADLINE = 40
READER = Path(__file__).with_name("secure_reader.py")

WITH_A_SECRET = [
    Mechanism.HLS_VENDOR,
    Mechanism.HLS_MD5,
    Mechanism.HLS_SHA1,
    Mechanism.HLS_SHA256,
]
SUITE_0, SUITE_1, SUITE_2 = SecuritySuite

# Who can do what. dlms-cosem: GMAC and the vendor mechanism, ciphered by general-glo-ciphering, and no HLS over HDLC
# that can be relied upon (see dlms_cosem_reader). gurux-dlms: no signatures and no P-384.
CASES = [
    *[
        (reader, "wrapper", mechanism, SUITE_0, ciphered)
        for reader in ("pydlms", "gurux")
        for mechanism in (*WITH_A_SECRET, Mechanism.HLS_GMAC)
        for ciphered in (False, True)
    ],
    *[
        (reader, "hdlc", Mechanism.HLS_GMAC, SUITE_0, True)
        for reader in ("pydlms", "gurux")
    ],
    *[
        ("pydlms", "wrapper", Mechanism.HLS_GMAC, suite, True)
        for suite in (SUITE_1, SUITE_2)
    ],
    ("dlms_cosem", "wrapper", Mechanism.HLS_VENDOR, SUITE_0, False),
    ("dlms_cosem", "wrapper", Mechanism.HLS_GMAC, SUITE_0, True),
]


def meter_for(
    mechanism: Mechanism,
    suite: SecuritySuite,
    *,
    ciphered: bool,
    enveloping: Enveloping,
) -> Meter:
    keys = replace(as_server(settings(suite)), enveloping=enveloping)
    if not ciphered:
        keys = replace(keys, policy=SecurityPolicy.NONE)
    rule = ClientRule(SAP, mechanism, SECRET, keys)
    meter_settings = MeterSettings(clients=(PUBLIC_CLIENT, rule), physical_device=17)
    return Meter(meter_settings, now=lambda: NOW)


async def read_with(reader: str, order: dict[str, Any]) -> dict[str, int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        READER,
        reader,
        json.dumps(order),
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
    report: dict[str, int] = json.loads(output)
    return report


async def check(
    meter: Meter,
    reader: str,
    framing: str,
    mechanism: Mechanism,
    suite: SecuritySuite,
    **order: Any,  # noqa: ANN401 - JSON
) -> None:
    keys = settings(suite)
    assert keys.global_unicast_key
    assert keys.authentication_key
    async with SimulatorServer(meter) as server:
        port = server.hdlc_port if framing == "hdlc" else server.wrapper_port
        report = await read_with(
            reader,
            {
                "framing": framing,
                "port": port,
                "client": SAP,
                "mechanism": int(mechanism),
                "secret": SECRET.decode(),
                "suite": int(suite),
                "system_title": CLIENT_TITLE.hex(),
                "global_unicast_key": keys.global_unicast_key.hex(),
                "authentication_key": keys.authentication_key.hex(),
                "dedicated": False,
                "protection": "glo",
                **order,
            },
        )
    objects = told_by(meter, OBJECT_LIST).value
    assert isinstance(objects, tuple)
    assert report["value"] == told_by(meter, register("1-0:1.8.0")).value
    assert report["objects"] >= len(objects)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize(
    ("reader", "framing", "mechanism", "suite", "ciphered"),
    CASES,
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_reader(
    reader: str,
    framing: str,
    mechanism: Mechanism,
    suite: SecuritySuite,
    ciphered: bool,
) -> None:
    general = reader == "dlms_cosem"
    meter = meter_for(
        mechanism,
        suite,
        ciphered=ciphered,
        enveloping=Enveloping.GENERAL if general else Enveloping.SERVICE,
    )
    await check(meter, reader, framing, mechanism, suite, ciphered=ciphered)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("protection", ["glo", "general-glo"])
async def test_pydlms_with_other_envelopes(dedicated: bool, protection: str) -> None:
    mechanism = Mechanism.HLS_GMAC
    meter = meter_for(
        mechanism,
        SUITE_0,
        ciphered=True,
        enveloping=Enveloping.GENERAL
        if protection == "general-glo"
        else Enveloping.SERVICE,
    )
    await check(
        meter,
        "pydlms",
        "wrapper",
        mechanism,
        SUITE_0,
        ciphered=True,
        dedicated=dedicated,
        protection=protection,
    )
