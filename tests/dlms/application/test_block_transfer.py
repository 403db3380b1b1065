"""General block transfer: windows, streaming, blocks lost in either direction, and blocks that a meter pushes."""

from collections.abc import Callable, Iterator
from itertools import product

import pytest

from custom_components.dlms_meter.dlms.application import block_transfer
from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.block_transfer import (
    BLOCK_OVERHEAD,
    Blocks,
    BlockTransfer,
    GeneralBlockTransfer,
)
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    DlmsError,
    LocalProtocolError,
    RemoteProtocolError,
)
from tests.harness import check_damage, vectors

REQUEST = bytes(range(100))
ANSWER = bytes(range(255, -1, -1)) * 2
CAPACITY = 40
DATA = CAPACITY - BLOCK_OVERHEAD


def decode(octets: bytes) -> GeneralBlockTransfer:
    block = decode_apdu(octets)
    assert isinstance(block, GeneralBlockTransfer)
    return block


def data(
    number: int, octets: bytes = b"data", *, last: bool = False, streaming: bool = False
) -> GeneralBlockTransfer:
    return GeneralBlockTransfer(last, streaming, 1, number, 0, octets)


def acknowledgement(ack: int, number: int = 1, window: int = 1) -> GeneralBlockTransfer:
    return GeneralBlockTransfer(True, False, window, number, ack)


def test_an_apdu_that_fits_goes_as_it_is() -> None:
    assert Blocks(1).outgoing(REQUEST, None) == [REQUEST]
    assert Blocks(1).outgoing(REQUEST, len(REQUEST)) == [REQUEST]
    assert len(Blocks(1).outgoing(REQUEST, len(REQUEST) - 1)) == 1  # a window of 1


def test_blocks_of_a_request_one_by_one() -> None:
    """As long as nobody knows how many blocks the meter takes, each waits for its acknowledgement."""
    transfer = BlockTransfer(window=5)
    sent = [decode(block) for block in transfer.begin(REQUEST, CAPACITY)]
    for number in (1, 2, 3):
        assert sent[-1] == GeneralBlockTransfer(
            False, False, 5, number, number - 1, REQUEST[DATA * (number - 1) : DATA * number]
        )  # fmt: skip
        replies, apdu = transfer.receive(acknowledgement(number, number))
        assert apdu is None
        sent += map(decode, replies)
    assert sent[-1] == GeneralBlockTransfer(True, False, 5, 4, 3, REQUEST[DATA * 3 :])
    assert len(sent) == 4
    assert all(len(block.encode()) <= CAPACITY for block in sent)
    assert transfer.receive(acknowledgement(4, 4)) == ([], None)
    assert transfer.receive(data(5, b"answer", last=True)) == ([], b"answer")


def test_a_window_of_blocks_streams() -> None:
    transfer = BlockTransfer()
    transfer.begin(REQUEST, CAPACITY)
    replies, _ = transfer.receive(acknowledgement(1, window=2))
    blocks = list(map(decode, replies))
    assert [block.block_number for block in blocks] == [2, 3]
    assert [block.streaming for block in blocks] == [True, False]
    assert not any(block.last_block for block in blocks)


def test_a_lost_block_of_ours_is_sent_again() -> None:
    transfer = BlockTransfer(peer_window=3)
    transfer.begin(REQUEST, CAPACITY)
    replies, _ = transfer.receive(acknowledgement(1, window=3))
    assert [decode(reply).block_number for reply in replies] == [2, 3, 4]


def test_blocks_of_ours_that_never_arrive() -> None:
    transfer = BlockTransfer()
    transfer.begin(REQUEST, CAPACITY)
    for _ in range(3):
        assert len(transfer.receive(acknowledgement(0)).replies) == 1
    with pytest.raises(RemoteProtocolError, match="block 1 of ours does not arrive"):
        transfer.receive(acknowledgement(0))


def test_every_block_of_ours_may_be_lost_now_and_then() -> None:
    """It is only the same one that may not be lost for ever."""
    transfer = BlockTransfer()
    transfer.begin(REQUEST, CAPACITY)
    for arrived in (0, 1, 2, 3):
        for _ in range(3 if arrived else 2):
            (again,) = transfer.receive(acknowledgement(arrived)).replies
            assert decode(again).block_number == arrived + 1


