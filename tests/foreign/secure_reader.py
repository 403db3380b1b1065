"""Read a meter with a client nobody here wrote, with HLS and ciphering, and print what it says as JSON.

Runs in a process of its own: `python secure_reader.py gurux|dlms_cosem|pydlms '{"port": …, …}'`. The order says framing,
port, client, mechanism, secret, suite, whether to cipher, and keys and system title in hex. The report is the raw value
of one register and the number of objects, which come in blocks.
"""

# ruff: noqa: PLC0415 - one library at a time

from contextlib import redirect_stdout
import json
import socket
import sys
from typing import Any

type Order = dict[str, Any]
type Untyped = Any  # what the libraries return

TIMEOUT = 10
REGISTER = "1.0.1.8.0.255"
OBJECT_LIST = "0.0.40.0.0.255"


def key(order: Order, name: str) -> bytes:
    return bytes.fromhex(order[name])


def with_pydlms(order: Order) -> dict[str, int]:
    """pydlms-client, GPL-3."""
    from pydlms.client import DlmsClient
    from pydlms.security.context import SecurityContext
    from pydlms.security.hls import Mechanism

    context = SecurityContext(
        key(order, "global_unicast_key"),
        key(order, "authentication_key"),
        client_system_title=key(order, "system_title"),
        suite=order["suite"],
        invocation_counter=1,
    )
    client = DlmsClient.tcp(
        "127.0.0.1",
        order["port"],
        client_sap=order["client"],
        hdlc=order["framing"] == "hdlc",
        timeout=TIMEOUT,
        mechanism=Mechanism(order["mechanism"]),
        password=order["secret"].encode(),
        security=context,
        ciphered_context=order["ciphered"],
        use_dedicated_key=order["dedicated"],
        protection=order["protection"],
    )
    with client:
        value = client.get(REGISTER, 3, 2).value
        return {"value": value, "objects": len(client.get_association_view())}


def with_dlms_cosem(order: Order) -> dict[str, int]:
    """dlms-cosem, Business Source License: GMAC and the vendor mechanism; ciphers by general-glo-ciphering only."""
    from dlms_cosem import cosem, enumerations, utils
    from dlms_cosem.client import DlmsClient
    from dlms_cosem.io import BlockingTcpIO, TcpTransport
    from dlms_cosem.security import (
        HighLevelSecurityCommonAuthentication,
        HighLevelSecurityGmacAuthentication,
    )

    ciphering = {
        "encryption_key": key(order, "global_unicast_key"),
        "authentication_key": key(order, "authentication_key"),
        "client_system_title": key(order, "system_title"),
        "security_suite": order["suite"],
        "client_initial_invocation_counter": 1,
    }
    io = BlockingTcpIO("127.0.0.1", order["port"], TIMEOUT)
    client = DlmsClient(
        transport=TcpTransport(order["client"], 1, io, timeout=TIMEOUT),
        authentication=HighLevelSecurityGmacAuthentication()
        if order["mechanism"] == 5
        else HighLevelSecurityCommonAuthentication(order["secret"].encode()),
        block_transfer=True,
        **(ciphering if order["ciphered"] else {}),
    )

    def get(class_id: int, code: str) -> Untyped:
        interface = enumerations.CosemInterface(class_id)
        name = cosem.Obis(*map(int, code.split(".")))
        answer = client.get(cosem.CosemAttribute(interface, name, 2))
        return utils.parse_as_dlms_data(answer)

    with client.session():
        return {"value": get(3, REGISTER), "objects": len(get(15, OBJECT_LIST))}


def with_gurux(order: Order) -> dict[str, int]:
    """gurux-dlms, GPL-2, by Gurux Ltd. It makes and parses the messages; this moves them over a socket."""
    from gurux_dlms import GXByteBuffer, GXReplyData
    from gurux_dlms.enums import Authentication, InterfaceType, Security
    from gurux_dlms.objects import GXDLMSRegister
    from gurux_dlms.secure import GXDLMSSecureClient

    hdlc = order["framing"] == "hdlc"
    client = GXDLMSSecureClient(
        True,
        order["client"],
        1,
        Authentication(order["mechanism"]),
        order["secret"],
        InterfaceType.HDLC if hdlc else InterfaceType.WRAPPER,
    )
    client.ciphering.systemTitle = key(order, "system_title")
    client.ciphering.blockCipherKey = key(order, "global_unicast_key")
    client.ciphering.authenticationKey = key(order, "authentication_key")
    client.ciphering.invocationCounter = 1
    if order["ciphered"]:
        client.ciphering.security = Security.AUTHENTICATION_ENCRYPTION
    line = socket.create_connection(("127.0.0.1", order["port"]), TIMEOUT)

    def exchange(message: bytes, reply: GXReplyData) -> None:
        line.sendall(message)
        received = GXByteBuffer()
        while not client.getData(received, reply, GXReplyData()):
            octets = line.recv(65536)
            if not octets:
                raise ConnectionError("the meter closed the connection")
            received.set(octets)

    def request(messages: Untyped) -> GXReplyData:
        reply = GXReplyData()
        for message in messages if isinstance(messages, list) else [messages]:
            reply.clear()
            exchange(message, reply)
            while reply.isMoreData():
                exchange(client.receiverReady(reply), reply)
        return reply

    if hdlc:
        client.parseUAResponse(request(client.snrmRequest()).data)
    client.parseAareResponse(request(client.aarqRequest()).data)
    if client.isAuthenticationRequired:
        answer = request(client.getApplicationAssociationRequest()).data
        client.parseApplicationAssociationResponse(answer)
    register = GXDLMSRegister(REGISTER)
    reply = request(client.read(register, 2))
    value = client.updateValue(register, 2, reply.value)
    objects = client.parseObjects(request(client.getObjectsRequest()).data, False)
    request(client.releaseRequest())
    return {"value": int(value), "objects": len(objects)}


CLIENTS = {"pydlms": with_pydlms, "dlms_cosem": with_dlms_cosem, "gurux": with_gurux}

if __name__ == "__main__":
    with redirect_stdout(sys.stderr):  # where some of them print what they do
        report = CLIENTS[sys.argv[1]](json.loads(sys.argv[2]))
    json.dump(report, sys.stdout)
