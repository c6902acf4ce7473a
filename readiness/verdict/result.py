"""A result: one check's trials, alone or pooled over runs, their statistics and their verdict."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from statistics import median
from typing import Self

from readiness.check import Check
from readiness.probe import Probe
from readiness.reply import Reply
from readiness.score import UNSETTLED, Measure, Outcome, Score
from readiness.statistics import proportions
from readiness.verdict.claim import Claim, Tally, Verdict, judge, score
from readiness.verdict.sequential import judge_anytime


@dataclass(frozen=True)
class PooledRuns:
    """The trials of a check in several runs of the same build.

    Args:
        claim: What they have to show.
        tally: The trials of all the runs, by the probes that they have in common.
        runs: How many runs they are of.
        failures: How many trials of a rule have failed in the earlier ones.
    """

    claim: Claim
    tally: Tally
    runs: int
    failures: int = 0

    @cached_property
    def verdict(self) -> Verdict:
        """What they show, however often one looks: what one run shows, at the same risk.

        What says nothing is taken as would hinder the verdict most. Topics that come again in other
        words are no new topics, so that trials of the same name count as a cluster.
        """
        claim, tally = self.claim, self.tally
        if claim.required == 1:
            return Verdict.INCONCLUSIVE  # A rule is judged by the count of one run.
        effect, trials = tally.design_effect, tally.planned
        worst, best = tally.passed / effect, (trials - tally.failed) / effect
        below = judge_anytime(best, trials / effect, claim.required, claim.alpha)
        if below is Verdict.NOT_READY:
            return Verdict.NOT_READY
        above = judge_anytime(worst, trials / effect, claim.at_least, claim.alpha)
        met = tally.passed / trials >= claim.required and not claim.defects_only
        return Verdict.READY if met and above is Verdict.READY else Verdict.INCONCLUSIVE

    @property
    def doubt(self) -> str:
        """Why a rule that one run has kept is not shown to hold; "" where there is no reason."""
        return (
            f"{self.failures} trials failed in earlier runs of this build" if self.failures else ""
        )

    def __str__(self) -> str:
        return f"{self.tally.passed} of {self.tally.planned} trials in {self.runs} runs"


#: Below this many, the 99th percentile is the highest of them by another name.
ENOUGH = 100


@dataclass(frozen=True)
class DurationSummary:
    """What several trials took under the same conditions.

    Args:
        name: What was measured.
        at: The conditions.
        seconds: The times, the shortest first.
    """

    name: str
    at: Mapping[str, float | str]
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """What half of the trials stayed below."""
        return median(self.seconds)

    @property
    def tail(self) -> str:
        """What the high figure is: a percentile only where there are trials enough for it."""
        trials = len(self.seconds)
        return "P99" if trials >= ENOUGH else f"max of {trials}"

    @property
    def high(self) -> float:
        """The 99th percentile, by nearest rank, which is the highest of fewer than a hundred."""
        return self.seconds[ceil(0.99 * len(self.seconds)) - 1]


def times(measures: Iterable[Measure]) -> list[DurationSummary]:
    """Sum up what was measured in seconds, but for what sums up already."""
    found: dict[tuple[str, tuple[tuple[str, float | str], ...]], list[float]] = {}
    for each in measures:
        if each.unit == "s" and each.of == 1:
            found.setdefault((each.name, tuple(sorted(each.at.items()))), []).append(each.value)
    return [
        DurationSummary(name, dict(at), tuple(sorted(taken))) for (name, at), taken in found.items()
    ]


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
        reply_digest: A digest of what the endpoint said; "" where it said nothing.
        expected_digest: A digest of what the probe expects.
    """

    probe: str
    number: int
    score: Score
    exchanges: tuple[int, ...] = ()
    slices: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    control: bool = False
    reply_digest: str = ""
    expected_digest: str = ""

    @classmethod
    def of(
        cls, probe: Probe, number: int, score: Score, exchanges: Iterable[int] = (), said: str = ""
    ) -> Self:
        """Put together what is known of a trial."""
        return cls(
            probe=probe.id,
            number=number,
            score=score,
            exchanges=tuple(exchanges),
            slices=probe.slices,
            cluster=probe.cluster,
            control=probe.control,
            reply_digest=said,
            expected_digest=digest(probe.expect),
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why trials did not pass: all of one kind.

    Args:
        kind: What they have in common.
        example: The most frequent of them, as it was given.
        count: How many trials.
        different: How many different reasons.
    """

    kind: str
    example: str
    count: int
    different: int

    @property
    def shown(self) -> str:
        """The reason itself, or what its kind is and one of it."""
        if self.different == 1:
            return self.example
        return f"{self.kind} ({self.different} different), as in: {self.example}"


@dataclass(frozen=True)
class Result:
    """One check, what it claims, and all of its trials.

    Args:
        check: The check.
        claim: What it claims.
        trials: All of them, made or not.
        decided: What a sequential test made of them; None where they are judged by their count.
        pooled: What they show with earlier runs of the same build; None where none add to them.
    """

    check: Check
    claim: Claim
    trials: Sequence[Trial]
    decided: Verdict | None = None
    pooled: PooledRuns | None = None

    @cached_property
    def counted(self) -> list[Trial]:
        """The trials that count: all but the control items."""
        return [trial for trial in self.trials if not trial.control]

    @cached_property
    def executed(self) -> int:
        """How many of them were made, or were to be made had nothing come between."""
        return sum(trial.score.made for trial in self.counted)

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
            return tally_of(trial.score.outcome for trial in self.counted)
        shared: dict[str, list[Outcome]] = {}
        for place, trial in enumerate(self.counted):
            # A trial that shares nothing is a cluster of its own.
            shared.setdefault(trial.cluster or f"\0{place}", []).append(trial.score.outcome)
        return Tally.of(map(tally_of, shared.values()))

    @property
    def interval(self) -> proportions.Interval:
        """The rates that the trials made are compatible with (Wilson, two-sided 95 %)."""
        effect = self.tally.design_effect
        return proportions.wilson(self.passed / effect, self.executed / effect)

    @property
    def rate_lower_bound(self) -> float:
        """The rate that the trials show at the least (exact, one-sided)."""
        effect = self.tally.design_effect
        passed, trials = self.passed / effect, len(self.counted) / effect
        return proportions.lower(passed, trials, self.claim.alpha)

    @property
    def doubts(self) -> list[str]:
        """Why trials that passed may still show nothing."""
        failing: dict[str, list[str]] = {}
        for trial in self.trials:
            if trial.control and not trial.score.passed:
                failing.setdefault(trial.score.reason, []).append(trial.probe)
        doubts = [f"control item {', '.join(names)}: {why}" for why, names in failing.items()]
        said = [trial.reply_digest for trial in self.counted if trial.reply_digest]
        wanted = {trial.expected_digest for trial in self.counted if trial.reply_digest}
        if len(wanted) >= FEWEST_TO_COMPARE and len(said) > 1 and len(set(said)) == 1:
            doubts.append(f"the same reply to probes that expect {len(wanted)} different ones")
        if self.pooled and self.pooled.doubt:
            doubts.append(self.pooled.doubt)
        return doubts

    @property
    def verdict(self) -> Verdict:
        """What these trials show about the requirement."""
        if self.counted and self.outcomes[Outcome.UNSUPPORTED] == len(self.counted):
            accepted = self.claim.unsupported == "accepted"
            return Verdict.NOT_ASSESSED if accepted else Verdict.NOT_READY
        verdict = self.decided or judge(self.tally, self.claim)
        if verdict is Verdict.INCONCLUSIVE and self.pooled:
            verdict = self.pooled.verdict
        return Verdict.INCONCLUSIVE if verdict is Verdict.READY and self.doubts else verdict

    @property
    def met(self) -> float:
        """How much of the required rate is met, from 0 to 1."""
        rate = self.passed / self.executed if self.executed else 0.0
        return min(1.0, rate / self.claim.required)

    @property
    def score(self) -> int:
        """0 to 100: how much of the requirement is met, within what the verdict allows."""
        return score(self.verdict, self.met)

    @property
    def times(self) -> list[DurationSummary]:
        """What the trials took, where they have measured it."""
        return times(each for trial in self.counted for each in trial.score.measures)

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
    def reasons(self) -> list[Reason]:
        """Why trials did not pass, the most frequent kind first."""
        kinds: dict[str, Counter[str]] = {}
        for trial in self.counted:
            if trial.score.made and not trial.score.passed:
                kinds.setdefault(_kind(trial.score), Counter())[_reason(trial.score)] += 1
        found = [
            Reason(kind, reasons.most_common(1)[0][0], reasons.total(), len(reasons))
            for kind, reasons in kinds.items()
        ]
        return sorted(found, key=lambda each: -each.count)


def _reason(score: Score) -> str:
    return score.reason if score.outcome is Outcome.FAIL else f"{score.outcome}: {score.reason}"


def _kind(score: Score) -> str:
    kind = score.kind or score.reason
    return kind if score.outcome is Outcome.FAIL else f"{score.outcome}: {kind}"


def tally_of(outcomes: Iterable[Outcome]) -> Tally:
    """The outcomes of trials as a verdict needs them."""
    counts = Counter(outcomes)
    passed, unsettled = counts[Outcome.PASS], sum(counts[each] for each in UNSETTLED)
    return Tally(passed, counts.total() - passed - unsettled, unsettled)


def replies_digest(replies: Iterable[Reply]) -> str:
    """A digest of all that an endpoint said in a trial; "" where it said nothing."""
    return digest([(each.content, each.tool_calls) for each in replies])


def digest(value: object) -> str:
    """A short digest of what was said or expected; "" of nothing."""
    if not value:
        return ""
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
