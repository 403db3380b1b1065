"""The part of BER (ITU-T X.690) that ACSE needs: one-octet tags, definite lengths, four kinds of contents.

Readers of contents take the bounded `Reader` of `read_tlv` and use it up.
"""

from ..errors import DecodeError, LocalProtocolError
from .cursor import Reader, encode_length
from .data import BitString

_HIGH_TAG = 0x1F
_MAX_INTEGER_OCTETS = 8
_MAX_ARC_OCTETS = 5


def read_tlv(reader: Reader) -> tuple[int, Reader]:
    """Read one tag and length: return the tag and a reader of just the contents, and step over them.

    Raises `DecodeError` when contents are missing, or for a tag of several octets.
    """
    tag = reader.uint8()
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise DecodeError(
            f"a tag of several octets ({tag:02X}…) is not supported", reader.offset - 1
        )
    length = reader.length()
    start = reader.advance(length)
    return tag, Reader(reader.data, start, reader.offset)


def tlv(tag: int, contents: bytes) -> bytes:
    """Encode a tag, the length of the contents in the fewest octets, and the contents."""
    return bytes((tag,)) + encode_length(len(contents)) + contents


def read_integer(contents: Reader) -> int:
    """Read a signed number of 1 to 8 octets (also the contents of ENUMERATED). Raises `DecodeError`."""
    if not 1 <= contents.remaining <= _MAX_INTEGER_OCTETS:
        raise DecodeError(f"an integer of {contents.remaining} octets", contents.offset)
    return int.from_bytes(contents.rest(), signed=True)


def encode_integer(value: int) -> bytes:
    """Encode a signed number in the fewest octets."""
    magnitude = value if value >= 0 else ~value
    return value.to_bytes(magnitude.bit_length() // 8 + 1, signed=True)


def read_object_identifier(contents: Reader) -> tuple[int, ...]:
    """Read the arcs of an object identifier, as (2, 16, 756, 5, 8, 1, 1). Raises `DecodeError`."""
    arcs = [_read_arc(contents)]
    while contents.remaining:
        arcs.append(_read_arc(contents))
    # The first two arcs share one number: 40 times the first (0, 1 or 2) plus the second.
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def _read_arc(contents: Reader) -> int:
    start = contents.offset
    arc = 0
    for _ in range(_MAX_ARC_OCTETS):
        octet = contents.uint8()
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            return arc
    raise DecodeError(
        f"an object identifier with a number of more than {_MAX_ARC_OCTETS} octets",
        start,
    )


def encode_object_identifier(arcs: tuple[int, ...]) -> bytes:
    """Encode the arcs of an object identifier.

    Raises `LocalProtocolError` when they do not form one.
    """
    if len(arcs) < 2 or min(arcs) < 0 or arcs[0] > 2 or (arcs[0] < 2 and arcs[1] >= 40):
        raise LocalProtocolError(
            f"{'.'.join(map(str, arcs))} is not an object identifier"
        )
    return b"".join([_encode_arc(arc) for arc in (40 * arcs[0] + arcs[1], *arcs[2:])])


def _encode_arc(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(arc & 0x7F | 0x80)
    return bytes(reversed(octets))


def read_bit_string(contents: Reader) -> BitString:
    """Read a bit-string: one octet that says how many bits of the last one are padding, then the bits.

    Raises `DecodeError`.
    """
    start = contents.offset
    padding = contents.uint8()
    bit_length = 8 * contents.remaining - padding
    if padding > 7 or bit_length < 0:
        raise DecodeError(f"a bit-string with {padding} bits of padding", start)
    return BitString(contents.rest(), bit_length)


def encode_bit_string(bits: BitString) -> bytes:
    """Encode a bit-string as its padding count and its octets.

    Raises `LocalProtocolError` when the octets are not as many as the bits need.
    """
    padding = 8 * len(bits.octets) - bits.bit_length
    if not 0 <= padding <= 7:
        raise LocalProtocolError(
            f"{bits.bit_length} bits do not take {len(bits.octets)} octets"
        )
    return bytes((padding,)) + bits.octets
