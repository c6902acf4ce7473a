"""Annotations for GitHub: lines of the log that it shows beside the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import baseline_table, conclusions
from readiness.reporters.translations import Translations
from readiness.verdict.claim import Verdict

MOST = 10  # of a step's that GitHub shows
LEVELS = {Verdict.NOT_READY: "error", Verdict.INCONCLUSIVE: "warning"}
#: What a command's text may not hold as it is; the colon and the comma end a property.
ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
PROPERTY = {**ESCAPES, ":": "%3A", ",": "%2C"}


def commands(record: Record) -> list[str]:
    """A few commands: what stands in the way of readiness, and what is waived."""
    return list(_all(escape_unprintable_json(record)))[:MOST]


def _all(record: Record) -> Iterator[str]:
    if record["problem"]:
        yield _command("warning", "cannot be tried", record["problem"])
    for each in baseline_table.regressed(record):
        if each["gates"]:
            told = f"{each['lost']} of {each['pairs']} trials were lost since the baseline"
            yield _command("error", f"{each['id']} has become worse", told)
    waivers = conclusions.waivers(record, Translations("en"))
    gating = [each for each in conclusions.gating(record) if each["id"] not in waivers]
    for check in sorted(gating, key=lambda each: -Verdict(each["verdict"]).severity):
        if level := LEVELS.get(Verdict(check["verdict"])):
            yield _command(level, f"{check['id']} is {check['verdict']}", _told(check))
    for name, said in waivers.items():
        yield _command("notice", f"{name} is waived", said)


def _told(check: Record) -> str:
    reason = f": {check['reasons'][0]['reason']}" if check["reasons"] else ""
    return f"{check['passed']} of {check['made']} trials passed{reason}"


def _command(level: str, title: str, text: str) -> str:
    return f"::{level} title={_escaped(title, PROPERTY)}::{_escaped(text, ESCAPES)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
