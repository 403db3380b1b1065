"""What tells whose meter it is, among what a meter said. Whatever is not known to be harmless is taken for telling."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from .descriptions import meaning_of
from .dlms import (
    ActionOutcome,
    AttributeDescriptor,
    CompactArray,
    CosemObject,
    Data,
    DataType,
    DlmsDate,
    Exchange,
    Kind,
    SelectedAttribute,
    ShortTarget,
    Value,
    encode_data,
)
from .sub_meters import M_BUS_CLIENT

_HARMLESS: Final = {"active_tariff", "firmware", "firmware_version", "meter_type"}
"""Quantities: texts that many meters have in common."""
_COUNTER: Final = "invocation_counter"
_DATA: Final = 1
_ASSOCIATIONS: Final = (12, 15)
_COMPACT_DATA: Final = 62
"""It repeats what other objects tell."""
_OBJECT_LIST: Final = ShortTarget(0xFA08)
_MEASURING: Final = {3, 4, 5, 7, 8, 9, 11, 20, 21, 22, 63, 68, 71, 111, 112, 113, 115}
"""Classes whose numbers are measured, or say when: registers, profiles, clocks, tariffs, limits, accounts."""
_CALENDARS: Final = {8, 11, 20, 21, 22}
"""Classes in which 4 octets are a time."""
_SMALLEST_NUMBER: Final = 10_000
_STRINGS: Final = (
    DataType.OCTET_STRING,
    DataType.VISIBLE_STRING,
    DataType.UTF8_STRING,
)
_DATE_LENGTHS: Final = (5, 12)
_SHORTEST_OCTETS: Final = 6
"""Fewer, if they are no text, turn up in dates and in anything else: they are taken out where they stand."""
_YEARS: Final = (*range(1970, 2100), None)


class Placed(NamedTuple):
    """Data that is taken out where it stands: it is too short, or too common, to be known elsewhere."""

    messages: tuple[int, ...]
    data: Data


@dataclass(slots=True)
class Telling:
    """What must not be told."""

    texts: set[str] = field(default_factory=set)
    octets: set[bytes] = field(default_factory=set)
    placed: list[Placed] = field(default_factory=list)
    counters: list[Placed] = field(default_factory=list)
    """Their order is kept."""

    def add_string(self, value: str | bytes) -> None:
        """Note a string: text, whatever its tag, if it can be read as such."""
        raw = value if isinstance(value, bytes) else value.encode("latin-1", "ignore")
        text = value if isinstance(value, str) else value.decode("utf-8", "replace")
        text = text.strip("\0 ")
        if text.isprintable() and "\ufffd" not in text:
            self.texts.add(text)
        if len(raw) >= _SHORTEST_OCTETS:
            self.octets.add(raw)

    def add_values(self, values: Iterable[tuple[AttributeDescriptor, Value]]) -> None:
        """Note what is telling among values as they were understood."""
        for attribute, value in values:
            if _is_harmless(attribute):
                continue
            if isinstance(value, str | bytes):
                self.add_string(value)
            elif _is_telling_number(value, attribute):
                self.texts.add(_printed(value, attribute))

    def replacements(self) -> Iterator[tuple[tuple[int, ...], bytes, bytes]]:
        """Yield the octets of each piece of data with what stands for it, and the messages in which it was told."""
        numbers = {data.value for _, data in self.counters}
        ordered = sorted(number for number in numbers if isinstance(number, int))
        ranks = {number: rank for rank, number in enumerate(ordered, 1)}
        for messages, data in self.placed:
            yield messages, encode_data(data), encode_data(_blank(data))
        for messages, data in self.counters:
            assert isinstance(data.value, int)
            stand_in = Data(data.type, ranks[data.value])
            yield messages, encode_data(data), encode_data(stand_in)


def telling_in(
    exchanges: Iterable[Exchange],
    objects: Sequence[CosemObject],
    harmless: Iterable[str],
) -> Telling:
    """Find what tells whose meter it is in what it answered; `objects` are those that it has."""
    telling = Telling()
    known = {bytes(item.logical_name) for item in objects}
    known |= {text.encode() for text in harmless}
    for (_, target), answer, messages in exchanges:
        value = answer.returned if isinstance(answer, ActionOutcome) else answer
        attribute = None
        if isinstance(target, SelectedAttribute):
            attribute = target.attribute
        elif isinstance(target, ShortTarget):
            attribute = _attribute_at(target.name, objects)
        if not isinstance(value, Data) or target == _OBJECT_LIST:
            continue
        if attribute is None or not _is_harmless(attribute):
            for data in _leaves(value):
                _note(telling, Placed(messages, data), attribute, known)
    return telling


def _note(
    telling: Telling,
    placed: Placed,
    attribute: AttributeDescriptor | None,
    known: Collection[bytes],
) -> None:
    """Note one number or string, if it is telling."""
    meaning = None if attribute is None else meaning_of(attribute)
    data = placed.data
    if data.type in _STRINGS and isinstance(data.value, str | bytes):
        if _is_telling_string(data.value, attribute, known):
            telling.add_string(data.value)
            telling.placed.append(placed)
    elif meaning is not None and meaning.quantity == _COUNTER and data.value:
        telling.counters.append(placed)
    elif _is_telling_number(data.value, attribute):
        telling.texts.add(_printed(data.value, attribute))
        telling.placed.append(placed)


def _printed(value: object, attribute: AttributeDescriptor | None) -> str:
    """Print a number as people know it: that of a sub-meter is mostly sent as eight digits, four bits each."""
    digits = f"{value:08X}" if isinstance(value, int) else ""
    is_sub_meter = attribute is not None and attribute.class_id == M_BUS_CLIENT
    return digits if is_sub_meter and digits.isdecimal() else str(value)


def _leaves(data: Data) -> Iterator[Data]:
    """Yield the numbers and strings in a value of any depth."""
    inside = [data]
    while inside:
        each = inside.pop()
        inner = (
            each.value.elements if isinstance(each.value, CompactArray) else each.value
        )
        if isinstance(inner, tuple):
            inside += [element for element in inner if isinstance(element, Data)]
        elif isinstance(each.value, str | bytes) or _is_number(each.value):
            yield each


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_harmless(attribute: AttributeDescriptor) -> bool:
    """Tell whether an attribute tells nothing, whatever it is: names of objects, lists of them, firmware."""
    class_id, _, attribute_id = attribute
    is_object_list = class_id in _ASSOCIATIONS and attribute_id == 2
    if attribute_id == 1 or is_object_list or class_id == _COMPACT_DATA:
        return True
    meaning = meaning_of(attribute)
    return meaning is not None and (
        meaning.kind is Kind.TIME or meaning.quantity in _HARMLESS
    )


def _is_telling_number(value: object, attribute: AttributeDescriptor | None) -> bool:
    """Tell whether a number is large enough to be somebody's, and is not known to be measured."""
    if not isinstance(value, int) or abs(value) < _SMALLEST_NUMBER:
        return False
    if attribute is None:
        return True
    if attribute.class_id in _MEASURING:
        return False
    meaning = meaning_of(attribute) if attribute.class_id == _DATA else None
    return meaning is None or meaning.text or meaning.quantity == _COUNTER


