"""A meter made of a recording: of what a real one said, as the diagnostics of Home Assistant have it.

What it said of an attribute is said again, however it is asked: alone, in a list, in blocks of any size. When it said
several things in turn, so does the recording, and stays with the last.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    Conformance,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    GetResult,
    read_results,
)
from custom_components.dlms_meter.dlms.codec.axdr import decode_data, read_data
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.slices import finish
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectedAttribute
from custom_components.dlms_meter.dlms.errors import DlmsError

from .meter import Meter, now_in_utc
from .objects import AssociationFacts
from .settings import PUBLIC_CLIENT, READING_CLIENT, SUPPORTED, MeterSettings

type Answers = dict[SelectedAttribute, list[GetResult]]


class RecordingError(Exception):
    """Nothing that can be served; the text says why."""


def read_recording(diagnostics: Mapping[str, Any]) -> Answers:
    """Return what the meter said of each attribute, in its order. Raises `RecordingError`."""
    answers: Answers = defaultdict(list)
    # The file Home Assistant gives has the integration's part under "data".
    facts = diagnostics.get("data", diagnostics)
    for session in facts.get("trace", ()):
        messages = [
            (line[0] == ">", bytes.fromhex(line[2:])) for line in session["apdus"]
        ]
        for wanted, result in _readings(messages):
            answers[wanted].append(result)
    if not answers:
        raise RecordingError(
            "it has no trace of a session in which logical names were read"
        )
    return dict(answers)


def _readings(
    messages: Iterable[tuple[bool, bytes]],
) -> Iterator[tuple[SelectedAttribute, GetResult]]:
    """Yield each attribute that was asked for with what was answered."""
    asked: tuple[SelectedAttribute, ...] = ()
    is_list = False
    blocks: list[bytes] = []
    for is_sent, octets in messages:
        try:
            apdu = decode_apdu(octets)
        except DlmsError:
            continue
        match apdu:
            case GetRequestNormal() if is_sent:
                asked, is_list = (
                    (SelectedAttribute(apdu.attribute, apdu.access),),
                    False,
                )
                blocks = []
            case GetRequestWithList() if is_sent:
                asked, is_list, blocks = apdu.attributes, True, []
            case GetRequestNext():
                pass
            case GetResponseNormal():
                yield from zip(asked, (_whole(apdu.result),), strict=False)
            case GetResponseWithList():
                yield from zip(asked, _all(apdu.results), strict=False)
            case GetResponseWithDatablock(result=bytes() as block):
                blocks.append(block)
                if apdu.last_block:
                    joined = b"".join(blocks)
                    results = _all(joined) if is_list else (decode_data(joined),)
                    yield from zip(asked, results, strict=False)


def _whole(result: GetResult | bytes) -> GetResult:
    """Decode a result that is long."""
    return read_data(Reader(result)) if isinstance(result, bytes) else result


def _all(results: tuple[GetResult, ...] | bytes) -> tuple[GetResult, ...]:
    """Decode results that are long."""
    if isinstance(results, bytes):
        return finish(read_results(Reader(results)))
    return results


class RecordedMeter(Meter):
    """A meter that says what a recorded one said."""

    def __init__(
        self, answers: Answers, *, now: Callable[[], datetime] = now_in_utc
    ) -> None:
        settings = MeterSettings(
            clients=(PUBLIC_CLIENT, READING_CLIENT),
            conformance=SUPPORTED | Conformance.MULTIPLE_REFERENCES,
            max_pdu_size=0,
        )
        super().__init__(settings, now=now, objects=())
        self._answers: dict[SelectedAttribute, Sequence[GetResult]] = dict(answers)
        self._said: dict[SelectedAttribute, int] = defaultdict(int)

    def read(
        self, association: AssociationFacts, wanted: SelectedAttribute
    ) -> GetResult:
        """Say what was said, the next thing if there were several."""
        results = self._answers.get(wanted)
        if results is None:
            return DataAccessResult.OBJECT_UNDEFINED
        place = min(self._said[wanted], len(results) - 1)
        self._said[wanted] += 1
        return results[place]
