"""What Home Assistant's hassfest and HACS ask of the files around the code, as far as it can be checked here."""

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


def test_quality_scale_answers_every_rule() -> None:
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
    assert isinstance(rules, dict)
    assert set(rules) == QUALITY_RULES
    for rule, answer in rules.items():
        status = answer["status"] if isinstance(answer, dict) else answer
        assert status in {"done", "todo", "exempt"}, rule
        assert status != "exempt" or answer["comment"], f"{rule}: say why it is exempt"


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
