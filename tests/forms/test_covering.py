"""Covering arrays: every pair that may stand together is tried, in as few rows as the best take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.forms.covering import Coverage, coverage, covering_forms
from readiness.forms.factors import (
    COSTLY,
    LEVELS,
    PLAIN,
    Content,
    Factor,
    Form,
    FormSpace,
    Language,
    Length,
    Limit,
    Load,
    Reply,
    Sampling,
    Share,
    System,
    Tools,
    Turns,
    varying,
)

TEXT = varying(Load, Length.TOKENS_60K, Tools.AUTO, Tools.NO_CHOICE)
#: All forms of a request for text, at no cost; and the same with the shares of costly levels.
FREE, SHARED = FormSpace(TEXT, costly={}), FormSpace(TEXT)
KEYS = st.text(max_size=4)
#: Factors that stand around nothing, so that any two levels go together.
SIMPLE = (Factor.REPLY, Factor.CONTENT, Factor.SAMPLING, Factor.LIMIT, Factor.FORMAT)


def forms(space: FormSpace, key: str, trials: int) -> list[Form]:
    return covering_forms(space, key, [{}] * trials)


def tried(space: FormSpace, made: Sequence[Form], strength: int = 2) -> Coverage:
    return coverage([(space, made)], strength)


# What is measured


def test_coverage_counts_the_pairs_that_are_tried_of_those_that_are_possible() -> None:
    levels = {
        Factor.REPLY: [*Reply],
        Factor.LIMIT: [*Limit],
        Factor.CONTENT: ["string", Content.USER],
    }
    space = FormSpace(
        levels, [frozenset({(Factor.REPLY, Reply.WHOLE), (Factor.LIMIT, Limit.NONE)})]
    )
    other = {**PLAIN, Factor.REPLY: Reply.STREAMED, Factor.CONTENT: Content.USER}
    assert tried(space, []) == Coverage(0, 9 + 6 + 6 - 1)
    assert tried(space, [PLAIN]) == Coverage(3, 20)
    assert tried(space, [PLAIN, PLAIN, other]) == Coverage(6, 20)
    assert tried(space, [PLAIN, other], 3) == Coverage(2, 16)
    assert (Coverage(15, 20).share, coverage([]).share) == (0.75, 1.0)


def test_two_spaces_are_counted_as_one_where_they_overlap() -> None:
    one = FormSpace({each: [*LEVELS[each]] for each in (Factor.REPLY, Factor.LIMIT)})
    other = FormSpace({each: [*LEVELS[each]] for each in (Factor.LIMIT, Factor.REPLY)})
    streamed = {**PLAIN, Factor.REPLY: Reply.STREAMED}
    assert coverage([(one, [PLAIN]), (other, [PLAIN, streamed])]) == Coverage(2, 9)


def test_a_factor_varies_over_two_levels_of_its_own_or_more() -> None:
    with pytest.raises(ValueError, match="two or more of its levels"):
        FormSpace({Factor.REPLY: [Reply.WHOLE]})
    with pytest.raises(ValueError, match="first levels"):
        FormSpace({Factor.SYSTEM: [System.NEUTRAL, System.NONE]})
    with pytest.raises(ValueError, match="greedy"):
        FormSpace({Factor.REPLY: [Reply.WHOLE, Sampling.GREEDY]})


def test_the_possible_pairs_are_those_of_some_form_that_a_search_finds() -> None:
    around = (Factor.SYSTEM, Factor.TURNS, Factor.LANGUAGE)
    space = FormSpace({each: [*LEVELS[each]] for each in around}, costly={})
    # With Tools left plain nothing was called before; with a language something stands around.
    made = [
        {Factor.SYSTEM: system, Factor.TURNS: turns, Factor.LANGUAGE: of}
        for system in System
        for turns in [Turns.NONE, Turns.THREE, Turns.THIRTY]
        for of in Language
        if (of == Language.NONE) == (system == System.NONE and turns == Turns.NONE)
    ]
    pairs = {frozenset(pair) for form in made for pair in combinations(form.items(), 2)}
    assert tried(space, []).possible == len(pairs)


# What is covered


@pytest.mark.parametrize("seed", range(4))
def test_sixty_rows_have_every_pair_and_three_hundred_every_triple(seed: int) -> None:
    made = forms(FREE, f"any/{seed}", 300)
    assert (tried(FREE, made[:60]).share, tried(FREE, made, 3).share) == (1.0, 1.0)
    assert tried(FREE, made[:40]).share > 0.98
    assert tried(FREE, made[:100], 3).share > 0.87


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.sampled_from(SIMPLE), min_size=2, max_size=5, unique=True), KEYS, st.integers(0, 9)
)
def test_so_many_rows_as_the_two_largest_factors_take_cover_nearly_all(
    factors: list[Factor], key: str, more: int
) -> None:
    space = FormSpace({each: [*LEVELS[each]] for each in factors})
    largest, second = sorted((len(LEVELS[each]) for each in factors), reverse=True)[:2]
    assert tried(space, forms(space, key, largest * second + 6 + more)).share == 1.0


@settings(max_examples=10, deadline=None)
@given(KEYS, st.integers(1, 40), st.integers(0, 40))
def test_every_row_is_allowed_and_a_short_plan_begins_a_long_one(
    key: str, trials: int, more: int
) -> None:
    short, long = forms(SHARED, key, trials), forms(SHARED, key, trials + more)
    assert (long[:trials], [form for form in long if not SHARED.allows(form)]) == (short, [])


def test_the_forms_follow_from_the_key() -> None:
    assert forms(FREE, "a", 20) == forms(FREE, "a", 20) != forms(FREE, "b", 20)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from("abc"), min_size=30, max_size=40), KEYS)
def test_what_a_probe_is_counted_under_meets_every_level(families: list[str], key: str) -> None:
    space = FormSpace({Factor.REPLY: [*Reply], Factor.LIMIT: [*Limit]})
    labels: list[Mapping[str, str]] = [{"family": each} for each in families]
    made = covering_forms(space, key, labels)
    met = Counter((family, form[Factor.REPLY]) for family, form in zip(families, made, strict=True))
    often = {family for family, times in Counter(families).items() if times >= 6}
    assert {(family, of) for family in often for of in Reply} <= met.keys()


# What it costs


@pytest.mark.parametrize("seed", range(3))
def test_costly_levels_have_their_share_and_the_others_fair_ones(seed: int) -> None:
    made = forms(SHARED, f"any/{seed}", 100)
    used = Counter(level for form in made for level in form.items())
    assert {
        level: used[level] for level in COSTLY if used[level] > COSTLY[level].of(100, 100)
    } == {}
    assert used[Factor.LENGTH, Length.TOKENS_2K] == 2
    others = [
        used[factor, level]
        for factor in (Factor.REPLY, Factor.SAMPLING, Factor.LIMIT, Factor.CONTENT)
        for level in SHARED.levels[factor]
    ]
    assert (min(others) >= 31, max(others) <= 35) == (True, True)


def test_a_costly_level_is_used_no_more_once_all_that_it_covers_is_covered() -> None:
    space = FormSpace(
        {Factor.REPLY: [*Reply], Factor.LENGTH: ["none", "2K"], Factor.LANGUAGE: ["none", "en"]},
        costly={(Factor.LENGTH, "2K"): Share(100, 100)},
    )
    made = forms(space, "any", 60)
    assert sum(form[Factor.LENGTH] == "2K" for form in made) == len(Reply)


@pytest.mark.parametrize(
    ("trials", "share"), [(10, 0), (24, 0), (25, 1), (75, 2), (100, 2), (110, 4), (200, 22)]
)
def test_a_share_is_rounded_and_grows_after_the_first(trials: int, share: int) -> None:
    assert Share(2, 20).of(trials, 100) == share
