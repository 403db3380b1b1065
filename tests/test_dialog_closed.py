"""Closing a dialog, at whatever step: nothing stays open, nothing is changed, and who read before goes on reading."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter import flow_find
from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.settings import from_input
from tests.home import (
    DEVICE,
    NOBODY,
    PASSWORD,
    PUBLIC,
    UNIQUE_ID,
    Line,
    access_input,
    answer_flow,
    begin_flow,
    choose,
    connect,
    silence,
    state_of,
    value_of,
    walk,
)
from tests.simulator import HdlcSession, Meter, MeterSettings

pytestmark = pytest.mark.usefixtures("impatient")

ENERGY = f"sensor.{DEVICE}_energy_import"
PORT = "/dev/serial/by-id/usb-head"
NEW_PASSWORD = {"password": PASSWORD, "password_is_hex": False}

type Steps = Callable[[HomeAssistant, Line], Awaitable[ConfigFlowResult]]


def somebody_else(line: Line) -> None:
    line.meter = Meter(MeterSettings(serial_number="99999999"), now=line.meter.now)


async def press(
    hass: HomeAssistant, form: ConfigFlowResult, answer: dict[str, Any]
) -> ConfigFlowResult:
    """Answer, and do not wait for what begins then."""
    return await hass.config_entries.flow.async_configure(form["flow_id"], answer)


# The way to each step of a dialog that adds a meter.


async def which(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    return await connect(hass, await begin_flow(hass), PUBLIC)


async def serial(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    return await choose(hass, await begin_flow(hass), "serial")


async def serial_line(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    menu = await answer_flow(hass, await serial(hass, line), {"serial_port": PORT})
    return await choose(hass, menu, "line")


async def level(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    form = await choose(hass, await which(hass, line), "line")
    return await answer_flow(hass, form, {"framing": "wrapper"})


async def without_connection(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    line.broken = NOBODY
    return await walk(hass, await begin_flow(hass), PUBLIC)


async def refused(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    line.answer = silence
    return await walk(hass, await begin_flow(hass), PUBLIC)


async def finding(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    line.answer = silence
    return await press(hass, await choose(hass, await which(hass, line), "find"), {})


async def not_found(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    form = await choose(hass, await which(hass, line), "find")
    with patch.object(flow_find, "find_meter", side_effect=RuntimeError("a fault")):
        return await answer_flow(hass, form, {})


async def reading(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
    line.answer = silence
    form = await choose(hass, await level(hass, line), "access_open")
    return await press(hass, form, access_input(PUBLIC))


def chosen(option: str, before: Steps) -> Steps:
    async def step(hass: HomeAssistant, line: Line) -> ConfigFlowResult:
        return await choose(hass, await before(hass, line), option)

    return step


ADDING: dict[str, Steps] = {
    "user": lambda hass, _: begin_flow(hass),
    "serial": serial,
    "network": chosen("network", lambda hass, _: begin_flow(hass)),
    "which": which,
    "model": chosen("model", which),
    "line": serial_line,
    "network_line": chosen("line", which),
    "find": chosen("find", which),
    "scan": finding,
    "not_found": not_found,
    "level": level,
    "access_open": chosen("access_open", level),
    "access_password": chosen("access_password", level),
    "access_challenge": chosen("access_challenge", level),
    "access_keys": chosen("access_keys", level),
    "network, with an error": without_connection,
    "access_open, with an error": refused,
    "read": reading,
    "readings": lambda hass, _: _readings(hass),
}


async def _readings(hass: HomeAssistant) -> ConfigFlowResult:
    return await walk(hass, await begin_flow(hass), PUBLIC)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what takes some turns of the loop, or the patience of a client with a silent meter."""
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it does not come about")


def nothing_is_open(line: Line) -> bool:
    return not any(wire.open for wire in line.wires)


@pytest.mark.parametrize("name", ADDING)
async def test_adding(hass: HomeAssistant, line: Line, name: str) -> None:
    step = await ADDING[name](hass, line)
    assert step["step_id"] == name.partition(",")[0]
    if step["type"] is FlowResultType.SHOW_PROGRESS:
        await until(lambda: any(wire.sent for wire in line.wires))
    hass.config_entries.flow.async_abort(step["flow_id"])
    await hass.async_block_till_done()
    await until(lambda: nothing_is_open(line))
    assert not hass.config_entries.async_entries(DOMAIN)

    # Nothing is in the way of the next dialog.
    line.broken, line.answer = None, None
    assert (await _readings(hass))["step_id"] == "readings"


# Dialogs of a meter that is read meanwhile.

type StepsOf = Callable[
    [HomeAssistant, Line, MockConfigEntry], Awaitable[ConfigFlowResult]
]


