"""What a scan found, as an entry keeps it: it leads to the same meter again."""

from typing import Any

import pytest

from custom_components.dlms_meter.settings import (
    DEFAULTS,
    client_settings,
    from_settings,
)

PLACES: dict[str, dict[str, Any]] = {
    "wrapper": {"host": "meter.example", "port": 4059, "framing": "wrapper"},
    "HDLC behind a gateway": {
        "host": "meter.example",
        "port": 8899,
        "framing": "hdlc",
        "physical_device": 17,
        "address_length": "4",
    },
    "a port, at another speed": {
        "serial_port": "/dev/ttyUSB0",
        "framing": "hdlc",
        "speed": 19200,
        "sign_on": False,
    },
    "a probe, with a sign-on": {
        "serial_port": "/dev/ttyUSB0",
        "framing": "hdlc",
        "speed": 300,
        "sign_on": True,
        "client_sap": 32,
    },
}
CONNECTION = ("host", "port", "serial_port")


@pytest.mark.parametrize("name", PLACES)
def test_what_was_found_leads_there_again(name: str) -> None:
    wanted = client_settings(DEFAULTS | PLACES[name])
    connection = {key: PLACES[name][key] for key in CONNECTION if key in PLACES[name]}
    assert client_settings(DEFAULTS | connection | from_settings(wanted)) == wanted
