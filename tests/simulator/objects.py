"""The object model of the simulated meter: COSEM objects as rows of attributes, and the Data they hold."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from custom_components.dlms_meter.dlms.application.enums import Conformance, Mechanism
from custom_components.dlms_meter.dlms.codec.data import BitString, Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectiveAccess
from custom_components.dlms_meter.dlms.cosem.obis import Obis

from .house import House
from .settings import MeterSettings


class Readers(Enum):
    """Who may read or write an attribute, or invoke a method."""

    EVERYONE = "everyone"
    AUTHENTICATED = "authenticated"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class AssociationFacts:
    """What was agreed with the client that asks."""

    client_sap: int
    mechanism: Mechanism
    conformance: Conformance
    max_response_size: int  # 0 = no limit
    block_size: int = 0  # of general block transfer; 0 = it is not used


@dataclass(frozen=True, slots=True)
class Query:
    """All an attribute's value may depend on."""

    moment: datetime
    house: House
    settings: MeterSettings
    objects: Sequence[MeterObject]
    association: AssociationFacts
    access: SelectiveAccess | None = None

    def may_read(self, attribute: Attribute) -> bool:
        """Tell whether this association may read an attribute."""
        return self._is_one_of(attribute.readers)

    def may_write(self, attribute: Attribute) -> bool:
        """Tell whether this association may write an attribute."""
        return self._is_one_of(attribute.writers)

    def may_invoke(self, item: MeterObject) -> bool:
        """Tell whether this association may invoke the methods of an object."""
        return self._is_one_of(item.callers)

    def _is_one_of(self, those: Readers) -> bool:
        return those is Readers.EVERYONE or (
            those is Readers.AUTHENTICATED
            and self.association.mechanism is not Mechanism.NONE
        )

    def sees(self, item: MeterObject) -> bool:
        """Tell whether an object belongs to this association: something of it besides its name can be read."""
        return any(self.may_read(attribute) for attribute in item.attributes[1:])


type Source = Callable[[Query], Data]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: where its value comes from, who may read and write it, which selective access it takes."""

    source: Source
    readers: Readers = Readers.EVERYONE
    selectors: tuple[int, ...] = ()
    writers: Readers = Readers.NOBODY


@dataclass(frozen=True, slots=True)
class MeterObject:
    """One COSEM object; `attributes[0]` is its logical name, attribute 1."""

    class_id: int
    version: int
    logical_name: Obis
    attributes: tuple[Attribute, ...]
    methods: int = 0
    callers: Readers = Readers.NOBODY
    """Who may invoke the methods."""


def cosem_object(
    class_id: int,
    code: str,
    *attributes: Data | Source | Attribute,
    version: int = 0,
    methods: int = 0,
    callers: Readers = Readers.NOBODY,
) -> MeterObject:
    """Make a row of the object table; `attributes` from number 2 on, fixed ones as plain Data."""
    logical_name = Obis.parse(code)
    return MeterObject(
        class_id,
        version,
        logical_name,
        (_attribute(octets(logical_name)), *map(_attribute, attributes)),
        methods,
        callers,
    )


def _attribute(value: Data | Source | Attribute) -> Attribute:
    if isinstance(value, Attribute):
        return value
    if isinstance(value, Data):
        return Attribute(lambda _: value)
    return Attribute(value)


def structure(*elements: Data) -> Data:
    return Data(DataType.STRUCTURE, elements)


def array(elements: Sequence[Data]) -> Data:
    return Data(DataType.ARRAY, tuple(elements))


def octets(value: bytes) -> Data:
    return Data(DataType.OCTET_STRING, bytes(value))


def text(value: str) -> Data:
    return Data(DataType.VISIBLE_STRING, value)


def boolean(value: bool) -> Data:
    return Data(DataType.BOOLEAN, value)


def enum(value: int) -> Data:
    return Data(DataType.ENUM, value)


def int8(value: int) -> Data:
    return Data(DataType.INTEGER, value)


def int16(value: int) -> Data:
    return Data(DataType.LONG, value)


def int32(value: int) -> Data:
    return Data(DataType.DOUBLE_LONG, value)


def uint8(value: int) -> Data:
    return Data(DataType.UNSIGNED, value)


def uint16(value: int) -> Data:
    return Data(DataType.LONG_UNSIGNED, value)


def uint32(value: int) -> Data:
    return Data(DataType.DOUBLE_LONG_UNSIGNED, value)


def uint64(value: int) -> Data:
    return Data(DataType.LONG64_UNSIGNED, value)


def bits(value: int, length: int) -> Data:
    return Data(DataType.BIT_STRING, BitString(value.to_bytes(length // 8), length))


NULL = Data(DataType.NULL_DATA, None)


def scaler_unit(scaler: int, unit: int) -> Data:
    return structure(int8(scaler), enum(unit))
