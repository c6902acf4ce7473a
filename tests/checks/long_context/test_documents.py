from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.long_context.document import LongDocument
from readiness.checks.long_context.document_kinds import PIECE, log, page, pieces, report
from readiness.checks.long_context.needles import CHECKPOINTS, LOOKUPS
from readiness.checks.long_context.probes import CLAIM
from readiness.checks.long_context.prompt_wording import LANGUAGES, Recipe
from readiness.checks.long_context.scoring_needles import score_answer, score_summary
from readiness.checks.long_context.send_document import SAMPLES, TokenEstimator
from readiness.mutants.endpoint.answer import ModelOutput
from readiness.mutants.endpoint.model import answer
from readiness.mutants.endpoint.tokens import prompt_tokens
from tests.reference_in_process import reply

WRITERS: dict[str, Callable[[Recipe, int], LongDocument]] = {"log": log, "report": report}
KINDS = [("log", each) for each in LANGUAGES] + [("report", "zh"), ("report", "en")]


def reference_reply(document: LongDocument, cut: slice = slice(None)) -> str:
    """The reference's reply to a document, or to a part of its user message."""
    system, user = document.messages
    request = {"messages": [system, {**user, "content": user["content"][cut]}]}
    return answer(request).content or ""


# Documents


@pytest.mark.parametrize(("kind", "language"), KINDS)
def test_a_document_is_deterministic_and_differs_by_length(kind: str, language: str) -> None:
    recipe = Recipe(kind, language, 7, 1)
    document = WRITERS[kind](recipe, 30_000)
    assert WRITERS[kind](recipe, 30_000) == document
    others = [
        WRITERS[kind](recipe, 30_001),
        WRITERS[kind](dataclasses.replace(recipe, seed=8), 30_000),
        WRITERS[kind](dataclasses.replace(recipe, number=2), 30_000),
    ]
    firsts = {each.messages[0]["content"][:32] for each in [document, *others]}
    assert (len(firsts), {len(each) for each in firsts}) == (4, {32})


@pytest.mark.parametrize(("kind", "language"), KINDS)
@pytest.mark.parametrize("characters", [20_000, 90_000])
def test_a_document_has_the_requested_length(kind: str, language: str, characters: int) -> None:
    document = WRITERS[kind](Recipe(kind, language, 7, 1), characters)
    # A paragraph of a report has up to 900 characters.
    assert 0 <= document.characters - characters < (250 if kind == "log" else 1_500)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", [0, 5])
def test_each_needle_is_at_its_depth_and_unique(language: str, seed: int) -> None:
    document = log(Recipe("log", language, seed, 1), 200_000)
    text = document.messages[1]["content"]
    placed = [each for each in document.expected.questions if each.depth is not None]
    assert sorted(each.depth for each in placed if each.depth is not None) == sorted(
        [*LOOKUPS, *CHECKPOINTS]
    )
    assert {text.count(each.wanted[0]) for each in placed} == {1}
    off = [text.index(each.wanted[0]) / len(text) - (each.depth or 0) for each in placed]
    # After the log come the questions, which are half a percent of it.
    assert max(map(abs, off)) < 0.02


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_haystack_consists_of_lines_of_the_needles_form(language: str) -> None:
    document = log(Recipe("log", language, 0, 1), 100_000)
    lines = [each for each in document.messages[1]["content"].splitlines() if each[0] != "q"]
    similar = [each for each in lines if re.search(r"[^\W\d_]+-\d{5}\D.*?\d{7}", each)]
    assert len(similar) / len(lines) > 0.9


@pytest.mark.parametrize(("kind", "language"), KINDS)
def test_two_short_documents_estimate_the_tokens_of_a_long_one(kind: str, language: str) -> None:
    recipe = Recipe(kind, language, 0, 1)
    estimator = TokenEstimator(language)
    for characters in SAMPLES[language]:
        document = WRITERS[kind](recipe, characters)
        estimator.add_count(document.characters, prompt_tokens({"messages": document.messages}))
    document = WRITERS[kind](recipe, estimator.characters(CLAIM))
    assert prompt_tokens({"messages": document.messages}) == pytest.approx(CLAIM, rel=0.03)


def test_pieces_of_a_page_overlap_and_leave_nothing_out() -> None:
    text = page(Recipe("page", "zh", 0, 1), 100_000)
    parts = pieces(text)
    assert ("\n" in text, len(text), len(parts)) == (False, 100_000, 23)
    assert {len(each) <= PIECE for each in parts} == {True}
    assert "".join([parts[0], *(each[500:] for each in parts[1:])]) == text


@given(
    st.floats(0.06, 4), st.integers(0, 3_000), st.integers(500, 5_000), st.integers(5_100, 9_000)
)
def test_an_estimator_is_exact_for_linear_counts(
    slope: float, start: int, short: int, long: int
) -> None:
    estimator = TokenEstimator("zh")
    for characters in (short, long):
        estimator.add_count(characters, round(start + slope * characters))
    assert estimator.tokens(estimator.characters(131_072)) == pytest.approx(131_072, abs=slope + 2)


def test_an_estimator_ignores_implausible_counts() -> None:
    estimator = TokenEstimator("zh")
    estimator.add_count(1_000, 7)
    estimator.add_count(9_000, 7)
    assert (estimator.is_calibrated, estimator.tokens(500)) == (False, 500)


# The reader


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("seed", range(5))
def test_the_reader_answers_every_question(language: str, seed: int) -> None:
    document = log(Recipe("log", language, seed, 1), 20_000)
    scores = [
        score_answer(reply(reference_reply(document)), each) for each in document.expected.questions
    ]
    assert [each for each in scores if not each.passed] == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("seed", range(5))
def test_the_reader_summarises_every_report(language: str, seed: int) -> None:
    document = report(Recipe("report", language, seed, 1), 20_000)
    assert score_summary(reply(reference_reply(document)), document.expected).reason == ""


@pytest.mark.parametrize(
    ("cut", "lost"),
    [
        (slice(8_000, None), {"q1", "q2", "q3", "c1", "c2"}),
        (slice(0, 0), {f"q{each}" for each in range(1, 13)} | {f"c{each}" for each in range(1, 6)}),
    ],
)
def test_the_reader_does_not_answer_about_what_was_cut(cut: slice, lost: set[str]) -> None:
    document = log(Recipe("log", "zh", 0, 1), 19_000)
    text = reply(reference_reply(document, cut))
    missed = {
        each.label for each in document.expected.questions if not score_answer(text, each).passed
    }
    assert missed >= lost


def test_the_reader_ignores_other_requests() -> None:
    request = {"messages": [{"role": "user", "content": "q1: 档案青松-12345的编号是多少？"}]}
    assert answer(request) == ModelOutput(
        "This is the reference endpoint, and it has read your message."
    )
