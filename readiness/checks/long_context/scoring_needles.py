"""Scoring of needles found and of a summary that covers all of a document."""

from __future__ import annotations

import json
import re
from typing import Any

from readiness.checks.long_context.document import DocumentAnswers, KeyFigure, NeedleQuestion
from readiness.reply import Reply
from readiness.resources import prompts
from readiness.score import PASSED, Measure, Score, failed
from readiness.scoring.values import dates, normalise, numbers

_DECODER = json.JSONDecoder()
_LABELLED = re.compile(r"^(?:\d+[.)])?\W*([a-z]\d{1,2})\b\W*?[:：]\s*(.+?),?\s*$", re.MULTILINE)
_NAME = re.compile(r"(?<![A-Za-z])[A-Z]{5}(?![A-Za-z])")
_ABSENT = re.compile(
    "|".join(re.escape(normalise(each)) for each in prompts("long_context.yaml")["absent"])
)
_MISSING = object()
#: An answer of more than so many times the numbers that are wanted is no answer: it fires at all.
SHOTGUN = 2


def finds(reply: Reply, question: NeedleQuestion) -> Score:
    """Score the answer to one question, which stands in a field of its own."""
    value = answers(reply.text).get(question.label, _MISSING)
    shown = f"{question.kind}{_at(question)}: expected {_wanted(question)}"
    if value is _MISSING:
        length = ", cut off at its budget" if reply.finish == "length" else ""
        return failed(shown, got=f"no answer{length}")
    wrong = _mistake(value, question)
    return failed(shown, got=f"{_text(value)!r:.120}: {wrong}") if wrong else PASSED


def found(score: Score, question: NeedleQuestion, length: int) -> Measure:
    """Whether the answer to one question was found, at its length and depth."""
    depth = {} if question.depth is None else {"depth": question.depth}
    return Measure("found", float(score.passed), at={"length": length, **depth})


def answers(text: str) -> dict[str, Any]:
    """The answers of a reply by their labels: of a JSON object anywhere in it, or of its lines."""
    for brace in re.finditer(r"\{", text):
        try:
            found, _ = _DECODER.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and found:
            return found
    return dict(_LABELLED.findall(text))


def _mistake(value: Any, question: NeedleQuestion) -> str:
    """What is wrong with an answer; "" where nothing is."""
    text = _text(value)
    if question.kind == "absent":
        return "" if _abstains(value, text) else "made up"
    given = _NAME.findall(text.upper()) if question.kind == "names" else numbers(text)
    given = list(dict.fromkeys(given))
    if not given:
        return "not found" if _abstains(value, text) else "no answer"
    if question.kind == "count":
        return "" if given[0] == question.wanted[0] else "miscounted"
    if any(each in given for each in question.stale):
        return "stale"
    lost = [each for each in question.wanted if each not in given]
    if lost:
        return f"{len(lost)} of {len(question.wanted)} not found"
    if len(given) > SHOTGUN * len(question.wanted):
        return f"{len(given)} values are no answer"
    return ""


def _abstains(value: Any, text: str) -> bool:
    return (
        value is None or value == [] or bool(_ABSENT.search(normalise(text)) and not numbers(text))
    )


def _text(value: Any) -> str:
    """An answer as text, whichever JSON it is."""
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at(question: NeedleQuestion) -> str:
    return "" if question.depth is None else f" at {question.depth:.0%}"


def _wanted(question: NeedleQuestion) -> str:
    return ", ".join(question.wanted) or "none"


RECALL = 0.90
NEAR = 40  # characters between a figure's name and its number
_NUMBER = re.compile(r"(?<!\S)\d+(?:\.\d+)?(?!\S)")
#: The numbers of the task: to name them is to make nothing up.
_TASK = {
    number
    for text in prompts("long_context.yaml")["report"]["asking"].values()
    for number in numbers(text)
}
DIGITS = 3  # A number of fewer may count sections, or the figures themselves.


def summarises(reply: Reply, expected: DocumentAnswers) -> Score:
    """Score a summary: figures with their dates, nothing made up, and the mark at its end."""
    text, figures = normalise(reply.text), expected.figures
    told = sum(_tells(text, each) for each in figures)
    dated = _dated(reply.text, figures)
    invented = _invented(reply.text, figures)
    wrong = []
    if told < RECALL * len(figures):
        wrong.append(f"{told} of {len(figures)} figures")
    if dated < RECALL * len(figures):
        wrong.append(f"{dated} of {len(figures)} dates")
    if invented:
        wrong.append(f"made up: {', '.join(invented[:5])}")
    if reply.finish == "length":
        wrong.append("cut off at its budget")
    elif not reply.text.rstrip(" \n\t*_`。.").endswith(expected.end):
        wrong.append(f"ends with {reply.text[-20:]!r}, not {expected.end!r}")
    score = failed("; ".join(wrong), got=f"{reply.text!r:.120}") if wrong else PASSED
    return score.measured(
        Measure("figures recalled", told / len(figures)),
        Measure("dates recalled", dated / len(figures)),
        Measure("made up", len(invented)),
    )


def _tells(text: str, figure: KeyFigure) -> bool:
    """Whether a normalised text has the number next to the name, the first behind it or before."""
    name = normalise(figure.name)
    for place in re.finditer(re.escape(name), text):
        behind = _NUMBER.findall(text[place.end() : place.end() + NEAR])
        before = _NUMBER.findall(text[max(place.start() - NEAR, 0) : place.start()])
        if figure.number in (*behind[:1], *([] if behind else before[-1:])):
            return True
    return False


def _dated(text: str, figures: tuple[KeyFigure, ...]) -> int:
    """How many figures have their date in the text, perhaps without its year."""
    found = set(dates(text))
    return sum(bool({each.date, f"-{each.date[4:]}"} & found) for each in figures)


def _invented(text: str, figures: tuple[KeyFigure, ...]) -> list[str]:
    """Numbers and dates that the report does not have."""
    days = {each.date for each in figures}
    known = {each.number for each in figures} | {each[:4] for each in days} | _TASK
    long = [each for each in numbers(text) if len(re.sub(r"\D", "", each)) >= DIGITS]
    made_up = [each for each in long if each.lstrip("-") not in known]
    ends = {each[4:] for each in days}
    made_up += [
        each
        for each in dates(text)
        if each not in days and not (each[0] == "-" and each[1:] in ends)
    ]
    return list(dict.fromkeys(made_up))
