"""Repairs: what a user is asked, what his answer does, and that a question goes away with its cause."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.recorder import get_instance
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    flush_store,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.dlms_meter import repairs
from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.counters import async_get_counter
from custom_components.dlms_meter.dlms import (
    Mechanism,
    SecuritySettings,
    TransportError,
)
from custom_components.dlms_meter.issues import Issue, issue_id_of
from custom_components.dlms_meter.settings import from_input
from tests.adapters import adapter, plugged_in
from tests.home import (
    DEVICE,
    NOBODY,
    PUBLIC,
    TITLE,
    UNIQUE_ID,
    WITH_PASSWORD,
    Line,
    altered,
    ignore_client,
    pass_time,
    set_up,
    state_of,
    value_of,
)
from tests.models import SUB_METERS
from tests.simulator import ClientRule, HdlcSession, Meter, MeterSettings
from tests.simulator.controls import CLOCK, CONTROLLABLE_METER
from tests.simulator.objects import uint32
from tests.simulator.settings import EVERY_SERVICE

pytestmark = pytest.mark.usefixtures("impatient")

ENERGY = f"sensor.{DEVICE}_energy_import"
POWER = f"sensor.{DEVICE}_power_import"
OTHER_ID = "SIM0000099999999"
OTHER_TITLE = "SIM H3P-100 …9999"
KEY = bytes(range(16))

type Answer = Callable[..., Awaitable[dict[str, Any]]]


def issue_of(hass: HomeAssistant, entry: ConfigEntry[Any], issue: Issue) -> Any:  # noqa: ANN401
    """Return an issue that users see; None if there is none."""
    known = ir.async_get(hass).async_get_issue(
        DOMAIN, issue_id_of(issue, entry.entry_id)
    )
    return known if known is not None and known.active else None


async def forget_what_is_not_kept(hass: HomeAssistant) -> None:
    """Do to the issues what a restart of Home Assistant does to them."""
    registry = ir.async_get(hass)
    await flush_store(registry._store)
    await registry.async_load()


@pytest.fixture
async def repair(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Answer:
    """Walk through the dialog of an issue as a browser does; returns the last result."""
    for component in ("repairs", "usb"):  # as in every real Home Assistant
        assert await async_setup_component(hass, component, {})
    client = await hass_client()

    async def walk(
        entry: ConfigEntry[Any], issue: Issue, *answers: dict[str, Any]
    ) -> dict[str, Any]:
        path = "/api/repairs/issues/fix"
        issue_id = issue_id_of(issue, entry.entry_id)
        asked: dict[str, Any] = {"handler": DOMAIN, "issue_id": issue_id}
        result: dict[str, Any] = {}
        for answer in (asked, *answers):
            response = await client.post(path, json=answer)
            result = await response.json()
            assert response.status == 200, result
            path = f"/api/repairs/issues/fix/{result['flow_id']}"
            await hass.async_block_till_done(wait_background_tasks=True)
        return result

    return walk


def other_meter(line: Line) -> Meter:
    return Meter(MeterSettings(serial_number="99999999", seed=2), now=line.meter.now)


# The meter was exchanged.


async def test_another_meter_is_asked_about_until_it_is_gone(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    mine = line.meter
    line.meter = other_meter(line)
    await pass_time(hass, freezer)
    issue = issue_of(hass, loaded, Issue.METER_EXCHANGED)
    assert issue.is_fixable
    assert issue.translation_placeholders == {"meter": TITLE, "new_meter": OTHER_TITLE}
    assert value_of(hass, ENERGY) == "unavailable"

    line.broken = NOBODY
    await pass_time(hass, freezer)
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED)
    line.broken, line.meter = None, mine
    await pass_time(hass, freezer)
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED) is None
    assert float(value_of(hass, ENERGY)) > 0


async def test_ignored_issue_stays_ignored(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    line.meter = other_meter(line)
    await pass_time(hass, freezer)
    issue_id = issue_id_of(Issue.METER_EXCHANGED, loaded.entry_id)
    ir.async_get(hass).async_ignore(DOMAIN, issue_id, True)
    await pass_time(hass, freezer)
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED).dismissed_version


async def test_exchange_is_noticed_again_after_a_restart(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """The entry is tried again by itself: the address may lead to the right meter again."""
    mine = line.meter
    line.meter = other_meter(line)
    await hass.config_entries.async_unload(loaded.entry_id)
    await hass.config_entries.async_setup(loaded.entry_id)
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED)
    await hass.config_entries.async_unload(loaded.entry_id)
    await forget_what_is_not_kept(hass)
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED) is None

    await hass.config_entries.async_setup(loaded.entry_id)
    assert state_of(loaded) is ConfigEntryState.SETUP_RETRY
    assert loaded.error_reason_translation_key == "another_meter"
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED)
    line.meter = mine
    await hass.config_entries.async_reload(loaded.entry_id)
    assert state_of(loaded) is ConfigEntryState.LOADED
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED) is None


async def test_issues_go_with_their_entry(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    line.meter = other_meter(line)
    await pass_time(hass, freezer)
    await hass.config_entries.async_remove(loaded.entry_id)
    assert not ir.async_get(hass).issues


async def test_meter_that_has_an_entry_of_its_own_was_not_exchanged(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    MockConfigEntry(domain=DOMAIN, unique_id=OTHER_ID).add_to_hass(hass)
    line.meter = other_meter(line)
    await pass_time(hass, freezer)
    assert value_of(hass, ENERGY) == "unavailable"
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED) is None


async def test_exchanged_meter_takes_the_place_of_the_old_one(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
    repair: Answer,
) -> None:
    """Names and choices stay; entities are those of the new meter, and what it lacks is gone."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    entities.async_update_entity(ENERGY, name="What we took")
    [device] = dr.async_entries_for_config_entry(devices, loaded.entry_id)
    devices.async_update_device(device.id, name_by_user="Cellar")
    gone = f"sensor.{DEVICE}_frequency"
    assert hass.states.get(gone)
    line.meter = altered(other_meter(line), {}, without=("1-0:14.7.0*255",))
    await pass_time(hass, freezer)

    result = await repair(loaded, Issue.METER_EXCHANGED)
    assert result["step_id"] == "confirm"
    assert result["description_placeholders"]["new_meter"] == OTHER_TITLE
    result = await repair(loaded, Issue.METER_EXCHANGED, {})
    assert result["type"] == "create_entry"

    assert (loaded.unique_id, loaded.title) == (OTHER_ID, OTHER_TITLE)
    assert state_of(loaded) is ConfigEntryState.LOADED
    assert issue_of(hass, loaded, Issue.METER_EXCHANGED) is None
    assert float(value_of(hass, ENERGY)) > 0
    kept = entities.async_get(ENERGY)
    assert kept is not None
    assert kept.name == "What we took"
    assert kept.unique_id.startswith(OTHER_ID)
    assert entities.async_get(gone) is None
    [now] = dr.async_entries_for_config_entry(devices, loaded.entry_id)
    assert now.id == device.id
    assert (now.serial_number, now.name_by_user) == ("99999999", "Cellar")
    assert now.identifiers == {(DOMAIN, OTHER_ID)}
    names = {
        e.unique_id
        for e in er.async_entries_for_config_entry(entities, loaded.entry_id)
    }
    assert all(name.startswith(OTHER_ID) for name in names)
    await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) > 0


