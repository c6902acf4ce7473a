"""How a run ended, on one screen of a terminal: the dimensions, what failed first, the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import conclusions
from readiness.reporters.baseline_table import print_comparison
from readiness.reporters.charts import implausible
from readiness.reporters.terminal import STYLES, print_heading, verdict, verdict_of, waived
from readiness.reporters.translations import Translations
from readiness.verdict.claim import Verdict

MAX_FAILURES = 3
BAR = 12  # characters
LINES, INDENT = 2, 3  # Lines of a text that is shown, and the characters that stand before it.


def print_outcome(console: Console, found: Record) -> None:
    """Print how a run ended: its dimensions, and what failed first."""
    record = escape_unprintable_json(found)
    print_heading(console, record)
    console.print(_dimensions(record, console.width))
    if (failures := _failures(record, console.width)).rows:
        console.print(failures)
    for mark in implausible(conclusions.checks(record)):
        console.print(Text(f"implausible: {mark}"))
    for waiver in waived(record):
        console.print(Text(waiver))
    if "baseline" in record:
        print_comparison(console, record)


def print_verdict(console: Console, found: Record) -> None:
    """Print what a run cost, why its verdict is what it is, and the verdict."""
    record = escape_unprintable_json(found)
    if bill := conclusions.bill(record):
        console.print(Text(bill))
    if not conclusions.no_defect(record):  # The verdict's line says so.
        why = conclusions.why(record, Translations("en"))
        console.print(Text(" ".join(why if record["verdict"] == Verdict.READY else why[:1])))
    console.print(verdict(record))


def _dimensions(record: Record, width: int) -> Table:
    """A line for each dimension: its score, its verdict, and what was found."""
    words = Translations("en")
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False, width=width)
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for each in record["dimensions"]:
        score = each["score"]
        filled = round(BAR * (score or 0) / 100)
        style = "" if conclusions.found_no_defect(each) else STYLES[Verdict(each["verdict"])]
        table.add_row(
            each["id"],
            Text("█" * filled, style) + Text("░" * (BAR - filled), "dim"),
            "" if score is None else f"{score:3}",
            verdict_of(each),
            conclusions.finding(each, words),
        )
    return table


def _failures(record: Record, width: int) -> Table:
    """The first failed trial of the worst checks, one of each dimension before a second of any."""
    table = Table.grid(padding=(0, 1, 0, 0))
    room = LINES * (width - INDENT)
    for check in islice(_worst(record), MAX_FAILURES):
        failed = f"{check['made'] - check['passed']} of {check['made']} trials"
        why = "; ".join(each["reason"] for each in check["reasons"][:1])
        # The first is the reason's example.
        shown = [each for each in check["not_passed"][:1] if "asked" in each]
        # Where nothing was asked, the reason is all, with what to write instead at its end.
        told = _cut(f"{check['id']}: {failed}: {why}", room if shown else 2 * room)
        table.add_row(Text("✗", "bold red"), told)
        for trial, name in product(shown, ("asked", "came")):
            table.add_row("", _cut(f"{name:5} {trial[name] or 'nothing'}", room))
    return table


def _cut(said: str, room: int) -> Text:
    text = Text(said)
    text.truncate(room, overflow="ellipsis")
    return text


def _worst(record: Record) -> Iterator[Record]:
    """The checks that made the run not ready, one of each dimension before a second of any."""
    failed = [
        [each for each in conclusions.worst_first(dimension) if _made_it_so(dimension, each)]
        for dimension in record["dimensions"]
    ]
    for rank in range(max(map(len, failed), default=0)):
        yield from (checks[rank] for checks in failed if rank < len(checks))


def _made_it_so(dimension: Record, check: Record) -> bool:
    return conclusions.gates(dimension, check) and check["verdict"] == Verdict.NOT_READY
