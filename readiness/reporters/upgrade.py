"""A run beside its baseline, as the record has it."""

from __future__ import annotations

from typing import Any

from readiness.baseline.comparison import CheckComparison, RunComparison, TrialPair

MOST_LISTED = 20  # Trials that are listed one by one; the evidence has them all.


def section(found: RunComparison) -> dict[str, Any]:
    """The record's section on the baseline."""
    before = found.baseline
    return {
        "run": before.evidence.parent.name,
        "model": before.evidence_header["model"],
        "started": before.evidence_header["started"],
        "head": before.head,
        "run_verdict": before.verdict,
        "verdict": found.verdict,
        "identity": found.identity,
        "drift": [
            {"what": each.what, "before": each.before, "now": each.now} for each in found.drift
        ],
        "unpaired": found.unpaired,
        "agree": found.agree,
        "pairs": found.pairs,
        **_noise(found),
        "checks": [_check(found, each) for each in found.checks if each.pairs],
    }


def _noise(found: RunComparison) -> dict[str, Any]:
    """What the baseline, asked again, has answered otherwise; nothing where it was not."""
    differ, trials = found.baseline.repeat_disagreement
    return {"noise": {"trials": trials, "differ": differ}} if trials else {}


def _check(found: RunComparison, compared: CheckComparison) -> dict[str, Any]:
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
        "slower": compared in found.slower,
        "items": [_item(pair) for pair in compared.lost[:MOST_LISTED]],
    }


def _item(pair: TrialPair) -> dict[str, Any]:
    return {
        "probe": pair.trial.probe,
        "outcome": pair.trial.score.outcome,
        "reason": pair.trial.score.reason,
        "exchanges": list(pair.trial.exchanges),
        "baseline_exchanges": list(pair.baseline_trial.exchanges),
    }
