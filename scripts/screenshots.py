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


async def set_up_dialog(page: Page, url: str) -> None:
    """Open the dialog that adds a meter."""
    await integration_page(page, url)
    await page.get_by_role("button", name="Add device").click()
    await page.locator("step-flow-form, step-flow-menu").first.wait_for()


VIEWS: dict[str, Callable[[Page, str], Awaitable[None]]] = {
    "integration": integration_page,
    "device": device_page,
    "set-up": set_up_dialog,
}


async def take(browser: Browser, url: str, folder: Path) -> None:
    """Take every view in every size and colour scheme."""
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            context = await browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                locale="en-GB",
            )
            page = await context.new_page()
            await log_in(page, url)
            for name, view in VIEWS.items():
                await view(page, url)
                await page.wait_for_timeout(1500)  # let animations end
                await page.screenshot(path=folder / f"{name}-{size}-{scheme}.png")
            await context.close()


async def main() -> None:
    """Read the command line and take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where the demo's Home Assistant listens")
    parser.add_argument("folder", type=Path, help="where the pictures go")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit(
            "Screenshots need Chromium: install it (on Debian: apt install chromium)."
        )
    arguments.folder.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=QUIET)
        await take(browser, arguments.url, arguments.folder)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
