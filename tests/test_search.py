"""Searches: the smallest failing case, within a budget, repeated and stored for the next run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import strategies as st

from readiness.score import PASSED, EndpointError, Outcome, Score, failed
from readiness.search import (
    MAX_FINDINGS,
    Counterexample,
    FindingsStore,
    GeneratedCase,
    Search,
    nothing,
)

LISTS = Search(
    "lists",
    lambda: st.fixed_dictionaries({"list": st.lists(st.integers(0, 99), max_size=9)}),
    examples=40,
    calls=200,
)
LONG = {"list": [0, 0, 0]}


def too_long(case: GeneratedCase) -> Score:
    """Fail lists of three items or more."""
    return failed(f"{len(case['list'])} items") if len(case["list"]) > 2 else PASSED


def searched(
    score: Callable[[GeneratedCase], Score], findings: FindingsStore | None = None, seed: int = 0
) -> tuple[Counterexample | None, list[GeneratedCase]]:
    """The counterexample of a search, and the cases tried."""
    tried: list[GeneratedCase] = []

    async def attempt(case: GeneratedCase) -> Score:
        tried.append(case)
        return score(case)

    return asyncio.run(LISTS.smallest(attempt, seed, findings)), tried


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_case_that_fails_is_found_and_confirmed(seed: int) -> None:
    found, tried = searched(too_long, seed=seed)
    assert found == Counterexample(LONG, "3 items", reproductions=3)
    assert tried[-3:] == [LONG] * 3


def test_nothing_is_found_if_all_cases_pass() -> None:
    found, tried = searched(lambda case: PASSED)
    assert (found, nothing(found, str)) == (None, PASSED)
    assert 10 < len(tried) <= LISTS.examples


def test_the_same_seed_tries_the_same_cases() -> None:
    assert searched(too_long, seed=7) == searched(too_long, seed=7)
    assert searched(too_long, seed=7)[1] != searched(too_long, seed=8)[1]


def test_the_budget_is_kept_and_no_case_is_tried_twice() -> None:
    sent: list[str] = []

    def harm(case: GeneratedCase) -> str:
        sent.append(json.dumps(case))
        return "always"

    short = Search("lists", LISTS.cases, examples=20, calls=15)
    kept = [{"list": [at]} for at in range(20)]
    for tried, before in (("always", []), ("", kept)):
        sent.clear()
        short.find(lambda case, said=tried: harm(case) and said, 1, before)  # type: ignore[misc]
        assert len(sent) == len(set(sent)) <= 15


def test_a_case_that_fails_once_is_reported_as_such() -> None:
    turns: Iterator[Score] = iter([PASSED] * 9 + [failed("once")] + [PASSED] * 1_000)
    found, _ = searched(lambda case: next(turns))
    assert found is not None
    assert (found.reason, found.reproductions) == ("once", 0)
    assert nothing(found, lambda case: "it").reason == "once (and 0 of 3 times more) — it"


def test_an_error_of_the_endpoint_is_a_failure() -> None:
    def broken(case: GeneratedCase) -> Score:
        if too_long(case).passed:
            return PASSED
        raise EndpointError("HTTP 500")

    assert searched(broken)[0] == Counterexample(LONG, "HTTP 500", reproductions=3)


def test_a_case_that_cannot_be_scored_is_neither_found_nor_passed() -> None:
    spent = Score(Outcome.SKIPPED, "the budget is spent")
    with pytest.raises(EndpointError) as raised:
        searched(lambda case: spent)
    assert raised.value.score == spent


def test_a_failure_is_reported_although_the_endpoint_is_gone_afterwards() -> None:
    turns = iter([PASSED, failed("crashed")])
    gone = Score(Outcome.SKIPPED, "unreachable")
    found, _ = searched(lambda case: next(turns, gone))
    assert found is not None
    assert (found.reason, found.reproductions) == ("crashed", 0)


# Stored findings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "findings.json"


def test_the_next_run_tries_findings_first(path: Path) -> None:
    searched(too_long, FindingsStore(path))
    found, tried = searched(too_long, FindingsStore(path), seed=5)
    assert found == Counterexample(LONG, "3 items", reproductions=3)
    assert tried == [LONG] * 4


def test_a_fixed_finding_is_tried_again_and_not_found(path: Path) -> None:
    searched(too_long, FindingsStore(path))
    found, tried = searched(lambda case: PASSED, FindingsStore(path))
    assert (found, tried[0]) == (None, LONG)


def test_a_finding_is_tried_once_in_a_run(path: Path) -> None:
    FindingsStore(path).keep("lists", LONG)
    findings = FindingsStore(path)
    assert [findings.take("lists"), findings.take("lists"), findings.take("other")] == [
        [LONG],
        [],
        [],
    ]


def test_the_newest_findings_of_each_search_are_kept_without_duplicates(path: Path) -> None:
    findings = FindingsStore(path)
    findings.keep("other", {"a": "é\ud800"})
    for at in [*range(MAX_FINDINGS + 2), 5]:
        findings.keep("lists", {"list": [at]})
    newest = [5, *(at for at in reversed(range(2, MAX_FINDINGS + 2)) if at != 5)]
    assert FindingsStore(path).take("lists") == [{"list": [at]} for at in newest]
    assert FindingsStore(path).take("other") == [{"a": "é\ud800"}]
    assert [each.name for each in path.parent.iterdir()] == ["findings.json"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no findings file"),
        ('{"schema": "readiness-findings/2", "findings": {}}', "is no findings file"),
        ('{"schema": "readiness-findings/1", "findings": {"a": [1]}}', "is no findings file"),
    ],
)
def test_an_invalid_findings_file_is_named(path: Path, text: str, said: str) -> None:
    path.write_text(text)
    with pytest.raises(LookupError, match=f"findings.json {said}: repair or remove it"):
        FindingsStore(path)
