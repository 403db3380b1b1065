"""Answers of many octets stay undecoded until a procedure reads them in slices, so that nothing holds the event loop up."""

import pytest

from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.get import (
    GetResponseWithList,
    GetResult,
    encode_result,
)
from custom_components.dlms_meter.dlms.application.procedures import get, get_many
from custom_components.dlms_meter.dlms.application.short_name import ReadResponse
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType, encode_data
from custom_components.dlms_meter.dlms.codec.slices import OCTETS_AT_ONCE

from .conversation import ENERGY, FIRST, associated, converse, number, registers
from .test_get_undecoded import by_short_names

TEXT = Data(DataType.OCTET_STRING, bytes(1000))


def test_list_by_logical_names() -> None:
    results: tuple[GetResult, ...] = (TEXT,) * 6
    octets = GetResponseWithList(FIRST, results).encode()
    assert len(octets) > OCTETS_AT_ONCE
    answer = decode_apdu(octets)
    assert isinstance(answer, GetResponseWithList)
    assert isinstance(answer.results, bytes)
    assert answer.encode() == octets
    asked = registers(6)
    values, _ = converse(get_many(associated(), asked), answer)
    assert values == dict.fromkeys(asked, TEXT)


def test_list_of_many_items_by_logical_names() -> None:
    results = tuple(number(value) for value in range(900))
    octets = GetResponseWithList(FIRST, results).encode()
    answer = decode_apdu(octets)
    assert isinstance(answer, GetResponseWithList)
    assert isinstance(answer.results, bytes)


def test_list_by_short_names() -> None:
    octets = ReadResponse((TEXT,) * 6).encode()
    answer = decode_apdu(octets)
    assert isinstance(answer, ReadResponse)
    assert isinstance(answer.results, bytes)
    assert answer.encode() == octets


def test_one_value_by_short_name() -> None:
    value = Data(DataType.ARRAY, (TEXT,) * 60)
    answer = decode_apdu(ReadResponse((value,)).encode())
    result, _ = converse(get(by_short_names(), ENERGY), answer)
    assert result == value


@pytest.mark.parametrize("value", [TEXT, number(7)])
def test_value_left_as_it_was_sent(value: Data) -> None:
    assert encode_result(encode_data(value)) == encode_result(value)
