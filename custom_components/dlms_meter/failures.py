"""What went wrong, for people: from any error to the key of a sentence in the translations. One table for all."""

from datetime import timedelta
from typing import Final, NamedTuple

from homeassistant.const import CONF_PASSWORD

from .const import CONF_ENCRYPTION_KEY, LOGGER
from .dlms import DlmsClient, DlmsError, Mechanism, Symptom, symptom_of
from .settings import InvalidSettings

_FIELDS: Final = {
    Symptom.WRONG_PASSWORD: CONF_PASSWORD,
    Symptom.WRONG_KEY: CONF_ENCRYPTION_KEY,
}
"""The field to look at; the whole form for all others."""

_REFUSALS: Final = {
    Symptom.ASSOCIATION_REJECTED,
    Symptom.CONTEXT_REFUSED,
    Symptom.AUTHENTICATION_WANTED,
    Symptom.WRONG_KEY,
    Symptom.COUNTER_REFUSED,
}
"""The meter was reached, and did not let us in: some lock themselves for minutes when they are asked again soon."""
_SECRETS_HELP: Final = {
    Symptom.AUTHENTICATION_WANTED,
    Symptom.WRONG_PASSWORD,
    Symptom.WRONG_KEY,
}
"""What only another password or other keys help against."""
_POLLS_AT_USUAL_PACE: Final = 3
"""So often in a row may a line fail before it is left alone for longer."""
_LONGEST_AFTER_FAILURE: Final = timedelta(minutes=15)
_AFTER_REFUSAL: Final = timedelta(minutes=5)
_LONGEST_AFTER_REFUSAL: Final = timedelta(hours=1)
_MOST_DOUBLINGS: Final = 16


_RUNGS: Final = (*Symptom, "identity_incomplete", "another_meter")
"""How far a conversation can come, from the first step to the last; on the last two the meter is read, and is not ours."""


class Failure(NamedTuple):
    """What to show at which field of a form; `reason` are the words of the client, in English."""

    key: str
    reason: str = ""
    field: str = "base"


def how_far(failure: Failure | None) -> dict[str, str | int]:
    """Return for a bug report how far the last conversation came: to its end, or to which rung of the ladder."""
    if failure is None:
        return {"came_to": "its end"}
    rungs = list(map(str, _RUNGS))
    return {
        "came_to": str(failure.key),
        "rung": rungs.index(failure.key) + 1,
        "of": len(rungs),
        "reason": failure.reason,
    }


def is_refusal(key: str) -> bool:
    """Tell whether the meter was reached and did not let us in."""
    return key in _REFUSALS


def pause_after(key: str, failures: int, interval: timedelta) -> timedelta:
    """Return how long to leave a meter alone after so many polls failed in a row, the last one as `key` says.

    It doubles with each failure up to a limit; `interval` between polls that succeed is the least.
    """
    if key in _REFUSALS:
        shortest, longest = max(interval, _AFTER_REFUSAL), _LONGEST_AFTER_REFUSAL
        doublings = failures - 1
    else:
        shortest, longest = interval, _LONGEST_AFTER_FAILURE
        doublings = failures - _POLLS_AT_USUAL_PACE
    pause = shortest * (1 << min(max(doublings, 0), _MOST_DOUBLINGS))
    return min(pause, max(longest, interval))


def secrets_are_wanted(key: str, *, lasting: bool) -> bool:
    """Tell whether to stop and ask for other secrets: `key` says what went wrong, `lasting` that it did not for the first time.

    A noisy line may bring one message that looks whole and cannot be deciphered; what a meter says itself is sure.
    """
    return key in _SECRETS_HELP and (lasting or key != Symptom.WRONG_KEY)


def failure_of(error: Exception, client: DlmsClient | None) -> Failure:
    """Say what went wrong with a conversation that `client` led; what nobody expected is logged."""
    if isinstance(error, InvalidSettings):
        return Failure(error.error, field=error.field)
    if isinstance(error, DlmsError) and client is not None:
        symptom = symptom_of(error, client.statistics)
        if (
            symptom is Symptom.WRONG_PASSWORD
            and client.settings.mechanism is Mechanism.HLS_GMAC
        ):
            symptom = Symptom.WRONG_KEY  # there is no password
        return Failure(symptom, str(error), _FIELDS.get(symptom, "base"))
    if isinstance(error, DlmsError):
        return Failure(Symptom.INVALID_SETTINGS, str(error))
    LOGGER.error("Unexpected fault while talking to the meter", exc_info=error)
    return Failure("unknown")
