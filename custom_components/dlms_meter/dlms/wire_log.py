"""The log of the wire, on level DEBUG: `>` is sent, `<` is received. Text is made only when it is written."""

from collections.abc import Callable
import logging
from typing import Final

_LOGGER = logging.getLogger(__name__)

_LONGEST_LINE: Final = 400  # characters


class WireLog:
    """Writes down what one connection carries.

    `hides_octets` while a secret may be among them: then they are counted only, in both directions, since an optical
    head sends ours back as an echo.
    """

    def __init__(self, endpoint: object) -> None:
        self.hides_octets = False
        self._endpoint = endpoint

    def octets(self, direction: str, octets: bytes) -> None:
        """Write down what goes over the wire."""
        if _LOGGER.isEnabledFor(logging.DEBUG):
            shown = (
                f"{len(octets)} octets, not shown: a secret may be in them"
                if self.hides_octets
                else octets.hex(" ")
            )
            _LOGGER.debug("%s %s %s", self._endpoint, direction, shown)

    def apdu(self, direction: str, text: Callable[[], str], remark: str = "") -> None:
        """Write down an APDU, cut to a bearable length."""
        if _LOGGER.isEnabledFor(logging.DEBUG):
            shown = text()
            if len(shown) > _LONGEST_LINE:
                shown = f"{shown[:_LONGEST_LINE]}… ({len(shown)} characters)"
            _LOGGER.debug("%s %s %s%s", self._endpoint, direction, remark, shown)

    def failed(self, what: str, error: Exception) -> None:
        """Write down what did not go well, and does not matter."""
        _LOGGER.debug("%s %s: %s", self._endpoint, what, error)
