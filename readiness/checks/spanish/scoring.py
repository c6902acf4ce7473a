"""Whether a reply does what it was asked in Spanish, and in Spanish."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from readiness.checks.spanish.prompt_wording import PROMPTS
from readiness.checks.spanish.scoring_answers import Answer, find, is_right
from readiness.checks.spanish.scoring_constraints import (
    broken,
    count,
    prose,
    sentences_in,
    words_in,
)
from readiness.reply import Reply
from readiness.score import PASSED, Measure, Outcome, Score, failed, scored
from readiness.scoring.language import foreign, has_words_of_others, strays, wide_marks
from readiness.scoring.usable import unusable

LANGUAGE = "es"
FEWEST_WORDS = 25  # in a reply to an open question
LOOP = 4  # words that come again and again, so many times each
#: Of so many words in a row hardly ever not one has an accent: about one word of ten has.
ACCENTED = 50

SAME_SENTENCE = 3  # of as many words as a loop has, or more

_MARKED = re.compile("[áéíóúüñ]", re.IGNORECASE)
_DOUBLED = re.compile(r"\b([^\W\d_]{2,}) +(\1)\b(?![-'’])", re.IGNORECASE)
# Where a mark stands between two words without a space, apart from addresses and code.
_ADDRESS = re.compile(r"`[^`]*`|\S*(?:/|@|www)\S*")
_JOINED = re.compile(r"[a-záéíóúñ][,;!?][a-záéíóúñ]|[a-záéíóúñ]{3}\.[A-ZÁÉÍÓÚÑ¿¡][a-záéíóúñ]")
# A filter's asterisks in place of letters; emphasis, of which models write too many, has both ends.
_EMPHASIS = re.compile(r"(?<![\w*])\*{2,}(?=[^*])(.+?)\*{2,}(?![\w*])")
_EDGES = re.compile(r"(?<!\w)\*+|\*+(?!\w)")
_MASKED = re.compile(
    r"\w*(?:(?<=[^\W\d_])\*{4,}|\*{4,}(?=[^\W\d_])|(?<=[^\W\d_])\*{3}(?=[^\W\d_]))\w*"
)
# No words without their ñ; "suena" and "cana" are some. Hashtags and names of pages have none.
_NO_TILDE = re.compile(
    r"(?<![\w#.-])(?:manana|espan(?:a|ol)|pequen[oa]s?|companer[oa]s?|ensen(?:a|an|ar|anza)|nin[oa]s|senor(?:es)?"
    r"|montanas?|suenos?|disen(?:o|os|ar)|otono|carino|tamano)\b(?!-|\.\w)"
)
#: A last line of fewer words may be a signature.
CLOSING_WORDS = 5
_NO_PROSE = re.compile(r"\s*(?:[-–—•*+>|#]|\d+[.)])")
#: What people say twice for emphasis or for its sound, and two words of one spelling.
_SAID_TWICE = frozenset(PROMPTS["said_twice"])


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
    wrong = wrong or not_spanish(said) or _said_again(said, wanted)
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
    if found.unread:
        return scored(
            Outcome.UNDETERMINED, f"{found.unread!r:.60} beside it", came=f"{text!r:.160}"
        )
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
    if letters := strays(text) or wide_marks(text):
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
    if len(found) >= ACCENTED and not _MARKED.search(text):
        return f"{len(found)} words without one accent"
    return _mangled(text)


def _mangled(text: str) -> str:
    """Where a text is not as its writer wrote it; "" where nothing shows that."""
    if joined := _JOINED.search(_ADDRESS.sub(" ", text)):
        return f"words without a space between them: {joined[0]!r:.40}"
    if masked := _MASKED.search(_plain(text)):
        return f"letters are masked: {masked[0]!r:.40}"
    # Who writes ñ elsewhere quotes a word of another language.
    if "ñ" not in text and (lost := _NO_TILDE.search(_ADDRESS.sub(" ", text))):
        return f"n in place of ñ: {lost[0]!r}"
    # Careless writers leave out "¡" alone.
    if re.search(r"[a-záéíóúñ]\?(?:\s|$)", text) and "¿" not in text:
        return "'?' without '¿'"
    first = re.search(r"\w+", text)
    if first and first[0].islower():
        return f"it begins in the middle of a word or sentence: {text.strip()[:40]!r}"
    *_, last = text.strip().splitlines()
    open_ended = not _NO_PROSE.match(last) and len(words_in(last)) >= CLOSING_WORDS
    if open_ended and (last[-1].isalpha() or last[-1] == ","):
        return f"it ends in the middle of a sentence: {last[-40:]!r}"
    return ""


def _plain(text: str) -> str:
    """A text without its emphasis, but for asterisks between letters."""
    return _EMPHASIS.sub(lambda found: _EDGES.sub("", found[1]), text)


def _said_again(text: str, wanted: Order | Talk) -> str:
    """A word or a sentence that nobody would say again; "" where there is none."""
    # Where a word has to come often, the easiest way is a sentence that comes often.
    asked = wanted.wanted.get("word", "") if isinstance(wanted, Order) else ""
    for doubled in _DOUBLED.finditer(text):
        if not (doubled[1].istitle() and doubled[2].istitle()) and (
            doubled[1].casefold() not in _SAID_TWICE | {asked}
        ):
            return f"a word twice in a row: {doubled[0]!r:.60}"
    said = Counter(tuple(words_in(each)) for each in sentences_in(text))
    again = [each for each, times in said.items() if times >= SAME_SENTENCE and len(each) >= LOOP]
    return f"one sentence {said[again[0]]} times" if again and not asked else ""
