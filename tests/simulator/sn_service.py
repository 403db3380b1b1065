"""Short names of the simulated meter: where its objects are, and Read, Write and UnconfirmedWrite, with blocks both ways."""

from functools import cached_property

from custom_components.dlms_meter.dlms.application.action import ActionOutcome
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    ConfirmedService,
    Conformance,
    DataAccessResult,
    ErrorClass,
    ServiceUseError,
)
from custom_components.dlms_meter.dlms.application.failure import ConfirmedServiceError
from custom_components.dlms_meter.dlms.application.get import GetResult, encode_results
from custom_components.dlms_meter.dlms.application.short_name import (
    BlockArrived,
    BlockNumberAccess,
    DataBlockResult,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    ReadResult,
    UnconfirmedWriteRequest,
    Variable,
    VariableName,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
)
from custom_components.dlms_meter.dlms.application.transcript import (
    Service,
    asked_by_short_names,
)
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError

from .meter import Meter
from .objects import (
    AssociationFacts,
    MeterObject,
    array,
    int16,
    octets,
    structure,
    uint8,
    uint16,
)

_FIRST_BASE_NAME = 0x7000  # so that some are negative as Data
_SPACING = 0x100
_RESERVED = {
    Obis.parse("0-0:40.0.0"): 0xFA00,
    Obis.parse("0-0:41.0.0"): 0xFC00,
    Obis.parse("0-0:42.0.0"): 0xFD00,
}
_ASSOCIATION_LN, _ASSOCIATION_SN = 15, 12
_OBJECT_LIST = 0xFA08
_METHOD_CALL = 0
# Offset of the first method by class, as the Blue Book has it for the classes this meter has; elsewhere at the end.
_FIRST_METHOD = {
    3: 0x28,
    4: 0x38,
    5: 0x48,
    7: 0x58,
    8: 0x60,
    12: 0x20,
    17: 0x20,
    70: 0x20,
}
_LAST_METHOD_OFFSET = 0xC0
_BLOCK_OVERHEAD = 10
_READ_PREFIX = b"\x05"
_WRITE_PREFIX = b"\x06"


