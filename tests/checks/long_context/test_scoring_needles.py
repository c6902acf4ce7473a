from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.checks.long_context.document import DocumentAnswers, KeyFigure, NeedleQuestion
from readiness.checks.long_context.scoring_needles import answers, score_answer, score_summary
from readiness.score import Outcome
from tests.reference_in_process import reply

# Scoring of answers


LOOKUP = NeedleQuestion("q1", "lookup", "?", ("4712345",), depth=0.5)
LATEST = NeedleQuestion("q1", "latest", "?", ("2000000",), ("1000000",))
ANNEXES = NeedleQuestion("q1", "values", "?", ("1000000", "2000000"))
VARIABLES = NeedleQuestion("q1", "names", "?", ("ABCDE", "FGHIJ"))
SEEN = NeedleQuestion("q1", "count", "巡检标记青石-12345一共出现了几次？", ("7",))
ABSENT = NeedleQuestion("q1", "absent", "档案青石-12345的编号是多少？", ())


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (LATEST, "2000000（原为1000000）"),
        (LATEST, "2000000 (was 1000000)"),
        (LATEST, "1000000，后更正为2000000"),
        (LATEST, "从1000000改为2000000"),
        (LATEST, "1000000→2000000"),
        (ANNEXES, "1000000 和 2000000，不含 3000000"),
        (ANNEXES, "2000000-1000000"),
        (VARIABLES, "abcde and FGHIJ"),
        (VARIABLES, "These variables: ABCDE and FGHIJ"),
        (VARIABLES, "ABCDE, FGHIJ, but not KLMNO"),
        (SEEN, "第1行和第9行…共7次"),
        (SEEN, "巡检标记青石-12345出现7次"),
        (SEEN, "seven"),
        (SEEN, "7（见第12、40节）"),
        (ABSENT, "档案青石-12345没有编号记录"),
        (ABSENT, "absent"),
        (ABSENT, "日志里没有。"),
        (ABSENT, "The log does not say."),
        (ABSENT, "该档案不存在"),
    ],
)
def test_a_right_answer_may_say_more(question: NeedleQuestion, value: str) -> None:
    assert score_answer(reply(json.dumps({"q1": value})), question).reason == ""


@pytest.mark.parametrize(
    "text",
    [
        '{"q1": "4712345"}',
        '{"q1": 4712345}',
        '{"q1": "４７１２３４５"}',
        '{"q1": "4,712,345"}',
        '{"q1": "四百七十一万二千三百四十五"}',
        '{"q1": ["4712345"]}',
        '{"q1": {"number": "4712345"}}',
        'HC-12345\n```json\n{"q1": "编号4712345"}\n```',
        "{flaws}\nq1: 4712345",
        "1. **q1**：4712345",
        '{"answers": {"q1": "4712345"}}',
        '{"result": [{"Q1": 4712345}]}',
        '[{"question": "q1", "answer": "4712345"}, {"question": "q2", "answer": "9999999"}]',
        "| 题号 | 答案 |\n|---|---|\n| q1 | 4712345 |\n| q2 | 9999999 |",
        "q1:\n- 4712345\nq2:\n- 9999999",
        "**q1**\n\n4712345\n\n**q2**\n\n9999999",
        "Q1 = 4712345",
        "q1 - 4712345",
        "Q1. 4712345",
        '{"q1": "4712345，不是9999999"}',
        '{"q1": "4 712 345"}',
        '{"q1": "第12节：4712345"}',
    ],
)
def test_an_answer_counts_in_any_form(text: str) -> None:
    assert score_answer(reply(text), LOOKUP).reason == ""


