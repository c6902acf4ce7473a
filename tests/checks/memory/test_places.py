"""Memory by place: stretches of turns, long histories, and how their tokens are counted."""

from __future__ import annotations

from collections import Counter
from zlib import crc32

import pytest

from readiness.check import Check
from readiness.checks.memory import checks, long_history
from readiness.checks.memory.scoring import Expected
from readiness.checks.memory.scoring_history import score_line
from readiness.mutants.catalog import FLAWLESS
from readiness.mutants.endpoint.answer import ModelOutput, Request
from readiness.mutants.endpoint.conversation import text_of
from readiness.mutants.endpoint.protocol import WINDOW
from readiness.mutants.endpoint.tokens import prompt_tokens
from readiness.mutants.flaw import Flaw
from readiness.mutants.memory import flaws_by_place, flaws_harmless
from readiness.mutants.memory.flaws_by_place import counting
from readiness.mutants.memory.reader import language_asked
from readiness.policy.policy import load
from readiness.probe import prompt_tokens as estimated
from readiness.score import Outcome, Score
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result, Trial
from tests.reference_in_process import fresh, probes_of, reply, tried

CHECKS = {
    each.id: each
    for each in (
        checks.recall_at_turn_50,
        checks.history_not_truncated,
        checks.long_history_recall,
    )
}


def result(check: Check, flaw: Flaw, seed: int = 0) -> Result:
    claim = load().claim(check, "ci")
    probes = probes_of(check, seed, claim.trials)
    found = tried({check: probes}, fresh(WINDOW), flaw)[check.id]
    made = zip(probes, found, strict=True)
    return Result(check, claim, [Trial.of(probe, at, s) for at, (probe, s) in enumerate(made)])


# Flaws, and what differs without harm


@pytest.mark.parametrize("flaw", flaws_by_place.FLAWS, ids=lambda flaw: flaw.name)
def test_what_loses_a_place_is_detected_by_its_check(flaw: Flaw) -> None:
    assert result(CHECKS[flaw.check], flaw).verdict is flaw.expected_verdict


def test_a_lost_stretch_of_turns_hides_in_no_rate() -> None:
    gap = next(each for each in flaws_by_place.FLAWS if each.name == "memory_gap")
    found = result(checks.recall_at_turn_50, gap, 2)
    assert (found.passed, found.verdict_of_all) == (92, Verdict.INCONCLUSIVE)
    assert str(found.failing_alone) == "fails with turns back (40-44): 8 of 8; elsewhere 0 of 92"


def test_a_lost_kind_of_question_hides_in_no_rate() -> None:
    lost = next(each for each in flaws_by_place.FLAWS if each.name == "memory_order_lost")
    found = result(checks.recall_at_turn_50, lost)
    assert (found.passed, found.verdict) == (96, Verdict.INCONCLUSIVE)
    why = "fails with family (next reported): 4 of 4; elsewhere 0 of 96"
    assert found.doubts == [f"{why}, too few to show that it fails there"]


def rarely(request: Request, said: ModelOutput, _turn: int) -> ModelOutput:
    """Miss about four in a hundred after many turns, wherever they stand."""
    missed = crc32(text_of(request["messages"][-1]).encode()) % 100 < 4
    late = len(request["messages"]) > 90 and language_asked(request)
    return ModelOutput("7") if missed and late else said


def test_misses_that_are_spread_evenly_are_ready() -> None:
    found = result(checks.recall_at_turn_50, Flaw("rare", "4 %", change_output=rarely), 1)
    assert (found.passed, found.verdict, found.worst_pair) == (94, Verdict.READY, None)


