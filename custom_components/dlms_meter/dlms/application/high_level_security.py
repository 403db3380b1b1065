"""The second half of associating with HLS: each side answers the other's challenge (Green Book, HLS, passes 3 and 4).

The client calls the method reply_to_HLS_authentication of the current association with f(StoC); what it returns is f(CtoS).
"""

from ..codec.data import Data, DataType
from ..cosem.descriptors import MethodDescriptor, SelectiveAccess
from ..cosem.obis import Obis
from ..errors import AuthenticationFailed, RemoteProtocolError
from .action import ActionRequestNormal, ActionResponseNormal
from .apdu import Apdu
from .association import Association
from .enums import ActionResult, DataAccessResult
from .failure import ConfirmedServiceError, ExceptionResponse
from .get import GetResult
from .procedure import Procedure
from .short_name import (
    METHOD_CALL,
    NOT_THERE,
    ParameterizedAccess,
    ReadRequest,
    ReadResponse,
    VariableName,
    WriteRequest,
    WriteResponse,
)

REPLY_TO_HLS = MethodDescriptor(15, Obis.parse("0-0:40.0.0*255"), 1)
REPLY_TO_HLS_NAME = 0xFA58


def exchange_proofs(association: Association) -> Procedure[None]:
    """Prove to the meter who we are, and have it prove who it is.

    Raises `AuthenticationFailed` when either fails, `RemoteProtocolError` when the meter answers something else.
    """
    proof = Data(DataType.OCTET_STRING, association.proof())
    if association.uses_short_names:
        answer = yield from _reply_by_short_name(association, proof)
    else:
        answer = yield from _reply_by_logical_name(association, proof)
    octets = answer.value if isinstance(answer, Data) else None
    association.accept_proof(octets if isinstance(octets, bytes) else b"")


def _reply_by_logical_name(
    association: Association, proof: Data
) -> Procedure[GetResult | None]:
    invoke = association.next_invoke()
    answer = yield ActionRequestNormal(invoke, REPLY_TO_HLS, proof)
    if not isinstance(answer, ActionResponseNormal):
        raise _refused_or_confused(answer)
    if answer.outcome.result is not ActionResult.SUCCESS:
        raise _refused(answer.outcome.result.label)
    return answer.outcome.returned


def _reply_by_short_name(
    association: Association, proof: Data
) -> Procedure[GetResult | None]:
    """Call the method by Read, as the standard has it; some meters want Write, and the answer read after it.

    A strict meter counts proofs that fail: the same one is given once more only where the first was never looked at.
    """
    variable, memory = VariableName(REPLY_TO_HLS_NAME), association.memory
    if not memory.writes_methods:
        call = SelectiveAccess(METHOD_CALL, proof)
        answer = yield ReadRequest((ParameterizedAccess(REPLY_TO_HLS_NAME, call),))
        if not _is_unknown(answer):
            return _granted(_result_in(answer))
    answer = yield WriteRequest((variable,), (proof,))
    if _is_unknown(answer):
        memory.writes_methods = None
    result = _result_in(answer)
    if result is DataAccessResult.SUCCESS:
        result = _result_in((yield ReadRequest((variable,))))
    returned = _granted(result)
    memory.writes_methods = True
    return returned


def _is_unknown(answer: Apdu | None) -> bool:
    """Tell whether the meter does not know the method where we looked for it; our proof it has then not seen."""
    match answer:
        case ExceptionResponse() | ConfirmedServiceError():
            return answer.is_unknown
        case ReadResponse(results=(result,)) | WriteResponse(results=(result,)):
            return result in NOT_THERE
    return False


def _result_in(answer: Apdu | None) -> GetResult:
    """Return the one result of a Read or a Write."""
    if isinstance(answer, ReadResponse | WriteResponse) and len(answer.results) == 1:
        (result,) = answer.results
        if isinstance(result, Data | DataAccessResult):
            return result
    raise _refused_or_confused(answer)


def _granted(result: GetResult) -> Data:
    if isinstance(result, DataAccessResult):
        raise _refused(result.label)
    return result


def _refused(reason: str) -> AuthenticationFailed:
    return AuthenticationFailed(
        f"The meter does not believe that we share its secret or its keys: {reason}"
    )


def _refused_or_confused(
    answer: Apdu | None,
) -> AuthenticationFailed | RemoteProtocolError:
    if isinstance(answer, ExceptionResponse | ConfirmedServiceError):
        return _refused(answer.reason)
    return RemoteProtocolError(
        f"The meter answered our proof with {type(answer).__name__}"
    )