class ShortNameService:
    """Answers Read and Write requests of one association."""

    def __init__(self, association: AssociationFacts, meter: Meter) -> None:
        self._association = association
        self._meter = meter
        self._quirks = meter.settings.service_quirks
        self._request = b""  # pieces of a long request
        self._due = 1
        self._answer: list[bytes] = []  # pieces of a long answer

    @cached_property
    def base_names(self) -> dict[int, MeterObject]:
        """Where each object is."""
        others = [o for o in self._meter.objects if o.logical_name not in _RESERVED]
        names = {
            _RESERVED[item.logical_name]: item
            for item in self._meter.objects
            if item.logical_name in _RESERVED
        }
        return names | {
            _FIRST_BASE_NAME + _SPACING * n: item for n, item in enumerate(others)
        }

    @cached_property
    def _targets(self) -> dict[int, AttributeDescriptor | MethodDescriptor]:
        targets: dict[int, AttributeDescriptor | MethodDescriptor] = {}
        for base_name, item in self.base_names.items():
            for n in range(len(item.attributes)):
                attribute = AttributeDescriptor(item.class_id, item.logical_name, n + 1)
                targets[base_name + 8 * n] = attribute
            first = _FIRST_METHOD.get(item.class_id, _LAST_METHOD_OFFSET)
            for n in range(item.methods if item.class_id != _ASSOCIATION_LN else 0):
                method = MethodDescriptor(item.class_id, item.logical_name, n + 1)
                targets[base_name + first + 8 * n] = method
        return targets

    def handle(self, apdu: bytes) -> bytes | None:
        """Answer one request. Raises `DecodeError` for what is none."""
        request = decode_apdu(apdu)
        answer = self._dispatch(request)
        return None if answer is None else answer.encode()

    def _dispatch(self, request: Apdu) -> Apdu | None:
        match request:
            case ReadRequest((ReadDataBlockAccess(last, number, raw),)):
                return self._collect(_READ_PREFIX, last, number, raw)
            case WriteRequest((WriteDataBlockAccess(last, number),), (value,)):
                raw = value.value if isinstance(value.value, bytes) else b""
                return self._collect(_WRITE_PREFIX, last, number, raw)
            case ReadRequest((BlockNumberAccess(number),)):
                return ReadResponse((self._piece(number + 1),))
            case ReadRequest(variables):
                return self._read(variables)
            case WriteRequest(variables, values):
                return self._write(variables, values)
            case UnconfirmedWriteRequest(variables, values):
                written = self._write(variables, values)
                return written if self._quirks.answers_unconfirmed else None
        return _failure(ConfirmedService.READ)

    def _allows(self, service: Conformance) -> bool:
        return service in self._association.conformance

    def _read(self, variables: tuple[Variable, ...]) -> Apdu:
        if not self._allows(Conformance.READ) or self._refuses(variables):
            return _failure(ConfirmedService.READ)
        results = tuple(map(self._read_one, variables))
        answer = ReadResponse(results)
        limit = self._association.max_response_size
        if not limit or len(answer.encode()) <= limit:
            return answer
        if not self._allows(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ):
            return ReadResponse((DataAccessResult.OTHER_REASON,) * len(variables))
        bare = self._quirks.bare_blocks and len(results) == 1
        raw = encode_results(results)[2:] if bare else encode_results(results)
        size = limit - _BLOCK_OVERHEAD
        self._answer = [raw[at : at + size] for at in range(0, len(raw), size)]
        return ReadResponse((self._piece(1),))

    def _read_one(self, variable: Variable) -> GetResult:
        said = self._said_before(Service.READ, variable)
        if said is not None:
            return said
        match variable:
            case VariableName(name):
                access = None
            case ParameterizedAccess(name, access):
                if not self._allows(Conformance.PARAMETERIZED_ACCESS):
                    return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
            case _:
                return DataAccessResult.OBJECT_UNDEFINED
        if name == _OBJECT_LIST:
            return self._object_list()
        target = self._targets.get(name)
        if target is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if isinstance(target, MethodDescriptor):
            return self._call(target, access)
        return self._meter.read(self._association, SelectedAttribute(target, access))

    def _said_before(self, service: Service, variable: Variable) -> GetResult | None:
        """Return what a recorded meter said to this; None where there is no recording."""
        (asked,) = asked_by_short_names((variable,), service) or (None,)
        said = None if asked is None else self._meter.said_before(asked)
        assert not isinstance(said, ActionOutcome)
        return said

    def _call(
        self, method: MethodDescriptor, access: SelectiveAccess | None
    ) -> GetResult:
        by_read = access is not None and access.selector == _METHOD_CALL
        if not by_read or access is None or self._quirks.calls_by_write:
            return DataAccessResult.OBJECT_UNAVAILABLE
        outcome = self._meter.invoke(self._association, method, access.parameters)
        if outcome.result is not ActionResult.SUCCESS:
            return DataAccessResult(outcome.result)
        return outcome.returned or Data(DataType.NULL_DATA, None)

    def _write(self, variables: tuple[Variable, ...], values: tuple[Data, ...]) -> Apdu:
        if len(variables) != len(values):
            raise DecodeError("as many values as variables")
        if not self._allows(Conformance.WRITE) or self._refuses(variables):
            return _failure(ConfirmedService.WRITE)
        return WriteResponse(
            tuple(map(self._write_one, variables, values, strict=True))
        )

    def _write_one(self, variable: Variable, value: Data) -> DataAccessResult:
        said = self._said_before(Service.WRITE, variable)
        if isinstance(said, DataAccessResult):
            return said
        target = (
            self._targets.get(variable.name)
            if isinstance(variable, VariableName | ParameterizedAccess)
            else None
        )
        access = variable.access if isinstance(variable, ParameterizedAccess) else None
        if target is None:
            return DataAccessResult.OBJECT_UNDEFINED
        if isinstance(target, AttributeDescriptor):
            wanted = SelectedAttribute(target, access)
            return self._meter.write(self._association, wanted, value)
        if not self._quirks.calls_by_write:
            return DataAccessResult.READ_WRITE_DENIED
        outcome = self._meter.invoke(self._association, target, value)
        return DataAccessResult(outcome.result)

    def _refuses(self, variables: tuple[Variable, ...]) -> bool:
        lists = self._allows(Conformance.MULTIPLE_REFERENCES)
        return len(variables) > 1 and (not lists or self._quirks.refuses_lists)

    def _object_list(self) -> GetResult:
        if self._quirks.keeps_names:
            return DataAccessResult.READ_WRITE_DENIED
        entries = []
        for base_name, item in self.base_names.items():
            is_association = item.class_id == _ASSOCIATION_LN
            class_id = _ASSOCIATION_SN if is_association else item.class_id
            signed = base_name - 0x10000 if base_name >= 0x8000 else base_name
            entries.append(
                structure(
                    int16(signed),
                    uint16(class_id),
                    uint8(item.version),
                    octets(item.logical_name),
                )
            )
        return array(entries)

    def _collect(
        self, prefix: bytes, last: bool, number: int, raw: bytes
    ) -> Apdu | None:
        """Take a piece of a request; after the last one the whole is answered."""
        reading = prefix == _READ_PREFIX
        if number == 1:
            self._request, self._due = prefix, 1
        if number != self._due or self._request[:1] != prefix:
            invalid = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
            return ReadResponse((invalid,)) if reading else WriteResponse((invalid,))
        self._request += raw
        self._due += 1
        if not last:
            arrived = BlockArrived(number)
            return ReadResponse((arrived,)) if reading else WriteResponse((arrived,))
        return self._dispatch(decode_apdu(self._request))

    def _piece(self, number: int) -> ReadResult:
        if not 1 <= number <= len(self._answer):
            return DataAccessResult.DATA_BLOCK_NUMBER_INVALID
        raw = self._answer[number - 1]
        return DataBlockResult(number == len(self._answer), number, raw)


def _failure(service: ConfirmedService) -> ConfirmedServiceError:
    return ConfirmedServiceError(
        service, ErrorClass.SERVICE, ServiceUseError.SERVICE_UNSUPPORTED
    )
