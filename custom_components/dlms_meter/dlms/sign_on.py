"""Carries out the sign-on of IEC 62056-21, mode E, on an open transport, before the data link comes to life."""

import asyncio
from collections.abc import Callable
from typing import cast

from .errors import DlmsError, LinkError, LocalProtocolError, TransportError
from .link.mode_e import (
    MAX_OCTETS_HEARD,
    Heard,
    Identification,
    SignOn,
    SignOnSettings,
    Turn,
    sign_on,
)
from .transport import Transport
from .transport.endpoint import CharacterFormat, LineSettings


class Signer:
    """One sign-on: sends the turns of the procedure and listens (a `Receiver`).

    `line` is how the line is set at present. Raises `LocalProtocolError` for a start speed that no line has.
    """

    def __init__(
        self,
        settings: SignOnSettings,
        line: LineSettings,
        log: Callable[[str, bytes], None],
    ) -> None:
        text = (
            CharacterFormat.SEVEN_EVEN_ONE_IN_SOFTWARE
            if settings.software_parity
            else CharacterFormat.SEVEN_EVEN_ONE
        )
        self.line = line
        self._formats = {True: text, False: line.character}
        self._start = LineSettings(settings.start_speed, text)
        self._settings = settings
        self._log = log
        self._heard = bytearray()
        self._arrived = asyncio.Event()
        self._quiet_since = 0.0
        self._answered_at = 0.0  # loop time of the first octet of a turn
        self._error: DlmsError | None = None
        self._result = SignOn(None)

    async def run(self, transport: Transport) -> None:
        """Bring meter and line to HDLC; what came of it is said, not judged.

        Raises `TransportError` when the connection cannot change its speed, or is lost, and `LinkError` when the meter
        offers a speed that does not exist, or the line does not get quiet.
        """
        procedure = sign_on(self._settings, self.line.speed)
        try:
            turn = next(procedure)
            while True:
                turn = procedure.send(await self._take(turn, transport))
        except StopIteration as done:
            self._result = cast(SignOn, done.value)
        finally:
            procedure.close()

    @property
    def identification(self) -> Identification | None:
        """Who answered, if anybody did."""
        return self._result.identification

    @property
    def outcome(self) -> str:
        """Say what came of it, for errors that come up later."""
        identification, noise = self._result
        if identification is None:
            came = f"only {noise} octets of noise came" if noise else "nothing came"
            return f"The sign-on at {self._start} was not answered ({came}), so HDLC was tried at {self.line}."
        doubt = "" if identification.offers_hdlc else ", which it does not claim to do"
        return f"The meter signed on as {identification} and was told to speak HDLC at {self.line}{doubt}."

    def data_received(self, data: bytes) -> None:
        """Note what the line brings, and when."""
        now = asyncio.get_running_loop().time()
        if not self._heard:
            self._answered_at = now
        self._heard += data
        self._quiet_since = max(self._quiet_since, now)
        self._arrived.set()

    def connection_lost(self, error: TransportError | None) -> None:
        """End the sign-on, also because the session is closed elsewhere."""
        self._error = error or LocalProtocolError("the session is closed")
        self._arrived.set()

    async def _take(self, turn: Turn, transport: Transport) -> Heard:
        """Change the line, send, and listen until there is enough, or silence."""
        line = LineSettings(turn.speed, self._formats[turn.text])
        if turn.farewell:
            self._log(">", turn.farewell)
        await transport.set_line(line, turn.farewell)
        self.line = line
        self._heard.clear()
        now = asyncio.get_running_loop().time()
        said = self._quiet_since = now + len(turn.octets) * line.octet_time
        if turn.octets:
            self._log(">", turn.octets)
            transport.write(turn.octets)
        while not turn.enough(bytes(self._heard)) and await self._hear_more(
            turn.patience
        ):
            if len(self._heard) > MAX_OCTETS_HEARD:
                raise LinkError(
                    f"The line does not get quiet at {line}: check for other senders, and the position of the optical head."
                )
        # An octet takes its time, too, before it is heard.
        delay = max(self._answered_at - said - line.octet_time, 0.0)
        return Heard(bytes(self._heard), delay)

    async def _hear_more(self, patience: float) -> bool:
        """Wait for octets; tell whether any came before the silence was too long."""
        try:
            async with asyncio.timeout_at(self._quiet_since + patience):
                await self._arrived.wait()
        except TimeoutError:
            return False
        self._arrived.clear()
        if self._error is not None:
            raise self._error
        return True
