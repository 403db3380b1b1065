"""Sign on at a serial port with the reader of Gurux (GPL-2), read one register of the meter, and print it as JSON.

Runs in a process of its own: `python gurux_serial_reader.py PORT`. It leaves a log in the present folder.
"""

import json
import sys
from typing import Any

from gurux_common.enums import TraceLevel
from gurux_common.io import Parity
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSRegister
from gurux_dlms.secure import GXDLMSSecureClient
from gurux_dlms_agent.GXDLMSReader import GXDLMSReader
from gurux_serial import GXSerial
from gurux_serial._handlers.GXLinuxHandler import GXLinuxHandler

type Untyped = Any  # Gurux' values

PUBLIC_CLIENT = 16


def no_pins(*_: object) -> None:
    """Leave DTR and RTS alone: a pty has neither, and Gurux fails without them."""


def read(port: str) -> Untyped:
    GXLinuxHandler.setDtrEnable = GXLinuxHandler.setRtsEnable = no_pins
    media = GXSerial(None)
    media.port, media.baudRate = port, 300
    media.dataBits, media.parity = 8, Parity.NONE  # nor does a pty know parity
    client = GXDLMSSecureClient(
        True,
        PUBLIC_CLIENT,
        1,
        Authentication.NONE,
        None,
        InterfaceType.HDLC_WITH_MODE_E,
    )
    reader = GXDLMSReader(client, media, TraceLevel.ERROR, None)
    media.open()
    try:
        reader.initializeConnection()
        return reader.read(GXDLMSRegister("1.0.1.8.0.255"), 2)
    finally:
        reader.close()


if __name__ == "__main__":
    json.dump({"energy": int(read(sys.argv[1]))}, sys.stdout)
