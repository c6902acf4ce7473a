"""The record of a run, `readiness.json`, from which every report is made."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from readiness.baseline.comparison import CheckComparison, RunComparison, TrialPair
from readiness.baseline.finished_run import FinishedRun
from readiness.context import Context
from readiness.evidence.printable import utc
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import Record
from readiness.load.workers import LoadWorkerSettings
from readiness.policy.waiver import Waiver
from readiness.runner.provenance import harness
from readiness.runner.resume import ResumeState
from readiness.runner.run import Run
from readiness.statistics import proportions
from readiness.statistics.proportions import TRIES, all_of, longest_streak
from readiness.verdict.claim import Verdict
from readiness.verdict.exit_status import EXIT_STATUS
from readiness.verdict.matrix import DimensionRow
from readiness.verdict.result import PooledRuns, Result

SCHEMA = "readiness/1"
MAX_LISTED = 20  # Failed trials listed in a check; the evidence has them all.
MAX_REPLY = 240  # Characters of the reply of a lost trial.


def record(run: Run) -> Record:
    """The record of a run, as JSON."""
    settings, matrix = run.settings, run.matrix
    return {
        "schema": SCHEMA,
        "verdict": run.verdict,
        "score": run.score,
        "exit_status": EXIT_STATUS[run.verdict],
        "deciding": [row.id for row in matrix.deciding],
        "problem": run.problem,
        "profile": settings.profile,
        "seed": settings.seed,
        "concurrency": settings.concurrency,
        "target": {"endpoint": settings.address.url, **run.identity},
        "machine": _machine(settings.context),
        "client": _client(settings.load_workers),
        "harness": harness(settings.policy),
        "license_evidence": settings.context.license_evidence_digests,
        "started": utc(run.started),
        "finished": utc(datetime.now(UTC)),
        "requests": {
            "sent": run.budget.sent,
            "retried": run.budget.retried,
            "failed": run.budget.failed,
        },
        "tokens": {
            "prompt": run.budget.prompt_tokens,
            "completion": run.budget.completion_tokens,
        },
        **_cost(run),
        "evidence": {
            "file": run.evidence.path.name,
            "exchanges": run.evidence.exchanges,
            "head": run.evidence.head,
        },
        "waivers": [_waiver(run, each) for each in settings.waivers.values()],
        **_resumed(run.resume_state),
        **_baseline(run),
        **_earlier(settings.earlier),
        "dimensions": [dimension_section(row) for row in matrix.worst_first],
    }


def _machine(context: Context) -> dict[str, str]:
    """The declared hardware, quantization and metrics address of the server."""
    evidence = context.license_evidence
    return {
        "hardware": context.hardware.name if context.hardware else "",
        "quantization": evidence.quantization if evidence else "",
        "metrics": context.metrics_address.url if context.metrics_address else "",
    }


def _client(workers: LoadWorkerSettings | None) -> dict[str, Any]:
    """The machine that the endpoint was tried from, which affects measured times."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "load_workers": workers.workers if workers else 0,
        "cluster": workers.address if workers else "",
    }


def _waiver(run: Run, waiver: Waiver) -> dict[str, Any]:
    """A waiver with the measured verdict: not assessed where the check has no result."""
    verdicts = {result.check.id: result.verdict for result in run.results}
    fields = {**asdict(waiver), "expiry": waiver.expiry.isoformat()}
    return {**fields, "verdict": verdicts.get(waiver.check, Verdict.NOT_ASSESSED)}


def _cost(run: Run) -> dict[str, Any]:
    prices = run.settings.policy.prices
    return {"bill": {"amount": run.cost, "currency": prices.currency}} if prices else {}


def _resumed(state: ResumeState) -> dict[str, Any]:
    """The counts of exchanges and trials from before the run was resumed."""
    if not state.about:
        return {}
    trials = sum(len(each) for each in state.trials.values())
    counts = {"exchanges": len(state.exchanges), "trials": trials, "torn_bytes": state.torn}
    return {"resumed": counts}


def _baseline(run: Run) -> dict[str, Any]:
    if not run.comparison:
        return {}
    return {"baseline": _comparison(run.comparison, run.settings.secrets)}


