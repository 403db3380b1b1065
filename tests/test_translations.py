"""Every text the code asks for is there, and no text is there that nothing asks for."""

import ast
from collections.abc import Iterator, Mapping
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.const import Platform
from homeassistant.data_entry_flow import section
from homeassistant.helpers.json import json_bytes
from homeassistant.helpers.selector import validate_selector
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.dlms_meter import (
    descriptions,
    flow_find,
    flow_schemas,
    plan,
    readings,
    repairs,
    services,
    sub_meters,
)
from custom_components.dlms_meter.dlms import (
    Access,
    Approach,
    Kind,
    Line,
    Obis,
    Probe,
    ServerAddress,
    describe,
)
from custom_components.dlms_meter.dlms.cosem import meaning
from custom_components.dlms_meter.failures import REQUEST_REFUSALS, SENTENCES
from custom_components.dlms_meter.issues import Issue
from custom_components.dlms_meter.line_quality import LINE_QUALITY
from tests.home import TITLE

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "dlms_meter"
ENGLISH: dict[str, Any] = json.loads(
    (INTEGRATION / "translations" / "en.json").read_text()
)
ICONS: dict[str, Any] = json.loads((INTEGRATION / "icons.json").read_text())
ROWS = (*plan._ROWS, plan._SWITCH, *plan._SETTINGS)
OWN_KEYS = {"clock_drift", "unknown"}
"""Names of sensors that are not keys of the catalogue."""
LIMITS = set(map(descriptions._text_of, descriptions._LIMITS))
STATEMENTS = set(map(descriptions._text_of, {*Kind, "capture_time"} - meaning._PLAIN))
"""Texts that names are put together of."""
LANGUAGES = sorted((INTEGRATION / "translations").glob("*.json"))
WIDTH_OF_A_PHONE = 32
"""Characters of a title that are seen there."""
SENTENCE_PARTS = {
    "found": {"meter", "place"},
    "way": {"gateway", *(approach.value for approach in Approach)},
}
"""Texts that sentences of the dialog are put together of: translated like choices, and offered in none."""
HOME_ASSISTANT_REASONS = {
    "already_configured",
    "reauth_successful",
    "reconfigure_successful",
}
"""Reasons to abort that Home Assistant's own code gives."""


def texts(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, str):
            yield f"{path}{key}", value
        else:
            yield from texts(value, f"{path}{key}.")


def arguments(name: str, argument: str) -> set[str]:
    """Return the literal values of a keyword argument of all calls of `name` in the integration."""
    return {
        keyword.value.value
        for path in INTEGRATION.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) == name
        for keyword in node.keywords
        if keyword.arg == argument
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


def fields(schema: Mapping[Any, Any]) -> Iterator[tuple[str | None, str]]:
    """Yield section and name of each field of a form."""
    for marker, validator in schema.items():
        if isinstance(validator, section):
            yield from ((str(marker), str(inner)) for inner in validator.schema.schema)
        else:
            yield None, str(marker)


FORMS: dict[str, vol.Schema] = {
    **flow_schemas.CONNECTIONS,
    "find": flow_schemas.FIND_IT,
    "not_found": flow_schemas.NOT_FOUND,
    "model": flow_schemas.CHOOSE_MODEL,
    "line": flow_schemas.SERIAL_LINE,
    "network_line": flow_schemas.NETWORK_LINE,
    **{f"access_{level.value}": flow_schemas.access(level) for level in Access},
    **{
        f"reauth_{level.value}": flow_schemas.secrets(level)
        for level in Access
        if level is not Access.OPEN
    },
    "exchanged": flow_schemas.NOTHING,
    "logical_device": flow_schemas.NOTHING,
    "readings": readings.readings_schema(
        [readings.Offered("", group, "", proposed=True) for group in readings.GROUPS]
    ),
}
MENUS = {
    "user": {"serial", "network"},
    "reconfigure": {"serial", "network"},
    "which": {"find", "model", "line"},
    "level": {f"access_{level.value}" for level in Access},
}
PROGRESS = {"scan", "read"}


@pytest.mark.parametrize("step", FORMS)
def test_every_field_has_a_name_and_an_explanation(step: str) -> None:
    check_form(ENGLISH["config"]["step"][step], FORMS[step])


def check_form(texts_of_step: Mapping[str, Any], schema: vol.Schema) -> None:
    assert {"title", "description"} <= set(texts_of_step)
    wanted: dict[str | None, set[str]] = {}
    for part, name in fields(schema.schema):
        wanted.setdefault(part, set()).add(name)
    for part, names in wanted.items():
        place = texts_of_step if part is None else texts_of_step["sections"][part]
        assert set(place["data"]) == set(place["data_description"]) == names
    assert set(texts_of_step.get("sections", {})) == {part for part in wanted if part}


