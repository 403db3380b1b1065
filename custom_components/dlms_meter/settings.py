"""Config entry data and what the client needs of it: the only reader of the connection's CONF_* keys."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT

from .const import (
    ADDRESS_LENGTH_AUTOMATIC,
    CONF_ADDRESS_LENGTH,
    CONF_AUTHENTICATION_KEY,
    CONF_CLIENT_SAP,
    CONF_DEDICATED_KEY,
    CONF_ENCRYPTION_KEY,
    CONF_FRAMING,
    CONF_INFORMATION_LENGTH,
    CONF_LOGICAL_DEVICE,
    CONF_MECHANISM,
    CONF_OLD_ACKNOWLEDGEMENT,
    CONF_PASSWORD_IS_HEX,
    CONF_PDU_SIZE,
    CONF_PHYSICAL_DEVICE,
    CONF_POLL_INTERVAL,
    CONF_REFERENCING,
    CONF_RESPONSE_TIMEOUT,
    CONF_SECURITY_POLICY,
    CONF_SECURITY_SUITE,
    CONF_SERIAL_PORT,
    CONF_SIGN_ON,
    CONF_SIGN_ON_NUMBER,
    CONF_SIGN_ON_SPEED,
    CONF_SOFTWARE_PARITY,
    CONF_SPEED,
    CONF_SYSTEM_TITLE,
    CONF_WAKE_UP,
    CONF_WINDOW,
    DEFAULT_CLIENT_SAP,
    DEFAULT_LOGICAL_DEVICE,
    DEFAULT_SPEED,
    FRAMING_HDLC,
    FRAMING_UDP,
    FRAMING_WRAPPER,
    MECHANISM_HLS,
    MECHANISM_HLS_GMAC,
    MECHANISM_HLS_MD5,
    MECHANISM_HLS_SHA1,
    MECHANISM_HLS_SHA256,
    MECHANISM_LLS,
    MECHANISM_NONE,
    POLL_INTERVAL,
    REFERENCING_LOGICAL,
    REFERENCING_SHORT,
)
from .dlms import (
    Access,
    Acknowledgement,
    Approach,
    ClientSettings,
    DlmsClient,
    Endpoint,
    Framing,
    KnownMeter,
    LineSettings,
    LocalProtocolError,
    Mechanism,
    SecurityPolicy,
    SecuritySettings,
    SecuritySuite,
    SerialEndpoint,
    SignOnSettings,
    TcpEndpoint,
    UdpEndpoint,
)

SECTION_EXPERT: Final = "expert"

SECRET_KEYS: Final = (CONF_PASSWORD, CONF_ENCRYPTION_KEY, CONF_AUTHENTICATION_KEY)
"""What is never shown, not even in the form it was typed into."""

SYSTEM_TITLE_LENGTH: Final = 8

DEFAULT_SIGN_ON_SPEED: Final = 300

SIGN_ON_DETAILS: Final = (
    CONF_SIGN_ON_NUMBER,
    CONF_SIGN_ON_SPEED,
    CONF_WAKE_UP,
    CONF_SOFTWARE_PARITY,
    CONF_OLD_ACKNOWLEDGEMENT,
)
"""What few meters need for their sign-on; an entry has it only then."""

_STRIPPED: Final = (CONF_HOST, CONF_SERIAL_PORT)

_FRAMINGS: Final = {
    FRAMING_HDLC: Framing.HDLC,
    FRAMING_WRAPPER: Framing.WRAPPER,
    FRAMING_UDP: Framing.WRAPPER,
}
_MECHANISMS: Final = {
    MECHANISM_NONE: Mechanism.NONE,
    MECHANISM_LLS: Mechanism.LLS,
    MECHANISM_HLS: Mechanism.HLS_VENDOR,
    MECHANISM_HLS_MD5: Mechanism.HLS_MD5,
    MECHANISM_HLS_SHA1: Mechanism.HLS_SHA1,
    MECHANISM_HLS_GMAC: Mechanism.HLS_GMAC,
    MECHANISM_HLS_SHA256: Mechanism.HLS_SHA256,
}
POLICIES: Final = {
    "authenticated_encrypted": SecurityPolicy.AUTHENTICATED | SecurityPolicy.ENCRYPTED,
    "encrypted": SecurityPolicy.ENCRYPTED,
    "authenticated": SecurityPolicy.AUTHENTICATED,
    "none": SecurityPolicy.NONE,
}

DEFAULTS: Final[dict[str, Any]] = {
    CONF_CLIENT_SAP: DEFAULT_CLIENT_SAP,
    CONF_LOGICAL_DEVICE: DEFAULT_LOGICAL_DEVICE,
    CONF_ADDRESS_LENGTH: ADDRESS_LENGTH_AUTOMATIC,
    CONF_REFERENCING: REFERENCING_LOGICAL,
    CONF_MECHANISM: MECHANISM_NONE,
    CONF_PASSWORD_IS_HEX: False,
}
"""What an entry begins with, before anything is known of its meter."""

_ACCESS: Final = {MECHANISM_NONE: Access.OPEN, MECHANISM_LLS: Access.PASSWORD}

# What goes to the client under its own name, when the entry has it.
_LIMITS: Final = {
    CONF_INFORMATION_LENGTH: "max_information_length",
    CONF_WINDOW: "window",
    CONF_PDU_SIZE: "max_receive_pdu_size",
    CONF_RESPONSE_TIMEOUT: "response_timeout",
}


class InvalidSettings(ValueError):
    """Settings that cannot work, found before anything is sent; `field` and `error` name what to show where."""

    def __init__(self, field: str, error: str) -> None:
        super().__init__(f"{field}: {error}")
        self.field = field
        self.error = error


def from_input(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what a form returned into config entry data: flat, with defaults, without what is empty or does not apply.

    Raises `InvalidSettings` for what cannot work; nothing is sent for that.
    """
    entered = {**user_input, **user_input.get(SECTION_EXPERT, {})}
    entered.pop(SECTION_EXPERT, None)
    data = DEFAULTS | {
        key: value.strip() if key in _STRIPPED else value
        for key, value in entered.items()
        if value not in (None, "")
    }
    if data[CONF_MECHANISM] in (MECHANISM_NONE, MECHANISM_HLS_GMAC):
        data.pop(CONF_PASSWORD, None)
    check(data)
    return data


