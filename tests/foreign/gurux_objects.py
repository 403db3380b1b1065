"""What gurux-dlms (GPL-2, by Gurux Ltd) makes of the octets of attributes, and gives back for them, as JSON.

Runs in a process of its own: `python gurux_objects.py '[[class, attribute, version, hex], …]'`.
"""

import json
import sys
from typing import Any

from gurux_dlms import GXByteBuffer, GXDLMSClient, ValueEventArgs
from gurux_dlms._GXObjectFactory import _GXObjectFactory
from gurux_dlms.GXDLMS import GXDLMS
from gurux_dlms.internal._GXCommon import _GXCommon
from gurux_dlms.internal._GXDataInfo import _GXDataInfo


def given_back(
    class_id: int, attribute_id: int, version: int, octets: str
) -> dict[str, Any]:
    """Have an object take what a meter sends for an attribute, and say it as a meter would."""
    client = GXDLMSClient(True)
    settings = client.settings
    item = _GXObjectFactory.createObject(class_id)
    item.version = version
    try:
        sent = _GXCommon.getData(settings, GXByteBuffer(octets), _GXDataInfo())
        client.updateValue(item, attribute_id, sent)
        event = ValueEventArgs(settings, item, attribute_id)
        told = item.getValue(settings, event)
        answer = GXByteBuffer()
        GXDLMS.appendData(settings, item, attribute_id, answer, told)
        return {"octets": bytes(answer.array()).hex()}
    except Exception as error:  # noqa: BLE001  whatever is wrong with it
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    json.dump([given_back(*row) for row in json.loads(sys.argv[1])], sys.stdout)
