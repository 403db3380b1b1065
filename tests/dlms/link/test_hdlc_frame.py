"""HDLC frames against every frame on record, and the stream decoder against everything a line does to them."""

from random import Random

import pytest

from custom_components.dlms_meter.dlms.codec.crc import fcs16
from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    MAX_INFORMATION_LENGTH,
    Frame,
    FrameDecoder,
    FrameType,
)
from tests.harness import (
    Json,
    Vector,
    check_codec,
    check_damage,
    check_stream,
    damaged,
    each,
    feed_by_bytes,
    vectors,
)

UA = bytes.fromhex("7ea00721037301407e")
LONGEST = Frame(
    HdlcAddress(1, 17, 4),
    HdlcAddress(16),
    FrameType.I,
    b"\x7e" * MAX_INFORMATION_LENGTH,
)


def frame_of(decoded: Json) -> Frame:
    """Build the frame a vector describes."""
    destination, source = (
        HdlcAddress(end["logical"], end["physical"], end["size"])
        for end in (decoded["dst"], decoded["src"])
    )
    return Frame(
        destination,
        source,
        FrameType[decoded["frame"]],
        bytes.fromhex(decoded["info"]),
        decoded["segmented"],
        decoded["pf"],
        decoded.get("ns", 0),
        decoded.get("nr", 0),
    )


@each(vectors("hdlc"))
def test_every_frame_on_record(vector: Vector) -> None:
    frame = frame_of(vector.decoded)
    check_codec(frame, vector.octets, Frame.decode, Frame.encode)
    assert f"{frame.control:02x}" == vector.decoded["control"]
    assert check_stream(lambda: FrameDecoder().feed, vector.octets) == [frame]
    check_damage(vector.octets, Frame.decode, count=20)


@each([row for row in vectors("bytes") if row.expect != "discard"])
def test_streams_on_record(vector: Vector) -> None:
    expected = vector.decoded.get("frames") or [
        vector.decoded[name] for name in ("sent", "reply") if name in vector.decoded
    ]
    frames = check_stream(lambda: FrameDecoder().feed, vector.octets)
    assert [frame.encode().hex() for frame in frames] == (expected or [UA.hex()])


@each([row for row in vectors("bytes") if row.expect == "discard"])
def test_damaged_frames_on_record(vector: Vector) -> None:
    with pytest.raises(DecodeError):
        Frame.decode(vector.octets)
    decoder = FrameDecoder()
    assert feed_by_bytes(decoder.feed, vector.octets) == []
    assert decoder.feed(UA) == [Frame.decode(UA)]


def test_frames_of_recorded_sessions() -> None:
    steps = [
        step
        for vector in vectors("session")
        for step in vector.decoded["frames"]
        if step["layer"] == "hdlc"
    ]
    assert len(steps) > 300
    stream = b"".join(bytes.fromhex(step["hex"]) for step in steps)
    statistics = (decoder := FrameDecoder()).statistics
    frames = decoder.feed(stream)
    assert [frame.encode().hex() for frame in frames] == [step["hex"] for step in steps]
    assert (statistics.bad_checks, statistics.octets_discarded) == (0, 0)


