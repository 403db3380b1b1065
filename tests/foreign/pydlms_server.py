"""Serve the example meter of pydlms-client (GPL-3) until standard input ends, as it does when the tests end.

Runs in a process of its own: `python pydlms_server.py --port 0 [--hdlc] …` with the options of `pydlms simulate`, and
`--security JSON` for what those cannot say: suites 1 and 2, signatures, key agreement. Prints `READY <port>`.
"""

import argparse
import json
import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec as curves
from pydlms.security import ec
from pydlms.security.context import SecurityContext
from pydlms.security.hls import Mechanism
from pydlms.simulator import ClientProfile, _parser, meter_from_args, serve


def octets(keys: dict[str, Any], name: str) -> bytes | None:
    return bytes.fromhex(keys[name]) if keys.get(name) else None


def private_key(keys: dict[str, Any], name: str) -> object:
    number = octets(keys, name)
    if number is None:
        return None
    curve = ec.curve_for_suite(keys["suite"])
    return curves.derive_private_key(int.from_bytes(number), curve)


def public_key(keys: dict[str, Any], name: str) -> object:
    point = octets(keys, name)
    return None if point is None else ec.load_public_key(keys["suite"], point)


def secure(meter: Any, keys: dict[str, Any]) -> None:  # noqa: ANN401 - a MeterSimulator
    """Give the meter keys, and its clients what goes with them."""
    meter.encryption_key = octets(keys, "global_unicast_key")
    meter.authentication_key = octets(keys, "authentication_key")
    meter.security = SecurityContext(
        meter.encryption_key,
        meter.authentication_key,
        client_system_title=meter.system_title,
        suite=keys["suite"],
        master_key=octets(keys, "master_key"),
        signing_key=private_key(keys, "signing_key"),
        key_agreement_key=private_key(keys, "agreement_key"),
        peer_signing_key=public_key(keys, "client_signing_key"),
        peer_key_agreement_key=public_key(keys, "client_agreement_key"),
        general_aad=keys["general_aad"],
    )
    meter.signing_key = private_key(keys, "signing_key")
    meter.last_client_ic = 0  # from here on the meter tells it
    for client, mechanism, ciphered in keys["clients"]:
        meter.clients[client] = ClientProfile(
            Mechanism(mechanism),
            secret=keys["secret"].encode(),
            ciphered=ciphered,
            client_public_key=public_key(keys, "client_signing_key"),
        )


if __name__ == "__main__":
    parser: argparse.ArgumentParser = _parser()
    parser.add_argument("--security", type=json.loads)
    options = parser.parse_args()
    meter = meter_from_args(options)
    if options.security:
        secure(meter, options.security)
    server = serve(meter, options.host, options.port, options.hdlc, options.hdlc_window)
    sys.stdout.write(f"READY {server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
