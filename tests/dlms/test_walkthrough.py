"""One reading, octet by octet: the newcomer's first page, and it runs.

Wanted: total active energy imported, 1-0:1.8.0*255, from a meter on HDLC, as the public client (SAP 16, no password).
The first test follows the whole conversation, the second takes its one question and answer down and up the stairs.
"""

from collections.abc import Iterator
from decimal import Decimal
import re

from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    ClientSettings,
    DlmsClient,
    Framing,
    Obis,
    Quantity,
    ScalerUnit,
    TcpEndpoint,
    Unit,
    describe,
)
from custom_components.dlms_meter.dlms.application.apdu import decode_apdu
from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestNormal,
    GetResponseNormal,
)
from custom_components.dlms_meter.dlms.codec.axdr import decode_data, encode_data
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.values import decode_scaler_unit, interpret
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)
from tests.transports import memory_transports, run_virtually

# Class 3 (Register), its name, attribute 2 (value). Attribute 3 holds scaler and unit.
ENERGY = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)

# `>` the client sends, `<` the meter answers; spaces and bars are for the eye, the rest of a line is a comment.
#
# Every HDLC frame:  7e | format: a0 = type 3, then the length without the flags | destination | source | control |
#                    header check (HCS), if information follows | information | frame check (FCS) | 7e
# Addresses are shifted left, with a 1 behind the last octet: 03 is server 1, 21 is client 16.
CONVERSATION = """
# The link. 93 = SNRM: let us begin. The client offers information fields of 2030 octets (07ee) and windows of 7.
> 7e a020 03 21 93 7dd9 | 8180 14  05 02 07ee  06 02 07ee  07 04 00000007  08 04 00000007 | 4ee9 7e
# 73 = UA: agreed, but with 128 octets (0080) and a window of 1. These hold from now on.
< 7e a020 21 03 73 7398 | 8180 14  05 02 0080  06 02 0080  07 04 00000001  08 04 00000001 | ce6a 7e

# The association. 10 = I frame 0, P bit set: answer now. e6e600 = LLC, a command. 60 = AARQ:
#   a1 09 …         application context 2.16.756.5.8.1.1: logical names, no ciphering
#   be 10 04 0e …   InitiateRequest 01: no dedicated key 00, defaults 00 00, DLMS version 06,
#                   5f1f04 00 00fedf: GET, SET, ACTION, ACCESS, blocks, lists, priorities, …; APDUs up to ffff
> 7e a02b 03 21 10 fbaf | e6e600 | 60 1d  a1 09 06 07 60857405080101  be 10 04 0e 01 00 00 00 06 5f1f0400 00fedf ffff | 6def 7e
# 30 = I frame 0, which has also received frame 0. e6e700 = LLC, a response. 61 = AARE:
#   a2 03 02 01 00  result: accepted;  a3 05 a1 03 02 01 00  diagnostic: nothing to say
#   be 10 04 0e …   InitiateResponse 08: 005214 = GET, blocks, lists, selective access, priorities; APDUs up to 0400,
#                   0007 = logical names
< 7e a037 21 03 30 6c7c | e6e700 | 61 29  a1 09 06 07 60857405080101  a2 03 02 01 00  a3 05 a1 03 02 01 00  be 10 04 0e 08 00 06 5f1f0400 005214 0400 0007 | a1c4 7e

# The reading. 32 = I frame 1. c0 03 = GET-Request-With-List, c1 = invoke id 1, confirmed, high priority;
#   02 attributes: class, logical name, attribute, 00 = all of it. First the value, then scaler and unit.
> 7e a024 03 21 32 121f | e6e600 | c0 03 c1 02  0003 0100010800ff 02 00  0003 0100010800ff 03 00 | ff4c 7e
# c4 03 = GET-Response-With-List, c1 = the answer to invoke id 1, 02 results, each 00 = data:
#   06 0001e241     double-long-unsigned 123457
#   02 02           a structure of two: 0f ff = integer -1, 16 1e = enum 30, watt-hours
< 7e a01d 21 03 52 856f | e6e700 | c4 03 c1 02  00 06 0001e241  00 02 02  0f ff  16 1e | 40fd 7e

# The farewell. 54 = I frame 2. 62 = RLRQ: release, reason normal; 63 = RLRE: so be it.
> 7e a011 03 21 54 873b | e6e600 | 62 03 80 01 00 | bd9b 7e
< 7e a011 21 03 74 85bc | e6e700 | 63 03 80 01 00 | 2c0f 7e
# 53 = DISC: the link ends. 73 = UA.
> 7e a007 03 21 53 03c7 7e
< 7e a007 21 03 73 0140 7e
"""