async def test_meters_behind_an_exchanged_meter_stay_who_they_are(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    repair: Answer,
) -> None:
    line.meter = Meter(now=line.meter.now, objects=SUB_METERS)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    devices = dr.async_get(hass)
    before = {d.id for d in dr.async_entries_for_config_entry(devices, entry.entry_id)}
    line.meter = Meter(
        MeterSettings(serial_number="99999999"), now=line.meter.now, objects=SUB_METERS
    )
    await pass_time(hass, freezer)
    await repair(entry, Issue.METER_EXCHANGED, {})
    after = {d.id for d in dr.async_entries_for_config_entry(devices, entry.entry_id)}
    assert after == before
    assert len(after) == 4


async def test_exchange_of_a_meter_that_was_named_by_its_user(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
    repair: Answer,
) -> None:
    """The other logical devices of its box are behind the new meter, too."""
    behind = MockConfigEntry(domain=DOMAIN, data={"box": UNIQUE_ID})
    behind.add_to_hass(hass)
    hass.config_entries.async_update_entry(loaded, title="Cellar")
    line.meter = other_meter(line)
    await pass_time(hass, freezer)
    await repair(loaded, Issue.METER_EXCHANGED, {})
    assert (loaded.unique_id, loaded.title) == (OTHER_ID, "Cellar")
    assert behind.data == {"box": OTHER_ID}


