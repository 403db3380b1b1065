"""The client a program uses: one meter, one session at a time, values with their meaning.

    energy = AttributeDescriptor(3, Obis.parse("1-0:1.8.0*255"), 2)
    endpoint = TcpEndpoint("192.0.2.7", 4059)
    async with DlmsClient(ClientSettings(endpoint=endpoint, framing=Framing.WRAPPER)) as client:
        report = await client.read([energy], scaler_units={})

Then `report.values[energy]` is a `Quantity` such as `12345.7 Wh`, or `report.failed[energy]` says why there is none.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from enum import Enum
from math import inf
from secrets import token_bytes
from types import TracebackType
from typing import Final, Self

from .application import procedures
from .application.association import Association, AssociationSettings
from .application.authentication import challenge_length, is_hls
from .application.enums import Conformance, DataAccessResult, Mechanism
from .application.invocation_counter import InvocationCounter
from .application.procedure import decoded
from .application.security_settings import SecuritySettings
from .codec.data import Data
from .connection import (
    Connection,
    NotificationCallback,
    Observer,
    SaveInvocationCounter,
)
from .cosem.class_values import to_value
from .cosem.descriptors import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from .cosem.identity import IDENTITY_ATTRIBUTES, Identity
from .cosem.meter_memory import MeterMemory
from .cosem.obis import Obis
from .cosem.object_list import CosemObject, decode_object_list
from .cosem.profile import ProfileRows
from .cosem.profile_reading import read_profile
from .cosem.profile_selection import Selection
from .cosem.values import (
    ScalerUnit,
    Value,
    decode_scaler_unit,
    scaler_unit_of,
)
from .errors import (
    AssociationRejected,
    DlmsError,
    InvocationCounterRefused,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceError,
)
from .link import LinkStatistics
from .link.hdlc import HdlcLink
from .link.hdlc_parameters import HdlcParameters
from .link.mode_e import SignOnSettings
from .link.wrapper import WrapperLink
from .profiles import carry_out
from .timing import (
    INACTIVITY_TIMEOUT,
    INTER_OCTET_TIMEOUT,
    REQUEST_TIMEOUT,
    RESPONSE_TIMEOUT,
    Timeouts,
)
from .transport import TransportOpener
from .transport.endpoint import Endpoint, LineSettings, SerialEndpoint, UdpEndpoint

OBJECT_LIST: Final = AttributeDescriptor(15, Obis.parse("0-0:40.0.0*255"), 2)

_CAREFUL_LENGTH: Final = 128
"""Octets of information in a frame, on a noisy line; every meter can do as many."""

_TRANSFER_BROKEN: Final = (
    DataAccessResult.LONG_GET_ABORTED,
    DataAccessResult.NO_LONG_GET_IN_PROGRESS,
    DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
)
"""What a meter says when it was asked for a block twice."""

INVOCATION_COUNTER: Final = Obis.parse("0-0:43.1.0*255")

_PUBLIC_CLIENT: Final = 16
_ONE_TIME_KEY_LENGTH: Final = 48


class Framing(Enum):
    """How APDUs are framed on the way to the meter."""

    HDLC = "hdlc"
    """IEC 62056-46: serial lines, and whatever passes them on byte by byte."""
    WRAPPER = "wrapper"
    """IEC 62056-47: meters with an IP stack of their own, usually on port 4059."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where a meter is, how it is spoken to, and as whom.

    `physical_device`, `address_length`, `max_information_length` and `window` matter to HDLC only, `attempts` also to UDP.
    Times are in seconds, besides what octets take on a serial line: `response_timeout` of silence before, and
    `inter_octet_timeout` within an answer, `request_timeout` for one request with all its repetitions,
    `inactivity_timeout` after which a meter on HDLC ends an idle session.
    `sign_on` is for meters that want to be spoken to as IEC 62056-21 first (mode E), mostly on their optical port.
    `password` is also the secret of HLS. `security` has the keys: with it, messages are ciphered unless its policy is
    none. Ciphering and HLS with GMAC, SHA-256 or ECDSA need a `system_title` of 8 octets: any that no meter has, best
    chosen at random, once. `invocation_counter_name` names the object in which everybody may read our last counter.
    """

    endpoint: Endpoint
    framing: Framing
    client_sap: int = 16
    logical_device: int = 1
    physical_device: int | None = None
    address_length: int | None = None
    mechanism: Mechanism = Mechanism.NONE
    password: bytes = field(default=b"", repr=False)
    system_title: bytes = b""
    security: SecuritySettings | None = None
    invocation_counter_name: Obis | None = INVOCATION_COUNTER
    max_information_length: int = 2030
    window: int = 7
    max_receive_pdu_size: int = 0xFFFF
    response_timeout: float = RESPONSE_TIMEOUT
    inter_octet_timeout: float = INTER_OCTET_TIMEOUT
    request_timeout: float = REQUEST_TIMEOUT
    inactivity_timeout: float = INACTIVITY_TIMEOUT
    attempts: int = 3
    sign_on: SignOnSettings | None = None

    @property
    def line(self) -> LineSettings | None:
        """The serial line that the octets travel on; for a gateway that tells nothing the usual one, None without any."""
        if isinstance(self.endpoint, SerialEndpoint):
            return self.endpoint.line
        return LineSettings() if self.framing is Framing.HDLC else None

    @property
    def timeouts(self) -> Timeouts:
        """What is waited for."""
        return Timeouts(
            response=self.response_timeout,
            inter_octet=self.inter_octet_timeout,
            request=self.request_timeout,
            inactivity=self.inactivity_timeout if self.framing is Framing.HDLC else inf,
        )


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What one `read` brought: every attribute asked for is in exactly one of the two."""

    values: dict[AttributeDescriptor, Value]
    failed: dict[AttributeDescriptor, DlmsError]


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


