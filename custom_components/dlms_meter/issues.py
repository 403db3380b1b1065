"""What a user has to decide about a meter: raised for Home Assistant's repairs when it is noticed, gone when its cause is."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util

from .const import DOMAIN

_FAR_OFF: Final = timedelta(minutes=5)
"""A third of the usual period of a load profile: readings are soon booked to the wrong one."""
_RIGHT_AGAIN: Final = timedelta(minutes=2)
_POLLS_TO_BE_SURE: Final = 3
"""Home Assistant's own clock may be wrong for a while after a start."""

DATA_ENTRY_ID: Final = "entry_id"
DATA_ISSUE: Final = "issue"
DATA_PORT: Final = "port"
DATA_COUNTER: Final = "counter"
DATA_METER: Final = "meter"


class Issue(StrEnum):
    """What can be asked."""

    METER_EXCHANGED = "meter_exchanged"
    CLOCK_OFF = "clock_off"
    CLOCK_OFF_LOCKED = "clock_off_locked"
    """… and only the operator can set it."""
    COUNTER_REFUSED = "counter_refused"
    COUNTER_UNANSWERED = "counter_unanswered"
    """… perhaps: the meter does not say so."""
    PORT_MOVED = "port_moved"


_UNTIL_READ: Final = (
    Issue.METER_EXCHANGED,
    Issue.COUNTER_REFUSED,
    Issue.COUNTER_UNANSWERED,
    Issue.PORT_MOVED,
)
"""What a poll that succeeds shows to be over."""
_NOTHING_TO_CLICK: Final = (Issue.CLOCK_OFF_LOCKED,)


class EntryIssues:
    """The issues of one meter."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._polls_far_off = 0

    @callback
    def async_raise(
        self, issue: Issue, placeholders: dict[str, str], **data: str | int
    ) -> None:
        """Ask the user; `data` is for the dialog that helps. What he chose to ignore stays ignored."""
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id_of(issue, self._entry.entry_id),
            data={DATA_ENTRY_ID: self._entry.entry_id, DATA_ISSUE: issue, **data},
            is_fixable=issue not in _NOTHING_TO_CLICK,
            severity=ir.IssueSeverity.WARNING,
            translation_key=issue,
            translation_placeholders={"meter": self._entry.title, **placeholders},
        )

    @callback
    def async_meter_read(self) -> None:
        """Take back what cannot be while the meter is read."""
        async_forget_issues(self._hass, self._entry.entry_id, _UNTIL_READ)

    @callback
    def async_clock_seen(
        self, shown: datetime, now: datetime, *, adjustable: bool
    ) -> None:
        """Compare the meter's clock, which showed the moment `shown` at `now`, with Home Assistant's."""
        drift = abs(shown - now)
        if drift > _FAR_OFF:
            self._polls_far_off += 1
        else:
            self._polls_far_off = 0
        if drift < _RIGHT_AGAIN:
            clocks = (Issue.CLOCK_OFF, Issue.CLOCK_OFF_LOCKED)
            async_forget_issues(self._hass, self._entry.entry_id, clocks)
        issue = Issue.CLOCK_OFF if adjustable else Issue.CLOCK_OFF_LOCKED
        # The times told are those of when it was noticed: they would be others with each poll.
        if self._polls_far_off >= _POLLS_TO_BE_SURE and not self._is_raised(issue):
            self.async_raise(
                issue, {"shown": _clock_face(shown), "now": _clock_face(now)}
            )

    def _is_raised(self, issue: Issue) -> bool:
        issue_id = issue_id_of(issue, self._entry.entry_id)
        known = ir.async_get(self._hass).async_get_issue(DOMAIN, issue_id)
        return known is not None and known.active


def issue_id_of(issue: Issue, entry_id: str) -> str:
    """Return what Home Assistant knows an issue by."""
    return f"{issue}_{entry_id}"


@callback
def async_forget_issues(
    hass: HomeAssistant, entry_id: str, issues: tuple[Issue, ...] = tuple(Issue)
) -> None:
    """Take back issues of an entry, if they are raised."""
    for issue in issues:
        ir.async_delete_issue(hass, DOMAIN, issue_id_of(issue, entry_id))


def _clock_face(moment: datetime) -> str:
    """Return a time as every language can read it."""
    return dt_util.as_local(moment).strftime("%Y-%m-%d %H:%M:%S")
