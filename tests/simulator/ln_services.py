"""SET, ACTION and ACCESS of the simulated meter: single, in lists, in blocks both ways."""

from collections.abc import Sequence

from custom_components.dlms_meter.dlms.application.access import (
    AccessKind,
    AccessRequest,
    AccessResponse,
    AccessResult,
    AccessSpecification,
)
from custom_components.dlms_meter.dlms.application.action import (
    ActionOutcome,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    encode_outcomes,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    Conformance,
    DataAccessResult,
    ExceptionServiceError,
    ExceptionStateError,
)
from custom_components.dlms_meter.dlms.application.failure import ExceptionResponse
from custom_components.dlms_meter.dlms.application.fields import (
    DataBlock,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
    read_data_list,
)
from custom_components.dlms_meter.dlms.application.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.errors import DecodeError

from .meter import Meter
from .objects import NULL, AssociationFacts

_BLOCK_OVERHEAD = 12
_NOT_SUPPORTED = ExceptionResponse(
    ExceptionStateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED
)
_NEEDED: dict[type, Conformance] = {
    SetRequestNormal: Conformance.SET,
    SetRequestWithList: Conformance.SET | Conformance.MULTIPLE_REFERENCES,
    SetRequestWithFirstDatablock: Conformance.SET | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE,
    SetRequestWithListAndFirstDatablock: Conformance.SET
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.MULTIPLE_REFERENCES,
    SetRequestWithDatablock: Conformance.SET | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE,
    ActionRequestNormal: Conformance.ACTION,
    ActionRequestWithList: Conformance.ACTION | Conformance.MULTIPLE_REFERENCES,
    ActionRequestWithFirstPblock: Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION,
    ActionRequestWithListAndFirstPblock: Conformance.ACTION
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.MULTIPLE_REFERENCES,
    ActionRequestWithPblock: Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION,
    ActionRequestNextPblock: Conformance.ACTION | Conformance.BLOCK_TRANSFER_WITH_ACTION,
    AccessRequest: Conformance.ACCESS,
}  # fmt: skip

type _LongRequest = (
    SetRequestWithFirstDatablock
    | SetRequestWithListAndFirstDatablock
    | ActionRequestWithFirstPblock
    | ActionRequestWithListAndFirstPblock
)


