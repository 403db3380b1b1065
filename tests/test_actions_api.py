"""Every action by way of Home Assistant's own interfaces, websocket and REST: with the simulated meter, and one by others."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.dlms_meter.const import CONF_SUPPLY_SWITCH, DOMAIN
from custom_components.dlms_meter.settings import from_input
from tests.foreign.pydlms_meter import (
    LLS_CLIENT,
    LLS_PASSWORD,
    PydlmsMeter,
    running_pydlms_meter,
)
from tests.home import EXPERT, UNIQUE_ID, WITH_PASSWORD, Line
from tests.simulator import Meter, MeterSettings
from tests.simulator.controls import (
    CONTROLLABLE_METER,
    MESSAGE,
    give_controls,
    let_clock_go_on,
)
from tests.simulator.settings import EVERY_SERVICE

type Json = Any  # whatever JSON holds


class Api:
    """Actions of one meter, called as the user interface does, and as other programs do."""

    def __init__(
        self,
        hass: HomeAssistant,
        socket: WebSocketGenerator,
        rest: ClientSessionGenerator,
    ) -> None:
        self._hass = hass
        self._socket = socket
        self._rest = rest
        self.device_id = ""

    async def by_websocket(self, action: str, **data: Json) -> Json:
        """Return the response; fails if the action does."""
        client = await self._socket(self._hass)
        await client.send_json_auto_id(
            {
                "type": "call_service",
                "domain": DOMAIN,
                "service": action,
                "service_data": {"device_id": self.device_id, **data},
                "return_response": True,
            }
        )
        answer = await client.receive_json()
        await client.close()
        assert answer["success"], answer
        return answer["result"]["response"]

    async def by_rest(self, action: str, **data: Json) -> tuple[int, Json]:
        """Return the status, and the response."""
        client = await self._rest()
        answer = await client.post(
            f"/api/services/{DOMAIN}/{action}?return_response",
            json={"device_id": self.device_id, **data},
        )
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text())

    async def both_ways(self, action: str, **data: Json) -> Json:
        """Call an action that may be called twice; both ways must say the same."""
        response = await self.by_websocket(action, **data)
        status, answer = await self.by_rest(action, **data)
        assert status == HTTPStatus.OK, answer
        assert answer["service_response"].keys() == response.keys()
        return response


@pytest.fixture
async def api(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
) -> Api:
    # The time is the real one, and clocks are left alone around their change.
    await hass.config.async_set_time_zone("UTC")
    assert await async_setup_component(hass, "api", {})
    return Api(hass, hass_ws_client, hass_client)


async def add(hass: HomeAssistant, api: Api, entry: MockConfigEntry) -> None:
    """Set a meter up; the actions go to it."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    device, *_ = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    api.device_id = device.id


@pytest.fixture
async def simulated(hass: HomeAssistant, line: Line, api: Api) -> Meter:
    """The simulated meter, which can be told what to do."""
    settings = MeterSettings(conformance=EVERY_SERVICE)
    meter = Meter(settings, now=dt_util.utcnow, objects=CONTROLLABLE_METER)
    line.meter = let_clock_go_on(give_controls(meter))
    entry = MockConfigEntry(
        domain=DOMAIN,
        unique_id=UNIQUE_ID,
        data=from_input(WITH_PASSWORD),
        options={CONF_SUPPLY_SWITCH: True},
    )
    await add(hass, api, entry)
    return line.meter


