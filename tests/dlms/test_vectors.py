"""Every vector is used: a test reads what it says, or it is left out here, with the reason."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
import re
from types import ModuleType

from tests.harness import Vector, vectors

LEFT_OUT: dict[str, str] = {}
"""The reason why no test reads what a vector says, by its number. There is none: even those of pushes are opened."""

IN_PART = dict.fromkeys(
    ("v0415", "v0416"),
    "cipher text only: from no reading of the Green Book has anybody been able to make the tag printed there",
)
"""What of a vector is not held against us, by its number, and why."""

IN_ANY_CASE = {"test_every_vector_is_no_danger_as_data"}
"""Tests that take all there are and read none."""

MODULES = [
    f"tests.dlms.{path.parent.name}.{path.stem}"
    for path in sorted(Path(__file__).parent.glob("*/test_*.py"))
]


def rows_of(module: ModuleType) -> Iterator[object]:
    """Yield what the tests of a module are run with, and what it holds for them."""
    for name, item in vars(module).items():
        if isinstance(item, list):
            yield from item
        else:
            yield item
        if name in IN_ANY_CASE:
            continue
        for mark in getattr(item, "pytestmark", ()):
            if mark.name == "parametrize":
                yield from mark.args[1]


def numbers_in(row: object) -> Iterator[str]:
    """Yield the numbers of vectors in a row: those it holds, and the one it is named by."""
    if isinstance(row, Vector):
        yield row.id
    if (named := re.match(r"v\d{4}\b", str(getattr(row, "id", "")))) is not None:
        yield named[0]
    values = row if isinstance(row, tuple) else ()
    for value in values:
        if isinstance(value, Vector | tuple):
            yield from numbers_in(value)


def test_no_vector_is_left_out_without_a_reason() -> None:
    used = {
        number
        for name in MODULES
        for row in rows_of(import_module(name))
        for number in numbers_in(row)
    }
    everything = {vector.id for vector in vectors()}
    assert everything - used == LEFT_OUT.keys()
    assert used <= everything
    unverified = {
        vector.id
        for vector in vectors()
        if isinstance(vector.decoded, dict)
        and vector.decoded.get("tag_verified") is False
    }
    assert unverified == IN_PART.keys()
    assert len(everything) == 355
