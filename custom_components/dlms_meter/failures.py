"""What went wrong, for people: from any error to the key of a sentence in the translations. One table for all."""

from typing import Final, NamedTuple

from homeassistant.const import CONF_PASSWORD

from .const import CONF_ENCRYPTION_KEY, LOGGER
from .dlms import DlmsClient, DlmsError, Symptom, symptom_of
from .settings import InvalidSettings

_FIELDS: Final = {
    Symptom.WRONG_PASSWORD: CONF_PASSWORD,
    Symptom.WRONG_KEY: CONF_ENCRYPTION_KEY,
}
"""The field to look at; the whole form for all others."""


class Failure(NamedTuple):
    """What to show at which field of a form; `reason` are the words of the client, in English."""

    key: str
    reason: str = ""
    field: str = "base"


def failure_of(error: Exception, client: DlmsClient | None) -> Failure:
    """Say what went wrong with a conversation that `client` led; what nobody expected is logged."""
    if isinstance(error, InvalidSettings):
        return Failure(error.error, field=error.field)
    if isinstance(error, DlmsError) and client is not None:
        symptom = symptom_of(error, client.statistics)
        return Failure(symptom, str(error), _FIELDS.get(symptom, "base"))
    if isinstance(error, DlmsError):
        return Failure(Symptom.INVALID_SETTINGS, str(error))
    LOGGER.error("Unexpected fault while talking to the meter", exc_info=error)
    return Failure("unknown")
