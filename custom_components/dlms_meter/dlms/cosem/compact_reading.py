"""How compact data is read: its buffer, with what was captured in it, as a profile of one row.

A generator like those of `profile_reading`. Source: DLMS UA Blue Book, Compact data (class 62).
"""

from datetime import timedelta, tzinfo
from typing import Final

from ..codec.data import Data, DataType
from ..errors import DecodeError, DlmsError
from .capture_objects import decode_capture_objects
from .clock import MeterClock, MomentReader
from .compact_data import decode_compact_buffer
from .descriptors import AttributeDescriptor
from .meter_memory import MeterMemory
from .obis import Obis
from .profile import CapturedRows, ProfileColumn, ProfileRows, collect_rows
from .profile_buffer import Pause, Reading, read_many
from .profile_reading import read_scaler_units
from .values import ScalerUnit

COMPACT_DATA: Final = 62
_BUFFER, _CAPTURE_OBJECTS, _TEMPLATE_DESCRIPTION = 2, 3, 5


def read_compact_data(
    name: Obis,
    memory: MeterMemory,
    scaler_units: dict[AttributeDescriptor, ScalerUnit],
    *,
    time_zone: tzinfo | None = None,
) -> Reading[ProfileRows]:
    """Read what a Compact data object holds now: one row, a column for each captured object.

    Scalers that are not in `scaler_units` are read along and added; `time_zone` is the one of the meter's place, if known.
    Raises what the meter refused with, or `DecodeError` when buffer, template and captured objects do not fit each other.
    """
    wanted = tuple(
        AttributeDescriptor(COMPACT_DATA, name, number)
        for number in (_BUFFER, _CAPTURE_OBJECTS, _TEMPLATE_DESCRIPTION)
    )
    answers = yield from read_many(wanted)
    buffer, captured, template = (_told(answers[each]) for each in wanted)
    columns = decode_capture_objects(captured)
    values = decode_compact_buffer(_octets(buffer), _octets(template))
    row = Data(DataType.ARRAY, (Data(DataType.STRUCTURE, values),))
    time = next((column for column in columns if column.is_time), None)
    clock = MomentReader(memory.clock or MeterClock(), time_zone)
    slices = collect_rows(row, columns, time, timedelta(), clock)
    while True:
        try:
            next(slices)
        except StopIteration as done:
            rows: CapturedRows = done.value
            break
        yield Pause()
    scalers = yield from read_scaler_units(columns, scaler_units)
    shown = [ProfileColumn(each, scalers.get(each.attribute)) for each in columns]
    return ProfileRows(shown, rows)


def _told(answer: Data | DlmsError) -> Data:
    if isinstance(answer, DlmsError):
        raise answer
    return answer


def _octets(data: Data) -> bytes:
    if not isinstance(data.value, bytes):
        raise DecodeError(f"compact data is sent as octets, not as {data.type.name}")
    return data.value