class DlmsClient:
    """Reads one logical device of a meter. A session is an `async with`; any number may follow one another.

    Entering opens the connection, establishes the link and associates; leaving, for whatever reason, releases,
    disconnects and closes. Entering raises `TransportError` (`TransportTimeout` when the connection opens, but
    nobody answers), `LinkError` (`LinkBusy` when the meter refuses the link) and `AssociationRejected`
    (`AuthenticationFailed` when the password is the reason), with keys also `SecurityError`.

    All methods need a session (`LocalProtocolError` without one), and raise `TransportError` or `LinkError` when it
    is lost; it must then be left. `RemoteProtocolError` and `DecodeError` mean that the meter's answer makes no sense.
    Several tasks may share a session: their requests take turns.

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
        self._began = 0.0
        self._session_time = 0.0
        self._earlier = LinkStatistics()
        self._careful = False
        self._link = _make_link(settings, careful=False)
        self._prepare()

    def _prepare(self) -> None:
        """Make what lives as long as a session."""
        settings, last = self.settings, self._link.statistics
        self._earlier += last
        # On a noisy line short frames come through where long ones do not; they stay until nothing gets lost.
        self._careful = last.is_noisy or (self._careful and last.bad_checks > 0)
        self._link = _make_link(settings, careful=self._careful)
        self._association = Association(
            _association_settings(settings), self._counter, self.memory
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
        )

    async def __aenter__(self) -> Self:
        """Begin a session."""
        if self._in_session:
            raise LocalProtocolError("this client has a session already")
        self._in_session = True
        self._began = asyncio.get_running_loop().time()
        try:
            if self._asks_for_counter:
                await self._ask_for_counter()
            try:
                await self._associate()
            except InvocationCounterRefused:  # which told the right one
                await self._associate()
        except BaseException:
            self._in_session = False
            raise
        return self

    async def _associate(self) -> None:
        """Connect and associate, or leave nothing behind."""
        self._prepare()
        try:
            await self._connection.open()
            # A meter that does not sign on next time may still be in HDLC, as it is now.
            self._line = self._connection.hdlc_line or self._line
            await self._connection.run(procedures.associate(self._association))
            self._connection.observer = self._observer
        except BaseException:
            # Some meters say nothing at all to a counter that lies behind.
            self._asks_for_counter = True
            await self._connection.close()
            raise

    async def _ask_for_counter(self) -> None:
        """Read our invocation counter from the meter, if it needs one and tells it."""
        settings, security = self.settings, self.settings.security
        name = settings.invocation_counter_name
        if security is None or security.global_unicast_key is None or name is None:
            return
        public_client = DlmsClient(
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
                last = await public_client.get(AttributeDescriptor(1, name, 2))
        except AssociationRejected, ServiceError, RemoteProtocolError:
            last = None  # no public client, or not for it
        if last is not None and isinstance(last.value, int):
            self._counter.advance(last.value + 1)
        self._asks_for_counter = False

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the session."""
        await self._end()

    async def _end(self) -> None:
        try:
            await self._connection.close()
        finally:
            self._in_session = False
            self._session_time = asyncio.get_running_loop().time() - self._began

    async def get(
        self,
        attribute: AttributeDescriptor,
        access: SelectiveAccess | None = None,
        progress: procedures.Progress | None = None,
    ) -> Data:
        """Read one attribute, or the part of it that `access` selects.

        `progress` is told the number of octets received so far, when the value comes in blocks.
        Raises `ServiceError` when the meter refuses.
        """
        return decoded(await self._get_undecoded(attribute, access, progress))

    async def _get_undecoded(
        self,
        attribute: AttributeDescriptor,
        access: SelectiveAccess | None,
        progress: procedures.Progress | None,
    ) -> Data | bytes:
        for _ in range(self._restarts):
            try:
                return await self._connection.run(
                    procedures.get_undecoded(
                        self._association, attribute, access, progress
                    )
                )
            except ServiceError as error:
                if error.result not in _TRANSFER_BROKEN:
                    raise
        return await self._connection.run(
            procedures.get_undecoded(self._association, attribute, access, progress)
        )

    async def get_many(
        self, attributes: Sequence[AttributeDescriptor]
    ) -> dict[AttributeDescriptor, Data | DlmsError]:
        """Read several attributes in as few requests as the meter allows.

        What it refuses, or garbles, is in the result as the `ServiceError` or `DecodeError`.
        """
        answers = await self._connection.run(
            procedures.get_many(self._association, attributes)
        )
        if self._restarts:
            for attribute, answer in answers.items():
                if getattr(answer, "result", None) in _TRANSFER_BROKEN:
                    try:
                        answers[attribute] = await self.get(attribute)
                    except ServiceError as error:
                        answers[attribute] = error
        return answers

    @property
    def _restarts(self) -> int:
        """How often a transfer in blocks is begun again that a lost datagram broke."""
        over_udp = isinstance(self.settings.endpoint, UdpEndpoint)
        return self.settings.attempts - 1 if over_udp else 0

    async def set(
        self,
        attribute: AttributeDescriptor,
        data: Data,
        access: SelectiveAccess | None = None,
    ) -> None:
        """Write one attribute, or the part of it that `access` selects; attribute 0 is all of them, in a structure.

        Raises `ServiceError` when the meter refuses.
        """
        await self._connection.run(
            procedures.set_attribute(self._association, attribute, data, access=access)
        )

    async def invoke(
        self, method: MethodDescriptor, data: Data | None = None
    ) -> Data | None:
        """Invoke one method, and return what it returns, if anything. Raises `ServiceError` when the meter refuses."""
        return await self._connection.run(
            procedures.invoke(self._association, method, data)
        )

    async def objects(
        self, progress: procedures.Progress | None = None
    ) -> tuple[CosemObject, ...]:
        """Read which objects the meter has, as far as this client may know; `progress` as in `get`.

        A slow line can take minutes. Raises `ServiceError` when the meter refuses.
        """
        return decode_object_list(await self.get(OBJECT_LIST, progress=progress))

    async def read(
        self,
        attributes: Iterable[AttributeDescriptor],
        scaler_units: dict[AttributeDescriptor, ScalerUnit],
    ) -> ReadReport:
        """Read values with their units; one that fails spoils no other.

        `scaler_units` is the caller's to keep, by the attribute that tells each: what is missing there is read along and
        added. A number whose scaler cannot be had fails as well: nobody could tell by how many powers of ten it is off.
        """
        scalers = {attribute: scaler_unit_of(attribute) for attribute in attributes}
        missing = [
            s for s in scalers.values() if s is not None and s not in scaler_units
        ]
        answers = await self.get_many([*scalers, *missing])
        report = ReadReport({}, {})
        for attribute, scaler in scalers.items():
            try:
                data = _value_in(answers[attribute])
                if scaler is not None and scaler not in scaler_units:
                    scaler_units[scaler] = decode_scaler_unit(
                        _value_in(answers[scaler])
                    )
                scaler_unit = None if scaler is None else scaler_units[scaler]
                report.values[attribute] = to_value(attribute, data, scaler_unit)
            except DlmsError as error:
                report.failed[attribute] = error
        return report

    async def read_profile(
        self,
        profile: Obis,
        selection: Selection,
        scaler_units: dict[AttributeDescriptor, ScalerUnit],
        *,
        columns: Collection[AttributeDescriptor] | None = None,
        now: datetime | None = None,
        time_zone: tzinfo | None = None,
        progress: procedures.Progress | None = None,
    ) -> ProfileRows:
        """Read rows of a profile (Profile generic, by its logical name), oldest first, with their moments in UTC.

        `columns` are the captured attributes that are wanted, None for all. `scaler_units` is the caller's to keep, as
        for `read`. The meter's clock is compared once with `now` (aware; None for the host's clock) to learn what its
        date-times mean; `time_zone` is the one of its place, and helps where they do not say enough. What was learned of
        the meter is in `memory`. `progress` is told the number of octets of each answer so far.

        Selective access that the meter does not understand is replaced by other ways, down to reading everything.
        Raises `LocalProtocolError` for columns or times the profile has not, `ServiceError` when the meter refuses.
        """
        reading = read_profile(
            profile,
            selection,
            self.memory,
            scaler_units,
            now=datetime.now(UTC) if now is None else now,
            columns=columns,
            time_zone=time_zone,
        )
        return await carry_out(
            reading,
            get_many=self.get_many,
            get_part=lambda attribute, access: self._get_undecoded(
                attribute, access, progress
            ),
        )

    async def identity(self) -> Identity:
        """Read who the meter is: logical device name, serial number, firmware, device type, as far as it tells.

        Raises `DecodeError` when it tells neither its logical device name nor a serial number.
        """
        answers = await self.get_many(IDENTITY_ATTRIBUTES)
        return Identity.from_answers(
            {
                attribute: answer
                for attribute, answer in answers.items()
                if not isinstance(answer, DlmsError)
            }
        )

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
        """What the line carried in the present session, or in the last one."""
        return self._link.statistics

    @property
    def totals(self) -> LinkStatistics:
        """What the line carried in all sessions of this client."""
        return self._earlier + self._link.statistics

    @property
    def session_time(self) -> float:
        """Seconds that the last whole session took, from opening the connection to having closed it."""
        return self._session_time


