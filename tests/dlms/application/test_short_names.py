"""Meters with short names: whoever asks sees no difference."""

from collections.abc import Mapping

import pytest

from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.association import Association
from custom_components.dlms_meter.dlms.application.association_settings import (
    PROPOSED_SHORT_NAME_CONFORMANCE,
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    Conformance,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.get import GetResult, encode_results
from custom_components.dlms_meter.dlms.application.procedures import (
    access,
    get,
    get_many,
    invoke,
    invoke_many,
    set_attribute,
    set_many,
)
from custom_components.dlms_meter.dlms.application.short_name import (
    BlockArrived,
    BlockNumberAccess,
    DataBlockResult,
    ParameterizedAccess,
    ReadDataBlockAccess,
    ReadRequest,
    ReadResponse,
    UnconfirmedWriteRequest,
    Variable,
    VariableName,
    WriteDataBlockAccess,
    WriteRequest,
    WriteResponse,
)
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType, encode_data
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.meter_memory import MeterMemory, ShortName
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.object_list import decode_object_list
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
)

from .conversation import BUSY, DENIED, converse, drive, granted, normal, number

OK = DataAccessResult.SUCCESS
UNDEFINED = DataAccessResult.OBJECT_UNDEFINED
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
SCALER = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 3)
POWER = AttributeDescriptor(3, Obis.parse("1-0:1.7.0"), 2)
MISSING = AttributeDescriptor(3, Obis.parse("1-0:99.99.99"), 2)
NAME = AttributeDescriptor(1, Obis.parse("0-0:42.0.0"), 2)
OBJECT_LIST = AttributeDescriptor(15, Obis.parse("0-0:40.0.0"), 2)
RESET = MethodDescriptor(3, Obis.parse("1-0:1.8.0"), 1)
RELAY = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 1)
LATEST = SelectiveAccess(2, Data(DataType.UNSIGNED, 1))
ZERO = Data(DataType.INTEGER, 0)
NULL = Data(DataType.NULL_DATA, None)
TEXT = Data(DataType.OCTET_STRING, bytes(range(100)))

BASE_NAMES = {
    (3, Obis.parse("1-0:1.8.0")): 0x1500,
    (3, Obis.parse("1-0:1.7.0")): 0x9000,
    (70, Obis.parse("0-0:96.3.10")): 0x2000,
    (1, Obis.parse("0-0:42.0.0")): 0xFD00,
}
NAMES = {key: ShortName(name, 0) for key, name in BASE_NAMES.items()}


def object_list(base_names: Mapping[tuple[int, Obis], int] = BASE_NAMES) -> Data:
    def entry(class_id: int, logical_name: Obis, base_name: int) -> Data:
        signed = base_name - 0x10000 if base_name >= 0x8000 else base_name
        return Data(
            DataType.STRUCTURE,
            (
                Data(DataType.LONG, signed),
                Data(DataType.LONG_UNSIGNED, class_id),
                Data(DataType.UNSIGNED, 0),
                Data(DataType.OCTET_STRING, bytes(logical_name)),
            ),
        )

    return Data(
        DataType.ARRAY, tuple(entry(*key, name) for key, name in base_names.items())
    )


def associated(
    conformance: Conformance = PROPOSED_SHORT_NAME_CONFORMANCE,
    max_receive_pdu_size: int = 0,
    names: Mapping[tuple[int, Obis], ShortName] = NAMES,
) -> Association:
    """Be associated by short names, and know them already."""
    association = Association(
        AssociationSettings(context=ApplicationContext.SHORT_NAME),
        memory=MeterMemory(short_names=dict(names)),
    )
    aarq = association.request()
    assert aarq.application_context is ApplicationContext.SHORT_NAME
    association.establish(granted(conformance, max_receive_pdu_size))
    return association


def stranger(
    conformance: Conformance = PROPOSED_SHORT_NAME_CONFORMANCE,
) -> Association:
    """Be associated, and know no names yet."""
    return associated(conformance, names={})