def test_numbers_do_not_go_back_when_an_old_acknowledgement_comes_late() -> None:
    transfer = BlockTransfer()
    transfer.begin(REQUEST, CAPACITY)
    for arrived in (1, 2, 3, 1):
        (reply,) = transfer.receive(acknowledgement(arrived)).replies
        assert decode(reply).block_number == arrived + 1
    (reply,) = transfer.receive(data(5, b"answer")).replies
    assert decode(reply).block_number == 5


def test_blocks_are_asked_for_in_vain_until_one_comes() -> None:
    transfer = BlockTransfer()
    transfer.receive(data(1))
    transfer.repeat()
    transfer.repeat()
    assert transfer.asked_in_vain == 2
    transfer.receive(data(2))
    assert transfer.asked_in_vain == 0


def test_an_acknowledgement_of_what_was_never_sent_counts_as_one_of_what_was() -> None:
    transfer = BlockTransfer()
    transfer.begin(REQUEST, CAPACITY)
    (reply,) = transfer.receive(acknowledgement(4)).replies
    assert decode(reply).block_number == 2


def test_an_answer_in_windows() -> None:
    transfer = BlockTransfer(window=2)
    assert transfer.receive(data(1, b"a", streaming=True)) == ([], None)
    ((reply,), apdu) = transfer.receive(data(2, b"b"))
    assert decode(reply) == GeneralBlockTransfer(True, False, 2, 1, 2)
    assert apdu is None
    assert transfer.receive(data(3, b"c", streaming=True)) == ([], None)
    assert transfer.receive(data(4, b"", last=True)) == ([], b"abc")


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_a_lost_block_of_theirs_is_asked_for(lost: int) -> None:
    transfer = BlockTransfer(window=3)
    blocks = [
        data(number, bytes((number,)), streaming=number < 3) for number in (1, 2, 3)
    ]
    replies: list[bytes] = []
    for block in blocks:
        if block.block_number != lost:
            replies += transfer.receive(block).replies
    if not replies:  # the end of the window got lost
        replies = transfer.repeat()
    (reply,) = replies
    assert decode(reply).block_number_ack == lost - 1
    for block in blocks[lost - 1 :]:
        replies = transfer.receive(block).replies
    assert decode(replies[0]).block_number_ack == 3
    assert transfer.receive(data(4, b"\4", last=True)).apdu == b"\1\2\3\4"


def test_a_lost_block_of_theirs_that_never_comes() -> None:
    transfer = BlockTransfer()
    for _ in range(3):
        assert len(transfer.receive(data(2)).replies) == 1
    with pytest.raises(RemoteProtocolError, match="block 1 does not arrive"):
        transfer.receive(data(2))


def test_a_repeated_block_is_acknowledged_again() -> None:
    transfer = BlockTransfer()
    transfer.receive(data(1, b"a"))
    ((reply,), apdu) = transfer.receive(data(1, b"a"))
    assert decode(reply).block_number_ack == 1
    assert apdu is None
    assert transfer.receive(data(2, b"b", last=True)).apdu == b"ab"


def test_acknowledgements_may_count_as_blocks_or_not() -> None:
    for first in (1, 4):
        transfer = BlockTransfer()
        transfer.begin(REQUEST, CAPACITY)
        for number in (1, 2, 3):
            transfer.receive(acknowledgement(number, number))
        transfer.receive(data(first, b"a"))
        assert transfer.receive(data(first + 1, b"b", last=True)).apdu == b"ab"


def test_an_acknowledgement_of_nothing_is_no_answer() -> None:
    """One that was late on its way, and comes when the next request needed no blocks."""
    transfer = BlockTransfer()
    assert transfer.receive(acknowledgement(0)) == ([], None)
    for number in (1, 2):
        assert transfer.receive(acknowledgement(4, number)) == ([], None)
    assert transfer.receive(data(1, b"answer", last=True)) == ([], b"answer")


