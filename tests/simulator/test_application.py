"""The simulated meter's application layer: associations and GET."""

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aarq, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import Apdu, decode_apdu
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    ConfirmedService,
    Conformance,
    DataAccessResult,
    ErrorClass,
    ExceptionServiceError,
    InitiateError,
    Mechanism,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.failure import (
    ConfirmedServiceError,
    ExceptionResponse,
)
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from custom_components.dlms_meter.dlms.application.initiate import InitiateResponse
from custom_components.dlms_meter.dlms.codec.axdr import decode_data
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

from . import READING_CLIENT, SUPPORTED, AssociationFacts, ClientRule, MeterSettings
from .clients import (
    ENERGY,
    INVOKE,
    LOAD_PROFILE,
    OBJECT_LIST,
    Client,
    association_request,
    by_entry,
    elements,
    lls_request,
    make_meter,
    read,
    register,
)
from .settings import PUBLIC_CLIENT

ASK_ENERGY = GetRequestNormal(INVOKE, ENERGY)
ONLY_GET = association_request(conformance=Conformance.GET)


@pytest.mark.parametrize(
    ("client_sap", "request_", "diagnostic"),
    [
        (2, association_request(), UserDiagnostic.NO_REASON_GIVEN),
        (
            16,
            association_request(context=ApplicationContext.SHORT_NAME),
            UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
        ),
        (
            16,
            lls_request(),
            UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
        ),
        (
            1,
            association_request(),
            UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED,
        ),
        (
            1,
            association_request(
                mechanism=Mechanism.HLS_MD5, password=READING_CLIENT.secret
            ),
            UserDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
        ),
        (1, lls_request(b"12345679"), UserDiagnostic.AUTHENTICATION_FAILURE),
        (1, lls_request(None), UserDiagnostic.AUTHENTICATION_FAILURE),
        (
            16,
            Aarq(application_context=ApplicationContext.LOGICAL_NAME),
            UserDiagnostic.NO_REASON_GIVEN,
        ),
    ],
)
def test_association_refused(
    client_sap: int, request_: Aarq, diagnostic: UserDiagnostic
) -> None:
    client = Client(make_meter(), client_sap)
    answer = client.associate(request_)
    assert answer.result is AssociationResult.REJECTED_PERMANENT
    assert answer.diagnostic is diagnostic
    assert isinstance(client.ask(ASK_ENERGY), ExceptionResponse)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (association_request(dlms_version=5), InitiateError.DLMS_VERSION_TOO_LOW),
        (
            association_request(conformance=Conformance.READ),
            InitiateError.INCOMPATIBLE_CONFORMANCE,
        ),
        (
            association_request(max_receive_pdu_size=11),
            InitiateError.PDU_SIZE_TOO_SHORT,
        ),
    ],
)
def test_initiate_refused(request_: Aarq, error: InitiateError) -> None:
    answer = Client(make_meter()).associate(request_)
    assert answer.result is AssociationResult.REJECTED_PERMANENT
    assert answer.user_information is not None
    assert decode_apdu(answer.user_information) == ConfirmedServiceError(
        ConfirmedService.INITIATE_ERROR, ErrorClass.INITIATE, error
    )


def test_association_agrees_on_what_both_can_do() -> None:
    client = Client(make_meter(MeterSettings(max_pdu_size=300)))
    answer = client.associate(
        association_request(
            conformance=Conformance.GET | Conformance.SET, max_receive_pdu_size=200
        )
    )
    assert answer.result is AssociationResult.ACCEPTED
    assert answer.diagnostic is UserDiagnostic.NULL
    assert answer.user_information is not None
    agreed = decode_apdu(answer.user_information)
    assert isinstance(agreed, InitiateResponse)
    assert agreed.conformance is Conformance.GET
    assert agreed.max_receive_pdu_size == 300
    context_info = elements(client.get(OBJECT_LIST._replace(attribute_id=5)))
    assert [item.value for item in context_info[1:3]] == [300, 200]


def test_lls_with_the_right_password() -> None:
    client = Client(make_meter(), 1)
    assert client.associate(lls_request()).result is AssociationResult.ACCEPTED
    name = client.get(OBJECT_LIST._replace(attribute_id=6))
    assert isinstance(name, Data)
    assert name.value == bytes.fromhex("60857405080201")


