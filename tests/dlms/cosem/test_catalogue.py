"""The catalogue against published lists of OBIS codes, and against every code seen in public captures."""

from collections.abc import Iterator
from itertools import product
import json
from pathlib import Path
import re
from typing import Any, NamedTuple

import pytest

from custom_components.dlms_meter.dlms.cosem.catalogue import describe
from custom_components.dlms_meter.dlms.cosem.interface_classes import INTERFACE_CLASSES
from custom_components.dlms_meter.dlms.cosem.meaning import (
    Direction,
    Kind,
    Meaning,
    Phase,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.units import Unit, unit_symbol

RULES: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "obis_rules.json").read_text("utf-8")
)
GROUP = r"(\([^)]*\)|\w+|\*)"
PATTERN = re.compile(rf"{GROUP}-{GROUP}:{GROUP}\.{GROUP}(?:\.{GROUP})?(?:\*{GROUP})?")
ANY = {"b": [0, 1, 64], "n": [1, 4], "*": [0, 5]}


def ends(group: str) -> list[int]:
    """Return the first and the last number of every range of a group."""
    return ANY.get(group) or sorted({int(n) for n in re.findall(r"\d+", group)})


def names(pattern: str) -> Iterator[Obis]:
    """Return the corners of what a pattern stands for."""
    match = PATTERN.fullmatch(pattern)
    assert match, pattern
    *groups, e, f = match.groups()
    for name in product(*map(ends, groups), ends(e or "*"), ends(f or "255")):
        yield Obis(bytes(name))


def described(name: Obis, class_id: int) -> Meaning:
    meaning = describe(name, class_id)
    assert meaning is not None, f"{class_id}/{name}"
    return meaning


# --- The electricity rules, as others wrote them ----------------------------------------------------------------------

KINDS: dict[str, set[Kind]] = {
    "instantaneous": {Kind.INSTANT},
    "total register": {Kind.TOTAL},
    "tariff E": {Kind.TOTAL},
    "historical billing value F": {Kind.TOTAL},
    "billing-period or interval energy (resets)": {Kind.PERIOD, Kind.INTERVAL},
    "current average (demand)": {Kind.CURRENT_AVERAGE},
    "last average (demand)": {Kind.LAST_AVERAGE},
    "maximum demand, tariff E": {Kind.MAXIMUM},
    "cumulative maximum demand": {Kind.CUMULATIVE_MAXIMUM},
    "average 3": {Kind.CURRENT_AVERAGE, Kind.LAST_AVERAGE},
    "harmonic E": {Kind.HARMONIC},
    "total harmonic distortion": {Kind.THD},
    "voltage sag count": {Kind.OCCURRENCES},
    "voltage swell count": {Kind.OCCURRENCES},
    "missing-voltage count": {Kind.OCCURRENCES},
    "sag / swell / missing duration": {Kind.DURATION},
    "sag / swell / missing magnitude": {Kind.MAGNITUDE},
}
DIRECTIONS = {
    "import (QI+QIV)": Direction.IMPORT,
    "export (QII+QIII)": Direction.EXPORT,
    "positive (QI+QII)": Direction.IMPORT,
    "negative (QIII+QIV)": Direction.EXPORT,
    "QI": Direction.Q1,
    "QII": Direction.Q2,
    "QIII": Direction.Q3,
    "QIV": Direction.Q4,
    "absolute sum |QI+QIV|+|QII+QIII|": Direction.ABSOLUTE,
    "net |QI+QIV|-|QII+QIII| (signed)": Direction.NET,
    "export": Direction.EXPORT,
}
PHASES = {"L1": Phase.L1, "L2": Phase.L2, "L3": Phase.L3, "N": Phase.NEUTRAL}
GROWING = {Kind.TOTAL, Kind.OCCURRENCES}
RESETTING = {Kind.PERIOD, Kind.INTERVAL}


def state_class_fits(state_class: str | None, meaning: Meaning) -> bool:
    """Tell whether Home Assistant's words for how a value moves fit ours."""
    grows = meaning.kind in GROWING and meaning.direction is not Direction.NET
    match state_class:
        case "total_increasing":
            return grows
        case "total":
            return not grows and meaning.kind in GROWING | RESETTING
        case "measurement":
            return meaning.kind not in GROWING | RESETTING
    return True


