"""The middle of the set-up dialog: which meter it is, or where it is, found by a scan or told by the user."""

from asyncio import Task
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.translation import async_get_translations

from . import flow_schemas as schemas
from .channel import async_get_channel
from .const import (
    CONF_CLIENT_SAP,
    CONF_FRAMING,
    CONF_MECHANISM,
    CONF_PHYSICAL_DEVICE,
    CONF_SERIAL_PORT,
    CONF_SPEED,
    DEFAULT_SPEED,
    DOMAIN,
    FRAMING_HDLC,
    MECHANISM_NONE,
)
from .dlms import (
    METERS,
    Access,
    Approach,
    ClientMemory,
    Found,
    Line,
    Probe,
    ScanReport,
    find_meter,
)
from .failures import Failure, failure_at, failure_of
from .flow_access import blanks, flat
from .flow_connection import NOT_CONNECTED, ConnectionSteps
from .ports import async_name_user
from .settings import (
    DEFAULTS,
    SECTION_EXPERT,
    SIGN_ON_DETAILS,
    InvalidSettings,
    endpoint,
    from_known_meter,
    from_settings,
    is_serial,
    sign_on_settings,
)

_USUAL_PROBES: Final = 30
"""Probes of a usual scan that finds nothing soon: nobody knows beforehand how many it takes."""
_MANAGEMENT_CLIENT: Final = 1
"""The client that most often has a password, where nothing is known of a maker."""