async def test_exchange_when_the_old_meter_is_back_or_a_third_one_there(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
    repair: Answer,
) -> None:
    """Only the meter that was asked about is taken."""
    mine = line.meter
    line.meter = other_meter(line)
    await pass_time(hass, freezer)
    line.meter = Meter(MeterSettings(serial_number="55555555"), now=mine.now)
    result = await repair(loaded, Issue.METER_EXCHANGED, {})
    assert result["errors"] == {"base": "failed"}
    assert "Another meter answers" in result["description_placeholders"]["reason"]
    line.broken = NOBODY
    result = await repair(loaded, Issue.METER_EXCHANGED, {})
    assert "There is no connection" in result["description_placeholders"]["reason"]
    line.broken, line.meter = None, mine
    result = await repair(loaded, Issue.METER_EXCHANGED, {})
    assert result["type"] == "create_entry"
    assert loaded.unique_id == UNIQUE_ID
    assert float(value_of(hass, ENERGY)) > 0


async def test_reason_is_told_in_the_language_of_the_house(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
    repair: Answer,
) -> None:
    hass.config.language = "de"
    line.meter = other_meter(line)
    await pass_time(hass, freezer)
    line.broken = NOBODY
    result = await repair(loaded, Issue.METER_EXCHANGED, {})
    assert "Verbindung" in result["description_placeholders"]["reason"]


@pytest.mark.usefixtures("recorder_mock", "loaded")
@pytest.mark.freeze_time("2026-11-10T10:00:10Z")
@pytest.mark.parametrize("reading", [5, 90_000_000], ids=["lower", "higher"])
async def test_statistics_do_not_jump_when_a_meter_is_exchanged(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    repair: Answer,
    reading: int,
) -> None:
    """What counts begins anew; what was counted before is still there, under the old name and number."""
    [entry] = hass.config_entries.async_entries(DOMAIN)
    await pass_time(hass, freezer, times=5)
    await async_wait_recording_done(hass)
    do_adhoc_statistics(hass, start=dt_util.parse_datetime("2026-11-10T10:00:00Z"))

    register = {"1-0:1.8.0*255": uint32(reading)}
    line.meter = altered(other_meter(line), register)
    await pass_time(hass, freezer)
    await repair(entry, Issue.METER_EXCHANGED, {})
    await pass_time(hass, freezer, times=5)
    await async_wait_recording_done(hass)
    do_adhoc_statistics(hass, start=dt_util.parse_datetime("2026-11-10T10:05:00Z"))
    await async_wait_recording_done(hass)

    aside = f"{ENERGY}_{UNIQUE_ID.lower()}"
    rows = await get_instance(hass).async_add_executor_job(
        lambda: statistics_during_period(
            hass,
            dt_util.utcnow() - timedelta(hours=1),
            None,
            {ENERGY, aside, POWER},
            "5minute",
            None,
            {"sum", "state", "mean"},
        )
    )
    [old], [new] = rows[aside], rows[ENERGY]
    assert (old["state"] or 0) > 1000
    assert new["state"] == reading / 1000
    assert new["sum"] == 0
    assert len(rows[POWER]) == 2  # what does not count goes on


