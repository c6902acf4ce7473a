"""The record of a run: `readiness.json`, from which every other surface can be made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from readiness import statistics
from readiness.gate import EXIT_STATUS
from readiness.given import Given
from readiness.matrix import Row
from readiness.result import Result
from readiness.run import Run, harness

SCHEMA = "readiness/1"
MOST_LISTED = 20  # Trials that are listed one by one; the evidence has them all.


def record(run: Run) -> dict[str, Any]:
    """What a run has shown, as JSON."""
    settings, matrix = run.settings, run.matrix
    return {
        "schema": SCHEMA,
        "verdict": matrix.verdict,
        "score": matrix.score,
        "exit_status": EXIT_STATUS[matrix.verdict],
        "problem": run.problem,
        "profile": settings.profile,
        "seed": settings.seed,
        "concurrency": settings.concurrency,
        "target": {"endpoint": settings.where.url, "model": run.model, **_target(run)},
        "machine": _machine(settings.given),
        "harness": harness(settings.policy),
        "license_evidence": settings.given.digests,
        "started": _utc(run.started),
        "finished": _utc(datetime.now(UTC)),
        "requests": {
            "sent": run.ledger.sent,
            "retried": run.ledger.retried,
            "failed": run.ledger.failed,
        },
        "tokens": {
            "prompt": run.ledger.prompt_tokens,
            "completion": run.ledger.completion_tokens,
        },
        "evidence": {
            "file": run.evidence.path.name,
            "exchanges": run.evidence.exchanges,
            "head": run.evidence.head,
        },
        "dimensions": [_dimension(row) for row in matrix.worst_first],
    }


def write(run: Run) -> None:
    """Write `readiness.json`, and let `latest` point to the run."""
    text = json.dumps(record(run), ensure_ascii=False, indent=2)
    clean = run.settings.secrets.redact(text)
    path = run.folder / "readiness.json"
    path.write_text(f"{clean}\n", "utf-8", "backslashreplace")
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


def _target(run: Run) -> dict[str, Any]:
    found = run.capabilities
    if found is None:
        return {}
    return {
        "server": found.server,
        "window": found.window,
        "reasoning": found.reasoning,
        "budget_parameter": found.dialect.budget,
        "sampling": dict(found.dialect.sampling),
        "lacking": dict(found.lacking),
    }


def _dimension(row: Row) -> dict[str, Any]:
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
        "passed": result.passed,
        "low": low,
        "high": high,
        "at_least": result.shown,
        "required": claim.required,
        "margin": claim.margin,
        "alpha": claim.alpha,
        "more_needed": statistics.more_needed(
            result.passed, trials, claim.required, claim.margin, claim.alpha
        ),
        "verdict": result.verdict,
        "score": result.score,
        "outcomes": {outcome.value: count for outcome, count in result.outcomes.items()},
        "reasons": [{"reason": reason, "count": count} for reason, count in result.reasons],
        "slices": result.slices,
        "measures": _measures(result),
        "doubts": result.doubts,
        "controls": _controls(result),
        "not_passed": _listed(result),
    }


def _controls(result: Result) -> Mapping[str, int]:
    controls = [trial for trial in result.trials if trial.control]
    return {"trials": len(controls), "passed": sum(each.score.passed for each in controls)}


def _measures(result: Result) -> list[dict[str, Any]]:
    return [
        {
            "probe": trial.probe,
            "name": measure.name,
            "value": measure.value,
            "unit": measure.unit,
            "at": dict(measure.at),
        }
        for trial in result.counted
        for measure in trial.score.measures
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


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
