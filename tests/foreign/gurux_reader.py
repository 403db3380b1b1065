"""Read a meter with gurux-dlms (GPL-2, by Gurux Ltd) and print what it says as JSON.

Runs in a process of its own: `python gurux_reader.py '{"port": …, …}'`; see `readers.py` for the order and the report.
"""

import json
import socket
import sys
from typing import Any

from gurux_dlms import GXByteBuffer, GXDateTime, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType, ObjectType
from gurux_dlms.objects import GXDLMSProfileGeneric

type Untyped = Any  # Gurux's messages, objects and values

TIMEOUT = 10


class Reader:
    """Gurux makes and parses the messages; this moves them over a socket."""

    def __init__(self, order: dict[str, Any]) -> None:
        self.hdlc = order["framing"] == "hdlc"
        self.client = GXDLMSClient(
            True,
            order["client"],
            1,
            Authentication.LOW if order["password"] else Authentication.NONE,
            order["password"],
            InterfaceType.HDLC if self.hdlc else InterfaceType.WRAPPER,
        )
        self.socket = socket.create_connection(("127.0.0.1", order["port"]), TIMEOUT)

    def exchange(self, message: bytes, reply: GXReplyData) -> None:
        self.socket.sendall(message)
        received = GXByteBuffer()
        while not self.client.getData(received, reply, GXReplyData()):
            octets = self.socket.recv(65536)
            if not octets:
                raise ConnectionError("the meter closed the connection")
            received.set(octets)

    def request(self, messages: Untyped) -> GXReplyData:
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            reply.clear()
            self.exchange(message, reply)
            while reply.isMoreData():
                self.exchange(self.client.receiverReady(reply), reply)
        return reply

    def associate(self) -> None:
        if self.hdlc:
            self.client.parseUAResponse(self.request(self.client.snrmRequest()).data)
        self.client.parseAareResponse(self.request(self.client.aarqRequest()).data)

    def release(self) -> None:
        self.request(self.client.releaseRequest())
        if self.hdlc:
            self.request(self.client.disconnectRequest())
        self.socket.close()

    def read(self, item: Untyped, attribute: int) -> Untyped:
        reply = self.request(self.client.read(item, attribute))
        return self.client.updateValue(item, attribute, reply.value)

    def read_profile(
        self, profile: GXDLMSProfileGeneric, first: int, count: int
    ) -> Untyped:
        self.read(profile, 3)
        reply = self.request(self.client.readRowsByEntry(profile, first, count))
        return self.client.updateValue(profile, 2, reply.value)


def plain(value: Untyped) -> Untyped:
    """Return a value as JSON can hold it: times in UTC, octets in hex."""
    if isinstance(value, GXDateTime):
        return value.value.astimezone().isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    return value


def report(order: dict[str, Any]) -> dict[str, Any]:
    reader = Reader(order)
    reader.associate()
    objects = reader.client.parseObjects(
        reader.request(reader.client.getObjectsRequest()).data, False
    )
    registers = {}
    for item in objects.getObjects(ObjectType.REGISTER):
        reader.read(item, 3)
        registers[item.logicalName] = [str(reader.read(item, 2)), int(item.unit)]
    clock = objects.findByLN(ObjectType.CLOCK, "0.0.1.0.0.255")
    name = objects.findByLN(ObjectType.DATA, "0.0.42.0.0.255")
    profile = objects.findByLN(ObjectType.PROFILE_GENERIC, order["profile"])
    rows = reader.read_profile(profile, order["first"], order["count"])
    result = {
        "objects": [
            [int(item.objectType), item.logicalName, item.version] for item in objects
        ],
        "registers": registers,
        "clock": plain(reader.read(clock, 2)),
        "name": plain(reader.read(name, 2)),
        "columns": [
            [int(k.objectType), k.logicalName, v.attributeIndex]
            for k, v in profile.captureObjects
        ],
        "rows": [[plain(cell) for cell in row] for row in rows],
    }
    reader.release()
    return result


if __name__ == "__main__":
    json.dump(report(json.loads(sys.argv[1])), sys.stdout)
