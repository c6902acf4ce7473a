"""A run beside its baseline, as a comment on the change that brought it: `comment.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from readiness.baseline.comparison import RunComparison
from readiness.reporters.lost_items import left_out, lost_items
from readiness.reporters.upgrade_table import chance, notable, notes, word
from readiness.runner.run import Run


def write(run: Run) -> None:
    """Write the comment, where there is a baseline."""
    if run.comparison:
        printable = run.settings.secrets.printable
        text = "\n".join(map(printable, comment(run, run.comparison)))
        (run.folder / "comment.md").write_text(f"{text}\n", "utf-8")


def comment(run: Run, found: RunComparison) -> Iterator[str]:
    """The lines of the comment; what others wrote stands in code, where nothing is read of it."""
    before = found.baseline
    other = str(before.evidence_header["model"])
    yield f"### {run.verdict}: {_code(run.model)} beside {_code(other)}"
    yield ""
    yield f"Score {run.score} of 100. The baseline is {_code(before.evidence.parent.name)}."
    yield ""
    yield from _table(found)
    yield from (f"- {_code(each)}" for each in notes(found))
    yield from (f"- {_code(str(each))}" for each in run.settings.waivers.values())
    for item in lost_items(found, run.settings.secrets):
        yield f"- lost {_code(item.pair.trial.probe)} of `{item.check}`: {_code(item.why)}"
        yield f"  - before: {_code(item.before)}"
        yield f"  - now: {_code(item.now)}"
    if more := left_out(found):
        yield f"- and {more} more: the record lists them"


def _table(found: RunComparison) -> Iterator[str]:
    told = [each for each in found.checks if notable(found, each)]
    if told:
        yield "| check | lost | gained | chance | beside the baseline |"
        yield "|---|---|---|---|---|"
    for each in told:
        figures = f"{len(each.lost)} of {len(each.pairs)} | {len(each.gained)}"
        yield f"| `{each.id}` | {figures} | {chance(found, each)} | {word(found, each)} |"
    if told:
        yield ""


def _code(text: str) -> str:
    """Text in a fence of more ticks than it has in a row."""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks} {text} {ticks}"
