"""Several runs as one matrix: on the terminal, as a page and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from readiness.baseline.changes import ALPHA, Changes
from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import page, summary
from readiness.reporters.conclusions import SHAPES, found_no_defect
from readiness.reporters.terminal import STYLES
from readiness.reporters.translations import Translations
from readiness.verdict.claim import Verdict

ENGLISH = Translations("en")  # The terminal and Markdown are.
#: What a cell shows of a dimension or of a check in one run.
Cell = Record


@dataclass(frozen=True)
class RunColumn:
    """A run as a column of the matrix.

    Args:
        name: The name of its folder.
        record: Its record, with hostile texts escaped.
        changes: What has changed since the first run, by check; None for the first itself.
    """

    name: str
    record: Record
    changes: Mapping[str, Changes] | None

    @classmethod
    def of(cls, name: str, record: Record, changes: Mapping[str, Changes] | None) -> RunColumn:
        """The column of a record."""
        return cls(name, escape_unprintable_json(record), changes)


@dataclass(frozen=True)
class MatrixRow:
    """A dimension, or a check of it, in all runs.

    Args:
        id: Its id.
        cells: What each run found; None where it has no result.
        changes: What has changed since the first run; None where it cannot be said.
        check: Whether it is a check.
    """

    id: str
    cells: Sequence[Cell | None]
    changes: Sequence[Changes | None]
    check: bool

    @property
    def differs(self) -> bool:
        """Whether its verdicts differ, or a change is significant."""
        verdicts = {each["verdict"] if each else None for each in self.cells}
        return len(verdicts) > 1 or any(each and each.chance <= ALPHA for each in self.changes)


def rows(runs: Sequence[RunColumn]) -> Iterator[MatrixRow]:
    """The rows of the matrix: each dimension, and behind it each of its checks."""
    found = [{each["id"]: each for each in run.record["dimensions"]} for run in runs]
    for dimension in dict.fromkeys(name for each in found for name in each):
        sections = [each.get(dimension) for each in found]
        yield MatrixRow(dimension, sections, [None] * len(runs), check=False)
        checks = [
            {each["id"]: each for each in (part or {}).get("checks", ())} for part in sections
        ]
        for check in dict.fromkeys(name for each in checks for name in each):
            since = [run.changes.get(check) if run.changes else None for run in runs]
            yield MatrixRow(check, [each.get(check) for each in checks], since, check=True)


def notes(runs: Sequence[RunColumn], words: Translations = ENGLISH) -> Iterator[str]:
    """What the runs do not have in common, and so what their differences may be due to."""
    for name, values in _settings(runs).items():
        if len(values) > 1:
            listed = words("comma").join(values)
            yield words("runs_settings", name=words(name).lower(), values=listed)
    for run in runs[1:]:
        if not run.changes:
            yield words("runs_unpaired", run=run.name, first=runs[0].name)
    yield words("runs_changes")


def _settings(runs: Sequence[RunColumn]) -> dict[str, dict[str, None]]:
    """The different values of settings that decide what was tried and how it was judged."""
    return {
        "profile": dict.fromkeys(run.record["profile"] for run in runs),
        "policy": dict.fromkeys(run.record["harness"]["policy_sha256"][:12] for run in runs),
        "harness": dict.fromkeys(run.record["harness"]["version"] for run in runs),
    }


def figure(cell: Cell | None, *, check: bool) -> str:
    """What a cell says, without its verdict."""
    if cell is None:
        return ""
    if check:
        return f"{cell['passed']}/{cell['made']}"
    return "–" if cell["score"] is None else str(cell["score"])


def change(found: Changes | None, words: Translations = ENGLISH) -> str:
    """A change since the first run; "" where there is none."""
    if found is None or not (found.lost or found.gained):
        return ""
    certain = "!" if found.chance <= ALPHA else ""
    counts = {"lost": found.lost, "gained": found.gained, "pairs": found.pairs}
    return words("runs_change", **counts, chance=f"{found.chance:.2g}{certain}")


def print_runs(console: Console, runs: Sequence[RunColumn], *, all_rows: bool) -> None:
    """Print the matrix: every dimension, and the checks that differ, or all of them."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for number, run in enumerate(runs, 1):
        table.add_column(Text(f"{number}"))
        console.print(Text(f"{number}  {heading(run)}"), soft_wrap=True)
    for row in rows(runs):
        if row.check and not (all_rows or row.differs):
            continue
        cells = zip(row.cells, row.changes, strict=True)
        name = Text(f"  {row.id}") if row.check else Text(row.id, "bold")
        table.add_row(name, *(_cell(cell, since, row) for cell, since in cells))
    console.print(table)
    for note in notes(runs):
        console.print(Text(f"· {note}"), soft_wrap=True)


def heading(run: RunColumn, words: Translations = ENGLISH) -> str:
    """A run in one line."""
    found = run.record
    target = found["target"]
    return words(
        "runs_heading",
        run=run.name,
        model=target["model"],
        endpoint=target["endpoint"],
        started=found["started"],
        profile=found["profile"],
        verdict=words(found["verdict"]),
        score=found["score"],
    )


def _cell(cell: Cell | None, since: Changes | None, row: MatrixRow) -> Text:
    if cell is None:
        return Text("")
    verdict = Verdict(cell["verdict"])
    clean = found_no_defect(cell)
    shape, style = ("·", "") if clean else (SHAPES[verdict], STYLES[verdict])
    said = f"{shape} {figure(cell, check=row.check)}"
    changed = change(since)
    return Text(f"{said} ({changed})" if changed else said, style)


def markdown(runs: Sequence[RunColumn]) -> str:
    """The matrix in Markdown."""
    lines = [f"{number}. {summary.text(heading(run))}" for number, run in enumerate(runs, 1)]
    numbers = " | ".join(map(str, range(1, len(runs) + 1)))
    lines += ["", f"| | {numbers} |", f"|---|{'---|' * len(runs)}"]
    for row in rows(runs):
        cells = zip(row.cells, row.changes, strict=True)
        shown = " | ".join(_cell(cell, since, row).plain for cell, since in cells)
        name = f"`{row.id}`" if row.check else f"**{summary.text(row.id)}**"
        lines.append(f"| {name} | {shown} |")
    return "\n".join([*lines, "", *(f"- {summary.text(each)}" for each in notes(runs)), ""])


def runs_page(runs: Sequence[RunColumn], language: str = "en") -> str:
    """The matrix as a page: one file, no script, no outside request."""
    sections: list[tuple[MatrixRow, list[MatrixRow]]] = []
    for row in rows(runs):
        if row.check:
            sections[-1][1].append(row)
        else:
            sections.append((row, []))
    return page.render(
        "runs.html",
        language,
        runs=runs,
        sections=sections,
        notes=list(notes(runs, Translations(language))),
        figure=figure,
        change=change,
        heading=heading,
    )
