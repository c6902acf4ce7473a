"""The record of a run, `readiness.json`, from which every report is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from readiness.baseline.comparison import CheckComparison, RunComparison, TrialPair
from readiness.baseline.finished_run import FinishedRun
from readiness.evidence.log import exchange_times
from readiness.evidence.printable import utc
from readiness.evidence.redaction import Secrets
from readiness.evidence.run_folder import Record
from readiness.forms.covering import coverage
from readiness.policy.waiver import Waiver
from readiness.runner.excerpts import excerpts
from readiness.runner.provenance import client, harness, machine, run_sections, waiver_fields
from readiness.runner.resume import ResumeState
from readiness.runner.run import Run
from readiness.statistics.proportions import TRIES, all_of, longest_streak
from readiness.verdict.claim import Verdict
from readiness.verdict.exit_status import FailOn
from readiness.verdict.matrix import DimensionRow
from readiness.verdict.result import PooledRuns, Result

SCHEMA = "readiness/1"
MAX_LISTED = 20  # Failed trials listed in a check; the evidence has them all.
MAX_SHOWN = 3  # Those of them that are listed with what was asked and what came.
MAX_REPLY = 240  # Characters of the reply of a lost trial.


def record(run: Run) -> Record:
    """The record of a run, as JSON."""
    settings, matrix = run.settings, run.matrix
    return {
        "schema": SCHEMA,
        "verdict": run.verdict,
        "score": run.score,
        "exit_status": run.exit_status,
        **({"fail_on": settings.fail_on} if settings.fail_on is FailOn.NOT_READY else {}),
        "deciding": [row.id for row in matrix.deciding],
        "problem": run.problem,
        "profile": settings.profile,
        "seed": settings.seed,
        "concurrency": settings.concurrency,
        "target": {"endpoint": settings.address.url, **run.identity},
        "machine": machine(settings.context),
        "client": client(settings.load_workers),
        "harness": harness(settings.policy),
        "license_evidence": settings.context.license_evidence_digests,
        "deployment": settings.context.deployment_digests,
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
            "estimated": run.budget.estimated_tokens,
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
        **_runs("earlier", settings.earlier),
        **_runs("same_build", run.same_build),
        "dimensions": _dimensions(run),
    }


def _dimensions(run: Run) -> list[dict[str, Any]]:
    """The dimensions; the first failed trials of a check with what was asked and what came."""
    rows = run.matrix.worst_first
    sections = [dimension_section(row) for row in rows]
    times = exchange_times(run.evidence.path) if run.evidence.exchanges else {}
    for row, section in zip(rows, sections, strict=True):
        for result, check in zip(row.results, section["checks"], strict=True):
            check |= _span(result, times)
    listed = [
        [each for each in check["not_passed"] if each["exchanges"]][:MAX_SHOWN]
        for section in sections
        for check in section["checks"]
    ]
    shown = [each for few in listed for each in few]
    said = excerpts(run.evidence.path, {each["exchanges"][-1] for each in shown})
    for each in shown:
        each |= said.get(each["exchanges"][-1], {})
    return sections


def _span(result: Result, times: Mapping[int, tuple[float, float]]) -> dict[str, Any]:
    """From a check's first request to its last reply; nothing where it sent none."""
    numbers = {seq for trial in result.trials for seq in trial.exchanges if seq in times}
    if not numbers:
        return {}
    began, ended = (pick(times[seq][at] for seq in numbers) for at, pick in enumerate((min, max)))
    return {"began": utc(datetime.fromtimestamp(began, UTC)), "seconds": round(ended - began, 3)}


def _waiver(run: Run, waiver: Waiver) -> dict[str, Any]:
    """A waiver with the measured verdict: not assessed where the check has no result."""
    verdicts = {result.check.id: result.verdict for result in run.results}
    return {**waiver_fields(waiver), "verdict": verdicts.get(waiver.check, Verdict.NOT_ASSESSED)}


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


def _runs(name: str, runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """The runs that this one is judged with; nothing where there are none."""
    return {name: run_sections(runs)} if runs else {}


def dimension_section(row: DimensionRow) -> dict[str, Any]:
    """The record of a dimension and its checks."""
    return {
        "id": row.id,
        "verdict": row.verdict,
        "score": row.score,
        "gate": row.gate,
        "missing": list(row.missing),
        **_pairs(row.results),
        "checks": [_check(result) for result in row.results],
    }


def _check(result: Result) -> dict[str, Any]:
    claim, (low, high) = result.claim, result.interval
    return {
        "id": result.check.id,
        "requirement": result.check.requirement,
        "gate": claim.gate,
        "trials": len(result.counted),
        "made": result.executed,
        "passed": result.passed,
        "low": low,
        "high": high,
        "at_least": result.rate_lower_bound,
        "required": claim.required,
        "margin": claim.margin,
        "alpha": claim.alpha,
        "defects_only": claim.defects_only,
        "more_needed": result.more_needed,
        "verdict": result.verdict,
        **({"no_defect": True} if result.no_defect else {}),
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
        **_forms(result),
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
        "streak": longest_streak(each.score.passed for each in result.tried),
        "all_of": {
            str(tries): all_of(tries, [result.passed], result.executed)
            for tries in TRIES
            if tries <= result.executed
        },
        "not_passed": _listed(result),
    }


def _forms(result: Result) -> dict[str, Any]:
    """The pairs of levels that were tried, and where failures gather."""
    worst = result.failing_alone or result.worst_pair
    if worst is None:
        return _pairs([result])
    pair = {
        "labels": [{"label": label, "value": value} for label, value in worst.labels],
        "failed": worst.failed,
        "trials": worst.trials,
        "failed_elsewhere": worst.failed_elsewhere,
        "trials_elsewhere": worst.trials_elsewhere,
        "chance": worst.chance,
        "fails_alone": worst is result.failing_alone,
    }
    return {**_pairs([result]), "worst_pair": pair}


def _pairs(results: Sequence[Result]) -> dict[str, Any]:
    """How many pairs of levels of a request's form were tried, of those that are possible."""
    spaces = ((each.check.forms, each.forms) for each in results)
    found = coverage([(space, forms) for space, forms in spaces if space])
    return {"pairs": asdict(found)} if found.possible else {}


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
            **({"implausible": True} if measure.implausible else {}),
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
    return [
        {
            "probe": trial.probe,
            "outcome": trial.score.outcome,
            "reason": trial.score.reason,
            "exchanges": list(trial.exchanges),
        }
        for trial in result.not_passed[:MAX_LISTED]
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
        "pace": found.pace,
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
        "pairs": len(compared.tried),
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
