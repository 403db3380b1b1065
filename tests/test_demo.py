"""The demo fails when Home Assistant does not take the meter as it should."""

from pathlib import Path
import sys
from typing import Any

import pytest

from scripts import demo, demo_actions, demo_energy
from scripts.home_assistant_api import HomeAssistant

type Json = Any  # whatever JSON holds

SENSORS = [
    {"platform": "dlms_meter", "unique_id": f"SIM1_3_{place}_2", "entity_id": place}
    for place in (demo_energy.IMPORT, demo_energy.EXPORT, demo_energy.NET_POWER)
]


class Home(HomeAssistant):
    """A Home Assistant that objects to the energy dashboard, or answers actions as it is told."""

    objections: tuple[str, ...] = ()
    answer: Json = None
    """To every action."""

    async def readings(self) -> list[tuple[str, str]]:
        return [("Energy import", "1 kWh")]

    async def entries(self) -> list[dict[str, Json]]:
        return [{"entry_id": "1", "state": "loaded"}]

    async def meter(self, entry_id: str | None = None) -> str:
        return "device 1"

    async def command(self, **message: Json) -> Json:
        match message["type"]:
            case "config/entity_registry/list":
                return SENSORS
            case "energy/validate":
                issues = [{"type": objection} for objection in self.objections]
                return {"energy_sources": [issues], "device_consumption": []}
            case "call_service":
                return {"response": self.answer}
            case _:
                return None


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of Home Assistant, with what stands in it always."""
    log = tmp_path / "home-assistant.log"
    log.write_text(
        f"2026-11-23 WARNING [homeassistant.loader] {demo.KNOWN_COMPLAINT} dlms_meter\n"
        "2026-11-23 ERROR [homeassistant.components.stream] no such program\n"
    )
    monkeypatch.setattr(demo, "LOG", log)
    return log


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, log: Path) -> type[Home]:
    """A demo of which only the judging is real."""

    class Ours(Home):
        pass

    async def nothing(*_: object) -> None:
        return

    for name in ("start_meter", "start_home_assistant", "introduce"):
        monkeypatch.setattr(demo, name, nothing)
    for name in ("require_free_port", "prepare_folder"):
        monkeypatch.setattr(demo, name, lambda *_: None)
    monkeypatch.setattr(demo, "HomeAssistant", Ours)
    monkeypatch.setattr(demo_energy, "VALIDATION_SECONDS", -1)
    monkeypatch.setattr(demo_actions, "_MISTAKES", ())
    monkeypatch.setattr(sys, "argv", ["scripts/demo", "--once"])
    return Ours


@pytest.mark.parametrize(
    "objection",
    ["entity_unexpected_unit_energy", "recorder_untracked", "statistics_not_defined"],
)
async def test_it_fails_when_the_energy_dashboard_objects(
    home: type[Home], capsys: pytest.CaptureFixture[str], objection: str
) -> None:
    home.objections = (objection,)
    assert await demo.main() == 1
    said = capsys.readouterr().out
    assert f"The demo failed: The energy dashboard objects: {objection}." in said
    assert "everything in order" not in said


async def test_it_fails_when_an_action_is_answered_wrongly(
    home: type[Home],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = (demo_actions.Call("get", {"obis": "1-0:1.8.0"}, lambda one: one == 1),)
    monkeypatch.setattr(demo_actions, "_READS", calls)
    home.answer = 2
    assert await demo.main() == 1
    assert (
        "The demo failed: The action get with {'obis': '1-0:1.8.0'} answers 2."
        in capsys.readouterr().out
    )


@pytest.fixture
def no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """No action is called."""

    async def no_calls(*_: object) -> int:
        return 0

    monkeypatch.setattr(demo_actions, "call_every_action", no_calls)


@pytest.fixture
def complaint(log: Path) -> str:
    """What Home Assistant says of an integration that has not kept up with it."""
    complaint = "2026-11-23 WARNING [homeassistant.helpers.frame] Detected that custom integration 'dlms_meter' is old"
    log.write_text(f"{log.read_text()}{complaint}\n")
    return complaint


@pytest.mark.usefixtures("home", "no_calls")
async def test_it_fails_when_something_is_logged(
    complaint: str, log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await demo.main() == 1
    assert f"complaints in {log}:\n{complaint}\n" in capsys.readouterr().out


@pytest.mark.usefixtures("home", "no_calls")
async def test_it_succeeds_when_there_are_no_objections(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await demo.main() == 0
    said = capsys.readouterr().out
    assert "Energy dashboard: everything in order." in said
    assert "Log: no complaint." in said
