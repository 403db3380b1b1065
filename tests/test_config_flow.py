"""Adding a meter: every way in, every way it fails, and out of it again."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
import logging
import socket
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE,
    FlowResultType,
    InvalidData,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.dlms_meter import channel
from custom_components.dlms_meter.config_flow import DlmsConfigFlow
from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import (
    METERS,
    Acknowledgement,
    Data,
    DataType,
    LineSettings,
    Mechanism,
    SerialEndpoint,
    ServerAddress,
    SignOnSettings,
    TransportError,
    UdpEndpoint,
    connection,
)
from custom_components.dlms_meter.dlms.application.security_settings import (
    SecurityPolicy,
)
from custom_components.dlms_meter.settings import client_settings, sign_on_settings
from tests.adapters import adapter, plugged_in
from tests.dlms.sites import Site
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
    access_input,
    add_meter,
    altered,
    answer_flow,
    begin_flow,
    choose,
    connect,
    filled_in,
    proposed,
    silence,
    walk,
)
from tests.simulator import HdlcSession, Meter, MeterSettings
from tests.test_translations import ENGLISH

pytestmark = pytest.mark.usefixtures("impatient")

HDLC = PUBLIC | {"framing": "hdlc", "expert": EXPERT | {"physical_device": 17}}
ANOTHER_METER = Meter(MeterSettings(serial_number="99999999"))
NETWORK = {"host": "meter.example", "port": 4059}

# What is entered, and what of it is kept.
ENTERED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "wrapper": (PUBLIC, {}),
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
    "every limit of experts": (
        PUBLIC
        | {
            "expert": EXPERT
            | {
                "information_length": 128,
                "window": 1,
                "pdu_size": 2000,
                "response_timeout": 9,
            }
        },
        {
            "information_length": 128,
            "window": 1,
            "pdu_size": 2000,
            "response_timeout": 9,
        },
    ),
}
WAYS = ENGLISH["selector"]["way"]["options"]
KEPT = {
    "host": "meter.example",
    "port": 4059,
    "framing": "wrapper",
    "mechanism": "none",
    "client_sap": 16,
    "logical_device": 1,
    "address_length": "automatic",
    "referencing": "logical_names",
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
    "only the echo": (
        lambda line: setattr(line, "answer", lambda data: data),
        HDLC,
        {"base": "echo_only"},
    ),
    "busy with somebody else": (occupy, HDLC, {"base": "wrong_address_or_busy"}),
    "unknown client": (
        lambda line: None,
        PUBLIC | {"expert": EXPERT | {"client_sap": 99}},
        {"base": "association_rejected"},
    ),
    "a password is wanted": (
        lambda line: None,
        PUBLIC | {"expert": EXPERT | {"client_sap": 1}},
        {"base": "authentication_wanted"},
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
        {"base": "invalid_address"},
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
    result = await add_meter(hass, entered)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == TITLE
    assert result["data"] == KEPT | differences
    entry = result["result"]
    assert entry.unique_id == UNIQUE_ID
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get(f"sensor.{DEVICE}_energy_import") is not None


async def test_progress_is_shown(hass: HomeAssistant, line: Line) -> None:
    """While the meter is read the dialog shows how far it is."""
    fractions: list[float] = []

    @callback
    def note(event: Event[Any]) -> None:
        fractions.append(event.data["progress"])

    hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESS_UPDATE, note)
    form = await choose(
        hass, await connect(hass, await begin_flow(hass), PUBLIC), "line"
    )
    levels = await answer_flow(hass, form, {"framing": "wrapper"})
    form = await choose(hass, levels, "access_open")
    progress = await hass.config_entries.flow.async_configure(
        form["flow_id"], access_input(PUBLIC)
    )
    assert progress["type"] is FlowResultType.SHOW_PROGRESS
    assert progress["progress_action"] == "read_meter"
    await hass.async_block_till_done()

    result = await hass.config_entries.flow.async_configure(form["flow_id"])

    assert result["step_id"] == "readings"
    assert len(fractions) > 2
    assert fractions == sorted(set(fractions))
    assert 0 < fractions[0] < fractions[-1] < 1


@pytest.mark.parametrize(
    ("way", "field", "empty", "error"),
    [
        ("serial", "serial_port", {}, "port_missing"),
        ("network", "host", {"port": 4059}, "host_unknown"),
    ],
)
async def test_connection_left_empty(
    hass: HomeAssistant, way: str, field: str, empty: dict[str, Any], error: str
) -> None:
    form = await choose(hass, await begin_flow(hass), way)
    form = await answer_flow(hass, form, {field: " ", **empty})
    assert form["step_id"] == way
    assert form["errors"] == {field: error}
    which = await answer_flow(hass, form, {field: "socket://192.0.2.7:1", **empty})
    assert which["step_id"] == "which"


async def test_forms_reach_the_user_interface(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, line: Line
) -> None:
    """Home Assistant can write every form down as JSON, with sections, defaults and choices."""
    for component in ("config", "usb"):  # as in every real Home Assistant
        assert await async_setup_component(hass, component, {})
    client = await hass_client()
    path = "/api/config/config_entries/flow"

    async def send(answer: dict[str, Any], path: str = path) -> dict[str, Any]:
        response = await client.post(path, json=answer)
        assert response.status == 200
        result: dict[str, Any] = await response.json()
        return result

    menu = await send({"handler": DOMAIN})
    assert menu["menu_options"] == ["serial", "network"]
    flow = f"{path}/{menu['flow_id']}"
    form = await send({"next_step_id": "network"}, flow)
    assert [field["name"] for field in form["data_schema"]] == ["host", "port"]
    menu = await send(NETWORK, flow)
    assert menu["menu_options"] == ["find", "model", "line"]
    form = await send({"next_step_id": "model"}, flow)
    options = form["data_schema"][0]["selector"]["select"]["options"]
    assert len(options) == len(METERS)
    menu = await send({"model": "elvaco_cme3100"}, flow)
    assert menu["menu_options"][0] == "access_password"
    form = await send({"next_step_id": "access_keys"}, flow)
    fields = {field["name"]: field for field in form["data_schema"]}
    assert list(fields) == ["encryption_key", "authentication_key", "expert"]
    assert fields["encryption_key"]["selector"]["text"]["type"] == "password"
    assert fields["expert"]["type"] == "expandable"
    assert fields["expert"]["expanded"] is False


@pytest.mark.parametrize("name", FAILURES)
async def test_failure_is_told_and_can_be_mended(
    hass: HomeAssistant, line: Line, name: str
) -> None:
    spoil, entered, errors = FAILURES[name]
    framing = HdlcSession if entered["framing"] == "hdlc" else line.framing
    line.framing = framing
    spoil(line)

    result = await walk(hass, await begin_flow(hass), entered)

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    filled = filled_in(result)
    assert "password" not in filled
    line.broken, line.answer = None, None
    line.meter.vacate(line)
    if errors == {"base": "cannot_connect"}:
        assert result["step_id"] == "network"
        mended = await answer_flow(hass, result, filled)
    else:
        for key, value in access_input(entered)["expert"].items():
            assert filled["expert"][key] == value
        right = HDLC if framing is HdlcSession else PUBLIC
        if entered["mechanism"] == "lls":
            right = WITH_PASSWORD
        mended = await answer_flow(hass, result, access_input(right))
    assert mended["step_id"] == "readings"
    done = await answer_flow(hass, mended, proposed(mended))
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_what_the_user_shall_report_is_in_the_log(
    hass: HomeAssistant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.answer = nonsense
    await walk(hass, await begin_flow(hass), PUBLIC)
    assert "The meter was not understood: " in caplog.text
    assert "octet" in caplog.text


async def test_what_was_typed_is_not_told_again_at_length(
    hass: HomeAssistant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the form, nor in a log that a user would see; a password nowhere, however long it is."""
    host, password = "h" * 10_000, "p" * 10_000
    line.broken = TransportError(f"Cannot connect to {host}: no such host")
    caplog.set_level(logging.INFO)
    entered = WITH_PASSWORD | {"host": host, "password": password}
    result = await walk(hass, await begin_flow(hass), entered)
    assert result["errors"] == {"base": "cannot_connect"}
    told = f"{result['description_placeholders']} {caplog.text}"
    assert "h" * 400 not in told
    assert filled_in(result)["host"] == host
    assert "ppp" not in f"{filled_in(result)} {told}"


