"""Start Home Assistant and a simulated meter, introduce them to each other, and show the readings.

Everything it writes is below `.demo/`, so a second start is quick and keeps its data; delete that folder to start afresh.
"""

import argparse
import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
import json
from pathlib import Path
import re
import signal
import socket
import sys

import aiohttp

from scripts import demo_actions, demo_automation, demo_energy
from scripts.demo_programs import ROOT, program, say, until_listening
from scripts.home_assistant_api import DOMAIN, DemoError, HomeAssistant, Json

FOLDER = ROOT / ".demo"
CONFIG = FOLDER / "config"
LOG = FOLDER / "home-assistant.log"
METER_LOG = FOLDER / "meter.log"
USER = PASSWORD = "demo"
METER_PASSWORD = "12345678"
SECOND_SERIAL_NUMBER = "40817999"
SECOND_PHYSICAL_DEVICE = 115
"""As one of the makers' rules derives it from the serial number."""
CONFIGURATION = """\
homeassistant: {name: Demo home, time_zone: Europe/Berlin, country: DE, currency: EUR, unit_system: metric}
frontend:
config:
energy:
history:
logbook:
sensor:
usb:
automation: !include automations.yaml
logger: {default: warning}
"""
LEVEL = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b")
KNOWN_COMPLAINT = "We found a custom integration"
"""Home Assistant says so of each."""
# scripts/setup installs newer ones of these: those Home Assistant pins want a C++ compiler.
SKIPPED_PACKAGES = "pymicro-vad,pyspeex-noise"


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--once",
        action="store_true",
        help="call every action once there is a complete set of readings, then stop",
    )
    parser.add_argument(
        "--foreign-meter",
        action="store_true",
        help="with --once: call actions of pydlms-client's simulator, too (needs scripts/setup test)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8123,
        help="where Home Assistant listens (default 8123)",
    )
    parser.add_argument(
        "--meter-port",
        type=int,
        default=14059,
        help="where the simulated meter listens, and others on the next two ports (default 14059)",
    )
    parser.add_argument(
        "--screenshots",
        type=Path,
        metavar="FOLDER",
        help="take pictures of the user interface (needs an installed Chromium), then stop",
    )
    return parser.parse_args()


def require_free_port(port: int, option: str) -> None:
    """Fail with a reason before anything is started on a port that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoError(
                f"Port {port} is in use by another program. Stop it, or choose another port with {option}."
            ) from error


def prepare_folder(port: int) -> None:
    """Write Home Assistant's configuration, and put the integration where it looks for it."""
    components = CONFIG / "custom_components"
    components.mkdir(parents=True, exist_ok=True)
    link = components / DOMAIN
    link.unlink(missing_ok=True)
    link.symlink_to(ROOT / "custom_components" / DOMAIN)
    (CONFIG / "configuration.yaml").write_text(CONFIGURATION)
    automations = CONFIG / "automations.yaml"
    if not automations.exists():
        automations.write_text("[]\n")
    storage = CONFIG / ".storage"
    storage.mkdir(exist_ok=True)
    (storage / "http").write_text(json.dumps(http_storage(port)))


def http_storage(port: int) -> dict[str, Json]:
    """Return Home Assistant's own record of where it listens; what its YAML says it would ask the user to confirm."""
    stable = {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": False,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": None,
        "error": None,
        "error_message": None,
    }
    data = {"stable": stable, "pending": None, "yaml_migration_done": True}
    return {"version": 3, "minor_version": 1, "key": "http", "data": data}


def onboarding_done() -> Collection[str]:
    """Return the steps of Home Assistant's first start that earlier runs have done."""
    storage = CONFIG / ".storage" / "onboarding"
    steps: list[str] = (
        json.loads(storage.read_text())["data"]["done"] if storage.exists() else []
    )
    return steps


