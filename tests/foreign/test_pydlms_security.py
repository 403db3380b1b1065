"""Our client and a meter nobody here wrote: HLS and ciphering, each in every form that meter knows."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
import json
from typing import Any

import pytest

from custom_components.dlms_meter.dlms import (
    AssociationRejected,
    AttributeDescriptor,
    AuthenticationFailed,
    ClientSettings,
    DlmsClient,
    Enveloping,
    Framing,
    LocalProtocolError,
    Mechanism,
    Obis,
    Quantity,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
    TcpEndpoint,
)
from custom_components.dlms_meter.dlms.application.elliptic_curves import public_key_of
from tests.dlms.application.secured import CLIENT_TITLE, as_server, settings

from .pydlms_meter import Framing as FramingName, PydlmsMeter, running_pydlms_meter

SECRET = b"12345678"
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
PROFILE = AttributeDescriptor(7, Obis.parse("1-0:99.1.0"), 2)
HLS = [mechanism for mechanism in Mechanism if 2 <= mechanism <= 7]

# Client addresses of the meter: by mechanism, in clear and ciphered.
PLAIN, CIPHERED = 64, 80


def security_of(keys: SecuritySettings, general_aad: str) -> dict[str, Any]:
    """Tell the meter its keys."""
    server = as_server(keys)
    told: dict[str, Any] = {
        "suite": int(keys.suite),
        "general_aad": general_aad,
        "secret": SECRET.decode(),
        "clients": [
            (base + mechanism, int(mechanism), base is CIPHERED)
            for base in (PLAIN, CIPHERED)
            for mechanism in (Mechanism.NONE, Mechanism.LLS, *HLS)
        ],
    }
    for name in (
        "global_unicast_key", "authentication_key", "master_key", "signing_key", "agreement_key",
    ):  # fmt: skip
        key: bytes | None = getattr(server, name)
        told[name] = key.hex() if key else None
    for name in ("signing_key", "agreement_key"):
        key = getattr(keys, name)
        told[f"client_{name}"] = public_key_of(key).hex() if key else None
    return told


def meter_for(
    framing: FramingName, keys: SecuritySettings, general_aad: str = "with-header"
) -> Any:  # noqa: ANN401 - a context manager of PydlmsMeter
    options = json.dumps(security_of(keys, general_aad))
    return running_pydlms_meter(framing, "--security", options, window=3)


def client_for(
    meter: PydlmsMeter, mechanism: Mechanism, keys: SecuritySettings
) -> DlmsClient:
    base = CIPHERED if keys.policy else PLAIN
    return DlmsClient(
        ClientSettings(
            endpoint=TcpEndpoint("127.0.0.1", meter.port),
            framing=Framing(meter.framing),
            client_sap=base + mechanism,
            mechanism=mechanism,
            password=SECRET,
            system_title=CLIENT_TITLE,
            security=keys,
        )
    )


async def check(client: DlmsClient) -> None:
    """Read a register, and a profile long enough to come in blocks; twice, in two sessions."""
    for _ in range(2):
        async with client:
            report = await client.read([ENERGY], {})
            assert report.values == {ENERGY: Quantity(Decimal(12345678), 30)}
            rows = (await client.get(PROFILE)).value
            assert isinstance(rows, tuple)
            assert len(rows) == 96


async def check_keyless(client: DlmsClient) -> None:
    """Suite 0 has neither signatures nor key agreement."""
    with pytest.raises(LocalProtocolError, match="key is needed"):
        await check(client)


@pytest.fixture(
    scope="module", params=[(f, s) for f in ("wrapper", "hdlc") for s in SecuritySuite]
)
def secured(
    request: pytest.FixtureRequest,
) -> Iterator[tuple[PydlmsMeter, SecuritySettings]]:
    framing, suite = request.param
    keys = settings(suite)
    with meter_for(framing, keys) as meter:
        yield meter, keys


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("mechanism", HLS)
@pytest.mark.parametrize("ciphered", [False, True], ids=["plain", "ciphered"])
async def test_hls(
    secured: tuple[PydlmsMeter, SecuritySettings], mechanism: Mechanism, ciphered: bool
) -> None:
    meter, keys = secured
    if not ciphered:
        keys = replace(keys, policy=SecurityPolicy.NONE)
    client = client_for(meter, mechanism, keys)
    if mechanism is Mechanism.HLS_ECDSA and keys.signing_key is None:
        await check_keyless(client)
        return
    await check(client)
    assert client.negotiated.authenticated is (True if ciphered else None)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("mechanism", [Mechanism.NONE, Mechanism.LLS])
async def test_ciphering_without_hls(
    secured: tuple[PydlmsMeter, SecuritySettings], mechanism: Mechanism
) -> None:
    meter, keys = secured
    await check(client_for(meter, mechanism, keys))


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("mechanism", [Mechanism.NONE, Mechanism.HLS_GMAC])
@pytest.mark.parametrize("enveloping", Enveloping)
@pytest.mark.parametrize("dedicated", [False, True], ids=["global", "dedicated"])
async def test_enveloping(
    secured: tuple[PydlmsMeter, SecuritySettings],
    mechanism: Mechanism,
    enveloping: Enveloping,
    dedicated: bool,
) -> None:
    meter, keys = secured
    keys = replace(keys, enveloping=enveloping, use_dedicated_key=dedicated)
    client = client_for(meter, mechanism, keys)
    keyless = keys.agreement_key is None and "agreed" in enveloping.value
    await (check_keyless if keyless else check)(client)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("enveloping", Enveloping)
async def test_signing(
    secured: tuple[PydlmsMeter, SecuritySettings], enveloping: Enveloping
) -> None:
    meter, keys = secured
    keys = replace(keys, enveloping=enveloping, signs=True)
    client = client_for(meter, Mechanism.NONE, keys)
    await (check_keyless if keys.signing_key is None else check)(client)


@pytest.mark.usefixtures("socket_enabled")
async def test_header_of_general_ciphering_not_authenticated() -> None:
    """As Gurux does in suite 0, and pydlms unless told otherwise."""
    keys = settings(
        enveloping=Enveloping.IDENTIFIED_KEY, authenticates_general_header=False
    )
    with meter_for("wrapper", keys, "sc-ak") as meter:
        await check(client_for(meter, Mechanism.HLS_GMAC, keys))


@pytest.mark.usefixtures("socket_enabled")
async def test_wrong_secret_and_wrong_keys(
    secured: tuple[PydlmsMeter, SecuritySettings],
) -> None:
    meter, keys = secured
    client = client_for(
        meter, Mechanism.HLS_MD5, replace(keys, policy=SecurityPolicy.NONE)
    )
    client.settings = replace(client.settings, password=b"87654321")
    with pytest.raises(AuthenticationFailed):
        await check(client)
    wrong = replace(keys, authentication_key=bytes(keys.suite.key_length))
    with pytest.raises(AssociationRejected, match="check the keys"):
        await check(client_for(meter, Mechanism.HLS_GMAC, wrong))
