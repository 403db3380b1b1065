"""What every Home Assistant test needs. A test that talks to 127.0.0.1 asks for `socket_enabled`."""

from collections.abc import Iterator

import pytest
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

# Home Assistant's test plugin brings a `custom_components` package of its own; the first one imported stays.
import custom_components.dlms_meter  # noqa: F401


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
