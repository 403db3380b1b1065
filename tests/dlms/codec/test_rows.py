"""Rows read at once: always what the plain reader makes of the same octets, by fewer steps."""

from itertools import islice, product
from random import Random
import tracemalloc

import pytest

from custom_components.dlms_meter.dlms.codec.axdr import (
    BitString,
    CompactArray,
    Data,
    DataType,
    DataValue,
    TypeDescription,
    encode_data,
    read_data,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.rows import (
    MAX_SHAPES,
    ROWS_AT_ONCE,
    RowRun,
    read_rows,
)
from custom_components.dlms_meter.dlms.errors import DecodeError, DlmsError
from tests.harness import Vector, check_prefixes, damaged, each, vectors

T = DataType
NULL = Data(T.NULL_DATA, None)


def cell(data_type: DataType, number: int) -> Data:
    """Make a cell of a type, not the same for every number."""
    octets = number.to_bytes(12)
    small = Data(T.UNSIGNED, number % 100)
    values: dict[DataType, DataValue] = {
        T.NULL_DATA: None,
        T.DONT_CARE: None,
        T.BOOLEAN: number % 2 == 0,
        T.FLOATING_POINT: number / 4,
        T.FLOAT32: number / 4,
        T.FLOAT64: number / 4,
        T.OCTET_STRING: octets,
        T.DATE_TIME: octets,
        T.DATE: octets[-5:],
        T.TIME: octets[-4:],
        T.VISIBLE_STRING: f"\xff{number:08}",
        T.UTF8_STRING: f"\udcff{number:08}",
        T.BIT_STRING: BitString(bytes((number % 256, 0x40)), 10),
        T.ARRAY: (small, NULL),
        T.STRUCTURE: (NULL, small),
        T.COMPACT_ARRAY: CompactArray(TypeDescription(T.UNSIGNED), (small,)),
    }
    return Data(data_type, values.get(data_type, number % 100))


def row(*cells: Data) -> Data:
    return Data(T.STRUCTURE, cells)


def array(rows: list[Data]) -> Data:
    return Data(T.ARRAY, tuple(rows))


def load_profile(count: int, start: int = 0) -> list[Data]:
    types = (T.OCTET_STRING, T.UNSIGNED, T.DOUBLE_LONG_UNSIGNED, T.LONG64)
    return [
        row(*(cell(data_type, number) for data_type in types))
        for number in range(start, start + count)
    ]


def cells_of(data: Data) -> tuple[Data, ...]:
    assert isinstance(data.value, tuple)
    return tuple(each for each in data.value if isinstance(each, Data))


def plainly(octets: bytes) -> list[tuple[Data, ...]]:
    """Read rows by the plain reader."""
    data = read_data(Reader(octets))
    if data.type is T.NULL_DATA:
        return []
    elements = (
        data.value.elements if isinstance(data.value, CompactArray) else cells_of(data)
    )
    return [
        cells_of(each) if each.type is T.STRUCTURE else (each,) for each in elements
    ]


def at_once(buffer: bytes | Data) -> list[tuple[Data, ...]]:
    """Read rows at once, and put the types back to the values."""
    return [
        tuple(map(Data, run.types, values, strict=True))
        for run in read_rows(buffer)
        for values in run.rows
    ]


def check_twin(octets: bytes) -> list[RowRun]:
    rows = plainly(octets)
    assert at_once(octets) == rows
    assert at_once(read_data(Reader(octets))) == rows
    return list(read_rows(octets))


@each(vectors("axdr", "profile-buffer"))
def test_captured_buffers(vector: Vector) -> None:
    check_twin(vector.octets)
    check_prefixes(vector.octets, lambda octets: list(read_rows(octets)))


def test_the_vectors_are_there() -> None:
    assert len(vectors("axdr", "profile-buffer")) == 2


def test_rows_alike_are_read_in_runs() -> None:
    runs = check_twin(encode_data(array(load_profile(1000))))
    assert max(len(run.rows) for run in runs) == ROWS_AT_ONCE
    assert len(runs) < 10


@pytest.mark.parametrize("data_type", DataType)
def test_every_type(data_type: DataType) -> None:
    rows = [row(cell(data_type, number), cell(T.LONG, number)) for number in range(9)]
    check_twin(encode_data(array(rows)))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 127, 128, 300])
