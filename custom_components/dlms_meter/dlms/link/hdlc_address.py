"""HDLC addresses: one octet for a client, one, two or four for a server (IEC 62056-46).

Every octet carries seven bits; its lowest bit marks the last octet of the address.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from ..errors import DecodeError, LocalProtocolError

ALL_STATION = 0x7F  # as a client address: to everybody

_LARGEST = {1: 0x7F, 2: 0x7F, 4: 0x3FFF}  # of each half, by octets of the whole address
_RESERVED = {
    1: (),
    2: (0x7E, 0x7F),
    4: (0x3FFE, 0x3FFF),
}  # physical: calling, all-station


@dataclass(frozen=True, slots=True)
class HdlcAddress:
    """One HDLC address, as it stands in a frame.

    `logical_device` is the upper half (for a client: its SAP), `physical_device` the lower half, None in an
    address of one octet. `length` is in octets: 1, 2 or 4.
    Raises `LocalProtocolError` for numbers that do not fit into so many octets.
    """

    logical_device: int
    physical_device: int | None = None
    length: int = 1
    _octets: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.length not in _LARGEST:
            raise LocalProtocolError(
                f"an HDLC address has 1, 2 or 4 octets, not {self.length}"
            )
        if (self.physical_device is None) != (self.length == 1):
            raise LocalProtocolError(
                f"HDLC address {self}: an address of one octet has no physical device, a longer one needs it"
            )
        largest = _LARGEST[self.length]
        if not all(
            0 <= number <= largest
            for number in (self.logical_device, self.physical_device or 0)
        ):
            raise LocalProtocolError(
                f"HDLC address {self} does not fit into {self.length} octets (0 to {largest} each)"
            )
        object.__setattr__(self, "_octets", self._encoded())

    @classmethod
    def client(cls, client_sap: int) -> Self:
        """Return the address of a client: always one octet."""
        return cls(client_sap)

    @classmethod
    def server(
        cls,
        logical_device: int,
        physical_device: int | None = None,
        length: int | None = None,
    ) -> Self:
        """Return the address of a server; without `length` the shortest that holds it.

        Raises `LocalProtocolError` for numbers that do not fit.
        """
        if length is None:
            length = 1 if physical_device is None else 2
            if max(logical_device, physical_device or 0) > _LARGEST[2]:
                length = 4
        return cls(logical_device, physical_device, length)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Decode one address that fills `octets`. Raises `DecodeError`."""
        if not octets or address_length(octets, 0, len(octets)) != len(octets):
            raise DecodeError(f"{octets.hex()} is not one HDLC address")
        bits = [octet >> 1 for octet in octets]
        if len(bits) == 1:
            return cls(bits[0])
        if len(bits) == 2:
            return cls(bits[0], bits[1], 2)
        return cls(bits[0] << 7 | bits[1], bits[2] << 7 | bits[3], 4)

    def encode(self) -> bytes:
        """Encode the address in its `length` octets."""
        return self._octets

    def _encoded(self) -> bytes:
        upper, lower = self.logical_device, self.physical_device or 0
        if self.length == 1:
            return bytes((upper << 1 | 1,))
        if self.length == 2:
            return bytes((upper << 1, lower << 1 | 1))
        return bytes(
            (upper >> 7 << 1, upper << 1 & 0xFE, lower >> 7 << 1, lower << 1 & 0xFE | 1)
        )

    def is_answered_by(self, source: HdlcAddress) -> bool:
        """Tell whether frames sent to this server may be answered from `source`.

        A meter reached by a reserved physical address (calling device, all-station) answers with its own, and the
        length of the address may differ.
        """
        return source.logical_device == self.logical_device and (
            source.physical_device == self.physical_device
            or self.physical_device in _RESERVED[self.length]
        )

    def __str__(self) -> str:
        """Show the address as `logical` or `logical/physical`, in decimal."""
        if self.physical_device is None:
            return str(self.logical_device)
        return f"{self.logical_device}/{self.physical_device}"


def address_length(data: bytes, start: int, end: int) -> int:
    """Return how many octets the address at `start` has, 0 when no valid one ends before `end`."""
    for length in (1, 2, 3, 4):
        if start + length > end:
            return 0
        if data[start + length - 1] & 1:
            return length if length != 3 else 0
    return 0


@lru_cache(maxsize=64)
def decode_address(octets: bytes) -> HdlcAddress:
    """Decode an address, remembering the few that a line carries. Raises `DecodeError`."""
    return HdlcAddress.decode(octets)
