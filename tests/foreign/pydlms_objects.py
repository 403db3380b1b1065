"""What pydlms-client (GPL-3) knows of interface classes, and what it makes of the octets of attributes, as JSON.

Runs in a process of its own: `python pydlms_objects.py '{"classes": […], "values": [[class, attribute, version, hex], …]}'`.
"""

from dataclasses import fields, is_dataclass
from enum import Enum
import json
import sys
from typing import Any

from pydlms.cosem.data import DlmsData, decode_data, encode_data
from pydlms.cosem.interface_classes import REGISTRY, lookup
from pydlms.cosem.model import spec_for
from pydlms.cosem.types import Any as Whatever
from pydlms.sn_methods import method_address

type Untyped = Any  # pydlms' classes and values

BASE_NAME = 0x1000
VERSIONS = range(5)


def known(class_id: int) -> dict[str, Any]:
    """Return names of attributes and methods, and the short names of the methods by version."""
    row: Untyped = lookup(class_id)
    return {
        "attributes": row.attributes,
        "methods": row.methods,
        "short_names": {
            version: short_names(class_id, version, len(row.methods))
            for version in VERSIONS
            if (class_id, version) in REGISTRY
        },
    }


def short_names(class_id: int, version: int, methods: int) -> list[int] | None:
    try:
        return [
            method_address(BASE_NAME, class_id, number, version)
            for number in range(1, methods + 1)
        ]
    except NotImplementedError:  # it does not know where they are
        return None


def leaves(value: Untyped) -> list[Any]:
    """Return what a value is made of, without structure: numbers, texts, and octets in hex."""
    if is_dataclass(value) and not isinstance(value, DlmsData):
        if hasattr(value, "to_bytes"):
            return [bytes(value.to_bytes()).hex()]
        parts = [getattr(value, field.name) for field in fields(value)]
    elif isinstance(value, list | tuple):
        parts = list(value)
    elif isinstance(value, DlmsData):
        return [encode_data(value).hex()]
    elif isinstance(value, bytes | bytearray):
        return [bytes(value).hex()]
    elif isinstance(value, Enum):
        return [value.value]
    else:
        return [value if isinstance(value, int | str | None) else str(value)]
    return [leaf for part in parts for leaf in leaves(part)]


def understood(class_id: int, attribute_id: int, _: int, octets: str) -> dict[str, Any]:
    """Decode one attribute by its type, and encode it again; say nothing where it has no opinion on the type."""
    spec: Untyped = spec_for(class_id)
    kind = spec.attribute(attribute_id).type
    if isinstance(kind, Whatever):
        return {}
    try:
        value = kind.decode(decode_data(bytes.fromhex(octets))[0])
        return {
            "leaves": leaves(value),
            "octets": encode_data(kind.encode(value)).hex(),
        }
    except Exception as error:  # noqa: BLE001  whatever is wrong with it
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    order = json.loads(sys.argv[1])
    json.dump(
        {
            "classes": {number: known(number) for number in order["classes"]},
            "values": [understood(*row) for row in order["values"]],
        },
        sys.stdout,
    )