@pytest.mark.parametrize(
    ("question", "value", "why"),
    [
        (LOOKUP, "4712346", "1 of 1 not found"),
        (LOOKUP, "无", "not found"),
        (LOOKUP, "", "no answer"),
        (LOOKUP, ["4712345", 1, 2], "3 values are no answer"),
        (LOOKUP, "4712345 or 5823456", "4712345 as alternative"),
        (LOOKUP, "4712345，或者58", "4712345 as alternative"),
        (LOOKUP, "4712345、5823456", "2 values are no answer"),
        (LOOKUP, "4712345, no, wait: 5823456", "1 of 1 not found"),
        (LOOKUP, "不是4712345", "no answer"),
        (LOOKUP, "-4712345", "1 of 1 not found"),
        (LOOKUP, "47123450", "1 of 1 not found"),
        (LOOKUP, "4712345%", "4712345 as an amount"),
        (LATEST, "1000000 or 2000000", "stale"),
        (LATEST, "2000000（原为1000000），现为3000000", "2 values are no answer"),
        (LATEST, "原为2000000，现为1000000", "stale"),
        (ANNEXES, ["1000000", "2000000", "3000000"], "3 values are no answer"),
        (VARIABLES, "ABCDE, FGHIJ, KLMNO", "3 values are no answer"),
        (SEEN, "7 or 8", "miscounted"),
        (SEEN, "7-8次", "miscounted"),
        (SEEN, "8次，共7节", "miscounted"),
        (SEEN, "第7行", "miscounted"),
        (SEEN, "17次", "miscounted"),
        (ABSENT, "没有记录，可能是4712345", "hallucinated"),
        (ABSENT, "无法回答", "hallucinated"),
        (
            NeedleQuestion("q1", "latest", "?", ("2000000",), ("1000000",)),
            "2000000→1000000",
            "stale",
        ),
        (
            NeedleQuestion("q1", "values", "?", ("1000000", "2000000")),
            "1000000",
            "1 of 2 not found",
        ),
        (NeedleQuestion("q1", "names", "?", ("ABCDE", "FGHIJ")), "ABCDE", "1 of 2 not found"),
        (NeedleQuestion("q1", "count", "?", ("7",)), "8", "miscounted"),
        (NeedleQuestion("q1", "absent", "?", ()), "4712345", "hallucinated"),
        (NeedleQuestion("q1", "absent", "?", ()), "", "hallucinated"),
    ],
)
def test_a_wrong_answer_says_why(question: NeedleQuestion, value: Any, why: str) -> None:
    score = score_answer(reply(json.dumps({"q1": value})), question)
    assert (score.outcome, score.reason.endswith(why)) == (Outcome.FAIL, True)


@pytest.mark.parametrize("value", ["无", "none", "Not mentioned in the log.", None, [], "没有记录"])
def test_absence_may_be_stated_in_many_ways(value: Any) -> None:
    asked = NeedleQuestion("q12", "absent", "?", ())
    assert score_answer(reply(json.dumps({"q12": value})), asked).passed


@given(st.lists(st.integers(10**6, 10**7 - 1), min_size=3, max_size=30, unique=True))
def test_an_answer_that_lists_every_number_scores_nothing(values: list[int]) -> None:
    text = json.dumps({"q1": list(map(str, values))})
    questions = [dataclasses.replace(LOOKUP, wanted=(str(each),)) for each in values]
    assert [each for each in questions if score_answer(reply(text), each).passed] == []


@given(
    st.integers(10**6, 10**7 - 1),
    st.sampled_from(["{}", "{:,}", " {} ", "是{}。", "No. {}", "**{}**", "{}（已确认）"]),
)
def test_a_number_is_found_in_every_form(value: int, form: str) -> None:
    question = dataclasses.replace(LOOKUP, wanted=(str(value),))
    right, wrong = (json.dumps({"q1": form.format(each)}) for each in (value, value ^ 1))
    assert (
        score_answer(reply(right), question).passed,
        score_answer(reply(wrong), question).passed,
    ) == (
        True,
        False,
    )


@given(st.text(max_size=200))
def test_any_text_can_be_scored(text: str) -> None:
    assert isinstance(answers(text), dict)
    assert score_answer(reply(text), LOOKUP).outcome is Outcome.FAIL


# Scoring of summaries


FIGURES = tuple(
    KeyFigure(f"指标{chr(0x4E10 + n)}数", str(40_000 + 11 * n), f"2027-03-{n + 1:02}")
    for n in range(20)
)
WRONG_NUMBER = KeyFigure("净利润", "73519", "2027-03-01")
WRONG_DATE = KeyFigure("净利润", "12", "2028-01-01")
REPORT = DocumentAnswers("HC-10000", figures=FIGURES, end="【完】")


def summary(figures: Sequence[KeyFigure], end: str = "【完】") -> str:
    return "\n".join([*(f"- {each.name}：{each.number}件，{each.date}" for each in figures), end])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (summary(FIGURES), ""),
        (summary(FIGURES[:18]), ""),
        (summary(FIGURES, "**【完】**"), ""),
        ("摘要（不超过800字）\n" + summary(FIGURES), ""),
        (summary(FIGURES[:17]), "17 of 20 figures; 17 of 20 dates, got"),
        (summary([*FIGURES, WRONG_NUMBER]), "hallucinated: 73519, got"),
        (summary([*FIGURES, WRONG_DATE]), "hallucinated: 2028-01-01, got"),
        (summary(FIGURES, ""), "ends with"),
        (
            summary([dataclasses.replace(each, number=FIGURES[n - 1].number)
                     for n, each in enumerate(FIGURES)]),
            "0 of 20 figures, got",
        ),
    ],
)  # fmt: skip
def test_a_summary_is_scored_by_its_figures(text: str, why: str) -> None:
    reason = score_summary(reply(text), REPORT).reason
    assert (reason[: len(why)], bool(reason)) == (why, bool(why))


@given(st.permutations(FIGURES), st.integers(0, 20))
def test_a_summary_is_scored_in_any_order(order: list[KeyFigure], stated: int) -> None:
    assert score_summary(reply(summary(order[:stated])), REPORT).passed == (stated >= 18)
