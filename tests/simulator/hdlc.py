"""The HDLC side of the simulated meter, bytes in and bytes out: a secondary station in normal response mode."""

from dataclasses import dataclass, field
from typing import NamedTuple

from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)

from .blocks import Server
from .meter import Meter

_MODULUS = 8
_LLC_COMMAND = bytes.fromhex("E6E600")
_LLC_RESPONSE = bytes.fromhex("E6E700")

# Parameters of SNRM and UA, from the point of view of the sender.
_FORMAT = b"\x81\x80"
_MAX_TRANSMIT, _MAX_RECEIVE, _WINDOW_TRANSMIT, _WINDOW_RECEIVE = 5, 6, 7, 8
_DEFAULTS = {
    _MAX_TRANSMIT: 128,
    _MAX_RECEIVE: 128,
    _WINDOW_TRANSMIT: 1,
    _WINDOW_RECEIVE: 1,
}
_INFORMATION_TOO_LONG = 0x04  # reason y of FRMR


class _Segment(NamedTuple):
    information: bytes
    more: bool


@dataclass(slots=True)
class _Link:
    """What stands between SNRM and DISC; limits are the meter's own."""

    client: HdlcAddress
    application: Server
    max_transmit: int
    max_receive: int
    window: int
    receive_sequence: int = 0  # V(R)
    first_unacknowledged: int = 0  # N(S) of outgoing[0]
    outgoing: list[_Segment] = field(default_factory=list)
    notification: bytes = b""  # for a UI frame
    incoming: bytearray = field(default_factory=bytearray)

    def acknowledge(self, receive_sequence: int) -> None:
        """Forget the segments the client has; a number that acknowledges what was not sent is ignored."""
        count = (receive_sequence - self.first_unacknowledged) % _MODULUS
        if count <= min(self.window, len(self.outgoing)):
            del self.outgoing[:count]
            self.first_unacknowledged = receive_sequence

    def take(self, frame: Frame) -> None:
        """Take one I frame; after its last segment the APDU is answered."""
        if frame.send_sequence != self.receive_sequence:
            return  # repeated, or one before it was lost
        self.receive_sequence = (self.receive_sequence + 1) % _MODULUS
        self.incoming += frame.information
        if frame.segmented:
            return
        apdu = bytes(self.incoming).removeprefix(_LLC_COMMAND)
        self.incoming.clear()
        push = self.application.push()
        answers = self.application.handle(apdu)
        if push is not None and push.in_ui_frame:
            self.notification = _LLC_RESPONSE + push.apdu
        elif push is not None:
            answers = [push.apdu, *answers]
        # Behind what the client has not acknowledged yet: a number must not come again with something else.
        self.outgoing += [each for answer in answers for each in self._segments(answer)]

    def _segments(self, apdu: bytes) -> list[_Segment]:
        octets, size = _LLC_RESPONSE + apdu, self.max_transmit
        return [
            _Segment(octets[start : start + size], start + size < len(octets))
            for start in range(0, len(octets), size)
        ]


