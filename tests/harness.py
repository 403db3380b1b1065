"""What codec tests share: the vectors, five checks for every row, and seeded damage.

Decoders are held to one rule here: whatever the octets, a value comes out or a `DlmsError`, nothing else.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
import json
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import (
    BitString,
    CompactArray,
    Data,
    DataType,
    DataValue,
    TypeDescription,
)
from custom_components.dlms_meter.dlms.codec.datetimes import (
    ClockStatus,
    DlmsDate,
    DlmsDateTime,
    DlmsTime,
)
from custom_components.dlms_meter.dlms.errors import DecodeError, DlmsError

type Json = Any  # what json.loads gives


class Vector(NamedTuple):
    """One row of vectors.json: octets, what they mean, and where they come from."""

    id: str
    name: str
    category: str
    layer: str
    hex: Json
    """The octets, or a list of directed steps; null where `decoded` holds the frames of a session, or `inputs` all."""
    decoded: Json
    origin: str
    source: str
    expect: str | None = None
    """What to do with octets that break a rule: reject, discard, …"""
    notes: str = ""
    inputs: Json = None
    keys: Json = None

    @property
    def octets(self) -> bytes:
        return bytes.fromhex(self.hex)


@cache
def _all_vectors() -> tuple[Vector, ...]:
    rows = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
    return tuple(Vector(**row) for row in rows)


def vectors(layer: str | None = None, category: str | None = None) -> list[Vector]:
    """Return the vectors of a layer, of a category, of both, or all."""
    return [
        vector
        for vector in _all_vectors()
        if layer in (None, vector.layer) and category in (None, vector.category)
    ]


def each(rows: Iterable[Vector]) -> pytest.MarkDecorator:
    """Run a test once per vector, as its argument `vector`."""
    return pytest.mark.parametrize(
        "vector", [pytest.param(row, id=f"{row.id} {row.name}") for row in rows]
    )


def check_codec[T](
    value: T,
    octets: bytes,
    decode: Callable[[bytes], T],
    encode: Callable[[T], bytes],
    *,
    canonical: bool = True,
) -> None:
    """Check that octets mean the value, the value makes the octets, and nothing shorter or longer passes.

    `canonical=False` is for octets we accept but would not send: then encoding must at least keep the value.
    """
    assert decode(octets) == value
    assert type(decode(octets)) is type(value)  # NamedTuples of two types may be equal
    if canonical:
        assert encode(value).hex() == octets.hex()
    else:
        assert encode(value) != octets
        assert decode(encode(value)) == value
    check_prefixes(octets, decode)
    for extra in (b"\x00", b"\xff", octets):
        with pytest.raises(DecodeError):
            decode(octets + extra)


def check_prefixes(octets: bytes, decode: Callable[[bytes], object]) -> None:
    """Check that every proper prefix is refused with `DecodeError`."""
    for length in range(len(octets)):
        with pytest.raises(DecodeError):
            decode(octets[:length])


def feed_by_bytes[E](receive: Callable[[bytes], Iterable[E]], octets: bytes) -> list[E]:
    """Feed a stream decoder one octet at a time and return all it gave."""
    return [event for octet in octets for event in receive(bytes((octet,)))]


def check_stream[E](
    make: Callable[[], Callable[[bytes], Iterable[E]]], octets: bytes
) -> list[E]:
    """Check that a stream decoder gives the same for one octet at a time, any two pieces, and all at once.

    `make` makes a fresh decoder and returns its way in. Returns what came out.
    """
    whole = list(make()(octets))
    assert feed_by_bytes(make(), octets) == whole
    for cut in range(1, len(octets)):
        receive = make()
        assert [*receive(octets[:cut]), *receive(octets[cut:])] == whole
    return whole


def damaged(octets: bytes, seed: int, count: int) -> Iterator[bytes]:
    """Make `count` damaged copies, the same for the same seed: bits flipped, octets lost, doubled, put in, cut off."""
    random = Random(seed)
    for _ in range(count):
        copy = bytearray(octets)
        for _ in range(random.randint(1, 4)):
            place = random.randrange(len(copy) + 1)
            match random.randrange(6):
                case 0:
                    del copy[place : place + random.randint(1, 4)]
                case 1:
                    copy[place:place] = random.randbytes(random.randint(1, 4))
                case 2:
                    copy[place:place] = copy[place : place + random.randint(1, 16)]
                case 3:
                    del copy[place:]
                case _ if place < len(copy):
                    copy[place] ^= 1 << random.randrange(8)
        yield bytes(copy)


def check_damage(
    octets: bytes, decode: Callable[[bytes], object], *, seed: int = 1, count: int = 100
) -> None:
    """Check that damaged octets give a value or a `DlmsError`, and nothing else."""
    for copy in damaged(octets, seed, count):
        try:
            decode(copy)
        except DlmsError:
            continue
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} from {copy.hex()}") from error


def data_of(decoded: Json) -> Data:
    """Build the Data that a vector describes."""
    data_type = DataType[decoded["type"].replace("-", "_").upper()]
    return Data(data_type, _value_of(data_type, decoded))


def _value_of(data_type: DataType, decoded: Json) -> DataValue:
    value: Json = decoded["value"]
    match data_type:
        case DataType.ARRAY | DataType.STRUCTURE:
            return tuple(map(data_of, value))
        case DataType.COMPACT_ARRAY:
            description = _description_of(decoded["type_description"])
            return CompactArray(description, tuple(map(data_of, value)))
        case DataType.OCTET_STRING:
            return bytes.fromhex(value)
        case DataType.DATE_TIME | DataType.DATE | DataType.TIME:
            return bytes.fromhex(decoded["hex"])
        case DataType.BIT_STRING:
            padded = value.ljust(-(-len(value) // 8) * 8, "0")
            return BitString(
                int(f"0{padded}", 2).to_bytes(len(padded) // 8), len(value)
            )
        case _:
            result: DataValue = value
            return result


def _description_of(decoded: Json) -> TypeDescription:
    data_type = DataType[decoded["type"].replace("-", "_").upper()]
    match data_type:
        case DataType.ARRAY:
            element = _description_of(decoded["element"])
            return TypeDescription(data_type, (element,), decoded["count"])
        case DataType.STRUCTURE:
            elements = tuple(map(_description_of, decoded["elements"]))
            return TypeDescription(data_type, elements)
        case _:
            return TypeDescription(data_type)


def date_of(decoded: Json) -> DlmsDate:
    """Build the date that a vector describes."""
    return DlmsDate(
        decoded["year"], decoded["month"], decoded["day"], decoded["day_of_week"]
    )


def time_of(decoded: Json) -> DlmsTime:
    """Build the time that a vector describes."""
    return DlmsTime(
        decoded["hour"], decoded["minute"], decoded["second"], decoded["hundredths"]
    )


def date_time_of(decoded: Json) -> DlmsDateTime:
    """Build the date-time that a vector describes."""
    status = decoded["status"]
    return DlmsDateTime(
        date_of(decoded),
        time_of(decoded),
        decoded["deviation"],
        None if status is None else ClockStatus(status),
    )
