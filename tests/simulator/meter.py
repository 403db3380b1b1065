"""The simulated meter itself: object table, house, clock, and who holds its only association."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.application.get import GetResult
from custom_components.dlms_meter.dlms.application.invocation_counter import (
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

from .house import house
from .household import HOUSEHOLD_METER
from .objects import (
    AssociationFacts,
    Attribute,
    MeterObject,
    Query,
    cosem_object,
    uint32,
)
from .profiles import Refused
from .settings import MeterSettings


def now_in_utc() -> datetime:
    return datetime.now(UTC)


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
        self._house = house(self.settings.seed)
        self._by_name: dict[Obis, MeterObject] = {
            item.logical_name: item for item in self.objects
        }
        self._holder: object | None = None

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
        """Answer what an association asks of one attribute."""
        if (refusal := self.refusals.get(wanted.attribute)) is not None:
            return refusal
        query = Query(
            self.now().astimezone(UTC),
            self._house,
            self.settings,
            self.objects,
            association,
            wanted.access,
        )
        found = self._find(query, wanted)
        if isinstance(found, DataAccessResult):
            return found
        try:
            return found.source(query)
        except Refused as refused:
            return refused.result

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
