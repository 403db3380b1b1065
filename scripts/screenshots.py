"""Walk through the running demo as a user does, in an installed Chromium: wide and narrow, light and dark; take pictures."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import shutil
import sys

from playwright.async_api import Browser, Locator, Page, async_playwright

ROOT = Path(__file__).parents[1]
SIMULATOR = (str(ROOT / ".demo/venv/bin/python"), "-m", "tests.simulator")
DOMAIN = "dlms_meter"
METER_PASSWORD = "12345678"
SERIAL_NUMBER = "40817999"
PHYSICAL_DEVICE = "115"
THIRD_METER = 20
"""So many ports above that of the second meter a third one listens, with which something is wrong."""
# Without these, Chromium asks servers on the internet for things a screenshot has no use for.
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"wide": (1280, 900), "narrow": (412, 900)}
SCHEMES = ("light", "dark")
PATIENCE = 90_000
"""Milliseconds: a fresh Home Assistant on a small machine takes its time to show the first page."""
SETTLING = 900
"""Milliseconds until animations have ended."""


@dataclass
class Visit:
    """A browser that looks at the demo in one size and colour scheme."""

    page: Page
    url: str
    meter_port: int
    folder: Path
    look: str

    async def shoot(self, name: str, *, settle: int = SETTLING) -> None:
        """Take a picture of what is shown."""
        await self.page.wait_for_timeout(settle)
        await self.page.screenshot(path=self.folder / f"{name}-{self.look}.png")

    async def open(self, path: str) -> None:
        """Open a page of Home Assistant."""
        await self.page.goto(f"{self.url}{path}")

    async def log_in(self) -> None:
        """Log in as the demo user."""
        await self.open("/")
        await self.page.locator("input[name=username]").fill("demo")
        await self.page.locator("input[name=password]").fill("demo")
        await self.page.keyboard.press("Enter")
        await self.page.locator("home-assistant-main").wait_for(state="attached")

    async def open_integration(self) -> None:
        """Open the integration's page."""
        await self.open(f"/config/integrations/integration/{DOMAIN}")
        await self.page.locator("ha-config-entry-row").first.wait_for()

    async def open_device(self) -> None:
        """Open the page of the first meter."""
        await self.open_integration()
        await self.page.locator("ha-config-entry-device-row").first.click()
        await self.page.locator("ha-device-entities-card").first.wait_for()

    def form(self) -> Locator:
        """The form of the dialog."""
        return self.page.locator("step-flow-form")

    async def numbers(self, count: int) -> list[Locator]:
        """Return the first boxes for numbers of the form, once they are there."""
        boxes = self.form().get_by_role("spinbutton")
        await boxes.nth(count - 1).wait_for()
        return [boxes.nth(number) for number in range(count)]

    async def begin(self) -> None:
        """Begin to add a meter."""
        await self.open_integration()
        await self.page.get_by_role("button", name="Add device").click()
        await self.page.locator("step-flow-menu").wait_for()

    async def choose(self, option: str) -> None:
        """Choose from a menu of the dialog."""
        menu = self.page.locator("step-flow-menu")
        await menu.get_by_text(option, exact=True).click()

    async def submit(self) -> None:
        """Send a form of the dialog."""
        await self.page.get_by_role("button", name="Submit", exact=True).click()

    async def connect(self, port: int) -> None:
        """Answer where the meter is on the network."""
        await self.choose("Network gateway or meter")
        await self.form().get_by_role("textbox").first.fill("127.0.0.1")
        await self.form().get_by_role("spinbutton").first.fill(str(port))

    async def close_dialog(self) -> None:
        """Leave the dialog."""
        await self.page.get_by_role("button", name="Close", exact=True).first.click()

    async def add_third_meter(self) -> None:
        """Add the meter with which something will be wrong, as an expert does."""
        page = self.page
        await self.open_integration()
        await self.remove_second_meter()  # of a walk that was broken off
        await self.begin()
        await self.connect(self.meter_port + THIRD_METER)
        await self.submit()
        await self.choose("I know the settings")
        await self.form().wait_for()
        await self.submit()
        await self.choose("A password")
        await page.get_by_text("For experts").click()
        [client_address] = await self.numbers(1)
        await client_address.fill("1")
        await page.locator("input[type=password]").first.fill(METER_PASSWORD)
        await self.submit()
        await page.get_by_text("was found").first.wait_for()
        await self.submit()
        await page.locator("step-flow-create-entry").wait_for()

    async def load_last_meter(self) -> None:
        """Load the meter that was added last once more: it is read at once."""
        await self.page.evaluate(
            """async domain => {
                const hass = document.querySelector("home-assistant").hass;
                const entries = await hass.callWS({type: "config_entries/get", domain});
                entries.sort((a, b) => b.created_at - a.created_at);
                await hass.callApi("POST", `config/config_entries/entry/${entries[0].entry_id}/reload`);
            }""",
            DOMAIN,
        )

    async def read_last_meter(self) -> None:
        """Press the button that reads the meter that was added last."""
        await self.page.evaluate(
            """async domain => {
                const hass = document.querySelector("home-assistant").hass;
                const entries = await hass.callWS({type: "config_entries/get", domain});
                entries.sort((a, b) => b.created_at - a.created_at);
                const entities = await hass.callWS({type: "config/entity_registry/list"});
                const button = entities.find(entity => entity.config_entry_id === entries[0].entry_id
                    && entity.translation_key === "read_now");
                await hass.callService("button", "press", {entity_id: button.entity_id});
            }""",
            DOMAIN,
        )

    async def open_repair(self, title: str) -> None:
        """Open the dialog of one of Home Assistant's repairs."""
        await self.open("/config/repairs")
        await self.page.get_by_text(title).first.click()
        await self.page.locator("step-flow-form").wait_for()

    async def remove_second_meter(self) -> None:
        """Delete every meter but the first, so that it can be added again."""
        await self.page.evaluate(
            """async domain => {
                const hass = document.querySelector("home-assistant").hass;
                const entries = await hass.callWS({type: "config_entries/get", domain});
                entries.sort((a, b) => a.created_at - b.created_at);
                for (const entry of entries.slice(1))
                    await hass.callApi("DELETE", `config/config_entries/entry/${entry.entry_id}`);
            }""",
            DOMAIN,
        )


