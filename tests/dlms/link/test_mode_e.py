"""The sign-on of IEC 62056-21, mode E: recorded identifications, and every way the conversation can go."""

import pytest

from custom_components.dlms_meter.dlms.errors import (
    DecodeError,
    LinkError,
    LocalProtocolError,
)
from custom_components.dlms_meter.dlms.link.mode_e import (
    Acknowledgement,
    Heard,
    Identification,
    SignOn,
    SignOnProcedure,
    SignOnSettings,
    Turn,
    sign_on,
)
from tests.harness import Vector, each, vectors

ISKRA = b"/ISK5\\2MT382-1008\r\n"


def said(vector: Vector, direction: str) -> list[bytes]:
    """Return what one side says in a recorded sign-on."""
    if isinstance(vector.hex, str):
        return [vector.octets] if direction == "c2s" else []
    return [
        bytes.fromhex(turn["hex"]) for turn in vector.hex if turn["dir"] == direction
    ]


def recorded_identifications() -> list[bytes]:
    return [
        octets
        for vector in vectors(layer="iec62056-21")
        for octets in said(vector, "s2c")
        if octets.startswith(b"/")
    ]


@pytest.mark.parametrize("octets", recorded_identifications(), ids=repr)
def test_recorded_identifications(octets: bytes) -> None:
    found = Identification.decode(octets)
    assert found.speed == 9600
    assert octets.startswith(b"/" + found.manufacturer.encode())
    assert octets.rstrip().endswith(found.name.encode())


@pytest.mark.parametrize(
    ("octets", "expected", "speed", "offers_hdlc", "reaction"),
    [
        (ISKRA, Identification("ISK", "5", "2", "MT382-1008"), 9600, True, 0.2),
        (
            b"/ISk5MT174-0001\r\n",
            Identification("ISk", "5", "", "MT174-0001"),
            9600, False, 0.02,
        ),
        (
            b"/ELS4\\@V9.36\r\n",
            Identification("ELS", "4", "@", "V9.36"),
            4800, False, 0.2,
        ),
        (
            b"/LGZ5\\2\\3ZMG410000b.P07\n",
            Identification("LGZ", "5", "23", "ZMG410000b.P07"),
            9600, True, 0.2,
        ),
        (b"/AB C0\r\n", None, None, False, 0),
        (b"/XYZC\\2\r\n", Identification("XYZ", "C", "2", ""), None, True, 0.2),
    ],
)  # fmt: skip
def test_identification(
    octets: bytes,
    expected: Identification | None,
    speed: int | None,
    offers_hdlc: bool,
    reaction: float,
) -> None:
    found = Identification.find(octets)
    assert found == expected
    if found is not None:
        assert Identification.decode(octets) == found
        assert (found.speed, found.offers_hdlc) == (speed, offers_hdlc)
        assert found.shortest_reaction == reaction


@pytest.mark.parametrize(
    "before",
    [
        b"/?!\r\n",
        b"/?44337606!\r\n",
        b"?!\r\n",
        b"/?",
        b"\x00\xff/\x80",
        b"/ISK5\\2MT3",
    ],
)
def test_identification_behind_echo_and_garbage(before: bytes) -> None:
    assert Identification.find(before + ISKRA) == Identification.decode(ISKRA)
    with pytest.raises(DecodeError):
        Identification.decode(before + ISKRA)


@pytest.mark.parametrize("end", range(len(ISKRA)))
def test_part_of_an_identification_is_none(end: int) -> None:
    assert Identification.find(ISKRA[:end]) is None


def test_shown_as_a_person_would_write_it() -> None:
    assert str(Identification.decode(b"/ISk5MT174-0001\r\n")) == "ISK MT174-0001"
    assert str(Identification.decode(b"/XYZ5\r\n")) == "XYZ"


def begin(procedure: SignOnProcedure) -> Turn:
    return next(procedure)


def hear(procedure: SignOnProcedure, octets: bytes = b"", delay: float = 0.0) -> Turn:
    return procedure.send(Heard(octets, delay))


def end(procedure: SignOnProcedure, heard: bytes = b"") -> SignOn:
    with pytest.raises(StopIteration) as done:
        hear(procedure, heard)
    result = done.value.value
    assert isinstance(result, SignOn)
    return result


def test_whole_sign_on() -> None:
    procedure = sign_on(SignOnSettings(), 4800)
    query = begin(procedure)
    assert (query.speed, query.text, query.octets) == (300, True, b"/?!\r\n")
    assert query.patience == 2.0, "1.5 s of the meter's, the rest the network's"
    assert not query.enough(b"/?!\r\n")
    assert query.enough(b"/?!\r\n" + ISKRA)
    assert hear(procedure, ISKRA, 0.2) == Turn(300, True, patience=0.2)
    change = hear(procedure)
    assert (change.speed, change.text, change.octets) == (9600, False, b"")
    assert change.farewell == b"\x06252\r\n"
    assert change.patience == pytest.approx(0.25)
    assert not change.enough(b"\x06252\r")
    assert change.enough(b"\x06252\r\n")
    assert change.enough(b"\xff" + bytes.fromhex("06b235b28d0a")), "7E1 heard as 8N1"
    assert hear(procedure, b"\x06252\r\n") == Turn(9600, False, patience=0.2)
    assert end(procedure) == SignOn(Identification.decode(ISKRA))


