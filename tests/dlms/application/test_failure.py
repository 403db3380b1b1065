"""ExceptionResponse and ConfirmedServiceError: every code readable, known or not."""

import pytest

from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ConfirmedService,
    ErrorClass,
    ExceptionServiceError,
    ExceptionStateError,
    InitiateError,
    OtherError,
)
from custom_components.dlms_meter.dlms.application.failure import (
    ConfirmedServiceError,
    ExceptionResponse,
)


def test_exception_response() -> None:
    response = ExceptionResponse(
        ExceptionStateError.SERVICE_NOT_ALLOWED,
        ExceptionServiceError.OPERATION_NOT_POSSIBLE,
    )
    assert response.reason == "service not allowed, operation not possible"
    assert response.code is ExceptionServiceError.OPERATION_NOT_POSSIBLE


def test_exception_response_with_numbers_nobody_knows() -> None:
    response = decode_apdu(bytes.fromhex("d80963"))
    assert isinstance(response, ExceptionResponse)
    assert response.reason == "code 9, code 99"
    assert response.encode() == bytes.fromhex("d80963")


def test_confirmed_service_error() -> None:
    error = ConfirmedServiceError(
        ConfirmedService.INITIATE_ERROR, ErrorClass.INITIATE, 3
    )
    assert error.code is InitiateError.PDU_SIZE_TOO_SHORT
    assert error.reason == "initiate error, initiate: pdu size too short"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        ("0e050a00", "read, other: other"),
        ("0e290807", "code 41, code 8: code 7"),
    ],
)
def test_confirmed_service_error_of_other_kinds(octets: str, reason: str) -> None:
    error = decode_apdu(bytes.fromhex(octets))
    assert isinstance(error, ConfirmedServiceError)
    assert isinstance(error.code, OtherError)
    assert error.reason == reason
    assert error.encode() == bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("octets", "unknown"),
    [
        ("d80201", True),
        ("d80102", True),
        ("d80101", False),
        ("0e050302", True),
        ("0e050402", True),
        ("0e050502", False),  # the same number in another class
        ("0e050301", False),
    ],
)
def test_what_a_meter_does_not_know(octets: str, unknown: bool) -> None:
    refusal = decode_apdu(bytes.fromhex(octets))
    assert isinstance(refusal, ExceptionResponse | ConfirmedServiceError)
    assert refusal.is_unknown is unknown
