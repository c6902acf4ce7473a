"""Consistency of a finished run: its verdict follows from its record, its reports do as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from readiness.evidence.run_folder import FolderError, Record
from readiness.reporters import conclusions, surfaces
from readiness.reporters.allure import FOLDER
from readiness.reporters.conclusions import checks
from readiness.reporters.translations import LANGUAGES
from readiness.resources import DISTRIBUTION
from readiness.score import Outcome
from readiness.verdict.claim import MAX_SCORE, Gate, Verdict, worst
from readiness.verdict.exit_status import EXIT_STATUS, UNSOUND


def contradictions(record: Record) -> Iterator[str]:
    """What of a record does not follow from its own checks."""
    for check in checks(record):
        yield from _of_check(check)
    for row in record["dimensions"]:
        if row["verdict"] != (due := _verdict(row, ())):
            yield f"{row['id']} is {row['verdict']}, and its checks are {due}"
        if (row["score"] or 0) > MAX_SCORE[Verdict(row["verdict"])]:
            yield f"{row['id']} is {row['verdict']} with a score of {row['score']}"
    due = _run_verdict(record)
    statuses = {EXIT_STATUS[due], UNSOUND} if due is Verdict.INCONCLUSIVE else {EXIT_STATUS[due]}
    if record["exit_status"] != UNSOUND and record["verdict"] != due:
        yield f"the verdict is {record['verdict']}, and that of its dimensions is {due}"
    elif record["exit_status"] not in statuses:
        yield f"the exit status is {record['exit_status']}, and the verdict {record['verdict']}"
    if record["score"] > min(MAX_SCORE[due], _lowest(record)):
        yield f"the score is {record['score']}, more than its dimensions have"


def _of_check(check: Record) -> Iterator[str]:
    outcomes, name = check["outcomes"], check["id"]
    if sum(outcomes.values()) != check["trials"]:
        yield f"{name} has {check['trials']} trials and {sum(outcomes.values())} outcomes"
    if outcomes.get(Outcome.PASS, 0) != check["passed"]:
        yield f"{name} has {check['passed']} passed trials, and not as many outcomes"
    failed = check["trials"] - check["passed"] - outcomes.get(Outcome.SKIPPED, 0)
    if check["verdict"] == Verdict.READY and (
        (check["required"] == 1 and failed) or check["doubts"] or check["defects_only"]
    ):
        yield f"{name} is ready, which its trials do not show"


def _verdict(row: Record, waived: Sequence[str]) -> Verdict:
    """The verdict of a dimension by its required checks, without those that are waived."""
    required = [each for each in row["checks"] if each["gate"] == Gate.REQUIRED]
    assessed = [each for each in required if each["verdict"] != Verdict.NOT_ASSESSED]
    if not assessed:
        return Verdict.NOT_ASSESSED
    held = [Verdict(each["verdict"]) for each in assessed if each["id"] not in waived]
    missing = [Verdict.INCONCLUSIVE] if row["missing"] else []
    return worst([*held, *missing], default=Verdict.READY)


def _run_verdict(record: Record) -> Verdict:
    waived = [each["check"] for each in record["waivers"]]
    rows = [row for row in record["dimensions"] if row["gate"] == Gate.REQUIRED]
    found = worst((_verdict(row, waived) for row in rows), default=Verdict.NOT_ASSESSED)
    found = Verdict.INCONCLUSIVE if found is Verdict.NOT_ASSESSED else found
    compared = [Verdict(record["baseline"]["verdict"])] if "baseline" in record else []
    return worst([found, *compared])


def _lowest(record: Record) -> int:
    return min(conclusions.scores(record), default=0)


def other_reports(record: Record, run: Path) -> Iterator[str]:
    """The reports of a run that are not those of its record and its evidence.

    None where another version of this program has made them.
    """
    if record["harness"]["version"] != version(DISTRIBUTION):
        return
    with TemporaryDirectory(prefix="readiness-verify-") as scratch:
        made = Path(scratch)
        try:
            surfaces.write(record, run, made)
        except FolderError as error:
            yield str(error)
            return
        names = [path.relative_to(made) for path in sorted(made.rglob("*")) if path.is_file()]
        theirs = {path.relative_to(run) for path in (run / FOLDER).rglob("*") if path.is_file()}
        yield from (f"{name} is none of its reports" for name in sorted(theirs - {*names}))
        for name in names:
            report = run / name
            if report.is_file() and report.read_bytes() not in _versions(record, made, name):
                yield f"{name} is not what the record says"


def _versions(record: Record, made: Path, name: Path) -> Iterator[bytes]:
    """A report as it is made of the record; the page in each language."""
    yield (made / name).read_bytes()
    if name.name == surfaces.PAGE:
        for language in LANGUAGES:
            surfaces.write_page(record, made, language)
            yield (made / name).read_bytes()
