"""COSEM Data: every type, every vector, every way to be wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

import pytest

from custom_components.dlms_meter.dlms.codec import axdr
from custom_components.dlms_meter.dlms.codec.axdr import (
    MAX_DEPTH,
    BitString,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    decode_data,
    encode_data,
    read_data,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from tests.harness import (
    Json,
    Vector,
    check_codec,
    check_damage,
    check_prefixes,
    data_of,
    each,
    vectors,
)

T = DataType
REJECTED = [row for row in vectors("axdr") if row.expect == "reject"]
NAN = [row for row in vectors("axdr") if row.name == "float32 NaN"]
ACCEPTED = [row for row in vectors("axdr") if row not in REJECTED + NAN]
NOT_SENT = ["boolean true encoded FF"]


def test_the_vectors_are_all_used() -> None:
    assert (len(REJECTED), len(NAN), len(ACCEPTED)) == (3, 1, 31)


@each(ACCEPTED)
def test_vector(vector: Vector) -> None:
    check_codec(
        data_of(vector.decoded),
        vector.octets,
        decode_data,
        encode_data,
        canonical=vector.name not in NOT_SENT,
    )


@each(REJECTED)
def test_vector_is_refused(vector: Vector) -> None:
    with pytest.raises(DecodeError):
        decode_data(vector.octets)


@each(NAN)
def test_not_a_number(vector: Vector) -> None:
    data = decode_data(vector.octets)
    assert data.type is T.FLOAT32
    assert isinstance(data.value, float)
    assert isnan(data.value)
    assert encode_data(data) == vector.octets
    check_prefixes(vector.octets, decode_data)


@each(vectors("object-list"))
def test_object_list_survives_unchanged(vector: Vector) -> None:
    data = decode_data(vector.octets)
    assert isinstance(data.value, tuple)
    assert len(data.value) == int(vector.hex[2:4], 16)
    assert encode_data(data) == vector.octets
    check_prefixes(vector.octets, decode_data)


def _described(decoded: Json) -> Iterator[Json]:
    """Find each outermost Data a vector describes in the clear."""
    if isinstance(decoded, dict):
        if {"type", "value"} <= decoded.keys():
            yield decoded
            return
        decoded = [value for key, value in decoded.items() if key != "plaintext"]
    if isinstance(decoded, list):
        for value in decoded:
            yield from _described(value)


CARRIERS = [
    row
    for layer in ("apdu", "hdlc", "wrapper")
    for row in vectors(layer)
    if any(_described(row.decoded))
]


@each(CARRIERS)
def test_data_inside_other_vectors(vector: Vector) -> None:
    for decoded in _described(vector.decoded):
        data = data_of(decoded)
        octets = encode_data(data)
        assert octets in vector.octets
        check_codec(data, octets, decode_data, encode_data)


SINGLE: list[tuple[DataType, object, str]] = [
    (T.NULL_DATA, None, "00"),
    (T.DONT_CARE, None, "ff"),
    (T.BOOLEAN, True, "03 01"),
    (T.BOOLEAN, False, "03 00"),
    (T.BIT_STRING, BitString(b"", 0), "04 00"),
    (T.BIT_STRING, BitString(b"\xa0", 3), "04 03 a0"),
    (T.BIT_STRING, BitString(bytes(17), 136), "04 81 88" + "00" * 17),
    (T.DOUBLE_LONG, -2, "05 fffffffe"),
    (T.DOUBLE_LONG_UNSIGNED, 0xFFFFFFFE, "06 fffffffe"),
    (T.FLOATING_POINT, -0.5, "07 bf000000"),
    (T.OCTET_STRING, b"", "09 00"),
    (T.OCTET_STRING, bytes(127), "09 7f" + "00" * 127),
    (T.OCTET_STRING, bytes(128), "09 81 80" + "00" * 128),
    (T.OCTET_STRING, bytes(256), "09 82 0100" + "00" * 256),
    (T.VISIBLE_STRING, "kWh", "0a 03 6b5768"),
    (T.VISIBLE_STRING, "\xcf\xf0", "0a 02 cff0"),
    (T.UTF8_STRING, "\u20ac", "0c 03 e282ac"),
    (T.UTF8_STRING, "\udcff1", "0c 02 ff31"),
    (T.BCD, 0x42, "0d 42"),
    (T.INTEGER, -1, "0f ff"),
    (T.LONG, -2, "10 fffe"),
    (T.UNSIGNED, 254, "11 fe"),
    (T.LONG_UNSIGNED, 0xFFFE, "12 fffe"),
    (T.LONG64, -2, "14 fffffffffffffffe"),
    (T.LONG64_UNSIGNED, 2**64 - 2, "15 fffffffffffffffe"),
    (T.ENUM, 255, "16 ff"),
    (T.FLOAT32, 0.1015625, "17 3dd00000"),
    (T.FLOAT64, 0.1, "18 3fb999999999999a"),
    (T.DATE_TIME, bytes(range(12)), "19 000102030405060708090a0b"),
    (T.DATE, bytes(range(5)), "1a 0001020304"),
    (T.TIME, bytes(range(4)), "1b 00010203"),
    (T.DELTA_INTEGER, -1, "1c ff"),
    (T.DELTA_LONG, -1, "1d ffff"),
    (T.DELTA_DOUBLE_LONG, -1, "1e ffffffff"),
    (T.DELTA_UNSIGNED, 255, "1f ff"),
    (T.DELTA_LONG_UNSIGNED, 0xFFFF, "20 ffff"),
    (T.DELTA_DOUBLE_LONG_UNSIGNED, 0xFFFFFFFF, "21 ffffffff"),
    (T.ARRAY, (), "01 00"),
    (T.STRUCTURE, (Data(T.INTEGER, -1), Data(T.ENUM, 30)), "02 02 0fff 161e"),
    (T.ARRAY, (Data(T.NULL_DATA, None),) * 128, "01 81 80" + "00" * 128),
]


@pytest.mark.parametrize(("data_type", "value", "octets"), SINGLE)
def test_type(data_type: DataType, value: object, octets: str) -> None:
    data = Data(data_type, value)  # type: ignore[arg-type]
    check_codec(data, bytes.fromhex(octets), decode_data, encode_data)
    assert type(decode_data(bytes.fromhex(octets)).value) is type(value)


def test_every_type_has_its_row() -> None:
    tried = {data_type for data_type, _, _ in SINGLE}
    assert tried | {T.COMPACT_ARRAY} == set(DataType)


def _of(data_type: DataType, *elements: TypeDescription) -> TypeDescription:
    return TypeDescription(data_type, elements)


UINT8, UINT16, TEXT = _of(T.UNSIGNED), _of(T.LONG_UNSIGNED), _of(T.VISIBLE_STRING)


@dataclass(frozen=True)
class Compact:
    name: str
    octets: str
    description: TypeDescription
    same: str
    """An ordinary array with the same elements."""


COMPACT = [
    Compact("nothing", "13 11 00", UINT8, "01 00"),
    Compact("nothing, of nulls", "13 00 00", _of(T.NULL_DATA), "01 00"),
    Compact("numbers", "13 12 04 0001 0002", UINT16, "01 02 120001 120002"),
    Compact("texts", "13 0a 05 0141 00 0142", TEXT, "01 03 0a0141 0a00 0a0142"),
    Compact("bits", "13 04 02 03e0", _of(T.BIT_STRING), "01 01 0403e0"),
    Compact(
        "rows with an empty column",
        "13 02 03 11 12 00 06 01 0002 02 0003",
        _of(T.STRUCTURE, UINT8, UINT16, _of(T.NULL_DATA)),
        "01 02 0203 1101 120002 00 0203 1102 120003 00",
    ),
    Compact(
        "array in a structure",
        "13 02 02 12 01 0002 11 04 0005 0a 0b",
        _of(T.STRUCTURE, UINT16, TypeDescription(T.ARRAY, (UINT8,), 2)),
        "01 01 0202 120005 0102 110a 110b",
    ),
    Compact(
        "structure in an array",
        "13 01 0002 02 01 10 04 ffff 0001",
        TypeDescription(T.ARRAY, (_of(T.STRUCTURE, _of(T.LONG)),), 2),
        "01 01 0102 0201 10ffff 0201 100001",
    ),
    Compact(
        "array in an array",
        "13 01 0002 01 0002 11 04 01 02 03 04",
        TypeDescription(T.ARRAY, (TypeDescription(T.ARRAY, (UINT8,), 2),), 2),
        "01 01 0102 0102 1101 1102 0102 1103 1104",
    ),
    Compact(
        "array of none",
        "13 02 02 11 01 0000 11 02 01 02",
        _of(T.STRUCTURE, UINT8, TypeDescription(T.ARRAY, (UINT8,), 0)),
        "01 02 0202 1101 0100 0202 1102 0100",
    ),
    Compact(
        "times and texts",
        "13 02 04 19 1a 1b 09 19 000102030405060708090a0b 0001020304 00010203 03 616263",
        _of(
            T.STRUCTURE,
            *map(TypeDescription, (T.DATE_TIME, T.DATE, T.TIME, T.OCTET_STRING)),
        ),
        "01 01 0204 19000102030405060708090a0b 1a0001020304 1b00010203 0903616263",
    ),
    Compact(
        "as many nulls as one octet may carry",
        "13 02 03 11 00 00 01 07",
        _of(T.STRUCTURE, UINT8, *[_of(T.NULL_DATA)] * 2),
        "01 01 0203 1107 00 00",
    ),
]


@pytest.mark.parametrize("case", COMPACT, ids=lambda case: case.name)
def test_compact_array(case: Compact) -> None:
    elements = decode_data(bytes.fromhex(case.same)).value
    assert isinstance(elements, tuple)
    data = Data(T.COMPACT_ARRAY, CompactArray(case.description, elements))
    check_codec(data, bytes.fromhex(case.octets), decode_data, encode_data)


def test_compact_array_inside_other_data() -> None:
    compact = CompactArray(UINT8, (Data(T.UNSIGNED, 1), Data(T.UNSIGNED, 2)))
    data = Data(T.STRUCTURE, (Data(T.COMPACT_ARRAY, compact), Data(T.ENUM, 5)))
    check_codec(data, bytes.fromhex("0202 1311020102 1605"), decode_data, encode_data)


TOLERATED = [
    ("82 00 88 form of a length", "09820003 616263", "0903616263"),
    ("length in four octets", "0a8400000001 41", "0a0141"),
    ("long form of a count", "018101 00", "010100"),
    ("any octet but 00 is true", "0380", "0301"),
]


@pytest.mark.parametrize(("name", "octets", "sent"), TOLERATED)
def test_octets_we_accept_but_never_send(name: str, octets: str, sent: str) -> None:
    value = decode_data(bytes.fromhex(sent))
    check_codec(value, bytes.fromhex(octets), decode_data, encode_data, canonical=False)


REFUSED = [
    ("08", "08 is not the tag of a data type (at octet 0)"),
    ("0201 0b", "0B is not the tag of a data type (at octet 2)"),
    ("0980", "length octet 80 is not supported (at octet 1)"),
    ("09850000000001", "length octet 85 is not supported (at octet 1)"),
    ("0984ffffffff00", "4294967295 octets announced, 1 left (at octet 1)"),
    ("0484ffffffff00", "the data goes on after the last octet (at octet 7)"),
    ("018400ffffff0000", "16777215 elements announced, 2 octets left (at octet 1)"),
    ("1203", "the data goes on after the last octet (at octet 2)"),
    ("130203111112", "the data goes on after the last octet (at octet 6)"),
    ("1302ff0000", "length octet FF is not supported (at octet 2)"),
    ("13027f0000", "127 elements announced, 2 octets left (at octet 2)"),
    ("13080100", "08 is not the tag of a type description (at octet 1)"),
    ("13131100", "13 is not the tag of a type description (at octet 1)"),
    (
        "13120300010002",
        "the contents of a compact-array end inside an element (at octet 6)",
    ),
    ("13000100", "compact-array of elements that take next to no octets (at octet 2)"),
    ("13ff0100", "compact-array of elements that take next to no octets (at octet 2)"),
    (
        "1301000011010011",
        "compact-array of elements that take next to no octets (at octet 5)",
    ),
    (
        "1301ffff02000100",
        "compact-array of elements that take next to no octets (at octet 6)",
    ),
    (
        "130204 11 00 00 00 01 07",
        "compact-array of elements that take next to no octets (at octet 7)",
    ),
    (  # found by fuzzing: thousands of millions of nulls were made before the octets came to their end
        "13 02 02 01ffff01ffff00 01ffff01ffff11 0a" + "00" * 10,
        "the contents of a compact-array are less than one element (at octet 17)",
    ),
    (
        "13 02 8203ff" + "11" * 1023,
        "1023 elements announced, 1020 octets left (at octet 2)",
    ),
]


def test_values_of_a_compact_array_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(axdr, "MAX_VALUES", 12)
    rows = "13 02 02 11 11 {:02x} {}"
    decode_data(bytes.fromhex(rows.format(8, "00" * 8)))
    with pytest.raises(DecodeError, match="more than 12 values"):
        decode_data(bytes.fromhex(rows.format(10, "00" * 10)))


@pytest.mark.parametrize(("octets", "message"), REFUSED)
def test_refusal_says_what_and_where(octets: str, message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_data(bytes.fromhex(octets))
    assert str(caught.value) == message


def _nested(depth: int) -> Data:
    data = Data(T.NULL_DATA, None)
    for _ in range(depth):
        data = Data(T.STRUCTURE, (data,))
    return data


def test_depth_is_bounded() -> None:
    deepest = _nested(MAX_DEPTH)
    octets = encode_data(deepest)
    assert decode_data(octets) == deepest
    with pytest.raises(DecodeError, match=f"nested more than {MAX_DEPTH} deep"):
        decode_data(b"\x02\x01" + octets)
    with pytest.raises(DecodeError, match="deep"):
        decode_data(b"\x01\x01" * 100_000)
    with pytest.raises(LocalProtocolError, match="deep"):
        encode_data(_nested(MAX_DEPTH + 1))


@pytest.mark.parametrize("step", ["0201", "010001"])
def test_depth_of_a_type_description_is_bounded(step: str) -> None:
    date = "1a 05 07ea0b1701"
    deepest = bytes.fromhex(f"13 {step * MAX_DEPTH} {date}")
    assert encode_data(decode_data(deepest)) == deepest
    with pytest.raises(DecodeError, match="deep"):
        decode_data(bytes.fromhex(f"13 {step * (MAX_DEPTH + 1)} {date}"))


def test_read_data_stays_within_its_reader() -> None:
    octets = bytes.fromhex("ffff 0203 1101 0902aabb 120001 1107")
    reader = Reader(octets, 2, 12)
    with pytest.raises(DecodeError, match="at octet 12"):
        read_data(reader)
    assert reader.offset == 2
    reader = Reader(octets, 4, 14)
    assert read_data(reader) == Data(T.UNSIGNED, 1)
    assert read_data(reader) == Data(T.OCTET_STRING, b"\xaa\xbb")
    assert read_data(reader) == Data(T.LONG_UNSIGNED, 1)
    with pytest.raises(DecodeError, match="at octet 14"):
        read_data(reader)


def _compact(description: TypeDescription, *elements: Data) -> CompactArray:
    return CompactArray(description, elements)


IMPOSSIBLE: list[tuple[DataType, object]] = [
    (T.NULL_DATA, 0),
    (T.BOOLEAN, 1),
    (T.DOUBLE_LONG, 2**31),
    (T.UNSIGNED, -1),
    (T.UNSIGNED, 1.0),
    (T.ENUM, None),
    (T.FLOAT32, 1e39),
    (T.FLOAT32, "1"),
    (T.OCTET_STRING, "00"),
    (T.VISIBLE_STRING, b"A"),
    (T.VISIBLE_STRING, "\u20ac"),
    (T.UTF8_STRING, 1),
    (T.UTF8_STRING, "\ud800"),
    (T.DATE_TIME, bytes(11)),
    (T.DATE, bytes(6)),
    (T.TIME, 0),
    (T.BIT_STRING, b"\x00"),
    (T.BIT_STRING, BitString(b"", 1)),
    (T.STRUCTURE, [Data(T.ENUM, 1)]),
    (T.STRUCTURE, Data(T.ENUM, 1)),
    (T.ARRAY, (1, 2)),
    (T.COMPACT_ARRAY, ()),
    (T.COMPACT_ARRAY, _compact(_of(T.COMPACT_ARRAY))),
    (T.COMPACT_ARRAY, _compact(_of(T.ARRAY))),
    (T.COMPACT_ARRAY, _compact(TypeDescription(T.ARRAY, (UINT8,), 65536))),
    (T.COMPACT_ARRAY, _compact(_of(T.NULL_DATA), Data(T.NULL_DATA, None))),
    (T.COMPACT_ARRAY, _compact(UINT8, Data(T.ENUM, 1))),
    (T.COMPACT_ARRAY, _compact(_of(T.STRUCTURE, UINT8), Data(T.STRUCTURE, ()))),
]


@pytest.mark.parametrize(("data_type", "value"), IMPOSSIBLE)
def test_impossible_data_is_not_sent(data_type: DataType, value: object) -> None:
    with pytest.raises(LocalProtocolError):
        encode_data(Data(data_type, value))  # type: ignore[arg-type]


def test_type_description_too_deep_is_not_sent() -> None:
    description = UINT8
    for _ in range(MAX_DEPTH + 1):
        description = _of(T.STRUCTURE, description)
    with pytest.raises(LocalProtocolError, match="deep"):
        encode_data(Data(T.COMPACT_ARRAY, CompactArray(description, ())))


def test_refusal_to_send_keeps_the_value_to_itself() -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode_data(Data(T.VISIBLE_STRING, "s\u20accret"))
    assert "cret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_bit_string_shows_its_bits() -> None:
    assert str(BitString(b"\xa5\x80", 10)) == "1010010110"


def test_one_octet_values_are_shared() -> None:
    rows = decode_data(bytes.fromhex("0102 1105 1105")).value
    assert isinstance(rows, tuple)
    assert rows[0] is rows[1]


@each([*vectors("axdr"), *vectors("object-list")])
def test_damaged_vector(vector: Vector) -> None:
    check_damage(vector.octets, decode_data, count=200)


def test_every_vector_is_no_danger_as_data() -> None:
    for vector in vectors():
        if isinstance(vector.hex, str):
            check_damage(vector.octets, decode_data, count=20)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("0600012345", "DOUBLE_LONG_UNSIGNED 74565"),
        ("0902abcd", "OCTET_STRING abcd"),
        ("0404a0", "BIT_STRING 1010"),
        ("00", "NULL_DATA None"),
        ("0103 0000 0202 0000", "ARRAY of 3"),
        ("0203 0000 0202 0000", "STRUCTURE of 3"),
        ("1311 03 010203", "COMPACT_ARRAY of 3"),
        ("0964" + "77" * 100, "OCTET_STRING " + "77" * 40),
    ],
)
def test_text_for_messages_is_short(octets: str, text: str) -> None:
    assert str(decode_data(bytes.fromhex(octets))) == text
