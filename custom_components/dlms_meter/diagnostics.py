"""What to attach to a bug report: how the meter is reached and what it holds, without telling whose it is."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.const import CONF_HOST, CONF_PASSWORD
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .anonymity import Anonymiser, replace_there, without_words
from .const import CONF_SERIAL_PORT, CONF_SIGN_ON_NUMBER, LOGGER
from .coordinator import DlmsConfigEntry, DlmsCoordinator
from .dlms import (
    AccessMode,
    CosemObject,
    DlmsError,
    Exchange,
    Identity,
    Value,
    exchanges,
    unit_symbol,
)
from .failures import how_far
from .identities import Telling, telling_in
from .trace import SessionTrace

_SECRET_KEYS: Final = {
    CONF_HOST,
    CONF_PASSWORD,
    CONF_SERIAL_PORT,
    CONF_SIGN_ON_NUMBER,
    "device",
}
_SECRET_ENDINGS: Final = ("_key", "_title", "_secret", "_counter")
_LONGEST_RECORDING: Final = 180
"""Seconds: 300 objects by way of an optical head, and some."""
_SHORTEST_TEXT: Final = 4
"""Shorter ones are not told from chance elsewhere: here they are not shown at all."""
_LONGEST_ANSWER_IN_CLEAR: Final = 12
"""Octets of a message that is no value; of longer ones that nobody understands, words are taken out."""

_DIGITS_OF_A_NUMBER: Final = 6
"""Names of types have fewer."""

type Json = Any  # whatever JSON holds


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: DlmsConfigEntry
) -> dict[str, Json]:
    """Return what is known of the meter, and what was said; names, numbers and addresses of people are replaced.

    A meter that can be read is read once more, all of it, so that the conversation is complete.
    """
    coordinator: DlmsCoordinator | None = getattr(entry, "runtime_data", None)
    if coordinator is not None and coordinator.last_update_success:
        await _async_record(coordinator)
    return await hass.async_add_executor_job(_cleaned, _collect(entry, coordinator))


async def _async_record(coordinator: DlmsCoordinator) -> None:
    """Read the meter once more, for the trace."""
    try:
        async with asyncio.timeout(_LONGEST_RECORDING):
            await coordinator.async_record()
    except (DlmsError, HomeAssistantError, TimeoutError) as error:
        LOGGER.debug("%s: the recording is not complete: %s", coordinator.name, error)


@dataclass(frozen=True, slots=True)
class _Collected:
    """All there is to tell, and what of it must not be told."""

    facts: dict[str, Json]
    sessions: list[SessionTrace]
    telling: Telling
    objects: Sequence[CosemObject] = ()
    harmless: Collection[str] = ()


def _collect(entry: DlmsConfigEntry, coordinator: DlmsCoordinator | None) -> _Collected:
    facts: dict[str, Json] = {"entry": _entry(entry)}
    telling = Telling()
    telling.texts |= _texts_of_entry(entry)
    if coordinator is None:
        return _Collected(facts, [], telling)
    facts["ladder"] = how_far(coordinator.failure)
    facts["session"] = _session(coordinator)
    sessions = [
        replace(session, apdus=list(session.apdus))
        for session in coordinator.trace.kept()
    ]
    if not hasattr(coordinator, "memory"):  # never read
        return _Collected(facts, sessions, telling)
    facts |= _meter(coordinator)
    harmless = set(_types_of(coordinator.identity))
    if coordinator.data is not None:
        telling.add_values(coordinator.data.values.items())
    telling.texts -= harmless
    telling.octets -= {text.encode() for text in harmless}
    telling.texts |= _texts_of_meter(coordinator)
    objects = coordinator.memory.objects
    return _Collected(facts, sessions, telling, objects, harmless)


def _cleaned(collected: _Collected) -> dict[str, Json]:
    """Take out what tells whose it is: that takes long."""
    heard = [list(exchanges(session.apdus)) for session in collected.sessions]
    told = [telling_in(found, collected.objects, collected.harmless) for found in heard]
    texts = collected.telling.texts.union(*(telling.texts for telling in told))
    octets = collected.telling.octets.union(*(telling.octets for telling in told))
    anonymiser = Anonymiser(texts, octets | set(map(_octets_of, texts)))
    cleaned: dict[str, Json] = anonymiser.json(collected.facts)
    cleaned["trace"] = [
        _trace(session, found, telling, anonymiser)
        for session, found, telling in zip(collected.sessions, heard, told, strict=True)
    ]
    return cleaned


def _entry(entry: DlmsConfigEntry) -> dict[str, Json]:
    """Return how the meter was set up."""
    secret = {key for key in entry.data if _is_secret(key)}
    return {
        "title": entry.title,
        "unique_id": entry.unique_id,
        "state": entry.state.value,
        "reason": entry.reason,
        "data": async_redact_data(dict(entry.data), secret),
        "options": dict(entry.options),
    }


def _is_secret(key: str) -> bool:
    return key in _SECRET_KEYS or key.endswith(_SECRET_ENDINGS)


def _texts_of_entry(entry: DlmsConfigEntry) -> set[str]:
    """Return texts that tell where the meter is and what opens it, or whose it is."""
    texts = {entry.title, entry.unique_id or ""}
    for key, value in entry.data.items():
        if _is_secret(key) and isinstance(value, str):
            texts |= {value, "".join(value.split())}
    port: str = entry.data.get(CONF_SERIAL_PORT, "")
    url = urlsplit(port)
    texts |= {url.hostname or "", url.username or "", url.password or ""}
    texts |= {value for _, value in parse_qsl(url.query)}
    # The name of an adapter has its serial number; /dev/ttyUSB0 tells nothing.
    if "/by-id/" in port:
        texts.add(port.rpartition("/")[2])
    return texts


def _texts_of_meter(coordinator: DlmsCoordinator) -> set[str]:
    """Return the names of the meter and of what is connected to it."""
    identity = coordinator.identity
    names = {identity.logical_device_name or "", identity.serial_number or ""}
    sub_meters = coordinator.memory.sub_meters.values()
    return names.union(
        identity.unique_ids, (s.identification or "" for s in sub_meters)
    )


def _types_of(identity: Identity) -> Iterator[str]:
    """Yield what many meters have in common: their type, and not what is a number all the same; their firmware."""
    for text in (identity.device_type, identity.firmware):
        if text and sum(map(str.isdecimal, text)) < _DIGITS_OF_A_NUMBER:
            yield text


def _octets_of(text: str) -> bytes:
    """Return the octets of what may be a key or password in hex digits; none if it is not."""
    try:
        return bytes.fromhex(text.lower().removeprefix("0x"))
    except ValueError:
        return b""


def _session(coordinator: DlmsCoordinator) -> dict[str, Json]:
    """Return how sessions go: what was agreed on, how good the line is, what failed how often."""
    client = coordinator.client
    negotiated = asdict(client.negotiated)
    error = coordinator.last_exception
    learned = client.memory.to_storage()
    del learned["short_names"]  # the objects have them
    return {
        "negotiated": negotiated
        | {"conformance": [flag.name for flag in negotiated["conformance"]]},
        "learned": learned,
        "line_in_last_session": asdict(client.statistics),
        "line_since_start": asdict(client.totals),
        "sessions_since_start": dict(coordinator.trace.sessions),
        "errors_since_start": dict(coordinator.trace.errors),
        "seconds_of_last_poll": coordinator.session_seconds,
        "last_poll_succeeded": coordinator.last_update_success,
        "last_error": error and f"{type(error).__name__}: {error}",
    }


def _meter(coordinator: DlmsCoordinator) -> dict[str, Json]:
    """Return what the meter is made of, and the last readings."""
    memory, readings = coordinator.memory, coordinator.data
    identity = coordinator.identity
    return {
        "identity": asdict(identity) | {"manufacturer": identity.manufacturer},
        "objects": {
            f"{item.class_id}/{item.logical_name}": _object(item)
            for item in memory.objects
        },
        "sub_meters": {
            str(channel): asdict(sub_meter)
            for channel, sub_meter in memory.sub_meters.items()
        },
        "readings": {
            "read_at": readings.read_at.isoformat(),
            "clock": readings.clock.to_storage(),
            "values": {
                str(attribute): _shown(value)
                for attribute, value in readings.values.items()
            },
            "rows": {str(name): len(rows) for name, rows in readings.rows.items()},
            "failed": {
                str(attribute): str(error)
                for attribute, error in readings.failed.items()
            },
            "scaler_units": {
                str(attribute): f"10^{scaler} {unit_symbol(unit) or unit}"
                for attribute, (scaler, unit) in memory.scaler_units.items()
            },
        },
    }


def _object(item: CosemObject) -> str:
    """Return version and rights of an object, as the meter says them."""
    place = "" if item.base_name is None else f", at {item.base_name:04X}"
    return (
        f"version {item.version}{place}"
        f"; attributes: {_rights(item.attribute_access)}; methods: {_rights(item.method_access)}"
    )


def _rights(access: Mapping[int, AccessMode]) -> str:
    said = [
        f"{index} {(mode.name or '-').replace('|', ' ').lower()}"
        for index, mode in access.items()
    ]
    return ", ".join(said) or "not said"


def _shown(value: Value) -> str:
    """Return a value; of what may tell something and is too short to be replaced, or too long to be read, only the kind."""
    if isinstance(value, bytes):
        return f"{len(value)} octets" if len(value) < _SHORTEST_TEXT else value.hex()
    if isinstance(value, str) and len(value) < _SHORTEST_TEXT:
        return "text"
    if type(value) is tuple:
        return f"{len(value)} elements"
    return str(value)


def _trace(
    session: SessionTrace,
    found: Sequence[Exchange],
    telling: Telling,
    anonymiser: Anonymiser,
) -> dict[str, Json]:
    """Return what was said in one session, for scripts/replay."""
    understood = {number for exchange in found for number in exchange.messages}
    messages = [
        apdu
        if sent or number in understood or len(apdu) <= _LONGEST_ANSWER_IN_CLEAR
        else without_words(apdu)
        for number, (sent, apdu) in enumerate(session.apdus)
    ]
    pairs = {pair for exchange in found for pair in pairwise(exchange.messages)}
    messages = anonymiser.octets(messages, pairs)
    for there, secret, other in telling.replacements():
        messages = replace_there(messages, there, secret, other)
    return {
        "occasion": session.occasion,
        "begun": session.begun.isoformat(),
        "error": session.error and anonymiser.text(session.error),
        "is_cut": session.is_cut,
        "apdus": [
            f"{'>' if sent else '<'} {apdu.hex()}"
            for (sent, _), apdu in zip(session.apdus, messages, strict=True)
        ],
    }
