"""The octets that all clients are given to decode. The same in every run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from custom_components.dlms_meter.dlms.application.invocation_counter import (
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.application.security import SecurityContext
from custom_components.dlms_meter.dlms.application.security_settings import (
    Enveloping,
    SecuritySettings,
)
from custom_components.dlms_meter.dlms.codec.axdr import encode_data
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.codec.datetimes import DlmsDateTime
from custom_components.dlms_meter.dlms.cosem.interface_classes import INTERFACE_CLASSES
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import Frame, FrameType

from .worker import AUTHENTICATION_KEY, KEY, METER

ROWS, MANY_ROWS = 5_000, 50_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)

_LLC = b"\xe6\xe7\x00"
_CLASSES = (1, 3, 3, 3, 4, 5, 3, 8, 7, 3)
_READ, _INVOKE = 1, 1


def write(folder: Path) -> None:
    """Write each input as a file."""
    for name, make in _INPUTS.items():
        (folder / name).write_bytes(make())


def frame(size: int) -> bytes:
    """An I frame from server 1 to client 16, with so many octets of information."""
    information = _LLC + Random(size).randbytes(size - len(_LLC))
    client, server = HdlcAddress.client(16), HdlcAddress.server(1)
    return Frame(client, server, FrameType.I, information, receive_sequence=1).encode()


def ciphered(size: int, count: int) -> bytes:
    """Answers of so many octets, each in an envelope (general-glo-ciphering) and preceded by its length."""
    answer = b"\xc4\x01\xc1\x00" + Random(size).randbytes(size - 4)
    settings = SecuritySettings(
        enveloping=Enveloping.GENERAL,
        global_unicast_key=KEY,
        authentication_key=AUTHENTICATION_KEY,
    )
    meter = SecurityContext(settings, METER, InvocationCounter(reserved=count + 1))
    sealed = [meter.protect(answer) for _ in range(count)]
    return b"".join([len(apdu).to_bytes(4) + apdu for apdu in sealed])


def object_list(count: int) -> bytes:
    """The object list of a meter that has mostly registers, with the rights to all attributes and methods."""
    return encode_data(_array([_listed(number) for number in range(count)]))


def _listed(number: int) -> Data:
    class_id = _CLASSES[number % len(_CLASSES)]
    row = INTERFACE_CLASSES[class_id]
    name = bytes((1, number // 200, 1 + number % 200, 7, number % 5, 255))
    attributes = [
        _structure(_integer(index), _enum(_READ), Data(DataType.NULL_DATA, None))
        for index in range(1, 1 + len(row.attributes))
    ]
    methods = [
        _structure(_integer(index), _enum(_INVOKE))
        for index in range(1, 1 + len(row.methods))
    ]
    return _structure(
        Data(DataType.LONG_UNSIGNED, class_id),
        Data(DataType.UNSIGNED, 0),
        Data(DataType.OCTET_STRING, name),
        _structure(_array(attributes), _array(methods)),
    )


def profile(rows: int, *, irregular: bool = False) -> bytes:
    """A load profile: the clock and five registers; `irregular` if hardly a row has the types of the one before."""
    random = Random(rows)
    return encode_data(
        _array([_row(number, random, irregular) for number in range(rows)])
    )


def _row(number: int, random: Random, irregular: bool) -> Data:
    stamp = DlmsDateTime.from_datetime(BEGAN + number * QUARTER).encode()
    registers = [
        Data(DataType.DOUBLE_LONG_UNSIGNED, (1000 + number) * column)
        for column in range(1, 6)
    ]
    if irregular:
        registers = [
            Data(DataType.LONG_UNSIGNED, register.value)
            if random.random() < 0.5
            and isinstance(register.value, int)
            and register.value < 0x10000
            else register
            for register in registers
        ]
        registers[random.randrange(5)] = Data(DataType.UNSIGNED, number % 200)
    return _structure(Data(DataType.OCTET_STRING, stamp), *registers)


def _structure(*elements: Data) -> Data:
    return Data(DataType.STRUCTURE, elements)


def _array(elements: list[Data]) -> Data:
    return Data(DataType.ARRAY, tuple(elements))


def _integer(value: int) -> Data:
    return Data(DataType.INTEGER, value)


def _enum(value: int) -> Data:
    return Data(DataType.ENUM, value)


_INPUTS: dict[str, Callable[[], bytes]] = {
    "frame 128": lambda: frame(128),
    "frame 2030": lambda: frame(2030),
    "register": lambda: bytes.fromhex("C401C1000600012345"),
    "object list": lambda: object_list(200),
    "profile": lambda: profile(ROWS),
    "irregular profile": lambda: profile(ROWS, irregular=True),
    "ciphered 128": lambda: ciphered(128, 1000),
    "ciphered 16384": lambda: ciphered(16384, 200),
    "long profile": lambda: profile(MANY_ROWS),
}