def _is_telling_string(
    value: str | bytes, attribute: AttributeDescriptor | None, known: Collection[bytes]
) -> bool:
    """Tell whether a string is neither empty, nor known, nor a moment."""
    if isinstance(value, str):
        return bool(value.strip("\0 ")) and value.encode() not in known
    is_time = (
        len(value) == 4 and attribute is not None and attribute.class_id in _CALENDARS
    )
    return bool(value.strip(b"\0\xff")) and not (
        value in known or is_time or _is_date(value)
    )


def _is_date(octets: bytes) -> bool:
    """Tell whether octets are a date, with a time or without, that a meter may mean."""
    if len(octets) not in _DATE_LENGTHS:
        return False
    return DlmsDate.decode(octets[:5]).year in _YEARS


def _attribute_at(
    name: int, objects: Sequence[CosemObject]
) -> AttributeDescriptor | None:
    """Return the attribute with a short name; None where no object has it."""
    before = [o for o in objects if o.base_name is not None and o.base_name <= name]
    if not before:
        return None
    item = max(before, key=lambda item: item.base_name or 0)
    place, rest = divmod(name - (item.base_name or 0), 8)
    if rest:
        return None
    return AttributeDescriptor(item.class_id, item.logical_name, place + 1)


def _blank(data: Data) -> Data:
    """Return data of the same type and length that tells nothing."""
    match data.value:
        case bytes(octets):
            return Data(data.type, bytes(len(octets)))
        case str(text):
            is_utf8 = data.type is DataType.UTF8_STRING
            encoded = text.encode("utf-8" if is_utf8 else "latin-1", "surrogateescape")
            return Data(data.type, "0" * len(encoded))
    return Data(data.type, 0)
