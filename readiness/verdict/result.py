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
from readiness.forms.factors import PLAIN, Form
from readiness.probe import Probe
from readiness.reply import Reply
from readiness.score import UNSETTLED, Measure, Outcome, Score
from readiness.statistics import proportions
from readiness.statistics.association import (
    Association,
    LabelledTrial,
    associations,
    worst_association,
)
from readiness.verdict.claim import Claim, Tally, Unsupported, Verdict, judge, score
from readiness.verdict.sequential import judge_anytime


@dataclass(frozen=True)
class PooledRuns:
    """The pooled trials of a check in several runs of the same build.

    Args:
        claim: What they must show.
        tally: The trials of all runs, clustered by probe.
        runs: The number of runs.
        failures: The number of failed trials in earlier runs, for a zero-defect rule.
        binding: Whether their verdict also holds where this run alone is ready: another was not.
    """

    claim: Claim
    tally: Tally
    runs: int
    failures: int = 0
    binding: bool = False

    @cached_property
    def verdict(self) -> Verdict:
        """The verdict of the pooled trials, valid at risk `alpha` after any number of runs.

        Unsettled trials count against the verdict. Trials of the same probe id are one cluster: a
        topic in other words is not a new topic.
        """
        claim, tally = self.claim, self.tally
        # A zero-defect rule is judged by the count of one run.
        if claim.required == 1 or not tally.planned:
            return Verdict.INCONCLUSIVE
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
        """Why what this run alone has shown is in doubt, or an empty string."""
        if self.failures == 1:
            return "1 trial failed in earlier runs of this build"
        if self.failures:
            return f"{self.failures} trials failed in earlier runs of this build"
        if self.binding and not self.tally.planned:
            return "an earlier run of this build was not ready, and cannot be pooled with this one"
        return ""

    def __str__(self) -> str:
        return f"{self.tally.passed} of {self.tally.planned} trials in {self.runs} runs"


#: With fewer trials, the 99th percentile equals the maximum.
MIN_FOR_P99 = 100


