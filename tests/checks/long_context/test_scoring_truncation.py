from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.long_context.document import DocumentAnswers, NeedleQuestion
from readiness.checks.long_context.length_search import LengthSearchResult
from readiness.checks.long_context.liveness import LivenessResult
from readiness.checks.long_context.probes import CLAIM
from readiness.checks.long_context.scoring_limits import (
    lost_part,
    rescore_by_short_document,
    score_accepted_length,
    score_effective_length,
    score_latency,
    score_long_page,
    score_oversized_document,
    score_truncation,
)
from readiness.checks.long_context.send_document import OversizedDocumentReply
from readiness.exchange import NS, Exchange
from readiness.score import Measure, Outcome, Score
from tests.reference_in_process import reply

# Scoring of truncation


def asked(*depths: float) -> DocumentAnswers:
    return DocumentAnswers(
        "HC-10000",
        tuple(
            NeedleQuestion(f"c{n}", "checkpoint", "?", (str(10**6 + n),), depth=depth)
            for n, depth in enumerate(depths)
        ),
    )


DEPTHS = (0.0, 0.02, 0.2, 0.25, 0.4, 0.5, 0.6, 0.75, 0.8, 0.98, 1.0)


def score_without(low: float, high: float, prompt: int | None, code: str = "HC-10000") -> Score:
    """The score of a reply that finds all needles but those between two depths."""
    expected = asked(*DEPTHS)
    known = {
        each.label: each.wanted[0]
        for each in expected.questions
        if each.depth is not None and not low <= each.depth <= high
    }
    return score_truncation(reply(f"{code}\n{json.dumps(known)}", prompt), expected, 1000)


HEAD = "truncated (head): 600 prompt_tokens of about 1,000; lost at the first message, 0%, 2%"


@pytest.mark.parametrize(
    ("low", "high", "prompt", "code", "start"),
    [
        (-1, 0.1, 600, "", HEAD),
        (0.3, 0.7, 600, "HC-10000", "truncated (middle): 600"),
        (0.7, 1, 600, "HC-10000", "truncated (tail): 600"),
        (2, 3, 600, "HC-10000", "truncated (cap): 600"),
        (-1, 3, 600, "", "truncated (all): 600"),
        (0.3, 0.7, 600, "", "truncated (in places): 600"),
        (-1, 0, 1000, "", "truncated (head), whatever prompt_tokens says: 1,000"),
        (
            0.9,
            1,
            None,
            "HC-10000",
            "truncated (tail), whatever prompt_tokens says: prompt_tokens are not",
        ),
    ],
)
def test_truncation_names_the_lost_part(
    low: float, high: float, prompt: int | None, code: str, start: str
) -> None:
    score = score_without(low, high, prompt, code)
    assert (score.outcome, score.reason[: len(start)]) == (Outcome.FAIL, start)


@pytest.mark.parametrize(
    ("low", "high", "prompt"),
    [(0.3, 0.7, 1000), (0.25, 0.75, None), (1, 1, 1000), (2, 3, 950), (2, 3, None)],
)
def test_needles_missed_in_the_middle_are_no_truncation(
    low: float, high: float, prompt: int | None
) -> None:
    assert score_without(low, high, prompt).reason == ""


def test_a_reply_without_answers_shows_nothing_of_the_prompt() -> None:
    assert score_truncation(reply("what?"), asked(*DEPTHS), 1000).outcome is Outcome.UNDETERMINED


@pytest.mark.parametrize(
    ("high", "prompt", "outcome"),
    [
        (0.98, 1000, Outcome.UNDETERMINED),  # One place is found.
        (0.98, 600, Outcome.FAIL),  # It is, and the tokens are not counted.
        (0.9, 1000, Outcome.FAIL),  # Two are.
    ],
)
def test_one_place_found_shows_no_truncation(high: float, prompt: int, outcome: Outcome) -> None:
    assert score_without(-1, high, prompt, code="").outcome is outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(2, 3, Outcome.FAIL), (0.5, 0.5, Outcome.FAIL), (0.1, 0.9, Outcome.UNDETERMINED)],
)
def test_an_end_is_lost_where_the_model_finds_such_places_in_a_short_document(
    low: float, high: float, outcome: Outcome
) -> None:
    lost, expected = score_without(-1, 0, 1000, code=""), asked(*DEPTHS)
    known = {
        each.label: each.wanted[0]
        for each in expected.questions
        if each.depth is not None and not low <= each.depth <= high
    }
    short = reply(f"HC-10000\n{json.dumps(known)}", 100)
    assert lost.outcome is Outcome.FAIL
    assert rescore_by_short_document(lost, short, expected).outcome is outcome


