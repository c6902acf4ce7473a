"""Changes between finished runs of the same probes, check by check, offline."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from readiness.baseline.finished_run import FinishedRun
from readiness.score import UNSETTLED, Outcome
from readiness.statistics import paired

#: The risk of calling a change significant where there is none, over all checks of two runs.
ALPHA = 0.05
#: What trials of a check share, by their number; one that shares nothing is left out.
Clusters = Mapping[tuple[str, int], str]


@dataclass(frozen=True)
class Changes:
    """What of a check's trials has changed from one run to another.

    Args:
        pairs: The trials that passed or failed in both runs.
        lost: Those of them that passed in the first and failed in the second.
        gained: Those that failed in the first and passed in the second.
        chance: The exact two-sided p-value of as many, adjusted for the number of checks (Holm), if
            nothing has changed: McNemar's test (1947), over clusters where trials share one.
    """

    pairs: int
    lost: int
    gained: int
    chance: float


def same_probes(first: FinishedRun, second: FinishedRun) -> list[str]:
    """The ids of the checks that tried the same probes in both runs."""
    asked, also = (run.evidence_header["items"] for run in (first, second))
    return [each for each, digest in asked.items() if also.get(each) == digest]


def changes(
    first: FinishedRun, second: FinishedRun, controls: Collection[tuple[str, int]], shared: Clusters
) -> dict[str, Changes]:
    """The changes of each check that tried the same probes in both runs.

    Args:
        first: The run to compare with.
        second: The run that is compared.
        controls: The trials that do not count, by check and number.
        shared: What trials share, for those that share something.
    """
    found = {}
    for check in same_probes(first, second):
        before = _settled(first, check, controls)
        after = _settled(second, check, controls)
        numbers = before.keys() & after.keys()
        found[check] = {each: before[each] - after[each] for each in numbers}
    differences = [_by_cluster(check, each, shared) for check, each in found.items()]
    chances = _two_sided(differences)
    return {
        check: Changes(
            len(each), sum(n > 0 for n in each.values()), sum(n < 0 for n in each.values()), chance
        )
        for (check, each), chance in zip(found.items(), chances, strict=True)
        if each
    }


def _settled(run: FinishedRun, check: str, controls: Collection[tuple[str, int]]) -> dict[int, int]:
    """By number, 1 for each trial that passed, 0 for each that failed."""
    return {
        number: int(trial.outcome is Outcome.PASS)
        for (name, number), trial in run.trials.items()
        if name == check and (name, number) not in controls and trial.outcome not in UNSETTLED
    }


def _by_cluster(check: str, differences: Mapping[int, int], shared: Clusters) -> list[int]:
    """The losses of each cluster minus its gains."""
    found: dict[str, int] = {}
    for number, difference in differences.items():
        cluster = shared.get((check, number), f"\0{number}")
        found[cluster] = found.get(cluster, 0) + difference
    return list(found.values())


def _two_sided(differences: Sequence[Sequence[int]]) -> list[float]:
    """The p-value of each check's changes in either direction, adjusted for their number.

    Checks with too few differing clusters to reach `ALPHA` even alone are not counted, and have 1
    (Tarone 1990).
    """
    testable = [
        at for at, each in enumerate(differences) if 2 * paired.smallest_p_value(each) <= ALPHA
    ]
    both = [
        2 * min(paired.sign_flips(each), paired.sign_flips([-n for n in each]))
        for each in (differences[at] for at in testable)
    ]
    adjusted = dict(zip(testable, paired.holm(both), strict=True))
    return [adjusted.get(at, 1.0) for at in range(len(differences))]
