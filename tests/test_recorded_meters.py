"""Recordings of real meters, each a folder in `tests/meters/`: read by the client, and where they suffice by Home Assistant."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import (
    AttributeDescriptor,
    DlmsClient,
    Quantity,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.application.transcript import Service
from custom_components.dlms_meter.settings import client_settings
from scripts import supported
from tests.home import Line
from tests.simulator import HdlcSession, WrapperSession
from tests.simulator.recording import RecordedMeter, Recording, read_recording
from tests.transports import memory_transports, run_virtually

METERS = Path(__file__).parent / "meters"
FOLDERS = sorted(path.parent for path in METERS.glob("*/diagnostics.json"))
EACH = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def recording_in(folder: Path) -> Recording:
    return read_recording(json.loads((folder / "diagnostics.json").read_text()))


def expected_in(folder: Path) -> dict[str, str]:
    """Return what must be read, by class, name and attribute."""
    found: dict[str, str] = json.loads((folder / "expected.json").read_text())
    return found


def session_of(recording: Recording) -> type[HdlcSession | WrapperSession]:
    framing = recording.entry_data["framing"]
    return HdlcSession if framing == "hdlc" else WrapperSession


def read_all(recording: Recording) -> Mapping[str, str]:
    """Read every value of the recording, each with its scaler and unit."""
    wanted = [
        target.attribute
        for service, target in recording.answers
        if service is Service.READ
        and isinstance(target, SelectedAttribute)
        and target.attribute.attribute_id == 2
    ]

    async def main() -> dict[AttributeDescriptor, Any]:
        client = DlmsClient(client_settings(recording.entry_data))
        async with client:
            report = await client.read(wanted, {})
        return report.values

    meter = RecordedMeter(recording)
    with memory_transports(lambda: session_of(recording)(meter)):
        values = run_virtually(main())
    return {str(attribute): str(value) for attribute, value in values.items()}


@EACH
def test_the_client_reads_what_was_captured(folder: Path) -> None:
    assert read_all(recording_in(folder)) == expected_in(folder)


@EACH
def test_the_folder_says_what_it_is(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert "Source: " in text
    assert "What is captured: " in text
    assert "What is not: " in text


@EACH
async def test_home_assistant_shows_what_was_captured(
    hass: HomeAssistant, line: Line, folder: Path
) -> None:
    """A meter that told who it is becomes a device with all its registers that have a unit."""
    recording = recording_in(folder)
    identity = json.loads((folder / "diagnostics.json").read_text())["data"]["identity"]
    line.framing = session_of(recording)
    line.meter = RecordedMeter(recording, now=dt_util.utcnow)
    unique_id = identity["logical_device_name"] or identity["serial_number"]
    entry = MockConfigEntry(
        domain=DOMAIN, unique_id=unique_id or "unknown", data=recording.entry_data
    )
    entry.add_to_hass(hass)

    assert await hass.config_entries.async_setup(entry.entry_id) is (
        unique_id is not None
    )

    if unique_id is None:
        assert entry.reason is not None
        return
    values = entry.runtime_data.data.values
    shown = {str(a): str(v) for a, v in values.items() if isinstance(v, Quantity)}
    expected = expected_in(folder)
    assert shown.items() <= expected.items()
    measured = {place for place, value in expected.items() if " Wh" in value}
    assert measured <= shown.keys()


def test_readme_has_the_table_of_these_folders_and_no_other() -> None:
    text = supported.README.read_text()
    assert supported.written(text) == text
    assert supported.table().count("\n| ") == len(FOLDERS)
