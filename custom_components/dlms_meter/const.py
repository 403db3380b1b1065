"""Names the whole integration shares: no logic."""

from datetime import timedelta
import logging
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "dlms_meter"
LOGGER: Final = logging.getLogger(__package__)
PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.SENSOR,
    Platform.SWITCH,
]

CONF_ADDRESS_LENGTH: Final = "address_length"
CONF_MECHANISM: Final = "mechanism"
CONF_CLIENT_SAP: Final = "client_sap"
CONF_FRAMING: Final = "framing"
CONF_LOGICAL_DEVICE: Final = "logical_device"
CONF_PASSWORD_IS_HEX: Final = "password_is_hex"
CONF_PHYSICAL_DEVICE: Final = "physical_device"
CONF_SUPPLY_SWITCH: Final = "supply_switch"
"""Option: the user has asked for a switch that cuts off and restores the supply, and read the warning."""

MECHANISM_NONE: Final = "none"
MECHANISM_LLS: Final = "lls"
FRAMING_HDLC: Final = "hdlc"
FRAMING_WRAPPER: Final = "wrapper"
ADDRESS_LENGTH_AUTOMATIC: Final = "automatic"

DEFAULT_CLIENT_SAP: Final = 16
DEFAULT_LOGICAL_DEVICE: Final = 1
DEFAULT_PORT: Final = 4059

POLL_INTERVAL: Final = timedelta(seconds=60)
