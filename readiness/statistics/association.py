"""Where failures gather: the labels, or the stretch of places, whose failures cannot be chance."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import combinations, combinations_with_replacement, count
from math import comb

ALPHA = 0.05
NONE, ANY = "none", "any"

Label = tuple[str, str]


@dataclass(frozen=True)
class LabelledTrial:
    """A trial as it is looked at for where failures gather.

    Args:
        labels: What it is counted under.
        failed: Whether it failed.
        cluster: What it shares its luck with; "" where that is its own.
        places: Where it stands on a scale, as in `{"turns back": 45}`.
    """

    labels: Mapping[str, str]
    failed: bool
    cluster: str = ""
    places: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Association:
    """Labels, or a stretch of places, with which trials fail more often than chance would have it.

    Args:
        labels: The labels, each with its value, or with all values but the plain one.
        failed: How many trials failed that have them.
        trials: How many trials have them.
        failed_elsewhere: How many of the other trials failed.
        trials_elsewhere: How many other trials there are.
        chance: How likely chance alone shows as much, anywhere among all that is looked at.
        independent: How many of the trials that have them share no luck with each other.
    """

    labels: tuple[Label, ...]
    failed: int
    trials: int
    failed_elsewhere: int
    trials_elsewhere: int
    chance: float
    independent: int

    def __str__(self) -> str:
        here = f"{self.failed} of {self.trials}"
        return (
            f"fails with {self.said}: {here}; "
            f"elsewhere {self.failed_elsewhere} of {self.trials_elsewhere}"
        )

    @property
    def said(self) -> str:
        """The labels in words."""
        return " and ".join(f"{label} ({value})" for label, value in self.labels)


def worst_association(
    trials: Sequence[LabelledTrial], plain: Mapping[str, str], alpha: float = ALPHA
) -> Association | None:
    """What explains failures best; None where chance may explain them all."""
    return next(iter(associations(trials, plain, alpha)), None)


def associations(
    trials: Sequence[LabelledTrial], plain: Mapping[str, str], alpha: float = ALPHA
) -> list[Association]:
    """All labels, pairs of labels and stretches of places whose failures chance does not explain.

    The likeliest to be no chance comes first, and a single label before a pair.

    Fisher's exact test of each, corrected for their number as Tarone (1990) does: what is too rare
    to be significant whatever had come of it is not counted. Stretches of all lengths make a scan
    statistic (Naus 1965), corrected in the same way.

    Args:
        trials: The trials.
        plain: The value of a label that stands for nothing special; all others count as one, too.
        alpha: The risk of naming any where failures are chance.
    """
    counts = _Counts(trials)
    found = dict(_candidates(trials, plain))
    tables = [counts.table(having) for having in found]
    least = [fisher(min(of, lost), of, lost, total) for _, of, lost, total in tables]
    tests = _testable(least, alpha)
    tried = sorted(
        (fisher(*table), len(labels), having)
        for table, (having, labels) in zip(tables, found.items(), strict=True)
    )
    return [
        counts.association(having, found[having], chance * tests)
        for chance, _, having in tried
        if chance * tests <= alpha
    ]


class _Counts:
    """Counts of trials that are the bits of a number, some of which share their luck."""

    def __init__(self, trials: Sequence[LabelledTrial]) -> None:
        self._total = len(trials)
        self._failures = sum(1 << at for at, each in enumerate(trials) if each.failed)
        clusters: dict[str, int] = {}
        for at, each in enumerate(trials):
            # A trial without a cluster is its own.
            name = each.cluster or f"\0{at}"
            clusters[name] = clusters.get(name, 0) | 1 << at
        self._clusters = [*clusters.values()]
        self._broken = [each & self._failures for each in self._clusters if each & self._failures]

    @cached_property
    def _shared(self) -> list[int]:
        return [each for each in self._clusters if each.bit_count() > 1]

    def table(self, having: int) -> tuple[int, int, int, int]:
        """What failed of the trials in question, these, what failed of all, and all.

        Where they are whole clusters, a cluster counts once. Where they are of many, their failures
        count once for each cluster, as if the others there had passed.
        """
        failed = sum(1 for each in self._broken if each & having)
        if all(each & having in (0, each) for each in self._shared):
            return failed, self.independent(having), len(self._broken), len(self._clusters)
        return failed, having.bit_count(), self._failures.bit_count(), self._total

    def independent(self, having: int) -> int:
        """How many clusters the trials are of."""
        return sum(1 for each in self._clusters if each & having)

    def association(self, having: int, labels: tuple[Label, ...], chance: float) -> Association:
        """What is found of the trials in question."""
        failed, trials = (having & self._failures).bit_count(), having.bit_count()
        elsewhere = self._failures.bit_count() - failed, self._total - trials
        return Association(labels, failed, trials, *elsewhere, chance, self.independent(having))


@lru_cache(maxsize=4096)
def fisher(failed: int, trials: int, all_failed: int, all_trials: int) -> float:
    """The chance that so many or more of some trials fail, given how many of all do (Fisher 1922).

    Args:
        failed: How many of the trials in question failed.
        trials: How many these are.
        all_failed: How many of all trials failed.
        all_trials: How many there are.
    """
    passed = all_trials - all_failed
    ways = (
        comb(all_failed, each) * comb(passed, trials - each)
        for each in range(failed, min(trials, all_failed) + 1)
        if trials - each <= passed
    )
    return sum(ways) / comb(all_trials, trials)


def _testable(least: Sequence[float], alpha: float) -> int:
    """By how many tests to correct: by those that could be significant if so many were counted."""
    ordered = sorted(least)
    return next(k for k in count(1) if bisect_right(ordered, alpha / k) <= k)


def _candidates(
    trials: Sequence[LabelledTrial], plain: Mapping[str, str]
) -> Iterator[tuple[int, tuple[Label, ...]]]:
    """Each stretch, pair and label, with the trials that have it as the bits of a number.

    Of those that the same trials have, the last is a single label.
    """
    yield from _stretches(trials)
    having: dict[Label, int] = {}
    for at, each in enumerate(trials):
        for label, value in each.labels.items():
            usual = plain.get(label, value)
            others = ANY if usual == NONE else f"not {usual}"
            for counted in [value] if value == usual else [value, others]:
                having[label, counted] = having.get((label, counted), 0) | 1 << at
    # Of a value and of any, where the same trials have them, the value comes last.
    names = [*reversed(having)]
    for one, other in combinations(names, 2):
        yield having[one] & having[other], (other, one)
    for one in names:
        yield having[one], (one,)


def _stretches(trials: Sequence[LabelledTrial]) -> Iterator[tuple[int, tuple[Label, ...]]]:
    """Every stretch of every scale."""
    for scale in {name: None for each in trials for name in each.places}:
        at: dict[int, int] = {}
        for number, each in enumerate(trials):
            if scale in each.places:
                place = each.places[scale]
                at[place] = at.get(place, 0) | 1 << number
        ordered = sorted(at)
        for first, last in combinations_with_replacement(range(len(ordered)), 2):
            low, high = ordered[first], ordered[last]
            having = sum(at[each] for each in ordered[first : last + 1])
            yield having, ((scale, f"{low}-{high}" if high > low else f"{low}"),)
