"""Pairs of requests: what must agree, and what another parameter must change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from readiness.checks.api import check_pairs
from readiness.checks.api.requests import reproduced
from readiness.checks.api.scoring_pairs import (
    score_alike,
    score_copies,
    score_formatted,
    score_limited,
    score_own_words,
    score_sampled,
    score_stop_cut,
    score_stopped,
    score_unlimited,
)
from readiness.mutants.api import flaws_caches, flaws_pairs
from readiness.mutants.api.requests import JSON
from readiness.mutants.catalog import FLAWLESS, find
from readiness.mutants.endpoint.answer import Request, SubstituteResponse
from readiness.mutants.flaw import Flaw
from readiness.reply import ToolCall, Usage
from readiness.score import PASSED, Outcome, Score, failed
from readiness.verdict.claim import Verdict
from tests.checks.api.reference_over_http import CHECKS, failing
from tests.replies import reply

PAIRS = [each for each in CHECKS.values() if each.attempt.__module__ == check_pairs.__name__]
CUTS = CHECKS["api.stop_cuts_same_text"]
FLAWS = [*flaws_pairs.FLAWS, *flaws_caches.FLAWS]
BROKEN = [each for each in FLAWS if not each.harmless]
TWINS = [each for each in FLAWS if each.harmless]
OTHERS = [find(name) for name in ("bare", "reasoning", "usage_in_every_chunk", "characters_split")]


@pytest.mark.parametrize("flaw", BROKEN, ids=lambda flaw: flaw.name)
def test_a_flaw_fails_its_own_check_or_leaves_it_open(flaw: Flaw) -> None:
    found = failing(PAIRS, flaw)
    outcome = "fail" if flaw.expected_verdict is Verdict.NOT_READY else "undetermined"
    assert found.get(flaw.check, "").startswith(f"{outcome}: ")


@pytest.mark.parametrize("twin", [FLAWLESS, *TWINS, *OTHERS], ids=lambda flaw: flaw.name)
def test_a_harmless_twin_passes(twin: Flaw) -> None:
    assert failing(PAIRS, twin) == {}


TEXT = "a:\n\n  b\n\n  c"
UNDETERMINED = Outcome.UNDETERMINED


@pytest.mark.parametrize(
    ("whole", "streamed", "outcome", "reason"),
    [
        (TEXT, TEXT, Outcome.PASS, ""),
        (TEXT, "a:\n  b\n  c", Outcome.FAIL, "the stream has other white space"),
        ("a:\n  b\n  c", TEXT, Outcome.FAIL, "the whole reply has other white space"),
        ("a: b c", "a:b c", Outcome.FAIL, "the stream has other white space"),
        (TEXT, "a:\n\n  b\n\n  d", Outcome.FAIL, "the stream has another text"),
        ("x", TEXT, Outcome.FAIL, "the whole reply has another text"),
        ("OK", "OK", UNDETERMINED, "the model does not copy the text"),
        ("a b c", "a c b", UNDETERMINED, "the model does not copy the text"),
    ],
)
def test_copies_agree_in_what_no_sampling_changes(
    whole: str, streamed: str, outcome: Outcome, reason: str
) -> None:
    found = score_copies(reply(whole), reply(streamed), TEXT)
    assert (found.outcome, found.kind) == (outcome, reason)


COPIED = "a:\n\n  isn't  <b>c & d</b>\n\n\tdeux ? 完：\n\nend"


@pytest.mark.parametrize(
    ("came", "damage"),
    [
        (COPIED.replace("<b>", "").replace("</b>", ""), "tags are lost"),
        (COPIED.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
         "special characters are escaped"),
        (COPIED.replace("'", "''"), "apostrophes are doubled"),
        (COPIED.replace("：", ":"), "characters are replaced by similar ones"),
        (COPIED.replace("x ?", "x?"), "spaces before punctuation are lost"),
        (COPIED.removeprefix("a"), "the first character is lost"),
        (COPIED.replace("c & d", "c &d").replace("deux ?", "deux?"), ""),
        (COPIED.replace("deux ? 完", "deux ?完"), ""),
        (COPIED.replace("  ", " "), "runs of spaces are cut"),
        (COPIED.replace("\n  ", "\n").replace("\t", ""), "indentation is lost"),
        (COPIED.replace("\t", "    "), ""),
        (COPIED.replace("\n  ", "\n\u3000\u3000").replace("\t", ""), "indentation is lost"),
        (COPIED.replace("end", "the end"), ""),
        (f"Here it is:\n{COPIED}", ""),
    ],
)  # fmt: skip
def test_a_copy_shows_what_happens_to_all_texts_alike(came: str, damage: str) -> None:
    found = score_copies(reply(came), reply(came), COPIED)
    wanted = Outcome.FAIL if damage else Outcome.PASS
    assert (found.outcome, found.kind) == (wanted, damage)


TOOLS = [{"type": "function", "function": {"name": "convert_money"}}]


@pytest.mark.parametrize(
    ("name", "outcome"), [("convert_money", UNDETERMINED), ("", Outcome.FAIL), ("a", Outcome.FAIL)]
)
def test_a_call_in_the_place_of_a_copy_is_a_slip_where_there_is_such_a_tool(
    name: str, outcome: Outcome
) -> None:
    called = reply("", tool_calls=(ToolCall("1", "function", name, "{}"),))
    for pair in ((reply(TEXT), called), (called, reply(TEXT)), (called, called)):
        assert score_copies(*pair, TEXT, TOOLS).outcome is outcome


def test_white_space_around_a_copy_is_nothing_of_the_text() -> None:
    assert score_copies(reply(TEXT), reply(f"\n\n{TEXT}\n"), TEXT) == PASSED


def test_half_of_the_copies_come_beside_tools_where_the_endpoint_takes_any() -> None:
    probes = check_pairs.stream_matches_whole.probes(0, 4)
    offered = [["tools" in each.within(of, None).parameters for each in probes]
               for of in ((), ("tools",))]  # fmt: skip
    assert offered == [[False, True, False, True], [False] * 4]
    beside = [each.expect["text"] for each in probes if each.needs]
    assert [text.startswith("{") for text in beside] == [False, True]
    assert [each.within(("tools",), None).messages for each in probes] == [
        each.messages for each in probes
    ]


def test_a_copy_that_stops_in_the_middle_lacks_its_end_and_a_limit_does_not() -> None:
    part = COPIED.partition("\tdeux")[0]
    stopped, cut = reply(part), reply(part, finish="length")
    assert score_copies(stopped, stopped, COPIED).kind == "the end is lost"
    assert score_copies(cut, cut, COPIED).outcome is Outcome.PASS


def test_words_that_are_joined_are_damage_and_slips_are_not() -> None:
    text = "one two\nthree four\nfive six\nseven"
    joined, slip = reply(text.replace("three four", "threefour")), reply(text.replace("six", "sex"))
    assert score_copies(joined, joined, text).kind == "spaces between words are lost"
    assert score_copies(slip, slip, text).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("free", "stopped", "outcome", "reason"),
    [
        ("1, 2, 3", "1, 2,", Outcome.PASS, ""),
        ("1, 2, 3", "1, 2, ", Outcome.PASS, ""),
        ("1, 2, 3", "1, 2, 3", Outcome.FAIL, "the text contains the stop sequence '3'"),
        ("1, 2, 3", "1,", Outcome.FAIL, "text before the stop is lost"),
        ("1, 2, 3", "1, 2, (", Outcome.FAIL, "the stop leaves its beginning"),
        ("one, two", "one", UNDETERMINED, "the model does not write the stop"),
        ("1, 2, 3", "one, two", UNDETERMINED, "the model writes another text"),
    ],
)
def test_a_stop_cuts_the_same_text(free: str, stopped: str, outcome: Outcome, reason: str) -> None:
    found = score_stop_cut(reply(free), reply(stopped), ["3"])
    assert (found.outcome, found.kind) == (outcome, reason)


def test_paragraphs_that_lack_their_wide_spaces_are_a_slip_of_the_model() -> None:
    text = "a：\n\n\u3000\u3000港口在清晨很安静。\n\u3000\u3000船并排停着\n完"
    copy = reply(text.replace("\u3000", ""))
    assert score_copies(copy, copy, text) == PASSED


def test_pairs_that_differ_otherwise_each_time_are_slips_and_alike_they_are_damage() -> None:
    slip = "a:\n\n  b\n  c"
    pairs_ = [(TEXT, slip), (TEXT, slip), (slip, TEXT)]
    scores = [score_copies(reply(whole), reply(streamed), TEXT) for whole, streamed in pairs_]
    assert score_alike(scores[:2]) == scores[0]
    assert score_alike(scores).outcome is UNDETERMINED
    assert score_alike([*scores[:2], PASSED]).outcome is UNDETERMINED
    assert score_alike([PASSED]) == PASSED


@pytest.mark.parametrize(
    ("attempts", "outcome", "made"),
    [
        ([PASSED], Outcome.PASS, 1),
        ([failed("a"), failed("b")], Outcome.FAIL, 2),
        ([failed("a"), PASSED, failed("b")], Outcome.FAIL, 3),
        ([failed("a"), PASSED, PASSED], UNDETERMINED, 3),
    ],
)
def test_an_attempt_that_fails_is_never_retried_until_it_passes(
    attempts: list[Score], outcome: Outcome, made: int
) -> None:
    left = [*attempts, PASSED]

    async def attempt() -> Score:
        return left.pop(0)

    assert asyncio.run(reproduced(attempt)).outcome is outcome
    assert len(left) == len(attempts) + 1 - made


def test_tokens_of_reasoning_that_is_not_shown_differ_with_the_same_text() -> None:
    whole = replace(reply(TEXT), usage=Usage(20, 400, reasoning=384))
    streamed = replace(reply(TEXT), usage=Usage(20, 208, reasoning=192))
    assert score_copies(whole, streamed, TEXT) == PASSED
    spoken = replace(reply(TEXT), usage=Usage(20, 208))
    assert score_copies(replace(whole, usage=Usage(20, 400)), spoken, TEXT).outcome is Outcome.FAIL


def test_a_stop_that_ends_the_reasoning_shows_nothing_of_the_text() -> None:
    thought = reply("", reasoning="They want 1, 2, ")
    assert score_stop_cut(reply("1, 2, 3"), thought, ["3"]).outcome is UNDETERMINED
    assert score_stop_cut(reply("1, 2, 3"), reply(""), ["3"]).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("stopped", "outcome"),
    [
        ("the harbour", Outcome.PASS),
        ("the harbour\n", Outcome.PASS),
        ("the", Outcome.FAIL),
        ("the har", UNDETERMINED),
        ("a harbour", UNDETERMINED),
        ("", UNDETERMINED),
    ],
)
def test_an_end_that_begins_a_stop_has_to_follow(stopped: str, outcome: Outcome) -> None:
    stops = ["harbour two", "harbour. two"]
    assert score_stop_cut(reply("the harbour"), reply(stopped), stops).outcome is outcome
    assert score_stop_cut(reply("the h"), reply("the h"), stops).outcome is UNDETERMINED


def test_a_text_that_begins_with_the_stop_leaves_nothing_to_compare() -> None:
    assert score_stop_cut(reply("\n\n1\n\n2"), reply("1"), ["\n\n"]).outcome is UNDETERMINED
    assert score_stop_cut(reply("\n\n1\n\n2"), reply(""), ["\n\n"]) == PASSED


def test_a_stop_that_comes_early_shows_nothing_of_late_ones() -> None:
    assert score_stop_cut(reply("1, 2, 3"), reply("1, 2,"), ["3"], 6) == PASSED
    early = score_stop_cut(reply("1, 2, 3"), reply("1, 2,"), ["3"], 7)
    assert (early.outcome, early.kind) == (UNDETERMINED, "too short to tell")
    assert score_stop_cut(reply("1, 2, 3"), reply("1,"), ["3"], 7).outcome is Outcome.FAIL


def test_a_stop_may_be_refused_with_a_message_alone_and_the_others_are_honoured_then() -> None:
    """One of white space, and one of more than twenty characters."""
    refused, within = find("api_long_stop_refused"), find("api_stop_within_256")

    def silent(request: Request, turn: int) -> SubstituteResponse | None:
        return SubstituteResponse(400, b"{}", JSON) if refused.intercept(request, turn) else None

    def ignores(request: Request) -> Request:
        return request if refused.intercept(request, 0) else within.change_request(request)

    flaws = [
        refused,
        replace(refused, intercept=silent),
        replace(refused, change_request=ignores),
    ]
    reasons = [failing([CUTS], each).get(CUTS.id, "") for each in flaws]
    assert [each[:50] for each in reasons] == [
        "",
        "fail: the error has no message: HTTP 400 with '{}'",
        "fail: the text contains the stop sequence 'on boar",
    ]


def test_a_change_that_has_no_effect_is_a_cache_only_where_the_answer_is_the_same() -> None:
    before = reply("1, 2, 3")
    assert score_stopped(before, reply("1, 2, "), "3").outcome is Outcome.PASS
    assert score_stopped(before, before, "3").outcome is Outcome.FAIL
    assert score_stopped(before, reply("1, 2, 3, 4"), "3").outcome is UNDETERMINED
    assert score_formatted(before, reply('{"a": 1}'), {"type": "object"}).outcome is Outcome.PASS
    assert score_formatted(before, before, {"type": "object"}).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("told", "came", "outcome"),
    [
        ("amber-417.", "It is Amber-912.", Outcome.PASS),
        ("amber-417", "amber-417", Outcome.FAIL),
        ("amber-417", "amber-417, or amber-912", Outcome.PASS),
        ("amber-417", "I do not know", UNDETERMINED),
        ("I do not know", "amber-417", UNDETERMINED),
        ("Laser-828.", "Laser-828.", Outcome.FAIL),
        ("laser-828", "cedar-311", UNDETERMINED),
        ("I do not know", "I do not know", UNDETERMINED),
    ],
)
def test_the_word_of_the_request_before_is_an_answer_to_it(
    told: str, came: str, outcome: Outcome
) -> None:
    found = score_own_words(reply(told), reply(came), ["amber-417", "amber-912"])
    assert found.outcome is outcome


def test_what_is_drawn_anew_is_another_text_unless_it_is_short() -> None:
    long = "one two three four " * 6
    assert score_sampled([long, f"{long}a", f"{long}b"]).outcome is Outcome.PASS
    assert score_sampled([long, f"{long}a", f"{long}a"]).outcome is Outcome.FAIL
    assert score_sampled(["OK", "OK", "OK"]).outcome is UNDETERMINED


def test_a_request_that_differs_in_a_number_differs_in_nothing_else() -> None:
    pairs = [
        (probe.messages, probe.expect["changed"], probe.expect["words"])
        for probe in CHECKS["api.message_change_honoured"].probes(3, 8)
    ]
    assert [str(asked).replace(*words) == str(changed) for asked, changed, words in pairs] == [
        True
    ] * 8
    assert all(one != other for _, _, (one, other) in pairs)


COUNTED = ", ".join(map(str, range(15, 45)))


@pytest.mark.parametrize(
    ("tokens", "outcome"),
    [(59, Outcome.PASS), (70, Outcome.PASS), (88, Outcome.FAIL), (44, Outcome.FAIL)],
)
def test_a_text_counts_as_its_beginning_does(tokens: int, outcome: Outcome) -> None:
    whole = replace(reply(COUNTED), usage=Usage(20, tokens))
    cut = replace(reply(COUNTED[:47], finish="length"), usage=Usage(20, 24))
    assert score_limited(whole, cut, 24).outcome is outcome
    hidden = replace(whole, usage=Usage(20, tokens, reasoning=tokens // 2))
    assert score_limited(hidden, cut, 24).passed


def test_a_word_before_a_list_shows_nothing_of_its_tokens() -> None:
    text = f"Sure! Here are the numbers that you asked for, all of them: {COUNTED}"
    whole = replace(reply(text), usage=Usage(20, 133))
    cut = replace(reply(text[:67], finish="length"), usage=Usage(20, 24))
    assert score_limited(whole, cut, 24).passed


def test_a_short_reply_shows_nothing_of_a_limit_or_a_stop() -> None:
    brief = replace(reply("15, 16"), usage=Usage(20, 5))
    assert score_limited(brief, brief, 24).outcome is UNDETERMINED
    assert score_limited(reply("15, 16"), reply("15, 16"), 24).outcome is UNDETERMINED
    assert score_unlimited(brief, brief).outcome is UNDETERMINED
    assert score_stopped(brief, brief, "29").outcome is UNDETERMINED


def test_the_reply_to_another_limit_is_no_reply_to_this_one() -> None:
    whole = replace(reply(COUNTED), usage=Usage(20, 59))
    cut = replace(reply(COUNTED[:47], finish="length"), usage=Usage(20, 24))
    assert score_limited(whole, whole, 24).outcome is Outcome.FAIL
    assert score_unlimited(cut, cut).outcome is Outcome.FAIL
    assert score_unlimited(cut, whole) == PASSED
