"""Walk through the running demo as a user does, in an installed Chromium: wide and narrow, light and dark; take pictures."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
import json
from pathlib import Path
import shutil
import sys

from playwright.async_api import Browser, async_playwright

from .browser_visit import METER_PASSWORD, PATIENCE, Visit
from .troubled_meter import (
    exchanged_meter,
    new_password,
    no_connection,
    password_wanted,
    wrong_clock,
)

SERIAL_NUMBER = "40817999"
PHYSICAL_DEVICE = "115"
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
    await visit.open_experts()
    client_address, _, physical_device = await visit.numbers(3)
    await client_address.fill("1")
    await physical_device.fill(PHYSICAL_DEVICE)
    await visit.shoot("expert")
    await visit.enter_password("87654321")
    await page.get_by_text("The meter refused this password").first.wait_for()
    await visit.shoot("wrong-password")
    await visit.enter_password(METER_PASSWORD)
    await page.get_by_text("was found").first.wait_for()
    await visit.shoot("password-readings")


async def serial_line(visit: Visit) -> None:
    """An address is typed instead of a port, and the sign-on set by hand."""
    await visit.begin()
    await visit.connect_by_port(f"socket://127.0.0.1:{visit.meter_port}")
    await visit.choose("I know the settings")
    await visit.form().wait_for()
    await visit.open_experts()
    await visit.shoot("serial-line")


async def levels(visit: Visit) -> None:
    """The other forms for what the operator gave, with the section for experts where keys are."""
    for choice, name in (
        ("Nothing", "open"),
        ("A password that is never sent (HLS)", "challenge"),
        ("Keys", "keys"),
    ):
        await visit.begin()
        await visit.connect(visit.meter_port)
        await visit.submit()
        await visit.choose("I know the settings")
        await visit.form().wait_for()
        await visit.submit()
        await visit.choose(choice)
        await visit.page.get_by_text("For experts").wait_for()
        if name == "keys":
            await visit.open_experts()
        await visit.shoot(name)


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
    """A port where somebody listens who only hangs up."""
    somebody = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0
    )
    async with somebody:
        await visit.begin()
        await visit.connect(somebody.sockets[0].getsockname()[1])
        await visit.submit()
        await visit.choose("Find it for me")
        await visit.form().wait_for()
        await visit.submit()
        await visit.page.get_by_text("What next?").wait_for()
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
        serial_line,
        by_hand,
        levels,
        find,
        nothing_found,
        no_connection,
        password_wanted,
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
