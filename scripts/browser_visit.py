"""A browser that visits the demo as a user does: what it can look at, click and type."""

from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page

DOMAIN = "dlms_meter"
METER_PASSWORD = "12345678"
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

    async def connect_by_port(self, address: str) -> None:
        """Answer on which port the meter is, by typing its address, and go on."""
        await self.choose("USB or serial probe")
        await self.form().locator("ha-generic-picker").first.click()
        await self.page.get_by_text("Enter manually").first.click()
        await self.page.locator("ha-picker-combo-box").wait_for(state="detached")
        box = self.form().get_by_role("textbox").first
        await box.click()
        await box.press_sequentially(address)
        await self.submit()

    async def connect(self, port: int) -> None:
        """Answer where the meter is on the network."""
        await self.choose("Network gateway or meter")
        await self.form().get_by_role("textbox").first.fill("127.0.0.1")
        await self.form().get_by_role("spinbutton").first.fill(str(port))

    async def open_experts(self) -> None:
        """Unfold the section for experts."""
        await self.page.get_by_text("For experts").click()

    async def enter_password(self, password: str) -> None:
        """Type a password, and try it."""
        await self.page.locator("input[type=password]").first.fill(password)
        await self.submit()

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
