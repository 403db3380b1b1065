"""Long values read a little at a time, so that whoever reads them can serve others in between.

64 kB of data can take 15 ms to read. Here no step takes more than one, whatever the octets.
"""

from collections.abc import Generator
from struct import error as StructError

from ..errors import DecodeError
from .axdr import (
    MAX_DEPTH,
    READERS,
    compact_contents,
    read_count,
    read_data,
    read_described,
    step_inside,
)
from .cursor import Reader
from .data import SEQUENCES, CompactArray, Data, DataType, TypeDescription

OCTETS_AT_ONCE = 4096
"""What is read in one go: half a millisecond of work, in the worst of cases two."""

type Slices[T] = Generator[None, None, T]
"""Long work that stops now and then."""


def read_data_in_slices(reader: Reader) -> Slices[Data]:
    """Do what `read_data` does, and find what it finds, with a stop after each few kilobytes."""
    if reader.remaining <= OCTETS_AT_ONCE:
        return read_data(reader)
    octets = reader.data[: reader.end]
    try:
        value, reader.offset = yield from _read_long(octets, reader.offset, MAX_DEPTH)
    except IndexError, StructError:
        raise DecodeError("the data goes on after the last octet", reader.end) from None
    return value


def finish[T](slices: Slices[T]) -> T:
    """Do long work without a stop."""
    while True:
        try:
            next(slices)
        except StopIteration as done:
            result: T = done.value
            return result


def _read_long(octets: bytes, start: int, depth: int) -> Slices[tuple[Data, int]]:
    """Read the value that starts here, which may be long."""
    tag = octets[start]
    if tag == DataType.COMPACT_ARRAY:
        return (yield from _read_compact_array(octets, start + 1, depth))
    if tag not in SEQUENCES:
        return READERS[tag](octets, start + 1, depth)
    inner = step_inside(depth, start + 1)
    count, start = read_count(octets, start + 1)
    elements: list[Data] = []
    piece, position = octets[start : start + OCTETS_AT_ONCE], 0
    while len(elements) < count:
        try:
            element, end = READERS[piece[position]](piece, position + 1, inner)
            elements.append(element)
            position = end
            continue
        except DecodeError, IndexError, StructError:
            pass  # cut off where the piece ends, or broken: the next piece will tell
        yield
        if not position:
            element, start = yield from _read_long(octets, start, inner)
            elements.append(element)
        start += position
        piece, position = octets[start : start + OCTETS_AT_ONCE], 0
    return Data(DataType(tag), tuple(elements)), start + position


def _read_compact_array(
    octets: bytes, offset: int, depth: int
) -> Slices[tuple[Data, int]]:
    description, offset, end = compact_contents(octets, offset, depth)
    long_elements = description.least()[0] > OCTETS_AT_ONCE
    elements: list[Data] = []
    pause_at = offset + OCTETS_AT_ONCE
    while offset < end:
        if long_elements:
            element, offset = yield from _read_described(
                octets, offset, description, depth
            )
        else:
            element, offset = read_described(octets, offset, description, depth)
        elements.append(element)
        if offset > pause_at:
            pause_at = offset + OCTETS_AT_ONCE
            yield
    if offset > end:
        raise DecodeError("the contents of a compact-array end inside an element", end)
    return Data(DataType.COMPACT_ARRAY, CompactArray(description, tuple(elements))), end


def _read_described(
    octets: bytes, offset: int, description: TypeDescription, depth: int
) -> Slices[tuple[Data, int]]:
    """Read a long element of a compact-array."""
    if description.type not in SEQUENCES or description.least()[0] <= OCTETS_AT_ONCE:
        return read_described(octets, offset, description, depth)
    elements: list[Data] = []
    pause_at = offset + OCTETS_AT_ONCE
    for inner in description.element_types():
        element, offset = yield from _read_described(octets, offset, inner, depth)
        elements.append(element)
        if offset > pause_at:
            pause_at = offset + OCTETS_AT_ONCE
            yield
    return Data(description.type, tuple(elements)), offset
