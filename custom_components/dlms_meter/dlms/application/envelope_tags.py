"""By which octet a protected APDU is known: all that has to be known of it where nothing is ciphered.

Kept apart from `ciphering`, whose classes take time to load.
"""

from enum import IntEnum


class KeySet(IntEnum):
    """Whose keys protect: those the meter has once and for all, or the one made for this association."""

    GLOBAL = 0
    DEDICATED = 1


# Tags of the plain APDUs that have envelopes of their own, and the tags of those: glo-, ded-.
SERVICE_TAGS: dict[int, tuple[int, int]] = {
    **{
        tag: (tag + 0x20, tag + 0x40)
        for tag in (0x01, 0x05, 0x06, 0x08, 0x0C, 0x0D, 0x0E, 0x16, 0x18)
    },
    **{
        tag: (tag + 0x08, tag + 0x10)
        for tag in (0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC7)
    },
}
SERVICES: dict[int, tuple[KeySet, bytes]] = {
    tags[key_set]: (key_set, bytes((plain_tag,)))
    for plain_tag, tags in SERVICE_TAGS.items()
    for key_set in KeySet
}

GENERAL_TAGS: dict[int, KeySet] = {0xDB: KeySet.GLOBAL, 0xDC: KeySet.DEDICATED}
"""Of general-glo-ciphering and general-ded-ciphering."""

GENERAL_CIPHERING = 0xDD
GENERAL_SIGNING = 0xDF

_ENVELOPES = {*SERVICES, *GENERAL_TAGS, GENERAL_CIPHERING, GENERAL_SIGNING}


def is_envelope(octets: bytes) -> bool:
    """Tell whether an APDU is one with another inside it."""
    return bool(octets) and octets[0] in _ENVELOPES
