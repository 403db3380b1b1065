"""Actions, called as automations call them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
import voluptuous as vol

from custom_components.dlms_meter.const import CONF_SUPPLY_SWITCH, DOMAIN
from custom_components.dlms_meter.dlms import (
    AccessMode,
    AttributeDescriptor,
    Conformance,
    Data,
    DataAccessResult,
    DataType,
    DlmsDateTime,
    Obis,
    decode_data,
)
from tests.home import DEVICE, NOBODY, Line, altered, value_of
from tests.models import PREPAID, SUB_METERS
from tests.simulator import SUPPORTED, Meter, MeterSettings, WrapperSession
from tests.simulator.objects import boolean, octets
from tests.simulator.settings import EVERY_SERVICE

ENERGY = "1-0:1.8.0*255"
pytestmark = pytest.mark.usefixtures("impatient")

HEAD = 8
"""Octets of the wrapper before the APDU."""


class Writing:
    """A session of the simulated meter that takes SET and ACTION too, and notes what it was told."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.meter = Meter(
            MeterSettings(conformance=SUPPORTED | Conformance.SET | Conformance.ACTION),
            now=line.meter.now,
            objects=line.meter.objects,
        )
        self.session = WrapperSession(self.meter)
        self.told: list[tuple[str, str]] = []
        self.classes: list[int] = []
        """Of the objects it was told about."""
        line.answer = self.answer

    def answer(self, octets: bytes) -> bytes:
        if octets[HEAD] == 0x60:  # an AARQ: somebody connected anew
            self.session.close()
            self.session = WrapperSession(self.meter)
        if octets[HEAD] not in (0xC1, 0xC3):
            return self.session.receive_data(octets)
        invoke, name = octets[HEAD + 2], Obis(octets[HEAD + 5 : HEAD + 11])
        number, rest = octets[HEAD + 11], octets[HEAD + 12 :]
        data = rest[1:]  # whether there is selective access, or parameters
        kind = "set" if octets[HEAD] == 0xC1 else "invoke"
        self.told.append((f"{kind} {name}/{number}", data.hex()))
        self.classes.append(int.from_bytes(octets[HEAD + 3 : HEAD + 5]))
        if kind == "set":
            self.put(str(name), decode_data(data))
            answer = bytes((0xC5, 1, invoke, 0))
        else:
            self.act(str(name), number)
            answer = bytes((0xC7, 1, invoke, 0, 0))
        head = octets[:2] + octets[4:6] + octets[2:4] + len(answer).to_bytes(2)
        return head + answer

    def act(self, name: str, number: int) -> None:
        if name == "0-0:96.3.10*255":
            self.put(name, boolean(number == 2))

    def put(self, name: str, value: Data) -> None:
        changed = altered(self.meter, {name: value})
        self.meter.objects, self.meter._by_name = changed.objects, changed._by_name


@pytest.fixture
def meter_id(hass: HomeAssistant, loaded: MockConfigEntry) -> str:
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
    return device.id


async def call(
    hass: HomeAssistant,
    action: str,
    data: Mapping[str, Any],
    user: MockUser | None = None,
) -> Any:  # noqa: ANN401  any JSON
    context = Context(user_id=user.id) if user else None
    return await hass.services.async_call(
        DOMAIN, action, dict(data), blocking=True, return_response=True, context=context
    )


async def test_get(hass: HomeAssistant, meter_id: str) -> None:
    """As it was sent, and with its meaning."""
    answer = await call(hass, "get", {"device_id": meter_id, "obis": "1-0:32.7.0"})
    assert answer["obis"] == "1-0:32.7.0*255"
    assert answer["class_id"] == 3
    assert answer["attribute"] == 2
    assert answer["raw"]["type"] == "long_unsigned"
    assert answer["raw"]["value"] == pytest.approx(10 * answer["value"])
    assert answer["hex"] == f"12{answer['raw']['value']:04x}"
    assert answer["unit"] == "V"
    assert 220 < answer["value"] < 240


