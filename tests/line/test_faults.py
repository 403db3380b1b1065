"""Every trouble on the line: right values or an error with a name, in time; never a wrong value, never a hang.

`scripts/fault_matrix` runs the same with two hundred seeds each and prints the tables.
"""

import pytest

from custom_components.dlms_meter.dlms import Framing

from .faults import TROUBLES
from .matrix import LONGEST_SESSION, noise, run_row

CASES = [
    pytest.param(name, framing, id=f"{name}-{framing.value}")
    for name, trouble in TROUBLES.items()
    for framing in Framing
    if trouble.applies(framing)
]


@pytest.mark.parametrize(("name", "framing"), CASES)
def test_trouble(name: str, framing: Framing) -> None:
    trouble = TROUBLES[name]
    row = run_row(trouble, framing, range(10))
    assert not row.wrong
    assert row.longest < LONGEST_SESSION
    assert row.share >= trouble.least(framing) - 0.2, "ten seeds tell roughly"


@pytest.mark.parametrize(("error_rate", "share"), [(1e-5, 1.0), (1e-4, 0.8)])
def test_noise(error_rate: float, share: float) -> None:
    row = run_row(noise(error_rate), Framing.HDLC, range(10))
    assert not row.wrong
    assert row.longest < LONGEST_SESSION
    assert row.share >= share