# The clock.


def put_clock(line: Line, ahead: timedelta, *, settable: bool = True) -> None:
    """Let the meter's clock be wrong, in a meter whose clock can be set by the client with the password."""
    objects = CONTROLLABLE_METER if settable else line.meter.objects
    line.meter = Meter(
        MeterSettings(conformance=EVERY_SERVICE),
        now=lambda: dt_util.utcnow() + ahead,
        objects=objects,
    )


@pytest.fixture
async def with_password(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    hass.config_entries.async_update_entry(entry, data=from_input(WITH_PASSWORD))
    return entry


@pytest.mark.freeze_time("2026-11-10T10:00:00Z")
async def test_clock_far_off_is_asked_about_and_set(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    with_password: MockConfigEntry,
    repair: Answer,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    put_clock(line, timedelta(minutes=7))
    await set_up(hass, with_password)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF) is None
    await pass_time(hass, freezer, times=2)
    issue = issue_of(hass, with_password, Issue.CLOCK_OFF)
    assert issue.translation_placeholders == {
        "meter": TITLE,
        "shown": "2026-11-10 11:09:00",
        "now": "2026-11-10 11:02:00",
    }
    await pass_time(hass, freezer)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF) == issue

    result = await repair(with_password, Issue.CLOCK_OFF, {})
    assert result["type"] == "create_entry"
    assert CLOCK in line.meter.written
    assert issue_of(hass, with_password, Issue.CLOCK_OFF) is None
    put_clock(line, timedelta())
    await pass_time(hass, freezer, times=4)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF) is None


@pytest.mark.freeze_time("2026-11-10T10:00:00Z")
async def test_clock_that_is_right_again_by_itself(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    with_password: MockConfigEntry,
) -> None:
    """Between far off and right again nothing changes: no question that comes and goes."""
    put_clock(line, timedelta(minutes=-6))
    await set_up(hass, with_password)
    await pass_time(hass, freezer, times=2)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF)
    put_clock(line, timedelta(minutes=-4))
    await pass_time(hass, freezer)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF)
    put_clock(line, timedelta(seconds=-20))
    await pass_time(hass, freezer)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF) is None


async def test_clock_that_was_wrong_for_a_moment(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    with_password: MockConfigEntry,
) -> None:
    put_clock(line, timedelta(hours=2))
    await set_up(hass, with_password)
    await pass_time(hass, freezer)
    put_clock(line, timedelta())
    await pass_time(hass, freezer)
    put_clock(line, timedelta(hours=2))
    await pass_time(hass, freezer, times=2)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF) is None


async def test_clock_is_noticed_again_after_a_restart(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    with_password: MockConfigEntry,
) -> None:
    put_clock(line, timedelta(minutes=25))
    await set_up(hass, with_password)
    await pass_time(hass, freezer, times=2)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF)
    await hass.config_entries.async_unload(with_password.entry_id)
    await forget_what_is_not_kept(hass)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF) is None
    await set_up(hass, with_password)
    await pass_time(hass, freezer, times=2)
    assert issue_of(hass, with_password, Issue.CLOCK_OFF)


async def test_clock_that_only_the_operator_may_set(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
) -> None:
    """There is nothing to click: it says whom to ask."""
    put_clock(line, timedelta(minutes=25), settable=False)
    await pass_time(hass, freezer, times=3)
    issue = issue_of(hass, loaded, Issue.CLOCK_OFF_LOCKED)
    assert not issue.is_fixable
    assert issue_of(hass, loaded, Issue.CLOCK_OFF) is None
    put_clock(line, timedelta(), settable=False)
    await pass_time(hass, freezer)
    assert issue_of(hass, loaded, Issue.CLOCK_OFF_LOCKED) is None