def _association_settings(settings: ClientSettings) -> AssociationSettings:
    """Make the settings of one association, with new random octets."""
    mechanism, security = settings.mechanism, settings.security
    dedicated_key = None
    if security is not None and security.use_dedicated_key:
        dedicated_key = token_bytes(security.suite.key_length)
    return AssociationSettings(
        mechanism=mechanism,
        secret=settings.password,
        max_receive_pdu_size=settings.max_receive_pdu_size,
        system_title=settings.system_title,
        security=security,
        challenge=token_bytes(challenge_length(mechanism))
        if is_hls(mechanism)
        else b"",
        dedicated_key=dedicated_key,
        one_time_key=b"" if security is None else token_bytes(_ONE_TIME_KEY_LENGTH),
    )


def _make_link(settings: ClientSettings, *, careful: bool) -> HdlcLink | WrapperLink:
    """Make the link that the settings ask for; a careful one has short frames. Raises `LocalProtocolError` when they are out of range."""
    datagrams = isinstance(settings.endpoint, UdpEndpoint)
    if settings.framing is Framing.WRAPPER:
        return WrapperLink(
            settings.client_sap,
            settings.logical_device,
            datagrams=datagrams,
            patience=1 if datagrams else settings.attempts,
        )
    if datagrams:
        raise LocalProtocolError("over UDP, meters speak the wrapper, not HDLC")
    return HdlcLink(
        HdlcParameters(
            client_sap=settings.client_sap,
            logical_device=settings.logical_device,
            physical_device=settings.physical_device,
            address_length=settings.address_length,
            max_information_length=min(settings.max_information_length, _CAREFUL_LENGTH)
            if careful
            else settings.max_information_length,
            window=1 if careful else settings.window,
            attempts=settings.attempts,
        )
    )


def _value_in(answer: Data | DlmsError) -> Data:
    """Return what the meter answered for one attribute; raise what it refused it with."""
    if isinstance(answer, DlmsError):
        raise answer
    return answer
