"""The only thing that moves through bytes: a bounded reader, and the length octets A-XDR and BER share."""

from struct import Struct

from ..errors import DecodeError

_UINT16 = Struct(">H")
_UINT32 = Struct(">I")


class Reader:
    """Reads octets from left to right; whatever is missing raises `DecodeError`."""

    __slots__ = ("data", "end", "offset")

    def __init__(self, data: bytes, offset: int = 0, end: int | None = None) -> None:
        self.data = data
        self.offset = offset
        self.end = len(data) if end is None else end

    @property
    def remaining(self) -> int:
        """Number of octets not read yet."""
        return self.end - self.offset

    def advance(self, count: int) -> int:
        """Step over `count` octets and return where they start. Raises `DecodeError` where fewer are left."""
        start = self.offset
        if count > self.end - start:
            raise DecodeError(
                f"{count} octets expected, {self.end - start} left", start
            )
        self.offset = start + count
        return start

    def peek(self) -> int:
        """Return the next octet and leave it there. Raises `DecodeError` where none is left."""
        if self.offset >= self.end:
            raise DecodeError("an octet expected, none left", self.offset)
        return self.data[self.offset]

    def uint8(self) -> int:
        """Read one octet. Raises `DecodeError`."""
        return self.data[self.advance(1)]

    def uint16(self) -> int:
        """Read two octets, big endian. Raises `DecodeError`."""
        value: int = _UINT16.unpack_from(self.data, self.advance(2))[0]
        return value

    def uint32(self) -> int:
        """Read four octets, big endian. Raises `DecodeError`."""
        value: int = _UINT32.unpack_from(self.data, self.advance(4))[0]
        return value

    def take(self, count: int) -> bytes:
        """Read `count` octets. Raises `DecodeError`."""
        start = self.advance(count)
        return self.data[start : start + count]

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.take(self.end - self.offset)

    def length(self) -> int:
        """Read a definite length: one octet up to 127, else 0x81…0x84 and that many octets (not necessarily the fewest).

        Raises `DecodeError`.
        """
        first = self.uint8()
        if first < 0x80:
            return first
        if not 0x81 <= first <= 0x84:
            raise DecodeError(
                f"length octet {first:02X} is not supported", self.offset - 1
            )
        return int.from_bytes(self.take(first & 0x7F))

    def octets(self) -> bytes:
        """Read a length and that many octets. Raises `DecodeError`."""
        return self.take(self.length())

    def expect(self, value: int, what: str) -> None:
        """Read one octet. Raises `DecodeError` if it is not `value`; `what` names what begins with it."""
        found = self.uint8()
        if found != value:
            raise DecodeError(
                f"{what}: {value:02X} expected, {found:02X} found", self.offset - 1
            )

    def finish(self, what: str) -> None:
        """Refuse octets after the end of `what`, with `DecodeError`."""
        if self.offset != self.end:
            raise DecodeError(
                f"{self.end - self.offset} octets after the end of {what}", self.offset
            )


def encode_length(length: int) -> bytes:
    """Encode a definite length in the fewest octets."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((0x80 | len(octets),)) + octets
