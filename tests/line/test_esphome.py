"""A serial port that an ESPHome device lends: the same code as for any port, and its speed can be changed."""

import asyncio
from collections.abc import Callable, Iterator
import importlib
from pathlib import Path
import sys
from types import ModuleType, SimpleNamespace
from urllib.parse import quote

from homeassistant import components
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import Event, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.dlms import (
    CharacterFormat,
    LineSettings,
    SerialEndpoint,
    SignOnSettings,
    TransportError,
)
from tests.simulator import HdlcSession

from .esphome import PORT_NAME, APIClient, EsphomeDevice, esphome_device
from .optical import TEXT, DirectMeter, Habits, OpticalMeter
from .sessions import household
from .test_ports import QUICK, SOFTWARE_PARITY, assert_all_read, read

pytestmark = pytest.mark.usefixtures("socket_enabled")
HDLC = LineSettings(9600)
IN_SOFTWARE = LineSettings(300, CharacterFormat.EIGHT_NONE_ONE)


def at(device: EsphomeDevice, port_name: str = PORT_NAME) -> SerialEndpoint:
    name = quote(port_name)
    return SerialEndpoint(f"esphome://127.0.0.1:{device.port}/?port_name={name}")


@pytest.mark.parametrize("confirmation", ["none", "old", "new"])
@pytest.mark.parametrize(
    ("sign_on", "text"),
    [(QUICK, TEXT), (SOFTWARE_PARITY, IN_SOFTWARE)],
    ids=["7E1", "software"],
)
async def test_sign_on(
    sign_on: SignOnSettings, text: LineSettings, confirmation: str
) -> None:
    """300 baud for the sign-on, 9600 for HDLC, and 300 again for the next session."""
    meter = OpticalMeter(HdlcSession(household()), Habits(confirmation=confirmation))
    async with asyncio.timeout(20), esphome_device(meter) as device:
        for session in (1, 2):
            device.lines.clear()
            assert_all_read(await read(at(device), sign_on))
            assert meter.log == ["/?!", "\x06252"] * session
            changes = [
                line
                for number, line in enumerate(device.lines)
                if device.lines[number - 1 : number] != [line]
            ]
            assert changes[-2:] == [text, HDLC]
            meter.expire()


async def test_without_sign_on() -> None:
    meter = DirectMeter(HdlcSession(household()), HDLC)
    async with asyncio.timeout(20), esphome_device(meter) as device:
        assert_all_read(await read(at(device), None))


async def test_no_such_port() -> None:
    meter = DirectMeter(HdlcSession(household()), HDLC)
    async with asyncio.timeout(20), esphome_device(meter) as device:
        with pytest.raises(TransportError, match="no port of that name") as caught:
            await read(at(device, "another"), None)
    assert str(caught.value).startswith("Cannot open esphome://127.0.0.1:")


@pytest.fixture
def esphome_integration(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[asyncio.AbstractEventLoop], None]]:
    """Home Assistant's own `esphome-hass://`, without the rest of its ESPHome integration, which needs a dozen packages."""
    name = "homeassistant.components.esphome"
    package = ModuleType(name)
    package.__path__ = [str(Path(components.__path__[0]) / "esphome")]
    monkeypatch.setitem(sys.modules, name, package)
    for part, has in (
        ("const", {"DOMAIN": "esphome"}),
        ("entry_data", {"ESPHomeConfigEntry": ConfigEntry}),
    ):
        module = ModuleType(f"{name}.{part}")
        module.__dict__.update(has)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, f"{name}.serial_proxy", raising=False)
    serial_proxy = importlib.import_module(f"{name}.serial_proxy")
    unregister = []
    yield lambda loop: unregister.append(serial_proxy.register_serialx_transport(loop))
    for each in unregister:
        each(Event("homeassistant_stop"))
    del sys.modules[serial_proxy.__name__]


async def test_port_of_the_esphome_integration(
    hass: HomeAssistant,
    esphome_integration: Callable[[asyncio.AbstractEventLoop], None],
) -> None:
    """Home Assistant is connected to the device already, and stays so; the port is found by the entry's id."""
    esphome_integration(hass.loop)
    meter = OpticalMeter(HdlcSession(household()))
    entry = MockConfigEntry(domain="esphome", state=ConfigEntryState.LOADED)
    entry.add_to_hass(hass)
    async with asyncio.timeout(20), esphome_device(meter) as device:
        api = APIClient("127.0.0.1", device.port, None)
        await api.connect(login=True)
        entry.runtime_data = SimpleNamespace(client=api)
        name = quote(PORT_NAME)
        url = f"esphome-hass://esphome/{entry.entry_id}?port_name={name}"
        for session in (1, 2):
            assert_all_read(await read(SerialEndpoint(url), QUICK))
            assert meter.log == ["/?!", "\x06252"] * session
            assert device.lines[-1] == HDLC
            meter.expire()
        await api.disconnect()