def _earlier(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """The pooled runs, with the last digests of their evidence."""
    sections = [
        {
            "run": each.evidence.parent.name,
            "started": each.evidence_header["started"],
            "seed": each.evidence_header["seed"],
            "head": each.head,
        }
        for each in runs
    ]
    return {"earlier": sections} if sections else {}


def dimension_section(row: DimensionRow) -> dict[str, Any]:
    """The record of a dimension and its checks."""
    return {
        "id": row.id,
        "verdict": row.verdict,
        "score": row.score,
        "gate": row.gate,
        "missing": list(row.missing),
        "checks": [_check(result) for result in row.results],
    }


def _check(result: Result) -> dict[str, Any]:
    claim, (low, high) = result.claim, result.interval
    trials = len(result.counted)
    return {
        "id": result.check.id,
        "requirement": result.check.requirement,
        "gate": claim.gate,
        "trials": trials,
        "made": result.executed,
        "passed": result.passed,
        "low": low,
        "high": high,
        "at_least": result.rate_lower_bound,
        "required": claim.required,
        "margin": claim.margin,
        "alpha": claim.alpha,
        "defects_only": claim.defects_only,
        "more_needed": proportions.more_needed(
            result.passed, trials, claim.required, claim.margin, claim.alpha
        ),
        "verdict": result.verdict,
        "score": result.score,
        "outcomes": {outcome.value: count for outcome, count in result.outcomes.items()},
        "reasons": [
            {
                "kind": each.kind,
                "reason": each.shown,
                "example": each.example,
                "count": each.count,
            }
            for each in result.reasons
        ],
        "slices": result.slices,
        "settled": [
            {"probe": each.probe, "by": each.score.settled_by}
            for each in result.counted
            if each.score.settled_by
        ],
        "met_in_reasoning": [each.probe for each in result.counted if each.score.met_in_reasoning],
        "measures": measures(result),
        "times": _times(result),
        "doubts": result.doubts,
        "controls": _controls(result),
        **({"together": _together(result.pooled)} if result.pooled else {}),
        **({"decided_by": "sprt"} if result.decided else {}),
        "streak": longest_streak(each.score.passed for each in result.counted),
        "all_of": {
            str(tries): all_of(tries, [result.passed], trials) for tries in TRIES if tries <= trials
        },
        "not_passed": _listed(result),
    }


def _together(pooled: PooledRuns) -> dict[str, Any]:
    return {
        "runs": pooled.runs,
        "trials": pooled.tally.planned,
        "passed": pooled.tally.passed,
        "fallen": pooled.failures,
        "verdict": pooled.verdict,
    }


def _controls(result: Result) -> Mapping[str, int]:
    controls = [trial for trial in result.trials if trial.control]
    return {"trials": len(controls), "passed": sum(each.score.passed for each in controls)}


def measures(result: Result) -> list[dict[str, Any]]:
    """The measures of a check's trials."""
    return [
        {
            "probe": trial.probe,
            "name": measure.name,
            "value": float(measure.value),  # A bool would become true or false in JSON.
            "unit": measure.unit,
            "at": dict(measure.at),
            **({"of": measure.of} if measure.of > 1 else {}),
            **({} if measure.low is None else {"low": measure.low, "high": measure.high}),
        }
        for trial in result.counted
        for measure in trial.score.measures
    ]


def _times(result: Result) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "at": dict(each.at),
            "trials": len(each.seconds),
            "median": each.median,
            "tail": each.tail,
            "high": each.high,
        }
        for each in result.times
    ]


def _listed(result: Result) -> list[dict[str, Any]]:
    found = [trial for trial in result.counted if not trial.score.passed]
    return [
        {
            "probe": trial.probe,
            "outcome": trial.score.outcome,
            "reason": trial.score.reason,
            "exchanges": list(trial.exchanges),
        }
        for trial in found[:MAX_LISTED]
    ]


def _comparison(found: RunComparison, secrets: Secrets) -> dict[str, Any]:
    """The comparison of a run with its baseline."""
    before = found.baseline
    replies = _LostReplies(found, secrets)
    return {
        "run": before.evidence.parent.name,
        "model": before.evidence_header["model"],
        "started": before.evidence_header["started"],
        "concurrency": before.concurrency,
        "head": before.head,
        "run_verdict": before.verdict,
        "verdict": found.verdict,
        "identity": found.identity,
        "alpha": found.alpha,
        "drift": [
            {"what": each.what, "before": each.before, "now": each.now} for each in found.drift
        ],
        "unpaired": found.unpaired,
        "agree": found.agree,
        "pairs": found.pairs,
        **_noise(before),
        "checks": [_compared(found, each, replies) for each in found.checks if each.pairs],
    }


def _noise(baseline: FinishedRun) -> dict[str, Any]:
    """How many repeated trials of the baseline changed; empty where none were repeated."""
    differ, trials = baseline.repeat_disagreement
    return {"noise": {"trials": trials, "differ": differ}} if trials else {}


def _compared(
    found: RunComparison, compared: CheckComparison, replies: _LostReplies
) -> dict[str, Any]:
    return {
        "id": compared.id,
        "gates": compared.gates,
        "pairs": len(compared.pairs),
        "lost": len(compared.lost),
        "gained": len(compared.gained),
        "chance": found.adjusted_p_values[compared.id],
        "regressed": compared in found.regressed,
        "at_least": compared.at_least,
        "margin": compared.upgrade.margin,
        "non_inferiority": compared.upgrade.non_inferiority,
        "shown": compared.non_inferior,
        "pace": compared.pace if compared.ratios else None,
        "timed": len(compared.ratios),
        "slower": compared in found.slower,
        "items": [_item(pair, replies) for pair in compared.lost[:MAX_LISTED]],
    }


def _item(pair: TrialPair, replies: _LostReplies) -> dict[str, Any]:
    return {
        "probe": pair.trial.probe,
        "outcome": pair.trial.score.outcome,
        "reason": pair.trial.score.reason,
        "exchanges": list(pair.trial.exchanges),
        "reply": replies.now(pair),
        "baseline_exchanges": list(pair.baseline_trial.exchanges),
        "baseline_reply": replies.before(pair),
    }


class _LostReplies:
    """The last reply of each lost trial in both runs; each evidence file is read once."""

    def __init__(self, found: RunComparison, secrets: Secrets) -> None:
        lost = [pair for each in found.checks for pair in each.lost[:MAX_LISTED]]
        self._secrets = secrets
        self._now = found.now.replies([_last(pair.trial.exchanges) for pair in lost])
        self._before = found.baseline.replies(
            [_last(pair.baseline_trial.exchanges) for pair in lost]
        )

    def now(self, pair: TrialPair) -> str:
        """The candidate's reply; "" where nothing was sent."""
        return self._cut(self._now, pair.trial.exchanges)

    def before(self, pair: TrialPair) -> str:
        """The baseline's reply; "" where nothing was sent."""
        return self._cut(self._before, pair.baseline_trial.exchanges)

    def _cut(self, replies: Mapping[int, str], exchanges: Sequence[int]) -> str:
        if not exchanges:
            return ""
        # Truncated after redaction: part of a secret would not be recognised.
        return self._secrets.printable(replies[_last(exchanges)])[:MAX_REPLY]


def _last(exchanges: Sequence[int]) -> int:
    return exchanges[-1] if exchanges else -1
