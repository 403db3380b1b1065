"""The front door of the client: what it promises is there, documented, and needs no Home Assistant."""

import ast
import inspect
from pathlib import Path
import subprocess
import sys

import pytest

from custom_components.dlms_meter import dlms

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "dlms_meter"

# Last on the path: the integration has files named as modules of the standard library.
IMPORT_ALL_OF_IT = f"""
import importlib, pkgutil, sys
sys.modules["homeassistant"] = None
sys.path.append({str(INTEGRATION)!r})
import dlms
for module in pkgutil.walk_packages(dlms.__path__, "dlms."):
    importlib.import_module(module.name)
"""


@pytest.mark.parametrize("name", dlms.__all__)
def test_public_name_is_documented(name: str) -> None:
    public = getattr(dlms, name)
    if inspect.isclass(public) or inspect.isfunction(public):
        written = public.__doc__ or ""
        # A dataclass without a docstring gets its signature as one.
        assert written.strip(), f"{name} has no docstring"
        assert not written.startswith(f"{name}("), f"{name} has no docstring of its own"


def test_type_checkers_see_the_same_names_from_the_same_rooms() -> None:
    stub = ast.parse((INTEGRATION / "dlms" / "__init__.pyi").read_text("utf-8"))
    imported = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    listed = [
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign)
    ]
    assert vars(dlms)["_ROOM_OF"] == imported
    assert listed == [sorted(imported, key=_as_ruff_sorts)]
    assert len(dlms.__all__) == len(set(dlms.__all__))


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants, classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def test_unknown_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="has no Nonsense"):
        _ = dlms.Nonsense  # type: ignore[attr-defined]


def test_importing_the_front_door_opens_no_room() -> None:
    program = f"import sys; sys.path.append({str(INTEGRATION)!r}); import dlms; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert [name for name in loaded if name.startswith("dlms")] == ["dlms"]
    assert "asyncio" not in loaded


def test_client_needs_no_home_assistant() -> None:
    """Every module of the client imports by its short path where Home Assistant cannot be imported.

    The long path would run the integration's own `__init__`, so this needs a process of its own.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-c", IMPORT_ALL_OF_IT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
