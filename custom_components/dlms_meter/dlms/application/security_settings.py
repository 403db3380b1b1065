"""What a client has to protect its messages with: keys, and how to use them."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag

from ..errors import LocalProtocolError

SYSTEM_TITLE_LENGTH = 8


class SecuritySuite(IntEnum):
    """Which algorithms are used; its number goes into every security control octet."""

    AES_GCM_128 = 0
    ECDH_ECDSA_AES_GCM_128_SHA_256 = 1
    ECDH_ECDSA_AES_GCM_256_SHA_384 = 2

    @property
    def key_length(self) -> int:
        """Octets of a symmetric key."""
        return 32 if self is SecuritySuite.ECDH_ECDSA_AES_GCM_256_SHA_384 else 16


class SecurityPolicy(IntFlag):
    """What protects a message; the bits are those of the security control octet."""

    NONE = 0
    AUTHENTICATED = 0x10
    ENCRYPTED = 0x20


class Enveloping(Enum):
    """How requests are put into envelopes; answers are understood in any."""

    SERVICE = "glo- or ded-"
    GENERAL = "general-glo- or general-ded-ciphering"
    IDENTIFIED_KEY = "general-ciphering, with the global unicast key"
    WRAPPED_KEY = "general-ciphering, with a key sent along under the master key"
    ONE_PASS_DIFFIE_HELLMAN = (
        "general-ciphering, with a key agreed by C(1e, 1s, ECC CDH)"
    )
    STATIC_UNIFIED_MODEL = "general-ciphering, with a key agreed by C(0e, 2s, ECC CDH)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySettings:
    """Keys of one client and one meter, and how they are used.

    Symmetric keys have 16 octets, in suite 2 they have 32. Raises `LocalProtocolError` for one that has not, and for a
    policy without the key it needs.
    """

    suite: SecuritySuite = SecuritySuite.AES_GCM_128
    policy: SecurityPolicy = SecurityPolicy.AUTHENTICATED | SecurityPolicy.ENCRYPTED
    """How requests are protected, and answers at the least. `NONE` is for HLS with GMAC in an association in clear."""
    enveloping: Enveloping = Enveloping.SERVICE
    global_unicast_key: bytes | None = field(default=None, repr=False)
    authentication_key: bytes | None = field(default=None, repr=False)
    """Without it messages can be read, but nobody knows who made them."""
    broadcast_key: bytes | None = field(default=None, repr=False)
    master_key: bytes | None = field(default=None, repr=False)
    """The key that wraps other keys (KEK)."""
    use_dedicated_key: bool = False
    """Protect with a key made for the one association."""
    signs: bool = False
    """Sign every request, as it is after all other protection, with `signing_key`."""
    signing_key: bytes | None = field(default=None, repr=False)
    """Our private key for signatures: ECDSA on P-256, or P-384 in suite 2; also for HLS with ECDSA."""
    agreement_key: bytes | None = field(default=None, repr=False)
    """Our private key for key agreement."""
    server_signing_key: bytes | None = None
    """The meter's public key for signatures."""
    server_agreement_key: bytes | None = None
    """The meter's public key for key agreement."""
    server_system_title: bytes = b""
    """The meter's, for one that does not tell it when the association begins."""
    authenticates_general_header: bool = True
    """Authenticate the header of general-ciphering too, as the Green Book has it; some implementations do not."""

    @property
    def is_general(self) -> bool:
        """Whether the general envelopes are wanted, those that do not name a service."""
        return self.enveloping is not Enveloping.SERVICE or self.signs

    def __post_init__(self) -> None:
        """Check the keys without telling what they are."""
        for name in (
            "global_unicast_key",
            "authentication_key",
            "broadcast_key",
            "master_key",
        ):
            key: bytes | None = getattr(self, name)
            if key is not None and len(key) != self.suite.key_length:
                raise LocalProtocolError(
                    f"{name.replace('_', ' ')}: {self.suite.key_length} octets are needed "
                    f"in security suite {self.suite}, {len(key)} were given"
                )
        if self.policy and self.global_unicast_key is None:
            raise LocalProtocolError(
                "a global unicast key is needed to protect requests"
            )
        if (
            SecurityPolicy.AUTHENTICATED in self.policy
            and self.authentication_key is None
        ):
            raise LocalProtocolError(
                "an authentication key is needed to authenticate requests"
            )
        if self.server_system_title:
            check_system_title(self.server_system_title)


def check_system_title(system_title: bytes) -> None:
    """Refuse what is no system title, with `LocalProtocolError`."""
    if len(system_title) != SYSTEM_TITLE_LENGTH:
        raise LocalProtocolError(
            f"a system title has {SYSTEM_TITLE_LENGTH} octets, not {len(system_title)}"
        )


def given(key: bytes | None, name: str) -> bytes:
    """Return a key that the settings should have. Raises `LocalProtocolError` when they have not."""
    if key is None:
        raise LocalProtocolError(f"the {name} is needed, but was not given")
    return key
