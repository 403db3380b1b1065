r"""The sign-on of IEC 62056-21, mode E: a few lines of text at 300 baud, after which the meter speaks HDLC.

    client  /?!                the query, perhaps with the meter's number: /?44337606!
    meter   /ISK5\2MT382-1008  identification: maker, speed, enhancements (\2: "I speak HDLC"), name
    client  ACK 2 5 2          HDLC, at speed 5 (9600 baud)
    meter   ACK 2 5 2          confirmation; at the new speed, or with some at the old one, or not at all

Each line ends with CR LF. It is 7E1 up to here, and 8N1 from here on. The procedure `sign_on` is a generator: it
yields what to send at which speed, and is sent what was heard. It owns neither a line nor a clock.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum
import re
from typing import Final, NamedTuple, Self

from ..errors import DecodeError, LinkError, LocalProtocolError

SPEEDS: Final = {
    "0": 300,
    "1": 600,
    "2": 1200,
    "3": 2400,
    "4": 4800,
    "5": 9600,
    "6": 19200,
}
"""What the speed character of an identification means, in baud."""

MAX_OCTETS_HEARD = 1024
"""No answer of a sign-on is as long; a line that brings more never gets quiet."""

_END: Final = b"\r\n"
_HDLC: Final = "2"

# The longest reaction of a meter, and what adapters and networks may add.
_REACTION_TIME: Final = 1.5
_PATIENCE: Final = 0.5
# Nobody answers sooner than this after the other has ended; a small third letter of the maker tells the shorter time.
_SHORTEST_REACTION: Final = 0.2
_SHORTEST_FAST_REACTION: Final = 0.02
# So much longer than with its identification a meter may be with its confirmation. One that has nothing to confirm
# listens at the new speed by then.
_SETTLING_TIME: Final = 0.05
# Battery meters wake up from 2.2 s of NUL characters and want a pause of 1.5 to 1.7 s after them.
_WAKE_UP_TIME: Final = 2.2
_WAKE_UP_PAUSE: Final = 1.6

# Maker, speed character, enhancements, name. An echo of the query begins with "/?" and stands before it.
_IDENTIFICATION: Final = re.compile(
    rb"/([A-Za-z]{3})([!-\[\]-~])((?:\\[!-~])*)([^\r\n/]{0,64})\r?\n"
)
_SEVEN_BITS: Final = bytes(octet & 0x7F for octet in range(256))


class Acknowledgement(Enum):
    """How the client tells the meter to change to HDLC; Z stands for the speed character."""

    HDLC = "2Z2"
    """What mode E asks for."""
    READOUT = "0Z0"
    """The form in old Gurux documents, for the meters that were built after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOnSettings:
    """How to sign on.

    `device_address` is the meter's number where several share a line (at most 32 letters, digits and spaces).
    `software_parity` makes 7E1 on a port that stays at 8N1. `attempts` counts queries.
    `response_timeout` is seconds of silence after the query. `settling_time` is how many seconds longer than with its
    identification a meter may be with its confirmation, or without a word with its change to the new speed.
    Raises `LocalProtocolError` for an address that cannot be sent.
    """

    device_address: str = ""
    start_speed: int = 300
    software_parity: bool = False
    acknowledgement: Acknowledgement = Acknowledgement.HDLC
    wake_up: bool = False
    attempts: int = 2
    response_timeout: float = _REACTION_TIME + _PATIENCE
    settling_time: float = _SETTLING_TIME

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9A-Za-z ]{0,32}", self.device_address):
            raise LocalProtocolError(
                f"'{self.device_address}' cannot be a meter's number: up to 32 letters, digits and spaces"
            )
        if self.attempts < 1:
            raise LocalProtocolError("the sign-on needs at least one attempt")

    @property
    def query(self) -> bytes:
        """The first line, to the meter with our number or to any."""
        return b"/?" + self.device_address.encode() + b"!" + _END


