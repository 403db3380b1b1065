"""Values as JSON without types, for people and templates; and back, in the form in which they were shown."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from enum import IntEnum
from typing import Any, Final

from .dlms import (
    BitString,
    DlmsDate,
    DlmsDateTime,
    DlmsError,
    DlmsTime,
    Obis,
    Quantity,
    Value,
)
from .typed_data import InvalidData, from_json

type MomentOf = Callable[[DlmsDateTime], datetime | None]
"""What a date-time of the meter means."""
type Stamp = Callable[[datetime], DlmsDateTime]
"""How the meter writes a moment, which may be without zone."""


def plain(value: Value, moment_of: MomentOf | None = None) -> Any:  # noqa: ANN401  any JSON
    """Return a value as JSON: numbers, texts, names of choices, hex digits, ISO times, lists, and fields by their names.

    Without `moment_of`, times are as the meter shows them.
    """
    match value:
        case Quantity():
            return plain(value.value)
        case Decimal():
            return _number(value)
        case IntEnum():
            return value.name.lower()
        case BitString() | DlmsDate() | DlmsTime() | Obis():
            return str(value)
        case DlmsDateTime():
            moment = (moment_of and moment_of(value)) or value.local()
            return str(value) if moment is None else moment.isoformat()
        case bytes():
            return value.hex()
        case tuple():
            parts = [plain(each, moment_of) for each in value]
            fields = getattr(value, "_fields", None)
            return parts if fields is None else dict(zip(fields, parts, strict=True))
    return value


def _number(value: Decimal) -> int | float | None:
    if not value.is_finite():
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def from_plain(given: object, shown: Value, stamp: Stamp) -> Value:
    """Read JSON in the form in which `plain` gave `shown`, to be written instead. Raises `InvalidData`.

    What was shown as nothing gives no hint: JSON is taken as it is.
    """
    try:
        return _from_plain(given, shown, stamp)
    except (
        AttributeError,
        DlmsError,
        InvalidOperation,
        KeyError,
        TypeError,
        ValueError,
    ) as error:
        example = plain(shown)
        raise InvalidData(
            f"{given!r} is not of the form of {example!r}, which it is now"
        ) from error


def _from_plain(given: Any, shown: Value, stamp: Stamp) -> Value:  # noqa: ANN401  any JSON
    for kind, read in _FORMS:
        if isinstance(shown, kind):
            return read(given, shown, stamp)
    return Decimal(str(given)) if isinstance(given, float) else given


def _same(given: Any, shown: Any, stamp: Stamp) -> Value:  # noqa: ANN401  any JSON
    if not isinstance(given, type(shown)):
        raise TypeError
    return given  # type: ignore[no-any-return]  # a bool or text, as the value shown


def _exact(given: Any) -> Decimal:  # noqa: ANN401  any JSON
    if isinstance(given, bool):
        raise TypeError
    return Decimal(str(given))


def _choice(given: str | int, shown: IntEnum) -> int:
    kind = type(shown)
    return kind[given.upper()] if isinstance(given, str) else int(given)


def _date_time(given: str, shown: DlmsDateTime, stamp: Stamp) -> DlmsDateTime:
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:  # a rule, such as the last Sunday of March
        rule = DlmsDateTime.parse(given)
        return replace(rule, deviation=shown.deviation, status=shown.status)
    return stamp(moment)


def _date(given: str) -> DlmsDate:
    return DlmsDate.parse(given)


def _time(given: str) -> DlmsTime:
    try:
        moment = time.fromisoformat(given)
    except ValueError:
        return DlmsTime.parse(given)
    hundredths = moment.microsecond // 10_000
    return DlmsTime(moment.hour, moment.minute, moment.second, hundredths)


def _parts(given: Any, shown: tuple[Value, ...], stamp: Stamp) -> tuple[Value, ...]:  # noqa: ANN401  any JSON
    """Read fields by name or in their order, or a list whose elements are like the first of those shown."""
    fields: tuple[str, ...] | None = getattr(shown, "_fields", None)
    if fields is None:
        like = shown[0] if shown else None
        return tuple(_from_plain(each, like, stamp) for each in _list(given))
    named = zip(fields, shown, strict=True)
    if isinstance(given, dict):
        if given.keys() - set(fields):
            raise KeyError
        return tuple(
            _from_plain(given[name], each, stamp) if name in given else each
            for name, each in named
        )
    return tuple(
        _from_plain(one, each, stamp)
        for one, each in zip(_list(given), shown, strict=True)
    )


def _list(given: object) -> list[object]:
    if not isinstance(given, list):
        raise TypeError
    return given


def _bits(given: object) -> Value:
    bits = from_json({"type": "bit_string", "value": given}).value
    assert isinstance(bits, BitString)
    return bits


_FORMS: Final[tuple[tuple[type, Callable[[Any, Any, Stamp], Value]], ...]] = (
    (bool, _same),
    (str, _same),
    (IntEnum, lambda given, shown, _: _choice(given, shown)),
    (Quantity, lambda given, *_: _exact(given)),
    (Decimal, lambda given, *_: _exact(given)),
    (int, lambda given, *_: _exact(given)),
    (DlmsDateTime, _date_time),
    (DlmsDate, lambda given, *_: _date(given)),
    (DlmsTime, lambda given, *_: _time(given)),
    (BitString, lambda given, *_: _bits(given)),
    (Obis, lambda given, *_: Obis.parse(given)),
    (bytes, lambda given, *_: bytes.fromhex(given.removeprefix("0x"))),
    (tuple, _parts),
)
"""How JSON is read, by what was shown; the first row that fits counts."""
