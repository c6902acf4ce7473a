"""Where failures gather: exact figures, and what chance may explain."""

from __future__ import annotations

from math import comb
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.statistics.association import Association, LabelledTrial, fisher, worst_association

PLAIN = {"tools": "none", "reply": "whole", "system": "none"}


def trials(*groups: tuple[int, int, str, str]) -> list[LabelledTrial]:
    """So many trials, of which so many failed, with these tools and this system message."""
    return [
        LabelledTrial({"tools": tools, "system": system}, at < failed)
        for count, failed, tools, system in groups
        for at in range(count)
    ]


@pytest.mark.parametrize(
    ("failed", "of", "all_failed", "total", "chance"),
    [
        (7, 7, 7, 100, 1 / 16_007_560_800),
        (3, 3, 3, 6, 1 / 20),
        (2, 3, 3, 6, 10 / 20),  # (9 + 1) of 20
        (0, 5, 3, 10, 1.0),
        (1, 1, 1, 30, 1 / 30),
        (8, 10, 9, 20, 0.0027387),  # scipy.stats.fisher_exact([[8, 2], [1, 9]], "greater")
    ],
)
def test_fisher_is_exact(failed: int, of: int, all_failed: int, total: int, chance: float) -> None:
    assert fisher(failed, of, all_failed, total) == pytest.approx(chance, rel=1e-4)


def test_the_pair_that_fails_is_named_in_words() -> None:
    found = worst_association(
        trials(
            (7, 7, "some", "long"),
            (30, 0, "some", "none"),
            (30, 0, "none", "long"),
            (33, 0, "none", "none"),
        ),
        PLAIN,
    )
    assert found is not None
    assert str(found) == "fails with tools (some) and system (long): 7 of 7; elsewhere 0 of 93"
    # Four labels and four pairs; two of the labels are on so many trials that they tell nothing.
    assert found.chance == pytest.approx(6 / 16_007_560_800)


def test_a_single_label_is_named_where_it_explains_as_much() -> None:
    found = worst_association(
        trials(
            (20, 20, "some", "long"),
            (20, 20, "some", "none"),
            (30, 0, "none", "long"),
            (30, 0, "none", "none"),
        ),
        PLAIN,
    )
    assert found is not None
    assert (found.labels, found.failed, found.trials) == ((("tools", "some"),), 40, 40)


def test_all_levels_but_the_plain_one_count_as_one() -> None:
    found = worst_association(
        trials((4, 4, "a", "x"), (4, 4, "b", "x"), (4, 4, "c", "x"), (30, 0, "none", "x")), PLAIN
    )
    assert found is not None
    assert found.labels == (("tools", "any"),)
    streams = [
        LabelledTrial({"reply": each}, each != "whole")
        for each in ("whole", "s", "n")
        for _ in range(9)
    ]
    other = worst_association(streams, PLAIN)
    assert other is not None
    assert str(other) == "fails with reply (not whole): 18 of 18; elsewhere 0 of 9"


@pytest.mark.parametrize(
    "made",
    [
        [],
        trials((30, 0, "some", "none")),
        trials((30, 30, "some", "none"), (30, 30, "none", "none")),
        # One of one fails: in fifteen trials that is chance.
        trials((1, 1, "some", "none"), (14, 0, "none", "none")),
        trials((10, 5, "some", "none"), (10, 4, "none", "long"), (10, 5, "none", "none")),
    ],
)
def test_what_chance_explains_is_not_named(made: list[LabelledTrial]) -> None:
    assert worst_association(made, PLAIN) is None


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abn"), st.sampled_from("xyz"), st.booleans()), max_size=40)
)
def test_what_is_named_is_counted_right_and_does_not_depend_on_the_order(
    drawn: list[tuple[str, str, bool]],
) -> None:
    made: list[LabelledTrial] = [
        LabelledTrial({"tools": one, "system": two}, failed) for one, two, failed in drawn
    ]
    found = worst_association(made, {"tools": "n"})
    again = worst_association(made[::-1], {"tools": "n"})
    assert (found and found.chance) == (again and again.chance)
    if found is not None:
        assert found.failed + found.failed_elsewhere == sum(each.failed for each in made)
        assert found.trials + found.trials_elsewhere == len(made)
        assert found.failed / found.trials > found.failed_elsewhere / found.trials_elsewhere