def sealed(contents: str) -> bytes:
    """Put one check and the flags around octets."""
    octets = bytes.fromhex(contents)
    return b"\x7e" + octets + fcs16(octets) + b"\x7e"


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "begins with 7E"),
        (b"\x00" + UA[1:], "begins with 7E"),
        (bytes.fromhex("7eb00721037301407e"), "format B0"),
        (UA[:-1], "7 octets announced, 6 present"),
        (UA + b"\x7e", "7 octets announced, 8 present"),
        (UA[:-1] + b"\x00", "no flag"),
        (UA[:5] + b"\x74" + UA[6:], "wrong frame check"),
        (sealed("a007210357"), "control octet 57 is unknown"),
        (sealed("a007020002"), "no valid HDLC addresses"),
        (sealed("a007210273"), "no valid HDLC addresses"),
        (sealed("a0082103737300"), "octets announced"),
        (sealed("a00921037373ff"), "no valid HDLC addresses"),
        (sealed("a00a2103737300ff"), "wrong header check"),
        (bytes.fromhex("7ea0027e"), "no valid HDLC addresses"),
    ],
)
def test_what_is_no_frame(octets: bytes, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        Frame.decode(octets)
    frames = FrameDecoder().feed(octets + b"\x00" + UA)
    assert frames == [Frame.decode(UA)] * (1 + octets.startswith(UA))


def test_header_check_is_needed_even_if_the_frame_check_is_good() -> None:
    good = LONGEST.encode()
    broken = good[:10] + b"\x00\x00" + good[12:-3]
    broken = broken + fcs16(broken[1:]) + b"\x7e"
    with pytest.raises(DecodeError, match="header check"):
        Frame.decode(broken)


def test_longest_and_too_long() -> None:
    check = Frame.decode(LONGEST.encode())
    assert check == LONGEST
    assert FrameDecoder().feed(LONGEST.encode()) == [LONGEST]
    with pytest.raises(LocalProtocolError, match="do not fit"):
        LONGEST._replace(information=bytes(2040)).encode()


def test_every_control_octet_is_itself_or_refused() -> None:
    known = 0
    for control in range(256):
        octets = sealed(f"a0072103{control:02x}")
        try:
            frame = Frame.decode(octets)
        except DecodeError:
            continue
        known += 1
        assert frame.encode() == octets
    assert known == 128 + 3 * 16 + 6 * 2


def test_text_for_logs_shows_no_information() -> None:
    text = str(LONGEST._replace(segmented=True, receive_sequence=3, send_sequence=2))
    assert text == "I N(S)2 N(R)3 P/F 16 → 1/17 [2030 octets] more follows"
    assert str(Frame.decode(UA)) == "UA P/F 1 → 16"
    assert str(Frame.decode(UA)._replace(poll_final=False)) == "UA 1 → 16"


def test_flags_between_frames_are_no_loss() -> None:
    decoder = FrameDecoder()
    frames = feed_by_bytes(
        decoder.feed, b"\x7e\x7e" + UA[:-1] + UA + b"\x7e\x7e\x7e" + UA
    )
    assert len(frames) == 3
    assert decoder.statistics.octets_discarded == 0
    assert decoder.flush() == []
    assert decoder.feed(UA[1:]) == [Frame.decode(UA)]  # the flag before is still good


def test_garbage_is_counted_and_passed_over() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(b"\x00\xff\x41" + UA) == [Frame.decode(UA)]
    assert decoder.statistics.octets_discarded == 3
    assert decoder.statistics.bad_checks == 0


def test_damaged_length_does_not_make_us_wait() -> None:
    octets = bytearray(LONGEST.encode()[:200])
    octets[1] = 0xA7
    octets[2] = 0xFF
    decoder = FrameDecoder()
    assert decoder.feed(bytes(octets) + UA) == [Frame.decode(UA)]
    assert decoder.statistics.bad_checks >= 1


def test_truncated_frame_gives_way_after_silence() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(LONGEST.encode()[:300] + UA) == []
    assert decoder.flush() == [Frame.decode(UA)]
    assert decoder.feed(UA) == [Frame.decode(UA)]


def test_truncated_frame_gives_way_when_the_next_one_fills_its_place() -> None:
    information = bytes(range(100))
    whole = LONGEST._replace(information=information).encode()
    decoder = FrameDecoder()
    assert decoder.feed(whole[:-20]) == []
    frames = decoder.feed(whole + UA)
    assert [frame.encode() for frame in frames] == [whole, UA]


def test_wrong_frame_check_is_counted_once() -> None:
    octets = bytearray(LONGEST.encode())
    octets[500] ^= 0x01
    decoder = FrameDecoder()
    assert decoder.feed(bytes(octets) + UA)[-1:] == [Frame.decode(UA)]
    assert decoder.statistics.bad_checks == 1


def test_memory_stays_bounded_whatever_comes() -> None:
    random = Random(7)
    decoder = FrameDecoder()
    for _ in range(500):
        decoder.feed(
            random.choice([random.randbytes(97), b"\x7e\xa7\xff\x21", b"\x7e"])
        )
        assert len(decoder._buffer) <= 2049


@each(vectors("hdlc"))
def test_usual_frames_read_as_their_plain_twin(vector: Vector) -> None:
    """What is decoded at once is what is found octet by octet; damage leaves it to those that know more about it."""
    shifted = vector.octets.removeprefix(b"\x7e")
    for octets in (vector.octets, b"\x7e" + shifted, *damaged(vector.octets, 5, 200)):
        at_once, one_by_one = FrameDecoder(), FrameDecoder()
        frames = at_once.feed(octets)
        assert frames == feed_by_bytes(one_by_one.feed, octets)
        assert at_once.flush() == one_by_one.flush()
        assert at_once.statistics == one_by_one.statistics


@pytest.mark.parametrize("server", [(1, None, 1), (1, 17, 2), (1, 9561, 4)])
def test_usual_frames_of_every_length_of_address(
    server: tuple[int, int | None, int],
) -> None:
    frame = Frame(
        HdlcAddress.client(16), HdlcAddress(*server), FrameType.I, bytes(130), True
    )
    octets = frame.encode()
    decoder = FrameDecoder()
    assert decoder.feed(octets) == decoder.feed(octets[1:]) == [frame]
    assert decoder.feed(octets + octets[1:] + octets) == [frame] * 3


def test_too_long_for_its_format() -> None:
    """A length that only looks right because a bit of it is the type of the format."""
    octets = b"\x7e" + (0xA000 + 4096).to_bytes(2) + bytes(4094) + b"\x7e"
    assert FrameDecoder().feed(octets) == []


def test_sound_frame_of_an_unknown_kind_is_counted_as_damaged() -> None:
    head = (0xA000 | 12).to_bytes(2) + bytes((0x21, 0x03, 0xEF))
    contents = head + fcs16(head) + b"\x01\x02\x03"
    octets = b"\x7e" + contents + fcs16(contents) + b"\x7e"
    decoder = FrameDecoder()
    assert decoder.feed(octets) == []
    assert decoder.statistics.bad_checks == 1
