"""What went wrong, for people: from any error to the key of a sentence in the translations. One table for all."""

from collections.abc import Mapping
from datetime import timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT

from .const import CONF_ENCRYPTION_KEY, CONF_SERIAL_PORT, LOGGER
from .dlms import (
    AssociationRejected,
    DlmsClient,
    DlmsError,
    FrameRejected,
    Framing,
    LocalProtocolError,
    Mechanism,
    Refusal,
    ServiceError,
    Symptom,
    TransportTimeout,
    refusal_and_code,
    refusal_of,
    symptom_of,
)
from .settings import InvalidSettings

_FIELDS: Final = {
    Symptom.PORT_MISSING: CONF_SERIAL_PORT,
    Symptom.PORT_DENIED: CONF_SERIAL_PORT,
    Symptom.PORT_IN_USE: CONF_SERIAL_PORT,
    Symptom.PORT_UNUSABLE: CONF_SERIAL_PORT,
    Symptom.HOST_UNKNOWN: CONF_HOST,
    Symptom.CONNECTION_REFUSED: CONF_PORT,
    Symptom.WRONG_PASSWORD: CONF_PASSWORD,
    Symptom.WRONG_KEY: CONF_ENCRYPTION_KEY,
}
"""The field to look at, in a form that has it; the whole form for all others."""

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


_REJECTED: Final = "rejected"
_BY: Final = "by"
_USER: Final = "user"
_LONGEST_WORDS: Final = 300
_LONGEST_NAME: Final = 60

ASSOCIATION_REFUSALS: Final = (
    Refusal.NOT_NOW,
    Refusal.CALLER,
    Refusal.CALLED,
    Refusal.VERSION,
    Refusal.CONFORMANCE,
    Refusal.PDU_SIZE,
    Refusal.CODE,
)
"""Reasons not to let a client in that have a sentence of their own; any other is told by its number."""
REQUEST_REFUSALS: Final = (
    Refusal.NOT_NOW,
    Refusal.HARDWARE,
    Refusal.DENIED,
    Refusal.UNDEFINED,
    Refusal.OTHER_CLASS,
    Refusal.OTHER_TYPE,
    Refusal.SCOPE,
    Refusal.NOT_POSSIBLE,
    Refusal.CODE,
)
"""The same for reasons not to do what was asked for."""
SENTENCES: Final = (
    *Symptom,
    *(f"{Symptom.ASSOCIATION_REJECTED}_{refusal}" for refusal in ASSOCIATION_REFUSALS),
    f"{Symptom.LINK_FAILED}_{_REJECTED}",
    f"{Symptom.PORT_IN_USE}_{_BY}",
)
"""Keys of all that can be said of a conversation that failed: a rung of the ladder, and more where more is known."""
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class Failure(NamedTuple):
    """What went wrong: on which rung of the ladder, and what to show at which field of a form.

    `reason` are the words of the client, in English: for logs and bug reports. `detail` is what else is known of the
    rung, with `placeholders` to fill in.
    """

    key: str
    reason: str = ""
    field: str = "base"
    detail: str = ""
    placeholders: Mapping[str, str] = _NONE

    @property
    def sentence(self) -> str:
        """The key of what to tell the user, in the translations."""
        return f"{self.key}_{self.detail}" if self.detail else self.key

    def used_by(self, user: str) -> Failure:
        """Return the same with the name of who uses the port."""
        name = shortened(user, _LONGEST_NAME)
        return self._replace(detail=_BY, placeholders={_USER: name})


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
    ours = isinstance(error, LocalProtocolError)
    if isinstance(error, DlmsError) and client is not None and not ours:
        symptom = _symptom(error, client)
        detail, placeholders = _detail(error, symptom)
        return failure_at(symptom)._replace(
            reason=shortened(str(error)), detail=detail, placeholders=placeholders
        )
    LOGGER.error("Unexpected fault while talking to the meter", exc_info=error)
    return Failure("unknown")


def failure_at(symptom: Symptom) -> Failure:
    """Say on which rung it failed, and at which field to look; nothing else is known."""
    return Failure(symptom, field=_FIELDS.get(symptom, "base"))


def refusal_sentence(error: ServiceError) -> tuple[str, dict[str, str]]:
    """Return the key of the sentence why the meter refused a request, and what to fill in."""
    refusal = refusal_of(error.result)
    if refusal not in REQUEST_REFUSALS:
        refusal = Refusal.CODE
    return f"refused_{refusal}", _number(refusal, error.result)


def shortened(text: str, length: int = _LONGEST_WORDS) -> str:
    """Return as much of a text as anybody wants to read in an error: whatever was typed is not shown at full length."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _symptom(error: DlmsError, client: DlmsClient) -> Symptom:
    """Tell how far the conversation came, with what the settings of its client add."""
    settings = client.settings
    signed_on = client.maker is not None
    symptom = symptom_of(error, client.statistics, signed_on=signed_on)
    if symptom is Symptom.WRONG_PASSWORD and settings.mechanism is Mechanism.HLS_GMAC:
        return Symptom.WRONG_KEY  # there is no password
    if isinstance(error, TransportTimeout) and _is_counter_unanswered(client, symptom):
        return Symptom.COUNTER_UNANSWERED
    return symptom


def _is_counter_unanswered(client: DlmsClient, symptom: Symptom) -> bool:
    """Tell whether the meter took the connection, and then said nothing to the first message under its key.

    Some meters do that when they have seen a higher invocation counter. Over TCP it looks as if nobody was there: it
    counts only with a meter that has never said a word to this client.
    """
    security = client.settings.security
    if not (security and security.policy) or client.negotiated.conformance:
        return False
    if client.settings.framing is Framing.WRAPPER:
        sent, heard = client.statistics.frames_sent, client.totals.frames_received
        return symptom is Symptom.NO_ANSWER and sent > 0 and not heard
    return symptom is Symptom.ANSWER_INCOMPLETE


def _detail(error: DlmsError, symptom: Symptom) -> tuple[str, Mapping[str, str]]:
    """Return what else is known of a rung of the ladder, and what to fill in."""
    if symptom is Symptom.LINK_FAILED and isinstance(error, FrameRejected):
        return _REJECTED, _NONE
    if symptom is Symptom.ASSOCIATION_REJECTED and isinstance(
        error, AssociationRejected
    ):
        refusal, code = refusal_and_code(error)
        if refusal is None or code is None:
            return "", _NONE
        if refusal not in ASSOCIATION_REFUSALS:
            refusal = Refusal.CODE
        return refusal, _number(refusal, code)
    return "", _NONE


def _number(refusal: Refusal, code: IntEnum) -> dict[str, str]:
    """Return what to fill in where a reason is told by its number."""
    return {"code": str(int(code))} if refusal is Refusal.CODE else {}
