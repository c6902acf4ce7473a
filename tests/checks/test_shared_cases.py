"""Replies that lie beside a checkout, and what is due for each: none of them is in the project."""

from __future__ import annotations

import json
from typing import Any

import pytest

from readiness.checks.long_context.document import NeedleQuestion
from readiness.checks.long_context.scoring_needles import score_answer
from readiness.checks.memory.scoring import Expected, score_recall
from readiness.checks.multilingual.scoring import Copy, switches
from readiness.checks.spanish.scoring import does, not_spanish
from readiness.checks.spanish.scoring_answers import Answer, Kind
from readiness.checks.tool_calling.scoring import Expected as ExpectedCall
from readiness.checks.tool_calling.scoring import mistaken
from readiness.reply import ToolCall
from readiness.score import Score
from readiness.scoring.strict_json import differences
from tests import SHARED
from tests.replies import reply

CASES = SHARED / "cases"
Case = dict[str, Any]

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")


def cases(name: str) -> list[Case]:
    found: list[Case] = json.loads((CASES / name).read_text("utf-8")) if CASES.is_dir() else []
    return found


def spanish(case: Case) -> Score:
    # The only date there is one of 2027.
    forms = ("2027-03-05",) if case["expected"] == "5 de marzo" else ()
    return does(reply(case["reply"]), Answer(case["expected"], Kind(case["kind"]), forms))


def memory(case: Case) -> Score:
    told = (case[of] for of in ("expected", "stale", "others", "marks"))
    return score_recall(reply(case["reply"]), Expected(*told))


def long_context(case: Case) -> Score:
    wanted, stale = tuple(case["expected"]), tuple(case["stale"])
    return score_answer(
        reply(case["reply"]), NeedleQuestion("q1", case["kind"], "?", wanted, stale)
    )


READERS = {"spanish": spanish, "memory": memory, "long_context": long_context}


@pytest.mark.parametrize("dimension", READERS)
def test_every_answer_comes_out_as_due(dimension: str) -> None:
    made = [each for each in cases("answers.json") if each["dim"] == dimension]
    other = [each for each in made if READERS[dimension](each).passed is not each["due"]]
    assert (other, len(made) >= 40) == ([], True)


def test_every_json_value_and_text_comes_out_as_due() -> None:
    made = cases("other.json")
    values = [each for each in made if "found" in each]
    texts = {each["scorer"]: each["text"] for each in made if "text" in each}
    assert [bool([*differences(each["expected"], each["found"])]) for each in values] == [True] * 2
    assert not_spanish(texts["spanish.not_spanish"])
    spoken = [
        (each["text"], each["scorer"][-3:-1])
        for each in made
        if each["scorer"].startswith("multilingual")
    ]
    assert [language_fault(*each) for each in spoken] == ["", "", ""]


def language_fault(text: str, language: str) -> str:
    """What is wrong with a text in its own turn, between two that are right."""
    turns = {
        "zh": "听见世界，也听见自己，每个音符都清晰入耳。",
        "en": "Hear the world, and hear yourself, all day long.",
        "ja": "世界の音を聞き、自分の声も聞こえる、毎日のイヤホンです。",
    }
    turns[language] = text
    return switches([reply(each) for each in turns.values()], Copy("", 1, (), {}, 0)).reason


def test_an_id_that_differs_in_its_last_digit_is_another_in_a_call() -> None:
    made = next(each for each in cases("other.json") if "tool_values" in each["scorer"])
    schema = {"properties": {name: {"type": "integer"} for name in made["expected"]}}
    call = ToolCall("1", "function", "f", json.dumps(made["found"]))
    assert mistaken(call, ExpectedCall("f", made["expected"]), schema)
