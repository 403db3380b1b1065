"""Adding a meter: every way in, every way it fails, and out of it again."""

from collections.abc import Callable
from typing import Any

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.dlms_meter.const import DOMAIN
from tests.home import (
    DEVICE,
    EXPERT,
    NOBODY,
    PASSWORD,
    PUBLIC,
    TITLE,
    UNIQUE_ID,
    WITH_PASSWORD,
    Line,
    answer_flow,
    begin_flow,
    filled_in,
    silence,
)
from tests.simulator import HdlcSession, Meter, MeterSettings

pytestmark = pytest.mark.usefixtures("impatient")

HDLC = PUBLIC | {"framing": "hdlc", "expert": EXPERT | {"physical_device": 17}}
ANOTHER_METER = Meter(MeterSettings(serial_number="99999999"))

# What is entered, and what of it is kept.
ENTERED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "wrapper": (PUBLIC, {}),
    "wrapper, a password that is not needed": (PUBLIC | {"password": "secret"}, {}),
    "wrapper, spaces around the host": (PUBLIC | {"host": " meter.example "}, {}),
    "wrapper with password": (
        WITH_PASSWORD,
        {"mechanism": "lls", "client_sap": 1, "password": PASSWORD},
    ),
    "wrapper with password in hexadecimal": (
        WITH_PASSWORD
        | {
            "password": "0x3132333435363738",
            "expert": EXPERT | {"client_sap": 1, "password_is_hex": True},
        },
        {
            "mechanism": "lls",
            "client_sap": 1,
            "password": "0x3132333435363738",
            "password_is_hex": True,
        },
    ),
    "HDLC": (HDLC, {"framing": "hdlc", "physical_device": 17}),
    "HDLC, four octets of address": (
        HDLC | {"expert": EXPERT | {"physical_device": 17, "address_length": "4"}},
        {"framing": "hdlc", "physical_device": 17, "address_length": "4"},
    ),
    "HDLC with password": (
        WITH_PASSWORD | {"framing": "hdlc"},
        {"framing": "hdlc", "mechanism": "lls", "client_sap": 1, "password": PASSWORD},
    ),
}
KEPT = {
    "host": "meter.example",
    "port": 4059,
    "framing": "wrapper",
    "mechanism": "none",
    "client_sap": 16,
    "logical_device": 1,
    "address_length": "automatic",
    "password_is_hex": False,
}


def nonsense(_: bytes) -> bytes:
    """Say something in a wrapper that is no APDU."""
    return bytes.fromhex("0001000100100002FFFF")


def occupy(line: Line) -> None:
    line.meter.occupy(line)


# How the line or the meter is spoilt, what the user entered, and what is shown then.
FAILURES: dict[str, tuple[Callable[[Line], None], dict[str, Any], dict[str, str]]] = {
    "host not reachable": (
        lambda line: setattr(line, "broken", NOBODY),
        PUBLIC,
        {"base": "cannot_connect"},
    ),
    "no answer": (
        lambda line: setattr(line, "answer", silence),
        PUBLIC,
        {"base": "no_answer"},
    ),
    "no answer by HDLC": (
        lambda line: setattr(line, "answer", silence),
        HDLC,
        {"base": "no_answer"},
    ),
    "busy with somebody else": (occupy, HDLC, {"base": "wrong_address_or_busy"}),
    "unknown client": (
        lambda line: None,
        PUBLIC | {"expert": EXPERT | {"client_sap": 99}},
        {"base": "association_rejected"},
    ),
    "wrong password": (
        lambda line: None,
        WITH_PASSWORD | {"password": "87654321"},
        {"password": "invalid_auth"},
    ),
    "nonsense": (
        lambda line: setattr(line, "answer", nonsense),
        PUBLIC,
        {"base": "protocol_error"},
    ),
    "address too long": (
        lambda line: None,
        HDLC | {"expert": EXPERT | {"logical_device": 1000, "address_length": "1"}},
        {"base": "protocol_error"},
    ),
    "a fault of ours": (
        lambda line: setattr(line, "broken", RuntimeError("a fault")),
        PUBLIC,
        {"base": "unknown"},
    ),
    "no password": (
        lambda line: None,
        WITH_PASSWORD | {"password": ""},
        {"password": "password_required"},
    ),
    "no hexadecimal digits": (
        lambda line: None,
        WITH_PASSWORD
        | {"password": "kWh", "expert": EXPERT | {"password_is_hex": True}},
        {"password": "invalid_hex"},
    ),
}


