"""get_many: lists packed to the limits, and every way a meter has to refuse one."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

import pytest

from custom_components.dlms_meter.dlms.application.acse import Rlre
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.association import (
    Association,
)
from custom_components.dlms_meter.dlms.application.enums import (
    Conformance,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    GetResult,
    encode_results,
)
from custom_components.dlms_meter.dlms.application.invocation_counter import (
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.application.packing import (
    MAX_ITEMS_PER_REQUEST,
    FrameLimits,
    items_per_request,
    items_that_fit,
)
from custom_components.dlms_meter.dlms.application.procedures import (
    Pause,
    get_many,
)
from custom_components.dlms_meter.dlms.application.protection import Protection
from custom_components.dlms_meter.dlms.application.security import SecurityContext
from custom_components.dlms_meter.dlms.codec.axdr import Data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    DlmsError,
    RemoteProtocolError,
    ServiceError,
)
from tests.harness import damaged

from .conversation import (
    BUSY,
    DENIED,
    ENERGY,
    EVERYTHING,
    FIRST,
    SECOND,
    UNDEFINED,
    associated,
    normal,
    number,
    registers,
)
from .secured import BOOK, CLIENT_TITLE


class ListMeter:
    """Answers lists, single attributes and blocks from a table; refuses lists as told."""

    def __init__(
        self,
        values: dict[AttributeDescriptor, GetResult],
        *,
        block_size: int | None = None,
        list_answer: Apdu | DecodeError | None = None,
    ) -> None:
        self.requests: list[Apdu] = []
        self._values = values
        self._block_size = block_size
        self._list_answer = list_answer
        self._rest = b""

    def __call__(self, request: Apdu) -> Apdu:
        self.requests.append(request)
        match request:
            case GetRequestNormal(invoke, attribute, None):
                return GetResponseNormal(invoke, self._values[attribute])
            case GetRequestWithList(invoke, attributes):
                return self._answer_list(invoke, attributes)
            case GetRequestNext(invoke, block_number):
                return self._block(invoke, block_number + 1)
            case _:
                raise AssertionError(request)

    def _answer_list(
        self, invoke: InvokeIdAndPriority, attributes: tuple[SelectedAttribute, ...]
    ) -> Apdu:
        if isinstance(self._list_answer, DecodeError):
            raise self._list_answer
        if self._list_answer is not None:
            return self._list_answer
        results = tuple(self._values[selected.attribute] for selected in attributes)
        if self._block_size is None:
            return GetResponseWithList(invoke, results)
        self._rest = encode_results(results)
        return self._block(invoke, 1)

    def _block(self, invoke: InvokeIdAndPriority, block_number: int) -> Apdu:
        octets, self._rest = (
            self._rest[: self._block_size],
            self._rest[self._block_size :],
        )
        return GetResponseWithDatablock(invoke, not self._rest, block_number, octets)

    @property
    def lists(self) -> list[int]:
        """How many attributes each list asked for."""
        return [
            len(request.attributes)
            for request in self.requests
            if isinstance(request, GetRequestWithList)
        ]

    @property
    def singles(self) -> int:
        return sum(isinstance(request, GetRequestNormal) for request in self.requests)


def ask(
    meter: Callable[[Apdu], Apdu],
    association: Association,
    attributes: Sequence[AttributeDescriptor],
    frames: FrameLimits | None = None,
) -> dict[AttributeDescriptor, Data | DlmsError]:
    """Carry out `get_many` through the association, so that its limits are checked."""
    procedure = get_many(association, attributes, frames)
    try:
        request = next(procedure)
        while True:
            if isinstance(request, Pause):
                request = next(procedure)
                continue
            association.encode(request)
            try:
                answer = meter(request)
            except DecodeError as error:
                request = procedure.throw(error)
            else:
                request = procedure.send(answer)
    except StopIteration as done:
        result: dict[AttributeDescriptor, Data | DlmsError] = done.value
        return result


def table(count: int) -> dict[AttributeDescriptor, GetResult]:
    return {attribute: number(n) for n, attribute in enumerate(registers(count))}


@pytest.mark.parametrize("seed", range(40))
def test_lists_are_packed_to_the_limits(seed: int) -> None:
    random = Random(seed)
    values = table(random.choice([0, 1, 2, 5, 20, 130, 300]))
    capacity = random.choice([0, 13, 24, 25, 64, 128, random.randint(13, 4000), 65535])
    association = associated(EVERYTHING, capacity)
    meter = ListMeter(values)
    assert ask(meter, association, list(values)) == values
    assert all(size <= MAX_ITEMS_PER_REQUEST for size in meter.lists)
    # No list is smaller than it must be, but for the last.
    fitting = items_that_fit(capacity) if capacity else 10**6
    most = min(MAX_ITEMS_PER_REQUEST, fitting)
    requests = -(-len(values) // max(most, 1))
    assert len(meter.requests) == requests


@pytest.mark.parametrize(
    "octets",
    [
        0,
        3,
        4,
        13,
        14,
        23,
        24,
        1273,
        1274,
        1283,
        1284,
        1285,
        2563,
        2564,
        2565,
        2566,
        65535,
    ],
)
def test_items_that_fit(octets: int) -> None:
    def length(items: int) -> int:
        selected = SelectedAttribute(ENERGY)
        return len(GetRequestWithList(FIRST, (selected,) * items).encode())

    items = items_that_fit(octets)
    assert items == 0 or length(items) <= octets
    assert length(items + 1) > octets


SMALL_FRAMES = FrameLimits(128, 128, 1, 1)


@pytest.mark.parametrize(
    ("count", "frames", "lists"),
    [
        (12, SMALL_FRAMES, [12]),
        (
            20,
            SMALL_FRAMES,
            [20],
        ),  # two turns either way, and the longer list is shorter
        (24, SMALL_FRAMES, [12, 12]),
        (40, SMALL_FRAMES, [12, 12, 16]),
        (40, SMALL_FRAMES._replace(request_window=3, answer_window=3), [40]),
        (40, FrameLimits(2030, 2030, 1, 1), [40]),
        (40, SMALL_FRAMES._replace(request_octets=8), [40]),  # no list fits at all
        (40, None, [40]),
    ],
)
def test_lists_are_cut_where_that_saves_turns(
    count: int, frames: FrameLimits | None, lists: list[int]
) -> None:
    values = table(count)
    meter = ListMeter(values)
    assert ask(meter, associated(), list(values), frames) == values
    assert meter.lists == lists


def test_lists_are_shorter_where_ciphering_takes_room() -> None:
    """Twelve names fill a frame in clear; in an envelope nine do."""
    association = associated()
    assert items_per_request(association, 24, SMALL_FRAMES) == 12
    association.protection = Protection(
        SecurityContext(BOOK, CLIENT_TITLE, InvocationCounter())
    )
    assert items_per_request(association, 24, SMALL_FRAMES) == 9


def test_order_and_repetition() -> None:
    values = table(3)
    first, second, third = values
    meter = ListMeter(values)
    answers = ask(meter, associated(), [third, first, third, second])
    assert list(answers) == [third, first, second]
    assert meter.lists == [3]


def test_one_attribute_needs_no_list() -> None:
    meter = ListMeter(table(1))
    ask(meter, associated(), registers(1))
    assert (meter.lists, meter.singles) == ([], 1)


def test_no_lists_when_not_agreed() -> None:
    meter = ListMeter(table(3))
    ask(meter, associated(Conformance.GET), registers(3))
    assert (meter.lists, meter.singles) == ([], 3)


def test_get_many_obeys_what_was_agreed() -> None:
    with pytest.raises(RemoteProtocolError, match="does not offer this client: get"):
        next(get_many(associated(Conformance.SET), registers(2)))


@pytest.mark.parametrize("block_size", [1, 7, 30, 1000])
def test_a_list_answered_in_blocks(block_size: int) -> None:
    values = table(10)
    meter = ListMeter(values, block_size=block_size)
    assert ask(meter, associated(), list(values)) == values
    assert (meter.lists, meter.singles) == ([10], 0)


def test_an_error_stays_with_its_attribute() -> None:
    values = table(3) | {ENERGY: UNDEFINED}
    association = associated()
    answers = ask(ListMeter(values), association, list(values))
    error = answers.pop(ENERGY)
    assert isinstance(error, ServiceError)
    assert error.result is UNDEFINED
    assert str(error) == "3/1-0:1.8.0*255/2: object undefined"
    assert answers == table(3)
    assert association.memory.refuses_lists is False


REFUSALS: list[Apdu | DecodeError] = [
    BUSY,
    DENIED,
    normal(DataAccessResult.OTHER_REASON),
    normal(number(1)),
    GetResponseWithList(FIRST, ()),
    GetResponseWithList(FIRST, (number(1),)),
    GetResponseWithList(FIRST, (number(1),) * 4),
    GetResponseWithDatablock(FIRST, True, 1, DataAccessResult.LONG_GET_ABORTED),
    GetResponseWithDatablock(FIRST, True, 1, b"\x03\x00\x11\x01"),
    GetResponseWithDatablock(
        FIRST, True, 1, b"\x03\x00\x11\x01\x00\x11\x01\x00\x11\x01\x00"
    ),
    DecodeError("garbled"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=str)
def test_a_refused_or_garbled_list_is_asked_for_one_by_one(
    refusal: Apdu | DecodeError,
) -> None:
    values = table(3)
    association = associated()
    meter = ListMeter(values, list_answer=refusal)
    assert ask(meter, association, list(values)) == values
    assert (meter.lists, meter.singles) == ([3], 3)
    assert association.memory.refuses_lists
    assert ask(meter, association, list(values)) == values
    assert (meter.lists, meter.singles) == ([3], 6)  # not tried again


class Blockless:
    """A meter that begins an answer in blocks where it is too long, and does not go on with it."""

    def __init__(
        self, values: dict[AttributeDescriptor, GetResult], longest: int
    ) -> None:
        self.lists: list[int] = []
        self._meter = ListMeter(values)
        self._longest = longest
        self.broken = False
        """Refuses everything from the first block on."""

    def __call__(self, request: Apdu) -> Apdu:
        if isinstance(request, GetRequestNext) or (self.broken and self.lists):
            return BUSY
        if isinstance(request, GetRequestWithList):
            self.lists.append(len(request.attributes))
            if self.lists[-1] > self._longest:
                return GetResponseWithDatablock(request.invoke, False, 1, b"\x05")
        return self._meter(request)


def test_a_list_whose_blocks_are_refused_is_shorter_the_next_time() -> None:
    """It is a list all the same: two or three of them take fewer turns than each attribute by itself."""
    values = table(40)
    association = associated()
    meter = Blockless(values, 12)
    for _ in range(3):
        assert ask(meter, association, list(values)) == values
    assert meter.lists == [40, 20, *[10] * 6]
    assert association.memory.longest_list == 10
    assert association.memory.refuses_lists is False


def test_no_list_is_short_enough() -> None:
    values = table(3)
    association = associated()
    meter = Blockless(values, 1)
    for _ in range(2):
        assert ask(meter, association, list(values)) == values
    assert meter.lists == [3]
    assert association.memory.refuses_lists


def test_blocks_are_not_refused_by_a_meter_that_has_ended_the_association() -> None:
    values = table(40)
    association = associated()
    meter = Blockless(values, 12)
    meter.broken = True
    answers = ask(meter, association, list(values))
    assert all(isinstance(answer, ServiceError) for answer in answers.values())
    memory = association.memory
    assert memory.longest_list is memory.refuses_lists is None


def test_a_list_of_nothing_but_errors_may_be_a_refusal() -> None:
    values = table(3)
    association = associated()
    meter = ListMeter(
        values,
        list_answer=GetResponseWithList(FIRST, (DataAccessResult.OTHER_REASON,) * 3),
    )
    assert ask(meter, association, list(values)) == values
    assert association.memory.refuses_lists


def test_a_list_of_nothing_but_errors_may_be_true() -> None:
    values: dict[AttributeDescriptor, GetResult] = dict.fromkeys(
        registers(3), UNDEFINED
    )
    association = associated()
    meter = ListMeter(values)
    answers = ask(meter, association, list(values))
    assert [str(answer) for answer in answers.values()] == [
        f"{name}: object undefined" for name in values
    ]
    assert association.memory.refuses_lists is None


def test_a_meter_that_once_filled_a_list_is_believed_later() -> None:
    association = associated()
    ask(ListMeter(table(2)), association, registers(2))
    meter = ListMeter(dict.fromkeys(registers(3), UNDEFINED))
    ask(meter, association, registers(3))
    assert (meter.lists, meter.singles) == ([3], 0)


@pytest.mark.parametrize(
    "answer",
    [
        GetResponseWithList(SECOND, (number(1),) * 3),
        normal(number(1), SECOND),
        GetResponseWithDatablock(SECOND, True, 1, b"\x00"),
        Rlre(),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_a_list_answered_out_of_turn(answer: Apdu) -> None:
    with pytest.raises(
        RemoteProtocolError, match="a list of 3 attributes: the meter answered"
    ):
        ask(ListMeter(table(3), list_answer=answer), associated(), registers(3))


def test_an_unreadable_value_stays_with_its_attribute() -> None:
    procedure = get_many(associated(Conformance.GET), registers(2))
    next(procedure)
    unreadable = DecodeError("garbled")
    request = procedure.throw(unreadable)
    assert isinstance(request, GetRequestNormal)
    with pytest.raises(StopIteration) as stopped:
        procedure.send(normal(number(2), request.invoke))
    first, second = registers(2)
    assert stopped.value.value == {first: unreadable, second: number(2)}


def test_a_lost_connection_passes_through() -> None:
    procedure = get_many(associated(), registers(2))
    next(procedure)
    with pytest.raises(ConnectionError):
        procedure.throw(ConnectionError())


@pytest.mark.parametrize("seed", range(100))
def test_damaged_answers_give_values_or_errors_and_come_to_an_end(seed: int) -> None:
    random = Random(seed)
    association = associated()
    meter = ListMeter(table(6), block_size=random.choice([None, 5, 20]))

    def answer(request: Apdu) -> Apdu:
        octets = meter(request).encode()
        if random.random() < 0.5:
            (octets,) = damaged(octets, seed, 1)
        return association.decode(octets)

    answers: dict[AttributeDescriptor, Data | DlmsError] | None = None
    with suppress(DlmsError):
        answers = ask(answer, association, registers(6))
    assert answers is None or list(answers) == registers(6)
    assert len(meter.requests) < 200