def read(*variables: Variable | int) -> ReadRequest:
    return ReadRequest(
        tuple(VariableName(v) if isinstance(v, int) else v for v in variables)
    )


def told(*results: GetResult) -> ReadResponse:
    return ReadResponse(results)


def blocks(raw: bytes, size: int = 20) -> list[ReadResponse]:
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    return [
        ReadResponse((DataBlockResult(n == len(pieces), n, piece),))
        for n, piece in enumerate(pieces, 1)
    ]


# Names


def test_names_are_learned_from_the_object_list_when_first_wanted() -> None:
    association = stranger()
    value, asked = converse(
        get(association, ENERGY), told(object_list()), told(number(7))
    )
    assert value == number(7)
    assert asked == [read(0xFA08), read(0x1508)]
    assert association.memory.short_names == NAMES
    _, asked = converse(get(association, POWER), told(number(1)))
    assert asked == [read(0x9008)]


def test_names_are_learned_from_the_object_list_when_that_is_wanted() -> None:
    association = stranger()
    data, asked = converse(get(association, OBJECT_LIST), told(object_list()))
    assert asked == [read(0xFA08)]
    objects = decode_object_list(data)
    assert {item[:2] for item in association.memory.short_names} == set(BASE_NAMES)
    assert [item.base_name for item in objects] == list(BASE_NAMES.values())
    assert [item.class_id for item in objects] == [3, 3, 70, 1]


def test_an_object_that_is_not_in_the_list() -> None:
    with pytest.raises(ServiceError, match="object undefined") as caught:
        converse(get(stranger(), MISSING), told(object_list()))
    assert caught.value.result is UNDEFINED
    with pytest.raises(ServiceError):
        next(get(associated(), MISSING))  # and the list is not read again


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        ([told(DataAccessResult.READ_WRITE_DENIED)], [0xFA08]),
        ([told(ZERO)], [0xFA08]),
        ([BUSY, told(TEXT)], [0xFA08, 0xFA00]),
    ],
    ids=["denied", "no list", "exception"],
)
def test_reserved_names_do_where_the_list_cannot_be_had(
    answers: list[Apdu], names: list[int]
) -> None:
    association = stranger()
    value, asked = converse(get(association, NAME), *answers, told(TEXT))
    assert value == TEXT
    assert asked == [read(name) for name in (*names, 0xFD08)]
    with pytest.raises(ServiceError, match="object undefined"):
        next(get(association, ENERGY))


def test_there_is_no_attribute_0() -> None:
    with pytest.raises(ServiceError, match="object undefined"):
        next(get(associated(), ENERGY._replace(attribute_id=0)))


# Read


def test_read_a_part() -> None:
    _, asked = converse(get(associated(), ENERGY, LATEST), told(number(7)))
    assert asked == [read(ParameterizedAccess(0x1508, LATEST))]


@pytest.mark.parametrize(
    ("answer", "result"),
    [(told(UNDEFINED), UNDEFINED), (BUSY, BUSY.code), (DENIED, DENIED.code)],
)
def test_read_refused(answer: Apdu, result: int) -> None:
    with pytest.raises(ServiceError, match=r"3/1-0:1.8.0\*255/2") as caught:
        converse(get(associated(), ENERGY), answer)
    assert caught.value.result is result


@pytest.mark.parametrize(
    "answer",
    [
        told(),
        told(number(1), number(2)),
        ReadResponse((BlockArrived(1),)),
        ReadResponse((number(1), BlockArrived(1))),
        normal(number(1)),
        WriteResponse((OK,)),
    ],
)
def test_read_answered_out_of_turn(answer: Apdu) -> None:
    with pytest.raises(RemoteProtocolError):
        converse(get(associated(), ENERGY), answer)


@pytest.mark.parametrize(
    ("missing", "wanted"),
    [(Conformance.READ, None), (Conformance.PARAMETERIZED_ACCESS, LATEST)],
)
def test_read_what_is_not_offered(
    missing: Conformance, wanted: SelectiveAccess | None
) -> None:
    association = associated(PROPOSED_SHORT_NAME_CONFORMANCE & ~missing)
    with pytest.raises(RemoteProtocolError, match="does not offer"):
        next(get(association, ENERGY, wanted))


