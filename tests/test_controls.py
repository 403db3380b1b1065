"""Buttons, the switch and binary sensors."""

from collections.abc import Sequence

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import CONF_SUPPLY_SWITCH, DOMAIN
from custom_components.dlms_meter.dlms import Data, DataType
from tests.home import (
    DEVICE,
    EVENING,
    NOBODY,
    UNIQUE_ID,
    WITH_PASSWORD,
    Line,
    altered,
    set_up,
    value_of,
)
from tests.simulator import Meter, MeterSettings
from tests.simulator.controls import (
    CLOCK,
    CONTROLLABLE_METER,
    SHIFT_TIME,
    _writable,
    let_clock_go_on,
)
from tests.simulator.household import HOUSEHOLD_METER
from tests.simulator.objects import MeterObject, bits, octets, uint8, uint32
from tests.simulator.settings import EVERY_SERVICE
from tests.test_services import Writing

pytestmark = pytest.mark.usefixtures("impatient")


async def press(hass: HomeAssistant, entity_id: str) -> None:
    await hass.services.async_call(
        "button", "press", {"entity_id": entity_id}, blocking=True
    )
    await hass.async_block_till_done()


async def test_read_now(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """Also when the meter did not answer the last time."""
    button = f"button.{DEVICE}_read_now"
    line.broken = NOBODY
    await loaded.runtime_data.async_refresh()
    assert value_of(hass, f"sensor.{DEVICE}_energy_import") == "unavailable"
    line.broken = None
    await press(hass, button)
    assert float(value_of(hass, f"sensor.{DEVICE}_energy_import")) > 0


SHIFTABLE = tuple(
    _writable(item) if item.logical_name == CLOCK.logical_name else item
    for item in HOUSEHOLD_METER
)
"""A meter whose clock may be shifted and not be set."""


@pytest.mark.parametrize(
    ("objects", "ahead"),
    [(CONTROLLABLE_METER, 7200), (SHIFTABLE, 40)],
    ids=["may be set", "may be shifted only"],
)
async def test_clock_is_synchronised(  # noqa: PLR0917  fixtures and what is tried
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    objects: Sequence[MeterObject],
    ahead: int,
) -> None:
    """In the way that the meter allows; its drift is shown anew at once."""
    freezer.move_to(EVENING)
    settings = MeterSettings(conformance=EVERY_SERVICE)
    line.meter = let_clock_go_on(Meter(settings, now=dt_util.utcnow, objects=objects))
    line.meter.methods[SHIFT_TIME](Data(DataType.LONG, ahead))
    await set_up(hass, entry, WITH_PASSWORD)
    drift = f"sensor.{DEVICE}_clock_drift"
    assert value_of(hass, drift) == str(ahead)
    await press(hass, f"button.{DEVICE}_synchronise_clock")
    assert value_of(hass, drift) == "0"


async def test_clock_is_not_synchronised_while_clocks_change(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """Whoever pressed the button reads why."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-10-25T00:30:00Z")
    settings = MeterSettings(conformance=EVERY_SERVICE)
    line.meter = Meter(settings, now=dt_util.utcnow, objects=CONTROLLABLE_METER)
    await set_up(hass, entry, WITH_PASSWORD)
    with pytest.raises(ServiceValidationError) as refused:
        await press(hass, f"button.{DEVICE}_synchronise_clock")
    assert refused.value.translation_key == "clocks_change"
    assert not line.meter.written


async def test_switch(hass: HomeAssistant, line: Line, entry: MockConfigEntry) -> None:
    """Cuts off, restores, and says what is so; the meter's refusal reaches the user."""
    hass.config_entries.async_update_entry(entry, options={CONF_SUPPLY_SWITCH: True})
    registry = er.async_get(hass)
    switch = registry.async_get_or_create(
        "switch",
        DOMAIN,
        f"{UNIQUE_ID}_70_0-0:96.3.10*255_2_supply_switch",
        config_entry=entry,
        suggested_object_id="supply",
    ).entity_id
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, switch) == "on"
    meter = Writing(line)
    for action, state in (("turn_off", "off"), ("turn_on", "on")):
        await hass.services.async_call(
            "switch", action, {"entity_id": switch}, blocking=True
        )
        await entry.runtime_data.async_refresh()
        await hass.async_block_till_done()
        assert value_of(hass, switch) == state
        assert value_of(hass, f"binary_sensor.{DEVICE}_supply") == state
    assert [method for method, _ in meter.told] == [
        "invoke 0-0:96.3.10*255/1",
        "invoke 0-0:96.3.10*255/2",
    ]
    line.broken = NOBODY
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call(
            "switch", "turn_off", {"entity_id": switch}, blocking=True
        )


# What an error register holds, whether there is an error, and which bits.
REGISTERS = {
    "nothing wrong": (uint8(0), "off", []),
    "two bits": (uint32(0x0102), "on", [1, 8]),
    "octets": (octets(b"\x80\x01"), "on", [0, 15]),
    "bit-string": (bits(0x2000, 16), "on", [2]),
}


@pytest.mark.parametrize("name", REGISTERS)
async def test_error_register(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, name: str
) -> None:
    value, state, places = REGISTERS[name]
    line.meter = altered(line.meter, {"0-0:97.97.0*255": value})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    error = hass.states.get(f"binary_sensor.{DEVICE}_error")
    assert error is not None
    assert (error.state, error.attributes["bits"]) == (state, places)


@pytest.mark.parametrize(
    ("status", "state"),
    [(0, "off"), (1, "on"), (2, "on"), (0x80, "off"), (0xFF, "unknown")],
)
async def test_clock_that_doubts_itself(
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
    status: int,
    state: str,
) -> None:
    shown = bytes.fromhex("07EA0B14050D001E00FFC4") + bytes((status,))
    line.meter = altered(line.meter, {"0-0:1.0.0*255": octets(shown)})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, f"binary_sensor.{DEVICE}_clock") == state
