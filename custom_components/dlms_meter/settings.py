"""Config entry data and what the client needs of it: the only reader of the connection's CONF_* keys."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT

from .const import (
    ADDRESS_LENGTH_AUTOMATIC,
    CONF_ADDRESS_LENGTH,
    CONF_CLIENT_SAP,
    CONF_FRAMING,
    CONF_LOGICAL_DEVICE,
    CONF_MECHANISM,
    CONF_PASSWORD_IS_HEX,
    CONF_PHYSICAL_DEVICE,
    FRAMING_HDLC,
    FRAMING_WRAPPER,
    MECHANISM_LLS,
    MECHANISM_NONE,
)
from .dlms import ClientSettings, Framing, Mechanism, TcpEndpoint

SECTION_EXPERT: Final = "expert"
EXPERT_KEYS: Final = (
    CONF_CLIENT_SAP,
    CONF_LOGICAL_DEVICE,
    CONF_PHYSICAL_DEVICE,
    CONF_ADDRESS_LENGTH,
    CONF_PASSWORD_IS_HEX,
)

_FRAMINGS: Final = {FRAMING_HDLC: Framing.HDLC, FRAMING_WRAPPER: Framing.WRAPPER}
_MECHANISMS: Final = {
    MECHANISM_NONE: Mechanism.NONE,
    MECHANISM_LLS: Mechanism.LLS,
}


class InvalidSettings(ValueError):
    """Settings that cannot work, found before anything is sent; `field` and `error` name what to show where."""

    def __init__(self, field: str, error: str) -> None:
        super().__init__(f"{field}: {error}")
        self.field = field
        self.error = error


def from_input(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what the form returned into config entry data: flat, without what does not apply.

    Raises `InvalidSettings`.
    """
    data = {key: value for key, value in user_input.items() if key != SECTION_EXPERT}
    data |= user_input[SECTION_EXPERT]
    data[CONF_HOST] = data[CONF_HOST].strip()
    if data[CONF_MECHANISM] == MECHANISM_NONE:
        data.pop(CONF_PASSWORD, None)
    elif not data.get(CONF_PASSWORD):
        raise InvalidSettings(CONF_PASSWORD, "password_required")
    password_octets(data)
    return data


def to_input(data: Mapping[str, Any]) -> dict[str, Any]:
    """Turn config entry data back into the form's values; the password is never among them."""
    values = {
        key: value
        for key, value in data.items()
        if key not in (*EXPERT_KEYS, CONF_PASSWORD)
    }
    values[SECTION_EXPERT] = {key: data[key] for key in EXPERT_KEYS if key in data}
    return values


def password_octets(data: Mapping[str, Any]) -> bytes:
    """Return the password as the meter compares it: characters as they are, or octets typed as hex digits.

    Raises `InvalidSettings`.
    """
    text: str = data.get(CONF_PASSWORD, "")
    if not data.get(CONF_PASSWORD_IS_HEX):
        return text.encode()
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InvalidSettings(CONF_PASSWORD, "invalid_hex") from None


def endpoint(data: Mapping[str, Any]) -> TcpEndpoint:
    """Return where the meter is reached."""
    return TcpEndpoint(data[CONF_HOST], data[CONF_PORT])


def client_settings(data: Mapping[str, Any]) -> ClientSettings:
    """Return what the client needs to reach the meter and associate with it."""
    length: str = data[CONF_ADDRESS_LENGTH]
    return ClientSettings(
        endpoint=endpoint(data),
        framing=_FRAMINGS[data[CONF_FRAMING]],
        client_sap=data[CONF_CLIENT_SAP],
        logical_device=data[CONF_LOGICAL_DEVICE],
        physical_device=data.get(CONF_PHYSICAL_DEVICE),
        address_length=None if length == ADDRESS_LENGTH_AUTOMATIC else int(length),
        mechanism=_MECHANISMS[data[CONF_MECHANISM]],
        password=password_octets(data),
    )
