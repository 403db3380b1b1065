"""Why a meter did not answer, as far as the line tells: the words behind a timeout."""

from . import LinkStatistics

_REASONS = (
    (
        "frames_received",
        "frames came from the meter, but not its (whole) answer. Try again; if it happens often, improve the line or"
        " allow more time.",
    ),
    (
        "frames_ignored",
        "only frames for or from other addresses came. Check the client, logical device and physical device address.",
    ),
    (
        "bad_checks",
        "octets came, but no sound frame. Check speed and parity, the position of the optical head, and the cable.",
    ),
    (
        "octets_discarded",
        "octets came, but no frame. Check speed and parity, and whether the meter speaks this protocol here.",
    ),
    (
        "echoes",
        "only the echo of our own frames came back. Check the position of the optical head and the meter's address.",
    ),
)


def describe_silence(before: LinkStatistics, now: LinkStatistics) -> str:
    """Say what came instead of an answer between two states of the statistics, and what the user can do."""
    for counter, reason in _REASONS:
        if getattr(now, counter) > getattr(before, counter):
            return reason
    return "nothing came at all. Check the meter's address, the cable or optical head, and that nobody else is reading it."
