"""Codes: names for what the standard names, and a place for what it does not."""

from typing import cast

import pytest

from custom_components.dlms_meter.dlms.application import enums
from custom_components.dlms_meter.dlms.application.enums import (
    Code,
    Conformance,
    DataAccessResult,
)


def test_label() -> None:
    assert DataAccessResult.OBJECT_UNDEFINED.label == "object undefined"


@pytest.mark.parametrize(
    "codes", Code.__subclasses__(), ids=lambda codes: codes.__name__
)
def test_a_number_without_a_name_is_kept(codes: type[Code]) -> None:
    nameless = next(number for number in range(256) if number not in set(codes))
    code = codes(nameless)
    assert isinstance(code, codes)
    assert code == nameless
    assert bytes((code,)) == bytes((nameless,))
    assert code.label == f"code {nameless}"
    assert code not in list(codes)


@pytest.mark.parametrize("value", [256, -1, cast(int, "1")])
def test_what_is_no_octet_is_no_code(value: int) -> None:
    with pytest.raises(ValueError, match="not a valid DataAccessResult"):
        DataAccessResult(value)


def test_every_code_is_one_octet() -> None:
    kinds = Code.__subclasses__()
    assert (
        len(kinds)
        == len(
            [
                each
                for each in vars(enums).values()
                if isinstance(each, type) and issubclass(each, Code)
            ]
        )
        - 1
    )
    assert all(0 <= code <= 255 for codes in kinds for code in codes)


def test_conformance_counts_bits_from_the_left() -> None:
    bits = list(Conformance)
    assert len(bits) == 24
    assert sum(bits) == 0xFFFFFF
    # Bit 19 of the standard is GET, bit 0 the first of three octets' highest.
    assert Conformance.GET.to_bytes(3) == bytes.fromhex("000010")
    assert Conformance.RESERVED_ZERO.to_bytes(3) == bytes.fromhex("800000")