async def test_fault_of_ours_is_logged(
    hass: HomeAssistant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    line.broken = RuntimeError("a fault")
    await walk(hass, await begin_flow(hass), PUBLIC)
    assert "RuntimeError: a fault" in caplog.text


async def test_password_is_never_logged(
    hass: HomeAssistant, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """Not as text, not as the octets on the wire, and with all debug logs on."""
    result = await add_meter(hass, WITH_PASSWORD)
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
    result = await add_meter(hass, PUBLIC | {"host": "192.0.2.7"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert len(hass.config_entries.async_entries()) == 1


async def test_dialog_left_open_elsewhere_does_not_lock_the_user_out(
    hass: HomeAssistant, line: Line
) -> None:
    left = await walk(hass, await begin_flow(hass), PUBLIC)
    assert left["step_id"] == "readings"
    done = await add_meter(hass, PUBLIC)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert not hass.config_entries.flow.async_progress()


async def test_closing_the_dialog_ends_the_conversation(
    hass: HomeAssistant, line: Line
) -> None:
    line.answer = silence
    form = await choose(
        hass, await connect(hass, await begin_flow(hass), PUBLIC), "line"
    )
    levels = await answer_flow(hass, form, {"framing": "wrapper"})
    form = await choose(hass, levels, "access_open")
    await hass.config_entries.flow.async_configure(
        form["flow_id"], access_input(PUBLIC)
    )
    hass.config_entries.flow.async_abort(form["flow_id"])
    await hass.async_block_till_done()
    assert not hass.config_entries.flow.async_progress()


# Readings.


async def test_readings_are_offered_in_words_with_values(
    hass: HomeAssistant, line: Line
) -> None:
    form = await walk(hass, await begin_flow(hass), PUBLIC)
    assert form["step_id"] == "readings"
    assert form["description_placeholders"] == {"meter": TITLE}
    schema = form["data_schema"]
    assert schema is not None
    assert [str(group) for group in schema.schema] == [
        "energy",
        "power",
        "grid",
        "other",
    ]
    [choice] = schema.schema["energy"].schema.schema.values()
    labels = [option["label"] for option in choice.config["options"]]
    assert any(
        label.startswith("Energy import: ") and label.endswith(" kWh")
        for label in labels
    )


@pytest.mark.parametrize(("seconds", "told"), [(5, True), (0, False)])
async def test_the_rest_has_values_where_it_takes_no_time(
    hass: HomeAssistant, line: Line, seconds: int, told: bool
) -> None:
    with patch("custom_components.dlms_meter.readings._SAMPLING_SECONDS", seconds):
        form = await walk(hass, await begin_flow(hass), PUBLIC)
    schema = form["data_schema"]
    assert schema is not None
    [choice] = schema.schema["power"].schema.schema.values()
    [label] = (
        option["label"]
        for option in choice.config["options"]
        if option["label"].startswith("Last demand import")
    )
    assert (": " in label) is told


async def test_only_what_was_chosen_is_shown(hass: HomeAssistant, line: Line) -> None:
    form = await walk(hass, await begin_flow(hass), PUBLIC)
    key = "3_1-0:2.8.0*255_2"
    groups = {
        "energy": {"readings": [key]},
        "power": {"readings": []},
        "grid": {"readings": []},
        "other": {"readings": []},
    }
    result = await answer_flow(hass, form, groups)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].options == {"readings": [key]}
    assert hass.states.get(f"sensor.{DEVICE}_energy_export") is not None
    assert hass.states.get(f"sensor.{DEVICE}_energy_import") is None


# Keys and challenges.

KEY = "00 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F"
AUTHENTICATION_KEY = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"


async def choose_level(hass: HomeAssistant, level: str) -> Any:  # noqa: ANN401
    form = await choose(
        hass, await connect(hass, await begin_flow(hass), PUBLIC), "line"
    )
    levels = await answer_flow(hass, form, {"framing": "wrapper"})
    return await choose(hass, levels, f"access_{level}")


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"encryption_key": "00 01"}, {"encryption_key": "invalid_key_length"}),
        ({"encryption_key": "no key"}, {"encryption_key": "invalid_hex"}),
        ({"encryption_key": "  "}, {"encryption_key": "key_required"}),
        (
            {"encryption_key": KEY, "authentication_key": KEY * 2},
            {"authentication_key": "invalid_key_length"},
        ),
        (
            {"encryption_key": KEY, "expert": EXPERT | {"security_suite": "2"}},
            {"encryption_key": "invalid_key_length"},
        ),
        (
            {"encryption_key": KEY, "expert": EXPERT | {"system_title": "48"}},
            {"base": "invalid_system_title"},
        ),
        (
            {"encryption_key": KEY, "expert": EXPERT | {"system_title": "meter"}},
            {"base": "invalid_hex"},
        ),
        (
            {"encryption_key": KEY, "expert": EXPERT | {"mechanism": "lls"}},
            {"base": "password_required"},
        ),
    ],
)
async def test_keys_are_checked_before_anything_is_sent(
    hass: HomeAssistant, line: Line, typed: dict[str, Any], errors: dict[str, str]
) -> None:
    form = await choose_level(hass, "keys")
    expert = dict(typed.get("expert", EXPERT))
    expert.pop("password_is_hex", None)
    result = await answer_flow(hass, form, {**typed, "expert": expert})
    assert result["errors"] == errors
    assert not line.wires
    assert "encryption_key" not in filled_in(result)


