"""Entries and dialogs on one bus, in Home Assistant: nobody disturbs anybody, and no meter is asked too often."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import override
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import usb
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.dlms_meter import channel
from custom_components.dlms_meter.const import DOMAIN, POLL_INTERVAL
from custom_components.dlms_meter.control import async_acting
from custom_components.dlms_meter.dlms import (
    Endpoint,
    LineSettings,
    Mechanism,
    Receiver,
    Symptom,
    TransportError,
    connection,
)
from custom_components.dlms_meter.dlms.cosem.meters import ServerAddress
from custom_components.dlms_meter.failures import pause_after
from custom_components.dlms_meter.settings import from_input
from tests.dlms.sites import StrictSession
from tests.home import (
    EXPERT,
    WITH_PASSWORD,
    Line,
    Wire,
    answer_flow,
    begin_flow,
    choose,
    pass_time,
    proposed,
    state_of,
)
from tests.simulator import ClientRule, Meter, MeterSettings

PORT = "/dev/serial/by-id/usb-bus"
GATEWAY = {"host": "gateway.example", "port": 8899}
NUMBERS = {17: "40817263", 18: "40817264", 19: "40817265"}
"""Serial numbers of the meters on the bus, by HDLC address."""


class SerialWire(Wire):
    """A serial port without a network and without timers."""

    @override
    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        self.write(last)


@dataclass
class BusLine:
    """The only way to three meters. `opened` has every connection so far."""

    meters: dict[int, Meter]
    opened: list[Wire] = field(default_factory=list)
    broken: TransportError | None = None

    async def open_transport(self, endpoint: Endpoint, receiver: Receiver) -> Wire:
        assert not any(wire.open for wire in self.opened), "the port is in use"
        if self.broken is not None:
            raise self.broken
        sessions = [
            StrictSession(meter, ServerAddress(1, physical, 4))
            for physical, meter in self.meters.items()
        ]

        def answer(octets: bytes) -> bytes:
            return b"".join(session.receive_data(octets) for session in sessions)

        def hang_up() -> None:
            for session in sessions:
                session.close()

        self.opened.append(SerialWire(receiver, answer, hang_up))
        return self.opened[-1]

    def unplug(self) -> None:
        """Pull the adapter out."""
        self.broken = TransportError("there is no such serial port")
        self.opened[-1].lose(TransportError("the serial port is gone"))


@pytest.fixture
def bus() -> Iterator[BusLine]:
    meters = {
        physical: Meter(MeterSettings(serial_number=number), now=dt_util.utcnow)
        for physical, number in NUMBERS.items()
    }
    bus = BusLine(meters)
    with (
        patch.object(connection, "open_transport", bus.open_transport),
        patch.object(channel, "open_transport", bus.open_transport),
    ):
        yield bus
    assert not any(wire.open for wire in bus.opened)


def entry_of(
    hass: HomeAssistant, physical: int, place: Mapping[str, object]
) -> MockConfigEntry:
    """Return the entry of the meter with this HDLC address, not set up yet."""
    address = {"physical_device": physical, "address_length": "4"}
    entered = {"framing": "hdlc", "mechanism": "none", "expert": EXPERT | address}
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"Meter {physical}",
        unique_id=f"SIM00000{NUMBERS[physical]}",
        data=from_input({**place, **entered}),
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def entries(hass: HomeAssistant, bus: BusLine) -> list[MockConfigEntry]:
    """Two meters on one serial port, both loaded."""
    entries = [entry_of(hass, physical, {"serial_port": PORT}) for physical in (17, 18)]
    assert await hass.config_entries.async_setup(entries[0].entry_id)
    await hass.async_block_till_done()
    for entry in entries:
        assert state_of(entry) is ConfigEntryState.LOADED
    return entries


async def unload(hass: HomeAssistant, entries: list[MockConfigEntry]) -> None:
    for entry in entries:
        assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


def succeeded(entries: list[MockConfigEntry]) -> list[bool]:
    return [entry.runtime_data.last_update_success for entry in entries]


async def test_entries_on_one_port(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    bus: BusLine,
    entries: list[MockConfigEntry],
) -> None:
    """The port is opened once for all polls of both, and closed with the last of them."""
    for _ in range(3):
        await pass_time(hass, freezer)
        assert succeeded(entries) == [True, True]
    assert len(bus.opened) == 1
    await unload(hass, entries[:1])
    assert bus.opened[0].open
    await pass_time(hass, freezer)
    await unload(hass, entries[1:])
    assert not bus.opened[0].open


async def test_entries_behind_one_gateway(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, bus: BusLine
) -> None:
    """Three polls at the same time share a connection; afterwards the gateway is free."""
    entries = [entry_of(hass, physical, GATEWAY) for physical in NUMBERS]
    assert await hass.config_entries.async_setup(entries[0].entry_id)
    await hass.async_block_till_done()
    before = len(bus.opened)
    await pass_time(hass, freezer)
    assert succeeded(entries) == [True] * 3
    assert before < len(bus.opened) < before + 3
    assert not any(wire.open for wire in bus.opened)


async def add_third(hass: HomeAssistant, last: str) -> str:
    """Walk to what begins to talk to the bus; returns the dialog's id, or that of the entry."""
    form = await choose(hass, await begin_flow(hass), "serial")
    which = await answer_flow(hass, form, {"serial_port": PORT})
    if last == "find":
        form = await choose(hass, which, "find")
        result = await hass.config_entries.flow.async_configure(form["flow_id"], {})
        assert result["type"] is FlowResultType.SHOW_PROGRESS
        return result["flow_id"]
    form = await choose(hass, which, "line")
    levels = await answer_flow(hass, form, {"sign_on": False, "speed": "9600"})
    form = await choose(hass, levels, "access_open")
    entered = {"expert": {"physical_device": 19, "address_length": "4"}}
    readings = await answer_flow(hass, form, entered)
    done = await answer_flow(hass, readings, proposed(readings))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    return done["result"].entry_id


