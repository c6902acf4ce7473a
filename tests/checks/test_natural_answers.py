"""Answers in the forms that real models give them, right and wrong, by every reader of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from readiness.checks.long_context.document import NeedleQuestion
from readiness.checks.long_context.scoring_needles import score_answer
from readiness.checks.memory.scoring import Expected, score_recall
from readiness.checks.spanish.scoring import does
from readiness.checks.spanish.scoring_answers import Answer, Kind
from readiness.score import Score
from tests.replies import reply

ANSWERS = Path(__file__).parent / "natural_answers.txt"
ASKED = {
    "total": "What is the order total of the oak shelf? 东区茶具的订单金额是什么？",
    "code": "What is the invoice number? 灯具发票的发票号码是什么？",
    "date": "What is the delivery date? 交货日期是什么？",
    "days": "By how many days is the delivery date of the oak shelf later? 交货日期晚多少天？",
    "phone": "林若溪的分机号是什么？",
    "file": "档案青石-12345的编号是多少？",
    "mark": "巡检标记青石-12345一共出现了几次？",
}
DAYS = ("2027-06-22", "6月22日", "2027-06-24", "6月24日")
EXPECTED = {
    "spanish stock": Answer("801", Kind.NUMBER, unit="tornillos", given=("923", "145", "267")),
    "spanish price": Answer("94.6", Kind.NUMBER, unit="euros", given=("110", "14")),
    "spanish cm": Answer("10.3", Kind.NUMBER, unit="centímetros", given=("103",)),
    "spanish min": Answer("2.5", Kind.NUMBER, unit="minutos"),
    "spanish weekday": Answer("viernes"),
    "spanish date": Answer("13 de octubre", forms=("2027-10-13",)),
    "spanish code": Answer("PED-4471"),
    "spanish city": Answer("Almería"),
    "spanish thing": Answer("lámpara"),
    "spanish phone": Answer("612 345 987"),
    "spanish name": Answer("Ana Belmonte"),
    "spanish sort": Answer("abeja, dátil, ñame, oveja", Kind.LIST),
    "spanish antonym": Answer("sucio", forms=("sucia",)),
    "spanish plural": Answer("lápices"),
    "spanish label": Answer("consulta"),
    "spanish digits": Answer("20417", Kind.FIGURES),
    "spanish letters": Answer("20417", Kind.LETTERS),
    "memory amount": Expected(
        ["4821"], ["3967"], ["5210", "KD-40213"], unit="euro", asked=ASKED["total"]
    ),
    "memory code": Expected(
        ["FP-61769", "FP 61769"], ["FP-61766"], ["KD-40213"], asked=ASKED["code"]
    ),
    "memory date": Expected(
        ["2027-06-22", "6月22日"],
        ["2027-06-15", "6月15日"],
        ["2027-07-22", "7月22日"],
        asked=ASKED["date"],
    ),
    "memory days": Expected(["2"], (), ["5210"], unit="day", beside=DAYS, asked=ASKED["days"]),
    "memory total": Expected(["15407"], (), ["5210"], unit="euro", beside=["8455", "6952"]),
    "memory absent": Expected([], (), ["4821", "FP-61766"]),
    "memory extension": Expected(["6147"], (), ["5210"], asked=ASKED["phone"]),
    "long lookup": NeedleQuestion("q1", "lookup", ASKED["file"], ("4712345",), depth=0.5),
    "long values": NeedleQuestion(
        "q1", "values", "?", ("1023111", "2044222", "3055333", "4066444")
    ),
    "long names": NeedleQuestion("q1", "names", "?", ("ABCDE", "FGHIJ", "KLMNO")),
    "long latest": NeedleQuestion("q1", "latest", "?", ("2059177",), ("1048213",)),
    "long count": NeedleQuestion("q1", "count", ASKED["mark"], ("7",)),
    "long absent": NeedleQuestion("q1", "absent", ASKED["file"], ()),
}


def answers() -> Iterator[tuple[str, str, str]]:
    """What is due for each answer, the task, and its text."""
    task = ""
    for line in ANSWERS.read_text("utf-8").splitlines():
        if line.startswith("## "):
            task = line[3:]
        elif line[:2] in ("+ ", "- ", "? "):
            yield line[0], task, json.loads(f'"{line[2:]}"')


def scored(task: str, text: str) -> Score:
    match EXPECTED[task]:
        case Answer() as wanted:
            return does(reply(text), wanted)
        case Expected() as wanted:
            return score_recall(reply(text), wanted)
        case NeedleQuestion() as question:
            return score_answer(reply(text), question)
        case _:
            raise TypeError(task)


@pytest.mark.parametrize("task", EXPECTED)
def test_a_right_answer_passes_and_a_wrong_one_never_does(task: str) -> None:
    made = [(due, text) for due, of, text in answers() if of == task]
    other = [(d, t) for d, t in made if d != "?" and scored(task, t).passed is not (d == "+")]
    assert (other, len(made) >= 5) == ([], True)