def level_of(data: Mapping[str, Any]) -> Access:
    """Return which level an entry is read with."""
    if CONF_ENCRYPTION_KEY in data:
        return Access.KEYS
    return _ACCESS.get(data[CONF_MECHANISM], Access.CHALLENGE)


def is_serial(data: Mapping[str, Any]) -> bool:
    """Tell whether the meter is on a serial port."""
    return CONF_SERIAL_PORT in data


def uses_short_names(data: Mapping[str, Any]) -> bool:
    """Tell whether the meter knows its objects by short names; entries of older versions do not say."""
    return data.get(CONF_REFERENCING) == REFERENCING_SHORT


def check(data: Mapping[str, Any]) -> None:
    """Find out whether these settings can work at all; nothing is sent. Raises `InvalidSettings`."""
    mechanism = data[CONF_MECHANISM]
    if mechanism not in (MECHANISM_NONE, MECHANISM_HLS_GMAC) and not data.get(
        CONF_PASSWORD
    ):
        raise InvalidSettings(CONF_PASSWORD, "password_required")
    wanted = mechanism == MECHANISM_HLS_GMAC or CONF_ENCRYPTION_KEY in data
    if wanted and not _digits(data.get(CONF_ENCRYPTION_KEY)):
        raise InvalidSettings(CONF_ENCRYPTION_KEY, "key_required")
    if uses_short_names(data) and data.get(CONF_FRAMING) == FRAMING_UDP:
        raise InvalidSettings(CONF_REFERENCING, "short_names_over_udp")
    try:
        DlmsClient(client_settings(data))
    except LocalProtocolError:  # the form lets nothing else through that does not fit
        raise InvalidSettings(CONF_ADDRESS_LENGTH, "invalid_address") from None


