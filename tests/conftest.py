"""What every Home Assistant test needs. A test that talks to 127.0.0.1 asks for `socket_enabled`."""

from collections.abc import Iterator
from dataclasses import asdict
import logging
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity import Entity
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

# Home Assistant's test plugin brings a `custom_components` package of its own; the first one imported stays.
from custom_components.dlms_meter import channel
from custom_components.dlms_meter.const import DOMAIN
from custom_components.dlms_meter.dlms import ClientSettings, connection
from custom_components.dlms_meter.settings import from_input
from tests.foreign.matrix import MATRICES, Matrix
from tests.home import PUBLIC, TITLE, UNIQUE_ID, Line
from tests.simulator import Meter


def pytest_configure() -> None:
    """Print no log: pytest shows that of a test that fails, and threads go on logging between two tests."""
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the matrices to the process that prints them, where tests run in several."""
    handed_over: dict[str, object] | None = getattr(
        session.config, "workeroutput", None
    )
    if handed_over is not None:
        handed_over["matrices"] = [asdict(matrix) for matrix in MATRICES if matrix.rows]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take the matrices another process filled in."""
    handed_over: dict[str, list[dict[str, Any]]] = getattr(node, "workeroutput", {})
    MATRICES.extend(Matrix(**fields) for fields in handed_over.get("matrices", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the matrices of what was tried with implementations by others."""
    for matrix in MATRICES:
        if matrix.rows:
            terminalreporter.section(matrix.title)
            for line in matrix.lines():
                terminalreporter.write_line(line)


@pytest.fixture(autouse=True)
def integration_enabled(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let every Home Assistant of a test find this integration, and complain of none of its habits."""
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")  # the plugin wants it made before hass
    if "hass" not in request.fixturenames:
        yield
        return
    request.getfixturevalue("enable_custom_integrations")
    caplog: pytest.LogCaptureFixture = request.getfixturevalue("caplog")
    yield
    reports = [
        r for r in caplog.get_records("call") if r.name == "homeassistant.helpers.frame"
    ]
    assert not reports, [report.getMessage() for report in reports]


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Write snapshots without what differs from run to run."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
def line() -> Iterator[Line]:
    """Connect whoever opens a connection to a simulated meter, which shows Home Assistant's time."""
    line = Line(Meter(now=dt_util.utcnow))
    with (
        patch.object(connection, "open_transport", line.open_transport),
        patch.object(channel, "open_transport", line.open_transport),
    ):
        yield line
    assert not any(wire.open for wire in line.wires), "a connection was left open"


@pytest.fixture
def impatient() -> Iterator[None]:
    """Wait for a silent meter no longer than a test should take."""
    defaults = ClientSettings.__init__.__kwdefaults__
    with patch.dict(defaults, response_timeout=0.01, attempts=1):
        yield


@pytest.fixture
def everything_enabled() -> Iterator[None]:
    """Enable every entity."""
    with patch.object(Entity, "entity_registry_enabled_default", True):
        yield


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    """The simulated meter's config entry, not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN, title=TITLE, unique_id=UNIQUE_ID, data=from_input(PUBLIC)
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
async def loaded(
    hass: HomeAssistant, line: Line, entry: MockConfigEntry
) -> MockConfigEntry:
    """The simulated meter's config entry, set up."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry
