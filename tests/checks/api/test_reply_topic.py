"""Whether a reply has to do with its request: what counts, and what is not judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.api.reply_topic import RequestKind, topic_of
from readiness.checks.api.run_evidence import Observed, Service
from readiness.checks.api.scoring_whole_run import score_topics
from readiness.reply import ToolCall
from readiness.score import Outcome
from tests.reference_in_process import reply

GERMAN = "Der Regionalzug nach Kassel fährt heute von Gleis sieben ab."
KOREAN = "오늘은 날씨가 맑아서 많은 사람들이 강가를 걷고 있으며 저녁에는 비가 올 것입니다."
CHINESE = "好的，我来帮您看一下这个问题，请稍等片刻，我正在查询相关的资料。"


def asking(text: str, **parameters: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **parameters}


@pytest.mark.parametrize(
    ("asked", "said", "answered"),
    [
        ("Reply with the word OK.", "Ok!", True),
        ("Reply with the word north.", "Of course: NORTH", True),
        ("Reply with the word north.", GERMAN, False),
        ("List the numbers from 1 to 40, separated by commas.", "1, 2", True),
        ("List the numbers from 1 to 40, separated by commas.", "Sure: 1, 2, 3", True),
        ("List the numbers from 1 to 40, separated by commas.", f"{GERMAN} 17", False),
    ],
)
def test_what_the_wording_fixes_is_there_or_not(asked: str, said: str, answered: bool) -> None:
    found = topic_of(asking(asked), reply(said))
    assert (found.asked is not None, found.answered) == (True, answered)


TOOLS = [{"type": "function", "function": {"name": "read_note"}}]
SCHEMA = {"type": "object", "properties": {"城市": {}, "age": {}}, "required": ["城市", "age"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "record", "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ('{"城市": "Lima", "age": 31}', True),
        ('{"\\u57ce\\u5e02": "Lima"}', True),
        ('{"ticket": 7741}', False),
        (GERMAN, False),
    ],
)
def test_a_schema_asks_for_its_keys(said: str, answered: bool) -> None:
    found = topic_of(asking("Who is it?", response_format=FORMAT), reply(said))
    assert (found.asked is not None, found.answered) == (True, answered)


def test_what_is_to_be_refused_fixes_nothing() -> None:
    for asked in (
        asking("Who is it?", response_format=FORMAT),
        asking("Which note is 7?", tools=TOOLS, tool_choice="required"),
    ):
        found = topic_of(asked, reply("I cannot help with that."), refusable=True)
        assert (found.asked, found.answered) == (None, True)
    foreign = topic_of(asking("Who is it?"), reply("Этого я не знаю, извините."), refusable=True)
    assert foreign.foreign


@pytest.mark.parametrize(
    ("name", "choice", "answered"),
    [
        ("read_note", "auto", True),
        ("open_ticket", "auto", False),
        ("read_note", "required", True),
        ("", "required", False),
    ],
)
def test_tools_ask_for_a_call_of_one_of_them(name: str, choice: str, answered: bool) -> None:
    said = reply("A note.")
    if name:
        said = replace(said, tool_calls=(ToolCall("c1", "function", name, "{}"),))
    found = topic_of(asking("Which note is 7?", tools=TOOLS, tool_choice=choice), said)
    assert (found.asked is not None, found.answered) == (True, answered)


def test_text_beside_tools_that_need_not_be_called_is_not_judged() -> None:
    assert topic_of(asking("Which note is 7?", tools=TOOLS), reply(GERMAN)).asked is None


def test_a_topic_names_the_kinds_of_its_request() -> None:
    asked = asking("Who is it?", response_format=FORMAT, tools=TOOLS, stream=True)
    kinds = {RequestKind.STREAMED, RequestKind.TOOLS, RequestKind.SCHEMA}
    assert topic_of(asked, reply("{}")).kinds == kinds
    assert topic_of(asking("Who is it?"), reply("Ana")).kinds == {RequestKind.WHOLE}


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (asking("What is a library?"), GERMAN),
        (asking("Reply with the word OK.", stop=["O"]), GERMAN),
        (asking("Reply with the word OK."), "  "),
        ({"messages": None}, GERMAN),
    ],
)
def test_what_nothing_fixes_is_not_judged(request_: dict[str, Any], said: str) -> None:
    assert topic_of(request_, reply(said)).asked is None


@pytest.mark.parametrize(
    ("asked", "said", "foreign"),
    [
        ("What is a library?", CHINESE, True),
        ("图书馆是什么？", KOREAN, True),
        ("图书馆是什么？", CHINESE, False),
        ("图书馆是什么？", GERMAN, False),  # In Latin letters any model may answer.
        ("What is a library? Answer in Korean.", KOREAN, False),
        ("Now the same: KO", KOREAN, False),
        ("What is a library?", "도서관", False),  # Too short to tell.
        ("What is a library?", f"{GERMAN} {KOREAN[:12]}", False),
    ],
)
def test_a_script_that_nobody_asked_for_is_foreign(asked: str, said: str, foreign: bool) -> None:
    assert topic_of(asking(asked), reply(said)).foreign is foreign


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_is_too_odd_to_be_looked_at(asked: str, said: str) -> None:
    found = topic_of(asking(asked), reply(said))
    assert not (found.foreign and not found.script)


def observed(asked: str, *said: str, first: int = 0, stream: bool = False) -> list[Observed]:
    topics = (topic_of(asking(asked, stream=stream), reply(each)) for each in said)
    return [
        Observed(first + at, False, 0.0, Service.ANSWERED, topic=each)
        for at, each in enumerate(topics)
    ]


def outcome(*seen: Observed) -> Outcome:
    return score_topics(seen)[0].outcome


def test_a_share_of_strays_fails_and_a_single_one_does_not() -> None:
    asked = "Reply with the word OK."
    assert outcome(*observed(asked, *["OK"] * 199, GERMAN)) is Outcome.PASS
    assert outcome(*observed(asked, *["OK"] * 197, *[GERMAN] * 3)) is Outcome.UNDETERMINED
    assert outcome(*observed(asked, *["OK"] * 192, *[GERMAN] * 8)) is Outcome.FAIL
    assert outcome(*observed("What is it?", *[GERMAN] * 192, *[CHINESE] * 8)) is Outcome.FAIL


@pytest.mark.parametrize(
    ("streams", "strays", "due"),
    [(50, 2, Outcome.PASS), (50, 4, Outcome.FAIL), (100, 8, Outcome.FAIL), (400, 4, Outcome.PASS)],
)
def test_strays_of_one_kind_of_request_count_by_themselves(
    streams: int, strays: int, due: Outcome
) -> None:
    asked = "Reply with the word OK."
    said = [*["OK"] * (streams - strays), *[GERMAN] * strays]
    whole = observed(asked, *["OK"] * 1_000)
    score, shown = score_topics([*whole, *observed(asked, *said, first=1_000, stream=True)])
    named = due is Outcome.FAIL
    assert (score.outcome, len(shown)) == (due, strays if named else 0)
    assert ("streamed" in score.reason) is named


def test_what_a_model_never_does_is_its_own_limit() -> None:
    able, unable = "Reply with the word OK.", "Reply with the word north."
    strays = observed(unable, *[GERMAN] * 80, first=100)
    assert outcome(*observed(able, *["OK"] * 100), *strays[:40]) is Outcome.PASS
    assert outcome(*observed(able, *["OK"] * 20), *strays) is Outcome.UNDETERMINED
