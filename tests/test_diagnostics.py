"""Diagnostics: all that helps, down to what was said, and nothing that tells whose meter it is."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
import json
from pathlib import Path
import sys
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.dlms_meter.anonymity import Anonymiser
from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    Conformance,
    DlmsClient,
    Mechanism,
    Obis,
    SecuritySettings,
    TransportError,
)
from custom_components.dlms_meter.dlms.application.transcript import Service
from custom_components.dlms_meter.settings import client_settings, from_input
from tests.home import EXPERT, PASSWORD, TITLE, UNIQUE_ID, WITH_PASSWORD, Line, altered
from tests.models import INDUSTRIAL, PREPAID, SUB_METERS
from tests.simulator import (
    SUPPORTED,
    ClientRule,
    HdlcSession,
    Meter,
    MeterSettings,
    WrapperSession,
)
from tests.simulator.controls import (
    CONTROLLABLE_METER,
    DISCONNECT,
    MESSAGE,
    give_controls,
)
from tests.simulator.household import HOUSEHOLD_METER
from tests.simulator.objects import MeterObject, cosem_object, octets, uint32
from tests.simulator.recording import RecordedMeter, read_recording
from tests.simulator.settings import EVERY_SERVICE, SHORT_NAME_SERVICES

ROOT = Path(__file__).parents[1]
SERIAL_NUMBER = "40817263"
PLANTED = {
    "0-0:96.1.0*255": "40817263",
    "0-0:96.1.1*255": "OWNER-77310",
    "0-0:96.1.2*255": "IMEI356938035643809",
    "0-0:96.1.3*255": "+491701234567",
    "0-0:96.1.10*255": "DE0007212345600000000000000001234",
    "1-0:0.0.0*255": "1SIM0040817263",
    "1-0:0.0.1*255": "ACCOUNT 5512 0099",
    "1-0:0.0.2*255": "49.878651N8.640271E",
    "1-0:96.1.0*255": "MP-88123499",
    "0-0:96.13.0*255": "Dear Mrs Gruber of Elm Street 7",
    "0-0:199.1.1*255": "192.168.77.31",
    "0-0:199.1.2*255": "7KWQ2ZP5",
}
"""What a meter may tell of its owner, known to the catalogue or not."""
NUMBERS = {"0-0:199.1.3*255": 3105598877, "0-0:43.1.0*255": 1738223}
"""The same in figures: an unknown number, an invocation counter."""
SECRETS = [
    PASSWORD,
    "meter.example",
    TITLE,
    UNIQUE_ID,
    *PLANTED.values(),
    *map(str, NUMBERS.values()),
]
HARMLESS = "2.4.1"
"""The firmware: of many meters the same."""


def spellings(secret: str) -> set[str]:
    """Return all ways in which a secret may stand in a text."""
    raw = secret.encode()
    forms = {raw, raw[::-1]}
    if secret.isdecimal():
        number = int(secret)
        forms |= {number.to_bytes(8), number.to_bytes(8, "little")}
        if number < 1 << 32:
            forms |= {number.to_bytes(4), number.to_bytes(4, "little")}
        if len(secret) % 2 == 0:
            forms |= {bytes.fromhex(secret), bytes.fromhex(secret)[::-1]}
    texts = {secret, secret[::-1]}
    for form in forms:
        if len(form) > 4 or form.strip(b"\0") != form[-2:]:
            texts |= {form.hex(), form.hex().upper(), form.hex(" ")}
        texts.add(b64encode(form).decode())
    return texts


@pytest.fixture
def noon(freezer: FrozenDateTimeFactory) -> None:
    """Let time stand still, before anybody logs in."""
    freezer.move_to("2026-11-20T12:00:30Z")


@pytest.fixture
async def secretive(
    noon: None,
    hass: HomeAssistant,
    line: Line,
    entry: MockConfigEntry,
) -> MockConfigEntry:
    """An entry with all the secrets there are, some of them where nobody expects them."""
    line.framing = HdlcSession
    line.meter = altered(line.meter, {"0-0:96.14.0*255": uint32(40817263)})
    data = from_input(WITH_PASSWORD | {"framing": "hdlc"})
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def test_diagnostics(
    hass: HomeAssistant, secretive: MockConfigEntry, snapshot: SnapshotAssertion
) -> None:
    """Settings, what was agreed on, objects and rights, scalers, values, errors, the line, and what was said."""
    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)
    trace = diagnostics.pop("trace")
    for line in ("line_in_last_session", "line_since_start"):
        counts = diagnostics["session"].pop(line)
        assert counts["frames_received"] > 10
        assert counts["bad_checks"] == counts["timeouts"] == 0
    assert diagnostics == snapshot
    assert [session["occasion"] for session in trace] == ["poll", "recording"]
    for session in trace:
        assert session["error"] is None
        assert not session["is_cut"]
        assert len(session["apdus"]) > 4


async def test_nothing_secret_is_told(
    hass: HomeAssistant, line: Line, secretive: MockConfigEntry
) -> None:
    """Also not in the text of an error."""
    line.broken = TransportError(f"meter.example: no route to {UNIQUE_ID}")
    await secretive.runtime_data.async_refresh()

    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)

    written = json.dumps(diagnostics)
    assert not [s for s in (PASSWORD, UNIQUE_ID, SERIAL_NUMBER, TITLE) if s in written]
    assert "no route to SIM0000000000002" in diagnostics["ladder"]["reason"]
    assert "no route to SIM0000000000002" in diagnostics["trace"][-1]["error"]
    assert diagnostics["session"]["last_poll_succeeded"] is False


@pytest.mark.parametrize("max_pdu_size", [0, 128, 61], ids=lambda size: f"PDU {size}")
@pytest.mark.usefixtures("everything_enabled")
async def test_planted_secrets_are_not_told_in_any_spelling(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, max_pdu_size: int
) -> None:
    """Also not where a block of a long answer ends in the middle of one."""
    known = {str(item.logical_name) for item in line.meter.objects}
    planted = {code: octets(value.encode()) for code, value in PLANTED.items()}
    planted |= {code: uint32(number) for code, number in NUMBERS.items()}
    line.meter.objects += tuple(
        cosem_object(1, code, value)
        for code, value in planted.items()
        if code not in known
    )
    line.meter.settings = MeterSettings(max_pdu_size=max_pdu_size)
    line.meter = altered(line.meter, planted)
    data = from_input(WITH_PASSWORD)
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await entry.runtime_data.async_refresh()

    values = entry.runtime_data.data.values
    shown = {str(attribute.logical_name) for attribute in values}
    assert planted.keys() <= shown
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)

    written = json.dumps(diagnostics)
    told = {
        secret: [spelling for spelling in spellings(secret) if spelling in written]
        for secret in SECRETS
    }
    assert not {secret: found for secret, found in told.items() if found}
    assert HARMLESS.encode().hex() in written
    assert HARMLESS in written


def described(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, str]:
    """Return the state of each entity by what it shows; identities are others."""
    entities, devices = er.async_get(hass), dr.async_get(hass)
    found = {}
    for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
        assert entity.device_id is not None
        device = devices.async_get(entity.device_id)
        assert device is not None
        ((_, identifier),) = device.identifiers
        place = entity.unique_id.removeprefix(f"{identifier}_")
        if (state := hass.states.get(entity.entity_id)) is not None:
            assert state.state != STATE_UNAVAILABLE, place
            found[f"{entity.domain} {place}"] = state.state
    return found


@dataclass(frozen=True)
class Kind:
    """One kind of meter, and how it is reached."""

    objects: Sequence[MeterObject] = HOUSEHOLD_METER
    framing: type[HdlcSession | WrapperSession] = WrapperSession
    settings: MeterSettings = field(default_factory=MeterSettings)
    entered: Mapping[str, Any] = field(default_factory=dict)
    identities: Collection[str] = ()
    """Which sensors show a stand-in, besides those that every meter has."""

    @property
    def data(self) -> dict[str, Any]:
        framing = "hdlc" if self.framing is HdlcSession else "wrapper"
        return from_input(WITH_PASSWORD | {"framing": framing, **self.entered})


KEY, OTHER_KEY = bytes(range(32, 48)), bytes(range(48, 64))
CIPHERED = ClientRule(
    2,
    Mechanism.HLS_GMAC,
    security=SecuritySettings(global_unicast_key=KEY, authentication_key=OTHER_KEY),
)
WITH_KEYS = {
    "mechanism": "hls_gmac",
    "encryption_key": KEY.hex(),
    "authentication_key": OTHER_KEY.hex(),
    "system_title": b"HASTEST1".hex(),
    "expert": {"client_sap": 2},
}
NAMED = {"expert": EXPERT | {"client_sap": 1, "referencing": "short_names"}}
BY_NAMES = MeterSettings(conformance=SHORT_NAME_SERVICES, short_names=True)
KINDS = {
    "HDLC": Kind(framing=HdlcSession),
    "blocks": Kind(settings=MeterSettings(max_pdu_size=128)),
    "no lists": Kind(settings=MeterSettings(conformance=SUPPORTED & ~Conformance.MULTIPLE_REFERENCES)),
    "short names": Kind(settings=BY_NAMES, entered=NAMED),
    "short names, HDLC, blocks": Kind(
        framing=HdlcSession,
        settings=replace(BY_NAMES, max_pdu_size=128),
        entered=NAMED,
    ),
    "ciphered": Kind(settings=MeterSettings(clients=(CIPHERED,)), entered=WITH_KEYS),
    "prepaid": Kind(PREPAID),
    "sub-meters": Kind(SUB_METERS, identities={"sensor 1_0-0:96.13.0*255_2"}),
    "industrial": Kind(INDUSTRIAL),
    "controllable": Kind(CONTROLLABLE_METER, HdlcSession, identities={"sensor 1_0-0:96.13.0*255_2"}),
}  # fmt: skip


IDENTITIES = {
    "sensor 1_0-0:42.0.0*255_2",
    "sensor 1_0-0:96.1.0*255_2",
    "sensor 1_1-0:0.0.0*255_2",
    "sensor 1_0-0:43.1.0*255_2",
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.usefixtures("everything_enabled")
async def test_a_stranger_sees_the_same_meter(
    noon: None, hass: HomeAssistant, line: Line, kind: Kind
) -> None:
    """The file is enough to serve the meter again: same entities, same values, another identity."""
    line.framing = kind.framing
    line.meter = Meter(kind.settings, now=dt_util.utcnow, objects=kind.objects)
    entry = MockConfigEntry(domain=DOMAIN, unique_id=UNIQUE_ID, data=kind.data)
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await entry.runtime_data.async_refresh()

    file = json.loads(json.dumps(await async_get_config_entry_diagnostics(hass, entry)))
    before = described(hass, entry)
    assert await hass.config_entries.async_remove(entry.entry_id)

    recording = read_recording(file)
    line.meter = RecordedMeter(recording, now=dt_util.utcnow)
    stranger = MockConfigEntry(
        domain=DOMAIN,
        unique_id=file["entry"]["unique_id"],
        data=recording.entry_data,
        options=file["entry"]["options"],
    )
    stranger.add_to_hass(hass)
    assert await hass.config_entries.async_setup(stranger.entry_id)
    await stranger.runtime_data.async_refresh()

    after = described(hass, stranger)
    assert before.keys() == after.keys()
    assert len(before) > 8
    changed = {p: (before[p], s) for p, s in after.items() if s != before[p]}
    assert changed.keys() & IDENTITIES
    assert changed.keys() - IDENTITIES == set(kind.identities), changed
    assert stranger.unique_id != UNIQUE_ID


async def test_download(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, loaded: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, "diagnostics", {})
    file = await get_diagnostics_for_config_entry(hass, hass_client, loaded)
    assert len(read_recording(file).answers) > 50


async def test_what_users_do_is_told_but_not_what_they_write(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    settings = MeterSettings(conformance=EVERY_SERVICE)
    meter = Meter(settings, now=dt_util.utcnow, objects=CONTROLLABLE_METER)
    line.meter = give_controls(meter)
    data = from_input(WITH_PASSWORD)
    hass.config_entries.async_update_entry(entry, data=data)
    assert await hass.config_entries.async_setup(entry.entry_id)
    coordinator = entry.runtime_data
    async with coordinator.async_session() as client:
        await client.set(MESSAGE, octets(b"a new secret"))
        await client.invoke(DISCONNECT, octets(b"another secret"))

    diagnostics = await async_get_config_entry_diagnostics(hass, entry)

    [action] = [s for s in diagnostics["trace"] if s["occasion"] == "action"]
    written = json.dumps(diagnostics)
    assert b"secret".hex() not in written
    replayed = read_recording({**diagnostics, "trace": [action]})
    asked = {service for service, _ in replayed.answers}
    assert asked == {Service.READ, Service.WRITE, Service.INVOKE}
    assert diagnostics["session"]["sessions_since_start"] == {
        "poll": 1, "action": 1, "recording": 1,
    }  # fmt: skip


async def test_a_meter_that_was_never_read(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """That is when people ask for help."""
    line.broken = TransportError("meter.example: no route")
    assert not await hass.config_entries.async_setup(entry.entry_id)
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["entry"]["state"] == "setup_retry"
    assert ".XXXXXX3: no route" in diagnostics["trace"][-1]["error"]
    assert diagnostics["session"]["errors_since_start"] == {"TransportError": 1}
    assert "identity" not in diagnostics


async def test_a_meter_that_does_not_answer_any_more(
    hass: HomeAssistant, line: Line, secretive: MockConfigEntry
) -> None:
    """What was known and said before is told all the same."""
    line.broken = TransportError("no route")
    known = secretive.runtime_data.client.memory
    diagnostics = await async_get_config_entry_diagnostics(hass, secretive)
    assert [s["occasion"] for s in diagnostics["trace"]] == ["poll", "recording"]
    assert "no route" in diagnostics["trace"][-1]["error"]
    assert len(diagnostics["readings"]["values"]) > 20
    assert secretive.runtime_data.client.memory is known


async def test_an_entry_that_was_never_set_up(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    diagnostics = await async_get_config_entry_diagnostics(hass, entry)
    assert diagnostics["entry"]["data"]["framing"] == "wrapper"
    assert diagnostics["trace"] == []


def test_replay_is_a_program() -> None:
    script = ROOT / "scripts" / "replay"
    assert script.stat().st_mode & 0o111
    assert " -m tests.simulator.replay " in script.read_text()


@asynccontextmanager
async def replayed(file: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `scripts/replay` for a file, on free ports."""
    words = ("-m", "tests.simulator.replay", str(file))
    ports = ("--wrapper-port", "0", "--hdlc-port", "0")
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, *words, *ports),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(60):
            yield program
    finally:
        if program.returncode is None:
            program.terminate()
        await program.communicate()