class Recording:
    """A meter that knows this one conversation."""

    def __init__(self, conversation: str) -> None:
        self._lines = self._parse(conversation)

    @staticmethod
    def _parse(conversation: str) -> Iterator[tuple[str, bytes]]:
        for line in conversation.splitlines():
            if match := re.match("([<>]) (.*)", line):
                yield match[1], bytes.fromhex(match[2].replace("|", ""))

    def receive_data(self, data: bytes) -> bytes:
        assert next(self._lines) == (">", data)
        speaker, answer = next(self._lines)
        assert speaker == "<"
        return answer

    def line_idle(self) -> bytes:
        return b""

    def close(self) -> None:
        assert next(self._lines, None) is None, "the conversation goes on"


def test_the_whole_conversation() -> None:
    settings = ClientSettings(
        endpoint=TcpEndpoint("192.0.2.7", 8899),  # a gateway that passes bytes through
        framing=Framing.HDLC,
        client_sap=16,
        logical_device=1,
    )
    scaler_units: dict[AttributeDescriptor, ScalerUnit] = {}

    async def main() -> None:
        async with DlmsClient(settings) as client:  # link, association … farewell
            report = await client.read([ENERGY], scaler_units)
        assert report.values == {ENERGY: Quantity(Decimal("12345.7"), Unit.WATT_HOUR)}
        assert str(report.values[ENERGY]) == "12345.7 Wh"

    with memory_transports(lambda: Recording(CONVERSATION)):
        run_virtually(main())
    # Kept by the caller: the next reading asks for the value alone.
    assert scaler_units == {ENERGY._replace(attribute_id=3): ScalerUnit(-1, 30)}


def test_down_and_up_the_stairs() -> None:
    """The question for the value alone, and its answer, as each room sees them."""
    client, server = HdlcAddress.client(16), HdlcAddress.server(1)

    # application/procedures.py yields a request, application/get.py encodes it:
    # tag and choice, invoke id, class, logical name, attribute, no access selection.
    request = GetRequestNormal(InvokeIdAndPriority(0xC1), ENERGY)
    apdu = request.encode()
    assert apdu == bytes.fromhex("c001 c1 0003 0100010800ff 02 00")

    # link/llc.py and link/hdlc_frame.py make a frame of it, for transport/ to send: I frame, N(S) = 0, N(R) = 0, P.
    question = Frame(server, client, FrameType.I, bytes.fromhex("e6e600") + apdu)
    assert question.encode() == bytes.fromhex(
        "7e a019 03 21 10 7fda | e6e600 c001c100030100010800ff0200 | 3268 7e".replace(
            "|", ""
        )
    )

    # What transport/ receives, link/hdlc_frame.py cuts into frames and checks: HCS and FCS are good.
    received = bytes.fromhex("7ea01521033049cae6e700c401c100060001e24105cb7e")
    [frame] = FrameDecoder().feed(received)
    assert (frame.destination, frame.source) == (client, server)
    assert frame.type is FrameType.I
    assert (frame.send_sequence, frame.receive_sequence) == (0, 1)
    assert frame.poll_final
    assert not frame.segmented

    # link/hdlc.py finds N(S) and N(R) as expected and takes the LLC off; application/apdu.py knows the tag.
    response = decode_apdu(frame.information.removeprefix(bytes.fromhex("e6e700")))
    value = Data(DataType.DOUBLE_LONG_UNSIGNED, 123457)
    assert response == GetResponseNormal(InvokeIdAndPriority(0xC1), value)
    assert InvokeIdAndPriority(0xC1).answers(request.invoke)

    # codec/axdr.py has read the value: tag 06, four octets.
    assert decode_data(bytes.fromhex("06 0001e241")) == value
    assert encode_data(value) == bytes.fromhex("06 0001e241")

    # cosem/values.py gives it its meaning, with the scaler and unit read before.
    scaler_unit = decode_scaler_unit(decode_data(bytes.fromhex("0202 0fff 161e")))
    assert scaler_unit == ScalerUnit(-1, Unit.WATT_HOUR)
    energy = interpret(ENERGY, value, scaler_unit)
    assert energy == Quantity(Decimal("12345.7"), Unit.WATT_HOUR)

    # cosem/catalogue.py knows what the name stands for; Home Assistant's words for that are in descriptions.py.
    meaning = describe(ENERGY.logical_name, ENERGY.class_id, ENERGY.attribute_id)
    assert meaning is not None
    assert meaning.quantity == "active_energy"
    assert meaning.direction == "import"
    assert meaning.kind == "total"
    assert meaning.phase is None
    assert meaning.tariff is None
