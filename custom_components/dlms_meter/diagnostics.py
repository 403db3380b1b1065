"""What to attach to a bug report: how the meter is reached and what it holds, without telling whose it is."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant

from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .dlms import CosemObject, DlmsDateTime, Quantity, Value, unit_symbol

_SECRET_KEYS: Final = {
    CONF_HOST,
    CONF_PASSWORD,
    "logical_device_name",
    "serial_number",
    "title",
    "unique_id",
}
_SHORTEST_SECRET: Final = 3
"""Anything shorter is not told from chance where it turns up inside other text."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: DlmsConfigEntry
) -> dict[str, Any]:
    """Return what is known of the meter; names, numbers and addresses of people are taken out wherever they stand."""
    coordinator = entry.runtime_data
    identity = coordinator.identity
    facts = {
        "entry": {
            "title": entry.title,
            "unique_id": entry.unique_id,
            "data": dict(entry.data),
        },
        "identity": {**asdict(identity), "manufacturer": identity.manufacturer},
        "session": _session(coordinator),
        "objects": {
            str(item.logical_name): _object(item) for item in coordinator.memory.objects
        },
        "readings": _readings(coordinator),
    }
    secrets = {entry.data[CONF_HOST], entry.data.get(CONF_PASSWORD), entry.title}
    secrets |= {
        *identity.unique_ids,
        identity.logical_device_name,
        identity.serial_number,
    }
    texts = sorted(
        (text for text in secrets if text and len(text) >= _SHORTEST_SECRET),
        key=len,
        reverse=True,
    )
    cleaned: dict[str, Any] = _without(async_redact_data(facts, _SECRET_KEYS), texts)
    return cleaned


def _session(coordinator: DlmsCoordinator) -> dict[str, Any]:
    """Return how the last session went."""
    negotiated = asdict(coordinator.client.negotiated)
    error = coordinator.last_exception
    return {
        "negotiated": {
            **negotiated,
            "conformance": [flag.name for flag in negotiated["conformance"]],
        },
        "statistics": asdict(coordinator.client.statistics),
        "last_poll_succeeded": coordinator.last_update_success,
        "last_error": error and f"{type(error).__name__}: {error}",
    }


def _object(item: CosemObject) -> str:
    """Return class, version, and which attributes the meter says can be read."""
    readable = [str(index) for index in item.attribute_access if item.readable(index)]
    return f"class {item.class_id} version {item.version}, readable: {' '.join(readable) or 'not said'}"


def _readings(coordinator: DlmsCoordinator) -> dict[str, Any]:
    """Return the last poll: what was measured as it is, of everything else only what kind of value it was."""
    readings = coordinator.data
    scaler_units = coordinator.memory.scaler_units
    return {
        "read_at": readings.read_at.isoformat(),
        "reversed_deviation": readings.reversed_deviation,
        "values": {
            str(attribute): _shown(value)
            for attribute, value in readings.values.items()
        },
        "failed": {
            str(attribute): str(error) for attribute, error in readings.failed.items()
        },
        "scaler_units": {
            str(attribute): f"10^{scaler} {unit_symbol(unit) or unit}"
            for attribute, (scaler, unit) in scaler_units.items()
        },
    }


def _shown(value: Value) -> str:
    """Return a measured value or a time; identifications hide in everything else."""
    measured = isinstance(value, Quantity) and value.symbol
    return (
        str(value)
        if measured or isinstance(value, DlmsDateTime)
        else type(value).__name__
    )


def _without(data: Any, secrets: Iterable[str]) -> Any:  # noqa: ANN401  any JSON
    """Take `secrets` out of all texts."""
    if isinstance(data, dict):
        return {key: _without(value, secrets) for key, value in data.items()}
    if isinstance(data, list):
        return [_without(value, secrets) for value in data]
    if isinstance(data, str):
        for secret in secrets:
            data = data.replace(secret, REDACTED)
    return data