def test_silence() -> None:
    assert BlockTransfer().repeat() == []  # nothing in blocks: the link knows better
    transfer = BlockTransfer()
    (first,) = transfer.begin(REQUEST, CAPACITY)
    assert [transfer.repeat() for _ in range(3)] == [[first]] * 3
    assert transfer.repeat() == []


def test_silence_where_nothing_gets_lost_on_its_way() -> None:
    """The meter has our blocks, or will have them: all of them again would be another request."""
    blocks = Blocks(1)
    blocks.outgoing(REQUEST, CAPACITY)
    for number in (1, 2, 3):
        assert blocks.repeat() == []
        blocks.incoming(acknowledgement(number, number).encode(), awaited=True)
    (asked,) = blocks.repeat()
    assert decode(asked).block_data == b""


def test_silence_after_a_request_that_needed_no_blocks() -> None:
    """Of an answer in blocks, the first may be lost: none has come."""
    blocks = Blocks(5)
    assert blocks.outgoing(REQUEST, None) == [REQUEST]
    assert blocks.repeat() == []
    assert blocks.outgoing(REQUEST, 1000) == [REQUEST]
    (reply,) = blocks.repeat()
    assert decode(reply) == GeneralBlockTransfer(True, False, 5, 1, 0)


def test_no_block_is_asked_for_where_no_answer_is_due() -> None:
    """A meter that says nothing to an unconfirmed request does as it should."""
    blocks = Blocks(1, loses=True)
    assert blocks.outgoing(REQUEST, 1000, answered=False) == [REQUEST]
    assert blocks.repeat() == []
    assert len(blocks.outgoing(REQUEST, CAPACITY, answered=False)) == 1
    assert blocks.repeat()  # our own block may be lost


def test_silence_after_the_last_block_has_arrived() -> None:
    """The answer may be lost: say again what of it is here."""
    transfer = BlockTransfer(peer_window=9)
    transfer.begin(REQUEST, CAPACITY)
    transfer.receive(acknowledgement(4, 1))
    (reply,) = transfer.repeat()
    assert decode(reply) == GeneralBlockTransfer(True, False, 1, 5, 1)


@pytest.mark.parametrize("capacity", [BLOCK_OVERHEAD, 0])
def test_blocks_too_small_for_any_data(capacity: int) -> None:
    with pytest.raises(LocalProtocolError, match="blocks of"):
        BlockTransfer().begin(REQUEST, capacity)


def test_more_blocks_than_can_be_numbered() -> None:
    with pytest.raises(LocalProtocolError, match="octets, but the meter"):
        BlockTransfer().begin(bytes(0x10000), BLOCK_OVERHEAD + 1)


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_transfer, "MAX_OCTETS", 10)
    transfer = BlockTransfer()
    transfer.receive(data(1, bytes(10)))
    with pytest.raises(RemoteProtocolError, match="more than 10 octets"):
        transfer.receive(data(2, b"1"))


class Peers:
    """Two sides and the way between them, on which some messages get lost."""

    def __init__(self, windows: tuple[int, int], lose: Callable[[], bool]) -> None:
        self.client = BlockTransfer(windows[0], peer_window=windows[1])
        self.server = BlockTransfer(windows[1], peer_window=windows[0])
        self.lose = lose
        self.received = b""

    def run(self) -> bytes:
        """Send the request, have it answered, and return the answer."""
        to_server = self.client.begin(REQUEST, CAPACITY)
        for _ in range(500):
            to_client: list[bytes] = []
            for octets in self.carry(to_server):
                replies, apdu = self.server.receive(decode(octets))
                to_client += replies
                if apdu is not None:
                    assert apdu == REQUEST
                    to_client += self.server.begin(ANSWER, CAPACITY)
            to_server = []
            for octets in self.carry(to_client):
                replies, apdu = self.client.receive(decode(octets))
                to_server += replies
                if apdu is not None:
                    return apdu
            to_server = to_server or self.client.repeat()
        raise AssertionError("they go round in circles")

    def carry(self, octets: list[bytes]) -> list[bytes]:
        return [each for each in octets if not self.lose()]


@pytest.mark.parametrize("windows", product((1, 3, 63), repeat=2))
def test_exchange_without_loss(windows: tuple[int, int]) -> None:
    assert Peers(windows, lambda: False).run() == ANSWER


