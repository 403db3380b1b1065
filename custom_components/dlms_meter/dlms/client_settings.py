"""How a meter is reached and spoken to: what a program sets, and what is made of it for one session."""

from dataclasses import dataclass, field
from enum import Enum
from math import inf
from secrets import token_bytes
from typing import Final

from .application.association_settings import AssociationSettings
from .application.authentication import challenge_length, is_hls
from .application.enums import ApplicationContext, Mechanism
from .application.security_settings import SecurityPolicy, SecuritySettings
from .cosem.meter_memory import MeterMemory
from .cosem.obis import Obis
from .errors import LocalProtocolError
from .link.hdlc import HdlcLink
from .link.hdlc_parameters import HdlcParameters
from .link.mode_e import SignOnSettings
from .link.wrapper import WrapperLink
from .timing import (
    INACTIVITY_TIMEOUT,
    INTER_OCTET_TIMEOUT,
    REQUEST_TIMEOUT,
    RESPONSE_TIMEOUT,
    TRANSFER_TIMEOUT,
    Timeouts,
)
from .transport.endpoint import Endpoint, LineSettings, SerialEndpoint, UdpEndpoint

INVOCATION_COUNTER: Final = Obis.parse("0-0:43.1.0*255")

_CAREFUL_LENGTH: Final = 128
"""Octets of information in a frame, on a noisy line; every meter can do as many."""

_ONE_TIME_KEY_LENGTH: Final = 48


class Framing(Enum):
    """How APDUs are framed on the way to the meter."""

    HDLC = "hdlc"
    """IEC 62056-46: serial lines, and whatever passes them on byte by byte."""
    WRAPPER = "wrapper"
    """IEC 62056-47: meters with an IP stack of their own, usually on port 4059."""


_PAUSE_SHARE: Final = 0.2
"""Where answers may be so late, there are pauses within them, too: gateways on mobile networks hold both back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Where a meter is, how it is spoken to, and as whom.

    `physical_device`, `address_length`, `max_information_length` and `window` matter to HDLC only, `attempts` also to UDP.
    Times are in seconds, besides what octets take on a serial line: `response_timeout` of silence before, and
    `inter_octet_timeout` within an answer (or a fifth of the former, if that is more), `request_timeout` for one request with all its repetitions,
    `transfer_timeout` for all requests that one long value takes, block by block,
    `inactivity_timeout` after which a meter on HDLC ends an idle session.
    `sign_on` is for meters that want to be spoken to as IEC 62056-21 first (mode E), mostly on their optical port.
    `short_names` is for meters that know their objects by short names only; nothing else changes with it, but that UDP
    will not do.
    `block_transfer_window` is how many blocks the meter may send in a row by general block transfer; 0 does without it,
    as does UDP unless messages are authenticated: nothing else tells the blocks of two answers apart.
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
    short_names: bool = False
    mechanism: Mechanism = Mechanism.NONE
    password: bytes = field(default=b"", repr=False)
    system_title: bytes = b""
    security: SecuritySettings | None = None
    invocation_counter_name: Obis | None = INVOCATION_COUNTER
    max_information_length: int = 2030
    window: int = 7
    max_receive_pdu_size: int = 0xFFFF
    block_transfer_window: int = 0
    response_timeout: float = RESPONSE_TIMEOUT
    inter_octet_timeout: float = INTER_OCTET_TIMEOUT
    request_timeout: float = REQUEST_TIMEOUT
    transfer_timeout: float = TRANSFER_TIMEOUT
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
            inter_octet=max(
                self.inter_octet_timeout, self.response_timeout * _PAUSE_SHARE
            ),
            request=self.request_timeout,
            transfer=self.transfer_timeout,
            inactivity=self.inactivity_timeout if self.framing is Framing.HDLC else inf,
        )


def association_settings(
    settings: ClientSettings, memory: MeterMemory
) -> AssociationSettings:
    """Make the settings of one association, with new random octets."""
    mechanism, security = settings.mechanism, settings.security
    authenticated = security is not None and (
        security.signs or SecurityPolicy.AUTHENTICATED in security.policy
    )
    over_udp = isinstance(settings.endpoint, UdpEndpoint)
    dedicated_key = None
    if security is not None and security.use_dedicated_key:
        dedicated_key = token_bytes(security.suite.key_length)
    return AssociationSettings(
        mechanism=mechanism,
        secret=settings.password,
        context=ApplicationContext.SHORT_NAME
        if settings.short_names
        else ApplicationContext.LOGICAL_NAME,
        block_transfer_window=settings.block_transfer_window
        if authenticated or not over_udp
        else 0,
        max_receive_pdu_size=0
        if memory.takes_any_pdu_size_only
        else settings.max_receive_pdu_size,
        system_title=settings.system_title,
        security=security,
        challenge=token_bytes(challenge_length(mechanism))
        if is_hls(mechanism)
        else b"",
        dedicated_key=dedicated_key,
        one_time_key=b"" if security is None else token_bytes(_ONE_TIME_KEY_LENGTH),
    )


def make_link(
    settings: ClientSettings, memory: MeterMemory, *, careful: bool
) -> HdlcLink | WrapperLink:
    """Make the link that the settings ask for; a careful one has short frames. Raises `LocalProtocolError` when they are out of range."""
    datagrams = isinstance(settings.endpoint, UdpEndpoint)
    if datagrams and settings.short_names:
        # Read and Write carry no invoke-id: a late answer cannot be told from the one that is waited for.
        raise LocalProtocolError(
            "over UDP, answers to requests by short names cannot be told apart: use TCP, or logical names"
        )
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
            send_parameters=not memory.refuses_link_parameters,
        )
    )
