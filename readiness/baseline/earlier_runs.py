"""Earlier runs of the same build: which may be added to a run, and what they add."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from readiness.baseline import finished_run
from readiness.baseline.comparability import first_difference
from readiness.baseline.finished_run import FinishedRun
from readiness.baseline.identity import drift
from readiness.policy.plan import PlannedCheck, plain
from readiness.probe import Probe
from readiness.score import UNSETTLED, Outcome
from readiness.verdict.claim import Tally, Verdict
from readiness.verdict.result import PooledRuns, Result, tally_of

#: What must be as it is now, besides what the endpoint says of itself.
POOLING_KEYS = ("version", "profile", "policy_sha256", "prompts_sha256", "extra_body_sha256")


class NotEarlier(LookupError):
    """The user must leave a run out."""


def read(paths: Sequence[Path]) -> list[FinishedRun]:
    """Read earlier runs.

    Raises:
        FinishedRunError: One is not there, or shows nothing.
        EvidenceIntegrityError: The evidence of one is not what it was when it ended.
    """
    return [finished_run.read_finished_run(path) for path in paths]


def require_poolable(
    runs: Sequence[FinishedRun], planned: Sequence[PlannedCheck], made_with: Mapping[str, Any]
) -> None:
    """Let runs be added only that were made in the same way, with other probes.

    Raises:
        NotEarlier: One was not; the message names it, and why.
    """
    seeds = {made_with["seed"]: "this run"}
    for run in runs:
        name, seed = run.evidence.parent.name, run.evidence_header.get("seed")
        if seed in seeds:
            why = f"its seed is {seed}, as in {seeds[seed]}: the same probes show nothing new"
            raise NotEarlier(f"--earlier {name} adds nothing: {why}")
        seeds[seed] = name
        why = first_difference(run.evidence_header, made_with, POOLING_KEYS) or _other_probes(
            run, planned
        )
        if why:
            raise NotEarlier(f"--earlier {name} cannot be added: {why}")


def require_same_build(runs: Sequence[FinishedRun], identity: Mapping[str, Any]) -> None:
    """Let runs be added only of an endpoint that says the same of itself.

    Raises:
        NotEarlier: One says something else; the message names it, and what.
    """
    for run in runs:
        if changed := drift(run.target, identity):
            name, told = run.evidence.parent.name, "; ".join(map(str, changed))
            raise NotEarlier(f"--earlier {name} is of another build: {told}")


def pool_earlier_runs(runs: Sequence[FinishedRun], planned: PlannedCheck, result: Result) -> Result:
    """The result, with what earlier runs of the same build add to it."""
    check, claim = result.check.id, result.claim
    having = [run for run in runs if any(name == check for name, _ in run.trials)]
    if not having:
        return result
    if claim.required == 1:
        pooled = PooledRuns(claim, result.tally, 1 + len(having), _fallen(having, planned))
    elif result.verdict is Verdict.INCONCLUSIVE and planned.has_independent_trials:
        pooled = PooledRuns(claim, _together(having, planned, result), 1 + len(having))
    else:
        return result
    return replace(result, pooled=pooled)


def _together(runs: Sequence[FinishedRun], planned: PlannedCheck, result: Result) -> Tally:
    """The trials of all runs, by the names of their probes; none of what was asked before."""
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
    """What became of the trials that were made and count; of doubtful ones, only what failed."""
    for (name, number), tried in run.trials.items():
        if name == check and tried.made and not probes[number].control:
            vain = check in run.doubtful and tried.outcome is Outcome.PASS
            yield probes[number], Outcome.UNDETERMINED if vain else tried.outcome


def _fallen(runs: Sequence[FinishedRun], planned: PlannedCheck) -> int:
    """How many trials of a check have failed, but for control items."""
    controls = {probe.id for probe in planned.probes if probe.control}
    return sum(
        tried.outcome not in {Outcome.PASS, *UNSETTLED} and tried.probe not in controls
        for run in runs
        for (name, _), tried in run.trials.items()
        if name == planned.check.id
    )


def _other_probes(run: FinishedRun, planned: Sequence[PlannedCheck]) -> str:
    """Which check asked something else then than it would by that seed now; "" where none did."""
    asked = run.evidence_header.get("items", {})
    for each in planned:
        if each.check.id in asked and each.has_independent_trials:
            then = replace(each, probes=_probes(run, each))
            if then.probes_digest != asked[each.check.id]:
                return f"its probes of {each.check.id} are others"
    return ""


def _probes(run: FinishedRun, planned: PlannedCheck) -> list[Probe]:
    """What a check asked in another run: a seed makes the same probes every time."""
    return planned.check.probes(run.evidence_header["seed"], planned.claim.trials)


def _asked(probe: Probe) -> str:
    """What a probe asks, by which it is known in another run."""
    return json.dumps([probe.messages or probe.expect, probe.parameters], default=plain)
