"""`readiness judge`: labels for what no rule could settle, from a judge that was tried first."""

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


class NotTrusted(Exception):
    """The judge does not read labelled replies as people do, and settles nothing."""


def judge(argv: Sequence[str]) -> int:
    """Label what a run left open; 1 where the judge is not to be trusted, 2 where it has no say."""
    options = _parser().parse_args(argv)
    key = os.environ.get(API_KEY_VARIABLE, "")
    try:
        where = Address.read(options.endpoint, key, {})
    except ValueError as error:
        return _said(f"--endpoint: {error}", 2)
    secrets = Secrets([key, *where.secrets])
    try:
        print(secrets.printable(_judge(options, where, secrets)))
    except NotTrusted as error:
        return _said(secrets.printable(f"{error}: nothing was written"), 1)
    except (FolderError, EvidenceIntegrityError, JudgeUnavailable) as error:
        return _said(escape_unprintable(str(error)), 2)
    return 0


def _judge(options: argparse.Namespace, where: Address, secrets: Secrets) -> str:
    run: Path = options.run
    target, entries = _opened(run)
    left_open = [each for each in entries if not each.label]
    cases = open_cases.cases(run / EVIDENCE, left_open)
    if not cases:
        return f"{run}: nothing is left open that a judge may settle"
    with TemporaryDirectory(prefix="readiness-judge-") as scratch:
        # Not in the run: a judge that is not trusted leaves nothing there.
        path = Path(scratch) / "judge.jsonl"
        asked = _ask(open_judge(where, options.model, path, secrets), target, cases)
        model, labels = asyncio.run(asked)
        shutil.move(path, _free(run))
    write(run, [_labelled(each, labels, model) for each in entries])
    run_folder.write(run)
    counts = ", ".join(f"{list(labels.values()).count(each)} {each}" for each in LABELS)
    return (
        f"{len(labels)} of {len(left_open)} settled by {model}: {counts}; "
        f"go on with --resume {run} --review {run / REVIEW}"
    )


async def _ask(
    reaching: AbstractAsyncContextManager[Judge], target: Record, cases: Sequence[JudgeCase]
) -> tuple[str, Labels]:
    """The judge's model and the labels it gives, once labelled replies show that it can."""
    async with reaching as judge:
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
            raise NotTrusted(f"{judge.model} is not calibrated, by {calibration}")
        print(escape_unprintable(f"{judge.model} is calibrated, by {calibration}"), flush=True)
        rulings = await judge.rule(cases)
        found = zip(cases, rulings, strict=True)
        return judge.model, {each.key: LABEL[said] for each, said in found if said in LABEL}


def _opened(run: Path) -> tuple[Record, Sequence[ReviewEntry]]:
    """What was tried in a run, and its review.

    Raises:
        FolderError: It is signed, or not as it was written.
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
    """An entry with the label that the judge gives it; no label is taken from anybody."""
    if entry.label or entry.key not in labels:
        return entry
    return replace(entry, label=labels[entry.key], by=f"{JUDGE}{model}")


def _free(run: Path) -> Path:
    """A name for what a judge was asked, beside what others were."""
    count = len(list(run.glob(JUDGED)))
    return run / (f"judge-{count + 1}.jsonl" if count else "judge.jsonl")


def _said(why: str, status: int) -> int:
    print(why, file=sys.stderr)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="readiness judge", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a run")
    parser.add_argument("--endpoint", required=True, metavar="URL", help="where the judge is")
    parser.add_argument("--model", default="", help="its id, where the endpoint serves several")
    parser.epilog = f"The judge's key comes from {API_KEY_VARIABLE} alone."
    return parser
