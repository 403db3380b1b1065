"""Which entities a meter gets, from its object list: on which platform, and what each of them needs to have read.

To show another attribute, add a row; its name goes into the translations, what it looks like into its platform.
"""

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from homeassistant.const import Platform

from .descriptions import CLOCK_CLASS, describe_sensor, detail_of, meaning_of
from .dlms import AttributeDescriptor, CosemObject, Kind, Obis, Value
from .storage import MeterMemory
from .sub_meters import channel_of, is_free_channel

PROFILE_CLASS: Final = 7
COMPACT_DATA_CLASS: Final = 62
ROWS_CLASSES: Final = (PROFILE_CLASS, COMPACT_DATA_CLASS)
"""What they hold is read as rows."""
_BUFFER: Final = 2
_ENTRIES_IN_USE: Final = 7
_SET_TIME: Final = 2
_SHIFT_TIME: Final = 6

VALUE: Final = "value"
"""The kind of a sensor that shows an attribute as the catalogue understands it."""

_VALUES: Final[dict[int, dict[int, tuple[int, ...]]]] = {
    1: {2: ()},  # Data: value
    3: {2: ()},  # Register: value
    4: {2: (4, 5), 5: ()},  # Extended register: value with status and capture time, …
    5: {2: (), 3: (5, 6)},  # Demand register: current average, last average with status and …
    CLOCK_CLASS: {2: ()},
    63: {2: ()},  # Status mapping: status word
}  # fmt: skip
"""Attributes shown as they are, by class, and what is read along for each of them."""
_NOT_SHOWN: Final = {Kind.LOG, Kind.OBJECT}


class _Row(NamedTuple):
    """Objects of a class, and of a quantity of the catalogue, one attribute of which is shown in a way of its own."""

    class_id: int
    quantity: str | None
    """None: any."""
    attribute_id: int
    platform: Platform
    kind: str
    enabled: bool
    beside: tuple[int, ...] = ()
    """Attributes that are told along with it, where they can be read."""


_ROWS: Final = (
    _Row(CLOCK_CLASS, "clock", 2, Platform.BINARY_SENSOR, "clock_invalid", True),
    _Row(1, "error_register", 2, Platform.BINARY_SENSOR, "error", True),
    _Row(3, "error_register", 2, Platform.BINARY_SENSOR, "error", True),
    _Row(63, "error_register", 2, Platform.BINARY_SENSOR, "error", True),
    _Row(1, "alarm_register", 2, Platform.BINARY_SENSOR, "alarm", True),
    _Row(3, "alarm_register", 2, Platform.BINARY_SENSOR, "alarm", True),
    _Row(70, "disconnect_control", 2, Platform.BINARY_SENSOR, "supply", True),
    _Row(70, "disconnect_control", 3, Platform.SENSOR, "supply_control", False),
    _Row(70, "mbus_disconnect_control", 2, Platform.BINARY_SENSOR, "valve", True),
    _Row(70, "mbus_disconnect_control", 3, Platform.SENSOR, "valve_control", False),
    _Row(72, "mbus_client", 11, Platform.BINARY_SENSOR, "sub_meter_alarm", False),
    _Row(COMPACT_DATA_CLASS, "compact_data", _BUFFER, Platform.SENSOR, "compact_data", False),
    _Row(111, "account", 5, Platform.SENSOR, "available_credit", True),
    _Row(112, "credit", 2, Platform.SENSOR, "credit", False),
    _Row(PROFILE_CLASS, "event_log", _BUFFER, Platform.EVENT, "event_log", True),
    _Row(PROFILE_CLASS, "event_log", _BUFFER, Platform.BINARY_SENSOR, "cover", False),
    _Row(PROFILE_CLASS, "event_log", _BUFFER, Platform.BINARY_SENSOR, "terminal_cover", False),
    *(
        _Row(PROFILE_CLASS, quantity, _BUFFER, Platform.EVENT, "event_log", False)
        for quantity in (
            "connection_profile", "error_profile", "mbus_control_log", "power_failure_log", "token_log",
            "voltage_event_profile",
        )
    ),
    *(
        _Row(PROFILE_CLASS, quantity, _BUFFER, Platform.SENSOR, quantity, False, (_ENTRIES_IN_USE,))
        for quantity in (
            "billing_profile", "daily_billing_profile", "daily_load_profile", "gas_profile", "load_profile",
            "mbus_profile", "power_quality_profile", "water_profile",
        )
    ),
)  # fmt: skip
_SWITCH: Final = _Row(
    70, "disconnect_control", 2, Platform.SWITCH, "supply_switch", False
)


LIMITER_CLASS: Final = 71
MONITORED_VALUE: Final = 2
DURATIONS: Final = {
    "capture_period", "over_threshold_duration", "under_threshold_duration",
}  # fmt: skip
"""Kinds of settings in seconds."""
_SETTINGS: Final = (
    _Row(70, "disconnect_control", 4, Platform.SELECT, "control_mode", False),
    _Row(70, "mbus_disconnect_control", 4, Platform.SELECT, "control_mode", False),
    _Row(LIMITER_CLASS, "limiter", 4, Platform.NUMBER, "normal_threshold", False, (MONITORED_VALUE,)),
    _Row(LIMITER_CLASS, "limiter", 5, Platform.NUMBER, "emergency_threshold", False, (MONITORED_VALUE,)),
    _Row(LIMITER_CLASS, "limiter", 6, Platform.NUMBER, "over_threshold_duration", False),
    _Row(LIMITER_CLASS, "limiter", 7, Platform.NUMBER, "under_threshold_duration", False),
    _Row(PROFILE_CLASS, "load_profile", 4, Platform.NUMBER, "capture_period", False),
)  # fmt: skip
"""What may be written, where the meter says so and the user asked for it."""
_WRITING: Final = (Platform.NUMBER, Platform.SELECT)


