"""What stands between the line and everything else of the simulated meter: general block transfer, and what it pushes."""

from custom_components.dlms_meter.dlms.application.block_transfer import (
    BlockTransfer,
    GeneralBlockTransfer,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.errors import DlmsError

from .application import ApplicationServer
from .meter import Meter, Push
from .security import SecureServer

_BLOCK = b"\xe0"


class Server:
    """What one client talks to: an APDU in, any number out. `holder` is the connection it comes by."""

    def __init__(self, meter: Meter, client_sap: int, holder: object) -> None:
        self.client_sap = client_sap
        self._meter = meter
        self._application = ApplicationServer(meter, client_sap, holder)
        self._inner = SecureServer(self._application, meter)
        self._window = meter.settings.block_window
        self._transfer = BlockTransfer(self._window)
        self._to_lose = set(meter.settings.service_quirks.lost_blocks)

    @property
    def associated(self) -> bool:
        """Whether an association stands."""
        return self._inner.associated

    def handle(self, octets: bytes) -> list[bytes]:
        """Answer one APDU."""
        if octets[:1] == _BLOCK and self._application.block_size:
            return self._receive(octets)
        self._transfer = BlockTransfer(self._window, self._transfer.peer_window)
        answer = self._inner.handle(octets)
        return [] if answer is None else self._send(answer, in_blocks=False)

    def push(self) -> Push | None:
        """Return what the meter says on its own before its answer, protected as an answer would be."""
        if not self.associated or not self._meter.pushes:
            return None
        push = self._meter.pushes.popleft()
        return push._replace(apdu=self._inner.protect(push.apdu))

    def _receive(self, octets: bytes) -> list[bytes]:
        block = GeneralBlockTransfer.decode(Reader(octets))
        if block.block_data and block.block_number == 1:
            self._transfer = BlockTransfer(self._window, self._transfer.peer_window)
        try:
            replies, apdu = self._transfer.receive(block)
        except DlmsError:
            return []
        if apdu is None:
            return self._lose(replies)
        answer = self._inner.handle(apdu)
        return [] if answer is None else self._send(answer, in_blocks=True)

    def _send(self, answer: bytes, *, in_blocks: bool) -> list[bytes]:
        size = self._application.block_size
        if not size or (len(answer) <= size and not in_blocks):
            return [answer]
        return self._lose(self._transfer.begin(answer, size))

    def _lose(self, blocks: list[bytes]) -> list[bytes]:
        sent = []
        for octets in blocks:
            block = GeneralBlockTransfer.decode(Reader(octets))
            if block.block_data and block.block_number in self._to_lose:
                self._to_lose.discard(block.block_number)
            else:
                sent.append(octets)
        return sent
