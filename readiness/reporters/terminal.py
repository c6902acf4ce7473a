"""The terminal: the plan, a line for each check, and the matrix."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from readiness.evidence.run_folder import Record
from readiness.policy.plan import PlannedCheck, seconds
from readiness.reporters import load_table, standing
from readiness.reporters.charts import seconds as seconds_of
from readiness.reporters.record import labelled, measures
from readiness.reporters.upgrade_table import print_comparison
from readiness.runner.run import Run
from readiness.score import Outcome
from readiness.statistics import proportions
from readiness.verdict.claim import Gate, Verdict
from readiness.verdict.matrix import DimensionRow, Matrix
from readiness.verdict.result import DurationSummary, Result

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


WIDTHS = {"passed": 7, "shows": 6, "95 % interval": 13, "needs": 5, "verdict": 16}
NARROWEST_NAME = 12
#: A dimension of more checks shows one by one only those of which there is more to say.
MOST_CHECKS = 20
MOST_NAMED = 3  # in a note that is the same for several
CAVEATS = {"license": "read by a program: this is not legal advice"}
# A word and a shape carry the verdict; the colours, apart for colour-blind eyes too, only help.
LOOK = {
    Verdict.READY: ("✓", "blue"),
    Verdict.NOT_READY: ("✗", "bold red"),
    Verdict.INCONCLUSIVE: ("?", "yellow"),
    Verdict.NOT_ASSESSED: ("–", "dim"),
}


def print_matrix(reporter: pytest.TerminalReporter, run: Run) -> None:
    """Print the matrix, and where the record of the run is."""
    model = run.settings.secrets.printable(run.model) or "an unknown model"
    reporter.section(f"readiness of {model}")
    console = Screen.console(reporter)
    where = f"{run.settings.address.url}, profile {run.settings.profile}"
    console.print(Text(f"{where}, policy {run.settings.policy.name}"))
    if run.resume_state.summary:
        console.print(Text(run.resume_state.summary))
    if run.problem:
        console.print(Text(f"cannot be tried: {run.settings.secrets.redact(run.problem)}"))
    elif run.results:
        console.print(table(run.matrix, console.width))
        if steps := load_table.steps(_measured(run.matrix)):
            console.print(_load(steps, console.width))
        for note in [*notes(run.matrix), *_waived(run)]:
            console.print(Text(f"· {note}"))
    if run.comparison:
        print_comparison(console, run.comparison, run.settings.secrets)
    console.print(verdict(run))
    if prices := run.settings.policy.prices:
        spent = f"{run.ledger.prompt_tokens:,} + {run.ledger.completion_tokens:,} tokens"
        console.print(Text(f"bill: {run.bill:,.4f} {prices.currency} for {spent}"))
    console.print(Text(f"record: {run.folder / 'readiness.json'}"), soft_wrap=True)
    console.print(Text(f"page: {run.folder / 'readiness.html'}"), soft_wrap=True)


def print_plan(
    reporter: pytest.TerminalReporter, planned: Sequence[PlannedCheck], concurrency: int
) -> None:
    """Print what would be sent."""
    reporter.section("plan: nothing was sent")
    console = Screen.console(reporter)
    table = _table(console.width, "check", "trials", "prompt tokens", "reply tokens")
    for each in planned:
        table.add_row(each.check.id, *(f"{figure:,}" for figure in _figures(each)))
    totals = [sum(column) for column in zip(*map(_figures, planned), strict=True)]
    table.add_row("all", *(f"{total:,}" for total in totals))
    console.print(table)
    minutes = seconds(planned, concurrency) / 60
    console.print(f"about {minutes:.0f} min at 40 tokens/s a stream and {concurrency} in flight")


def _figures(planned: PlannedCheck) -> tuple[int, int, int]:
    return len(planned.probes), planned.prompt_tokens, planned.completion_tokens


def table(matrix: Matrix, width: int) -> Table:
    """The matrix, a line for each dimension and one for each of its checks.

    Args:
        matrix: What to show.
        width: How many characters a line has; where it is too short, names of checks are cut.
    """
    table = _table(width, "check", "passed", "shows", "95 % interval", "needs", "verdict")
    for row in matrix.worst_first:
        table.add_row(*_dimension(row))
        few = len(row.results) <= MOST_CHECKS
        plain = [each for each in row.results if not few and _plain(each)]
        shown = [each for each in row.results if each not in plain]
        for result in sorted(shown, key=lambda each: -each.verdict.badness):
            table.add_row(*_check(result))
        for found in dict.fromkeys((each.verdict, each.claim.gate) for each in plain):
            alike = [each for each in plain if (each.verdict, each.claim.gate) == found]
            table.add_row(*_several(alike), "", "", "", _verdict(*found))
    return table


def _plain(result: Result) -> bool:
    """Whether there is nothing to say of a check but its verdict."""
    return result.verdict is Verdict.NOT_ASSESSED or (
        result.passed == len(result.counted) and not result.doubts
    )


def _table(width: int, first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    widths = {each: WIDTHS.get(each, len(each)) for each in others}
    taken = sum(widths.values()) + len(widths)
    # Where a line is too long, a check's name is cut, and never a figure.
    table.add_column(first, no_wrap=True, max_width=max(NARROWEST_NAME, width - taken))
    for each, least in widths.items():
        side: JustifyMethod = "left" if each == "verdict" else "right"
        table.add_column(each, justify=side, no_wrap=True, min_width=least)
    return table


def notes(matrix: Matrix) -> Iterator[str]:
    """What the figures in the matrix do not say by themselves."""
    for row in matrix.worst_first:
        if row.id in CAVEATS and row.results:
            yield f"{row.id}: {CAVEATS[row.id]}"
        if row.missing and row.results:
            names = ", ".join(each.partition(".")[2] for each in row.missing)
            yield f"{row.id}: no result of {names}"
    for result in (each for row in matrix.worst_first for each in row.results):
        if result.pooled and result.claim.required < 1:
            yield f"{result.check.id}: {result.pooled}: {result.pooled.verdict} by all of them"
        said, trials = labelled(result), len(result.counted)
        for how, count in standing.settled(said).items():
            yield f"{result.check.id}: {count} of {trials} trials {how}"
        if count := standing.reasoned(said):
            told = f"{count} of {trials} trials met in the reasoning, which some clients show"
            yield f"{result.check.id}: {told}"
    if quick := [each for row in matrix.rows for each in row.results if each.decided]:
        made, planned = (
            sum(each.executed for each in quick),
            sum(len(each.counted) for each in quick),
        )
        yield (
            f"{_names(quick)}: by a sequential test, with {made} of {planned} trials; between what "
            "is required less the margin, and a little more than required, it decides by chance"
        )
    if untried := [row.id for row in matrix.worst_first if row.missing and not row.results]:
        yield f"not tried: {', '.join(untried)}"
    alike: dict[str, list[Result]] = {}
    for result in (each for row in matrix.worst_first for each in row.results):
        if result.verdict is Verdict.INCONCLUSIVE:
            alike.setdefault(_lacks(result), []).append(result)
        elif result.verdict is Verdict.NOT_ASSESSED and result.reasons:
            alike.setdefault(result.reasons[0].example, []).append(result)
    yield from (f"{_names(results)}: {note}" for note, results in alike.items())
    for result in (each for row in matrix.worst_first for each in row.results if each.times):
        yield f"{result.check.id}: {'; '.join(map(_took, result.times))}"
    if any(result.claim.gate is Gate.ADVISORY for row in matrix.rows for result in row.results):
        yield "a verdict in parentheses is advisory: it does not gate"


def _measured(matrix: Matrix) -> Iterator[Record]:
    results = (each for row in matrix.worst_first for each in row.results)
    return ({"measures": measures(each)} for each in results)


def _load(steps: Sequence[load_table.StepRow], width: int) -> Table:
    """The steps of a load test, a line for each."""
    times = "1st token", "p95 s", "the end", "p95 s "
    table = _table(width, "load", "requests", "errors", "per s", *times)
    for step in steps:
        table.add_row(step.name, *step.figures)
    return table


def _took(times: DurationSummary) -> str:
    at = "".join(f", {name} {value}" for name, value in times.at.items())
    if len(times.seconds) == 1:
        return f"{times.name}{at}: {seconds_of(times.median)}"
    median, high = seconds_of(times.median), seconds_of(times.high)
    return f"{times.name}{at}: median {median}, {times.tail} {high}"


def verdict(run: Run) -> Text:
    """The verdict of the run, with its score and what decided it."""
    matrix = run.matrix
    mark, style = LOOK[run.verdict]
    lacking = [row for row in matrix.gating if row.admitted is not Verdict.READY]
    fallen = [row for row in lacking if row.admitted is Verdict.NOT_READY]
    deciding = [row.id for row in fallen or lacking]
    if run.comparison and run.comparison.verdict is not Verdict.READY:
        deciding.append("the baseline")
    mean = sum(row.score for row in matrix.gating) / max(1, len(matrix.gating))
    why = f"   because of {', '.join(deciding)}" if deciding and not run.problem else ""
    waived = f"   {len(run.settings.waivers)} waived" if run.settings.waivers else ""
    said = f"{mark} {run.verdict.upper()}   score {run.score} of 100 (mean {mean:.0f}){why}{waived}"
    return Text(said, style)


def _waived(run: Run) -> Iterator[str]:
    """What the gate lets through, and whether it still has to."""
    ready = {each.check.id for each in run.results if each.verdict is Verdict.READY}
    for check, waiver in run.settings.waivers.items():
        yield f"{waiver}{'; it is ready, and needs none' if check in ready else ''}"


def _dimension(row: DimensionRow) -> tuple[Text | str, ...]:
    return Text(row.id, "bold"), "", "", f"score {row.score}", "", _verdict(row.verdict, row.gate)


def _names(results: Sequence[Result]) -> str:
    """The names of a few checks, or how many of which dimension there are."""
    if len(results) <= MOST_NAMED:
        return ", ".join(each.check.id for each in results)
    counts = Counter(each.check.dimension for each in results)
    return "; ".join(f"{count} of {dimension}" for dimension, count in counts.items())


def _several(results: Sequence[Result]) -> tuple[str, str]:
    passed, trials = (sum(column) for column in zip(*map(_counts, results), strict=True))
    return f"  {len(results)} more", f"{passed}/{trials}"


def _counts(result: Result) -> tuple[int, int]:
    return result.passed, result.executed


def _check(result: Result) -> tuple[Text | str, ...]:
    low, high = result.interval
    return (
        f"  {result.check.id.partition('.')[2]}",
        f"{result.passed}/{result.executed}",
        f"≥{result.rate_lower_bound:.1%}",
        f"{low * 100:.1f}–{high:.1%}",
        "all" if result.claim.required == 1 else f"{result.claim.required:.0%}",
        _verdict(result.verdict, result.claim.gate),
    )


def _verdict(verdict: Verdict, gate: Gate) -> Text:
    mark, style = LOOK[verdict]
    said = f"{mark} {verdict}"
    return Text(said if gate is Gate.REQUIRED else f"({said})", style)


def _lacks(result: Result) -> str:
    claim = result.claim
    if result.doubts:
        return result.doubts[0]
    if result.decided:
        return "the sequential test came to no decision"
    if result.outcomes[Outcome.UNDETERMINED] == len(result.counted):
        return result.reasons[0].example
    if claim.defects_only:
        return "so few trials can show a defect, but not readiness"
    more = proportions.more_needed(
        result.passed, len(result.counted), claim.required, claim.margin, claim.alpha
    )
    if not more:  # Not even more of them, or these would do if they stood alone.
        return "too few trials" if more is None else "too few trials that stand alone"
    return f"{more} more trials, all passed, would show it"


COLOURS = {"blue": {"blue": True}, "bold red": {"red": True}, "yellow": {"yellow": True}}


class CheckLines:
    """Prints the line of each check that ends; pytest's own letters are switched off."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        reporter.showfspath = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the line."""
        found = dict(report.user_properties)
        if report.when == "call" and "verdict" in found and self._reporter.verbosity == 0:
            mark, style = LOOK[Verdict(str(found["verdict"]))]
            counts = f"{found['passed']}/{found['trials']}"
            told = "waived" if "waiver" in found else found["gate"]
            gate = "" if told == "required" else f" ({told})"
            line = f"{mark} {found['verdict']:<13}{found['check']:<38}{counts:>8}{gate}"
            self._reporter.write_line(line, **COLOURS.get(style, {}))