@pytest.mark.parametrize("whole", [True, False], ids=["list of one", "bare value"])
def test_read_in_blocks(whole: bool) -> None:
    """The blocks are pieces of the list of results; of the value alone from some meters, and from pydlms-client."""
    octets: list[int] = []
    raw = encode_results((TEXT,)) if whole else encode_data(TEXT)
    answers = blocks(raw)
    value, asked = converse(get(associated(), ENERGY, progress=octets.append), *answers)
    assert value == TEXT
    assert asked[1:] == [read(BlockNumberAccess(n)) for n in range(1, len(answers))]
    assert octets[-1] == len(raw)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (told(DataAccessResult.LONG_GET_ABORTED), ServiceError),
        (BUSY, ServiceError),
        (ReadResponse((DataBlockResult(True, 3, b""),)), RemoteProtocolError),
        (told(number(1)), RemoteProtocolError),
    ],
)
def test_read_in_blocks_broken_off(answer: Apdu, error: type[Exception]) -> None:
    with pytest.raises(error):
        converse(get(associated(), ENERGY), blocks(encode_data(TEXT))[0], answer)


def test_a_read_too_long_for_one_request() -> None:
    """Its parameters are sent in pieces."""
    association = associated(max_receive_pdu_size=40)
    access = SelectiveAccess(1, TEXT)
    procedure = get(association, ENERGY, access)
    request, raw, number_ = next(procedure), b"", 0
    while True:
        assert isinstance(request, ReadRequest)
        assert len(request.encode()) <= 40
        (piece,) = request.variables
        assert isinstance(piece, ReadDataBlockAccess)
        raw += piece.raw_data
        number_ += 1
        assert piece.block_number == number_
        if piece.last_block:
            break
        request = procedure.send(ReadResponse((BlockArrived(number_),)))
    with pytest.raises(StopIteration) as done:
        procedure.send(told(number(7)))
    assert done.value.value == number(7)
    assert b"\x05" + raw == read(ParameterizedAccess(0x1508, access)).encode()
    assert number_ == 4


def test_a_read_too_long_for_a_meter_without_blocks() -> None:
    without = (
        PROPOSED_SHORT_NAME_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    )
    with pytest.raises(RemoteProtocolError, match="block transfer with get or read"):
        next(get(associated(without, 40), ENERGY, SelectiveAccess(1, TEXT)))


# Read lists


def test_read_a_list() -> None:
    association = associated()
    values, asked = converse(
        get_many(association, [ENERGY, MISSING, POWER]), told(number(7), UNDEFINED)
    )
    assert asked == [read(0x1508, 0x9008)]
    assert values[ENERGY] == number(7)
    for attribute in (MISSING, POWER):
        error = values[attribute]
        assert isinstance(error, ServiceError)
        assert error.result is UNDEFINED
    assert association.memory.refuses_lists is False


def test_read_a_list_of_nothing_the_meter_has() -> None:
    association = associated()
    other = MISSING._replace(attribute_id=3)
    values, asked = converse(get_many(association, [MISSING, other]))
    assert asked == []
    assert all(isinstance(value, ServiceError) for value in values.values())
    assert association.memory.refuses_lists is None


def test_a_list_fills_what_the_meter_takes() -> None:
    """The list of names takes three octets for each: tag, count and ten of them are 32."""
    names = {
        (3, Obis(bytes((1, 0, n, 7, 0, 255)))): ShortName(8 * n, 0) for n in range(25)
    }
    association = associated(max_receive_pdu_size=34, names=names)
    wanted = [AttributeDescriptor(*key, 2) for key in names]
    sizes: list[int] = []

    def meter(request: Apdu) -> Apdu:
        assert len(request.encode()) <= 34
        assert isinstance(request, ReadRequest)
        sizes.append(len(request.variables))
        return told(*[number(7)] * len(request.variables))

    values = drive(get_many(association, wanted), meter)
    assert list(values) == wanted
    assert sizes == [10, 10, 5]


