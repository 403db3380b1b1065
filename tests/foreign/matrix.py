"""Matrices of what was tried with implementations by others, printed when the tests are over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

OK = "ok"
"""It works, and what came of it is right. A cell that begins so works, too, with a note to it."""


@dataclass
class Matrix:
    """Who was spoken to how (rows), what was asked (columns), and what came of it (cells: `OK`, or the mark of a note)."""

    title: str
    columns: Sequence[str]
    notes: dict[str, str] = field(default_factory=dict)
    """Whose fault it is and on what evidence, by the mark in the cells."""
    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    def enter(self, row: str, column: str, cell: str) -> None:
        """Fill in a cell. Raises `ValueError` for one that says neither `OK` nor what a note explains."""
        if column not in self.columns or cell not in {OK, *self.notes}:
            raise ValueError(f"{column}: {cell}")
        self.rows.setdefault(row, {})[column] = cell

    def lines(self) -> Iterator[str]:
        """Yield the matrix as text, in the order in which it was filled in, and the notes it needs."""
        margin = max(map(len, self.rows), default=0)
        numbers = {column: str(n) for n, column in enumerate(self.columns, 1)}
        cells = [cell for row in self.rows.values() for cell in row.values()]
        width = max(map(len, [*numbers.values(), *cells]))
        for name, row in ({"": numbers} | self.rows).items():
            texts = [row.get(column, "").ljust(width) for column in self.columns]
            yield f"{name:{margin}}  {' '.join(texts)}".rstrip()
        yield ", ".join(f"{number} {column}" for column, number in numbers.items())
        for mark, note in self.notes.items():
            if mark in cells:
                yield f"{mark}: {note}"
        works = sum(cell.startswith(OK) for cell in cells)
        yield f"{works} of {len(cells)} cells work"


MATRICES: list[Matrix] = []
"""Those that were filled in."""