@pytest.mark.freeze_time("2026-10-25T01:40:00Z")
async def test_clock_is_not_set_across_a_change_of_the_clocks(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    with_password: MockConfigEntry,
    repair: Answer,
) -> None:
    """It says so; a while later the same dialog works."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    put_clock(line, timedelta(minutes=7))
    await set_up(hass, with_password)
    await pass_time(hass, freezer, times=3)
    result = await repair(with_password, Issue.CLOCK_OFF, {})
    assert result["errors"] == {"base": "failed"}
    assert "Summer time" in result["description_placeholders"]["reason"]
    assert not line.meter.written
    freezer.tick(timedelta(minutes=20))
    result = await repair(with_password, Issue.CLOCK_OFF, {})
    assert result["type"] == "create_entry"
    assert CLOCK in line.meter.written


async def test_clock_of_a_meter_that_is_not_loaded(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    with_password: MockConfigEntry,
    repair: Answer,
) -> None:
    put_clock(line, timedelta(minutes=7))
    await set_up(hass, with_password)
    await pass_time(hass, freezer, times=3)
    await hass.config_entries.async_unload(with_password.entry_id)
    result = await repair(with_password, Issue.CLOCK_OFF, {})
    assert result["errors"] == {"base": "failed"}
    assert result["description_placeholders"]["reason"]


# Invocation counters.

KEYS = SecuritySettings(global_unicast_key=KEY, authentication_key=KEY)
CIPHERED = {
    "mechanism": "hls_gmac",
    "client_sap": 1,
    "encryption_key": KEY.hex(),
    "authentication_key": KEY.hex(),
    "system_title": "4841530000000001",
}
FULL = 0xFEFF_FFFF
"""Beyond this a meter's word is not taken: it would use up the key."""


@pytest.fixture
def ciphered(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> MockConfigEntry:
    rule = ClientRule(1, Mechanism.HLS_GMAC, security=KEYS)
    line.meter = Meter(MeterSettings(clients=(rule,)), now=line.meter.now)
    data = from_input(WITH_PASSWORD | {"mechanism": "none"}) | CIPHERED
    hass.config_entries.async_update_entry(entry, data=data)
    return entry


async def test_refused_counter_is_asked_about_and_raised(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    ciphered: MockConfigEntry,
    repair: Answer,
) -> None:
    await set_up(hass, ciphered)
    line.meter.last_counter = FULL + 5
    await pass_time(hass, freezer)
    issue = issue_of(hass, ciphered, Issue.COUNTER_REFUSED)
    assert issue.translation_placeholders["wanted"] == str(FULL + 6)
    assert value_of(hass, ENERGY) == "unavailable"

    result = await repair(ciphered, Issue.COUNTER_REFUSED)
    [field] = result["data_schema"]
    assert field["default"] == FULL + 1006
    low = await repair(ciphered, Issue.COUNTER_REFUSED, {"counter": 5})
    assert low["errors"] == {"base": "failed"}
    done = await repair(ciphered, Issue.COUNTER_REFUSED, {"counter": FULL + 1006})
    assert done["type"] == "create_entry"
    assert line.meter.last_counter >= FULL + 1006
    assert float(value_of(hass, ENERGY)) > 0
    await pass_time(hass, freezer)
    assert issue_of(hass, ciphered, Issue.COUNTER_REFUSED) is None


async def test_counter_that_is_told_in_time_is_no_question(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    ciphered: MockConfigEntry,
) -> None:
    """A meter that says which one it wants gets it at once."""
    await set_up(hass, ciphered)
    line.meter.last_counter = 5_000_000
    await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) > 0
    assert issue_of(hass, ciphered, Issue.COUNTER_REFUSED) is None


