"""What is wrong, told by the highest layer that worked: the same words in the dialog, at the entry and in its polls."""

from collections.abc import Callable, Mapping
from enum import IntEnum
import errno
import socket
from typing import Any, NamedTuple

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.translation import async_get_translations
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.coordinator import DlmsCoordinator
from custom_components.dlms_meter.diagnostics import (
    async_get_config_entry_diagnostics,
)
from custom_components.dlms_meter.dlms import (
    ActionResult,
    AssociationRejected,
    AttributeDescriptor,
    DataAccessResult,
    DlmsClient,
    DlmsError,
    Mechanism,
    Obis,
    SecuritySettings,
    ServiceError,
    Symptom,
    TransportError,
    TransportTimeout,
)
from custom_components.dlms_meter.dlms.application.enums import (
    AccessError,
    ApplicationReferenceError,
    AssociationResult,
    ExceptionServiceError,
    InitiateError,
    ProviderDiagnostic,
    UserDiagnostic,
    VdeStateError,
)
from custom_components.dlms_meter.dlms.cosem.identity import IDENTITY_ATTRIBUTES
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress
from custom_components.dlms_meter.dlms.link.hdlc_frame import (
    Frame,
    FrameDecoder,
    FrameType,
)
from custom_components.dlms_meter.dlms.transport.stream import FIXED_SPEED
from custom_components.dlms_meter.failures import (
    Failure,
    failure_of,
    refusal_sentence,
)
from custom_components.dlms_meter.settings import client_settings, from_input
from tests.home import (
    DEVICE,
    EXPERT,
    PASSWORD,
    PUBLIC,
    WITH_PASSWORD,
    Line,
    access_input,
    answer_flow,
    begin_flow,
    choose,
    connect,
    filled_in,
    ignore_client,
    proposed,
    silence,
    state_of,
    value_of,
)
from tests.simulator import (
    PUBLIC_CLIENT,
    ClientRule,
    HdlcSession,
    Meter,
    MeterSettings,
)

pytestmark = pytest.mark.usefixtures("impatient")

ENERGY = f"sensor.{DEVICE}_energy_import"
HDLC = PUBLIC | {"framing": "hdlc", "expert": EXPERT | {"physical_device": 17}}
OPTICAL = {key: HDLC[key] for key in HDLC if key not in ("host", "port")} | {
    "serial_port": "/dev/ttyUSB0",
    "speed": 9600,
    "sign_on": True,
}
KEY = bytes(range(16))
KEYS = SecuritySettings(global_unicast_key=KEY, authentication_key=KEY)
OTHER_KEYS = SecuritySettings(global_unicast_key=KEY[::-1], authentication_key=KEY)
WITH_KEYS = PUBLIC | {
    "mechanism": "keys",
    "encryption_key": KEY.hex(),
    "authentication_key": KEY.hex(),
    "expert": EXPERT | {"client_sap": 1},
}
"""As it is entered at the level with keys."""
KEYS_ON_A_LINE = EXPERT | {"client_sap": 1, "physical_device": 17}
OBJECT_LIST = AttributeDescriptor(15, Obis.parse("0-0:40.0.0*255"), 2)
BEYOND_BELIEF = 0xFF00_0000
"""An invocation counter that would use the key up: it is not followed."""

CLIENT, SERVER = HdlcAddress.client(16), HdlcAddress.server(1, 17)
ALL_CLIENTS = (
    PUBLIC_CLIENT,
    ClientRule(1, Mechanism.LLS, PASSWORD.encode()),
)
CIPHERED = (ClientRule(1, Mechanism.HLS_GMAC, security=KEYS),)


class SignsOn(HdlcSession):
    """A meter that wants to be signed on to by IEC 62056-21 first."""

    @staticmethod
    def answer(octets: bytes) -> bytes:
        """Answer the sign-on only."""
        return b"/SIm5\\2H3P-100\r\n" if octets[:2] == b"/?" else b""

    def receive_data(self, data: bytes) -> bytes:
        if data[:1] in (b"/", b"\x06"):
            return self.answer(data)
        return super().receive_data(data)


def plug_in_anew(line: Line) -> None:
    """Let the next session open the port again, which stays open in between."""
    for wire in line.wires:
        if wire.open:
            wire.lose(TransportError("unplugged"))


