"""What the attributes of interface classes are made of, as rows; and so, their values read and written.

A row is `class.attributes | type`. A type is one of the standard's, or
`name` (a logical name), `text`, `date_time`, `date`, `time` (octet-strings, which some meters send under tags of their
own), `any`, an enumeration `a/b/c` of values from 0 on (`-` where there is none), `{field:type …}` a structure, and
`[type]` an array. Source: DLMS UA Blue Book, interface classes.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from enum import IntEnum
from functools import cache, partial
import re
from typing import NamedTuple, cast

from ..codec.axdr import encode_data
from ..codec.data import FIXED, BitString, Data, DataType
from ..codec.datetimes import DlmsDate, DlmsDateTime, DlmsTime
from ..errors import DecodeError, LocalProtocolError
from .capture_objects import CaptureObject
from .descriptors import AttributeDescriptor
from .obis import Obis
from .values import (
    Quantity,
    ScalerUnit,
    Value,
    decode_text,
    elements,
    interpret,
    plain,
    scaler_unit_of,
)

_ROWS = """
3.3 4.3 5.4 | ScalerUnit{scaler:integer unit:enum}
4.5 5.6 5.7 | date_time
5.8 | double_long_unsigned
5.9 | long_unsigned
7.3 62.3 | [CaptureObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned}]
7.4 7.7 7.8 | double_long_unsigned
7.5 | -/fifo/lifo/largest/smallest/nearest_to_zero/farthest_from_zero
7.6 | CaptureObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned}
8.2 8.5 8.6 | date_time
8.3 | long
8.4 | unsigned
8.7 | integer
8.8 | boolean
8.9 | not_defined/internal_crystal/mains_50_hz/mains_60_hz/gps/radio
9.2 | [Script{script_identifier:long_unsigned actions:[ScriptAction{
    service_id:-/write_attribute/execute_method class_id:long_unsigned logical_name:name index:integer parameter:any}]}]
12.4 15.9 | name
15.3 | AssociatedPartners{client_sap:integer server_sap:long_unsigned}
15.5 | XdlmsContextInfo{conformance:bit_string max_receive_pdu_size:long_unsigned max_send_pdu_size:long_unsigned
    dlms_version_number:unsigned quality_of_service:integer cyphering_info:octet_string}
15.8 | non_associated/association_pending/associated
17.2 | [SapAssignment{sap:long_unsigned logical_device_name:text}]
18.2 18.4 | double_long_unsigned
18.3 | bit_string
18.5 | boolean
18.6 | not_initiated/initiated/verification_initiated/verification_successful/verification_failed/activation_initiated
    /activation_successful/activation_failed
18.7 | [ImageToActivate{size:double_long_unsigned identification:octet_string signature:octet_string}]
20.2 20.6 | text
20.3 20.7 | [SeasonProfile{name:text start:date_time week_name:text}]
20.4 20.8 | [WeekProfile{name:text monday:unsigned tuesday:unsigned wednesday:unsigned thursday:unsigned friday:unsigned
    saturday:unsigned sunday:unsigned}]
20.5 20.9 | [DayProfile{day_id:unsigned schedule:[DayProfileAction{start_time:time script_logical_name:name
    script_selector:long_unsigned}]}]
20.10 | date_time
23.2 | baud_300/baud_600/baud_1200/baud_2400/baud_4800/baud_9600/baud_19200/baud_38400/baud_57600/baud_115200
23.3 23.4 | unsigned
23.5 23.6 23.7 23.8 23.9 | long_unsigned
40.2 | [CaptureObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned}]
40.3 | SendDestinationAndMethod{transport_service:tcp/udp/ftp/smtp/sms/hdlc/m_bus/zigbee/dlms_gateway destination:octet_string
    message:enum}