@pytest.mark.parametrize("name", ENTERED)
async def test_meter_is_added(hass: HomeAssistant, line: Line, name: str) -> None:
    entered, differences = ENTERED[name]
    if entered["framing"] == "hdlc":
        line.framing = HdlcSession
    form = await begin_flow(hass)
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "network"
    assert not form["errors"]

    result = await answer_flow(hass, form, entered)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == TITLE
    assert result["data"] == KEPT | differences
    entry = result["result"]
    assert entry.unique_id == UNIQUE_ID
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get(f"sensor.{DEVICE}_energy_import") is not None


async def test_progress_is_shown(hass: HomeAssistant, line: Line) -> None:
    """While the meter is read the dialog shows how far it is, and to which meter it talks."""
    fractions: list[float] = []

    @callback
    def note(event: Event[Any]) -> None:
        fractions.append(event.data["progress"])

    hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, note)
    form = await begin_flow(hass)
    progress = await hass.config_entries.flow.async_configure(form["flow_id"], PUBLIC)
    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    assert progress["progress_action"] == "read_meter"
    assert progress["description_placeholders"] == {"host": "meter.example"}
    await hass.async_block_till_done()

    result = await hass.config_entries.flow.async_configure(form["flow_id"])

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert len(fractions) > 2
    assert fractions == sorted(set(fractions))
    assert 0 < fractions[0] < fractions[-1] < 1
    await hass.async_block_till_done()


async def test_form_reaches_the_user_interface(
    hass: HomeAssistant, hass_client: ClientSessionGenerator
) -> None:
    """Home Assistant can write the form down as JSON, with sections, defaults and choices."""
    for component in ("config", "usb"):  # as in every real Home Assistant
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    response = await client.post(
        "/api/config/config_entries/flow", json={"handler": DOMAIN}
    )
    form = await response.json()
    fields = {field["name"]: field for field in form["data_schema"]}
    assert list(fields) == [
        "host",
        "port",
        "framing",
        "mechanism",
        "password",
        "expert",
    ]
    assert fields["port"]["default"] == 4059
    assert fields["password"]["selector"]["text"]["type"] == "password"
    assert fields["expert"]["type"] == "expandable"
    assert fields["expert"]["expanded"] is False
    assert {field["name"] for field in fields["expert"]["schema"]} > set(EXPERT)


@pytest.mark.parametrize("name", FAILURES)
async def test_failure_is_told_and_can_be_mended(
    hass: HomeAssistant, line: Line, name: str
) -> None:
    spoil, entered, errors = FAILURES[name]
    framing = HdlcSession if entered["framing"] == "hdlc" else line.framing
    line.framing = framing
    spoil(line)
    form = await begin_flow(hass)

    result = await answer_flow(hass, form, entered)

    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "network"
    assert result["errors"] == errors
    safe = {key: value for key, value in entered.items() if key != "password"}
    assert filled_in(result) == safe

    line.broken, line.answer = None, None
    line.meter.vacate(line)
    mended = await answer_flow(hass, result, HDLC if framing is HdlcSession else PUBLIC)
    assert mended["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("host not reachable", "meter.example:4059 refuses connections"),
        ("no answer", "nothing came at all"),
        ("unknown client", "no reason given"),
    ],
)
async def test_failure_says_why(
    hass: HomeAssistant, line: Line, name: str, reason: str
) -> None:
    spoil, entered, _ = FAILURES[name]
    spoil(line)
    result = await answer_flow(hass, await begin_flow(hass), entered)
    placeholders = result["description_placeholders"]
    assert placeholders
    assert reason in placeholders["reason"]


