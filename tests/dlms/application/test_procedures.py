"""Associate, get, release: what they ask, and what they make of right, odd and wrong answers."""

from collections.abc import Sequence
from random import Random

import pytest

from custom_components.dlms_meter.dlms.application import procedure
from custom_components.dlms_meter.dlms.application.acse import Aare, Aarq, Rlre, Rlrq
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.association import (
    Association,
    AssociationState,
)
from custom_components.dlms_meter.dlms.application.association_settings import (
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.enums import (
    AccessError,
    ApplicationContext,
    AssociationResult,
    Conformance,
    DataAccessResult,
    ExceptionServiceError,
    UserDiagnostic,
)
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNext,
    GetRequestNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from custom_components.dlms_meter.dlms.application.procedures import (
    associate,
    get,
    release,
)
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType, encode_data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import (
    AssociationRejected,
    AuthenticationFailed,
    DecodeError,
    RemoteProtocolError,
    ServiceError,
)

from .conversation import (
    BUSY,
    DENIED,
    ENERGY,
    FIRST,
    SECOND,
    UNDEFINED,
    associated,
    converse,
    drive,
    granted,
    normal,
    number,
)

PROFILE = AttributeDescriptor(7, Obis.parse("1-0:99.1.0*255"), 2)


def blocks(
    octets: bytes, sizes: Sequence[int], invoke: InvokeIdAndPriority = FIRST
) -> list[Apdu]:
    """Cut octets into blocks of these sizes, and a last one of what is left."""
    cuts = [0, *(sum(sizes[: n + 1]) for n in range(len(sizes))), len(octets)]
    return [
        GetResponseWithDatablock(
            invoke, n == len(sizes), n + 1, octets[cuts[n] : cuts[n + 1]]
        )
        for n in range(len(sizes) + 1)
    ]


# --- associate and release


def test_associate() -> None:
    association = Association(AssociationSettings())
    _, requests = converse(associate(association), granted())
    assert [type(request) for request in requests] == [Aarq]
    assert association.state is AssociationState.ASSOCIATED


def test_associate_with_a_wrong_password() -> None:
    refusal = Aare(
        application_context=ApplicationContext.LOGICAL_NAME,
        result=AssociationResult.REJECTED_PERMANENT,
        diagnostic=UserDiagnostic.AUTHENTICATION_FAILURE,
    )
    with pytest.raises(AuthenticationFailed, match="authentication failure"):
        converse(associate(Association(AssociationSettings())), refusal)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (BUSY, "service not allowed, operation not possible"),
        (DENIED, "read, access: object access violated"),
    ],
)
def test_associate_refused_without_an_aare(answer: Apdu, words: str) -> None:
    with pytest.raises(AssociationRejected, match=words):
        converse(associate(Association(AssociationSettings())), answer)


def test_associate_answered_with_something_else() -> None:
    association = Association(AssociationSettings())
    with pytest.raises(
        RemoteProtocolError, match="answered the association request with Rlre"
    ):
        converse(associate(association), Rlre())
    assert association.is_open  # perhaps the meter thinks so


@pytest.mark.parametrize(
    "answer",
    [Rlre(), Rlre(reason=None), BUSY, granted()],
    ids=lambda answer: type(answer).__name__,
)
def test_release_takes_any_answer(answer: Apdu) -> None:
    association = associated()
    _, requests = converse(release(association), answer)
    assert requests == [Rlrq()]
    assert not association.is_open


def test_release_when_no_answer_comes() -> None:
    association = associated()
    procedure = release(association)
    assert next(procedure) == Rlrq()
    procedure.close()
    assert not association.is_open


def test_nothing_to_release() -> None:
    _, requests = converse(release(Association(AssociationSettings())))
    assert requests == []


# --- get


def test_get() -> None:
    value, requests = converse(get(associated(), ENERGY), normal(number(123457)))
    assert value == number(123457)
    assert requests == [GetRequestNormal(FIRST, ENERGY)]


def test_get_a_part() -> None:
    access = SelectiveAccess(2, number(1))
    _, requests = converse(get(associated(), PROFILE, access), normal(number(1)))
    assert requests == [GetRequestNormal(FIRST, PROFILE, access)]


def test_get_obeys_what_was_agreed() -> None:
    with pytest.raises(RemoteProtocolError, match="does not offer this client: get"):
        next(get(associated(Conformance.SET), ENERGY))
    with pytest.raises(
        RemoteProtocolError, match="does not offer this client: selective access"
    ):
        next(get(associated(Conformance.GET), PROFILE, SelectiveAccess(2, number(1))))


@pytest.mark.parametrize(
    ("answer", "words", "result"),
    [
        (normal(UNDEFINED), "3/1-0:1.8.0[*]255/2: object undefined", UNDEFINED),
        (
            BUSY,
            "service not allowed, operation not possible",
            ExceptionServiceError.OPERATION_NOT_POSSIBLE,
        ),
        (
            DENIED,
            "read, access: object access violated",
            AccessError.OBJECT_ACCESS_VIOLATED,
        ),
        (
            GetResponseWithDatablock(FIRST, True, 1, DataAccessResult.LONG_GET_ABORTED),
            "long get aborted",
            DataAccessResult.LONG_GET_ABORTED,
        ),
    ],
)
def test_get_refused(answer: Apdu, words: str, result: int) -> None:
    with pytest.raises(ServiceError, match=words) as raised:
        converse(get(associated(), ENERGY), answer)
    assert raised.value.result is result