async def connection(visit: Visit) -> None:
    """How the meter is connected: both ways."""
    await visit.begin()
    await visit.shoot("connection")
    await visit.choose("USB or serial probe")
    await visit.form().wait_for()
    await visit.shoot("serial")
    await visit.begin()
    await visit.connect(visit.meter_port)
    await visit.shoot("network")


async def model(visit: Visit) -> None:
    """Which meter it is, from the list."""
    page = visit.page
    await visit.begin()
    await visit.connect(visit.meter_port)
    await visit.submit()
    await page.get_by_text("Find it for me", exact=True).wait_for()
    await visit.shoot("which")
    await visit.choose("Choose maker and model")
    await visit.form().wait_for()
    await visit.shoot("model")
    await visit.form().locator("ha-generic-picker").first.click()
    await page.locator("ha-picker-combo-box input").first.fill("landis")
    await visit.shoot("model-list")
    await page.get_by_text("Landis+Gyr E650").first.click()
    await visit.shoot("model-chosen")
    await visit.submit()
    await page.get_by_text("A password", exact=True).wait_for()


async def by_hand(visit: Visit) -> None:
    """An expert enters everything, with a wrong password first."""
    page = visit.page
    await visit.begin()
    await visit.connect(visit.meter_port)
    await visit.submit()
    await visit.choose("I know the settings")
    await visit.form().wait_for()
    await visit.shoot("line")
    await page.get_by_text("HDLC").first.click()
    await visit.submit()
    await page.get_by_text("A password", exact=True).wait_for()
    await visit.shoot("level")
    await visit.choose("A password")
    await page.get_by_text("For experts").wait_for()
    await visit.shoot("password")
    await page.get_by_text("For experts").click()
    client_address, _, physical_device = await visit.numbers(3)
    await client_address.fill("1")
    await physical_device.fill(PHYSICAL_DEVICE)
    await visit.shoot("expert")
    await page.locator("input[type=password]").first.fill("87654321")
    await visit.submit()
    await page.get_by_text("The meter refused this password").first.wait_for()
    await visit.shoot("wrong-password")
    await page.locator("input[type=password]").first.fill(METER_PASSWORD)
    await visit.submit()
    await page.get_by_text("was found").first.wait_for()
    await visit.shoot("password-readings")


async def keys(visit: Visit) -> None:
    """The form for keys, with the section for experts."""
    page = visit.page
    await visit.begin()
    await visit.connect(visit.meter_port)
    await visit.submit()
    await visit.choose("I know the settings")
    await visit.form().wait_for()
    await visit.submit()
    await visit.choose("Keys")
    await page.get_by_text("For experts").wait_for()
    await page.get_by_text("For experts").click()
    await visit.shoot("keys")


async def find(visit: Visit) -> None:
    """Let the meter be found, choose readings, and keep it."""
    page = visit.page
    await visit.begin()
    await visit.connect(visit.meter_port)
    await visit.submit()
    await visit.choose("Find it for me")
    await visit.form().get_by_role("textbox").first.fill(SERIAL_NUMBER)
    await visit.shoot("find")
    await visit.submit()
    await page.locator("step-flow-progress").wait_for()
    await visit.shoot("scan", settle=300)
    await page.get_by_text("was found").first.wait_for(timeout=120_000)
    await visit.shoot("readings")
    await page.get_by_text("Everything else").click()
    await page.get_by_text("Everything else").scroll_into_view_if_needed()
    await visit.shoot("readings-other")
    await visit.submit()
    await page.locator("step-flow-create-entry").wait_for()
    await visit.shoot("done")
    await visit.remove_second_meter()


async def nothing_found(visit: Visit) -> None:
    """A port where nobody listens."""
    await visit.begin()
    await visit.connect(visit.meter_port + 7)
    await visit.submit()
    await visit.choose("Find it for me")
    await visit.form().wait_for()
    await visit.submit()
    await visit.page.get_by_text("What next?").wait_for(timeout=120_000)
    await visit.shoot("not-found")


