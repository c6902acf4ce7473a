"""`comment.md`: the comparison of a run with its baseline, as a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import baseline_table, conclusions
from readiness.reporters.baseline_table import LABELS
from readiness.reporters.translations import Translations


def comment(record: Record) -> str:
    """The comment of a record with a baseline."""
    return "\n".join([*_lines(escape_unprintable_json(record)), ""])


def _lines(record: Record) -> Iterator[str]:
    """The lines; untrusted text is in code spans, where Markdown is not interpreted."""
    baseline = record["baseline"]
    models = f"{_code(record['target']['model'])} compared with {_code(baseline['model'])}"
    yield f"### {record['verdict']}: {models}"
    yield ""
    yield f"Score {record['score']} of 100. The baseline is {_code(baseline['run'])}."
    yield ""
    words = Translations("en")
    names = conclusions.unguarded(record)
    unguarded = [words("why_unguarded", names=", ".join(names))] if names else []
    for each in [*unguarded, *filter(None, [conclusions.same_build(record, words)])]:
        yield from (_code(each), "")
    yield from _table(record)
    waivers = conclusions.waivers(record, Translations("en")).values()
    yield from (f"- {_code(each)}" for each in [*baseline_table.notes(record), *waivers])
    for check, item in baseline_table.lost_items(record):
        before, now = baseline_table.replies(item)
        yield f"- lost {_code(item['probe'])} of `{check}`: {_code(baseline_table.why(item))}"
        yield f"  - before: {_code(before)}"
        yield f"  - now: {_code(now)}"
    if more := baseline_table.left_out(record):
        yield f"- and {more} more: the record lists them"


def _table(record: Record) -> Iterator[str]:
    notable, chance = baseline_table.notable(record), baseline_table.chances(record)
    if not notable:
        return
    yield "| check | lost | gained | chance | conclusion |"
    yield "|---|---|---|---|---|"
    for each in notable:
        figures = f"{each['lost']} of {each['pairs']} | {each['gained']} | {chance[each['id']]}"
        yield f"| `{each['id']}` | {figures} | {LABELS[baseline_table.change(each)]} |"
    yield ""


def _code(text: str) -> str:
    """Text in a code span with more backticks than any run in it."""
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks} {text} {ticks}"
