"""What is required of a recorded run before it is resumed, pooled or compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from readiness.baseline.finished_run import FinishedRun, require_counted
from readiness.baseline.identity import drift, identity
from readiness.evidence import run_folder
from readiness.evidence.log import EvidenceIntegrityError
from readiness.evidence.run_folder import ATTESTATION, EVIDENCE, RECORD, REVIEW, SUMS, FolderError
from readiness.policy.plan import PlannedCheck
from readiness.runner.event_loop import BackgroundEventLoop
from readiness.runner.rescoring import Rescorer
from readiness.runner.resume import ResumeError, ResumeState, read
from readiness.runner.settings import Settings
from readiness.verdict import labels
from readiness.verdict.claim import Gate


def require_unchanged(run: Path, state: ResumeState) -> None:
    """Require that the run to resume is as it was written, as far as it ended.

    Raises:
        ResumeError: It is signed.
        EvidenceIntegrityError: A file was changed, or the evidence that the record names is cut.
    """
    if (run / ATTESTATION).exists():
        raise ResumeError(f"{run} is signed as it is: nothing may be added")
    try:
        if (run / SUMS).exists():
            run_folder.refuse_changed(run)
        if not (run / RECORD).exists():
            return
        record = run_folder.read(run)
    except FolderError as error:
        raise EvidenceIntegrityError(str(error)) from error
    head = record["evidence"]["head"]
    # A run that was resumed and killed has gone on since its record was written.
    if head not in state.heads or ((run / SUMS).exists() and head != state.head):
        raise EvidenceIntegrityError(f"{EVIDENCE} does not end where the record of {run} says")
    if head == state.head:
        require_counted(state.passed, record)


def require_rescored(
    background: BackgroundEventLoop,
    settings: Settings,
    planned: Sequence[PlannedCheck],
    state: ResumeState,
) -> None:
    """Require that exchanges bear out the finished trials of the run to resume.

    Raises:
        EvidenceIntegrityError: The exchanges of a trial do not bear out its score.
    """
    if not state.trials:
        return
    opened = background.submit(Rescorer.of(state, settings.context, settings.review)).result()
    found = background.submit(opened.differences(planned)).result()
    for each in found:
        raise EvidenceIntegrityError(f"{settings.resume}: {each}")


def require_borne_out(
    background: BackgroundEventLoop,
    settings: Settings,
    planned: Sequence[PlannedCheck],
    run: FinishedRun,
) -> None:
    """Require that exchanges bear out what a finished run says of its endpoint and its trials.

    Raises:
        EvidenceIntegrityError: They do not.
    """
    folder = run.evidence.parent
    state, path = read(run.evidence, settings.secrets), folder / REVIEW
    try:
        review = labels.load(path if path.exists() else None)
    except (OSError, ValueError) as error:
        raise EvidenceIntegrityError(f"{path}: {error}") from error
    opened = background.submit(Rescorer.of(state, settings.context, review)).result()
    for change in drift(run.target, identity(state.about["model"], opened.capabilities)):
        raise EvidenceIntegrityError(f"{folder}: the endpoint said otherwise: {change}")
    items = state.about["items"]
    same = [each for each in planned if items.get(each.check.id) == each.probes_digest]
    for each in background.submit(opened.differences(same)).result():
        raise EvidenceIntegrityError(f"{folder}: {each}")
    _require_its_rules(run_folder.read(folder), state, same)


def _require_its_rules(
    record: run_folder.Record, state: ResumeState, planned: Sequence[PlannedCheck]
) -> None:
    """Require that a record judges checks as the policy says, and waives what the run waived.

    Raises:
        EvidenceIntegrityError: It does not.
    """
    claims = {each.check.id: each.claim for each in planned}
    checks = [check for row in record["dimensions"] for check in row["checks"]]
    missing = {name for row in record["dimensions"] for name in row["missing"]}
    required = {name for name, claim in claims.items() if claim.gate is Gate.REQUIRED}
    if lacking := sorted(required - missing - {check["id"] for check in checks}):
        raise EvidenceIntegrityError(f"its record says nothing of {lacking[0]}")
    for check in checks:
        claim = claims.get(check["id"])
        recorded = check["gate"], check["required"], check["margin"], check["alpha"]
        if claim and recorded != (claim.gate, claim.required, claim.margin, claim.alpha):
            raise EvidenceIntegrityError(f"its record judges {check['id']} by another rule")
    waived = [
        {name: each[name] for name in each if name != "verdict"} for each in record["waivers"]
    ]
    if waived != state.latest.get("waivers", []):
        raise EvidenceIntegrityError("its record has waivers that the run did not have")
