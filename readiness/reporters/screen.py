"""pytest's own way to the terminal, for rich: it stays open while pytest captures output."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

NARROWEST = 40


class Screen(io.TextIOBase):
    """The terminal that pytest reports to, as a file."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def write(self, text: str) -> int:
        """Write at once."""
        self._reporter.write(text, flush=True)
        return len(text)

    @classmethod
    def console(cls, reporter: pytest.TerminalReporter) -> Console:
        """A console of the terminal's width, and in colour only where pytest is."""
        writer = reporter.config.get_terminal_writer()
        return Console(
            file=cls(reporter),  # type: ignore[arg-type]
            force_terminal=reporter.isatty(),
            no_color=not writer.hasmarkup,
            width=max(NARROWEST, writer.fullwidth),
            highlight=False,
            markup=False,
        )
