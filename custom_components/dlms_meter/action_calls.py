"""What the actions have in common: their fields, which meter is meant, and sentences for bad input."""

from datetime import datetime
from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import DOMAIN
from .coordinator import DlmsCoordinator
from .dlms import DlmsError, Obis

ATTR_ATTRIBUTE: Final = "attribute"
ATTR_CLASS_ID: Final = "class_id"
ATTR_COLUMNS: Final = "columns"
ATTR_CONFIRM: Final = "confirm"
ATTR_DATA: Final = "data"
ATTR_DATA_HEX: Final = "data_hex"
ATTR_FIRST: Final = "first"
ATTR_LAST: Final = "last"
ATTR_METHOD: Final = "method"
ATTR_NEWEST: Final = "newest"
ATTR_OBIS: Final = "obis"
ATTR_SELECTOR: Final = "selector"
ATTR_SELECTOR_DATA: Final = "selector_data"
ATTR_SELECTOR_DATA_HEX: Final = "selector_data_hex"
ATTR_SINCE: Final = "since"
ATTR_TIME: Final = "time"
ATTR_UNTIL: Final = "until"
ATTR_VALUE: Final = "value"

_YEARS: Final = range(1970, 2100)
"""What a clock may be set to: what is beyond is a mistake, and no meter expects it."""

type Fields = dict[Any, Any]
"""Part of a schema."""


def obis_code(text: object) -> Obis:
    """Read an OBIS code as people write it."""
    try:
        return Obis.parse(cv.string(text))
    except DlmsError as error:
        raise vol.Invalid(str(error)) from error


def clock_time(value: object) -> datetime:
    """Read a time that a clock may be set to."""
    moment: datetime = cv.datetime(value)
    if moment.year not in _YEARS:
        raise vol.Invalid(f"the year must be {_YEARS[0]} to {_YEARS[-1]}")
    return moment


def _hex(text: object) -> bytes:
    try:
        return bytes.fromhex(cv.string(text).removeprefix("0x"))
    except ValueError as error:
        raise vol.Invalid("not an even number of hexadecimal digits") from error


def _confirmed(value: object) -> bool:
    if value is not True:
        raise vol.Invalid("confirm must be true: this changes the meter")
    return True


DEVICE: Final[Fields] = {vol.Required(ATTR_DEVICE_ID): cv.string}
CONFIRM: Final[Fields] = {vol.Required(ATTR_CONFIRM): _confirmed}
OBJECT: Final[Fields] = {
    **DEVICE,
    vol.Required(ATTR_OBIS): obis_code,
    vol.Optional(ATTR_CLASS_ID): vol.All(vol.Coerce(int), vol.Range(0, 0xFFFF)),
}
ONE_ATTRIBUTE: Final[Fields] = {
    vol.Optional(ATTR_ATTRIBUTE, default=2): vol.All(
        vol.Coerce(int), vol.Range(-128, 127)
    )
}
SELECTION: Final[Fields] = {
    vol.Optional(ATTR_SELECTOR): vol.All(vol.Coerce(int), vol.Range(0, 255)),
    vol.Exclusive(ATTR_SELECTOR_DATA, ATTR_SELECTOR_DATA): dict,
    vol.Exclusive(ATTR_SELECTOR_DATA_HEX, ATTR_SELECTOR_DATA): _hex,
}
DATA: Final[Fields] = {
    vol.Exclusive(ATTR_DATA, ATTR_DATA): dict,
    vol.Exclusive(ATTR_DATA_HEX, ATTR_DATA): _hex,
}
VALUE: Final[Fields] = {vol.Exclusive(ATTR_VALUE, ATTR_DATA): object}
ENTRY: Final = vol.All(vol.Coerce(int), vol.Range(1, 0xFFFF_FFFF))


def meter_of(call: ServiceCall) -> DlmsCoordinator:
    """Return the meter that an action is for."""
    _, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, call.data[ATTR_DEVICE_ID]
    )
    coordinator: DlmsCoordinator = entry.runtime_data
    return coordinator


def invalid(key: str, **placeholders: str) -> ServiceValidationError:
    """Return one clear sentence about what was given."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


def class_id_of(coordinator: DlmsCoordinator, call: ServiceCall) -> int:
    """Return the class of the object meant: as given, or as the meter has it."""
    if (class_id := call.data.get(ATTR_CLASS_ID)) is not None:
        return int(class_id)
    name = call.data[ATTR_OBIS]
    classes = [o.class_id for o in coordinator.memory.objects if o.logical_name == name]
    if not classes:
        raise invalid("unknown_object", obis=str(name))
    return classes[0]


def aware(moment: datetime) -> datetime:
    """Take a time without offset for Home Assistant's own."""
    return (
        moment
        if moment.tzinfo
        else moment.replace(tzinfo=dt_util.get_default_time_zone())
    )
