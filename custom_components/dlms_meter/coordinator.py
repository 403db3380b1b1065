"""Polling: one complete session a poll, and what Home Assistant makes of its errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .channel import async_get_channel
from .clock import deviation_is_reversed
from .const import DOMAIN, LOGGER, POLL_INTERVAL
from .descriptions import (
    CLOCK_CLASS,
    describe_sensor,
    entity_unique_id,
    shown_attributes,
)
from .dlms import (
    AttributeDescriptor,
    AuthenticationFailed,
    DlmsClient,
    DlmsDateTime,
    DlmsError,
    Identity,
    LocalProtocolError,
    ReadReport,
    Value,
)
from .settings import client_settings
from .storage import MeterMemory, MeterStore, async_take_over

type DlmsConfigEntry = ConfigEntry[DlmsCoordinator]


@dataclass(frozen=True, slots=True)
class Readings:
    """What one poll brought: values, and what the meter did not tell."""

    values: Mapping[AttributeDescriptor, Value]
    failed: Mapping[AttributeDescriptor, DlmsError]
    read_at: datetime
    """When the last answer came (UTC)."""
    reversed_deviation: bool
    """The meter's times are only right if their deviation is taken the wrong way round."""


class DlmsCoordinator(DataUpdateCoordinator[Readings]):
    """Reads one meter.

    A poll may come back partial: what the meter refuses to tell concerns only the entity that shows it.
    """

    config_entry: DlmsConfigEntry
    memory: MeterMemory  # there from the first successful poll on
    identity: Identity

    def __init__(self, hass: HomeAssistant, entry: DlmsConfigEntry) -> None:
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=POLL_INTERVAL,
        )
        assert entry.unique_id is not None
        self.unique_id = entry.unique_id
        self.client = DlmsClient(client_settings(entry.data))
        self._channel = async_get_channel(hass, self.client.settings.endpoint)
        self._store = MeterStore(hass, entry.entry_id)
        self._kept: MeterMemory | None = None
        self._failing: set[AttributeDescriptor] = set()

    @override
    async def _async_setup(self) -> None:
        """Fetch what is known of the meter already: from the config flow that just ran, or from the storage."""
        self._kept = async_take_over(self.hass, self.unique_id)
        if self._kept is None:
            self._kept = await self._store.async_load()
        else:
            await self._store.async_save(self._kept)

    @override
    async def _async_update_data(self) -> Readings:
        """Run one session with the meter."""
        try:
            async with self._channel, self.client:
                return await self._async_session()
        except LocalProtocolError:
            raise  # a fault of this integration: it belongs into the log with its traceback
        except AuthenticationFailed as error:
            # Nothing is polled after this until the user gave a password: meters lock themselves after a few wrong ones.
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="password_refused",
                translation_placeholders={"error": str(error)},
            ) from error
        except DlmsError as error:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="session_failed",
                translation_placeholders={"error": str(error)},
            ) from error

    async def _async_session(self) -> Readings:
        """Make sure it is our meter, then read what is wanted of it."""
        identity = await self.client.identity()
        self._check_identity(identity)
        self.identity = identity
        changed = await self._async_renew_memory(identity)
        known = len(self.memory.scaler_units)
        report = await self.client.read(self._wanted(), self.memory.scaler_units)
        readings = _readings(report)
        if changed or len(self.memory.scaler_units) != known:
            await self._store.async_save(self.memory)
        if changed and self.data is not None:
            LOGGER.info(
                "%s: the meter changed; loading again to see its objects as they are now",
                self.name,
            )
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        self._log_failures(readings)
        return readings

    def _check_identity(self, identity: Identity) -> None:
        """Refuse another meter: an address can come to belong to one, and its readings are not this one's."""
        if self.unique_id in identity.unique_ids:
            return
        if self._kept is not None and self._kept.tells_more_than(identity):
            raise UpdateFailed(
                translation_domain=DOMAIN, translation_key="identity_incomplete"
            )
        raise ConfigEntryError(
            translation_domain=DOMAIN, translation_key="another_meter"
        )

    async def _async_renew_memory(self, identity: Identity) -> bool:
        """Read the object list when none is known, or when it may have changed; tell whether that was so."""
        if self._kept is not None and self._kept.fits(identity):
            self.memory = self._kept
            return False
        self.memory = self._kept = MeterMemory(identity, await self.client.objects())
        return True

    def _wanted(self) -> list[AttributeDescriptor]:
        """Return what to read: what the living entities show, or before there are any, what they will show."""
        wanted = set(self.async_contexts()) or self._expected()
        return [
            attribute
            for attribute in shown_attributes(self.memory.objects)
            if attribute in wanted
        ]

    def _expected(self) -> set[AttributeDescriptor]:
        """Return what the entities about to be made will show: those nobody has disabled."""
        registry = er.async_get(self.hass)

        def enabled(attribute: AttributeDescriptor) -> bool:
            unique_id = entity_unique_id(self.unique_id, attribute)
            entity_id = registry.async_get_entity_id(Platform.SENSOR, DOMAIN, unique_id)
            if entity_id is None or (entity := registry.async_get(entity_id)) is None:
                return describe_sensor(attribute).entity_registry_enabled_default
            return not entity.disabled

        return {
            attribute
            for attribute in shown_attributes(self.memory.objects)
            if enabled(attribute)
        }

    def _log_failures(self, readings: Readings) -> None:
        """Log each attribute once when the meter stops telling it, and once when it tells it again."""
        for attribute in readings.failed.keys() - self._failing:
            LOGGER.warning(
                "%s: %s cannot be read: %s",
                self.name,
                attribute,
                readings.failed[attribute],
            )
        for attribute in self._failing & readings.values.keys():
            LOGGER.info("%s: %s is read again", self.name, attribute)
        self._failing = set(readings.failed)


def _readings(report: ReadReport) -> Readings:
    """Note when a report came, and how the meter's times are to be read."""
    now = dt_util.utcnow()
    reversed_deviation = any(
        isinstance(value, DlmsDateTime) and deviation_is_reversed(value, now)
        for attribute, value in report.values.items()
        if attribute.class_id == CLOCK_CLASS
    )
    return Readings(report.values, report.failed, now, reversed_deviation)