async def reconfigure(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> ConfigFlowResult:
    return await entry.start_reconfigure_flow(hass)


async def reconfigure_reading(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> ConfigFlowResult:
    line.answer = silence
    menu = await connect(hass, await entry.start_reconfigure_flow(hass), PUBLIC)
    form = await choose(hass, menu, "line")
    levels = await answer_flow(hass, form, {"framing": "wrapper"})
    form = await choose(hass, levels, "access_open")
    return await press(hass, form, access_input(PUBLIC))


async def reconfigure_finding(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> ConfigFlowResult:
    line.answer = silence
    menu = await connect(hass, await entry.start_reconfigure_flow(hass), PUBLIC)
    return await press(hass, await choose(hass, menu, "find"), {})


async def reconfigure_exchanged(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> ConfigFlowResult:
    somebody_else(line)
    return await walk(hass, await entry.start_reconfigure_flow(hass), PUBLIC)


async def reauth(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> ConfigFlowResult:
    return await entry.start_reauth_flow(hass)


async def reauth_exchanged(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> ConfigFlowResult:
    somebody_else(line)
    form = await entry.start_reauth_flow(hass)
    data = {**entry.data, "client_sap": 1}
    hass.config_entries.async_update_entry(entry, data=data)
    return await answer_flow(hass, form, NEW_PASSWORD)


CHANGING: dict[str, StepsOf] = {
    "reconfigure": reconfigure,
    "scan": reconfigure_finding,
    "read": reconfigure_reading,
    "exchanged": reconfigure_exchanged,
    "reauth_password": reauth,
    "exchanged, asked for a password": reauth_exchanged,
}


@pytest.mark.parametrize("name", CHANGING)
async def test_changing(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry, name: str
) -> None:
    """The entry reads on, as it did before."""
    mine, wires = line.meter, len(line.wires)
    step = await CHANGING[name](hass, line, loaded)
    before = dict(loaded.data)
    assert step["step_id"] == name.partition(",")[0]
    if step["type"] is FlowResultType.SHOW_PROGRESS:
        await until(lambda: len(line.wires) > wires and bool(line.wires[-1].sent))
    hass.config_entries.flow.async_abort(step["flow_id"])
    await hass.async_block_till_done()
    await until(lambda: nothing_is_open(line))
    assert loaded.data == before
    assert loaded.unique_id == UNIQUE_ID
    assert state_of(loaded) is ConfigEntryState.LOADED

    line.answer, line.meter = None, mine
    if "password" not in name:
        await loaded.runtime_data.async_refresh()
        assert float(value_of(hass, ENERGY)) > 0


async def test_options(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    form = await hass.config_entries.options.async_init(loaded.entry_id)
    hass.config_entries.options.async_abort(form["flow_id"])
    await hass.async_block_till_done()
    await until(lambda: nothing_is_open(line))
    assert not loaded.options


async def test_entry_gets_its_port_back(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """A port of this machine stays open for the entry: a dialog borrows it for its turn, and no longer."""
    line.framing = HdlcSession
    data = {key: value for key, value in PUBLIC.items() if key not in ("host", "port")}
    data = from_input(data | {"serial_port": PORT, "framing": "hdlc"})
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    [port] = line.wires

    menu = await entry.start_reconfigure_flow(hass)
    form = await choose(hass, menu, "serial")
    menu = await answer_flow(hass, form, {"serial_port": PORT})
    form = await choose(hass, menu, "line")
    levels = await answer_flow(hass, form, {"sign_on": False, "speed": "9600"})
    form = await choose(hass, levels, "access_open")
    sent = len(port.sent)
    with patch.object(port, "set_line"):
        step = await press(hass, form, {"expert": {"physical_device": 17}})
        assert step["type"] is FlowResultType.SHOW_PROGRESS
        await until(lambda: len(port.sent) > sent)
        hass.config_entries.flow.async_abort(step["flow_id"])
        await entry.runtime_data.async_refresh()
    assert float(value_of(hass, ENERGY)) > 0
    assert sum(wire.open for wire in line.wires) == 1
    assert entry.data == data
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert nothing_is_open(line)


# Another meter, in dialogs.


@pytest.mark.parametrize("way", [reconfigure_exchanged, reauth_exchanged])
async def test_exchanged_meter_is_taken_over(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry, way: StepsOf
) -> None:
    """With a new address or a new password, which exchanged meters have."""
    form = await way(hass, line, loaded)
    assert form["step_id"] == "exchanged"
    done = await answer_flow(hass, form, {})
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] in ("reconfigure_successful", "reauth_successful")
    assert loaded.unique_id == "SIM0000099999999"
    assert state_of(loaded) is ConfigEntryState.LOADED
    assert float(value_of(hass, ENERGY)) > 0


@pytest.mark.parametrize("way", [reconfigure_exchanged, reauth_exchanged])
async def test_meter_of_another_entry_is_not_taken_over(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry, way: StepsOf
) -> None:
    MockConfigEntry(domain=DOMAIN, unique_id="SIM0000099999999").add_to_hass(hass)
    result = await way(hass, line, loaded)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "another_meter"
    assert loaded.unique_id == UNIQUE_ID


async def test_options_of_a_meter_that_was_never_read(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    line.broken = NOBODY
    await hass.config_entries.async_setup(entry.entry_id)
    assert state_of(entry) is ConfigEntryState.SETUP_RETRY
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"