async def test_dialog_borrows_the_port_from_running_entries(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    bus: BusLine,
    entries: list[MockConfigEntry],
) -> None:
    third = await add_third(hass, "line")
    await pass_time(hass, freezer)
    assert succeeded(entries) == [True, True]
    assert len(bus.opened) == 1
    assert await hass.config_entries.async_unload(third)
    await unload(hass, entries)


async def test_cancelled_dialog_gives_the_port_back(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    bus: BusLine,
    entries: list[MockConfigEntry],
) -> None:
    """In the middle of a scan, which opens the port by itself; a poll waits for its turn meanwhile."""
    flow_id = await add_third(hass, "find")
    freezer.tick(POLL_INTERVAL)
    async_fire_time_changed(hass)
    hass.config_entries.flow.async_abort(flow_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await pass_time(hass, freezer)
    assert succeeded(entries) == [True, True]
    assert [wire.open for wire in bus.opened][-1]
    await unload(hass, entries)


async def test_adapter_plugged_in_again(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    bus: BusLine,
    entries: list[MockConfigEntry],
) -> None:
    """The meters are back as soon as Home Assistant sees the adapter, not after a long pause."""
    bus.unplug()
    for _ in range(8):
        await pass_time(hass, freezer)
    assert succeeded(entries) == [False, False]
    bus.broken = None
    for entry in entries:
        entry.runtime_data.async_ports_changed(set(), {object()})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert succeeded(entries) == [False, False]

    callbacks = hass.data[usb._USB_DATA]._port_event_callbacks
    adapter = usb.USBDevice(
        device=PORT,
        vid="0403",
        pid="6001",
        serial_number="A1",
        manufacturer="FTDI",
        description="FT232R",
    )
    for tell in set(callbacks):
        tell({adapter}, set())
    await hass.async_block_till_done(wait_background_tasks=True)
    assert succeeded(entries) == [True, True]
    await unload(hass, entries)


async def test_broken_line_is_left_alone_for_longer(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    bus: BusLine,
    entries: list[MockConfigEntry],
) -> None:
    """Polls at the usual pace first, then fewer and fewer: not sixty in an hour."""
    bus.unplug()
    with patch.object(
        channel, "open_transport", side_effect=TransportError("gone")
    ) as opened:
        for _ in range(60):
            await pass_time(hass, freezer)
    assert 2 * 5 <= opened.call_count <= 2 * 10
    bus.broken = None
    for _ in range(16):
        await pass_time(hass, freezer)
    assert succeeded(entries) == [True, True]
    await unload(hass, entries)


@pytest.mark.parametrize(
    ("key", "minutes"),
    [
        (Symptom.NO_ANSWER, [1, 1, 1, 2, 4, 8, 15, 15]),
        (Symptom.ASSOCIATION_REJECTED, [5, 10, 20, 40, 60, 60]),
        (Symptom.WRONG_KEY, [5, 10, 20, 40, 60, 60]),
    ],
)
def test_pauses(key: Symptom, minutes: list[int]) -> None:
    minute = timedelta(minutes=1)
    pauses = [pause_after(key, n + 1, minute) / minute for n in range(len(minutes))]
    assert pauses == minutes
    day = timedelta(days=1)
    assert pause_after(key, 10_000, day) == day


async def test_refused_password_is_not_tried_again(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, line: Line
) -> None:
    """By nobody: no poll, no refresh asked for, no action. Only a dialog, with what the user types there."""
    entry = MockConfigEntry(
        domain=DOMAIN, unique_id="SIM0000040817263", data=from_input(WITH_PASSWORD)
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    other_password = MeterSettings(clients=(ClientRule(1, Mechanism.LLS, b"new"),))
    line.meter = Meter(other_password, now=line.meter.now)
    attempts = len(line.wires)
    for _ in range(3):
        await pass_time(hass, freezer, timedelta(hours=2))
    await entry.runtime_data.async_refresh()
    with pytest.raises(HomeAssistantError) as refused:
        async with async_acting(entry.runtime_data):
            pytest.fail("the meter let somebody in")
    assert refused.value.translation_key == "invalid_auth"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(line.wires) == attempts + 1
    flows = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert [flow["context"]["source"] for flow in flows] == [SOURCE_REAUTH]
