"""Annotations for GitHub: log commands that it shows with the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from readiness.evidence.printable import escape_unprintable_json
from readiness.evidence.run_folder import Record
from readiness.reporters import baseline_table, conclusions
from readiness.reporters.translations import Translations
from readiness.verdict.claim import Verdict

MAX_SHOWN = 10  # annotations of a step that GitHub shows
LEVELS = {Verdict.NOT_READY: "error", Verdict.INCONCLUSIVE: "warning"}
#: The characters to escape in a command's text; in a property also the colon and the comma.
ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}
PROPERTY = {**ESCAPES, ":": "%3A", ",": "%2C"}


def commands(record: Record) -> list[str]:
    """The commands for regressions, checks that are not ready, and waivers."""
    return list(_all(escape_unprintable_json(record)))[:MAX_SHOWN]


def _all(record: Record) -> Iterator[str]:
    if record["problem"]:
        yield _command("warning", "cannot be tried", record["problem"])
    for each in baseline_table.regressed(record):
        if each["gates"]:
            text = f"{each['lost']} of {each['pairs']} trials were lost since the baseline"
            yield _command("error", f"{each['id']} has become worse", text)
    waivers = conclusions.waivers(record, Translations("en"))
    gating = [each for each in conclusions.gating(record) if each["id"] not in waivers]
    for check in sorted(gating, key=lambda each: -Verdict(each["verdict"]).severity):
        if (level := LEVELS.get(Verdict(check["verdict"]))) and "no_defect" not in check:
            yield _command(level, f"{check['id']} is {check['verdict']}", _result_text(check))
    for name, text in waivers.items():
        yield _command("notice", f"{name} is waived", text)


def _result_text(check: Record) -> str:
    reason = f": {check['reasons'][0]['reason']}" if check["reasons"] else ""
    return f"{check['passed']} of {check['made']} trials passed{reason}"


def _command(level: str, title: str, text: str) -> str:
    return f"::{level} title={_escaped(title, PROPERTY)}::{_escaped(text, ESCAPES)}"


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(char, char) for char in text)
