"""Other logical devices of the same box: found, offered, read in turn on the same line, shown behind the box."""

from collections.abc import Mapping, Sequence
from typing import Any

from homeassistant.config_entries import (
    SOURCE_IGNORE,
    SOURCE_INTEGRATION_DISCOVERY,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import Data, Unit
from custom_components.dlms_meter.settings import from_input
from tests.home import (
    PASSWORD,
    UNIQUE_ID,
    WITH_PASSWORD,
    Line,
    answer_flow,
    proposed,
    value_of,
)
from tests.models import identity, register
from tests.simulator import Meter, MeterSettings, WrapperSession
from tests.simulator.objects import (
    MeterObject,
    array,
    cosem_object,
    octets,
    structure,
    text,
    uint16,
)
from tests.simulator.settings import PUBLIC_CLIENT, READING_CLIENT, ClientRule

SOLAR_SAP = 18
SOLAR = "SIM0000000000777"
DESTINATION = slice(4, 6)
"""Of the wrapper's header: whom a message is for."""
pytestmark = pytest.mark.usefixtures("impatient")


def assignment(*rows: Data) -> MeterObject:
    return cosem_object(17, "0-0:41.0.0", array(rows))


def device(sap: int, name: str | bytes) -> Data:
    named = octets(name) if isinstance(name, bytes) else text(name)
    return structure(uint16(sap), named)


def objects(code: str, *rows: Data) -> Sequence[MeterObject]:
    others = [item for item in identity("Box", "1.0") if item.class_id != 17]
    return (*others, register(code, 1000, 0, Unit.WATT_HOUR), assignment(*rows))


BOTH = (device(1, UNIQUE_ID.encode()), device(SOLAR_SAP, SOLAR))


class Box:
    """A box of two logical devices on the line; `asked` notes which of them spoke, turn by turn."""

    def __init__(
        self,
        line: Line,
        *rows: Data,
        clients: tuple[ClientRule, ...] = (PUBLIC_CLIENT, READING_CLIENT),
    ) -> None:
        self.asked: list[int] = []
        now = line.meter.now
        line.meter = Meter(now=now, objects=objects("1-0:1.8.0", *rows))
        solar = MeterSettings(
            serial_number="777", logical_device=SOLAR_SAP, clients=clients
        )
        self.meters = {
            1: line.meter,
            SOLAR_SAP: Meter(solar, now=now, objects=objects("1-0:2.8.0", *rows)),
        }
        self.sessions: dict[int, WrapperSession] = {}
        line.answer = self.answer

    def answer(self, octets: bytes) -> bytes:
        sap = int.from_bytes(octets[DESTINATION])
        if octets[8] == 0x60:
            self.asked.append(sap)
            for session in self.sessions.values():
                session.close()
            self.sessions = {sap: WrapperSession(self.meters[sap])}
        return self.sessions[sap].receive_data(octets)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


def offered(hass: HomeAssistant) -> list[Mapping[str, Any]]:
    return [
        flow
        for flow in hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        if flow["context"]["source"] == SOURCE_INTEGRATION_DISCOVERY
    ]


async def accept(hass: HomeAssistant) -> ConfigFlowResult:
    [flow] = offered(hass)
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["step_id"] == "logical_device"
    assert form["description_placeholders"] == {"name": SOLAR, "box": UNIQUE_ID}
    return await answer_flow(hass, form, {})


async def test_logical_device_is_offered_and_read(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """Its device stands behind that of the box; both are read, one after the other."""
    box = Box(line, *BOTH)
    await set_up(hass, entry)
    [flow] = offered(hass)
    assert flow["context"]["title_placeholders"] == {"name": SOLAR}
    form = await accept(hass)
    assert form["step_id"] == "readings"
    created = await answer_flow(hass, form, proposed(form))
    assert created["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    assert created["result"].unique_id == SOLAR
    assert value_of(hass, "sensor.sim_box_energy_import") == "1.0"
    assert value_of(hass, "sensor.sim_box_energy_export") == "1.0"
    devices = dr.async_get(hass)
    whole = devices.async_get_device_by_identifier((DOMAIN, UNIQUE_ID), entry.entry_id)
    part = devices.async_get_device_by_identifier(
        (DOMAIN, SOLAR), created["result"].entry_id
    )
    assert whole is not None
    assert part is not None
    assert part.via_device_id == whole.id
    assert whole.via_device_id is None

    box.asked.clear()
    await entry.runtime_data.async_refresh()
    await created["result"].runtime_data.async_refresh()
    assert box.asked == [1, SOLAR_SAP]
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert not offered(hass)


async def test_logical_device_with_a_password_of_its_own(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """That of the box is tried once; then the form asks."""
    other = ClientRule(1, READING_CLIENT.mechanism, b"another")
    Box(line, *BOTH, clients=(other,))
    hass.config_entries.async_update_entry(entry, data=from_input(WITH_PASSWORD))
    await set_up(hass, entry)
    form = await accept(hass)
    assert form["step_id"] == "access_password"
    assert PASSWORD not in str(form["data_schema"])
    assert form["errors"]
    typed = {"password": "another", "expert": WITH_PASSWORD["expert"]}
    typed["expert"] = {"client_sap": 1, "logical_device": SOLAR_SAP, "address_length": "automatic"}  # fmt: skip
    form = await answer_flow(hass, form, typed)
    assert form["step_id"] == "readings"
    created = await answer_flow(hass, form, proposed(form))
    assert created["result"].data["box"] == UNIQUE_ID


async def test_keys_are_never_used_twice_with_one_client_name(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """Each entry counts its messages by itself: a name of its own keeps the counts apart."""
    keys = {"mechanism": "hls_gmac", "encryption_key": "00" * 16, "system_title": "4D4D4D0000000001"}  # fmt: skip
    hass.config_entries.async_update_entry(entry, data={**entry.data, **keys})
    form = await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_INTEGRATION_DISCOVERY},
        data={"entry_id": entry.entry_id, "sap": SOLAR_SAP, "name": SOLAR},
    )
    flow = hass.config_entries.flow._progress[form["flow_id"]]
    data = flow._data  # type: ignore[attr-defined]
    assert data["encryption_key"] == keys["encryption_key"]
    assert len(data["system_title"]) == len(keys["system_title"])
    assert data["system_title"] != keys["system_title"]


async def test_what_was_ignored_is_not_offered_again(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    Box(line, *BOTH)
    MockConfigEntry(domain=DOMAIN, unique_id=SOLAR, source=SOURCE_IGNORE).add_to_hass(
        hass
    )
    await set_up(hass, entry)
    assert not offered(hass)


@pytest.mark.parametrize(
    "rows",
    [
        (device(1, UNIQUE_ID.encode()),),
        (device(0, SOLAR), device(0x3FFF, SOLAR)),
        (device(SOLAR_SAP, ""), device(SOLAR_SAP, bytes.fromhex("FF00"))),
        (device(SOLAR_SAP, UNIQUE_ID),),
        (uint16(5),),
        (),
    ],
)
async def test_what_is_no_other_logical_device(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, rows: tuple[Data, ...]
) -> None:
    Box(line, *rows)
    await set_up(hass, entry)
    assert not offered(hass)
    assert value_of(hass, "sensor.sim_box_energy_import") == "1.0"


async def test_box_that_is_removed(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """Its logical device is read on."""
    Box(line, *BOTH)
    await set_up(hass, entry)
    form = await accept(hass)
    created = await answer_flow(hass, form, proposed(form))
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.config_entries.async_reload(created["result"].entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, "sensor.sim_box_energy_export") == "1.0"
    part = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, SOLAR), created["result"].entry_id
    )
    assert part is not None
    assert part.via_device_id is None
