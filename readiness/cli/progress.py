"""Live output in the terminal: the progress of a run, and what has ended."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from threading import Event, Thread

import pytest
from rich.console import Console
from rich.live import Live
from rich.table import Table

from readiness.check import Check
from readiness.reporters.conclusions import NO_DEFECT, SHAPES
from readiness.reporters.terminal import MIN_WIDTH, STYLES
from readiness.runner.scheduler import Scheduler, by_dimension
from readiness.transport.budget import UsageBudget
from readiness.verdict.claim import Verdict

PLAIN_INTERVAL = 10.0  # seconds
COLOURS = {"blue": {"blue": True}, "bold red": {"red": True}, "yellow": {"yellow": True}}


class Screen(io.TextIOBase):
    """The terminal that pytest reports to, as a file."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter

    def write(self, text: str) -> int:
        """Write and flush."""
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
            width=max(MIN_WIDTH, writer.fullwidth),
            highlight=False,
            markup=False,
        )


class CheckLines:
    """Prints a line for each check that is not ready, and for each dimension when it ends.

    pytest's own letters are switched off.
    """

    def __init__(self, reporter: pytest.TerminalReporter, checks: Iterable[Check]) -> None:
        self._reporter = reporter
        self._waiting = Counter(each.dimension for each in checks)
        self._found: dict[str, list[Verdict]] = {}
        self._no_defect: Counter[str] = Counter()
        reporter.showfspath = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the lines."""
        found = dict(report.user_properties)
        if report.when != "call" or "check" not in found or self._reporter.verbosity != 0:
            return
        if "verdict" in found:
            self._note(found)
        dimension = str(found["check"]).partition(".")[0]
        self._waiting[dimension] -= 1
        if not self._waiting[dimension]:
            self._dimension(dimension, self._found.get(dimension, ()), self._no_defect[dimension])

    def _dimension(self, name: str, verdicts: Sequence[Verdict], clean: int) -> None:
        assessed = [each for each in verdicts if each is not Verdict.NOT_ASSESSED]
        if clean and not assessed:
            self._reporter.write_line(f"{NO_DEFECT:<15}{name}")
        elif verdicts:
            ready = sum(each is Verdict.READY for each in assessed)
            parts = [f"{clean} without a defect"] if clean else []
            parts += [f"{ready} of {len(assessed)} checks ready"] if assessed else []
            if left := len(verdicts) - len(assessed):
                parts.append(f"{left} not assessed")
            worst = max(assessed or verdicts, key=lambda each: each.severity)
            self._print(worst, f"{name:<38}{', '.join(parts)}")

    def _note(self, found: Mapping[str, object]) -> None:
        verdict = Verdict(str(found["verdict"]))
        status = "waived" if "waiver" in found else found["gate"]
        if status != "required":
            return
        if "no_defect" in found:
            self._no_defect[str(found["dimension"])] += 1
            return
        self._found.setdefault(str(found["dimension"]), []).append(verdict)
        if verdict is Verdict.NOT_READY:
            self._print(verdict, f"{found['check']:<38}{found['passed']}/{found['trials']}")

    def _print(self, verdict: Verdict, said: str) -> None:
        line = f"{SHAPES[verdict]} {verdict:<13}{said}"
        self._reporter.write_line(line, **COLOURS.get(STYLES[verdict], {}))


class Progress:
    """Shows the progress of a run."""

    def __init__(
        self, reporter: pytest.TerminalReporter, runner: Scheduler, budget: UsageBudget
    ) -> None:
        self._reporter = reporter
        self._runner = runner
        self._budget = budget
        self._began = time.monotonic()
        self._last_line_at = self._began

    @contextmanager
    def shown(self) -> Generator[None]:
        """Show progress while the context lasts."""
        if self._reporter.verbosity < 0:
            yield
            return
        capture = self._reporter.config.pluginmanager.getplugin("capturemanager")
        # pytest captures output, the terminal's included, so capturing is disabled here.
        free = capture.global_and_fixture_disabled() if capture else nullcontext()
        with free, self._live() if self._reporter.isatty() else self._lines():
            yield

    @contextmanager
    def _live(self) -> Generator[None]:
        console = Screen.console(self._reporter)
        with Live(
            get_renderable=self._table, console=console, transient=True, refresh_per_second=4
        ):
            yield

    @contextmanager
    def _lines(self) -> Generator[None]:
        over = Event()
        thread = Thread(target=self._print_lines, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _print_lines(self, over: Event) -> None:
        while not over.wait(max(0.0, self._last_line_at + PLAIN_INTERVAL - time.monotonic())):
            self._last_line_at = time.monotonic()
            self._reporter.write_line(self._line(), flush=True)

    def _line(self) -> str:
        in_progress = {
            each: count
            for each, count in self._counts().items()
            if 0 < count["tried"] < count["planned"]
        }
        parts = [f"{each} {_done(count)}" for each, count in in_progress.items()]
        return " · ".join([*parts, self._speed()])

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        for dimension, count in self._counts().items():
            if count["tried"]:
                table.add_row(dimension, _done(count), _rate(count))
        table.add_row("", "", self._speed())
        return table

    def _counts(self) -> Mapping[str, Counter[str]]:
        return by_dimension(list(self._runner.running.values()))

    def _speed(self) -> str:
        elapsed = time.monotonic() - self._began
        counts = self._counts().values()
        tried = sum(each["tried"] for each in counts)
        left = sum(each["planned"] for each in counts) - tried
        speed = f"{self._budget.sent / elapsed:.1f} requests/s" if elapsed > 0 else ""
        if not tried:
            return speed
        minutes, seconds = divmod(int(left * elapsed / tried), 60)
        # The last ones take longer than the others: steps of load, long documents, long sessions.
        return f"{speed}, {left} of {left + tried} trials left, {minutes}:{seconds:02} at this pace"


def _rate(count: Counter[str]) -> str:
    """The share of the trials that passed, of those that could be made."""
    possible = count["tried"] - count["unsupported"]
    return f"{count['passed'] / possible:.0%} passed" if possible else "not tried"


def _done(count: Counter[str]) -> str:
    return f"{count['tried']}/{count['planned']}"
