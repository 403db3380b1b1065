"""One Read of several variables of every kind, and a Write after it, to a meter nobody here wrote."""

from dataclasses import replace

import pytest

from custom_components.dlms_meter.dlms import ClientSettings, Data, DlmsClient
from custom_components.dlms_meter.dlms.application.apdu import Apdu
from custom_components.dlms_meter.dlms.application.enums import DataAccessResult
from custom_components.dlms_meter.dlms.application.procedures import Procedure
from custom_components.dlms_meter.dlms.application.short_name import (
    METHOD_CALL,
    ParameterizedAccess,
    ReadRequest,
    ReadResponse,
    VariableName,
    WriteRequest,
    WriteResponse,
)
from custom_components.dlms_meter.dlms.codec.data import DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import SelectiveAccess
from custom_components.dlms_meter.dlms.cosem.short_names import (
    attribute_name,
    method_name,
)

from .operations import ECHO, ENERGY, MESSAGE, SHORT
from .pydlms_meter import LLS_PASSWORD, Framing, running_pydlms_meter
from .test_pydlms_meter import settings_for

UNKNOWN_NAME = 0x0F00
ECHOED = Data(DataType.OCTET_STRING, b"back")


def ask(request: Apdu) -> Procedure[Apdu | None]:
    answer = yield request
    return answer


async def mix(settings: ClientSettings) -> None:
    async with DlmsClient(replace(settings, short_names=True)) as client:
        energy, run = await client.get(ENERGY), client._connection.run
        names = client.memory.short_names
        register = VariableName(attribute_name(names, ENERGY) or 0)
        message = VariableName(attribute_name(names, MESSAGE) or 0)
        call = ParameterizedAccess(
            method_name(names, ECHO) or 0, SelectiveAccess(METHOD_CALL, ECHOED)
        )
        unknown = VariableName(UNKNOWN_NAME)
        undefined = DataAccessResult.OBJECT_UNDEFINED
        assert await run(
            ask(ReadRequest((register, call, unknown, register)))
        ) == ReadResponse((energy, ECHOED, undefined, energy))
        assert await run(
            ask(WriteRequest((message, unknown), (SHORT, SHORT)))
        ) == WriteResponse((DataAccessResult.SUCCESS, undefined))
        assert await run(ask(ReadRequest((message,)))) == ReadResponse((SHORT,))


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("framing", ["hdlc", "wrapper"])
async def test_read_of_every_kind_of_variable(framing: Framing) -> None:
    with running_pydlms_meter(framing, "--everything") as meter:
        await mix(settings_for(meter, LLS_PASSWORD))
