"""Known meters: how each is reached, at which address, and as whom one reads it. Rows, each with its source.

A row is a proposal to begin with, never a promise: the same model is configured differently by every operator.
Passwords are not among the rows; who operates a meter gives them out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple


class Approach(Enum):
    """How a conversation begins."""

    SIGN_ON = "sign_on"
    """IEC 62056-21 mode E: sign-on at 300 baud, then HDLC."""
    HDLC = "hdlc"
    """HDLC at once."""
    WRAPPER = "wrapper"
    """The TCP wrapper of IEC 62056-47."""


class Access(Enum):
    """What a meter wants to know of whoever reads it, in the words of people."""

    OPEN = "open"
    PASSWORD = "password"
    CHALLENGE = "challenge"
    KEYS = "keys"


class ServerAddress(NamedTuple):
    """Where a meter listens; `length` in octets, None for the shortest that holds the numbers. HDLC only."""

    logical_device: int = 1
    physical_device: int | None = None
    length: int | None = None

    def __str__(self) -> str:
        """Show the address as `logical` or `logical/physical`."""
        if self.physical_device is None:
            return str(self.logical_device)
        return f"{self.logical_device}/{self.physical_device}"


_ONE: Final = ServerAddress()
_LARGEST_HALF: Final = 0x3FFD
"""The two numbers above it are reserved (IEC 62056-46)."""
_HALF_BITS: Final = 14
_LOWEST_NIK: Final = 16


class AddressRule(Enum):
    """How makers derive the address from the number printed on the meter."""

    LAST_FOUR_AND_1000 = "last four digits + 1000"
    LAST_FOUR_AND_16 = "last four digits + 16"
    LAST_FOUR_AND_256 = "last four digits + 256, logical device 16"
    LAST_TWO_AND_16 = "last two digits + 16"
    LAST_FIVE = "last five digits"
    SPLIT_NUMBER = "lower 14 bits, logical device the upper 14 bits"

    def address(self, serial_number: str) -> ServerAddress | None:
        """Return the address of the meter with this number; None if the rule gives none."""
        digits = "".join(filter(str.isdecimal, serial_number))
        address = _RULES[self](int(digits)) if digits else None
        if address is None or (address.physical_device or 0) > _LARGEST_HALF:
            return None
        return address


def _split_number(number: int) -> ServerAddress | None:
    upper, lower = divmod(number, 1 << _HALF_BITS)
    if not (lower >= _LOWEST_NIK and _LOWEST_NIK <= upper <= _LARGEST_HALF):
        return None  # smaller halves are marked in a way that no source explains
    return ServerAddress(upper, lower, 4)


_RULES: Final[dict[AddressRule, Callable[[int], ServerAddress | None]]] = {
    AddressRule.LAST_FOUR_AND_1000: lambda n: ServerAddress(1, n % 10_000 + 1000, 4),
    AddressRule.LAST_FOUR_AND_16: lambda n: ServerAddress(1, n % 10_000 + 16),
    AddressRule.LAST_FOUR_AND_256: lambda n: ServerAddress(16, n % 10_000 + 256, 4),
    AddressRule.LAST_TWO_AND_16: lambda n: ServerAddress(1, n % 100 + 16),
    AddressRule.LAST_FIVE: lambda n: ServerAddress(1, n % 100_000),
    AddressRule.SPLIT_NUMBER: _split_number,
}


@dataclass(frozen=True, slots=True)
class KnownMeter:
    """One row: a meter as it is usually set up. `approaches` and `clients` are in order of likelihood."""

    key: str
    manufacturer: str
    model: str
    approaches: tuple[Approach, ...]
    clients: tuple[int, ...]
    access: Access
    source: str
    """Where this is written down."""
    address: ServerAddress = _ONE
    rule: AddressRule | None = None
    short_names: bool = False
    speed: int = 9600
    flag: str | None = None
    """The maker's three letters (FLAG), as in logical device names and sign-on messages."""

    @property
    def title(self) -> str:
        """Return maker and model."""
        return f"{self.manufacturer} {self.model}"

    def address_of(self, serial_number: str | None) -> ServerAddress:
        """Return the address, by the maker's rule where it has one and the number is known."""
        if self.rule and serial_number and (found := self.rule.address(serial_number)):
            return found
        return self.address


