"""The APDUs that vectors describe, built from their description, not from their octets."""

from collections.abc import Callable, Iterator

from custom_components.dlms_meter.dlms.application.access import (
    AccessKind,
    AccessRequest,
    AccessSpecification,
)
from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.action import (
    ActionOutcome,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
)
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.block_transfer import (
    GeneralBlockTransfer,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
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
from custom_components.dlms_meter.dlms.application.fields import (
    DataBlock,
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
)
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
from custom_components.dlms_meter.dlms.application.notification import (
    DataNotification,
    EventNotification,
    InformationReport,
)
from custom_components.dlms_meter.dlms.application.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
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
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
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


def block(decoded: Json) -> DataBlock:
    part = decoded["block"]
    raw = bytes.fromhex(part["raw_data"])
    return DataBlock(part["last_block"], part["block_number"], raw)


def data_list(decoded: Json) -> tuple[Data, ...]:
    return tuple(map(data_of, decoded["data"]))


def set_request_normal(decoded: Json) -> SetRequestNormal:
    value = data_of(decoded["data"])
    return SetRequestNormal(invoke(decoded), *selected_attribute(decoded), value)


def set_request_with_first_datablock(decoded: Json) -> SetRequestWithFirstDatablock:
    selected = selected_attribute(decoded)
    return SetRequestWithFirstDatablock(invoke(decoded), *selected, block(decoded))


def set_request_with_datablock(decoded: Json) -> SetRequestWithDatablock:
    return SetRequestWithDatablock(invoke(decoded), block(decoded))


def set_request_with_list(decoded: Json) -> SetRequestWithList:
    attributes = tuple(map(selected_attribute, decoded["list"]))
    return SetRequestWithList(invoke(decoded), attributes, data_list(decoded))


def set_results(decoded: Json) -> tuple[DataAccessResult, ...]:
    return tuple(code(DataAccessResult, text) for text in decoded["results"])


def set_response_normal(decoded: Json) -> SetResponseNormal:
    return SetResponseNormal(invoke(decoded), code(DataAccessResult, decoded["result"]))


def set_response_datablock(decoded: Json) -> SetResponseDatablock:
    return SetResponseDatablock(invoke(decoded), decoded["block_number"])


def set_response_last_datablock(decoded: Json) -> SetResponseLastDatablock:
    result = code(DataAccessResult, decoded["result"])
    return SetResponseLastDatablock(invoke(decoded), result, decoded["block_number"])


def set_response_last_datablock_with_list(
    decoded: Json,
) -> SetResponseLastDatablockWithList:
    return SetResponseLastDatablockWithList(
        invoke(decoded), set_results(decoded), decoded["block_number"]
    )


def set_response_with_list(decoded: Json) -> SetResponseWithList:
    return SetResponseWithList(invoke(decoded), set_results(decoded))


def method(decoded: Json) -> MethodDescriptor:
    return MethodDescriptor(
        decoded["class_id"], Obis.parse(decoded["obis"]), decoded["method"]
    )


def action_request_normal(decoded: Json) -> ActionRequestNormal:
    parameters = decoded["parameters"]
    return ActionRequestNormal(
        invoke(decoded),
        method(decoded),
        None if parameters is None else data_of(parameters),
    )


def action_request_next_pblock(decoded: Json) -> ActionRequestNextPblock:
    return ActionRequestNextPblock(invoke(decoded), decoded["block_number"])


def action_request_with_list(decoded: Json) -> ActionRequestWithList:
    methods = tuple(map(method, decoded["list"]))
    return ActionRequestWithList(invoke(decoded), methods, data_list(decoded))


def action_request_with_first_pblock(decoded: Json) -> ActionRequestWithFirstPblock:
    return ActionRequestWithFirstPblock(
        invoke(decoded), method(decoded), block(decoded)
    )


def action_request_with_list_and_first_pblock(
    decoded: Json,
) -> ActionRequestWithListAndFirstPblock:
    methods = tuple(map(method, decoded["list"]))
    return ActionRequestWithListAndFirstPblock(invoke(decoded), methods, block(decoded))


def outcome(decoded: Json) -> ActionOutcome:
    returned = decoded["return_parameters"]
    return ActionOutcome(
        code(ActionResult, decoded["result"]),
        None if returned is None else get_result(returned),
    )


def action_response_normal(decoded: Json) -> ActionResponseNormal:
    return ActionResponseNormal(invoke(decoded), outcome(decoded))


def action_response_with_pblock(decoded: Json) -> ActionResponseWithPblock:
    return ActionResponseWithPblock(invoke(decoded), block(decoded))


def action_response_with_list(decoded: Json) -> ActionResponseWithList:
    outcomes = tuple(map(outcome, decoded["results"]))
    return ActionResponseWithList(invoke(decoded), outcomes)


def access_specification(decoded: Json) -> AccessSpecification:
    ((kind, target),) = decoded.items()
    attribute = AttributeDescriptor(
        target["class_id"], Obis.parse(target["obis"]), target["attribute"]
    )
    return AccessSpecification(AccessKind[kind.upper()], attribute)


def access_request(decoded: Json) -> AccessRequest:
    return AccessRequest(
        long_invoke(decoded),
        bytes.fromhex(decoded["date_time_hex"]),
        tuple(map(access_specification, decoded["specification"])),
        data_list(decoded),
    )


def variable(decoded: Json) -> Variable:
    ((choice, value),) = decoded.items()
    match choice:
        case "variable_name":
            return VariableName(value)
        case "parameterized_access":
            parameters = data_of(value["parameter"])
            access = SelectiveAccess(value["selector"], parameters)
            return ParameterizedAccess(value["variable_name"], access)
        case "block_number_access":
            return BlockNumberAccess(value)
        case "read_data_block_access":
            raw = bytes.fromhex(value["raw_data"])
            return ReadDataBlockAccess(value["last_block"], value["block_number"], raw)
        case "write_data_block_access":
            return WriteDataBlockAccess(value["last_block"], value["block_number"])
    raise AssertionError(choice)


def variables(decoded: Json) -> tuple[Variable, ...]:
    return tuple(map(variable, decoded["list"]))


def read_result(decoded: Json) -> ReadResult:
    if "block_number" in decoded:
        return BlockArrived(decoded["block_number"])
    if "data_block_result" in decoded:
        part = decoded["data_block_result"]
        raw = bytes.fromhex(part["raw_data"])
        return DataBlockResult(part["last_block"], part["block_number"], raw)
    return get_result(decoded)


def read_request(decoded: Json) -> ReadRequest:
    return ReadRequest(variables(decoded))


def read_response(decoded: Json) -> ReadResponse:
    return ReadResponse(tuple(map(read_result, decoded["results"])))


def write_request(decoded: Json) -> WriteRequest:
    return WriteRequest(variables(decoded), data_list(decoded))


def unconfirmed_write_request(decoded: Json) -> UnconfirmedWriteRequest:
    return UnconfirmedWriteRequest(variables(decoded), data_list(decoded))


def write_response(decoded: Json) -> WriteResponse:
    return WriteResponse(
        tuple(
            code(DataAccessResult, result.get("error", "success"))
            for result in decoded["results"]
        )
    )


def long_invoke(decoded: Json) -> LongInvokeIdAndPriority:
    value = LongInvokeIdAndPriority(int(decoded["raw"], 16))
    assert value.invoke_id == decoded["long_invoke_id"]
    return value


def data_notification(decoded: Json) -> DataNotification:
    date_time = bytes.fromhex(decoded["date_time_hex"])
    return DataNotification(long_invoke(decoded), date_time, data_of(decoded["body"]))


def event_notification(decoded: Json) -> EventNotification:
    attribute = AttributeDescriptor(
        decoded["class_id"], Obis.parse(decoded["obis"]), decoded["attribute"]
    )
    return EventNotification(
        octets(decoded, "time_hex"), attribute, data_of(decoded["value"])
    )


def information_report(decoded: Json) -> InformationReport:
    time = octets(decoded, "current_time_hex")
    return InformationReport(time, variables(decoded), data_list(decoded))


def general_block_transfer(decoded: Json) -> GeneralBlockTransfer:
    return GeneralBlockTransfer(
        decoded["last_block"],
        decoded["streaming"],
        decoded["window"],
        decoded["block_number"],
        decoded["block_number_ack"],
        bytes.fromhex(decoded["block_data"]),
    )


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
    "set-request-normal": set_request_normal,
    "set-request-with-first-datablock": set_request_with_first_datablock,
    "set-request-with-datablock": set_request_with_datablock,
    "set-request-with-list": set_request_with_list,
    "set-response-normal": set_response_normal,
    "set-response-datablock": set_response_datablock,
    "set-response-last-datablock": set_response_last_datablock,
    "set-response-last-datablock-with-list": set_response_last_datablock_with_list,
    "set-response-with-list": set_response_with_list,
    "action-request-normal": action_request_normal,
    "action-request-next-pblock": action_request_next_pblock,
    "action-request-with-list": action_request_with_list,
    "action-request-with-first-pblock": action_request_with_first_pblock,
    "action-request-with-list-and-first-pblock": action_request_with_list_and_first_pblock,
    "action-response-normal": action_response_normal,
    "action-response-with-pblock": action_response_with_pblock,
    "action-response-with-list": action_response_with_list,
    "access-request": access_request,
    "read-request": read_request,
    "read-response": read_response,
    "write-request": write_request,
    "write-response": write_response,
    "unconfirmed-write-request": unconfirmed_write_request,
    "data-notification": data_notification,
    "event-notification-request": event_notification,
    "information-report-request": information_report,
    "general-block-transfer": general_block_transfer,
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
