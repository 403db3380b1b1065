"""The APDUs that vectors describe, built from their description, not from their octets."""

from collections.abc import Callable, Iterator

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    Code,
    ConfirmedService,
    Conformance,
    DataAccessResult,
    ErrorClass,
    ExceptionServiceError,
    ExceptionStateError,
    Mechanism,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ReleaseResponseReason,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.failure import (
    ConfirmedServiceError,
    ExceptionResponse,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    GetResult,
)
from custom_components.dlms_meter.dlms.application.initiate import (
    InitiateRequest,
    InitiateResponse,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from tests.harness import Json, data_of, vectors

CONTEXT_NAMES = "2.16.756.5.8.1."
MECHANISM_NAMES = "2.16.756.5.8.2."


def code[C: Code](codes: type[C], text: str) -> C:
    return codes[text.upper().replace("-", "_")]


def code_or_none[C: Code](codes: type[C], value: int | None) -> C | None:
    return None if value is None else codes(value)


def octets(decoded: Json, key: str) -> bytes | None:
    value = decoded.get(key)
    if isinstance(value, dict):
        value = value["hex"]
    return None if value is None else bytes.fromhex(value)


def context(decoded: Json) -> ApplicationContext:
    oid: str = decoded["application_context"]["oid"]
    if not oid.startswith(CONTEXT_NAMES):
        return ApplicationContext.OTHER
    return ApplicationContext(int(oid.removeprefix(CONTEXT_NAMES)))


def mechanism(decoded: Json) -> Mechanism:
    if "mechanism" not in decoded:
        return Mechanism.NONE
    oid: str = decoded["mechanism"]["oid"]
    assert oid.startswith(MECHANISM_NAMES)
    return Mechanism(int(oid.removeprefix(MECHANISM_NAMES)))


def diagnostic(decoded: Json) -> UserDiagnostic | ProviderDiagnostic:
    ((source, text),) = decoded["diagnostic"].items()
    if source == "acse-service-user":
        return code(UserDiagnostic, text)
    return code(ProviderDiagnostic, text)


def conformance(decoded: Json) -> Conformance:
    bits = Conformance(0)
    for name in decoded["conformance"]:
        bits |= Conformance[name.upper().replace("-", "_")]
    return bits


def aarq(decoded: Json) -> Aarq:
    return Aarq(
        application_context=context(decoded),
        calling_ap_title=octets(decoded, "calling_ap_title"),
        mechanism=mechanism(decoded),
        authentication_value=octets(decoded, "calling_authentication_value"),
        user_information=octets(decoded, "user_information"),
    )


def aare(decoded: Json) -> Aare:
    return Aare(
        application_context=context(decoded),
        result=code(AssociationResult, decoded["result"]),
        diagnostic=diagnostic(decoded),
        responding_ap_title=octets(decoded, "responding_ap_title"),
        mechanism=mechanism(decoded),
        authentication_value=octets(decoded, "responding_authentication_value"),
        user_information=octets(decoded, "user_information"),
    )


def rlrq(decoded: Json) -> Rlrq:
    return Rlrq(
        reason=code_or_none(ReleaseRequestReason, decoded.get("reason")),
        user_information=octets(decoded, "user_information"),
    )


def rlre(decoded: Json) -> Rlre:
    return Rlre(
        reason=code_or_none(ReleaseResponseReason, decoded.get("reason")),
        user_information=octets(decoded, "user_information"),
    )


def initiate_request(decoded: Json) -> InitiateRequest:
    return InitiateRequest(
        conformance=conformance(decoded),
        max_receive_pdu_size=decoded["max_pdu_size"],
        dedicated_key=octets(decoded, "dedicated_key"),
        response_allowed=decoded["response_allowed"],
        quality_of_service=decoded["proposed_qos"],
        dlms_version=decoded["dlms_version"],
    )


def initiate_response(decoded: Json) -> InitiateResponse:
    return InitiateResponse(
        conformance=conformance(decoded),
        max_receive_pdu_size=decoded["max_pdu_size"],
        vaa_name=int(decoded["vaa_name"], 16),
        quality_of_service=decoded["negotiated_qos"],
        dlms_version=decoded["dlms_version"],
    )


def invoke(decoded: Json) -> InvokeIdAndPriority:
    return InvokeIdAndPriority.of(
        decoded["invoke_id"],
        confirmed=decoded["confirmed"],
        high_priority=decoded["high_priority"],
    )


def selected_attribute(decoded: Json) -> SelectedAttribute:
    attribute = AttributeDescriptor(
        decoded["class_id"], Obis.parse(decoded["obis"]), decoded["attribute"]
    )
    selection = decoded["access_selection"]
    if selection is None:
        return SelectedAttribute(attribute)
    access = SelectiveAccess(selection["selector"], data_of(selection["parameters"]))
    return SelectedAttribute(attribute, access)


def get_request_normal(decoded: Json) -> GetRequestNormal:
    return GetRequestNormal(invoke(decoded), *selected_attribute(decoded))


def get_request_next(decoded: Json) -> GetRequestNext:
    return GetRequestNext(invoke(decoded), decoded["block_number"])


def get_request_with_list(decoded: Json) -> GetRequestWithList:
    items = tuple(map(selected_attribute, decoded["list"]))
    return GetRequestWithList(invoke(decoded), items)


def get_result(decoded: Json) -> GetResult:
    if "error" in decoded:
        return code(DataAccessResult, decoded["error"])
    return data_of(decoded["data"])


def get_response_normal(decoded: Json) -> GetResponseNormal:
    return GetResponseNormal(invoke(decoded), get_result(decoded["result"]))


def get_response_with_datablock(decoded: Json) -> GetResponseWithDatablock:
    raw = octets(decoded, "raw_data")
    return GetResponseWithDatablock(
        invoke(decoded),
        decoded["last_block"],
        decoded["block_number"],
        code(DataAccessResult, decoded["error"]) if raw is None else raw,
    )


def get_response_with_list(decoded: Json) -> GetResponseWithList:
    results = tuple(map(get_result, decoded["results"]))
    return GetResponseWithList(invoke(decoded), results)


def exception_response(decoded: Json) -> ExceptionResponse:
    return ExceptionResponse(
        code(ExceptionStateError, decoded["state_error"]),
        code(ExceptionServiceError, decoded["service_error"]),
        decoded.get("expected_invocation_counter"),
    )


def confirmed_service_error(decoded: Json) -> ConfirmedServiceError:
    service = code(ConfirmedService, decoded["service"])
    error_class = code(ErrorClass, decoded["error_class"])
    name = decoded["error"].upper().replace("-", "_")
    (value,) = (
        value
        for value in range(16)
        if ConfirmedServiceError(service, error_class, value).code.name == name
    )
    return ConfirmedServiceError(service, error_class, value)


BUILDERS: dict[str, Callable[[Json], Apdu]] = {
    "aarq": aarq,
    "aare": aare,
    "rlrq": rlrq,
    "rlre": rlre,
    "initiate-request": initiate_request,
    "initiate-response": initiate_response,
    "get-request-normal": get_request_normal,
    "get-request-next": get_request_next,
    "get-request-with-list": get_request_with_list,
    "get-response-normal": get_response_normal,
    "get-response-with-datablock": get_response_with_datablock,
    "get-response-with-list": get_response_with_list,
    "exception-response": exception_response,
    "confirmed-service-error": confirmed_service_error,
}


def described() -> Iterator[tuple[str, bytes, Json]]:
    """Return name, octets and description of every APDU we know in the vectors: alone, in a frame, in a session."""
    for vector in vectors(layer="apdu"):
        yield f"{vector.id} {vector.name}", vector.octets, vector.decoded
    for vector in vectors(layer="hdlc"):
        decoded = vector.decoded
        if isinstance(decoded, dict) and "apdu" in decoded and decoded.get("llc"):
            yield (
                f"{vector.id} {vector.name}",
                bytes.fromhex(decoded["info"])[3:],
                decoded["apdu"],
            )
    for vector in vectors(layer="session"):
        for number, step in enumerate(vector.decoded.get("apdus", ())):
            yield f"{vector.id} step {number}", bytes.fromhex(step["hex"]), step["apdu"]
