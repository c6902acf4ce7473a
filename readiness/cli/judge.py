"""`readiness judge`: a calibrated judge model labels the undetermined replies of a run."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from readiness.evidence import run_folder
from readiness.evidence.log import EvidenceIntegrityError
from readiness.evidence.printable import escape_unprintable
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import EVIDENCE, JUDGED, REVIEW, FolderError, Record
from readiness.judge import cases as open_cases
from readiness.judge.cases import JudgeCase, labelled
from readiness.judge.judge import API_KEY_VARIABLE, LABEL, Judge, JudgeUnavailable, open_judge
from readiness.reporters.review import write
from readiness.transport.address import Address
from readiness.verdict import labels as review
from readiness.verdict.labels import JUDGE, LABELS, ReviewEntry

Labels = Mapping[tuple[str, str, str], str]


class JudgeNotCalibrated(Exception):
    """The judge's agreement with labelled replies is too low for its labels to be used."""


def judge(argv: Sequence[str]) -> int:
    """Label undetermined replies; 1 where calibration fails, 2 for errors of usage or endpoint."""
    options = _parser().parse_args(argv)
    key = os.environ.get(API_KEY_VARIABLE, "").strip()
    if not key.isprintable():
        return _error(f"{API_KEY_VARIABLE} has a control character in it", 2)
    try:
        where = Address.read(options.endpoint, key, {})
    except ValueError as error:
        return _error(f"--endpoint: {error}", 2)
    secrets = Secrets(where.secrets)
    try:
        print(secrets.printable(_judge(options, where, secrets)))
    except JudgeNotCalibrated as error:
        return _error(secrets.printable(f"{error}: nothing was written"), 1)
    except (FolderError, EvidenceIntegrityError, JudgeUnavailable) as error:
        return _error(escape_unprintable(str(error)), 2)
    return 0


def _judge(options: argparse.Namespace, where: Address, secrets: Secrets) -> str:
    run: Path = options.run
    target, entries = _opened(run)
    unlabelled = [each for each in entries if not each.label]
    cases = open_cases.cases(run / EVIDENCE, unlabelled)
    if not cases:
        return f"{run}: no undetermined reply that a judge may label"
    with TemporaryDirectory(prefix="readiness-judge-") as scratch:
        # Outside the run: a judge that fails calibration must leave nothing there.
        path = Path(scratch) / "judge.jsonl"
        asked = _ask(open_judge(where, options.model, path, secrets), target, cases)
        model, labels = asyncio.run(asked)
        shutil.move(path, _free(run))
    write(run, [_labelled(each, labels, model) for each in entries])
    run_folder.write(run)
    counts = ", ".join(f"{list(labels.values()).count(each)} {each}" for each in LABELS)
    return (
        f"{len(labels)} of {len(unlabelled)} settled by {model}: {counts}; "
        f"continue with --resume {run} --review {run / REVIEW}"
    )


async def _ask(
    opening: AbstractAsyncContextManager[Judge], target: Record, cases: Sequence[JudgeCase]
) -> tuple[str, Labels]:
    """Calibrate the judge, then return its model and the labels that it gives.

    Raises:
        JudgeUnavailable: The judge is the model under test.
        JudgeNotCalibrated: Its agreement with labelled replies is too low.
    """
    async with opening as judge:
        if (judge.url, judge.model) == (target["endpoint"], target["model"]):
            raise JudgeUnavailable(
                f"{judge.model} is what was tried: a model must not judge itself: name another"
            )
        tried = labelled()
        print(
            escape_unprintable(f"{judge.model} is tried on {len(tried)} labelled replies"),
            flush=True,
        )
        calibration = await judge.calibrate(tried)
        if not calibration.trusted:
            raise JudgeNotCalibrated(f"{judge.model} is not calibrated, by {calibration}")
        print(escape_unprintable(f"{judge.model} is calibrated, by {calibration}"), flush=True)
        rulings = await judge.rule(cases)
        found = zip(cases, rulings, strict=True)
        return judge.model, {each.key: LABEL[ruling] for each, ruling in found if ruling in LABEL}


def _opened(run: Path) -> tuple[Record, Sequence[ReviewEntry]]:
    """The target of a run, and the entries of its review.

    Raises:
        FolderError: The run is signed, or was changed.
    """
    record = run_folder.read(run)
    if (run / run_folder.ATTESTATION).exists():
        raise FolderError(f"{run} is signed as it is: nothing may be added")
    run_folder.refuse_changed(run)
    path = run / REVIEW
    try:
        entries = review.load(path if path.exists() else None).entries
    except ValueError as error:
        raise FolderError(str(error)) from error
    return record["target"], entries


def _labelled(entry: ReviewEntry, labels: Labels, model: str) -> ReviewEntry:
    """An entry with the judge's label; an existing label is kept."""
    if entry.label or entry.key not in labels:
        return entry
    return replace(entry, label=labels[entry.key], by=f"{JUDGE}{model}")


def _free(run: Path) -> Path:
    """An unused file name for the evidence of a judge."""
    count = len(list(run.glob(JUDGED)))
    return run / (f"judge-{count + 1}.jsonl" if count else "judge.jsonl")


def _error(why: str, status: int) -> int:
    print(why, file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness judge", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("--endpoint", required=True, metavar="URL", help="where the judge is")
    parser.add_argument("--model", default="", help="its id, where the endpoint serves several")
    parser.epilog = f"The judge's key comes from {API_KEY_VARIABLE} alone."
    return parser