async def test_fault_of_ours_is_logged(
    hass: HomeAssistant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.broken = RuntimeError("a fault")
    await answer_flow(hass, await begin_flow(hass), PUBLIC)
    assert "RuntimeError: a fault" in caplog.text


async def test_password_is_never_logged(
    hass: HomeAssistant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """Not as text, not as the octets on the wire, and with all debug logs on."""
    result = await answer_flow(hass, await begin_flow(hass), WITH_PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    ours = [r.getMessage() for r in caplog.records if "dlms_meter" in r.name]
    assert ours
    assert not any(PASSWORD in text for text in ours)
    octets = PASSWORD.encode()
    assert not any(octets.hex(" ") in text or octets.hex() in text for text in ours)


async def test_known_meter_is_not_added_twice(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> None:
    """The same meter at another address is the same meter."""
    result = await answer_flow(
        hass, await begin_flow(hass), PUBLIC | {"host": "192.0.2.7"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert len(hass.config_entries.async_entries()) == 1


async def test_closing_the_dialog_ends_the_conversation(
    hass: HomeAssistant, line: Line
) -> None:
    line.answer = silence
    form = await begin_flow(hass)
    await hass.config_entries.flow.async_configure(form["flow_id"], PUBLIC)
    hass.config_entries.flow.async_abort(form["flow_id"])
    await hass.async_block_till_done()
    assert not hass.config_entries.flow.async_progress()


@pytest.fixture
async def refused(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> MockConfigEntry:
    """An entry whose password the meter has just refused."""
    data = entry.data | {"client_sap": 1, "mechanism": "lls", "password": "old"}
    hass.config_entries.async_update_entry(entry, data=data)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    return entry


REAUTH_FAILURES: dict[
    str, tuple[Callable[[Line], None], dict[str, Any], dict[str, str]]
] = {
    "wrong password": (
        lambda line: None,
        {"password": "87654321", "password_is_hex": False},
        {"password": "invalid_auth"},
    ),
    "no hexadecimal digits": (
        lambda line: None,
        {"password": "kWh", "password_is_hex": True},
        {"password": "invalid_hex"},
    ),
    "host not reachable": (
        lambda line: setattr(line, "broken", NOBODY),
        {"password": PASSWORD, "password_is_hex": False},
        {"base": "cannot_connect"},
    ),
    "a fault of ours": (
        lambda line: setattr(line, "broken", RuntimeError("a fault")),
        {"password": PASSWORD, "password_is_hex": False},
        {"base": "unknown"},
    ),
}


@pytest.mark.parametrize("name", REAUTH_FAILURES)
async def test_reauth_after_a_failure(
    hass: HomeAssistant, line: Line, refused: MockConfigEntry, name: str
) -> None:
    """The new password is asked for at once; a wrong one can be mended, the right one is kept and used."""
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["step_id"] == "reauth_confirm"
    spoil, entered, errors = REAUTH_FAILURES[name]
    spoil(line)

    result = await answer_flow(hass, flow, entered)

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert not filled_in(result)
    assert refused.data["password"] == "old"

    line.broken = None
    result = await answer_flow(
        hass, result, {"password": "3132333435363738", "password_is_hex": True}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert refused.data["password"] == "3132333435363738"
    assert refused.state is ConfigEntryState.LOADED


async def test_reauth_with_another_meter(
    hass: HomeAssistant, line: Line, refused: MockConfigEntry
) -> None:
    line.meter = ANOTHER_METER
    [flow] = hass.config_entries.flow.async_progress()
    result = await answer_flow(
        hass, flow, {"password": PASSWORD, "password_is_hex": False}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "another_meter"
    assert refused.data["password"] == "old"