@dataclass(frozen=True, slots=True)
class Identification:
    r"""Who answered: three letters of its maker, the speed it offers, its name.

    `enhancements` are the letters that followed a backslash each: 2 announces HDLC, others are kept (`/ELS4\@V9.36`).
    """

    manufacturer: str
    speed_character: str
    enhancements: str
    name: str

    @classmethod
    def find(cls, heard: bytes) -> Self | None:
        """Find the identification in what came from the line, behind echo and garbage; None when there is none."""
        found = list(_IDENTIFICATION.finditer(heard))
        if not found:
            return None
        maker, speed, enhancements, name = (
            group.decode("latin-1") for group in found[-1].groups()
        )
        return cls(maker, speed, enhancements.replace("\\", ""), name.strip())

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode one whole identification message. Raises `DecodeError`."""
        found = cls.find(data)
        if found is None or _IDENTIFICATION.fullmatch(data) is None:
            raise DecodeError("this is not an identification of IEC 62056-21", 0)
        return found

    @property
    def speed(self) -> int | None:
        """The speed it offers in baud; None when the standard does not know its speed character."""
        return SPEEDS.get(self.speed_character)

    @property
    def offers_hdlc(self) -> bool:
        r"""It announces HDLC (`\2`). Some that speak it do not."""
        return _HDLC in self.enhancements

    @property
    def shortest_reaction(self) -> float:
        """Seconds that each side leaves the other to get ready; less for makers whose third letter is small."""
        fast = self.manufacturer[2].islower()
        return _SHORTEST_FAST_REACTION if fast else _SHORTEST_REACTION

    def __str__(self) -> str:
        """Show maker and name."""
        return f"{self.manufacturer.upper()} {self.name}".strip()


def _never(_: bytes) -> bool:
    return False


class Turn(NamedTuple):
    """One step on the line: be at this speed, send, and listen.

    `farewell` goes out before the speed is changed, `octets` after. Listening ends when `enough` is content with what was
    heard, or after `patience` seconds of silence, counted from the last octet sent or heard.
    """

    speed: int
    text: bool
    """7E1 when true, else the 8N1 of HDLC."""
    octets: bytes = b""
    farewell: bytes = b""
    patience: float = 0.0
    enough: Callable[[bytes], bool] = _never


class Heard(NamedTuple):
    """What the line brought in a turn, so many seconds after ours was said."""

    octets: bytes
    delay: float = 0.0


class SignOn(NamedTuple):
    """What came of it. Without identification, the meter may be in HDLC already, or not there; `octets_heard` of noise."""

    identification: Identification | None
    octets_heard: int = 0


type SignOnProcedure = Generator[Turn, Heard, SignOn]


def sign_on(settings: SignOnSettings, hdlc_speed: int) -> SignOnProcedure:
    """Bring meter and line to HDLC.

    A meter that does not identify itself may still be in HDLC, from a session that broke off: the line is then set to
    `hdlc_speed` (baud), and HDLC will show. Raises `LinkError` when the meter offers a speed that does not exist.
    """
    start, query = settings.start_speed, settings.query
    if settings.wake_up:
        octets = bytes(round(_WAKE_UP_TIME * start / 10))
        yield Turn(start, True, octets, patience=_WAKE_UP_PAUSE)
    noise = 0
    for _ in range(settings.attempts):
        heard = yield Turn(
            start, True, query, b"", settings.response_timeout, _identified
        )
        identification = Identification.find(heard.octets)
        if identification is not None:
            reaction = identification.shortest_reaction
            yield Turn(start, True, patience=reaction)
            change = _change(settings, identification, heard)
            confirmation = yield change
            if change.enough(confirmation.octets):
                # SNRM answers the confirmation, and leaves the meter the reaction time to change to 8N1. Clients by others
                # leave it anything from no time at all (jDLMS) to a whole second (Gurux).
                yield Turn(change.speed, False, patience=reaction)
            return SignOn(identification)
        noise += len(heard.octets.replace(query, b""))
    yield Turn(hdlc_speed, False)
    return SignOn(None, noise)


def _identified(heard: bytes) -> bool:
    return Identification.find(heard) is not None


def _change(
    settings: SignOnSettings, identification: Identification, heard: Heard
) -> Turn:
    """Tell the meter to change to HDLC, and change.

    Its confirmation is known when it comes as the standard has it: at the new speed, though still in 7E1. At the old one
    it is noise, and behind an optical head that sends echoes it may be one: it is over when the line is quiet.
    """
    speed = identification.speed
    if speed is None:
        raise LinkError(
            f"The meter ({identification}) offers a speed that IEC 62056-21 does not know: {identification.speed_character}."
            " Its answer may be damaged: check the position of the optical head, and try again."
        )
    option = settings.acknowledgement.value.replace("Z", identification.speed_character)
    acknowledgement = b"\x06" + option.encode() + _END

    def confirmed(octets: bytes) -> bool:
        return octets.translate(_SEVEN_BITS).endswith(acknowledgement)

    echoes = _IDENTIFICATION.match(heard.octets) is None
    reaction = min(
        max(identification.shortest_reaction, 0 if echoes else heard.delay),
        _REACTION_TIME,
    )
    return Turn(
        speed,
        False,
        farewell=acknowledgement,
        patience=reaction + settings.settling_time,
        enough=_never if echoes else confirmed,
    )