async def test_keys_are_tried(hass: HomeAssistant, line: Line) -> None:
    """The meter does not cipher: that is told, and what was entered reaches the client as it should."""
    form = await choose_level(hass, "keys")
    entered = {
        "encryption_key": KEY,
        "authentication_key": AUTHENTICATION_KEY,
        "expert": {"client_sap": 1},
    }
    result = await answer_flow(hass, form, entered)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"]
    title = filled_in(result)["expert"]["system_title"]
    assert len(bytes.fromhex(title)) == 8
    again = await answer_flow(hass, result, entered | {"expert": {"client_sap": 2}})
    assert filled_in(again)["expert"]["system_title"] == title


def test_settings_of_keys() -> None:
    data = KEPT | {
        "mechanism": "hls_gmac",
        "encryption_key": KEY,
        "system_title": "0102030405060708",
        "security_suite": "0",
        "dedicated_key": True,
    }
    settings = client_settings(data)
    assert settings.mechanism is Mechanism.HLS_GMAC
    assert settings.system_title == bytes(range(1, 9))
    assert settings.security is not None
    assert settings.security.global_unicast_key == bytes(range(16))
    assert settings.security.use_dedicated_key
    # With one key only, nobody can be sure who sent what; it is read all the same.
    assert settings.security.policy is SecurityPolicy.ENCRYPTED
    both = client_settings(data | {"authentication_key": AUTHENTICATION_KEY})
    assert both.security is not None
    assert (
        both.security.policy == SecurityPolicy.AUTHENTICATED | SecurityPolicy.ENCRYPTED
    )


