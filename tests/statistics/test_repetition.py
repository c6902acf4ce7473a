"""Tasks that are tried repeatedly: pass^k and streaks."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.statistics.proportions import all_of, longest_streak


@pytest.mark.parametrize(
    ("tries", "successes", "trials", "all_pass"),
    [
        (1, [8], 10, 0.8),
        (2, [8], 10, 28 / 45),
        (8, [97], 100, 0.7766),
        (2, [2, 0], 2, 0.5),
        (3, [3, 2, 1], 3, 1 / 3),
    ],
)
def test_tries_drawn_of_those_made(
    tries: int, successes: list[int], trials: int, all_pass: float
) -> None:
    assert all_of(tries, successes, trials) == pytest.approx(all_pass, abs=1e-3)


@given(
    st.lists(st.booleans(), min_size=1, max_size=8).flatmap(
        lambda made: st.tuples(st.just(made), st.integers(1, len(made)))
    )
)
def test_the_chance_is_that_over_all_choices(found: tuple[list[bool], int]) -> None:
    made, tries = found
    chosen = list(combinations(made, tries))
    assert all_of(tries, [sum(made)], len(made)) == pytest.approx(
        sum(map(all, chosen)) / len(chosen)
    )


@pytest.mark.parametrize(("tries", "successes"), [(0, [1]), (4, [1]), (1, [4]), (1, [-1]), (1, [])])
def test_what_cannot_be_sampled_is_refused(tries: int, successes: list[int]) -> None:
    with pytest.raises(ValueError, match="tries with these successes"):
        all_of(tries, successes, 3)


@pytest.mark.parametrize(("outcomes", "streak"), [("", 0), ("0", 0), ("110111", 3), ("1101", 2)])
def test_the_longest_streak_is_of_successes_in_a_row(outcomes: str, streak: int) -> None:
    assert longest_streak(each == "1" for each in outcomes) == streak
