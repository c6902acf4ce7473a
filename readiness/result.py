"""A result: one check's trials, and what they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from readiness import statistics
from readiness.check import Check
from readiness.score import UNSETTLED, Outcome, Score
from readiness.verdict import Claim, Tally, Verdict, judge, score

# Replies to fewer may well be the same by chance, as short answers are.
FEWEST_TO_COMPARE = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """A probe, tried once.

    Args:
        probe: The probe's id.
        number: How often the check had tried this probe before, from 0.
        score: The outcome, and why.
        exchanges: The numbers, in the evidence, of the exchanges that it took.
        slices: What the record counts it under, apart from its check.
        cluster: What it shares with other trials; "" where nothing.
        control: Whether it guards the check instead of counting.
        said: A digest of what the endpoint said; "" where it said nothing.
        wanted: A digest of what the probe expects.
    """

    probe: str
    number: int
    score: Score
    exchanges: tuple[int, ...] = ()
    slices: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    control: bool = False
    said: str = ""
    wanted: str = ""


@dataclass(frozen=True)
class Result:
    """One check, what it claims, and all of its trials."""

    check: Check
    claim: Claim
    trials: Sequence[Trial]

    @cached_property
    def counted(self) -> list[Trial]:
        """The trials that count: all but the control items."""
        return [trial for trial in self.trials if not trial.control]

    @cached_property
    def outcomes(self) -> Counter[Outcome]:
        """How many trials ended in which way."""
        return Counter(trial.score.outcome for trial in self.counted)

    @property
    def passed(self) -> int:
        """How many trials passed."""
        return self.outcomes[Outcome.PASS]

    @property
    def tally(self) -> Tally:
        """The outcomes as a verdict needs them: the denominator is every trial planned."""
        if not any(trial.cluster for trial in self.counted):
            return _tally(self.counted)
        shared: dict[str, list[Trial]] = {}
        for place, trial in enumerate(self.counted):
            # A trial that shares nothing is a cluster of its own.
            shared.setdefault(trial.cluster or f"\0{place}", []).append(trial)
        return Tally.of(_tally(trials) for trials in shared.values())

    @property
    def interval(self) -> statistics.Interval:
        """The rates that the trials are compatible with (Wilson, two-sided 95 %)."""
        effect = self.tally.design_effect
        return statistics.wilson(self.passed / effect, len(self.counted) / effect)

    @property
    def shown(self) -> float:
        """The rate that the trials show at the least (exact, one-sided)."""
        effect = self.tally.design_effect
        passed, trials = self.passed / effect, len(self.counted) / effect
        return statistics.lower(passed, trials, self.claim.alpha)

    @property
    def doubts(self) -> list[str]:
        """Why trials that passed may still show nothing."""
        failing = [trial for trial in self.trials if trial.control and not trial.score.passed]
        doubts = [f"control item {each.probe}: {each.score.reason}" for each in failing]
        said = [trial.said for trial in self.counted if trial.said]
        wanted = {trial.wanted for trial in self.counted}
        if len(wanted) >= FEWEST_TO_COMPARE and len(said) > 1 and len(set(said)) == 1:
            doubts.append(f"the same reply to probes that expect {len(wanted)} different ones")
        return doubts

    @property
    def verdict(self) -> Verdict:
        """What these trials show about the requirement."""
        if self.counted and self.outcomes[Outcome.UNSUPPORTED] == len(self.counted):
            accepted = self.claim.unsupported == "accepted"
            return Verdict.NOT_ASSESSED if accepted else Verdict.NOT_READY
        verdict = judge(self.tally, self.claim)
        return Verdict.INCONCLUSIVE if verdict is Verdict.READY and self.doubts else verdict

    @property
    def met(self) -> float:
        """How much of the required rate is met, from 0 to 1."""
        rate = self.passed / len(self.counted) if self.counted else 0.0
        return min(1.0, rate / self.claim.required)

    @property
    def score(self) -> int:
        """0 to 100: how much of the requirement is met, within what the verdict allows."""
        return score(self.verdict, self.met)

    @property
    def slices(self) -> dict[str, dict[str, Counter[str]]]:
        """How many trials were made and passed under each label: `slices["family"]["F1"]`."""
        slices: dict[str, dict[str, Counter[str]]] = {}
        for trial in self.counted:
            for label, value in trial.slices.items():
                count = slices.setdefault(label, {}).setdefault(value, Counter())
                count.update(trials=1, passed=int(trial.score.passed))
        return slices

    @property
    def reasons(self) -> list[tuple[str, int]]:
        """Why trials did not pass, the most frequent first."""
        reasons = Counter(
            f"{trial.score.outcome}: {trial.score.reason}"
            if trial.score.outcome is not Outcome.FAIL
            else trial.score.reason
            for trial in self.counted
            if not trial.score.passed
        )
        return reasons.most_common()


def _tally(trials: Sequence[Trial]) -> Tally:
    passed = sum(trial.score.passed for trial in trials)
    unsettled = sum(trial.score.outcome in UNSETTLED for trial in trials)
    return Tally(passed, len(trials) - passed - unsettled, unsettled)
