"""What a client asks for when it associates: how objects are named, what is proposed, who it is, with which keys."""

from dataclasses import dataclass, field

from .enums import ApplicationContext, Conformance, Mechanism
from .security_settings import SecuritySettings

PROPOSED_CONFORMANCE = (
    Conformance.ATTRIBUTE0_SUPPORTED_WITH_SET
    | Conformance.PRIORITY_MGMT_SUPPORTED
    | Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.DATA_NOTIFICATION
    | Conformance.ACCESS
    | Conformance.GET
    | Conformance.SET
    | Conformance.SELECTIVE_ACCESS
    | Conformance.EVENT_NOTIFICATION
    | Conformance.ACTION
)
"""What this client can do with logical names; general block transfer is for those who ask for it."""

PROPOSED_SHORT_NAME_CONFORMANCE = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.INFORMATION_REPORT
    | Conformance.PARAMETERIZED_ACCESS
)
"""What this client can do with short names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationSettings:
    """What the client asks for."""

    context: ApplicationContext = ApplicationContext.LOGICAL_NAME
    mechanism: Mechanism = Mechanism.NONE
    secret: bytes = field(default=b"", repr=False)
    """The password of LLS, the secret of HLS."""
    conformance: Conformance | None = None
    """What to propose; None for all this client can do with names of that kind."""
    block_transfer_window: int = 0
    """Blocks of general block transfer the meter may send in a row, 1 to 63; 0 not to propose it."""
    max_receive_pdu_size: int = 0xFFFF
    """Octets of the largest APDU we take; 0 means any (the only value an L+G ZMD accepts)."""
    short_conformance_tag: bool = False
    """For older meters that know the conformance block only as `5F 04`."""
    system_title: bytes = b""
    """Ours, 8 octets; ciphering and HLS with GMAC, SHA-256 or ECDSA need it."""
    security: SecuritySettings | None = None
    """Keys. Unless its policy is none, all that is said is ciphered."""
    challenge: bytes = b""
    """Random octets for HLS, new for every association (CtoS)."""
    dedicated_key: bytes | None = field(default=None, repr=False)
    """Random octets, new for every association, if one is to be used."""
    one_time_key: bytes = field(default=b"", repr=False)
    """48 random octets, new for every association, for key wrapping and key agreement."""

    @property
    def uses_short_names(self) -> bool:
        """Whether the meter is to be spoken to by short names."""
        return self.context is ApplicationContext.SHORT_NAME

    @property
    def proposal(self) -> Conformance:
        """What is proposed."""
        proposal = self.conformance
        if proposal is None:
            proposal = (
                PROPOSED_SHORT_NAME_CONFORMANCE
                if self.uses_short_names
                else PROPOSED_CONFORMANCE
            )
        if self.block_transfer_window:
            proposal |= Conformance.GENERAL_BLOCK_TRANSFER
        if self.security is not None and self.security.is_general:
            proposal |= Conformance.GENERAL_PROTECTION
        return proposal

    @property
    def is_ciphered(self) -> bool:
        """Whether messages are protected."""
        return self.security is not None and bool(self.security.policy)
