"""What our client asks of the simulator of pydlms-client, service by service, and what must come of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from custom_components.dlms_meter.dlms import (
    AccessItem,
    ActionResult,
    AttributeDescriptor,
    Data,
    DataAccessResult,
    DataNotification,
    DataType,
    DlmsClient,
    EntryRange,
    EventNotification,
    InformationReport,
    LastEntries,
    MethodDescriptor,
    Notification,
    Obis,
    Selection,
    ServiceError,
    TimeRange,
    WholeBuffer,
)
from custom_components.dlms_meter.dlms.application.fields import LongInvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.short_name import VariableName


def attribute(class_id: int, code: str, number: int = 2) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse(code), number)


ENERGY = attribute(3, "1-0:1.8.0")
REGISTERS = {
    ENERGY: 12345678,
    attribute(3, "1-0:2.8.0"): 4321,
    attribute(3, "1-0:1.7.0"): 1520,
    attribute(3, "1-0:32.7.0"): 2301,
}
UNKNOWN = attribute(3, "1-0:99.8.0")
PROFILE = attribute(7, "1-0:99.1.0")
MESSAGE = attribute(1, "0-0:96.13.0")
OUTPUT = attribute(70, "0-0:96.3.10")
DISCONNECT = MethodDescriptor(70, OUTPUT.logical_name, 1)
ECHO = MethodDescriptor(70, OUTPUT.logical_name, 2)
PUSH = MethodDescriptor(40, Obis.parse("0-0:25.9.0"), 1)

ON = Data(DataType.BOOLEAN, True)
NULL = Data(DataType.NULL_DATA, None)
EMPTY = Data(DataType.OCTET_STRING, b"")
SHORT = Data(DataType.OCTET_STRING, b"hello")
LONG = Data(DataType.OCTET_STRING, bytes(range(256)) * 12)
"""Longer than the 1024 octets of an APDU that the meter takes."""
ROWS = 96
DAY = datetime(2024, 5, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
NOW = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)


async def get(client: DlmsClient) -> None:
    assert (await client.get(ENERGY)).value == REGISTERS[ENERGY]
    with pytest.raises(ServiceError):
        await client.get(UNKNOWN)


async def get_list(client: DlmsClient) -> None:
    answers = await client.get_many([*REGISTERS, UNKNOWN])
    error = answers.pop(UNKNOWN)
    assert isinstance(error, ServiceError)
    assert error.result is DataAccessResult.OBJECT_UNDEFINED
    assert [data.value for data in answers.values() if isinstance(data, Data)] == [
        *REGISTERS.values()
    ]
    assert client.memory.refuses_lists is False


async def get_long(client: DlmsClient) -> None:
    buffer = await client.get(PROFILE)
    assert isinstance(buffer.value, tuple)
    assert len(buffer.value) == ROWS


async def get_long_list(client: DlmsClient) -> None:
    answers = await client.get_many([PROFILE, ENERGY])
    buffer, energy = answers.values()
    assert isinstance(buffer, Data)
    assert isinstance(energy, Data)
    assert isinstance(buffer.value, tuple)
    assert (len(buffer.value), energy.value) == (ROWS, REGISTERS[ENERGY])
    assert client.memory.refuses_lists is False


async def attribute_0(client: DlmsClient) -> None:
    whole = await client.get(ENERGY._replace(attribute_id=0))
    assert isinstance(whole.value, tuple)


async def set_(client: DlmsClient) -> None:
    for value in (SHORT, EMPTY):
        await client.set(MESSAGE, value)
        assert await client.get(MESSAGE) == value
    with pytest.raises(ServiceError):
        await client.set(UNKNOWN, SHORT)


async def set_list(client: DlmsClient) -> None:
    results = await client.set_many({MESSAGE: SHORT, UNKNOWN: SHORT, OUTPUT: ON})
    refused = results.pop(UNKNOWN)
    assert isinstance(refused, ServiceError)
    assert [*results.values()] == [None, None]
    assert await client.get(OUTPUT) == ON
    assert client.memory.refuses_write_lists is False


async def set_long(client: DlmsClient) -> None:
    await client.set(MESSAGE, LONG)
    assert await client.get(MESSAGE) == LONG


async def set_long_list(client: DlmsClient) -> None:
    results = await client.set_many({OUTPUT: ON, MESSAGE: LONG})
    assert [*results.values()] == [None, None]
    assert await client.get(MESSAGE) == LONG


async def set_unconfirmed(client: DlmsClient) -> None:
    await client.set(MESSAGE, SHORT, confirmed=False)
    assert await client.get(MESSAGE) == SHORT


async def action(client: DlmsClient) -> None:
    await client.set(OUTPUT, ON)
    assert await client.invoke(DISCONNECT) is None
    assert (await client.get(OUTPUT)).value is False
    assert await client.invoke(ECHO, SHORT) == SHORT
    with pytest.raises(ServiceError):
        await client.invoke(DISCONNECT._replace(method_id=3))


async def action_list(client: DlmsClient) -> None:
    unknown = DISCONNECT._replace(method_id=3)
    calls = [(ECHO, SHORT), (unknown, None), (DISCONNECT, None), (ECHO, ON)]
    first, refused, *others = await client.invoke_many(calls)
    assert (first, *others) == (SHORT, None, ON)
    assert isinstance(refused, ServiceError)


async def action_long(client: DlmsClient) -> None:
    """Parameters in blocks."""
    await client.set(OUTPUT, ON)
    assert await client.invoke(DISCONNECT, LONG) is None
    assert (await client.get(OUTPUT)).value is False


async def action_long_list(client: DlmsClient) -> None:
    returned = await client.invoke_many([(ECHO, SHORT), (DISCONNECT, LONG)])
    assert returned == (SHORT, None)


async def action_long_return(client: DlmsClient) -> None:
    """Parameters in blocks, and what is returned in blocks."""
    assert await client.invoke(ECHO, LONG) == LONG


async def access(client: DlmsClient) -> None:
    items = [
        AccessItem.get(ENERGY),
        AccessItem.set(MESSAGE, SHORT),
        AccessItem.action(ECHO, ON),
        AccessItem.get(UNKNOWN),
        AccessItem.get(MESSAGE),
    ]
    done, unknown = DataAccessResult.SUCCESS, DataAccessResult.OBJECT_UNDEFINED
    results = [done, done, ActionResult.SUCCESS, unknown]
    outcomes = await client.access(items)
    assert [outcome.result for outcome in outcomes] == [*results, done]
    assert outcomes[0].value.value == REGISTERS[ENERGY]
    assert outcomes[2].value == ON
    assert outcomes[4].value == SHORT
    outcomes = await client.access(items, break_on_error=True)
    assert [outcome.result for outcome in outcomes] == [
        *results,
        DataAccessResult.OTHER_REASON,
    ]
    assert outcomes[4].value == NULL


async def access_unconfirmed(client: DlmsClient) -> None:
    assert await client.access([AccessItem.set(OUTPUT, ON)], confirmed=False) == ()
    assert await client.get(OUTPUT) == ON


async def rows(client: DlmsClient, selection: Selection, numbers: range) -> None:
    found = await client.read_profile(PROFILE.logical_name, selection, {}, now=NOW)
    assert [*found.moments] == [DAY + number * QUARTER for number in numbers]
    assert [row.values[1] for row in found] == [1000 + 7 * n for n in numbers]


async def profile_range(client: DlmsClient) -> None:
    selection = TimeRange(DAY + 20 * QUARTER, DAY + 30 * QUARTER)
    await rows(client, selection, range(20, 31))


async def profile_since(client: DlmsClient) -> None:
    await rows(client, TimeRange(DAY + 90 * QUARTER), range(90, ROWS))


async def profile_entries(client: DlmsClient) -> None:
    await rows(client, EntryRange(5, 9), range(4, 9))


async def profile_last(client: DlmsClient) -> None:
    await rows(client, LastEntries(4), range(92, ROWS))


async def profile_whole(client: DlmsClient) -> None:
    await rows(client, WholeBuffer(), range(ROWS))


OPERATIONS: dict[str, Callable[[DlmsClient], Awaitable[None]]] = {
    "get": get,
    "list": get_list,
    "long": get_long,
    "long list": get_long_list,
    "attribute 0": attribute_0,
    "set": set_,
    "set list": set_list,
    "set long": set_long,
    "set long list": set_long_list,
    "set unconfirmed": set_unconfirmed,
    "action": action,
    "action list": action_list,
    "action long": action_long,
    "action long list": action_long_list,
    "long return": action_long_return,
    "access": access,
    "access unconfirmed": access_unconfirmed,
    "range": profile_range,
    "since": profile_since,
    "entries": profile_entries,
    "last": profile_last,
    "whole": profile_whole,
}
"""What can be asked of any meter; by short names all but attribute 0 and ACCESS, which are not made for them."""

PUSHED: list[Notification] = [
    DataNotification(LongInvokeIdAndPriority(7), b"", SHORT),
    EventNotification(None, ENERGY, SHORT),
    InformationReport(None, (VariableName(0x7008),), (SHORT,)),
]


async def be_notified(
    client: DlmsClient, heard: list[Notification], *, ciphered: bool
) -> None:
    """Have the meter notify us before its answers, by HDLC in UI frames and in I frames."""
    for frame in ("ui", "i"):
        heard.clear()
        for notification in PUSHED:
            said = (
                Data(DataType.VISIBLE_STRING, frame),
                Data(DataType.BOOLEAN, ciphered),
                Data(DataType.OCTET_STRING, notification.encode()),
            )
            assert await client.invoke(PUSH, Data(DataType.STRUCTURE, said)) is None
            assert (await client.get(ENERGY)).value == REGISTERS[ENERGY]
        assert heard == PUSHED
