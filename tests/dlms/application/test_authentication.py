"""What each mechanism puts into the AARQ."""

import pytest

from custom_components.dlms_meter.dlms.application.authentication import (
    calling_authentication_value,
)
from custom_components.dlms_meter.dlms.application.enums import Mechanism
from custom_components.dlms_meter.dlms.errors import LocalProtocolError


@pytest.mark.parametrize(
    ("mechanism", "value"), [(Mechanism.NONE, None), (Mechanism.LLS, b"00000001")]
)
def test_value(mechanism: Mechanism, value: bytes | None) -> None:
    assert calling_authentication_value(mechanism, b"00000001") == value


def test_a_mechanism_we_cannot_do() -> None:
    with pytest.raises(LocalProtocolError, match="hls gmac") as raised:
        calling_authentication_value(Mechanism.HLS_GMAC, b"00000001")
    assert "00000001" not in str(raised.value)