def test_read_a_list_in_blocks() -> None:
    raw = encode_results((TEXT, UNDEFINED))
    values, _ = converse(get_many(associated(), [ENERGY, POWER]), *blocks(raw))
    assert values[ENERGY] == TEXT
    assert isinstance(values[POWER], ServiceError)


@pytest.mark.parametrize(
    "answers",
    [
        [BUSY],
        [DENIED],
        [told(number(7))],
        blocks(encode_results((number(7),))),
        blocks(encode_data(TEXT)),
        [ReadResponse((number(1), DataBlockResult(True, 1, encode_data(number(2)))))],
        [ReadResponse((number(1), BlockArrived(1)))],
    ],
)
def test_a_meter_that_refuses_or_garbles_lists(answers: list[Apdu]) -> None:
    association = associated()
    values, asked = converse(
        get_many(association, [ENERGY, POWER]),
        *answers,
        told(number(1)),
        told(number(2)),
    )
    assert asked[-2:] == [read(0x1508), read(0x9008)]
    assert values == {ENERGY: number(1), POWER: number(2)}
    assert association.memory.refuses_lists


# Write


def test_write() -> None:
    _, asked = converse(
        set_attribute(associated(), ENERGY, number(7)), WriteResponse((OK,))
    )
    assert asked == [WriteRequest((VariableName(0x1508),), (number(7),))]


def test_write_a_part() -> None:
    _, asked = converse(
        set_attribute(associated(), ENERGY, number(7), access=LATEST),
        WriteResponse((OK,)),
    )
    assert asked == [WriteRequest((ParameterizedAccess(0x1508, LATEST),), (number(7),))]


def test_write_unconfirmed() -> None:
    procedure = set_attribute(associated(), ENERGY, number(7), confirmed=False)
    request = next(procedure)
    assert request == UnconfirmedWriteRequest((VariableName(0x1508),), (number(7),))
    with pytest.raises(StopIteration):
        procedure.send(None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (WriteResponse((UNDEFINED,)), ServiceError),
        (BUSY, ServiceError),
        (DENIED, ServiceError),
        (WriteResponse((OK, OK)), RemoteProtocolError),
        (WriteResponse((BlockArrived(1),)), RemoteProtocolError),
        (told(number(7)), RemoteProtocolError),
    ],
)
def test_write_refused_or_garbled(answer: Apdu, error: type[Exception]) -> None:
    with pytest.raises(error):
        converse(set_attribute(associated(), ENERGY, number(7)), answer)


@pytest.mark.parametrize(
    ("missing", "wanted", "confirmed"),
    [
        (Conformance.WRITE, None, True),
        (Conformance.UNCONFIRMED_WRITE, None, False),
        (Conformance.PARAMETERIZED_ACCESS, LATEST, True),
    ],
)
def test_write_what_is_not_offered(
    missing: Conformance, wanted: SelectiveAccess | None, confirmed: bool
) -> None:
    association = associated(PROPOSED_SHORT_NAME_CONFORMANCE & ~missing)
    value = number(7)
    with pytest.raises(RemoteProtocolError, match="does not offer"):
        next(
            set_attribute(
                association, ENERGY, value, access=wanted, confirmed=confirmed
            )
        )


def test_write_in_blocks() -> None:
    procedure = set_attribute(associated(max_receive_pdu_size=40), ENERGY, TEXT)
    request, raw, number_ = next(procedure), b"", 0
    while True:
        assert isinstance(request, WriteRequest)
        assert len(request.encode()) <= 40
        (piece,), (value,) = request.variables, request.values
        assert isinstance(piece, WriteDataBlockAccess)
        assert isinstance(value.value, bytes)
        raw += value.value
        number_ += 1
        assert piece.block_number == number_
        if piece.last_block:
            break
        request = procedure.send(WriteResponse((BlockArrived(number_),)))
    with pytest.raises(StopIteration):
        procedure.send(WriteResponse((OK,)))
    assert b"\x06" + raw == WriteRequest((VariableName(0x1508),), (TEXT,)).encode()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (WriteResponse((DataAccessResult.DATA_BLOCK_UNAVAILABLE,)), ServiceError),
        (BUSY, ServiceError),
        (WriteResponse((BlockArrived(2),)), RemoteProtocolError),
        (WriteResponse((OK,)), RemoteProtocolError),
    ],
)
def test_write_in_blocks_broken_off(answer: Apdu, error: type[Exception]) -> None:
    association = associated(max_receive_pdu_size=40)
    with pytest.raises(error):
        converse(set_attribute(association, ENERGY, TEXT), answer)


