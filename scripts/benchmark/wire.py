"""How many turns and octets the clients need, and whether they get through on a bad line."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from custom_components.dlms_meter.dlms.application.fields import InvokeIdAndPriority
from custom_components.dlms_meter.dlms.application.get import (
    GetRequestWithList,
    GetResponseWithList,
)
from custom_components.dlms_meter.dlms.codec.data import Data, DataType
from custom_components.dlms_meter.dlms.cosem.descriptors import (
    AttributeDescriptor,
    SelectedAttribute,
)
from custom_components.dlms_meter.dlms.cosem.obis import Obis

from .contender import Contender, SessionFailed
from .meters import PROFILE, REGISTERS, Line, days_before_end, meter
from .report import Row
from .worker import Json

_DAYS = 30
_ROWS_A_DAY = 96
_ROWS = 60 * _ROWS_A_DAY
_LLC = 3
_FRAME = 2 + 2 + 1 + 1 + 1 + 2 + 2  # flags, format, addresses, control, both checks
_READY = _FRAME - 2  # RR has no header check


class Reading(NamedTuple):
    """One session to be counted."""

    what: str
    session: str
    information: int
    window: int
    pdu: int
    turns: int
    """What is to be reached."""


READINGS = (
    Reading("20 registers, 2030/1", "read registers", 2030, 1, 1200, 1),
    Reading("20 registers, 128/7", "read registers", 128, 7, 1200, 1),
    Reading("20 registers, 128/1", "read registers", 128, 1, 1200, 2),
    Reading("object list of 300, 128/7", "read objects", 128, 7, 1200, 34),
    Reading(f"{_DAYS} days of profile, 128/7", "read profile", 128, 7, 1200, 220),
    Reading(f"{_DAYS} days of profile, 2030/7, PDU 4096", "read profile", 2030, 7, 4096, 30),
)  # fmt: skip
_SEEDS = 20


def turns(ours: Contender, pydlms: Contender) -> Iterator[Row]:
    """Count the turns and the octets of a reading, without those it takes to associate and to release."""
    for reading in READINGS:
        counted = {each.name: count(each, reading) for each in (ours, pydlms)}
        mine, theirs = counted["ours"], counted["pydlms"]
        yield Row(
            f"turns: {reading.what}",
            str(mine.turns),
            {"pydlms": str(theirs.turns)},
            f"≤ {reading.turns}",
            mine.turns <= reading.turns,
        )
        if reading.session == "read registers":
            ideal = fewest_octets(reading)
            yield Row(
                f"octets over the ideal: {reading.what}",
                f"{mine.octets / ideal:.3f}",
                {"pydlms": f"{theirs.octets / ideal:.3f}"},
                "≤ 1.00",
                mine.octets <= ideal,
            )


class Counted(NamedTuple):
    """What went over the line."""

    turns: int
    octets: int


def count(contender: Contender, reading: Reading) -> Counted:
    """Count what a reading takes beyond a session in which nothing is read."""
    whole, empty = line_for(reading), line_for(reading)
    contender.session(reading.session, whole, order_for(reading))
    contender.session("do nothing", empty, order_for(reading))
    return Counted(whole.turns - empty.turns, whole.octets - empty.octets)


def line_for(reading: Reading, lost: float = 0.0, seed: int = 0) -> Line:
    """Make a meter for a reading, and the line to it."""
    simulated = meter(
        information=reading.information,
        window=reading.window,
        pdu=reading.pdu,
        rows=_ROWS,
        objects=300,
    )
    return Line(simulated, lost, seed)


def order_for(reading: Reading) -> Json:
    """Say what is to be read."""
    since, until = days_before_end(_ROWS, _DAYS)
    return {
        "virtual time": True,
        "information": reading.information,
        "window": reading.window,
        "profile": PROFILE,
        "since": since,
        "until": until,
        "registers": REGISTERS,
    }


def fewest_octets(reading: Reading) -> int:
    """Return how many octets one list of the registers and its answer take, in the fullest frames there are."""
    invoke = InvokeIdAndPriority.of(1)
    attributes = [
        SelectedAttribute(AttributeDescriptor(3, Obis.parse(code), 2))
        for code in REGISTERS
    ]
    values = [Data(DataType.DOUBLE_LONG_UNSIGNED, 0) for _ in REGISTERS]
    request = GetRequestWithList(invoke, tuple(attributes)).encode()
    answer = GetResponseWithList(invoke, tuple(values)).encode()
    octets = 0
    for apdu in (request, answer):
        frames = -(-(_LLC + len(apdu)) // reading.information)
        ready = -(-frames // reading.window) - 1
        octets += _LLC + len(apdu) + frames * _FRAME + ready * _READY
    return octets


def bad_lines(contenders: Mapping[str, Contender]) -> Iterator[Row]:
    """Count how often a profile is read whole and right while frames of the meter get lost."""
    reading = READINGS[4]
    expected = contenders["ours"].session(
        "read profile", line_for(reading), order_for(reading)
    )
    assert len(expected) == _DAYS * _ROWS_A_DAY
    for lost in (1000, 200):
        finished = {
            name: sum(
                reads_right(contender, reading, 1 / lost, seed, expected)
                for seed in range(_SEEDS)
            )
            for name, contender in contenders.items()
        }
        yield Row(
            f"{reading.what}, one frame in {lost} lost",
            f"{finished['ours']}/{_SEEDS}",
            {"pydlms": f"{finished['pydlms']}/{_SEEDS}"},
            f"{_SEEDS}/{_SEEDS} with every row right",
            finished["ours"] == _SEEDS,
        )


def reads_right(
    contender: Contender, reading: Reading, lost: float, seed: int, expected: Json
) -> bool:
    """Tell whether a reading on a bad line brings all there is."""
    line = line_for(reading, lost, seed)
    try:
        return bool(
            contender.session("read profile", line, order_for(reading)) == expected
        )
    except SessionFailed:
        return False
