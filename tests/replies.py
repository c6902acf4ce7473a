"""Replies to score, and the mutants that each check detects."""

from __future__ import annotations

from collections.abc import Sequence

from readiness.check import ALPHA, Check
from readiness.mutants.flaw import Flaw
from readiness.probe import Probe
from readiness.reply import Reply, Timing
from readiness.verdict.claim import Claim, Verdict
from readiness.verdict.result import Result, Trial
from tests.reference_in_process import probes_of, scores


def reply(text: str, finish: str = "stop", **other: object) -> Reply:
    made = Reply(text, text, "", (), "", finish, None, (), (), {}, Timing(0, 0, 0, 0))
    return Reply(**{**vars(made), **other})


def verdict(check: Check, flaw: Flaw, margin: float, probes: Sequence[Probe] = ()) -> Verdict:
    """What a run of the profile ci says of a check, at an endpoint with a flaw."""
    probes = probes or probes_of(check, 0, check.trials)
    tried = zip(probes, scores(check, probes, flaw), strict=True)
    trials = [Trial.of(probe, 0, score) for probe, score in tried]
    return Result(check, Claim(check.required, margin, ALPHA, check.trials), trials).verdict
