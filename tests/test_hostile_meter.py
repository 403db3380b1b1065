"""Whatever a meter says to keep the client busy, the session ends, and others have their turn meanwhile.

How long they wait for it at most is measured by `scripts/bench`, with the same sessions.
"""

import pytest

from custom_components.dlms_meter.dlms import Framing
from custom_components.dlms_meter.dlms.transport.stream import READ_AT_ONCE
from tests.hostile import CASES, LONGEST_APDU, VALUES, Case, get, normally, turns_of


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{what}: {name}")
        for what, cases in CASES.items()
        for name, case in cases.items()
    ],
)
def test_hostile_session_ends(case: Case) -> None:
    """It ends with a value or a `DlmsError`; whatever else comes out is raised here."""
    turns_of(case)


@pytest.mark.parametrize(
    "name", ["nulls", "structures", "empty arrays", "compact rows"]
)
def test_long_value_is_read_in_turns(name: str) -> None:
    """Others have more turns than while a short value is read, and not only for its octets to arrive."""
    calm = Case(Framing.WRAPPER, normally(b"\x00"), get)
    long = Case(Framing.WRAPPER, normally(VALUES[name]), get)
    arrivals = LONGEST_APDU // READ_AT_ONCE + 1
    assert len(turns_of(long)) > len(turns_of(calm)) + arrivals
