"""Authentication: what each mechanism puts into the association request.

One row per mechanism. The HLS mechanisms will add rows here, and what they answer to the meter's challenge.
"""

from collections.abc import Callable

from ..errors import LocalProtocolError
from .enums import Mechanism

_CALLING_VALUES: dict[Mechanism, Callable[[bytes], bytes | None]] = {
    Mechanism.NONE: lambda _secret: None,
    Mechanism.LLS: lambda secret: secret,
}


def calling_authentication_value(mechanism: Mechanism, secret: bytes) -> bytes | None:
    """Return what the AARQ carries to prove who the client is; None when it carries nothing.

    Raises `LocalProtocolError` for a mechanism this client cannot do.
    """
    value = _CALLING_VALUES.get(mechanism)
    if value is None:
        raise LocalProtocolError(
            f"authentication by {mechanism.label} is not supported"
        )
    return value(secret)