def test_get_answered_with_something_else() -> None:
    with pytest.raises(RemoteProtocolError, match="answered with GetResponseWithList"):
        converse(get(associated(), ENERGY), GetResponseWithList(FIRST, (number(1),)))


def test_an_answer_to_another_request_is_no_answer() -> None:
    with pytest.raises(RemoteProtocolError, match="answered request 2, not 1"):
        converse(get(associated(), ENERGY), normal(number(1), SECOND))


def test_flags_of_the_invoke_octet_need_not_come_back() -> None:
    value, _ = converse(
        get(associated(), ENERGY), normal(number(1), InvokeIdAndPriority(0x01))
    )
    assert value == number(1)


# --- get with blocks


@pytest.mark.parametrize("seed", range(20))
def test_blocks_of_any_size_make_the_value(seed: int) -> None:
    random = Random(seed)
    value = Data(
        DataType.ARRAY,
        tuple(number(random.getrandbits(32)) for _ in range(random.randrange(200))),
    )
    octets = encode_data(value)
    sizes: list[int] = []
    while (size := random.randint(1, 60)) < len(octets) - sum(sizes):
        sizes.append(size)
    told: list[int] = []
    answers = blocks(octets, sizes)
    result, requests = converse(
        get(associated(), PROFILE, progress=told.append), *answers
    )
    assert result == value
    assert requests == [
        GetRequestNormal(FIRST, PROFILE),
        *(GetRequestNext(FIRST, n) for n in range(1, len(answers))),
    ]
    assert told == [sum(sizes[: n + 1]) for n in range(len(sizes))] + [len(octets)]


def test_an_empty_last_block() -> None:
    octets = encode_data(number(7))
    value, _ = converse(
        get(associated(), ENERGY), *blocks(octets, [2, len(octets) - 2])
    )
    assert value == number(7)


def test_octets_after_the_value_in_blocks() -> None:
    value, _ = converse(
        get(associated(), ENERGY), *blocks(encode_data(number(7)) * 2, [4])
    )
    assert value == number(7)


def test_an_empty_profile_in_a_block_that_is_not_the_last() -> None:
    value, requests = converse(
        get(associated(), PROFILE), GetResponseWithDatablock(FIRST, False, 1, b"")
    )
    assert value == Data(DataType.NULL_DATA, None)
    assert len(requests) == 1


@pytest.mark.parametrize("numbers", [(0,), (2,), (1, 1), (1, 3), (1, 2, 2)])
def test_blocks_out_of_order(numbers: tuple[int, ...]) -> None:
    answers = [GetResponseWithDatablock(FIRST, False, n, b"\x01") for n in numbers]
    with pytest.raises(
        RemoteProtocolError,
        match=f"sent block {numbers[-1]} where block {len(numbers)} is due",
    ):
        converse(get(associated(), PROFILE), *answers)


def test_a_block_of_another_transfer() -> None:
    first, second = blocks(encode_data(number(7)), [2])
    assert isinstance(second, GetResponseWithDatablock)
    stranger = GetResponseWithDatablock(
        SECOND, True, second.block_number, second.result
    )
    with pytest.raises(RemoteProtocolError, match="answered request 2, not 1"):
        converse(get(associated(), ENERGY), first, stranger)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            GetResponseWithDatablock(
                FIRST, True, 2, DataAccessResult.DATA_BLOCK_UNAVAILABLE
            ),
            "data block unavailable",
        ),
        (normal(DataAccessResult.NO_LONG_GET_IN_PROGRESS), "no long get in progress"),
        (BUSY, "operation not possible"),
    ],
)
def test_blocks_broken_off_by_the_meter(answer: Apdu, words: str) -> None:
    first, _ = blocks(encode_data(number(7)), [2])
    with pytest.raises(ServiceError, match=words):
        converse(get(associated(), ENERGY), first, answer)


def test_a_value_where_a_block_is_due() -> None:
    first, _ = blocks(encode_data(number(7)), [2])
    with pytest.raises(RemoteProtocolError, match="answered with GetResponseNormal"):
        converse(get(associated(), ENERGY), first, normal(number(7)))


def test_blocks_that_make_no_value() -> None:
    with pytest.raises(DecodeError):
        converse(get(associated(), ENERGY), *blocks(encode_data(number(7))[:-1], [2]))


def test_blocks_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procedure, "MAX_VALUE_OCTETS", 1000)
    asked = 0

    def endless(_request: Apdu) -> Apdu:
        nonlocal asked
        asked += 1
        return GetResponseWithDatablock(FIRST, False, asked, bytes(100))

    with pytest.raises(RemoteProtocolError, match="more than 1000 octets, and no end"):
        drive(get(associated(), PROFILE), endless)
    assert asked == 11
