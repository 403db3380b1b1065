"""What a meter offers, in words people know: to be chosen from when it is set up, and at any time later."""

from asyncio import get_running_loop
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.components.sensor.const import UNIT_CONVERTERS
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)
from homeassistant.helpers.translation import async_get_translations
import voluptuous as vol

from .const import CONF_READINGS, DOMAIN
from .descriptions import CLOCK_CLASS, DlmsSensorDescription, describe_sensor
from .dlms import AttributeDescriptor, DlmsClient, DlmsError, Quantity, Value
from .plan import VALUE, EntityPlan, plan_entities
from .storage import MeterMemory

GROUPS: Final = ("energy", "power", "grid", "other")
_GROUP_OF: Final = {
    SensorDeviceClass.ENERGY: "energy",
    SensorDeviceClass.REACTIVE_ENERGY: "energy",
    SensorDeviceClass.GAS: "energy",
    SensorDeviceClass.WATER: "energy",
    SensorDeviceClass.VOLUME: "energy",
    SensorDeviceClass.POWER: "power",
    SensorDeviceClass.REACTIVE_POWER: "power",
    SensorDeviceClass.APPARENT_POWER: "power",
    SensorDeviceClass.VOLUME_FLOW_RATE: "power",
    SensorDeviceClass.VOLTAGE: "grid",
    SensorDeviceClass.CURRENT: "grid",
    SensorDeviceClass.FREQUENCY: "grid",
    SensorDeviceClass.POWER_FACTOR: "grid",
}
_FOLDED: Final = ("other",)
"""Groups that stay closed until somebody looks for them."""

_SAMPLES_AT_ONCE: Final = 12
_MOST_SAMPLES: Final = 36
_SAMPLING_SECONDS: Final = 5
"""So long people wait gladly for values beside what they did not ask for."""
_LONGEST_TEXT: Final = 24

type Samples = dict[AttributeDescriptor, Value]


class Offered(NamedTuple):
    """One reading that may be chosen."""

    key: str
    group: str
    label: str
    proposed: bool


def reading_key(plan: EntityPlan) -> str:
    """Return what a choice keeps of one reading."""
    return f"{plan.channel}/{plan.key}" if plan.channel else plan.key


def is_reading(plan: EntityPlan) -> bool:
    """Tell whether an entity to be is a reading: a value of the meter as it is."""
    return plan.platform is Platform.SENSOR and plan.kind == VALUE


def with_choice(
    plans: Iterable[EntityPlan], options: Mapping[str, Any]
) -> list[EntityPlan]:
    """Return the entities to be as the user wants them; without a choice they stay as proposed."""
    wanted: Collection[str] | None = options.get(CONF_READINGS)
    if wanted is None:
        return list(plans)
    return [
        plan._replace(enabled=reading_key(plan) in wanted) if is_reading(plan) else plan
        for plan in plans
    ]


async def async_read_samples(client: DlmsClient, memory: MeterMemory) -> Samples:
    """Read what is proposed, for people to see, and the rest where it takes no time; what is missing is left out.

    What is learned of scalers and units stays in `memory`.
    """
    readings = filter(is_reading, plan_entities(memory, with_switch=False))
    wanted = sorted(readings, key=lambda plan: not plan.enabled)
    proposed = min(sum(plan.enabled for plan in wanted), _MOST_SAMPLES)
    attributes = [plan.attributes[0] for plan in wanted]
    clock = get_running_loop().time
    end = clock() + _SAMPLING_SECONDS
    samples: Samples = {}
    for start in range(0, len(attributes), _SAMPLES_AT_ONCE):
        if start >= proposed and clock() >= end:
            break
        try:
            report = await client.read(
                attributes[start : start + _SAMPLES_AT_ONCE], memory.scaler_units
            )
        except DlmsError:
            break
        samples |= report.values
    return samples


async def async_offer(
    hass: HomeAssistant, memory: MeterMemory, samples: Samples
) -> list[Offered]:
    """Return what may be chosen, named in the language of Home Assistant, with the values that are known."""
    names = await async_get_translations(hass, hass.config.language, "entity", {DOMAIN})
    offer = []
    for plan in plan_entities(memory, with_switch=False):
        if not is_reading(plan):
            continue
        attribute = plan.attributes[0]
        description = describe_sensor(
            attribute, memory.unit_of(attribute), memory.sub_meters.get(plan.channel)
        ).in_words(names)
        label = _name(names, description)
        if attribute.class_id != CLOCK_CLASS and attribute in samples:
            label = f"{label}: {_text(samples[attribute], description)}"
        offer.append(
            Offered(
                reading_key(plan),
                _GROUP_OF.get(description.device_class, "other")
                if description.device_class
                else "other",
                label,
                plan.enabled,
            )
        )
    return offer


def readings_schema(
    offer: Iterable[Offered], wanted: Collection[str] | None = None
) -> vol.Schema:
    """Return the form: one choice for each group that the meter has something of."""
    fields: dict[Any, Any] = {}
    for group in GROUPS:
        rows = [row for row in offer if row.group == group]
        if not rows:
            continue
        chosen_now = [
            row.key
            for row in rows
            if (row.proposed if wanted is None else row.key in wanted)
        ]
        choice = SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=row.key, label=row.label) for row in rows
                ],
                multiple=True,
                mode=SelectSelectorMode.DROPDOWN
                if group in _FOLDED
                else SelectSelectorMode.LIST,
            )
        )
        inner = vol.Schema({vol.Optional(CONF_READINGS, default=chosen_now): choice})
        fields[vol.Required(group)] = section(
            inner,  # type: ignore[arg-type]  # Home Assistant serves voluptuous by probatio
            {"collapsed": group in _FOLDED},
        )
    return vol.Schema(fields)


def chosen(user_input: Mapping[str, Any]) -> list[str]:
    """Return the keys of what was chosen, of all groups."""
    return [
        key
        for group in GROUPS
        for key in user_input.get(group, {}).get(CONF_READINGS, ())
    ]


def _name(names: Mapping[str, str], description: DlmsSensorDescription) -> str:
    """Return how a reading is called."""
    key = f"component.{DOMAIN}.entity.sensor.{description.translation_key}.name"
    return names.get(key, description.key).format(
        **(description.translation_placeholders or {})
    )


def _text(value: Value, description: DlmsSensorDescription) -> str:
    """Return a value for people: in the unit that Home Assistant will suggest."""
    if not isinstance(value, Quantity):
        text = value.hex() if isinstance(value, bytes) else str(value)
        return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    number: Decimal | float = value.value
    unit = description.native_unit_of_measurement
    wanted = description.suggested_unit_of_measurement
    converter = UNIT_CONVERTERS.get(description.device_class)
    if wanted and unit and converter is not None:
        number, unit = converter.convert(float(number), unit, wanted), wanted
    decimals = description.suggested_display_precision
    shown = f"{number:f}" if decimals is None else f"{number:.{decimals}f}"
    return f"{shown} {unit}" if unit else shown