@pytest.mark.parametrize(
    ("level", "mechanism"), [("keys", "hls_gmac"), ("challenge", "hls_md5")]
)
async def test_level_proposes_its_own_mechanism(
    hass: HomeAssistant, level: str, mechanism: str
) -> None:
    filled = filled_in(await choose_level(hass, level))
    assert {**filled["expert"], **filled}["mechanism"] == mechanism


async def test_challenge(hass: HomeAssistant, line: Line) -> None:
    form = await choose_level(hass, "challenge")
    result = await answer_flow(
        hass,
        form,
        {"mechanism": "hls_sha256", "password": PASSWORD, "expert": {"client_sap": 1}},
    )
    assert result["step_id"] == "access_challenge"
    assert result["errors"]
    assert filled_in(result)["mechanism"] == "hls_sha256"


# Known models, and the scan.


def first_option(menu: ConfigFlowResult) -> str:
    """Return what a menu offers first."""
    options = menu["menu_options"]
    assert isinstance(options, list)
    return str(options[0])


async def test_known_model_fills_everything_in(hass: HomeAssistant, line: Line) -> None:
    form = await choose(
        hass, await connect(hass, await begin_flow(hass), PUBLIC), "model"
    )
    levels = await answer_flow(
        hass, form, {"model": "landis_gyr_e650", "serial_number": "44337606"}
    )
    assert levels["description_placeholders"] == {"found": ""}
    assert first_option(levels) == "access_password"
    form = await choose(hass, levels, "access_password")
    assert filled_in(form)["expert"] == {
        "client_sap": 32,
        "logical_device": 1,
        "physical_device": 8606,
        "address_length": "4",
        "referencing": "short_names",
    }


async def test_model_can_be_typed(hass: HomeAssistant, line: Line) -> None:
    form = await choose(
        hass, await connect(hass, await begin_flow(hass), PUBLIC), "model"
    )
    for wrong in ({}, {"model": "Somebody's meter"}):
        again = await answer_flow(hass, form, wrong)
        assert again["step_id"] == "model"
        assert again["errors"] == {"model": "unknown_model"}
    levels = await answer_flow(hass, again, {"model": METERS[0].title.upper()})
    assert levels["step_id"] == "level"


@contextmanager
def cellar(site: Site) -> Iterator[None]:
    """Put the meter of a site at the end of every line."""
    with (
        patch.object(connection, "open_transport", site.open_transport),
        patch.object(channel, "open_transport", site.open_transport),
    ):
        yield
    assert site.open_connections == 0


@pytest.fixture
def hasty() -> Iterator[None]:
    """Scan without waiting: nobody is at a silent address of a test."""
    with (
        patch("custom_components.dlms_meter.dlms.discovery.PROBE_TIMEOUT", 0.01),
        patch("custom_components.dlms_meter.dlms.discovery.PAUSE", 0),
        patch("custom_components.dlms_meter.dlms.discovery.METERS", ()),
        patch("custom_components.dlms_meter.dlms.discovery._OTHER_CLIENTS", (1,)),
    ):
        yield