def print_table(rows: Sequence[tuple[str, str]]) -> None:
    """Print the readings below each other."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        say(f"  {name:<{width}}  {value}")


async def run(arguments: argparse.Namespace) -> None:
    """Do what the command line asks for."""
    require_free_port(arguments.port, "--port")
    for port in range(arguments.meter_port, arguments.meter_port + 3):
        require_free_port(port, "--meter-port")
    prepare_folder(arguments.port)
    async with AsyncExitStack() as stack:
        meter = await start_meter(stack, arguments.meter_port)
        server = await start_home_assistant(stack, arguments.port)
        home = HomeAssistant(
            await stack.enter_async_context(aiohttp.ClientSession()),
            arguments.port,
            USER,
            PASSWORD,
        )
        await introduce(home, arguments.meter_port)

        rows = await home.readings()
        say(f"\nHome Assistant: {home.url}   user: {USER}   password: {PASSWORD}\n")
        print_table(rows)
        await demo_energy.use_for_energy(home)
        say("\nEnergy dashboard: everything in order.")
        if arguments.once:
            await try_actions(stack, home, arguments)
            return
        await demo_automation.save(home)
        await start_second_meter(stack, arguments.meter_port + 1)
        if arguments.screenshots:
            await take_screenshots(home, arguments)
            return
        say(
            f"A second meter waits to be added by you: host 127.0.0.1, port {arguments.meter_port + 1},"
            f" serial number {SECOND_SERIAL_NUMBER}."
        )
        past = asyncio.ensure_future(fill_in_the_past(home))
        say("\nPress Ctrl-C to stop.")
        await asyncio.wait(
            [asyncio.ensure_future(meter.wait()), asyncio.ensure_future(server.wait())],
            return_when=asyncio.FIRST_COMPLETED,
        )
        past.cancel()
        raise DemoError(
            f"Home Assistant or the simulated meter ended by itself. See {LOG} and {METER_LOG}."
        )


async def start_meter(stack: AsyncExitStack, port: int) -> asyncio.subprocess.Process:
    """Start the meter of the demo, on the TCP wrapper."""
    say("Starting a simulated meter …")
    words = ("-m", "tests.simulator", "--wrapper-port", str(port), "--controllable")
    meter = await stack.enter_async_context(
        program("the simulated meter", *words, log=METER_LOG)
    )
    await until_listening(meter, port, "The simulated meter", METER_LOG)
    return meter


async def start_second_meter(stack: AsyncExitStack, port: int) -> None:
    """Start a meter that waits to be found: by HDLC, at an address that its serial number gives away."""
    words = (
        *("-m", "tests.simulator", "--hdlc-port", str(port), "--seed", "2"),
        *("--serial-number", SECOND_SERIAL_NUMBER),
        *("--physical-device", str(SECOND_PHYSICAL_DEVICE)),
    )
    log = FOLDER / "second_meter.log"
    await stack.enter_async_context(
        program("the second simulated meter", *words, log=log)
    )


async def start_home_assistant(
    stack: AsyncExitStack, port: int
) -> asyncio.subprocess.Process:
    """Start Home Assistant."""
    say("Starting Home Assistant (the first start takes a minute) …")
    server = await stack.enter_async_context(
        program(
            "Home Assistant",
            *("-m", "homeassistant", "--config", str(CONFIG)),
            *("--skip-pip-packages", SKIPPED_PACKAGES),
            log=LOG,
        )
    )
    await until_listening(server, port, "Home Assistant", LOG)
    return server


async def try_actions(
    stack: AsyncExitStack, home: HomeAssistant, arguments: argparse.Namespace
) -> None:
    """Call every action, also of a meter that nobody here wrote, if that is wanted."""
    entry, *_ = await home.entries()
    count = await demo_actions.call_every_action(home, entry["entry_id"])
    say(f"Actions: {count} of them called, everything in order.")
    if arguments.foreign_meter:
        port = arguments.meter_port + 2
        await start_foreign_meter(stack, port)
        count = await demo_actions.call_foreign_actions(home, port)
        say(f"Actions of pydlms-client's simulator: {count}, everything in order.")
    require_no_complaint()
    say("Log: no complaint.\n")


def require_no_complaint() -> None:
    """Fail if the integration, or Home Assistant about it, has logged a warning; what is no warning is not logged."""
    complaints = [
        line
        for line in LOG.read_text(errors="replace").splitlines()
        if DOMAIN in line and LEVEL.search(line) and KNOWN_COMPLAINT not in line
    ]
    if complaints:
        raise DemoError("\n".join([f"There are complaints in {LOG}:", *complaints]))


async def start_foreign_meter(stack: AsyncExitStack, port: int) -> None:
    """Start the simulator of pydlms-client, from the environment of the tests."""
    say("Starting pydlms-client's simulator …")
    name, log = "pydlms-client's simulator", FOLDER / "foreign_meter.log"
    python = ROOT / ".venv" / "bin" / "python"
    if not python.exists():
        raise DemoError(f"{name} needs what scripts/setup test installs.")
    words = (
        *("tests/foreign/pydlms_server.py", "--port", str(port)),
        *("--client", demo_actions.FOREIGN_CLIENT, "--everything"),
    )
    process = await stack.enter_async_context(
        program(name, *words, log=log, python=str(python))
    )
    await until_listening(process, port, name, log)


async def fill_in_the_past(home: HomeAssistant) -> None:
    """Let the energy dashboard show what the meter remembers; say so, or why not."""
    try:
        await demo_energy.fill_in_the_past(home)
        say(
            "The energy dashboard now shows the last days, from the meter's load profile."
        )
    except (DemoError, aiohttp.ClientError) as error:
        say(f"The energy dashboard shows no past: {error}")


async def take_screenshots(home: HomeAssistant, arguments: argparse.Namespace) -> None:
    """Let a browser take pictures of the user interface, and of adding the second meter."""
    say("\nWaiting for Home Assistant's first statistics (within five minutes) …")
    await demo_energy.fill_in_the_past(home)
    await demo_energy.validate(home)
    say(f"Taking screenshots into {arguments.screenshots} …")
    python = str(FOLDER / "browser" / "bin" / "python")
    words = (home.url, str(arguments.screenshots), str(arguments.meter_port + 1))
    browser = await asyncio.create_subprocess_exec(
        *(python, "-m", "scripts.screenshots", *words), cwd=ROOT
    )
    if await browser.wait():
        raise DemoError("The screenshots could not be taken; the reason is above.")


async def introduce(home: HomeAssistant, meter_port: int) -> None:
    """Sign in to Home Assistant and add the meter through its config flow, unless that was done before."""
    done = onboarding_done()
    await home.sign_in(done)
    say(
        "Logged in as user demo."
        if "user" in done
        else "Did the onboarding as user demo."
    )
    if await home.entries():
        say("The meter is set up already.")
        return
    say("Adding the meter through the integration's set-up dialog …")
    answers = {
        "menu": ("network", "line", "access_password"),
        "host": "127.0.0.1",
        "port": meter_port,
        "framing": "wrapper",
        "client_sap": 1,
        "mechanism": "lls",
        "password": METER_PASSWORD,
    }
    say(f"Added {await home.add_meter(answers)}.")


async def main() -> int:
    """Run until done or interrupted; return the exit code."""
    arguments = parse_arguments()
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(run(arguments))
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(name, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        say("Stopped.")
        return 130 if arguments.once or arguments.screenshots else 0
    except (DemoError, aiohttp.ClientError, TimeoutError) as error:
        say(f"The demo failed: {error or type(error).__name__}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
