"""The HDLC link of a client in normal response mode: SNRM, I, RR, DISC and their answers (IEC 62056-46).

The server speaks only when given the word by a frame with P = 1. Here a link is established and ended; `hdlc_exchange`
is what happens in between. Every state, and every frame that means something in it, stands in the tables at the end of
the class.
"""

from collections.abc import Callable
from enum import IntEnum, auto
from typing import ClassVar

from ..errors import (
    DlmsError,
    FrameRejected,
    LinkBusy,
    LinkError,
    LocalProtocolError,
    TransportTimeout,
)
from . import ApduReceived, LinkDown, LinkEvent, LinkStatistics, LinkUp
from .hdlc_address import HdlcAddress
from .hdlc_exchange import Exchange
from .hdlc_express import Express
from .hdlc_frame import Frame, FrameDecoder, FrameType
from .hdlc_outbox import Outbox
from .hdlc_parameters import HdlcLimits, HdlcParameters, read_limits
from .hdlc_patience import Patience
from .hdlc_stations import Stations
from .hdlc_steps import Steps
from .hdlc_window import Notifications
from .llc import strip_llc

__all__ = ["HdlcLimits", "HdlcLink", "HdlcParameters", "State"]


class State(IntEnum):
    """Where the link stands; DISCONNECTING is also how a stale link is cleared before a new SNRM."""

    DISCONNECTED = auto()
    CONNECTING = auto()
    CONNECTED = auto()
    DISCONNECTING = auto()


