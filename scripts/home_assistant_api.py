"""A running Home Assistant, spoken to as its own user interface does: REST and websocket."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from http import HTTPStatus
import json
import time
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

DOMAIN = "dlms_meter"
START_SECONDS = 180
FLOW_SECONDS = 120
READING_DOMAINS = ("sensor.", "binary_sensor.")
"""Buttons and events have no state until they happen for the first time."""
READINGS_SECONDS = 120

type Json = Any  # whatever JSON holds


class DemoError(Exception):
    """Something the demo needs did not work; the text is for the person who started it."""


class NotLoadedError(DemoError):
    """Home Assistant does not know an address (yet)."""


class HomeAssistant:
    """Home Assistant's own API, as its user interface uses it."""

    def __init__(
        self, session: aiohttp.ClientSession, port: int, user: str, password: str
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.user = user
        self._session = session
        self._password = password
        self._headers: dict[str, str] = {}

    async def request(
        self,
        method: str,
        path: str,
        *,
        data: dict[str, Json] | None = None,
        **options: Json,
    ) -> Json:
        """Call the REST API and return its JSON. Raises `DemoError` for anything but success."""
        if data is not None:
            options["json"] = data
        async with self._session.request(
            method, self.url + path, headers=self._headers, **options
        ) as response:
            text = await response.text()
            if response.status == HTTPStatus.NOT_FOUND:
                raise NotLoadedError(f"Home Assistant has nothing at {path}")
            if not response.ok:
                raise DemoError(
                    f"Home Assistant answered {method} {path} with {response.status}: {text}"
                )
            return json.loads(text) if text else None

    async def command(self, **message: Json) -> Json:
        """Send one websocket command and return its result. Raises `DemoError` if it is refused."""
        answer = await self._answer(**message)
        if not answer["success"]:
            raise DemoError(
                f"Home Assistant refused {message['type']}: {answer['error']}"
            )
        return answer["result"]

    async def _answer(self, **message: Json) -> dict[str, Json]:
        """Send one websocket command and return what comes back."""
        async with self._session.ws_connect(self.url + "/api/websocket") as socket_:
            await socket_.receive_json()
            await socket_.send_json(
                {
                    "type": "auth",
                    "access_token": self._headers["Authorization"].removeprefix(
                        "Bearer "
                    ),
                }
            )
            await socket_.receive_json()
            await socket_.send_json({"id": 1, **message})
            answer: dict[str, Json] = await socket_.receive_json()
        return answer

    async def act(self, action: str, data: dict[str, Json]) -> Json:
        """Call one of our actions as the user interface does; return its response. Raises `DemoError` if it is refused."""
        return (await self.command(**_call_of(action, data)))["response"]

    async def act_by_rest(self, action: str, data: dict[str, Json]) -> Json:
        """Call one of our actions as other programs do; return its response. Raises `DemoError` if it is refused."""
        path = f"/api/services/{DOMAIN}/{action}?return_response"
        return (await self.request("POST", path, data=data))["service_response"]

    async def refusal(self, action: str, data: dict[str, Json]) -> dict[str, Json]:
        """Call one of our actions that must be refused; return the error. Raises `DemoError` if it is not."""
        answer = await self._answer(**_call_of(action, data))
        if answer["success"]:
            raise DemoError(f"Home Assistant took {action} with {data}.")
        error: dict[str, Json] = answer["error"]
        return error

    async def time_zone(self) -> ZoneInfo:
        """Return the time zone of the home."""
        return ZoneInfo((await self.command(type="get_config"))["time_zone"])

    async def until_ready(self) -> None:
        """Wait until Home Assistant has loaded all its parts."""
        deadline = time.monotonic() + START_SECONDS
        while (await self.request("GET", "/api/config"))["state"] != "RUNNING":
            if time.monotonic() > deadline:
                raise DemoError(f"Home Assistant is not ready after {START_SECONDS} s.")
            await asyncio.sleep(0.5)

    async def sign_in(self, done: Collection[str]) -> None:
        """Log in; before that, do what is not in `done` of the onboarding."""
        first = "user" not in done
        code = await self._until_answered(self._create_user if first else self._log_in)
        token = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.url,
        }
        async with self._session.post(self.url + "/auth/token", data=token) as response:
            self._headers = {
                "Authorization": f"Bearer {(await response.json())['access_token']}"
            }
        await self._finish_onboarding(done)

    async def _until_answered(self, step: Callable[[], Awaitable[str]]) -> str:
        """Repeat a first request until Home Assistant has loaded the part that answers it."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return await step()
            except aiohttp.ClientError, NotLoadedError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)

    async def _create_user(self) -> str:
        """Create the demo user and return the authorisation code."""
        user = {
            "client_id": self.url,
            "name": self.user,
            "username": self.user,
            "password": self._password,
            "language": "en",
        }
        code: str = (await self.request("POST", "/api/onboarding/users", data=user))[
            "auth_code"
        ]
        return code

    async def _finish_onboarding(self, done: Collection[str]) -> None:
        """Do the other steps of the onboarding, and remove the integrations it adds that a demo has no use for."""
        steps: dict[str, dict[str, Json]] = {
            "core_config": {},
            "analytics": {},
            "integration": {"client_id": self.url, "redirect_uri": self.url},
        }
        for step, data in steps.items():
            if step not in done:
                await self.request("POST", f"/api/onboarding/{step}", data=data)
        await self.until_ready()
        for entry in await self.command(type="config_entries/get"):
            if entry["source"] == "onboarding":
                await self.request(
                    "DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}"
                )

    async def _log_in(self) -> str:
        """Log in with the demo user's password and return the authorisation code."""
        flow = {
            "client_id": self.url,
            "handler": ["homeassistant", None],
            "redirect_uri": self.url,
        }
        flow_id = (await self.request("POST", "/auth/login_flow", data=flow))["flow_id"]
        answer = {
            "client_id": self.url,
            "username": self.user,
            "password": self._password,
        }
        result = await self.request("POST", f"/auth/login_flow/{flow_id}", data=answer)
        if result["type"] != "create_entry":
            raise DemoError(
                f"Home Assistant refused the demo user's password: {result.get('errors')}."
            )
        code: str = result["result"]
        return code

    async def entries(self) -> list[dict[str, Json]]:
        """Return the meters that are set up."""
        found: list[dict[str, Json]] = await self.command(
            type="config_entries/get", domain=DOMAIN
        )
        return found

    async def add_meter(self, answers: dict[str, Json]) -> str:
        """Walk through the integration's config flow as a user would; return the new entry's title."""
        flow = "/api/config/config_entries/flow"
        step = await self.request("POST", flow, data={"handler": DOMAIN})
        async with asyncio.timeout(FLOW_SECONDS):
            while step["type"] not in ("create_entry", "abort"):
                if step["type"] == "progress":
                    await asyncio.sleep(0.3)
                    step = await self.request("GET", f"{flow}/{step['flow_id']}")
                    continue
                if step.get("errors"):
                    raise DemoError(
                        f"The set-up of the meter failed at {step['step_id']}: {step['errors']}"
                    )
                step = await self.request(
                    "POST", f"{flow}/{step['flow_id']}", data=answer_to(step, answers)
                )
        if step["type"] == "abort":
            raise DemoError(f"The set-up of the meter was aborted: {step['reason']}")
        title: str = step["title"]
        return title

    async def remove_meter(self, entry_id: str) -> None:
        """Delete a meter."""
        await self.request("DELETE", f"/api/config/config_entries/entry/{entry_id}")

    async def choose_options(self, entry_id: str, answers: dict[str, Json]) -> None:
        """Change options of a meter as a user would, and wait until it is loaded again with them."""
        flow = "/api/config/config_entries/options/flow"
        step = await self.request("POST", flow, data={"handler": entry_id})
        step = await self.request(
            "POST", f"{flow}/{step['flow_id']}", data=answer_to(step, answers)
        )
        if step["type"] != "create_entry":
            raise DemoError(f"The options of the meter were not taken: {step}")
        deadline = time.monotonic() + READINGS_SECONDS
        while await self._state(entry_id) != "loaded":
            if time.monotonic() > deadline:
                raise DemoError("The meter is not loaded again with other options.")
            await asyncio.sleep(0.1)

    async def _state(self, entry_id: str) -> str:
        """Return how a meter is doing, as Home Assistant says it."""
        state: str = next(
            entry["state"]
            for entry in await self.entries()
            if entry["entry_id"] == entry_id
        )
        return state

    async def meter(self, entry_id: str | None = None) -> str:
        """Return the device id of one meter, or of the first."""
        registry = await self.command(type="config/device_registry/list")
        device_id: str = next(
            row["id"]
            for row in registry
            if any(domain == DOMAIN for domain, *_ in row["identifiers"])
            and entry_id in (None, row["config_entry_id"])
        )
        return device_id

    async def readings(self) -> list[tuple[str, str]]:
        """Wait for a complete set of readings; return name and state of each enabled entity of the meter."""
        deadline = time.monotonic() + READINGS_SECONDS
        missing: list[str] = []
        while time.monotonic() < deadline:
            registry = await self.command(type="config/entity_registry/list")
            ours = {
                row["entity_id"]
                for row in registry
                if row["platform"] == DOMAIN
                and not row["disabled_by"]
                and row["entity_id"].startswith(READING_DOMAINS)
            }
            states = {
                state["entity_id"]: state
                for state in await self.request("GET", "/api/states")
            }
            missing = sorted(
                ours
                - {
                    name
                    for name, state in states.items()
                    if state["state"] not in ("unavailable", "unknown")
                }
            )
            if ours and not missing:
                return [readable(states[name]) for name in sorted(ours)]
            await asyncio.sleep(0.5)
        raise DemoError(
            f"No complete set of readings within {READINGS_SECONDS} seconds; without a value: {', '.join(missing) or 'all'}"
        )


