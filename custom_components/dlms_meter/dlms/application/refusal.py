"""Why the meter refused the association, in words, with advice."""

from ..errors import AssociationRejected, AuthenticationFailed
from .acse import Aare
from .apdu import Apdu
from .enums import UserDiagnostic
from .failure import ConfirmedServiceError

_ADVICE: dict[UserDiagnostic, str] = {
    UserDiagnostic.NO_REASON_GIVEN: (
        "check the client address and the password; after failed attempts many meters refuse everyone for some minutes"
    ),
    UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: "it may want ciphering, or short names",
    UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED: "it wants a system title it knows",
    UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED: "this client address wants another authentication",
    UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED: "this client address wants an authentication",
    UserDiagnostic.AUTHENTICATION_FAILURE: "check the password, and the client address it belongs to",
    UserDiagnostic.AUTHENTICATION_REQUIRED: "this client address wants another authentication",
}


def rejection(aare: Aare, information: Apdu | None) -> AssociationRejected:
    """Make the error for an AARE that refuses; `information` is what it carries."""
    reasons = [f"{aare.result.label}, {aare.diagnostic.label}"]
    initiate_error = None
    if isinstance(information, ConfirmedServiceError):
        reasons.append(information.reason)
        initiate_error = information.code
    if isinstance(aare.diagnostic, UserDiagnostic) and aare.diagnostic in _ADVICE:
        reasons.append(_ADVICE[aare.diagnostic])
    wrong_secret = aare.diagnostic is UserDiagnostic.AUTHENTICATION_FAILURE
    error = AuthenticationFailed if wrong_secret else AssociationRejected
    return error(
        f"The meter refused the association: {'; '.join(reasons)}",
        aare.result,
        aare.diagnostic,
        initiate_error,
    )
