"""What a link is asked to do, and the limits that SNRM and UA agree on (IEC 62056-46).

The limits travel in the information fields of both:

81 80 | length | { identifier, length, value }: 05 and 06 are the longest information field its sender transmits and
receives, 07 and 08 its windows.
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

from ..codec.cursor import Reader
from ..errors import DecodeError, LocalProtocolError
from .hdlc_frame import MAX_INFORMATION_LENGTH

MIN_INFORMATION_LENGTH = 32
MAX_WINDOW = 7

_FORMAT_AND_GROUP = b"\x81\x80"
_IDENTIFIERS = (0x05, 0x06, 0x07, 0x08)  # in the order of the fields below
_WINDOW_WIDTH = 4  # every meter at hand sends windows in four octets


@dataclass(frozen=True, slots=True, kw_only=True)
class HdlcParameters:
    """What the link is asked to do.

    `address_length` of the server is in octets: 1, 2, 4, or None for the shortest that holds it.
    `max_information_length` (32 to 2030 octets) and `window` (1 to 7 frames) are offered for both directions.
    `attempts` is how often SNRM, or anything else, is tried before the link gives up. `send_parameters` says whether
    SNRM carries the offer.
    Raises `LocalProtocolError` for numbers out of range.
    """

    client_sap: int = 16
    logical_device: int = 1
    physical_device: int | None = None
    address_length: int | None = None
    max_information_length: int = MAX_INFORMATION_LENGTH
    window: int = MAX_WINDOW
    attempts: int = 3
    send_parameters: bool = True

    def __post_init__(self) -> None:
        for name, value, least, most in (
            (
                "max_information_length",
                self.max_information_length,
                MIN_INFORMATION_LENGTH,
                MAX_INFORMATION_LENGTH,
            ),
            ("window", self.window, 1, MAX_WINDOW),
            ("attempts", self.attempts, 1, 100),
        ):
            if not least <= value <= most:
                raise LocalProtocolError(
                    f"{name} must be from {least} to {most}, not {value}"
                )

    @property
    def limits(self) -> HdlcLimits:
        """What SNRM offers."""
        size, window = self.max_information_length, self.window
        return HdlcLimits(size, size, window, window)


class HdlcLimits(NamedTuple):
    """What one side of a link can do, from its own point of view; the defaults hold when nothing is said."""

    max_information_transmit: int = 128
    max_information_receive: int = 128
    window_transmit: int = 1
    window_receive: int = 1

    @classmethod
    def decode(cls, information: bytes) -> Self:
        """Decode the information field of SNRM or UA; what it leaves out keeps its default.

        The order and the widths of the values are free: 1, 2 or 4 octets are all seen, as are lists without windows.
        Zero says nothing and counts as left out. Raises `DecodeError`.
        """
        if not information:
            return cls()
        reader = Reader(information)
        for octet in _FORMAT_AND_GROUP:
            reader.expect(octet, "format and group of the HDLC parameters")
        parameters = Reader(reader.octets())
        values = dict(zip(_IDENTIFIERS, cls(), strict=True))
        while parameters.remaining:
            identifier = parameters.uint8()
            value = int.from_bytes(parameters.octets())
            if identifier in values and value:
                values[identifier] = value
        return cls(*values.values())

    def encode(self) -> bytes:
        """Encode the information field of SNRM or UA."""
        contents = b""
        for identifier, value in zip(_IDENTIFIERS, self, strict=True):
            width = _WINDOW_WIDTH if identifier > 0x06 else 1 + (value > 0xFF)
            contents += bytes((identifier, width)) + value.to_bytes(width)
        return _FORMAT_AND_GROUP + bytes((len(contents),)) + contents

    def agreed_with(self, peer: Self) -> Self:
        """Return our limits after `peer` told its own: each direction carries what both can."""
        return type(self)(
            min(self.max_information_transmit, peer.max_information_receive),
            min(self.max_information_receive, peer.max_information_transmit),
            min(self.window_transmit, peer.window_receive),
            min(self.window_receive, peer.window_transmit),
        )


def read_limits(information: bytes) -> HdlcLimits:
    """Decode the limits a meter tells in UA; what cannot be read counts as not said."""
    try:
        return HdlcLimits.decode(information)
    except DecodeError:
        return HdlcLimits()
