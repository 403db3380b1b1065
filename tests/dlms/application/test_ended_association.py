"""A meter that has ended the association: it refuses what it tells everybody, and teaches nothing by that."""

import pytest

from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.association import Association
from custom_components.dlms_meter.dlms.application.ended_association import (
    refuses_request,
    see_whether_it_ended,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ActionResult,
    DataAccessResult,
    ExceptionServiceError,
)
from custom_components.dlms_meter.dlms.application.get import GetRequestNormal
from custom_components.dlms_meter.dlms.application.procedures import (
    Procedure,
    get,
    get_many,
    invoke_many,
    set_many,
)
from custom_components.dlms_meter.dlms.application.short_name import (
    ReadRequest,
    VariableName,
)
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    LinkError,
    ServiceError,
)

from .conversation import (
    BUSY,
    DENIED,
    ENERGY,
    FIRST,
    UNDEFINED,
    associated,
    converse,
    drive,
    normal,
    number,
    registers,
)
from .test_short_names import stranger

NAME = AttributeDescriptor(15, Obis.parse("0-0:40.0.0*255"), 1)
REFUSAL = ServiceError("no", ExceptionServiceError.OPERATION_NOT_POSSIBLE)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (REFUSAL, True),
        (ServiceError("no", UNDEFINED), False),
        (ServiceError("no", ActionResult.OTHER_REASON), False),
        (DecodeError("garbled"), False),
        (number(1), False),
        (None, False),
    ],
    ids=repr,
)
def test_refusal_of_a_request_as_such(outcome: object, expected: bool) -> None:
    assert refuses_request(outcome) is expected


@pytest.mark.parametrize("answer", [BUSY, DENIED], ids=lambda each: type(each).__name__)
def test_ended(answer: Apdu) -> None:
    with pytest.raises(LinkError, match=r"refuses all that is asked \(no\)"):
        converse(see_whether_it_ended(associated(), REFUSAL), answer)


@pytest.mark.parametrize("result", [number(1), DataAccessResult.READ_WRITE_DENIED])
def test_any_other_answer_shows_that_it_stands(result: DataAccessResult) -> None:
    _, asked = converse(see_whether_it_ended(associated(), REFUSAL), normal(result))
    assert asked == [GetRequestNormal(FIRST, NAME)]


def test_so_does_one_that_cannot_be_read() -> None:
    asking = see_whether_it_ended(associated(), REFUSAL)
    next(asking)
    with pytest.raises(StopIteration):
        asking.throw(DecodeError("garbled"))


def refuses_everything(_: Apdu) -> Apdu:
    return BUSY


def read_all(association: Association) -> Procedure[object]:
    return get_many(association, registers(3))


def write_all(association: Association) -> Procedure[object]:
    return set_many(association, {each: number(1) for each in registers(3)})


def invoke_all(association: Association) -> Procedure[object]:
    return invoke_many(
        association, [(MethodDescriptor(3, each[1], 1), None) for each in registers(3)]
    )


@pytest.mark.parametrize("procedure", [read_all, write_all, invoke_all])
@pytest.mark.parametrize("known", [None, False])
def test_it_does_not_refuse_lists_therefore(
    procedure: object, known: bool | None
) -> None:
    """Or a meter that lost one session would never be asked by lists again."""
    association = associated()
    memory = association.memory
    memory.refuses_lists = memory.refuses_write_lists = known
    assert callable(procedure)
    drive(procedure(association), refuses_everything)
    assert memory.refuses_lists is memory.refuses_write_lists is known


def test_it_does_not_keep_its_short_names_for_itself_therefore() -> None:
    """Or a meter that lost one session would have no objects for ever."""
    association = stranger()
    with pytest.raises(LinkError, match="ended the association"):
        drive(get(association, ENERGY), refuses_everything)
    assert not association.memory.short_names


def test_by_short_names_it_is_asked_the_same() -> None:
    asking = see_whether_it_ended(stranger(), REFUSAL)
    assert next(asking) == ReadRequest((VariableName(0xFA00),))
