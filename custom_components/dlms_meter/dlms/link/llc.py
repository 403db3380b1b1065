"""The LLC header that stands before each APDU in HDLC, in its first segment only (IEC 62056-46)."""

COMMAND = b"\xe6\xe6\x00"
RESPONSE = b"\xe6\xe7\x00"
LENGTH = 3


def has_llc(information: bytes) -> bool:
    """Tell whether `information` begins with an LLC header, of either direction.

    Some meters answer with the header of a command, E6 E6 00, instead of E6 E7 00.
    """
    return information.startswith((RESPONSE, COMMAND))


def strip_llc(information: bytes) -> bytes:
    """Return the APDU that follows the LLC header.

    Without a header all of `information` is the APDU: the Landis+Gyr E450 sends the header only in the first frame of
    a block transfer.
    """
    return information[LENGTH:] if has_llc(information) else information
