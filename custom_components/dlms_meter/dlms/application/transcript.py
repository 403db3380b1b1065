"""What was asked and what was answered in a session, out of its APDUs: for whoever looks at a recorded one.

However it was asked: alone, in a list, in blocks, by logical or by short names.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from ..codec.axdr import decode_data, read_data
from ..codec.cursor import Reader
from ..codec.data import Data
from ..codec.slices import finish
from ..cosem.descriptors import MethodDescriptor, SelectedAttribute, SelectiveAccess
from ..errors import DecodeError
from .access import (
    AccessKind,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessSpecification,
)
from .action import (
    ActionOutcome,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    read_outcomes,
)
from .apdu import Apdu, decode_apdu
from .enums import ActionResult, DataAccessResult
from .fields import DataBlock
from .get import (
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    GetResult,
    read_results,
)
from .set import (
    SetRequestNormal,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from .short_name import (
    METHOD_CALL,
    DataBlockResult,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    Variable,
    VariableName,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
    read_plain_results,
)


class Service(Enum):
    """What was done."""

    READ = "read"
    WRITE = "write"
    INVOKE = "invoke"


class ShortTarget(NamedTuple):
    """What a short name stands for, or a part of it."""

    name: int
    access: SelectiveAccess | None = None


class Asked(NamedTuple):
    """What was done with what; values written and parameters of methods are not part of it."""

    service: Service
    target: SelectedAttribute | MethodDescriptor | ShortTarget


type Answer = GetResult | ActionOutcome
"""A value read, how writing ended, what came of a method with a logical name; one with a short name answers as a value does."""


class Exchange(NamedTuple):
    """One thing asked with its answer, and which of the messages the answer came in, counted from 0."""

    asked: Asked
    answer: Answer
    messages: tuple[int, ...]


def exchanges(messages: Iterable[tuple[bool, bytes]]) -> Iterator[Exchange]:
    """Yield what was asked and answered in a conversation; what cannot be decoded, or was broken off, is left out.

    Messages are whole APDUs in clear, each with whether the client sent it.
    """
    listener = _Listener()
    for number, (is_sent, octets) in enumerate(messages):
        try:
            apdu = decode_apdu(octets)
            if is_sent:
                listener.hear_request(apdu)
            else:
                yield from listener.hear_answer(number, apdu)
        except DecodeError:
            continue


class _Listener:
    """Follows a conversation, one message after the other."""

    def __init__(self) -> None:
        self._asked: tuple[Asked, ...] = ()
        self._is_list = False
        self._blocks: list[bytes] = []
        self._numbers: list[int] = []
        self._pieces: list[bytes] = []  # of a request by short names

    def hear_request(self, apdu: Apdu) -> None:
        """Note what is asked; whatever only goes on with a transfer changes nothing."""
        if (piece := _piece_of(apdu)) is not None:
            before = self._pieces if piece.number > 1 else []
            self._pieces = [*before, piece.raw]
            if not piece.last:
                return
            apdu = decode_apdu(apdu.encode()[:1] + b"".join(self._pieces))
        asked = asked_by(apdu)
        if asked:
            self._asked, self._blocks, self._numbers = asked, [], []
            self._is_list = isinstance(apdu, _LISTS)

    def hear_answer(self, number: int, apdu: Apdu) -> Iterator[Exchange]:
        """Yield what is answered completely with this message."""
        self._numbers.append(number)
        answers = self._answers(apdu)
        if not answers:
            return
        for asked, answer in zip(self._asked, answers, strict=False):
            yield Exchange(asked, answer, tuple(self._numbers))
        self._asked = ()

    def _answers(self, apdu: Apdu) -> Sequence[Answer]:
        """Return the answers that an APDU completes, in the order of what was asked."""
        match apdu:
            case GetResponseNormal(_, result):
                return (_value(result),)
            case GetResponseWithList(_, results):
                return _values(results)
            case GetResponseWithDatablock(_, last, _, bytes() as raw):
                return self._collect(last, raw)
            case GetResponseWithDatablock(_, _, _, DataAccessResult() as error):
                return (error,)
            case ReadResponse((DataBlockResult(last, _, raw),)):
                return self._collect(last, raw)
            case ReadResponse(bytes() as raw):
                return finish(read_plain_results(Reader(raw)))
            case ReadResponse(results) | WriteResponse(results):
                return [r for r in results if isinstance(r, Data | DataAccessResult)]
        return self._outcomes(apdu)

    def _outcomes(self, apdu: Apdu) -> Sequence[Answer]:
        """Return how writing and invoking ended, if that is what an APDU tells."""
        match apdu:
            case SetResponseNormal(_, result) | SetResponseLastDatablock(_, result):
                return (result,)
            case SetResponseWithList(_, results) | SetResponseLastDatablockWithList(
                _, results
            ):
                return results
            case ActionResponseNormal(_, outcome):
                return (outcome,)
            case ActionResponseWithList(_, outcomes):
                return outcomes
            case ActionResponseWithPblock(_, DataBlock(last, _, raw)):
                return self._collect(last, raw)
            case AccessResponse(values=values, results=results):
                return list(map(_outcome, values, results, strict=False))
        return ()

    def _collect(self, last: bool, raw: bytes) -> Sequence[Answer]:
        """Take a block; with the last one return what they say together."""
        self._blocks.append(raw)
        if not last or not self._asked:
            return ()
        octets = b"".join(self._blocks)
        target = self._asked[0].target
        if isinstance(target, MethodDescriptor):
            if self._is_list:
                return read_outcomes(Reader(octets))
            return (ActionOutcome(ActionResult.SUCCESS, decode_data(octets)),)
        if isinstance(target, ShortTarget):
            return _short_name_values(octets, alone=len(self._asked) == 1)
        if self._is_list:
            return finish(read_results(Reader(octets)))
        return (decode_data(octets),)


_LISTS = (
    GetRequestWithList,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
)
"""Requests whose answers, when they come in blocks, are a counted list, be it of one."""


def asked_by(apdu: Apdu) -> tuple[Asked, ...]:
    """Return what a request asks for, in its order; nothing for one that only goes on with a transfer."""
    return (
        _asked_to_read(apdu)
        or _asked_to_change(apdu)
        or _asked_for_all_at_once(apdu)
        or _asked_by_names(apdu)
    )


def _asked_to_read(apdu: Apdu) -> tuple[Asked, ...]:
    match apdu:
        case GetRequestNormal(_, attribute, access):
            return (Asked(Service.READ, SelectedAttribute(attribute, access)),)
        case GetRequestWithList(_, attributes):
            return tuple([Asked(Service.READ, item) for item in attributes])
    return ()


def _asked_to_change(apdu: Apdu) -> tuple[Asked, ...]:
    match apdu:
        case SetRequestNormal(_, attribute, access) | SetRequestWithFirstDatablock(
            _, attribute, access
        ):
            return (Asked(Service.WRITE, SelectedAttribute(attribute, access)),)
        case SetRequestWithList(_, attributes) | SetRequestWithListAndFirstDatablock(
            _, attributes
        ):
            return tuple([Asked(Service.WRITE, item) for item in attributes])
        case ActionRequestNormal(_, method) | ActionRequestWithFirstPblock(_, method):
            return (Asked(Service.INVOKE, method),)
        case ActionRequestWithList(_, methods) | ActionRequestWithListAndFirstPblock(
            _, methods
        ):
            return tuple([Asked(Service.INVOKE, method) for method in methods])
    return ()


def _asked_for_all_at_once(apdu: Apdu) -> tuple[Asked, ...]:
    if not isinstance(apdu, AccessRequest):
        return ()
    return tuple(map(_asked_of, apdu.specifications))


def _asked_of(specification: AccessSpecification) -> Asked:
    kind, target, access = specification
    if isinstance(target, MethodDescriptor):
        return Asked(Service.INVOKE, target)
    service = Service.WRITE if kind is AccessKind.SET else Service.READ
    return Asked(service, SelectedAttribute(target, access))


def _piece_of(apdu: Apdu) -> DataBlock | None:
    """Return the piece of a Read or Write that is too long for one APDU, if it is one."""
    match apdu:
        case ReadRequest((ReadDataBlockAccess(last, number, raw),)):
            return DataBlock(last, number, raw)
        case WriteRequest(
            (WriteDataBlockAccess(last, number),), (Data(value=bytes(raw)),)
        ):
            return DataBlock(last, number, raw)
    return None


def _asked_by_names(apdu: Apdu) -> tuple[Asked, ...]:
    if isinstance(apdu, ReadRequest):
        return asked_by_short_names(apdu.variables, Service.READ)
    if isinstance(apdu, WriteRequest):
        return asked_by_short_names(apdu.variables, Service.WRITE)
    return ()


def asked_by_short_names(
    variables: tuple[Variable, ...], service: Service
) -> tuple[Asked, ...]:
    """Return what a Read or Write asks for; nothing for one in blocks."""
    asked = []
    for variable in variables:
        match variable:
            case ParameterizedAccess(name, SelectiveAccess(selector)) if (
                selector == METHOD_CALL
            ):
                asked.append(Asked(Service.INVOKE, ShortTarget(name)))
            case VariableName(name):
                asked.append(Asked(service, ShortTarget(name)))
            case ParameterizedAccess(name, access):
                asked.append(Asked(service, ShortTarget(name, access)))
    return tuple(asked)


def _value(result: GetResult | bytes) -> GetResult:
    """Decode a value that is long."""
    return read_data(Reader(result)) if isinstance(result, bytes) else result


def _values(results: Sequence[GetResult] | bytes) -> Sequence[GetResult]:
    """Decode results that are long."""
    if isinstance(results, bytes):
        return finish(read_results(Reader(results)))
    return results


def _short_name_values(octets: bytes, *, alone: bool) -> Sequence[GetResult]:
    """Decode results that came in blocks: a counted list; or, as some meters have it, a value alone."""
    # An array of one element begins like a list of one result, but an element is never null-data and nothing else.
    if alone and (octets[:2] != _ONE_VALUE or octets == _ONE_VALUE):
        return (decode_data(octets),)
    return finish(read_plain_results(Reader(octets)))


_ONE_VALUE = b"\x01\x00"
"""A list of one result, which is data."""


def _outcome(value: Data, outcome: AccessResult) -> Answer:
    kind, result = outcome
    if isinstance(result, ActionResult):
        return ActionOutcome(result, value)
    is_read = kind is AccessKind.GET and result is DataAccessResult.SUCCESS
    return value if is_read else result
