"""Scoring of needle retrieval, and of the summary of a report."""

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
#: An answer with more than this multiple of the wanted values is a list of guesses.
MAX_VALUES_RATIO = 2


def score_answer(reply: Reply, question: NeedleQuestion) -> Score:
    """Score the answer to one question, in its labelled field of the reply."""
    value = answers(reply.text).get(question.label, _MISSING)
    shown = f"{question.kind}{_at(question)}: expected {_wanted(question)}"
    if value is _MISSING:
        length = ", cut off at its budget" if reply.finish == "length" else ""
        return failed(shown, got=f"no answer{length}")
    wrong = _mistake(value, question)
    return failed(shown, got=f"{_text(value)!r:.120}: {wrong}") if wrong else PASSED


def found_measure(score: Score, question: NeedleQuestion, length: int) -> Measure:
    """The measure of whether a needle was found, by length and depth."""
    depth = {} if question.depth is None else {"depth": question.depth}
    return Measure("found", float(score.passed), at={"length": length, **depth})


def answers(text: str) -> dict[str, Any]:
    """The answers of a reply by label: from a JSON object anywhere in it, or from its lines."""
    for brace in re.finditer(r"\{", text):
        try:
            found, _ = _DECODER.raw_decode(text, brace.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and found:
            return found
    return dict(_LABELLED.findall(text))


def _mistake(value: Any, question: NeedleQuestion) -> str:
    """Return why an answer is wrong, or an empty string."""
    text = _text(value)
    if question.kind == "absent":
        return "" if _abstains(value, text) else "hallucinated"
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
    if len(given) > MAX_VALUES_RATIO * len(question.wanted):
        return f"{len(given)} values are no answer"
    return ""


def _abstains(value: Any, text: str) -> bool:
    return (
        value is None or value == [] or bool(_ABSENT.search(normalise(text)) and not numbers(text))
    )


def _text(value: Any) -> str:
    """An answer as text, of any JSON type."""
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_text(each)}" for key, each in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _at(question: NeedleQuestion) -> str:
    return "" if question.depth is None else f" at {question.depth:.0%}"


def _wanted(question: NeedleQuestion) -> str:
    return ", ".join(question.wanted) or "none"


MIN_RECALL = 0.90
MAX_DISTANCE = 40  # characters between a figure's name and its number
_NUMBER = re.compile(r"(?<!\S)\d+(?:\.\d+)?(?!\S)")
#: The numbers of the task, which a summary may repeat.
_TASK = {
    number
    for text in prompts("long_context.yaml")["report"]["asking"].values()
    for number in numbers(text)
}
MIN_DIGITS = 3  # A shorter number may count sections, or the figures themselves.


def score_summary(reply: Reply, expected: DocumentAnswers) -> Score:
    """Score a summary: figures with their dates, none hallucinated, and the end mark."""
    text, figures = normalise(reply.text), expected.figures
    stated = sum(_states(text, each) for each in figures)
    dated = _dated(reply.text, figures)
    hallucinated = _hallucinated(reply.text, figures)
    wrong = []
    if stated < MIN_RECALL * len(figures):
        wrong.append(f"{stated} of {len(figures)} figures")
    if dated < MIN_RECALL * len(figures):
        wrong.append(f"{dated} of {len(figures)} dates")
    if hallucinated:
        wrong.append(f"hallucinated: {', '.join(hallucinated[:5])}")
    if reply.finish == "length":
        wrong.append("cut off at its budget")
    elif not reply.text.rstrip(" \n\t*_`。.").endswith(expected.end):
        wrong.append(f"ends with {reply.text[-20:]!r}, not {expected.end!r}")
    score = failed("; ".join(wrong), got=f"{reply.text!r:.120}") if wrong else PASSED
    return score.measured(
        Measure("figures recalled", stated / len(figures)),
        Measure("dates recalled", dated / len(figures)),
        Measure("made up", len(hallucinated)),
    )


def _states(text: str, figure: KeyFigure) -> bool:
    """Whether a text has the number next to the name: the first after it, or the last before."""
    name = normalise(figure.name)
    for place in re.finditer(re.escape(name), text):
        after = _NUMBER.findall(text[place.end() : place.end() + MAX_DISTANCE])
        before = _NUMBER.findall(text[max(place.start() - MAX_DISTANCE, 0) : place.start()])
        if figure.number in (*after[:1], *([] if after else before[-1:])):
            return True
    return False


def _dated(text: str, figures: tuple[KeyFigure, ...]) -> int:
    """How many figures have their date in the text, with or without the year."""
    found = set(dates(text))
    return sum(bool({each.date, f"-{each.date[4:]}"} & found) for each in figures)


def _hallucinated(text: str, figures: tuple[KeyFigure, ...]) -> list[str]:
    """The numbers and dates of a summary that the report does not contain."""
    days = {each.date for each in figures}
    known = {each.number for each in figures} | {each[:4] for each in days} | _TASK
    long = [each for each in numbers(text) if len(re.sub(r"\D", "", each)) >= MIN_DIGITS]
    unknown = [each for each in long if each.lstrip("-") not in known]
    ends = {each[4:] for each in days}
    unknown += [
        each
        for each in dates(text)
        if each not in days and not (each[0] == "-" and each[1:] in ends)
    ]
    return list(dict.fromkeys(unknown))