@pytest.mark.parametrize("attribute", [0, 2])
async def test_get_of_what_was_not_read_before(
    hass: HomeAssistant, loaded: MockConfigEntry, meter_id: str, attribute: int
) -> None:
    """Its scaler is read along."""
    known = loaded.runtime_data.memory.scaler_units
    known.clear()
    where = {"device_id": meter_id, "obis": "1-0:32.7.0", "attribute": attribute}
    answer = await call(hass, "get", where)
    shown = answer["attributes"]["2"] if attribute == 0 else answer
    assert shown["unit"] == "V"
    assert 220 < shown["value"] < 240
    assert [str(scaler) for scaler in known] == ["3/1-0:32.7.0*255/3"]


async def test_get_of_what_has_no_unit(hass: HomeAssistant, meter_id: str) -> None:
    where = {"device_id": meter_id, "obis": ENERGY, "attribute": 3, "class_id": 3}
    answer = await call(hass, "get", where)
    assert answer["value"] == {"scaler": 0, "unit": 30}
    assert answer["unit"] is None
    assert answer["raw"] == {
        "type": "structure",
        "value": [{"type": "integer", "value": 0}, {"type": "enum", "value": 30}],
    }
    clock = await call(hass, "get", {"device_id": meter_id, "obis": "0-0:1.0.0"})
    assert clock["raw"]["type"] == "octet_string"
    moment = datetime.fromisoformat(clock["value"])
    assert abs(moment - dt_util.utcnow()) < timedelta(seconds=5)
    control = {"obis": "0-0:96.3.10", "attribute": 3, "device_id": meter_id}
    assert (await call(hass, "get", control))["value"] == "connected"


@pytest.mark.parametrize("known", [False, True])
async def test_get_of_all_attributes(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, known: bool
) -> None:
    """By one request where the meter knows attribute 0, else one by one."""
    if known:
        line.meter.settings = MeterSettings(conformance=EVERY_SERVICE)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    negotiated = entry.runtime_data.client.negotiated.conformance
    assert (Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET in negotiated) is known
    where = {"device_id": device.id, "obis": "1-0:32.7.0", "attribute": 0}
    answer = await call(hass, "get", where)
    assert (answer["class_id"], answer["attribute"]) == (3, 0)
    shown = answer["attributes"]
    assert list(shown) == ["1", "2", "3"]
    assert shown["1"]["value"] == "0100200700ff"
    assert 220 < shown["2"]["value"] < 240
    assert shown["2"]["unit"] == "V"
    assert shown["3"]["value"] == {"scaler": -1, "unit": 35}
    assert shown["3"]["unit"] is None


async def test_get_of_all_attributes_with_some_of_the_manufacturer(
    hass: HomeAssistant, loaded: MockConfigEntry, meter_id: str
) -> None:
    """Their numbers are negative; one that cannot be read spoils no other."""
    memory = loaded.runtime_data.memory
    rights = dict.fromkeys((-1, 1, 2, 3), AccessMode.READ)
    memory.objects = tuple(
        replace(item, attribute_access=rights)
        if str(item.logical_name) == "1-0:32.7.0*255"
        else item
        for item in memory.objects
    )
    where = {"device_id": meter_id, "obis": "1-0:32.7.0", "attribute": 0}
    shown = (await call(hass, "get", where))["attributes"]
    assert list(shown) == ["-1", "1", "2", "3"]
    assert "error" in shown["-1"]
    assert shown["2"]["unit"] == "V"


async def test_get_of_all_attributes_of_what_the_meter_does_not_list(
    hass: HomeAssistant, meter_id: str
) -> None:
    """What it refuses is told for each of them."""
    where = {"device_id": meter_id, "obis": "1-0:99.99.99", "attribute": 0}
    for class_id, numbers in ((1, ["1", "2"]), (9999, ["1", "2"])):
        answer = await call(hass, "get", {**where, "class_id": class_id})
        assert list(answer["attributes"]) == numbers
        assert all("error" in each for each in answer["attributes"].values())


