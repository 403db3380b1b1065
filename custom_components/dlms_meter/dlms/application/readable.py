"""APDUs as people read them, on one line: `GetRequestNormal(invoke 193, attribute 3/1-0:1.8.0*255/2)`."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum

from ..codec.data import SEQUENCES, BitString, Data
from ..cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
)
from ..cosem.obis import Obis
from ..errors import DecodeError
from .apdu import Apdu, decode_apdu
from .failure import ConfirmedServiceError
from .initiate import InitiateRequest, InitiateResponse
from .short_name import VariableName

_INFORMATION = "user_information"
_INITIATE = tuple(
    bytes((kind.TAG,))
    for kind in (InitiateRequest, InitiateResponse, ConfirmedServiceError)
)


def readable(part: object) -> str:
    """Print an APDU, or what it is made of; what is not there is left out."""
    match part:
        case Data(type=data_type, value=tuple(elements)) if data_type in SEQUENCES:
            return f"{data_type.name}{readable(elements)}"
        case Data() | AttributeDescriptor() | MethodDescriptor() | BitString() | Obis():
            return str(part)
        case VariableName(name):
            return f"0x{name:04X}"
        case SelectedAttribute(attribute, None):
            return str(attribute)
        case Enum():
            return part.name or str(part.value)
        case bytes():
            return part.hex()
    if isinstance(part, tuple) and not hasattr(part, "_fields"):
        return f"[{', '.join(map(readable, part))}]"
    if not (isinstance(part, tuple) or is_dataclass(part)):
        return str(part)
    return f"{type(part).__name__}({', '.join(_told(part))})"


def _told(apdu: object) -> Iterator[str]:
    """Print the fields of an APDU, each with its name, but for those that its repr keeps to itself: they may be secret."""
    if is_dataclass(apdu):
        shown = {field.name: field.repr for field in fields(apdu)}
    else:
        shown = dict.fromkeys(getattr(apdu, "_fields", ()), True)
    for name, is_open in shown.items():
        value = getattr(apdu, name)
        initiate = _initiate_in(value) if name == _INFORMATION else None
        if initiate is not None:
            yield f"{name} {readable(initiate)}"
        elif is_open and value is not None:
            yield f"{name} {readable(value)}"


def _initiate_in(information: bytes | None) -> Apdu | None:
    """Return what an association APDU carries; None where that is nothing, ciphered, or damaged."""
    if information is None or information[:1] not in _INITIATE:
        return None
    try:
        return decode_apdu(information)
    except DecodeError:
        return None
