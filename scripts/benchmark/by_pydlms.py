"""The work done by pydlms-client (GPL-3)."""

from collections.abc import Callable
from functools import partial
import logging

from pydlms.apdu import xdlms
from pydlms.association import AssociationSettings
from pydlms.client import DlmsClient, _ln_entry, _with_rights
from pydlms.cosem.data import DlmsData, decode_data
from pydlms.cosem.time import CosemDateTime
from pydlms.hdlc.connection import HdlcLink, HdlcParameters
from pydlms.hdlc.framing import decode_frame
from pydlms.security.ciphering import unwrap
from pydlms.security.context import SecurityContext
from pydlms.transports.base import LoopbackTransport

from .worker import (
    AUTHENTICATION_KEY,
    CLIENT,
    KEY,
    METER,
    Exchange,
    Inputs,
    Json,
    Workload,
    each_once,
    serve,
)

type Untyped = Json  # pydlms' values


def _frame(name: str, inputs: Inputs) -> Workload:
    octets = inputs(name)
    return Workload(lambda: decode_frame(octets), lambda found: found.info.hex())


def _register(inputs: Inputs) -> Workload:
    octets = inputs("register")
    return Workload(
        lambda: xdlms.decode_apdu(octets), lambda found: found.result.data.value
    )


def _object_list(inputs: Inputs) -> Workload:
    octets = inputs("object list")

    def run() -> Untyped:
        return _with_rights([_ln_entry(item) for item in decode_data(octets)[0].value])

    def found(objects: Untyped) -> Json:
        return [
            [int(item.class_id), item.logical_name.to_bytes().hex()] for item in objects
        ]

    return Workload(run, found)


def _profile(name: str, inputs: Inputs) -> Workload:
    octets = inputs(name)
    return Workload(lambda: decode_data(octets)[0], _found)


def _found(buffer: Untyped) -> Json:
    return [len(buffer.value), buffer.value[-1].value[5].value]


def _ciphered(name: str, inputs: Inputs) -> Workload:
    def receiver() -> Callable[[bytes], bytes]:
        context = SecurityContext(KEY, AUTHENTICATION_KEY, CLIENT, METER)
        return lambda apdu: unwrap(context, apdu).plaintext

    return Workload(each_once(inputs(name), receiver), bytes.hex)


def _connect(exchange: Exchange, order: Json) -> DlmsClient:
    size, window = order["information"], order["window"]
    link = HdlcLink(
        LoopbackTransport(exchange),
        parameters=HdlcParameters(size, size, window, window),
    )
    return DlmsClient(link, AssociationSettings())


def _read_profile(exchange: Exchange, order: Json) -> Json:
    with _connect(exchange, order) as client:
        if "since" not in order:
            return _found(client.get(order["profile"], 7, 2))
        ends = _boundary(order["since"]), _boundary(order["until"])
        access = xdlms.range_descriptor(*ends)
        buffer = client.get(order["profile"], 7, 2, access)
        return [[cell.value for cell in row.value[1:]] for row in buffer.value]


def _boundary(octets: str) -> Untyped:
    return DlmsData.octet_string(
        CosemDateTime.from_bytes(bytes.fromhex(octets)).to_bytes()
    )


def _read_registers(exchange: Exchange, order: Json) -> Json:
    with _connect(exchange, order) as client:
        items = [(code, 3, 2) for code in order["registers"]]
        return [answer.value for answer in client.get_many(items)]


def _read_objects(exchange: Exchange, order: Json) -> Json:
    with _connect(exchange, order) as client:
        return len(client.get_association_view())


def _do_nothing(exchange: Exchange, order: Json) -> Json:
    with _connect(exchange, order):
        return None


if __name__ == "__main__":
    logging.disable()
    serve(
        {
            "frame 128": partial(_frame, "frame 128"),
            "frame 2030": partial(_frame, "frame 2030"),
            "register": _register,
            "object list": _object_list,
            "profile": partial(_profile, "profile"),
            "irregular profile": partial(_profile, "irregular profile"),
            "ciphered 128": partial(_ciphered, "ciphered 128"),
            "ciphered 16384": partial(_ciphered, "ciphered 16384"),
        },
        {
            "read profile": _read_profile,
            "read registers": _read_registers,
            "read objects": _read_objects,
            "do nothing": _do_nothing,
        },
    )
