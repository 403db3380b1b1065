"""Why a connection cannot be opened, or was lost: the words for someone who wants to reach a meter."""

import errno
import socket
from typing import NamedTuple

_CHECK_NETWORK = (
    "check the address, the power of the meter or gateway, and the network between"
)


class _Reason(NamedTuple):
    """What stands behind an exception (with one of these error numbers, if any are given), and what to do about it."""

    kind: type[Exception]
    numbers: tuple[int, ...]
    words: str


# The first row that fits is taken.
_REASONS = (
    _Reason(TimeoutError, (), f"nothing answers; {_CHECK_NETWORK}"),
    _Reason(
        ConnectionRefusedError,
        (),
        "the connection was refused; check the port, and whether another program holds the only connection",
    ),
    _Reason(
        socket.gaierror,
        (socket.EAI_AGAIN,),
        "no name server answers; check the network this program runs in, or use the IP address",
    ),
    _Reason(
        socket.gaierror,
        (),
        "the host name is not known; check its spelling, or use the IP address",
    ),
    _Reason(
        ValueError,
        (),
        "this is not a host name; check its spelling, or use the IP address",
    ),
    _Reason(
        ConnectionError,
        (),
        "the connection was reset; another program may hold the only connection, or the gateway restarted",
    ),
    _Reason(
        FileNotFoundError,
        (),
        "there is no such serial port; plug the adapter in, and choose the port by its id (/dev/serial/by-id/…), which"
        " stays the same wherever it is plugged in",
    ),
    _Reason(
        PermissionError,
        (),
        "this program may not use the serial port; add its user to the group that owns the port (often dialout), or"
        " hand the device over to the container",
    ),
    _Reason(
        OSError,
        (errno.EBUSY,),
        "the serial port is in use; close the other program or integration that holds it, or choose another port",
    ),
    _Reason(
        OSError,
        (errno.EIO, errno.ENXIO, errno.ENODEV),
        "the serial port is gone or does not react; check whether the adapter is plugged in, and plug it in again",
    ),
    _Reason(
        OSError,
        (errno.ENOTTY, errno.EINVAL, errno.EISDIR),
        "this is no serial port, or one that cannot do these settings; check its name, the speed and the parity",
    ),
    _Reason(OSError, (), f"the network has no way there; {_CHECK_NETWORK}"),
)

_UNKNOWN = "the port cannot be used"


def describe(error: Exception) -> str:
    """Say what an exception means, and what the user can do about it.

    Of a group, one exception for each address of a host, the one that tells most counts.
    """
    errors = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
    for kind, numbers, words in _REASONS:
        for one in errors:
            number = getattr(one, "errno", None)
            if isinstance(one, kind) and (not numbers or number in numbers):
                return words
    return _UNKNOWN