def _call_of(action: str, data: dict[str, Json]) -> dict[str, Json]:
    """Return the websocket command that calls one of our actions."""
    return {
        "type": "call_service",
        "domain": DOMAIN,
        "service": action,
        "service_data": data,
        "return_response": True,
    }


def answer_to(step: dict[str, Json], answers: dict[str, Json]) -> dict[str, Json]:
    """Fill in one step of the config flow: a menu choice, or the fields we know; the rest keeps its defaults."""
    if step["type"] == "menu":
        return {
            "next_step_id": next(
                option for option in step["menu_options"] if option in answers["menu"]
            )
        }
    return filled(step["data_schema"], answers)


def filled(
    schema: Sequence[dict[str, Json]], answers: dict[str, Json]
) -> dict[str, Json]:
    """Return values for the fields of a form, section by section."""
    values: dict[str, Json] = {}
    for field in schema:
        if field.get("type") == "expandable":
            values[field["name"]] = filled(field["schema"], answers)
        elif field["name"] in answers:
            values[field["name"]] = answers[field["name"]]
        elif "default" in field:
            values[field["name"]] = field["default"]
    return values


def readable(state: dict[str, Json]) -> tuple[str, str]:
    """Return an entity's name and its value with unit."""
    attributes = state["attributes"]
    return attributes.get(
        "friendly_name", state["entity_id"]
    ), f"{state['state']} {attributes.get('unit_of_measurement', '')}".rstrip()