@pytest.mark.usefixtures("socket_enabled")
async def test_replay_serves_a_file() -> None:
    """It says how the meter is reached, and with which secrets; then whoever comes reads what was recorded."""
    folder = ROOT / "tests" / "meters" / "addax_three_phase"
    expected = json.loads((folder / "expected.json").read_text())
    async with replayed(folder / "diagnostics.json") as program:
        assert program.stdout is not None
        said = (await program.stdout.readuntil(b"READY hdlc=")).decode()
        ports = (await program.stdout.readline()).decode().split()
        entered = dict(
            line.split(": ") for line in said.splitlines() if not line.startswith("R")
        )
        settings = client_settings(
            entered
            | {
                "port": int(ports[1].removeprefix("wrapper=")),
                "client_sap": int(entered["client_sap"]),
                "logical_device": int(entered["logical_device"]),
                "password_is_hex": False,
            }
        )
        energy = AttributeDescriptor(3, Obis.parse("1-0:1.8.0"), 2)
        async with DlmsClient(settings) as client:
            report = await client.read([energy], {})
        assert str(report.values[energy]) == expected[str(energy)]


async def test_replay_of_what_is_no_recording(tmp_path: Path) -> None:
    file = tmp_path / "diagnostics.json"
    file.write_text('{"data": {"trace": []}}')
    async with replayed(file) as program:
        _, said = await program.communicate()
        assert program.returncode == 1
        assert said.startswith(b"This recording cannot be served: it has no trace")