async def test_get_part_of_a_profile(hass: HomeAssistant, meter_id: str) -> None:
    """Entries 1 to 2, typed and in hex; a value and its neighbours."""
    numbers = [("double_long_unsigned", 1), ("double_long_unsigned", 2)]
    numbers += [("long_unsigned", 1), ("long_unsigned", 0)]
    typed = [{"type": name, "value": value} for name, value in numbers]
    where = {"device_id": meter_id, "obis": "1-0:99.1.0", "selector": 2}
    structure = {"type": "structure", "value": typed}
    answer = await call(hass, "get", {**where, "selector_data": structure})
    assert len(answer["value"]) == 2
    in_hex = "0x02040600000001 0600000002 120001 120000".replace(" ", "")
    same = await call(hass, "get", {**where, "selector_data_hex": in_hex})
    assert same["hex"] == answer["hex"]


async def test_read_objects(hass: HomeAssistant, meter_id: str) -> None:
    answer = await call(hass, "read_objects", {"device_id": meter_id})
    energy = next(item for item in answer["objects"] if item["obis"] == ENERGY)
    assert energy == {
        "obis": ENERGY,
        "class_id": 3,
        "class": "Register",
        "version": 0,
        "meaning": "active_energy_import",
        "attributes": {
            "1": {"name": "logical_name", "access": "read"},
            "2": {"name": "value", "access": "read"},
            "3": {"name": "scaler_unit", "access": "read"},
        },
        "methods": {"1": {"name": "reset", "access": ""}},
    }


async def test_set(hass: HomeAssistant, line: Line, meter_id: str) -> None:
    """Typed or in hex; what it is now comes back."""
    meter = Writing(line)
    where = {"device_id": meter_id, "obis": "0-0:97.97.0", "confirm": True}
    answer = await call(
        hass, "set", {**where, "data": {"type": "unsigned", "value": 7}}
    )
    assert answer == {"now": {"type": "unsigned", "value": 7}}
    answer = await call(hass, "set", {**where, "data_hex": "1105"})
    assert answer == {"now": {"type": "unsigned", "value": 5}}
    assert meter.told == [
        ("set 0-0:97.97.0*255/2", "1107"),
        ("set 0-0:97.97.0*255/2", "1105"),
    ]


async def test_object_that_the_meter_does_not_list(
    hass: HomeAssistant, line: Line, meter_id: str
) -> None:
    """Its class is believed, and any attribute or method may be meant; what cannot be read back is nothing."""
    meter = Writing(line)
    where = {"device_id": meter_id, "obis": "1-0:99.99.99", "confirm": True}
    data = {"class_id": 77, "data_hex": "1105"}
    written = await call(hass, "set", {**where, **data, "attribute": -3})
    assert written == {"now": None}
    await call(hass, "invoke", {**where, **data, "method": 9})
    assert meter.told == [
        ("set 1-0:99.99.99*255/253", "1105"),  # a signed octet
        ("invoke 1-0:99.99.99*255/9", "1105"),
    ]
    assert meter.classes == [77, 77]


async def test_class_that_is_given_counts(
    hass: HomeAssistant, line: Line, meter_id: str
) -> None:
    """More than the meter's list."""
    meter = Writing(line)
    where = {"device_id": meter_id, "obis": ENERGY, "confirm": True}
    data = {"data_hex": "1105"}
    for given in ({}, {"class_id": 4}):
        await call(hass, "set", {**where, **data, **given, "attribute": 3})
        await call(hass, "invoke", {**where, **data, **given, "method": 1})
    assert meter.classes == [3, 3, 4, 4]
    assert [told for told, _ in meter.told[:2]] == [
        f"set {ENERGY}/3",
        f"invoke {ENERGY}/1",
    ]


async def test_selector_without_data(
    hass: HomeAssistant, line: Line, meter_id: str
) -> None:
    """Some selectors have none, and the meter says itself where that is not so."""
    where = {"device_id": meter_id, "obis": "1-0:99.1.0", "selector": 2}
    with pytest.raises(HomeAssistantError) as refused:
        await call(hass, "get", where)
    assert str(refused.value.translation_key).startswith("refused_")


