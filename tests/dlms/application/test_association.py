"""An association: its states, what it agrees to, and each refusal by name."""

from dataclasses import replace

import pytest

from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.association import (
    Association,
    AssociationState,
)
from custom_components.dlms_meter.dlms.application.association_settings import (
    PROPOSED_CONFORMANCE,
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    AssociationResult,
    ConfirmedService,
    Conformance,
    ErrorClass,
    ExceptionServiceError,
    ExceptionStateError,
    InitiateError,
    Mechanism,
    ProviderDiagnostic,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.failure import (
    ConfirmedServiceError,
    ExceptionResponse,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import GetRequestNext
from custom_components.dlms_meter.dlms.application.initiate import InitiateResponse
from custom_components.dlms_meter.dlms.application.set import SetRequestNormal
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.errors import (
    AssociationRejected,
    AuthenticationFailed,
    DecodeError,
    LocalProtocolError,
    RemoteProtocolError,
)
from tests.harness import check_damage

from .conversation import ENERGY, EVERYTHING, associated, granted

TOO_LITTLE_IN_COMMON = ConfirmedServiceError(
    ConfirmedService.INITIATE_ERROR,
    ErrorClass.INITIATE,
    InitiateError.INCOMPATIBLE_CONFORMANCE,
)


def pending(settings: AssociationSettings | None = None) -> Association:
    association = Association(settings or AssociationSettings())
    association.request()
    return association


def answer(
    result: AssociationResult,
    diagnostic: UserDiagnostic | ProviderDiagnostic = UserDiagnostic.NULL,
    user_information: bytes | None = None,
) -> Aare:
    return Aare(
        application_context=ApplicationContext.LOGICAL_NAME,
        result=result,
        diagnostic=diagnostic,
        user_information=user_information,
    )


def test_request_without_security() -> None:
    aarq = Association(AssociationSettings()).request()
    # Proposed: priorities, GET with blocks, lists, selective access; APDUs of any length.
    assert (
        aarq.encode().hex()
        == "601da109060760857405080101be10040e01000000065f1f040000fedfffff"
    )


def test_request_with_lls() -> None:
    settings = AssociationSettings(mechanism=Mechanism.LLS, secret=b"00000001")
    assert Association(settings).request() == Aarq(
        application_context=ApplicationContext.LOGICAL_NAME,
        mechanism=Mechanism.LLS,
        authentication_value=b"00000001",
        user_information=bytes.fromhex("01000000065f1f040000fedfffff"),
    )
    assert "00000001" not in repr(settings)


def test_request_for_an_old_meter() -> None:
    settings = AssociationSettings(max_receive_pdu_size=0, short_conformance_tag=True)
    assert Association(settings).request().user_information == bytes.fromhex(
        "01000000065f040000fedf0000"
    )


def test_an_unsupported_mechanism_leaves_the_association_idle() -> None:
    association = Association(AssociationSettings(mechanism=Mechanism.HLS_MD5))
    with pytest.raises(LocalProtocolError):
        association.request()
    assert association.state is AssociationState.IDLE


def test_only_what_both_sides_can_do_is_agreed() -> None:
    association = associated(
        Conformance.GET | Conformance.READ | Conformance.GENERAL_PROTECTION, 1224
    )
    assert association.state is AssociationState.ASSOCIATED
    assert association.conformance is Conformance.GET
    assert association.server_max_receive_pdu_size == 1224
    assert association.request_capacity == 1224


def test_everything_proposed_is_agreed_at_best() -> None:
    assert associated(EVERYTHING).conformance is PROPOSED_CONFORMANCE
    assert associated(EVERYTHING, 0).request_capacity is None


def test_old_form_of_the_conformance_block() -> None:
    response = InitiateResponse(
        conformance=Conformance.GET,
        max_receive_pdu_size=500,
        short_conformance_tag=True,
    )
    association = pending()
    association.establish(
        answer(AssociationResult.ACCEPTED, user_information=response.encode())
    )
    assert association.conformance is Conformance.GET


@pytest.mark.parametrize(
    "aare",
    [
        granted(context=ApplicationContext.LOGICAL_NAME_CIPHERED),
        granted(context=ApplicationContext.OTHER),
        granted(diagnostic=UserDiagnostic.NO_REASON_GIVEN),
    ],
    ids=[
        "LLS answered with the ciphered context",
        "no DLMS context",
        "accepted, no reason given (a three-phase ADX meter)",
    ],
)
def test_odd_agreements(aare: Aare) -> None:
    association = pending()
    association.establish(aare)
    assert association.state is AssociationState.ASSOCIATED


@pytest.mark.parametrize(
    ("aare", "words"),
    [
        (
            answer(
                AssociationResult.REJECTED_PERMANENT, UserDiagnostic.NO_REASON_GIVEN
            ),
            "rejected permanent, no reason given; check the client address and the password",
        ),
        (
            answer(
                AssociationResult.REJECTED_TRANSIENT,
                UserDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
            ),
            "rejected transient, application context name not supported; it may want ciphering",
        ),
        (
            answer(
                AssociationResult.REJECTED_PERMANENT,
                ProviderDiagnostic.NO_COMMON_ACSE_VERSION,
            ),
            "rejected permanent, no common acse version",
        ),
        (
            answer(
                AssociationResult.REJECTED_PERMANENT,
                UserDiagnostic.NO_REASON_GIVEN,
                TOO_LITTLE_IN_COMMON.encode(),
            ),
            "no reason given; initiate error, initiate: incompatible conformance; check",
        ),
        (
            answer(
                AssociationResult.ACCEPTED,
                UserDiagnostic.NULL,
                TOO_LITTLE_IN_COMMON.encode(),
            ),
            "accepted, null; initiate error, initiate: incompatible conformance",
        ),
        (
            answer(
                AssociationResult.REJECTED_PERMANENT,
                UserDiagnostic.NULL,
                b"\x28\x1f\x30",
            ),
            "rejected permanent, null",
        ),
        (
            granted(diagnostic=UserDiagnostic.AUTHENTICATION_REQUIRED),
            "accepted, authentication required; this client",
        ),
        (answer(AssociationResult(7), UserDiagnostic(77)), "code 7, code 77"),
    ],
)
def test_refusals(aare: Aare, words: str) -> None:
    association = pending()
    with pytest.raises(
        AssociationRejected, match=f"The meter refused the association: .*{words}"
    ) as raised:
        association.establish(aare)
    assert not isinstance(raised.value, AuthenticationFailed)
    assert raised.value.result is aare.result
    assert raised.value.diagnostic is aare.diagnostic
    assert association.conformance == Conformance(0)
    # What was granted in part may have to be released.
    assert association.is_open is (aare.result is AssociationResult.ACCEPTED)


@pytest.mark.parametrize(
    "refusal",
    [
        ExceptionResponse(
            ExceptionStateError.SERVICE_NOT_ALLOWED,
            ExceptionServiceError.OPERATION_NOT_POSSIBLE,
        ),
        TOO_LITTLE_IN_COMMON,
    ],
)
def test_refusal_without_an_aare(
    refusal: ExceptionResponse | ConfirmedServiceError,
) -> None:
    association = pending()
    with pytest.raises(AssociationRejected, match=refusal.reason) as raised:
        association.establish(refusal)
    assert raised.value.diagnostic is refusal.code
    assert not association.is_open


@pytest.mark.parametrize("diagnostic", list(UserDiagnostic) + list(ProviderDiagnostic))
def test_every_refusal_has_a_name(
    diagnostic: UserDiagnostic | ProviderDiagnostic,
) -> None:
    with pytest.raises(AssociationRejected, match=diagnostic.label) as raised:
        pending().establish(answer(AssociationResult.REJECTED_PERMANENT, diagnostic))
    wrong_password = diagnostic is UserDiagnostic.AUTHENTICATION_FAILURE
    assert isinstance(raised.value, AuthenticationFailed) is wrong_password


def test_a_wrong_password_is_not_repeated_in_the_message() -> None:
    settings = AssociationSettings(mechanism=Mechanism.LLS, secret=b"00000001")
    with pytest.raises(AuthenticationFailed, match="check the password") as raised:
        pending(settings).establish(
            answer(
                AssociationResult.REJECTED_PERMANENT,
                UserDiagnostic.AUTHENTICATION_FAILURE,
            )
        )
    assert "00000001" not in str(raised.value)


@pytest.mark.parametrize("information", [None, Rlre().encode()])
def test_agreement_to_nothing_in_particular(information: bytes | None) -> None:
    with pytest.raises(RemoteProtocolError, match="without saying what it can do"):
        pending().establish(
            answer(AssociationResult.ACCEPTED, user_information=information)
        )


def test_agreement_that_cannot_be_read() -> None:
    with pytest.raises(DecodeError):
        pending().establish(
            answer(AssociationResult.ACCEPTED, user_information=b"\x28\x1f\x30")
        )


@pytest.mark.parametrize(
    ("size", "enough"), [(1, False), (12, False), (13, True), (0, True)]
)
def test_pdu_size_too_small_for_any_request(size: int, enough: bool) -> None:
    association = pending()
    if enough:
        association.establish(granted(max_receive_pdu_size=size))
    else:
        with pytest.raises(RemoteProtocolError, match=f"at most {size} octets"):
            association.establish(granted(max_receive_pdu_size=size))


def test_life() -> None:
    association = Association(AssociationSettings())
    states = [association.is_open]
    association.request()
    states.append(association.is_open)
    association.establish(granted())
    states.append(association.is_open)
    assert association.release_request() == Rlrq()
    states.append(association.is_open)
    assert states == [False, True, True, False]


def test_release_before_the_answer_came() -> None:
    association = pending()
    association.release_request()
    assert not association.is_open


def test_what_is_not_possible_when_idle() -> None:
    association = Association(AssociationSettings())
    with pytest.raises(LocalProtocolError, match="is idle cannot be granted"):
        association.establish(granted())
    with pytest.raises(LocalProtocolError, match="is idle cannot be released"):
        association.release_request()
    with pytest.raises(LocalProtocolError, match="no association: it is idle"):
        association.require(Conformance.GET)


def test_what_is_not_possible_when_pending_or_associated() -> None:
    association = pending()
    with pytest.raises(LocalProtocolError, match="is pending cannot be requested"):
        association.request()
    association.establish(granted())
    with pytest.raises(LocalProtocolError, match="is associated cannot be granted"):
        association.establish(granted())


def test_services_not_agreed_to_are_named() -> None:
    association = associated(Conformance.GET)
    association.require(Conformance.GET)
    with pytest.raises(
        RemoteProtocolError, match=r"does not offer this client: selective access$"
    ):
        association.require(Conformance.GET | Conformance.SELECTIVE_ACCESS)


def test_invoke_ids_count_up_and_start_again() -> None:
    association = associated(Conformance.GET | Conformance.PRIORITY_MGMT_SUPPORTED)
    assert [association.next_invoke() for _ in range(17)] == [
        *range(0xC1, 0xD0),
        0xC0,
        0xC1,
    ]


def test_priority_only_where_the_meter_knows_it() -> None:
    assert associated(Conformance.GET).next_invoke() == 0x41


def test_no_apdu_is_longer_than_the_meter_takes() -> None:
    association = associated(EVERYTHING, 13)
    short = Aarq(application_context=ApplicationContext.LOGICAL_NAME)
    assert len(association.encode(short)) == 13
    too_long = replace(short, user_information=b"")
    with pytest.raises(
        LocalProtocolError, match="Aarq of 17 octets, but the meter takes 13 at most"
    ):
        association.encode(too_long)


def test_decode() -> None:
    assert associated().decode(b"\x63\x00") == Rlre(reason=None)
    with pytest.raises(DecodeError):
        associated().decode(b"\x77")


@pytest.mark.parametrize(
    "aare",
    [
        granted(),
        answer(
            AssociationResult.REJECTED_PERMANENT,
            user_information=TOO_LITTLE_IN_COMMON.encode(),
        ),
    ],
)
def test_a_damaged_answer_to_the_request(aare: Aare) -> None:
    def establish(octets: bytes) -> None:
        received = decode_apdu(octets)
        if isinstance(received, Aare):
            pending().establish(received)

    check_damage(aare.encode(), establish, count=500)


def test_a_request_for_short_names() -> None:
    association = Association(
        AssociationSettings(context=ApplicationContext.SHORT_NAME)
    )
    assert association.uses_short_names
    assert (
        association.encode(association.request()).hex()
        == "601da109060760857405080102be10040e01000000065f1f04001c1b20ffff"
    )


def blockwise(size: int, granted_too: bool = True) -> Association:
    association = Association(AssociationSettings(block_transfer_window=5))
    aarq = association.request()
    assert aarq.user_information is not None
    assert aarq.user_information.hex() == "01000000065f1f040020fedfffff"
    gbt = Conformance.GENERAL_BLOCK_TRANSFER
    association.establish(
        granted(EVERYTHING if granted_too else EVERYTHING & ~gbt, size)
    )
    return association


def test_general_block_transfer_lifts_the_limit_for_requests() -> None:
    long = GetRequestNext(InvokeIdAndPriority(0xC1), 7)
    association = blockwise(100)
    assert association.uses_block_transfer
    assert association.request_capacity is None
    assert association.block_capacity == 100
    assert association.fits(long)
    assert blockwise(0).block_capacity == 0xFFFF
    without = blockwise(100, granted_too=False)
    assert not without.uses_block_transfer
    assert without.request_capacity == 100
    assert without.block_capacity is None


def test_a_request_that_general_block_transfer_will_carry() -> None:
    request = SetRequestNormal(
        InvokeIdAndPriority(0xC1), ENERGY, None, Data(DataType.OCTET_STRING, bytes(200))
    )
    assert len(blockwise(100).encode(request)) > 200
    with pytest.raises(LocalProtocolError, match="takes 100 at most"):
        blockwise(100, granted_too=False).encode(request)
