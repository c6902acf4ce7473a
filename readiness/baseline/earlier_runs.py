"""Pooling of earlier runs of the same build: which may be pooled, and the pooled result.

Those that the user names are scored again, and may make a check ready. Those that are found unasked
are believed as far as they speak against the build: rerunning it until it is green shows nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from readiness.baseline import finished_run
from readiness.baseline.comparability import first_difference
from readiness.baseline.finished_run import FinishedRun, FinishedRunError
from readiness.baseline.identity import drift
from readiness.evidence.log import EvidenceIntegrityError
from readiness.evidence.run_folder import EVIDENCE
from readiness.policy.plan import PlannedCheck, json_fallback
from readiness.probe import Probe
from readiness.score import UNSETTLED, Outcome
from readiness.verdict.claim import Tally, Unsupported, Verdict
from readiness.verdict.result import PooledRuns, Result, tally_of

#: The settings that must be equal in pooled runs, besides the endpoint's identity.
POOLING_KEYS = ("version", "profile", "policy_sha256", "prompts_sha256", "extra_body_sha256")
#: Those that must be equal in runs of the same build that are found unasked.
BUILD_KEYS = (*POOLING_KEYS, "sampling", "build", "model")
#: The dimensions that judge files, and where a run's header has the digests of these.
FILES = {"license": "license_evidence", "deployment": "deployment"}
#: The most recent runs of a folder that are looked at: a year of nights would take minutes to read.
MAX_FOUND = 19
MAX_HEADER = 2**22  # bytes


class EarlierRunRejected(LookupError):
    """A run cannot be pooled: the user must leave it out."""


def read(paths: Sequence[Path]) -> list[FinishedRun]:
    """Read earlier runs.

    Raises:
        FinishedRunError: One does not exist, or tried no check.
        EvidenceIntegrityError: The evidence of one was changed.
    """
    return [finished_run.read_finished_run(path) for path in paths]


def require_poolable(
    runs: Sequence[FinishedRun], planned: Sequence[PlannedCheck], made_with: Mapping[str, Any]
) -> None:
    """Require that runs were made with the same settings and other seeds.

    Raises:
        NotEarlier: One was not; the message names it and the reason.
    """
    seeds = {made_with["seed"]: "this run"}
    for run in runs:
        name, seed = run.evidence.parent.name, run.evidence_header.get("seed")
        if seed in seeds:
            why = f"its seed is {seed}, as in {seeds[seed]}: the same probes show nothing new"
            raise EarlierRunRejected(f"--earlier {name} adds nothing: {why}")
        seeds[seed] = name
        why = first_difference(run.evidence_header, made_with, POOLING_KEYS) or _other_probes(
            run, planned
        )
        if why:
            raise EarlierRunRejected(f"--earlier {name} cannot be added: {why}")


def require_same_build(runs: Sequence[FinishedRun], identity: Mapping[str, Any]) -> None:
    """Require that the endpoint of each run reports the same identity.

    Raises:
        NotEarlier: One reports another; the message names the run and the difference.
    """
    for run in runs:
        if changed := drift(run.target, identity):
            name, changes = run.evidence.parent.name, "; ".join(map(str, changed))
            raise EarlierRunRejected(f"--earlier {name} is of another build: {changes}")


def of_the_same_build(
    reports: Path,
    identity: Mapping[str, Any],
    about: Mapping[str, Any],
    left_out: Collection[Path] = (),
) -> list[FinishedRun]:
    """The latest finished runs in a folder of the same build, as far as it is known, oldest first.

    All that the endpoint says of itself is the same, and so is the name that the user gives to the
    build. Where there is no such name and no fingerprint, the URL is the same, too. Runs that are
    not intact are left out.

    Args:
        reports: The folder of all runs.
        identity: What the endpoint says of itself.
        about: The header of this run's evidence.
        left_out: The folders of this run, and of those that it is compared or pooled with.
    """
    names = {path.resolve() for path in left_out}
    folders = [each for each in reports.iterdir() if each.is_dir() and not each.is_symlink()]
    told = bool(about["build"] or identity.get("fingerprint"))
    keys = BUILD_KEYS if told else (*BUILD_KEYS, "endpoint")
    found: list[FinishedRun] = []
    for folder in sorted(folders, reverse=True):
        if folder.resolve() in names or not _alike(_header(folder), about, keys):
            continue
        try:
            run = finished_run.read_finished_run(folder)
        except (FinishedRunError, EvidenceIntegrityError, OSError):
            continue
        if not drift(run.target, identity):
            found.insert(0, run)
        if len(found) == MAX_FOUND:
            break
    return found


def of_the_same_files(run: FinishedRun, about: Mapping[str, Any]) -> FinishedRun:
    """A run without its trials of files that are others by now, as mended ones are."""
    header = run.evidence_header
    others = {each for each, name in FILES.items() if header.get(name) != about.get(name)}
    trials = {
        (check, number): tried
        for (check, number), tried in run.trials.items()
        if check.partition(".")[0] not in others
    }
    return replace(run, trials=trials)


def _header(folder: Path) -> Mapping[str, Any]:
    """The header of a run's evidence; empty where there is none."""
    try:
        with (folder / EVIDENCE).open("rb") as lines:
            header = json.loads(lines.readline(MAX_HEADER))
    except (OSError, ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _alike(theirs: Mapping[str, Any], ours: Mapping[str, Any], keys: Sequence[str]) -> bool:
    harness = theirs.get("harness")
    return isinstance(harness, dict) and not first_difference(theirs, ours, keys)


def held_against(runs: Sequence[FinishedRun], planned: PlannedCheck, result: Result) -> Result:
    """The result, with what other runs of the same build say against it.

    A failure of a zero-defect rule in any of them puts it in doubt. Where one of them was not ready
    by a rate, or this run leaves it open, the trials of all decide; they make nothing ready that
    this run alone does not.
    """
    check, claim = result.check.id, result.claim
    tried = _that_tried(runs, planned)
    if not tried:
        return result
    if claim.required == 1:
        failures = _failures(tried, planned) + (result.pooled.failures if result.pooled else 0)
        if not failures:
            return result
        runs_in_all = len(tried) + (result.pooled.runs if result.pooled else 1)
        return replace(result, pooled=PooledRuns(claim, result.tally, runs_in_all, failures))
    failed = [run for run in tried if run.verdicts.get(check) == Verdict.NOT_READY]
    if result.verdict is Verdict.READY and failed:
        return replace(result, pooled=_binding(tried, failed, planned, result))
    if result.verdict is Verdict.INCONCLUSIVE and planned.has_independent_trials:
        fresh = _of_other_probes(tried, planned)
        pooled = PooledRuns(claim, _pooled_tally(fresh, planned, result), 1 + len(fresh))
        if pooled.verdict is Verdict.NOT_READY:
            return replace(result, pooled=pooled)
    return result


def _that_tried(runs: Sequence[FinishedRun], planned: PlannedCheck) -> list[FinishedRun]:
    """The runs that tried a check, without those in which all that it may lack was lacking."""
    lacking = {Outcome.UNSUPPORTED} if planned.claim.unsupported is Unsupported.ACCEPTED else None
    found = []
    for run in runs:
        trials = run.trials.items()
        outcomes = {each.outcome for (name, _), each in trials if name == planned.check.id}
        if outcomes and outcomes - UNSETTLED != lacking:
            found.append(run)
    return found


def _binding(
    tried: Sequence[FinishedRun],
    failed: Sequence[FinishedRun],
    planned: PlannedCheck,
    result: Result,
) -> PooledRuns:
    """The trials of all runs of a check that this run alone makes ready, and another did not."""
    fresh = _of_other_probes(tried, planned) if planned.has_independent_trials else []
    # A run that was not ready by the same probes cannot be pooled: that this one is shows nothing.
    can_be_pooled = {run.head for run in fresh}.issuperset(run.head for run in failed)
    tally = _pooled_tally(fresh, planned, result) if can_be_pooled else Tally()
    runs = 1 + (len(fresh) if can_be_pooled else len(tried))
    return PooledRuns(result.claim, tally, runs, binding=True)


def _of_other_probes(runs: Sequence[FinishedRun], planned: PlannedCheck) -> list[FinishedRun]:
    """The runs of which each has probes of its own of a check, by a seed of its own."""
    asked = {planned.probes_digest}
    fresh = []
    for run in runs:
        digest = run.evidence_header["items"].get(planned.check.id)
        if digest not in asked and not _other_probes(run, [planned]):
            fresh.append(run)
        asked.add(digest)
    return fresh


def pool_earlier_runs(runs: Sequence[FinishedRun], planned: PlannedCheck, result: Result) -> Result:
    """The result, pooled with earlier runs of the same build."""
    claim, runs_with_check = result.claim, _that_tried(runs, planned)
    if not runs_with_check:
        return result
    if claim.required == 1:
        pooled = PooledRuns(
            claim, result.tally, 1 + len(runs_with_check), _failures(runs_with_check, planned)
        )
    elif result.verdict is Verdict.INCONCLUSIVE and planned.has_independent_trials:
        pooled = PooledRuns(
            claim, _pooled_tally(runs_with_check, planned, result), 1 + len(runs_with_check)
        )
    else:
        return result
    return replace(result, pooled=pooled)


def _pooled_tally(runs: Sequence[FinishedRun], planned: PlannedCheck, result: Result) -> Tally:
    """The trials of all runs, clustered by probe id; a request that was sent before is left out."""
    by_name: dict[str, list[Outcome]] = {}
    for trial in result.counted:
        by_name.setdefault(trial.probe, []).append(trial.score.outcome)
    seen = {_asked(probe) for probe in planned.probes}
    for run in runs:
        probes = _probes(run, planned)
        for probe, outcome in _outcomes(run, planned.check.id, probes):
            if _asked(probe) not in seen:
                by_name.setdefault(probe.id, []).append(outcome)
        seen |= {_asked(probe) for probe in probes}
    return Tally.of(map(tally_of, by_name.values()))


def _outcomes(
    run: FinishedRun, check: str, probes: Sequence[Probe]
) -> Iterator[tuple[Probe, Outcome]]:
    """The outcomes of executed, counted trials; passes of a check in doubt are undetermined."""
    for (name, number), tried in run.trials.items():
        if name == check and tried.made and not probes[number].control:
            in_doubt = check in run.doubtful and tried.outcome is Outcome.PASS
            yield probes[number], Outcome.UNDETERMINED if in_doubt else tried.outcome


def _failures(runs: Sequence[FinishedRun], planned: PlannedCheck) -> int:
    """The number of failed trials of a check, without controls."""
    controls = {probe.id for probe in planned.probes if probe.control}
    return sum(
        tried.outcome not in {Outcome.PASS, *UNSETTLED} and tried.probe not in controls
        for run in runs
        for (name, _), tried in run.trials.items()
        if name == planned.check.id
    )


def _other_probes(run: FinishedRun, planned: Sequence[PlannedCheck]) -> str:
    """The check whose probes of the run's seed have changed since, as a message; "" for none."""
    asked = run.evidence_header.get("items", {})
    for each in planned:
        if each.check.id in asked and each.has_independent_trials:
            then = replace(each, probes=_probes(run, each))
            if then.probes_digest != asked[each.check.id]:
                return f"its probes of {each.check.id} are different"
    return ""


def _probes(run: FinishedRun, planned: PlannedCheck) -> list[Probe]:
    """The probes of a check in another run, generated from that run's seed."""
    return planned.check.probes(run.evidence_header["seed"], planned.claim.trials)


def _asked(probe: Probe) -> str:
    """The content of a probe, by which it is recognised in another run."""
    return json.dumps([probe.messages or probe.expect, probe.parameters], default=json_fallback)