async def test_every_action_with_the_simulated_meter(
    api: Api, simulated: Meter
) -> None:
    energy = await api.both_ways("get", obis="1-0:1.8.0")
    assert energy["unit"] == "Wh"
    assert energy["value"] > 1000

    await api.both_ways(
        "set",
        obis="0-0:96.13.0",
        class_id=1,
        data={"type": "octet_string", "value": b"from afar".hex()},
        confirm=True,
    )
    assert simulated.written[MESSAGE].value == b"from afar"

    echoed = await api.both_ways(
        "invoke",
        obis="0-0:96.13.0",
        class_id=1,
        method=1,
        data_hex="1107",
        confirm=True,
    )
    assert echoed == {"data": {"type": "unsigned", "value": 7}}

    profile = await api.both_ways("read_profile", obis="1-0:99.1.0", newest=4)
    assert len(profile["rows"]) == 4
    last = datetime.fromisoformat(profile["rows"][-1]["time"])
    assert dt_util.utcnow() - last < timedelta(minutes=16)

    objects = await api.both_ways("read_objects")
    assert len(objects["objects"]) == len(simulated.objects)

    later = dt_util.now().replace(tzinfo=None) + timedelta(minutes=1)
    changed = await api.both_ways("set_clock", time=later.isoformat(), confirm=True)
    assert 55 < changed["after"] < 65
    changed = await api.by_websocket("synchronise_clock", method="shift")
    assert 55 < changed["before"] < 65
    assert abs(changed["after"]) < 5
    await api.both_ways("synchronise_clock", method="adjust_to_quarter")
    changed = await api.both_ways("synchronise_clock")
    assert abs(changed["after"]) < 5

    off = await api.both_ways("disconnect", confirm=True)
    assert off == {"connected": False}
    assert await api.both_ways("reconnect", confirm=True) == {"connected": True}


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("get", {"obis": "nonsense"}),
        ("get", {"obis": "1-0:99.99.9"}),
        ("set", {"obis": "0-0:96.13.0", "data_hex": "1107"}),
        ("invoke", {"obis": "0-0:96.13.0", "method": 1, "confirm": False}),
        ("read_profile", {"obis": "1-0:1.8.0"}),
        ("synchronise_clock", {"method": "magic"}),
        ("disconnect", {}),
    ],
)
@pytest.mark.usefixtures("simulated")
async def test_bad_input_is_told_by_rest(api: Api, action: str, data: Json) -> None:
    status, _ = await api.by_rest(action, **data)
    assert status in (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR)


@pytest.fixture(params=["wrapper", "hdlc"])
async def foreign(
    hass: HomeAssistant, socket_enabled: None, api: Api, request: pytest.FixtureRequest
) -> AsyncIterator[PydlmsMeter]:
    """The simulator of pydlms-client."""
    with running_pydlms_meter(request.param, "--everything") as meter:
        entered = {
            "host": "127.0.0.1",
            "port": meter.port,
            "framing": meter.framing,
            "mechanism": "lls",
            "password": LLS_PASSWORD.decode(),
            "expert": EXPERT | {"client_sap": LLS_CLIENT},
        }
        entry = MockConfigEntry(
            domain=DOMAIN,
            unique_id="PYD1000000000001",
            data=from_input(entered),
            options={CONF_SUPPLY_SWITCH: True},
        )
        await add(hass, api, entry)
        yield meter
        assert await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.usefixtures("foreign")
async def test_what_a_meter_by_others_supports(api: Api) -> None:
    energy = await api.both_ways("get", obis="1-0:1.8.0")
    assert (energy["raw"]["value"], energy["unit"]) == (12345678, "Wh")

    objects = await api.both_ways("read_objects")
    assert any(item["obis"] == "1-0:99.1.0*255" for item in objects["objects"])

    profile = await api.both_ways("read_profile", obis="1-0:99.1.0", newest=3)
    assert len(profile["rows"]) == 3

    message = {"obis": "0-0:96.13.0", "class_id": 1}
    await api.both_ways("set", **message, data_hex="090568656c6c6f", confirm=True)
    assert (await api.by_websocket("get", **message))["hex"] == "090568656c6c6f"

    assert await api.both_ways("disconnect", confirm=True) == {"connected": False}
    # Its method to reconnect is made to return what it is given, and does nothing else.
    assert await api.both_ways("reconnect", confirm=True) == {"connected": False}
    assert set(await api.both_ways("synchronise_clock")) == {"before", "after"}
