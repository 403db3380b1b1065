"""No error that ended a session holds the frames it came through, which hold all that was read.

The garbage collector would find them, but late: until then a home needs more memory with each poll that fails.
"""

from collections.abc import Iterator
import gc

import pytest

from custom_components.dlms_meter.dlms import DlmsError

from .faults import TROUBLES
from .matrix import WAYS, Way, session

CASES = [
    pytest.param(name, way, id=f"{name}-{way}")
    for name, trouble in TROUBLES.items()
    for way in WAYS
    if trouble.applies(way.framing)
]


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """Collect only when told to, and keep what is found."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize(("name", "way"), CASES)
def test_no_error_stays(name: str, way: Way, garbage: list[object]) -> None:
    for seed in range(3):
        session(TROUBLES[name], way, seed)
    gc.collect()
    errors = [found for found in garbage if isinstance(found, DlmsError)]
    assert not [error for error in errors if error.__traceback__]
