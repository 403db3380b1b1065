"""What the meter's attributes look like in Home Assistant."""

from collections.abc import Mapping
from itertools import product

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.sensor import SensorStateClass
from homeassistant.components.sensor.const import (
    DEVICE_CLASS_STATE_CLASSES,
    DEVICE_CLASS_UNITS,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.descriptions import (
    DlmsSensorDescription,
    describe_sensor,
    meaning_of,
)
from custom_components.dlms_meter.dlms import (
    AccessMode,
    AttributeDescriptor,
    CosemObject,
    Data,
    DataType,
    Identity,
    Kind,
    Obis,
    Unit,
)
from custom_components.dlms_meter.plan import VALUE, plan_entities
from custom_components.dlms_meter.storage import MeterMemory
from custom_components.dlms_meter.sub_meters import SubMeter
from tests.dlms.cosem.test_catalogue import RULES, Statement, names, observed_names
from tests.home import DEVICE, UNIQUE_ID, Line, altered, value_of
from tests.simulator.objects import cosem_object, octets, structure, uint32

NOW = "2026-11-20T12:00:30Z"


def described(
    code: str, class_id: int = 3, attribute_id: int = 2, unit: int | None = None
) -> DlmsSensorDescription:
    return describe_sensor(
        AttributeDescriptor(class_id, Obis.parse(code), attribute_id), unit
    )


@pytest.mark.usefixtures("everything_enabled")
async def test_all_entities(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    snapshot: SnapshotAssertion,
) -> None:
    """All that the simulated meter has, at one moment of its repeatable life."""
    freezer.move_to(NOW)
    await hass.config_entries.async_setup(entry.entry_id)
    await (
        entry.runtime_data.async_refresh()
    )  # the first poll read what is enabled anyway
    await hass.async_block_till_done()
    registry = er.async_get(hass)
    entities = er.async_entries_for_config_entry(registry, entry.entry_id)
    assert len(entities) > 40
    assert {e.entity_id: row(hass, e) for e in entities} == snapshot


def row(hass: HomeAssistant, entity: er.RegistryEntry) -> dict[str, str]:
    """Return what there is to know of an entity, in words that are the same in all releases of Home Assistant."""
    state = hass.states.get(entity.entity_id)
    assert state is not None
    shown = f"{state.state} {state.attributes.get('unit_of_measurement', '')}".rstrip()
    return {
        "name": f"{state.name}",
        "state": "real time" if entity.translation_key == "session_time" else shown,
        "classes": f"{entity.original_device_class} {state.attributes.get('state_class')}",
        "category": f"{entity.entity_category}",
        "key": f"{entity.translation_key} {entity.unique_id}",
    }


# Which are there from the start; the others wait in the registry.
ENABLED = """
    active_tariff clock_drift current_l1 current_l2 current_l3
    energy_export energy_export_tariff_1 energy_export_tariff_2
    energy_import energy_import_tariff_1 energy_import_tariff_2 frequency
    maximum_demand_export maximum_demand_import net_power
    power_export power_export_l1 power_export_l2 power_export_l3
    power_factor power_failures power_import power_import_l1 power_import_l2 power_import_l3
    time_of_peak_export time_of_peak_import
    voltage_l1 voltage_l2 voltage_l3
""".split()  # noqa: SIM905


async def test_what_is_enabled(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    names = [
        entity_id.removeprefix(f"sensor.{DEVICE}_")
        for entity_id in hass.states.async_entity_ids("sensor")
    ]
    assert sorted(names) == ENABLED
    registry = er.async_get(hass)
    entries = [
        entity
        for entity in er.async_entries_for_config_entry(registry, loaded.entry_id)
        if entity.domain == "sensor"
    ]
    disabled = [entity for entity in entries if entity.disabled]
    assert len(disabled) == len(entries) - len(ENABLED) > 5
    assert all(
        entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
        for entity in disabled
    )


async def test_unknown_register_waits_under_its_obis_code(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    unit = structure(Data(DataType.INTEGER, -1), Data(DataType.ENUM, Unit.WATT))
    line.meter.objects += (cosem_object(3, "1-0:128.7.3", uint32(42), unit),)
    line.meter = altered(line.meter, {})
    registry = er.async_get(hass)
    unique_id = f"{UNIQUE_ID}_3_1-0:128.7.3*255_2"

    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    entity_id = registry.async_get_entity_id("sensor", "dlms_meter", unique_id)
    assert entity_id is not None
    entity = registry.async_get(entity_id)
    assert entity is not None
    assert entity.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert entity.original_name == "Object 1-0:128.7.3*255"

    registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()

    state = hass.states.get(entity_id)
    assert state is not None
    assert state.state == "4.2"
    assert state.attributes["unit_of_measurement"] == "W"
    assert state.attributes["device_class"] == "power"
    assert "state_class" not in state.attributes  # who knows what it counts


# What an object of class 1 holds, and its state.
DATA: dict[str, tuple[Data, str]] = {
    "number": (uint32(7), "7"),
    "octets": (octets(bytes.fromhex("00FF")), "00ff"),
    "text": (Data(DataType.VISIBLE_STRING, "day"), "day"),
    "long text": (Data(DataType.VISIBLE_STRING, "x" * 300), "x" * 255),
    "true": (Data(DataType.BOOLEAN, True), "true"),
    "float": (Data(DataType.FLOAT64, 0.1), "0.1"),
    "not a number": (Data(DataType.FLOAT64, float("nan")), "unknown"),
    "nothing": (Data(DataType.NULL_DATA, None), "unknown"),
    "structure": (structure(uint32(7), uint32(8)), "unknown"),
    "date-time": (
        Data(DataType.DATE_TIME, bytes.fromhex("07EA0B14050D001E00FFC400")),
        "2026-11-20 13:00:30",
    ),
    "any date-time": (Data(DataType.DATE_TIME, bytes.fromhex("FF" * 12)), "unknown"),
}


@pytest.mark.parametrize("name", DATA)
async def test_data_of_any_kind(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, name: str
) -> None:
    data, state = DATA[name]
    line.meter = altered(line.meter, {"0-0:96.14.0*255": data})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, f"sensor.{DEVICE}_active_tariff") == state


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
async def test_register_with_a_float_that_is_no_number(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, value: str
) -> None:
    """Some meters tell so that they do not know."""
    undefined = Data(DataType.FLOAT32, float(value))
    names = ("1-0:32.7.0*255", "1-0:1.8.0*255")
    line.meter = altered(line.meter, dict.fromkeys(names, undefined))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, f"sensor.{DEVICE}_voltage_l1") == "unknown"
    assert value_of(hass, f"sensor.{DEVICE}_energy_import") == "unknown"
    assert float(value_of(hass, f"sensor.{DEVICE}_voltage_l2")) > 200


async def test_register_without_a_number_is_unknown(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """Never text where Home Assistant counts, and never 0."""
    values = {
        "1-0:1.8.0*255": Data(DataType.NULL_DATA, None),
        "1-0:1.7.0*255": octets(b"none"),
    }
    line.meter = altered(line.meter, values)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, f"sensor.{DEVICE}_energy_import") == "unknown"
    assert value_of(hass, f"sensor.{DEVICE}_power_import") == "unknown"


# What the clock shows at 12:00:30 UTC, the drift in seconds, and the time as it is understood.
CLOCKS: dict[str, tuple[str, str, str | None]] = {
    "right, in winter of Central Europe": (
        "07EA0B14050D001E00FFC400",
        "0",
        "2026-11-20T12:00:30+00:00",
    ),
    "fast": ("07EA0B14050D012900FFC400", "71", "2026-11-20T12:01:41+00:00"),
    "slow": ("07EA0B14050C3B2300FFC400", "-55", "2026-11-20T11:59:35+00:00"),
    "years behind": (
        "07D001010600000000000000",
        "-848491230",
        "2000-01-01T00:00:00+00:00",
    ),
    "deviation with the other sign": (
        "07EA0B14050D001E00003C00",
        "0",
        "2026-11-20T12:00:30+00:00",
    ),
    "without deviation, in Home Assistant's time zone": (
        "07EA0B14050D002300800000",
        "5",
        "2026-11-20T12:00:35+00:00",
    ),
    "hundredths": (
        "07EA0B14050D001E3CFFC400",
        "1",
        "2026-11-20T12:00:30.600000+00:00",
    ),
    "not set": ("FF" * 12, "unknown", None),
    "no clock at all": ("", "unknown", None),
}


@pytest.mark.parametrize("name", CLOCKS)
async def test_clock(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    name: str,
) -> None:
    shown, drift, meter_time = CLOCKS[name]
    freezer.move_to(NOW)
    await hass.config.async_set_time_zone("Europe/Berlin")
    line.meter = altered(line.meter, {"0-0:1.0.0*255": octets(bytes.fromhex(shown))})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    state = hass.states.get(f"sensor.{DEVICE}_clock_drift")
    assert state is not None
    assert state.state == drift
    attribute = state.attributes["meter_time"]
    assert (attribute and attribute.isoformat()) == meter_time


async def test_times_are_read_as_the_clock_is(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """A meter whose clock has the deviation the wrong way round has it so in all its times."""
    freezer.move_to(NOW)
    peak = f"sensor.{DEVICE}_time_of_peak_import"
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    standard = value_of(hass, peak)

    reversed_clock = octets(bytes.fromhex("07EA0B14050D001E00003C00"))
    line.meter = altered(line.meter, {"0-0:1.0.0*255": reversed_clock})
    await entry.runtime_data.async_refresh()

    assert standard == "2026-11-11T17:30:00+00:00"
    assert value_of(hass, peak) == "2026-11-11T19:30:00+00:00"


async def test_unset_peak_is_unknown(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    peak = next(
        item for item in line.meter.objects if str(item.logical_name) == "1-0:1.6.0*255"
    )
    value, unit, status, _ = peak.attributes[1:]
    others = [item for item in line.meter.objects if item is not peak]
    unset = cosem_object(4, "1-0:1.6.0", value, unit, status, octets(b""))
    line.meter.objects = (*others, unset)
    line.meter = altered(line.meter, {})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    entity_id = f"sensor.{DEVICE}_time_of_peak_import"
    assert value_of(hass, entity_id) == "unknown"


TOTAL_INCREASING = SensorStateClass.TOTAL_INCREASING
MEASUREMENT = SensorStateClass.MEASUREMENT


@pytest.mark.parametrize(
    ("description", "unit", "device_class", "state_class", "enabled"),
    [
        (described("1-0:1.8.0"), "Wh", "energy", TOTAL_INCREASING, True),
        (described("1-0:1.8.0*3"), "Wh", "energy", None, False),
        (described("1-0:16.8.0"), "Wh", "energy", SensorStateClass.TOTAL, True),
        (described("1-0:5.8.0"), "varh", "reactive_energy", TOTAL_INCREASING, False),
        (described("1-0:9.8.0"), "VAh", None, TOTAL_INCREASING, False),
        (described("1-0:1.8.2"), "Wh", "energy", TOTAL_INCREASING, True),
        (described("1-0:41.8.0"), "Wh", "energy", TOTAL_INCREASING, True),
        (described("1-0:3.8.1"), "varh", "reactive_energy", TOTAL_INCREASING, False),
        (described("1-0:3.7.0"), "var", "reactive_power", MEASUREMENT, False),
        (described("1-0:52.7.0"), "V", "voltage", MEASUREMENT, True),
        (described("1-0:71.7.0"), "A", "current", MEASUREMENT, True),
        (described("1-0:91.7.0"), "A", "current", MEASUREMENT, True),
        (described("1-0:14.7.0"), "Hz", "frequency", MEASUREMENT, True),
        (described("1-0:32.7.124"), "%", None, MEASUREMENT, False),
        (described("0-0:96.9.0"), "°C", "temperature", MEASUREMENT, False),
        (described("0-0:96.6.3"), "V", "voltage", MEASUREMENT, False),
        (described("0-0:96.7.0", 1), None, None, TOTAL_INCREASING, True),
        (described("0-0:96.14.0", 1), None, None, None, True),
        (described("1-0:16.7.0"), "W", "power", MEASUREMENT, True),
        (described("1-0:9.7.0"), "VA", "apparent_power", MEASUREMENT, False),
        (described("1-0:13.7.0", unit=255), None, "power_factor", MEASUREMENT, True),
        (described("1-0:13.7.0", unit=56), "%", "power_factor", MEASUREMENT, True),
        (described("1-0:81.7.10"), "°", None, SensorStateClass.MEASUREMENT_ANGLE, False),
        (described("1-0:32.32.0"), None, None, TOTAL_INCREASING, False),
        (described("1-0:1.4.0", 5, 3), "W", "power", MEASUREMENT, False),
        (described("1-0:1.6.0", 4, 5), None, "timestamp", None, True),
        (described("7-0:3.0.0"), "m³", "gas", TOTAL_INCREASING, True),
        (described("7-0:3.1.0", unit=14), "m³", "gas", TOTAL_INCREASING, True),
        (described("8-0:1.0.0"), "m³", "water", TOTAL_INCREASING, True),
        (described("6-0:1.0.0", unit=25), "J", "energy", TOTAL_INCREASING, True),
        (described("0-1:24.2.1", 4), None, None, TOTAL_INCREASING, True),
        (described("0-1:24.2.1", 4, unit=13), "m³", "volume", TOTAL_INCREASING, True),
        (described("0-0:96.6.1", 1, unit=56), "%", "battery", MEASUREMENT, False),
        (described("0-0:96.6.1", unit=255), None, None, MEASUREMENT, False),
        (described("0-0:96.8.0"), "s", "duration", TOTAL_INCREASING, False),
        # What the meter says does not fit together: the unit is what counts.
        (described("1-0:1.8.0", unit=27), "W", "power", None, True),
        (described("1-0:1.7.0", unit=30), "Wh", "energy", None, True),
        (described("1-0:1.7.0", unit=200), None, None, MEASUREMENT, True),
    ],
    ids=lambda value: f"{value.attribute}" if isinstance(value, DlmsSensorDescription) else "",
)  # fmt: skip
def test_description(
    description: DlmsSensorDescription,
    unit: str | None,
    device_class: str | None,
    state_class: SensorStateClass | None,
    *,
    enabled: bool,
) -> None:
    assert description.native_unit_of_measurement == unit
    assert description.device_class == device_class
    assert description.state_class == state_class
    assert description.entity_registry_enabled_default is enabled


@pytest.mark.parametrize(
    ("description", "unit", "decimals"),
    [
        (described("1-0:1.8.0"), "kWh", 2),
        (described("1-0:3.8.0"), "kvarh", 2),
        (described("6-0:1.0.0", unit=25), "kWh", 2),
        (described("1-0:1.7.0"), None, 0),
        (described("1-0:1.6.0", 4), "kW", 3),
        (described("1-0:1.4.0", 5, 3), "kW", 3),
        (described("1-0:32.7.0"), None, 1),
        (described("1-0:31.7.0"), None, 2),
        (described("1-0:14.7.0"), None, 2),
        (described("7-0:3.0.0"), None, 3),
        (described("0-0:96.9.0"), None, 1),
    ],
    ids=lambda value: f"{value.attribute}" if isinstance(value, DlmsSensorDescription) else "",
)  # fmt: skip
def test_suggestions(
    description: DlmsSensorDescription, unit: str | None, decimals: int
) -> None:
    """Energy and demand in thousands, as bills have them; decimals as many as tell something."""
    assert description.suggested_unit_of_measurement == unit
    assert description.suggested_display_precision == decimals


@pytest.mark.parametrize(
    ("code", "class_id", "attribute_id"),
    [
        ("1-0:1.8.0", 3, 2), ("1-0:1.7.0", 3, 2), ("1-0:1.6.0", 4, 2), ("1-0:1.6.0", 4, 5), ("1-0:1.4.0", 5, 3),
        ("1-0:13.7.0", 3, 2), ("7-0:3.0.0", 3, 2), ("8-0:1.0.0", 3, 2), ("0-0:96.6.1", 3, 2), ("0-0:96.9.2", 3, 2),
        ("1-0:99.99.99", 3, 2),
    ],
)  # fmt: skip
def test_home_assistant_takes_every_unit_a_meter_may_send(
    code: str, class_id: int, attribute_id: int
) -> None:
    """Otherwise it would log a warning about this integration."""
    for unit in (None, *range(256)):
        shown = described(code, class_id, attribute_id, unit)
        if (device_class := shown.device_class) is None:
            continue
        units = DEVICE_CLASS_UNITS.get(device_class, {None})
        assert shown.native_unit_of_measurement in units
        assert (
            shown.suggested_unit_of_measurement is None
            or shown.suggested_unit_of_measurement in units
        )
        assert (
            shown.state_class is None
            or shown.state_class in DEVICE_CLASS_STATE_CLASSES[device_class]
        )


def test_facts_about_the_meter_are_diagnostic() -> None:
    assert described("0-0:96.7.0", 1).entity_category is EntityCategory.DIAGNOSTIC
    assert described("0-0:1.0.0", 8).entity_category is EntityCategory.DIAGNOSTIC
    assert described("0-0:199.1.2", 1).entity_category is EntityCategory.DIAGNOSTIC
    assert described("1-0:1.8.0").entity_category is None


@pytest.mark.parametrize(
    ("description", "key", "placeholders"),
    [
        (described("1-0:1.8.0"), "active_energy_import", {"detail": ""}),
        (
            described("1-0:1.8.2"),
            "active_energy_import_tariff",
            {"detail": "", "tariff": "2"},
        ),
        (
            described("1-0:41.8.2"),
            "active_energy_import_tariff",
            {"detail": " L2", "tariff": "2"},
        ),
        (described("1-1:1.8.0"), "active_energy_import", {"detail": " #1"}),
        (described("0-0:96.14.0", 1), "active_tariff", {"detail": ""}),
        (described("0-0:1.0.0", 8), "clock_drift", {"detail": ""}),
        (described("1-0:32.31.0"), "of_threshold", {"detail": " L1"}),
        (described("1-0:199.1.2"), "unknown", {"obis": "1-0:199.1.2*255"}),
    ],
)
def test_names(
    description: DlmsSensorDescription, key: str, placeholders: dict[str, str]
) -> None:
    assert description.translation_key == key
    assert description.translation_placeholders == placeholders


def words_of(
    name: Obis, class_id: int, attribute_id: int, texts: Mapping[str, str]
) -> str | None:
    """Return what a value is called in the language of `texts`; None for what is no value that the catalogue knows."""
    attribute = AttributeDescriptor(class_id, name, attribute_id)
    meaning = meaning_of(attribute)
    if meaning is None or meaning.kind in (Kind.LOG, Kind.OBJECT):
        return None
    shown = describe_sensor(attribute).in_words(texts)
    text = texts[f"component.{DOMAIN}.entity.sensor.{shown.translation_key}.name"]
    return text.format(**(shown.translation_placeholders or {}))


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (("1-0:32.31.0", 3, 2), "Voltage below the limit L1, threshold", "Spannung unter dem Grenzwert L1, Schwelle"),
        (("1-0:31.7.5", 3, 2), "Current, harmonic L1 5", "Strom, Oberschwingung L1 5"),
        (("1-0:21.3.0", 3, 2), "Power import L1, minimum", "Leistung Bezug L1, Minimum"),
        (("1-0:3.2.2", 3, 2), "Reactive power import T2, cumulative maximum", "Blindleistung Bezug T2, kumuliertes Maximum"),
        (("1-0:17.7.0", 3, 2), "Power quadrant I", "Leistung Quadrant I"),
        (("1-0:5.9.0", 3, 2), "Reactive energy quadrant I, this billing period", "Blindenergie Quadrant I, in dieser Abrechnungsperiode"),
        (("8-0:1.2.0", 3, 2), "Water volume, on the set date", "Wasservolumen, am Stichtag"),
        (("1-0:12.6.0", 4, 5), "Voltage, time", "Spannung, Zeitpunkt"),
        (("1-0:1.35.0", 3, 2), "Power import above the limit, threshold", "Leistung Bezug über dem Grenzwert, Schwelle"),
    ],
)  # fmt: skip
async def test_names_put_together(
    hass: HomeAssistant,
    value: tuple[str, int, int],
    english: str,
    german: str,
) -> None:
    code, class_id, attribute_id = value
    for language, words in (("en", english), ("de", german)):
        texts = await async_get_translations(hass, language, "entity", {DOMAIN})
        assert words_of(Obis.parse(code), class_id, attribute_id, texts) == words


async def test_every_value_has_a_name(hass: HomeAssistant) -> None:
    """What published rules list, and what meters were seen to have."""
    texts = await async_get_translations(hass, "en", "entity", {DOMAIN})
    listed = {
        (name, class_id)
        for pattern, _, _, classes, _ in RULES["others"]
        for name, class_id in product(names(pattern), classes)
    } | {
        (name, class_id)
        for statement in (Statement(*row) for row in RULES["statements"])
        for c in statement.groups
        for name, class_id in product(
            names(f"1-b:{c}.{statement.rest}"), statement.classes
        )
    }
    seen = set(product(observed_names(), (1, 3, 4, 5, 63)))
    called = {
        (name, class_id): words
        for name, class_id in listed | seen
        if (words := words_of(name, class_id, 2, texts)) is not None
    }
    assert len(called) > 2000
    assert not [words for words in called.values() if "_" in words]


def item(class_id: int, code: str, **access: object) -> CosemObject:
    return CosemObject(
        class_id=class_id,
        version=0,
        logical_name=Obis.parse(code),
        **access,  # type: ignore[arg-type]
    )


IS_ENABLED, IS_DISABLED = True, False
ERROR = ("binary_sensor", "error", IS_ENABLED)
ALARM = ("binary_sensor", "alarm", IS_ENABLED)
LOG = ("event", "event_log", IS_DISABLED)
# What is made of an object beside its values.
SHOWN_OTHERWISE: dict[tuple[int, str], set[tuple[str, str, bool]]] = {
    (1, "0-0:97.97.0"): {ERROR},
    (3, "0-0:97.97.0"): {ERROR},
    (63, "0-0:97.97.0"): {ERROR},
    (1, "0-0:97.98.0"): {ALARM},
    (3, "0-0:97.98.0"): {ALARM},
    (1, "0-0:97.98.10"): set(),  # which alarms are wanted is no alarm
    (8, "0-0:1.0.0"): {
        ("binary_sensor", "clock_invalid", IS_ENABLED),
        ("button", "synchronise_clock", IS_ENABLED),
    },
    (70, "0-0:96.3.10"): {
        ("binary_sensor", "supply", IS_ENABLED),
        ("sensor", "supply_control", IS_DISABLED),
        ("switch", "supply_switch", IS_DISABLED),
    },
    (70, "0-1:24.4.0"): {
        ("binary_sensor", "valve", IS_ENABLED),
        ("sensor", "valve_control", IS_DISABLED),
    },
    (72, "0-1:24.1.0"): {("binary_sensor", "sub_meter_alarm", IS_DISABLED)},
    (62, "0-0:66.0.0"): {("sensor", "compact_data", IS_DISABLED)},
    (111, "0-0:19.0.0"): {("sensor", "available_credit", IS_ENABLED)},
    (112, "0-0:19.10.0"): {("sensor", "credit", IS_DISABLED)},
    (7, "0-0:99.98.0"): {
        ("event", "event_log", IS_ENABLED),
        ("binary_sensor", "cover", IS_DISABLED),
        ("binary_sensor", "terminal_cover", IS_DISABLED),
    },
    **{
        (7, code): {LOG}
        for code in (
            "0-0:24.5.0", "0-0:97.97.255", "0-0:99.12.0", "0-0:99.14.0", "1-0:99.97.0", "1-0:99.10.1",
        )
    },
    (7, "1-0:98.1.0"): {("sensor", "billing_profile", IS_DISABLED)},
    (7, "1-0:98.2.0"): {("sensor", "daily_billing_profile", IS_DISABLED)},
    (7, "1-0:99.1.0"): {("sensor", "load_profile", IS_DISABLED)},
    (7, "1-0:99.2.0"): {("sensor", "daily_load_profile", IS_DISABLED)},
    (7, "1-0:99.14.0"): {("sensor", "power_quality_profile", IS_DISABLED)},
    (7, "0-1:24.3.0"): {("sensor", "mbus_profile", IS_DISABLED)},
    (7, "7-0:99.0.0"): {("sensor", "gas_profile", IS_DISABLED)},
    (7, "8-0:99.0.0"): {("sensor", "water_profile", IS_DISABLED)},
}  # fmt: skip


@pytest.mark.parametrize(
    "place", SHOWN_OTHERWISE, ids=lambda place: f"{place[0]} {place[1]}"
)
def test_what_is_shown_in_a_way_of_its_own(place: tuple[int, str]) -> None:
    memory = MeterMemory(Identity(logical_device_name="SIM1"), (item(*place),))
    memory.sub_meters[1] = SubMeter("12345678")
    plans = plan_entities(memory, with_switch=True)
    made = {
        (str(plan.platform), plan.kind, plan.enabled)
        for plan in plans
        if plan.kind not in (VALUE, "read_now")
    }
    assert made == SHOWN_OTHERWISE[place]


def test_what_is_shown() -> None:
    """Values, in the order of the meter, the clock last; nothing twice, nothing that cannot be read, no tables."""
    objects = [
        item(8, "0-0:1.0.0"),
        item(15, "0-0:40.0.0"),
        item(7, "1-0:99.1.0"),
        item(3, "1-0:1.8.0"),
        item(3, "1-0:1.8.0"),
        item(3, "1-0:2.8.0", attribute_access={2: AccessMode.NONE}),
        item(4, "1-0:1.6.0"),
        item(5, "1-0:1.4.0"),
        item(1, "0-0:199.1.2"),
    ]
    memory = MeterMemory(
        Identity(logical_device_name="SIM0000000000001"), tuple(objects)
    )
    plans = plan_entities(memory, with_switch=False)
    shown = [str(plan.attributes[0]) for plan in plans if plan.kind == VALUE]
    assert shown == [
        "3/1-0:1.8.0*255/2",
        "4/1-0:1.6.0*255/2",
        "4/1-0:1.6.0*255/5",
        "5/1-0:1.4.0*255/2",
        "5/1-0:1.4.0*255/3",
        "1/0-0:199.1.2*255/2",
        "8/0-0:1.0.0*255/2",
    ]
