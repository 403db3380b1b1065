"""RFC 2217 as gateways really speak it, beneath serialx's own transport."""

from typing import Final, override

from serialx.platforms.serial_rfc2217 import RFC2217SerialTransport
from serialx.platforms.serial_rfc2217.types import (
    Rfc2217Command,
    SetLinestateMaskCmd,
    SetModemstateMaskCmd,
)

_NEVER_ACKNOWLEDGED: Final = (SetModemstateMaskCmd, SetLinestateMaskCmd)


class Rfc2217Transport(RFC2217SerialTransport):
    """Asks for changes of modem and line state without waiting to be told so: we need none of them.

    ser2net 4.3.11 of Debian 12 never acknowledges these two commands, and opening the port would end in a timeout.
    """

    @override
    async def _send_and_wait(self, cmd: Rfc2217Command) -> Rfc2217Command:
        """Send a command; wait for the acknowledgement of those that matter."""
        if isinstance(cmd, _NEVER_ACKNOWLEDGED):
            self._send_command(cmd)
            return cmd
        return await super()._send_and_wait(cmd)
