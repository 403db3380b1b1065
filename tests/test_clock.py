"""The meter's clock in the night in which summer time ends, when an hour comes twice."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.dlms import DlmsDateTime
from tests.home import DEVICE, Line, altered
from tests.simulator.objects import octets

DRIFT = f"sensor.{DEVICE}_clock_drift"
SUMMER_ENDS_SOON = "2026-10-24T23:00:30Z"
HALF_HOUR = timedelta(minutes=30)
_DEVIATION, _STATUS = slice(9, 11), slice(11, 12)


@pytest.mark.parametrize("without", [(), (_DEVIATION,), (_DEVIATION, _STATUS)])
async def test_hour_that_comes_twice(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    without: tuple[slice, ...],
) -> None:
    """A clock that is right stays right, whatever it says beside the time."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(SUMMER_ENDS_SOON)

    def show_the_time() -> None:
        shown = bytearray(DlmsDateTime.from_datetime(dt_util.now()).encode())
        for part in without:
            shown[part] = {_DEVIATION: b"\x80\x00", _STATUS: b"\xff"}[part]
        line.meter = altered(line.meter, {"0-0:1.0.0*255": octets(bytes(shown))})

    show_the_time()
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    for _ in range(6):
        state = hass.states.get(DRIFT)
        assert state is not None
        assert state.state == "0"
        assert state.attributes["meter_time"] == dt_util.utcnow()
        freezer.tick(HALF_HOUR)
        show_the_time()
        await entry.runtime_data.async_refresh()
        await hass.async_block_till_done()
