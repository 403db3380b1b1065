"""Physical units: the codes of the enumeration in a scaler_unit, and their symbols (DLMS UA Blue Book, COSEM units)."""

from enum import IntEnum


class Unit(IntEnum):
    """Codes of the units that meters of homes use. A meter may send any other number: units travel as plain int."""

    NONE = 0
    YEAR = 1
    MONTH = 2
    WEEK = 3
    DAY = 4
    HOUR = 5
    MINUTE = 6
    SECOND = 7
    DEGREE = 8
    DEGREE_CELSIUS = 9
    CURRENCY = 10
    CUBIC_METRE = 13
    CUBIC_METRE_CORRECTED = 14
    CUBIC_METRE_PER_HOUR = 15
    CUBIC_METRE_PER_HOUR_CORRECTED = 16
    CUBIC_METRE_PER_DAY = 17
    CUBIC_METRE_PER_DAY_CORRECTED = 18
    LITRE = 19
    KILOGRAM = 20
    PASCAL = 23
    BAR = 24
    JOULE = 25
    JOULE_PER_HOUR = 26
    WATT = 27
    VOLT_AMPERE = 28
    VAR = 29
    WATT_HOUR = 30
    VOLT_AMPERE_HOUR = 31
    VAR_HOUR = 32
    AMPERE = 33
    VOLT = 35
    HERTZ = 44
    IMPULSES_PER_WATT_HOUR = 45
    IMPULSES_PER_VAR_HOUR = 46
    IMPULSES_PER_VOLT_AMPERE_HOUR = 47
    VOLT_SQUARED_HOUR = 48
    AMPERE_SQUARED_HOUR = 49
    KELVIN = 52
    PERCENT = 56
    AMPERE_HOUR = 57
    DECIBEL_MILLIWATT = 70
    DEGREE_FAHRENHEIT = 131
    CUBIC_FOOT = 137
    US_GALLON = 140
    BRITISH_THERMAL_UNIT = 146
    OTHER = 254
    COUNT = 255


_LOW = (  # from 0; "" has no symbol or is reserved
    "|a|mo|wk|d|h|min|s|°|°C|¤|m|m/s|m³|m³|m³/h|m³/h|m³/d|m³/d|l|kg|N|Nm|Pa|bar|J|J/h|W|VA|var|Wh|VAh|varh|A|C|V|V/m|F|Ω|Ωm²/m"
    "|Wb|T|A/m|H|Hz|1/Wh|1/varh|1/VAh|V²h|A²h|kg/s|S|K|1/V²h|1/A²h|1/m³|%|Ah|||Wh/m³|J/m³|mol%|g/m³|Pa·s|J/kg|g/cm²|atm|||dBm|dBµV|dB"
)
_FROM_128 = (
    "in|ft|lb|°F|°R|in²|ft²|ac|in³|ft³|ac·ft|gal (imp)|gal (US)|lbf|psi|lb/ft³|lb/(ft·s)|ft²/s|Btu|therm (EU)|therm (US)|Btu/lb|Btu/ft³"
    "|ft³|ft/s|ft³/s|ft³/min|ft³/h|ft³/d|ac·ft/s|ac·ft/min|ac·ft/h|ac·ft/d|gal (imp)|gal (imp)/s|gal (imp)/min|gal (imp)/h|gal (imp)/d"
    "|gal (US)|gal (US)/s|gal (US)/min|gal (US)/h|gal (US)/d|Btu/s|Btu/min|Btu/h|Btu/d"
)
_SYMBOLS = {
    code: symbol
    for first, symbols in ((0, _LOW), (128, _FROM_128))
    for code, symbol in enumerate(symbols.split("|"), first)
    if symbol
}


def unit_symbol(code: int) -> str:
    """Return the symbol of a unit code; "" where it has none: dimensionless numbers, counts, reserved and unknown codes.

    Amounts of money (code 10) have the sign of an unspecified currency, ¤.
    """
    return _SYMBOLS.get(code, "")
