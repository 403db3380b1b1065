"""Passwords and keys in APDUs: which may carry some, and what is left of a request without them. For logs and diagnostics."""

from typing import Final

from ..codec.data import Data, DataType
from ..cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from .access import AccessRequest
from .acse import Aarq
from .action import (
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
)
from .apdu import Apdu, decode_apdu
from .get import GetRequestNext
from .set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
)
from .short_name import (
    METHOD_CALL,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    UnconfirmedWriteRequest,
    Variable,
    WriteRequest,
)
from .transcript import Asked, Service, asked_by

_SECRETIVE: Final = frozenset({12, 15, 19, 30, 44, 45, 46, 64, 72, 100})
"""Classes that are told passwords and keys: Association SN and LN, IEC local port setup, Data protection, PPP, GPRS and SMTP
setup, Security setup, M-Bus client, NTP setup."""
_SECRETS: Final = frozenset(
    {(15, 7), (19, 7), (19, 8), (19, 9), (44, 5), (45, 3), (46, 4), (100, 6), (100, 7)}
)
"""Attributes that hold a password, a PIN or keys; most meters let nobody read them."""
_CLASSES_OF_SECRETS: Final = frozenset({class_id for class_id, _ in _SECRETS})


def may_carry_secret(request: Apdu) -> bool:
    """Tell whether a request, or the answer to it, may carry a password or a key: what it writes, hands over or reads.

    What a short name stands for is not known here, nor what later blocks belong to: what is written so may be anything.
    """
    match request:
        case Aarq():
            return request.authentication_value is not None
        case GetRequestNext():
            return False  # the most frequent one
        case (
            SetRequestWithDatablock()
            | ActionRequestWithPblock()
            | WriteRequest()
            | UnconfirmedWriteRequest()
            | ReadRequest(variables=(ReadDataBlockAccess(),))
        ):
            return True
    return any(_is_secretive(item) for item in asked_by(request))


def asks_for_secret(request: Apdu) -> bool:
    """Tell whether the answer to a request may carry a password or a key."""
    return any(
        item.service is Service.READ and _is_secretive(item)
        for item in asked_by(request)
    )


def _is_secretive(asked: Asked) -> bool:
    match asked:
        case Asked(Service.READ, SelectedAttribute(attribute)):
            return _is_secret(attribute)
        case Asked(_, MethodDescriptor(class_id) | SelectedAttribute((class_id, _, _))):
            return class_id in _SECRETIVE
    return asked.service is not Service.READ


def _is_secret(attribute: AttributeDescriptor) -> bool:
    class_id, _, attribute_id = attribute
    if attribute_id == 0:  # all of them
        return class_id in _CLASSES_OF_SECRETS
    return (class_id, attribute_id) in _SECRETS


def without_values(request: bytes) -> bytes:
    """Return a request without what is written and handed over to methods: null-data, or zeros, stand for it.

    Raises `DecodeError` for what is no APDU.
    """
    return emptied(decode_apdu(request)).encode()


def emptied(apdu: Apdu) -> Apdu:
    """Return an APDU without what it writes and hands over to methods."""
    match apdu:
        case SetRequestNormal():
            return apdu._replace(value=_NULL)
        case ActionRequestNormal(parameters=Data()):
            return apdu._replace(parameters=_NULL)
        case ActionRequestWithList(parameters=parameters):
            return apdu._replace(parameters=(_NULL,) * len(parameters))
        case (
            SetRequestWithList(values=values)
            | WriteRequest(values=values)
            | UnconfirmedWriteRequest(values=values)
            | AccessRequest(values=values)
        ):
            return apdu._replace(values=(_NULL,) * len(values))
        case ReadRequest(variables):
            return ReadRequest(tuple(map(_emptied_variable, variables)))
    return _emptied_block(apdu)


def _emptied_block(apdu: Apdu) -> Apdu:
    if isinstance(
        apdu,
        SetRequestWithFirstDatablock
        | SetRequestWithListAndFirstDatablock
        | SetRequestWithDatablock
        | ActionRequestWithFirstPblock
        | ActionRequestWithListAndFirstPblock
        | ActionRequestWithPblock,
    ):
        return apdu._replace(block=apdu.block._replace(raw=bytes(len(apdu.block.raw))))
    return apdu


def _emptied_variable(variable: Variable) -> Variable:
    match variable:
        case ParameterizedAccess(name, SelectiveAccess(selector)) if (
            selector == METHOD_CALL
        ):
            return ParameterizedAccess(name, SelectiveAccess(selector, _NULL))
        case ReadDataBlockAccess(raw_data=raw):
            return variable._replace(raw_data=bytes(len(raw)))
    return variable


_NULL = Data(DataType.NULL_DATA, None)
