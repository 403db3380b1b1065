"""Two sides that share keys, for tests. All keys are test keys: those of the Green Book, or made up."""

from dataclasses import replace
from typing import Any

from custom_components.dlms_meter.dlms.application.elliptic_curves import public_key_of
from custom_components.dlms_meter.dlms.application.invocation_counter import (
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.application.security import SecurityContext
from custom_components.dlms_meter.dlms.application.security_settings import (
    SecuritySettings,
    SecuritySuite,
)

CLIENT_TITLE = bytes.fromhex("4D4D4D0000BC614E")
SERVER_TITLE = bytes.fromhex("4D4D4D0000000001")
GLOBAL_KEY = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
AUTHENTICATION_KEY = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
DEDICATED_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
ONE_TIME_KEY = bytes(range(0x90, 0xC0))

BOOK = SecuritySettings(
    global_unicast_key=GLOBAL_KEY, authentication_key=AUTHENTICATION_KEY
)


def curve_size(suite: SecuritySuite) -> int:
    return 32 if suite is SecuritySuite.ECDH_ECDSA_AES_GCM_128_SHA_256 else 48


def private_key(owner: int, suite: SecuritySuite) -> bytes:
    return bytes((owner,)) * curve_size(suite)


def settings(
    suite: SecuritySuite = SecuritySuite.AES_GCM_128,
    **changes: Any,  # noqa: ANN401 - fields of SecuritySettings
) -> SecuritySettings:
    """Make a client's keys for a suite."""
    size = suite.key_length
    keys = SecuritySettings(
        suite=suite,
        global_unicast_key=(GLOBAL_KEY * 2)[:size],
        authentication_key=(AUTHENTICATION_KEY * 2)[:size],
        broadcast_key=bytes(range(size)),
        master_key=bytes(range(0x40, 0x40 + size)),
    )
    if suite is not SecuritySuite.AES_GCM_128:
        keys = replace(
            keys,
            signing_key=private_key(1, suite),
            agreement_key=private_key(2, suite),
            server_signing_key=public_key_of(private_key(3, suite)),
            server_agreement_key=public_key_of(private_key(4, suite)),
        )
    return replace(keys, **changes)


def as_server(client: SecuritySettings) -> SecuritySettings:
    """Make a meter's keys from those of its client."""
    server = replace(client, server_system_title=b"")
    if client.suite is SecuritySuite.AES_GCM_128:
        return server
    return replace(
        server,
        signing_key=private_key(3, client.suite),
        agreement_key=private_key(4, client.suite),
        server_signing_key=public_key_of(private_key(1, client.suite)),
        server_agreement_key=public_key_of(private_key(2, client.suite)),
    )


def context(
    keys: SecuritySettings,
    own: bytes,
    peer: bytes = b"",
    counter: int = 1,
    dedicated_key: bytes | None = None,
) -> SecurityContext:
    """Make one side of an association whose counter is already saved."""
    made = SecurityContext(
        keys,
        own,
        InvocationCounter(counter, reserved=1 << 32),
        dedicated_key=dedicated_key,
        one_time_key=ONE_TIME_KEY,
    )
    made.meet(peer)
    return made


def pair(
    keys: SecuritySettings, dedicated_key: bytes | None = None
) -> tuple[SecurityContext, SecurityContext]:
    """Make both sides: client, server."""
    return (
        context(keys, CLIENT_TITLE, SERVER_TITLE, dedicated_key=dedicated_key),
        context(
            as_server(keys), SERVER_TITLE, CLIENT_TITLE, dedicated_key=dedicated_key
        ),
    )