def sign_on_only(line: Line) -> None:
    line.answer = SignsOn.answer
    plug_in_anew(line)


def no_way(cause: Exception) -> Callable[[Line], None]:
    """Let every connection fail for this reason."""

    def spoil(line: Line) -> None:
        error = TransportError("there is no connection")
        error.__cause__ = cause
        line.broken = error

    return spoil


def unchangeable(line: Line) -> None:
    line.broken = TransportError(FIXED_SPEED)


def speak(answer: Callable[[bytes], bytes]) -> Callable[[Line], None]:
    """Let somebody else speak in the meter's place."""

    def spoil(line: Line) -> None:
        line.answer = answer

    return spoil


def hang_up(line: Line) -> None:
    def answer(_: bytes) -> bytes:
        line.wires[-1].lose(TransportError("the other side closed the connection"))
        return b""

    line.answer = answer


def fall_silent(line: Line) -> None:
    """Take the link, then say nothing."""

    def answer(octets: bytes) -> bytes:
        frames = FrameDecoder().feed(octets)
        asked = any(frame.type is FrameType.SNRM for frame in frames)
        return HdlcSession(Meter()).receive_data(octets) if asked else b""

    line.answer = answer


def occupy(line: Line) -> None:
    line.meter.occupy(line)


def admit(*clients: ClientRule) -> Callable[[Line], None]:
    """Let the meter take these clients, and no others."""

    def spoil(line: Line) -> None:
        line.meter = Meter(MeterSettings(clients=clients), now=line.meter.now)

    return spoil


def count_far(line: Line) -> None:
    line.meter.last_counter = BEYOND_BELIEF


def tell_nothing(line: Line) -> None:
    for attribute in (*IDENTITY_ATTRIBUTES, OBJECT_LIST):
        line.meter.refusals[attribute] = DataAccessResult.READ_WRITE_DENIED


def foreign(frame: FrameType, to: HdlcAddress, by: HdlcAddress) -> bytes:
    return Frame(to, by, frame).encode()


class Rung(NamedTuple):
    """One way in which it goes wrong."""

    symptom: Symptom
    spoil: Callable[[Line], None]
    entered: Mapping[str, Any] = PUBLIC
    clients: tuple[ClientRule, ...] = ALL_CLIENTS
    """Whom the meter takes before and after."""
    detail: str = ""
    """What else is known, and told."""
    later: Symptom | None = None
    """What it looks like when the meter was heard before."""

    @property
    def sentence(self) -> str:
        return self.symptom + self.detail


