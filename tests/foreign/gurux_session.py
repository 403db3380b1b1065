"""gurux-dlms (GPL-2, by Gurux Ltd) as `services_reader.py` needs it: it makes and parses the messages, this moves them."""

from datetime import datetime
import socket
from typing import Any

from gurux_dlms import GXByteBuffer, GXDateTime, GXDLMSAccessItem, GXReplyData
from gurux_dlms.enums import (
    AccessServiceCommandType,
    Authentication,
    Conformance,
    DataType,
    InterfaceType,
    ObjectType,
    Security,
)
from gurux_dlms.secure import GXDLMSSecureClient

type Order = dict[str, Any]
type Untyped = Any  # Gurux's messages, objects and values

BLOCK_WINDOW = 3


class ForeignSession:
    def __init__(
        self, order: Order, way: Order, counter: int, *, in_blocks: bool
    ) -> None:
        self.hdlc = order["framing"] == "hdlc"
        authentication = Authentication(way["mechanism"])
        self.client = GXDLMSSecureClient(
            way["names"] == "LN",
            way["client"],
            1,
            authentication,
            order["secret"] if way["mechanism"] else None,
            InterfaceType.HDLC if self.hdlc else InterfaceType.WRAPPER,
        )
        ciphering = self.client.ciphering
        ciphering.systemTitle = bytes.fromhex(order["system_title"])
        ciphering.blockCipherKey = bytes.fromhex(order["global_unicast_key"])
        ciphering.authenticationKey = bytes.fromhex(order["authentication_key"])
        ciphering.invocationCounter = counter
        if way["ciphered"]:
            ciphering.security = Security.AUTHENTICATION_ENCRYPTION
        if in_blocks:
            self.client.proposedConformance |= Conformance.GENERAL_BLOCK_TRANSFER
            self.client.gbtWindowSize = BLOCK_WINDOW
        else:
            self.client.proposedConformance |= Conformance.ACCESS
        address = ("127.0.0.1", order["port"])
        self.line = socket.create_connection(address, order["timeout"])
        try:
            self._associate()
        except BaseException:
            self.line.close()
            raise

    def _associate(self) -> None:
        if self.hdlc:
            self.client.parseUAResponse(self._request(self.client.snrmRequest()).data)
        self.client.parseAareResponse(self._request(self.client.aarqRequest()).data)
        if self.client.isAuthenticationRequired:
            answer = self._request(self.client.getApplicationAssociationRequest())
            self.client.parseApplicationAssociationResponse(answer.data)
        self.objects = self.client.parseObjects(
            self._request(self.client.getObjectsRequest()).data, False
        )

    def _exchange(self, message: bytes, reply: GXReplyData) -> None:
        self.line.sendall(message)
        received = GXByteBuffer()
        while not self.client.getData(received, reply, GXReplyData()):
            octets = self.line.recv(65536)
            if not octets:
                raise ConnectionError("the meter closed the connection")
            received.set(octets)
        if reply.error:
            raise ValueError(f"refused with error {reply.error}")

    def _request(self, messages: Untyped) -> GXReplyData:
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            reply.clear()
            self._exchange(message, reply)
            while reply.isMoreData():
                self._exchange(self.client.receiverReady(reply), reply)
        return reply

    def close(self) -> None:
        self._request(self.client.releaseRequest())
        if self.hdlc:
            self._request(self.client.disconnectRequest())
        self.line.close()

    def abandon(self) -> None:
        self.line.close()

    def _find(self, class_id: int, code: str) -> Untyped:
        found = self.objects.findByLN(ObjectType(class_id), code)
        assert found is not None, f"{code} is not in the object list"
        return found

    def _read(self, item: Untyped, attribute: int) -> Untyped:
        reply = self._request(self.client.read(item, attribute))
        return self.client.updateValue(item, attribute, reply.value)

    def get(self, class_id: int, code: str, attribute: int) -> Untyped:
        item = self._find(class_id, code)
        if class_id == 1:
            item.setDataType(attribute, DataType.OCTET_STRING)
        return plain(self._read(item, attribute))

    def get_registers(self, codes: tuple[str, ...]) -> Untyped:
        wanted = [(self._find(3, code), 2) for code in codes]
        values: list[Untyped] = []
        for messages in self.client.readList(wanted):
            values += self._request(messages).value
        self.client.updateValues(wanted, values)
        return [plain(item.value) for item, _ in wanted]

    def object_count(self) -> int:
        request = self._request(self.client.getObjectsRequest())
        return len(self.client.parseObjects(request.data, False))

    def set_octets(self, code: str, value: bytes) -> None:
        item = self._find(1, code)
        item.value = bytearray(value)
        item.setDataType(2, DataType.OCTET_STRING)
        self._request(self.client.write(item, 2))

    def invoke(self, code: str, method: int) -> None:
        item = self._find(70, code)
        self._request(self.client.method(item, method, 0, DataType.INT8))

    def _rows(self, profile: Untyped, request: Untyped) -> Untyped:
        reply = self._request(request)
        found = self.client.updateValue(profile, 2, reply.value)
        return [[plain(cell) for cell in row] for row in found]

    def _profile(self, code: str) -> Untyped:
        profile = self._find(7, code)
        self._read(profile, 3)
        return profile

    def rows_by_time(self, code: str, since: str, until: str) -> Untyped:
        profile = self._profile(code)
        ends = [GXDateTime(datetime.fromisoformat(text)) for text in (since, until)]
        return self._rows(profile, self.client.readRowsByRange(profile, *ends))

    def rows_by_number(self, code: str, first: int, last: int) -> Untyped:
        profile = self._profile(code)
        count = last - first + 1
        return self._rows(profile, self.client.readRowsByEntry(profile, first, count))

    def access(self, code: str, value: bytes) -> Untyped:
        message, register = self._find(1, code), self._find(3, "1.0.1.8.0.255")
        message.value = bytearray(value)
        message.setDataType(2, DataType.OCTET_STRING)
        items = [
            GXDLMSAccessItem(AccessServiceCommandType.SET, message, 2),
            GXDLMSAccessItem(AccessServiceCommandType.GET, message, 2),
            GXDLMSAccessItem(AccessServiceCommandType.GET, register, 2),
        ]
        reply = self._request(self.client.accessRequest(None, items))
        self.client.parseAccessResponse(items, reply.data)
        return [plain(item.target.value) for item in items[1:]]


def plain(value: Untyped) -> Untyped:
    """Return a value as JSON can hold it: times in UTC, octets in hex."""
    if isinstance(value, GXDateTime):
        return value.value.astimezone().isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, str):
        return value.encode().hex()
    return value