def test_a_read_comes_between_an_unconfirmed_write_and_the_next_write() -> None:
    """Whatever it brings, a meter that answers both has answered the first by then."""
    association = associated()
    for told in (
        ReadResponse((number(7),)),
        ReadResponse((DataAccessResult.OBJECT_UNDEFINED,)),
    ):
        unconfirmed = set_attribute(association, ENERGY, number(7), confirmed=False)
        next(unconfirmed)
        with pytest.raises(StopIteration):
            unconfirmed.send(None)
        write = WriteRequest((VariableName(0x1508),), (number(7),))
        _, asked = converse(
            set_attribute(association, ENERGY, number(7)),
            told,
            WriteResponse((OK,)),
        )
        assert asked == [ReadRequest((VariableName(0xFA00),)), write]
        _, asked = converse(
            set_attribute(association, ENERGY, number(7)), WriteResponse((OK,))
        )
        assert asked == [write]


def test_a_write_too_long_for_a_meter_without_blocks() -> None:
    without = (
        PROPOSED_SHORT_NAME_CONFORMANCE & ~Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    )
    with pytest.raises(RemoteProtocolError, match="block transfer with set or write"):
        next(set_attribute(associated(without, 40), ENERGY, TEXT))


def test_an_unconfirmed_write_never_goes_in_blocks() -> None:
    association = associated(max_receive_pdu_size=40)
    request = next(set_attribute(association, ENERGY, TEXT, confirmed=False))
    assert isinstance(request, UnconfirmedWriteRequest)
    with pytest.raises(LocalProtocolError, match="takes 40 at most"):
        association.encode(request)


def test_write_a_list() -> None:
    association = associated()
    results, asked = converse(
        set_many(association, {ENERGY: number(1), MISSING: number(2), POWER: TEXT}),
        WriteResponse((OK, DataAccessResult.READ_WRITE_DENIED)),
    )
    variables = (VariableName(0x1508), VariableName(0x9008))
    assert asked == [WriteRequest(variables, (number(1), TEXT))]
    assert results[ENERGY] is None
    assert isinstance(results[MISSING], ServiceError)
    assert isinstance(results[POWER], ServiceError)


def test_write_what_has_two_names_in_one_list() -> None:
    """The association is asked for by both classes it may have; both are one object to the meter."""
    either = [
        AttributeDescriptor(class_id, OBJECT_LIST.logical_name, attribute_id)
        for class_id, attribute_id in ((15, 10), (12, 5))
    ]
    results, asked = converse(
        set_many(associated(), dict.fromkeys(either, TEXT)),
        WriteResponse((OK, DataAccessResult.READ_WRITE_DENIED)),
    )
    assert asked == [WriteRequest((VariableName(0xFA20),) * 2, (TEXT, TEXT))]
    assert [results[each] is None for each in either] == [True, False]


def test_write_a_list_of_nothing_the_meter_has() -> None:
    other = MISSING._replace(attribute_id=3)
    results, asked = converse(
        set_many(associated(), {MISSING: number(1), other: number(2)})
    )
    assert asked == []
    assert all(isinstance(result, ServiceError) for result in results.values())


def test_write_a_list_to_a_meter_that_refuses_lists() -> None:
    association = associated()
    _, asked = converse(
        set_many(association, {ENERGY: number(1), POWER: number(2)}),
        WriteResponse((OK,)),
        WriteResponse((OK,)),
        WriteResponse((OK,)),
    )
    assert len(asked) == 3
    assert association.memory.refuses_write_lists


