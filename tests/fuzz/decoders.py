"""Every decoder, told to decode whatever comes. What comes out wrong shows as any exception but `DlmsError`.

Where there are two ways to decode the same (whole or in slices, at once or octet by octet), they must agree.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import cache

from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.ciphering import decode_envelope
from custom_components.dlms_meter.dlms.application.protection import Protection
from custom_components.dlms_meter.dlms.codec.axdr import (
    decode_data,
    encode_data,
    read_data,
)
from custom_components.dlms_meter.dlms.codec.cursor import Reader
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.codec.datetimes import (
    DlmsDate,
    DlmsDateTime,
    DlmsTime,
)
from custom_components.dlms_meter.dlms.codec.rows import read_rows
from custom_components.dlms_meter.dlms.codec.slices import finish, read_data_in_slices
from custom_components.dlms_meter.dlms.cosem.capture_objects import (
    CaptureObject,
    decode_capture_objects,
)
from custom_components.dlms_meter.dlms.cosem.class_values import to_value
from custom_components.dlms_meter.dlms.cosem.clock import (
    CLOCK,
    MeterClock,
    MomentReader,
)
from custom_components.dlms_meter.dlms.cosem.compact_data import decode_compact_buffer
from custom_components.dlms_meter.dlms.cosem.descriptors import AttributeDescriptor
from custom_components.dlms_meter.dlms.cosem.identity import (
    IDENTITY_ATTRIBUTES,
    Identity,
)
from custom_components.dlms_meter.dlms.cosem.interface_classes import INTERFACE_CLASSES
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.object_list import decode_object_list
from custom_components.dlms_meter.dlms.cosem.profile import (
    ProfileColumn,
    ProfileRows,
    collect_rows,
)
from custom_components.dlms_meter.dlms.cosem.values import (
    ScalerUnit,
    decode_scaler_unit,
)
from custom_components.dlms_meter.dlms.errors import DlmsError
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameDecoder
from custom_components.dlms_meter.dlms.link.hdlc_parameters import read_limits
from custom_components.dlms_meter.dlms.link.mode_e import Identification
from custom_components.dlms_meter.dlms.link.wrapper import WrapperDecoder, WrapperFrame
from tests.dlms.application.secured import (
    BOOK,
    CLIENT_TITLE,
    DEDICATED_KEY,
    SERVER_TITLE,
    context,
    settings,
)

type Decode = Callable[[bytes], object]


def _outcome(decode: Decode, octets: bytes) -> str:
    """Return what a decoder makes of octets, in a form that can be compared: NaN is not equal to itself."""
    try:
        return repr(decode(octets))
    except DlmsError:
        return "an error"


def _data(octets: bytes) -> object:
    """Decode a value in both ways, and bring it back to octets."""
    whole = _outcome(lambda each: read_data(Reader(each)), octets)
    in_slices = _outcome(lambda each: finish(read_data_in_slices(Reader(each))), octets)
    assert whole == in_slices
    data = decode_data(octets)
    with suppress(DlmsError):  # compact-arrays of next to nothing are not sent
        again = encode_data(data)
        assert encode_data(decode_data(again)) == again
    return data


def _rows(octets: bytes) -> object:
    """Read a buffer, and hold what is read against the plain decoder."""
    runs = list(read_rows(octets))
    rows = [row for run in runs for row in run.rows]
    plain = [row for run in read_rows(read_data(Reader(octets))) for row in run.rows]
    assert repr(rows) == repr(plain)
    return rows


_COLUMNS = (
    CaptureObject(*CLOCK),
    *[CaptureObject(3, Obis.parse(f"1-0:{c}.8.0*255"), 2) for c in range(1, 6)],
)


def _profile(octets: bytes) -> object:
    """Read a buffer of as many columns as its first row has, moments and values."""
    run = next(read_rows(octets), None)
    count = len(run.types) if run else 1
    columns = (_COLUMNS * (1 + count // len(_COLUMNS)))[:count]
    reader = MomentReader(MeterClock())
    captured = finish(
        collect_rows(
            octets,
            columns,
            columns[0] if columns else None,
            timedelta(minutes=15),
            reader,
        )
    )
    shown = [ProfileColumn(each, ScalerUnit(-1, 30)) for each in _COLUMNS[:count]]
    return list(ProfileRows(shown, captured))


@cache
def _attributes() -> tuple[AttributeDescriptor, ...]:
    """Return every attribute of every class there is."""
    name = Obis.parse("1-0:1.8.0*255")
    return tuple(
        AttributeDescriptor(number, name, attribute)
        for number, row in INTERFACE_CLASSES.items()
        for attribute in range(1, 1 + len(row.attributes))
    )


def _meaning(octets: bytes) -> object:
    """Give a value the meaning of an attribute, which the first two octets choose."""
    attributes = _attributes()
    attribute = attributes[int.from_bytes(octets[:2]) % len(attributes)]
    data = decode_data(octets[2:])
    return to_value(attribute, data, ScalerUnit(-1, 30))


def _list(octets: bytes) -> object:
    """Decode an object list, as octets and as a value."""
    objects = decode_object_list(octets)
    return decode_object_list(read_data(Reader(octets))), objects


def _compact(octets: bytes) -> object:
    """Take the first part for the template, the other for the buffer."""
    length = octets[0] if octets else 0
    return decode_compact_buffer(octets[1 + length :], octets[1 : 1 + length])


def _frames(octets: bytes) -> object:
    """Find the frames in a stream, at once and octet by octet."""
    at_once, one_by_one = FrameDecoder(), FrameDecoder()
    found = at_once.feed(octets) + at_once.flush()
    again = [frame for octet in octets for frame in one_by_one.feed(bytes((octet,)))]
    again += one_by_one.flush()
    assert found == again
    for frame in found:
        assert Frame.decode(frame.encode()) == frame
    return found


def _wrapper_frames(octets: bytes) -> object:
    """Find the frames in a stream, at once and octet by octet."""
    at_once, one_by_one = WrapperDecoder(), WrapperDecoder()
    found = at_once.feed(octets) + at_once.flush()
    again = [frame for octet in octets for frame in one_by_one.feed(bytes((octet,)))]
    again += one_by_one.flush()
    assert found == again
    return found


def _unprotect(octets: bytes) -> object:
    """Open an envelope, with the keys of the Green Book."""
    cipher = context(BOOK, CLIENT_TITLE, SERVER_TITLE, dedicated_key=DEDICATED_KEY)
    plain = cipher.unprotect(octets).apdu
    return Protection(cipher).decode(plain)


def _unprotect_whatever_it_says(octets: bytes) -> object:
    """Seal octets as a meter does that means us harm, and open them."""
    meter = context(BOOK, SERVER_TITLE, CLIENT_TITLE)
    return _unprotect(meter.protect(octets)) if octets else None


def _unprotect_in_suite_1(octets: bytes) -> object:
    keys = settings(suite=_SUITE_1)
    return context(keys, CLIENT_TITLE, SERVER_TITLE).unprotect(octets)


_SUITE_1 = next(suite for suite in type(BOOK.suite) if suite == 1)


def _identity(octets: bytes) -> object:
    """Tell who the meter is from one value said everywhere."""
    data = decode_data(octets)
    identity = Identity.from_answers(dict.fromkeys(IDENTITY_ATTRIBUTES, data))
    return identity.title, identity.unique_ids


def _moment(octets: bytes) -> object:
    """Read a date-time in all the ways there are."""
    read = MomentReader(MeterClock()).read(octets)
    value = DlmsDateTime.decode(octets)
    assert value.encode() == octets
    return read, str(value), to_value(CLOCK, Data(DataType.OCTET_STRING, octets))


DECODERS: dict[str, Decode] = {
    "apdu": decode_apdu,
    "capture objects": lambda octets: decode_capture_objects(decode_data(octets)),
    "compact": _compact,
    "data": _data,
    "date": DlmsDate.decode,
    "date-time": _moment,
    "envelope": decode_envelope,
    "frame": Frame.decode,
    "frames": _frames,
    "hdlc address": HdlcAddress.decode,
    "hdlc limits": read_limits,
    "identification": Identification.decode,
    "identity": _identity,
    "meaning": _meaning,
    "object list": _list,
    "profile": _profile,
    "rows": _rows,
    "scaler and unit": lambda octets: decode_scaler_unit(decode_data(octets)),
    "time": DlmsTime.decode,
    "unprotect": _unprotect,
    "unprotect what is sealed": _unprotect_whatever_it_says,
    "unprotect, suite 1": _unprotect_in_suite_1,
    "wrapper": WrapperFrame.decode,
    "wrapper frames": _wrapper_frames,
}
"""By name."""


def survives(decode: Decode, octets: bytes) -> None:
    """Decode; a `DlmsError` is an answer too. Whatever else comes out is a fault."""
    with suppress(DlmsError):
        decode(octets)
