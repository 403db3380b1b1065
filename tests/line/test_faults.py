"""Every trouble on the line: right values or an error with a name, in time; never a wrong value, never a hang.

By logical and by short names, over HDLC and over the wrapper.

`scripts/fault_matrix` runs the same with two hundred seeds each and prints the tables.
"""

import pytest

from custom_components.dlms_meter.dlms import Framing

from .faults import TROUBLES
from .matrix import LONGEST_SESSION, WAYS, Way, noise, run_row

CASES = [
    pytest.param(name, way, id=f"{name}-{way}")
    for name, trouble in TROUBLES.items()
    for way in WAYS
    if trouble.applies(way.framing)
]


@pytest.mark.parametrize(("name", "way"), CASES)
def test_trouble(name: str, way: Way) -> None:
    trouble = TROUBLES[name]
    row = run_row(trouble, way, range(8))
    assert not row.wrong
    assert row.longest < trouble.within
    assert row.told <= set(trouble.told)
    assert row.share >= trouble.least(way.framing) - 0.2, "a few seeds tell roughly"


@pytest.mark.parametrize("short_names", [False, True], ids=["LN", "SN"])
@pytest.mark.parametrize(("error_rate", "share"), [(1e-5, 1.0), (1e-4, 0.8)])
def test_noise(error_rate: float, share: float, short_names: bool) -> None:
    way = Way(Framing.HDLC, short_names)
    row = run_row(noise(error_rate), way, range(10))
    assert not row.wrong
    assert row.longest < LONGEST_SESSION
    assert row.share >= share