def test_release_ends_the_association() -> None:
    client = Client(make_meter())
    client.associate()
    assert isinstance(client.ask(ASK_ENERGY), GetResponseNormal)
    assert client.ask_octets(Rlrq().encode()).hex() == "6303800100"
    assert isinstance(client.ask(ASK_ENERGY), ExceptionResponse)
    assert isinstance(client.ask(Rlrq()), ExceptionResponse)


@pytest.mark.parametrize(
    ("apdu", "service_error"),
    [
        (
            "C101C100030100010800FF02000600000001",
            ExceptionServiceError.SERVICE_NOT_SUPPORTED,
        ),  # SET
        ("C009C1", ExceptionServiceError.SERVICE_NOT_SUPPORTED),  # there is no such GET
        ("C0", ExceptionServiceError.SERVICE_NOT_SUPPORTED),
        ("C001C10003", ExceptionServiceError.OTHER_REASON),  # cut off
        (
            "C001C100030100010800FF020000",
            ExceptionServiceError.OTHER_REASON,
        ),  # one octet too many
        ("C0" * 1201, ExceptionServiceError.PDU_TOO_LONG),
    ],
)
def test_exceptions(apdu: str, service_error: ExceptionServiceError) -> None:
    client = Client(make_meter())
    client.associate()
    answer = decode_apdu(client.ask_octets(bytes.fromhex(apdu)))
    assert isinstance(answer, ExceptionResponse)
    assert answer.service_error is service_error


def test_an_exclusive_meter_is_busy_until_the_first_client_leaves() -> None:
    meter = make_meter()
    first, second = Client(meter), Client(meter)
    first.associate()
    assert second.associate().result is AssociationResult.REJECTED_TRANSIENT
    first.session.close()
    assert second.associate().result is AssociationResult.ACCEPTED
    second.ask(Rlrq())
    assert first.associate().result is AssociationResult.ACCEPTED


def test_a_shared_meter_serves_several() -> None:
    meter = make_meter(MeterSettings(exclusive=False))
    results = {Client(meter).associate().result for _ in range(3)}
    assert results == {AssociationResult.ACCEPTED}


# GET.


@pytest.mark.parametrize(
    ("class_id", "code", "attribute", "result"),
    [
        (3, "1-0:9.9.9", 2, DataAccessResult.OBJECT_UNDEFINED),
        (4, "1-0:1.8.0", 2, DataAccessResult.OBJECT_CLASS_INCONSISTENT),
        (3, "1-0:1.8.0", 0, DataAccessResult.OBJECT_UNDEFINED),
        (3, "1-0:1.8.0", 4, DataAccessResult.OBJECT_UNDEFINED),
        (15, "0-0:40.0.0", 7, DataAccessResult.READ_WRITE_DENIED),
        (
            7,
            "0-0:99.98.0",
            2,
            DataAccessResult.OBJECT_UNDEFINED,
        ),  # not for the public client
    ],
)
def test_attribute_errors(
    class_id: int, code: str, attribute: int, result: DataAccessResult
) -> None:
    client = Client(make_meter())
    client.associate()
    wanted = AttributeDescriptor(class_id, Obis.parse(code), attribute)
    assert client.get(wanted) is result


@pytest.mark.parametrize(
    ("rule", "objects"), [(PUBLIC_CLIENT, 46), (READING_CLIENT, 48)]
)
def test_object_list_grants_exactly_what_can_be_read(
    rule: ClientRule, objects: int
) -> None:
    meter = make_meter()
    facts = AssociationFacts(rule.client_sap, rule.mechanism, SUPPORTED, 0)
    entries = elements(meter.read(facts, SelectedAttribute(OBJECT_LIST)))
    assert len(entries) == objects
    for entry in entries:
        class_id, _version, name, rights = elements(entry)
        assert isinstance(class_id.value, int)
        assert isinstance(name.value, bytes)
        for right in elements(elements(rights)[0]):
            attribute, mode, _selectors = elements(right)
            assert isinstance(attribute.value, int)
            wanted = AttributeDescriptor(
                class_id.value, Obis(name.value), attribute.value
            )
            found = meter.read(facts, SelectedAttribute(wanted))
            assert isinstance(found, Data) == (mode.value == 1), wanted


def test_a_test_can_make_the_meter_refuse() -> None:
    meter = make_meter()
    meter.refusals[ENERGY] = DataAccessResult.HARDWARE_FAULT
    client = Client(meter)
    client.associate()
    assert client.get(ENERGY) is DataAccessResult.HARDWARE_FAULT
    assert isinstance(client.get(ENERGY._replace(attribute_id=3)), Data)


