"""The meter's event log: each new entry is told, in order, once."""

from dataclasses import replace
from datetime import datetime, timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import (
    CoreState,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache,
)

from custom_components.dlms_meter.dlms import Obis, ProfileRows
from tests.home import DEVICE, WITH_PASSWORD, Line, set_up, value_of
from tests.simulator.house import BUILT
from tests.simulator.profiles import _events_of_day

LOG = f"event.{DEVICE}_event_log"
COVER = f"binary_sensor.{DEVICE}_meter_cover"
TERMINAL_COVER = f"binary_sensor.{DEVICE}_terminal_cover"
NAMES = {
    1: "power_down",
    2: "power_up",
    4: "clock_adjusted_from",
    44: "cover_opened",
    45: "cover_closed",
}


def happenings(count: int) -> list[tuple[datetime, int]]:
    """Return entries of the log of the simulated house, in November 2026."""
    first = (datetime(2026, 11, 1, tzinfo=BUILT.tzinfo) - BUILT).days
    found = [
        event for day in range(first, first + 200) for event in _events_of_day(1, day)
    ]
    return found[:count]


@pytest.fixture
def told(hass: HomeAssistant) -> list[tuple[str, str]]:
    """What is told of the log: type and time of the entry."""
    found: list[tuple[str, str]] = []
    seen: list[str] = []

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new is None or new.state in ("unavailable", "unknown", *seen[-1:]):
            return  # a restart shows the last event again, which is no event
        seen.append(new.state)
        found.append((new.attributes["event_type"], new.attributes["time"]))

    async_track_state_change_event(hass, [LOG], note)
    return found


async def test_new_entries_are_told_once_and_in_order(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    told: list[tuple[str, str]],
) -> None:
    """What was in the log before is not told; a restart tells nothing twice, and nothing gets lost meanwhile."""
    log = happenings(20)
    freezer.move_to(log[0][0] - timedelta(seconds=30))
    await set_up(hass, entry, WITH_PASSWORD)
    coordinator = entry.runtime_data
    await coordinator.async_refresh()
    assert not told

    async def go_to(number: int) -> None:
        freezer.move_to(log[number][0] + timedelta(seconds=1))
        await coordinator.async_refresh()
        await hass.async_block_till_done()

    def expected(last: int) -> list[tuple[str, str]]:
        return [
            (NAMES[code], moment.replace(microsecond=0).isoformat())
            for moment, code in log[: last + 1]
        ]

    await go_to(0)
    await coordinator.async_refresh()
    assert told == expected(0)
    await go_to(4)
    assert told == expected(4)

    await hass.config_entries.async_unload(entry.entry_id)
    freezer.move_to(log[6][0] + timedelta(seconds=1))
    await set_up(hass, entry)
    coordinator = entry.runtime_data
    await go_to(7)
    assert told == expected(7)
    state = hass.states.get(LOG)
    assert state is not None
    assert state.attributes["obis_code"] == "0-0:99.98.0*255"
    assert state.attributes["code"] == log[7][1]


async def test_nothing_is_told_before_home_assistant_runs(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    told: list[tuple[str, str]],
) -> None:
    """Automations do not listen yet; what was written meanwhile is told then."""
    log = happenings(2)
    freezer.move_to(log[0][0] - timedelta(seconds=30))
    await set_up(hass, entry, WITH_PASSWORD)
    await entry.runtime_data.async_refresh()
    for number, state in enumerate((CoreState.starting, CoreState.running)):
        hass.set_state(state)
        freezer.move_to(log[number][0] + timedelta(seconds=1))
        await entry.runtime_data.async_refresh()
        await hass.async_block_till_done()
        assert len(told) == 2 * number


async def test_log_that_was_emptied(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    told: list[tuple[str, str]],
) -> None:
    """What is written into it from then on is told, once; what was told before is not told again."""
    log = happenings(12)
    freezer.move_to(log[5][0] + timedelta(seconds=1))
    await set_up(hass, entry, WITH_PASSWORD)
    coordinator = entry.runtime_data
    await coordinator.async_refresh()
    name = Obis.parse("0-0:99.98.0")
    full = coordinator.data.rows[name]

    async def show(first: int, last: int) -> None:
        captured = full._captured.part(first, last)
        rows = {name: ProfileRows(full.columns, captured)}
        coordinator.async_set_updated_data(replace(coordinator.data, rows=rows))
        await hass.async_block_till_done()

    await show(0, 4)
    told.clear()
    await show(0, 0)
    await show(0, 4)  # it was not emptied: the meter had only not told it
    await show(0, 0)
    assert not told
    await show(4, 5)
    await show(4, 5)
    assert len(told) == 1
    await show(4, 6)
    assert [time for _, time in told] == [
        row.moment.isoformat() for row in full[4:6] if row.moment
    ]


async def test_covers(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    everything_enabled: None,
) -> None:
    """They are as the newest entry of the log about them tells, also after it has gone from what is read."""
    log = happenings(200)
    opened = next(n for n, (_, code) in enumerate(log) if code == 44)
    freezer.move_to(log[opened][0] - timedelta(seconds=30))
    mock_restore_cache(hass, [State(TERMINAL_COVER, "on")])
    await set_up(hass, entry, WITH_PASSWORD)
    assert value_of(hass, COVER) == "unknown"
    assert value_of(hass, TERMINAL_COVER) == "on"
    for number in (opened, opened + 1):
        freezer.move_to(log[number][0] + timedelta(seconds=1))
        await entry.runtime_data.async_refresh()
        await hass.async_block_till_done()
        is_open = log[number][1] != 45
        assert value_of(hass, COVER) == ("on" if is_open else "off")
    assert value_of(hass, TERMINAL_COVER) == "on"


async def test_log_that_moved_on_further_than_is_read(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    told: list[tuple[str, str]],
) -> None:
    """The newest entries are told, those in between are gone from what is read."""
    log = happenings(30)
    freezer.move_to(log[0][0] - timedelta(seconds=30))
    await set_up(hass, entry, WITH_PASSWORD)
    await entry.runtime_data.async_refresh()
    freezer.move_to(log[24][0] + timedelta(seconds=1))
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    assert [kind for kind, _ in told] == [NAMES[code] for _, code in log[15:25]]