@pytest.mark.parametrize(
    "tokens",
    [
        lambda request: sum(len(text_of(each).encode()) for each in request["messages"]),
        lambda request: sum(len(text_of(each)) // 3 + 1 for each in request["messages"]),
        lambda request: prompt_tokens(request) + 14 * len(request["messages"]) + 60,
        lambda request: (
            prompt_tokens(request)
            + sum(each["role"] == "assistant" for each in request["messages"])
        ),
        lambda request: (
            sum(len(text_of(each).split()) for each in request["messages"])
            + 2
            * sum(not letter.isascii() for each in request["messages"] for letter in text_of(each))
        ),
    ],
    ids=["bytes", "coarse", "templates", "an end of each reply", "words, and two of a character"],
)
def test_tokens_of_any_tokenizer_and_template_add_up(tokens: object) -> None:
    flaw = Flaw("counted", "another tokenizer", **counting(tokens))  # type: ignore[arg-type]
    found = result(checks.history_not_truncated, flaw)
    assert found.outcomes == {Outcome.PASS: 5}


@pytest.mark.parametrize("flaw", [FLAWLESS, *flaws_harmless.FLAWS], ids=lambda flaw: flaw.name)
def test_long_histories_are_recalled_however_answers_are_written(flaw: Flaw) -> None:
    assert result(checks.long_history_recall, flaw).outcomes == {Outcome.PASS: 24}


# Long histories


def test_four_requests_ask_about_histories_of_16k_and_60k_tokens_some_with_tools() -> None:
    made = {each.shared: each for each in long_history.histories(5, 24)}
    sizes = [estimated(each.messages) // 1000 for each in made.values()]
    told = [Counter(said["role"] for said in each.messages)["tool"] for each in made.values()]
    asked = [Counter(said["role"] for said in each.messages)["user"] for each in made.values()]
    assert (sizes, told, asked) == ([16, 16, 60, 16], [0, 7, 7, 0], [50] * 4)
    assert ["tools" in each.parameters for each in made.values()] == [bool(each) for each in told]


@pytest.mark.parametrize(
    ("window", "sizes"),
    [
        (None, ["16K", "16K", "60K", "16K"]),
        (131_072, ["16K", "16K", "60K", "16K"]),
        (65_536, ["16K"] * 4),
        (32_768, ["16K"] * 4),
        (16_384, ["short"] * 4),
    ],
)
def test_a_history_is_as_long_as_the_window_allows(window: int | None, sizes: list[str]) -> None:
    made = [each.within((), window) for each in long_history.histories(5, 24)]
    assert [each.labels["history"] for each in made[::6]] == sizes
    assert [each.labels["history"] for each in made] == [of for of in sizes for _ in range(6)]
    assert all(each.parameters.get("tools") is None for each in made if window == 16_384)
    assert {each.shared for each in made} == {f"memory.long.00{at}" for at in range(1, 5)}


def test_a_history_that_a_small_window_refuses_shows_nothing_where_it_is_not_told() -> None:
    def refuse(request: Request) -> Request:
        return (
            {**request, "max_completion_tokens": WINDOW} if len(text(request)) > 9_000 else request
        )

    def text(request: Request) -> str:
        return "".join(map(text_of, request["messages"]))

    check = checks.long_history_recall
    probes, flaw = check.probes(0, 24), Flaw("small", "a small window", change_request=refuse)
    found = {
        window: tried({check: probes}, fresh(window), flaw)[check.id] for window in (None, WINDOW)
    }
    kinds = {window: {each.outcome for each in of} for window, of in found.items()}
    assert kinds == {None: {Outcome.UNDETERMINED}, WINDOW: {Outcome.ENDPOINT_ERROR}}


@pytest.mark.parametrize(
    "said",
    [
        "1. KD-1\n2. 4827\n3. no",
        "1) KD-1\n\n2) **4827**\n3) no",
        "**1.** KD-1\n**2.** 4827",
        "1、KD-1\n2、4827",
        "- 2: 4827",
        "（2）4827",
        "KD-1\n4827\nnone",
        "2. \n4827",
        "题1：KD-1\n题2：4827",
        "问题1：KD-1\n问题2：4827",
        "Here are the answers:\nQ1: KD-1\nQ2: 4827",
        "答案如下：\n第1题：KD-1\n第2题：**4827**",
        "1 — KD-1\n2 — 4827",
        "① KD-1\n②4827",
        "| # | Answer |\n|---|---|\n| 1 | KD-1 |\n| 2 | 4827 |",
    ],
)
def test_the_answer_of_a_line_is_read_however_lines_are_numbered(said: str) -> None:
    assert score_line(reply(said), 2, Expected(["4827"], others=["KD-1"])).passed


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("1. 4827\n2. KD-1", "swap: expected '4827' 9 turns back, got 'KD-1'"),
        ("1. 4827\n3. 4827", "format: no line of the number asked, got '1. 4827\\n3. 4827'"),
        ("4827", "format: no line of the number asked, got '4827'"),
        ("题1：4827\n题2：KD-1", "swap: expected '4827' 9 turns back, got 'KD-1'"),
        ("| 1 | 4827 |\n| 2 | KD-1 |", "swap: expected '4827' 9 turns back, got 'KD-1 |'"),
        ("①4827\n②KD-1", "swap: expected '4827' 9 turns back, got 'KD-1'"),
    ],
)
def test_the_answer_of_another_line_is_none(said: str, reason: str) -> None:
    found: Score = score_line(reply(said), 2, Expected(["4827"], others=["KD-1"], distance=9))
    assert (found.passed, found.reason) == (False, reason)