# What is shown, what is written instead, and what the meter is told.
VALUES: dict[str, tuple[Any, str]] = {
    "0-0:97.97.0": (7, "1107"),
    "1-0:32.7.0": (231.5, "12090b"),
    "0-0:1.0.0": ("2026-11-20T13:00:30", "090c07ea0b14050d001e00ffc400"),
}


@pytest.mark.parametrize("obis", VALUES)
async def test_set_by_value(
    hass: HomeAssistant, line: Line, meter_id: str, obis: str
) -> None:
    """In the form in which it is read: in its unit, as a time."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    given, told = VALUES[obis]
    meter = Writing(line)
    where = {"device_id": meter_id, "obis": obis}
    await call(hass, "set", {**where, "value": given, "confirm": True})
    assert meter.told == [(f"set {obis}*255/2", told)]
    shown = (await call(hass, "get", where))["value"]
    assert shown == given or shown.startswith(given)


async def test_invoke(hass: HomeAssistant, line: Line, meter_id: str) -> None:
    meter = Writing(line)
    where = {"device_id": meter_id, "obis": ENERGY, "method": 1, "confirm": True}
    assert await call(hass, "invoke", where) == {"data": None}
    data = {"type": "long", "value": -3}
    assert await call(hass, "invoke", {**where, "data": data}) == {"data": None}
    assert meter.told == [
        (f"invoke {ENERGY}/1", "0f00"),
        (f"invoke {ENERGY}/1", "10fffd"),
    ]


CHANGES: dict[str, dict[str, Any]] = {
    "set": {"obis": ENERGY, "data_hex": "1100", "confirm": True},
    "invoke": {"obis": ENERGY, "method": 1, "confirm": True},
    "set_clock": {"time": "2026-11-20 12:00", "confirm": True},
    "synchronise_clock": {},
    "disconnect": {"confirm": True},
    "reconnect": {"confirm": True},
}


@pytest.mark.parametrize("action", CHANGES)
async def test_only_administrators_may_change_the_meter(
    hass: HomeAssistant, meter_id: str, hass_read_only_user: MockUser, action: str
) -> None:
    data = {"device_id": meter_id, **CHANGES[action]}
    with pytest.raises(Unauthorized):
        await call(hass, action, data, hass_read_only_user)


SYNCHRONISED = {
    "set": ("set 0-0:1.0.0*255/2", "090c07ea0b14050d001e00ffc400"),
    "shift": ("invoke 0-0:1.0.0*255/6", "10fff6"),
    "adjust_to_quarter": ("invoke 0-0:1.0.0*255/1", "0f00"),
}


@pytest.mark.parametrize("method", SYNCHRONISED)
async def test_clock(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    meter_id: str,
    method: str,
) -> None:
    """Ten seconds fast, the clock is put right in the form it shows."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-20T12:00:30Z")
    line.meter.now = dt_util.utcnow
    fast = octets(bytes.fromhex("07EA0B14050D002800FFC400"))
    line.meter = altered(line.meter, {"0-0:1.0.0*255": fast})
    meter = Writing(line)

    answer = await call(
        hass, "synchronise_clock", {"device_id": meter_id, "method": method}
    )

    assert meter.told == [SYNCHRONISED[method]]
    assert answer == {"before": 10, "after": 0 if method == "set" else 10}


async def test_clock_set_to_a_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, line: Line, meter_id: str
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-07-20T12:00:30Z")
    meter = Writing(line)
    answer = await call(
        hass,
        "set_clock",
        {"device_id": meter_id, "time": "2026-07-20 15:00:00", "confirm": True},
    )
    assert meter.told == [("set 0-0:1.0.0*255/2", "090c07ea0714010f000000ff8880")]
    assert answer == {"before": 0, "after": 3570}


