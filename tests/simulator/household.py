"""The object table of a three-phase household meter. Each row is one COSEM object."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import cos, hypot, sin

from custom_components.dlms_meter.dlms.codec.data import Data

from .house import (
    BUILT,
    CAPACITIVE_POWER,
    QUARTER,
    Energies,
    is_day_tariff,
)
from .objects import (
    NULL,
    Attribute,
    MeterObject,
    Query,
    Readers,
    Source,
    array,
    bits,
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
    uint64,
)
from .profiles import (
    EVENT_LOG_ENTRIES,
    LOAD_PROFILE_ENTRIES,
    POWER_DOWN,
    Column,
    date_time,
    event_code,
    event_times,
    events,
    load_profile_times,
    profile,
)

MODEL = "H3P-100"
FIRMWARE = "2.4.1"

# Units of the physical unit enumeration (DLMS UA Blue Book).
SECOND, WATT, VAR, WATT_HOUR, VAR_HOUR = 7, 27, 29, 30, 32
AMPERE, VOLT, HERTZ, COUNT = 33, 35, 44, 255

_CAPTURED_OK = 0x08  # bit of the profile status: none of the values is doubtful
_MINUTES_PER_QUARTER = 15


def data(code: str, value: Data | Source | Attribute) -> MeterObject:
    return cosem_object(1, code, value)


def register(code: str, value: Source, scaler: int, unit: int) -> MeterObject:
    return cosem_object(3, code, value, scaler_unit(scaler, unit), methods=1)


# What the registers measure.


def energy(of: Callable[[Energies], float]) -> Source:
    return lambda query: uint32(_whole(of(query.house.energies(query.moment))))


def reactive_energy(of: Callable[[Energies], float]) -> Source:
    return lambda query: uint64(_whole(of(query.house.energies(query.moment))))


def import_total(energies: Energies) -> float:
    """The total shows what its tariffs show, to the last watt-hour."""
    return _whole(energies.import_day) + _whole(energies.import_night)


def export_total(energies: Energies) -> float:
    return _whole(energies.export_day) + _whole(energies.export_night)


def _whole(energy_value: float) -> int:
    return int(energy_value) % 1_000_000_000  # nine digits, as the display


def power(sign: int, phase: int | None = None) -> Source:
    """Return the power drawn (sign 1) or fed in (sign -1), in W."""
    return lambda query: uint32(max(round(sign * _power(query, phase)), 0))


def net_power(query: Query) -> Data:
    return int32(round(_power(query)))


def reactive_power(query: Query) -> Data:
    return uint32(round(query.house.reactive_power(query.moment)))


def _power(query: Query, phase: int | None = None) -> float:
    total = query.house.power(query.moment)
    return total if phase is None else total * query.house.phase_shares[phase]


def voltage(phase: int) -> Source:
    """Return the voltage in tenths of a volt: the grid breathes, and load pulls it down."""

    def value(query: Query) -> Data:
        seconds = (query.moment - BUILT).total_seconds()
        grid = 231.5 + 2 * sin(seconds / 4000) + cos(seconds / 97 + 2 * phase)
        grid += query.house.phase_offsets[phase] - _power(query, phase) / 1000
        return uint16(round(grid * 10))

    return value


def current(phase: int) -> Source:
    """Return the current in hundredths of an ampere, whichever way it flows."""

    def value(query: Query) -> Data:
        reactive = query.house.reactive_power(query.moment)
        apparent = hypot(
            _power(query, phase), reactive * query.house.phase_shares[phase]
        )
        return uint16(round(apparent / 230 * 100))

    return value


def frequency(query: Query) -> Data:
    seconds = (query.moment - BUILT).total_seconds()
    return uint16(5000 + round(1.4 * sin(seconds / 310) + 0.8 * cos(seconds / 41)))


def power_factor(query: Query) -> Data:
    """Return active by apparent power in thousandths; negative while feeding in."""
    active = _power(query)
    return int16(
        round(1000 * active / hypot(active, query.house.reactive_power(query.moment)))
    )


# Demand.


def demand_so_far(query: Query) -> Data:
    """Return the energy drawn since the quarter began, as power over a whole quarter (W)."""
    begun = BUILT + query.house.quarter_of(query.moment) * QUARTER
    now, then = query.house.energies(query.moment), query.house.energies(begun)
    drawn = now.import_day + now.import_night - then.import_day - then.import_night
    return uint32(round(drawn * 4))


def last_demand(query: Query, moment: datetime | None = None) -> Data:
    """Return the mean power drawn in the last quarter that is over (W)."""
    quarter = query.house.quarter_of(moment or query.moment) - 1
    mean = query.house.mean_power(quarter) if quarter >= 0 else 0.0
    return uint32(max(round(mean), 0))


def quarter_begun(query: Query) -> datetime:
    return BUILT + query.house.quarter_of(query.moment) * QUARTER


def maximum_demand(sign: int) -> tuple[Source, Source]:
    """Return the highest demand of this month, and when its quarter was over."""

    def highest(query: Query) -> tuple[float, datetime]:
        local = query.moment.astimezone(query.settings.time_zone)
        month = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        first = query.house.quarter_of(max(month.astimezone(UTC), BUILT))
        last = query.house.quarter_of(query.moment)
        demand, quarter = query.house.highest_demand(sign, first, last)
        happened = BUILT + (quarter + 1) * QUARTER if demand else month
        return demand, happened

    return (
        lambda query: uint32(round(highest(query)[0])),
        lambda query: date_time(query, highest(query)[1]),
    )


def maximum_demand_register(code: str, sign: int) -> MeterObject:
    value, capture_time = maximum_demand(sign)
    unit = scaler_unit(0, WATT)
    return cosem_object(4, code, value, unit, uint8(0), capture_time, methods=1)


# Clock.


def clock() -> MeterObject:
    """The clock. Daylight saving: last Sundays of March and October; deviations in minutes to UTC, so negative here."""

    def winter_deviation(query: Query) -> Data:
        winter = datetime(query.moment.year, 1, 1, tzinfo=query.settings.time_zone)
        offset = winter.utcoffset()
        assert offset is not None
        return int16(-int(offset.total_seconds()) // 60)

    def status(query: Query) -> Data:
        local = query.moment.astimezone(query.settings.time_zone)
        return uint8(0x80 if local.dst() else 0)

    def last_sunday(month: int, hour: int) -> Data:
        return octets(bytes.fromhex(f"FFFF{month:02X}FE07{hour:02X}000000800000"))

    return cosem_object(
        8,
        "0-0:1.0.0",
        lambda query: date_time(query, query.moment),
        winter_deviation,
        status,
        last_sunday(3, 2),
        last_sunday(10, 3),
        int8(60),
        boolean(True),
        enum(1),
        methods=6,
    )


# The meter about itself.


def object_list(query: Query) -> Data:
    """Return what this association sees, with its access rights."""
    return array([_entry(query, item) for item in query.objects if query.sees(item)])


def _entry(query: Query, item: MeterObject) -> Data:
    attributes = [
        structure(
            int8(number),
            enum(query.may_read(attribute) + 2 * query.may_write(attribute)),
            array([int8(selector) for selector in attribute.selectors])
            if attribute.selectors
            else NULL,
        )
        for number, attribute in enumerate(item.attributes, 1)
    ]
    methods = [
        structure(int8(number), enum(query.may_invoke(item)))
        for number in range(1, item.methods + 1)
    ]
    return structure(
        uint16(item.class_id),
        uint8(item.version),
        octets(item.logical_name),
        structure(array(attributes), array(methods)),
    )


def association() -> MeterObject:
    """The current association (version 1)."""
    no_name = bytes.fromhex("6085740508")  # joint-iso-ccitt … DLMS UA

    def context_info(query: Query) -> Data:
        facts = query.association
        return structure(
            bits(facts.conformance, 24),
            uint16(query.settings.max_pdu_size),
            uint16(facts.max_response_size),
            uint8(6),
            int8(0),
            octets(b""),
        )

    def partners(query: Query) -> Data:
        return structure(
            int8(query.association.client_sap), uint16(query.settings.logical_device)
        )

    return cosem_object(
        15,
        "0-0:40.0.0",
        object_list,
        partners,
        octets(no_name + bytes((1, 1))),
        context_info,
        lambda query: octets(no_name + bytes((2, query.association.mechanism))),
        Attribute(octets_nobody_reads, Readers.NOBODY),
        enum(2),
        octets(bytes.fromhex("00002B0000FF")),
        version=1,
        methods=4,
    )


def octets_nobody_reads(_: Query) -> Data:
    raise AssertionError("a secret was asked for")


def sap_assignment() -> MeterObject:
    def devices(query: Query) -> Data:
        settings = query.settings
        return array(
            [
                structure(
                    uint16(settings.logical_device),
                    octets(settings.logical_device_name),
                )
            ]
        )

    return cosem_object(17, "0-0:41.0.0", devices, methods=1)


def hdlc_setup() -> MeterObject:
    return cosem_object(
        23,
        "0-0:22.0.0",
        enum(5),  # 9600 baud
        lambda query: uint8(query.settings.window),
        lambda query: uint8(query.settings.window),
        lambda query: uint16(query.settings.max_information_length),
        lambda query: uint16(query.settings.max_information_length),
        uint16(25),  # ms between octets
        uint16(120),  # s of inactivity
        lambda query: uint16(query.settings.physical_device),
        version=1,
    )


LOAD_PROFILE_COLUMNS = (
    Column(8, "0-0:1.0.0", 2, date_time),
    Column(1, "0-0:96.10.1", 2, lambda _query, _moment: uint8(_CAPTURED_OK)),
    Column(3, "1-0:1.8.0", 2, lambda query, moment: uint32(int(import_total(query.house.energies(moment))))),
    Column(3, "1-0:2.8.0", 2, lambda query, moment: uint32(int(export_total(query.house.energies(moment))))),
    Column(5, "1-0:1.4.0", 3, last_demand),
)  # fmt: skip
EVENT_LOG_COLUMNS = (
    Column(8, "0-0:1.0.0", 2, date_time),
    Column(1, "0-0:96.11.0", 2, event_code),
)


def _latest_event(query: Query) -> Data:
    times: Sequence[datetime] = event_times(query)
    return event_code(query, times[-1]) if times else uint8(0)


def _power_failures(query: Query) -> Data:
    return uint16(sum(code == POWER_DOWN for _, code in events(query)))


HOUSEHOLD_METER: tuple[MeterObject, ...] = (
    association(),
    sap_assignment(),
    data("0-0:42.0.0", lambda query: octets(query.settings.logical_device_name)),
    data("0-0:96.1.0", lambda query: octets(query.settings.serial_number.encode())),
    data("0-0:96.1.7", octets(MODEL.encode())),
    data("1-0:0.0.0", lambda query: text(f"1SIM{query.settings.serial_number:0>10}")),
    data("1-0:0.2.0", octets(FIRMWARE.encode())),
    data("0-0:96.14.0", lambda query: uint8(1 if is_day_tariff(query.moment) else 2)),
    data("0-0:97.97.0", uint8(0)),
    data("0-0:96.7.0", _power_failures),
    data("0-0:96.10.1", uint8(_CAPTURED_OK)),
    data("0-0:96.11.0", Attribute(_latest_event, Readers.AUTHENTICATED)),
    register("0-0:96.8.0", lambda query: uint32(int((query.moment - BUILT).total_seconds())), 0, SECOND),
    clock(),
    hdlc_setup(),
    # Energy
    register("1-0:1.8.0", energy(import_total), 0, WATT_HOUR),
    register("1-0:1.8.1", energy(lambda energies: energies.import_day), 0, WATT_HOUR),
    register("1-0:1.8.2", energy(lambda energies: energies.import_night), 0, WATT_HOUR),
    register("1-0:2.8.0", energy(export_total), 0, WATT_HOUR),
    register("1-0:2.8.1", energy(lambda energies: energies.export_day), 0, WATT_HOUR),
    register("1-0:2.8.2", energy(lambda energies: energies.export_night), 0, WATT_HOUR),
    register("1-0:3.8.0", reactive_energy(lambda energies: energies.reactive_import), 0, VAR_HOUR),
    register("1-0:4.8.0", reactive_energy(lambda energies: energies.reactive_export), 0, VAR_HOUR),
    # Power
    register("1-0:1.7.0", power(1), 0, WATT),
    register("1-0:2.7.0", power(-1), 0, WATT),
    register("1-0:16.7.0", net_power, 0, WATT),
    register("1-0:3.7.0", reactive_power, 0, VAR),
    register("1-0:4.7.0", lambda _: uint32(round(CAPACITIVE_POWER)), 0, VAR),
    register("1-0:21.7.0", power(1, 0), 0, WATT),
    register("1-0:41.7.0", power(1, 1), 0, WATT),
    register("1-0:61.7.0", power(1, 2), 0, WATT),
    register("1-0:22.7.0", power(-1, 0), 0, WATT),
    register("1-0:42.7.0", power(-1, 1), 0, WATT),
    register("1-0:62.7.0", power(-1, 2), 0, WATT),
    # Grid
    register("1-0:32.7.0", voltage(0), -1, VOLT),
    register("1-0:52.7.0", voltage(1), -1, VOLT),
    register("1-0:72.7.0", voltage(2), -1, VOLT),
    register("1-0:31.7.0", current(0), -2, AMPERE),
    register("1-0:51.7.0", current(1), -2, AMPERE),
    register("1-0:71.7.0", current(2), -2, AMPERE),
    register("1-0:14.7.0", frequency, -2, HERTZ),
    register("1-0:13.7.0", power_factor, -3, COUNT),
    # Demand
    cosem_object(
        5, "1-0:1.4.0", demand_so_far, last_demand, scaler_unit(0, WATT), uint8(0),
        lambda query: date_time(query, quarter_begun(query)),
        lambda query: date_time(query, quarter_begun(query)),
        uint32(60 * _MINUTES_PER_QUARTER), uint16(1), methods=2,
    ),
    maximum_demand_register("1-0:1.6.0", 1),
    maximum_demand_register("1-0:2.6.0", -1),
    # Profiles
    profile("1-0:99.1.0", LOAD_PROFILE_COLUMNS, load_profile_times, period=QUARTER, entries=LOAD_PROFILE_ENTRIES),
    profile(
        "0-0:99.98.0", EVENT_LOG_COLUMNS, event_times, period=QUARTER * 0, entries=EVENT_LOG_ENTRIES,
        readers=Readers.AUTHENTICATED,
    ),
    # Connected, ready, reconnection by hand or from afar
    cosem_object(70, "0-0:96.3.10", boolean(True), enum(1), enum(2), methods=2),
)  # fmt: skip
