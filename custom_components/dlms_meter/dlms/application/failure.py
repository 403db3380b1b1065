"""Answers that refuse a whole request: ExceptionResponse and ConfirmedServiceError (Green Book, COSEM APDUs)."""

from dataclasses import dataclass
from typing import ClassVar, Self

from ..codec.cursor import Reader
from .enums import (
    AccessError,
    ApplicationReferenceError,
    Code,
    ConfirmedService,
    DefinitionError,
    ErrorClass,
    ExceptionServiceError,
    ExceptionStateError,
    HardwareResourceError,
    InitiateError,
    LoadDataSetError,
    OtherError,
    ServiceUseError,
    TaskError,
    VdeStateError,
)

_ERRORS: dict[ErrorClass, type[Code]] = {
    ErrorClass.APPLICATION_REFERENCE: ApplicationReferenceError,
    ErrorClass.HARDWARE_RESOURCE: HardwareResourceError,
    ErrorClass.VDE_STATE_ERROR: VdeStateError,
    ErrorClass.SERVICE: ServiceUseError,
    ErrorClass.DEFINITION: DefinitionError,
    ErrorClass.ACCESS: AccessError,
    ErrorClass.INITIATE: InitiateError,
    ErrorClass.LOAD_DATA_SET: LoadDataSetError,
    ErrorClass.TASK: TaskError,
}

_UNKNOWN = (
    ServiceUseError.SERVICE_UNSUPPORTED,
    DefinitionError.OBJECT_UNDEFINED,
    DefinitionError.OBJECT_CLASS_INCONSISTENT,
    DefinitionError.OBJECT_ATTRIBUTE_INCONSISTENT,
)


@dataclass(frozen=True, slots=True)
class ExceptionResponse:
    """The meter could not make anything of the request."""

    TAG: ClassVar = 0xD8

    state_error: ExceptionStateError
    service_error: ExceptionServiceError
    invocation_counter: int | None = None
    """With INVOCATION_COUNTER_ERROR only: the lowest counter the meter would accept."""

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "exception-response")
        state_error = ExceptionStateError(reader.uint8())
        service_error = ExceptionServiceError(reader.uint8())
        if service_error is not ExceptionServiceError.INVOCATION_COUNTER_ERROR:
            return cls(state_error, service_error)
        return cls(state_error, service_error, reader.uint32())

    def encode(self) -> bytes:
        """Encode the APDU."""
        octets = bytes((self.TAG, self.state_error, self.service_error))
        return (
            octets
            if self.invocation_counter is None
            else octets + self.invocation_counter.to_bytes(4)
        )

    @property
    def code(self) -> Code:
        """The code that says what went wrong."""
        return self.service_error

    @property
    def is_unknown(self) -> bool:
        """Whether the meter knows no such service."""
        return (
            self.state_error is ExceptionStateError.SERVICE_UNKNOWN
            or self.service_error is ExceptionServiceError.SERVICE_NOT_SUPPORTED
        )

    @property
    def reason(self) -> str:
        """Both codes in words."""
        return f"{self.state_error.label}, {self.service_error.label}"


@dataclass(frozen=True, slots=True)
class ConfirmedServiceError:
    """A service failed as a whole: the association request, or a service of short name referencing."""

    TAG: ClassVar = 0x0E

    service: ConfirmedService
    error_class: ErrorClass
    value: int

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(cls.TAG, "confirmed-service-error")
        return cls(
            ConfirmedService(reader.uint8()), ErrorClass(reader.uint8()), reader.uint8()
        )

    def encode(self) -> bytes:
        """Encode the APDU."""
        return bytes((self.TAG, self.service, self.error_class, self.value))

    @property
    def code(self) -> Code:
        """The value as a code of its class."""
        return _ERRORS.get(self.error_class, OtherError)(self.value)

    @property
    def is_unknown(self) -> bool:
        """Whether the meter knows no such service, or nothing under the name it was asked for."""
        return any(self.code is unknown for unknown in _UNKNOWN)

    @property
    def reason(self) -> str:
        """All three codes in words."""
        return f"{self.service.label}, {self.error_class.label}: {self.code.label}"
