"""A serial port that an ESPHome device lends: the same code as for any port, and its speed can be changed."""

import asyncio
from urllib.parse import quote

import pytest

from custom_components.dlms_meter.dlms import (
    CharacterFormat,
    LineSettings,
    SerialEndpoint,
    SignOnSettings,
    TransportError,
)
from tests.simulator import HdlcSession

from .esphome import PORT_NAME, EsphomeDevice, esphome_device
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
