"""An automation for the demo: what the meter counted yesterday, from its load profile."""

from typing import Final

from scripts.demo_energy import IMPORT, LOAD_PROFILE
from scripts.home_assistant_api import DOMAIN, HomeAssistant, Json

NAME: Final = "yesterday"
_MESSAGE: Final = (
    "{% set first, last = profile.rows[0]['values'], profile.rows[-1]['values'] %}"
    f"{{{{ (last['{IMPORT}'] - first['{IMPORT}']) / 1000 }}}} kWh"
)


async def save(home: HomeAssistant) -> None:
    """Save the automation as if it had been made in the user interface."""
    read_profile: dict[str, Json] = {
        "action": f"{DOMAIN}.read_profile",
        "data": {
            "device_id": await home.meter(),
            "obis": LOAD_PROFILE,
            "since": "{{ today_at() - timedelta(days=1) }}",
            "until": "{{ today_at() }}",
            "columns": [IMPORT],
        },
        "response_variable": "profile",
    }
    notify = {
        "action": "persistent_notification.create",
        "data": {"title": "Yesterday", "message": _MESSAGE},
    }
    automation = {
        "alias": "What the meter counted yesterday",
        "triggers": [{"trigger": "time", "at": "06:00:00"}],
        "actions": [read_profile, notify],
    }
    await home.request("POST", f"/api/config/automation/config/{NAME}", data=automation)