async def find(hass: HomeAssistant, number: str = "") -> Any:  # noqa: ANN401
    form = await choose(
        hass, await connect(hass, await begin_flow(hass), PUBLIC), "find"
    )
    return await answer_flow(hass, form, {"serial_number": number} if number else {})


@pytest.mark.usefixtures("hasty")
async def test_meter_is_found_and_read_at_once(hass: HomeAssistant, line: Line) -> None:
    result = await find(hass)
    assert result["step_id"] == "readings"
    done = await answer_flow(hass, result, proposed(result))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"]["framing"] == "wrapper"
    assert done["title"] == TITLE


@pytest.mark.usefixtures("hasty")
async def test_hdlc_behind_a_gateway_is_found(hass: HomeAssistant, line: Line) -> None:
    line.framing = HdlcSession
    result = await find(hass, "40817263")
    done = await answer_flow(hass, result, proposed(result))
    assert done["data"]["framing"] == "hdlc"
    assert done["data"]["physical_device"] == 17
    learned = done["result"].runtime_data.client.memory
    assert learned.inactivity_timeout == 120
    assert learned.refuses_lists is False


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("name", "error"),
    [("no answer", "no_answer"), ("a fault of ours", "unknown")],
)
@pytest.mark.parametrize(
    "way",
    [
        ("find", "find"),
        ("model", "model"),
        ("line", "network_line"),
        ("connection", "network"),
    ],
)
async def test_scan_that_finds_nothing_says_how_far_it_came(
    hass: HomeAssistant, line: Line, name: str, error: str, way: tuple[str, str]
) -> None:
    FAILURES[name][0](line)
    result = await find(hass, "40817263")
    assert result["step_id"] == "not_found"
    assert result["errors"] == {"base": error}
    told = result["description_placeholders"]["seen"].splitlines()
    assert bool(told) is (error != "unknown")
    for row in told:
        way_told, _, words = row.partition(": ")
        assert way_told in (f"- {WAYS['wrapper']}", f"- {WAYS['gateway']}")
        assert ENGLISH["config"]["error"][error].startswith(words)
    onward = await answer_flow(hass, result, {"next": way[0]})
    assert onward["step_id"] == way[1]
    if way[0] in ("find", "model"):
        assert filled_in(onward)["serial_number"] == "40817263"
    if way[0] == "connection":
        assert filled_in(onward) == NETWORK
        assert (await answer_flow(hass, onward, NETWORK))["step_id"] == "which"


@pytest.mark.usefixtures("hasty")
async def test_scan_goes_on_once_the_connection_is_corrected(
    hass: HomeAssistant, line: Line
) -> None:
    line.broken = NOBODY
    result = await find(hass, "40817263")
    assert result["step_id"] == "network"
    assert result["errors"] == {"base": "cannot_connect"}
    assert filled_in(result) == NETWORK
    line.broken, line.framing = None, HdlcSession
    result = await answer_flow(hass, result, NETWORK | {"host": "192.0.2.9"})
    assert result["step_id"] == "readings"
    done = await answer_flow(hass, result, proposed(result))
    assert done["data"]["host"] == "192.0.2.9"


@pytest.mark.parametrize(
    ("connection", "cause", "errors"),
    [
        (
            {"serial_port": "/dev/ttyUSB0"},
            FileNotFoundError(),
            {"serial_port": "port_missing"},
        ),
        (NETWORK, socket.gaierror(), {"host": "host_unknown"}),
        (NETWORK, ConnectionRefusedError(), {"port": "connection_refused"}),
    ],
)
async def test_connection_is_corrected_where_it_was_entered(
    hass: HomeAssistant,
    line: Line,
    connection: dict[str, Any],
    cause: Exception,
    errors: dict[str, str],
) -> None:
    """At its own field; nothing else has to be entered again, the password least of all."""
    way = "serial" if "serial_port" in connection else "network"
    line.broken = TransportError("there is no connection")
    line.broken.__cause__ = cause
    line.framing = HdlcSession if way == "serial" else line.framing
    form = await choose(hass, await begin_flow(hass), way)
    form = await choose(hass, await answer_flow(hass, form, connection), "line")
    settings = {"sign_on": False, "speed": "9600"} if way == "serial" else {}
    levels = await answer_flow(hass, form, settings)
    form = await choose(hass, levels, "access_password")
    entered = access_input(WITH_PASSWORD)
    entered["expert"] |= {"physical_device": 17} if way == "serial" else {}
    result = await answer_flow(hass, form, entered)
    assert result["step_id"] == way
    assert result["errors"] == errors
    assert filled_in(result) == connection
    line.broken = None
    result = await answer_flow(hass, result, connection)
    assert result["step_id"] == "readings"
    done = await answer_flow(hass, result, proposed(result))
    assert done["data"]["password"] == PASSWORD
    assert await hass.config_entries.async_unload(done["result"].entry_id)


