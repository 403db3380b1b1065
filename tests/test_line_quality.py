"""What the line carried is counted, and shown to who asks for it: above all when polls fail."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.home import DEVICE, NOBODY, Line, silence, value_of

RECEIVED = f"sensor.{DEVICE}_frames_received"
TIMEOUTS = f"sensor.{DEVICE}_timeouts"
SHOWN_AS = {"bad_checks": "frames_damaged"}
NAMES = (
    "bad_checks",
    "frames_received",
    "frames_repeated",
    "session_time",
    "timeouts",
)


def test_they_wait_in_the_registry(
    entity_registry: er.EntityRegistry, loaded: MockConfigEntry
) -> None:
    quality = [
        entity
        for entity in er.async_entries_for_config_entry(
            entity_registry, loaded.entry_id
        )
        if entity.translation_key in NAMES
    ]
    assert len(quality) == len(NAMES)
    assert all(entity.disabled_by for entity in quality)


@pytest.mark.usefixtures("impatient", "everything_enabled")
async def test_counts_of_a_failing_line(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """They grow over sessions, and stay there when nothing comes any more."""
    first = int(value_of(hass, RECEIVED))
    assert first > 0
    assert float(value_of(hass, f"sensor.{DEVICE}_session_time")) > 0
    await loaded.runtime_data.async_refresh()
    assert (second := int(value_of(hass, RECEIVED))) > first
    assert value_of(hass, TIMEOUTS) == "0"

    line.answer = silence
    await loaded.runtime_data.async_refresh()
    assert value_of(hass, TIMEOUTS) != "0"
    line.broken = NOBODY
    await loaded.runtime_data.async_refresh()
    assert int(value_of(hass, RECEIVED)) == second


@pytest.mark.usefixtures("everything_enabled")
async def test_each_shows_its_own_count(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    coordinator = loaded.runtime_data
    names = ("frames_received", "frames_repeated", "bad_checks", "timeouts")
    before = coordinator.client.totals
    for more, name in enumerate(names, 11):
        now = coordinator.client.statistics
        setattr(now, name, getattr(now, name) + more)
    coordinator.async_update_listeners()
    await hass.async_block_till_done()
    grown = [
        int(value_of(hass, f"sensor.{DEVICE}_{SHOWN_AS.get(name, name)}"))
        - getattr(before, name)
        for name in names
    ]
    assert grown == [11, 12, 13, 14]