class HdlcLink:
    """One HDLC link from a client to a server; implements `Link`.

    Raises `LocalProtocolError` for addresses that do not fit into their octets.
    """

    _limits: HdlcLimits
    _exchange: Exchange
    _notifications: Notifications
    _decoder: FrameDecoder
    _steps: Steps
    _progress_at_start: int  # the patience's progress when the link came up

    def __init__(self, parameters: HdlcParameters) -> None:
        self.parameters = parameters
        self.statistics = LinkStatistics()
        self._stations = Stations(
            HdlcAddress.client(parameters.client_sap),
            HdlcAddress.server(
                parameters.logical_device,
                parameters.physical_device,
                parameters.address_length,
            ),
        )
        self._express = Express(self._stations)
        self._patience = Patience(parameters.attempts, self.statistics)
        self._outbox = Outbox(self._stations, self._patience, self.statistics)
        self._state = State.DISCONNECTED
        self._events: list[LinkEvent] = []
        self._start_over()

    # What a connection asks of the link

    @property
    def state(self) -> State:
        """Where the link stands."""
        return self._state

    @property
    def awaiting_response(self) -> bool:
        """The meter has the word: a response timer should run."""
        return self._outbox.awaiting

    @property
    def answer_begun(self) -> bool:
        """A part of an answer came, or a damaged one: if more is to come, it comes soon."""
        damaged = self._patience.frame_damaged
        return self._outbox.awaiting and (damaged or self._decoder.frame_begun)

    @property
    def fell_back(self) -> bool:
        """SNRM with parameters brought no connection, so one without was tried."""
        return self._steps.fell_back

    @property
    def negotiated(self) -> HdlcLimits:
        """What SNRM and UA agreed on, from the client's point of view; the defaults while not connected."""
        return self._limits

    def connect(self) -> None:
        """Send SNRM; `LinkUp` or `LinkDown` follows. Raises `LocalProtocolError` unless disconnected."""
        if self._state is not State.DISCONNECTED:
            raise LocalProtocolError(
                "the HDLC link is not disconnected: it cannot be connected again"
            )
        self._start_over()
        self._send(next(self._steps))

    def send_apdu(self, apdu: bytes, *, answered: bool = True) -> None:
        """Send one APDU, in as many segments as the meter's limits ask for, or queue it until the answer is in.

        Not `answered`, the meter has but to acknowledge it. Raises `LocalProtocolError` when the link is not up.
        """
        if self._state is not State.CONNECTED:
            raise LocalProtocolError(
                "the HDLC link is not connected: no APDU can be sent"
            )
        self._exchange.send_apdu(apdu, answered=answered)

    def await_more(self) -> None:
        """Wait on: what was received is not the answer, or not yet all of it. Gives the meter the word if we have it."""
        if self._state is State.CONNECTED and not self._outbox.awaiting:
            self._exchange.await_more()

    def disconnect(self) -> None:
        """Send DISC; `LinkDown(None)` follows, also when the meter never answers."""
        if self._state is State.DISCONNECTED:
            self._events.append(LinkDown())
            return
        if self._steps.ending:
            return
        self._steps.disconnect()
        self._patience.wait()
        self._send(next(self._steps))

    def receive_data(self, data: bytes) -> bool:
        """Take bytes from the wire, any number, cut anywhere; tell whether they were but the next segment."""
        receiver = self._exchange.receiver
        information = self._express.information(data, receiver.expected)
        if (
            information
            and self._state is State.CONNECTED
            and receiver.has_room(information)
            and self._decoder.skip_frame()
        ):
            self.statistics.frames_received += 1
            self._exchange.take_due(information)
            return True
        self._patience.octets += len(data)
        frames = self._decoder.feed(data)
        self._receive(frames)
        if len(frames) == 1:
            self._express.learn(frames[0], data)
        if self._outbox.awaiting and self._patience.is_noisy:
            self._give_up(
                LinkError(f"The line does not get quiet: {self._patience.describe()}")
            )
        return False

    def on_timeout(self) -> None:
        """Nothing came in time: poll or repeat, or give up with `LinkDown`. Does nothing when nothing is awaited."""
        if not self._outbox.awaiting:
            return
        self.statistics.timeouts += 1
        begun, before = self.answer_begun, self.statistics.frames_received
        self._receive(self._decoder.flush())
        if not self._outbox.awaiting or self.statistics.frames_received > before:
            return
        if self._patience.takes_damage(begun=begun):
            self._ask_again()
        else:
            self._ON_TIMEOUT[self._state](self)

    def data_to_send(self) -> bytes:
        """Return the bytes to put on the wire now, and forget them."""
        outbox = self._outbox
        data, outbox.octets = outbox.octets, b""
        return data

    def events(self) -> list[LinkEvent]:
        """Return what happened since the last call, in order."""
        if not self._events:
            return []
        events, self._events = self._events, []
        return events

    # What comes

    def _receive(self, frames: list[Frame]) -> None:
        """Act on each frame that is for us and from our meter."""
        stations, statistics = self._stations, self.statistics
        for frame in frames:
            if not stations.is_clearly_answer(frame):
                if stations.is_echo(frame):
                    statistics.echoes += 1
                    continue
                if not stations.is_answer(frame):
                    statistics.frames_ignored += 1
                    continue
            statistics.frames_received += 1
            reaction = self._RECEIVED[self._state].get(frame.type)
            if reaction is not None:
                try:
                    reaction(self, frame)
                except LinkError as error:
                    self._give_up(error)

    def _established(self, frame: Frame) -> None:
        """UA in answer to SNRM: take its limits and begin to count."""
        self._limits = self.parameters.limits.agreed_with(
            read_limits(frame.information)
        )
        self._exchange.begin(self._limits)
        self._state = State.CONNECTED
        self._outbox.awaiting = False
        self._patience.progressed()
        self._progress_at_start = self._patience.progress
        self._events.append(LinkUp())

    def _established_again(self, frame: Frame) -> None:
        """UA once more, before anything was exchanged: the answer to our last SNRM, so its limits count."""
        if self._patience.progress == self._progress_at_start:
            self._limits = self.parameters.limits.agreed_with(
                read_limits(frame.information)
            )
            self._exchange.adjust(self._limits)

    def _refused(self, frame: Frame) -> None:
        """DM or FRMR in answer to SNRM: clear what may be left of an old link, and try again."""
        self._steps.refused(frame)
        self._next_step()

    def _disconnected(self, frame: Frame) -> None:
        """UA or DM in answer to DISC (some meters send DM for both): it is over, or cleared for a new SNRM."""
        if self._steps.ending:
            self._end(None)
        else:
            self._next_step()

    def _lost(self, frame: Frame) -> None:
        """DM while connected."""
        self._end(
            LinkError(
                "The meter has ended the link (DM): it was idle for too long, or another client took over. Connect again."
            )
        )

    def _rejected(self, frame: Frame) -> None:
        """FRMR while connected: only a new SNRM helps."""
        raise FrameRejected(
            f"The meter rejects a frame (FRMR {frame.information.hex()}). Connect again."
        )

    def _numbered(self, frame: Frame) -> None:
        """An I frame: hand out the APDU that is complete with it."""
        apdu = self._exchange.take_numbered(frame)
        if apdu:
            self._events.append(ApduReceived(apdu))

    def _ready(self, frame: Frame) -> None:
        """RR, RNR or REJ."""
        self._exchange.take_ready(frame)

    def _notified(self, frame: Frame) -> None:
        """UI: an APDU outside request and answer."""
        damage = self.statistics.bad_checks + self.statistics.octets_discarded
        information = self._notifications.accept(frame, damage)
        if information is not None:
            self._events.append(ApduReceived(strip_llc(information), unsolicited=True))

    # What goes

    def _next_step(self) -> None:
        """Try the next thing to connect or disconnect; end when there is none."""
        step = next(self._steps, None)
        if step is not None:
            self.statistics.frames_repeated += 1
            self._send(step)
        elif self._steps.ending:
            self._end(None)
        else:
            self._give_up(self._steps.refusal or self._no_answer())

    def _recover(self) -> None:
        """Find out what got lost, or give up."""
        if self._patience.is_silent:
            self._give_up(self._no_answer())
        else:
            self._exchange.recover()

    def _ask_again(self) -> None:
        """Ask for an answer once more that came damaged."""
        self._exchange.undisturbed = False
        if self._state is State.CONNECTED:
            self._exchange.poll()
        else:
            self.statistics.frames_repeated += 1
            self._send(self._outbox.last)

    def _send(self, frame: Frame) -> None:
        """Send a frame that connects or disconnects, and change the state as the table says."""
        self._state = self._SENT[self._state][frame.type]
        self._outbox.send(frame)

    # Beginnings and ends

    def _start_over(self) -> None:
        """Forget all about an earlier link."""
        self._decoder = FrameDecoder(self.statistics)
        self._limits = HdlcLimits()
        self._exchange = Exchange(
            self._stations, self._patience, self.statistics, self._outbox
        )
        self._notifications = Notifications()
        self._steps = Steps(self.parameters, self._stations)
        self._patience.wait()
        self._outbox.awaiting = False

    def _no_answer(self) -> TransportTimeout:
        """Say that the meter did not answer, and what came instead."""
        return TransportTimeout(
            f"The meter at address {self._stations.server} did not answer: {self._patience.describe()}"
        )

    def _give_up(self, error: DlmsError) -> None:
        """End the link with a last DISC, so that the meter does not keep it, and wait for nothing."""
        if self._steps.ending:
            self._end(None)
            return
        if not isinstance(error, LinkBusy):
            self._send(self._stations.frame(FrameType.DISC))
        self._end(error)

    def _end(self, error: DlmsError | None) -> None:
        """The link is gone."""
        self._state = State.DISCONNECTED
        self._outbox.awaiting = False
        self._events.append(LinkDown(error))

    # The tables

    _SENT: ClassVar[dict[State, dict[FrameType, State]]] = {
        State.DISCONNECTED: {FrameType.SNRM: State.CONNECTING},
        State.CONNECTING: {
            FrameType.SNRM: State.CONNECTING,
            FrameType.DISC: State.DISCONNECTING,
        },
        State.CONNECTED: {FrameType.DISC: State.DISCONNECTING},
        State.DISCONNECTING: {
            FrameType.DISC: State.DISCONNECTING,
            FrameType.SNRM: State.CONNECTING,
        },
    }
    """The frames that may be sent in each state, and the state that follows; I and RR, sent while connected, change none."""

    _RECEIVED: ClassVar[
        dict[State, dict[FrameType, Callable[[HdlcLink, Frame], None]]]
    ] = {
        State.DISCONNECTED: {FrameType.UI: _notified},
        State.CONNECTING: {
            FrameType.UA: _established,
            FrameType.DM: _refused,
            FrameType.FRMR: _refused,
            FrameType.UI: _notified,
        },
        State.CONNECTED: {
            FrameType.I: _numbered,
            FrameType.RR: _ready,
            FrameType.RNR: _ready,
            FrameType.REJ: _ready,
            FrameType.UA: _established_again,
            FrameType.DM: _lost,
            FrameType.FRMR: _rejected,
            FrameType.UI: _notified,
        },
        State.DISCONNECTING: {
            FrameType.UA: _disconnected,
            FrameType.DM: _disconnected,
            FrameType.FRMR: _disconnected,
            FrameType.UI: _notified,
        },
    }
    """What is done about each frame received; any other is late or senseless in that state, and dropped."""

    _ON_TIMEOUT: ClassVar[dict[State, Callable[[HdlcLink], None]]] = {
        State.CONNECTING: _next_step,
        State.CONNECTED: _recover,
        State.DISCONNECTING: _next_step,
    }
    """What is done when nothing comes; DISCONNECTED waits for nothing."""
