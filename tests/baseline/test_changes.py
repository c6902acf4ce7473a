"""Changes between two finished runs of the same probes, by exact figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from readiness.baseline.changes import Changes, changes, same_probes
from readiness.baseline.finished_run import FinishedRun
from tests.baseline.test_comparison import past


def tried(asked: Mapping[str, str] | None = None, **outcomes: str) -> FinishedRun:
    """A run with the outcomes of each check; without digests of probes, they are those of all."""
    header = {"items": asked or dict.fromkeys(outcomes, "probes")}
    return replace(past(outcomes), evidence_header=header)


def rounded(
    before: FinishedRun,
    now: FinishedRun,
    controls: Collection[tuple[str, int]] = (),
    shared: Mapping[tuple[str, int], str] | None = None,
) -> dict[str, Changes]:
    found = changes(before, now, controls, shared or {})
    return {each: replace(of, chance=round(of.chance, 12)) for each, of in found.items()}


def test_checks_that_tried_other_probes_are_not_compared() -> None:
    first = tried({"a": "1", "b": "1", "c": "1"}, a="p", b="p", c="p")
    second = tried({"a": "1", "b": "2", "d": "1"}, a="p", b="p", d="p")
    assert same_probes(first, second) == ["a"]
    assert rounded(first, second) == {"a": Changes(1, 0, 0, 1.0)}


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ("pppff", "pffpf", Changes(5, 2, 1, 1.0)),
        ("ppppp", "pfeu?", Changes(4, 3, 0, 1.0)),  # an error is a failure, and what is open is not
        ("ps?pp", "ppp?", Changes(1, 0, 0, 1.0)),  # only what passed or failed in both runs
        ("sp", "p?", None),
        ("p" * 5, "f" * 5, Changes(5, 5, 0, 1.0)),  # five that differ are too few to tell
        ("p" * 9, "f" * 6 + "p" * 3, Changes(9, 6, 0, 2 / 2**6)),
        ("f" * 9, "p" * 6 + "f" * 3, Changes(9, 0, 6, 2 / 2**6)),
        ("p" * 8 + "f", "f" * 8 + "p", Changes(9, 8, 1, 2 * 10 / 2**9)),
        ("pf" * 3, "fp" * 3, Changes(6, 3, 3, 1.0)),
    ],
)
def test_changes_are_counted_and_as_unlikely_as_so_many_heads_or_tails(
    before: str, now: str, found: Changes | None
) -> None:
    shown = rounded(tried(a=before), tried(a=now))
    assert shown == ({"a": found} if found else {})


def test_controls_do_not_count() -> None:
    found = rounded(tried(a="p" * 8), tried(a="f" * 8), [("a", 0), ("a", 7), ("b", 1)])
    assert found == {"a": Changes(6, 6, 0, 2 / 2**6)}


@pytest.mark.parametrize(
    ("before", "now", "clusters", "found"),
    [
        ("p" * 12, "f" * 12, "aabbccddeeff", Changes(12, 12, 0, 2 / 2**6)),
        ("p" * 12, "f" * 12, "aaabbbcccddd", Changes(12, 12, 0, 1.0)),
        # One lost and one gained of a cluster are no change of it.
        ("pf" + "p" * 6, "fp" + "f" * 6, "aa", Changes(8, 7, 1, 2 / 2**6)),
    ],
)
def test_trials_of_a_cluster_change_together(
    before: str, now: str, clusters: str, found: Changes
) -> None:
    shared = {("a", number): each for number, each in enumerate(clusters)}
    others = {("b", number): "a" for number in range(12)}
    assert rounded(tried(a=before), tried(a=now), (), shared | others) == {"a": found}


def test_chances_are_adjusted_for_the_checks_that_could_show_a_change() -> None:
    before = tried(a="p" * 10, b="p" * 9, c="p" * 5, d="p")
    now = tried(a="f" * 10, b="f" * 9, c="f" * 5, d="p")
    found = {check: each.chance for check, each in rounded(before, now).items()}
    assert found == {"a": 2 * 2 / 2**10, "b": 2 / 2**9, "c": 1.0, "d": 1.0}
