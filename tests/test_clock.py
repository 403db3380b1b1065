"""What moment a meter's date-time means, wherever its calendar ends."""

from zoneinfo import ZoneInfo

import pytest

from custom_components.dlms_meter.clock import moment_of
from custom_components.dlms_meter.dlms import DlmsDateTime

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("octets", "zone", "moment"),
    [
        ("07EA0714020D001E00FF8880", NEW_YORK, "2026-07-20T11:00:30+00:00"),
        ("07EA0714020D001E00800080", BERLIN, "2026-07-20T11:00:30+00:00"),
        ("07EA0714020D001E00800080", NEW_YORK, "2026-07-20T17:00:30+00:00"),
        ("07EAFF14FF0D001E00800000", BERLIN, None),
        # A day that means "never": Home Assistant fails on a time that is out of the calendar in UTC.
        ("270F0C1F05173B3B00800000", BERLIN, "9999-12-31T22:59:59+00:00"),
        ("270F0C1F05173B3B00800000", NEW_YORK, None),
        ("000101010100000000800000", BERLIN, None),
    ],
)
def test_moment(octets: str, zone: ZoneInfo, moment: str | None) -> None:
    value = DlmsDateTime.decode(bytes.fromhex(octets))
    meant = moment_of(value, reversed_deviation=False, zone=zone)
    assert (meant and meant.isoformat()) == moment
