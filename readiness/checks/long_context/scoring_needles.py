"""Scoring of needle retrieval, and of the summary of a report."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from readiness.checks.long_context.document import DocumentAnswers, KeyFigure, NeedleQuestion
from readiness.protocol.message import DEEPEST, is_nested_deeper
from readiness.reply import Reply
from readiness.resources import prompts
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.assertions import says_unsaid
from readiness.scoring.claims import (
    NOT_NOW,
    VAGUE,
    Role,
    is_ordinal,
    plainly,
    role,
    unread,
    values_in,
)
from readiness.scoring.units import is_unit, unit_at
from readiness.scoring.values import WIDE, dates, normalise, numbers

_DECODER = json.JSONDecoder()
_LABEL = re.compile(r"\W*([a-z]\d{1,2})\W*", re.IGNORECASE)
# q1: x, **q1** = x, 1. q1 - x, a row | q1 | x |, or a heading over what follows.
_LABELLED = re.compile(
    r"\W*(?:\d+[.)]\W*)?(?:(?:answer|question|答案|问题|第)\W*)?([a-z]\d{1,2})\b"
    r"(?:\W*?(?:[:：|=→)）.\]\t…]|\s[-–—])[\s*_]*(.+?)"
    r"|\W*)[\s|,]*",
    re.IGNORECASE,
)
# The answer to q1 is x, q1 x, 问题q1的答案是x, <q1>x</q1>, <answer id="q1">x</answer>.
_SPOKEN = re.compile(
    r"[^\w<]*(?:<[a-z]+ [^<>]*?|<|(?:[a-z]+ ){0,4}?|(?:问题|第|关于|对于)*)(q\d{1,2})(?![a-z\d_-])"
    r"(?:\W*?(?:is|are|was|为|是|的?答案(?:是|为)?|the answer is)[\s:：]*"
    r"|[\"'>,\s]+(?:the answer is)?)(.+?)"
    r"(?:</[a-z]\w*>)?\W*",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s*(?:[-*•]|\d+[.)])\s")
_ABSENT_WORDS = "|".join(
    re.escape(normalise(each)) for each in prompts("long_context.yaml")["absent"]
)
# What such a word may be followed by: of 无锡 and of 没有问题 it is a part.
_OF_WHAT = (
    "(?:关于|有关|提|说|找|查|出现|登记|记[录载]|写|给出|包含|列出|此|该|这|那|相关|任何"
    "|对应|数据|信息|内容|结果|答案|值|编号)"
)
_ABSENT = re.compile(
    rf"(?:the |it |is |档案|该|此)*(?:{_ABSENT_WORDS})(?:$| (?:in|of|for|on|was|is|found|recorded"
    rf"|stated|mentioned"
    rf"|about|available|exists?|given|information|record|such|no such|entry|data|provided|listed)\b"
    rf"| ?{_OF_WHAT})"
    rf"|(?:日志[中里内]?)?(?:无|查无) ?{_OF_WHAT}\D{{0,8}}$|(?:.*[^{WIDE}a-z]|.*[是为填写答])?无$"
    rf"|.*(?<![a-z])(?:{'|'.join(each for each in _ABSENT_WORDS.split('|') if each != '无')})$"
)
_NOT_ABSENT = re.compile(
    rf"(?:不是|并非|不能说|未必|不|\bnot|isn t|is not|n t) ?(?:{_ABSENT_WORDS})|no such thing as"
)
_MISSING = object()
#: An answer with more than this multiple of the wanted values is a list of guesses.
MAX_VALUES_RATIO = 2
LONG = 3  # digits of a value; a number of fewer may be that of a line or section
_COUNTED = re.compile(r"\s*(?:次|回|遍|times?\b|occurrences?\b|x\b)")
_TOTAL = re.compile(r"(?:共|总计|合计|count|total)\D{0,6}$")
_PLACE = re.compile(r"(?:第|\b(?:number|no\.?|instance) ?$|\b(?:lines?|rows?|sections?))\s*$")


def score_answer(reply: Reply, question: NeedleQuestion) -> Score:
    """Score the answer to one question, in its labelled field of the reply."""
    value = answers(reply.text).get(question.label, _MISSING)
    shown = f"{question.kind}{_at(question)}: expected {_wanted(question)}"
    if value is _MISSING:
        length = ", cut off at its budget" if reply.finish == "length" else ""
        return failed(shown, got=f"no answer{length}")
    wrong = _mistake(value, question)
    if wrong:
        return failed(shown, got=f"{_text(value)!r:.120}: {wrong}")
    if beside := _unread(value, question):
        return scored(Outcome.UNDETERMINED, f"{shown}, and {beside!r:.60} beside it")
    return PASSED


def _unread(value: Any, question: NeedleQuestion) -> str:
    """What stands beside a single value, and nobody can tell the sense of."""
    if len(question.wanted) != 1 or question.kind == "names":
        return ""
    text = plainly(_text(value))
    places = [each.place for each in _given(_text(value), question) if each.role in _EXACT]
    wanted = [place for place in places if text[slice(*place)] in question.wanted]
    beside = [unread(text, *place, asked=question.text) for place in wanted]
    return min(beside) if beside and all(beside) else ""


def found_measure(score: Score, question: NeedleQuestion, length: int) -> Measure:
    """The measure of whether a needle was found, by length and depth."""
    depth = {} if question.depth is None else {"depth": question.depth}
    return Measure("found", float(score.passed), at={"length": length, **depth})


@dataclass(frozen=True)
class Conflict:
    """The different answers that a reply gives to one question, in several JSON documents."""

    values: Sequence[Any]


def answers(text: str) -> dict[str, Any]:
    """The answers of a reply by their labels: of all JSON in it, or of its lines."""
    found: dict[str, dict[str, Any]] = {}
    for document in _documents(text):
        for label, value in _labelled(document):
            if value in (None, []) or re.search(r"\w", _text(value)):
                found.setdefault(label, {}).setdefault(plainly(_text(value)), value)
    if found:
        given = {label: [*each.values()] for label, each in found.items()}
        return {
            label: each[0] if len(each) == 1 else Conflict(each) for label, each in given.items()
        }
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
        if not is_nested_deeper(found, DEEPEST):
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
        if labelled := _LABELLED.fullmatch(line) or _SPOKEN.fullmatch(line):
            under = found.setdefault(labelled[1].lower(), [])
            under += [labelled[2]] if labelled[2] else []
        elif line.strip() and (not under or _BULLET.match(line)):
            under.append(line)
    return {label: "; ".join(lines) for label, lines in found.items()}


def _mistake(value: Any, question: NeedleQuestion) -> str:
    """Return why an answer is wrong, or an empty string."""
    if isinstance(value, Conflict):
        return f"{len(value.values)} different answers"
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


def _misread(given: Sequence[Claim], question: NeedleQuestion) -> str:
    """What is wrong with the values that an answer states."""
    now = [each for each in given if each.role not in NOT_NOW]
    now = now or [each for each in given if each.role is Role.PAST]
    values = list(dict.fromkeys(each.value for each in now))
    if any(each in values for each in question.stale):
        return "stale"
    lost = [each for each in question.wanted if each not in values]
    if lost:
        return f"{len(lost)} of {len(question.wanted)} not found"
    meant = [each for each in now if each.value in question.wanted]
    if vague := next((each for each in meant if each.role not in _EXACT or each.measured), None):
        return f"{vague.value} as {'an amount' if vague.measured else vague.role}"
    others = [each for each in now if each.value not in question.wanted]
    lengths = {len(each) for each in question.wanted}
    rival = any(each.role not in _EXACT or len(each.value) in lengths for each in others)
    if rival or len(values) > MAX_VALUES_RATIO * len(question.wanted):
        return f"{len(values)} values are no answer"
    return ""


@dataclass(frozen=True)
class Claim:
    """A value in an answer, and what is said of it.

    Args:
        value: The value.
        role: What is said of it.
        measured: Whether so many dozens, metres or percent are meant.
        place: Where it stands in the answer.
    """

    value: str
    role: Role
    measured: bool = False
    place: tuple[int, int] = (0, 0)


_EXACT = {Role.STATED, Role.PAST}


def _given(text: str, question: NeedleQuestion) -> list[Claim]:
    """The values that an answer states, apart from those that the question names itself."""
    if question.kind == "names":
        return [*_names(text, question.wanted)]
    asked = {each.lstrip("-") for each in numbers(question.text)}
    listed = len(question.wanted) > 1
    plain = plainly(text)
    found = [each for each in values_in(plain) if numbers(each[0]) == [each[0]]]
    claims = [
        Claim(
            each[0],
            role(plain, *each.span(), listed=listed),
            not is_unit(unit_at(plain, *each.span()).name, ""),
            each.span(),
        )
        for each in found
        if each[0].lstrip("-") not in asked
    ]
    return [each for each in claims if each.role is not Role.DENIED]


def _names(text: str, wanted: Collection[str]) -> Iterator[Claim]:
    """The names in a text that are not denied: the wanted in any case, and others in capitals."""
    plain = unicodedata.normalize("NFKC", text)
    found = [
        each
        for each in re.finditer(r"(?<![a-z])[a-z]{5}(?![a-z])", plain, re.IGNORECASE | re.ASCII)
        if each[0].upper() in wanted or each[0].isupper()
    ]
    # As numbers they are read as all values are.
    numbered = plain.lower()
    for at, each in enumerate(found):
        numbered = f"{numbered[: each.start()]}{10_000 + at % 90_000}{numbered[each.end() :]}"
    for each in found:
        said = role(numbered, *each.span(), listed=True)
        if said is not Role.DENIED:
            yield Claim(each[0].upper(), said)


def _counts(text: str, given: Sequence[Claim]) -> set[str]:
    """What an answer says that it has counted; nothing where it leaves that open."""
    plain = plainly(text)
    if any(each.role in _OPEN or each.measured for each in given):
        return set()
    places = [
        (each.value, plain[: each.place[0]], plain[each.place[1] :])
        for each in given
        if each.role in _EXACT and not is_ordinal(plain, *each.place)
    ]
    totals = {
        value for value, before, behind in places if _COUNTED.match(behind) or _TOTAL.search(before)
    }
    others = [value for value, before, behind in places if not _PLACE.search(before)]
    return totals or {*others[:1]}


_OPEN = VAGUE | {Role.APPROXIMATE, Role.UNSURE, Role.OPERAND}


def _says_nothing(text: str) -> bool:
    plain = normalise(text)
    if _NOT_ABSENT.search(plain):
        return False
    return bool(_ABSENT.match(plain)) or says_unsaid(plain)


def _text(value: Any) -> str:
    """An answer as text, of any JSON type."""
    if isinstance(value, Conflict):
        return " / ".join(map(_text, value.values))
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
