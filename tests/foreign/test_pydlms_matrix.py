"""All our client can do, with a meter nobody here wrote, in every way it can be spoken to. The matrix is printed.

The meter is the simulator of pydlms-client (GPL-3). What it cannot do is tried all the same: how it fails is the
evidence for the note in the matrix.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
import json
from typing import NamedTuple

import pytest

from custom_components.dlms_meter.dlms import (
    ClientSettings,
    Conformance,
    DataAccessResult,
    DlmsClient,
    Framing,
    Mechanism,
    Notification,
    SecurityPolicy,
    ServiceError,
    TcpEndpoint,
    TransportError,
)
from custom_components.dlms_meter.dlms.cosem.selective_access import EntryDescriptor
from tests.dlms.application.secured import CLIENT_TITLE, settings

from .matrix import MATRICES, OK, Matrix
from .operations import (
    ECHO,
    EMPTY,
    ENERGY,
    LONG,
    MESSAGE,
    OPERATIONS,
    PROFILE,
    ROWS,
    SHORT,
    access_unconfirmed,
    be_notified,
)
from .pydlms_meter import PydlmsMeter, running_pydlms_meter
from .test_pydlms_security import CIPHERED, PLAIN, SECRET, security_of

KEYS = settings()
BLOCK_WINDOW = 4
IMPATIENT = 0.3
"""Seconds to wait for an answer of which is known that it will not come."""
FRAMINGS = {
    "wrapper": Framing.WRAPPER,
    "hdlc": Framing.HDLC,
    "hdlc window 7": Framing.HDLC,
}
WINDOWS = {"hdlc window 7": 7}
MECHANISMS = [each for each in Mechanism if each <= Mechanism.HLS_SHA256]


class Way(NamedTuple):
    """How the meter is spoken to."""

    framing: str
    short_names: bool
    mechanism: Mechanism
    ciphered: bool

    def __str__(self) -> str:
        names = "SN" if self.short_names else "LN"
        ciphered = "ciphered" if self.ciphered else "plain"
        return f"{self.framing}, {names}, {self.mechanism.name}, {ciphered}"

    def client(
        self,
        meter: PydlmsMeter,
        heard: list[Notification] | None = None,
        window: int = 0,
    ) -> DlmsClient:
        base = CIPHERED if self.ciphered else PLAIN
        policy = KEYS.policy if self.ciphered else SecurityPolicy.NONE
        return DlmsClient(
            ClientSettings(
                endpoint=TcpEndpoint("127.0.0.1", meter.port),
                framing=FRAMINGS[self.framing],
                client_sap=base + self.mechanism,
                mechanism=self.mechanism,
                password=SECRET,
                system_title=CLIENT_TITLE,
                security=replace(KEYS, policy=policy),
                short_names=self.short_names,
                block_transfer_window=window,
            ),
            on_notification=None if heard is None else heard.append,
        )


WAYS = [
    Way(framing, short_names, mechanism, ciphered)
    for framing in FRAMINGS
    for short_names in (False, True)
    for mechanism in MECHANISMS
    for ciphered in (False, True)
]


# What the meter cannot do


async def has_no_attribute_0(client: DlmsClient) -> None:
    async with client:
        offered = client.negotiated.conformance
        assert Conformance.ATTRIBUTE0_SUPPORTED_WITH_GET in offered
        with pytest.raises(ServiceError) as caught:
            await client.get(ENERGY._replace(attribute_id=0))
    assert caught.value.result is DataAccessResult.OBJECT_UNAVAILABLE


async def passes_over_unconfirmed_writes(client: DlmsClient) -> None:
    async with client:
        assert Conformance.UNCONFIRMED_WRITE in client.negotiated.conformance
        await client.set(MESSAGE, SHORT)
        await client.set(MESSAGE, EMPTY, confirmed=False)
    async with client:
        assert await client.get(MESSAGE) == SHORT


async def breaks_when_it_returns_much(client: DlmsClient) -> None:
    with pytest.raises(TransportError, match="closed the connection"):
        async with client:
            await client.invoke(ECHO, LONG)


async def passes_over_selectors(client: DlmsClient) -> None:
    async with client:
        buffer = await client.get(PROFILE, EntryDescriptor(5, 9).access)
    assert isinstance(buffer.value, tuple)
    assert len(buffer.value) == ROWS


async def leaves_a_poll_unanswered(client: DlmsClient) -> None:
    client.settings = replace(client.settings, response_timeout=IMPATIENT)
    async with client:
        before = client.statistics.timeouts
        await access_unconfirmed(client)
        assert client.statistics.timeouts == before + 1


class Lack(NamedTuple):
    """What the meter cannot do, how that shows, and why it is the meter's fault."""

    evidence: Callable[[DlmsClient], Awaitable[None]]
    note: str


