"""The house rules: who may import whom. Read the tables; they are the architecture."""

import ast
from collections.abc import Iterator
from pathlib import Path
import sys

import pytest

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "dlms_meter"
DLMS = INTEGRATION / "dlms"

# Top floor first. A room (a folder or a file) imports itself and the floors below;
# rooms on one floor are strangers.
PROTOCOL_FLOORS = [
    {"discovery", "kept_session"},
    {"client", "listener"},
    {"profiles", "session"},
    {"client_settings", "connection", "symptom"},
    {"pump"},
    {"inbox"},
    {"answers", "refusals", "sign_on", "timing", "wire_log"},
    {"transport", "link", "application"},
    {"cosem"},
    {"codec"},
    {"errors"},
]
HOME_ASSISTANT_FLOORS = [
    {"__init__"},
    {
        "binary_sensor", "button", "config_flow", "diagnostics", "event", "number", "repairs", "select", "sensor",
        "services", "switch",
    },
    {"flow_box", "flow_find", "object_actions", "options_flow", "profile_action"},
    {"flow_connection"},
    {"action_calls", "flow_access"},
    {"control", "entity", "first_reading", "flow_schemas", "identities", "line_quality"},
    {"coordinator"},
    {"poll", "readings", "sessions"},
    {"exchange", "plan", "ports"},
    {"channel", "descriptions", "failures", "logical_devices", "storage", "trace"},
    {"anonymity", "event_log", "plausibility", "rows", "sub_meters", "units"},
    {"plain_data"},
    {"counters", "issues", "settings", "typed_data"},
    {"const"},
]  # fmt: skip

# The pure rooms touch no clock, socket, random source or log.
PURE = {
    "answers",
    "refusals",
    "timing",
    "link",
    "application",
    "cosem",
    "codec",
    "errors",
}
IMPURE_MODULES = {
    "asyncio", "logging", "os", "random", "secrets", "serialx", "socket", "ssl",
    "threading", "time",
}  # fmt: skip

# Every import from outside the standard library, and the files of dlms/ that may make it.
THIRD_PARTY = {
    "cryptography": {
        "application/aes_gcm.py",
        "application/authentication.py",
        "application/elliptic_curves.py",  # signatures and key agreement of suites 1 and 2
        "application/message_keys.py",  # key wrapping
    },
    "serialx": {"transport/serial.py", "transport/rfc2217.py"},
}

LONGEST_FUNCTION = 45


def floor_numbers(floors: list[set[str]]) -> dict[str, int]:
    return {room: number for number, rooms in enumerate(floors) for room in rooms}


PROTOCOL_FLOOR = floor_numbers(PROTOCOL_FLOORS)
HOME_ASSISTANT_FLOOR = floor_numbers(HOME_ASSISTANT_FLOORS)

ALL_FILES = sorted(INTEGRATION.rglob("*.py"))
PROTOCOL_FILES = [path for path in ALL_FILES if path.is_relative_to(DLMS)]
HOME_ASSISTANT_FILES = [path for path in ALL_FILES if path not in PROTOCOL_FILES]
FRONT_DOOR = DLMS / "__init__.py"


def name_of(path: Path) -> str:
    return path.relative_to(INTEGRATION).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Yield what a file imports; relative names are resolved: `.dlms.codec.axdr`."""
    package = path.relative_to(INTEGRATION).parent.parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            module = node.module.split(".") if node.module else []
            if module:
                yield "." + ".".join([*base, *module])
            else:
                yield from ("." + ".".join([*base, alias.name]) for alias in node.names)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function's name and number of lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.name, node.end_lineno - node.lineno + 1


def room_of(path: Path) -> str:
    return path.relative_to(DLMS).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", PROTOCOL_FILES, ids=name_of)
def test_protocol_knows_nobody_outside(path: Path) -> None:
    """The client knows neither Home Assistant nor any package beside the two it needs."""
    for name in imports(path):
        top = name.split(".")[0]
        if name.startswith("."):
            assert name.startswith(".dlms."), f"dlms/ must not import upstairs: {name}"
        elif top not in sys.stdlib_module_names:
            file = path.relative_to(DLMS).as_posix()
            assert file in THIRD_PARTY.get(top, set()), f"{file} must not import {name}"


@pytest.mark.parametrize(
    "path", [p for p in PROTOCOL_FILES if p != FRONT_DOOR], ids=name_of
)
def test_protocol_imports_downstairs(path: Path) -> None:
    """Imports point downstairs, and the pure rooms stay pure."""
    room = room_of(path)
    for name in imports(path):
        if name.startswith(".dlms."):
            target = name.split(".")[2]
            assert target in PROTOCOL_FLOOR, f"{room} -> {target}, which has no floor"
            downstairs = PROTOCOL_FLOOR[target] > PROTOCOL_FLOOR[room]
            assert downstairs or target == room, f"{room} -> {target}"
        elif room in PURE:
            assert name.split(".")[0] not in IMPURE_MODULES, (
                f"{room} must stay pure: {name}"
            )


@pytest.mark.parametrize("path", HOME_ASSISTANT_FILES, ids=name_of)
def test_home_assistant_imports_downstairs(path: Path) -> None:
    """The upper floors import what is below them, and the client by its front door only."""
    room = path.stem
    for name in imports(path):
        assert not name.startswith("custom_components"), f"import relatively: {name}"
        assert not name.startswith(".dlms."), f"use the front door: {name}"
        if name.startswith(".") and name != ".dlms":
            target = name.removeprefix(".")
            assert target in HOME_ASSISTANT_FLOOR, (
                f"{room} -> {target}, which has no floor"
            )
            assert HOME_ASSISTANT_FLOOR[target] > HOME_ASSISTANT_FLOOR[room], (
                f"{room} -> {target}"
            )


def test_every_room_has_a_floor() -> None:
    assert {room_of(path) for path in PROTOCOL_FILES} - {"__init__"} <= set(
        PROTOCOL_FLOOR
    )
    assert {path.stem for path in HOME_ASSISTANT_FILES} <= set(HOME_ASSISTANT_FLOOR)


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_functions_fit_a_screen(path: Path) -> None:
    too_long = {
        name: lines for name, lines in functions(path) if lines > LONGEST_FUNCTION
    }
    assert not too_long
