"""A meter made of a recording: of what a real one said, as the diagnostics of Home Assistant have it.

What it said of an attribute is said again, however it is asked: alone, in a list, in blocks of any size, by logical or
by short names. So is how writing and invoking ended. When it said several things in turn, so does the recording, and
stays with the last. It is reached as the recorded one was, but for the secrets, which a recording does not have.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from custom_components.dlms_meter.dlms import (
    Conformance,
    Data,
    DataAccessResult,
    MethodDescriptor,
    Obis,
    SecuritySuite,
)
from custom_components.dlms_meter.dlms.application.action import ActionOutcome
from custom_components.dlms_meter.dlms.application.enums import ActionResult
from custom_components.dlms_meter.dlms.application.get import GetResult
from custom_components.dlms_meter.dlms.application.transcript import (
    Answer,
    Asked,
    Service,
    exchanges,
)
from custom_components.dlms_meter.dlms.client import OBJECT_LIST
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectedAttribute
from custom_components.dlms_meter.settings import client_settings

from .meter import Meter, now_in_utc
from .objects import (
    NULL,
    AssociationFacts,
    array,
    enum,
    int8,
    octets,
    structure,
    uint8,
    uint16,
)
from .settings import PUBLIC_CLIENT, ClientRule, MeterSettings

type Answers = dict[Asked, list[Answer]]
type Json = Any  # whatever JSON holds

PASSWORD = "12345678"
KEYS = {
    "encryption_key": "000102030405060708090A0B0C0D0E0F",
    "authentication_key": "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
}
"""What stands for the secrets of the recorded meter; suite 2 has each key twice."""
SYSTEM_TITLE = "484153494D303031"
"""What stands for the system title of the recorded client."""


class RecordingError(Exception):
    """Nothing that can be served; the text says why."""


class Recording(NamedTuple):
    """What was recorded."""

    answers: Answers
    settings: MeterSettings
    entry_data: dict[str, Json]
    """How the config entry was set up, with secrets that open the replayed meter."""


def read_recording(diagnostics: Mapping[str, Json]) -> Recording:
    """Return what the meter said of each attribute, in its order, and how it was reached. Raises `RecordingError`."""
    # The file Home Assistant gives has the integration's part under "data".
    facts = diagnostics.get("data", diagnostics)
    answers: Answers = defaultdict(list)
    for session in facts.get("trace", ()):
        for asked, answer, _ in exchanges(messages_of(session["apdus"])):
            answers[asked].append(answer)
    if not answers:
        raise RecordingError("it has no trace of a session in which anything was read")
    entry_data = _entry_data(facts["entry"]["data"])
    negotiated = facts["session"]["negotiated"]
    return Recording(dict(answers), _settings(entry_data, negotiated), entry_data)


def messages_of(lines: Sequence[str]) -> Iterator[tuple[bool, bytes]]:
    """Yield the messages of a trace, each with whether the client sent it."""
    for line in lines:
        yield line[0] == ">", bytes.fromhex(line[2:])


def _entry_data(recorded: Mapping[str, Json]) -> dict[str, Json]:
    """Return the settings of an entry with secrets in the place of those that were taken out."""
    suite = SecuritySuite(int(recorded.get("security_suite", 0)))
    times = suite.key_length // 16
    secrets = {key: hex_ * times for key, hex_ in KEYS.items()}
    secrets |= {"password": PASSWORD, "system_title": SYSTEM_TITLE}
    data: dict[str, Json] = {
        key: secrets.get(key, value) for key, value in recorded.items()
    }
    data |= {"password_is_hex": False}
    if "host" in data:
        data |= {"host": "127.0.0.1"}
    return data


def _settings(
    entry_data: Mapping[str, Json], negotiated: Mapping[str, Json]
) -> MeterSettings:
    """Return a meter that agrees to what the recorded one agreed to."""
    client = client_settings(entry_data)
    rule = ClientRule(
        client.client_sap, client.mechanism, client.password, client.security
    )
    rules = [rule]
    if client.client_sap != PUBLIC_CLIENT.client_sap:
        rules.append(PUBLIC_CLIENT)
    conformance = Conformance(0)
    for name in negotiated["conformance"]:
        conformance |= Conformance[name]
    default = MeterSettings()
    return MeterSettings(
        clients=tuple(rules),
        conformance=conformance,
        short_names=Conformance.READ in conformance,
        logical_device=client.logical_device,
        physical_device=client.physical_device or default.physical_device,
        max_pdu_size=negotiated["max_pdu_size"],
        max_information_length=negotiated["max_information_receive"]
        or default.max_information_length,
        window=negotiated["window_receive"] or default.window,
    )


def _object_list(answers: Answers) -> Data:
    """Return the list of the objects that were read, for a recording of a client that did not ask for it."""
    read: dict[tuple[int, Obis], set[int]] = defaultdict(set)
    for (service, target), said in answers.items():
        if service is Service.READ and isinstance(target, SelectedAttribute):
            class_id, logical_name, attribute_id = target.attribute
            if any(isinstance(answer, Data) for answer in said):
                read[class_id, logical_name].add(attribute_id)
    return array(
        [
            structure(
                uint16(class_id),
                uint8(0),
                octets(logical_name),
                structure(
                    array([structure(int8(n), enum(1), NULL) for n in sorted(numbers)]),
                    array(()),
                ),
            )
            for (class_id, logical_name), numbers in read.items()
        ]
    )


class RecordedMeter(Meter):
    """A meter that says what a recorded one said."""

    def __init__(
        self, recording: Recording, *, now: Callable[[], datetime] = now_in_utc
    ) -> None:
        super().__init__(recording.settings, now=now, objects=())
        self._answers = {
            Asked(Service.READ, SelectedAttribute(OBJECT_LIST)): [
                _object_list(recording.answers)
            ]
        } | recording.answers
        self._said: dict[Asked, int] = defaultdict(int)

    def said_before(self, asked: Asked) -> Answer:
        """Say what was said, the next thing if there were several."""
        answers = self._answers.get(asked)
        if answers is None:
            return DataAccessResult.OBJECT_UNDEFINED
        place = min(self._said[asked], len(answers) - 1)
        self._said[asked] += 1
        return answers[place]

    def read(
        self, association: AssociationFacts, wanted: SelectedAttribute
    ) -> GetResult:
        """Say what was said of an attribute."""
        said = self.said_before(Asked(Service.READ, wanted))
        assert not isinstance(said, ActionOutcome)
        return said

    def write(
        self, association: AssociationFacts, wanted: SelectedAttribute, value: Data
    ) -> DataAccessResult:
        """Say how writing ended, whatever is written."""
        said = self.said_before(Asked(Service.WRITE, wanted))
        assert isinstance(said, DataAccessResult)
        return said

    def invoke(
        self,
        association: AssociationFacts,
        method: MethodDescriptor,
        parameters: Data | None,
    ) -> ActionOutcome:
        """Say how invoking ended, and what was returned, whatever the parameters."""
        said = self.said_before(Asked(Service.INVOKE, method))
        if isinstance(said, ActionOutcome):
            return said
        return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