# When, and whether a clock may be touched then: not within an hour of the end or the beginning of summer time.
AROUND_CHANGES = {
    "2026-10-24T23:58:00Z": True,
    "2026-10-25T00:02:00Z": False,
    "2026-10-25T01:58:00Z": False,
    "2026-10-25T02:02:00Z": True,
    "2026-03-28T23:58:00Z": True,
    "2026-03-29T00:02:00Z": False,
    "2026-03-29T01:58:00Z": False,
    "2026-03-29T02:02:00Z": True,
}


@pytest.mark.parametrize("now", AROUND_CHANGES)
@pytest.mark.parametrize("method", SYNCHRONISED)
async def test_clock_is_left_alone_while_clocks_change(  # noqa: PLR0917  fixtures and what is tried
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    meter_id: str,
    method: str,
    now: str,
) -> None:
    """Whichever way it is put right."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(now)
    meter = Writing(line)
    data = {"device_id": meter_id, "method": method}
    if AROUND_CHANGES[now]:
        await call(hass, "synchronise_clock", data)
        assert len(meter.told) == 1
        return
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "synchronise_clock", data)
    assert caught.value.translation_key == "clocks_change"
    assert not meter.told


async def test_clock_is_not_set_to_where_clocks_change(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, line: Line, meter_id: str
) -> None:
    """Which of two hours, or that there is none, a meter may see in its own way."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-10-20T12:00:00Z")
    meter = Writing(line)
    where = {"device_id": meter_id, "confirm": True}
    for time in ("2026-10-25 02:30:00", "2026-03-29 02:30:00"):
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "set_clock", {**where, "time": time})
        assert caught.value.translation_key == "clocks_change"
    assert not meter.told


@pytest.mark.parametrize("minutes_behind", [0, 140])
async def test_clock_that_has_the_change_before_it(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    meter_id: str,
    minutes_behind: int,
) -> None:
    """It is hours behind, and would pass by the change again, or not at all."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-10-25T03:00:00Z")
    line.meter.now = dt_util.utcnow
    moment = dt_util.utcnow() - timedelta(minutes=minutes_behind)
    shown = DlmsDateTime.from_datetime(dt_util.as_local(moment))
    line.meter = altered(line.meter, {"0-0:1.0.0*255": octets(shown.encode())})
    meter = Writing(line)
    data = {"device_id": meter_id}
    if not minutes_behind:
        await call(hass, "synchronise_clock", data)
        assert len(meter.told) == 1
        return
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "synchronise_clock", data)
    assert caught.value.translation_key == "clocks_change"
    assert not meter.told


async def test_clock_in_another_form(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, line: Line, meter_id: str
) -> None:
    """Few have it as a date-time of its own type, and want it so."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-20T12:00:30Z")
    fast = bytes.fromhex("07EA0B14050D002800FFC400")
    as_date_time = Data(DataType.DATE_TIME, fast)
    line.meter = altered(line.meter, {"0-0:1.0.0*255": as_date_time})
    meter = Writing(line)
    answer = await call(hass, "synchronise_clock", {"device_id": meter_id})
    assert meter.told == [("set 0-0:1.0.0*255/2", "1907ea0b14050d001e00ffc400")]
    assert answer == {"before": 10, "after": 0}


# What the clock shows at half a minute past one, what a shift of it ends with, and what else is told.
UNSHIFTABLE: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "a quarter behind": (
        "07EA0B14050C2D1D00FFC400",
        "shift_too_far",
        {"seconds": "901", "most": "900"},
    ),
    "a quarter ahead": (
        "07EA0B14050D0F1F00FFC400",
        "shift_too_far",
        {"seconds": "-901", "most": "900"},
    ),
    "nothing": ("FFFFFFFFFFFFFFFFFF8000FF", "clock_unreadable", None),
}


