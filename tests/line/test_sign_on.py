"""Mode E on a line that follows the speed: from 300 baud to HDLC and to the values, whatever the meter's habits."""

import asyncio

import pytest

from custom_components.dlms_meter.dlms import (
    Acknowledgement,
    CharacterFormat,
    DlmsClient,
    LineSettings,
    LinkError,
    LocalProtocolError,
    ReadReport,
    SignOnSettings,
    TransportError,
    TransportTimeout,
)
from tests.simulator import HdlcSession
from tests.transports import Fault, drop_octets, faultless, run_virtually

from .optical import DirectMeter, Habits, OpticalMeter
from .paced import Conditions, Port
from .sessions import PORT, REGISTERS, household, poll, run, settings

SIGN_ON = settings(sign_on=SignOnSettings())


def meter(habits: Habits | None = None, speed: int = 9600) -> OpticalMeter:
    return OpticalMeter(HdlcSession(household()), habits, hdlc_speed=speed)


def assert_all_read(result: object) -> None:
    assert isinstance(result, ReadReport), result
    assert set(result.values) == set(REGISTERS)
    assert not result.failed


@pytest.mark.parametrize("confirmation", ["none", "old", "new"])
@pytest.mark.parametrize("speed", [300, 1200, 9600, 19200])
def test_meter_may_confirm_at_either_speed_or_not_at_all(
    speed: int, confirmation: str
) -> None:
    character = {300: "0", 1200: "2", 9600: "5", 19200: "6"}[speed]
    habits = Habits(
        identification=f"/ISK{character}\\2MT382-1008", confirmation=confirmation
    )
    optical = meter(habits, speed)
    outcome = run(SIGN_ON, Port(optical), poll)
    assert_all_read(outcome.result)
    assert optical.log == ["/?!", f"\x062{character}2"], "asked once, told once"
    # Each side leaves the other 0.2 s; whatever we wait beyond that is ours.
    assert outcome.seconds - outcome.traffic.seconds < 0.2 + 0.25 + 0.1


@pytest.mark.parametrize("confirmation", ["none", "old", "new"])
@pytest.mark.parametrize("reaction", [0.02, 0.2, 0.6, 1.4])
def test_slow_and_fast_meters(reaction: float, confirmation: str) -> None:
    """How long its identification took tells how long to listen: the first frame of HDLC is not lost to anybody."""
    maker = "ISk" if reaction < 0.2 else "ISK"
    habits = Habits(
        identification=f"/{maker}5\\2MT382-1008",
        reaction=reaction,
        confirmation=confirmation,
    )
    outcome = run(SIGN_ON, Port(meter(habits)), poll)
    assert_all_read(outcome.result)
    assert outcome.seconds - outcome.traffic.seconds < 0.2 + reaction + 0.15


@pytest.mark.parametrize("echo", [faultless, drop_octets])
def test_echo_of_an_optical_head(echo: Fault) -> None:
    """Whole or with holes, the echo is not taken for an identification, nor for an answer."""
    for seed in range(20):
        optical = meter(Habits(confirmation="old"))
        port = Port(optical, Conditions(echo=echo, seed=seed))
        assert_all_read(run(SIGN_ON, port, poll).result)


def test_identification_damaged_once() -> None:
    """One more query costs less than a session."""
    damage = iter([True, False])

    def once(_: object, data: bytes) -> list[tuple[float, bytes]]:
        spoilt = data.startswith(b"/") and next(damage, False)
        return [(0.0, data.replace(b"\r", b"") if not spoilt else data[3:])]

    optical = meter()
    port = Port(optical, Conditions(to_client=lambda r, d: iter(once(r, d))))
    assert_all_read(run(SIGN_ON, port, poll).result)
    assert optical.log == ["/?!", "/?!", "\x06252"]


def test_only_the_meter_with_this_number_answers() -> None:
    optical = meter(Habits(number="44337606"))
    with_number = settings(sign_on=SignOnSettings(device_address="44337606"))
    assert_all_read(run(with_number, Port(optical), poll).result)
    other = settings(sign_on=SignOnSettings(device_address="1"))
    result = run(other, Port(meter(Habits(number="44337606"))), poll).result
    assert isinstance(result, TransportTimeout)
    assert "sign-on at 300 baud 7E1 was not answered (nothing came)" in str(result)


def test_battery_meter_is_woken_up() -> None:
    asleep = Habits(asleep=True)
    wake_up = settings(sign_on=SignOnSettings(wake_up=True))
    assert_all_read(run(wake_up, Port(meter(asleep)), poll).result)
    result = run(SIGN_ON, Port(meter(asleep)), poll).result
    assert isinstance(result, TransportTimeout)