async def test_silence_to_old_counters_is_asked_about(
    hass: HomeAssistant,
    line: Line,
    ciphered: MockConfigEntry,
    repair: Answer,
) -> None:
    """Some meters say nothing at all: the user may try a higher number, and a still higher one."""
    line.framing = HdlcSession
    data = {**ciphered.data, "framing": "hdlc", "physical_device": 17}
    hass.config_entries.async_update_entry(ciphered, data=data)
    await set_up(hass, ciphered)
    used = (await async_get_counter(hass, ciphered.entry_id)).value
    assert used is not None
    ignore_client(1)(line)
    for seen in (False, False, True):
        await ciphered.runtime_data.async_refresh()
        assert bool(issue_of(hass, ciphered, Issue.COUNTER_UNANSWERED)) is seen
    assert ciphered.runtime_data.failure.key == "counter_unanswered"

    form = await repair(ciphered, Issue.COUNTER_UNANSWERED)
    [field] = form["data_schema"]
    proposed = field["default"]
    assert used + 100_000 <= proposed < used + 102_000
    result = await repair(ciphered, Issue.COUNTER_UNANSWERED, {"counter": proposed})
    assert result["errors"] == {"base": "failed"}
    assert "encrypted messages" in result["description_placeholders"]["reason"]
    line.answer = None
    line.meter.last_counter = proposed + 5_000
    higher = {"counter": proposed + 10_000}
    done = await repair(ciphered, Issue.COUNTER_UNANSWERED, higher)
    assert done["type"] == "create_entry"
    assert line.meter.last_counter >= higher["counter"]
    assert state_of(ciphered) is ConfigEntryState.LOADED
    assert issue_of(hass, ciphered, Issue.COUNTER_UNANSWERED) is None


async def test_refused_counter_after_a_restart(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    ciphered: MockConfigEntry,
) -> None:
    await set_up(hass, ciphered)
    before, line.meter.last_counter = line.meter.last_counter, FULL + 5
    await pass_time(hass, freezer)
    await hass.config_entries.async_unload(ciphered.entry_id)
    await forget_what_is_not_kept(hass)
    await hass.config_entries.async_setup(ciphered.entry_id)
    assert state_of(ciphered) is ConfigEntryState.SETUP_RETRY
    assert issue_of(hass, ciphered, Issue.COUNTER_REFUSED)
    line.meter.last_counter = before
    await hass.config_entries.async_reload(ciphered.entry_id)
    assert state_of(ciphered) is ConfigEntryState.LOADED
    assert issue_of(hass, ciphered, Issue.COUNTER_REFUSED) is None


async def test_counter_of_another_meter(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    ciphered: MockConfigEntry,
    repair: Answer,
) -> None:
    await set_up(hass, ciphered)
    rules, line.meter.last_counter = line.meter.settings.clients, FULL + 5
    await pass_time(hass, freezer)
    line.meter = Meter(
        MeterSettings(serial_number="99999999", clients=rules), now=line.meter.now
    )
    result = await repair(ciphered, Issue.COUNTER_REFUSED, {"counter": FULL + 1006})
    assert "Another meter answers" in result["description_placeholders"]["reason"]


async def test_no_counter_is_used_twice_whoever_reads(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    ciphered: MockConfigEntry,
) -> None:
    """Polls and dialogs use the same keys: the meter refuses what it has seen, and refuses nothing here."""
    await set_up(hass, ciphered)
    refused = line.meter.settings.clients[0]
    assert refused.security is not None
    form = await ciphered.start_reauth_flow(hass)
    flow = hass.config_entries.flow
    secrets = {"encryption_key": "00" * 16, "authentication_key": "00" * 16}
    form = await flow.async_configure(form["flow_id"], secrets)
    assert form["errors"]
    seen = line.meter.last_counter
    await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) > 0
    assert line.meter.last_counter > seen
    secrets = {"encryption_key": KEY.hex(), "authentication_key": KEY.hex()}
    done = await flow.async_configure(form["flow_id"], secrets)
    await hass.async_block_till_done()
    assert done["reason"] == "reauth_successful"
    assert state_of(ciphered) is ConfigEntryState.LOADED
    await pass_time(hass, freezer, times=2)
    assert float(value_of(hass, ENERGY)) > 0


# Ports.