def test_meter_that_confirms_nothing() -> None:
    procedure = sign_on(SignOnSettings(), 4800)
    begin(procedure)
    hear(procedure, ISKRA, 0.2)
    hear(procedure)
    assert end(procedure) == SignOn(Identification.decode(ISKRA))


def test_behind_an_echo_silence_is_waited_for() -> None:
    """An echo of the acknowledgement looks like its confirmation, and tells nothing about how fast the meter is."""
    procedure = sign_on(SignOnSettings(), 9600)
    begin(procedure)
    hear(procedure, b"/?!\r\n" + ISKRA, 1.0)
    change = hear(procedure)
    assert not change.enough(b"\x06252\r\n")
    assert change.patience == pytest.approx(0.25)
    assert end(procedure, b"\x06252\r\n") == SignOn(Identification.decode(ISKRA))


@pytest.mark.parametrize(
    ("identification", "delay", "patience"),
    [
        (ISKRA, 0.0, 0.25),
        (ISKRA, 1.0, 1.05),
        (ISKRA, 1.9, 1.55),
        (b"/ISk5\\2MT382-1008\r\n", 0.02, 0.07),
        (b"/ISk5\\2MT382-1008\r\n", 0.3, 0.35),
    ],
)
def test_confirmation_may_take_as_long_as_the_identification_did(
    identification: bytes, delay: float, patience: float
) -> None:
    procedure = sign_on(SignOnSettings(), 9600)
    begin(procedure)
    hear(procedure, identification, delay)
    assert hear(procedure).patience == pytest.approx(patience)


@each(vectors(layer="iec62056-21"))
def test_recorded_queries_and_acknowledgements(vector: Vector) -> None:
    """What clients were recorded to send, we send byte for byte; what made meters do something else, we do not."""
    [first, *others] = said(vector, "c2s")
    settings = SignOnSettings(device_address="44337606" if b"4433" in first else "")
    sent = {settings.query}
    for form in Acknowledgement:
        option = form.value.replace("Z", "5").encode()
        sent.add(b"\x06" + option + b"\r\n")
    wrong = {b"\x06052\r\n", b"\x06256\r\n", b"\x06001\r\n"}
    with_parity = {bytes.fromhex("af3f218d0a")}  # the parity is the transport's
    for octets in (first, *others):
        assert (octets in sent) is (octets not in wrong | with_parity)


def test_acknowledgement_of_old_documents() -> None:
    settings = SignOnSettings(acknowledgement=Acknowledgement.READOUT)
    procedure = sign_on(settings, 9600)
    begin(procedure)
    hear(procedure, ISKRA)
    assert hear(procedure).farewell == b"\x06050\r\n"


def test_wake_up_comes_first() -> None:
    procedure = sign_on(SignOnSettings(wake_up=True), 9600)
    wake_up = begin(procedure)
    assert wake_up == Turn(300, True, bytes(66), patience=1.6), "2.2 s of NUL"
    assert hear(procedure).octets == b"/?!\r\n"


def test_silent_meter_may_be_in_hdlc() -> None:
    procedure = sign_on(SignOnSettings(), 4800)
    query = begin(procedure)
    assert hear(procedure, b"/?!\r\n") == query, "asked twice"
    assert hear(procedure) == Turn(4800, False)
    assert end(procedure) == SignOn(None)


def test_noise_is_counted_without_the_echo() -> None:
    procedure = sign_on(SignOnSettings(attempts=1), 9600)
    begin(procedure)
    assert hear(procedure, b"/?!\r\n\xff\xfe\xfd") == Turn(9600, False)
    assert end(procedure) == SignOn(None, octets_heard=3)


def test_unknown_speed() -> None:
    procedure = sign_on(SignOnSettings(), 9600)
    begin(procedure)
    hear(procedure, b"/ISKy\\2MT382-1008\r\n")
    with pytest.raises(LinkError, match=r"ISK MT382-1008.*does not know: y"):
        hear(procedure)


@pytest.mark.parametrize("address", ["1!", "äöü", "x" * 33, "12\r\n"])
def test_impossible_address(address: str) -> None:
    with pytest.raises(LocalProtocolError, match="meter's number"):
        SignOnSettings(device_address=address)


def test_no_attempt() -> None:
    with pytest.raises(LocalProtocolError, match="at least one attempt"):
        SignOnSettings(attempts=0)