class LogicalNameServices:
    """Answers the SET, ACTION and ACCESS requests of one association."""

    def __init__(self, association: AssociationFacts, meter: Meter) -> None:
        self._association = association
        self._meter = meter
        self._request: _LongRequest | None = None  # on its way
        self._raw = b""
        self._due = 0
        self._answer: list[bytes] = []  # blocks on their way out

    def handle(self, apdu: bytes) -> bytes | None:
        """Answer one request. Raises `DecodeError` for what is none."""
        request = decode_apdu(apdu)
        needed = _NEEDED.get(type(request))
        if needed is None or needed not in self._association.conformance:
            return _NOT_SUPPORTED.encode()
        if isinstance(request, AccessRequest):
            answer: Apdu | None = self._access(request)
            confirmed = request.invoke.confirmed
        else:
            answer = self._set(request) or self._action(request)
            invoke = getattr(request, "invoke", None)
            assert isinstance(invoke, InvokeIdAndPriority)
            confirmed = invoke.confirmed
        return answer.encode() if answer is not None and confirmed else None

    def _set(self, request: Apdu) -> Apdu | None:
        match request:
            case SetRequestNormal(invoke, attribute, access, value):
                wanted = SelectedAttribute(attribute, access)
                return SetResponseNormal(invoke, self._write(wanted, value))
            case SetRequestWithList(invoke, attributes, values):
                if self._meter.settings.service_quirks.refuses_lists:
                    return _NOT_SUPPORTED
                return SetResponseWithList(invoke, self._write_all(attributes, values))
            case SetRequestWithFirstDatablock() | SetRequestWithListAndFirstDatablock():
                self._begin(request)
                return self._take(request.invoke, request.block)
            case SetRequestWithDatablock(invoke, block):
                return self._take(invoke, block)
        return None

    def _action(self, request: Apdu) -> Apdu | None:
        match request:
            case ActionRequestNormal(invoke, method, parameters):
                return self._returned(invoke, self._invoke(method, parameters))
            case ActionRequestWithList(invoke, methods, parameters_list):
                if self._meter.settings.service_quirks.refuses_lists:
                    return _NOT_SUPPORTED
                return self._returned_all(invoke, methods, parameters_list)
            case ActionRequestWithFirstPblock() | ActionRequestWithListAndFirstPblock():
                self._begin(request)
                return self._take(request.invoke, request.block)
            case ActionRequestWithPblock(invoke, block):
                return self._take(invoke, block)
            case ActionRequestNextPblock(invoke, number):
                return self._next(invoke, number + 1)
        return None

    def _write(self, wanted: SelectedAttribute, value: Data) -> DataAccessResult:
        return self._meter.write(self._association, wanted, value)

    def _write_all(
        self, attributes: Sequence[SelectedAttribute], values: Sequence[Data]
    ) -> tuple[DataAccessResult, ...]:
        if len(attributes) != len(values):
            raise DecodeError("as many values as attributes")
        return tuple(map(self._write, attributes, values, strict=True))

    def _invoke(
        self, method: MethodDescriptor, parameters: Data | None
    ) -> ActionOutcome:
        return self._meter.invoke(self._association, method, parameters)

    # Requests in blocks

    def _begin(self, request: _LongRequest) -> None:
        self._request, self._raw, self._due = request, b"", 1

    def _take(self, invoke: InvokeIdAndPriority, block: DataBlock) -> Apdu:
        """Take a block; after the last one the request is answered."""
        request = self._request
        acting = isinstance(
            request, ActionRequestWithFirstPblock | ActionRequestWithListAndFirstPblock
        )
        if request is None or block.number != self._due:
            self._request = None
            return SetResponseNormal(invoke, DataAccessResult.DATA_BLOCK_NUMBER_INVALID)
        self._raw += block.raw
        self._due += 1
        if not block.last:
            arrived = ActionResponseNextPblock if acting else SetResponseDatablock
            return arrived(invoke, block.number)
        self._request = None
        return self._complete(request, invoke, block.number)

    def _complete(
        self, request: _LongRequest, invoke: InvokeIdAndPriority, number: int
    ) -> Apdu:
        reader = Reader(self._raw)
        match request:
            case SetRequestWithFirstDatablock(_, attribute, access, _):
                wanted = SelectedAttribute(attribute, access)
                (value,) = read_data_list(Reader(b"\x01" + self._raw))
                return SetResponseLastDatablock(
                    invoke, self._write(wanted, value), number
                )
            case SetRequestWithListAndFirstDatablock(_, attributes, _):
                results = self._write_all(attributes, read_data_list(reader))
                return SetResponseLastDatablockWithList(invoke, results, number)
            case ActionRequestWithFirstPblock(_, method, _):
                (value,) = read_data_list(Reader(b"\x01" + self._raw))
                return self._returned(invoke, self._invoke(method, value))
            case ActionRequestWithListAndFirstPblock(_, methods, _):
                return self._returned_all(invoke, methods, read_data_list(reader))

    # Answers in blocks

    def _returned(self, invoke: InvokeIdAndPriority, outcome: ActionOutcome) -> Apdu:
        answer = ActionResponseNormal(invoke, outcome)
        if self._fits(answer) or not isinstance(outcome.returned, Data):
            return answer
        return self._cut(invoke, encode_data(outcome.returned))

    def _returned_all(
        self,
        invoke: InvokeIdAndPriority,
        methods: Sequence[MethodDescriptor],
        parameters: Sequence[Data],
    ) -> Apdu:
        if len(methods) != len(parameters):
            raise DecodeError("as many parameters as methods")
        outcomes = tuple(map(self._invoke, methods, parameters, strict=True))
        answer = ActionResponseWithList(invoke, outcomes)
        if self._fits(answer):
            return answer
        return self._cut(invoke, encode_outcomes(outcomes))

    def _fits(self, answer: Apdu) -> bool:
        limit = self._association.max_response_size
        return not limit or len(answer.encode()) <= limit

    def _cut(self, invoke: InvokeIdAndPriority, raw: bytes) -> Apdu:
        size = self._association.max_response_size - _BLOCK_OVERHEAD
        self._answer = [raw[at : at + size] for at in range(0, len(raw), size)]
        return self._next(invoke, 1)

    def _next(self, invoke: InvokeIdAndPriority, number: int) -> Apdu:
        if not 1 <= number <= len(self._answer):
            outcome = ActionOutcome(ActionResult.NO_LONG_ACTION_IN_PROGRESS)
            return ActionResponseNormal(invoke, outcome)
        block = DataBlock(number == len(self._answer), number, self._answer[number - 1])
        return ActionResponseWithPblock(invoke, block)

    # ACCESS

    def _access(self, request: AccessRequest) -> AccessResponse:
        if len(request.specifications) != len(request.values):
            raise DecodeError("as many values as specifications")
        values: list[Data] = []
        results: list[AccessResult] = []
        broken = False
        for specification, value in zip(
            request.specifications, request.values, strict=True
        ):
            if broken:
                returned, result = NULL, _not_done(specification)
            else:
                returned, result = self._do(specification, value)
            values.append(returned)
            results.append(result)
            failed = result.result != DataAccessResult.SUCCESS
            broken = broken or (failed and request.invoke.break_on_error)
        return AccessResponse(
            LongInvokeIdAndPriority(request.invoke),
            b"",
            request.specifications,
            tuple(values),
            tuple(results),
        )

    def _do(
        self, specification: AccessSpecification, value: Data
    ) -> tuple[Data, AccessResult]:
        kind, target, access = specification
        if isinstance(target, MethodDescriptor):
            outcome = self._invoke(target, value)
            returned = outcome.returned if isinstance(outcome.returned, Data) else NULL
            return returned, AccessResult(kind, outcome.result)
        assert isinstance(target, AttributeDescriptor)
        wanted = SelectedAttribute(target, access)
        if kind is AccessKind.SET:
            return NULL, AccessResult(kind, self._write(wanted, value))
        read = self._meter.read(self._association, wanted)
        if isinstance(read, Data):
            return read, AccessResult(kind, DataAccessResult.SUCCESS)
        return NULL, AccessResult(kind, read)


def _not_done(specification: AccessSpecification) -> AccessResult:
    if specification.kind is AccessKind.ACTION:
        return AccessResult(specification.kind, ActionResult.OTHER_REASON)
    return AccessResult(specification.kind, DataAccessResult.OTHER_REASON)