class FindSteps(ConnectionSteps):
    """From a connection to a meter whose address is known."""

    _scan: Task[ScanReport] | None = None
    _probe: Probe | None = None
    _number: int = 0
    _serial_number: str | None = None
    _report: ScanReport
    _failure: Failure | None = None

    async def async_step_model(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the user choose maker and model, which say all the rest."""
        if user_input is None:
            return self._show_models({schemas.CONF_SERIAL_NUMBER: self._serial_number})
        meter = schemas.chosen_model(user_input.get(schemas.CONF_MODEL, ""))
        if meter is None:
            errors = {schemas.CONF_MODEL: "unknown_model"}
            return self._show_models(user_input, errors)
        number = user_input.get(schemas.CONF_SERIAL_NUMBER)
        self._data = self._at(from_known_meter(meter, number, self._data))
        self._likely = meter.access
        return await self.async_step_level()

    def _show_models(
        self, entered: Mapping[str, Any], errors: dict[str, str] | None = None
    ) -> ConfigFlowResult:
        """Show the list of known meters, with what was entered before."""
        return self.async_show_form(
            step_id="model",
            data_schema=self.add_suggested_values_to_schema(
                schemas.CHOOSE_MODEL,  # type: ignore[arg-type]
                entered,
            ),
            errors=errors,
        )

    def _at(self, place: dict[str, Any]) -> dict[str, Any]:
        """Return the entry with a meter at this place instead of any before."""
        data = DEFAULTS | self._data
        data.pop(CONF_PHYSICAL_DEVICE, None)
        return data | place

    async def async_step_line(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the meter wants to be spoken to."""
        if user_input is None:
            return self._show_line()
        before = {
            key: value
            for key, value in self._data.items()
            if key not in SIGN_ON_DETAILS
        }
        entered = {key: value for key, value in flat(user_input).items() if value != ""}
        self._data = DEFAULTS | {CONF_FRAMING: FRAMING_HDLC} | before | entered
        try:
            sign_on_settings(self._data)
        except InvalidSettings as invalid:
            return self._show_line(invalid.error)
        for key in SIGN_ON_DETAILS:
            if not self._data.get(key):
                self._data.pop(key, None)
        return await self.async_step_level()

    def _show_line(self, error: str | None = None) -> ConfigFlowResult:
        """Show the form of the serial line, or that of the network."""
        on_serial = is_serial(self._data)
        known = {
            **self._data,
            CONF_SPEED: str(self._data.get(CONF_SPEED, DEFAULT_SPEED)),
            SECTION_EXPERT: self._data,
        }
        return self.async_show_form(
            step_id="line" if on_serial else "network_line",
            data_schema=self.add_suggested_values_to_schema(
                schemas.SERIAL_LINE if on_serial else schemas.NETWORK_LINE,  # type: ignore[arg-type]
                known,
            ),
            errors={"base": error} if error else {},
        )

    async def async_step_network_line(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Take what was said of a meter on the network."""
        return await self.async_step_line(user_input)

    async def async_step_find(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for the number on the meter, which may give its address away, and begin."""
        if user_input is None:
            return self.async_show_form(
                step_id="find",
                data_schema=self.add_suggested_values_to_schema(
                    schemas.FIND_IT,  # type: ignore[arg-type]
                    {schemas.CONF_SERIAL_NUMBER: self._serial_number},
                ),
            )
        self._serial_number = user_input.get(schemas.CONF_SERIAL_NUMBER)
        return await self.async_step_scan()

    async def async_step_scan(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Show what is tried while the scan runs."""
        if self._scan is None:
            self._probe = None
            self._scan = self.hass.async_create_task(
                self._async_scan(), "find the meter", eager_start=False
            )
        if self._scan.done():
            return self.async_show_progress_done(next_step_id="scan_done")
        action, placeholders = _words(self._probe)
        return self.async_show_progress(
            step_id="scan",
            progress_action=action,
            progress_task=self._scan,
            description_placeholders=placeholders,
        )

    async def _async_scan(self) -> ScanReport:
        """Look for the meter while nobody else uses the connection."""
        place = endpoint(self._data)
        async with async_get_channel(self.hass, place) as channel:
            await channel.async_close()  # entries get it opened again after the scan
            return await find_meter(place, self._serial_number, self._tell)

    def _tell(self, probe: Probe, number: int) -> None:
        """Show what is tried next; the words change only with the way, the speed and the address."""
        before, self._probe, self._number = self._probe, probe, number
        self.async_update_progress(number / (number + _USUAL_PROBES))
        if before is None or before[:2] != probe[:2]:
            self.async_notify_flow_changed()

    async def async_step_scan_done(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Go on with what was found."""
        assert self._scan is not None
        scan, self._scan = self._scan, None
        try:
            self._report = report = await scan
        except Exception as error:  # noqa: BLE001  the flow's last line of defence: failure_of() logs what it does not know
            self._report = ScanReport()
            self._failure = failure_of(error, None)
            return await self.async_step_not_found()
        if report.proposal is None:
            failure = await self._async_scan_failed(report)
            if failure.key in NOT_CONNECTED:
                return self._show_connection_again(failure, self.async_step_scan)
            self._failure = failure
            return await self.async_step_not_found()
        self._data = self._at(from_settings(report.proposal))
        self._told = await self._async_tell(report)
        if report.found is None:
            return await self.async_step_level()
        return await self._async_found(report.found)

    async def _async_scan_failed(self, report: ScanReport) -> Failure:
        """Return what to say of a scan that found nothing."""
        assert report.symptom is not None  # nothing else ends a scan without a proposal
        failure = failure_at(report.symptom)
        if is_serial(self._data):
            port = self._data[CONF_SERIAL_PORT]
            return await async_name_user(self.hass, failure, port)
        return failure

    async def _async_tell(self, report: ScanReport) -> str:
        """Return what was found: who it is, or where it is if it does not say."""
        sentences = await self._async_texts("selector", "found.options")
        if report.found is not None and report.found.identity is not None:
            return sentences["meter"].format(meter=report.found.identity.title)
        probe = report.found.probe if report.found is not None else report.best
        assert probe is not None  # without one there is no proposal
        ways = await self._async_texts("selector", "way.options")
        way = ways[_way(probe.line)].format(speed=probe.line.speed)
        return sentences["place"].format(way=way, address=probe.address)

    async def _async_texts(self, category: str, path: str) -> dict[str, str]:
        """Return the texts of ours below a path, in the language of Home Assistant."""
        texts = await async_get_translations(
            self.hass, self.hass.config.language, category, {DOMAIN}
        )
        beginning = f"component.{DOMAIN}.{category}.{path}."
        return {
            key.removeprefix(beginning): text
            for key, text in texts.items()
            if key.startswith(beginning)
        }

    async def _async_found(self, found: Found) -> ConfigFlowResult:
        """Read a meter that tells everything to everybody; ask for the key to the others."""
        self._learned = _of_use(found)
        if found.reads_openly:
            self._level = Access.OPEN
            self._data[CONF_MECHANISM] = MECHANISM_NONE
            return await self.async_step_read()
        flag = found.identity and found.identity.manufacturer_flag
        rows = [
            meter
            for meter in METERS
            if flag and meter.flag == flag and meter.access is not Access.OPEN
        ]
        self._data[CONF_CLIENT_SAP] = rows[0].clients[0] if rows else _MANAGEMENT_CLIENT
        self._likely = Access.KEYS if found.counters else Access.PASSWORD
        return await self.async_step_level()

    async def async_step_not_found(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Say how far the scan came, and how to go on."""
        if user_input is not None:
            if user_input[schemas.CONF_NEXT] == schemas.CONNECTION:
                return self._show_connection_again()
            steps = {
                schemas.FIND: self.async_step_find,
                schemas.MODEL: self.async_step_model,
                schemas.LINE: self.async_step_line,
            }
            return await steps[user_input[schemas.CONF_NEXT]]()
        failure = self._failure or Failure("unknown")
        errors = await self._async_texts("config", "error")
        ways = await self._async_texts("selector", "way.options")
        return self.async_show_form(
            step_id="not_found",
            data_schema=schemas.NOT_FOUND,  # type: ignore[arg-type]
            errors={"base": failure.sentence},
            description_placeholders={
                "probes": str(self._report.probes),
                "seen": _seen(self._report, ways, errors),
                **blanks(failure),
            },
        )


def _of_use(found: Found) -> ClientMemory:
    """Return what was learned of a meter that holds for the client that will read it, too."""
    if found.reads_openly:
        return found.memory
    return ClientMemory(inactivity_timeout=found.memory.inactivity_timeout)


def _words(probe: Probe | None) -> tuple[str, dict[str, str]]:
    """Return which sentence says what is tried, and what to fill in."""
    if probe is None:
        return "scan_begin", {}
    filled = {"address": str(probe.address), "speed": str(probe.line.speed or "")}
    return f"scan_{_way(probe.line)}", filled


def _way(line: Line) -> str:
    """Return how the words for one way to talk are called."""
    if line.approach is Approach.HDLC and line.speed is None:
        return "gateway"
    return line.approach.value


def _seen(
    report: ScanReport, ways: Mapping[str, str], errors: Mapping[str, str]
) -> str:
    """Return the ways that were tried, one below the other, with the first sentence of what there is to say of each."""
    rows = (
        f"- {ways[_way(line)].format(speed=line.speed)}: "
        + errors[symptom].partition(". ")[0]
        for line, symptom in report.seen.items()
    )
    return "\n".join(rows)
