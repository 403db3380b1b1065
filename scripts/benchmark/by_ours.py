"""The work done by the client this repository is about."""

from . import without_home_assistant  # noqa: F401  isort: skip

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from functools import partial
import logging
from unittest.mock import patch

from custom_components.dlms_meter.dlms import (
    ClientSettings,
    DlmsClient,
    Framing,
    TcpEndpoint,
    WholeBuffer,
    connection,
)
from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.get import GetResponseNormal
from custom_components.dlms_meter.dlms.application.invocation_counter import (
    InvocationCounter,
)
from custom_components.dlms_meter.dlms.application.security import (
    Opened,
    SecurityContext,
)
from custom_components.dlms_meter.dlms.application.security_settings import (
    SecuritySettings,
)
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.codec.rows import read_rows
from custom_components.dlms_meter.dlms.cosem.capture_objects import CaptureObject
from custom_components.dlms_meter.dlms.cosem.clock import CLOCK
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectiveAccess,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis
from custom_components.dlms_meter.dlms.cosem.object_list import decode_object_list
from custom_components.dlms_meter.dlms.cosem.selective_access import RangeDescriptor
from custom_components.dlms_meter.dlms.cosem.values import elements
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameDecoder
from custom_components.dlms_meter.dlms.transport import Receiver
from custom_components.dlms_meter.dlms.transport.endpoint import Endpoint
from tests.transports import VirtualTimeLoop

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

type Session[T] = Callable[[DlmsClient, Json], Coroutine[None, None, T]]


def _frame(name: str, inputs: Inputs) -> Workload:
    """The stream decoder: it also finds where frames begin and end."""
    octets, decoder = inputs(name), FrameDecoder()
    return Workload(
        lambda: decoder.feed(octets)[0], lambda found: found.information.hex()
    )


def _register(inputs: Inputs) -> Workload:
    octets = inputs("register")

    def found(response: GetResponseNormal) -> Json:
        assert isinstance(response.result, Data)
        return response.result.value

    return Workload(lambda: decode_apdu(octets), found)


def _object_list(inputs: Inputs) -> Workload:
    octets = inputs("object list")
    return Workload(
        lambda: decode_object_list(octets),
        lambda found: [[item.class_id, item.logical_name.hex()] for item in found],
    )


def _profile(name: str, inputs: Inputs) -> Workload:
    octets = inputs(name)

    def found(rows: list[tuple[Json, ...]]) -> Json:
        return [len(rows), rows[-1][5]]

    return Workload(
        lambda: [row for run in read_rows(octets) for row in run.rows], found
    )


def _profile_in_slices(inputs: Inputs) -> Workload:
    """Look at the rows, and keep none."""
    octets = inputs("long profile")
    return Workload(
        lambda: sum(len(run.rows) for run in read_rows(octets)), lambda count: count
    )


def _ciphered(name: str, inputs: Inputs) -> Workload:
    settings = SecuritySettings(
        global_unicast_key=KEY,
        authentication_key=AUTHENTICATION_KEY,
        server_system_title=METER,
    )

    def receiver() -> Callable[[bytes], Opened]:
        context = SecurityContext(settings, CLIENT, InvocationCounter())
        context.meet(METER)
        return context.unprotect

    return Workload(each_once(inputs(name), receiver), lambda opened: opened.apdu.hex())


class Wire:
    """A transport whose other end is an exchange. The others have no event loop; it counts only as far as we need one."""

    def __init__(self, exchange: Exchange, receiver: Receiver) -> None:
        self._exchange = exchange
        self._receiver = receiver
        self._answers: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Let the answer arrive when the caller is through."""
        if answer := self._exchange(data):
            if not self._answers:
                asyncio.get_running_loop().call_soon(self._deliver)
            self._answers.append(answer)

    def _deliver(self) -> None:
        for answer in self._answers:  # more come meanwhile
            self._receiver.data_received(answer)
        self._answers.clear()

    async def close(self) -> None:
        """End."""
        self._receiver.connection_lost(None)


def _session(work: Session[Json]) -> Callable[[Exchange, Json], Json]:
    """Hold a session; in virtual time silence takes none."""

    def hold(exchange: Exchange, order: Json) -> Json:
        async def open_transport(_: Endpoint, receiver: Receiver) -> Wire:
            return Wire(exchange, receiver)

        async def main() -> Json:
            settings = ClientSettings(
                endpoint=TcpEndpoint("meter.example", 4059),
                framing=Framing.HDLC,
                max_information_length=order["information"],
                window=order["window"],
            )
            async with DlmsClient(settings) as client:
                return await work(client, order)

        factory = VirtualTimeLoop if order.get("virtual time") else None
        with (
            patch.object(connection, "open_transport", open_transport),
            asyncio.Runner(loop_factory=factory) as runner,
        ):
            return runner.run(main())

    return hold


async def _read_profile(client: DlmsClient, order: Json) -> Json:
    if "since" not in order:
        return await _read_rows(client, Obis.parse(order["profile"]))
    access = _range_access(order["since"], order["until"])
    buffer = elements(await client.get(_attribute(7, order["profile"]), access))
    return [[cell.value for cell in elements(row)[1:]] for row in buffer]


async def _read_rows(client: DlmsClient, profile: Obis) -> Json:
    """Read all rows, and when they were captured, as one does with this client; the others just read the buffer."""
    rows = await client.read_profile(profile, WholeBuffer(), {})
    assert None not in rows.moments
    value = rows[-1].values[5]
    assert isinstance(value, Decimal)
    return [len(rows), int(value)]


def _range_access(since: str, until: str) -> SelectiveAccess:
    first, last = (
        Data(DataType.OCTET_STRING, bytes.fromhex(end)) for end in (since, until)
    )
    return RangeDescriptor(CaptureObject(*CLOCK), first, last).access


async def _read_registers(client: DlmsClient, order: Json) -> Json:
    answers = await client.get_many(
        [_attribute(3, code) for code in order["registers"]]
    )
    return [answer.value for answer in answers.values() if isinstance(answer, Data)]


async def _read_objects(client: DlmsClient, _order: Json) -> Json:
    return len(await client.objects())


async def _do_nothing(_client: DlmsClient, _order: Json) -> Json:
    return None


def _attribute(class_id: int, code: str) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse(code), 2)


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
            "long profile": partial(_profile, "long profile"),
            "long profile in slices": _profile_in_slices,
            "ciphered 128": partial(_ciphered, "ciphered 128"),
            "ciphered 16384": partial(_ciphered, "ciphered 16384"),
        },
        {
            "read profile": _session(_read_profile),
            "read registers": _session(_read_registers),
            "read objects": _session(_read_objects),
            "do nothing": _session(_do_nothing),
        },
    )
