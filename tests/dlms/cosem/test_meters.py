"""Known meters and the rules by which makers derive addresses from serial numbers."""

import pytest

from custom_components.dlms_meter.dlms.cosem.meters import (
    METERS,
    AddressRule,
    KnownMeter,
    ServerAddress,
)
from custom_components.dlms_meter.dlms.link.hdlc_address import HdlcAddress

RULES = [
    (AddressRule.LAST_FOUR_AND_1000, "No. 44 337 606", ServerAddress(1, 8606, 4)),
    (AddressRule.LAST_FOUR_AND_16, "190123456", ServerAddress(1, 3472)),
    (AddressRule.LAST_FOUR_AND_256, "1EMH0012345678", ServerAddress(16, 5934, 4)),
    (AddressRule.LAST_TWO_AND_16, "70000042", ServerAddress(1, 58)),
    (AddressRule.LAST_FIVE, "12300417", ServerAddress(1, 417)),
    (AddressRule.LAST_FIVE, "12399999", None),  # no address is as high
    (AddressRule.SPLIT_NUMBER, "1234567", ServerAddress(75, 5767, 4)),
    (AddressRule.SPLIT_NUMBER, "12345", None),
    (AddressRule.LAST_TWO_AND_16, "unreadable", None),
]


@pytest.mark.parametrize(("rule", "serial_number", "address"), RULES)
def test_address_is_derived(
    rule: AddressRule, serial_number: str, address: ServerAddress | None
) -> None:
    assert rule.address(serial_number) == address


@pytest.mark.parametrize("rule", AddressRule)
@pytest.mark.parametrize("serial_number", ["0", "9999", "16383", "99999999", "2" * 40])
def test_derived_address_can_be_sent(rule: AddressRule, serial_number: str) -> None:
    if (address := rule.address(serial_number)) is not None:
        assert HdlcAddress.server(*address).encode()


@pytest.mark.parametrize("meter", METERS, ids=lambda meter: meter.key)
def test_row_is_fit_for_use(meter: KnownMeter) -> None:
    assert meter.title.isprintable()
    assert meter.source
    assert meter.approaches
    assert all(1 <= client_sap <= 0x7F for client_sap in meter.clients)
    assert HdlcAddress.server(*meter.address).encode()
    assert meter.flag is None or (len(meter.flag) == 3 and meter.flag.isupper())


def test_rows_can_be_told_apart_and_found_in_a_list() -> None:
    assert len({meter.key for meter in METERS}) == len(METERS)
    titles = [meter.title for meter in METERS]
    assert titles == sorted(titles, key=str.casefold)


@pytest.mark.parametrize(
    ("key", "serial_number", "address"),
    [
        ("landis_gyr_e650", "44337606", "1/8606"),
        ("landis_gyr_e650", None, "1"),
        ("kamstrup_omnipower", "12345678", "16"),
        ("ziv_5ctm", "", "1/16"),
    ],
)
def test_address_of_a_known_meter(
    key: str, serial_number: str | None, address: str
) -> None:
    [meter] = (meter for meter in METERS if meter.key == key)
    assert str(meter.address_of(serial_number)) == address