def test_stand_ins_are_the_same_everywhere() -> None:
    anonymiser = Anonymiser({"40817263", "SIM0000040817263", "Gruber"})
    [first, second] = anonymiser.octets([b"x40817263y", b"40817263"])
    assert first[1:-1] == second == anonymiser.text("40817263").encode()
    assert anonymiser.text("SIM0000040817263")[:3] == "SIM"
    assert (
        anonymiser.text("Mrs Gruber") == anonymiser.json({"a": ["Mrs Gruber"]})["a"][0]
    )
    assert len(anonymiser.text("Gruber")) == 6
    assert anonymiser.json({"n": 5, "Gruber": None}) != {"n": 5, "Gruber": None}


def test_text_of_other_scripts_is_taken_out() -> None:
    anonymiser = Anonymiser({"Ёлкина"})
    assert "Ёлк" not in anonymiser.text("Ёлкина 5")
    assert anonymiser.octets(["Ёлкина".encode()]) == [bytes(12)]


def test_what_is_cut_by_the_end_of_a_block_is_taken_out() -> None:
    """The next block begins with its header."""
    header = bytes.fromhex("C402C1010000000200820004")
    for cut in range(1, 8):
        parts = [b"name: " + b"40817263"[:cut], header + b"40817263"[cut:] + b" end"]
        first, second = Anonymiser({"40817263"}).octets(parts, {(0, 1)})
        joined = first.removeprefix(b"name: ") + second.removeprefix(header)
        assert joined == b"00000001 end"