RUNGS = {
    "no such port": Rung(Symptom.PORT_MISSING, no_way(FileNotFoundError())),
    "port not ours": Rung(Symptom.PORT_DENIED, no_way(PermissionError())),
    "port in use": Rung(Symptom.PORT_IN_USE, no_way(OSError(errno.EBUSY, "busy"))),
    "port without adapter": Rung(
        Symptom.PORT_UNUSABLE, no_way(OSError(errno.EIO, "gone"))
    ),
    "no such host": Rung(Symptom.HOST_UNKNOWN, no_way(socket.gaierror())),
    "nobody listens": Rung(
        Symptom.CONNECTION_REFUSED, no_way(ConnectionRefusedError())
    ),
    "no way there": Rung(Symptom.CANNOT_CONNECT, no_way(TimeoutError())),
    "speed cannot be changed": Rung(Symptom.SPEED_FIXED, unchangeable),
    "hung up": Rung(Symptom.CONNECTION_LOST, hang_up),
    "silence": Rung(Symptom.NO_ANSWER, speak(silence)),
    "silence on a line": Rung(Symptom.NO_ANSWER, speak(silence), HDLC),
    "only the echo": Rung(Symptom.ECHO_ONLY, speak(lambda sent: sent), HDLC),
    "octets that are no frame": Rung(
        Symptom.NO_VALID_FRAME,
        speak(lambda _: bytes.fromhex("80F0787C8000F8")),
        HDLC,
    ),
    "sign-on, then silence": Rung(Symptom.SIGNED_ON, sign_on_only, OPTICAL),
    "somebody else's frames": Rung(
        Symptom.OTHER_ADDRESSES,
        speak(lambda _: foreign(FrameType.UA, HdlcAddress.client(5), HdlcAddress(77))),
        HDLC,
    ),
    "busy": Rung(Symptom.BUSY, occupy, HDLC),
    "disconnected mode": Rung(
        Symptom.BUSY, speak(lambda _: foreign(FrameType.DM, CLIENT, SERVER)), HDLC
    ),
    "frame rejected": Rung(
        Symptom.LINK_FAILED,
        speak(lambda _: foreign(FrameType.FRMR, CLIENT, SERVER)),
        HDLC,
        detail="_rejected",
    ),
    "link taken, then silence": Rung(Symptom.ANSWER_INCOMPLETE, fall_silent, HDLC),
    "client not known": Rung(Symptom.ASSOCIATION_REJECTED, admit()),
    "ciphering wanted": Rung(
        Symptom.CONTEXT_REFUSED, admit(ClientRule(16, security=KEYS))
    ),
    "password wanted": Rung(
        Symptom.AUTHENTICATION_WANTED, admit(ClientRule(16, Mechanism.LLS, b"1"))
    ),
    "wrong password": Rung(
        Symptom.WRONG_PASSWORD,
        admit(ClientRule(1, Mechanism.LLS, b"another")),
        WITH_PASSWORD,
    ),
    "key does not decrypt": Rung(
        Symptom.WRONG_KEY,
        admit(ClientRule(1, Mechanism.HLS_GMAC, security=OTHER_KEYS)),
        WITH_KEYS,
        CIPHERED,
    ),
    "silent to old counters": Rung(
        Symptom.COUNTER_UNANSWERED,
        ignore_client(1),
        WITH_KEYS,
        CIPHERED,
        later=Symptom.NO_ANSWER,
    ),
    "silent to old counters on a line": Rung(
        Symptom.COUNTER_UNANSWERED,
        ignore_client(1),
        WITH_KEYS | {"framing": "hdlc", "expert": KEYS_ON_A_LINE},
        CIPHERED,
    ),
    "counter refused": Rung(Symptom.COUNTER_REFUSED, count_far, WITH_KEYS, CIPHERED),
    "no APDU": Rung(
        Symptom.PROTOCOL_ERROR,
        speak(lambda _: bytes.fromhex("0001000100100002FFFF")),
    ),
    "nothing to be read": Rung(Symptom.NOTHING_READABLE, tell_nothing),
}
WANT_SECRETS = {
    Symptom.AUTHENTICATION_WANTED,
    Symptom.WRONG_PASSWORD,
    Symptom.WRONG_KEY,
}


def test_every_rung_is_stood_on() -> None:
    assert {rung.symptom for rung in RUNGS.values()} == set(Symptom)


def prepare(line: Line, rung: Rung) -> Meter:
    """Put a sound meter at the end of the line."""
    if rung.entered["framing"] == "hdlc":
        line.framing = SignsOn if "sign_on" in rung.entered else HdlcSession
    line.meter = Meter(MeterSettings(clients=rung.clients), now=line.meter.now)
    return line.meter


def mend(line: Line, meter: Meter) -> None:
    plug_in_anew(line)
    line.meter.vacate(line)
    meter.refusals.clear()
    meter.last_counter = min(meter.last_counter, 100_000)
    line.broken, line.answer, line.meter = None, None, meter


def data_of(rung: Rung) -> dict[str, Any]:
    """Return what an entry keeps of what was entered."""
    entered = dict(rung.entered)
    if entered["mechanism"] == "keys":
        entered |= {"mechanism": "hls_gmac", "system_title": "4841530000000001"}
    return from_input(entered)


async def tell_line(
    hass: HomeAssistant, menu: ConfigFlowResult, entered: Mapping[str, Any]
) -> ConfigFlowResult:
    """Say where the meter is and how it is spoken to; returns the menu that follows."""
    if "serial_port" not in entered:
        form = await choose(hass, await connect(hass, menu, entered), "line")
        return await answer_flow(hass, form, {"framing": entered["framing"]})
    form = await choose(hass, menu, "serial")
    which = await answer_flow(hass, form, {"serial_port": entered["serial_port"]})
    form = await choose(hass, which, "line")
    return await answer_flow(hass, form, {"sign_on": True, "speed": "9600"})


