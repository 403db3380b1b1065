"""What a meter means by a refusal: from its many codes to the few things that make a difference to people."""

from enum import IntEnum, StrEnum
from typing import Final

from .application.enums import (
    AccessError,
    ActionResult,
    AssociationResult,
    DataAccessResult,
    DefinitionError,
    ExceptionServiceError,
    HardwareResourceError,
    InitiateError,
    ProviderDiagnostic,
    ServiceUseError,
    UserDiagnostic,
    VdeStateError,
)
from .errors import AssociationRejected


class Refusal(StrEnum):
    """What stands behind a refusal, of an association or of one request."""

    NOT_NOW = "not_now"
    """Temporary: worth another try."""
    CALLER = "caller"
    """The client is not known by what it says of itself, first of all its system title."""
    CALLED = "called"
    """The meter is not what was asked for."""
    VERSION = "version"
    """The protocol is spoken in another version."""
    CONFORMANCE = "conformance"
    """Nothing of what the client can do is served."""
    PDU_SIZE = "pdu_size"
    """Longer or shorter messages are wanted."""
    HARDWARE = "hardware"
    DENIED = "denied"
    UNDEFINED = "undefined"
    OTHER_CLASS = "other_class"
    """The object is of another interface class."""
    OTHER_TYPE = "other_type"
    """The value is of another data type."""
    SCOPE = "scope"
    """The object is there, but not for this client."""
    NOT_POSSIBLE = "not_possible"
    """The meter cannot do this at all."""
    CODE = "code"
    """A code that is no more than a number to people."""


_MEANINGS: Final[dict[Refusal, tuple[IntEnum, ...]]] = {
    Refusal.NOT_NOW: (
        AssociationResult.REJECTED_TRANSIENT,
        DataAccessResult.TEMPORARY_FAILURE,
        DataAccessResult.OBJECT_UNAVAILABLE,
        ActionResult.TEMPORARY_FAILURE,
        ActionResult.OBJECT_UNAVAILABLE,
        AccessError.OBJECT_UNAVAILABLE,
        HardwareResourceError.MEMORY_UNAVAILABLE,
        HardwareResourceError.PROCESSOR_RESOURCE_UNAVAILABLE,
        HardwareResourceError.MASS_STORAGE_UNAVAILABLE,
        HardwareResourceError.OTHER_RESOURCE_UNAVAILABLE,
        VdeStateError.LOADING_DATA_SET,
        VdeStateError.STATUS_NOCHANGE,
        VdeStateError.STATUS_INOPERABLE,
    ),
    Refusal.CALLER: (
        UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED,
        UserDiagnostic.CALLING_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED,
        UserDiagnostic.CALLING_AE_QUALIFIER_NOT_RECOGNIZED,
        UserDiagnostic.CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED,
    ),
    Refusal.CALLED: (
        UserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED,
        UserDiagnostic.CALLED_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED,
        UserDiagnostic.CALLED_AE_QUALIFIER_NOT_RECOGNIZED,
        UserDiagnostic.CALLED_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED,
    ),
    Refusal.VERSION: (
        ProviderDiagnostic.NO_COMMON_ACSE_VERSION,
        InitiateError.DLMS_VERSION_TOO_LOW,
    ),
    Refusal.CONFORMANCE: (InitiateError.INCOMPATIBLE_CONFORMANCE,),
    Refusal.PDU_SIZE: (
        InitiateError.PDU_SIZE_TOO_SHORT,
        ServiceUseError.PDU_SIZE,
        ExceptionServiceError.PDU_TOO_LONG,
    ),
    Refusal.HARDWARE: (
        DataAccessResult.HARDWARE_FAULT,
        ActionResult.HARDWARE_FAULT,
        AccessError.HARDWARE_FAULT,
    ),
    Refusal.DENIED: (
        DataAccessResult.READ_WRITE_DENIED,
        ActionResult.READ_WRITE_DENIED,
        AccessError.OBJECT_ACCESS_VIOLATED,
    ),
    Refusal.UNDEFINED: (
        DataAccessResult.OBJECT_UNDEFINED,
        ActionResult.OBJECT_UNDEFINED,
        DefinitionError.OBJECT_UNDEFINED,
    ),
    Refusal.OTHER_CLASS: (
        DataAccessResult.OBJECT_CLASS_INCONSISTENT,
        ActionResult.OBJECT_CLASS_INCONSISTENT,
        DefinitionError.OBJECT_CLASS_INCONSISTENT,
    ),
    Refusal.OTHER_TYPE: (
        DataAccessResult.TYPE_UNMATCHED,
        ActionResult.TYPE_UNMATCHED,
        DefinitionError.OBJECT_ATTRIBUTE_INCONSISTENT,
    ),
    Refusal.SCOPE: (
        DataAccessResult.SCOPE_OF_ACCESS_VIOLATED,
        ActionResult.SCOPE_OF_ACCESS_VIOLATED,
        AccessError.SCOPE_OF_ACCESS_VIOLATED,
    ),
    Refusal.NOT_POSSIBLE: (
        ExceptionServiceError.OPERATION_NOT_POSSIBLE,
        ExceptionServiceError.SERVICE_NOT_SUPPORTED,
        ServiceUseError.SERVICE_UNSUPPORTED,
    ),
}
# Codes of different enumerations with one number are equal: their types tell them apart.
_REFUSALS: Final = {
    (type(code), code): refusal
    for refusal, codes in _MEANINGS.items()
    for code in codes
}
_SAYS_NOTHING: Final = {
    (type(code), code)
    for code in (
        AssociationResult.ACCEPTED,
        AssociationResult.REJECTED_PERMANENT,
        UserDiagnostic.NULL,
        UserDiagnostic.NO_REASON_GIVEN,
        ProviderDiagnostic.NULL,
        ProviderDiagnostic.NO_REASON_GIVEN,
        InitiateError.OTHER,
        InitiateError.REFUSED_BY_THE_VDE_HANDLER,
        ExceptionServiceError.OTHER_REASON,
    )
}


def refusal_of(code: IntEnum) -> Refusal | None:
    """Return what a code of the meter means, None when it gives no reason."""
    kind = type(code), code
    return None if kind in _SAYS_NOTHING else _REFUSALS.get(kind, Refusal.CODE)


def refusal_and_code(
    error: AssociationRejected,
) -> tuple[Refusal | None, IntEnum | None]:
    """Return why the association was refused, and the code that says so: the first of those the meter gave that says something."""
    for code in (error.initiate_error, error.diagnostic, error.result):
        if code is not None and (refusal := refusal_of(code)) is not None:
            return refusal, code
    return None, None
