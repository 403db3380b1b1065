"""The simulated meter itself: object table, house, clock, and who holds its only association."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from custom_components.dlms_meter.dlms.application.action import ActionOutcome
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    Conformance,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.get import GetResult
from custom_components.dlms_meter.dlms.application.invocation_counter import (
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.application.transcript import Answer, Asked
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

from .house import house
from .household import HOUSEHOLD_METER
from .objects import (
    NULL,
    AssociationFacts,
    Attribute,
    MeterObject,
    Query,
    Source,
    cosem_object,
    structure,
    uint32,
)
from .profiles import Refused
from .settings import MeterSettings


def now_in_utc() -> datetime:
    return datetime.now(UTC)


type Method = Callable[[Data | None], Data | None]


class Push(NamedTuple):
    """What a meter says on its own: an APDU, in a UI frame where there are such."""

    apdu: bytes
    in_ui_frame: bool = False


class Meter:
    """A meter that any number of connections may share.

    `now` is its clock: a callable that returns an aware datetime. `refusals` may be filled by a test:
    those attributes are answered with that error.
    """

    def __init__(
        self,
        settings: MeterSettings | None = None,
        *,
        now: Callable[[], datetime] = now_in_utc,
        objects: Sequence[MeterObject] = HOUSEHOLD_METER,
    ) -> None:
        self.settings = settings or MeterSettings()
        self.now = now
        self.counter = InvocationCounter(1, reserved=1 << 32)
        """Counts what the meter protects with its global key."""
        self.last_counter = 0
        """The highest invocation counter any client has used."""
        self.objects = tuple(objects)
        if any(client.security for client in self.settings.clients):
            told = Attribute(lambda _: uint32(self.last_counter))
            self.objects += (cosem_object(1, "0-0:43.1.0", told),)
        self.refusals: dict[AttributeDescriptor, DataAccessResult] = {}
        self.written: dict[AttributeDescriptor, Data] = {}
        """What clients have written, and methods have changed."""
        self.takers: dict[AttributeDescriptor, Callable[[Data], None]] = {}
        """What becomes of what clients write; where none is here, the value is what is read from then on."""
        self.sources: dict[AttributeDescriptor, Source] = {}
        """Where the values of attributes come from, in the place of their objects."""
        self.calls: list[tuple[MethodDescriptor, Data | None]] = []
        """The methods clients have invoked."""
        self.methods: dict[MethodDescriptor, Method] = {}
        """What methods do; one that is not here does nothing."""
        self.pushes: deque[Push] = deque()
        """What the meter says on its own before its next answers, one each."""
        self._house = house(self.settings.seed)
        self._by_name: dict[Obis, MeterObject] = {
            item.logical_name: item for item in self.objects
        }
        self._holder: object | None = None

    def said_before(self, asked: Asked) -> Answer | None:
        """Return what a recorded meter said when it was asked by a short name; None for a meter that speaks for itself."""
        return None

    def occupy(self, holder: object) -> bool:
        """Give the meter to one connection; False when another has it and only one may."""
        free = self._holder is None or self._holder is holder
        if self.settings.exclusive and not free:
            return False
        self._holder = holder
        return True

    def vacate(self, holder: object) -> None:
        """Take the meter back from a connection."""
        if self._holder is holder:
            self._holder = None

    def read(
        self, association: AssociationFacts, wanted: SelectedAttribute
    ) -> GetResult:
        """Answer what an association asks of one attribute, or, as attribute 0, of all."""
        if (refusal := self.refusals.get(wanted.attribute)) is not None:
            return refusal
        if wanted.attribute.attribute_id == 0:
            return self._read_all(association, wanted.attribute)
        query = self._query(association, wanted)
        found = self._find(query, wanted)
        if isinstance(found, DataAccessResult):
            return found
        if wanted.attribute in self.written:
            return self.written[wanted.attribute]
        try:
            return self.sources.get(wanted.attribute, found.source)(query)
        except Refused as refused:
            return refused.result

    def _read_all(
        self, association: AssociationFacts, attribute: AttributeDescriptor
    ) -> GetResult:
        """Return a structure of all attributes, null-data where one cannot be read."""
        item = self._by_name.get(attribute.logical_name)
        offered = Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET in association.conformance
        if item is None or not offered:
            return DataAccessResult.OBJECT_UNDEFINED
        answers = [
            self.read(
                association, SelectedAttribute(attribute._replace(attribute_id=n))
            )
            for n in range(1, len(item.attributes) + 1)
        ]
        return structure(
            *[each if isinstance(each, Data) else NULL for each in answers]
        )

    def write(
        self, association: AssociationFacts, wanted: SelectedAttribute, value: Data
    ) -> DataAccessResult:
        """Take what an association writes to one attribute, or, as attribute 0, to all that are not null-data."""
        if (refusal := self.refusals.get(wanted.attribute)) is not None:
            return refusal
        attribute = wanted.attribute
        if attribute.attribute_id == 0:
            return self._write_all(association, attribute, value)
        query = self._query(association, wanted)
        item = self._by_name.get(attribute.logical_name)
        if item is None or item.class_id != attribute.class_id:
            return DataAccessResult.OBJECT_UNDEFINED
        if not 1 <= attribute.attribute_id <= len(item.attributes):
            return DataAccessResult.OBJECT_UNDEFINED
        found = item.attributes[attribute.attribute_id - 1]
        if not query.may_write(found):
            return DataAccessResult.READ_WRITE_DENIED
        if wanted.access is not None:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        present = self.read(association, wanted)
        if isinstance(present, Data) and present.type is not value.type:
            return DataAccessResult.TYPE_UNMATCHED
        if (take := self.takers.get(attribute)) is not None:
            take(value)
        else:
            self.written[attribute] = value
        return DataAccessResult.SUCCESS

    def _write_all(
        self, association: AssociationFacts, whole: AttributeDescriptor, value: Data
    ) -> DataAccessResult:
        if Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET not in association.conformance:
            return DataAccessResult.OBJECT_UNDEFINED
        if not isinstance(value.value, tuple):
            return DataAccessResult.TYPE_UNMATCHED
        for number, element in enumerate(value.value, 1):
            if isinstance(element, Data) and element != NULL:
                attribute = SelectedAttribute(whole._replace(attribute_id=number))
                result = self.write(association, attribute, element)
                if result is not DataAccessResult.SUCCESS:
                    return result
        return DataAccessResult.SUCCESS

    def invoke(
        self,
        association: AssociationFacts,
        method: MethodDescriptor,
        parameters: Data | None,
    ) -> ActionOutcome:
        """Do what an association asks an object to do."""
        item = self._by_name.get(method.logical_name)
        if item is None or item.class_id != method.class_id:
            return ActionOutcome(ActionResult.OBJECT_UNDEFINED)
        if not 1 <= method.method_id <= item.methods:
            return ActionOutcome(ActionResult.OBJECT_UNAVAILABLE)
        query = self._query(
            association, SelectedAttribute(AttributeDescriptor(*method))
        )
        if not query.may_invoke(item):
            return ActionOutcome(ActionResult.READ_WRITE_DENIED)
        self.calls.append((method, parameters))
        action = self.methods.get(method)
        return ActionOutcome(
            ActionResult.SUCCESS, None if action is None else action(parameters)
        )

    def _query(self, association: AssociationFacts, wanted: SelectedAttribute) -> Query:
        return Query(
            self.now().astimezone(UTC),
            self._house,
            self.settings,
            self.objects,
            association,
            wanted.access,
        )

    def _find(
        self, query: Query, wanted: SelectedAttribute
    ) -> Attribute | DataAccessResult:
        class_id, logical_name, attribute_id = wanted.attribute
        item = self._by_name.get(logical_name)
        if item is None or not query.sees(item):
            return DataAccessResult.OBJECT_UNDEFINED
        if item.class_id != class_id:
            return DataAccessResult.OBJECT_CLASS_INCONSISTENT
        if not 1 <= attribute_id <= len(item.attributes):
            return DataAccessResult.OBJECT_UNDEFINED
        attribute = item.attributes[attribute_id - 1]
        if not query.may_read(attribute):
            return DataAccessResult.READ_WRITE_DENIED
        if wanted.access and wanted.access.selector not in attribute.selectors:
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        return attribute
