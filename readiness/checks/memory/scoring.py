"""Scoring of memory: whether a reply recalls the answer, and how it is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from readiness.probe import Message
from readiness.reply import Reply
from readiness.score import PASSED, Outcome, Score, failed, scored
from readiness.scoring.assertions import says_unsaid, says_unsure
from readiness.scoring.claims import (
    NOT_NOW,
    VAGUE,
    Role,
    is_earlier,
    is_ordinal,
    occurrences,
    plainly,
    role,
    unread,
    values_in,
)
from readiness.scoring.units import currencies, is_unit, unit_at
from readiness.scoring.usable import unusable
from readiness.scoring.values import normalise

MAX_ANSWER = 40  # characters; a longer reply is verbose
LONG = re.compile(r"\d{3}|\d-\d")  # digits of a value: a smaller number may count turns
#: The answer is said: "about 4821" of a value that was told exactly shows that it is known.
_SAID = {Role.STATED, Role.PAST, Role.APPROXIMATE, Role.UNSURE}
#: Of other values these tell something that is no answer.
_NOT_ANSWERED = NOT_NOW - {Role.FORMER, Role.PAST}
DAYS, EURO = "day", "euro"
#: A word for money of any country, with no other that names one.
_MONEY = re.compile(r"\d\s*(?:元|块)")
_YUAN = re.compile("人民币|[¥￥]|rmb|cny|yuan", re.IGNORECASE)


@dataclass(frozen=True)
class Expected:
    """The answer that a reply must recall.

    Args:
        values: Ways to write the answer; none if it was never stated.
        stale: Earlier values of the answer.
        others: Values of other things in the conversation.
        marks: Texts of which the reply must contain one verbatim, by a standing instruction.
        distance: How many turns ago the last needed fact was stated; None if it never was.
        unit: What a number counts (`readiness.scoring.units`); "" where it may be anything.
        beside: Values that a reply may state beside the answer, as the parts of a sum.
        asked: The question, whose words an answer may repeat.
    """

    values: Sequence[str]
    stale: Sequence[str] = ()
    others: Sequence[str] = ()
    marks: Sequence[str] = ()
    distance: int | None = None
    unit: str = ""
    beside: Sequence[str] = ()
    asked: str = ""


def score_recall(reply: Reply, expected: Expected) -> Score:
    """Score a reply that must state the answer, and no other value of the conversation."""
    if score := unusable(reply):
        return score
    plain = plainly(reply.text)
    loose = expected.unit == EURO and _MONEY.search(reply.text) and not _YUAN.search(reply.text)
    expected = replace(expected, unit="") if loose else expected
    if wrong := _mistake(plain, expected) or _unmarked(reply.text, expected):
        return failed(f"{wrong}expected {_shown(expected)}", got=f"{reply.text!r:.120}")
    if why := "an amount in 元, which may be euros" if loose else _open(plain, expected):
        return scored(Outcome.UNDETERMINED, why, came=f"{reply.text!r:.120}")
    text = reply.text.strip()
    # That only the answer was asked for is no matter of memory.
    return (
        scored(Outcome.PASS, "verbose", came=f"{len(text)} characters")
        if len(text) > MAX_ANSWER
        else PASSED
    )


def length(messages: Sequence[Message]) -> int:
    """The length of a conversation's text, with a character beyond ASCII counted as four."""
    text = "".join(str(message["content"]) for message in messages)
    return sum(1 if letter.isascii() else 4 for letter in text)


def _mistake(text: str, expected: Expected) -> str:
    """What is wrong with a plain reply, a word of the taxonomy first; "" where nothing is."""
    stale = any(_roles(text, value) - NOT_NOW for value in expected.stale)
    swapped = any(_roles(text, value) - _NOT_ANSWERED for value in expected.others)
    if not expected.values:
        return "hallucinated: " if swapped else _made_up(text)
    said = {role for value in expected.values for role in _roles(text, value)} - {Role.DENIED}
    if not said:
        return _instead(text, stale, swapped)
    if stale or swapped:
        return f"{'stale' if stale else 'swap'}: besides the answer, "
    if not said & _SAID:
        return f"format: the answer as {min(said)}, "
    if VAGUE & said:
        return f"format: the answer, and as {min(VAGUE & said)}, "
    return _in_another_unit(text, expected) or _and_none(text)