class EntityPlan(NamedTuple):
    """One entity to be."""

    platform: Platform
    kind: str
    attributes: tuple[AttributeDescriptor, ...] = ()
    """What it needs to have read: the attribute it shows first, then what it tells beside."""
    enabled: bool = True
    """Whether it is there without being asked for."""
    detail: str = ""
    """What comes after its name: number or channel."""
    channel: int = 0
    """The sub-meter it belongs to, 0 for the meter itself."""

    @property
    def key(self) -> str:
        """Return what tells it from all other entities of its device and platform, for ever."""
        if not self.attributes:
            return self.kind
        class_id, logical_name, attribute_id = self.attributes[0]
        place = f"{class_id}_{logical_name}_{attribute_id}"
        return place if self.kind == VALUE else f"{place}_{self.kind}"


def plan_entities(
    memory: MeterMemory, *, with_switch: bool, with_settings: bool = False
) -> list[EntityPlan]:
    """Return the entities of a meter in the order of its object list, the clocks last: the age of their answer counts.

    `with_switch` tells whether the supply may be switched, `with_settings` whether settings may be changed.
    """
    plans = [EntityPlan(Platform.BUTTON, "read_now")]
    rows = (
        *_ROWS,
        *([_SWITCH] if with_switch else []),
        *(_SETTINGS if with_settings else []),
    )
    for item in sorted(memory.objects, key=lambda item: item.class_id == CLOCK_CLASS):
        if not is_free_channel(item.logical_name, memory.sub_meters):
            plans += _values_of(item, memory)
            plans += _rows_of(item, rows, memory.sub_meters)
        if item.class_id == CLOCK_CLASS and is_adjustable(item):
            clock = AttributeDescriptor(CLOCK_CLASS, item.logical_name, _SET_TIME)
            plans.append(
                EntityPlan(
                    Platform.BUTTON,
                    "synchronise_clock",
                    (clock,),
                    detail=_detail(clock),
                )
            )
    return list({(plan.platform, plan.key): plan for plan in plans}.values())


def _values_of(item: CosemObject, memory: MeterMemory) -> Iterator[EntityPlan]:
    """Plan a sensor for each attribute of an object that is a value."""
    channel = channel_of(item.logical_name, memory.sub_meters)
    for attribute_id, beside in _VALUES.get(item.class_id, {}).items():
        if not item.readable(attribute_id):
            continue
        attributes = tuple(
            AttributeDescriptor(item.class_id, item.logical_name, number)
            for number in (attribute_id, *beside)
            if item.readable(number)
        )
        meaning = meaning_of(attributes[0])
        if meaning is None or meaning.kind not in _NOT_SHOWN:
            enabled = describe_sensor(attributes[0]).entity_registry_enabled_default
            yield EntityPlan(
                Platform.SENSOR, VALUE, attributes, enabled, channel=channel
            )


def _rows_of(
    item: CosemObject, rows: Collection[_Row], channels: Collection[int]
) -> Iterator[EntityPlan]:
    """Plan what is shown of an object in a way of its own."""
    for row in rows:
        if item.class_id != row.class_id or not item.readable(row.attribute_id):
            continue
        attribute = AttributeDescriptor(
            row.class_id, item.logical_name, row.attribute_id
        )
        if row.platform in _WRITING and not item.writable(row.attribute_id):
            continue
        meaning = meaning_of(attribute._replace(attribute_id=2))
        if meaning is None or row.quantity != meaning.quantity:
            continue
        beside = [
            attribute._replace(attribute_id=n) for n in row.beside if item.readable(n)
        ]
        yield EntityPlan(
            row.platform,
            row.kind,
            (attribute, *beside),
            row.enabled,
            "" if item.logical_name.b in channels else _detail(attribute),
            channel_of(item.logical_name, channels),
        )


def is_in_rows(attribute: AttributeDescriptor) -> bool:
    """Tell whether an attribute is read as rows."""
    return attribute.class_id in ROWS_CLASSES and attribute.attribute_id == _BUFFER


def watched_by(limiter: AttributeDescriptor, told: Value) -> AttributeDescriptor | None:
    """Return what a limiter watches, by its monitored value; None for another attribute, or where it says nothing that is one."""
    if (limiter.class_id, limiter.attribute_id) != (LIMITER_CLASS, MONITORED_VALUE):
        return None
    match told:
        case (int(class_id), bytes(name), int(attribute_id)) if len(name) == 6:
            return AttributeDescriptor(class_id, Obis(name), attribute_id)
        case _:
            return None


def is_adjustable(clock: CosemObject) -> bool:
    """Tell whether setting a clock is worth a try: allowed one way or the other, or nothing is said about it."""
    said = clock.attribute_access or clock.method_access
    return not said or clock.writable(_SET_TIME) or clock.invocable(_SHIFT_TIME)


def _detail(attribute: AttributeDescriptor) -> str:
    meaning = meaning_of(attribute._replace(attribute_id=2))
    return "" if meaning is None else detail_of(meaning)
