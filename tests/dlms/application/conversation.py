"""Procedures without a network: what they ask, and what they make of the answers."""

from collections.abc import Callable, Iterable, Iterator
from typing import cast

from custom_components.dlms_meter.dlms.application.acse import Aare
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.association import Association
from custom_components.dlms_meter.dlms.application.association_settings import (
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.enums import (
    AccessError,
    ApplicationContext,
    AssociationResult,
    ConfirmedService,
    Conformance,
    DataAccessResult,
    ErrorClass,
    ExceptionServiceError,
    ExceptionStateError,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.failure import (
    ConfirmedServiceError,
    ExceptionResponse,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetResponseNormal,
    GetResult,
)
from custom_components.dlms_meter.dlms.application.initiate import InitiateResponse
from custom_components.dlms_meter.dlms.application.procedures import Pause, Procedure
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

EVERYTHING = Conformance(0xFFFFFF)
FIRST = InvokeIdAndPriority(0xC1)
SECOND = InvokeIdAndPriority(0xC2)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
UNDEFINED = DataAccessResult.OBJECT_UNDEFINED
BUSY = ExceptionResponse(
    ExceptionStateError.SERVICE_NOT_ALLOWED,
    ExceptionServiceError.OPERATION_NOT_POSSIBLE,
)
DENIED = ConfirmedServiceError(
    ConfirmedService.READ, ErrorClass.ACCESS, AccessError.OBJECT_ACCESS_VIOLATED
)


def number(value: int) -> Data:
    return Data(DataType.DOUBLE_LONG_UNSIGNED, value)


def registers(count: int) -> list[AttributeDescriptor]:
    return [
        AttributeDescriptor(3, Obis(bytes((1, 0, n >> 8, n & 0xFF, 0, 255))), 2)
        for n in range(count)
    ]


def normal(result: GetResult, invoke: InvokeIdAndPriority = FIRST) -> GetResponseNormal:
    return GetResponseNormal(invoke, result)


def granted(
    conformance: Conformance = EVERYTHING,
    max_receive_pdu_size: int = 0,
    context: ApplicationContext = ApplicationContext.LOGICAL_NAME,
    diagnostic: UserDiagnostic = UserDiagnostic.NULL,
) -> Aare:
    response = InitiateResponse(
        conformance=conformance, max_receive_pdu_size=max_receive_pdu_size
    )
    return Aare(
        application_context=context,
        result=AssociationResult.ACCEPTED,
        diagnostic=diagnostic,
        user_information=response.encode(),
    )


def associated(
    conformance: Conformance = EVERYTHING, max_receive_pdu_size: int = 0
) -> Association:
    association = Association(AssociationSettings())
    association.request()
    association.establish(granted(conformance, max_receive_pdu_size))
    return association


def drive[T](procedure: Procedure[T], exchange: Callable[[Apdu], Apdu]) -> T:
    """Carry out a procedure; `exchange` is the meter."""
    try:
        request = next(procedure)
        while True:
            if isinstance(request, Pause):
                request = next(procedure)
            else:
                request = procedure.send(exchange(request))
    except StopIteration as done:
        return cast(T, done.value)


class Script:
    """A meter that gives prepared answers, in their order, and remembers what it was asked."""

    def __init__(self, answers: Iterable[Apdu]) -> None:
        self.requests: list[Apdu] = []
        self._answers: Iterator[Apdu] = iter(answers)

    def __call__(self, request: Apdu) -> Apdu:
        self.requests.append(request)
        return next(self._answers)


def converse[T](procedure: Procedure[T], *answers: Apdu) -> tuple[T, list[Apdu]]:
    """Carry out a procedure with prepared answers; return its result and its requests."""
    script = Script(answers)
    result = drive(procedure, script)
    assert len(script.requests) == len(answers)
    return result, script.requests