def _and_none(text: str) -> str:
    return "format: an answer and none, " if says_unsaid(normalise(text)) else ""


def _in_another_unit(text: str, expected: Expected) -> str:
    """Whether a reply has the number, and of something else: weeks for days, or days earlier."""
    if not expected.unit:
        return ""
    if expected.unit == EURO and (named := currencies(text)) and EURO not in named:
        return f"format: of another currency ({min(named)}), "
    places = [each.span() for value in expected.values for each in occurrences(text, _form(value))]
    for start, end in places:
        if role(text, start, end) not in _SAID:
            continue
        unit = unit_at(text, start, end).name
        if not is_unit(unit, expected.unit) or is_ordinal(text, start, end):
            return f"format: of another unit ({unit or 'a place in a row'}), "
        if expected.unit == DAYS and is_earlier(text, start, end):
            return "format: earlier and not later, "
    return ""


def _open(text: str, expected: Expected) -> str:
    """What leaves open which value a reply means: a guess, or a value that nobody told."""
    if not expected.values:
        return ""
    roles = {role for value in expected.values for role in _roles(text, value)}
    if Role.UNSURE in roles:
        return "a guess"
    if Role.APPROXIMATE in roles and any(_shape(_form(each)) == "date" for each in expected.values):
        return "about a day"
    told = (*expected.values, *expected.stale, *expected.others, *expected.beside)
    known = [each.span() for value in told for each in occurrences(text, _form(value))]
    shapes = {_shape(_form(value)) for value in expected.values}
    for found in values_in(text):
        start, end = found.span()
        if any(one < end and start < other for one, other in known):
            continue
        long = _shape(found[0]) in shapes and LONG.search(found[0])
        if long and role(text, start, end) not in _NOT_ANSWERED:
            return f"beside the answer {found[0]!r}, which nobody told"
    return _unread(text, expected)


def _unread(text: str, expected: Expected) -> str:
    """What stands beside the answer wherever it is stated, and nobody can tell the sense of."""
    places = [each.span() for value in expected.values for each in occurrences(text, _form(value))]
    beside = [
        unread(text, *each, asked=expected.asked) for each in places if role(text, *each) in _SAID
    ]
    return f"beside the answer {min(beside)!r:.60}" if beside and all(beside) else ""


def _shape(value: str) -> str:
    """What a value is: a number, a date or a code."""
    return "code" if re.search("[a-z]", value) else "date" if "-" in value[1:] else "number"


def _made_up(text: str) -> str:
    """What is wrong with a plain reply to what was never said: it must say so, and no more."""
    places = [(each[0], role(text, *each.span())) for each in values_in(text)]
    values = [value for value, of in places if of is not Role.DENIED]
    if any(LONG.search(value) for value in values):
        return "hallucinated: "
    if says_unsaid(normalise(text)):
        return ""
    return "hallucinated: " if values else "format: no word that it was never said, "


def _instead(text: str, stale: bool, swapped: bool) -> str:
    plain = normalise(text)
    if says_unsaid(plain) or says_unsure(plain):
        return "false abstention: "
    return "stale: " if stale else "swap: " if swapped else "miss: "


def _unmarked(text: str, expected: Expected) -> str:
    folded = _folded(text)
    # EUR must not match "euros".
    marks = [rf"(?<![a-z]){re.escape(_folded(mark))}(?![a-z])" for mark in expected.marks]
    obeyed = not marks or any(re.search(mark, folded) for mark in marks)
    return "" if obeyed else "format: not as instructed, "


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


# The probes of one conversation share its values.
_form = lru_cache(4096)(normalise)


def _roles(text: str, value: str) -> set[Role]:
    """What a plain text says of a value, wherever it stands."""
    form = _form(value)
    return {role(text, *found.span()) for found in occurrences(text, form)}


def _shown(expected: Expected) -> str:
    wanted = repr(expected.values[0]) if expected.values else "no value"
    ago = "" if expected.distance is None else f" {expected.distance} turns back"
    marked = f" with {expected.marks[0]!r}" if expected.marks else ""
    return f"{wanted}{ago}{marked}"