40.4 | [CommunicationWindow{start:date_time end:date_time}]
40.5 40.7 | long_unsigned
40.6 | unsigned
63.2 | any
63.3 | MappingTable{ref_table_id:unsigned ref_table_mapping:any}
64.2 | enum
64.3 | enum
64.4 64.5 | octet_string
64.6 | [CertificateInfo{entity:server/client/certification_authority/other type:digital_signature/key_agreement/tls/other
    serial_number:octet_string issuer:octet_string subject:octet_string subject_alt_name:octet_string}]
62.2 62.5 | octet_string
62.4 | unsigned
62.6 | invoke/implicit
70.2 | boolean
70.3 | disconnected/connected/ready_for_reconnection
70.4 | enum
71.2 | MonitoredValue{class_id:long_unsigned logical_name:name attribute_id:integer}
71.6 71.7 | double_long_unsigned
71.8 | EmergencyProfile{id:long_unsigned activation_time:date_time duration:double_long_unsigned}
71.9 | [long_unsigned]
71.10 | boolean
71.11 | LimiterActions{over_threshold:ActionItem{script_logical_name:name script_selector:long_unsigned}
    under_threshold:ActionItem{script_logical_name:name script_selector:long_unsigned}}
72.2 | name
72.3 | [CaptureDefinition{data_information_block:octet_string value_information_block:octet_string}]
72.4 72.6 | double_long_unsigned
72.5 72.8 72.9 72.10 72.11 72.12 | unsigned
72.7 72.13 | long_unsigned
72.14 | no_encryption_key/encryption_key_set/encryption_key_transferred/encryption_key_set_and_in_use
"""


class Conversion(NamedTuple):
    """How the values of one type are read and written."""

    read: Callable[[Data], Value]
    """Raises `DecodeError` for anything else."""
    write: Callable[[object], Data]
    """Raises `LocalProtocolError` for a value that does not fit."""


def to_value(
    attribute: AttributeDescriptor, data: Data, scaler_unit: ScalerUnit | None = None
) -> Value:
    """Give the value of any attribute its meaning: what `interpret` does, and names for what structures are made of.

    Structures become named tuples, and known enumerations members of an `IntEnum`. What is not as the interface class
    has it comes out as it was sent.
    """
    conversion = _conversions().get((attribute.class_id, attribute.attribute_id))
    if conversion is not None:
        with suppress(DecodeError):
            return conversion.read(data)
    return interpret(attribute, data, scaler_unit)


def to_data(
    attribute: AttributeDescriptor,
    value: Value | Data,
    *,
    scaler_unit: ScalerUnit | None = None,
    like: Data | None = None,
) -> Data:
    """Make the Data to be written into an attribute; the way back from `to_value`.

    Attributes whose type is the meter's choice, as those of Data and Register, need `like`: what was read from them.
    Numbers of registers are divided by their scaler. Structures may be any tuple, enumerations also the name of a member.
    Raises `LocalProtocolError` when the value does not fit.
    """
    if isinstance(value, Data):
        data = value
    elif conversion := _conversions().get((attribute.class_id, attribute.attribute_id)):
        data = conversion.write(value)
    elif like is None:
        raise LocalProtocolError(f"{attribute}: read it first, to see what type it is")
    else:
        if scaler_unit_of(attribute) is not None and like.type in _NUMBERS:
            value = _unscaled(attribute, value, scaler_unit)
        data = _leaf(like.type).write(value)
    encode_data(data)  # refuses what does not fit its type
    return data


def _unscaled(
    attribute: AttributeDescriptor, value: Value, scaler_unit: ScalerUnit | None
) -> Value:
    number = value.value if isinstance(value, Quantity) else value
    if scaler_unit is None or not isinstance(number, int | Decimal):
        raise LocalProtocolError(f"{attribute}: a number, and its scaler, are needed")
    try:
        return Decimal(number).scaleb(-scaler_unit.scaler)
    except ArithmeticError as error:
        raise LocalProtocolError(f"{attribute}: no meter counts that far") from error


_KNOWN: dict[str, Callable[..., tuple[Value, ...]]] = {
    "CaptureObject": CaptureObject,
    "ScalerUnit": ScalerUnit,
}
"""Structures that have a class of their own."""
_TOKEN = re.compile(r"[\w/-]+|[][{}:]")
_FLOATS = {DataType.FLOATING_POINT, DataType.FLOAT32, DataType.FLOAT64}
_NUMBERS = {
    data_type for data_type, (_, kind) in FIXED.items() if kind is int
} | _FLOATS
_MOST_DIGITS = 20
"""Of a whole number of 64 bits."""
_MOMENTS: dict[str, tuple[type[DlmsDateTime | DlmsDate | DlmsTime], int]] = {
    "date_time": (DlmsDateTime, 12),
    "date": (DlmsDate, 5),
    "time": (DlmsTime, 4),
}


# Their fields and members are in the rows, where type checkers do not look.
_new_structure = cast(
    "Callable[[str, Iterable[str]], Callable[..., tuple[Value, ...]]]", namedtuple
)
_new_enumeration = cast("Callable[[str, dict[str, int]], type[IntEnum]]", IntEnum)


@cache
def _conversions() -> dict[tuple[int, int], Conversion]:
    """Read the rows; done once, when the first attribute is looked up."""
    conversions: dict[tuple[int, int], Conversion] = {}
    for row in _ROWS.replace("\n    ", " ").replace(" /", "/").strip().splitlines():
        places, _, written = row.partition(" | ")
        conversion = _parse(iter(_TOKEN.findall(written)))
        for place in places.split():
            class_id, _, attribute_id = place.partition(".")
            conversions[int(class_id), int(attribute_id)] = conversion
    return conversions


def _parse(tokens: Iterator[str]) -> Conversion:
    """Read one type."""
    token = next(tokens)
    if token == "[":
        element = _parse(tokens)
        next(tokens)  # the closing bracket
        return Conversion(partial(_read_array, element), partial(_write_array, element))
    if token[0].isupper():
        next(tokens)  # the opening brace
        fields: dict[str, Conversion] = {}
        while (name := next(tokens)) != "}":
            next(tokens)  # the colon
            fields[name] = _parse(tokens)
        return _structure(token, fields)
    if "/" in token:
        return _enumeration(token.split("/"))
    if token in _MOMENTS:
        return _moment(*_MOMENTS[token])
    return _LEAVES[token] if token in _LEAVES else _leaf(DataType[token.upper()])


def _read_array(element: Conversion, data: Data) -> Value:
    if data.type not in (DataType.ARRAY, DataType.COMPACT_ARRAY):
        raise DecodeError(f"an array, not {data.type.name}")
    return tuple([element.read(each) for each in elements(data)])


def _write_array(element: Conversion, value: object) -> Data:
    if not isinstance(value, tuple | list):
        raise _misfit(value, DataType.ARRAY)
    return Data(DataType.ARRAY, tuple([element.write(each) for each in value]))


def _structure(name: str, fields: dict[str, Conversion]) -> Conversion:
    make = _KNOWN.get(name) or _new_structure(name, fields)

    def read(data: Data) -> Value:
        found = elements(data)
        if data.type is not DataType.STRUCTURE or len(found) < len(fields):
            raise DecodeError(f"a {name}, not {data.type.name} of {len(found)}")
        # Newer editions add elements at the end.
        return make(
            *(f.read(each) for f, each in zip(fields.values(), found, strict=False))
        )

    def write(value: object) -> Data:
        if not isinstance(value, tuple | list) or len(value) != len(fields):
            raise _misfit(value, DataType.STRUCTURE)
        written = [
            f.write(each) for f, each in zip(fields.values(), value, strict=True)
        ]
        return Data(DataType.STRUCTURE, tuple(written))

    return Conversion(read, write)


def _enumeration(names: list[str]) -> Conversion:
    members = {name.upper(): number for number, name in enumerate(names) if name != "-"}
    kind = _new_enumeration("Choice", members)

    def read(data: Data) -> Value:
        number = _read_whole(data)
        return kind(number) if number in members.values() else number

    def write(value: object) -> Data:
        if isinstance(value, str):
            value = members.get(value.upper())
        return _write_whole(DataType.ENUM, value)

    return Conversion(read, write)


def _moment(kind: type[DlmsDateTime | DlmsDate | DlmsTime], length: int) -> Conversion:
    def read(data: Data) -> Value:
        if data.type is DataType.NULL_DATA or data.value == b"":
            return None
        if not isinstance(data.value, bytes) or len(data.value) != length:
            raise DecodeError(f"a {kind.__name__}, not {data.type.name}")
        return kind.decode(data.value)

    def write(value: object) -> Data:
        if not isinstance(value, kind):
            raise _misfit(value, DataType.OCTET_STRING)
        return Data(DataType.OCTET_STRING, value.encode())

    return Conversion(read, write)


@cache
def _leaf(data_type: DataType) -> Conversion:
    """Return the conversion of a type of the standard that holds no others."""
    if data_type in _NUMBERS and data_type not in _FLOATS:
        return Conversion(_read_whole, partial(_write_whole, data_type))
    return Conversion(partial(_read_leaf, data_type), partial(_write_leaf, data_type))


def _read_whole(data: Data) -> int:
    """Read a whole number; meters are not particular about its size."""
    if data.type not in _NUMBERS or not isinstance(data.value, int):
        raise DecodeError(f"a number, not {data.type.name}")
    return data.value


def _write_whole(data_type: DataType, value: object) -> Data:
    if isinstance(value, Decimal) and _is_whole(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _misfit(value, data_type)
    return Data(data_type, int(value))


def _is_whole(value: Decimal) -> bool:
    """Tell whether a number is whole, and no longer than any type holds: of others an int would fill the memory."""
    return (
        value.is_finite()
        and value.adjusted() < _MOST_DIGITS
        and value == value.to_integral_value()
    )


def _read_leaf(data_type: DataType, data: Data) -> Value:
    if data.type is not data_type:
        raise DecodeError(f"{data_type.name}, not {data.type.name}")
    return plain(data)


def _write_leaf(data_type: DataType, value: object) -> Data:
    if data_type in _FLOATS and isinstance(value, int | Decimal):
        try:
            return Data(data_type, float(value))
        except (OverflowError, ValueError) as error:
            raise _misfit(value, data_type) from error
    if isinstance(value, DlmsDateTime | DlmsDate | DlmsTime):
        return Data(data_type, value.encode())
    if data_type is DataType.OCTET_STRING and isinstance(value, str):
        return Data(data_type, value.encode())
    if value is not None and not isinstance(value, bool | bytes | str | BitString):
        raise _misfit(value, data_type)
    return Data(data_type, bytes(value) if isinstance(value, bytes) else value)


def _read_boolean(data: Data) -> Value:
    if not isinstance(data.value, int):
        raise DecodeError(f"a boolean, not {data.type.name}")
    return bool(data.value)  # some meters send a number


def _read_name(data: Data) -> Value:
    if not isinstance(data.value, bytes):
        raise DecodeError(f"a logical name, not {data.type.name}")
    return Obis(data.value)


def _write_name(value: object) -> Data:
    if isinstance(value, str):
        try:
            value = Obis.parse(value)
        except DecodeError as error:
            raise LocalProtocolError(str(error)) from None
    if not isinstance(value, Obis):
        raise _misfit(value, DataType.OCTET_STRING)
    return Data(DataType.OCTET_STRING, bytes(value))


def _write_any(value: object) -> Data:
    if not isinstance(value, Data):
        raise LocalProtocolError("what may be of any type is written as Data")
    return value


_LEAVES = {
    "any": Conversion(plain, _write_any),
    "boolean": Conversion(_read_boolean, partial(_write_leaf, DataType.BOOLEAN)),
    "name": Conversion(_read_name, _write_name),
    "text": Conversion(decode_text, partial(_write_leaf, DataType.OCTET_STRING)),
}


def _misfit(value: object, data_type: DataType) -> LocalProtocolError:
    # The kind only: what is to be written may be a secret.
    return LocalProtocolError(
        f"a {type(value).__name__} cannot be sent as {data_type.name}"
    )
