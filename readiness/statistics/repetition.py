"""Tasks that are tried again and again: whether all, or any, of several tries succeed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from math import comb

#: What the record tells of: one try, a few, and a conversation's worth.
TRIES = (1, 3, 8)


def all_of(tries: int, successes: Sequence[int], trials: int) -> float:
    """The chance that so many tries of a task all succeed: pass^k (τ-bench, arXiv 2406.12045)."""
    _check(tries, successes, trials)
    return sum(comb(each, tries) for each in successes) / (comb(trials, tries) * len(successes))


def any_of(tries: int, successes: Sequence[int], trials: int) -> float:
    """The chance that one of so many tries of a task succeeds: pass@k (arXiv 2107.03374)."""
    return 1 - all_of(tries, [trials - each for each in successes], trials)


def longest_streak(outcomes: Iterable[bool]) -> int:
    """The most successes that followed one another."""
    return max((sum(1 for _ in run) for passed, run in groupby(outcomes) if passed), default=0)


def _check(tries: int, successes: Sequence[int], trials: int) -> None:
    if not (successes and 1 <= tries <= trials and all(0 <= each <= trials for each in successes)):
        raise ValueError(f"no {tries} of {trials} tries with these successes: {successes!r:.60}")
