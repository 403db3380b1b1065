"""What the README shows and names is there, and nothing that users may choose is left out."""

from collections.abc import Sequence
from datetime import timedelta
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
from custom_components.dlms_meter.dlms import AttributeDescriptor, Obis, Symptom
from custom_components.dlms_meter.failures import pause_after
from custom_components.dlms_meter.settings import from_input
from tests.home import DEVICE, NOBODY, WITH_PASSWORD, Line
from tests.line.faults import TROUBLES
from tests.simulator.objects import array, octets, structure, uint8, uint32
from tests.test_event import happenings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ENGLISH: dict[str, Any] = json.loads(
    (ROOT / "custom_components" / DOMAIN / "translations" / "en.json").read_text()
)
PICTURES = ROOT / ".github" / "images"
LARGEST_PICTURE = 60_000
"""Octets: whoever opens the page waits for all of them."""
EXAMPLES = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
TARIFF = AttributeDescriptor(1, Obis.parse("0-0:96.14.0"), 2)
DEMAND = AttributeDescriptor(5, Obis.parse("1-0:1.4.0"), 2)
POWER_DOWN = 1
"""Code of an entry of the log."""
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
    assert set(automation) <= {"triggers", "actions", "mode"}
    for step in automation["actions"]:
        if step["action"].startswith(f"{DOMAIN}."):
            assert set(step["data"]) <= FIELDS[step["action"]]
        for text in step["data"].values():
            Template(text, hass).ensure_valid()


