"""Sign on at a serial port with pydlms-client (GPL-3), read one register of the meter, and print it as JSON.

Runs in a process of its own: `python pydlms_serial_reader.py PORT [wake-up]`.
"""

import json
import sys
from typing import Any

from pydlms.client import DlmsClient

type Untyped = Any  # pydlms' values

PUBLIC_CLIENT = 16


if __name__ == "__main__":
    port, *more = sys.argv[1:]
    client = DlmsClient.optical(
        port, client_sap=PUBLIC_CLIENT, wake_up="normal" if more else "none"
    )
    with client:
        answer: Untyped = client.get("1.0.1.8.0.255", 3, 2)
        json.dump({"energy": answer.value}, sys.stdout)
