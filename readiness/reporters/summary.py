"""`summary.md`: the matrix for a pull request or a job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import conclusions
from readiness.reporters.charts import excerpt, implausible, interval, needs
from readiness.reporters.translations import Translations
from readiness.verdict.claim import Gate, Verdict

MAX_REASONS = 3
#: The characters that Markdown, its tables, HTML and automatic links interpret.
_SPECIAL = re.compile(r"[\\`*\[\]<>#!|~&@$]|:(?=//)|(?<=www)\.", re.IGNORECASE)


def summary(record: Record) -> str:
    """The summary of a record."""
    escaped, words = escape_unprintable_json(record), Translations("en")
    model = escaped["target"]["model"] or words("unknown_model")
    lines = [
        f"## {_verdict(escaped)}: {text(model)}",
        "",
        " ".join(map(text, conclusions.why(escaped, words))),
        "",
        f"Score {escaped['score']} of 100, profile {text(escaped['profile'])}, policy "
        f"{text(escaped['harness']['policy'])}.",
        "",
        *_table(escaped, words),
        "",
        *_pairs(escaped, words),
        *_details(escaped, words),
        *_marks(escaped),
        *_identity(escaped),
    ]
    return "\n".join(lines) + "\n"


def _table(record: Record, words: Translations) -> Iterator[str]:
    yield "| dimension | verdict | score | what was found | gate |"
    yield "|---|---|--:|---|---|"
    for each in record["dimensions"]:
        score = "–" if each["score"] is None else str(each["score"])
        found = text(conclusions.finding(each, words))
        yield f"| {text(each['id'])} | {_verdict(each)} | {score} | {found} | {each['gate']} |"


def _pairs(record: Record, words: Translations) -> Iterator[str]:
    if tried := conclusions.pairs(record):
        yield from (text(words("pairs_tried", pairs=tried)), "")


def _details(record: Record, words: Translations) -> Iterator[str]:
    """The checks that are not ready, required ones first, of dimensions that were assessed."""
    found = [
        each
        for dimension in record["dimensions"]
        for each in dimension["checks"]
        if dimension["verdict"] != Verdict.NOT_ASSESSED
        and each["verdict"] != Verdict.READY
        and "no_defect" not in each
    ]
    if not found:
        return
    yield "| check | verdict | passed | 95 % interval | needs | why |"
    yield "|---|---|--:|--:|--:|---|"
    for each in sorted(found, key=lambda each: each["gate"] != Gate.REQUIRED):
        reasons = [f"{why['count']} × {why['reason']}" for why in each["reasons"][:MAX_REASONS]]
        remarks = list(conclusions.remarks(each, words))[:MAX_REASONS]
        why = "<br>".join(f"<code>{text(escaped)}</code>" for escaped in [*remarks, *reasons])
        figures = [f"{each['passed']} / {each['made']}", interval(each), needs(each)]
        if each["verdict"] == Verdict.NOT_ASSESSED:
            figures = ["–"] * 3
        advisory = "" if each["gate"] == Gate.REQUIRED else " (advisory)"
        row = [f"{_verdict(each)}{advisory}", *figures, why]
        yield f"| {text(each['id'])} | {' | '.join(row)} |"
    yield ""


def _marks(record: Record) -> Iterator[str]:
    """The figures that contradict others."""
    found = implausible(conclusions.checks(record))
    yield from (f"- implausible: {text(each)}" for each in found)
    yield from [""] if found else []


def _identity(record: Record) -> Iterator[str]:
    harness, evidence = record["harness"], record["evidence"]
    yield "<details><summary>What was tested, with what</summary>"
    yield ""
    yield f"- endpoint {text(record['target']['endpoint'])}"
    yield f"- {record['started']} to {record['finished']}, seed {record['seed']}"
    yield f"- readiness {text(harness['version'])}, policy sha256 `{harness['policy_sha256']}`"
    yield f"- prompts sha256 `{harness['prompts_sha256']}`"
    yield f"- evidence of {evidence['exchanges']} exchanges, last line sha256 `{evidence['head']}`"
    yield ""
    yield "</details>"


def _verdict(of: Record) -> str:
    if "checks" in of and conclusions.found_no_defect(of):
        return conclusions.NO_DEFECT
    return f"{conclusions.SHAPES[Verdict(of['verdict'])]} {of['verdict']}"


def text(text: str) -> str:
    """A text for Markdown, with every special character as a character reference."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", excerpt(text))
