"""What Home Assistant's hassfest and HACS ask of the files around the code, as far as it can be checked here."""

import ast
from collections.abc import Iterator
import importlib.util
import json
from pathlib import Path
import re
import struct
from typing import Any

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from homeassistant import generated, loader, requirements
from homeassistant.components.brands.const import ALLOWED_IMAGES
from homeassistant.util.yaml import load_yaml_dict
import pytest

from custom_components.dlms_meter.const import PLATFORMS

ROOT = Path(__file__).parents[1]
INTEGRATION = ROOT / "custom_components" / "dlms_meter"
BRAND = INTEGRATION / "brand"
MANIFEST: dict[str, Any] = json.loads((INTEGRATION / "manifest.json").read_text())

REQUIRED_KEYS = {
    "codeowners", "documentation", "domain", "iot_class", "issue_tracker", "name", "version",
}  # fmt: skip
KEYS_OF_2026_11 = {
    "categories",
    "connectivity",
}  # unknown to older releases, and ignored by them
VERSION_STRATEGIES = [
    AwesomeVersionStrategy.CALVER,
    AwesomeVersionStrategy.SEMVER,
    AwesomeVersionStrategy.SIMPLEVER,
    AwesomeVersionStrategy.BUILDVER,
    AwesomeVersionStrategy.PEP440,
]
HACS_KEYS = {
    "content_in_root", "country", "filename", "hacs", "hide_default_branch", "homeassistant", "name",
    "persistent_directory", "zip_release",
}  # fmt: skip
QUALITY_RULES = {
    # bronze
    "action-setup", "appropriate-polling", "brands", "common-modules", "config-flow",
    "config-flow-test-coverage", "dependency-transparency", "docs-actions", "docs-conditions",
    "docs-high-level-description", "docs-installation-instructions", "docs-removal-instructions",
    "docs-triggers", "entity-event-setup", "entity-unique-id", "has-entity-name", "runtime-data",
    "test-before-configure", "test-before-setup", "unique-config-entry",
    # silver
    "action-exceptions", "config-entry-unloading", "docs-configuration-parameters",
    "docs-installation-parameters", "entity-unavailable", "integration-owner",
    "log-when-unavailable", "parallel-updates", "reauthentication-flow", "test-coverage",
    # gold
    "devices", "diagnostics", "discovery", "discovery-update-info", "docs-data-update",
    "docs-examples", "docs-known-limitations", "docs-supported-devices", "docs-supported-functions",
    "docs-troubleshooting", "docs-use-cases", "dynamic-devices", "entity-category",
    "entity-device-class", "entity-disabled-by-default", "entity-translations",
    "exception-translations", "icon-translations", "reconfiguration-flow", "repair-issues",
    "stale-devices",
    # platinum
    "async-dependency", "inject-websession", "strict-typing",
}  # fmt: skip


def test_manifest_keys() -> None:
    known = set(loader.Manifest.__annotations__) | KEYS_OF_2026_11
    assert set(MANIFEST) <= known
    assert set(MANIFEST) >= REQUIRED_KEYS
    assert list(MANIFEST) == [
        "domain",
        "name",
        *sorted(set(MANIFEST) - {"domain", "name"}),
    ]


def test_manifest_values() -> None:
    assert MANIFEST["domain"] == INTEGRATION.name
    assert MANIFEST["iot_class"] == "local_polling"
    assert all(owner.startswith("@") for owner in MANIFEST["codeowners"])
    assert MANIFEST["documentation"].startswith("https://")
    assert MANIFEST["issue_tracker"].startswith("https://")
    AwesomeVersion(MANIFEST["version"], ensure_strategy=VERSION_STRATEGIES)


def test_manifest_names_no_logger_that_writes_the_wire() -> None:
    """The switch "Enable debug logging" must not print passwords: serialx logs every octet it sends."""
    assert "loggers" not in MANIFEST


@pytest.mark.parametrize("key", sorted(KEYS_OF_2026_11))
def test_manifest_uses_known_slugs(key: str) -> None:
    table = Path(generated.__path__[0]) / f"integration_{key}.json"
    if not table.exists():
        pytest.skip("this Home Assistant does not know the key yet")
    known = set()
    for row in json.loads(table.read_text()):
        known.add(row["slug"])
        known |= {
            f"{row['slug']}.{sub['slug']}" for sub in row.get("subcategories", [])
        }
    assert set(MANIFEST[key]) <= known