@pytest.mark.parametrize("name", UNSHIFTABLE)
async def test_clock_that_cannot_be_shifted(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    meter_id: str,
    name: str,
) -> None:
    """By as many seconds as meters take; it can still be set."""
    shown, key, placeholders = UNSHIFTABLE[name]
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-20T12:00:30Z")
    line.meter = altered(line.meter, {"0-0:1.0.0*255": octets(bytes.fromhex(shown))})
    meter = Writing(line)
    where = {"device_id": meter_id}
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "synchronise_clock", {**where, "method": "shift"})
    assert caught.value.translation_key == key
    assert caught.value.translation_placeholders == placeholders
    assert not meter.told
    assert (await call(hass, "synchronise_clock", where))["after"] == 0


@pytest.mark.parametrize(
    ("action", "data", "entity", "state"),
    [
        ("set", {"obis": "1-0:32.7.0", "value": 199.9}, "sensor.{}_voltage_l1", "199.9"),
        ("invoke", {"obis": "0-0:96.3.10", "method": 1}, "binary_sensor.{}_supply", "off"),
        ("disconnect", {}, "binary_sensor.{}_supply", "off"),
        ("set_clock", {"time": "2026-11-20 13:00"}, "sensor.{}_clock_drift", "3600"),
    ],
)  # fmt: skip
async def test_what_was_changed_is_shown_at_once(  # noqa: PLR0917  fixtures and what is tried
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    loaded: MockConfigEntry,
    meter_id: str,
    action: str,
    data: dict[str, Any],
    entity: str,
    state: str,
) -> None:
    """Not only at the next poll."""
    await hass.config.async_set_time_zone("UTC")
    freezer.move_to("2026-11-20T12:00:00Z")
    hass.config_entries.async_update_entry(loaded, options={CONF_SUPPLY_SWITCH: True})
    Writing(line)
    entity_id = entity.format(DEVICE)
    assert value_of(hass, entity_id) != state
    await call(hass, action, {"device_id": meter_id, "confirm": True, **data})
    await hass.async_block_till_done()
    assert value_of(hass, entity_id) == state


async def test_supply_is_switched_only_if_asked_for(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry, meter_id: str
) -> None:
    meter = Writing(line)
    where = {"device_id": meter_id, "confirm": True}
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "disconnect", where)
    assert caught.value.translation_key == "supply_switch_off"
    assert not meter.told

    hass.config_entries.async_update_entry(loaded, options={CONF_SUPPLY_SWITCH: True})
    assert await call(hass, "disconnect", where) == {"connected": False}
    assert await call(hass, "reconnect", where) == {"connected": True}
    assert meter.told == [
        ("invoke 0-0:96.3.10*255/1", "0f00"),
        ("invoke 0-0:96.3.10*255/2", "0f00"),
    ]


def refused(line: Line) -> None:
    wanted = AttributeDescriptor(3, Obis.parse(ENERGY), 2)
    line.meter.refusals[wanted] = DataAccessResult.HARDWARE_FAULT


# What is asked for with which action, and which sentence is the answer.
INVALID: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown object": ("get", {"obis": "1-0:99.99.99"}, "unknown_object"),
    "no data": ("set", {"obis": ENERGY, "confirm": True}, "data_missing"),
    "no such type": (
        "set",
        {"obis": ENERGY, "confirm": True, "data": {"type": "word", "value": 1}},
        "invalid_data",
    ),
    "too big": (
        "set",
        {"obis": ENERGY, "confirm": True, "data": {"type": "unsigned", "value": 256}},
        "invalid_data",
    ),
    "value of another form": (
        "set",
        {"obis": ENERGY, "confirm": True, "value": "much"},
        "invalid_data",
    ),
    "value that does not fit": (
        "set",
        {"obis": ENERGY, "confirm": True, "value": -1},
        "impossible_request",
    ),
    "cut short": (
        "set",
        {"obis": ENERGY, "confirm": True, "data_hex": "0600"},
        "invalid_data",
    ),
    "two ways of choosing": (
        "read_profile",
        {"obis": "1-0:99.1.0", "newest": 5, "first": 1},
        "one_selection",
    ),
    "upside down": (
        "read_profile",
        {
            "obis": "1-0:99.1.0",
            "since": "2026-11-20 12:00",
            "until": "2026-11-19 12:00",
        },
        "upside_down",
    ),
    "numbers upside down": (
        "read_profile",
        {"obis": "1-0:99.1.0", "first": 9, "last": 3},
        "upside_down",
    ),
    "no beginning": (
        "read_profile",
        {"obis": "1-0:99.1.0", "until": "2026-11-19 12:00"},
        "since_missing",
    ),
}