def test_chance_alone_names_something_in_one_of_twenty_runs_at_most() -> None:
    random = Random(0)
    names = 0
    for _ in range(400):
        made: list[LabelledTrial] = [
            LabelledTrial({of: random.choice("abc") for of in "uvwxyz"}, random.random() < 0.2)
            for _ in range(60)
        ]
        names += isinstance(worst_association(made, {}), Association)
    assert names <= 400 * 0.05


def told(*failed: int, back: range = range(1, 50), cluster: int = 0) -> list[LabelledTrial]:
    """Two trials at each place, of which those at some places fail."""
    return [
        LabelledTrial({}, at in failed, f"{at // cluster}" if cluster else "", {"turns back": at})
        for at in [*back, *back]
    ]


def test_a_stretch_of_places_where_all_fails_is_named() -> None:
    found = worst_association(told(44, 45, 46), {})
    assert found is not None
    assert str(found) == "fails with turns back (44-46): 6 of 6; elsewhere 0 of 92"
    # Of 1,225 stretches, those of one place and of twelve or more could show nothing.
    assert found.chance == pytest.approx(sum(50 - places for places in range(2, 12)) / comb(98, 6))
    alone = worst_association(told(17, back=range(1, 30)) + told(17, back=range(10, 30)), {})
    assert str(alone) == "fails with turns back (17): 4 of 4; elsewhere 0 of 94"


def test_failures_that_are_spread_over_places_are_not_named() -> None:
    assert worst_association(told(5, 23, 41), {}) is None


def test_trials_that_have_a_label_and_others_are_counted_apart() -> None:
    found = worst_association(
        trials((20, 15, "some", "none"), (30, 2, "none", "none"), (30, 3, "none", "long")), PLAIN
    )
    assert found is not None
    assert str(found) == "fails with tools (some): 15 of 20; elsewhere 5 of 60"
    assert found.independent == 20


def test_as_many_labels_count_as_could_show_anything() -> None:
    """Six of six fail that have a label, and none of the others: one of 924 ways."""
    first, second = {"kind": "a"}, {"kind": "b"}
    lost = [LabelledTrial(first, True)] * 6
    alone = worst_association([*lost, *[LabelledTrial({}, False)] * 6], {})
    # One trial could show nothing, and six others as much.
    with_one = [*lost, LabelledTrial(second, False), *[LabelledTrial({}, False)] * 5]
    with_six = [*lost, *[LabelledTrial(second, False)] * 6]
    found = [alone, worst_association(with_one, {}), worst_association(with_six, {})]
    assert [each and each.chance for each in found] == [1 / 924, 1 / 924, 2 / 924]


def test_what_is_just_as_likely_as_the_risk_is_named() -> None:
    made = [LabelledTrial({"kind": "a"}, True)] * 3 + [LabelledTrial({}, False)] * 3
    assert [worst_association(made, {}, alpha) is None for alpha in (0.05, 0.04)] == [False, True]


def test_trials_of_many_clusters_are_compared_with_all_others() -> None:
    """Of each pair one trial has the label, and six of those fail."""
    made = [
        LabelledTrial({"kind": kind}, kind == "a" and pair < 6, f"{pair}")
        for pair in range(10)
        for kind in "ab"
    ]
    found = worst_association(made, {})
    assert found is not None
    assert str(found) == "fails with kind (a): 6 of 10; elsewhere 0 of 10"
    assert found.chance == pytest.approx(2 * comb(10, 6) / comb(20, 6))


def test_trials_that_share_their_luck_count_once() -> None:
    # Six of six that are of two conversations are two failures of six trials.
    assert worst_association(told(40, 41, 42, cluster=5), {}) is None
    lost = [LabelledTrial({"kind": "ab"[at < 4]}, at < 4, f"{at}") for at in range(40)]
    thrice = worst_association([each for each in lost for _ in range(3)], {})
    once = worst_association(lost, {})
    assert thrice is not None
    assert once is not None
    assert (thrice.chance, thrice.trials, thrice.independent) == (once.chance, 12, 4)
