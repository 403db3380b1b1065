"""General block transfer: any APDU in pieces, in either direction (Green Book, COSEM APDUs and general block transfer).

Each side numbers its blocks from 1 and says in every block which of the other's it has (`block_number_ack`) and how many
it takes in a row (`window`). A block without `streaming` gives the word to the other side. What got lost shows as a gap;
it is asked for by acknowledging the last block before it.
"""

from typing import NamedTuple, Self

from ..codec.cursor import Reader, encode_length
from ..errors import LocalProtocolError, RemoteProtocolError

GENERAL_BLOCK_TRANSFER = 0xE0
"""The tag."""

BLOCK_OVERHEAD = 9
"""Octets of a block beside its data, whose length may take three."""

MAX_WINDOW = 63
MAX_OCTETS = 4 * 1024 * 1024
"""An APDU in blocks that grows beyond this is not a meter's any more."""

_LAST_BLOCK = 0x80
_STREAMING = 0x40
_LAST_NUMBER = 0xFFFF
_ATTEMPTS = 3
"""So often in a row the same may be lost."""


class GeneralBlockTransfer(NamedTuple):
    """One block, or, without data, an acknowledgement only."""

    last_block: bool
    streaming: bool
    window: int
    block_number: int
    block_number_ack: int
    block_data: bytes = b""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(GENERAL_BLOCK_TRANSFER, "general-block-transfer")
        control = reader.uint8()
        return cls(
            bool(control & _LAST_BLOCK),
            bool(control & _STREAMING),
            control & MAX_WINDOW,
            reader.uint16(),
            reader.uint16(),
            reader.octets(),
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        control = (
            _LAST_BLOCK * self.last_block | _STREAMING * self.streaming | self.window
        )
        return b"".join(
            (
                bytes((GENERAL_BLOCK_TRANSFER, control)),
                self.block_number.to_bytes(2),
                self.block_number_ack.to_bytes(2),
                encode_length(len(self.block_data)),
                self.block_data,
            )
        )


class Step(NamedTuple):
    """What a block brought about."""

    replies: list[bytes]
    """APDUs to be sent: blocks, or an acknowledgement."""
    apdu: bytes | None = None
    """The other side's APDU, if it is whole now."""


class BlockTransfer:
    """One exchange: our APDU goes out in blocks if it is too long, the other side's is put together if it comes in blocks.

    `window` is how many blocks we take in a row, `peer_window` how many the other side is known to take.
    """

    def __init__(self, window: int = 1, peer_window: int = 1) -> None:
        self.peer_window = peer_window
        self.expected = False
        """The other side may answer in blocks, of which the first may get lost."""
        self.asked_in_vain = 0
        """How often blocks were asked for again, and none came since."""
        self._window = window
        self._number = 0  # of the last block or acknowledgement we sent
        self._ours: list[bytes] = []  # data of our blocks
        self._before = 0  # number before the first of ours
        self._sent = 0  # how many of ours
        self._arrived = 0  # how many of ours
        self._seen = 0  # number of the last of theirs that came in order
        self._theirs: list[bytes] = []
        self._octets = 0
        self._whole = False  # theirs is complete
        self._attempts = _ATTEMPTS

    def begin(self, apdu: bytes, capacity: int) -> list[bytes]:
        """Return the blocks of at most `capacity` octets that go first.

        Raises `LocalProtocolError` when the APDU cannot be cut into blocks of that size.
        """
        size = capacity - BLOCK_OVERHEAD
        if size < 1 or len(apdu) > size * _LAST_NUMBER:
            raise LocalProtocolError(
                f"an APDU of {len(apdu)} octets, but the meter takes blocks of {capacity} at most"
            )
        self._ours = [apdu[at : at + size] for at in range(0, len(apdu), size)]
        self._before = self._number
        return self._next_window()

    @property
    def next_block_number(self) -> int:
        """The number of the block that is due from the other side."""
        return self._seen + 1

    def receive(self, block: GeneralBlockTransfer) -> Step:
        """Take a block or an acknowledgement. Raises `RemoteProtocolError` when too much is lost, or there is no end."""
        self.peer_window = block.window or self.peer_window
        self.asked_in_vain = 0
        if self._whole and block.block_data:  # they repeat what we answer to
            if block.streaming:
                return Step([])
            self._take_acknowledgement(block)
            return Step(self._next_window())
        if block.block_data or self._theirs:
            self._arrived = self._sent
            return self._collect(block)
        # An acknowledgement; it may come late, when nothing of ours is left to acknowledge.
        self._seen = block.block_number
        self._take_acknowledgement(block)
        return Step(self._next_window())

    def repeat(self, *, ours: bool = True) -> list[bytes]:
        """Return what to send after silence: our blocks again, or again what we have of theirs; nothing after a while.

        Not `ours` where nothing gets lost on its way: they are there, or on their way, and twice would be a second request.
        """
        if not self._attempts or not (self._ours or self._theirs or self.expected):
            return []
        arrived = self._arrived if ours else self._sent
        has_arrived = bool(self._theirs) or arrived == len(self._ours)
        if not has_arrived and not ours:
            return []
        self._attempts -= 1
        if has_arrived:
            self.asked_in_vain += 1
            return [self._acknowledgement()]
        return self._next_window()

    def _next_window(self) -> list[bytes]:
        """Return the blocks that follow the last one that arrived, as many as the other side takes."""
        end = min(self._arrived + self.peer_window, len(self._ours))
        blocks = [
            GeneralBlockTransfer(
                last_block=count == len(self._ours),
                streaming=count < end,
                window=self._window,
                block_number=self._before + count,
                block_number_ack=self._seen,
                block_data=self._ours[count - 1],
            ).encode()
            for count in range(self._arrived + 1, end + 1)
        ]
        self._sent = end
        self._number = max(self._number, self._before + end)
        return blocks

    def _take_acknowledgement(self, block: GeneralBlockTransfer) -> None:
        """Note which of our blocks have arrived."""
        arrived = min(max(block.block_number_ack - self._before, 0), self._sent)
        if arrived > self._arrived:
            self._attempts = _ATTEMPTS
        self._arrived = arrived
        if arrived < self._sent:
            self._lose(f"block {self._before + arrived + 1} of ours")

    def _collect(self, block: GeneralBlockTransfer) -> Step:
        """Take a block if it is the next one; at the end of a window say which is the last one here."""
        if block.block_number == 1 and not self._theirs:
            self._seen = 0  # some count their acknowledgements as blocks, some do not
        is_due = block.block_number == self.next_block_number
        if is_due:
            self._add(block)
            if block.last_block:
                apdu = b"".join(self._theirs)
                self._theirs, self._octets, self._whole = [], 0, True
                return Step([], apdu)
        if block.streaming and not block.last_block:
            return Step([])  # the other side goes on
        if not is_due:
            self._lose(f"block {self.next_block_number}")
        return Step([self._acknowledgement()])

    def _add(self, block: GeneralBlockTransfer) -> None:
        self._seen = block.block_number
        self._attempts = _ATTEMPTS
        self._theirs.append(block.block_data)
        self._octets += len(block.block_data)
        if self._octets > MAX_OCTETS:
            raise RemoteProtocolError(
                f"general block transfer: more than {MAX_OCTETS} octets, and no end"
            )

    def _acknowledgement(self) -> bytes:
        self._number += 1
        return GeneralBlockTransfer(
            last_block=True,
            streaming=False,
            window=self._window,
            block_number=self._number & _LAST_NUMBER,
            block_number_ack=self._seen,
        ).encode()

    def _lose(self, what: str) -> None:
        """Count what got lost: too much of it ends the exchange."""
        if not self._attempts:
            raise RemoteProtocolError(
                f"general block transfer: {what} does not arrive, however often it is sent"
            )
        self._attempts -= 1


class Blocks:
    """What one connection carries by general block transfer: at most one exchange, beside what the meter pushes.

    `loses`: what we send may get lost on its way, as over UDP.
    """

    def __init__(self, window: int, *, loses: bool = False) -> None:
        self._window = window
        self._loses = loses
        self._exchange = BlockTransfer(window)
        self._unused = True  # this exchange, as with all meters that know no blocks
        self._pushed = PushedBlocks()

    def outgoing(
        self, apdu: bytes, capacity: int | None, *, answered: bool = True
    ) -> list[bytes]:
        """Begin an exchange: return what to send of an APDU, in blocks if it has more than `capacity` octets.

        What is not `answered` is no reason to ask for blocks of an answer. Raises `LocalProtocolError` when the APDU
        cannot be cut into such blocks.
        """
        if capacity is None and self._unused:
            return [apdu]
        self._exchange = BlockTransfer(self._window, self._exchange.peer_window)
        self._exchange.expected = answered and capacity is not None
        self._unused = capacity is None
        if capacity is None or len(apdu) <= capacity:
            return [apdu]
        return self._exchange.begin(apdu, capacity)

    def incoming(self, octets: bytes, awaited: bool) -> Step:
        """Take a block, of an answer that is `awaited` or of something pushed.

        Raises `DecodeError` when it is none, `RemoteProtocolError` when the exchange has failed.
        """
        reader = Reader(octets)
        block = GeneralBlockTransfer.decode(reader)
        reader.finish("the block")
        in_turn = block.block_number == self._exchange.next_block_number
        if awaited and (in_turn or block.window):
            self._unused = False
            return self._exchange.receive(block)
        return Step([], self._pushed.receive(block))  # nobody takes a block in return

    @property
    def asked_in_vain(self) -> int:
        """How often blocks of the present answer were asked for again, and none came since."""
        return self._exchange.asked_in_vain

    def repeat(self) -> list[bytes]:
        """Return what to send after silence within an exchange."""
        return self._exchange.repeat(ours=self._loses)


class PushedBlocks:
    """Puts together what a meter pushes in blocks: nobody acknowledges, what has a hole is dropped."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._octets = 0

    def receive(self, block: GeneralBlockTransfer) -> bytes | None:
        """Take a block and return the whole APDU with the last one; None before that, and when one is missing."""
        if block.block_number == 1:
            self._parts.clear()
            self._octets = 0
        elif block.block_number != len(self._parts) + 1 or not self._parts:
            self._parts.clear()
            return None
        self._octets += len(block.block_data)
        if self._octets > MAX_OCTETS:
            self._parts.clear()
            return None
        self._parts.append(block.block_data)
        if not block.last_block:
            return None
        apdu = b"".join(self._parts)
        self._parts.clear()
        return apdu