@pytest.mark.usefixtures("hasty")
async def test_meter_that_wants_a_password_is_found(
    hass: HomeAssistant, line: Line
) -> None:
    rules = [rule for rule in line.meter.settings.clients if rule.client_sap == 1]
    line.meter = Meter(MeterSettings(clients=tuple(rules)), now=line.meter.now)
    levels = await find(hass)
    assert levels["step_id"] == "level"
    place = f"A meter answers. {WAYS['wrapper']}, address 1."
    assert levels["description_placeholders"] == {"found": f"{place}\n\n"}
    form = await choose(hass, levels, "access_password")
    assert filled_in(form)["expert"]["client_sap"] == 1
    result = await answer_flow(
        hass, form, {"password": PASSWORD, "expert": filled_in(form)["expert"]}
    )
    assert result["step_id"] == "readings"


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("name", "settings", "likely"),
    [
        ("unknown maker", MeterSettings(), "access_password"),
        ("known maker", MeterSettings(), "access_password"),
    ],
)
async def test_meter_that_tells_everybody_only_who_it_is(
    hass: HomeAssistant, line: Line, name: str, settings: MeterSettings, likely: str
) -> None:
    """Its energy is for those it knows: the dialog asks what the operator gave."""
    hidden = ("1-0:1.8.0*255", "1-0:15.8.0*255")
    values = {}
    if name == "known maker":
        values["0-0:42.0.0*255"] = Data(DataType.OCTET_STRING, b"KAM0000040817263")
    line.meter = altered(line.meter, values, without=hidden)
    levels = await find(hass)
    assert levels["step_id"] == "level"
    who = "Kamstrup H3P-100 …7263" if name == "known maker" else TITLE
    assert levels["description_placeholders"] == {"found": f"{who} was found.\n\n"}
    assert first_option(levels) == likely
    form = await choose(hass, levels, likely)
    client_sap = filled_in(form)["expert"]["client_sap"]
    assert client_sap == (18 if name == "known maker" else 1)


@pytest.mark.usefixtures("hasty")
async def test_what_was_learned_openly_holds_for_who_has_a_password(
    hass: HomeAssistant, line: Line
) -> None:
    """After how long an idle session ends; but not what is refused to everybody."""
    line.framing = HdlcSession
    line.meter = altered(line.meter, {}, without=("1-0:1.8.0*255", "1-0:15.8.0*255"))
    form = await choose(hass, await find(hass), "access_password")
    result = await answer_flow(
        hass, form, {"password": PASSWORD, "expert": filled_in(form)["expert"]}
    )
    done = await answer_flow(hass, result, proposed(result))
    learned = done["result"].runtime_data.client.memory
    assert learned.inactivity_timeout == 120


@pytest.mark.usefixtures("hasty")
async def test_scan_tells_what_it_tries(hass: HomeAssistant) -> None:
    """In words that change with the way, the speed and the address."""
    site = Site(Meter(MeterSettings(physical_device=16)), ServerAddress(1, 16))
    told: list[tuple[str, Mapping[str, str]]] = []
    with cellar(site):
        form = await choose(hass, await begin_flow(hass), "serial")
        which = await answer_flow(hass, form, {"serial_port": "/dev/ttyUSB0"})
        form = await choose(hass, which, "find")
        flow = hass.config_entries.flow
        result = await flow.async_configure(form["flow_id"], {})
        while result["type"] is FlowResultType.SHOW_PROGRESS:
            told.append(
                (result["progress_action"], result["description_placeholders"] or {})
            )
            await asyncio.sleep(0.01)
            result = await flow.async_configure(form["flow_id"])
        if result["type"] is FlowResultType.SHOW_PROGRESS_DONE:
            result = await flow.async_configure(form["flow_id"])
    assert told[0] == ("scan_begin", {})
    assert ("scan_hdlc", {"address": "1/17", "speed": "9600"}) in told
    flow.async_abort(form["flow_id"])
    await hass.async_block_till_done()


# Serial ports.


