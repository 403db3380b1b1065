"""APDUs as the log has them."""

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    ConfirmedService,
    Conformance,
    DataAccessResult,
    ErrorClass,
    ExceptionServiceError,
    ExceptionStateError,
    Mechanism,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.failure import (
    ConfirmedServiceError,
    ExceptionResponse,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetRequestWithList,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from custom_components.dlms_meter.dlms.application.initiate import (
    InitiateRequest,
    InitiateResponse,
)
from custom_components.dlms_meter.dlms.application.readable import readable
from custom_components.dlms_meter.dlms.application.short_name import (
    ReadRequest,
    VariableName,
)
from custom_components.dlms_meter.dlms.codec.data import BitString, Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

INVOKE = InvokeIdAndPriority(0xC1)
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
SEVEN = Data(DataType.UNSIGNED, 7)
PART = SelectiveAccess(2, Data(DataType.STRUCTURE, (SEVEN, SEVEN)))
SECRET = b"a secret, of 16."


def aare(information: InitiateResponse | ConfirmedServiceError) -> Aare:
    return Aare(
        application_context=ApplicationContext.LOGICAL_NAME,
        result=AssociationResult.ACCEPTED,
        diagnostic=UserDiagnostic.NULL,
        user_information=information.encode(),
    )


@pytest.mark.parametrize(
    ("apdu", "text"),
    [
        (
            GetRequestNormal(INVOKE, ENERGY),
            "GetRequestNormal(invoke 193, attribute 3/1-0:1.8.0*255/2)",
        ),
        (
            GetRequestWithList(
                INVOKE, (SelectedAttribute(ENERGY), SelectedAttribute(ENERGY, PART))
            ),
            "GetRequestWithList(invoke 193, attributes [3/1-0:1.8.0*255/2, SelectedAttribute(attribute "
            "3/1-0:1.8.0*255/2, access SelectiveAccess(selector 2, parameters STRUCTURE[UNSIGNED 7, UNSIGNED 7]))])",
        ),
        (
            GetResponseWithList(
                INVOKE,
                (
                    SEVEN,
                    DataAccessResult.OBJECT_UNDEFINED,
                    Data(DataType.BIT_STRING, BitString(b"\xa0", 4)),
                ),
            ),
            "GetResponseWithList(invoke 193, results [UNSIGNED 7, OBJECT_UNDEFINED, BIT_STRING 1010])",
        ),
        (
            GetResponseWithDatablock(INVOKE, True, 1, b"\x12\x34"),
            "GetResponseWithDatablock(invoke 193, last_block True, block_number 1, result 1234)",
        ),
        (
            ReadRequest((VariableName(0xFA00),)),
            "ReadRequest(variables [0xFA00])",
        ),
        (
            ExceptionResponse(
                ExceptionStateError.SERVICE_NOT_ALLOWED,
                ExceptionServiceError.OPERATION_NOT_POSSIBLE,
            ),
            "ExceptionResponse(state_error SERVICE_NOT_ALLOWED, service_error OPERATION_NOT_POSSIBLE)",
        ),
        (
            Aarq(
                application_context=ApplicationContext.LOGICAL_NAME,
                mechanism=Mechanism.LLS,
                authentication_value=SECRET,
                user_information=InitiateRequest(
                    conformance=Conformance.GET, dedicated_key=SECRET
                ).encode(),
            ),
            "Aarq(application_context LOGICAL_NAME, mechanism LLS, user_information InitiateRequest(conformance GET, "
            "max_receive_pdu_size 65535, response_allowed True, dlms_version 6, short_conformance_tag False))",
        ),
        (
            Aarq(
                application_context=ApplicationContext.LOGICAL_NAME_CIPHERED,
                calling_ap_title=b"12345678",
                user_information=SECRET,
            ),
            "Aarq(application_context LOGICAL_NAME_CIPHERED, calling_ap_title 3132333435363738, mechanism NONE)",
        ),
        (
            aare(InitiateResponse(conformance=Conformance.GET, max_receive_pdu_size=9)),
            "Aare(application_context LOGICAL_NAME, result ACCEPTED, diagnostic NULL, mechanism NONE, user_information "
            "InitiateResponse(conformance GET, max_receive_pdu_size 9, vaa_name 7, dlms_version 6, "
            "short_conformance_tag False))",
        ),
        (
            aare(ConfirmedServiceError(ConfirmedService.READ, ErrorClass.ACCESS, 1)),
            "Aare(application_context LOGICAL_NAME, result ACCEPTED, diagnostic NULL, mechanism NONE, user_information "
            "ConfirmedServiceError(service READ, error_class ACCESS, value 1))",
        ),
        (Rlrq(user_information=SECRET), "Rlrq(reason NORMAL)"),
        (
            Rlre(reason=None, user_information=b"\x08\xff"),
            "Rlre(user_information 08ff)",
        ),
    ],
)
def test_on_one_line(apdu: Apdu, text: str) -> None:
    assert readable(apdu) == text
