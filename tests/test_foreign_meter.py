"""A meter nobody here wrote, added to Home Assistant as a user would add it."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import Obis, Unit
from tests.foreign.pydlms_meter import (
    LLS_CLIENT,
    LLS_PASSWORD,
    PUBLIC_CLIENT,
    PydlmsMeter,
    pydlms_meter,
)
from tests.foreign.test_pydlms_meter import ask_its_own_client
from tests.home import (
    EXPERT,
    add_meter,
    answer_flow,
    begin_flow,
    choose,
    connect,
    proposed,
    state_of,
)

__all__ = ["pydlms_meter"]  # a fixture of this module

NAME = "PYD1000000000001"

# How Home Assistant shows the units that this meter sends, and how many of them it shows as one.
SHOWN = {
    Unit.WATT_HOUR: ("kWh", 1000),
    Unit.WATT: ("W", 1),
    Unit.VOLT: ("V", 1),
    Unit.AMPERE: ("A", 1),
    Unit.HERTZ: ("Hz", 1),
}


@pytest.mark.usefixtures("everything_enabled")
@pytest.mark.parametrize("password", [None, LLS_PASSWORD], ids=["none", "lls"])
async def test_states_are_what_the_meter_says(
    hass: HomeAssistant, pydlms_meter: PydlmsMeter, password: bytes | None
) -> None:
    """Its own client is asked what the meter says."""
    expected = await ask_its_own_client(pydlms_meter, password)
    assert len(expected["registers"]) == 5

    client_sap = PUBLIC_CLIENT if password is None else LLS_CLIENT
    entered = {
        "host": "127.0.0.1",
        "port": pydlms_meter.port,
        "framing": pydlms_meter.framing,
        "mechanism": "none" if password is None else "lls",
        "password": "" if password is None else password.decode(),
        "expert": EXPERT | {"client_sap": client_sap},
    }
    result = await add_meter(hass, entered)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    assert state_of(entry) is ConfigEntryState.LOADED
    assert entry.unique_id == NAME
    await entry.runtime_data.async_refresh()  # of what was disabled until now, too
    registry = er.async_get(hass)
    for code, (value, unit) in expected["registers"].items():
        obis = Obis.parse(code)
        unique_id = f"{NAME}_3_{obis}_2"
        entity_id = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        assert entity_id is not None, code
        state = hass.states.get(entity_id)
        assert state is not None
        symbol, size = SHOWN[Unit(unit)]
        assert state.attributes["unit_of_measurement"] == symbol
        assert float(state.state) * size == pytest.approx(float(value)), code
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.identifiers == {(DOMAIN, NAME)}

    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_its_word_on_a_wrong_password(
    hass: HomeAssistant, pydlms_meter: PydlmsMeter
) -> None:
    entered = {
        "host": "127.0.0.1",
        "port": pydlms_meter.port,
        "framing": pydlms_meter.framing,
        "mechanism": "lls",
        "password": "87654321",
        "expert": EXPERT | {"client_sap": LLS_CLIENT},
    }
    result = await add_meter(hass, entered)
    assert result["errors"] == {"password": "invalid_auth"}


async def test_it_is_found(hass: HomeAssistant, pydlms_meter: PydlmsMeter) -> None:
    """With nothing known but host and port."""
    place = {"host": "127.0.0.1", "port": pydlms_meter.port}
    form = await choose(
        hass, await connect(hass, await begin_flow(hass), place), "find"
    )
    result = await answer_flow(hass, form, {})
    assert result["step_id"] == "readings"
    done = await answer_flow(hass, result, proposed(result))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"]["framing"] == pydlms_meter.framing
    assert done["result"].unique_id == NAME
    assert await hass.config_entries.async_unload(done["result"].entry_id)
