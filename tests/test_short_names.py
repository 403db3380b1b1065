"""Meters that know their objects by short names: found, added, read and moved as any other."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import (
    METERS,
    ClientSettings,
    KnownMeter,
    Mechanism,
)
from custom_components.dlms_meter.dlms.cosem.meters import ServerAddress
from custom_components.dlms_meter.settings import client_settings, from_input
from tests.dlms.sites import StrictSession
from tests.home import (
    DEVICE,
    EXPERT,
    PUBLIC,
    TITLE,
    UNIQUE_ID,
    Line,
    access_input,
    answer_flow,
    begin_flow,
    choose,
    connect,
    filled_in,
    proposed,
    value_of,
    walk,
)
from tests.simulator import HdlcSession, Meter, MeterSettings, WrapperSession
from tests.simulator.settings import (
    EVERY_SERVICE,
    SHORT_NAME_SERVICES,
    ClientRule,
    LogicalNames,
    ServiceQuirks,
)

pytestmark = pytest.mark.usefixtures("impatient")

ENERGY = f"sensor.{DEVICE}_energy_import"
NUMBER = "40817263"
SHORT_NAMES = MeterSettings(
    conformance=EVERY_SERVICE | SHORT_NAME_SERVICES,
    short_names=True,
    service_quirks=ServiceQuirks(logical_names=LogicalNames.REFUSE),
)
SHORT = EXPERT | {"referencing": "short_names"}
ENTERED = PUBLIC | {"expert": SHORT}


@pytest.fixture
def hasty() -> Iterator[None]:
    """Scan without waiting: nobody is at a silent address of a test."""
    defaults = ClientSettings.__init__.__kwdefaults__
    with (
        patch.dict(defaults, attempts=1),
        patch("custom_components.dlms_meter.dlms.discovery.PROBE_TIMEOUT", 0.01),
        patch("custom_components.dlms_meter.dlms.discovery.PAUSE", 0),
    ):
        yield


def meter_with(**changes: Any) -> Meter:  # noqa: ANN401
    """Return the household meter as one that knows its objects by short names only."""
    return Meter(replace(SHORT_NAMES, **changes), now=dt_util.utcnow)


def known_meter_on(line: Line, known: KnownMeter) -> None:
    """Put a known meter at the end of the line, set up as its row says, behind a gateway that hands on HDLC."""
    address = known.address_of(NUMBER)
    line.meter = meter_with(
        logical_device=address.logical_device,
        physical_device=address.physical_device or 0,
        clients=tuple(ClientRule(client_sap) for client_sap in known.clients),
    )
    line.framing = lambda meter: StrictSession(meter, ServerAddress(*address))  # type: ignore[assignment]


async def find(hass: HomeAssistant, port: int = 8899) -> Any:  # noqa: ANN401
    which = await connect(hass, await begin_flow(hass), PUBLIC | {"port": port})
    form = await choose(hass, which, "find")
    return await answer_flow(hass, form, {"serial_number": NUMBER})


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "known",
    [known for known in METERS if known.short_names],
    ids=lambda known: known.key,
)
async def test_known_meter_is_found_and_read(
    hass: HomeAssistant, line: Line, known: KnownMeter
) -> None:
    """Nobody had to say that it has short names."""
    known_meter_on(line, known)
    result = await find(hass)
    assert result["step_id"] == "readings"
    done = await answer_flow(hass, result, proposed(result))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"]["referencing"] == "short_names"
    assert done["data"]["framing"] == "hdlc"
    assert done["title"] == TITLE
    assert float(value_of(hass, ENERGY)) > 1000  # kWh
    assert {state.state for state in hass.states.async_all("sensor")}.isdisjoint(
        {"unavailable"}
    )


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "refusal",
    [LogicalNames.REFUSE, LogicalNames.REFUSE_SILENTLY, LogicalNames.MISTAKE],
)
async def test_meter_with_its_own_network_connection_is_found(
    hass: HomeAssistant, line: Line, refusal: LogicalNames
) -> None:
    """However it answers who asks for logical names."""
    line.meter = meter_with(service_quirks=ServiceQuirks(logical_names=refusal))
    result = await find(hass, 4059)
    done = await answer_flow(hass, result, proposed(result))
    assert done["data"]["referencing"] == "short_names"
    assert done["data"]["framing"] == "wrapper"
    assert float(value_of(hass, ENERGY)) > 1000


@pytest.mark.usefixtures("hasty")
async def test_meter_that_wants_a_password_is_found(
    hass: HomeAssistant, line: Line
) -> None:
    """The password is typed into a form that proposes short names, and is never sent before."""
    secret = b"12345678"
    rule = ClientRule(32, Mechanism.LLS, secret)
    line.meter = meter_with(clients=(rule,))
    line.framing = HdlcSession
    levels = await find(hass)
    assert levels["step_id"] == "level"
    assert not any(secret in wire.sent for wire in line.wires)
    form = await choose(hass, levels, "access_password")
    expert = filled_in(form)["expert"]
    assert expert["referencing"] == "short_names"
    assert expert["client_sap"] == 32
    entered = {"password": secret.decode(), "expert": expert}
    result = await answer_flow(hass, form, entered)
    done = await answer_flow(hass, result, proposed(result))
    assert done["data"]["referencing"] == "short_names"
    assert float(value_of(hass, ENERGY)) > 1000


@pytest.mark.parametrize("framing", [HdlcSession, WrapperSession])
async def test_expert_says_so(
    hass: HomeAssistant, line: Line, framing: type[HdlcSession | WrapperSession]
) -> None:
    line.meter, line.framing = meter_with(), framing
    entered = ENTERED | {
        "framing": "hdlc" if framing is HdlcSession else "wrapper",
        "expert": SHORT | {"physical_device": 17},
    }
    form = await walk(hass, await begin_flow(hass), entered)
    done = await answer_flow(hass, form, proposed(form))
    assert done["data"]["referencing"] == "short_names"
    assert float(value_of(hass, ENERGY)) > 1000


async def test_wrong_names_are_told_and_can_be_mended(
    hass: HomeAssistant, line: Line
) -> None:
    line.meter = meter_with()
    form = await walk(hass, await begin_flow(hass), PUBLIC)
    assert form["errors"] == {"base": "context_refused"}
    assert filled_in(form)["expert"]["referencing"] == "logical_names"
    form = await answer_flow(hass, form, access_input(ENTERED))
    assert form["step_id"] == "readings"


async def test_refused_over_udp(hass: HomeAssistant, line: Line) -> None:
    """Before anything is sent; with logical names it goes on."""
    udp = {"framing": "udp"}
    form = await walk(hass, await begin_flow(hass), ENTERED | udp)
    assert form["errors"] == {"base": "short_names_over_udp"}
    assert filled_in(form)["expert"]["referencing"] == "short_names"
    assert not line.wires
    form = await answer_flow(hass, form, access_input(PUBLIC | udp))
    assert form["step_id"] == "readings"


async def test_reconfigure_keeps_them(hass: HomeAssistant, line: Line) -> None:
    line.meter = meter_with()
    entry = MockConfigEntry(
        domain=DOMAIN, title=TITLE, unique_id=UNIQUE_ID, data=from_input(ENTERED)
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    menu = await entry.start_reconfigure_flow(hass)
    moved = ENTERED | {"host": "192.0.2.9"}
    form = await choose(hass, await connect(hass, menu, moved), "line")
    levels = await answer_flow(hass, form, {"framing": "wrapper"})
    form = await choose(hass, levels, "access_open")
    assert filled_in(form)["expert"]["referencing"] == "short_names"
    done = await answer_flow(hass, form, {"expert": filled_in(form)["expert"]})
    assert done["reason"] == "reconfigure_successful"
    assert entry.data["host"] == "192.0.2.9"
    assert entry.data["referencing"] == "short_names"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert float(value_of(hass, ENERGY)) > 1000


async def test_known_model_says_so(hass: HomeAssistant, line: Line) -> None:
    for model, names in (
        ("emh_lzqj", "short_names"),
        ("iskraemeco_mt880", "logical_names"),
    ):
        which = await connect(hass, await begin_flow(hass), PUBLIC)
        levels = await answer_flow(
            hass, await choose(hass, which, "model"), {"model": model}
        )
        form = await choose(hass, levels, "access_open")
        assert filled_in(form)["expert"]["referencing"] == names
        hass.config_entries.flow.async_abort(form["flow_id"])


def test_entry_that_does_not_say_has_logical_names() -> None:
    data = from_input(PUBLIC)
    del data["referencing"]
    assert not client_settings(data).short_names
