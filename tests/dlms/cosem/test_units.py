"""Units: the symbols of the enumeration, and that the named codes are those of the standard."""

import pytest

from custom_components.dlms_meter.dlms.cosem.units import Unit, unit_symbol

SYMBOLS = {
    Unit.SECOND: "s",
    Unit.DEGREE: "°",
    Unit.DEGREE_CELSIUS: "°C",
    Unit.CURRENCY: "¤",
    Unit.CUBIC_METRE: "m³",
    Unit.CUBIC_METRE_CORRECTED: "m³",
    Unit.CUBIC_METRE_PER_HOUR: "m³/h",
    Unit.CUBIC_METRE_PER_DAY_CORRECTED: "m³/d",
    Unit.LITRE: "l",
    Unit.KILOGRAM: "kg",
    Unit.PASCAL: "Pa",
    Unit.BAR: "bar",
    Unit.JOULE: "J",
    Unit.WATT: "W",
    Unit.VOLT_AMPERE: "VA",
    Unit.VAR: "var",
    Unit.WATT_HOUR: "Wh",
    Unit.VOLT_AMPERE_HOUR: "VAh",
    Unit.VAR_HOUR: "varh",
    Unit.AMPERE: "A",
    Unit.VOLT: "V",
    Unit.HERTZ: "Hz",
    Unit.IMPULSES_PER_WATT_HOUR: "1/Wh",
    Unit.VOLT_SQUARED_HOUR: "V²h",
    Unit.AMPERE_SQUARED_HOUR: "A²h",
    Unit.KELVIN: "K",
    Unit.PERCENT: "%",
    Unit.AMPERE_HOUR: "Ah",
    Unit.DECIBEL_MILLIWATT: "dBm",
    Unit.DEGREE_FAHRENHEIT: "°F",
    Unit.CUBIC_FOOT: "ft³",
    Unit.US_GALLON: "gal (US)",
    Unit.BRITISH_THERMAL_UNIT: "Btu",
}


@pytest.mark.parametrize(("unit", "symbol"), SYMBOLS.items())
def test_named_units(unit: Unit, symbol: str) -> None:
    assert unit_symbol(unit) == symbol


@pytest.mark.parametrize(
    ("code", "symbol"),
    [(1, "a"), (62, "mol%"), (72, "dB"), (128, "in"), (174, "Btu/d")],
)
def test_ends_of_the_tables(code: int, symbol: str) -> None:
    assert unit_symbol(code) == symbol


@pytest.mark.parametrize("code", [0, 58, 68, 73, 127, 175, 253, 254, 255, 256, -1])
def test_no_symbol(code: int) -> None:
    assert unit_symbol(code) == ""
