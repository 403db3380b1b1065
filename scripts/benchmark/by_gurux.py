"""The work done by gurux-dlms (GPL-2)."""

from functools import partial

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo
from gurux_dlms.objects import GXDLMSProfileGeneric

from tests.foreign.gurux_reader import Reader

from .worker import Exchange, Inputs, Json, Workload, serve

type Untyped = Json  # gurux' values

_BEFORE_FIRST = 0xEE  # control octet after which it expects N(S) 0, N(R) 1


def _make_client(interface: InterfaceType) -> Untyped:
    return GXDLMSClient(True, 16, 1, Authentication.NONE, None, interface)


def _frame(name: str, inputs: Inputs) -> Workload:
    client = _make_client(InterfaceType.HDLC)
    octets = GXByteBuffer(inputs(name))

    def run() -> Untyped:
        client.settings.senderFrame = 0x10
        client.settings.receiverFrame = _BEFORE_FIRST + 0x20 & 0xFF
        octets.position = 0
        reply = GXReplyData()
        GXDLMS.getHdlcData(False, client.settings, octets, reply, None)
        GXDLMS.getDataFromFrame(octets, reply, True)
        return reply

    return Workload(run, lambda reply: "e6e700" + bytes(reply.data.array()).hex())


def _register(inputs: Inputs) -> Workload:
    client = _make_client(InterfaceType.PDU)
    octets = GXByteBuffer(inputs("register"))

    def run() -> Untyped:
        octets.position = 0
        reply = GXReplyData()
        client.getData(octets, reply)
        return reply

    return Workload(run, lambda reply: reply.value)


def _object_list(inputs: Inputs) -> Workload:
    client = _make_client(InterfaceType.PDU)
    octets = GXByteBuffer(inputs("object list"))

    def run() -> Untyped:
        octets.position = 0
        return client.parseObjects(octets, False)

    def found(objects: Untyped) -> Json:
        return [
            [
                int(item.objectType),
                bytes(map(int, item.logicalName.split("."))).hex(),
            ]
            for item in objects
        ]

    return Workload(run, found)


def _profile(name: str, inputs: Inputs) -> Workload:
    settings = _make_client(InterfaceType.PDU).settings
    octets = GXByteBuffer(inputs(name))

    def run() -> Untyped:
        octets.position = 0
        return _GXCommon.getData(settings, octets, _GXDataInfo())

    return Workload(run, _found)


def _found(rows: Untyped) -> Json:
    return [len(rows), int(rows[-1][5])]


class BenchmarkReader(Reader):
    """The reader of the tests, without its socket."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.hdlc = True
        self.client = _make_client(InterfaceType.HDLC)

    def exchange(self, message: bytes, reply: Untyped) -> None:
        """Send a message and parse the answer."""
        received = GXByteBuffer(self._exchange(bytes(message)))
        if not self.client.getData(received, reply, GXReplyData()):
            raise ConnectionError("the meter says nothing more")

    def release(self) -> None:
        """End."""
        self.request(self.client.releaseRequest())
        self.request(self.client.disconnectRequest())


def _read_profile(exchange: Exchange, order: Json) -> Json:
    """It proposes nothing, so it gets 128 octets and a window of 1."""
    reader = BenchmarkReader(exchange)
    reader.associate()
    item = GXDLMSProfileGeneric(order["profile"])
    reply = reader.request(reader.client.read(item, 2))
    reader.release()
    return _found(reply.value)


if __name__ == "__main__":
    serve(
        {
            "frame 128": partial(_frame, "frame 128"),
            "frame 2030": partial(_frame, "frame 2030"),
            "register": _register,
            "object list": _object_list,
            "profile": partial(_profile, "profile"),
            "irregular profile": partial(_profile, "irregular profile"),
        },
        {"read profile": _read_profile},
    )
