"""Invoke-id-and-priority, attribute descriptors, access selection."""

import pytest

from custom_components.dlms_meter.dlms.application.fields import (
    InvokeIdAndPriority,
    LongInvokeIdAndPriority,
    encode_attribute,
    encode_method,
    encode_selected_attribute,
    read_selected_attribute,
)
from custom_components.dlms_meter.dlms.codec.axdr import Data, DataType
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
    SelectedAttribute,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from tests.harness import check_codec

ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
LATEST = SelectiveAccess(2, Data(DataType.DOUBLE_LONG_UNSIGNED, 1))


def decode(octets: bytes) -> SelectedAttribute:
    reader = Reader(octets)
    selected = read_selected_attribute(reader)
    reader.finish("the attribute")
    return selected


@pytest.mark.parametrize(
    ("octet", "invoke_id", "confirmed", "high_priority"),
    [
        (0xC1, 1, True, True),
        (0x41, 1, True, False),
        (0x8F, 15, False, True),
        (0x00, 0, False, False),
    ],
)
def test_invoke(
    octet: int, invoke_id: int, confirmed: bool, high_priority: bool
) -> None:
    invoke = InvokeIdAndPriority.of(
        invoke_id, confirmed=confirmed, high_priority=high_priority
    )
    assert invoke == octet
    assert (invoke.invoke_id, invoke.confirmed, invoke.high_priority) == (
        invoke_id,
        confirmed,
        high_priority,
    )


def test_invoke_ids_start_again_after_15() -> None:
    assert InvokeIdAndPriority.of(16) == 0xC0


def test_an_answer_need_not_repeat_the_flags() -> None:
    # Mercury and Kaifa meters do not.
    assert InvokeIdAndPriority(0x01).answers(0xC1)
    assert not InvokeIdAndPriority(0xC2).answers(0xC1)


@pytest.mark.parametrize(
    ("selected", "octets"),
    [
        (SelectedAttribute(ENERGY), "0003 0100010800ff 02 00"),
        (SelectedAttribute(ENERGY, LATEST), "0003 0100010800ff 02 01 02 0600000001"),
    ],
)
def test_selected_attribute(selected: SelectedAttribute, octets: str) -> None:
    check_codec(selected, bytes.fromhex(octets), decode, encode_selected_attribute)


def test_access_selection_is_there_or_not() -> None:
    with pytest.raises(
        DecodeError, match="access selection: 00 or 01 expected, 02 found"
    ):
        decode(bytes.fromhex("0003 0100010800ff 02 02"))


@pytest.mark.parametrize(
    ("attribute_id", "octet"), [(-1, 0xFF), (-128, 0x80), (127, 0x7F), (255, 0xFF)]
)
def test_numbers_of_the_manufacturer_are_negative(
    attribute_id: int, octet: int
) -> None:
    """The number is a signed octet."""
    sent = encode_attribute(ENERGY._replace(attribute_id=attribute_id))
    assert sent[-1] == octet
    assert sent[:-1] == encode_attribute(ENERGY)[:-1]


@pytest.mark.parametrize(
    ("class_id", "attribute_id"), [(0x10000, 2), (-1, 2), (3, 256), (3, -129)]
)
def test_an_attribute_out_of_range_is_not_sent(
    class_id: int, attribute_id: int
) -> None:
    attribute = AttributeDescriptor(class_id, ENERGY.logical_name, attribute_id)
    with pytest.raises(LocalProtocolError, match="out of range"):
        encode_attribute(attribute)


@pytest.mark.parametrize("selector", [-1, 256])
def test_a_selector_out_of_range_is_not_sent(selector: int) -> None:
    with pytest.raises(LocalProtocolError, match="out of range"):
        encode_selected_attribute(
            SelectedAttribute(ENERGY, LATEST._replace(selector=selector))
        )


@pytest.mark.parametrize(
    ("octets", "flags"),
    [
        (0x00000102, set()),
        (0x20000102, {"break_on_error"}),
        (0x40000102, {"confirmed"}),
        (0x80000102, {"high_priority"}),
        (0xE0000102, {"confirmed", "high_priority", "break_on_error"}),
    ],
)
def test_long_invoke(octets: int, flags: set[str]) -> None:
    names = ("confirmed", "high_priority", "break_on_error")
    wanted = {name: name in flags for name in names}
    invoke = LongInvokeIdAndPriority.of(0x102, **wanted)
    assert invoke == octets
    assert invoke.invoke_id == 0x102
    assert {name: getattr(invoke, name) for name in names} == wanted


def test_long_invoke_ids_start_again_after_24_bits() -> None:
    assert LongInvokeIdAndPriority.of(1 << 24).invoke_id == 0


def test_an_answer_need_not_repeat_the_flags_of_a_long_invoke_id() -> None:
    request = LongInvokeIdAndPriority.of(7)
    assert LongInvokeIdAndPriority(7).answers(request)
    assert not LongInvokeIdAndPriority(8).answers(request)


@pytest.mark.parametrize(("class_id", "method_id"), [(1 << 16, 1), (70, 256), (-1, 1)])
def test_a_method_out_of_range(class_id: int, method_id: int) -> None:
    method = MethodDescriptor(class_id, Obis.parse("0-0:96.3.10"), method_id)
    with pytest.raises(LocalProtocolError, match="is not a method"):
        encode_method(method)
