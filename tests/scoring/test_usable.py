"""What makes a reply no text to read."""

from __future__ import annotations

from typing import Any

import pytest

from readiness.protocol.completion import read
from readiness.reply import Reply
from readiness.score import Outcome, Score
from readiness.scoring.usable import defective, unusable
from tests.exchanges import CALL, answered, said


def reply(content: Any = "Hello", finish: Any = "stop", **message: Any) -> Reply:
    return read(answered(said(content, finish, **message)))


OTHER = {**CALL, "id": "c2", "function": {"name": "other", "arguments": "{}"}}


def test_a_reply_with_text_can_be_read() -> None:
    assert (unusable(reply()), defective(())) == (None, None)


@pytest.mark.parametrize(
    ("found", "outcome", "reason"),
    [
        (reply(""), Outcome.FAIL, "format: no text"),
        (reply(" \n"), Outcome.FAIL, "format: no text"),
        (reply(None), Outcome.FAIL, "format: no text"),
        (reply("Hi", tool_calls=[CALL, OTHER]), Outcome.FAIL, "format: a call of 'look'"),
        (reply("First", "content_filter"), Outcome.BLOCKED, "blocked by a filter: 'First'"),
        (reply("Hello", None), Outcome.FAIL, "no finish_reason: None"),
        (reply("", None), Outcome.FAIL, "no finish_reason: None"),
    ],
)
def test_what_a_reply_has_in_place_of_text_is_told(
    found: Reply, outcome: Outcome, reason: str
) -> None:
    score = unusable(found)
    assert score is not None
    assert (score.outcome, score.reason) == (outcome, reason)


def test_defects_are_all_told_and_are_of_one_kind_whatever_is_quoted() -> None:
    found = reply("a\ud83d", 7)
    assert defective(found.defects) == Score(
        Outcome.FAIL,
        "no finish_reason: 7; lone surrogate in the text: '\\ud83d'",
        kind="no finish_reason; lone surrogate in the text",
    )