@pytest.mark.parametrize("name", RUNGS)
async def test_dialog(hass: HomeAssistant, line: Line, name: str) -> None:
    """It shows the form where it can be mended, with the sentence, and goes on once all is well."""
    rung = RUNGS[name]
    meter = prepare(line, rung)
    rung.spoil(line)

    levels = await tell_line(hass, await begin_flow(hass), rung.entered)
    level = {"none": "open", "lls": "password"}.get(rung.entered["mechanism"], "keys")
    form = await choose(hass, levels, f"access_{level}")
    entered = access_input(rung.entered)
    if level == "keys":
        entered.pop("password_is_hex", None)
        entered |= {
            key: rung.entered[key] for key in ("encryption_key", "authentication_key")
        }
    result = await answer_flow(hass, form, entered)

    assert result["type"] is FlowResultType.FORM
    assert result["errors"] is not None
    assert list(result["errors"].values()) == [rung.sentence]
    assert result["description_placeholders"] == {}
    assert not any(wire.open for wire in line.wires)

    mend(line, meter)
    if not rung.symptom.is_connected:
        assert result["step_id"] == "network"
        entered = filled_in(result)
    result = await answer_flow(hass, result, entered)
    if rung.symptom is Symptom.SPEED_FIXED:
        assert result["step_id"] == "which"  # another way to be read, or none
        return
    assert result["step_id"] == "readings"
    done = await answer_flow(hass, result, proposed(result))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert await hass.config_entries.async_unload(done["result"].entry_id)


@pytest.mark.parametrize("name", RUNGS)
async def test_entry(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, name: str
) -> None:
    """The reason stands at the entry, which is tried again, or waits for another secret."""
    rung = RUNGS[name]
    meter = prepare(line, rung)
    hass.config_entries.async_update_entry(entry, data=data_of(rung))
    rung.spoil(line)

    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert entry.error_reason_translation_key == rung.sentence
    assert not entry.error_reason_translation_placeholders
    assert state_of(entry) is (
        ConfigEntryState.SETUP_ERROR
        if rung.symptom in WANT_SECRETS
        else ConfigEntryState.SETUP_RETRY
    )
    assert len(hass.config_entries.flow.async_progress()) == (
        rung.symptom in WANT_SECRETS
    )
    if "serial_port" not in rung.entered:
        assert not any(wire.open for wire in line.wires)
    ladder = (await async_get_config_entry_diagnostics(hass, entry))["ladder"]
    assert ladder["came_to"] == rung.symptom
    assert 0 < ladder["rung"] < ladder["of"]

    mend(line, meter)
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.LOADED
    assert float(value_of(hass, ENERGY)) > 0
    assert await hass.config_entries.async_unload(entry.entry_id)


def failure_key(coordinator: DlmsCoordinator) -> str | None:
    """Return what the last poll failed with, as it is now."""
    return coordinator.failure and coordinator.failure.key


@pytest.mark.parametrize("name", RUNGS)
async def test_poll(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, name: str
) -> None:
    """What fails later is told in the same words; nothing is shown meanwhile, and all is back afterwards."""
    rung = RUNGS[name]
    meter = prepare(line, rung)
    hass.config_entries.async_update_entry(entry, data=data_of(rung))
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    coordinator = entry.runtime_data
    assert failure_key(coordinator) is None
    rung.spoil(line)

    await coordinator.async_refresh()
    await hass.async_block_till_done()

    told = rung.later or rung.sentence
    assert coordinator.last_exception.translation_key == told
    assert failure_key(coordinator) == (rung.later or rung.symptom)
    assert value_of(hass, ENERGY) == "unavailable"
    if rung.symptom in WANT_SECRETS - {Symptom.WRONG_KEY}:
        assert coordinator.is_refused
        return  # until somebody entered another one
    mend(line, meter)
    await coordinator.async_refresh()
    assert failure_key(coordinator) is None
    assert float(value_of(hass, ENERGY)) > 0
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_another_meter_is_the_last_rung(
    hass: HomeAssistant, line: Line, loaded: MockConfigEntry
) -> None:
    """Everything works, up to who it is."""
    line.meter = Meter(MeterSettings(serial_number="99999999"), now=line.meter.now)
    await loaded.runtime_data.async_refresh()
    ladder = (await async_get_config_entry_diagnostics(hass, loaded))["ladder"]
    assert ladder["came_to"] == "another_meter"
    assert ladder["rung"] == ladder["of"]