LACKS = {
    "a": Lack(
        has_no_attribute_0,
        "pydlms: agrees to attribute 0, and answers object-unavailable: `MeterSimulator._read` looks it up like others",
    ),
    "u": Lack(
        passes_over_unconfirmed_writes,
        "pydlms: agrees to UnconfirmedWrite, and answers an exception: `xdlms.decode_apdu` has no decoder for its tag",
    ),
    "r": Lack(
        breaks_when_it_returns_much,
        "pydlms: `MeterSimulator._sn` hands a long return to the pblocks of ACTION, which Read has not: AttributeError",
    ),
    "ok p": Lack(
        leaves_a_poll_unanswered,
        "pydlms: `HdlcServer._i_frame` says nothing to a frame with P of which no answer comes; our client asks again",
    ),
    "ok s": Lack(
        passes_over_selectors,
        "pydlms: `MeterSimulator._sn` reads without the selector and sends all rows; our client finds the right ones",
    ),
}
BY_SHORT_NAMES = {"set unconfirmed": "u", "long return": "r"} | dict.fromkeys(
    ("range", "since", "entries", "last"), "ok s"
)
ONLY_BY_LOGICAL_NAMES = {"attribute 0", "access", "access unconfirmed"}


def lacks_of(way: Way) -> dict[str, str]:
    """Return what the meter cannot do when it is spoken to in a way: the marks of `LACKS`."""
    if way.short_names:
        return BY_SHORT_NAMES
    polled = FRAMINGS[way.framing] is Framing.HDLC
    return {"attribute 0": "a"} | ({"access unconfirmed": "ok p"} if polled else {})


MATRIX = Matrix(
    "Our client and the meter of pydlms-client",
    [*OPERATIONS, "notified", "block transfer"],
    {mark: lack.note for mark, lack in LACKS.items()},
)
MATRICES.append(MATRIX)


type MeterFor = Callable[[Way], PydlmsMeter]


@pytest.fixture(scope="module")
def meter_for() -> Iterator[MeterFor]:
    """Run a meter for each framing that is wanted, until the last test is over."""
    security = json.dumps(security_of(KEYS, "with-header"))
    with ExitStack() as running:

        @cache
        def run(framing: str) -> PydlmsMeter:
            return running.enter_context(
                running_pydlms_meter(
                    FRAMINGS[framing].value,
                    "--everything",
                    "--security",
                    security,
                    window=WINDOWS.get(framing, 1),
                )
            )

        yield lambda way: run(way.framing)


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_everything(meter_for: MeterFor, way: Way) -> None:
    """Every service in one session; notifications between request and answer; what is long in general block transfer."""
    meter, row = meter_for(way), str(way)
    heard: list[Notification] = []
    async with way.client(meter, heard) as client:
        for name, ask in OPERATIONS.items():
            if works(way, name):
                await ask(client)
                MATRIX.enter(row, name, OK)
        await be_notified(client, heard, ciphered=way.ciphered)
        MATRIX.enter(row, "notified", OK)
        agreed = client.negotiated
    assert agreed.window_transmit in (None, WINDOWS.get(way.framing, 1))
    assert agreed.authenticated is (True if way.ciphered else None)
    for name, mark in lacks_of(way).items():
        await LACKS[mark].evidence(way.client(meter))
        MATRIX.enter(row, name, mark)
    async with way.client(meter, window=BLOCK_WINDOW) as client:
        offered = client.negotiated.conformance
        assert Conformance.GENERAL_BLOCK_TRANSFER in offered
        for name in ("long", "set long", "action long", "long return", "whole"):
            await OPERATIONS[name](client)
    MATRIX.enter(row, "block transfer", OK)


def works(way: Way, name: str) -> bool:
    """Tell whether right results can be expected from this meter."""
    if way.short_names and name in ONLY_BY_LOGICAL_NAMES:
        return False
    return lacks_of(way).get(name, OK) in (OK, "ok s")