def test_requirements_fit_the_oldest_home_assistant() -> None:
    """A requirement newer than Home Assistant's own constraints cannot be installed beside it."""
    assert MANIFEST["requirements"] == ["serialx>=1.11.0"]
    constraints = (
        Path(requirements.__file__).parent / "package_constraints.txt"
    ).read_text()
    pinned = re.search(r"^serialx==(\S+)$", constraints, re.MULTILINE)
    assert pinned
    assert AwesomeVersion(pinned[1]) >= AwesomeVersion("1.11.0")


@pytest.mark.parametrize("dependency", MANIFEST["dependencies"])
def test_dependency_exists(dependency: str) -> None:
    assert importlib.util.find_spec(f"homeassistant.components.{dependency}")


def test_hacs_file() -> None:
    hacs = json.loads((ROOT / "hacs.json").read_text())
    assert set(hacs) <= HACS_KEYS
    assert hacs["name"] == MANIFEST["name"]
    assert hacs["homeassistant"] == "2026.10.0"
    assert [path.parent for path in ROOT.glob("custom_components/*/manifest.json")] == [
        INTEGRATION
    ]
    assert (ROOT / "README.md").is_file()
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")


def test_every_json_file_parses() -> None:
    for path in INTEGRATION.rglob("*.json"):
        assert isinstance(json.loads(path.read_text()), dict), path


RULES: dict[str, Any] = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]


def test_quality_scale_answers_every_rule() -> None:
    assert set(RULES) == QUALITY_RULES
    for rule, answer in RULES.items():
        assert status_of(rule) in {"done", "exempt"}, rule
        if isinstance(answer, dict):
            assert answer["comment"].endswith("."), f"{rule}: say why"


def status_of(rule: str) -> str:
    answer = RULES[rule]
    status: str = answer["status"] if isinstance(answer, dict) else answer
    return status


# Where the code shows that a rule is kept; other tests show that it works.
EVIDENCE = {
    "action-setup": ("__init__.py", r"async def async_setup\(.*\n.*\n\s+async_setup_services"),
    "action-exceptions": ("action_calls.py", r"ServiceValidationError\("),
    "appropriate-polling": ("const.py", r"POLL_INTERVAL: Final = timedelta\(seconds=60\)"),
    "common-modules": ("entity.py", r"CoordinatorEntity\[DlmsCoordinator\]"),
    "config-entry-unloading": ("__init__.py", r"async def async_unload_entry"),
    "config-flow": ("config_flow.py", r"class \w+\(.*ConfigFlow|domain=DOMAIN"),
    "diagnostics": ("diagnostics.py", r"async def async_get_config_entry_diagnostics"),
    "dynamic-devices": ("coordinator.py", r"async_schedule_reload"),
    "entity-unavailable": ("entity.py", r"def available"),
    "entity-unique-id": ("entity.py", r"_attr_unique_id = "),
    "exception-translations": ("control.py", r"translation_key="),
    "has-entity-name": ("entity.py", r"_attr_has_entity_name = True"),
    "integration-owner": ("manifest.json", r'"codeowners": \[\s+"@'),
    "log-when-unavailable": ("poll.py", r"class FailuresLog"),
    "reauthentication-flow": ("config_flow.py", r"async def async_step_reauth\b"),
    "reconfiguration-flow": ("config_flow.py", r"async def async_step_reconfigure\b"),
    "repair-issues": ("repairs.py", r"async def async_create_fix_flow"),
    "runtime-data": ("coordinator.py", r"type DlmsConfigEntry = ConfigEntry\[DlmsCoordinator\]"),
    "stale-devices": ("__init__.py", r"async_remove_device"),
    "test-before-setup": ("__init__.py", r"await async_read_first\(hass, coordinator\)"),
    "unique-config-entry": ("flow_access.py", r"_abort_if_unique_id_configured\(\)"),
}  # fmt: skip