HEAD_ID = "/dev/serial/by-id/usb-1a86_USB_Serial_A7-0012-if00-port0"
MOVED = adapter("/dev/ttyUSB3", "/dev/ttyUSB3", "A7-0012")


def port_gone() -> TransportError:
    error = TransportError("Cannot open the port")
    error.__cause__ = FileNotFoundError()
    return error


@pytest.fixture
async def on_a_port(hass: HomeAssistant, line: Line) -> MockConfigEntry:
    """A meter on a serial port."""
    line.framing = HdlcSession
    data = {key: PUBLIC[key] for key in PUBLIC if key not in ("host", "port")}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=TITLE,
        unique_id=UNIQUE_ID,
        data=from_input(data | {"serial_port": HEAD_ID, "framing": "hdlc"}),
    )
    entry.add_to_hass(hass)
    return entry


async def test_moved_port_is_asked_about_and_used(
    hass: HomeAssistant, line: Line, on_a_port: MockConfigEntry, repair: Answer
) -> None:
    """Not followed by itself: the adapter may be at another meter now, which is asked who it is."""
    line.broken = port_gone()
    with plugged_in(MOVED):
        await hass.config_entries.async_setup(on_a_port.entry_id)
        await hass.async_block_till_done()
        issue = issue_of(hass, on_a_port, Issue.PORT_MOVED)
        assert issue.translation_placeholders["old_port"] == HEAD_ID
        assert issue.translation_placeholders["new_port"] == "/dev/ttyUSB3"

        line.broken = None
        form = await repair(on_a_port, Issue.PORT_MOVED)
        assert form["type"] == "form"
        done = await repair(
            on_a_port, Issue.PORT_MOVED, {"serial_port": "/dev/ttyUSB3"}
        )
        assert done["type"] == "create_entry"
    assert on_a_port.data["serial_port"] == "/dev/ttyUSB3"
    assert state_of(on_a_port) is ConfigEntryState.LOADED
    assert issue_of(hass, on_a_port, Issue.PORT_MOVED) is None
    assert await hass.config_entries.async_unload(on_a_port.entry_id)


async def test_port_that_is_back_is_no_question(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    on_a_port: MockConfigEntry,
) -> None:
    """Nor is one whose adapter is nowhere to be seen."""
    await set_up(hass, on_a_port)
    line.broken = port_gone()
    line.interrupt()
    with plugged_in():
        await pass_time(hass, freezer)
        assert issue_of(hass, on_a_port, Issue.PORT_MOVED) is None
    with plugged_in(MOVED):
        await pass_time(hass, freezer)
    assert issue_of(hass, on_a_port, Issue.PORT_MOVED) is not None
    line.broken = None
    await pass_time(hass, freezer, times=4)
    assert issue_of(hass, on_a_port, Issue.PORT_MOVED) is None
    assert await hass.config_entries.async_unload(on_a_port.entry_id)


async def test_port_that_leads_to_another_meter_is_not_used(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    on_a_port: MockConfigEntry,
    repair: Answer,
) -> None:
    """It says so, and proposes again what was chosen."""
    await set_up(hass, on_a_port)
    line.broken = port_gone()
    line.wires[-1].lose(port_gone())
    with plugged_in(MOVED):
        await pass_time(hass, freezer)
    line.broken, line.meter = None, other_meter(line)
    chosen = {"serial_port": "/dev/ttyUSB4"}
    result = await repair(on_a_port, Issue.PORT_MOVED, chosen)
    assert result["errors"] == {"base": "failed"}
    assert "Another meter answers" in result["description_placeholders"]["reason"]
    [field] = result["data_schema"]
    assert field["default"] == "/dev/ttyUSB4"
    assert on_a_port.data["serial_port"] == HEAD_ID
    assert await hass.config_entries.async_unload(on_a_port.entry_id)


async def test_reason_without_a_translation(hass: HomeAssistant) -> None:
    """Home Assistant's own errors come as they are."""
    assert await repairs._words(hass, HomeAssistantError("no such thing")) == (
        "no such thing"
    )
