"""Serial adapters that are plugged into the machine of a test."""

from contextlib import AbstractContextManager
from unittest.mock import AsyncMock, patch

from homeassistant.components.usb import SerialDevice, USBDevice

from custom_components.dlms_meter import ports

BY_ID = "/dev/serial/by-id/"


def adapter(
    device: str, resolved_device: str, serial_number: str | None = None
) -> USBDevice:
    """Return an adapter as Home Assistant finds it; those without a number are twins."""
    return USBDevice(
        device=device,
        resolved_device=resolved_device,
        vid="1A86",
        pid="7523",
        serial_number=serial_number,
        manufacturer="1a86",
        description="USB Serial",
        interface_num=0,
    )


def plugged_in(*found: SerialDevice) -> AbstractContextManager[object]:
    """Let these ports be all that the machine has."""
    scan = AsyncMock(return_value=list(found))
    return patch.object(ports, "async_scan_serial_ports", scan)
