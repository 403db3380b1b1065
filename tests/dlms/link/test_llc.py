"""The LLC header."""

import pytest

from custom_components.dlms_meter.dlms.link.llc import has_llc, strip_llc
from tests.harness import Vector, each, vectors


@pytest.mark.parametrize(
    ("information", "apdu"),
    [("e6e700c401", "c401"), ("e6e600c401", "c401"), ("e6e700", ""), ("", "")],
)
def test_strip(information: str, apdu: str) -> None:
    assert strip_llc(bytes.fromhex(information)).hex() == apdu


def test_without_header_everything_is_the_apdu() -> None:
    assert strip_llc(b"\xe0\x40\x00") == b"\xe0\x40\x00"
    assert strip_llc(b"\xe6\xe7") == b"\xe6\xe7"


@each([row for row in vectors("hdlc") if "llc" in row.decoded])
def test_every_header_on_record(vector: Vector) -> None:
    assert has_llc(bytes.fromhex(vector.decoded["info"]))
