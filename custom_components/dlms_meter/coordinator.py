"""Polling: one complete session a poll, and what Home Assistant makes of its errors."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from operator import is_
from typing import Final, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    HomeAssistantError,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .const import CONF_CHANGE_SETTINGS, CONF_SUPPLY_SWITCH, DOMAIN, LOGGER
from .counters import async_get_counter
from .descriptions import CLOCK_CLASS
from .dlms import (
    AttributeDescriptor,
    ClientMemory,
    DecodeError,
    DlmsClient,
    DlmsDateTime,
    DlmsError,
    Identity,
    InvocationCounterRefused,
    LocalProtocolError,
    Symptom,
)
from .failures import Failure, is_refusal, pause_after, secrets_are_wanted
from .issues import DATA_COUNTER, DATA_METER, EntryIssues, Issue
from .logical_devices import async_offer_logical_devices, sap_assignments
from .plan import (
    EntityPlan,
    is_adjustable,
    plan_entities,
)
from .plausibility import PlausibilityGuard
from .poll import FailuresLog, Readings, async_read, believed
from .ports import async_ask_about_port, async_failure_of
from .readings import with_choice
from .sessions import MeterSessions
from .settings import poll_interval
from .storage import MeterMemory, MeterStore, async_take_over
from .sub_meters import find_sub_meters, identity_attributes
from .trace import Occasion, Trace

type DlmsConfigEntry = ConfigEntry[DlmsCoordinator]

_OBJECTS_LAST: Final = timedelta(days=1)
"""A firmware or a technician may add objects: the list is read anew after this time."""
_SUB_METERS_LAST: Final = timedelta(hours=1)
_SAVE_DELAY: Final = 600
_FAILURES_TO_BE_SURE: Final = 3
"""A line that loses a message now and then looks the same."""


class DlmsCoordinator(DataUpdateCoordinator[Readings]):
    """Reads one meter.

    A poll may come back partial: what the meter refuses to tell concerns only the entity that shows it.
    """

    config_entry: DlmsConfigEntry
    memory: MeterMemory  # there from the first successful poll on
    session_seconds: float = 0.0
    """How long the last complete poll took."""

    def __init__(self, hass: HomeAssistant, entry: DlmsConfigEntry) -> None:
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=entry.title,
            update_interval=poll_interval(entry.options),
        )
        assert entry.unique_id is not None
        self.unique_id = entry.unique_id
        self.trace = Trace()
        self.issues = EntryIssues(hass, entry)
        self._sessions = MeterSessions(hass, entry, self.trace, self._check_identity)
        self._failures = 0  # polls in a row
        self.failure: Failure | None = None
        """What went wrong with the last poll, if it did."""
        self._store = MeterStore(hass, entry.entry_id)
        self._kept: MeterMemory | None = None
        self._guard = PlausibilityGuard({})
        self._plans: Sequence[EntityPlan] = ()
        self._planned_by: tuple[object, object, object] = (None, None, None)
        self._failing = FailuresLog(entry.title)
        self._objects_read: datetime | None = None
        self._sub_meters_read: datetime | None = None

    @override
    async def _async_setup(self) -> None:
        """Fetch what is known of the meter already: from the config flow that just ran, or from the storage."""
        counter = await async_get_counter(self.hass, self.config_entry.entry_id)
        self._kept, used = async_take_over(self.hass, self.unique_id)
        if used is not None:
            await counter.async_save(used)
        if self._kept is None:
            self._kept = await self._store.async_load()
        else:
            await self._store.async_save(self._kept)
        if self._kept is not None:
            self._guard = PlausibilityGuard(self._kept.accepted)
        try:
            kept = self._kept.learned if self._kept else {}
            learned = ClientMemory.from_storage(kept) if kept else None
        except DecodeError:
            learned = None  # it is learned anew
        self._sessions.begin_with(counter, learned)

    @property
    def client(self) -> DlmsClient:
        """The client that leads the sessions."""
        return self._sessions.client

    @property
    def identity(self) -> Identity:
        """Who answered in the last session that was begun."""
        return self._sessions.identity

    def plans(self) -> Sequence[EntityPlan]:
        """Return the entities of this meter; they are thought over only when the meter or the options have changed."""
        memory, options = self.memory, self.config_entry.options
        basis = (memory.objects, memory.sub_meters, options)
        if not all(map(is_, basis, self._planned_by, strict=True)):
            plans = plan_entities(
                memory,
                with_switch=bool(options.get(CONF_SUPPLY_SWITCH)),
                with_settings=bool(options.get(CONF_CHANGE_SETTINGS)),
            )
            self._plans, self._planned_by = with_choice(plans, options), basis
        return self._plans

    def entity_unique_id(self, plan: EntityPlan) -> str:
        """Return what an entity of this meter is known by."""
        return f"{self.device_id(plan.channel)}_{plan.key}"

    def device_id(self, channel: int) -> str:
        """Return what the device of a sub-meter is known by, or with channel 0 the meter itself.

        A sub-meter that is exchanged is another device.
        """
        if not channel:
            return self.unique_id
        number = self.memory.sub_meters[channel].identification
        return f"{self.unique_id}_{number or f'channel_{channel}'}"

    @callback
    def async_remember(self) -> None:
        """Keep what was learned, a while later: it changes with every poll."""
        self._note()
        self._store.async_delay_save(self.memory, _SAVE_DELAY)

    async def async_save(self) -> None:
        """Keep what was learned, now."""
        self._note()
        await self._store.async_save(self.memory)

    def _note(self) -> None:
        """Put what was learned in the last sessions into what is kept."""
        self.memory.accepted = self._guard.accepted
        self.memory.learned = self.client.memory.to_storage()

    @callback
    def async_ports_changed(
        self, added: Collection[object], removed: Collection[object]
    ) -> None:
        """Try again at once when an adapter is plugged in: it may be ours, under whatever name."""
        if added and not self.last_update_success:
            self.config_entry.async_create_background_task(
                self.hass, self.async_refresh(), f"{self.name}: adapter plugged in"
            )

    def async_session(
        self, occasion: Occasion = Occasion.ACTION
    ) -> AbstractAsyncContextManager[DlmsClient]:
        """Lead one session with the meter, after making sure that it is ours. Others wait for their turn.

        Raises `DlmsError`, and what `_check_identity` raises.
        """
        return self._sessions.async_lead(occasion)

    @property
    def is_refused(self) -> bool:
        """The meter does not let us in with the secrets we have; nothing is tried before there are others."""
        return self._sessions.is_refused

    @override
    async def _async_update_data(self) -> Readings:
        """Run one session with the meter."""
        begin = self.hass.loop.time()
        try:
            readings = await self._sessions.async_run(Occasion.POLL, self._async_read)
        except LocalProtocolError:
            raise  # a fault of this integration: it belongs into the log with its traceback
        except DlmsError as error:
            raise await self._async_failed(error) from error
        self._failures, self.failure = 0, None
        self.issues.async_meter_read()
        self._compare_clock(readings)
        self.session_seconds = self.hass.loop.time() - begin
        return readings

    async def _async_failed(self, error: DlmsError) -> HomeAssistantError:
        """Return what Home Assistant is told, and ask the user where he can help."""
        self.failure = failure = await async_failure_of(self.hass, error, self.client)
        self._failures += 1
        await self._async_ask(error, failure)
        return self._failed(error, failure)

    async def _async_ask(self, error: DlmsError, failure: Failure) -> None:
        """Ask the user where he can help with what went wrong."""
        if isinstance(error, InvocationCounterRefused):
            self.issues.async_raise(
                Issue.COUNTER_REFUSED,
                {"wanted": str(error.expected)},
                **{DATA_COUNTER: error.expected},
            )
        elif failure.key == Symptom.COUNTER_UNANSWERED:
            counter = await async_get_counter(self.hass, self.config_entry.entry_id)
            used = None if self._kept is None else counter.value
            if used is not None and self._failures >= _FAILURES_TO_BE_SURE:
                self.issues.async_raise(
                    Issue.COUNTER_UNANSWERED, {}, **{DATA_COUNTER: used}
                )
        elif failure.key == Symptom.PORT_MISSING:
            await async_ask_about_port(self.hass, self.config_entry, self.issues)

    def _failed(self, error: DlmsError, failure: Failure) -> HomeAssistantError:
        """Return what Home Assistant is told of a poll that failed, in the words of the ladder."""
        lasting = self.data is None or self._failures > 1
        if secrets_are_wanted(failure.key, lasting=lasting):
            # Nothing is polled after this until the user gave another password or key: meters lock themselves.
            self._sessions.refuse(error)
            return ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key=failure.sentence,
                translation_placeholders=dict(failure.placeholders),
            )
        interval = poll_interval(self.config_entry.options)
        pause = pause_after(failure.key, self._failures, interval)
        # Before the first reading Home Assistant tries again at a pace of its own, which is too fast only for who refused us.
        waits = is_refusal(failure.key) or self.data is not None
        return UpdateFailed(
            translation_domain=DOMAIN,
            translation_key=failure.sentence,
            translation_placeholders=dict(failure.placeholders),
            retry_after=pause.total_seconds() if waits else None,
        )

    async def async_record(self) -> None:
        """Read everything as if nothing were known of the meter, so that the trace has all of it.

        Raises `DlmsError`, and what `_check_identity` raises.
        """
        async with self.async_session(Occasion.RECORDING) as client:
            client.memory, learned = replace(client.memory, profiles={}), client.memory
            self.memory, kept = replace(self.memory, scaler_units={}), self.memory
            try:
                await client.identity()
                objects = await client.objects()
                await client.read(identity_attributes(objects), {})
                planned = [a for plan in self.plans() for a in plan.attributes]
                wanted = list(dict.fromkeys(planned))
                await async_read(client, wanted, self.memory.scaler_units)
            finally:
                client.memory, self.memory = learned, kept

    async def _async_read(self) -> Readings:
        """See whether the meter has changed, then read what is wanted of it."""
        changed = await self._async_renew_memory()
        known = len(self.memory.scaler_units)
        failing = self.data.failed if self.data is not None else {}
        without_unit = [a for a in failing if self.memory.unit_of(a) is None]
        report, rows = await async_read(
            self.client, self._wanted(), self.memory.scaler_units
        )
        readings = believed(self.client, self._guard, self.name, report, rows)
        if changed or len(self.memory.scaler_units) != known:
            await self.async_save()
        # What an entity counts in is settled when it is made.
        changed |= any(self.memory.unit_of(a) is not None for a in without_unit)
        if changed and self.data is not None:
            LOGGER.info(
                "%s: the meter changed; loading again to see its objects as they are now",
                self.name,
            )
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        shown = {plan.attributes[0] for plan in self.plans() if plan.attributes}
        self._failing.note(readings, shown)
        self.async_remember()
        return readings

    def _check_identity(self, identity: Identity) -> None:
        """Refuse another meter: an address can come to belong to one, and its readings are not this one's."""
        if self.unique_id in identity.unique_ids:
            return
        if self._kept is not None and self._kept.tells_more_than(identity):
            self.failure = Failure("identity_incomplete")
            raise UpdateFailed(
                translation_domain=DOMAIN, translation_key="identity_incomplete"
            )
        if not self.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, identity.unique_id
        ):
            self.issues.async_raise(
                Issue.METER_EXCHANGED,
                {"new_meter": identity.title},
                **{DATA_METER: identity.unique_id},
            )
        self.failure = Failure("another_meter")
        raise UpdateFailed(translation_domain=DOMAIN, translation_key="another_meter")

    def _compare_clock(self, readings: Readings) -> None:
        """See whether the meter's clock is far off."""
        for item in self.memory.objects:
            if item.class_id != CLOCK_CLASS:
                continue
            clock = AttributeDescriptor(CLOCK_CLASS, item.logical_name, 2)
            stamp = readings.values.get(clock)
            if not isinstance(stamp, DlmsDateTime):
                continue
            now, zone = readings.read_at, dt_util.get_default_time_zone()
            shown = readings.clock.moment(stamp, zone, now=now)
            if shown is not None:
                self.issues.async_clock_seen(shown, now, adjustable=is_adjustable(item))
            return

    async def _async_renew_memory(self) -> bool:
        """Read what the meter is made of when it is not known, or may have changed; tell whether it is another now."""
        now = dt_util.utcnow()
        memory = self._kept
        if self._objects_read is None:
            self._objects_read = now  # what was kept is good enough to begin with
        is_known = memory is not None and memory.fits(self.identity)
        if memory is not None and is_known and now - self._objects_read < _OBJECTS_LAST:
            self.memory = memory
            return await self._async_find_sub_meters(now)
        objects = await self.client.objects()
        self._objects_read = now
        if memory is not None and is_known and memory.objects == objects:
            self.memory = memory
            return await self._async_find_sub_meters(now)
        self.memory = self._kept = MeterMemory(self.identity, objects)
        self._sub_meters_read = None
        await self._async_find_sub_meters(now)
        return True

    async def _async_find_sub_meters(self, now: datetime) -> bool:
        """See who is connected to the M-Bus channels; tell whether somebody else is."""
        if (
            self._sub_meters_read is not None
            and now - self._sub_meters_read < _SUB_METERS_LAST
        ):
            return False
        self._sub_meters_read = now
        wanted = identity_attributes(self.memory.objects)
        devices = sap_assignments(self.memory.objects)
        report = await self.client.read([*wanted, *devices], self.memory.scaler_units)
        async_offer_logical_devices(
            self.hass, self.config_entry, self.identity.unique_ids, report.values
        )
        if not report.failed.keys().isdisjoint(wanted) and self.memory.sub_meters:
            return False  # who was there is not taken for gone because the meter would not say
        sub_meters = find_sub_meters(self.memory.objects, report.values)
        if sub_meters == self.memory.sub_meters:
            return False
        self.memory.sub_meters = sub_meters
        return True

    def _wanted(self) -> list[AttributeDescriptor]:
        """Return what to read: what the living entities show, or before there are any, what they will show."""
        planned = self.plans()
        wanted = {
            attribute for context in self.async_contexts() for attribute in context
        } or self._expected(planned)
        return [
            attribute
            for attribute in dict.fromkeys(
                attribute for plan in planned for attribute in plan.attributes
            )
            if attribute in wanted
        ]

    def _expected(self, planned: Sequence[EntityPlan]) -> set[AttributeDescriptor]:
        """Return what the entities about to be made will show: those nobody has disabled."""
        registry = er.async_get(self.hass)

        def enabled(plan: EntityPlan) -> bool:
            unique_id = self.entity_unique_id(plan)
            entity_id = registry.async_get_entity_id(plan.platform, DOMAIN, unique_id)
            if entity_id is None or (entity := registry.async_get(entity_id)) is None:
                return plan.enabled
            return not entity.disabled

        return {
            attribute
            for plan in planned
            if enabled(plan)
            for attribute in plan.attributes
        }
