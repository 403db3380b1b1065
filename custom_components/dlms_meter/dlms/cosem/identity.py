"""Who a meter is: logical device name, serial number, firmware, in all the forms meters write them."""

from collections.abc import Mapping
from dataclasses import dataclass
import re
from typing import Self

from ..codec.data import Data
from ..errors import DecodeError
from .descriptors import AttributeDescriptor
from .flag_ids import MANUFACTURERS
from .obis import Obis
from .values import decode_text


def _value_of(name: str) -> AttributeDescriptor:
    return AttributeDescriptor(1, Obis.parse(name), 2)


_LOGICAL_DEVICE_NAME = _value_of("0-0:42.0.0*255")
_SERIAL_NUMBERS = tuple(map(_value_of, ("0-0:96.1.0*255", "1-0:0.0.0*255")))
_FIRMWARES = tuple(map(_value_of, ("1-0:0.2.0*255", "0-0:0.2.0*255")))
_DEVICE_TYPES = tuple(map(_value_of, ("0-0:96.1.7*255", "1-1:96.1.1*255")))

IDENTITY_ATTRIBUTES = (
    _LOGICAL_DEVICE_NAME,
    *_SERIAL_NUMBERS,
    *_FIRMWARES,
    *_DEVICE_TYPES,
)
"""What to read for `Identity.from_answers`; few meters have all of it."""

_FLAG = re.compile("[A-Z]{3}")
_LONGEST = 64
"""Characters; the standard has 16 octets for a logical device name, serial numbers have fewer."""
_TELLING_DIGITS = 4
"""Fewer digits than this are not what tells one meter from the next: they count logical devices or versions."""
_TOLD_DIGITS = 4
"""So much of the number tells the meters of one home apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a meter is. At least one of logical device name and serial number is known; `DecodeError` otherwise."""

    logical_device_name: str | None = None
    """Printable; octets that are no text are hexadecimal."""
    serial_number: str | None = None
    """As printed on the meter, if it says; octets that are no text are hexadecimal, which BCD is too."""
    firmware: str | None = None
    device_type: str | None = None

    def __post_init__(self) -> None:
        if self.logical_device_name is None and self.serial_number is None:
            raise DecodeError(
                "the meter tells neither its logical device name nor its serial number"
            )

    @classmethod
    def from_answers(cls, answers: Mapping[AttributeDescriptor, Data]) -> Self:
        """Take who the meter is from the values of `IDENTITY_ATTRIBUTES`, as far as there are any.

        Raises `DecodeError` if there is neither a logical device name nor a serial number.
        """
        return cls(
            logical_device_name=_first_text(answers, (_LOGICAL_DEVICE_NAME,)),
            serial_number=_first_text(answers, _SERIAL_NUMBERS),
            firmware=_first_text(answers, _FIRMWARES),
            device_type=_first_text(answers, _DEVICE_TYPES),
        )

    @property
    def manufacturer_flag(self) -> str | None:
        """Return the FLAG identification, the first three letters of the logical device name; None if it has none."""
        if self.logical_device_name and (
            match := _FLAG.match(self.logical_device_name)
        ):
            return match.group()
        return None

    @property
    def manufacturer(self) -> str | None:
        """Return the name of the manufacturer, the FLAG letters where the name is not known; None without them."""
        flag = self.manufacturer_flag
        return flag and MANUFACTURERS.get(flag, flag)

    @property
    def unique_ids(self) -> tuple[str, ...]:
        """Return every name that tells this meter from all others, the best one first.

        The logical device name is made for this, but some meters of a kind all have the same: without enough digits it
        comes last. A serial number is unique with its manufacturer.
        """
        name, serial = self.logical_device_name, self.serial_number
        flag = self.manufacturer_flag or ""
        with_flag = serial and (serial if serial.startswith(flag) else flag + serial)
        ids = (name, with_flag) if name and _tells_apart(name) else (with_flag, name)
        return tuple(dict.fromkeys(one for one in ids if one))

    @property
    def unique_id(self) -> str:
        """Return the best of `unique_ids`. Compare with all of them: a meter may not tell everything every time."""
        return self.unique_ids[0]

    @property
    def title(self) -> str:
        """Return a name for people: manufacturer, model, and the end of the number on the meter."""
        number = self.serial_number or self.unique_id
        end = number[-_TOLD_DIGITS:]
        told = (
            self.manufacturer,
            self.device_type,
            end if end == number else f"…{end}",
        )
        return " ".join(filter(None, told))


def _first_text(
    answers: Mapping[AttributeDescriptor, Data],
    attributes: tuple[AttributeDescriptor, ...],
) -> str | None:
    """Return the first answer that says something."""
    for attribute in attributes:
        if attribute in answers and (text := _printable(answers[attribute])):
            return text
    return None


def _printable(data: Data) -> str | None:
    """Return a text, octets that are none as hexadecimal digits; a FLAG identification before them stays letters.

    It can be shown and used as a name: no signs that nobody sees, and no longer than names are.
    """
    text = decode_text(data)
    if isinstance(text, bytes):
        head = text[:3].decode("latin-1")
        text = head + text[3:].hex() if _FLAG.fullmatch(head) else text.hex()
    if text is None:
        return None
    return "".join(filter(str.isprintable, text))[:_LONGEST].strip()


def _tells_apart(name: str) -> bool:
    """Tell whether a name has enough digits, and not all of them 0, to be of one meter only."""
    digits = [character for character in name if character.isdigit()]
    return len(digits) >= _TELLING_DIGITS and set(digits) != {"0"}