def test_selective_access_needs_agreement_and_an_attribute_that_takes_it() -> None:
    client = Client(make_meter())
    client.associate()
    assert (
        client.get(ENERGY, by_entry(1, 1)) is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    )
    assert len(elements(client.get(LOAD_PROFILE, by_entry(1, 2)))) == 2
    client.associate(ONLY_GET)
    assert (
        client.get(LOAD_PROFILE, by_entry(1, 1))
        is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    )


def join_blocks(client: Client, answer: Apdu, limit: int) -> bytes:
    """Follow a transfer to its end, minding the limit and the numbers."""
    raw = b""
    number = 1
    while True:
        assert isinstance(answer, GetResponseWithDatablock)
        assert isinstance(answer.result, bytes)
        assert answer.block_number == number
        assert len(answer.encode()) <= limit
        raw += answer.result
        if answer.last_block:
            return raw
        answer = client.ask(GetRequestNext(INVOKE, number))
        number += 1


@pytest.mark.parametrize("limit", [13, 64, 200, 1200])
def test_blocks_fit_the_limit_of_the_client(limit: int) -> None:
    client = Client(make_meter())
    client.associate(association_request(max_receive_pdu_size=limit))
    access = by_entry(1, 60)
    answer = client.ask(GetRequestNormal(INVOKE, LOAD_PROFILE, access))
    raw = join_blocks(client, answer, limit)
    assert decode_data(raw) == read(make_meter(), LOAD_PROFILE, access)


def test_lists() -> None:
    client = Client(make_meter())
    client.associate()
    wanted = [ENERGY._replace(attribute_id=number) for number in (2, 9, 3)]
    answer = client.ask(
        GetRequestWithList(INVOKE, tuple(map(SelectedAttribute, wanted)))
    )
    assert isinstance(answer, GetResponseWithList)
    assert answer.results == tuple(map(client.get, wanted))


def test_long_lists_come_in_blocks() -> None:
    client = Client(make_meter())
    client.associate(association_request(max_receive_pdu_size=50))
    request = GetRequestWithList(INVOKE, (SelectedAttribute(ENERGY),) * 30)
    raw = join_blocks(client, client.ask(request), 50)
    one = b"\x00\x06" + register(make_meter(), "1.8.0").to_bytes(4)
    assert raw == bytes((30,)) + one * 30


def test_without_block_transfer_a_long_answer_is_refused() -> None:
    client = Client(make_meter(MeterSettings(max_pdu_size=100)))
    services = Conformance.GET | Conformance.MULTIPLE_REFERENCES
    client.associate(association_request(conformance=services))
    assert client.get(OBJECT_LIST) is DataAccessResult.OTHER_REASON
    answer = client.ask(
        GetRequestWithList(INVOKE, (SelectedAttribute(OBJECT_LIST),) * 2)
    )
    assert isinstance(answer, GetResponseWithList)
    assert answer.results == (DataAccessResult.OTHER_REASON,) * 2


@pytest.mark.parametrize(
    "request_",
    [
        GetRequestWithList(INVOKE, (SelectedAttribute(ENERGY),)),
        GetRequestNext(INVOKE, 1),
    ],
)
def test_services_that_were_not_agreed_are_refused(request_: Apdu) -> None:
    client = Client(make_meter())
    client.associate(ONLY_GET)
    answer = client.ask(request_)
    assert isinstance(answer, ExceptionResponse)
    assert answer.service_error is ExceptionServiceError.SERVICE_NOT_SUPPORTED


def test_next_block_of_nothing_and_with_a_wrong_number() -> None:
    client = Client(make_meter())
    client.associate()

    def next_block(number: int) -> Apdu:
        return client.ask(GetRequestNext(INVOKE, number))

    def refused(number: int, result: DataAccessResult) -> Apdu:
        return GetResponseWithDatablock(INVOKE, True, number, result)

    assert next_block(1) == refused(1, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
    client.ask(GetRequestNormal(INVOKE, LOAD_PROFILE))
    assert next_block(2) == refused(2, DataAccessResult.DATA_BLOCK_NUMBER_INVALID)
    assert next_block(1) == refused(1, DataAccessResult.NO_LONG_GET_IN_PROGRESS)
