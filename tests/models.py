"""Object tables of meters unlike the simulated household meter, to see what Home Assistant makes of them."""

from collections.abc import Sequence

from custom_components.dlms_meter.dlms import Data, Obis, Unit
from tests.simulator.controls import _writable
from tests.simulator.household import (
    HOUSEHOLD_METER,
    association,
    clock,
    data,
    sap_assignment,
)
from tests.simulator.objects import (
    MeterObject,
    array,
    boolean,
    cosem_object,
    enum,
    int8,
    int16,
    int32,
    octets,
    scaler_unit,
    structure,
    text,
    uint8,
    uint16,
    uint32,
)

MOMENT_OCTETS = bytes.fromhex("07EA0B0A020F1E0000FFC400")
MOMENT = octets(MOMENT_OCTETS)
"""10 November 2026, 15:30 in Central Europe."""


def register(code: str, value: int, scaler: int, unit: int) -> MeterObject:
    return cosem_object(3, code, uint32(value), scaler_unit(scaler, unit), methods=1)


def extended(
    code: str, value: int, scaler: int, unit: int, status: Data
) -> MeterObject:
    unit_of = scaler_unit(scaler, unit)
    return cosem_object(4, code, uint32(value), unit_of, status, MOMENT, methods=1)


def demand(code: str, current: int, last: int, unit: int) -> MeterObject:
    return cosem_object(
        5,
        code,
        uint32(current),
        uint32(last),
        scaler_unit(0, unit),
        uint8(0),
        MOMENT,
        MOMENT,
        uint32(900),
        uint16(1),
        methods=2,
    )


def disconnector(code: str, *, connected: bool, state: int) -> MeterObject:
    return cosem_object(70, code, boolean(connected), enum(state), enum(2), methods=2)


POWER = "1-0:1.7.0"
WATCHED = structure(uint16(3), octets(Obis.parse(POWER)), int8(2))
"""What a limiter compares with its limits: the power drawn."""


def limiter(watched: Data = WATCHED) -> MeterObject:
    nothing = structure(octets(bytes(6)), uint16(0))
    return cosem_object(
        71,
        "0-0:17.0.0",
        watched,
        uint32(0),
        uint32(5000),
        uint32(1500),
        uint32(60),
        uint32(30),
        structure(uint16(0), octets(bytes(12)), uint32(0)),
        array(()),
        boolean(False),
        structure(nothing, nothing),
    )


def mbus_client(
    channel: int, number: int, maker: int, medium: int, alarm: int = 0
) -> MeterObject:
    """An M-Bus client: version 1 of class 72."""
    return cosem_object(
        72,
        f"0-{channel}:24.1.0",
        octets(bytes.fromhex("0000180600FF")),
        array(()),
        uint32(3600),
        uint8(channel),
        uint32(number),
        uint16(maker),
        uint8(1),
        uint8(medium),
        uint8(0),
        uint8(0),
        uint8(alarm),
        uint16(0),
        enum(0),
        version=1,
        methods=8,
    )


def compact_data() -> MeterObject:
    """Compact data of the clock, the energy drawn and the power factor."""
    captured = ((8, "0-0:1.0.0", 2), (3, "1-0:1.8.0", 2), (3, "1-0:13.7.0", 2))
    return cosem_object(
        62,
        "0-0:66.0.0",
        octets(bytes((12, *MOMENT_OCTETS, 0, 0, 0, 7, 0xFC, 0x2A))),
        array(
            [
                structure(
                    uint16(class_id), octets(Obis.parse(code)), int8(number), uint16(0)
                )
                for class_id, code, number in captured
            ]
        ),
        uint8(1),
        octets(bytes.fromhex("0203090610")),
        enum(1),
        version=1,
    )


def identity(model: str, firmware: str) -> tuple[MeterObject, ...]:
    return (
        association(),
        sap_assignment(),
        data("0-0:42.0.0", lambda query: octets(query.settings.logical_device_name)),
        data("0-0:96.1.0", lambda query: octets(query.settings.serial_number.encode())),
        data("0-0:96.1.7", octets(model.encode())),
        data("1-0:0.2.0", octets(firmware.encode())),
        clock(),
    )


PREPAID: Sequence[MeterObject] = (
    *identity("P1", "1.0"),
    register("1-0:1.8.0", 4_500_120, 0, Unit.WATT_HOUR),
    register("1-0:1.7.0", 412, 0, Unit.WATT),
    register("1-0:12.7.0", 2304, -1, Unit.VOLT),
    register("1-0:11.7.0", 181, -2, Unit.AMPERE),
    _writable(disconnector("0-0:96.3.10", connected=False, state=2), 4),
    _writable(limiter(), 4, 5, 6, 7),
    cosem_object(
        111, "0-0:19.0.0", structure(enum(1), enum(2)), uint8(1), uint8(0), int32(1250), int32(0), methods=3,
    ),
    cosem_object(112, "0-0:19.10.0", int32(1250), enum(0), uint8(1), int32(200), int32(0), methods=3),
    data("0-0:97.97.0", uint16(0x0102)),
    data("0-0:97.98.0", uint32(0)),
)  # fmt: skip

