"""The matrix on a terminal: readable at 80 columns, without colour, and the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from readiness import statistics
from readiness.matrix import Matrix, Row
from readiness.plan import Planned, seconds
from readiness.reporters.screen import Screen
from readiness.result import Result
from readiness.run import Run
from readiness.score import Outcome
from readiness.verdict import Gate, Verdict

WIDTHS = {"passed": 7, "shows": 6, "95 % interval": 13, "needs": 5, "verdict": 14}
#: A dimension of more checks shows one by one only those that are not ready.
MOST_CHECKS = 20
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
    reporter.section(f"readiness of {run.model or 'an unknown model'}")
    console = Screen.console(reporter)
    where = f"{run.settings.where.url}, profile {run.settings.profile}"
    console.print(Text(f"{where}, policy {run.settings.policy.name}"))
    if run.problem:
        console.print(Text(f"cannot be tried: {run.settings.secrets.redact(run.problem)}"))
    elif run.results:
        console.print(table(run.matrix))
        for note in notes(run.matrix):
            console.print(Text(f"· {note}"))
    console.print(verdict(run.matrix))
    console.print(Text(f"record: {run.folder / 'readiness.json'}"), soft_wrap=True)


def print_plan(
    reporter: pytest.TerminalReporter, planned: Sequence[Planned], concurrency: int
) -> None:
    """Print what would be sent."""
    reporter.section("plan: nothing was sent")
    table = _table("check", "trials", "prompt tokens", "reply tokens")
    for each in planned:
        table.add_row(each.check.id, *(f"{figure:,}" for figure in _figures(each)))
    totals = [sum(column) for column in zip(*map(_figures, planned), strict=True)]
    table.add_row("all", *(f"{total:,}" for total in totals))
    console = Screen.console(reporter)
    console.print(table)
    minutes = seconds(planned, concurrency) / 60
    console.print(f"about {minutes:.0f} min at 40 tokens/s a stream and {concurrency} in flight")


def _figures(planned: Planned) -> tuple[int, int, int]:
    return len(planned.probes), planned.prompt_tokens, planned.completion_tokens


def table(matrix: Matrix) -> Table:
    """The matrix, a line for each dimension and one for each of its checks."""
    table = _table("check", "passed", "shows", "95 % interval", "needs", "verdict")
    for row in matrix.worst_first:
        table.add_row(*_dimension(row))
        ready = [each for each in row.results if each.verdict is Verdict.READY]
        few = len(row.results) <= MOST_CHECKS
        shown = [each for each in row.results if few or each.verdict is not Verdict.READY]
        for result in sorted(shown, key=lambda each: -each.verdict.badness):
            table.add_row(*_check(result))
        if not few and ready:
            passed, trials = (sum(column) for column in zip(*map(_counts, ready), strict=True))
            table.add_row(
                f"  {len(ready)} more checks", f"{passed}/{trials}", "", "", "", "✓ ready"
            )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for each in others:
        side: JustifyMethod = "left" if each == "verdict" else "right"
        # Where a line is too long, a check's name is cut, and never a figure.
        table.add_column(each, justify=side, no_wrap=True, min_width=WIDTHS.get(each))
    return table


def notes(matrix: Matrix) -> Iterator[str]:
    """What the figures in the matrix do not say by themselves."""
    for row in matrix.worst_first:
        if row.id in CAVEATS:
            yield f"{row.id}: {CAVEATS[row.id]}"
        if row.missing:
            names = ", ".join(each.partition(".")[2] for each in row.missing)
            yield f"{row.id}: no result of {names}"
        for result in row.results:
            if result.verdict is Verdict.INCONCLUSIVE:
                yield f"{result.check.id}: {_lacks(result)}"
            elif result.verdict is Verdict.NOT_ASSESSED and result.reasons:
                yield f"{result.check.id}: {result.reasons[0][0]}"
    if any(result.claim.gate is Gate.ADVISORY for row in matrix.rows for result in row.results):
        yield "a verdict in parentheses is advisory: it does not gate"


def verdict(matrix: Matrix) -> Text:
    """The verdict of the run, with its score and what decided it."""
    mark, style = LOOK[matrix.verdict]
    deciding = [row.id for row in matrix.gating if row.verdict is not Verdict.READY]
    mean = sum(row.score for row in matrix.gating) / max(1, len(matrix.gating))
    because = f"   because of {', '.join(deciding)}" if deciding else ""
    said = (
        f"{mark} {matrix.verdict.upper()}   score {matrix.score} of 100 (mean {mean:.0f}){because}"
    )
    return Text(said, style)


def _dimension(row: Row) -> tuple[Text | str, ...]:
    return Text(row.id, "bold"), "", "", f"score {row.score}", "", _verdict(row.verdict, row.gate)


def _counts(result: Result) -> tuple[int, int]:
    return result.passed, len(result.counted)


def _check(result: Result) -> tuple[Text | str, ...]:
    low, high = result.interval
    return (
        f"  {result.check.id.partition('.')[2]}",
        f"{result.passed}/{len(result.counted)}",
        f"≥{result.shown:.1%}",
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
    if result.outcomes[Outcome.UNDETERMINED] == len(result.counted):
        return result.reasons[0][0]
    if claim.defects_only:
        return f"{len(result.counted)} trials can show a defect, but not readiness"
    more = statistics.more_needed(
        result.passed, len(result.counted), claim.required, claim.margin, claim.alpha
    )
    return "too few trials" if more is None else f"{more} more trials, all passed, would show it"