@dataclass(frozen=True)
class DurationSummary:
    """The durations of several trials under the same conditions.

    Args:
        name: The name of the measure.
        at: The conditions.
        seconds: The durations, in ascending order.
    """

    name: str
    at: Mapping[str, float | str]
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median duration in seconds."""
        return median(self.seconds)

    @property
    def tail(self) -> str:
        """The name of the high figure: "P99" with at least 100 trials, else the maximum of them."""
        trials = len(self.seconds)
        return "P99" if trials >= MIN_FOR_P99 else f"max of {trials}"

    @property
    def high(self) -> float:
        """The 99th percentile by nearest rank, which is the maximum of fewer than 100 values."""
        return self.seconds[ceil(0.99 * len(self.seconds)) - 1]


def times(measures: Iterable[Measure]) -> list[DurationSummary]:
    """Summarise the measures in seconds, except those that are summaries themselves."""
    found: dict[tuple[str, tuple[tuple[str, float | str], ...]], list[float]] = {}
    for each in measures:
        if each.unit == "s" and each.of == 1:
            found.setdefault((each.name, tuple(sorted(each.at.items()))), []).append(each.value)
    return [
        DurationSummary(name, dict(at), tuple(sorted(taken))) for (name, at), taken in found.items()
    ]


PLAIN_LABELS = {factor.value: level for factor, level in PLAIN.items()}
#: The risk, for each check, of saying that failures gather where they are chance. That of a run, of
#: which twenty checks have a rate, is simulated (docs/validation.md): it is below 0.05.
GATHERING_ALPHA = 0.005
#: Where fewer pass, a requirement fails there.
HALF = 0.5
#: The verdicts that failures which gather turn into another.
OPEN = (Verdict.READY, Verdict.INCONCLUSIVE)

# With fewer different expectations, equal short replies may be a coincidence.
MIN_EXPECTATIONS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """A probe, tried once.

    Args:
        probe: The probe's id.
        number: The index of the trial within the check, from 0.
        score: The outcome, and why.
        exchanges: The numbers of its exchanges in the evidence.
        slices: The slices in which the record counts it.
        places: Where it stands on a scale, along which failures may gather.
        cluster: What it shares with other trials; "" for nothing.
        control: Whether it is a control, which is not counted.
        reply_digest: The digest of the endpoint's replies; "" where there were none.
        expected_digest: The digest of the probe's expectations.
        fallback: Whether it was made without what the endpoint declined of the probe's form.
    """

    probe: str
    number: int
    score: Score
    exchanges: tuple[int, ...] = ()
    slices: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    cluster: str = ""
    control: bool = False
    reply_digest: str = ""
    expected_digest: str = ""
    fallback: bool = False

    @classmethod
    def of(
        cls, probe: Probe, number: int, score: Score, exchanges: Iterable[int] = (), said: str = ""
    ) -> Self:
        """The trial of a probe; `said` is the digest of the replies."""
        return cls(
            probe=probe.id,
            number=number,
            score=score,
            exchanges=tuple(exchanges),
            slices=probe.slices,
            places=probe.places,
            cluster=probe.cluster,
            control=probe.control,
            reply_digest=said,
            expected_digest=digest(probe.expect),
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """The reasons of one kind why trials did not pass.

    Args:
        kind: The kind.
        example: The most frequent reason.
        count: The number of trials.
        different: The number of distinct reasons.
    """

    kind: str
    example: str
    count: int
    different: int

    @property
    def shown(self) -> str:
        """The reason itself where there is one, or else the kind with an example."""
        if self.different == 1:
            return self.example
        return f"{self.kind} ({self.different} different), as in: {self.example}"


@dataclass(frozen=True)
class Result:
    """One check, its claim, and all of its trials.

    Args:
        check: The check.
        claim: Its claim.
        trials: All of its trials, executed or not.
        decided: The verdict of a sequential test; None where the trials are judged by count.
        pooled: The trials pooled with earlier runs of the same build; None where there are none.
    """

    check: Check
    claim: Claim
    trials: Sequence[Trial]
    decided: Verdict | None = None
    pooled: PooledRuns | None = None

    @cached_property
    def counted(self) -> list[Trial]:
        """The trials that count: all but the controls."""
        return [trial for trial in self.trials if not trial.control]

    @cached_property
    def tried(self) -> list[Trial]:
        """The counted trials that were tried: all but the skipped."""
        return [trial for trial in self.counted if trial.score.tried]

    @property
    def executed(self) -> int:
        """The number of counted trials that were tried."""
        return len(self.tried)

    @cached_property
    def outcomes(self) -> Counter[Outcome]:
        """The counted trials by outcome."""
        return Counter(trial.score.outcome for trial in self.counted)

    @property
    def only_unsupported(self) -> bool:
        """Whether all that counted trials have shown is that the feature is not supported."""
        shown = self.outcomes.keys() - UNSETTLED
        return shown == {Outcome.UNSUPPORTED}

    @property
    def passed(self) -> int:
        """The number of counted trials that passed."""
        return self.outcomes[Outcome.PASS]

    @property
    def tally(self) -> Tally:
        """The counts for the verdict; the denominator is every planned trial."""
        return _clustered(self.counted)

    @cached_property
    def _effect_of_tried(self) -> float:
        return _clustered(self.tried).design_effect

    @property
    def interval(self) -> proportions.Interval:
        """The interval of the pass rate of tried trials (Wilson, two-sided 95 %)."""
        effect = self._effect_of_tried
        return proportions.wilson(self.passed / effect, self.executed / effect)

    @property
    def rate_lower_bound(self) -> float:
        """The exact one-sided lower bound of the pass rate of tried trials (Clopper-Pearson)."""
        effect = self._effect_of_tried
        return proportions.lower(self.passed / effect, self.executed / effect, self.claim.alpha)

    @property
    def more_needed(self) -> int | None:
        """How many more trials would show the claim if all of them passed; None where none would.

        Those that are planned and were not tried are among them.
        """
        claim, left = self.claim, len(self.counted) - self.executed
        needed = proportions.more_needed(
            self.passed, self.executed, claim.required, claim.margin, claim.alpha
        )
        return None if needed is None else max(needed, left)

    @property
    def doubts(self) -> list[str]:
        """Reasons why trials that passed may show nothing; any of them prevents READY."""
        failing: dict[str, list[str]] = {}
        for trial in self.trials:
            if trial.control and not trial.score.passed:
                failing.setdefault(trial.score.reason, []).append(trial.probe)
        doubts = [f"control item {', '.join(names)}: {why}" for why, names in failing.items()]
        replies = {trial.reply_digest for trial in self.counted if trial.reply_digest}
        expected = {trial.expected_digest for trial in self.counted if trial.reply_digest}
        if len(expected) >= MIN_EXPECTATIONS and len(replies) == 1:
            doubts.append(f"the same reply to probes that expect {len(expected)} different ones")
        if self.pooled and self.pooled.doubt:
            doubts.append(self.pooled.doubt)
        if self._nowhere_passed:
            doubts.append(f"{self._nowhere_passed}, too few to show that it fails there")
        return doubts

    @property
    def verdict(self) -> Verdict:
        """The verdict that these trials support; what fails by itself hides in no rate."""
        found = self.verdict_of_all
        return Verdict.NOT_READY if found in OPEN and self.failing_alone else found

    @property
    def verdict_of_all(self) -> Verdict:
        """The verdict by how many of all trials passed, whichever these are."""
        if self.only_unsupported:
            complete = self.outcomes[Outcome.UNSUPPORTED] == len(self.counted)
            if self.claim.unsupported is Unsupported.ACCEPTED:
                # The others may be unsupported, too, or show that it is supported and fails.
                return Verdict.NOT_ASSESSED if complete else Verdict.INCONCLUSIVE
            if complete:
                return Verdict.NOT_READY
        verdict = self.decided or judge(self.tally, self.claim)
        binding = self.pooled is not None and self.pooled.binding and verdict is Verdict.READY
        if self.pooled and (binding or verdict is Verdict.INCONCLUSIVE):
            verdict = self.pooled.verdict
        return Verdict.INCONCLUSIVE if verdict is Verdict.READY and self.doubts else verdict

    @property
    def no_defect(self) -> bool:
        """Whether all trials passed, and were too few by plan to show that it is ready."""
        found = self.verdict is Verdict.INCONCLUSIVE and self.claim.defects_only
        return found and self.passed == len(self.counted) and not self.doubts

    @property
    def met(self) -> float:
        """The pass rate as a share of the required rate, at most 1."""
        rate = self.passed / self.executed if self.executed else 0.0
        return min(1.0, rate / self.claim.required)

    @property
    def score(self) -> int:
        """0 to 100: the share of the required rate, limited by the verdict."""
        return score(self.verdict, self.met)

    @property
    def times(self) -> list[DurationSummary]:
        """The summaries of the durations that the trials measured."""
        return times(each for trial in self.counted for each in trial.score.measures)

    @property
    def slices(self) -> dict[str, dict[str, Counter[str]]]:
        """The counts of tried trials and passes in each slice, as in `slices["family"]["F1"]`."""
        slices: dict[str, dict[str, Counter[str]]] = {}
        for trial in self.tried:
            for label, value in trial.slices.items():
                count = slices.setdefault(label, {}).setdefault(value, Counter())
                count.update(trials=1, passed=int(trial.score.passed))
        return slices

    @cached_property
    def worst_pair(self) -> Association | None:
        """The form, family, other label or place, alone or in a pair, whose failures gather."""
        return worst_association(self._labelled, PLAIN_LABELS)

    @cached_property
    def failing_alone(self) -> Association | None:
        """The form, family or place that fails the requirement by itself.

        Its failures cannot be chance, and its own rate is shown to be too low: in a form below the
        required one, for what stands around a request is no part of what is asked. A family or a
        place may be harder than others, and the rate allows for it, as long as half of it passes.
        """
        return next((each for each in self._gathered if self._fails_alone(each)), None)

    def _fails_alone(self, found: Association) -> bool:
        passed = (found.trials - found.failed) / found.trials * found.independent
        most = proportions.upper(passed, found.independent, self.claim.alpha)
        forms = {factor.value for factor in self.check.forms.levels} if self.check.forms else set()
        in_form = forms.issuperset(label for label, _ in found.labels)
        return most < (self.claim.required if in_form else HALF)

    @cached_property
    def _nowhere_passed(self) -> Association | None:
        """Where failures gather and nothing passes, if that is too little to fail by itself."""
        if self.failing_alone:
            return None
        return next((each for each in self._gathered if each.failed == each.trials), None)

    @property
    def gathers(self) -> bool:
        """Whether failures gather so that the check is not ready whatever its rate."""
        return bool(self.failing_alone or self._nowhere_passed)

    @cached_property
    def _gathered(self) -> list[Association]:
        """Where failures gather of a requirement that some trials may fail."""
        if self.claim.required == 1:
            return []
        return associations(self._labelled, PLAIN_LABELS, GATHERING_ALPHA)

    @cached_property
    def _labelled(self) -> list[LabelledTrial]:
        return [
            LabelledTrial(each.slices, not each.score.passed, each.cluster, each.places)
            for each in self.counted
            if each.score.outcome not in UNSETTLED
        ]

    @property
    def forms(self) -> list[Form]:
        """The forms of the trials that were tried; none where the form does not vary."""
        forms = self.check.forms
        return [forms.form_of(trial.slices) for trial in self.tried] if forms else []

    @property
    def reasons(self) -> list[Reason]:
        """Why trials did not pass: what failed, then what is open; the most frequent first."""
        kinds: dict[tuple[bool, str], Counter[str]] = {}
        for trial in self.counted:
            score = trial.score
            if score.made and not score.passed:
                kind = score.outcome in UNSETTLED, _kind(score)
                kinds.setdefault(kind, Counter())[_reason(score)] += 1
        found = sorted(kinds.items(), key=lambda each: (each[0][0], -each[1].total()))
        return [
            Reason(kind, max(reasons, key=reasons.__getitem__), reasons.total(), len(reasons))
            for (_, kind), reasons in found
        ]

    @property
    def not_passed(self) -> list[Trial]:
        """The tried trials that did not pass: the example of each reason, then the others."""
        found = [trial for trial in self.tried if not trial.score.passed]
        told = [_reason(trial.score) for trial in found]
        examples = [told.index(each.example) for each in self.reasons if each.example in told]
        return [found[at] for at in dict.fromkeys([*examples, *range(len(found))])]


def _reason(score: Score) -> str:
    return score.reason if score.outcome is Outcome.FAIL else f"{score.outcome}: {score.reason}"


def _kind(score: Score) -> str:
    kind = score.kind or score.reason
    return kind if score.outcome is Outcome.FAIL else f"{score.outcome}: {kind}"


def _clustered(trials: Sequence[Trial]) -> Tally:
    """The tally of trials, by cluster where some share one."""
    if not any(trial.cluster for trial in trials):
        return tally_of(trial.score.outcome for trial in trials)
    shared: dict[str, list[Outcome]] = {}
    for index, trial in enumerate(trials):
        # A trial without a cluster is its own.
        shared.setdefault(trial.cluster or f"\0{index}", []).append(trial.score.outcome)
    return Tally.of(map(tally_of, shared.values()))


def tally_of(outcomes: Iterable[Outcome]) -> Tally:
    """The tally of outcomes."""
    counts = Counter(outcomes)
    passed, unsettled = counts[Outcome.PASS], sum(counts[each] for each in UNSETTLED)
    return Tally(passed, counts.total() - passed - unsettled, unsettled)


def replies_digest(replies: Iterable[Reply]) -> str:
    """The digest of the endpoint's replies in a trial; "" where there were none."""
    return digest([(each.content, each.tool_calls) for each in replies])


def digest(value: object) -> str:
    """A short digest of replies or expectations; "" of an empty value."""
    if not value:
        return ""
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:16]