def _digits(text: str | None) -> str:
    """Return hexadecimal digits without what people put between and in front of them."""
    digits = "".join((text or "").split())
    return digits[2:] if digits[:2] in ("0x", "0X") else digits


def password_octets(data: Mapping[str, Any]) -> bytes:
    """Return the password as the meter compares it: characters as they are, or octets typed as hex digits.

    Raises `InvalidSettings`.
    """
    text: str = data.get(CONF_PASSWORD, "")
    if not data.get(CONF_PASSWORD_IS_HEX):
        return text.encode()
    digits = _digits(text)
    if text and not digits:
        raise InvalidSettings(CONF_PASSWORD, "password_required")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise InvalidSettings(CONF_PASSWORD, "invalid_hex") from None


def endpoint(data: Mapping[str, Any]) -> Endpoint:
    """Return where the meter is reached."""
    if is_serial(data):
        line = LineSettings(data.get(CONF_SPEED, DEFAULT_SPEED))
        return SerialEndpoint(data[CONF_SERIAL_PORT], line)
    kind = UdpEndpoint if data.get(CONF_FRAMING) == FRAMING_UDP else TcpEndpoint
    return kind(data[CONF_HOST], data[CONF_PORT])


def client_settings(data: Mapping[str, Any]) -> ClientSettings:
    """Return what the client needs to reach the meter and associate with it. Raises `InvalidSettings`."""
    length: str = data[CONF_ADDRESS_LENGTH]
    limits = {
        name: data[key] for key, name in _LIMITS.items() if data.get(key) is not None
    }
    return ClientSettings(
        endpoint=endpoint(data),
        framing=_FRAMINGS[data[CONF_FRAMING]],
        client_sap=data[CONF_CLIENT_SAP],
        logical_device=data[CONF_LOGICAL_DEVICE],
        physical_device=data.get(CONF_PHYSICAL_DEVICE),
        address_length=None if length == ADDRESS_LENGTH_AUTOMATIC else int(length),
        short_names=uses_short_names(data),
        mechanism=_MECHANISMS[data[CONF_MECHANISM]],
        password=password_octets(data),
        system_title=_system_title(data),
        security=_security(data),
        sign_on=sign_on_settings(data),
        **limits,
    )


def sign_on_settings(data: Mapping[str, Any]) -> SignOnSettings | None:
    """Return how to sign on before HDLC, None where the meter speaks it at once. Raises `InvalidSettings`."""
    if not data.get(CONF_SIGN_ON):
        return None
    old = data.get(CONF_OLD_ACKNOWLEDGEMENT)
    try:
        return SignOnSettings(
            device_address=data.get(CONF_SIGN_ON_NUMBER, "").strip(),
            start_speed=int(data.get(CONF_SIGN_ON_SPEED, DEFAULT_SIGN_ON_SPEED)),
            software_parity=bool(data.get(CONF_SOFTWARE_PARITY)),
            wake_up=bool(data.get(CONF_WAKE_UP)),
            acknowledgement=Acknowledgement.READOUT if old else Acknowledgement.HDLC,
        )
    except LocalProtocolError:
        raise InvalidSettings(CONF_SIGN_ON_NUMBER, "invalid_sign_on_number") from None


def _system_title(data: Mapping[str, Any]) -> bytes:
    """Return the client's system title, empty if there is none. Raises `InvalidSettings`."""
    try:
        title = bytes.fromhex(_digits(data.get(CONF_SYSTEM_TITLE)))
    except ValueError:
        raise InvalidSettings(CONF_SYSTEM_TITLE, "invalid_hex") from None
    if len(title) not in (0, SYSTEM_TITLE_LENGTH):
        raise InvalidSettings(CONF_SYSTEM_TITLE, "invalid_system_title")
    return title


