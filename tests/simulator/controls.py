"""Objects of a meter that can be told what to do: a clock to be set, a relay, a message of any length."""

from datetime import datetime, timedelta

from custom_components.dlms_meter.dlms.codec.data import Data
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    MethodDescriptor,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

from .house import BUILT, QUARTER
from .household import HOUSEHOLD_METER
from .meter import Meter
from .objects import (
    Attribute,
    MeterObject,
    Readers,
    boolean,
    cosem_object,
    enum,
    octets,
)
from .profiles import date_time

MESSAGE = AttributeDescriptor(1, Obis.parse("0-0:96.13.0"), 2)
CONTROL_MODE = AttributeDescriptor(70, Obis.parse("0-0:96.3.10"), 4)
OUTPUT_STATE = AttributeDescriptor(70, Obis.parse("0-0:96.3.10"), 2)
CLOCK = AttributeDescriptor(8, Obis.parse("0-0:1.0.0"), 2)
ADJUST_TO_QUARTER = MethodDescriptor(8, Obis.parse("0-0:1.0.0"), 1)
SHIFT_TIME = MethodDescriptor(8, Obis.parse("0-0:1.0.0"), 6)
DISCONNECT = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 1)
RECONNECT = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 2)
ECHO = MethodDescriptor(1, Obis.parse("0-0:96.13.0"), 1)
"""No class has such a method: it returns what it is given."""

_AUTHENTICATED = Readers.AUTHENTICATED


def _writable(item: MeterObject, *attribute_ids: int) -> MeterObject:
    attributes = [
        Attribute(each.source, each.readers, each.selectors, _AUTHENTICATED)
        if number in attribute_ids
        else each
        for number, each in enumerate(item.attributes, 1)
    ]
    return MeterObject(
        item.class_id,
        item.version,
        item.logical_name,
        tuple(attributes),
        item.methods,
        _AUTHENTICATED,
    )


_RELAY = cosem_object(70, "0-0:96.3.10", boolean(True), enum(1), enum(2), methods=2)
_WRITABLE = {CLOCK.logical_name: (2,)}

CONTROLLABLE_METER: tuple[MeterObject, ...] = (
    *[
        _writable(item, *_WRITABLE[item.logical_name])
        if item.logical_name in _WRITABLE
        else item
        for item in HOUSEHOLD_METER
        if item.class_id != _RELAY.class_id
    ],
    _writable(_RELAY, 4),
    _writable(cosem_object(1, "0-0:96.13.0", octets(b"welcome"), methods=1), 2),
)


def give_controls(meter: Meter) -> Meter:
    """Let the methods of a meter made of `CONTROLLABLE_METER` do something."""

    def switch(on: bool) -> None:
        meter.written[OUTPUT_STATE] = boolean(on)

    def echo(parameters: Data | None) -> Data | None:
        return parameters

    meter.methods[DISCONNECT] = lambda _: switch(False)
    meter.methods[RECONNECT] = lambda _: switch(True)
    meter.methods[ECHO] = echo
    return meter


def let_clock_go_on(meter: Meter) -> Meter:
    """Let the clock of a meter made of `CONTROLLABLE_METER` go on from where it is set, shifted or adjusted to.

    What is measured does not go by it.
    """
    ahead = timedelta()

    def go_on_from(moment: datetime) -> None:
        nonlocal ahead
        ahead = moment - meter.now()

    def set_to(value: Data) -> None:
        assert isinstance(value.value, bytes)
        moment = DlmsDateTime.decode(value.value).as_utc()
        assert moment is not None
        go_on_from(moment)

    def shift(seconds: Data | None) -> None:
        nonlocal ahead
        assert seconds is not None
        assert isinstance(seconds.value, int)
        ahead += timedelta(seconds=seconds.value)

    def adjust(_: Data | None) -> None:
        shown = meter.now() + ahead
        past = (shown - BUILT) % QUARTER
        go_on_from(shown - past + (QUARTER if past * 2 > QUARTER else timedelta()))

    meter.sources[CLOCK] = lambda query: date_time(query, query.moment + ahead)
    meter.takers[CLOCK] = set_to
    meter.methods[SHIFT_TIME] = shift
    meter.methods[ADJUST_TO_QUARTER] = adjust
    return meter