def test_any_number_of_rows_and_cells(count: int) -> None:
    check_twin(encode_data(array(load_profile(count))))
    wide = [row(*(cell(T.UNSIGNED, n + k) for n in range(count))) for k in range(4)]
    check_twin(encode_data(array(wide)))


def test_null_compressed_rows() -> None:
    """Once a day a row has its time, the others leave it out."""
    day = load_profile(96)
    compressed = [row(NULL, *cells_of(each)[1:]) for each in day[1:]]
    runs = check_twin(encode_data(array([day[0], *compressed] * 5)))
    assert len(runs) < 30


def test_rows_of_no_common_shape() -> None:
    random = Random(7)
    types = [each for each in DataType if each not in (T.ARRAY, T.COMPACT_ARRAY)]
    for _ in range(20):
        rows = [
            row(*(cell(random.choice(types), random.randrange(99)) for _ in range(5)))
            for _ in range(50)
        ]
        check_twin(encode_data(array(rows)))


def test_strings_of_changing_length() -> None:
    """More shapes than are kept: from then on row by row."""
    lengths = [*range(100), 126, 127, 128, 200, *range(100)]
    texts = [row(Data(T.VISIBLE_STRING, "x" * length)) for length in lengths]
    rows = [row(Data(T.OCTET_STRING, bytes(length))) for length in lengths]
    assert len(set(rows + texts)) > MAX_SHAPES
    check_twin(encode_data(array(rows + texts)))
    twice = [each for each in rows + texts for _ in range(3)]
    check_twin(encode_data(array(twice)))


def test_elements_that_are_no_structures() -> None:
    """A profile of one column might send its values bare."""
    values = [cell(T.DOUBLE_LONG, number) for number in range(5)]
    runs = check_twin(encode_data(array([*values, array(values), *values])))
    assert runs[0] == RowRun((T.DOUBLE_LONG,), [(0,)])


def test_an_empty_buffer_may_be_null() -> None:
    assert not check_twin(b"\0")


def test_octets_behind_are_passed_over() -> None:
    octets = encode_data(array(load_profile(5)))
    assert at_once(octets + octets) == plainly(octets)


COMPACT_TYPES = [
    (T.OCTET_STRING, T.UNSIGNED, T.DOUBLE_LONG_UNSIGNED),
    (T.UNSIGNED, T.LONG64_UNSIGNED),
    (T.NULL_DATA, T.UNSIGNED),
    (T.VISIBLE_STRING, T.BIT_STRING, T.BOOLEAN),
]


def compact(element: TypeDescription, elements: list[Data]) -> bytes:
    value = CompactArray(element, tuple(elements))
    return encode_data(Data(T.COMPACT_ARRAY, value))


@pytest.mark.parametrize("types", COMPACT_TYPES)
def test_compact_array(types: tuple[DataType, ...]) -> None:
    description = TypeDescription(T.STRUCTURE, tuple(map(TypeDescription, types)))
    rows = [row(*(cell(each, number) for each in types)) for number in range(500)]
    octets = compact(description, rows)
    runs = check_twin(octets)
    assert len(runs) < 10
    check_prefixes(compact(description, rows[:3]), lambda part: list(read_rows(part)))


