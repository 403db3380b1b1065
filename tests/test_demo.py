"""The demo fails when Home Assistant does not take the meter as it should."""

from datetime import datetime, timedelta
from pathlib import Path
import sys
from typing import Any

from freezegun.api import FrozenDateTimeFactory
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
            case "get_config":
                return {"time_zone": "Europe/Berlin"}
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


# When summer time of 2026 ends in Berlin, by which distance before and after.
SUMMER_ENDS = datetime.fromisoformat("2026-10-25T01:00:00Z")


@pytest.mark.parametrize(
    ("minutes", "untouched"),
    [(-121, False), (-119, True), (0, True), (119, True), (121, False)],
)
async def test_clocks_are_left_alone_while_they_change(
    freezer: FrozenDateTimeFactory,
    monkeypatch: pytest.MonkeyPatch,
    minutes: int,
    untouched: bool,
) -> None:
    """The integration refuses to touch them, and that is no fault of the demo."""
    called: list[str] = []

    async def note(*arguments: Any) -> None:  # noqa: ANN401  what _call() takes
        called.extend(call.action for call in arguments[2])

    async def nothing(*_: object) -> None:
        return

    monkeypatch.setattr(demo_actions, "_MISTAKES", ())
    monkeypatch.setattr(demo_actions, "_call", note)
    for name in ("choose_options", "add_meter", "remove_meter"):
        monkeypatch.setattr(Home, name, nothing)
    home = Home.__new__(Home)
    freezer.move_to(SUMMER_ENDS + timedelta(minutes=minutes))
    assert await demo_actions.call_every_action(home, "1") == len(called)
    assert await demo_actions.call_foreign_actions(home, 1) > 0
    assert [name for name in called if name.endswith("clock")] == (
        [] if untouched else ["set_clock", *["synchronise_clock"] * 4]
    )
    assert {"get", "set", "invoke", "disconnect", "reconnect"} <= set(called)


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
