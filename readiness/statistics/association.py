"""Where failures gather: the label, or the pair of labels, whose failures cannot be chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

ALPHA = 0.05
NONE, ANY = "none", "any"

Label = tuple[str, str]


@dataclass(frozen=True)
class Association:
    """A label, or a pair of them, with which trials fail more often than chance would have it.

    Args:
        labels: The labels, each with its value, or with all values but the plain one.
        failed: How many trials failed that have them.
        trials: How many trials have them.
        failed_elsewhere: How many of the other trials failed.
        trials_elsewhere: How many other trials there are.
        chance: How likely chance alone shows as much, anywhere among the labels looked at.
    """

    labels: tuple[Label, ...]
    failed: int
    trials: int
    failed_elsewhere: int
    trials_elsewhere: int
    chance: float

    def __str__(self) -> str:
        said = " and ".join(f"{label} ({value})" for label, value in self.labels)
        here = f"{self.failed} of {self.trials}"
        return (
            f"fails with {said}: {here}; "
            f"elsewhere {self.failed_elsewhere} of {self.trials_elsewhere}"
        )


def worst_association(
    trials: Sequence[tuple[Mapping[str, str], bool]],
    plain: Mapping[str, str],
    alpha: float = ALPHA,
) -> Association | None:
    """The label or pair that explains failures best; None where chance may explain them all.

    Fisher's exact test of each, corrected for their number as Tarone (1990) does: what is too rare
    to be significant whatever had come of it is not counted.

    Args:
        trials: The labels of each trial, and whether it failed.
        plain: The value of a label that stands for nothing special; all others count as one, too.
        alpha: The risk of naming any where failures are chance.
    """
    total = len(trials)
    failures = sum(1 << at for at, (_, failed) in enumerate(trials) if failed)
    count = failures.bit_count()
    found = {
        having: labels
        for having, labels in _candidates([labels for labels, _ in trials], plain)
        if 0 < having.bit_count() < total
    }
    sizes = [having.bit_count() for having in found]
    tests = _testable([fisher(min(each, count), each, count, total) for each in sizes], alpha)
    tried = [
        (fisher((having & failures).bit_count(), having.bit_count(), count, total), having)
        for having in found
    ]
    chance, having = min(tried, key=lambda each: (each[0], len(found[each[1]])), default=(1.0, 0))
    if chance * tests > alpha:
        return None
    failed, size = (having & failures).bit_count(), having.bit_count()
    elsewhere = count - failed, total - size
    return Association(found[having], failed, size, *elsewhere, chance * tests)


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
    numbers = range(1, len(least) + 1)
    return next((k for k in numbers if sum(p * k <= alpha for p in least) <= k), 1)


def _candidates(
    labels: Sequence[Mapping[str, str]], plain: Mapping[str, str]
) -> Iterator[tuple[int, tuple[Label, ...]]]:
    """Each pair and each label, with the trials that have it as the bits of a number.

    Of those that the same trials have, the last is a single label.
    """
    having: dict[Label, int] = {}
    for at, each in enumerate(labels):
        for label, value in each.items():
            usual = plain.get(label, value)
            others = ANY if usual == NONE else f"not {usual}"
            for counted in [value] if value == usual else [value, others]:
                having[label, counted] = having.get((label, counted), 0) | 1 << at
    # Of a value and of any, where the same trials have them, the value comes last.
    names = [*reversed(having)]
    for one, other in combinations(names, 2):
        if one[0] != other[0]:
            yield having[one] & having[other], (other, one)
    for one in names:
        yield having[one], (one,)