def test_a_prompt_beyond_the_window_that_nothing_is_found_in_shows_no_truncation() -> None:
    body = {"message": {"role": "assistant", "content": "what?"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1100, "completion_tokens": 2, "total_tokens": 1102}
    sent = json.dumps({"choices": [{"index": 0, **body}], "usage": usage}).encode()
    accepted = OversizedDocumentReply(asked(*DEPTHS), exchange(200, body=sent), 1000, 1100)
    assert score_oversized_document(accepted).outcome is Outcome.UNDETERMINED


@given(st.lists(st.booleans(), min_size=1))
def test_every_pattern_names_a_lost_part(found: list[bool]) -> None:
    name = lost_part(found)
    assert (name == "cap", name == "all") == (all(found), not any(found))
    mirrored = {"head": "tail", "tail": "head"}
    assert lost_part(found[::-1]) == mirrored.get(name, name)


@pytest.mark.parametrize(
    ("prompt", "sent", "outcome"),
    [
        (990, 990, Outcome.PASS),
        (850, 990, Outcome.FAIL),
        (None, 990, Outcome.PASS),
        (None, 850, Outcome.FAIL),
        (990, 0, Outcome.UNDETERMINED),
    ],
)
def test_a_length_is_accepted_if_prompt_and_reply_fill_it(
    prompt: int | None, sent: int, outcome: Outcome
) -> None:
    assert score_accepted_length(reply("x", prompt), 1100, 100, sent).outcome is outcome


def test_the_tokens_of_a_prompt_are_measured() -> None:
    score = score_accepted_length(reply("x", 990), 1100, 100, 990)
    assert score.measures == (Measure("prompt", 990, "tokens", {"length": 1100}),)


# Limits


def exchange(status: int | None, seconds: float = 0.1, body: bytes = b"{}") -> Exchange:
    kind = {"content-type": "application/json"}
    return Exchange({}, status, kind, body, (), None, "", 0.0, int(seconds * 1e9))


@pytest.mark.parametrize(
    ("status", "seconds", "passed"),
    [(400, 1, True), (413, 1, True), (400, 31, False), (500, 1, False), (429, 1, False)],
)
def test_a_prompt_that_does_not_fit_must_be_rejected_in_time(
    status: int, seconds: float, passed: bool
) -> None:
    assert (
        score_oversized_document(
            OversizedDocumentReply(asked(0.0), exchange(status, seconds), 1000, 1100)
        ).passed
        is passed
    )


def test_a_warm_prompt_has_no_cold_latency() -> None:
    warm = score_latency(reply("x", 130_000, cached=120_000), CLAIM)
    assert (warm.outcome, warm.reason[:4]) == (Outcome.UNDETERMINED, "warm")
    cold = score_latency(reply("x", 130_000, cached=64), CLAIM)
    assert cold.passed
    at = {"length": CLAIM}
    assert cold.measures == (
        Measure("time", 0.3, "s", at),
        Measure("time to first token", 0.1, "s", at),
    )
    # A warm latency is marked as such.
    assert [each.at for each in warm.measures] == [{**at, "cached": 120_000}] * 2


def liveness(
    before: float = 0.1, during: float = 0.1, after: float = 0.1, status: int = 200
) -> LivenessResult:
    return LivenessResult(
        [exchange(200, before)] * 3, [exchange(status, during)] * 5, [exchange(200, after)] * 3
    )


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (liveness(), ""),
        (liveness(during=29, after=0.9), ""),
        (liveness(during=31), "during a long page a short request takes 31 s"),
        (
            liveness(status=503),
            "during a long page 5 of 8 short requests failed, the first: HTTP 503",
        ),
        (
            liveness(before=2, after=4),
            "a short request takes 2.0 s before and 4.0 s after a long page",
        ),
    ],
)
def test_short_requests_must_be_answered_during_a_long_page(
    found: LivenessResult, why: str
) -> None:
    assert score_long_page(exchange(400), found).reason == why


@pytest.mark.parametrize("late", [0.0, 0.5])
@pytest.mark.parametrize("found", [liveness(during=31), liveness(before=2, after=4)])
def test_a_short_request_that_this_machine_may_have_delayed_shows_nothing(
    found: LivenessResult, late: float
) -> None:
    parts = found.requests_before, found.requests_during, found.requests_after
    delayed = ([replace(each, late=round(late * NS)) for each in part] for part in parts)
    outcome = score_long_page(exchange(400), LivenessResult(*delayed)).outcome
    assert outcome is (Outcome.UNDETERMINED if late else Outcome.FAIL)


@pytest.mark.parametrize(
    ("shares", "top", "window", "effective", "outcome"),
    [
        ({4096: 1.0, 131_072: 0.9}, 131_072, None, 131_072, Outcome.PASS),
        ({4096: 1.0, 131_072: 0.5, 16_384: 0.9}, 131_072, 131_072, 16_384, Outcome.FAIL),
        ({4096: 0.8, 131_072: 0.9}, 131_072, None, 0, Outcome.FAIL),
        ({4096: 1.0, 8192: 1.0}, 8192, 8192, 8192, Outcome.FAIL),
        ({4096: 1.0, 16_384: 1.0}, 16_384, None, 16_384, Outcome.UNDETERMINED),
    ],
)
def test_the_effective_length_is_the_longest_with_all_shorter_ones_accurate(
    shares: dict[int, float], top: int, window: int | None, effective: int, outcome: Outcome
) -> None:
    search = LengthSearchResult(top, shares, {})
    score = score_effective_length(search, CLAIM, window)
    assert (search.effective_length, score.outcome) == (effective, outcome)
    measured = {each.name: each.value for each in score.measures}
    stated = {} if window is None else {"declared window": window}
    assert measured == {"effective length": effective, **stated}