@pytest.mark.parametrize("rule", EVIDENCE)
def test_rule_is_kept(rule: str) -> None:
    file, pattern = EVIDENCE[rule]
    assert status_of(rule) == "done"
    assert re.search(pattern, (INTEGRATION / file).read_text()), file


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_says_how_many_at_a_time(platform: str) -> None:
    """The rule parallel-updates."""
    source = (INTEGRATION / f"{platform}.py").read_text()
    assert re.search(r"^PARALLEL_UPDATES = [01]$", source, re.MULTILINE)


SECTIONS = {
    "docs-actions": "## Actions",
    "docs-configuration-parameters": "## Options",
    "docs-data-update": "## How data is updated",
    "docs-examples": "### Examples",
    "docs-high-level-description": "# DLMS/COSEM for Home Assistant",
    "docs-installation-instructions": "## Install",
    "docs-installation-parameters": "## Add a meter",
    "docs-known-limitations": "## What works today, and what does not",
    "docs-removal-instructions": "## Remove",
    "docs-supported-devices": "## Supported meters",
    "docs-supported-functions": "## What you get",
    "docs-troubleshooting": "## When it does not work",
    "docs-use-cases": "## Use it for",
}


@pytest.mark.parametrize("rule", SECTIONS)
def test_readme_has_what_the_rule_wants(rule: str) -> None:
    section = section_of(SECTIONS[rule])
    assert status_of(rule) == "done"
    assert len(section.split()) > 10


def section_of(heading: str) -> str:
    """Return what README has under a heading."""
    readme = (ROOT / "README.md").read_text()
    assert readme.count(f"\n{heading}\n") + readme.startswith(f"{heading}\n") == 1
    rest = readme.partition(f"{heading}\n")[2]
    return re.split(r"^#{1,2} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def test_readme_describes_every_action() -> None:
    section = section_of("## Actions")
    actions = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    for action, description in actions.items():
        assert f"`dlms_meter.{action}`" in section, action
        for field in description["fields"]:
            assert re.search(rf"`{field}(: \w+)?`", section), field


def test_what_makes_rules_void() -> None:
    """The reasons for exemptions hold: no conditions, no triggers, no HTTP, nothing a meter announces itself by."""
    assert {rule for rule in RULES if status_of(rule) == "exempt"} == {
        "dependency-transparency", "discovery", "discovery-update-info", "docs-conditions", "docs-triggers",
        "entity-event-setup", "inject-websession",
    }  # fmt: skip
    files = {path.name for path in INTEGRATION.iterdir()}
    assert not files & {
        "condition.py",
        "conditions.yaml",
        "trigger.py",
        "triggers.yaml",
    }
    announced = {"bluetooth", "dhcp", "homekit", "mqtt", "ssdp", "usb", "zeroconf"}
    assert not announced & set(MANIFEST)
    assert {name for path in SOURCES for name in imported(path)}.isdisjoint(
        {"aiohttp", "httpx", "requests", "urllib3"}
    )


SOURCES = sorted(INTEGRATION.rglob("*.py"))
WITHOUT_DECLARATION = {
    "binary_sensor", "button", "diagnostics", "event", "number", "repairs", "select", "sensor", "switch",
}  # fmt: skip
"""Platforms: whoever has them is set up by Home Assistant itself."""


def imported(path: Path) -> Iterator[str]:
    """Yield the names of packages and modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_components_that_are_imported_are_declared() -> None:
    prefix = "homeassistant.components."
    found = {
        name.removeprefix(prefix).partition(".")[0]
        for path in SOURCES
        for name in imported(path)
        if name.startswith(prefix)
    }
    declared = {*MANIFEST["dependencies"], *MANIFEST.get("after_dependencies", [])}
    assert found - WITHOUT_DECLARATION <= declared


def png_size(path: Path) -> tuple[int, int]:
    """Return width and height as the PNG header has them."""
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG\r\n\x1a\n"), path
    width, height = struct.unpack(">II", header[16:])
    return width, height


def test_brand_images() -> None:
    sizes = {path.name: png_size(path) for path in BRAND.glob("*.png")}
    assert (
        {"icon.png", "icon@2x.png", "logo.png", "logo@2x.png"}
        <= set(sizes)
        <= ALLOWED_IMAGES
    )
    assert sizes["icon.png"] == (256, 256)
    assert 128 <= sizes["logo.png"][1] <= 256
    for name, (width, height) in sizes.items():
        if "@2x" in name:
            assert sizes[name.replace("@2x", "")] == (width // 2, height // 2)
