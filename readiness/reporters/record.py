"""The record of a run: `readiness.json`, from which every other surface can be made."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from readiness.baseline.finished_run import FinishedRun
from readiness.context import Given
from readiness.evidence import run_folder
from readiness.evidence.run_folder import RECORD
from readiness.policy.waiver import Waiver
from readiness.reporters import surfaces, upgrade
from readiness.runner.provenance import harness
from readiness.runner.run import Run, utc
from readiness.runner.settings import LoadWorkerSettings
from readiness.statistics import proportions
from readiness.statistics.proportions import TRIES, all_of, longest_streak
from readiness.verdict.claim import Verdict
from readiness.verdict.exit_status import EXIT_STATUS
from readiness.verdict.matrix import DimensionRow
from readiness.verdict.result import PooledRuns, Result

SCHEMA = "readiness/1"
MOST_LISTED = 20  # Trials that are listed one by one; the evidence has them all.


def record(run: Run) -> dict[str, Any]:
    """What a run has shown, as JSON."""
    settings, matrix = run.settings, run.matrix
    return {
        "schema": SCHEMA,
        "verdict": run.verdict,
        "score": run.score,
        "exit_status": EXIT_STATUS[run.verdict],
        "problem": run.problem,
        "profile": settings.profile,
        "seed": settings.seed,
        "concurrency": settings.concurrency,
        "target": {"endpoint": settings.address.url, **run.identity},
        "machine": _machine(settings.context),
        "client": _client(settings.load_workers),
        "harness": harness(settings.policy),
        "license_evidence": settings.context.digests,
        "started": utc(run.started),
        "finished": utc(datetime.now(UTC)),
        "requests": {
            "sent": run.ledger.sent,
            "retried": run.ledger.retried,
            "failed": run.ledger.failed,
        },
        "tokens": {
            "prompt": run.ledger.prompt_tokens,
            "completion": run.ledger.completion_tokens,
        },
        **_bill(run),
        "evidence": {
            "file": run.evidence.path.name,
            "exchanges": run.evidence.exchanges,
            "head": run.evidence.head,
        },
        "waivers": [_waiver(run, each) for each in settings.waivers.values()],
        **_baseline(run),
        **_earlier(settings.earlier),
        "dimensions": [_dimension(row) for row in matrix.worst_first],
    }


def write(run: Run) -> None:
    """Write `readiness.json` and all that is made from it, and let `latest` point to the run."""
    text = json.dumps(record(run), ensure_ascii=False, indent=2)
    clean = run.settings.secrets.redact(text)
    (run.folder / RECORD).write_text(f"{clean}\n", "utf-8", "backslashreplace")
    surfaces.write(json.loads(clean), run.folder, run.folder)
    run_folder.write(run.folder)
    latest = run.folder.parent / "latest"
    fresh = run.folder.parent / f".latest-{run.folder.name}"
    fresh.symlink_to(run.folder.name, target_is_directory=True)
    fresh.replace(latest)


def _machine(given: Given) -> dict[str, str]:
    """What the model is said to run on, and as what."""
    return {
        "hardware": given.hardware.name if given.hardware else "",
        "quantization": given.dossier.quantization if given.dossier else "",
        "metrics": given.metrics.url if given.metrics else "",
    }


def _client(fleet: LoadWorkerSettings | None) -> dict[str, Any]:
    """What the endpoint was tried from: its own times are in all that is measured there."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "python": platform.python_version(),
        "load_workers": fleet.workers if fleet else 0,
        "cluster": fleet.address if fleet else "",
    }


def _waiver(run: Run, waiver: Waiver) -> dict[str, Any]:
    """A waiver, beside the verdict that was measured; none where the check has no result."""
    found = {result.check.id: result.verdict for result in run.results}
    said = {**asdict(waiver), "expiry": waiver.expiry.isoformat()}
    return {**said, "verdict": found.get(waiver.check, Verdict.NOT_ASSESSED)}


def _bill(run: Run) -> dict[str, Any]:
    prices = run.settings.policy.prices
    return {"bill": {"amount": run.bill, "currency": prices.currency}} if prices else {}


def _baseline(run: Run) -> dict[str, Any]:
    return {"baseline": upgrade.section(run.comparison)} if run.comparison else {}


def _earlier(runs: Sequence[FinishedRun]) -> dict[str, Any]:
    """The runs whose trials were added, with the ends of their evidence."""
    told = [
        {
            "run": each.evidence.parent.name,
            "started": each.evidence_header["started"],
            "seed": each.evidence_header["seed"],
            "head": each.head,
        }
        for each in runs
    ]
    return {"earlier": told} if told else {}


def _dimension(row: DimensionRow) -> dict[str, Any]:
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
            {"kind": each.kind, "reason": each.shown, "count": each.count}
            for each in result.reasons
        ],
        "slices": result.slices,
        **labelled(result),
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


def labelled(result: Result) -> dict[str, Any]:
    """The trials of a check that no rule could settle, and those met in the reasoning."""
    return {
        "settled": [
            {"probe": each.probe, "by": each.score.settled_by}
            for each in result.counted
            if each.score.settled_by
        ],
        "met_in_reasoning": [each.probe for each in result.counted if each.score.met_in_reasoning],
    }


def measures(result: Result) -> list[dict[str, Any]]:
    """What the trials of a check have measured."""
    return [
        {
            "probe": trial.probe,
            "name": measure.name,
            "value": float(measure.value),  # A truth value is no number to JSON.
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
        for trial in found[:MOST_LISTED]
    ]
