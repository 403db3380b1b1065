"""The log of the wire: each frame and each APDU on one line that people can read, and never a secret."""

from collections.abc import Callable
import logging
import re

import pytest

from custom_components.dlms_meter.dlms import (
    ClientSettings,
    DlmsClient,
    Framing,
    Mechanism,
    SecuritySettings,
    SignOnSettings,
    TransportTimeout,
)
from custom_components.dlms_meter.dlms.link.wrapper import WrapperLink
from custom_components.dlms_meter.dlms.wire_log import WireLog
from tests.dlms.application.secured import settings
from tests.line.optical import OpticalMeter
from tests.line.paced import Port
from tests.line.sessions import REGISTERS, household, run, settings as line_settings
from tests.simulator import HdlcSession, Meter, WrapperSession
from tests.transports import memory_transports, run_virtually

from .test_ciphered_client import SECRET, client_for, meter_for

SESSIONS: dict[Framing, Callable[[Meter], HdlcSession | WrapperSession]] = {
    Framing.HDLC: HdlcSession,
    Framing.WRAPPER: WrapperSession,
}

KEYS = settings()
LOGGER = WireLog.__module__
OCTETS = r"([0-9a-f]{2}( [0-9a-f]{2})*|\d+ octets, not shown: a secret may be in them)"
HDLC = r"(SNRM|UA|DISC|DM|I N\(S\)\d N\(R\)\d|RR N\(R\)\d)( P/F)? \S+ → \S+( \[\d+ octets\])?( more follows)?"
WRAPPER = r"wPort \d+ → \d+ \[\d+ octets\]"
APDU = r"[A-Z][A-Za-z]+\([^<>\\]*\)|.{600}… \(\d+ characters\)"
LINE = re.compile(rf"\S+ [<>] ((({HDLC}|{WRAPPER})(; )?)+: {OCTETS}|{APDU})")


def written(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines of the wire, without those of others."""
    return [each.getMessage() for each in caplog.records if each.name == LOGGER]


def log_of(
    client_settings: ClientSettings, meter: Meter, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Return the lines of one session."""

    async def main() -> None:
        async with DlmsClient(client_settings) as client:
            await client.identity()
            await client.read(REGISTERS[:3], {})

    with (
        caplog.at_level(logging.DEBUG),
        memory_transports(lambda: SESSIONS[client_settings.framing](meter)),
    ):
        run_virtually(main())
    return written(caplog)


@pytest.mark.parametrize("framing", Framing)
@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
@pytest.mark.parametrize(
    ("mechanism", "keys"),
    [
        (Mechanism.NONE, None),
        (Mechanism.LLS, None),
        (Mechanism.HLS_SHA256, None),
        (Mechanism.HLS_GMAC, KEYS),
    ],
    ids=["none", "LLS", "HLS SHA-256", "HLS GMAC, ciphered"],
)
def test_every_line_can_be_read(
    framing: Framing,
    short_names: bool,
    mechanism: Mechanism,
    keys: SecuritySettings | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client_settings = client_for(framing, mechanism, keys, short_names=short_names)
    lines = log_of(client_settings, meter_for(mechanism, keys), caplog)
    for line in lines:
        assert LINE.fullmatch(line), line
    text = "\n".join(lines)
    assert "> Aarq(application_context" in text
    assert "< Aare(application_context" in text
    assert "result ACCEPTED" in text
    secrets = [SECRET]
    if keys is not None:
        secrets += [keys.global_unicast_key or b"", keys.authentication_key or b""]
    for secret in secrets:
        assert secret.hex() not in text
        assert secret.hex(" ") not in text
        assert secret.decode("latin-1") not in text


def test_sign_on(caplog: pytest.LogCaptureFixture) -> None:
    """Its lines are text, whatever their parity and however they come."""
    meter = OpticalMeter(HdlcSession(household()))
    with caplog.at_level(logging.DEBUG, LOGGER):
        run(line_settings(sign_on=SignOnSettings()), Port(meter), DlmsClient.identity)
    messages = written(caplog)
    lines = [line.split(" ", 1)[1] for line in messages]
    assert lines[0] == r"> '/?!\r\n': 2f 3f 21 0d 0a"
    assert re.fullmatch(r"< '/\w+.*\\r\\n': 2f .* 0d 0a", lines[1])
    assert lines[2] == r"> '\x06252\r\n': 06 32 35 32 0d 0a"
    assert lines[3].startswith("> SNRM P/F")
    assert lines[4].startswith("< UA P/F")
    for line in messages[3:]:
        assert LINE.fullmatch(line), line


FRAME = bytes.fromhex("0001000100100003010203")
PART, REST = FRAME[:5], FRAME[5:]
AT = "meter.example:4059"


@pytest.fixture
def log() -> WireLog:
    return WireLog(AT, WrapperLink(16, 1))


def test_pieces_and_handfuls_of_frames(
    log: WireLog, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, LOGGER):
        log.octets("<", PART)
        assert not caplog.messages, "more will come"
        log.octets("<", REST)
        log.octets("<", FRAME * 2 + PART)
        log.octets("<", PART)
        log.octets(">", REST)
    named = "wPort 1 → 16 [3 octets]"
    assert caplog.messages == [
        f"{AT} < {named}: {FRAME.hex(' ')}",
        f"{AT} < {named}; {named}: {(FRAME * 2 + PART).hex(' ')}",
        f"{AT} < {PART.hex(' ')}",
        f"{AT} > {REST.hex(' ')}",
    ]


def test_pieces_are_written_before_what_follows(
    log: WireLog, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, LOGGER):
        log.octets("<", PART)
        log.failed("release", TransportTimeout("nothing came"))
        log.text("<", b"/LGZ")
        log.apdu(">", lambda: "Rlrq()")
    assert caplog.messages == [
        f"{AT} < {PART.hex(' ')}",
        f"{AT} release: nothing came",
        f"{AT} < 2f 4c 47 5a",
        f"{AT} > Rlrq()",
    ]


@pytest.mark.parametrize("endless", [WireLog.octets, WireLog.text])
def test_what_never_ends_is_not_held(
    log: WireLog,
    endless: Callable[[WireLog, str, bytes], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, LOGGER):
        for _ in range(100):
            endless(log, "<", bytes(100))
    assert len(caplog.messages) == 2


def test_what_cannot_be_read_may_hold_a_secret(
    log: WireLog, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged echo of our own request for instance; also when it is written later."""
    with caplog.at_level(logging.DEBUG, LOGGER):
        log.hides_octets = True
        log.passed_over(SECRET, "no APDU we know")
        log.octets("<", SECRET)
        log.hides_octets = False
        log.octets("<", SECRET)
        log.octets(">", PART)
    assert caplog.messages == [
        f"{AT} < no APDU we know: 8 octets, not shown: a secret may be in them",
        f"{AT} < 16 octets, not shown: a secret may be in them",
        f"{AT} > {PART.hex(' ')}",
    ]


def test_nothing_is_made_where_nobody_listens(
    log: WireLog, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        log.octets(">", b"\0")
        log.text(">", b"\0")
        log.apdu(">", lambda: pytest.fail("no text is wanted"))
    assert not caplog.messages
