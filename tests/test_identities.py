"""What is taken for telling in what a meter says, and what is not; and what is kept of a long conversation."""

from datetime import UTC, datetime

import pytest

from custom_components.dlms_meter.anonymity import (
    Anonymiser,
    replace_there,
    without_words,
)
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    CosemObject,
    Data,
    DataType,
    Exchange,
    Obis,
    SelectedAttribute,
    ShortTarget,
    encode_data,
)
from custom_components.dlms_meter.dlms.application.transcript import Asked, Service
from custom_components.dlms_meter.identities import Telling, telling_in
from custom_components.dlms_meter.trace import Occasion, SessionTrace, Trace
from tests.simulator.objects import array, bits, octets, structure, text, uint16, uint32

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLOCK = Obis.parse("0-0:1.0.0")
METER = (
    CosemObject(class_id=8, version=0, logical_name=CLOCK, base_name=0x2000),
    CosemObject(
        class_id=1, version=0, logical_name=Obis.parse("0-0:199.1.1"), base_name=0x2100
    ),
)


def telling(value: Data, class_id: int = 1, code: str = "0-0:199.1.1") -> Telling:
    """Return what is telling in the value of an object."""
    attribute = AttributeDescriptor(class_id, Obis.parse(code), 2)
    return telling_as(SelectedAttribute(attribute), value)


def telling_as(target: SelectedAttribute | ShortTarget, value: Data) -> Telling:
    exchange = Exchange(Asked(Service.READ, target), value, (1,))
    return telling_in([exchange], METER, {"E650"})


DATE_TIME = octets(bytes.fromhex("07EA0B0A020F1E0000FFC400"))


@pytest.mark.parametrize(
    ("value", "class_id", "code"),
    [
        (octets(b""), 1, "0-0:199.1.1"),
        (octets(bytes(8)), 1, "0-0:199.1.1"),
        (octets(b"\xff" * 8), 1, "0-0:199.1.1"),
        (octets(b"E650"), 1, "0-0:199.1.1"),
        (text("E650"), 1, "0-0:199.1.1"),
        (octets(CLOCK), 1, "0-0:199.1.1"),
        (DATE_TIME, 1, "0-0:199.1.1"),
        (octets(bytes.fromhex("07EA0B0A02")), 1, "0-0:199.1.1"),
        (octets(bytes.fromhex("0F1E0000")), 20, "0-0:13.0.0"),
        (octets(b"2.4.1.7"), 1, "1-0:0.2.0"),
        (uint32(9999), 1, "0-0:199.1.1"),
        (uint32(40817263), 3, "1-0:1.8.0"),
        (structure(uint32(40817263)), 7, "1-0:99.1.0"),
        (bits(0x4081, 16), 1, "0-0:199.1.1"),
        (octets(b"anything"), 15, "0-0:40.0.0"),
        (octets(b"anything"), 62, "0-0:66.0.0"),
    ],
)
def test_what_tells_nothing(value: Data, class_id: int, code: str) -> None:
    assert telling(value, class_id, code) == Telling()


@pytest.mark.parametrize(
    ("value", "known_as"),
    [
        (octets(b"Gruber"), "Gruber"),
        (text("Gruber "), "Gruber"),
        (Data(DataType.UTF8_STRING, "Müller"), "Müller"),
        (array([structure(uint16(1), text("Gruber"))]), "Gruber"),
        (uint32(40817263), "40817263"),
        (structure(structure(uint32(40817263))), "40817263"),
    ],
)
def test_what_tells_whose_it_is(value: Data, known_as: str) -> None:
    found = telling(value)
    assert known_as in found.texts
    assert found.placed


def test_short_names_are_known_by_their_objects() -> None:
    assert telling_as(ShortTarget(0x2108), octets(b"Gruber")).texts == {"Gruber"}
    for name in (0x2000, 0x2100):  # names of objects
        assert telling_as(ShortTarget(name), octets(b"abcdef")) == Telling()
    for name in (0x1FF8, 0x2109):  # of nothing that is known
        assert telling_as(ShortTarget(name), octets(b"Gruber")).texts == {"Gruber"}


def test_what_is_short_is_taken_out_where_it_stands() -> None:
    """Three letters turn up anywhere; here they are somebody's."""
    found = telling(octets(b"abc"))
    assert Anonymiser(found.texts, found.octets).octets([b"abc"]) == [b"abc"]
    [(there, secret, other)] = found.replacements()
    messages = [b"\x09\x03abc", b"..\x09\x03abc"]
    assert replace_there(messages, there, secret, other) == [
        b"\x09\x03abc",
        b"..\x09\x03\0\0\0",
    ]
    assert other == encode_data(octets(bytes(3)))


def test_counters_keep_their_order() -> None:
    counter = AttributeDescriptor(1, Obis.parse("0-0:43.1.0"), 2)
    exchanges = [
        Exchange(Asked(Service.READ, SelectedAttribute(counter)), uint32(n), (n,))
        for n in (88, 100, 88)
    ]
    found = telling_in(exchanges, METER, ())
    stand_ins = [other for _, _, other in found.replacements()]
    assert stand_ins == [encode_data(uint32(n)) for n in (1, 2, 1)]


def test_text_is_replaced_by_as_many_octets() -> None:
    """The lengths of messages and blocks stay right."""
    [(_, secret, other)] = telling(Data(DataType.UTF8_STRING, "Bär")).replacements()
    assert len(secret) == len(other)
    assert other == encode_data(Data(DataType.UTF8_STRING, "0000"))


def test_addresses_are_taken_out_wherever_they_come_from() -> None:
    anonymiser = Anonymiser(())
    for address in ("192.168.77.31", "fe80::1ff:fe23:4567:890a", "00:1A:2B:3C:4D:5E"):
        cleaned = anonymiser.text(f"no answer from {address}!")
        assert address not in cleaned
        assert cleaned.startswith("no answer from ")
    kept = "2026-11-20 12:00:30+01:00, 1-0:1.8.0*255, 0-0:96.1.0*255"
    assert anonymiser.text(kept) == kept


def test_words_in_what_nobody_understands() -> None:
    garbled = b"\xc4\x01\xc1\x00\x09\x99\x00\x00Mrs Gruber\x00\x01\x02abc"
    cleaned = without_words(garbled)
    assert len(cleaned) == len(garbled)
    assert b"Gruber" not in cleaned
    assert cleaned.endswith(b"\x00\x01\x02abc")


def test_a_conversation_that_is_too_long_is_cut() -> None:
    session = SessionTrace(Occasion.POLL, NOW)
    session.add(False, bytes(200_000))
    session.add(False, bytes(100_000))
    session.add(False, bytes(5))
    assert session.is_cut
    assert [len(apdu) for _, apdu in session.apdus] == [200_000]


def test_what_is_kept_of_many_sessions() -> None:
    """The last of each occasion, and the longest."""
    trace = Trace()
    trace.observe(True, b"\xc0\x01")  # outside of any session
    for number in range(6):
        with trace.session(Occasion.POLL, NOW.replace(minute=number)):
            trace.observe(False, bytes(100 if number == 0 else 1))
    with trace.session(Occasion.ACTION, NOW.replace(minute=7)):
        trace.observe(True, b"\xff no request")
        trace.observe(False, b"\x61 of the association")
    kept = trace.kept()
    assert [session.begun.minute for session in kept] == [0, 3, 4, 5, 7]
    assert not kept[-1].apdus
    assert trace.sessions == {"poll": 6, "action": 1}
    with pytest.raises(ValueError, match="why"), trace.session(Occasion.POLL, NOW):
        raise ValueError("why")
    assert trace.errors == {"ValueError": 1}