REFUSALS: dict[str, tuple[IntEnum, str, dict[str, str]]] = {
    "no reason": (UserDiagnostic.NO_REASON_GIVEN, "", {}),
    "the system title": (
        UserDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED,
        "_caller",
        {},
    ),
    "the logical device": (
        UserDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED,
        "_called",
        {},
    ),
    "the version": (ProviderDiagnostic.NO_COMMON_ACSE_VERSION, "_version", {}),
    "what can be asked": (InitiateError.INCOMPATIBLE_CONFORMANCE, "_conformance", {}),
    "the length": (InitiateError.PDU_SIZE_TOO_SHORT, "_pdu_size", {}),
    "something passing": (VdeStateError.LOADING_DATA_SET, "_not_now", {}),
    "what has a sentence elsewhere": (
        AccessError.HARDWARE_FAULT,
        "_code",
        {"code": "3"},
    ),
    "a number of its own": (UserDiagnostic(77), "_code", {"code": "77"}),
}


def failure_with(error: DlmsError) -> Failure:
    """Return what is told of an error of a client that has asked for an association."""
    return failure_of(error, DlmsClient(client_settings(from_input(PUBLIC))))


@pytest.mark.parametrize("name", REFUSALS)
def test_why_the_association_is_refused(name: str) -> None:
    code, detail, placeholders = REFUSALS[name]
    for error in (
        AssociationRejected("no", AssociationResult.REJECTED_PERMANENT, code),
        AssociationRejected(
            "no",
            AssociationResult.ACCEPTED,
            UserDiagnostic.NO_REASON_GIVEN,
            initiate_error=code,
        ),
    ):
        failure = failure_with(error)
        assert failure.key == Symptom.ASSOCIATION_REJECTED
        assert failure.sentence == f"{Symptom.ASSOCIATION_REJECTED}{detail}"
        assert failure.placeholders == placeholders


def test_refused_for_the_moment() -> None:
    error = AssociationRejected(
        "no", AssociationResult.REJECTED_TRANSIENT, UserDiagnostic.NULL
    )
    assert failure_with(error).sentence == "association_rejected_not_now"


def test_meter_that_says_itself_that_the_key_is_wrong() -> None:
    error = AssociationRejected(
        "no", diagnostic=ApplicationReferenceError.DECIPHERING_ERROR
    )
    assert failure_with(error).key == Symptom.WRONG_KEY


def test_counter_is_not_suspected_of_a_meter_that_was_heard() -> None:
    """Over TCP, a meter without power is silent, too."""
    client = DlmsClient(
        client_settings(data_of(Rung(Symptom.NO_ANSWER, occupy, WITH_KEYS)))
    )
    client.statistics.frames_sent = 1
    silent = TransportTimeout("nothing")
    assert failure_of(silent, client).key == Symptom.COUNTER_UNANSWERED
    client.statistics.frames_sent = 0
    assert failure_of(silent, client).key == Symptom.NO_ANSWER
    client.statistics.frames_sent, client.statistics.frames_received = 1, 1
    assert failure_of(silent, client).key == Symptom.ANSWER_INCOMPLETE


@pytest.mark.parametrize(
    "result",
    [
        *DataAccessResult,
        *ActionResult,
        ExceptionServiceError.OPERATION_NOT_POSSIBLE,
        InitiateError.OTHER,
        DataAccessResult(99),
    ],
)
async def test_refused_request_is_told_in_the_language_of_the_home(
    hass: HomeAssistant, result: IntEnum
) -> None:
    key, placeholders = refusal_sentence(ServiceError("no", result))
    texts = await async_get_translations(hass, "de", "exceptions", {DOMAIN})
    text = texts[f"component.{DOMAIN}.exceptions.{key}.message"].format(**placeholders)
    assert text
    assert "{" not in text
    assert (str(int(result)) in text) is (key == "refused_code")


def test_words_in_a_report_have_an_end() -> None:
    failure = failure_with(TransportError("x" * 10_000))
    assert len(failure.reason) == 300
    assert failure.reason.endswith("…")
