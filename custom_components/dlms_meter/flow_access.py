"""The last steps of the set-up dialog: as whom the meter is read, and reading it for the first time."""

from asyncio import Task
from collections.abc import Mapping
from secrets import token_hex
from typing import Any, Final

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigFlow,
    ConfigFlowResult,
)
from homeassistant.data_entry_flow import AbortFlow

from . import flow_schemas as schemas
from .channel import async_get_channel
from .const import (
    CONF_MECHANISM,
    CONF_READINGS,
    CONF_SYSTEM_TITLE,
    LOGGER,
    MECHANISM_HLS_GMAC,
    MECHANISM_HLS_MD5,
    MECHANISM_LLS,
    MECHANISM_NONE,
)
from .counters import SavedCounter, async_get_counter
from .dlms import (
    Access,
    ClientMemory,
    ClientSettings,
    DlmsClient,
    Identity,
    Symptom,
)
from .exchange import async_go_on_with
from .failures import Failure, failure_of
from .ports import async_failure_of
from .readings import async_offer, async_read_samples, chosen, readings_schema
from .settings import (
    SECRET_KEYS,
    SECTION_EXPERT,
    SYSTEM_TITLE_LENGTH,
    InvalidSettings,
    client_settings,
    from_input,
    level_of,
)
from .storage import MeterMemory, async_hand_over

_CONNECTED_FRACTION: Final = 0.1
_IDENTIFIED_FRACTION: Final = 0.2
_TYPICAL_OBJECT_LIST: Final = 20_000
"""Octets of a usual object list: the meter does not say beforehand how long its own is."""

_MECHANISMS: Final = {
    Access.OPEN: MECHANISM_NONE,
    Access.PASSWORD: MECHANISM_LLS,
    Access.KEYS: MECHANISM_HLS_GMAC,
}
"""What a level means where its form does not ask."""
_TITLED: Final = (Access.CHALLENGE, Access.KEYS)
"""Levels at which the client needs a name of its own."""