# Methods


def test_a_method_is_called_by_read() -> None:
    association = associated()
    returned, asked = converse(invoke(association, RESET, TEXT), told(number(7)))
    assert returned == number(7)
    assert asked == [read(ParameterizedAccess(0x1528, SelectiveAccess(0, TEXT)))]
    assert association.memory.writes_methods is False


def test_a_method_that_needs_and_returns_nothing() -> None:
    returned, asked = converse(invoke(associated(), RELAY), told(NULL))
    assert returned is None
    assert asked == [read(ParameterizedAccess(0x2020, SelectiveAccess(0, ZERO)))]


@pytest.mark.parametrize(
    "answer",
    [told(UNDEFINED), told(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED), BUSY, DENIED],
)
def test_a_method_is_called_by_write_where_read_is_unknown(answer: Apdu) -> None:
    """Implementations differ: Gurux calls by Write, jDLMS by Read."""
    association = associated()
    returned, asked = converse(invoke(association, RELAY), answer, WriteResponse((OK,)))
    assert returned is None
    assert asked[-1] == WriteRequest((VariableName(0x2020),), (ZERO,))
    assert association.memory.writes_methods
    _, asked = converse(invoke(association, RELAY), WriteResponse((OK,)))
    assert asked == [WriteRequest((VariableName(0x2020),), (ZERO,))]


def test_a_method_is_called_by_write_where_parameters_are_not_offered() -> None:
    without = PROPOSED_SHORT_NAME_CONFORMANCE & ~Conformance.PARAMETERIZED_ACCESS
    _, asked = converse(invoke(associated(without), RELAY), WriteResponse((OK,)))
    assert isinstance(asked[0], WriteRequest)


def test_a_method_that_fails_is_not_called_twice() -> None:
    failed = told(DataAccessResult.HARDWARE_FAULT)
    with pytest.raises(ServiceError, match="hardware fault"):
        converse(invoke(associated(), RELAY), failed)


def test_a_meter_known_to_call_by_read_is_believed() -> None:
    association = associated()
    association.memory.writes_methods = False
    with pytest.raises(ServiceError, match="object undefined"):
        converse(invoke(association, RELAY), told(UNDEFINED))


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(WriteResponse((UNDEFINED,)), "object undefined"), (WriteResponse(()), "other")],
)
def test_a_method_refused_both_ways(answer: Apdu, reason: str) -> None:
    association = associated()
    with pytest.raises(ServiceError, match=reason):
        converse(invoke(association, RELAY), told(UNDEFINED), answer)
    assert association.memory.writes_methods is None


def test_a_method_unconfirmed() -> None:
    procedure = invoke(associated(), RELAY, confirmed=False)
    request = next(procedure)
    assert request == UnconfirmedWriteRequest((VariableName(0x2020),), (ZERO,))
    with pytest.raises(StopIteration):
        procedure.send(None)


def test_a_method_of_an_object_to_be_looked_up() -> None:
    association = stranger()
    _, asked = converse(invoke(association, RELAY), told(object_list()), told(NULL))
    assert asked[0] == read(0xFA08)
    with pytest.raises(ServiceError, match="object undefined"):
        next(invoke(association, MethodDescriptor(70, MISSING.logical_name, 1)))


def test_methods_are_called_one_by_one() -> None:
    returned, asked = converse(
        invoke_many(associated(), [(RELAY, None), (RESET, None)]),
        told(NULL),
        told(DataAccessResult.HARDWARE_FAULT),
    )
    assert len(asked) == 2
    nothing, error = returned
    assert nothing is None
    assert isinstance(error, ServiceError)


def test_access_is_for_logical_names() -> None:
    with pytest.raises(RemoteProtocolError, match="does not offer this client: access"):
        next(access(associated(), []))


def test_blocks_that_make_no_value() -> None:
    with pytest.raises(DecodeError):
        converse(get(associated(), ENERGY), *blocks(b"\x01\x00\xfe\xfd"))
