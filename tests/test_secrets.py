"""Passwords and keys: however they are typed, and what happens when a meter no longer takes them."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
)

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import Mechanism, SecuritySettings
from custom_components.dlms_meter.settings import (
    InvalidSettings,
    check,
    client_settings,
    from_input,
)
from tests.home import (
    DEVICE,
    PASSWORD,
    PUBLIC,
    Line,
    answer_flow,
    pass_time,
    state_of,
    value_of,
)
from tests.simulator import PUBLIC_CLIENT, ClientRule, Meter, MeterSettings

pytestmark = pytest.mark.usefixtures("impatient")

ENERGY = f"sensor.{DEVICE}_energy_import"
KEY = bytes(range(16))
OTHER_KEY = bytes(range(16, 32))
WITH_PASSWORD = {"mechanism": "lls", "client_sap": 1}
WITH_KEYS = {
    "mechanism": "hls_gmac",
    "client_sap": 1,
    "encryption_key": KEY.hex(),
    "authentication_key": OTHER_KEY.hex(),
    "system_title": "4841530000000001",
}


def entry_data(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return from_input(PUBLIC) | changes


def house_key(key: bytes) -> SecuritySettings:
    return SecuritySettings(global_unicast_key=key, authentication_key=OTHER_KEY)


def lock(line: Line, *rules: ClientRule) -> None:
    """Let the meter take these clients only, from now on."""
    line.meter = Meter(MeterSettings(clients=rules), now=line.meter.now)


# How they are typed.


@pytest.mark.parametrize(
    "typed", ["3132", "0x3132", "0X3132", " 31 32 ", "0x31 32", "0X 3132"]
)
def test_password_in_hexadecimal(typed: str) -> None:
    data = entry_data(**WITH_PASSWORD, password=typed, password_is_hex=True)
    assert client_settings(data).password == b"12"


@pytest.mark.parametrize("typed", ["0x", "0X", "  ", " 0x "])
def test_password_without_a_digit_is_none(typed: str) -> None:
    data = entry_data(**WITH_PASSWORD, password=typed, password_is_hex=True)
    with pytest.raises(InvalidSettings) as invalid:
        check(data)
    assert (invalid.value.field, invalid.value.error) == (
        "password",
        "password_required",
    )


@pytest.mark.parametrize("typed", ["00000001", "0x", " 1 "])
def test_password_as_text_is_kept_exactly(typed: str) -> None:
    data = entry_data(**WITH_PASSWORD, password=typed)
    check(data)
    assert client_settings(data).password == typed.encode()


@pytest.mark.parametrize("prefix", ["", "0x", "0X", " 0x "])
def test_keys_and_titles_in_hexadecimal(prefix: str) -> None:
    data = entry_data(
        **WITH_KEYS
        | {
            "encryption_key": prefix + KEY.hex(" "),
            "system_title": prefix + "48 41 53 00 00 00 00 01",
        }
    )
    settings = client_settings(data)
    assert settings.security is not None
    assert settings.security.global_unicast_key == KEY
    assert settings.system_title == b"HAS\x00\x00\x00\x00\x01"


@pytest.mark.parametrize("typed", ["0x", "0X", "  "])
def test_key_without_a_digit_is_none(typed: str) -> None:
    with pytest.raises(InvalidSettings) as invalid:
        check(entry_data(**WITH_KEYS | {"encryption_key": typed}))
    assert (invalid.value.field, invalid.value.error) == (
        "encryption_key",
        "key_required",
    )


# A meter that no longer lets us in.

WANTED: dict[str, tuple[dict[str, Any], ClientRule, str, str]] = {
    "a password where there was none": (
        {"client_sap": 16},
        ClientRule(16, Mechanism.LLS, PASSWORD.encode()),
        "reauth_password",
        "authentication_wanted",
    ),
    "another password": (
        {**WITH_PASSWORD, "password": "old"},
        ClientRule(1, Mechanism.LLS, PASSWORD.encode()),
        "reauth_password",
        "invalid_auth",
    ),
    "another secret for the challenge": (
        {"mechanism": "hls_md5", "client_sap": 1, "password": "old"},
        ClientRule(1, Mechanism.HLS_MD5, PASSWORD.encode()),
        "reauth_challenge",
        "invalid_auth",
    ),
    "other keys": (
        WITH_KEYS,
        ClientRule(1, Mechanism.HLS_GMAC, security=house_key(OTHER_KEY)),
        "reauth_keys",
        "invalid_key",
    ),
}
"""What the entry asks with, whom the meter lets in now, what is asked of the user, and what the user is told."""
BEFORE = {
    "reauth_password": ClientRule(1, Mechanism.LLS, b"old"),
    "reauth_challenge": ClientRule(1, Mechanism.HLS_MD5, b"old"),
    "reauth_keys": ClientRule(1, Mechanism.HLS_GMAC, security=house_key(KEY)),
}
SECRETS: dict[str, dict[str, Any]] = {
    "reauth_password": {"password": PASSWORD, "password_is_hex": False},
    "reauth_challenge": {"password": PASSWORD, "password_is_hex": False},
    "reauth_keys": {
        "encryption_key": OTHER_KEY.hex(),
        "authentication_key": OTHER_KEY.hex(),
    },
}


@pytest.mark.parametrize("name", WANTED)
async def test_meter_that_wants_other_secrets_is_not_asked_again_until_it_gets_them(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
    name: str,
) -> None:
    """Many meters lock themselves: one try, then it is the user's turn; with the right secret all is well."""
    differences, rule, step, told = WANTED[name]
    hass.config_entries.async_update_entry(entry, data=entry_data(**differences))
    lock(line, PUBLIC_CLIENT, BEFORE[step])
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert float(value_of(hass, ENERGY)) > 0

    lock(line, rule)
    for _ in range(10):
        await pass_time(hass, freezer)
    assert value_of(hass, ENERGY) == "unavailable"
    tries = len(line.wires)
    for _ in range(5):
        await pass_time(hass, freezer)
    assert len(line.wires) == tries

    with pytest.raises(HomeAssistantError) as refused:
        await ask(hass, entry)
    assert refused.value.translation_key == told
    assert len(line.wires) == tries
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert flow["step_id"] == step
    result = await answer_flow(hass, flow, SECRETS[step])
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert state_of(entry) is ConfigEntryState.LOADED
    assert float(value_of(hass, ENERGY)) > 0


