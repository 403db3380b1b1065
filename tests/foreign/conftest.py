"""Print the matrices when the tests are over."""

import pytest

from .matrix import MATRICES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was filled in, if anything was."""
    for matrix in MATRICES:
        if matrix.rows:
            terminalreporter.section(matrix.title)
            for line in matrix.lines():
                terminalreporter.write_line(line)
