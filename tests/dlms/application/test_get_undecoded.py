"""Long values are handed out as they came in blocks: whoever asked decides how to decode them."""

import pytest

from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.association import Association
from custom_components.dlms_meter.dlms.application.association_settings import (
    AssociationSettings,
)
from custom_components.dlms_meter.dlms.application.enums import (
    ApplicationContext,
    DataAccessResult,
)
from custom_components.dlms_meter.dlms.application.get import GetResponseWithDatablock
from custom_components.dlms_meter.dlms.application.procedures import get, get_undecoded
from custom_components.dlms_meter.dlms.application.short_name import (
    DataBlockResult,
    ReadResponse,
)
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType, encode_data
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectiveAccess
from custom_components.dlms_meter.dlms.cosem.meter_memory import MeterMemory, ShortName
from custom_components.dlms_meter.dlms.errors import ServiceError

from .conversation import (
    ENERGY,
    EVERYTHING,
    FIRST,
    associated,
    converse,
    granted,
    normal,
    number,
)

VALUE = Data(DataType.ARRAY, (number(1), number(2), number(3)))
OCTETS = encode_data(VALUE)
EMPTY = Data(DataType.ARRAY, ())
ACCESS = SelectiveAccess(2, number(1))


def by_short_names() -> Association:
    settings = AssociationSettings(context=ApplicationContext.SHORT_NAME)
    names = {ENERGY[:2]: ShortName(0x1000, 0)}
    association = Association(settings, memory=MeterMemory(short_names=names))
    association.request()
    association.establish(granted(EVERYTHING, context=ApplicationContext.SHORT_NAME))
    return association


def get_blocks(octets: bytes) -> list[Apdu]:
    parts = [octets[:5], octets[5:]]
    return [
        GetResponseWithDatablock(FIRST, number == 2, number, part)
        for number, part in enumerate(parts, 1)
    ]


def read_blocks(octets: bytes) -> list[Apdu]:
    parts = [octets[:5], octets[5:]]
    return [
        ReadResponse((DataBlockResult(number == 2, number, part),))
        for number, part in enumerate(parts, 1)
    ]


def test_by_logical_name() -> None:
    result, _ = converse(get_undecoded(associated(), ENERGY), *get_blocks(OCTETS))
    assert result == OCTETS
    whole, _ = converse(get(associated(), ENERGY), *get_blocks(OCTETS))
    assert whole == VALUE


def test_what_came_at_once_is_decoded_already() -> None:
    result, _ = converse(get_undecoded(associated(), ENERGY, ACCESS), normal(VALUE))
    assert result == VALUE


def test_an_empty_block_is_null() -> None:
    block = GetResponseWithDatablock(FIRST, False, 1, b"")
    result, _ = converse(get_undecoded(associated(), ENERGY), block)
    assert result == b"\0"


@pytest.mark.parametrize("value", [VALUE, EMPTY, number(7)])
@pytest.mark.parametrize("head", [b"\1\0", b""], ids=["list of one", "bare"])
def test_by_short_name(value: Data, head: bytes) -> None:
    """Some meters send the value alone, without the list of results around it."""
    blocks = read_blocks(head + encode_data(value))
    result, _ = converse(get_undecoded(by_short_names(), ENERGY), *blocks)
    assert result == encode_data(value)
    whole, _ = converse(get(by_short_names(), ENERGY), *blocks)
    assert whole == value


def test_an_error_in_blocks() -> None:
    blocks = read_blocks(b"\1\1\4")
    with pytest.raises(ServiceError) as caught:
        converse(get_undecoded(by_short_names(), ENERGY), *blocks)
    assert caught.value.result is DataAccessResult.OBJECT_UNDEFINED


def test_at_once_by_short_name() -> None:
    result, _ = converse(
        get_undecoded(by_short_names(), ENERGY, ACCESS), ReadResponse((VALUE,))
    )
    assert result == VALUE
