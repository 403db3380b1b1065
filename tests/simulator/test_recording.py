"""What a meter said is said again by its recording: each service, by logical and by short names, by each line."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

import pytest

from custom_components.dlms_meter.dlms import (
    ActionResult,
    DataAccessResult,
    DlmsClient,
    DlmsError,
    Negotiated,
)
from custom_components.dlms_meter.dlms.application.access_procedure import AccessItem
from tests.dlms.test_services import (
    ENERGY,
    LONG,
    MODE,
    SESSIONS,
    SHORT,
    VOLTAGE,
    WAYS,
    Way,
)
from tests.simulator import Meter
from tests.simulator.controls import (
    CONTROL_MODE,
    DISCONNECT,
    ECHO,
    MESSAGE,
    OUTPUT_STATE,
    RECONNECT,
)
from tests.simulator.recording import (
    RecordedMeter,
    Recording,
    RecordingError,
    read_recording,
)
from tests.simulator.settings import ServiceQuirks
from tests.transports import memory_transports, run_virtually

type Messages = list[tuple[bool, bytes]]
type Ask = Callable[[DlmsClient], Awaitable[Sequence[object]]]
EACH = pytest.mark.parametrize("way", WAYS, ids=str)


def recorded(way: Way, messages: Messages, negotiated: Negotiated) -> Recording:
    """Return a recording of a session, by way of what a diagnostics file has of it."""
    conformance = [flag.name for flag in negotiated.conformance]
    session = asdict(negotiated) | {"conformance": conformance}
    data = {
        "host": "**REDACTED**",
        "port": 4059,
        "framing": way.framing.value,
        "client_sap": 1,
        "logical_device": 1,
        "physical_device": 17,
        "address_length": "automatic",
        "mechanism": "lls",
        "password": "**REDACTED**",
    }
    lines = [f"{'<>'[is_sent]} {octets.hex()}" for is_sent, octets in messages]
    return read_recording(
        {
            "data": {
                "entry": {"data": data},
                "session": {"negotiated": session},
                "trace": [{"apdus": lines}],
            }
        }
    )


async def everything(client: DlmsClient) -> Sequence[object]:
    """Use each service; return all that came of it."""
    said: list[object] = [[str(item) for item in await client.objects()]]

    async def note(answer: Awaitable[object]) -> None:
        try:
            said.append(await answer)
        except DlmsError as error:
            said.append(str(error))

    await note(client.get_many([ENERGY, VOLTAGE, CONTROL_MODE]))
    await note(client.get(MESSAGE))
    await note(client.set(MESSAGE, LONG))
    await note(client.get(MESSAGE))
    await note(client.set(ENERGY, SHORT))
    results = await client.set_many({MESSAGE: LONG, ENERGY: SHORT, CONTROL_MODE: MODE})
    said.append({key: error and str(error) for key, error in results.items()})
    await note(client.get_many([MESSAGE, CONTROL_MODE, VOLTAGE]))
    await note(client.invoke(DISCONNECT))
    await note(client.get(OUTPUT_STATE))
    await note(client.invoke_many([(DISCONNECT, None), (RECONNECT, None)]))
    await note(client.get(OUTPUT_STATE))
    return said


async def with_long_parameters(client: DlmsClient) -> Sequence[object]:
    """Use the services that short names do not have."""
    said = [
        await client.invoke(ECHO, SHORT),
        await client.invoke(ECHO, LONG),
        await client.invoke_many([(ECHO, LONG), (ECHO, SHORT)]),
    ]
    items = [
        AccessItem.get(ENERGY),
        AccessItem.set(CONTROL_MODE, MODE),
        AccessItem.action(ECHO, SHORT),
    ]
    return [*said, await client.access(items)]


def run(
    way: Way, meter: Meter, ask: Ask
) -> tuple[Sequence[object], Messages, Negotiated]:
    """Lead one session, and write it down."""
    messages: Messages = []

    async def main() -> tuple[Sequence[object], Negotiated]:
        client = DlmsClient(
            way.settings,
            observer=lambda is_sent, apdu: messages.append((is_sent, apdu)),
        )
        async with client:
            return await ask(client), client.negotiated

    with memory_transports(lambda: SESSIONS[way.framing](meter)):
        said, negotiated = run_virtually(main())
    return said, messages, negotiated


def check(way: Way, meter: Meter, ask: Ask) -> None:
    said, messages, negotiated = run(way, meter, ask)
    replayed = RecordedMeter(recorded(way, messages, negotiated))
    said_again, messages_again, negotiated_again = run(way, replayed, ask)
    assert said_again == said
    assert negotiated_again == negotiated
    assert [apdu for is_sent, apdu in messages_again if is_sent] == [
        apdu for is_sent, apdu in messages if is_sent
    ]


@EACH
def test_every_service(way: Way) -> None:
    check(way, way.meter(), everything)


@pytest.mark.parametrize("way", [w for w in WAYS if not w.short_names], ids=str)
def test_long_parameters_and_access(way: Way) -> None:
    check(way, way.meter(), with_long_parameters)


@EACH
@pytest.mark.parametrize(
    "quirks",
    [
        ServiceQuirks(refuses_lists=True),
        ServiceQuirks(bare_blocks=True),
        ServiceQuirks(calls_by_write=True),
    ],
    ids=["no lists", "bare blocks", "calls by Write"],
)
def test_peculiar_meters(way: Way, quirks: ServiceQuirks) -> None:
    said, messages, negotiated = run(way, way.meter(quirks), everything)
    replayed = RecordedMeter(recorded(way, messages, negotiated))
    assert run(way, replayed, everything)[0] == said


def test_what_was_never_asked_is_not_there() -> None:
    way = WAYS[0]
    _, messages, negotiated = run(way, way.meter(), everything)
    replayed = RecordedMeter(recorded(way, messages, negotiated))

    async def ask(client: DlmsClient) -> Sequence[object]:
        other = ENERGY._replace(attribute_id=3)
        said = []
        for answer in (
            client.get(other),
            client.set(other, SHORT),
            client.invoke(ECHO),
        ):
            try:
                await answer
            except DlmsError as error:
                said.append(getattr(error, "result", None))
        return said

    assert run(way, replayed, ask)[0] == [
        DataAccessResult.OBJECT_UNDEFINED,
        DataAccessResult.OBJECT_UNDEFINED,
        ActionResult.OBJECT_UNDEFINED,
    ]


@pytest.mark.parametrize(
    "diagnostics",
    [{}, {"data": {}}, {"trace": [{"apdus": []}]}, {"trace": [{"apdus": ["< FF"]}]}],
)
def test_what_is_no_recording_is_not_served(diagnostics: dict[str, Any]) -> None:
    with pytest.raises(RecordingError):
        read_recording(diagnostics)