SUB_METERS: Sequence[MeterObject] = (
    *identity("D4", "5.2"),
    register("1-0:1.8.0", 7_654_321, 0, Unit.WATT_HOUR),
    mbus_client(1, 0x12345678, 0x2324, 3),  # IYD
    extended("0-1:24.2.1", 1_234_567, -3, Unit.CUBIC_METRE, uint8(0)),
    _writable(disconnector("0-1:24.4.0", connected=True, state=1), 4),
    mbus_client(2, 0x87654321, 0x11A5, 7, alarm=4),  # DME
    extended("0-2:24.2.1", 98_765, -3, Unit.CUBIC_METRE, uint8(0)),
    mbus_client(3, 33_445_566, 0x2C2D, 4),  # KAM, as a plain number
    extended("0-3:24.2.1", 12_345, 3, Unit.WATT_HOUR, uint8(0)),
    extended("0-3:24.2.2", 456, -1, Unit.CUBIC_METRE, uint8(0)),
    mbus_client(4, 0, 0, 0),  # nobody is connected
    extended("0-4:24.2.1", 0, 0, Unit.COUNT, uint8(0)),
    data("0-0:96.13.0", text("Read on the tenth")),
)

SHORT_NAMED: Sequence[MeterObject] = (
    *identity("S2", "3.7"),
    *(register(f"1-0:1.8.{tariff}", 3_000_000 + tariff, 0, Unit.WATT_HOUR) for tariff in range(3)),
    register("1-0:2.8.0", 42_000, 0, Unit.WATT_HOUR),
    demand("1-0:1.4.0", 640, 812, Unit.WATT),
    extended("1-0:1.6.0", 4_870, 0, Unit.WATT, uint8(0)),
    *(register(f"1-0:{c}.7.0", 2310 + c, -1, Unit.VOLT) for c in (32, 52, 72)),
    data("0-0:96.14.0", uint8(2)),
    data("0-0:96.7.21", uint16(7)),
)  # fmt: skip
"""It knows its objects by short names."""

INDUSTRIAL: Sequence[MeterObject] = (
    *identity("I5", "8.1"),
    *(
        register(f"1-0:{c}.8.{tariff}", 1_000_000 * c + 1000 * tariff, 3, unit)
        for c, unit in (
            (1, Unit.WATT_HOUR), (2, Unit.WATT_HOUR), (3, Unit.VAR_HOUR), (4, Unit.VAR_HOUR), (5, Unit.VAR_HOUR),
            (6, Unit.VAR_HOUR), (7, Unit.VAR_HOUR), (8, Unit.VAR_HOUR), (9, Unit.VOLT_AMPERE_HOUR),
        )
        for tariff in range(5)
    ),
    *(
        extended(f"1-0:{c}.6.{tariff}", 84_000 + tariff, 0, Unit.WATT, uint8(tariff))
        for c in (1, 2)
        for tariff in range(5)
    ),
    *(register(f"1-0:{c}.7.0", 81_500, 0, Unit.WATT) for c in (1, 2, 21, 41, 61)),
    *(register(f"1-0:{c}.7.124", 21, -1, Unit.PERCENT) for c in (31, 51, 71, 32, 52, 72)),
    *(register(f"1-0:81.7.{e}", 120, 0, Unit.DEGREE) for e in (1, 2, 4, 15, 26)),
    cosem_object(3, "1-0:13.7.0", int16(982), scaler_unit(-3, Unit.COUNT)),
    register("1-0:14.7.0", 5001, -2, Unit.HERTZ),
    register("1-0:91.7.0", 12, -1, Unit.AMPERE),
    register("0-0:96.9.0", 31, 0, Unit.DEGREE_CELSIUS),
    register("0-0:96.6.3", 359, -2, Unit.VOLT),
    cosem_object(63, "0-0:96.10.1", uint32(5), array(())),
    data("0-0:96.2.1", MOMENT),
    data("1-0:0.9.7", octets(MOMENT_OCTETS[:5])),
    data("1-0:0.9.1", octets(MOMENT_OCTETS[5:9])),
    data("1-0:0.9.2", octets(MOMENT_OCTETS[:5])),
    data("0-0:1.1.0", uint32(1_794_321_000)),
    compact_data(),
    *(_writable(item, 4) for item in HOUSEHOLD_METER if item.class_id == 7),
)  # fmt: skip
