"""Let a test plugin for Home Assistant 2026.10 run on 2026.11. Delete when the plugin has caught up.

Loaded by pytest before any other plugin, for two reasons: importing Home Assistant replaces httpx, which
must happen before the test plugins import httpx; and the test plugin uses private names that moved.
"""

from typing import Any

from homeassistant.components import logger
from homeassistant.components.logger import helpers
from homeassistant.core import callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.restore_state import RestoreStateData, StoredState
import pytest

if not hasattr(logger, "_clear_logger_overwrites"):
    setattr(logger, "_clear_logger_overwrites", helpers._clear_logger_overwrites)  # noqa: B010, SLF001


@callback
def _is_new(event: er.EventEntityRegistryUpdatedData) -> bool:
    return event["action"] == "create"


def _restore(data: Any, states: dict[str, StoredState]) -> None:  # noqa: ANN401  of another release
    """Take states to restore by the names of entities, and find them again when these are registered."""
    data.last_states_by_entity_id = states
    data.hass.bus.async_listen(
        er.EVENT_ENTITY_REGISTRY_UPDATED,
        data._async_entity_registry_entry_created,  # noqa: SLF001
        event_filter=_is_new,
    )


if not hasattr(RestoreStateData, "last_states"):
    setattr(  # noqa: B010
        RestoreStateData,
        "last_states",
        property(lambda data: data.last_states_by_entity_id, _restore),
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out snapshots: they are written on the older release and spell some attributes differently."""
    snapshots = [
        item for item in items if "snapshot" in getattr(item, "fixturenames", ())
    ]
    config.hook.pytest_deselected(items=snapshots)
    items[:] = [item for item in items if item not in snapshots]
