"""What a meter says without being asked: DataNotification, EventNotification, InformationReport (Green Book, COSEM APDUs)."""

from collections.abc import Callable
from typing import NamedTuple, Self

from ..codec.axdr import Data, encode_data, read_data
from ..codec.cursor import Reader, encode_length
from ..cosem.descriptors import AttributeDescriptor
from .fields import (
    LongInvokeIdAndPriority,
    encode_attribute,
    encode_data_list,
    read_attribute,
    read_data_list,
    read_long_invoke,
    read_presence,
)
from .short_name import Variable, encode_variables, read_variables

_OCTET_STRING_TAG = 0x09
_DATE_TIME_LENGTH = 0x0C

_DATA_NOTIFICATION = 0x0F
_EVENT_NOTIFICATION = 0xC2
_INFORMATION_REPORT = 0x18

NOTIFICATION_TAGS = tuple(
    bytes((tag,))
    for tag in (_DATA_NOTIFICATION, _EVENT_NOTIFICATION, _INFORMATION_REPORT)
)
"""First octets of the APDUs a meter sends on its own."""


class DataNotification(NamedTuple):
    """Values a meter pushes, in the order and shape its push setup says."""

    invoke: LongInvokeIdAndPriority
    date_time: bytes
    """12 octets, for `DlmsDateTime.decode`; none if the meter does not say."""
    body: Data

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_DATA_NOTIFICATION, "data-notification")
        invoke = read_long_invoke(reader)
        # Kaifa meters write the date-time as Data, with the tag of an octet-string before its length. No date-time has 9 octets.
        start = reader.offset
        if reader.data[start : start + 2] == bytes(
            (_OCTET_STRING_TAG, _DATE_TIME_LENGTH)
        ):
            reader.advance(1)
        return cls(invoke, reader.octets(), read_data(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                bytes((_DATA_NOTIFICATION,)),
                self.invoke.to_bytes(4),
                encode_length(len(self.date_time)),
                self.date_time,
                encode_data(self.body),
            )
        )


class EventNotification(NamedTuple):
    """An attribute's value, and when it was so."""

    time: bytes | None
    """Octets of a date-time, if the meter says."""
    attribute: AttributeDescriptor
    value: Data

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_EVENT_NOTIFICATION, "event-notification-request")
        time = _read_optional_time(reader)
        return cls(time, read_attribute(reader), read_data(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                bytes((_EVENT_NOTIFICATION,)),
                _encode_optional_time(self.time),
                encode_attribute(self.attribute),
                encode_data(self.value),
            )
        )


class InformationReport(NamedTuple):
    """Values of variables, from a meter with short names."""

    time: bytes | None
    """Octets of a time, if the meter says."""
    variables: tuple[Variable, ...]
    values: tuple[Data, ...]

    @classmethod
    def decode(cls, reader: Reader) -> Self:
        """Read the APDU, tag included. Raises `DecodeError`."""
        reader.expect(_INFORMATION_REPORT, "information-report-request")
        time = _read_optional_time(reader)
        return cls(time, read_variables(reader), read_data_list(reader))

    def encode(self) -> bytes:
        """Encode the APDU. Raises `LocalProtocolError` for a value that does not fit its type."""
        return b"".join(
            (
                bytes((_INFORMATION_REPORT,)),
                _encode_optional_time(self.time),
                encode_variables(self.variables),
                encode_data_list(self.values),
            )
        )


def _read_optional_time(reader: Reader) -> bytes | None:
    return reader.octets() if read_presence(reader, "time") else None


def _encode_optional_time(time: bytes | None) -> bytes:
    return b"\x00" if time is None else b"\x01" + encode_length(len(time)) + time


type Notification = DataNotification | EventNotification | InformationReport

NOTIFICATION_DECODERS: dict[bytes, Callable[[Reader], Notification]] = {
    bytes((_DATA_NOTIFICATION,)): DataNotification.decode,
    bytes((_EVENT_NOTIFICATION,)): EventNotification.decode,
    bytes((_INFORMATION_REPORT,)): InformationReport.decode,
}
"""By the first octets of an APDU."""
