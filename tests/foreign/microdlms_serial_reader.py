"""Read one register of a meter on a serial port with microdlms (MIT), which knows no sign-on, and print it as JSON.

Runs in a process of its own: `python microdlms_serial_reader.py PORT`.
"""

import asyncio
import json
import sys
from typing import Any

from microdlms.client import AsyncMeterClient
from microdlms.obis import CosemAttribute, ObisCode

type Untyped = Any  # microdlms' values

PUBLIC_CLIENT = 16
ENERGY = CosemAttribute(3, ObisCode.from_string("1.0.1.8.0.255"), 2)


async def read(port: str) -> Untyped:
    client = AsyncMeterClient(port, client_logical_address=PUBLIC_CLIENT)
    await client.connect()
    try:
        return await client.get(ENERGY)
    finally:
        await client.disconnect()


if __name__ == "__main__":
    json.dump({"energy": asyncio.run(read(sys.argv[1]))}, sys.stdout)
