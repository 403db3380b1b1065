"""The forms of the set-up dialog: which fields each has. What they are called stands in the translations."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    SerialPortSelector,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

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
    DEFAULT_PORT,
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
    REFERENCING_LOGICAL,
    REFERENCING_SHORT,
)
from .dlms import METERS, SPEEDS, Access, KnownMeter
from .settings import POLICIES, SECTION_EXPERT

CONF_MODEL: Final = "model"
CONF_SERIAL_NUMBER: Final = "serial_number"
CONF_NEXT: Final = "next"

SERIAL, NETWORK = "serial", "network"
"""Steps that ask for the connection."""
FIND, MODEL, LINE = "find", "model", "line"
"""Steps that lead on from a connection."""
CONNECTION: Final = "connection"
"""The choice to go back to it."""

type Schema = vol.Schema


def _number(low: int, high: int, unit: str | None = None) -> vol.All:
    """Return a box for a whole number."""
    config = NumberSelectorConfig(
        min=low, max=high, step=1, mode=NumberSelectorMode.BOX
    )
    if unit:
        config["unit_of_measurement"] = unit
    return vol.All(NumberSelector(config), vol.Coerce(int))


def _choice(
    key: str,
    options: list[str],
    mode: SelectSelectorMode = SelectSelectorMode.DROPDOWN,
) -> SelectSelector:
    """Return a choice whose options are translated under `selector.<key>`."""
    return SelectSelector(
        SelectSelectorConfig(options=options, translation_key=key, mode=mode)
    )


_SECRET: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_ADDRESS_LENGTHS: Final = [ADDRESS_LENGTH_AUTOMATIC, "1", "2", "4"]

CONNECTIONS: Final[Mapping[str, Schema]] = {
    SERIAL: vol.Schema({vol.Required(CONF_SERIAL_PORT): SerialPortSelector()}),
    NETWORK: vol.Schema(
        {
            vol.Required(CONF_HOST): TextSelector(),
            vol.Required(CONF_PORT, default=DEFAULT_PORT): _number(1, 0xFFFF),
        }
    ),
}
FIND_IT: Final = vol.Schema({vol.Optional(CONF_SERIAL_NUMBER): TextSelector()})
CHOOSE_MODEL: Final = vol.Schema(
    {
        # The user interface fills in the first choice where one is required: somebody else's meter.
        vol.Optional(CONF_MODEL): SelectSelector(
            SelectSelectorConfig(
                options=[
                    SelectOptionDict(value=meter.title, label=meter.title)
                    for meter in METERS
                ],
                mode=SelectSelectorMode.DROPDOWN,
                custom_value=True,  # only so can the list be searched
            )
        ),
        vol.Optional(CONF_SERIAL_NUMBER): TextSelector(),
    }
)
NOT_FOUND: Final = vol.Schema(
    {
        vol.Required(CONF_NEXT, default=FIND): _choice(
            CONF_NEXT, [FIND, MODEL, LINE, CONNECTION], SelectSelectorMode.LIST
        )
    }
)
_SPEED: Final = SelectSelector(
    SelectSelectorConfig(
        options=[
            SelectOptionDict(value=str(speed), label=f"{speed} baud")
            for speed in SPEEDS
        ],
        mode=SelectSelectorMode.DROPDOWN,
    )
)
SERIAL_LINE: Final = vol.Schema(
    {
        vol.Required(CONF_SIGN_ON, default=False): BooleanSelector(),
        vol.Required(CONF_SPEED, default=str(DEFAULT_SPEED)): vol.All(
            _SPEED, vol.Coerce(int)
        ),
        vol.Optional(SECTION_EXPERT): section(
            vol.Schema(  # type: ignore[arg-type]
                {
                    vol.Optional(CONF_SIGN_ON_NUMBER): TextSelector(),
                    vol.Optional(CONF_SIGN_ON_SPEED): _SPEED,
                    vol.Optional(CONF_WAKE_UP, default=False): BooleanSelector(),
                    vol.Optional(CONF_SOFTWARE_PARITY, default=False): (
                        BooleanSelector()
                    ),
                    vol.Optional(CONF_OLD_ACKNOWLEDGEMENT, default=False): (
                        BooleanSelector()
                    ),
                }
            ),
            {"collapsed": True},
        ),
    }
)
NETWORK_LINE: Final = vol.Schema(
    {
        vol.Required(CONF_FRAMING, default=FRAMING_WRAPPER): _choice(
            CONF_FRAMING,
            [FRAMING_WRAPPER, FRAMING_HDLC, FRAMING_UDP],
            SelectSelectorMode.LIST,
        )
    }
)
NOTHING: Final = vol.Schema({})

_ADDRESSES: Final = {
    vol.Required(CONF_CLIENT_SAP, default=DEFAULT_CLIENT_SAP): _number(1, 127),
    vol.Required(CONF_LOGICAL_DEVICE, default=DEFAULT_LOGICAL_DEVICE): _number(
        0, 0x3FFF
    ),
    vol.Optional(CONF_PHYSICAL_DEVICE): _number(0, 0x3FFF),
    vol.Required(CONF_ADDRESS_LENGTH, default=ADDRESS_LENGTH_AUTOMATIC): _choice(
        CONF_ADDRESS_LENGTH, _ADDRESS_LENGTHS
    ),
    vol.Required(CONF_REFERENCING, default=REFERENCING_LOGICAL): _choice(
        CONF_REFERENCING, [REFERENCING_LOGICAL, REFERENCING_SHORT]
    ),
}
_LIMITS: Final = {
    vol.Optional(CONF_INFORMATION_LENGTH): _number(32, 2030, "B"),
    vol.Optional(CONF_WINDOW): _number(1, 7),
    vol.Optional(CONF_PDU_SIZE): _number(0, 0xFFFF, "B"),
    vol.Optional(CONF_RESPONSE_TIMEOUT): _number(1, 60, "s"),
}
_CIPHERING: Final = {
    vol.Required(CONF_MECHANISM, default=MECHANISM_HLS_GMAC): _choice(
        "mechanism_with_keys",
        [MECHANISM_HLS_GMAC, MECHANISM_HLS_SHA256, MECHANISM_LLS, MECHANISM_NONE],
    ),
    vol.Optional(CONF_PASSWORD): _SECRET,
    vol.Required(CONF_PASSWORD_IS_HEX, default=False): BooleanSelector(),
    vol.Required(CONF_SECURITY_SUITE, default="0"): _choice(
        CONF_SECURITY_SUITE, ["0", "1", "2"]
    ),
    vol.Required(CONF_SECURITY_POLICY, default="authenticated_encrypted"): _choice(
        CONF_SECURITY_POLICY, list(POLICIES)
    ),
    vol.Required(CONF_DEDICATED_KEY, default=False): BooleanSelector(),
    vol.Optional(CONF_SYSTEM_TITLE): TextSelector(),
}
_CHALLENGES: Final = [
    MECHANISM_HLS_MD5,
    MECHANISM_HLS_SHA1,
    MECHANISM_HLS_SHA256,
    MECHANISM_HLS,
]

# What each level asks for: the fields everybody sees, and those of experts in front of addresses and limits.
_PASSWORD_FIELDS: Final = {
    vol.Required(CONF_PASSWORD): _SECRET,
    vol.Required(CONF_PASSWORD_IS_HEX, default=False): BooleanSelector(),
}
_LEVELS: Final[dict[Access, tuple[Mapping[Any, Any], Mapping[Any, Any]]]] = {
    Access.OPEN: ({}, {}),
    Access.PASSWORD: (_PASSWORD_FIELDS, {}),
    Access.CHALLENGE: (
        {
            vol.Required(CONF_MECHANISM, default=MECHANISM_HLS_MD5): _choice(
                "mechanism_with_challenge", _CHALLENGES
            ),
            **_PASSWORD_FIELDS,
        },
        {},
    ),
    Access.KEYS: (
        {
            vol.Required(CONF_ENCRYPTION_KEY): _SECRET,
            vol.Optional(CONF_AUTHENTICATION_KEY): _SECRET,
        },
        _CIPHERING,
    ),
}


def chosen_model(text: str) -> KnownMeter | None:
    """Return the meter that was chosen, or typed as the list has it; None for what is not in the list."""
    typed = text.strip().casefold()
    return next(
        (meter for meter in METERS if typed in (meter.key, meter.title.casefold())),
        None,
    )


def access(level: Access) -> Schema:
    """Return the form of one level: what it needs, and the section for experts."""
    fields, expert = _LEVELS[level]
    inner = vol.Schema({**expert, **_ADDRESSES, **_LIMITS})
    return vol.Schema(
        {
            **fields,
            vol.Required(SECTION_EXPERT): section(
                inner,  # type: ignore[arg-type]  # Home Assistant serves voluptuous by probatio
                {"collapsed": True},
            ),
        }
    )


def expert_fields(level: Access) -> set[str]:
    """Return the names of the fields for experts of one level."""
    _, expert = _LEVELS[level]
    return {str(marker) for marker in (*expert, *_ADDRESSES, *_LIMITS)}


def secrets(level: Access) -> Schema:
    """Return the form for new secrets of one level."""
    fields, _ = _LEVELS[level]
    return vol.Schema(
        {marker: field for marker, field in fields.items() if marker != CONF_MECHANISM}
    )