async def test_meter_on_a_serial_port(hass: HomeAssistant, line: Line) -> None:
    """The port is kept by its id, which stays the same wherever the adapter is plugged in."""
    line.framing = HdlcSession
    with plugged_in(adapter("/dev/serial/by-id/usb-head", "/dev/ttyUSB0")):
        form = await choose(hass, await begin_flow(hass), "serial")
        which = await answer_flow(hass, form, {"serial_port": " /dev/ttyUSB0 "})
    form = await choose(hass, which, "line")
    assert form["step_id"] == "line"
    levels = await answer_flow(hass, form, {"sign_on": False, "speed": "19200"})
    form = await choose(hass, levels, "access_open")
    entered = {"expert": {"physical_device": 17}}
    result = await answer_flow(hass, form, entered)
    done = await answer_flow(hass, result, proposed(result))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"]["serial_port"] == "/dev/serial/by-id/usb-head"
    assert done["data"]["speed"] == 19200
    assert done["data"]["framing"] == "hdlc"
    assert [wire.open for wire in line.wires][-1:] == [True]  # for the next poll
    assert await hass.config_entries.async_unload(done["result"].entry_id)


async def test_sign_on_of_few_meters(hass: HomeAssistant) -> None:
    """What is entered for experts is kept; what was meant for another meter is not."""
    form = await choose(hass, await begin_flow(hass), "serial")
    which = await answer_flow(hass, form, {"serial_port": "/dev/ttyUSB0"})
    form = await choose(hass, which, "line")
    wrong = {"sign_on": True, "speed": "9600", "expert": {"sign_on_number": "44!"}}
    form = await answer_flow(hass, form, wrong)
    assert form["errors"] == {"base": "invalid_sign_on_number"}
    details = {
        "sign_on_number": "44337606",
        "sign_on_speed": "1200",
        "wake_up": True,
        "software_parity": True,
        "old_acknowledgement": True,
    }
    levels = await answer_flow(hass, form, wrong | {"expert": details})
    assert levels["step_id"] == "level"
    flow = hass.config_entries.flow._progress[form["flow_id"]]
    assert isinstance(flow, DlmsConfigFlow)
    assert flow._data.items() >= details.items()
    settings = sign_on_settings(flow._data)
    assert settings == SignOnSettings(
        device_address="44337606",
        start_speed=1200,
        wake_up=True,
        software_parity=True,
        acknowledgement=Acknowledgement.READOUT,
    )
    form = await flow.async_step_line()
    usual = {"sign_on": True, "speed": 9600, "expert": {"wake_up": False}}
    await flow.async_step_line(usual)
    assert not flow._data.keys() & details.keys()
    assert sign_on_settings(flow._data) == SignOnSettings()
    hass.config_entries.flow.async_abort(form["flow_id"])


def test_settings_of_a_serial_port() -> None:
    data = {key: value for key, value in KEPT.items() if key not in NETWORK}
    data |= {"serial_port": "/dev/ttyUSB0", "framing": "hdlc", "speed": 19200}
    settings = client_settings(data | {"sign_on": True})
    assert settings.endpoint == SerialEndpoint("/dev/ttyUSB0", LineSettings(19200))
    assert settings.sign_on is not None
    assert client_settings(data).sign_on is None


def test_settings_of_udp() -> None:
    settings = client_settings(KEPT | {"framing": "udp"})
    assert settings.endpoint == UdpEndpoint("meter.example", 4059)


async def test_known_model_on_a_serial_port(hass: HomeAssistant) -> None:
    form = await choose(hass, await begin_flow(hass), "serial")
    which = await answer_flow(hass, form, {"serial_port": "socket://192.0.2.7:8899"})
    form = await choose(hass, which, "model")
    levels = await answer_flow(hass, form, {"model": "itron_ace6000"})
    form = await choose(hass, levels, "access_open")
    assert filled_in(form)["expert"]["physical_device"] == 17
    hass.config_entries.flow.async_abort(form["flow_id"])


# Options.