def test_acknowledgement_as_old_documents_have_it() -> None:
    old = Habits(readout_acknowledgement=True)
    told = settings(sign_on=SignOnSettings(acknowledgement=Acknowledgement.READOUT))
    assert_all_read(run(told, Port(meter(old)), poll).result)
    result = run(SIGN_ON, Port(meter(old)), poll).result
    assert isinstance(result, TransportTimeout)
    assert str(result).startswith(
        "The meter signed on as ISK MT382-1008 and was told to speak HDLC at 9600 baud 8N1."
    )


def test_meter_that_does_not_announce_hdlc() -> None:
    habits = Habits(identification="/ELS5\\@V9.36")
    assert_all_read(run(SIGN_ON, Port(meter(habits)), poll).result)
    silent = Habits(identification="/ELS5\\@V9.36", readout_acknowledgement=True)
    result = run(SIGN_ON, Port(meter(silent)), poll).result
    assert "ELS V9.36" in str(result)
    assert "which it does not claim to do" in str(result)


def test_meter_still_in_hdlc() -> None:
    """From a session that broke off, at the usual speed: SNRM finds it."""
    direct = DirectMeter(HdlcSession(household()))
    assert_all_read(run(SIGN_ON, Port(direct), poll).result)


def test_sessions_follow_one_another() -> None:
    """Whether the meter is back in its text or still in HDLC, at the speed it offered: the user notices nothing."""
    optical = meter(Habits(identification="/ISK4\\2MT382-1008"), 4800)
    port = Port(optical)

    async def main() -> None:
        client = DlmsClient(SIGN_ON, open_shared=port.open_transport)
        for back_in_text in (False, True, False):
            async with client:
                assert_all_read(await poll(client))
            if back_in_text:
                optical.expire()

    run_virtually(main())
    assert optical.log == ["/?!", "\x06242", "/?!", "\x06242"]


@pytest.mark.parametrize("speed", [600, 1200, 9600])
def test_meter_that_begins_at_another_speed(speed: int) -> None:
    """Few do; the standard has 300 baud."""
    start = LineSettings(speed, CharacterFormat.SEVEN_EVEN_ONE)
    optical = OpticalMeter(HdlcSession(household()), start=start)
    told = settings(sign_on=SignOnSettings(start_speed=speed))
    assert_all_read(run(told, Port(optical), poll).result)
    assert optical.log == ["/?!", "\x06252"]


def test_wrong_start_speed_says_what_came() -> None:
    at_1200 = settings(sign_on=SignOnSettings(start_speed=1200))
    conditions = Conditions(to_client=faultless, echo=drop_octets, seed=3)
    result = run(at_1200, Port(meter(), conditions), poll).result
    assert isinstance(result, TransportTimeout)
    assert "The sign-on at 1200 baud 7E1 was not answered" in str(result)


def test_impossible_start_speed() -> None:
    with pytest.raises(LocalProtocolError, match="1234 baud"):
        DlmsClient(settings(sign_on=SignOnSettings(start_speed=1234)))


def test_line_that_never_gets_quiet() -> None:
    def babble(_: object, data: bytes) -> list[tuple[float, bytes]]:
        return [(0.0, data), *((0.1, b"blah blah ") for _ in range(500))]

    conditions = Conditions(to_client=lambda r, d: iter(babble(r, d)))
    result = run(SIGN_ON, Port(meter(), conditions), poll).result
    assert isinstance(result, LinkError)
    assert "does not get quiet at" in str(result)


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0, 1.3, 2.0])
def test_connection_lost_during_the_sign_on(seconds: float) -> None:
    port = Port(meter())

    async def main() -> None:
        client = DlmsClient(SIGN_ON, open_shared=port.open_transport)
        asyncio.get_running_loop().call_later(
            seconds, lambda: port.opened[0].lose(TransportError("unplugged"))
        )
        with pytest.raises(TransportError, match="unplugged"):
            async with client:
                pass

    run_virtually(main())


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.0, 1.3, 2.0])
def test_cancelled_during_the_sign_on(seconds: float) -> None:
    port = Port(meter())

    async def main() -> None:
        async def session() -> None:
            async with DlmsClient(SIGN_ON, open_shared=port.open_transport):
                pass

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await session()
        assert not port.opened[0].open

    run_virtually(main())


def test_no_text_is_sent_where_the_line_is_open_already() -> None:
    """The endpoint's own line is what HDLC is tried at when nobody signs on."""
    slow = PORT.__class__(PORT.url, LineSettings(2400))
    direct = DirectMeter(HdlcSession(household()), LineSettings(2400))
    outcome = run(settings(slow, SignOnSettings()), Port(direct), poll)
    assert_all_read(outcome.result)


def test_session_closed_elsewhere_during_the_sign_on() -> None:
    port = Port(meter())

    async def main() -> None:
        client = DlmsClient(SIGN_ON, open_shared=port.open_transport)
        opening = asyncio.create_task(client.__aenter__())
        await asyncio.sleep(0.3)
        await client._connection.close()
        with pytest.raises(LocalProtocolError, match="closed"):
            await opening
        assert not port.opened[0].open

    run_virtually(main())