class Statement(NamedTuple):
    """What a rule says of value groups D, E and F, and for which C."""

    rest: str
    says: str
    unit: str | None
    classes: list[int]
    state_class: str | None
    groups: list[int]


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param(Statement(*row), id=f"{row[0]} {row[1]}")
        for row in RULES["statements"]
    ],
)
def test_electricity(rule: Statement) -> None:
    for c in rule.groups:
        quantity, direction, phase, own_unit, integral_unit = RULES["electricity"][
            str(c)
        ]
        symbol = {"own": own_unit, "integral": integral_unit}.get(
            rule.unit or "", rule.unit
        )
        stem = quantity.split(" (")[0].replace("-", "_").replace(" ", "_")
        if rule.unit == "integral":
            stem = stem.replace("power", "energy")
        for name, class_id in product(names(f"1-b:{c}.{rule.rest}"), rule.classes):
            meaning = described(name, class_id)
            assert meaning.quantity.startswith(stem.removesuffix("_quantity")), name
            assert meaning.kind in KINDS[rule.says], name
            assert meaning.direction == DIRECTIONS.get(direction), name
            assert meaning.phase == PHASES.get(phase), name
            assert unit_symbol(meaning.unit or 0) == (symbol or "").replace(
                "count", ""
            ), name
            assert meaning.channel == name.b
            assert meaning.billing_period == (None if name.f == 255 else name.f)
            assert not meaning.diagnostic
            if rule.says == "harmonic E":
                assert (meaning.index, meaning.tariff) == (str(name.e), None)
            elif rule.says != "total harmonic distortion":
                assert meaning.tariff == (name.e or None)
            assert state_class_fits(rule.state_class, meaning), name


# --- All other rules --------------------------------------------------------------------------------------------------


def units_fit(written: str | None, meaning: Meaning) -> bool:
    """Tell whether a unit is among those written, such as `m³ or Wh`."""
    if written is None or meaning.unit is None or meaning.kind is Kind.OBJECT:
        return meaning.unit in (None, Unit.COUNT) or written is not None
    # The list calls all gas indexes volumes; 31 to 36 are indexes of energy.
    return meaning.quantity == "gas_energy" or unit_symbol(meaning.unit) in re.split(
        r" / | or ", written
    )


@pytest.mark.parametrize(
    ("pattern", "says", "unit", "classes", "keys"),
    [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in RULES["others"]],
)
def test_other_rules(
    pattern: str, says: str, unit: str | None, classes: list[int], keys: str
) -> None:
    for name, class_id in product(names(pattern), classes):
        meaning = described(name, class_id)
        assert meaning.key in keys.split(), (name, says)
        assert units_fit(unit, meaning), (name, says)
        assert meaning.channel == name.b
    assert describe(next(names(pattern)), 9999) is None


@pytest.mark.parametrize(
    ("pattern", "says", "why"),
    [row for row in RULES["left_out"] if PATTERN.fullmatch(row[0])],
)
def test_what_is_left_out(pattern: str, says: str, why: str) -> None:
    """Listed elsewhere, unknown here on purpose: the reason stands in the data."""
    assert all(
        describe(name, class_id) is None
        for name in names(pattern)
        for class_id in INTERFACE_CLASSES
    ), (says, why)


def observed_names() -> list[Obis]:
    codes = " ".join(RULES["observed"]).split()
    return [Obis.parse(code[::-1].replace(".", "*", 1)[::-1]) for code in codes]


def test_every_code_seen_in_captures_is_known_unless_it_is_the_manufacturers() -> None:
    unknown = {
        name
        for name in observed_names()
        if not any(describe(name, class_id) for class_id in INTERFACE_CLASSES)
    }
    manufacturers = {
        name
        for name in observed_names()
        if name.c >= 128
        or name.d >= 128
        or 128 <= name.e < 255
        or (name.c == 96 and name.d >= 50)
    }
    national = Obis.parse("1-0:0.2.129*255"), Obis.parse("1-1:0.2.129*255")
    nothing = Obis(bytes(6))  # seen as the name of an object a server made up
    assert len(observed_names()) == 450
    assert unknown == manufacturers - {*national} | {nothing}


# --- What follows from them -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "class_id", "key", "detail"),
    [
        ("1-0:1.8.0*255", 3, "active_energy_import", ""),
        ("1-0:2.8.2*255", 3, "active_energy_export", "T2"),
        ("1-0:21.8.1*255", 3, "active_energy_import", "L1 T1"),
        ("1-0:5.8.0*255", 3, "reactive_energy_q1", ""),
        ("1-0:16.7.0*255", 3, "active_power_net", ""),
        ("1-0:1.7.0*255", 3, "active_power_import", ""),
        ("1-0:1.6.0*255", 4, "active_power_import_maximum", ""),
        ("1-0:1.6.1*255", 4, "active_power_import_maximum", "T1"),
        ("1-0:1.4.0*255", 5, "active_power_import_current_average", ""),
        ("1-0:1.14.0*255", 5, "active_power_import_current_average", "2"),
        ("1-0:1.29.0*255", 3, "active_energy_import_interval", ""),
        ("1-0:52.7.0*255", 3, "voltage", "L2"),
        ("1-0:91.7.0*255", 3, "current", "N"),
        ("1-0:13.7.0*255", 3, "power_factor", ""),
        ("1-0:85.7.0*255", 3, "power_factor_export", "L1"),
        ("1-0:81.7.4*255", 3, "phase_angle", "I1-U1"),
        ("1-0:81.7.20*255", 3, "phase_angle", "U1-U3"),
        ("1-0:31.7.5*255", 3, "current_harmonic", "L1 5"),
        ("1-0:31.7.125*255", 3, "current_total_demand_distortion", "L1"),
        ("1-0:32.7.126*255", 3, "voltage_harmonics", "L1"),
        ("1-0:32.32.0*255", 1, "voltage_under_limit_occurrences", "L1"),
        ("1-0:12.36.0*255", 1, "voltage_over_limit_occurrences", ""),
        ("1-0:1.35.0*255", 3, "active_power_over_limit_import_threshold", ""),
        ("1-0:12.45.0*255", 3, "voltage_missing_time_threshold", ""),
        ("1-0:31.8.0*255", 7, None, ""),
        ("1-0:1.8.1*3", 3, "active_energy_import", "T1 *3"),
        ("1-0:1.8.0*101", 7, "active_energy_import", "*101"),
        ("0-0:96.7.2*255", 1, "power_failures", "L2"),
        ("0-0:96.7.5*255", 1, "long_power_failures", ""),
        ("0-0:96.1.1*255", 1, "device_id", "2"),
        ("0-0:96.8.2*255", 3, "operating_duration", "T2"),
        ("0-2:24.2.1*255", 4, "mbus_value", "1"),
        ("1-1:94.34.100*255", 1, "active_quadrant", ""),
    ],
)
def test_keys(name: str, class_id: int, key: str | None, detail: str) -> None:
    meaning = describe(Obis.parse(name), class_id)
    assert (meaning.key, meaning.detail) == (key, detail) if meaning else key is None


