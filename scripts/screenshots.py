"""Take screenshots of the running demo in an installed Chromium: wide and narrow, light and dark."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
import shutil
import sys

from playwright.async_api import Browser, Page, async_playwright

DOMAIN = "dlms_meter"
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


async def log_in(page: Page, url: str) -> None:
    """Log in as the demo user."""
    await page.goto(url)
    await page.locator("input[name=username]").fill("demo")
    await page.locator("input[name=password]").fill("demo")
    await page.keyboard.press("Enter")
    await page.locator("home-assistant-main").wait_for(state="attached")


async def integration_page(page: Page, url: str) -> None:
    """Open the integration's page."""
    await page.goto(f"{url}/config/integrations/integration/{DOMAIN}")
    await page.locator("ha-config-entry-row").first.wait_for()


async def device_page(page: Page, url: str) -> None:
    """Open the page of the first meter."""
    await integration_page(page, url)
    device = page.locator("ha-config-entry-device-row").first
    await device.wait_for()
    await device.click()
    await page.locator("ha-device-entities-card").first.wait_for()


type Shoot = Callable[[str], Awaitable[None]]

FLOW = "step-flow-form, step-flow-menu, step-flow-progress, step-flow-create-entry"


async def choose(page: Page, option: str) -> None:
    """Choose from a menu of the set-up dialog."""
    await page.locator("step-flow-menu").get_by_text(option, exact=True).click()


async def submit(page: Page) -> None:
    """Send a form of the set-up dialog."""
    await page.get_by_role("button", name="Submit", exact=True).click()


async def set_up_dialog(page: Page, url: str, port: int, shoot: Shoot) -> None:
    """Walk through adding a meter as somebody who knows nothing of it, and leave before it is kept."""
    await integration_page(page, url)
    await page.get_by_role("button", name="Add device").click()
    await page.locator(FLOW).first.wait_for()
    await shoot("1-connection")
    await choose(page, "Network gateway or meter")
    form = page.locator("step-flow-form")
    await form.get_by_role("textbox").first.fill("127.0.0.1")
    await form.get_by_role("spinbutton").first.fill(str(port))
    await shoot("2-network")
    await submit(page)
    await page.get_by_text("Find it for me", exact=True).wait_for()
    await shoot("3-which")
    await choose(page, "I know the settings")
    await page.get_by_text("Behind a gateway").first.wait_for()
    await shoot("4-line")
    await page.get_by_text("HDLC", exact=True).first.click()
    await submit(page)
    await page.get_by_text("A password", exact=True).wait_for()
    await shoot("5-access")
    await choose(page, "Keys")
    await page.get_by_text("For experts").wait_for()
    await page.get_by_text("For experts").click()
    await shoot("6-keys")


async def scan_dialog(page: Page, url: str, port: int, shoot: Shoot) -> None:
    """Let the meter be found, and look at what it offers."""
    await integration_page(page, url)
    await page.get_by_role("button", name="Add device").click()
    await choose(page, "Network gateway or meter")
    form = page.locator("step-flow-form")
    await form.get_by_role("textbox").first.fill("127.0.0.1")
    await form.get_by_role("spinbutton").first.fill(str(port))
    await submit(page)
    await choose(page, "Find it for me")
    await page.locator("step-flow-form").get_by_role("textbox").first.wait_for()
    await shoot("7-find")
    await submit(page)
    await page.wait_for_timeout(300)
    await shoot("8-scan")
    await page.get_by_text("was found").first.wait_for(timeout=120_000)
    await shoot("9-readings")


VIEWS: dict[str, Callable[[Page, str], Awaitable[None]]] = {
    "integration": integration_page,
    "device": device_page,
}
WALKS = (set_up_dialog, scan_dialog)


async def take(browser: Browser, url: str, folder: Path, port: int) -> None:
    """Take every view in every size and colour scheme."""
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                locale="en-GB",
            )
            page = await context.new_page()
            page.set_default_timeout(PATIENCE)
            await log_in(page, url)
            for name, view in VIEWS.items():
                await view(page, url)
                await page.wait_for_timeout(1500)  # let animations end
                await page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")

            async def shoot(
                name: str, page: Page = page, look: str = f"{size}-{scheme}"
            ) -> None:
                await page.wait_for_timeout(800)
                await page.screenshot(path=folder / f"set-up-{name}-{look}.png")

            for walk in WALKS:
                await walk(page, url, port, shoot)
            await context.close()


async def main() -> None:
    """Read the command line and take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where the demo's Home Assistant listens")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument(
        "meter_port", type=int, help="where a meter listens that is not set up yet"
    )
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit(
            "Screenshots need Chromium: install it (on Debian: apt install chromium)."
        )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        await take(browser, arguments.url, arguments.folder, arguments.meter_port)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
