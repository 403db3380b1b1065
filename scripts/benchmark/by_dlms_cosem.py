"""The work done by dlms-cosem (Business Source License)."""

from collections.abc import Callable
from functools import partial

from dlms_cosem.client import DlmsClient
from dlms_cosem.connection import DlmsConnection, XDlmsApduFactory
from dlms_cosem.hdlc.frames import InformationFrame
from dlms_cosem.parsers import AssociationObjectListParser
from dlms_cosem.protocol.xdlms import GeneralGlobalCipher
from dlms_cosem.security import NoSecurityAuthentication
from dlms_cosem.utils import parse_as_dlms_data
import structlog

from tests.foreign.dlms_cosem_reader import PatchedHdlcTransport, attribute

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

type Untyped = Json  # dlms-cosem's values


def _frame(name: str, inputs: Inputs) -> Workload:
    octets = inputs(name)
    return Workload(
        lambda: InformationFrame.from_bytes(octets), lambda found: found.payload.hex()
    )


def _register(inputs: Inputs) -> Workload:
    octets = inputs("register")

    def run() -> Untyped:
        response = XDlmsApduFactory.apdu_from_bytes(octets)
        return parse_as_dlms_data(response.data)

    return Workload(run, lambda found: found)


def _object_list(inputs: Inputs) -> Workload:
    octets = inputs("object list")

    def found(objects: Untyped) -> Json:
        return [
            [int(item.interface), item.logical_name.to_bytes().hex()]
            for item in objects
        ]

    return Workload(lambda: AssociationObjectListParser.parse_bytes(octets), found)


def _profile(name: str, inputs: Inputs) -> Workload:
    octets = inputs(name)
    return Workload(lambda: parse_as_dlms_data(octets), _found)


def _found(rows: Untyped) -> Json:
    return [len(rows), rows[-1][5]]


def _ciphered(name: str, inputs: Inputs) -> Workload:
    """What its connection does before it decodes what was inside; like ours, it takes no counter twice."""

    def receiver() -> Callable[[bytes], bytes]:
        connection = DlmsConnection(
            client_system_title=CLIENT,
            authentication=NoSecurityAuthentication(),
            use_dedicated_ciphering=False,
            global_encryption_key=KEY,
            global_authentication_key=AUTHENTICATION_KEY,
            meter_system_title=METER,
        )

        def understand(apdu: bytes) -> bytes:
            message = GeneralGlobalCipher.from_bytes(apdu)
            connection.update_meter_invocation_counter(message.invocation_counter)
            plain: bytes = connection.decrypt(message.ciphered_text)
            return plain

        return understand

    return Workload(each_once(inputs(name), receiver), bytes.hex)


class Line:
    """What dlms-cosem calls an I/O implementation."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._received = bytearray()

    def connect(self) -> None:
        """Nothing to do."""

    def disconnect(self) -> None:
        """Nothing to do."""

    def send(self, data: bytes) -> None:
        """Take what the meter says to that."""
        self._received += self._exchange(bytes(data))

    def recv(self, amount: int = 1) -> bytes:
        """Return so many octets of it."""
        data = bytes(self._received[:amount])
        del self._received[:amount]
        return data


def _read_profile(exchange: Exchange, order: Json) -> Json:
    """It proposes nothing, so it gets 128 octets and a window of 1."""
    client = DlmsClient(
        transport=PatchedHdlcTransport(16, 1, Line(exchange)),
        authentication=NoSecurityAuthentication(),
        block_transfer=True,
    )
    with client.session():
        wanted = attribute(7, order["profile"], 2)
        return _found(parse_as_dlms_data(client.get(wanted)))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
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
        {"read profile": _read_profile},
    )
