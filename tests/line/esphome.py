"""An ESPHome device that lends its serial port, as far as its native API is needed for that; the messages are aioesphomeapi's."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest

from custom_components.dlms_meter.dlms import CharacterFormat, LineSettings

from .optical import LineMeter, Saying, as_heard

api_pb2 = pytest.importorskip("aioesphomeapi.api_pb2", reason="needs aioesphomeapi")
APIClient = pytest.importorskip("aioesphomeapi").APIClient
MESSAGES = pytest.importorskip("aioesphomeapi.core").MESSAGE_TYPE_TO_PROTO

type Message = Any  # of protobuf

PORT_NAME: Final = "optical head"
_NUMBERS: Final = {kind: number for number, kind in MESSAGES.items()}
_FORMATS: Final = {
    (8, 0): CharacterFormat.EIGHT_NONE_ONE,
    (8, 1): CharacterFormat.EIGHT_EVEN_ONE,
    (7, 1): CharacterFormat.SEVEN_EVEN_ONE,
}
_SOON: Final = 0.01
"""Seconds until the meter answers."""


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*octets, number))


async def _read_varint(reader: asyncio.StreamReader) -> int:
    number, place = 0, 0
    while True:
        [octet] = await reader.readexactly(1)
        number |= (octet & 0x7F) << place
        if octet < 0x80:
            return number
        place += 7


class EsphomeDevice:
    """One device with one meter at its port. `lines` has every setting of the port, in the order in which it was told."""

    def __init__(self, meter: LineMeter) -> None:
        self.meter = meter
        self.port = 0
        self.lines: list[LineSettings] = []
        self._subscribed = False
        self._writer: asyncio.StreamWriter | None = None

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Talk to one client until it leaves."""
        self._writer, self._subscribed = writer, False
        try:
            while True:
                await reader.readexactly(1)  # the zero before messages in clear text
                length = await _read_varint(reader)
                number = await _read_varint(reader)
                message = MESSAGES[number]()
                message.ParseFromString(await reader.readexactly(length))
                for answer in self._answers(message):
                    self._send(answer)
        except asyncio.IncompleteReadError, ConnectionError:
            self._writer = None
            writer.close()

    def _send(self, message: Message) -> None:
        if self._writer is not None:
            octets = message.SerializeToString()
            kind = _varint(_NUMBERS[type(message)])
            self._writer.write(b"\0" + _varint(len(octets)) + kind + octets)

    def _answers(self, message: Message) -> Iterator[Message]:
        match type(message).__name__:
            case "HelloRequest":
                yield api_pb2.HelloResponse(
                    api_version_major=1, api_version_minor=16, name="probe"
                )
            case "DeviceInfoRequest":
                port = api_pb2.SerialProxyInfo(name=PORT_NAME)
                yield api_pb2.DeviceInfoResponse(name="probe", serial_proxies=[port])
            case "PingRequest":
                yield api_pb2.PingResponse()
            case "DisconnectRequest":
                yield api_pb2.DisconnectResponse()
            case "SerialProxyRequest":
                self._subscribed = message.type != 1
                yield api_pb2.SerialProxyRequestResponse(type=message.type)
            case "SerialProxyConfigureRequest":
                form = _FORMATS[message.data_size, message.parity]
                self.lines.append(LineSettings(message.baudrate, form))
                yield api_pb2.SerialProxyRequestResponse(type=3)
            case "SerialProxyWriteRequest":
                for saying in self.meter.hear(message.data, self.lines[-1]):
                    asyncio.get_running_loop().call_later(_SOON, self._say, saying)

    def _say(self, saying: Saying) -> None:
        """Pass on what the meter says, as the port hears it as it is set now."""
        if self._subscribed:
            heard = as_heard(saying.octets, saying.line, self.lines[-1])
            self._send(api_pb2.SerialProxyDataReceived(data=heard))


@asynccontextmanager
async def esphome_device(meter: LineMeter) -> AsyncIterator[EsphomeDevice]:
    """Run a device on a free port of this machine."""
    device = EsphomeDevice(meter)
    server = await asyncio.start_server(device.serve, "127.0.0.1", 0)
    device.port = server.sockets[0].getsockname()[1]
    try:
        yield device
    finally:
        server.close()
        await server.wait_closed()
