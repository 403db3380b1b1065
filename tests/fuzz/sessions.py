"""Whole sessions with a meter that says whatever the octets say, in virtual time.

A script of octets is what the meter says, message by message: an octet of flags, two of length, and so many octets.
Each time the client sends something, the next message arrives. Where no flag says that a message is to arrive as it is,
it gets its frame and its checks: so what is mutated is what the client understands. When the script is over, the meter
is silent.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from random import Random
from typing import NamedTuple
from unittest.mock import patch

from custom_components.dlms_meter.dlms import (
    AccessItem,
    AttributeDescriptor,
    ClientSettings,
    Conformance,
    Data,
    DataType,
    DlmsClient,
    DlmsError,
    EntryRange,
    Framing,
    LastEntries,
    Mechanism,
    MethodDescriptor,
    Obis,
    SecuritySettings,
    TcpEndpoint,
    TimeRange,
    TransportOpener,
    client_settings,
)
from custom_components.dlms_meter.dlms.application.envelope_tags import is_envelope
from custom_components.dlms_meter.dlms.codec.crc import fcs16
from custom_components.dlms_meter.dlms.link.hdlc_frame import FrameDecoder
from custom_components.dlms_meter.dlms.transport import Receiver
from custom_components.dlms_meter.dlms.transport.endpoint import Endpoint, LineSettings
from tests.dlms.application.secured import (
    AUTHENTICATION_KEY,
    CLIENT_TITLE,
    GLOBAL_KEY,
    context,
)
from tests.simulator import (
    ClientRule,
    HdlcSession,
    Meter,
    MeterSession,
    MeterSettings,
    WrapperSession,
)
from tests.simulator.settings import EVERY_SERVICE, SHORT_NAME_SERVICES, SUPPORTED
from tests.transports import VirtualTimeLoop

_NOW = datetime(2026, 11, 3, 10, 20, 30, tzinfo=UTC)
_MORE, _AS_IT_IS, _SEGMENTED = 1, 2, 4
"""Flags: the next message follows at once; no frame is put around it; more segments follow (HDLC)."""
_LONGEST_MESSAGE = 0xFFFF
_CLIENT, _SERVER = 16, 1
_ADDRESSES = bytes((_CLIENT << 1 | 1, _SERVER << 1 | 1))
_LONGEST_SESSION = 4 * 3600.0
"""Seconds of virtual time: every request has its limit, and there are not many."""
_KEYS = SecuritySettings(
    global_unicast_key=GLOBAL_KEY, authentication_key=AUTHENTICATION_KEY
)

type Work = Callable[[DlmsClient], Coroutine[object, object, object]]


def _attribute(class_id: int, code: str, attribute_id: int = 2) -> AttributeDescriptor:
    return AttributeDescriptor(class_id, Obis.parse(code), attribute_id)


_ENERGY = _attribute(3, "1-0:1.8.0")
_VOLTAGES = [_attribute(3, f"1-0:{phase}2.7.0") for phase in (3, 5, 7)]
_LOAD_PROFILE = Obis.parse("1-0:99.1.0")
_NUMBER = Data(DataType.DOUBLE_LONG_UNSIGNED, 1)


async def _get(client: DlmsClient) -> object:
    return await client.get(_ENERGY)


async def _read(client: DlmsClient) -> object:
    await client.identity()
    return await client.read([_ENERGY, *_VOLTAGES, _attribute(8, "0-0:1.0.0")], {})


async def _objects(client: DlmsClient) -> object:
    return await client.objects()


async def _newest_rows(client: DlmsClient) -> object:
    selection = LastEntries(5)
    return list(await client.read_profile(_LOAD_PROFILE, selection, {}, now=_NOW))


async def _rows_since(client: DlmsClient) -> object:
    selection = TimeRange(_NOW.replace(hour=8), _NOW)
    return list(await client.read_profile(_LOAD_PROFILE, selection, {}, now=_NOW))


async def _entries(client: DlmsClient) -> object:
    selection = EntryRange(3, 20)
    return list(await client.read_profile(_LOAD_PROFILE, selection, {}, now=_NOW))


async def _write(client: DlmsClient) -> object:
    with suppress(DlmsError):
        await client.set(_attribute(1, "0-0:96.1.0"), _NUMBER)
    return await client.set_many(dict.fromkeys(_VOLTAGES, _NUMBER))


async def _invoke(client: DlmsClient) -> object:
    method = MethodDescriptor(70, Obis.parse("0-0:96.3.10"), 1)
    with suppress(DlmsError):
        await client.invoke(method, _NUMBER)
    return await client.invoke_many([(method, None), (method, _NUMBER)])


async def _access(client: DlmsClient) -> object:
    items = (AccessItem.get(_ENERGY), AccessItem.set(_VOLTAGES[0], _NUMBER))
    return await client.access(items)


class Session(NamedTuple):
    """One kind of session."""

    work: Work
    framing: Framing = Framing.WRAPPER
    short_names: bool = False
    ciphered: bool = False
    mechanism: Mechanism = Mechanism.NONE
    information: int = 2030
    blocks: int = 0
    """Window of general block transfer."""

    def client(self, opener: TransportOpener) -> DlmsClient:
        """Make a client that connects by `opener`."""
        settings = ClientSettings(
            endpoint=TcpEndpoint("meter.example", 4059),
            framing=self.framing,
            client_sap=_CLIENT,
            logical_device=_SERVER,
            short_names=self.short_names,
            mechanism=self.mechanism,
            password=b"12345678",
            max_information_length=self.information,
            block_transfer_window=self.blocks,
            system_title=CLIENT_TITLE if self.ciphered else b"",
            security=_KEYS if self.ciphered else None,
        )
        return DlmsClient(settings, open_shared=opener, invocation_counter=1)


_HDLC = Framing.HDLC
SESSIONS: dict[str, Session] = {
    "get": Session(_get),
    "get, HDLC": Session(_get, _HDLC),
    "get, LLS": Session(_get, mechanism=Mechanism.LLS),
    "get, HLS": Session(_get, mechanism=Mechanism.HLS_SHA256, ciphered=True),
    "get, ciphered": Session(_get, ciphered=True),
    "read": Session(_read),
    "read, HDLC": Session(_read, _HDLC, information=128),
    "read, short names": Session(_read, short_names=True),
    "objects, general block transfer": Session(_objects, blocks=4),
    "objects": Session(_objects),
    "objects, HDLC": Session(_objects, _HDLC, information=128),
    "objects, short names": Session(_objects, short_names=True),
    "objects, ciphered": Session(_objects, ciphered=True),
    "newest rows": Session(_newest_rows),
    "rows since": Session(_rows_since),
    "rows since, HDLC": Session(_rows_since, _HDLC, information=128),
    "rows since, short names": Session(_rows_since, short_names=True),
    "entries": Session(_entries),
    "write": Session(_write),
    "write, short names": Session(_write, short_names=True),
    "invoke": Session(_invoke),
    "access": Session(_access),
}
"""By name."""


class Message(NamedTuple):
    """One thing that the meter says."""

    flags: int
    octets: bytes

    def encode(self) -> bytes:
        """Write it as it stands in a script."""
        return bytes((self.flags,)) + len(self.octets).to_bytes(2) + self.octets


def messages(script: bytes) -> Iterator[Message]:
    """Read a script; what is missing at its end is left out."""
    place = 0
    while place + 3 <= len(script):
        end = place + 3 + int.from_bytes(script[place + 1 : place + 3])
        yield Message(script[place], script[place + 3 : end])
        place = end


class Scripted:
    """A connection to a meter that follows a script."""

    def __init__(self, session: Session, script: bytes, receiver: Receiver) -> None:
        self._receiver = receiver
        self._framing = session.framing
        self._script = messages(script)
        self._cipher = (
            context(_KEYS, MeterSettings().system_title, CLIENT_TITLE, counter=1000)
            if session.ciphered
            else None
        )
        self._open = True

    def write(self, data: bytes) -> None:
        """Let the next message arrive."""
        asyncio.get_running_loop().call_soon(self._say)

    def _say(self) -> None:
        for message in self._script:
            if self._open:
                self._receiver.data_received(self._framed(message))
            if not message.flags & _MORE:
                return

    def _framed(self, message: Message) -> bytes:
        octets = message.octets
        if message.flags & _AS_IT_IS:
            return octets
        if self._framing is _HDLC:
            return hdlc_frame(octets, segmented=bool(message.flags & _SEGMENTED))
        if self._cipher is not None and octets[:1] not in (b"", b"\x61", b"\x63"):
            octets = self._cipher.protect(octets)
        return b"\x00\x01\x00\x01\x00\x10" + len(octets).to_bytes(2) + octets

    async def set_line(self, line: LineSettings, last: bytes = b"") -> None:
        """Nothing to set."""

    async def close(self) -> None:
        """End."""
        if self._open:
            self._open = False
            await asyncio.sleep(0)
            self._receiver.connection_lost(None)


def hdlc_frame(octets: bytes, *, segmented: bool) -> bytes:
    """Put control octet and information into a frame from the meter."""
    control, information = octets[:1], octets[1:]
    length = 6 + len(control) + (2 + len(information) if information else 0)
    head = 0xA000 | segmented << 11 | length & 0x7FF
    contents = head.to_bytes(2) + _ADDRESSES + control
    if information:
        contents += fcs16(contents) + information
    return b"\x7e" + contents + fcs16(contents) + b"\x7e"


def hold(session: Session, script: bytes) -> object:
    """Hold a session with a meter that follows a script; it must end, by itself and in time.

    Returns what was read, or the `DlmsError` that came in its place.
    """

    async def open_scripted(_: Endpoint, receiver: Receiver) -> Scripted:
        return Scripted(session, script, receiver)

    async def main() -> object:
        outcome: object
        try:
            async with session.client(open_scripted) as client:
                outcome = await session.work(client)
        except DlmsError as error:
            outcome = error
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert asyncio.get_running_loop().time() < _LONGEST_SESSION
        return outcome

    with (
        patch.object(client_settings, "token_bytes", bytes),
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        return runner.run(main())


@cache
def script_of(name: str) -> bytes:
    """Return what the simulated meter says in such a session."""
    session = SESSIONS[name]
    meter = _meter_for(session)
    said: list[Message] = []

    class Recorded(Scripted):
        """A connection to the simulated meter."""

        def write(self, data: bytes) -> None:
            answer = meter.receive_data(data)
            if answer:
                said.extend(_understood(session, answer))
                arrive = self._receiver.data_received
                asyncio.get_running_loop().call_soon(arrive, answer)

    async def open_recorded(_: Endpoint, receiver: Receiver) -> Recorded:
        return Recorded(session, b"", receiver)

    async def main() -> None:
        async with session.client(open_recorded) as client:
            with suppress(DlmsError):
                await session.work(client)

    with (
        patch.object(client_settings, "token_bytes", bytes),
        asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
    ):
        runner.run(main())
    return b"".join([message.encode() for message in said])


def _meter_for(session: Session) -> MeterSession:
    rule = ClientRule(
        _CLIENT,
        session.mechanism,
        b"12345678",
        replace(_KEYS, server_system_title=b"") if session.ciphered else None,
    )
    conformance = SUPPORTED if session.work is _read else EVERY_SERVICE
    if session.blocks:
        conformance |= Conformance.GENERAL_BLOCK_TRANSFER
    settings = MeterSettings(
        clients=(rule,),
        conformance=SHORT_NAME_SERVICES if session.short_names else conformance,
        short_names=session.short_names,
        max_pdu_size=200 if session.blocks else 1200,
    )
    made = Meter(settings, now=lambda: _NOW)
    return HdlcSession(made) if session.framing is _HDLC else WrapperSession(made)


def _understood(session: Session, answer: bytes) -> Iterator[Message]:
    """Take the frames off what the meter says, and the protection."""
    if session.framing is _HDLC:
        frames = FrameDecoder().feed(answer)
        for left, frame in zip(reversed(range(len(frames))), frames, strict=True):
            flags = (_MORE if left else 0) | (_SEGMENTED if frame.segmented else 0)
            yield Message(flags, bytes((frame.control,)) + frame.information)
        return
    while answer:
        end = 8 + int.from_bytes(answer[6:8])
        apdu, answer = answer[8:end], answer[end:]
        if is_envelope(apdu):
            keys = context(_KEYS, CLIENT_TITLE, MeterSettings().system_title)
            apdu = keys.unprotect(apdu).apdu
        yield Message(_MORE if answer else 0, apdu)


def mutated_script(
    script: bytes, random: Random, mutate: Callable[[bytes], bytes]
) -> bytes:
    """Change one message, or the order in which they come; lengths stay right."""
    said = list(messages(script))
    if not said:
        return mutate(script)
    place = random.randrange(len(said))
    flags, octets = said[place]
    match random.randrange(8):
        case 0:
            del said[place]
        case 1:
            said.insert(random.randrange(len(said) + 1), said[place])
        case 2:
            said[place] = Message(flags ^ 1 << random.randrange(3), octets)
        case _:
            said[place] = Message(flags, mutate(octets)[:_LONGEST_MESSAGE])
    return b"".join([message.encode() for message in said])
