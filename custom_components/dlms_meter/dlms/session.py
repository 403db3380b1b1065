"""Sessions: a connection, a link and an association that begin together and always end politely."""

import asyncio
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Self

from .application import procedures
from .application.association import Association
from .application.enums import Conformance, InitiateError, Mechanism
from .application.invocation_counter import InvocationCounter
from .application.packing import FrameLimits
from .client_settings import ClientSettings, association_settings, make_link
from .connection import Connection, SaveInvocationCounter
from .cosem.descriptors import AttributeDescriptor
from .cosem.meter_memory import MeterMemory
from .errors import (
    AssociationRejected,
    InvocationCounterRefused,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
)
from .inbox import NotificationCallback, Observer
from .link import LinkStatistics
from .link.hdlc import HdlcLink
from .transport import TransportOpener
from .transport.endpoint import UdpEndpoint

_PUBLIC_CLIENT: Final = 16

_SURE: Final = 2
"""So many sessions in a row tell that something is the meter's way, and no accident."""


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What client and meter agreed upon when the session began.

    `max_pdu_size` is the meter's limit for requests in octets, 0 for none. The last four are None without HDLC:
    octets of information field and number of frames, to the meter and from it.
    """

    conformance: Conformance
    max_pdu_size: int
    max_information_transmit: int | None = None
    max_information_receive: int | None = None
    window_transmit: int | None = None
    window_receive: int | None = None
    authenticated: bool | None = None
    """In a ciphered association: whether all that was read is sure to come from the meter, unchanged."""


class Session:
    """Sessions with one logical device of a meter: each is an `async with`, and any number may follow one another.

    Entering opens the connection, establishes the link and associates; leaving, for whatever reason, releases,
    disconnects and closes. Entering raises `TransportError` (`TransportTimeout` when the connection opens, but
    nobody answers), `LinkError` (`LinkBusy` when the meter refuses the link) and `AssociationRejected`
    (`AuthenticationFailed` when the password is the reason), with keys also `SecurityError`.

    `on_notification` gets what the meter sends on its own during a session: `DataNotification`, `EventNotification`,
    `InformationReport`; it must not raise.

    No invocation counter may be used twice with one key: `save_invocation_counter` is awaited with a number before those
    below it are used, and the number saved last must be given as `invocation_counter` to the client made next. Without
    it, the counter is read from the meter, as the public client, if the meter tells it; or else begins with 1.

    `open_shared` opens the connection in the place of `open_transport`, for instance by lending one that others use as
    well, in turn.

    `observer` is shown the APDUs of a session in clear, but for those of the association, which hold secrets.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        on_notification: NotificationCallback | None = None,
        invocation_counter: int | None = None,
        save_invocation_counter: SaveInvocationCounter | None = None,
        open_shared: TransportOpener | None = None,
        memory: MeterMemory | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Take the settings; raises `LocalProtocolError` when they are out of range. Nothing is sent yet."""
        self.settings = settings
        self.memory = MeterMemory() if memory is None else memory
        """What was learned about the meter: give it to the next client, by way of its storage or not."""
        self._on_notification = on_notification
        self._open_shared = open_shared
        self._observer = observer
        self._line = settings.line
        self._save_invocation_counter = save_invocation_counter
        self._counter = InvocationCounter(invocation_counter or 1)
        self._asks_for_counter = invocation_counter is None
        self._in_session = False
        self._began: float | None = None  # loop time; None while nobody uses a session
        self._session_time = 0.0
        self._earlier = LinkStatistics()
        self._careful = False
        self._fallbacks = (
            0  # sessions in a row in which the link came up without parameters only
        )
        self._link = make_link(settings, self.memory, careful=False)
        self._prepare()

    def _prepare(self) -> None:
        """Make what lives as long as a session."""
        settings, last = self.settings, self._link.statistics
        self._earlier += last
        # On a noisy line short frames come through where long ones do not; they stay until nothing gets lost.
        self._careful = last.is_noisy or (self._careful and last.bad_checks > 0)
        self._link = make_link(settings, self.memory, careful=self._careful)
        self._association = Association(
            association_settings(settings, self.memory), self._counter, self.memory
        )
        self._connection = Connection(
            settings.endpoint,
            self._link,
            self._association,
            timeouts=settings.timeouts,
            line=self._line,
            sign_on=settings.sign_on,
            open_shared=self._open_shared,
            repeats=self._restarts,
            on_notification=self._on_notification,
            save_invocation_counter=self._save_invocation_counter,
            observer=self._observer,
        )

    async def begin(self) -> None:
        """Begin a session, which `end` must follow; when this raises, as entering does, there is none.

        Raises `LocalProtocolError` when there is one already.
        """
        if self._in_session:
            raise LocalProtocolError("this client has a session already")
        self._in_session = True
        self._began = asyncio.get_running_loop().time()
        try:
            if self._asks_for_counter:
                await self._ask_for_counter()
            await self._associate_the_right_way()
        except BaseException:
            self._in_session = False
            raise

    async def _associate_the_right_way(self) -> None:
        """Associate, and again if the meter tells how it wants to be asked."""
        try:
            await self._associate()
        except InvocationCounterRefused:  # which told the right one
            await self._associate()
        except AssociationRejected as error:
            too_short = error.initiate_error is InitiateError.PDU_SIZE_TOO_SHORT
            if not too_short or self.memory.takes_any_pdu_size_only:
                raise
            self.memory.takes_any_pdu_size_only = True
            await self._associate()

    async def _associate(self) -> None:
        """Connect and associate, or leave nothing behind."""
        self._prepare()
        try:
            await self._connection.open()
            self._learn_about_the_link()
            # A meter that does not sign on next time may still be in HDLC, as it is now.
            self._line = self._connection.hdlc_line or self._line
            await self._connection.run(procedures.associate(self._association))
        except BaseException:
            # Some meters say nothing at all to a counter that lies behind.
            self._asks_for_counter = True
            await self._connection.close()
            raise

    def _learn_about_the_link(self) -> None:
        """Remember that the meter does not connect with parameters, once that is sure: a lost frame may look the same."""
        link = self._link
        fell_back = isinstance(link, HdlcLink) and link.fell_back
        self._fallbacks = self._fallbacks + 1 if fell_back else 0
        if self._fallbacks >= _SURE:
            self.memory.refuses_link_parameters = True

    async def _ask_for_counter(self) -> None:
        """Read our invocation counter from the meter, if it needs one and tells it."""
        settings, security = self.settings, self.settings.security
        name = settings.invocation_counter_name
        if security is None or security.global_unicast_key is None or name is None:
            return
        public_client = Session(
            replace(
                settings,
                client_sap=_PUBLIC_CLIENT,
                mechanism=Mechanism.NONE,
                password=b"",
                security=None,
            ),
            open_shared=self._open_shared,
        )
        try:
            async with public_client:
                last = await public_client._connection.run(
                    procedures.get(
                        public_client._association,
                        AttributeDescriptor(1, name, 2),
                    )
                )
        except AssociationRejected, ServiceError, RemoteProtocolError:
            last = None  # no public client, or not for it
        if last is not None and isinstance(last.value, int):
            self._counter.advance(last.value + 1)
        self._asks_for_counter = False

    async def end(self) -> None:
        """End the session, if there is one; never raises for what goes wrong with that on the line."""
        if not self._in_session:
            return
        try:
            await self._connection.close()
        finally:
            self._in_session = False
            self.rest()

    def rest(self) -> None:
        """Leave the session open, and take the time it has been used for `session_time`."""
        if self._began is not None:
            self._session_time = asyncio.get_running_loop().time() - self._began
            self._began = None

    def resume(self) -> None:
        """Go on with a session that rested: the first request shows whether the meter still has it.

        When it has not, that request raises `TransportError` or `LinkError`.
        """
        self._began = asyncio.get_running_loop().time()
        self._connection.rested = True

    @property
    def is_open(self) -> bool:
        """Whether there is a session, as far as one can tell without asking the meter."""
        return self._in_session and self._connection.is_usable

    async def __aenter__(self) -> Self:
        """Begin a session, as `begin` does, and return this client."""
        await self.begin()
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the session."""
        await self.end()

    @property
    def _restarts(self) -> int:
        """How often a transfer in blocks is begun again that a lost datagram broke."""
        over_udp = isinstance(self.settings.endpoint, UdpEndpoint)
        return self.settings.attempts - 1 if over_udp else 0

    @property
    def _frame_limits(self) -> FrameLimits | None:
        """What frames carry in the present session; None where they carry any APDU."""
        link = self._link
        return FrameLimits(*link.negotiated) if isinstance(link, HdlcLink) else None

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed upon in the present session, or in the last one."""
        association, link = self._association, self._link
        limits = link.negotiated if isinstance(link, HdlcLink) else ()
        agreed = Negotiated(
            association.conformance, association.server_max_receive_pdu_size, *limits
        )
        if not association.settings.is_ciphered:
            return agreed
        return replace(agreed, authenticated=association.protection.authenticated)

    @property
    def statistics(self) -> LinkStatistics:
        """What the line carried in the present session, or in the last one: frames and octets, counted."""
        return self._link.statistics

    @property
    def maker(self) -> str | None:
        """The letters of the maker with which the meter signed on (IEC 62056-21) in the present session, or in the last one.

        None without a sign-on, or when it was not answered.
        """
        return self._connection.maker

    @property
    def totals(self) -> LinkStatistics:
        """What the line carried in all sessions of this client."""
        return self._earlier + self._link.statistics

    @property
    def session_time(self) -> float:
        """Seconds that the last session took, from opening the connection to having closed it, or until it was left to rest."""
        return self._session_time
