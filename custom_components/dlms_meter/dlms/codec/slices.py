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
    described_reader,
    read_count,
    read_data,
    step_inside,
)
from .cursor import Reader
from .data import SEQUENCES, CompactArray, Data, DataType, TypeDescription

OCTETS_AT_ONCE = 4096
"""What is read in one go: half a millisecond of work, in the worst of cases two."""

type Slices[T] = Generator[None, None, T]
"""Long work that stops now and then."""


def read_data_in_slices(reader: Reader) -> Slices[Data]:
    """Do what `read_data` does, and find what it finds, with a stop after each few kilobytes. Raises `DecodeError`."""
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
    read = None if _is_long(description) else described_reader(description)
    elements: list[Data] = []
    pause_at = offset + OCTETS_AT_ONCE
    while offset < end:
        if read is None:
            element, offset = yield from _read_long_element(
                octets, offset, description, depth
            )
        else:
            element, offset = read(octets, offset, depth)
        elements.append(element)
        if offset > pause_at:
            pause_at = offset + OCTETS_AT_ONCE
            yield
    if offset > end:
        raise DecodeError("the contents of a compact-array end inside an element", end)
    return Data(DataType.COMPACT_ARRAY, CompactArray(description, tuple(elements))), end


def _is_long(description: TypeDescription) -> bool:
    """Tell whether an element of a compact-array takes longer to read than others should have to wait."""
    return description.type in SEQUENCES and description.least()[0] > OCTETS_AT_ONCE


def _read_long_element(
    octets: bytes, offset: int, description: TypeDescription, depth: int
) -> Slices[tuple[Data, int]]:
    """Read a long element of a compact-array."""
    readers = {
        each: None if _is_long(each) else described_reader(each)
        for each in description.elements
    }
    elements: list[Data] = []
    pause_at = offset + OCTETS_AT_ONCE
    for each in description.element_types():
        read = readers[each]
        if read is None:
            element, offset = yield from _read_long_element(octets, offset, each, depth)
        else:
            element, offset = read(octets, offset, depth)
        elements.append(element)
        if offset > pause_at:
            pause_at = offset + OCTETS_AT_ONCE
            yield
    return Data(description.type, tuple(elements)), offset