async def test_options(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    form = await hass.config_entries.options.async_init(loaded.entry_id)
    assert form["step_id"] == "init"
    key = "3_1-0:2.8.0*255_2"
    chosen: dict[str, Any] = {
        group: {"readings": []} for group in ("energy", "power", "grid", "other")
    }
    chosen["energy"] = {"readings": [key]}
    entered = {"poll_interval": 300, "supply_switch": False, **chosen}
    done = await hass.config_entries.options.async_configure(form["flow_id"], entered)
    await hass.async_block_till_done()
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == {
        "poll_interval": 300,
        "keep_open": False,
        "supply_switch": False,
        "change_settings": False,
        "readings": [key],
    }
    assert loaded.runtime_data.update_interval == timedelta(seconds=300)
    assert hass.states.get(f"sensor.{DEVICE}_energy_export") is not None
    registry = er.async_get(hass)
    gone = registry.async_get(f"sensor.{DEVICE}_energy_import")
    assert gone is not None
    assert gone.disabled

    form = await hass.config_entries.options.async_init(loaded.entry_id)
    chosen["energy"] = {"readings": [key, "3_1-0:1.8.0*255_2"]}
    await hass.config_entries.options.async_configure(form["flow_id"], entered | chosen)
    await hass.async_block_till_done()
    assert hass.states.get(f"sensor.{DEVICE}_energy_import") is not None


@pytest.mark.parametrize(
    ("session_seconds", "shortest"), [(41.5, 83), (0.1, 10)], ids=["slow", "quick"]
)
async def test_interval_is_no_shorter_than_the_line_can_carry(
    hass: HomeAssistant, loaded: MockConfigEntry, session_seconds: float, shortest: int
) -> None:
    """Nor so short that a meter has no rest."""
    loaded.runtime_data.session_seconds = session_seconds
    form = await hass.config_entries.options.async_init(loaded.entry_id)
    assert form["description_placeholders"] == {"shortest": str(shortest)}
    with pytest.raises(InvalidData):
        await hass.config_entries.options.async_configure(
            form["flow_id"], {"poll_interval": shortest - 1, "supply_switch": False}
        )
    hass.config_entries.options.async_abort(form["flow_id"])


async def test_options_of_a_meter_that_is_not_reached(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "not_loaded"


# Another connection for a meter that is there already.


async def test_reconfigure(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    menu = await loaded.start_reconfigure_flow(hass)
    assert menu["step_id"] == "reconfigure"
    result = await walk(hass, menu, PUBLIC | {"host": "192.0.2.9"})
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert loaded.data["host"] == "192.0.2.9"
    assert loaded.state is ConfigEntryState.LOADED


async def test_reconfigure_begins_with_what_is_known(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """Secrets are not shown; a dialog that is closed changes nothing."""
    before = dict(loaded.data)
    menu = await loaded.start_reconfigure_flow(hass)
    form = await choose(hass, menu, "network")
    assert filled_in(form) == NETWORK
    hass.config_entries.flow.async_abort(form["flow_id"])
    await hass.async_block_till_done()
    assert loaded.data == before
    assert loaded.state is ConfigEntryState.LOADED


async def test_reconfigure_with_another_meter(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    before = dict(loaded.data)
    line.meter = ANOTHER_METER
    menu = await loaded.start_reconfigure_flow(hass)
    result = await walk(hass, menu, PUBLIC)
    assert result["step_id"] == "exchanged"
    assert result["description_placeholders"] == {
        "meter": TITLE,
        "new_meter": "SIM H3P-100 …9999",
    }
    hass.config_entries.flow.async_abort(result["flow_id"])
    assert loaded.data == before
    assert loaded.unique_id == UNIQUE_ID


# A new password, or new keys.


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
    assert flow["step_id"] == "reauth_password"
    spoil, entered, errors = REAUTH_FAILURES[name]
    spoil(line)

    result = await answer_flow(hass, flow, entered)

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    assert not filled_in(result)
    assert result["description_placeholders"] is not None
    assert result["description_placeholders"]["meter"] == refused.title
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
    assert result["step_id"] == "exchanged"
    hass.config_entries.flow.async_abort(result["flow_id"])
    assert refused.data["password"] == "old"


@pytest.mark.parametrize(
    ("differences", "step", "fields"),
    [
        ({}, "reauth_password", {"password", "password_is_hex"}),
        (
            {"mechanism": "hls_md5", "password": "old"},
            "reauth_challenge",
            {"password", "password_is_hex"},
        ),
        (
            {"mechanism": "hls_gmac", "encryption_key": KEY},
            "reauth_keys",
            {"encryption_key", "authentication_key"},
        ),
    ],
)
async def test_reauth_asks_for_what_the_level_needs(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    differences: dict[str, Any],
    step: str,
    fields: set[str],
) -> None:
    hass.config_entries.async_update_entry(entry, data={**entry.data, **differences})
    form = await entry.start_reauth_flow(hass)
    assert form["step_id"] == step
    schema = form["data_schema"]
    assert schema is not None
    assert {str(field) for field in schema.schema} == fields


async def test_reauth_with_a_challenge_that_fails(
    hass: HomeAssistant, entry: MockConfigEntry, line: Line
) -> None:
    """The level the meter was read with stays, whatever secret is entered."""
    differences = {"mechanism": "hls_md5", "password": "old"}
    hass.config_entries.async_update_entry(entry, data={**entry.data, **differences})
    form = await entry.start_reauth_flow(hass)
    result = await answer_flow(
        hass, form, {"password": "new", "password_is_hex": False}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "reauth_challenge"
    assert result["errors"]
    assert entry.data["password"] == "old"
    assert entry.data["mechanism"] == "hls_md5"