def test_every_menu_has_names_and_explanations() -> None:
    steps = ENGLISH["config"]["step"]
    assert set(steps) == {*FORMS, *MENUS, *PROGRESS}
    assert all(set(steps[step]) == {"title"} for step in PROGRESS)
    for step, options in MENUS.items():
        assert set(steps[step]["menu_options"]) == options
        assert set(steps[step]["menu_option_descriptions"]) == options


def test_every_option_has_a_name_and_an_explanation() -> None:
    texts_of_step = ENGLISH["options"]["step"]["init"]
    general = {"change_settings", "keep_open", "poll_interval", "supply_switch"}
    assert set(texts_of_step["data"]) == set(texts_of_step["data_description"])
    assert set(texts_of_step["data"]) == general
    assert (
        texts_of_step["sections"] == ENGLISH["config"]["step"]["readings"]["sections"]
    )
    assert set(ENGLISH["options"]["abort"]) == {"not_loaded"}


def choices(schema: Mapping[Any, Any]) -> Iterator[tuple[str, set[str]]]:
    """Yield each choice of a form whose options are translated."""
    for validator in schema.values():
        if isinstance(validator, section):
            yield from choices(validator.schema.schema)
        config = getattr(validator, "config", {})
        if "translation_key" in config:
            yield config["translation_key"], set(config["options"])


def test_every_choice_is_named() -> None:
    wanted = {
        key: options for form in FORMS.values() for key, options in choices(form.schema)
    }
    for action in load_yaml_dict(str(INTEGRATION / "services.yaml")).values():
        for field in action["fields"].values():
            choice = field["selector"].get("select") or {}
            if "translation_key" in choice:
                wanted[choice["translation_key"]] = set(choice["options"])
    named = {key: set(value["options"]) for key, value in ENGLISH["selector"].items()}
    assert named == wanted | SENTENCE_PARTS


