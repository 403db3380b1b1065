"""Print the matrices when the tests are over."""

from dataclasses import asdict
from typing import Any

import pytest

from .matrix import MATRICES, Matrix


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was filled in to the process that prints, where tests run in several."""
    handed_over: dict[str, object] | None = getattr(
        session.config, "workeroutput", None
    )
    if handed_over is not None:
        handed_over["matrices"] = [asdict(matrix) for matrix in MATRICES if matrix.rows]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what another process filled in."""
    handed_over: dict[str, list[dict[str, Any]]] = getattr(node, "workeroutput", {})
    MATRICES.extend(Matrix(**fields) for fields in handed_over.get("matrices", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was filled in, if anything was."""
    for matrix in MATRICES:
        if matrix.rows:
            terminalreporter.section(matrix.title)
            for line in matrix.lines():
                terminalreporter.write_line(line)