async def ask(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Read something of the meter by an action."""
    [device] = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    where = {"device_id": device.id, "obis": "1-0:1.8.0"}
    await hass.services.async_call(
        DOMAIN, "get", where, blocking=True, return_response=True
    )


async def test_action_is_the_first_to_be_refused(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """That was the one try: the user is asked at once, and no poll tries the same again."""
    differences, rule, step, told = WANTED["another password"]
    hass.config_entries.async_update_entry(entry, data=entry_data(**differences))
    lock(line, PUBLIC_CLIENT, BEFORE[step])
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    lock(line, rule)
    before = len(line.wires)
    with pytest.raises(HomeAssistantError) as refused:
        await ask(hass, entry)
    await hass.async_block_till_done()
    assert refused.value.translation_key == told
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == step
    for _ in range(5):
        await pass_time(hass, freezer)
    assert len(line.wires) == before + 1
    assert len(hass.config_entries.flow.async_progress()) == 1


@pytest.mark.parametrize("name", WANTED)
async def test_wrong_secrets_at_the_start(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry, name: str
) -> None:
    """One try: the entry waits for the user, and is not tried again by itself."""
    differences, rule, step, told = WANTED[name]
    hass.config_entries.async_update_entry(entry, data=entry_data(**differences))
    lock(line, rule)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(entry) is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == told
    [flow] = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == step


async def test_message_that_cannot_be_deciphered_once(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    line: Line,
    entry: MockConfigEntry,
) -> None:
    """A bad line can do that to one message: the key is not asked for before it happened twice in a row."""
    hass.config_entries.async_update_entry(entry, data=entry_data(**WITH_KEYS))
    right = ClientRule(1, Mechanism.HLS_GMAC, security=house_key(KEY))
    lock(line, PUBLIC_CLIENT, right)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    good = line.meter
    wrong = ClientRule(1, Mechanism.HLS_GMAC, security=house_key(OTHER_KEY))

    lock(line, wrong)
    await pass_time(hass, freezer)
    assert value_of(hass, ENERGY) == "unavailable"
    line.meter = good
    for _ in range(5):
        await pass_time(hass, freezer)
    assert float(value_of(hass, ENERGY)) > 0
    assert not hass.config_entries.flow.async_progress()
