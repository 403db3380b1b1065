"""Why a port or a host is out of reach, in words."""

import pytest

from custom_components.dlms_meter.dlms.transport.reasons import describe


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), "the connection was refused"),
        (PermissionError(), "may not use the serial port"),
        (EOFError(), "the port cannot be used"),
        (ExceptionGroup("", [OSError(), TimeoutError()]), "nothing answers"),
        (ExceptionGroup("", [EOFError(), EOFError()]), "the port cannot be used"),
    ],
    ids=repr,
)
def test_reasons(error: Exception, words: str) -> None:
    """Of several exceptions the one that tells most counts, whatever their order."""
    assert words in describe(error)