class AnotherMeter(Exception):
    """Somebody else than the meter of the entry answers: `identity`."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity.title)
        self.identity = identity


class AccessSteps(ConfigFlow):
    """From a meter whose address is known to its entry."""

    _data: dict[str, Any]
    """The entry to be, as far as it is known."""
    _level: Access = Access.OPEN
    _likely: Access = Access.PASSWORD
    _told: str = ""
    """What was found, in words, where the meter had to be found."""
    _reading: Task[MeterMemory] | None = None
    _client: DlmsClient | None = None
    _learned: ClientMemory | None = None
    """What a search has learned of the meter; for the next client only, that no other meter is taken for it."""
    _memory: MeterMemory
    _counter: SavedCounter | None = None
    """One for all tries of this dialog: no value may be used twice with a key."""
    _other: Identity

    async def async_step_level(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what the user has to show the meter; the likeliest comes first."""
        levels = sorted(Access, key=lambda level: level is not self._likely)
        return self.async_show_menu(
            step_id="level",
            menu_options=[f"access_{level.value}" for level in levels],
            description_placeholders={"found": self._told and f"{self._told}\n\n"},
        )

    async def async_step_access_open(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read as anybody may."""
        return await self._async_access(Access.OPEN, user_input)

    async def async_step_access_password(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read with a password."""
        return await self._async_access(Access.PASSWORD, user_input)

    async def async_step_access_challenge(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read with a password that is never sent."""
        return await self._async_access(Access.CHALLENGE, user_input)

    async def async_step_access_keys(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Read with keys."""
        return await self._async_access(Access.KEYS, user_input)

    async def _async_access(
        self, level: Access, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Ask for what a level needs, check it, and try it."""
        self._level = level
        if user_input is None:
            if level_of(self._data) is not level:
                self._data[CONF_MECHANISM] = _MECHANISMS.get(level, MECHANISM_HLS_MD5)
            return self._show_access()
        known = {
            key: value for key, value in self._data.items() if key not in SECRET_KEYS
        }
        # What experts leave empty is empty, also where something was before.
        expert = schemas.expert_fields(level)
        known = {key: value for key, value in known.items() if key not in expert}
        known[CONF_MECHANISM] = _MECHANISMS.get(level)
        if level in _TITLED:
            known[CONF_SYSTEM_TITLE] = self._data.get(CONF_SYSTEM_TITLE) or token_hex(
                SYSTEM_TITLE_LENGTH
            )
        try:
            self._data = from_input(known | user_input)
        except InvalidSettings as invalid:
            self._data = known | flat(user_input)
            return self._show_access(failure_of(invalid, None))
        return await self.async_step_read()

    def _show_access(self, failure: Failure | None = None) -> ConfigFlowResult:
        """Show the form of a level, filled in with what is known; secrets are typed again."""
        schema = schemas.access(self._level)
        known = {
            key: value for key, value in self._data.items() if key not in SECRET_KEYS
        }
        return self.async_show_form(
            step_id=f"access_{self._level.value}",
            data_schema=self.add_suggested_values_to_schema(
                schema,  # type: ignore[arg-type]
                known | {SECTION_EXPERT: known},
            ),
            errors=errors_at(schema, failure),
            description_placeholders=blanks(failure),
        )

    async def async_step_read(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show progress while the meter is asked who it is and what it holds."""
        if self._reading is None:
            self._reading = self.hass.async_create_task(
                self._async_read(), "read the meter", eager_start=False
            )
        if not self._reading.done():
            return self.async_show_progress(
                step_id="read",
                progress_action="read_meter",
                progress_task=self._reading,
            )
        return self.async_show_progress_done(next_step_id="read_done")

    async def async_step_read_done(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with the meter that answered, or back to the form with what went wrong."""
        assert self._reading is not None
        reading, self._reading = self._reading, None
        try:
            self._memory = await reading
        except AbortFlow:
            raise
        except AnotherMeter as other:
            return await self._async_other(other.identity)
        except Exception as error:  # noqa: BLE001  the flow's last line of defence: failure_of() logs what it does not know
            return self._show_failure(await self._async_failed(error))
        if self.source == SOURCE_RECONFIGURE:
            async_hand_over(self.hass, self._memory, None)
            return self.async_update_reload_and_abort(
                self._get_reconfigure_entry(), data=self._data
            )
        return await self.async_step_readings()

    def _show_failure(self, failure: Failure) -> ConfigFlowResult:
        """Show the form in which it can be mended that the meter could not be read."""
        return self._show_access(failure)

    async def async_step_readings(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose from what the meter offers, then keep it."""
        offer = await async_offer(self.hass, self._memory, self._samples)
        if user_input is None and offer:
            return self.async_show_form(
                step_id="readings",
                data_schema=readings_schema(offer),  # type: ignore[arg-type]
                description_placeholders={"meter": self._memory.identity.title},
            )
        async_hand_over(self.hass, self._memory, (await self._async_counter()).value)
        return self.async_create_entry(
            title=self._memory.identity.title,
            data=self._data,
            options={CONF_READINGS: chosen(user_input or {})},
        )

    async def _async_read(self) -> MeterMemory:
        """Talk to the meter in one session. Raises `DlmsError`, or `AbortFlow` when it is not the meter wanted."""
        settings = client_settings(self._data)
        client = await self._async_client(settings)
        async with async_get_channel(self.hass, settings.endpoint), client:
            self.async_update_progress(_CONNECTED_FRACTION)
            identity = await client.identity()
            await self._async_check(identity)
            objects = await client.objects(self._update_progress)
            memory = MeterMemory(identity, objects)
            self._samples = await async_read_samples(client, memory)
            memory.learned = client.memory.to_storage()
        return memory

    async def _async_failed(self, error: Exception) -> Failure:
        """Return what to say of a try that failed."""
        failure = await async_failure_of(self.hass, error, self._client)
        if failure.key == Symptom.PROTOCOL_ERROR:  # the user is asked to report it
            LOGGER.warning("The meter was not understood: %s", failure.reason)
        return failure

    async def _async_client(self, settings: ClientSettings) -> DlmsClient:
        """Make the client of this try, for a turn of its channel."""
        counter = await self._async_counter()
        channel = async_get_channel(self.hass, settings.endpoint)
        learned, self._learned = self._learned, None
        self._client = DlmsClient(
            settings,
            memory=learned,
            open_shared=channel.opener(settings.framing),
            invocation_counter=counter.value,
            save_invocation_counter=counter.async_save,
        )
        return self._client

    async def _async_counter(self) -> SavedCounter:
        """Return the invocation counter of the entry, or of the one to be."""
        if self._counter is None:
            entry_id = self.context.get("entry_id")
            self._counter = (
                await async_get_counter(self.hass, entry_id)
                if entry_id
                else SavedCounter()
            )
        return self._counter

    async def _async_other(self, other: Identity) -> ConfigFlowResult:
        """Go on when another meter answers than that of the entry."""
        if self.hass.config_entries.async_entry_for_domain_unique_id(
            self.handler, other.unique_id
        ):
            return self.async_abort(reason="another_meter")
        self._other = other
        return await self.async_step_exchanged()

    async def async_step_exchanged(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the meter was exchanged; if so, go on with the new one."""
        entry = (
            self._get_reconfigure_entry()
            if self.source == SOURCE_RECONFIGURE
            else self._get_reauth_entry()
        )
        if user_input is None:
            return self.async_show_form(
                step_id="exchanged",
                data_schema=schemas.NOTHING,  # type: ignore[arg-type]
                description_placeholders={
                    "meter": entry.title,
                    "new_meter": self._other.title,
                },
            )
        await async_go_on_with(self.hass, entry, self._other, self._data)
        return self.async_abort(reason=f"{self.source}_successful")

    async def _async_check(self, identity: Identity) -> None:
        """Take the meter if it is new, or the one of the entry. Raises `AbortFlow`, or `AnotherMeter`."""
        if self.source == SOURCE_RECONFIGURE:
            check_identity(self._get_reconfigure_entry().unique_id, identity)
            return
        # A dialog left open somewhere else must not lock the user out.
        await self.async_set_unique_id(identity.unique_id, raise_on_progress=False)
        self._abort_if_unique_id_configured()

    def _update_progress(self, octets: int) -> None:
        """Move on with the octets of the object list that have come; how many follow is a guess."""
        fraction = octets / (octets + _TYPICAL_OBJECT_LIST)
        self.async_update_progress(
            _IDENTIFIED_FRACTION + (1 - _IDENTIFIED_FRACTION) * fraction
        )


def check_identity(unique_id: str | None, identity: Identity) -> None:
    """Make sure that this is the meter of an entry. Raises `AnotherMeter`."""
    if unique_id not in identity.unique_ids:
        raise AnotherMeter(identity)


def errors_at(schema: schemas.Schema, failure: Failure | None) -> dict[str, str]:
    """Return the errors of a form; what belongs to no field that can be seen belongs to the whole."""
    if failure is None:
        return {}
    field = failure.field if failure.field in schema.schema else "base"
    return {field: failure.sentence}


def blanks(failure: Failure | None) -> dict[str, str]:
    """Return what to fill in where a form says what went wrong."""
    return dict(failure.placeholders) if failure else {}


def flat(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a form and its section together."""
    values = {**user_input, **user_input.get(SECTION_EXPERT, {})}
    values.pop(SECTION_EXPERT, None)
    return values
