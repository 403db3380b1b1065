"""The log of the wire, on level DEBUG: `>` is sent, `<` is received. Text is made only when it is written."""

from collections.abc import Callable
import logging
from typing import Final

from .link import Link
from .link.hdlc import HdlcLink
from .link.hdlc_frame import FrameDecoder
from .link.wrapper import WrapperDecoder, WrapperLink

_LOGGER = logging.getLogger(__name__)

_LONGEST_LINE: Final = 600  # characters

_MOST_HELD: Final = 4096
"""Octets; no frame is longer."""

_END_OF_LINE: Final = r"\n'"

_SEVEN_BITS: Final = bytes(octet & 0x7F for octet in range(256))

_DECODERS: Final[dict[type, type[FrameDecoder | WrapperDecoder]]] = {
    HdlcLink: FrameDecoder,
    WrapperLink: WrapperDecoder,
}


class WireLog:
    """Writes down what one connection carries: each frame and each APDU on a line of its own.

    Pieces of a frame, as serial lines bring them, are held until it is complete or something else is to be written.
    `hides_octets` while a secret may be among them: then they are counted only, in both directions, since an optical
    head sends ours back as an echo.
    """

    def __init__(self, endpoint: object, link: Link) -> None:
        self.is_read = False
        """Somebody wants to read what goes over the wire, as of the last look: asking costs more than each frame may."""
        self.hides_octets = False
        self._endpoint = endpoint
        decoder = _DECODERS.get(type(link))
        self._decoders = {} if decoder is None else {">": decoder(), "<": decoder()}
        self._pieces = b""
        self._hides_pieces = False

    def look(self) -> None:
        """See whether somebody wants to read what goes over the wire."""
        self.is_read = _LOGGER.isEnabledFor(logging.DEBUG)

    def octets(self, direction: str, octets: bytes) -> None:
        """Write down what goes over the wire, and which frames that makes."""
        decoder = self._decoders.get(direction)
        frames = [] if decoder is None else decoder.feed(octets)
        kind = "; ".join(map(str, frames))
        if direction == ">":
            self._send(octets, kind)
        else:
            self._hold(octets)
            if frames or decoder is None or len(self._pieces) > _MOST_HELD:
                self._write_pieces(kind)

    def text(self, direction: str, octets: bytes) -> None:
        """Write down what goes over the wire before the data link comes to life: lines of characters of seven bits."""
        if not _LOGGER.isEnabledFor(logging.DEBUG):
            return
        if direction == ">":
            self._send(octets, _characters(octets))
        else:
            self._hold(octets)
            kind = _characters(self._pieces)
            if kind.endswith(_END_OF_LINE) or len(self._pieces) > _MOST_HELD:
                self._write_pieces(kind)

    def apdu(self, direction: str, text: Callable[[], str], remark: str = "") -> None:
        """Write down an APDU, cut to a bearable length."""
        if _LOGGER.isEnabledFor(logging.DEBUG):
            self._write_pieces()
            shown = text()
            if len(shown) > _LONGEST_LINE:
                shown = f"{shown[:_LONGEST_LINE]}… ({len(shown)} characters)"
            _LOGGER.debug("%s %s %s%s", self._endpoint, direction, remark, shown)

    def passed_over(self, octets: bytes, remark: str) -> None:
        """Write down an APDU received that is of no use, and why."""
        self.apdu("<", lambda: _shown(octets, self.hides_octets), f"{remark}: ")

    def failed(self, what: str, error: Exception) -> None:
        """Write down what did not go well, and does not matter."""
        self._write_pieces()
        _LOGGER.debug("%s %s: %s", self._endpoint, what, error)

    def _send(self, octets: bytes, kind: str) -> None:
        self._write_pieces()
        self._write(">", octets, kind, self.hides_octets)

    def _hold(self, octets: bytes) -> None:
        self._pieces += octets
        self._hides_pieces |= self.hides_octets

    def _write_pieces(self, kind: str = "") -> None:
        """Write down what is held, if there is any."""
        pieces, is_secret = self._pieces, self._hides_pieces
        self._pieces, self._hides_pieces = b"", False
        if pieces:
            self._write("<", pieces, kind, is_secret)

    def _write(self, direction: str, octets: bytes, kind: str, is_secret: bool) -> None:
        """Write down octets, after what they are if that is known."""
        shown = _shown(octets, is_secret)
        line = f"{kind}: {shown}" if kind else shown
        _LOGGER.debug("%s %s %s", self._endpoint, direction, line)


def _shown(octets: bytes, is_secret: bool) -> str:
    if is_secret:
        return f"{len(octets)} octets, not shown: a secret may be in them"
    return octets.hex(" ")


def _characters(octets: bytes) -> str:
    return repr(octets.translate(_SEVEN_BITS).decode("ascii"))