@pytest.mark.parametrize("windows", product((1, 3, 63), repeat=2))
@pytest.mark.parametrize("lost", range(30))
def test_exchange_with_any_one_message_lost(
    windows: tuple[int, int], lost: int
) -> None:
    def losses() -> Iterator[bool]:
        yield from (number == lost for number in range(10_000))

    each = losses()
    assert Peers(windows, lambda: next(each)).run() == ANSWER


@pytest.mark.parametrize("vector", [
    vector for vector in vectors(category="push") if "GBT" in vector.name
], ids=str)  # fmt: skip
def test_pushed_in_blocks(vector: object) -> None:
    """Landis+Gyr E450 stream their pushes: no window, no acknowledgement, not even the last block ends the stream."""
    row = next(each for each in vectors(category="push") if each == vector)
    message = row.decoded["messages"][0]
    stream, blocks, apdu = row.octets, Blocks(1), None
    for frame in message["frames"]:
        start = stream.index(b"\xe0")
        size = 7 + frame["gbt"]["len"]
        octets, stream = stream[start : start + size], stream[start + size :]
        assert apdu is None
        replies, apdu = blocks.incoming(octets, awaited=True)
        assert replies == []
    assert apdu == bytes.fromhex(message["apdu_hex"])


def pushed(number: int, octets: bytes, *, last: bool = False) -> bytes:
    return GeneralBlockTransfer(last, True, 0, number, 0, octets).encode()


def test_a_push_within_an_answer() -> None:
    blocks = Blocks(3)
    blocks.outgoing(REQUEST, None)

    def receive(octets: bytes) -> bytes | None:
        return blocks.incoming(octets, awaited=True).apdu

    assert receive(data(1, b"a", streaming=True).encode()) is None
    assert receive(pushed(1, b"x")) is None
    assert receive(data(2, b"b", streaming=True).encode()) is None
    assert blocks.incoming(pushed(2, b"y", last=True), awaited=False).apdu == b"xy"
    assert receive(data(3, b"c", last=True).encode()) == b"abc"


def test_a_push_with_a_hole_is_dropped() -> None:
    blocks = Blocks(1)

    def receive(octets: bytes) -> bytes | None:
        return blocks.incoming(octets, awaited=False).apdu

    assert receive(pushed(2, b"b", last=True)) is None
    assert receive(pushed(1, b"a")) is None
    assert receive(pushed(3, b"c", last=True)) is None
    assert receive(pushed(2, b"b", last=True)) is None
    assert receive(pushed(1, b"a")) is None
    assert receive(pushed(1, b"A")) is None
    assert receive(pushed(2, b"b", last=True)) == b"Ab"


def test_a_push_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_transfer, "MAX_OCTETS", 10)
    blocks = Blocks(1)
    assert blocks.incoming(pushed(1, bytes(10)), awaited=False).apdu is None
    assert blocks.incoming(pushed(2, b"1", last=True), awaited=False).apdu is None


def test_what_is_no_block() -> None:
    with pytest.raises(DecodeError):
        Blocks(1).incoming(b"\xe0\x00", awaited=True)
    with pytest.raises(DecodeError, match="after the end of the block"):
        Blocks(1).incoming(data(1).encode() + b"\0", awaited=True)


def test_damaged_blocks_never_do_worse_than_fail() -> None:
    def receive(octets: bytes) -> None:
        blocks = Blocks(2)
        blocks.outgoing(REQUEST, CAPACITY)
        try:
            blocks.incoming(acknowledgement(1, window=2).encode(), awaited=True)
            blocks.incoming(octets, awaited=True)
        except DlmsError:
            return

    check_damage(data(1, b"abcdef", streaming=True).encode(), receive, count=500)


def test_the_window_of_the_meter_is_known_from_the_exchange_before() -> None:
    blocks = Blocks(1, loses=True)
    assert len(blocks.outgoing(REQUEST, CAPACITY)) == 1
    blocks.incoming(acknowledgement(1, window=3).encode(), awaited=True)
    assert len(blocks.outgoing(REQUEST, CAPACITY)) == 3
    assert len(blocks.repeat()) == 3