def test_compact_array_of_what_has_no_fixed_shape() -> None:
    pair = TypeDescription(T.ARRAY, (TypeDescription(T.UNSIGNED),), 2)
    number = TypeDescription(T.UNSIGNED)
    pairs = [array([cell(T.UNSIGNED, n), cell(T.UNSIGNED, n + 1)]) for n in range(9)]
    check_twin(compact(pair, pairs))
    check_twin(compact(number, [cell(T.UNSIGNED, n) for n in range(9)]))
    mixed = TypeDescription(T.STRUCTURE, (pair, number))
    check_twin(compact(mixed, [row(each, cell(T.UNSIGNED, 1)) for each in pairs]))
    text = TypeDescription(T.STRUCTURE, (TypeDescription(T.OCTET_STRING),))
    texts = [row(Data(T.OCTET_STRING, bytes(length))) for length in (3, 3, 200, 3, 4)]
    check_twin(compact(text, texts))
    wide = TypeDescription(T.STRUCTURE, (number,) * 130)
    check_twin(compact(wide, [row(*(cell(T.UNSIGNED, n) for n in range(130)))] * 3))


@each(vectors("axdr", "axdr-data"))
def test_any_array(vector: Vector) -> None:
    try:
        expected = plainly(vector.octets)
    except AssertionError, DlmsError:  # no array, or no value at all
        return
    if vector.octets[0] in (T.ARRAY, T.COMPACT_ARRAY):
        assert at_once(vector.octets) == expected


@pytest.mark.parametrize(
    "octets",
    [
        "",
        "06 00000001",  # a number is no buffer
        "02 01 11 05",  # nor is a row
        "01 05 00 00",  # rows announced, not sent
        "01 01 02 01 07",  # cut off in a cell
        "01 02 02 01 11 05 02 01 11",
        "01 01 02 01 0e 00",  # no such type
        "01 01 02 01 09 05 00 00",
        "13 02 01 00 02 00 00",  # null-data only: inflates
        "13 02 01 12 03 00 01 00",  # ends inside a row
        "13 02 01 12 04 00 01",  # ends before the contents do
        "13 00 05 00 00",
    ],
)
def test_nonsense(octets: str) -> None:
    with pytest.raises(DecodeError):
        list(read_rows(bytes.fromhex(octets)))


@pytest.mark.parametrize("data", [cell(T.LONG, 1), row(), Data(T.ENUM, 1)])
def test_decoded_nonsense(data: Data) -> None:
    with pytest.raises(DecodeError):
        list(read_rows(data))


def test_the_rows_before_the_fault_are_read() -> None:
    octets = encode_data(array(load_profile(500)))[:-3]
    runs = read_rows(octets)
    assert sum(len(run.rows) for run in islice(runs, 4)) > 2 * ROWS_AT_ONCE
    with pytest.raises(DecodeError):
        list(runs)


def test_damage() -> None:
    """Whatever happens to the octets: the same as the plain reader says, or `DecodeError`."""
    whole = [
        encode_data(array(load_profile(6))),
        encode_data(array([*load_profile(3), row(NULL, NULL), *load_profile(3)])),
        compact(
            TypeDescription(T.STRUCTURE, tuple(map(TypeDescription, COMPACT_TYPES[0]))),
            [row(*(cell(each, n) for each in COMPACT_TYPES[0])) for n in range(6)],
        ),
    ]
    for octets, seed in product(whole, range(3)):
        for copy in damaged(octets, seed, 400):
            try:
                rows = at_once(copy)
            except DecodeError:
                continue
            assert repr(rows) == repr(plainly(copy))  # NaN is not equal to itself


def test_slices_take_little_memory() -> None:
    octets = encode_data(array(load_profile(20_000)))
    tracemalloc.start()
    try:
        count = sum(len(run.rows) for run in read_rows(octets))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert peak < 1_000_000


def test_rows_longer_than_any_meter_sends_are_refused() -> None:
    endless = bytes.fromhex("13 01 ffff 06 84 00 03 ff fc")  # array[65535] of uint32
    with pytest.raises(DecodeError, match="rows of more than"):
        list(read_rows(endless + bytes(4 * 65535)))
