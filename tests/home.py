"""A Home Assistant, and a simulated meter at the other end of a line that tests can spoil."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import (
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, section
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.dlms_meter.const import DOMAIN, POLL_INTERVAL
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Data,
    Endpoint,
    LineSettings,
    Mechanism,
    Receiver,
    SelectedAttribute,
    TransportError,
)
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    FrameDecoder,
    FrameType,
)
from custom_components.dlms_meter.settings import from_input
from tests.simulator import SUPPORTED, HdlcSession, Meter, WrapperSession
from tests.simulator.objects import AssociationFacts, cosem_object

UNIQUE_ID = "SIM0000040817263"
TITLE = "SIM H3P-100 …7263"
DEVICE = "sim_h3p_100"
"""How entity ids begin."""
EVENING = "2026-11-20T18:00:00Z"
"""The simulated house draws power then; by day its roof may give all it needs."""
PASSWORD = "12345678"

EXPERT = {
    "client_sap": 16,
    "logical_device": 1,
    "address_length": "automatic",
    "referencing": "logical_names",
    "password_is_hex": False,
}
PUBLIC = {
    "host": "meter.example",
    "port": 4059,
    "framing": "wrapper",
    "mechanism": "none",
    "expert": EXPERT,
}
"""What a user enters who reads the simulated meter without a password."""
WITH_PASSWORD = PUBLIC | {
    "mechanism": "lls",
    "password": PASSWORD,
    "expert": EXPERT | {"client_sap": 1},
}


class Wire:
    """A connection without a network and without timers: it works while time stands still."""

    def __init__(
        self,
        receiver: Receiver,
        answer: Callable[[bytes], bytes],
        hang_up: Callable[[], None],
    ) -> None:
        self.open = True
        self.sent = b""
        self._receiver = receiver
        self._answer = answer
        self._hang_up = hang_up

    def write(self, data: bytes) -> None:
        self.sent += data
        asyncio.get_running_loop().call_soon(self._carry, data)

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        """Have any speed; what shall be sent before it is changed is sent."""
        if last:
            self.write(last)

    async def close(self) -> None:
        if self.open:
            self.open = False
            self._hang_up()
            self._receiver.connection_lost(None)

    def lose(self, error: TransportError) -> None:
        """Break the connection."""
        self.open = False
        self._hang_up()
        self._receiver.connection_lost(error)

    def _carry(self, data: bytes) -> None:
        if self.open and (answer := self._answer(data)):
            self._receiver.data_received(answer)


NOBODY = TransportError("meter.example:4059 refuses connections")


def silence(_: bytes) -> bytes:
    """Hear everything and say nothing."""
    return b""


@dataclass
class Line:
    """The line to the meter. `broken` is raised instead of connecting, `answer` speaks in the meter's place."""

    meter: Meter
    framing: type[HdlcSession | WrapperSession] = WrapperSession
    broken: Exception | None = None
    answer: Callable[[bytes], bytes] | None = None
    wires: list[Wire] = field(default_factory=list)
    """Every connection so far."""

    async def open_transport(self, endpoint: Endpoint, receiver: Receiver) -> Wire:
        if self.broken is not None:
            raise self.broken
        session = self.framing(self.meter)
        self.wires.append(
            Wire(receiver, self.answer or session.receive_data, session.close)
        )
        return self.wires[-1]

    def interrupt(self) -> None:
        """Break every connection that is open."""
        for wire in self.wires:
            if wire.open:
                wire.lose(TransportError("somebody pulled the plug"))


def ignore_client(client_sap: int) -> Callable[[Line], None]:
    """Take the link of a client, then be silent to what it sends; talk to others."""

    def spoil(line: Line) -> None:
        session = line.framing(line.meter)

        def answer(octets: bytes) -> bytes:
            if line.framing is WrapperSession:
                ignored = int.from_bytes(octets[2:4]) == client_sap
            else:
                ignored = any(
                    frame.source.logical_device == client_sap
                    and frame.type is FrameType.I
                    for frame in FrameDecoder().feed(octets)
                )
            return b"" if ignored else session.receive_data(octets)

        line.answer = answer

    return spoil


def altered(
    meter: Meter, values: Mapping[str, Data], *, without: Collection[str] = ()
) -> Meter:
    """Return the same meter with other values (attribute 2) of some objects, or without some."""
    kept = [item for item in meter.objects if str(item.logical_name) not in without]
    objects = [
        cosem_object(item.class_id, code, value, *item.attributes[2:])
        if (value := values.get(code := str(item.logical_name))) is not None
        else item
        for item in kept
    ]
    return Meter(meter.settings, now=meter.now, objects=objects)