async def later(visit: Visit) -> None:
    """What can be changed later: options, and the connection."""
    page = visit.page
    await visit.open_integration()
    await visit.shoot("integration")
    await (
        page.locator("ha-config-entry-row")
        .first.locator("ha-icon-button")
        .filter(has=page.locator("ha-svg-icon"))
        .first.wait_for()
    )
    await page.get_by_role("button", name="Configure").first.click()
    await visit.form().wait_for()
    await visit.shoot("options")
    await visit.open_integration()
    row = page.locator("ha-config-entry-row").first
    await row.get_by_role("button", name="Menu").first.click()
    await page.get_by_text("Reconfigure", exact=True).first.click()
    await page.locator("step-flow-menu").wait_for()
    await visit.shoot("reconfigure")


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
) -> AsyncIterator[None]:
    """Have a third meter on the network."""
    port = visit.meter_port + THIRD_METER
    words = [
        *("--wrapper-port", str(port), "--seed", "3"),
        *("--password", password, "--serial-number", serial_number),
    ]
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


async def new_password(visit: Visit) -> None:
    """The operator gave the meter another password: what Home Assistant asks, first answered wrongly."""
    page = visit.page
    async with third_meter(visit):
        await visit.add_third_meter()
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
        await visit.add_third_meter()
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
        await visit.add_third_meter()
        for _ in range(3):
            await visit.read_last_meter()
        await visit.open_repair("the clock is wrong")
        await visit.shoot("repair-clock")
        await visit.submit()
        await page.locator("step-flow-create-entry").wait_for()
        await visit.shoot("repair-clock-done")
    await visit.remove_second_meter()


async def device(visit: Visit) -> None:
    """The page of the meter, and its diagnostics."""
    page = visit.page
    await visit.open_device()
    await visit.shoot("device", settle=2500)
    async with page.expect_download() as download:
        await page.get_by_text("Download diagnostics").click()
    path = await (await download.value).path()
    json.loads(path.read_text())["data"]["trace"]


async def energy(visit: Visit) -> None:
    """The energy dashboard, and what Home Assistant says about its settings."""
    await visit.open("/energy")
    await visit.page.locator("hui-energy-distribution-card").first.wait_for()
    await visit.shoot("energy", settle=4000)
    await visit.page.get_by_role("button", name="Previous").first.click()
    await visit.shoot("energy-yesterday", settle=3000)
    await visit.open("/config/energy")
    await visit.page.get_by_text("Energy import").first.wait_for()
    await visit.shoot("energy-settings")


async def automation(visit: Visit) -> None:
    """An automation that reads a profile, run once."""
    page = visit.page
    await visit.open("/config/automation/edit/yesterday")
    await page.get_by_text("Read profile").first.wait_for()
    await visit.shoot("automation", settle=2500)
    await page.get_by_text("Read profile").first.click()
    await visit.shoot("action", settle=2500)
    await page.evaluate(
        """() => document.querySelector("home-assistant").hass.callService(
            "automation", "trigger", {entity_id: "automation.what_the_meter_counted_yesterday"})"""
    )
    await page.evaluate(
        """() => document.querySelector("home-assistant").shadowRoot
            .querySelector("home-assistant-main").dispatchEvent(
                new CustomEvent("hass-show-notifications", {bubbles: true, composed: true}))"""
    )
    await page.get_by_text("kWh").first.wait_for()
    await visit.shoot("automation-result")


WALKS = {
    walk.__name__: walk
    for walk in (
        connection,
        model,
        by_hand,
        keys,
        find,
        nothing_found,
        later,
        new_password,
        exchanged_meter,
        wrong_clock,
        device,
        energy,
        automation,
    )
}


type Walk = Callable[[Visit], Awaitable[None]]


async def take(browser: Browser, arguments: argparse.Namespace) -> None:
    """Take every walk in every size and colour scheme."""
    walks: list[Walk] = [WALKS[name] for name in arguments.walks or WALKS]
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            look = f"{size}-{scheme}"
            if arguments.look not in (None, look):
                continue
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                locale="en-GB",
                timezone_id="Europe/Berlin",  # as the demo's home
            )
            page = await context.new_page()
            page.set_default_timeout(PATIENCE)
            visit = Visit(
                page, arguments.url, arguments.meter_port, arguments.folder, look
            )
            await visit.log_in()
            for walk in walks:
                await walk(visit)
            await context.close()


async def main() -> None:
    """Read the command line and take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where the demo's Home Assistant listens")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument(
        "meter_port", type=int, help="where a meter listens that is not set up yet"
    )
    parser.add_argument(
        "walks", nargs="*", metavar="walk", help=f"one of {', '.join(WALKS)}; else all"
    )
    parser.add_argument("--look", help="only this one, such as wide-light")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit(
            "Screenshots need Chromium: install it (on Debian: apt install chromium)."
        )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        await take(browser, arguments)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
