"""Diagnostics: all that helps, and nothing that tells whose meter it is."""

import json

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.dlms_meter.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.dlms_meter.dlms import TransportError
from custom_components.dlms_meter.settings import from_input
from tests.home import PASSWORD, TITLE, UNIQUE_ID, WITH_PASSWORD, Line, altered
from tests.simulator import HdlcSession
from tests.simulator.objects import uint32

SECRETS = [PASSWORD, "meter.example", TITLE, UNIQUE_ID, "40817263"]


@pytest.fixture
async def secretive(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> MockConfigEntry:
    """An entry with all the secrets there are, some of them where nobody expects them."""
    freezer.move_to("2026-11-20T12:00:30Z")
    line.framing = HdlcSession
    line.meter = altered(line.meter, {"0-0:96.14.0*255": uint32(40817263)})
    data = from_input(WITH_PASSWORD | {"framing": "hdlc"})
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def test_diagnostics(
    hass: HomeAssistant, secretive: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)
    assert diagnostics == snapshot


async def test_nothing_secret_is_told(
    hass: HomeAssistant, line: Line, secretive: MockConfigEntry
) -> None:
    """Also not in the text of an error."""
    line.broken = TransportError(f"meter.example: no route to {UNIQUE_ID}")
    await secretive.runtime_data.async_refresh()

    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)

    text = json.dumps(diagnostics)
    assert not [secret for secret in SECRETS if secret in text]
    assert "no route to **REDACTED**" in diagnostics["session"]["last_error"]
    assert diagnostics["session"]["last_poll_succeeded"] is False
