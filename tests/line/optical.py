"""The far end of a line: meters that hear only what is sent at their own speed and format."""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
import re
from typing import NamedTuple, Protocol

from custom_components.dlms_meter.dlms import CharacterFormat, LineSettings
from tests.transports import Meter

TEXT = LineSettings(300, CharacterFormat.SEVEN_EVEN_ONE)

_SEVEN_BITS = {
    CharacterFormat.SEVEN_EVEN_ONE,
    CharacterFormat.SEVEN_EVEN_ONE_IN_SOFTWARE,
}
_SPEED_CHARACTERS = {
    300: "0",
    600: "1",
    1200: "2",
    2400: "3",
    4800: "4",
    9600: "5",
    19200: "6",
}


class Saying(NamedTuple):
    """What a meter says, so long after it was asked, at these line settings."""

    delay: float
    octets: bytes
    line: LineSettings


class LineMeter(Protocol):
    """A meter at the end of a serial line, which is set as it wants it now."""

    line: LineSettings

    def hear(self, data: bytes, line: LineSettings) -> Iterable[Saying]:
        """Take what was sent at these line settings."""

    def idle(self) -> Iterable[Saying]:
        """Hear that the line is silent for longer than within a frame."""

    def expire(self) -> None:
        """The inactivity time-out is over."""

    def close(self) -> None:
        """The line is cut."""


def even_parity(data: bytes) -> bytes:
    return bytes(o & 0x7F | (o & 0x7F).bit_count() % 2 << 7 for o in data)


def as_heard(data: bytes, sent: LineSettings, heard: LineSettings) -> bytes:
    """Return what a receiver makes of octets that were sent at other line settings than its own.

    One that wants even parity does not take octets whose eighth bit, of whatever meaning, is not as it should be.
    """
    if sent.speed != heard.speed:
        random = Random(data)
        return random.randbytes(max(1, len(data) * heard.speed // sent.speed))
    from_text, to_text = sent.character in _SEVEN_BITS, heard.character in _SEVEN_BITS
    if from_text and not to_text:
        return even_parity(data)
    if to_text and not from_text:
        return bytes(octet & 0x7F for octet in data if octet.bit_count() % 2 == 0)
    return bytes(octet & 0x7F for octet in data) if to_text else data


class DirectMeter:
    """A meter that speaks HDLC from the start, at one speed."""

    def __init__(
        self, session: Meter, line: LineSettings | None = None, delay: float = 0.2
    ) -> None:
        self.line = line or LineSettings()
        self._session = session
        self._delay = delay

    def hear(self, data: bytes, line: LineSettings) -> Iterable[Saying]:
        yield from self._say(
            self._session.receive_data(as_heard(data, line, self.line))
        )

    def idle(self) -> Iterable[Saying]:
        yield from self._say(self._session.line_idle())

    def expire(self) -> None:
        self._session.close()

    def close(self) -> None:
        self._session.close()

    def _say(self, octets: bytes) -> Iterable[Saying]:
        if octets:
            yield Saying(self._delay, octets, self.line)


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a meter signs on. `confirmation` is at the `old` speed, the `new` one, or `none`."""

    identification: str = "/ISK5\\2MT382-1008"
    number: str = ""
    """The only number it answers to, besides none at all."""
    confirmation: str = "none"
    reaction: float = 0.2
    readout_acknowledgement: bool = False
    """It wants ACK 0 Z 0 for HDLC."""
    asleep: bool = False
    """It needs to be woken up by NUL characters."""


class OpticalMeter:
    """A meter that begins in the text of IEC 62056-21 at 300 baud, and speaks HDLC after the sign-on (mode E).

    `log` has every line of text it understood.
    """

    def __init__(
        self,
        session: Meter,
        habits: Habits | None = None,
        *,
        hdlc_speed: int = 9600,
        delay: float = 0.2,
        start: LineSettings = TEXT,
    ) -> None:
        self.habits = habits or Habits()
        self.line = self._start = start
        self.log: list[str] = []
        self._awake = not self.habits.asleep
        self._hdlc = LineSettings(hdlc_speed)
        self._session = session
        self._delay = delay
        self._text = bytearray()

    @property
    def in_hdlc(self) -> bool:
        return self.line == self._hdlc

    def hear(self, data: bytes, line: LineSettings) -> Iterable[Saying]:
        heard = as_heard(data, line, self.line)
        if self.in_hdlc:
            yield from self._say(self._session.receive_data(heard))
            return
        self._text += heard
        self._awake = self._awake or bytes(60) in self._text
        while b"\n" in self._text and not self.in_hdlc:
            text, _, rest = bytes(self._text).partition(b"\n")
            self._text[:] = rest
            yield from self._answer(text.decode("latin-1").strip("\r\0"))

    def idle(self) -> Iterable[Saying]:
        if self.in_hdlc:
            yield from self._say(self._session.line_idle())

    def expire(self) -> None:
        self._session.close()
        self._text.clear()
        self.line = self._start

    def close(self) -> None:
        """Stay as it is: nobody tells a meter that its probe was taken off."""

    def _say(self, octets: bytes) -> Iterable[Saying]:
        if octets:
            yield Saying(self._delay, octets, self.line)

    def _answer(self, text: str) -> Iterable[Saying]:
        habits = self.habits
        if self._awake and (query := re.search(r"/\?(.*)!$", text)):
            self.log.append(query[0])
            if query[1] in ("", habits.number):
                octets = f"{habits.identification}\r\n".encode()
                yield Saying(habits.reaction, octets, self.line)
            return
        speed = _SPEED_CHARACTERS[self._hdlc.speed]
        wanted = (
            f"\x060{speed}0" if habits.readout_acknowledgement else f"\x062{speed}2"
        )
        if not text.endswith(wanted):
            return
        self.log.append(wanted)
        old, self.line = self.line, self._hdlc
        confirmation = f"{wanted}\r\n".encode()
        if habits.confirmation == "old":
            yield Saying(habits.reaction, confirmation, old)
        elif habits.confirmation == "new":
            yield Saying(habits.reaction, even_parity(confirmation), self.line)
