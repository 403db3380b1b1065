"""APDUs as people read them, on one line: `GetRequestNormal(invoke 193, attribute 3/1-0:1.8.0*255/2)`."""

from enum import Enum

from ..codec.data import SEQUENCES, BitString, Data
from ..cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
)
from ..cosem.obis import Obis


def readable(part: object) -> str:
    """Print an APDU, or what it is made of; what is not there is left out."""
    match part:
        case Data(type=data_type, value=tuple(elements)) if data_type in SEQUENCES:
            return f"{data_type.name}{readable(elements)}"
        case Data() | AttributeDescriptor() | MethodDescriptor() | BitString() | Obis():
            return str(part)
        case SelectedAttribute(attribute, None):
            return str(attribute)
        case Enum():
            return part.name or str(part.value)
        case bytes():
            return part.hex()
    fields: tuple[str, ...] | None = getattr(part, "_fields", None)
    if fields is not None:
        present = [(name, getattr(part, name)) for name in fields]
        told = [f"{name} {readable(it)}" for name, it in present if it is not None]
        return f"{type(part).__name__}({', '.join(told)})"
    if isinstance(part, tuple):
        return f"[{', '.join(map(readable, part))}]"
    return str(part)
