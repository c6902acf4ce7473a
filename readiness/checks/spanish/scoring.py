"""Whether a reply does what it was asked in Spanish, and in Spanish."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from readiness.checks.spanish.scoring_answers import Answer, find, is_right
from readiness.checks.spanish.scoring_constraints import broken, count, prose, words_in
from readiness.reply import Reply
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.language import foreign, has_words_of_others, strays
from readiness.scoring.usable import unusable

LANGUAGE = "es"
FEWEST_WORDS = 25  # in a reply to an open question
LOOP = 4  # words that come again and again, so many times each
#: Of so many words in a row hardly ever not one has an accent: about one word of ten has.
ACCENTED = 50

_MARKED = re.compile("[áéíóúüñ]", re.IGNORECASE)


@dataclass(frozen=True)
class Order:
    """A text to write, about something, and the rule that it has to keep."""

    keyword: str
    rule: str
    wanted: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Talk:
    """An open question: any reply will do that is long enough, and in Spanish throughout."""

    about: str


Wanted = Answer | Order | Talk


def does(reply: Reply, wanted: Wanted) -> Score:
    """Score a reply that must be what was asked for, in Spanish."""
    if score := unusable(reply):
        return score
    text = unicodedata.normalize("NFC", "\n".join(reply.text.splitlines()))
    said = prose(text)
    match wanted:
        case Answer():
            return _answered(text, wanted)
        case Order():
            wrong = _disobeyed(text, wanted)
        case Talk():
            wrong = _said_badly(text)
    wrong = wrong or not_spanish(said)
    loose = (_loosely(text, wanted),) if isinstance(wanted, Order) else ()
    score = failed(wrong, got=f"{text!r:.160}") if wrong else PASSED
    return score.measured(*loose)


def _answered(text: str, wanted: Answer) -> Score:
    """Score an answer: in a sentence it is as right as alone, and counted apart."""
    found = find(text, wanted)
    if not found:
        return failed(f"expected {wanted.value!r}", got=f"{text!r:.160}")
    if wrong := not_spanish(found.beside) or _in_others_words(found.frame):
        return failed(wrong, got=f"{text!r:.160}")
    return PASSED if found.alone else scored(Outcome.PASS, "not alone", came=f"{text!r:.160}")


def _in_others_words(frame: str) -> str:
    return f"not Spanish: {frame!r:.80}" if has_words_of_others(frame) else ""


def as_right(replies: Sequence[Reply], wanted: Sequence[Answer]) -> Score:
    """Score two replies to one task, in Spanish and in English: English alone right is a failure.

    Both outcomes are measures: from those of all pairs follows McNemar's test.
    """
    spanish, english = (
        unusable(reply) is None and is_right(reply.text, answer)
        for reply, answer in zip(replies, wanted, strict=True)
    )
    lost = english and not spanish
    score = failed("right in English alone", got=f"{replies[0].text!r:.120}") if lost else PASSED
    measures = Measure("right in Spanish", spanish), Measure("right in English", english)
    return Score(score.outcome, score.reason, measures)


def not_spanish(text: str) -> str:
    """What in a text is not Spanish; "" where nothing is, or it is too short to tell."""
    if letters := strays(text):
        return f"letters that are not Spanish: {letters!r:.40}"
    part = foreign(text, LANGUAGE)
    return f"not Spanish: {part!r:.80}" if part else ""


def _disobeyed(text: str, order: Order) -> str:
    if not count(prose(text), order.keyword):
        return f"the word {order.keyword!r} is missing"
    return broken(order.rule, text, order.wanted)


def _loosely(text: str, order: Order) -> Measure:
    """Whether the rule is kept once a line of talk at either end and emphasis are taken off."""
    kept = any(not _disobeyed(each, order) for each in _variants(text))
    return Measure("obeyed loosely", float(kept), at={"rule": order.rule})


def _variants(text: str) -> Iterator[str]:
    """The eight readings of IFEval (Zhou et al. 2023, arXiv 2311.07911)."""
    lines = text.splitlines()
    for first, last, stars in product((False, True), repeat=3):
        part = "\n".join(lines[int(first) : len(lines) - int(last)]).strip()
        if part:
            yield part.replace("*", "") if stars else part


def _said_badly(text: str) -> str:
    found = words_in(text)
    if len(found) < FEWEST_WORDS:
        return f"{len(found)} words, not {FEWEST_WORDS} or more"
    runs = Counter(zip(*(found[at:] for at in range(LOOP)), strict=False))
    if LOOP * len(runs) < runs.total():
        return f"the same {LOOP} words again and again"
    bare = len(found) >= ACCENTED and not _MARKED.search(text)
    return f"{len(found)} words without one accent" if bare else ""