@pytest.mark.parametrize("name", INVALID)
async def test_bad_input_gives_one_clear_sentence(
    hass: HomeAssistant, line: Line, meter_id: str, name: str
) -> None:
    action, data, key = INVALID[name]
    meter = Writing(line)
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, action, {"device_id": meter_id, **data})
    assert caught.value.translation_key == key
    assert "{" not in str(caught.value)
    assert not meter.told


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("get", {"obis": "1.2.3.4.5.6.7.8"}),
        ("get", {"obis": ENERGY, "attribute": 999}),
        ("get", {"obis": ENERGY, "selector_data_hex": "0"}),
        ("get", {}),
        ("set", {"obis": ENERGY, "data_hex": "1107"}),
        ("set", {"obis": ENERGY, "data_hex": "1107", "confirm": False}),
        ("set", {"obis": ENERGY, "data_hex": "11", "data": {}, "confirm": True}),
        ("set", {"obis": ENERGY, "data_hex": "11", "value": 1, "confirm": True}),
        ("invoke", {"obis": ENERGY, "method": 0, "confirm": True}),
        ("synchronise_clock", {"method": "guess"}),
        ("set_clock", {"time": "0001-01-01 00:00:00", "confirm": True}),
        ("set_clock", {"time": "9999-12-31 23:59:59", "confirm": True}),
        ("read_profile", {"obis": ENERGY, "newest": 0}),
    ],
)
async def test_schema(
    hass: HomeAssistant, meter_id: str, action: str, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await call(hass, action, {"device_id": meter_id, **data})


async def test_what_the_meter_refuses_is_told(
    hass: HomeAssistant, line: Line, meter_id: str
) -> None:
    refused(line)
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "get", {"device_id": meter_id, "obis": ENERGY})
    assert caught.value.translation_key == "refused_hardware"
    assert "its own hardware" in str(caught.value)


async def test_meter_that_does_not_answer(
    hass: HomeAssistant, line: Line, meter_id: str
) -> None:
    line.broken = NOBODY
    with pytest.raises(HomeAssistantError) as caught:
        await call(hass, "get", {"device_id": meter_id, "obis": ENERGY})
    assert caught.value.translation_key == "cannot_connect"


async def test_meter_without_clock_or_disconnector(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    without = ("0-0:1.0.0*255", "0-0:96.3.10*255")
    kept = [item for item in PREPAID if str(item.logical_name) not in without]
    line.meter = Meter(now=line.meter.now, objects=kept)
    hass.config_entries.async_update_entry(entry, options={CONF_SUPPLY_SWITCH: True})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    for action, key in (("set_clock", "no_clock"), ("reconnect", "no_disconnector")):
        data = {"device_id": device.id, "confirm": True}
        if action == "set_clock":
            data["time"] = "2026-11-20 12:00"
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, action, data)
        assert caught.value.translation_key == key


async def test_valve_of_another_meter_is_no_supply(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """Who switches off the supply means that of the home, not the gas."""
    line.meter = Meter(now=line.meter.now, objects=SUB_METERS)
    hass.config_entries.async_update_entry(entry, options={CONF_SUPPLY_SWITCH: True})
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert value_of(hass, "binary_sensor.gas_meter_valve") == "on"
    meter = Writing(line)
    device, *_ = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    for action in ("disconnect", "reconnect"):
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, action, {"device_id": device.id, "confirm": True})
        assert caught.value.translation_key == "no_disconnector"
    assert not meter.told