async def set_up(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    entered: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Set up an entry, with what is entered and chosen instead of what it has, and wait until its entities are there."""
    hass.config_entries.async_update_entry(
        entry,
        data=from_input(entered) if entered else entry.data,
        options=options or entry.options,
    )
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.LOADED


async def pass_time(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    time: timedelta = POLL_INTERVAL,
    *,
    times: int = 1,
) -> None:
    """Let time pass, until the next poll if not said otherwise, and what it sets off end; so many times."""
    for _ in range(times):
        freezer.tick(time)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)


def answer_of(meter: Meter, attribute: AttributeDescriptor) -> Data:
    """Return what a meter tells somebody with a password, asked by no line at all."""
    somebody = AssociationFacts(1, Mechanism.LLS, SUPPORTED, 0)
    answer = meter.read(somebody, SelectedAttribute(attribute))
    assert isinstance(answer, Data)
    return answer


async def begin_flow(hass: HomeAssistant) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )


async def choose(
    hass: HomeAssistant, menu: ConfigFlowResult, option: str
) -> ConfigFlowResult:
    """Choose from a menu."""
    assert menu["type"] is FlowResultType.MENU
    assert option in menu["menu_options"]
    return await answer_flow(hass, menu, {"next_step_id": option})


async def answer_flow(
    hass: HomeAssistant, flow: ConfigFlowResult, user_input: dict[str, Any]
) -> ConfigFlowResult:
    """Fill in the form, and wait until the progress that follows is over."""
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], user_input)
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        result = await hass.config_entries.flow.async_configure(flow["flow_id"])
    await hass.async_block_till_done()
    return result


LEVELS = {"none": "open", "lls": "password"}
"""The level that a user chooses for a mechanism."""
_OF_CONNECTION = ("host", "port")
_OF_PASSWORD = ("password", "password_is_hex")


async def connect(
    hass: HomeAssistant, menu: ConfigFlowResult, entered: Mapping[str, Any]
) -> ConfigFlowResult:
    """Say where on the network the meter is; returns the menu that follows."""
    form = await choose(hass, menu, "network")
    connection = {key: entered[key] for key in _OF_CONNECTION}
    return await answer_flow(hass, form, connection)


async def walk(
    hass: HomeAssistant, menu: ConfigFlowResult, entered: Mapping[str, Any]
) -> ConfigFlowResult:
    """Walk through the dialog as somebody who knows the settings; returns what comes after the form of the level."""
    form = await choose(hass, await connect(hass, menu, entered), "line")
    levels = await answer_flow(hass, form, {"framing": entered["framing"]})
    form = await choose(hass, levels, f"access_{LEVELS[entered['mechanism']]}")
    return await answer_flow(hass, form, access_input(entered))


def access_input(entered: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is typed into the form of the level."""
    expert = dict(entered["expert"])
    typed = {**entered, **expert}
    expert.pop("password_is_hex", None)
    if entered["mechanism"] == "none":
        return {"expert": expert}
    return {"expert": expert} | {
        key: typed[key] for key in _OF_PASSWORD if key in typed
    }


async def add_meter(
    hass: HomeAssistant, entered: Mapping[str, Any]
) -> ConfigFlowResult:
    """Add a meter with what is proposed; returns the new entry, or what stood in the way."""
    result = await walk(hass, await begin_flow(hass), entered)
    if result["type"] is FlowResultType.FORM and result["step_id"] == "readings":
        result = await answer_flow(hass, result, proposed(result))
    return result


def proposed(form: ConfigFlowResult) -> dict[str, Any]:
    """Return what the form of the readings proposes, which a browser sends back."""
    schema = form["data_schema"]
    assert schema is not None
    return {str(group): {} for group in schema.schema}


def filled_in(form: ConfigFlowResult) -> dict[str, Any]:
    """Return what a form is filled in with, its sections too."""
    schema = form["data_schema"]
    assert schema is not None
    return _suggested(schema.schema)


def _suggested(fields: Mapping[Any, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for marker, validator in fields.items():
        if isinstance(validator, section):
            values[str(marker)] = _suggested(validator.schema.schema)
        elif marker.description and "suggested_value" in marker.description:
            values[str(marker)] = marker.description["suggested_value"]
    return values


def value_of(hass: HomeAssistant, entity_id: str) -> str:
    """Return the state of an entity that must be there."""
    state = hass.states.get(entity_id)
    assert state is not None, f"there is no {entity_id}"
    return state.state


def state_of(entry: ConfigEntry[Any]) -> ConfigEntryState:
    """Return the state of an entry, as it is now."""
    return entry.state
