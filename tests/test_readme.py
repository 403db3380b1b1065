"""What the README shows and names is there, and nothing that users may choose is left out."""

import json
from pathlib import Path
import re
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.template import Template
from homeassistant.setup import async_setup_component
from homeassistant.util.yaml import parse_yaml
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    async_mock_service,
)

from custom_components.dlms_meter import services
from custom_components.dlms_meter.const import DOMAIN

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ENGLISH: dict[str, Any] = json.loads(
    (ROOT / "custom_components" / DOMAIN / "translations" / "en.json").read_text()
)
PICTURES = ROOT / ".github" / "images"
LARGEST_PICTURE = 60_000
"""Octets: whoever opens the page waits for all of them."""
EXAMPLES = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
FIELDS = {
    f"{DOMAIN}.{action.name}": {str(marker) for marker in action.schema}
    for action in services._ACTIONS
}


async def set_up(hass: HomeAssistant, automation: dict[str, Any]) -> None:
    """Have Home Assistant run an example."""
    assert await async_setup_component(hass, "automation", {"automation": automation})
    await hass.async_block_till_done()


def test_pictures_are_there_small_and_all_shown() -> None:
    shown = set(re.findall(r"\(\.github/images/([^)]+)\)", README))
    assert shown == {path.name for path in PICTURES.iterdir()}
    for path in PICTURES.iterdir():
        assert path.stat().st_size <= LARGEST_PICTURE, path.name


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
async def test_examples_ask_for_what_there_is(
    hass: HomeAssistant, example: str
) -> None:
    automation: Any = parse_yaml(example)
    assert set(automation) == {"triggers", "actions"}
    for step in automation["actions"]:
        if step["action"].startswith(f"{DOMAIN}."):
            assert set(step["data"]) <= FIELDS[step["action"]]
        for text in step["data"].values():
            Template(text, hass).ensure_valid()


async def test_consumption_of_yesterday_is_told(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, loaded: MockConfigEntry
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-20T04:59:00Z")
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    automation: Any = parse_yaml(EXAMPLES[0])
    automation["actions"][0]["data"]["device_id"] = device.id
    told = async_mock_service(hass, "persistent_notification", "create")
    await set_up(hass, automation)
    freezer.move_to("2026-11-20T05:00:01Z")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, True)
    assert [notice.data["title"] for notice in told] == ["Yesterday"]
    number, unit = told[0].data["message"].split()
    assert unit == "kWh"
    assert 1 < float(number) < 100


async def test_messages_are_sent_for_what_happens(hass: HomeAssistant) -> None:
    """A message for a new tariff, a power failure and a high demand, none for a meter that comes back."""
    automation: Any = parse_yaml(EXAMPLES[1])
    sent = async_mock_service(hass, "notify", "send_message")
    tariff, log, demand = (t["entity_id"] for t in automation["triggers"])
    hass.states.async_set(tariff, "1")
    hass.states.async_set(log, "unknown")
    hass.states.async_set(demand, "0.5")
    await set_up(hass, automation)
    for entity_id, state, attributes, count in (
        (tariff, "unavailable", {}, 0),
        (tariff, "1", {}, 0),
        (tariff, "2", {}, 1),
        (log, "2026-11-20T12:00:00", {"event_type": "power_down"}, 2),
        (log, "2026-11-20T12:01:00", {"event_type": "power_up"}, 2),
        (demand, "4.4", {}, 2),
        (demand, "4.6", {}, 3),
    ):
        hass.states.async_set(entity_id, state, attributes)
        await hass.async_block_till_done()
        assert len(sent) == count, (entity_id, state)
    assert sent[0].data["message"] == "meter active tariff: 2"


def test_event_of_the_example_exists() -> None:
    state = ENGLISH["entity"]["event"]["event_log"]["state_attributes"]
    [event] = re.findall(r"attribute: event_type\n +to: (\w+)", README)
    assert event in state["event_type"]["state"]


def test_every_action_is_told() -> None:
    assert set(re.findall(rf"`({DOMAIN}\.\w+)`", README)) == set(FIELDS)


def test_every_option_is_told() -> None:
    for name in ENGLISH["options"]["step"]["init"]["data"].values():
        assert f"| {name} |" in README


@pytest.mark.parametrize("menu", ["user", "which"])
def test_every_choice_of_the_set_up_is_told(menu: str) -> None:
    for name in ENGLISH["config"]["step"][menu]["menu_options"].values():
        assert f"*{name}*" in README