def test_every_error_has_a_text() -> None:
    invalid = {
        node.args[1].value
        for node in ast.walk(ast.parse((INTEGRATION / "settings.py").read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", None) == "InvalidSettings"
        and isinstance(node.args[1], ast.Constant)
    }
    own = {"unknown", "unknown_model"}
    assert set(ENGLISH["config"]["error"]) == {*SENTENCES, *invalid, *own}


def test_every_reason_to_abort_has_a_text() -> None:
    assert set(ENGLISH["config"]["abort"]) == {"another_meter"} | HOME_ASSISTANT_REASONS


def test_every_step_of_progress_has_a_text() -> None:
    shown = arguments("async_show_progress", "progress_action")
    for approach in Approach:
        for speed in (None, 9600):
            probe = Probe(Line(approach, speed), ServerAddress())
            key, placeholders = flow_find._words(probe)
            shown.add(key)
            text = ENGLISH["config"]["progress"][key]
            assert set(re.findall(r"{(\w+)}", text)) <= set(placeholders)
    assert set(ENGLISH["config"]["progress"]) == shown | {"scan_begin"}


def test_every_exception_has_a_text() -> None:
    raised = set[str]()
    for name in (
        "ConfigEntryAuthFailed",
        "ConfigEntryError",
        "HomeAssistantError",
        "ServiceValidationError",
        "UpdateFailed",
    ):
        raised |= arguments(name, "translation_key")
    raised |= {
        node.args[0].value
        for path in INTEGRATION.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", None) == "invalid"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }
    refused = {f"refused_{refusal}" for refusal in REQUEST_REFUSALS}
    assert set(ENGLISH["exceptions"]) == {*raised, *SENTENCES, *refused, "unknown"}
    for key in (*SENTENCES, "unknown"):
        told = ENGLISH["exceptions"][key]["message"]
        assert told == ENGLISH["config"]["error"][key]


def test_every_issue_has_texts() -> None:
    assert set(ENGLISH["issues"]) == set(Issue)
    data: dict[str, Any] = {"counter": 1, "port": "/dev/ttyUSB0"}
    for issue, texts_of_issue in ENGLISH["issues"].items():
        if issue not in repairs._DIALOGS:
            assert set(texts_of_issue) == {"title", "description"}
            continue
        assert set(texts_of_issue) == {"title", "fix_flow"}
        dialog = repairs._DIALOGS[issue](MockConfigEntry(), data)
        steps = texts_of_issue["fix_flow"]["step"]
        assert set(steps) == {"confirm"}
        form = dialog._form({})
        if form.schema:
            check_form(steps["confirm"], form)
        assert set(texts_of_issue["fix_flow"]["error"]) == {"failed"}


def test_every_action_and_its_fields_have_texts() -> None:
    described = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    json_bytes(described)  # the user interface gets it so, or does not start at all
    assert set(described) == {action.name for action in services._ACTIONS}
    assert set(ENGLISH["services"]) == set(described)
    assert set(ICONS["services"]) == set(described)
    for action in services._ACTIONS:
        fields = {str(marker) for marker in action.schema}
        texts_of_action = ENGLISH["services"][action.name]
        assert {"name", "description"} <= set(texts_of_action)
        assert set(described[action.name]["fields"]) == fields
        assert set(texts_of_action["fields"]) == fields
        for text in texts_of_action["fields"].values():
            assert set(text) == {"name", "description"}
        for field in described[action.name]["fields"].values():
            validate_selector(field["selector"])


def test_every_sensor_has_a_name() -> None:
    names = ENGLISH["entity"]["sensor"]
    with_tariff = {f"{key}_tariff" for key in descriptions._NAMED_WITH_TARIFF}
    kinds = {row.kind for row in ROWS if row.platform is Platform.SENSOR}
    quality = {description.key for description in LINE_QUALITY}
    own = kinds | OWN_KEYS | quality
    named = descriptions._NAMED | with_tariff | own | STATEMENTS | LIMITS
    assert set(names) == named
    for key, text in names.items():
        placeholders = set(re.findall(r"{(\w+)}", text["name"]))
        expected = {
            "unknown": {"obis"},
            **{key: set() for key in quality},
            **{key: {"quantity"} for key in LIMITS},
            **{key: {"quantity", "detail"} for key in STATEMENTS},
        }.get(key, {"detail", "tariff"} if key in with_tariff else {"detail"})
        assert placeholders == expected, key


@pytest.mark.parametrize(
    "platform", ["binary_sensor", "button", "event", "number", "select", "switch"]
)
def test_every_other_entity_has_a_name(platform: str) -> None:
    kinds = {row.kind for row in ROWS if row.platform == platform}
    if platform == Platform.BUTTON:
        kinds = {"read_now", "synchronise_clock"}
    names = ENGLISH["entity"].get(platform, {})
    assert set(names) == kinds
    assert all("{detail}" in text["name"] for text in names.values())


def test_every_sub_meter_has_a_name() -> None:
    keys = {medium.key for medium in sub_meters.MEDIA.values()} | {"sub_meter"}
    assert set(ENGLISH["device"]) == keys


def test_names_are_of_things_the_catalogue_knows() -> None:
    known = {
        meaning.key
        for a in (0, 1, 4, 5, 6, 7, 8, 9)
        for c in range(98)
        for d in (*range(45), 91, 97, 98)
        for e in (*range(19), 20, 21, 124, 129)
        for class_id, attribute_id in ((1, 2), (4, 5), (5, 3))
        if (
            meaning := describe(
                Obis(bytes((a, 0, c, d, e, 255))), class_id, attribute_id
            )
        )
    }
    assert known >= descriptions._NAMED - OWN_KEYS


def test_icons_are_of_named_entities() -> None:
    for platform, icons in ICONS["entity"].items():
        assert set(icons) <= set(ENGLISH["entity"][platform])
    for _, icon in texts(ICONS["entity"]):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", icon)


def test_languages() -> None:
    assert {path.stem for path in LANGUAGES} == {
        "cs", "de", "en", "es", "fr", "it", "nb", "nl", "pl", "ru", "sv",
    }  # fmt: skip


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_text_is_fit_to_print(path: Path) -> None:
    """What hassfest refuses: references nobody resolves, addresses, markup, quoted placeholders."""
    translated = json.loads(path.read_text())
    assert {key for key, _ in texts(translated)} == {key for key, _ in texts(ENGLISH)}
    english = dict(texts(ENGLISH))
    for key, text in texts(translated):
        if key.startswith(("config.step.", "options.step.")) and key.endswith(".title"):
            assert len(text.replace("{meter}", TITLE)) <= WIDTH_OF_A_PHONE, key
        placeholders = re.findall(r"{\w+}", english[key])
        assert sorted(re.findall(r"{\w+}", text)) == sorted(placeholders), key
        assert text.strip() == text, key
        assert "[%key" not in text, key
        assert "://" not in text, key
        assert not re.search(r"<[a-z]", text), key
        assert not re.search(r"'{\w+}'", text), key