class HdlcSession:
    """One client's line to the meter, perhaps through a gateway."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._decoder = FrameDecoder()
        self._link: _Link | None = None

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes from the client, cut anywhere, and return what the meter says to them."""
        return self._answers(self._decoder.feed(data))

    def line_idle(self) -> bytes:
        """Hear that no octet came for longer than the inter-octet time-out: a frame begun will not end."""
        return self._answers(self._decoder.flush())

    def close(self) -> None:
        """The connection is gone, the link with it."""
        self._link = None
        self._meter.vacate(self)

    def _answers(self, frames: list[Frame]) -> bytes:
        answers = [
            answer
            for frame in frames
            if self._is_for_us(frame)
            for answer in self._answer(frame)
        ]
        return b"".join(answer.encode() for answer in answers)

    def _is_for_us(self, frame: Frame) -> bool:
        settings, address = self._meter.settings, frame.destination
        return (
            address.logical_device == settings.logical_device
            and address.physical_device in {None, settings.physical_device}
        )

    def _answer(self, frame: Frame) -> list[Frame]:
        link = self._link
        if frame.type is FrameType.SNRM:
            ignored = frame.information and self._ignores_parameters
            return [] if ignored else [self._connect(frame)]
        if link is None or link.client != frame.source:
            return [_reply(frame, FrameType.DM)] if frame.poll_final else []
        if frame.type is FrameType.DISC:
            self.close()
            return [_reply(frame, FrameType.UA)]
        if frame.type not in {FrameType.I, FrameType.RR, FrameType.RNR}:
            return []
        if len(frame.information) > link.max_receive:
            self.close()
            return [_reject(frame, link)]
        link.acknowledge(frame.receive_sequence)
        if frame.type is FrameType.I:
            link.take(frame)
        if not frame.poll_final:
            return []
        notification, link.notification = link.notification, b""
        pushed = _push(frame, notification, link.max_transmit)
        return [*pushed, *_transmit(frame, link)]

    @property
    def _ignores_parameters(self) -> bool:
        return self._meter.settings.service_quirks.ignores_parameters

    def _connect(self, frame: Frame) -> Frame:
        """Begin anew, whatever stood before."""
        self._link = None
        if not self._meter.occupy(self):
            return _reply(frame, FrameType.DM)
        settings = self._meter.settings
        asked = _decode_parameters(frame.information)
        ours, window = settings.max_information_length, settings.window
        agreed = {
            _MAX_TRANSMIT: min(ours, asked[_MAX_RECEIVE]),
            _MAX_RECEIVE: min(ours, asked[_MAX_TRANSMIT]),
            _WINDOW_TRANSMIT: min(window, asked[_WINDOW_RECEIVE]),
            _WINDOW_RECEIVE: min(window, asked[_WINDOW_TRANSMIT]),
        }
        client_sap = frame.source.logical_device
        self._link = _Link(
            frame.source,
            Server(self._meter, client_sap, self),
            agreed[_MAX_TRANSMIT],
            agreed[_MAX_RECEIVE],
            agreed[_WINDOW_TRANSMIT],
        )
        return _reply(frame, FrameType.UA, _encode_parameters(agreed))


def _transmit(frame: Frame, link: _Link) -> list[Frame]:
    """Send, or send again, what the window allows; with nothing to say, be ready."""
    sent = [] if frame.type is FrameType.RNR else link.outgoing[: link.window]
    if not sent:
        return [
            Frame(
                frame.source,
                frame.destination,
                FrameType.RR,
                receive_sequence=link.receive_sequence,
            )
        ]
    return [
        Frame(
            frame.source,
            frame.destination,
            FrameType.I,
            segment.information,
            segmented=segment.more,
            poll_final=number == len(sent),
            send_sequence=(link.first_unacknowledged + number - 1) % _MODULUS,
            receive_sequence=link.receive_sequence,
        )
        for number, segment in enumerate(sent, 1)
    ]


def _push(frame: Frame, octets: bytes, size: int) -> list[Frame]:
    """Make UI frames of a notification."""
    return [
        Frame(
            frame.source,
            frame.destination,
            FrameType.UI,
            octets[start : start + size],
            segmented=start + size < len(octets),
            poll_final=False,
        )
        for start in range(0, len(octets), size)
    ]


def _reply(frame: Frame, kind: FrameType, information: bytes = b"") -> Frame:
    return Frame(frame.source, frame.destination, kind, information)


def _reject(frame: Frame, link: _Link) -> Frame:
    send_sequence = link.first_unacknowledged + len(link.outgoing[: link.window])
    states = link.receive_sequence << 5 | send_sequence % _MODULUS << 1
    reasons = bytes((frame.control, states, _INFORMATION_TOO_LONG))
    return _reply(frame, FrameType.FRMR, reasons)


def _encode_parameters(parameters: dict[int, int]) -> bytes:
    group = b"".join(
        bytes((identifier, 2)) + value.to_bytes(2)
        if identifier in {_MAX_TRANSMIT, _MAX_RECEIVE}
        else bytes((identifier, 4)) + value.to_bytes(4)
        for identifier, value in parameters.items()
    )
    return _FORMAT + bytes((len(group),)) + group


def _decode_parameters(information: bytes) -> dict[int, int]:
    """Read the client's list; what is not in it, or does not make sense, is the default."""
    parameters = dict(_DEFAULTS)
    if not information.startswith(_FORMAT):
        return parameters
    group = information[len(_FORMAT) + 1 :]
    while len(group) >= 2:
        identifier, length = group[:2]
        value = int.from_bytes(group[2 : 2 + length])
        if identifier in parameters and value:
            parameters[identifier] = value
        group = group[2 + length :]
    return parameters
