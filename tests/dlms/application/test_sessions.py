"""Recorded sessions with real meters, played again: our procedures ask the same, octet by octet, and read the same."""

from collections.abc import Iterator
from itertools import accumulate

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aarq, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.association import Association
from custom_components.dlms_meter.dlms.application.association_settings import (
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.enums import (
    Conformance,
    DataAccessResult,
    Mechanism,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetRequestWithList,
    GetResult,
)
from custom_components.dlms_meter.dlms.application.initiate import InitiateRequest
from custom_components.dlms_meter.dlms.application.procedures import (
    associate,
    get,
    get_many,
    release,
)
from custom_components.dlms_meter.dlms.codec.axdr import decode_data
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.errors import ServiceError
from tests.harness import Json, Vector, each, vectors

from .conversation import associated, drive
from .expected import get_result

BROKEN_OFF = "v0640"

SESSIONS = [
    vector
    for vector in vectors(layer="session")
    if vector.id != BROKEN_OFF
    and any(
        step["apdu"]["apdu"].startswith("get-request")
        for step in vector.decoded["apdus"]
    )
]


class EndOfRecording(Exception):
    """The client has more to ask than was recorded."""


class Recording:
    """The meter of a recorded session: it answers what it answered, if asked what it was asked."""

    def __init__(self, steps: list[Json]) -> None:
        self._steps = steps
        self.place = 0
        self.association: Association | None = None

    def __iter__(self) -> Iterator[Apdu]:
        """Go from each request that begins a procedure to the next, up to the first thing we cannot do yet."""
        while self.place < len(self._steps):
            request = self._steps[self.place]
            known = request["apdu"]["apdu"].startswith(("aarq", "get-request", "rlrq"))
            if request["dir"] != "c2s" or not known:
                return
            yield decode_apdu(bytes.fromhex(request["hex"]))

    def answers(self, start: int) -> list[Json]:
        """What the meter said from step `start` to now."""
        return [
            step["apdu"]
            for step in self._steps[start : self.place]
            if step["dir"] == "s2c"
        ]

    def __call__(self, request: Apdu) -> Apdu:
        assert self.association is not None
        if self.place == len(self._steps):
            raise EndOfRecording
        recorded, answer = self._steps[self.place : self.place + 2]
        self.place += 2
        assert normal(self.association.encode(request)) == normal(
            bytes.fromhex(recorded["hex"])
        )
        return self.association.decode(bytes.fromhex(answer["hex"]))


def normal(request: bytes) -> bytes:
    """Leave out what a client is free to choose: invoke ids and priorities, and what is in an RLRQ."""
    match request[0]:
        case 0xC0:
            return request[:2] + request[3:]
        case 0x62:
            return request[:1]
        case _:
            return request


def settings_of(aarq: Aarq) -> AssociationSettings:
    assert aarq.user_information is not None
    initiate = InitiateRequest.decode(Reader(aarq.user_information))
    return AssociationSettings(
        context=aarq.application_context,
        mechanism=aarq.mechanism,
        secret=aarq.authentication_value or b"",
        conformance=initiate.conformance,
        max_receive_pdu_size=initiate.max_receive_pdu_size,
    )


def use_invoke_id(association: Association, invoke: InvokeIdAndPriority) -> None:
    while (association.next_invoke().invoke_id + 1) % 16 != invoke.invoke_id:
        pass


def check_get(
    recording: Recording, association: Association, request: GetRequestNormal
) -> None:
    start = recording.place
    use_invoke_id(association, request.invoke)
    value: GetResult
    try:
        value = drive(get(association, request.attribute, request.access), recording)
    except ServiceError as error:
        value = DataAccessResult(error.result)
    answers = recording.answers(start)
    if "raw_data" in answers[0]:
        assert value == decode_data(
            bytes.fromhex("".join(block["raw_data"] for block in answers))
        )
    else:
        assert [value] == [get_result(answer["result"]) for answer in answers]


def check_get_many(
    recording: Recording, association: Association, request: GetRequestWithList
) -> None:
    start = recording.place
    use_invoke_id(association, request.invoke)
    # One of the recorded clients asks for lists though the meter has not agreed to them; the meter does not mind.
    association.conformance |= Conformance.MULTIPLE_REFERENCES
    attributes = [selected.attribute for selected in request.attributes]
    values = drive(get_many(association, attributes), recording)
    assert list(values) == attributes
    (answer,) = recording.answers(start)
    assert list(values.values()) == [get_result(result) for result in answer["results"]]


@each(SESSIONS)
def test_session(vector: Vector) -> None:
    recording = Recording(vector.decoded["apdus"])
    association = recording.association = (
        associated()
    )  # two recordings begin in the middle
    procedures = 0
    for request in recording:
        match request:
            case Aarq(mechanism=Mechanism.NONE | Mechanism.LLS):
                association = recording.association = Association(settings_of(request))
                drive(associate(association), recording)
            case GetRequestNormal():
                check_get(recording, association, request)
            case GetRequestWithList():
                check_get_many(recording, association, request)
            case Rlrq():
                drive(release(association), recording)
            case _:
                break
        procedures += 1
    assert procedures >= 1


def test_sessions_are_there() -> None:
    assert len(SESSIONS) == 9


def test_a_value_in_many_tiny_blocks() -> None:
    """An M203 sends its object list in blocks of 2 to 56 octets; the recording breaks off before the last."""
    (vector,) = (each for each in vectors(layer="session") if each.id == BROKEN_OFF)
    recording = Recording(vector.decoded["apdus"])
    association = recording.association = associated()
    request = next(iter(recording))
    assert isinstance(request, GetRequestNormal)
    octets: list[int] = []
    with pytest.raises(EndOfRecording):
        drive(get(association, request.attribute, progress=octets.append), recording)
    raw = [bytes.fromhex(block["raw_data"]) for block in recording.answers(0)]
    assert octets == list(accumulate(map(len, raw)))
    assert len(raw) == 30
