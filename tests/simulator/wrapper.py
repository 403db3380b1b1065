"""The wrapper (TCP) side of the simulated meter, bytes in and bytes out."""

from struct import Struct

from .blocks import Server
from .meter import Meter

_HEADER = Struct(">HHHH")
_VERSION = 1


class WrapperSession:
    """One TCP connection to the meter's own IP stack."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._received = bytearray()
        self._server: Server | None = None

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes from the client, cut anywhere, and return what the meter says to them."""
        self._received += data
        answers = b""
        while len(self._received) >= _HEADER.size:
            version, client_sap, server_sap, length = _HEADER.unpack_from(
                self._received
            )
            if version != _VERSION:
                self._received.clear()  # not the wrapper: nothing can be made of the rest
                break
            end = _HEADER.size + length
            if len(self._received) < end:
                break
            apdu = bytes(self._received[_HEADER.size : end])
            del self._received[:end]
            if server_sap == self._meter.settings.logical_device:
                answers += self._answer(client_sap, apdu)
        return answers

    def line_idle(self) -> bytes:
        """Wait: TCP loses nothing."""
        return b""

    def close(self) -> None:
        """The connection is gone, and the association with it."""
        self._server = None
        self._meter.vacate(self)

    def speak(self) -> bytes:
        """Return what the meter says on its own just now, not only before its next answer."""
        if self._server is None or (push := self._server.push()) is None:
            return b""
        return self._frame(self._server.client_sap, push.apdu)

    def _answer(self, client_sap: int, apdu: bytes) -> bytes:
        if self._server is None or self._server.client_sap != client_sap:
            self._server = Server(self._meter, client_sap, self)
        push = self._server.push()
        answers = self._server.handle(apdu)
        if not self._server.associated:
            self._meter.vacate(self)
        said = answers if push is None else [push.apdu, *answers]
        return b"".join([self._frame(client_sap, each) for each in said])

    def _frame(self, client_sap: int, apdu: bytes) -> bytes:
        logical_device = self._meter.settings.logical_device
        return _HEADER.pack(_VERSION, logical_device, client_sap, len(apdu)) + apdu
