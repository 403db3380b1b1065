"""Whether a meter has ended the association without a word: over the wrapper only its refusals show that."""

from typing import Final

from ..cosem.descriptors import AttributeDescriptor
from ..cosem.obis import Obis
from ..errors import DecodeError, LinkError, ServiceError
from .apdu import Apdu
from .association import Association
from .enums import ActionResult, DataAccessResult
from .failure import ConfirmedServiceError, ExceptionResponse
from .get import GetRequestNormal
from .procedure import Procedure
from .short_name import ReadRequest, VariableName

_LOGICAL_NAME: Final = AttributeDescriptor(15, Obis.parse("0-0:40.0.0*255"), 1)
_SHORT_NAME: Final = VariableName(0xFA00)
"""Where every meter has the name of the association in use, which it tells everybody."""


def refuses_request(outcome: object) -> bool:
    """Tell whether the meter refused a request as such, and not what was asked for."""
    return isinstance(outcome, ServiceError) and not isinstance(
        outcome.result, DataAccessResult | ActionResult
    )


def see_whether_it_ended(
    association: Association, refusal: ServiceError
) -> Procedure[None]:
    """Ask a meter that refused a request as such for what it tells everybody.

    Raises `LinkError` when it refuses that as well: then it has ended the association.
    """
    request: Apdu = (
        ReadRequest((_SHORT_NAME,))
        if association.uses_short_names
        else GetRequestNormal(association.next_invoke(), _LOGICAL_NAME)
    )
    try:
        answer = yield request
    except DecodeError:
        return  # strange, but an answer
    if isinstance(answer, ExceptionResponse | ConfirmedServiceError):
        raise LinkError(
            f"The meter let us in, and then refuses all that is asked ({refusal}): it has ended the association, or"
            " shows this client nothing. Connect again; if that does not help, use another client address."
        )
