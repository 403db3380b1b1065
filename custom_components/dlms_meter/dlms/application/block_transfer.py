"""General block transfer: any APDU in pieces, in either direction (Green Book, COSEM APDUs and general block transfer).

Each side numbers its blocks from 1 and says in every block which of the other's it has (`block_number_ack`) and how many
it takes in a row (`window`). A block without `streaming` gives the word to the other side. What got lost shows as a gap;
it is asked for by acknowledging the last block before it.
"""

from typing import NamedTuple, Self

from ..codec.cursor import Reader, encode_length

GENERAL_BLOCK_TRANSFER = 0xE0
"""The tag."""

BLOCK_OVERHEAD = 9
"""Octets of a block beside its data, whose length may take three."""

MAX_WINDOW = 63
MAX_OCTETS = 16 * 1024 * 1024
"""An APDU in blocks that grows beyond this is not a meter's any more."""

_LAST_BLOCK = 0x80
_STREAMING = 0x40
_ATTEMPTS = 3


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
        """Read the APDU, tag included."""
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
