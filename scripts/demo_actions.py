"""Every action of the integration, called as the user interface and as other programs call it; the responses are judged."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from scripts.home_assistant_api import DOMAIN, DemoError, HomeAssistant, Json

_ENERGY: Final = "1-0:1.8.0*255"
_PROFILE: Final = {"obis": "1-0:99.1.0"}
_MESSAGE: Final = {"obis": "0-0:96.13.0", "class_id": 1}
_YESTERDAY: Final = datetime.now(UTC).replace(hour=0, minute=0) - timedelta(days=1)
_ROWS_OF_AN_HOUR: Final = 4
_CONFIRMED: Final = {"confirm": True}
_AHEAD: Final = timedelta(minutes=1)
_CLOSE: Final = 5
"""Seconds by which a clock may be off that was just set."""
_AROUND_CHANGE: Final = timedelta(hours=2)
"""Clocks are left alone within an hour of the change between winter and summer time; more, as calling takes its time."""
_EXCEPTIONS: Final[dict[str, dict[str, str]]] = json.loads(
    (
        Path(__file__).parents[1] / f"custom_components/{DOMAIN}/translations/en.json"
    ).read_text()
)["exceptions"]


class Call(NamedTuple):
    """An action, and what must be true of its response."""

    action: str
    data: dict[str, Json]
    is_right: Callable[[Json], bool]


class BadCall(NamedTuple):
    """An action that nobody can carry out, and the sentence about it: its key, or part of its text."""

    action: str
    data: dict[str, Json]
    sentence: str


def _profile(count: int, *columns: str) -> Callable[[Json], bool]:
    """Return what judges whether a profile came with so many rows, one after the other, of all columns or of some."""

    def is_right(response: Json) -> bool:
        rows, names = response["rows"], [c["name"] for c in response["columns"]]
        times = [datetime.fromisoformat(row["time"]) for row in rows]
        quarters = {b - a for a, b in pairwise(times)}
        return (
            len(rows) == count
            and quarters <= {timedelta(minutes=15)}
            and (names == list(columns) if columns else len(names) > 1)
            and all(list(row["values"]) == names for row in rows)
        )

    return is_right


def _is_set_to(seconds: float) -> Callable[[Json], bool]:
    return lambda response: abs(response["after"] - seconds) < _CLOSE


_READS: Final = (
    Call(
        "get",
        {"obis": "1-0:32.7.0"},
        lambda response: (
            response["unit"] == "V"
            and 200 < response["value"] < 260
            and response["hex"] == f"12{response['raw']['value']:04x}"
        ),
    ),
    Call(
        "get",
        {"obis": _ENERGY, "attribute": 0},
        lambda response: (
            response["attributes"]["1"]["hex"] == "09060100010800ff"
            and response["attributes"]["2"]["value"] > 1000
            and response["attributes"]["3"]["value"] == {"scaler": 0, "unit": 30}
        ),
    ),
    Call(
        "get",  # its first two entries, all columns
        _PROFILE
        | {"selector": 2, "selector_data_hex": "020406000000010600000002120001120000"},
        lambda response: len(response["value"]) == 2,
    ),
    Call(
        "read_profile",
        _PROFILE
        | {
            "since": _YESTERDAY.isoformat(),
            "until": (_YESTERDAY + timedelta(hours=1)).isoformat(),
        },
        _profile(_ROWS_OF_AN_HOUR),
    ),
    Call("read_profile", _PROFILE | {"first": 11, "last": 13}, _profile(3)),
    Call("read_profile", _PROFILE | {"newest": 4}, _profile(4)),
    Call(
        "read_profile",
        _PROFILE | {"newest": 4, "columns": [_ENERGY]},
        _profile(4, _ENERGY),
    ),
    Call(
        "read_objects",
        {},
        lambda response: _ENERGY in {item["obis"] for item in response["objects"]},
    ),
)
_CHANGES: Final = (
    Call(
        "set",
        _MESSAGE
        | _CONFIRMED
        | {"data": {"type": "octet_string", "value": "68656c6c6f"}},
        lambda response: response["now"]["value"] == "68656c6c6f",
    ),
    Call(
        "invoke",  # it returns what it is given
        _MESSAGE | _CONFIRMED | {"method": 1, "data_hex": "1107"},
        lambda response: response == {"data": {"type": "unsigned", "value": 7}},
    ),
)
_CLOCK: Final = (
    Call("synchronise_clock", {"method": "shift"}, _is_set_to(0)),
    Call(
        "synchronise_clock",
        {"method": "adjust_to_quarter"},
        lambda response: abs(response["after"]) <= 450 + _CLOSE,
    ),
    Call("synchronise_clock", {}, _is_set_to(0)),
)
_SUPPLY: Final = (
    Call("disconnect", _CONFIRMED, lambda response: response == {"connected": False}),
    Call("reconnect", _CONFIRMED, lambda response: response == {"connected": True}),
)
_MISTAKES: Final = (
    BadCall("get", {"obis": "nonsense"}, "nonsense"),
    BadCall("get", {"obis": "1-0:99.99.9"}, "unknown_object"),
    BadCall("set", _MESSAGE | {"data_hex": "1107"}, "required key not provided"),
    BadCall("set", _MESSAGE | _CONFIRMED, "data_missing"),
    BadCall("set", _MESSAGE | _CONFIRMED | {"data_hex": "0600"}, "invalid_data"),
    BadCall("invoke", _MESSAGE | {"method": 1, "confirm": False}, "confirm must be true"),
    BadCall("read_profile", _PROFILE | {"newest": 5, "first": 1}, "one_selection"),
    BadCall("read_profile", _PROFILE | {"first": 9, "last": 3}, "upside_down"),
    BadCall("read_profile", _PROFILE | {"newest": 1, "columns": ["1-0:9.8.0"]}, "no_such_column"),
    BadCall("set_clock", _CONFIRMED | {"time": "9999-12-31 23:59:59"}, "the year must be"),
    BadCall("synchronise_clock", {"method": "guess"}, "must be one of"),
    BadCall("disconnect", _CONFIRMED, "supply_switch_off"),
)  # fmt: skip

_FOREIGN_CALLS: Final = (
    Call(
        "get",
        {"obis": _ENERGY},
        lambda response: (
            (response["raw"]["value"], response["unit"]) == (12345678, "Wh")
        ),
    ),
    Call("read_profile", _PROFILE | {"newest": 3}, lambda r: len(r["rows"]) == 3),
    _READS[-1],
    _CHANGES[0],
    Call(
        "invoke",  # it returns what it is given
        _CONFIRMED | {"obis": "0-0:96.3.10", "method": 2, "data_hex": "0f05"},
        lambda response: response == {"data": {"type": "integer", "value": 5}},
    ),
)
"""What the simulator of pydlms-client supports."""
_FOREIGN_CLOCK: Final = Call(
    "synchronise_clock", {}, lambda response: set(response) == {"before", "after"}
)
"""Its clock stands still."""
_FOREIGN_PASSWORD: Final = "12345678"
FOREIGN_CLIENT: Final = f"32:1:{_FOREIGN_PASSWORD}"
"""Whom it lets in: client address, mechanism (a password), and the password."""


async def call_every_action(home: HomeAssistant, entry_id: str) -> int:
    """Call all actions for one meter, and all mistakes; return how many. Raises `DemoError` for a wrong response."""
    device_id = await home.meter(entry_id)
    for mistake in _MISTAKES:
        await _make(home, device_id, mistake)
    now = datetime.now(UTC)
    set_clock = Call(
        "set_clock",
        _CONFIRMED | {"time": (now + _AHEAD).isoformat()},
        _is_set_to(_AHEAD.total_seconds()),
    )
    calls: tuple[Call, ...] = (*_READS, *_CHANGES)
    if not clocks_change(now, await home.time_zone()):
        calls += (set_clock, *_CLOCK)
    await _call(home, device_id, calls)
    await home.choose_options(entry_id, {"supply_switch": True})
    await _call(home, device_id, _SUPPLY)
    await home.choose_options(entry_id, {"supply_switch": False})
    return len(calls) + len(_SUPPLY) + len(_MISTAKES)


async def call_foreign_actions(home: HomeAssistant, port: int) -> int:
    """Add the simulator of pydlms-client, call its actions, and remove it; return how many. Raises `DemoError`."""
    await home.add_meter(
        {
            "menu": ("network", "line", "access_password"),
            "host": "127.0.0.1",
            "port": port,
            "framing": "wrapper",
            "client_sap": 32,
            "mechanism": "lls",
            "password": _FOREIGN_PASSWORD,
        }
    )
    entry_id = (await home.entries())[-1]["entry_id"]
    calls: tuple[Call, ...] = _FOREIGN_CALLS
    if not clocks_change(datetime.now(UTC), await home.time_zone()):
        calls += (_FOREIGN_CLOCK,)
    try:
        await _call(home, await home.meter(entry_id), calls)
    finally:
        await home.remove_meter(entry_id)
    return len(calls)


def clocks_change(moment: datetime, zone: ZoneInfo) -> bool:
    """Return whether it is too near to a change of the clocks for the integration to touch the meter's."""
    ends = (moment - _AROUND_CHANGE, moment + _AROUND_CHANGE)
    return len({end.astimezone(zone).utcoffset() for end in ends}) > 1


async def _call(home: HomeAssistant, device_id: str, calls: Sequence[Call]) -> None:
    """Call actions by websocket and by REST. Raises `DemoError` for a wrong response."""
    for action, data, is_right in calls:
        given = {"device_id": device_id, **data}
        for way in (home.act, home.act_by_rest):
            response = await way(action, given)
            if not is_right(response):
                raise DemoError(f"The action {action} with {data} answers {response}.")


async def _make(home: HomeAssistant, device_id: str, mistake: BadCall) -> None:
    """Make a mistake. Raises `DemoError` unless Home Assistant says what it is."""
    action, data, sentence = mistake
    error = await home.refusal(action, {"device_id": device_id, **data})
    if (known := _EXCEPTIONS.get(sentence)) is None:
        is_said = error["code"] == "invalid_format" and sentence in error["message"]
    else:
        wanted = known["message"].format(**error["translation_placeholders"])
        is_said = error["message"].endswith(wanted.removesuffix("."))
    if not is_said:
        raise DemoError(f"The action {action} with {data} is refused with {error}.")
