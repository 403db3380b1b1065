"""The object list of an association: which objects a meter has, and what this association may do with them.

Source: DLMS UA Blue Book, Association LN (class 15) and Association SN (class 12), attribute 2 object_list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from struct import Struct
from typing import Any, NamedTuple, Self

from ..codec.axdr import read_data
from ..codec.cursor import Reader
from ..codec.data import Data, DataType
from ..codec.slices import OCTETS_AT_ONCE, Slices, finish, read_data_in_slices
from ..errors import DecodeError
from .obis import Obis
from .values import elements

_ASSOCIATION_LN = 15
_CURRENT_ASSOCIATION = Obis.parse("0-0:40.0.0*255")
_BIT_FIELD_VERSION = 3


class AccessMode(IntFlag):
    """Rights to one attribute or method, and how requests and responses must be protected.

    These are the bits of Association LN version 3; the enumerations of older versions are translated to them.
    For a method, READ is the right to invoke it.
    """

    NONE = 0
    READ = 0x01
    WRITE = 0x02
    AUTHENTICATED_REQUEST = 0x04
    ENCRYPTED_REQUEST = 0x08
    SIGNED_REQUEST = 0x10
    AUTHENTICATED_RESPONSE = 0x20
    ENCRYPTED_RESPONSE = 0x40
    SIGNED_RESPONSE = 0x80


_INVOKE = AccessMode.READ
_READ_WRITE = AccessMode.READ | AccessMode.WRITE
_AUTHENTICATED = AccessMode.AUTHENTICATED_REQUEST
_OLD_ATTRIBUTE_MODES = (
    AccessMode.NONE,
    AccessMode.READ,
    AccessMode.WRITE,
    _READ_WRITE,
    AccessMode.READ | _AUTHENTICATED,
    AccessMode.WRITE | _AUTHENTICATED,
    _READ_WRITE | _AUTHENTICATED,
)
_OLD_METHOD_MODES = (AccessMode.NONE, _INVOKE, _INVOKE | _AUTHENTICATED)

type _Modes = tuple[AccessMode, ...] | None
"""The enumeration access modes are written in; None for the bit field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CosemObject:
    """One object of a meter. Rights are a hint, not a promise: meters refuse what they list, and allow what they do not."""

    class_id: int
    version: int
    logical_name: Obis
    attribute_access: Mapping[int, AccessMode] = field(default_factory=dict, hash=False)
    """Rights by attribute index; empty if the meter did not say."""
    method_access: Mapping[int, AccessMode] = field(default_factory=dict, hash=False)
    """Rights by method index; empty if the meter did not say."""
    base_name: int | None = None
    """Where the object starts in short-name referencing; None with logical names."""

    def readable(self, attribute_id: int) -> bool:
        """Tell whether reading the attribute is worth a try: allowed, or not mentioned."""
        return AccessMode.READ in self.attribute_access.get(
            attribute_id, AccessMode.READ
        )

    def writable(self, attribute_id: int) -> bool:
        """Tell whether the meter says that the attribute can be written."""
        return AccessMode.WRITE in self.attribute_access.get(
            attribute_id, AccessMode.NONE
        )

    def invocable(self, method_id: int) -> bool:
        """Tell whether the meter says that the method can be invoked."""
        return _INVOKE in self.method_access.get(method_id, AccessMode.NONE)

    def to_storage(self) -> dict[str, Any]:
        """Return the same as JSON-able values, for `from_storage`."""
        return {
            "class_id": self.class_id,
            "version": self.version,
            "logical_name": str(self.logical_name),
            "attributes": [
                [index, int(mode)] for index, mode in self.attribute_access.items()
            ],
            "methods": [
                [index, int(mode)] for index, mode in self.method_access.items()
            ],
            "base_name": self.base_name,
        }

    @classmethod
    def from_storage(cls, stored: Mapping[str, Any]) -> Self:
        """Make the object `to_storage` was called on. Raises `DecodeError` for anything else."""
        try:
            return cls(
                class_id=int(stored["class_id"]),
                version=int(stored["version"]),
                logical_name=Obis.parse(stored["logical_name"]),
                attribute_access={
                    index: AccessMode(mode) for index, mode in stored["attributes"]
                },
                method_access={
                    index: AccessMode(mode) for index, mode in stored["methods"]
                },
                base_name=stored["base_name"],
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DecodeError(f"not a stored COSEM object: {error!r}") from error


def decode_object_list(data: Data | bytes) -> tuple[CosemObject, ...]:
    """Read an object_list attribute of either kind, as Data or as the octets of one, in the order of the meter.

    Entries that do not even name an object are left out, rights that make no sense count as not said.
    Raises `DecodeError` if the value is no array, or no entry of it is an object.
    """
    return finish(read_object_list(data))


def read_object_list(data: Data | bytes) -> Slices[tuple[CosemObject, ...]]:
    """Do what `decode_object_list` does, in slices. Raises `DecodeError`, as it does."""
    if isinstance(data, Data):
        entries = _entries_in(data)
    else:
        entries = yield from _read_entries(data)
    if not entries:
        raise DecodeError("an object list without a single object")
    bit_field = any(
        entry.class_id == _ASSOCIATION_LN
        and entry.logical_name == _CURRENT_ASSOCIATION
        and entry.version >= _BIT_FIELD_VERSION
        for entry in entries
    )
    modes = (None, None) if bit_field else (_OLD_ATTRIBUTE_MODES, _OLD_METHOD_MODES)
    accesses: dict[int, _Accesses] = {}
    objects: list[CosemObject] = []
    for number, entry in enumerate(entries, 1):
        key = id(entry.rights)
        if key not in accesses:
            accesses[key] = yield from _read_rights(entry.rights, *modes)
            yield
        objects.append(_cosem_object(entry, *accesses[key]))
        if not number % _ENTRIES_AT_ONCE:
            yield
    return tuple(objects)


class _Entry(NamedTuple):
    class_id: int
    version: int
    logical_name: Obis
    base_name: int | None
    rights: Data | None


def _entries_in(data: Data) -> list[_Entry]:
    if data.type is not DataType.ARRAY:
        raise DecodeError(f"an object list is an array, not {data.type.name}")
    entries = map(_entry, elements(data))
    return [entry for entry in entries if entry is not None]


def _entry(data: Data) -> _Entry | None:
    """Read an entry; None if it does not name an object."""
    match [element.value for element in elements(data)[:4]]:
        case [int(class_id), int(version), bytes(logical_name), *_]:
            base_name = None
        case [int(signed), int(class_id), int(version), bytes(logical_name)]:
            base_name = signed & 0xFFFF
        case _:
            return None
    if len(logical_name) != len(_CURRENT_ASSOCIATION):
        return None
    rights = elements(data)[3:4]  # a meter that does not say leaves them out
    return _Entry(
        class_id, version, Obis(logical_name), base_name, rights[0] if rights else None
    )


type _Access = dict[int, AccessMode]
type _Accesses = tuple[_Access, _Access]

_ENTRIES_AT_ONCE = 200
_ITEMS_AT_ONCE = 1000

_HEAD = Struct(">3sHsB2s6s")
_MARKS = (b"\x02\x04\x12", b"\x11", b"\x09\x06")
"""The tags and lengths before class, version and name, as most meters write them."""
_WAYS = 8
"""Ways of writing rights that are remembered of each class; real lists have fewer."""

type _Known = dict[int, list[tuple[bytes, Data]]]
"""By class: rights as they were written, and as they were read."""


def _read_entries(octets: bytes) -> Slices[list[_Entry]]:
    """Read a list; rights that are written as some before are not read again, but are the same Data."""
    # 200 objects take 0.5 ms, by way of `decode_data` 2: what an object allows is what others of its class allow.
    if octets[:1] != bytes((DataType.ARRAY,)):
        return _entries_in((yield from read_data_in_slices(Reader(octets))))
    reader = Reader(octets, 1)
    known: _Known = {}
    entries: list[_Entry] = []
    pause_at = OCTETS_AT_ONCE
    for number in range(1, reader.length() + 1):
        entry = yield from _read_entry(reader, known)
        if entry is not None:
            entries.append(entry)
        if reader.offset > pause_at or not number % _ITEMS_AT_ONCE:
            pause_at = reader.offset + OCTETS_AT_ONCE
            yield
    reader.finish("the object list")
    return entries


def _read_entry(reader: Reader, known: _Known) -> Slices[_Entry | None]:
    """Read an entry; None if it does not name an object."""
    if reader.remaining < _HEAD.size:
        return _entry(read_data(reader))  # too short
    octets, start = reader.data, reader.offset
    first, class_id, second, version, third, name = _HEAD.unpack_from(octets, start)
    if (first, second, third) != _MARKS:
        return _entry((yield from read_data_in_slices(reader)))
    start += _HEAD.size
    ways = known.setdefault(class_id, [])
    for written, rights in ways:
        if octets.startswith(written, start):
            reader.offset = start + len(written)
            return _Entry(class_id, version, Obis(name), None, rights)
    entry = _entry((yield from read_data_in_slices(reader)))
    if entry is not None and entry.rights is not None and len(ways) < _WAYS:
        ways.append((octets[start : reader.offset], entry.rights))
    return entry


def _cosem_object(entry: _Entry, attributes: _Access, methods: _Access) -> CosemObject:
    return CosemObject(
        class_id=entry.class_id,
        version=entry.version,
        logical_name=entry.logical_name,
        attribute_access=attributes,
        method_access=methods,
        base_name=entry.base_name,
    )


def _read_rights(
    rights: Data | None, attribute_modes: _Modes, method_modes: _Modes
) -> Slices[_Accesses]:
    lists = () if rights is None else elements(rights)[:2]
    attributes, methods = (*(elements(items) for items in lists), (), ())[:2]
    return (
        (yield from _access(attributes, attribute_modes)),
        (yield from _access(methods, method_modes)),
    )


def _access(items: tuple[Data, ...], modes: _Modes) -> Slices[_Access]:
    """Read {index, access mode, …} items, leaving out what is neither."""
    access: _Access = {}
    for number, item in enumerate(items, 1):
        if not number % _ITEMS_AT_ONCE:
            yield
        match [element.value for element in elements(item)[:2]]:
            case [
                int(index),
                int(mode),
            ]:  # a method of version 0 has a boolean, which is an int
                if modes is None:
                    access[index] = AccessMode(mode & 0xFF)
                elif 0 <= mode < len(modes):
                    access[index] = modes[mode]
    return access
