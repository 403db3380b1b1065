"""Serve the example meter of pydlms-client (GPL-3) until standard input ends, as it does when the tests end.

Runs in a process of its own: `python pydlms_server.py --port 0 [--hdlc] …` with the options of `pydlms simulate`, and
`--security JSON` for what those cannot say: suites 1 and 2, signatures, key agreement; `--everything` for a meter that
agrees to all services, short names included, and has methods that return and notify. Prints `READY <port>`.
"""

import argparse
import json
import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec as curves
from pydlms.apdu.xdlms import Conformance
from pydlms.cosem.data import DlmsData
from pydlms.security import ec
from pydlms.security.ciphering import wrap_general_glo
from pydlms.security.context import SecurityContext
from pydlms.security.hls import Mechanism
from pydlms.simulator import (
    ClientProfile,
    SimulatedPush,
    _parser,
    meter_from_args,
    serve,
)

type Untyped = Any  # pydlms' meter and values


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


def secure(meter: Untyped, keys: dict[str, Any]) -> None:
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


def give_everything(meter: Untyped) -> None:
    """Agree to every service; an object to write to, a method that returns what it is given, one that notifies."""
    meter.conformance |= (
        Conformance.default_sn()
        | Conformance.GENERAL_BLOCK_TRANSFER
        | Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET
    )
    message = {2: DlmsData.octet_string(b"welcome")}
    meter.add_object(1, "0.0.96.13.0.255", message, base_name=0x5000)
    meter.add_method(70, "0.0.96.3.10.255", 2, lambda _, parameters: parameters)
    meter.add_method(40, "0.0.25.9.0.255", 1, notify)


def notify(meter: Untyped, parameters: Untyped) -> None:
    """Say the APDU that is given before the next answer: the HDLC frame ("ui" or "i"), ciphered or not, the APDU."""
    frame, ciphered, apdu = (element.value for element in parameters.value)
    octets = bytes(apdu)
    if ciphered:
        octets = wrap_general_glo(meter.security, octets)
    # Not push_before_response: it takes the lock that is held while a method runs.
    meter.pending_pushes.append(SimulatedPush(octets, None, frame))


if __name__ == "__main__":
    parser: argparse.ArgumentParser = _parser()
    parser.add_argument("--security", type=json.loads)
    parser.add_argument("--everything", action="store_true")
    options = parser.parse_args()
    meter = meter_from_args(options)
    if options.everything:
        give_everything(meter)
    if options.security:
        secure(meter, options.security)
    server = serve(meter, options.host, options.port, options.hdlc, options.hdlc_window)
    sys.stdout.write(f"READY {server.server_address[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()