async def message_of(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    entry: MockConfigEntry,
    message: str | None = None,
) -> str:
    """Run the first example at its hour, with another message if there is one; return what it tells."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-20T04:59:00Z")
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    automation: Any = parse_yaml(EXAMPLES[0])
    read, tell = automation["actions"]
    read["data"]["device_id"] = device.id
    tell["data"]["message"] = message or tell["data"]["message"]
    told = async_mock_service(hass, "persistent_notification", "create")
    await set_up(hass, automation)
    freezer.move_to("2026-11-20T05:00:01Z")
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, True)
    [notice] = told
    assert notice.data["title"] == "Yesterday"
    return str(notice.data["message"]).strip()


async def test_consumption_of_yesterday_is_told(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, loaded: MockConfigEntry
) -> None:
    number, unit = (await message_of(hass, freezer, loaded)).split()
    assert unit == "kWh"
    assert 1 < float(number) < 100


@pytest.mark.parametrize("rows", [0, 1])
async def test_profile_that_has_nothing_of_yesterday(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
    rows: int,
) -> None:
    """Of a meter that was just built in, or whose power was out all day."""
    profile = AttributeDescriptor(7, Obis.parse("1-0:99.1.0"), 2)
    row = structure(
        octets(bytes.fromhex("07EA0B130500000000FFC400")),
        uint8(8),
        *map(uint32, (16_500_000, 11_600_000, 412)),
    )
    line.meter.written[profile] = array([row] * rows)
    message = await message_of(hass, freezer, loaded)
    assert message == "The meter kept nothing of yesterday."


async def test_whole_profile_as_text(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, loaded: MockConfigEntry
) -> None:
    [template] = re.findall(r"`(\{\{ profile.rows [^`]+)`", README)
    told: Any = await message_of(hass, freezer, loaded, template)
    rows = json.loads(told) if isinstance(told, str) else told
    assert len(rows) == 97  # quarters of an hour, with both ends
    assert set(rows[0]) == {"time", "values"}


@pytest.mark.usefixtures("everything_enabled")
async def test_messages_are_sent_for_what_happens(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """A message for a new tariff, a power failure and a high demand; none for a meter that only comes back."""
    log = happenings(200)
    outage = next(n for n, (_, code) in enumerate(log) if n and code == POWER_DOWN)
    freezer.move_to(log[outage][0] - timedelta(minutes=1))
    hass.config_entries.async_update_entry(entry, data=from_input(WITH_PASSWORD))
    line.meter.written[TARIFF] = uint8(1)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    sent = async_mock_service(hass, "notify", "send_message")
    example = re.sub(r"\b(sensor|event)\.meter_", rf"\1.{DEVICE}_", EXAMPLES[1])
    assert example != EXAMPLES[1]
    automation: Any = parse_yaml(example)
    await set_up(hass, automation)

    async def messages() -> list[str]:
        """Poll; return what is sent."""
        sent.clear()
        await entry.runtime_data.async_refresh()
        await hass.async_block_till_done()
        return [message.data["message"] for message in sent]

    async def out_and_back() -> list[str]:
        """Be unavailable for one poll; return what is sent until the meter is read again."""
        line.broken = NOBODY
        assert await messages() == []
        line.broken = None
        return await messages()

    assert await messages() == []
    assert await out_and_back() == []
    line.meter.written[TARIFF] = uint8(2)
    assert await messages() == ["SIM H3P-100 Active tariff: 2"]
    line.meter.written[TARIFF] = uint8(1)
    assert await out_and_back() == []
    line.meter.written[DEMAND] = uint32(4_400)
    assert await messages() == []
    line.meter.written[DEMAND] = uint32(4_600)
    assert await messages() == ["SIM H3P-100 Demand import in progress: 4.6"]
    line.meter.written[DEMAND] = uint32(400)
    freezer.move_to(log[outage][0] + timedelta(seconds=1))
    assert await out_and_back() == ["SIM H3P-100 Event log: power_down"]
    assert await out_and_back() == []
    freezer.move_to(log[outage + 1][0] + timedelta(seconds=1))
    assert await messages() == []  # the power is back


def test_event_of_the_example_exists() -> None:
    state = ENGLISH["entity"]["event"]["event_log"]["state_attributes"]
    [event] = re.findall(r"event_type: (\w+)", README)
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


BAD_LINE = README.partition("### On a bad line\n")[2].partition("\n#")[0]
TOLD_OF_BAD_LINES: dict[str, Sequence[str]] = {
    "The optical head sends back what is said to the meter, whole, in part or damaged": (
        "echo", "echo, partial", "echo, damaged",
    ),
    "There is noise before or between messages": ("garbage before frames", "garbage between frames"),
    "Messages come twice": ("frames doubled",),
    "Octets get lost, changed or doubled, messages get lost": (
        "octets lost", "frames lost", "bits flipped", "octets doubled",
    ),
    "Answers are some seconds late": ("late",),
    "Answers are later than that, or pause in the middle": ("too late", "stalled"),
    "The meter serves somebody else": ("busy (DM)",),
    "The meter is silent because it holds an old session": ("silent: old session",),
    "The meter ends the session or loses its power in the middle": (
        "session ends early", "meter resets",
    ),
    "The gateway closes the connection": ("gateway closes",),
}  # fmt: skip
"""Which troubles of the line a row is about."""


def test_what_a_bad_line_does() -> None:
    """Every trouble of the line that is tested stands there, with its time, and the sentences of the ladder about it."""
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in BAD_LINE.splitlines()
        if row.startswith("| ")
    ][1:]
    told = {title: (within, sentences) for title, _, within, sentences in rows}
    unplugged = ("at once", sentence_of(Symptom.PORT_MISSING))
    assert told.pop("The adapter is pulled out") == unplugged
    assert told.keys() == TOLD_OF_BAD_LINES.keys()
    for title, (within, sentences) in told.items():
        troubles = [TROUBLES[name] for name in TOLD_OF_BAD_LINES[title]]
        assert within == f"{max(trouble.within for trouble in troubles)} s", title
        wanted = {sentence_of(each) for trouble in troubles for each in trouble.told}
        assert set(re.findall(r"\S[^.]*\.", sentences)) == wanted, title
    named = {name for names in TOLD_OF_BAD_LINES.values() for name in names}
    assert named == TROUBLES.keys() - {"nothing"}


def sentence_of(symptom: Symptom) -> str:
    """Return the first sentence of what a user reads."""
    message: str = ENGLISH["exceptions"][symptom]["message"]
    return f"{message.partition('.')[0]}."


@pytest.mark.parametrize(
    ("symptom", "first", "last"),
    [(Symptom.NO_ANSWER, None, "15 minutes"), (Symptom.ASSOCIATION_REJECTED, "5 minutes", "hour")],
)  # fmt: skip
def test_how_long_a_meter_is_left_alone(
    symptom: Symptom, first: str | None, last: str
) -> None:
    durations = {"5 minutes": 5, "15 minutes": 15, "hour": 60}
    minute = timedelta(minutes=1)
    pauses = [pause_after(symptom, n, minute) / minute for n in (1, 3, 4, 1000)]
    usual = durations[first] if first else 1
    assert pauses[0] == usual
    assert (pauses[1] == usual) is (first is None)  # the first three at the usual pace
    assert pauses[3] == durations[last]
    assert f"every {last}" in BAD_LINE
    assert first is None or f"every {first} at first" in BAD_LINE