def _security(data: Mapping[str, Any]) -> SecuritySettings | None:
    """Return the keys and how they are used; None without keys. Raises `InvalidSettings`."""
    suite = SecuritySuite(int(data.get(CONF_SECURITY_SUITE, 0)))
    encryption_key = key_octets(data, CONF_ENCRYPTION_KEY, suite)
    authentication_key = key_octets(data, CONF_AUTHENTICATION_KEY, suite)
    if encryption_key is None:
        return None
    policy = POLICIES[data.get(CONF_SECURITY_POLICY, "authenticated_encrypted")]
    if authentication_key is None:
        policy &= ~SecurityPolicy.AUTHENTICATED
    return SecuritySettings(
        suite=suite,
        policy=policy,
        global_unicast_key=encryption_key,
        authentication_key=authentication_key,
        use_dedicated_key=bool(data.get(CONF_DEDICATED_KEY)),
    )


def key_octets(
    data: Mapping[str, Any], field: str, suite: SecuritySuite
) -> bytes | None:
    """Return a key typed as hex digits, with or without spaces; None when there is none. Raises `InvalidSettings`."""
    digits = _digits(data.get(field))
    if not digits:
        return None
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        raise InvalidSettings(field, "invalid_hex") from None
    if len(key) != suite.key_length:
        raise InvalidSettings(field, "invalid_key_length")
    return key


def poll_interval(options: Mapping[str, Any]) -> timedelta:
    """Return how often the meter is read."""
    seconds = options.get(CONF_POLL_INTERVAL)
    return POLL_INTERVAL if seconds is None else timedelta(seconds=seconds)


def from_known_meter(
    meter: KnownMeter, serial_number: str | None, data: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a known meter adds to an entry with this connection."""
    address = meter.address_of(serial_number)
    if is_serial(data):
        sign_on = meter.approaches[0] is Approach.SIGN_ON
        line = {
            CONF_FRAMING: FRAMING_HDLC,
            CONF_SPEED: meter.speed,
            CONF_SIGN_ON: sign_on,
        }
    else:
        wrapper = Approach.WRAPPER in meter.approaches
        line = {CONF_FRAMING: FRAMING_WRAPPER if wrapper else FRAMING_HDLC}
    data = line | {CONF_CLIENT_SAP: meter.clients[0]}
    return data | _address(*address) | _referencing(meter.short_names)


def from_settings(settings: ClientSettings) -> dict[str, Any]:
    """Return what a scan found out, for an entry with the connection it scanned."""
    data: dict[str, Any] = {
        CONF_FRAMING: settings.framing.value,
        CONF_CLIENT_SAP: settings.client_sap,
        **_address(
            settings.logical_device,
            settings.physical_device,
            settings.address_length,
        ),
        **_referencing(settings.short_names),
    }
    if isinstance(settings.endpoint, SerialEndpoint):
        data[CONF_SPEED] = settings.endpoint.line.speed
        data[CONF_SIGN_ON] = settings.sign_on is not None
    return data


def _referencing(short_names: bool) -> dict[str, Any]:
    """Return by which names a meter knows its objects, as an entry keeps it."""
    return {CONF_REFERENCING: REFERENCING_SHORT if short_names else REFERENCING_LOGICAL}


def _address(
    logical_device: int, physical_device: int | None, length: int | None
) -> dict[str, Any]:
    """Return a server address as an entry keeps it."""
    data: dict[str, Any] = {
        CONF_LOGICAL_DEVICE: logical_device,
        CONF_ADDRESS_LENGTH: str(length or ADDRESS_LENGTH_AUTOMATIC),
    }
    if physical_device is not None:
        data[CONF_PHYSICAL_DEVICE] = physical_device
    return data
