"""What to attach to a bug report: how the meter is reached and what it holds, without telling whose it is."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Final

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant

from .anonymity import Anonymiser
from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .descriptions import meaning_of
from .dlms import CosemObject, DlmsDateTime, Quantity, Value, unit_symbol
from .trace import RECEIVED, SENT

_SECRET_KEYS: Final = {
    CONF_HOST,
    CONF_PASSWORD,
    "authentication_key",
    "dedicated_key",
    "device",
    "encryption_key",
    "global_unicast_key",
    "master_key",
    "serial_port",
    "system_title",
}
_TELLING: Final = {"invocation_counter"}
"""Numbers that are nobody's business."""
_HARMLESS: Final = {"active_tariff", "firmware", "firmware_version", "meter_type"}
"""Texts that many meters have in common."""
_SMALLEST_NUMBER: Final = 10_000


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: DlmsConfigEntry
) -> dict[str, Any]:
    """Return what is known of the meter, and what was said; names, numbers and addresses of people are replaced."""
    coordinator = entry.runtime_data
    facts = {
        "entry": {
            "title": entry.title,
            "unique_id": entry.unique_id,
            "data": async_redact_data(dict(entry.data), _SECRET_KEYS),
            "options": dict(entry.options),
        },
        "identity": {
            **asdict(coordinator.identity),
            "manufacturer": coordinator.identity.manufacturer,
        },
        "session": _session(coordinator),
        "objects": {
            str(item.logical_name): _object(item) for item in coordinator.memory.objects
        },
        "sub_meters": {
            str(channel): asdict(sub_meter)
            for channel, sub_meter in coordinator.memory.sub_meters.items()
        },
        "readings": _readings(coordinator),
    }
    anonymiser = Anonymiser(*_identities(coordinator))
    cleaned: dict[str, Any] = anonymiser.json(facts)
    cleaned["trace"] = _trace(coordinator, anonymiser)
    return cleaned


def _identities(coordinator: DlmsCoordinator) -> tuple[set[str], set[bytes]]:
    """Return texts and octets that tell whose meter it is, or open it."""
    entry, identity = coordinator.config_entry, coordinator.identity
    texts = {text for key, text in _flat(entry.data) if key in _SECRET_KEYS} | {
        entry.title,
        *identity.unique_ids,
    }
    texts |= {identity.logical_device_name or "", identity.serial_number or ""}
    texts |= {s.identification or "" for s in coordinator.memory.sub_meters.values()}
    octets = {_octets_of(text) for text in texts}
    for attribute, value in coordinator.data.values.items():
        meaning = meaning_of(attribute)
        if meaning is not None and not meaning.text and meaning.key not in _TELLING:
            continue
        if meaning is not None and meaning.key in _HARMLESS:
            continue
        if isinstance(value, str):
            texts.add(value)
        elif isinstance(value, bytes):
            octets.add(value)
        elif isinstance(value, int) and value >= _SMALLEST_NUMBER:
            texts.add(str(value))
    return texts, octets


def _flat(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the texts of nested settings with their keys."""
    for key, value in data.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        elif isinstance(value, str):
            yield key, value


def _octets_of(text: str) -> bytes:
    """Return the octets of what may be a key or password in hex digits; none if it is not."""
    try:
        return bytes.fromhex(text.lower().removeprefix("0x"))
    except ValueError:
        return b""


def _trace(
    coordinator: DlmsCoordinator, anonymiser: Anonymiser
) -> list[dict[str, Any]]:
    """Return the last sessions, for scripts/replay."""
    sessions = []
    for session in coordinator.trace.kept():
        clean = dict[str, list[bytes]]()
        for way in (SENT, RECEIVED):
            clean[way] = anonymiser.octets([a for w, a in session.apdus if w == way])
        parts = {way: iter(apdus) for way, apdus in clean.items()}
        sessions.append(
            {
                "begun": session.begun.isoformat(),
                "error": session.error and anonymiser.text(session.error),
                "is_cut": session.is_cut,
                "apdus": [
                    f"{way} {next(parts[way]).hex()}" for way, _ in session.apdus
                ],
            }
        )
    return sessions


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
        "clock": readings.clock.to_storage(),
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