async def test_read_profile(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, meter_id: str
) -> None:
    """Rows with times, units and status, by time, by number, or the newest; all columns or some."""
    freezer.move_to("2026-11-20T12:07:00Z")
    where = {"device_id": meter_id, "obis": "1-0:99.1.0"}
    newest = await call(hass, "read_profile", {**where, "newest": 3})
    assert [row["time"] for row in newest["rows"]] == [
        "2026-11-20T11:30:00+00:00",
        "2026-11-20T11:45:00+00:00",
        "2026-11-20T12:00:00+00:00",
    ]
    assert {column["name"]: column["unit"] for column in newest["columns"]} == {
        "0-0:1.0.0*255": None,
        "0-0:96.10.1*255": None,
        ENERGY: "Wh",
        "1-0:2.8.0*255": "Wh",
        "1-0:1.4.0*255": "W",
    }
    energies = [row["values"][ENERGY] for row in newest["rows"]]
    assert energies == sorted(energies)
    assert energies[0] > 1_000_000
    assert newest["rows"][0]["values"]["0-0:96.10.1*255"] == 8

    times = {"since": "2026-11-20T11:20:00+00:00", "until": "2026-11-20T12:30:00+00:00"}
    by_time = await call(hass, "read_profile", {**where, **times})
    assert by_time == newest
    some = await call(
        hass, "read_profile", {**where, **times, "columns": ["1-0:1.8.0"]}
    )
    assert [column["name"] for column in some["columns"]] == [ENERGY]
    assert [row["values"] for row in some["rows"]] == [{ENERGY: e} for e in energies]
    oldest = await call(hass, "read_profile", {**where, "first": 1, "last": 2})
    assert len(oldest["rows"]) == 2
    assert oldest["rows"][0]["time"] < newest["rows"][0]["time"]


PARTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "from a time on": ({"since": "2026-11-20T11:50:00+00:00"}, ["12:00"]),
    "between times": (
        {"since": "2026-11-20T11:20:00+00:00", "until": "2026-11-20T11:50:00+00:00"},
        ["11:30", "11:45"],
    ),
    "times of the house": (
        {"since": "2026-11-20 12:20:00", "until": "2026-11-20 12:50:00"},
        ["11:30", "11:45"],
    ),
}


@pytest.mark.parametrize("part", PARTS)
async def test_part_of_a_profile_by_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, meter_id: str, part: str
) -> None:
    """With both ends or an open one; without an offset it is the time of the house."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-20T12:07:00Z")
    given, times = PARTS[part]
    where = {"device_id": meter_id, "obis": "1-0:99.1.0"}
    told = await call(hass, "read_profile", {**where, **given})
    moments = [datetime.fromisoformat(row["time"]) for row in told["rows"]]
    assert [f"{moment.astimezone(UTC):%H:%M}" for moment in moments] == times


async def test_part_of_a_profile_by_number(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, meter_id: str
) -> None:
    """Only the first number, only the last one, or nothing at all: up to the newest row, from the oldest, the whole."""
    freezer.move_to("2026-11-20T12:07:00Z")
    where = {"device_id": meter_id, "obis": "1-0:99.1.0"}

    async def rows(**given: int) -> list[Any]:
        columns = {"columns": ["0-0:1.0.0"]}
        told = await call(hass, "read_profile", {**where, **columns, **given})
        times: list[Any] = [row["time"] for row in told["rows"]]
        return times

    in_use = await call(hass, "get", {**where, "attribute": 7})
    whole = await rows()
    assert len(whole) == in_use["value"] > 4
    assert await rows(first=len(whole) - 1) == whole[-2:]
    assert await rows(last=2) == whole[:2]
    assert await rows(first=2, last=4) == whole[1:4]


async def test_profile_without_such_a_column(
    hass: HomeAssistant, meter_id: str
) -> None:
    where = {"device_id": meter_id, "obis": "1-0:99.1.0", "newest": 1}
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "read_profile", {**where, "columns": ["1-0:9.8.0"]})
    assert caught.value.translation_key == "no_such_column"
