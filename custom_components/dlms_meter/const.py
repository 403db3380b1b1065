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
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]

CONF_ADDRESS_LENGTH: Final = "address_length"
CONF_MECHANISM: Final = "mechanism"
CONF_BOX: Final = "box"
"""The unique id of the entry whose SAP assignment lists this logical device."""
CONF_CLIENT_SAP: Final = "client_sap"
CONF_FRAMING: Final = "framing"
CONF_KEEP_OPEN: Final = "keep_open"
"""Option: the session lasts from one reading to the next, as long as nobody else wants the line."""
CONF_LOGICAL_DEVICE: Final = "logical_device"
CONF_PASSWORD_IS_HEX: Final = "password_is_hex"
CONF_PHYSICAL_DEVICE: Final = "physical_device"
CONF_CHANGE_SETTINGS: Final = "change_settings"
"""Option: the user has asked for numbers and choices that change the meter's settings, and read the warning."""
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
CONF_AUTHENTICATION_KEY: Final = "authentication_key"
CONF_DEDICATED_KEY: Final = "dedicated_key"
CONF_ENCRYPTION_KEY: Final = "encryption_key"
CONF_INFORMATION_LENGTH: Final = "information_length"
CONF_PDU_SIZE: Final = "pdu_size"
CONF_RESPONSE_TIMEOUT: Final = "response_timeout"
CONF_SECURITY_POLICY: Final = "security_policy"
CONF_SECURITY_SUITE: Final = "security_suite"
CONF_SERIAL_PORT: Final = "serial_port"
CONF_SIGN_ON: Final = "sign_on"
CONF_SIGN_ON_NUMBER: Final = "sign_on_number"
CONF_SIGN_ON_SPEED: Final = "sign_on_speed"
CONF_OLD_ACKNOWLEDGEMENT: Final = "old_acknowledgement"
CONF_SOFTWARE_PARITY: Final = "software_parity"
CONF_WAKE_UP: Final = "wake_up"
CONF_SPEED: Final = "speed"
CONF_SYSTEM_TITLE: Final = "system_title"
CONF_WINDOW: Final = "window"
CONF_POLL_INTERVAL: Final = "poll_interval"
CONF_READINGS: Final = "readings"
CONF_REFERENCING: Final = "referencing"
MECHANISM_HLS: Final = "hls"
MECHANISM_HLS_MD5: Final = "hls_md5"
MECHANISM_HLS_SHA1: Final = "hls_sha1"
MECHANISM_HLS_GMAC: Final = "hls_gmac"
MECHANISM_HLS_SHA256: Final = "hls_sha256"
FRAMING_UDP: Final = "udp"
REFERENCING_LOGICAL: Final = "logical_names"
REFERENCING_SHORT: Final = "short_names"
DEFAULT_SPEED: Final = 9600
