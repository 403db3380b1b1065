"""Walks through the demo with a meter with which something is wrong: what Home Assistant asks then."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .browser_visit import METER_PASSWORD, PATIENCE, Visit

ROOT = Path(__file__).parents[1]
SIMULATOR = (str(ROOT / ".demo/venv/bin/python"), "-m", "tests.simulator")
THIRD_METER = 20
"""So many ports above that of the second meter a third one listens, with which something is wrong."""


async def listening(port: int) -> None:
    """Wait until somebody listens on a port of this machine."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.2)


@asynccontextmanager
async def third_meter(
    visit: Visit,
    *,
    password: str = METER_PASSWORD,
    serial_number: str = "40812345",
    clock: datetime | None = None,
    public: bool = True,
) -> AsyncIterator[None]:
    """Have a third meter on the network."""
    port = visit.meter_port + THIRD_METER
    words = [
        *("--wrapper-port", str(port), "--seed", "3"),
        *("--password", password, "--serial-number", serial_number),
    ]
    if not public:
        words += ["--no-public-client"]
    if clock is not None:
        words += ["--controllable", "--time", clock.isoformat()]
    meter = await asyncio.create_subprocess_exec(
        *SIMULATOR, *words, cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(PATIENCE / 1000):
            await listening(port)
        yield
    finally:
        meter.terminate()
        await meter.wait()


async def enter_third_meter(visit: Visit) -> None:
    """Enter all there is to know of the meter with which something will be wrong, as an expert does."""
    await visit.begin()
    await visit.connect(visit.meter_port + THIRD_METER)
    await visit.submit()
    await visit.choose("I know the settings")
    await visit.form().wait_for()
    await visit.submit()
    await visit.choose("A password")
    await visit.open_experts()
    [client_address] = await visit.numbers(1)
    await client_address.fill("1")
    await visit.enter_password(METER_PASSWORD)


async def keep_third_meter(visit: Visit) -> None:
    """Keep the meter that was found, with what is proposed."""
    await visit.page.get_by_text("was found").first.wait_for()
    await visit.submit()
    await visit.page.locator("step-flow-create-entry").wait_for()


async def add_third_meter(visit: Visit) -> None:
    """Add the meter, still without anything wrong."""
    await visit.open_integration()
    await visit.remove_second_meter()  # of a walk that was broken off
    await enter_third_meter(visit)
    await keep_third_meter(visit)


async def no_connection(visit: Visit) -> None:
    """The meter is not there yet when it is added; all that was entered is used once it is."""
    await enter_third_meter(visit)
    await visit.page.get_by_text("refuses the connection").first.wait_for()
    await visit.shoot("no-connection")
    async with third_meter(visit):
        await visit.submit()
        await keep_third_meter(visit)
    await visit.remove_second_meter()


async def password_wanted(visit: Visit) -> None:
    """The meter is found, and tells nobody anything without a password."""
    async with third_meter(visit, public=False):
        await visit.begin()
        await visit.connect(visit.meter_port + THIRD_METER)
        await visit.submit()
        await visit.choose("Find it for me")
        await visit.form().wait_for()
        await visit.submit()
        await visit.page.get_by_text("A password", exact=True).wait_for()
        await visit.shoot("found-level")


async def new_password(visit: Visit) -> None:
    """The operator gave the meter another password: what Home Assistant asks, first answered wrongly."""
    page = visit.page
    async with third_meter(visit):
        await add_third_meter(visit)
    async with third_meter(visit, password="87654321"):
        await visit.load_last_meter()
        await visit.open_integration()
        await page.get_by_role("button", name="Reconfigure").first.wait_for()
        await visit.shoot("reauth-needed", settle=2500)
        await page.get_by_role("button", name="Reconfigure").first.click()
        await visit.form().wait_for()
        await visit.shoot("reauth")
        password = page.locator("input[type=password]").first
        await password.fill("00000000")
        await visit.submit()
        await page.get_by_text("The meter refused this password").first.wait_for()
        await visit.shoot("reauth-wrong")
        await password.fill("87654321")
        await visit.submit()
        await page.locator("step-flow-abort").wait_for()
        await visit.shoot("reauth-done")
    await visit.remove_second_meter()


async def exchanged_meter(visit: Visit) -> None:
    """Another meter answers: what Home Assistant's repairs ask."""
    page = visit.page
    async with third_meter(visit):
        await add_third_meter(visit)
    async with third_meter(visit, serial_number="40899999"):
        await visit.load_last_meter()
        await visit.open_integration()
        await visit.shoot("exchanged-entry", settle=2500)
        await visit.open("/config/repairs")
        await page.get_by_text("another meter answers").first.wait_for()
        await visit.shoot("repairs")
        await visit.open_repair("another meter answers")
        await visit.shoot("repair-exchanged")
        await visit.submit()
        await page.locator("step-flow-create-entry").wait_for()
        await visit.shoot("repair-exchanged-done")
    await visit.remove_second_meter()


async def wrong_clock(visit: Visit) -> None:
    """The meter's clock is far off: what Home Assistant's repairs propose."""
    page = visit.page
    async with third_meter(visit, clock=datetime.now(UTC) - timedelta(minutes=20)):
        await add_third_meter(visit)
        for _ in range(3):
            await visit.read_last_meter()
        await visit.open_repair("the clock is wrong")
        await visit.shoot("repair-clock")
        await visit.submit()
        await page.locator("step-flow-create-entry").wait_for()
        await visit.shoot("repair-clock-done")
    await visit.remove_second_meter()
