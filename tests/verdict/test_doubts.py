"""Doubts: trials that pass and may show nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from readiness.probe import Probe
from readiness.reply import ToolCall
from readiness.score import PASSED, Outcome, Score, failed
from readiness.verdict.claim import Verdict
from readiness.verdict.result import Result, Trial, digest, replies_digest
from tests.replies import reply
from tests.verdict.test_result import result

UNSETTLED = Score(Outcome.UNDETERMINED, "who knows?")


def replied(*replies: str, expected: int, control: bool = False) -> Result:
    """Trials that pass, with these digests of replies, of so many different expectations."""
    trials = [
        Trial(
            f"n.{at}",
            at,
            PASSED,
            control=control,
            reply_digest=each,
            expected_digest=f"{at % expected}",
        )
        for at, each in enumerate(replies)
    ]
    return replace(result(*[PASSED] * len(trials)), trials=trials)


def test_one_reply_to_probes_that_expect_different_ones_shows_nothing() -> None:
    found = replied(*["same"] * 6, expected=5)
    assert found.doubts == ["the same reply to probes that expect 5 different ones"]
    assert found.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "found",
    [
        replied(*["same"] * 6, expected=4),  # may be a coincidence
        replied(*["same"] * 5, "other", expected=6),
        replied(*[""] * 6, expected=6),  # no reply is no reply of the same
        replied(*["same"] * 4, "", "", expected=6),  # four expectations had a reply
        replied(*["same"] * 6, expected=6, control=True),
        replied("same", expected=1),
    ],
)
def test_replies_that_differ_or_that_may_be_alike_leave_no_doubt(found: Result) -> None:
    assert found.doubts == []


def test_a_control_that_passes_or_a_trial_that_fails_leaves_no_doubt() -> None:
    found = result(PASSED, failed("wrong"))
    control = Trial("easy", 2, PASSED, control=True)
    assert replace(found, trials=[*found.trials, control]).doubts == []


@pytest.mark.parametrize("score", [failed("cut"), UNSETTLED])
def test_a_control_that_does_not_pass_keeps_all_others_from_ready(score: Score) -> None:
    found = result(*[PASSED] * 6)
    control = Trial("easy", 6, score, control=True)
    in_doubt = replace(found, trials=[*found.trials, control])
    assert (found.verdict, in_doubt.verdict) == (Verdict.READY, Verdict.INCONCLUSIVE)
    assert in_doubt.doubts == [f"control item easy: {score.reason}"]


def few(*scores: Score, defects_only: bool = True) -> Result:
    found = result(*scores)
    return replace(found, claim=replace(found.claim, defects_only=defects_only))


def test_only_trials_that_all_passed_and_are_few_by_plan_show_no_defect() -> None:
    control = Trial("easy", 2, failed("cut"), control=True)
    clean = few(PASSED, PASSED)
    rate = replace(clean, claim=replace(clean.claim, required=0.9, defects_only=False))
    found = [
        clean,
        rate,  # as inconclusive, but more trials would have shown it
        few(PASSED, PASSED, defects_only=False),
        few(PASSED, failed("wrong")),
        few(PASSED, UNSETTLED),
        replace(clean, trials=[*clean.trials, control]),
    ]
    assert [each.no_defect for each in found] == [True, *[False] * 5]


def test_a_digest_tells_values_and_not_empty_ones_apart() -> None:
    empty: list[object] = ["", {}, [], None]
    assert [digest(each) for each in empty] == [""] * 4
    assert digest({"n": 1}) == "fc6bfbc6c6c32538"
    values: list[object] = ["a", "b", ["a"], {"a": 1}, "\ud800"]
    assert len({digest(each) for each in values}) == 5


def test_replies_are_told_by_their_content_and_their_calls() -> None:
    said = reply("yes")
    called = replace(said, tool_calls=(ToolCall("1", "function", "search", "{}"),))
    found = [replies_digest(each) for each in ([], [said], [said, said], [called])]
    assert (found[0], len(set(found))) == ("", 4)
    assert replies_digest([replace(said, reasoning="hm")]) == found[1]


def test_a_trial_keeps_what_its_probe_says_of_it() -> None:
    probe = Probe("n", [], {"n": 1}, family="a", cluster="c", control=True, places={"turn": 3})
    made = Trial.of(probe, 4, PASSED, iter([7, 8]), "said")
    assert made == Trial(
        "n", 4, PASSED, (7, 8), {"family": "a"}, {"turn": 3}, "c", True, "said", digest({"n": 1})
    )
