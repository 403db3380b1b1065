"""Compact data, read with what was captured in it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.codec.axdr import decode_data
from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.cosem.clock import DeviationRule, MeterClock
from custom_components.dlms_meter.dlms.cosem.compact_reading import read_compact_data
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from custom_components.dlms_meter.dlms.cosem.meter_memory import MeterMemory
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.profile import ProfileRows
from custom_components.dlms_meter.dlms.cosem.profile_buffer import Pause, ReadMany
from custom_components.dlms_meter.dlms.cosem.values import ScalerUnit
from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    DlmsError,
    ServiceError,
)

NAME = Obis.parse("0-0:66.0.0")
VOLTAGE = Obis.parse("1-0:32.7.0")
REFUSED = ServiceError("refused", DataAccessResult.READ_WRITE_DENIED)
STAMP = "07ea0c01020a000000ffc400"
CLOCK_AND_VOLTAGE = "0102 0204 120008 09060000010000ff 0f02 120000 0204 120003 09060100200700ff 0f02 120000"
ANSWERS: dict[int, str | DlmsError] = {
    2: f"090f 0c {STAMP} 0903",
    3: CLOCK_AND_VOLTAGE,
    5: "0904 0202 0912",
}
"""Buffer, captured objects, and the template: a structure of octets and a number of two octets."""


def read(
    answers: Mapping[int, str | DlmsError],
    scaler_units: dict[AttributeDescriptor, ScalerUnit],
    scaler: str = "02020fff1623",
    clock: MeterClock | None = None,
) -> ProfileRows:
    """Answer what is asked."""
    reading = read_compact_data(NAME, MeterMemory(clock=clock), scaler_units)
    answer: Mapping[AttributeDescriptor, Data | DlmsError] | None = None
    try:
        while True:
            asked = reading.send(answer)
            if isinstance(asked, Pause):
                answer = None
                continue
            assert isinstance(asked, ReadMany)
            answer = {
                each: told
                if isinstance(
                    told := answers[each.attribute_id]
                    if each.logical_name == NAME
                    else scaler,
                    DlmsError,
                )
                else decode_data(bytes.fromhex(told))
                for each in asked.attributes
            }
    except StopIteration as done:
        rows: ProfileRows = done.value
        return rows


def test_one_row() -> None:
    """Its time is that of the clock captured, its numbers have their unit."""
    learned: dict[AttributeDescriptor, ScalerUnit] = {}
    rows = read(ANSWERS, learned)
    assert learned == {AttributeDescriptor(3, VOLTAGE, 3): ScalerUnit(-1, 35)}
    [row] = rows
    assert row.moment == datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
    assert row.values[1] == Decimal("230.7")
    assert [column.symbol for column in rows.columns] == ["", "V"]


def test_time_is_told_as_the_clock_of_the_meter_is_known_to() -> None:
    [row] = read(ANSWERS, {}, clock=MeterClock(deviation=DeviationRule.REVERSED))
    assert row.moment == datetime(2026, 12, 1, 11, 0, tzinfo=UTC)


def test_without_clock() -> None:
    voltage = {
        2: "0902 0903",
        3: "0101 0204 120003 09060100200700ff 0f02 120000",
        5: "0901 12",
    }
    [row] = read(voltage, {})
    assert row == (None, (Decimal("230.7"),))


@pytest.mark.parametrize("number", ANSWERS)
def test_refused(number: int) -> None:
    with pytest.raises(ServiceError):
        read({**ANSWERS, number: REFUSED}, {})


@pytest.mark.parametrize(
    "spoilt",
    [
        {2: "06 00000000"},
        {2: "0901 00"},
        {3: "0100"},
        {3: "00"},
        {5: "00"},
        {5: "0901 12"},
        {5: "0903 020209"},
    ],
)
def test_what_does_not_fit(spoilt: dict[int, str]) -> None:
    with pytest.raises(DecodeError):
        read({**ANSWERS, **spoilt}, {})
