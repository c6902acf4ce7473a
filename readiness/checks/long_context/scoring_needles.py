"""Scoring of needle retrieval, and of the summary of a report."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from readiness.checks.long_context.document import DocumentAnswers, KeyFigure, NeedleQuestion
from readiness.reply import Reply
from readiness.resources import prompts
from readiness.score import PASSED, Measure, Score, failed
from readiness.scoring.assertions import Mention, Role, mentions, role, says_unsaid
from readiness.scoring.values import dates, normalise, numbers, pattern_of

_DECODER = json.JSONDecoder()
_LABEL = re.compile(r"\W*([a-z]\d{1,2})\W*", re.IGNORECASE)
# q1: x, **q1** = x, 1. q1 - x, a row | q1 | x |, or a heading over what follows.
_LABELLED = re.compile(
    r"\W*(?:\d+[.)]\W*)?([a-z]\d{1,2})\b(?:\W*?(?:[:：|=→)）.]|\s[-–—])[\s*_]*(.+?)|\W*)[\s|,]*",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s*(?:[-*•]|\d+[.)])\s")
_NAME = re.compile(r"(?<![A-Za-z])[A-Z]{5}(?![A-Za-z])")
_ABSENT_WORDS = "|".join(
    re.escape(normalise(each)) for each in prompts("long_context.yaml")["absent"]
)
#: Such a word is the whole answer, or begins or ends it.
_ABSENT = re.compile(rf"(?:{_ABSENT_WORDS})\b|无(?!法)\D{{0,6}}$|.*(?<![a-z])(?:{_ABSENT_WORDS})$")
_MISSING = object()
#: An answer with more than this multiple of the wanted values is a list of guesses.
MAX_VALUES_RATIO = 2
LONG = 3  # digits of a value; a number of fewer may be that of a line or section
_COUNTED = re.compile(r" ?(?:次|回|遍|times?\b|occurrences?\b)")
_TOTAL = re.compile(r"(?:共|总计|合计|count|total)\D{0,6}$")
_ORDINAL = re.compile(r"(?:第|\b(?:lines?|rows?|sections?)) ?$")
_RANGE = re.compile(r"\d\s*(?:[-~–—]|到|至|\bto\b)\s*\d")


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
    """The answers of a reply by their labels: of JSON anywhere in it, or of its lines."""
    for found in _documents(text):
        if labelled := dict(_labelled(found)):
            return labelled
    return _by_line(text)


def _documents(text: str) -> Iterator[Any]:
    end = 0
    for bracket in re.finditer(r"[{\[]", text):
        if bracket.start() < end:
            continue
        try:
            found, end = _DECODER.raw_decode(text, bracket.start())
        except (ValueError, RecursionError):
            continue
        yield found


def _labelled(node: Any) -> Iterator[tuple[str, Any]]:
    """Each value of a JSON document that has a label, however deep: as its key, or beside it."""
    if isinstance(node, list):
        for each in node:
            yield from _labelled(each)
    elif isinstance(node, dict):
        labels = [_label(each) for each in node.values()]
        if sum(map(bool, labels)) == 1:
            yield "".join(labels), [each for each in node.values() if not _label(each)]
        for key, value in node.items():
            yield from [(_label(key), value)] if _label(key) else _labelled(value)


def _label(value: Any) -> str:
    found = _LABEL.fullmatch(value) if isinstance(value, str) else None
    return found[1].lower() if found else ""


def _by_line(text: str) -> dict[str, Any]:
    """Answers behind or below their labels; what is below is a list, or the next line."""
    found: dict[str, list[str]] = {}
    under: list[str] = []
    for line in text.splitlines():
        if labelled := _LABELLED.fullmatch(line):
            under = found.setdefault(labelled[1].lower(), [])
            under += [labelled[2]] if labelled[2] else []
        elif line.strip() and (not under or _BULLET.match(line)):
            under.append(line)
    return {label: "; ".join(lines) for label, lines in found.items()}


def _mistake(value: Any, question: NeedleQuestion) -> str:
    """Return why an answer is wrong, or an empty string."""
    text = _text(value)
    nothing = value is None or value == [] or _says_nothing(text)
    given = _given(text, question)
    if question.kind == "absent":
        hallucinated = any(len(each.value) >= LONG for each in given)
        return "" if nothing and not hallucinated else "hallucinated"
    if not given:
        return "not found" if nothing else "no answer"
    if question.kind == "count":
        return "" if _counts(text, given) == {*question.wanted} else "miscounted"
    return _misread(given, question)


def _misread(given: Sequence[Mention], question: NeedleQuestion) -> str:
    """What is wrong with the values that an answer states."""
    now = [each for each in given if each.role is not Role.FORMER] or given
    values = list(dict.fromkeys(each.value for each in now))
    if any(each in values for each in question.stale):
        return "stale"
    lost = [each for each in question.wanted if each not in values]
    if lost:
        return f"{len(lost)} of {len(question.wanted)} not found"
    others = [each for each in now if each.value not in question.wanted]
    lengths = {len(each) for each in question.wanted}
    rival = any(each.role is Role.ALTERNATIVE or len(each.value) in lengths for each in others)
    if rival or len(values) > MAX_VALUES_RATIO * len(question.wanted):
        return f"{len(values)} values are no answer"
    return ""


def _given(text: str, question: NeedleQuestion) -> list[Mention]:
    """The values that an answer states, apart from those that the question names itself."""
    if question.kind == "names":
        found = [Mention(name, at) for name, at in _names(text, question.wanted)]
    else:
        asked = {each.lstrip("-") for each in numbers(question.text)}
        found = [each for each in mentions(normalise(text)) if numbers(each.value) == [each.value]]
        found = [each for each in found if each.value.lstrip("-") not in asked]
    return [each for each in found if each.role is not Role.DENIED]


def _names(text: str, wanted: Collection[str]) -> Iterator[tuple[str, Role]]:
    """The names in a text: those that are wanted in any case, and others in capitals."""
    plain = unicodedata.normalize("NFKC", text)
    for found in re.finditer(r"(?<![a-z])[a-z]{5}(?![a-z])", plain, re.IGNORECASE | re.ASCII):
        name = found[0].upper()
        if name in wanted or found[0].isupper():
            yield name, role(plain.lower(), *found.span())


def _counts(text: str, given: Sequence[Mention]) -> set[str]:
    """What an answer says that it has counted; nothing where it leaves that open."""
    if _RANGE.search(unicodedata.normalize("NFKC", text)):
        return set()
    plain = normalise(text)
    places = [
        (each.value, plain[: found.start()], plain[found.end() :])
        for each in given
        for found in pattern_of(each.value).finditer(plain)
        if each.role is Role.STATED
    ]
    totals = {
        value for value, before, behind in places if _COUNTED.match(behind) or _TOTAL.search(before)
    }
    others = [value for value, before, _ in places if not _ORDINAL.search(before)]
    return totals or {*others[:1]}


def _says_nothing(text: str) -> bool:
    plain = normalise(text)
    return bool(_ABSENT.match(plain)) or says_unsaid(plain)


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
