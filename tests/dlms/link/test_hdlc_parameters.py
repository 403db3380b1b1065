"""What SNRM and UA say about limits, and what is made of it."""

import pytest

from custom_components.dlms_meter.dlms.errors import DecodeError, LocalProtocolError
from custom_components.dlms_meter.dlms.link.hdlc_parameters import (
    HdlcLimits,
    HdlcParameters,
    read_limits,
)
from tests.harness import Vector, check_damage, each, vectors

RECORDED = [row for row in vectors("hdlc") if "params" in row.decoded]


@each(RECORDED)
def test_every_list_on_record(vector: Vector) -> None:
    said = vector.decoded["params"]
    information = bytes.fromhex(vector.decoded["info"])
    limits = HdlcLimits(
        said.get("max_info_tx", 128),
        said.get("max_info_rx", 128),
        said.get("window_tx", 1),
        said.get("window_rx", 1),
    )
    assert HdlcLimits.decode(information) == limits
    assert HdlcLimits.decode(limits.encode()) == limits
    for length in range(1, len(information)):
        with pytest.raises(DecodeError):
            HdlcLimits.decode(information[:length])
    check_damage(information, HdlcLimits.decode)


@pytest.mark.parametrize(
    ("information", "limits"),
    [
        ("", HdlcLimits(128, 128, 1, 1)),
        ("818000", HdlcLimits(128, 128, 1, 1)),
        ("818008050203f2060203f2", HdlcLimits(1010, 1010, 1, 1)),
        ("81800305013e", HdlcLimits(62, 128, 1, 1)),
        ("81800c0601f8070107", None),
        ("8181050501800601 80", None),
        ("818003050480", None),
        ("81800a080103070102060200f0", HdlcLimits(128, 240, 2, 3)),
        ("818006050400000200", HdlcLimits(512, 128, 1, 1)),
        ("8180 06 0501 00 0601 00", HdlcLimits(128, 128, 1, 1)),
        ("8180 06 990100 060180", HdlcLimits(128, 128, 1, 1)),
    ],
)
def test_lists_short_odd_and_empty(information: str, limits: HdlcLimits | None) -> None:
    octets = bytes.fromhex(information)
    if limits is None:
        with pytest.raises(DecodeError):
            HdlcLimits.decode(octets)
        assert read_limits(octets) == HdlcLimits()
    else:
        assert HdlcLimits.decode(octets) == read_limits(octets) == limits


def test_what_we_send() -> None:
    assert HdlcParameters().limits.encode().hex() == (
        "8180140502 07ee 0602 07ee 0704 00000007 0804 00000007".replace(" ", "")
    )
    parameters = HdlcParameters(max_information_length=128, window=1)
    assert parameters.limits.encode().hex() == (
        "8180120501 80 0601 80 0704 00000001 0804 00000001".replace(" ", "")
    )


def test_each_direction_carries_what_both_can() -> None:
    ours = HdlcLimits(2030, 1000, 7, 5)
    meter = HdlcLimits(504, 62, 1, 3)
    assert ours.agreed_with(meter) == HdlcLimits(62, 504, 3, 1)
    assert meter.agreed_with(ours) == HdlcLimits(504, 62, 1, 3)
    assert ours.agreed_with(HdlcLimits(4000, 4000, 99, 99)) == ours


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("max_information_length", 31),
        ("max_information_length", 2031),
        ("window", 0),
        ("window", 8),
        ("attempts", 0),
    ],
)
def test_numbers_out_of_range(parameter: str, value: int) -> None:
    with pytest.raises(LocalProtocolError, match=parameter):
        HdlcParameters(**{parameter: value})  # type: ignore[arg-type]
