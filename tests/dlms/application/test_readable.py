"""APDUs as the log has them."""

import pytest

from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetRequestWithList,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from custom_components.dlms_meter.dlms.application.readable import readable
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
    ],
)
def test_on_one_line(apdu: Apdu, text: str) -> None:
    assert readable(apdu) == text
