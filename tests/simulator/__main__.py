"""Run the simulated meter: `python -m tests.simulator --wrapper-port 4059 --hdlc-port 4060`."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
import signal
import sys

from custom_components.dlms_meter.dlms.application.enums import Mechanism
from custom_components.dlms_meter.dlms.application.security_settings import (
    SecuritySettings,
)

from .controls import CONTROLLABLE_METER, give_controls, let_clock_go_on
from .meter import Meter, now_in_utc
from .settings import (
    EVERY_SERVICE,
    PUBLIC_CLIENT,
    READING_CLIENT,
    SUPPORTED,
    ClientRule,
    MeterSettings,
)
from .tcp import SimulatorServer


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    defaults = MeterSettings()
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator",
        description="A simulated three-phase household meter on TCP.",
    )
    add = parser.add_argument
    add(
        "--wrapper-port",
        type=int,
        help="listen for the TCP wrapper here; 0 takes a free port",
    )
    add("--hdlc-port", type=int, help="listen for HDLC here; 0 takes a free port")
    add(
        "--host", default="127.0.0.1", help="address to listen on (default %(default)s)"
    )
    add(
        "--seed",
        type=int,
        default=defaults.seed,
        help="which household it is (default %(default)s)",
    )
    add(
        "--time",
        type=moment,
        help="ISO time with offset at which the meter's clock stands still (default: real time)",
    )
    add("--serial-number", default=defaults.serial_number, help="default %(default)s")
    add(
        "--password",
        default=READING_CLIENT.secret.decode(),
        help="LLS password of client 1 (default %(default)s)",
    )
    add(
        "--physical-device",
        type=int,
        default=defaults.physical_device,
        help="default %(default)s",
    )
    add(
        "--max-pdu-size",
        type=int,
        default=defaults.max_pdu_size,
        help="octets, 0 is no limit (default %(default)s)",
    )
    add(
        "--max-information-length",
        type=int,
        default=defaults.max_information_length,
        help="octets (default %(default)s)",
    )
    add(
        "--window",
        type=int,
        default=defaults.window,
        help="HDLC frames (default %(default)s)",
    )
    add(
        "--keys",
        nargs=2,
        type=bytes.fromhex,
        metavar=("UNICAST", "AUTHENTICATION"),
        help="let client 2 in by HLS with GMAC and these keys (hex), ciphered in suite 0",
    )
    add(
        "--no-public-client",
        action="store_true",
        help="tell nobody anything without a password or keys",
    )
    add(
        "--controllable",
        action="store_true",
        help="offer every service, and let the clock be set, the supply switched and a message written",
    )
    add("--shared", action="store_true", help="allow several associations at a time")
    parsed = parser.parse_args(words)
    if parsed.wrapper_port is None and parsed.hdlc_port is None:
        parser.error("give --wrapper-port or --hdlc-port, or both")
    return parsed


def moment(text: str) -> datetime:
    """Read an ISO time that says its offset."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} does not say its offset from UTC")
    return value.astimezone(UTC)


def meter(parsed: argparse.Namespace) -> Meter:
    reading_client = ClientRule(
        READING_CLIENT.client_sap, READING_CLIENT.mechanism, parsed.password.encode()
    )
    clients = [reading_client]
    if not parsed.no_public_client:
        clients.append(PUBLIC_CLIENT)
    if parsed.keys:
        unicast_key, authentication_key = parsed.keys
        keys = SecuritySettings(
            global_unicast_key=unicast_key, authentication_key=authentication_key
        )
        clients.append(ClientRule(2, Mechanism.HLS_GMAC, security=keys))
    settings = MeterSettings(
        seed=parsed.seed,
        serial_number=parsed.serial_number,
        physical_device=parsed.physical_device,
        max_pdu_size=parsed.max_pdu_size,
        max_information_length=parsed.max_information_length,
        window=parsed.window,
        clients=tuple(clients),
        exclusive=not parsed.shared,
        conformance=EVERY_SERVICE if parsed.controllable else SUPPORTED,
    )
    stopped: datetime | None = parsed.time
    clock: Callable[[], datetime] = (lambda: stopped) if stopped else now_in_utc
    if not parsed.controllable:
        return Meter(settings, now=clock)
    controllable = Meter(settings, now=clock, objects=CONTROLLABLE_METER)
    return let_clock_go_on(give_controls(controllable))


async def serve(parsed: argparse.Namespace) -> None:
    """Serve until a signal ends it. `READY hdlc=… wrapper=…` is printed once clients may come."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with SimulatorServer(
        meter(parsed),
        hdlc_port=parsed.hdlc_port,
        wrapper_port=parsed.wrapper_port,
        host=parsed.host,
    ) as server:
        sys.stdout.write(
            f"READY hdlc={server.hdlc_port} wrapper={server.wrapper_port}\n"
        )
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(arguments()))