_OPTICAL: Final = (Approach.SIGN_ON, Approach.HDLC)
_DIRECT: Final = (Approach.HDLC, Approach.SIGN_ON)
_SERIAL: Final = (Approach.HDLC,)
_NETWORK: Final = (Approach.WRAPPER,)

_GURUX: Final = "github.com/Gurux/Gurux.DLMS.AMI4: Manufacturers"
_IPESOFT: Final = "doc.ipesoft.com: D2000 DLMS driver"
_LATONITA: Final = "github.com/latonita/esphome-dlms-cosem: README"
_WIREN_BOARD: Final = "github.com/wirenboard/wb-mqtt-serial: templates"

METERS: Final = (
    KnownMeter("2n_metercom", "2N", "MeterCom PRO", _NETWORK, (16, 1), Access.OPEN, "wiki.2n.com: MeterCom, DLMS", flag="NNT"),
    KnownMeter("addax_np73e", "ADD-Production", "ADDAX NP73E", _DIRECT, (1, 2), Access.PASSWORD, _IPESOFT, flag="ADX"),
    KnownMeter("apator_norax_3", "Apator", "Norax 3", (Approach.SIGN_ON,), (16,), Access.OPEN, "github.com/u9n/dlms-cosem/issues/37", flag="APA"),
    KnownMeter("circutor_prime", "Circutor, Orbis, Sagemcom", "PRIME", _DIRECT, (2, 1), Access.PASSWORD, "manualshive.com: Circutor COMPACT DC, p. 49", flag="CIR"),
    KnownMeter("edmi_mk7mi", "EDMI", "Mk7MI", (Approach.SIGN_ON,), (32, 16), Access.PASSWORD, _GURUX, ServerAddress(1, 35), flag="EDM"),
    KnownMeter("elgama_gama", "Elgama", "GAMA 100, GAMA 300", _SERIAL, (16,), Access.OPEN, "github.com/astraliens/home-assistant-gama-300-dlms-meter: README", rule=AddressRule.LAST_FOUR_AND_1000, short_names=True, flag="EGM"),
    KnownMeter("elvaco_cme3100", "Elvaco", "CMe3100", _NETWORK, (1, 16), Access.PASSWORD, "manualshive.com: Elvaco CMe3100 user manual, p. 26", flag="ELV"),
    KnownMeter("emh_lzqj", "EMH", "LZQJ, LZQJ-XC", _OPTICAL, (16,), Access.OPEN, _IPESOFT, ServerAddress(16), AddressRule.LAST_FOUR_AND_256, short_names=True, flag="EMH"),
    KnownMeter("energomera_ce", "Energomera", "CE207, CE307, CE308", _DIRECT, (32, 16), Access.PASSWORD, _LATONITA, flag="EMR"),
    KnownMeter("hexing_hxe", "Hexing", "HXE310, HXF300", _OPTICAL, (16, 1, 2), Access.OPEN, "gurux.fi/comment/30488", ServerAddress(0, 1), flag="HXE"),
    KnownMeter("incotex_mercury", "Incotex", "Mercury 204, 208, 234 (SPODES)", _SERIAL, (32, 16), Access.PASSWORD, _WIREN_BOARD, ServerAddress(1, 20), flag="INC"),
    KnownMeter("is_15959", "IS 15959", "Genus, HPL, L&T, Secure", _DIRECT, (32, 16, 48), Access.PASSWORD, _GURUX),
    KnownMeter("iskraemeco_am550", "Iskraemeco", "AM550", _SERIAL, (1, 16), Access.KEYS, "dlms.dev/connect_to_your_meter", ServerAddress(1, 17), flag="ISK"),
    KnownMeter("iskraemeco_mt880", "Iskraemeco", "MT880", _DIRECT, (16, 1), Access.OPEN, _IPESOFT, rule=AddressRule.LAST_TWO_AND_16, flag="ISK"),
    KnownMeter("itron_sl7000", "Itron (Actaris)", "SL7000, SL761", _DIRECT, (7, 3, 1), Access.PASSWORD, "easymanua.ls: Itron SL7000, p. 67", flag="ACE"),
    KnownMeter("itron_ace6000", "Itron", "ACE6000", (Approach.SIGN_ON,), (16,), Access.OPEN, _GURUX, ServerAddress(1, 17), flag="ACE"),
    KnownMeter("kaifa_ma309m", "Kaifa", "MA309M", (Approach.HDLC, Approach.WRAPPER), (1, 16), Access.PASSWORD, _IPESOFT, flag="KFM"),
    KnownMeter("kaifa_tcp", "Kaifa", "with network connection", _NETWORK, (1, 16), Access.KEYS, "github.com/ViewWay/dlms-cosem: tests", flag="KFM"),
    KnownMeter("kamstrup_382", "Kamstrup", "162, 351C, 382J", _SERIAL, (18, 16), Access.PASSWORD, _GURUX, flag="KAM"),
    KnownMeter("kamstrup_omnipower", "Kamstrup", "OMNIPOWER", _SERIAL, (19, 16), Access.PASSWORD, "github.com/u9n/dlms-cosem/issues/62", ServerAddress(16), flag="KAM"),
    KnownMeter("landis_gyr_e350_ip", "Landis+Gyr", "E350 with network module", _NETWORK, (1,), Access.PASSWORD, _GURUX, flag="LGZ"),
    KnownMeter("landis_gyr_e550", "Landis+Gyr", "E550 ZMG310, ZMG410", (Approach.SIGN_ON,), (32, 16), Access.PASSWORD, "gurux.fi/comment/18335", flag="LGZ"),
    KnownMeter("landis_gyr_e570_ip", "Landis+Gyr", "E570 with network module", _NETWORK, (32,), Access.PASSWORD, _GURUX, flag="LGZ"),
    KnownMeter("landis_gyr_e650", "Landis+Gyr", "E650 ZMD, ZFD", _OPTICAL, (32, 16), Access.PASSWORD, "gurux.fi/node/15856", rule=AddressRule.LAST_FOUR_AND_1000, short_names=True, flag="LGZ"),
    KnownMeter("landis_gyr_e850", "Landis+Gyr", "E850 ZMQ202", _DIRECT, (32, 16), Access.PASSWORD, _GURUX, short_names=True, flag="LGZ"),
    KnownMeter("larsen_toubro_regor", "Larsen & Toubro", "Regor", _NETWORK, (32, 16), Access.PASSWORD, _GURUX),
    KnownMeter("mel_mem600", "MEL", "MEM600", _SERIAL, (1, 16), Access.PASSWORD, "github.com/u9n/dlms-cosem/issues/95", ServerAddress(1, 2836, 4), flag="MEL"),
    KnownMeter("metcom_mcs301", "MetCom", "MCS301, MCS501", _DIRECT, (1, 16), Access.PASSWORD, _GURUX, ServerAddress(1, 127, 4), flag="MCS"),
    KnownMeter("meter_italia_eg4", "Meter Italia", "EG4 EVO", _SERIAL, (16, 1), Access.OPEN, _GURUX, ServerAddress(1, 16), speed=19200),
    KnownMeter("milur_107", "Milur", "107S, 307S", _SERIAL, (32, 16), Access.PASSWORD, "github.com/latonita/esphome-dlms-cosem/issues/2", rule=AddressRule.LAST_FOUR_AND_16, flag="MIL"),
    KnownMeter("spodes", "Mir, Mirtek, Pulsar, Taipit", "SPODES", _SERIAL, (32, 16), Access.PASSWORD, _LATONITA, flag="MIR"),
    KnownMeter("nartis_i100", "Nartis", "I100, I300", _SERIAL, (32, 16), Access.PASSWORD, _LATONITA, ServerAddress(1, 17), flag="NRT"),
    KnownMeter("rim_489", "RiM", "489", _SERIAL, (32, 16), Access.PASSWORD, _LATONITA, flag="RIM"),
    KnownMeter("zip_m203", "SPb ZIP, Vektor", "M203, CE2727A", _SERIAL, (16, 1), Access.OPEN, "github.com/tohasan/hdlc-translator: captures", rule=AddressRule.LAST_FOUR_AND_1000, flag="ZIP"),
    KnownMeter("ziv_5ctm", "ZIV", "5CTM, 5CTD (PRIME)", _SERIAL, (2,), Access.PASSWORD, "github.com/viric/esphome-ziv: README", ServerAddress(1, 16, 2), flag="ZIV"),
)  # fmt: skip
