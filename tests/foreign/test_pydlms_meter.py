"""Our client reads a meter nobody here wrote, and finds what that meter's own client finds."""

from datetime import UTC
from decimal import Decimal

import pytest

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    AuthenticationFailed,
    ClientSettings,
    Data,
    DlmsClient,
    DlmsDateTime,
    Framing,
    Mechanism,
    Obis,
    Quantity,
    ScalerUnit,
    TcpEndpoint,
)

from .pydlms_meter import (
    LLS_CLIENT,
    LLS_PASSWORD,
    PUBLIC_CLIENT,
    PydlmsMeter,
    pydlms_meter,
)
from .readers import Order, Report, read_with

__all__ = ["pydlms_meter"]  # a fixture of this module

LOAD_PROFILE = "1.0.99.1.0.255"


def settings_for(meter: PydlmsMeter, password: bytes | None) -> ClientSettings:
    return ClientSettings(
        endpoint=TcpEndpoint("127.0.0.1", meter.port),
        framing=Framing(meter.framing),
        client_sap=PUBLIC_CLIENT if password is None else LLS_CLIENT,
        mechanism=Mechanism.NONE if password is None else Mechanism.LLS,
        password=password or b"",
    )


async def ask_its_own_client(meter: PydlmsMeter, password: bytes | None) -> Report:
    order = Order(
        framing=meter.framing,
        port=meter.port,
        client=PUBLIC_CLIENT if password is None else LLS_CLIENT,
        password=password.decode() if password else None,
        profile=LOAD_PROFILE,
        since=None,
        until=None,
        first=1,
        count=0,
    )
    return await read_with("pydlms", order)


def dotted(code: Obis) -> str:
    return ".".join(map(str, code))


def attribute(class_id: int, code: str) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse(code), 2)


def utc(value: object) -> str:
    assert isinstance(value, DlmsDateTime)
    moment = value.as_utc()
    assert moment is not None
    return moment.astimezone(UTC).isoformat()


def rows_of(buffer: Data) -> list[list[object]]:
    """Return the rows of a profile whose first column is the clock."""
    rows: list[list[object]] = []
    assert isinstance(buffer.value, tuple)
    for row in buffer.value:
        assert isinstance(row, Data)
        assert isinstance(row.value, tuple)
        clock, *others = [cell.value for cell in row.value if isinstance(cell, Data)]
        assert isinstance(clock, bytes)
        rows.append([utc(DlmsDateTime.decode(clock)), *others])
    return rows


@pytest.mark.parametrize("password", [None, LLS_PASSWORD], ids=["none", "lls"])
async def test_our_client_finds_what_its_own_client_finds(
    pydlms_meter: PydlmsMeter,
    password: bytes | None,
) -> None:
    """Object list, every register with scaler and unit, clock, name, a profile of 96 rows in blocks."""
    expected = await ask_its_own_client(pydlms_meter, password)
    clock, name = attribute(8, "0.0.1.0.0.255"), attribute(1, "0.0.42.0.0.255")
    registers = {attribute(3, code): code for code in expected["registers"]}
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = {}
    async with DlmsClient(settings_for(pydlms_meter, password)) as client:
        objects = await client.objects()
        report = await client.read([*registers, clock, name], scaler_units)
        identity = await client.identity()
        buffer = await client.get(attribute(7, LOAD_PROFILE))

    assert [
        (item.class_id, dotted(item.logical_name), item.version) for item in objects
    ] == [tuple(item) for item in expected["objects"]]
    assert not report.failed
    assert len(registers) == len(scaler_units) == 5
    for descriptor, code in registers.items():
        found = report.values[descriptor]
        value, unit = expected["registers"][code]
        assert isinstance(found, Quantity)
        assert isinstance(found.value, Decimal)
        assert float(found.value) == pytest.approx(float(value), rel=1e-12), code
        assert found.unit == unit, code
    assert utc(report.values[clock]) == expected["clock"]
    assert identity.logical_device_name == expected["name"]
    assert rows_of(buffer) == expected["rows"]
    assert len(expected["rows"]) == 96


async def test_wrong_password_is_the_meters_word(
    pydlms_meter: PydlmsMeter,
) -> None:
    """The session ends politely: the meter takes the next client at once."""
    with pytest.raises(AuthenticationFailed):
        async with DlmsClient(settings_for(pydlms_meter, b"87654321")):
            pytest.fail("the meter took a wrong password")
    async with DlmsClient(settings_for(pydlms_meter, LLS_PASSWORD)) as client:
        assert (await client.identity()).logical_device_name == "PYD1000000000001"
