"""What the README shows and names is there, and nothing that users may choose is left out."""

import json
from pathlib import Path
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template
from homeassistant.util.yaml import parse_yaml
import pytest

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