@pytest.mark.parametrize(
    ("name", "class_id"),
    [
        (
            "0-0:1.0.0*255",
            5,
        ),  # a public capture has demand register and monitor under the name of the clock
        ("0-0:1.0.0*255", 21),
        ("1-0:1.8.0*255", 7),  # the profile of something else
        ("1-0:1.8.0*255", 8),
        ("1-65:1.8.0*255", 3),  # channels of utilities
        ("1-0:1.8.0*100", 3),  # reserved periods
        ("1-0:1.8.0*127", 3),
        ("1-0:1.8.64*255", 3),  # reserved tariffs
        ("1-0:1.7.1*255", 3),  # an instant has no tariff
        ("1-0:31.7.121*255", 3),  # reserved harmonics
        ("1-0:31.8.0*255", 3),  # nothing integrates a current
        ("1-0:81.7.3*255", 3),  # no such conductor
        ("1-0:81.7.33*255", 3),
        ("1-0:81.7.80*255", 3),
        ("1-0:1.57.0*255", 3),
        ("1-0:93.7.0*255", 3),
        ("2-0:1.8.0*255", 3),
        ("0-0:96.1.0*1", 1),  # identification knows no billing periods
    ],
)
def test_unknown(name: str, class_id: int) -> None:
    assert describe(Obis.parse(name), class_id) is None


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "key", "kind"),
    [
        (4, 1, None, None),
        (4, 2, "active_power_import_maximum", Kind.MAXIMUM),
        (4, 3, None, None),
        (4, 4, "active_power_import_status", Kind.STATE),
        (4, 5, "active_power_import_capture_time", Kind.TIME),
        (4, 6, None, None),
        (4, 0, None, None),
        (5, 3, "active_power_import_last_average", Kind.LAST_AVERAGE),
        (5, 4, None, None),
        (5, 6, "active_power_import_capture_time", Kind.TIME),
        (5, 7, "active_power_import_start_time_current", Kind.TIME),
        (5, 8, "active_power_import_period", Kind.FACT),
    ],
)
def test_other_attributes(
    class_id: int, attribute_id: int, key: str | None, kind: Kind | None
) -> None:
    meaning = describe(Obis.parse("1-0:1.6.0*255"), class_id, attribute_id)
    assert (meaning and meaning.key, meaning and meaning.kind) == (key, kind)


def test_the_relay_has_a_state_beside_its_output() -> None:
    relay = Obis.parse("0-0:96.3.10*255")
    state = describe(relay, 70, 3)
    assert state is not None
    assert (state.key, state.kind) == ("disconnect_control_control_state", Kind.STATE)


def test_placeholders_name_what_differs() -> None:
    meaning = described(Obis.parse("1-0:41.8.3*12"), 3)
    assert meaning.placeholders == {
        "phase": "L2",
        "tariff": "T3",
        "billing_period": "*12",
    }
    assert described(Obis.parse("1-0:1.8.0*0"), 3).placeholders == {
        "billing_period": "*0"
    }


def test_what_is_about_the_meter_is_diagnostic() -> None:
    diagnostic = {
        "0-0:96.7.21*255": True,
        "0-0:96.14.0*255": False,
        "7-0:3.0.0*255": False,
    }
    for name, expected in diagnostic.items():
        assert described(Obis.parse(name), 1).diagnostic is expected


def test_text_is_told_from_octets() -> None:
    texts = {"0-0:42.0.0*255": True, "1-0:0.2.0*255": True, "1-0:0.2.8*255": False}
    for name, expected in texts.items():
        assert described(Obis.parse(name), 1).text is expected
